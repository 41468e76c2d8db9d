"""What drifts from the first image to the last: labels or brightness that follow the order of the files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from scipy import stats

from imagemill.audits.checks.base import NotAsked, many
from imagemill.audits.survey import Survey, counted
from imagemill.core.findings import Finding

__all__ = ["check_order"]

_FEWEST = 50
_TOGETHER = 10
"""Images of one folder whose names differ in their numbers alone, below which these are no order."""
_STRONG = 0.5


def check_order(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Classes or brightness that follow the numbers in names of files, in each folder by itself."""
    series: dict[str, list[int]] = defaultdict(list)
    for row, record in enumerate(survey.records):
        folder, _, name = record.key.rpartition("/")
        if survey.glances[row] is not None and (pattern := re.sub(r"\d+", "#", name)) != name:
            series[f"{folder}/{pattern}"].append(row)
    ordered = [_by_number(survey, rows) for rows in series.values() if len(rows) >= _TOGETHER]
    if sum(map(len, ordered)) < _FEWEST:
        yield NotAsked("order", f"fewer than {_FEWEST} images have names that differ in their numbers alone")
        return
    yield from _drift(survey, ordered)
    if len(ordered) == 1 and survey.source.layout != "class-folders":
        yield from _runs(survey, ordered[0])


def _by_number(survey: Survey, rows: list[int]) -> list[int]:
    """Rows in the order of all numbers in their names: 9 comes before 10, and day 1 before day 2."""
    names = {row: survey.records[row].key.rpartition("/")[2] for row in rows}
    return sorted(rows, key=lambda row: [int(number) for number in re.findall(r"\d+", names[row])])


def _drift(survey: Survey, ordered: list[list[int]]) -> Iterator[Finding]:
    brightness = survey.numbers(lambda g: g.brightness[2])
    # Ranks within each series, so that classes that are brighter are no drift.
    place = np.concatenate([(np.arange(len(rows)) + 0.5) / len(rows) for rows in ordered])
    rank = np.concatenate([(stats.rankdata(brightness[rows]) - 0.5) / len(rows) for rows in ordered])
    if np.ptp(rank) < 1e-9:
        return
    drift = stats.pearsonr(place, rank)
    if abs(drift.statistic) >= _STRONG and drift.pvalue < 1 - survey.settings.level:
        rows = np.concatenate(ordered)[np.argsort(place, kind="stable")]
        yield Finding(
            "drift",
            "note",
            f"brightness {'rises' if drift.statistic > 0 else 'falls'} along the names of files "
            f"(rank correlation {drift.statistic:.2f} over {many(len(rank))})",
            survey.keys([*rows[:5], *rows[-5:]]),
            {"correlation": float(drift.statistic), "p": float(drift.pvalue)},
            "split at random or by groups, never by the first and the last",
        )


def _runs(survey: Survey, rows: list[int]) -> Iterator[Finding]:
    labels = [survey.labels[row] for row in rows]
    common = list(counted(labels))
    if len(common) < 2:
        return
    numbers = [common.index(label) if label is not None else len(common) for label in labels]
    changes = int(np.count_nonzero(np.diff(numbers)))
    counts = np.bincount(numbers)
    expected = (len(numbers) - 1) * (1 - ((counts / len(numbers)) ** 2).sum())
    if changes < expected / 2 and changes + 1 > len(common):
        yield Finding(
            "runs",
            "note",
            f"classes come in runs along the names of files: {changes:,} changes, {expected:,.0f} in a random order",
            numbers={"changes": changes, "expected": float(expected)},
            advice="images of a run may be of one scene: say so as a group before splitting",
        )
