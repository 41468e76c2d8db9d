"""Whether each colour, feature and stage of a class is shown often enough, by columns that say so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.settings import Settings
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_attributes", "kind_of_column"]

COLOUR, FEATURE, STAGE = "colour", "feature", "stage"

_WORDS = {
    COLOUR: ("colour", "color", "colours", "colors", "hue", "shade"),
    STAGE: ("stage", "phase", "state", "ripeness", "maturity", "progression", "condition", "severity", "freshness"),
}
_MOST_VALUES = 20
"""More values than this are no colours, features or stages but names or numbers."""
_SMALLEST = 10
"""Images of a class with a value that are needed to ask."""
_PLACES = 200


def kind_of_column(name: str) -> str:
    """What a column is taken for by its name: ``"colour"``, ``"stage"``, else ``"feature"``.

    Examples
    --------
    >>> kind_of_column("fur_colour"), kind_of_column("Ripeness"), kind_of_column("stem")
    ('colour', 'stage', 'feature')
    """
    words = re.findall(r"[a-z]+", name.lower())
    return next((kind for kind, known in _WORDS.items() if set(words) & set(known)), FEATURE)


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its values by row, without what differs only in case, and the share each has to have."""

    name: str
    kind: str
    least: float
    values: Mapping[int, str]


def check_attributes(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Values of an attribute that too few images of a class have.

    Each colour that a class has, each feature and each stage that any class has, should be in a share of the images
    of every class: ``settings.colour_share``, ``feature_share`` and ``stage_share``, or what was said for the column.
    """
    told = survey.given.attributes
    if told.without:
        yield Finding(
            "no-attributes",
            "warning",
            f"{many(len(told.without))} of {len(survey.records):,} without a row in {told.name}",
            told.without,
            {"images": len(told.without)},
            "add their rows; shares are counted over the others",
        )
    own = dict.fromkeys(name for record in survey.records for name in record.attributes)
    # Of the source's own columns many are about files and people: only those that were named or say colour or stage.
    asked = [n for n in own if n in told.columns or n in told.shares or kind_of_column(n) != FEATURE]
    if not asked:
        yield NotAsked("attributes", "no column says colours, features or stages: give --attributes FILE")
        return
    for name in asked:
        yield from _column(survey, name)


def _column(survey: Survey, name: str) -> Iterator[Finding | NotAsked]:
    settings, said = survey.settings, survey.given.attributes.shares.get(name)
    kind = said if isinstance(said, str) else kind_of_column(name)
    least = said if isinstance(said, int | float) else _least(settings, kind)
    first: dict[str, str] = {}
    values: dict[int, str] = {}
    for row, record in enumerate(survey.records):
        value = record.attributes.get(name)
        if value is not None and (text := str(value).strip()):
            values[row] = first.setdefault(text.casefold(), text)
    different = len(set(values.values()))
    numbers = {type(record.attributes.get(name)) for record in survey.records} & {float}
    if different < 2:
        yield NotAsked(f"{kind}-share", f"column {name} has {'one value' if different else 'no values'}")
    elif said is None and (different > min(_MOST_VALUES, len(values) / 2) or numbers):
        yield NotAsked(
            f"{kind}-share", f"column {name} holds {different:,} values in {many(len(values))}: no kinds to count"
        )
    else:
        yield from _shares(survey, _Column(name, kind, float(least), values))


def _least(settings: Settings, kind: str) -> float:
    return {COLOUR: settings.colour_share, STAGE: settings.stage_share}.get(kind, settings.feature_share)


def _shares(survey: Survey, column: _Column) -> Iterator[Finding | NotAsked]:
    """Values under the share, by class."""
    of_class: dict[str, Counter[str]] = {}
    for row, value in column.values.items():
        of_class.setdefault(survey.labels[row] or "", Counter())[value] += 1
    everywhere = dict.fromkeys(column.values.values())
    small = [name for name, counts in of_class.items() if counts.total() < _SMALLEST]
    rare: dict[tuple[str, str], int] = {}
    lines = []
    for name, counts in of_class.items():
        if name in small:
            continue
        # A class need not come in every colour, but in every stage, with and without every feature.
        values = list(counts) if column.kind == COLOUR else list(everywhere)
        few = {value: counts[value] for value in values if counts[value] < column.least * counts.total()}
        rare |= {(name, value): count for value, count in few.items()}
        shown = [f"{value} {count} of {counts.total():,}" for value, count in few.items()]
        if shown:
            lines.append(f"{name or 'all images'}: {listed(shown)}")
    if small:
        yield NotAsked(
            f"{column.kind}-share",
            f"fewer than {_SMALLEST} images have a {column.name} in {many(len(small), 'class')} ({listed(small)})",
        )
    if rare:
        rows = [row for row, value in column.values.items() if (survey.labels[row] or "", value) in rare]
        yield Finding(
            f"{column.kind}-share",
            "warning",
            f"{many(len(rare), 'value')} of {column.name} in under {column.least:.0%} of the images of a class: "
            f"{listed(lines)}",
            survey.keys(rows[:_PLACES]),
            {"values": len(rare), "fewest": min(rare.values()), "least": column.least},
            f"gather more of them, or leave that {column.kind} out and say that it is not covered",
        )
