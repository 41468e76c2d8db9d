"""What drifts from the first image to the last: labels or brightness that follow the order of the files."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from scipy import stats

from imagemill.audits.checks.base import NotAsked
from imagemill.audits.survey import Survey, counted
from imagemill.core.findings import Finding

__all__ = ["check_order"]

_FEWEST = 50
_STRONG = 0.5


def check_order(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Classes or brightness that follow the order, as it is handed out: by the numbers in names, not by folder."""
    names = [record.key.rpartition("/")[2] for record in survey.records]
    if len({re.sub(r"\d+", "#", name) for name in names}) > 1:
        yield NotAsked("order", "names of files differ in more than their numbers")
        return
    order = np.argsort(np.array([[int(n) for n in re.findall(r"\d+", name)] or [0] for name in names])[:, -1])
    rows = [int(row) for row in order if survey.glances[row] is not None]
    if len(rows) < _FEWEST or len(set(names)) < len(names):
        because = f"there are fewer than {_FEWEST} images" if len(rows) < _FEWEST else "names are numbered by folder"
        yield NotAsked("order", because)
        return
    place = np.arange(len(rows))
    brightness = survey.numbers(lambda g: g.brightness[2])[rows]
    drift = stats.spearmanr(place, brightness)
    if abs(drift.statistic) >= _STRONG and drift.pvalue < 1 - survey.settings.level:
        yield Finding(
            "drift",
            "note",
            f"brightness {'rises' if drift.statistic > 0 else 'falls'} along the names of files "
            f"(rank correlation {drift.statistic:.2f})",
            numbers={"correlation": float(drift.statistic), "p": float(drift.pvalue)},
            advice="split at random or by groups, never by the first and the last",
        )
    labels = [survey.labels[row] for row in rows]
    common = list(counted(labels))
    if len(common) < 2 or survey.source.layout == "class-folders":
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
