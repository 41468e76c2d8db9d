"""Shortcuts: classes that are told from what has nothing to do with them, such as the border, or the file.

Each property is asked by a cross-validated probe against the share of the commonest class, copies kept together: which
class it is, and of each class whether it is that one. The p values are adjusted for the number of questions (Holm).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.file_properties import properties_of
from imagemill.audits.image_pieces import BORDER, CENTRE, CORNERS, HIDDEN, pieces_of
from imagemill.audits.picture_features import features_of
from imagemill.audits.probes import Told, out_of_fold, probabilities_by_bins, told_of
from imagemill.audits.survey import SMALLEST_CLASS, Survey
from imagemill.core.findings import Finding
from imagemill.core.multiplicity import adjusted

__all__ = ["check_shortcuts"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_MOST = 20_000
"""Images that are asked; more would tell nothing new."""
_SKILL = 0.15
"""Share of the way from chance to certainty below which a property is no shortcut, however surely it is above 0."""
_OF_CLASS = 0.3
"""The same for telling one class from all others, which is asked for every class."""
_STRONG = 0.5
_ALONE, _CERTAIN = 0.9, 0.95
_SHRINK = (0.1, 0.5, 0.9)
_PLACES = 20


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The images that are asked about, and their classes as numbers."""

    rows: Rows
    labels: Rows
    names: list[str]
    folds: Rows
    level: float

    def told(self, probabilities: Floats) -> dict[int | None, Told]:
        """How well all classes are told, under None, and, where there are more than two, each one by its number."""
        numbers = [None, *range(len(self.names))] if len(self.names) > 2 else [None]
        return {
            number: told_of(probabilities, self.labels, self.folds, number=number, level=self.level)
            for number in numbers
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What one property tells of all classes (None) and of each; ``claimed`` are those that are a finding.

    ``beside`` are answers that it has to reach a share of.
    """

    name: str
    kind: str
    told: Mapping[int | None, Told]
    beside: tuple[tuple[Mapping[int | None, Told], float], ...] = ()
    claimed: tuple[int | None, ...] = ()

    @property
    def number(self) -> int | None:
        """The class that is told best; None where all classes are told as well as that."""
        return max(self.claimed, key=lambda number: (self.told[number].skill, number is None))

    @property
    def best(self) -> Told:
        """How well that class is told, or all."""
        return self.told[self.number]


def check_shortcuts(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Properties that give the class away."""
    asked = _asked(survey)
    if len(asked.names) < 2:
        yield NotAsked("shortcuts", f"there are not two classes with {SMALLEST_CLASS} images or more")
        return
    several = [len(np.unique(asked.folds[asked.labels == n])) > 1 for n in range(len(asked.names))]
    if not all(several):
        alone = [name for name, one in zip(asked.names, several, strict=True) if not one]
        yield NotAsked("shortcuts", f"all images of {listed(alone)} are of one group, or copies of one image")
        if sum(several) < 2:
            return
        asked = _of_classes(asked, np.array(several))
    small = survey.small[np.searchsorted(survey.seen, asked.rows)]
    whole = _whole(asked, small)
    answers = _of_properties(survey, asked, whole) + _of_pieces(survey, asked, small, whole)
    if not any(one.kind == "seen" for one in answers):
        yield NotAsked("file-shortcut", "files differ in nothing but pixels")
    found = _claimed(answers, survey.settings.level)
    for kind in _SAID:
        if of_kind := sorted((one for one in found if one.kind == kind), key=lambda one: -one.best.skill):
            yield _said(survey, asked, kind, of_kind)
    yield from _pieces(survey, asked, {one.name: one for one in found}, answers, whole)


def _asked(survey: Survey) -> _Asked:
    """Images of classes with enough of them, in equal steps where they are more than are asked."""
    rows, labels, names = survey.classes()
    if len(rows) > _MOST:
        some = np.linspace(0, len(rows) - 1, _MOST).round().astype(int)
        rows, labels = rows[some], labels[some]
    folds = survey.folds(rows, labels) if len(rows) else labels
    return _Asked(rows, labels, list(names), folds, survey.settings.level)


def _of_classes(asked: _Asked, kept: npt.NDArray[np.bool_]) -> _Asked:
    """The images of some of the classes."""
    here, number = kept[asked.labels], np.cumsum(kept) - 1
    names = [name for name, one in zip(asked.names, kept.tolist(), strict=True) if one]
    return _Asked(asked.rows[here], number[asked.labels[here]], names, asked.folds[here], asked.level)


def _whole(asked: _Asked, small: npt.NDArray[np.uint8]) -> dict[int | None, Told]:
    """What the whole image tells, by the best of three probes: the fewer images, the more it is to be shrunk."""
    features = features_of(small)
    each = [asked.told(out_of_fold(features, asked.labels, asked.folds, shrink=shrink)) for shrink in _SHRINK]
    return {number: max((told[number] for told in each), key=lambda told: told.skill) for number in each[0]}


def _of_properties(survey: Survey, asked: _Asked, whole: Mapping[int | None, Told]) -> list[_Answer]:
    """Properties that are not alike in all images."""
    found = []
    for one in properties_of(survey):
        values = one.values[asked.rows]
        if _differ(values):
            by = probabilities_by_bins if values.ndim == 1 else out_of_fold
            told = asked.told(by(values, asked.labels, asked.folds))
            found.append(_Answer(one.name, one.kind, told, ((whole, one.of_whole),)))
    return found


def _differ(values: npt.NDArray[np.object_] | Floats) -> bool:
    """Whether there are two values, or one and images without."""
    if values.dtype == object:
        return len(set(values.tolist())) > 1
    known = values[np.isfinite(values)]
    return bool(len(known)) and (len(known) < values.size or float(np.ptp(known)) > 0)


def _of_pieces(
    survey: Survey, asked: _Asked, small: npt.NDArray[np.uint8], whole: Mapping[int | None, Told]
) -> list[_Answer]:
    """Pieces of the image; the border is beside the whole, what holds more of the object beside the centre as well."""
    told = {
        name: asked.told(out_of_fold(features, asked.labels, asked.folds))
        for name, features in pieces_of(small).items()
        if features.std(axis=0).max() > 1e-9
    }
    share, centre = survey.settings.shortcut, told.pop(CENTRE, None)
    found = []
    for name, one in told.items():
        beside = [(whole, share)] if name == BORDER or centre is None else [(whole, share), (centre, 1 / share)]
        found.append(_Answer(name, "corner" if name in CORNERS else "piece", one, tuple(beside)))
    return found


def _claimed(answers: list[_Answer], level: float) -> list[_Answer]:
    """Answers that are a finding: sure, strong, and as good as what they are beside."""
    asked = [(one, number) for one in answers for number in one.told]
    held = adjusted([one.told[number].p for one, number in asked])
    claimed: dict[str, list[int | None]] = {}
    for (one, number), p in zip(asked, held, strict=True):
        skill = one.told[number].skill
        # A mark in a corner is there or is not; a corner of a photo says a little of everything.
        least = _SKILL if number is None and one.kind != "corner" else _OF_CLASS
        if p > 1 - level or skill < least:
            continue
        # Of what is in the pixels (the border, all but the centre, sharpness) it is claimed where chance would not have
        # it so good: all of that goes with an object in part, and a few hundred images say no more than that.
        surely = one.told[number].least_skill if one.kind in ("piece", "content") and number is None else skill
        if all(surely >= _bar(one, number, other[number].skill, share) for other, share in one.beside):
            claimed.setdefault(one.name, []).append(number)
    return [replace(one, claimed=tuple(claimed[one.name])) for one in answers if one.name in claimed]


def _bar(one: _Answer, number: int | None, other: float, share: float) -> float:
    """What an answer has to reach beside another.

    Of one class it is more: that is asked for every class. A mark in a corner may tell less than the centre does where
    that tells nearly everything.
    """
    if one.kind in ("piece", "corner") and number is not None:
        share = max(share, _ALONE)
    return min(share * other, _CERTAIN) if one.kind == "corner" else share * other


_SAID = {
    "seen": "make it alike in all classes, or a network learns it in place of what is shown",
    "content": "this may be what the class is; if it is not, gather all classes alike, or augment it away",
    "origin": "gather each class from every origin, or split by it: whatever else differs with it is learnt",
    "order": "shuffle before splitting, never split by first and last; it is no fault of the images",
}
"""What to do about each kind of property, in the order in which they are told."""


def _said(survey: Survey, asked: _Asked, kind: str, found: list[_Answer]) -> Finding:
    first, *others = found
    best = first.best
    too = (
        f"; so can it from {listed([f'the {one.name} ({one.best.accuracy:.0%})' for one in others])}" if others else ""
    )
    level = "note" if kind == "order" else "error" if kind == "seen" and best.skill >= _STRONG else "warning"
    return Finding(
        "shortcut",
        level,
        f"{_which(asked, first)} can be told from the {first.name} alone: {_figures(best)}{too}",
        _shown(survey, asked, first),
        {**_numbers(best), "properties": len(found)},
        _SAID[kind],
    )


def _pieces(
    survey: Survey,
    asked: _Asked,
    found: dict[str, _Answer],
    answers: list[_Answer],
    whole: Mapping[int | None, Told],
) -> Iterator[Finding]:
    """The border or what surrounds the centre; and a corner, where it alone gives the class away."""
    if (corner := _lone_corner(found, answers)) is not None:
        best = corner.best
        yield Finding(
            "corner",
            "error" if best.skill >= _STRONG else "warning",
            f"{_which(asked, corner)} can be told from the {corner.name} alone: {_figures(best)}",
            _shown(survey, asked, corner),
            _numbers(best),
            "look there for a mark, a date or a logo: crop it off, or cover it in all images",
        )
        return
    background = found.get(BORDER) or found.get(HIDDEN)
    if background is None:
        return
    best = background.best
    of_whole = max(best.skill, max(whole[number].skill for number in background.claimed))
    yield Finding(
        "background",
        "error" if best.skill >= _STRONG else "warning",
        f"{_which(asked, background)} can be told from the {background.name} alone: {_figures(best)}; as well as from "
        f"the whole ({of_whole:.0%} of the way from chance to certainty, by the same probe)",
        _shown(survey, asked, background),
        {**_numbers(best), "whole": of_whole},
        "vary the background within each class, or cut the object out",
    )


def _lone_corner(found: dict[str, _Answer], answers: list[_Answer]) -> _Answer | None:
    """The corner that gives a class away, where two others tell less than half as much."""
    corners = [found[name] for name in CORNERS if name in found]
    if not corners:
        return None
    first = max(corners, key=lambda one: one.best.skill)
    others = [one.told[first.number].skill for one in answers if one.kind == "corner" and one.name != first.name]
    return first if sum(skill < 0.5 * first.best.skill for skill in others) + 3 - len(others) >= 2 else None


def _which(asked: _Asked, one: _Answer) -> str:
    """The class, or the classes that are told from the others."""
    if one.number is None:
        return "the class"
    names = [asked.names[number] for number in one.claimed if number is not None]
    return (
        f"whether it is {listed(names, 3)}"
        if len(names) == 1
        else f"each of {many(len(names), 'class')} ({listed(names, 3)})"
    )


def _shown(survey: Survey, asked: _Asked, one: _Answer) -> tuple[str, ...]:
    """Images that were told rightly, of the classes that are told, each class in turn."""
    all_of = list(range(len(asked.names)))
    numbers = [n for n in one.claimed if n is not None] if one.number is not None else all_of
    each = max(1, _PLACES // len(numbers))
    rows = [row for n in numbers for row in asked.rows[one.best.right & (asked.labels == n)][:each].tolist()]
    return survey.keys(rows[:_PLACES])


def _numbers(one: Told) -> dict[str, float]:
    return {"accuracy": one.accuracy, "chance": one.chance, "low": one.low, "high": one.high, "p": one.p}


def _figures(one: Told) -> str:
    return (
        f"{one.accuracy:.0%} right [{one.low:.0%}, {one.high:.0%}] over {many(one.samples)}, "
        f"{one.chance:.0%} by the commonest answer"
    )
