"""Other images beside those of the dataset: can they be told apart, in what do they differ, and are some in both.

All questions are one family: their p values are adjusted together (Holm), so that the chance of any false alarm between
two halves of one population is at most one less the level. A difference also has to be as large as matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
import numpy.typing as npt
from scipy import stats

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.checks.population_words import FILE_MEASURES, said_of
from imagemill.audits.clusters import joined, pairs_of
from imagemill.audits.glance import LOOKED, Glance
from imagemill.audits.picture_features import features_of
from imagemill.audits.probes import Told, folds_of, told_by_features
from imagemill.audits.survey import Survey, counted
from imagemill.core.findings import Finding
from imagemill.core.multiplicity import adjusted
from imagemill.measures.catalogue import MEASURES, measured
from imagemill.measures.differences.gaps import FEWEST_IMAGES, Gap, Groups, gap_of, judged

__all__ = ["check_populations"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_MOST = 1000
"""Images of each population that are measured, drawn by a fixed seed: more would show what does not matter."""
_DRAWS = 999
_SKILL = 0.15
"""Share of the way from chance to certainty below which being told apart matters little, however sure it is."""
_SHARES = 0.1
"""Share of the images that would have to be of another class, format or kind for that to matter."""
_EXPECTED = 5
"""Images of each kind on average, below which shares are not compared: the usual rule of the chi-squared test."""
_CLASSES = 20
"""Images of a class on average, below which shares of classes can be made to explain anything."""
_ALIKE = 1.25
"""Times one side of images may be the other where sharpness and noise are still compared."""
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Side:
    """The images of one population that are compared: rows of its survey, what is measured, and classes by name."""

    survey: Survey
    rows: Rows
    values: dict[str, Floats]

    @property
    def glances(self) -> list[Glance]:
        found = [self.survey.glances[row] for row in self.rows]
        return [one for one in found if one is not None]

    @property
    def small(self) -> npt.NDArray[np.uint8]:
        return self.survey.small[np.searchsorted(self.survey.seen, self.rows)]

    @property
    def labels(self) -> list[str | None]:
        return [self.survey.labels[row] for row in self.rows]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question of the family: its p value, and the finding that it is when it holds."""

    p: float
    finding: Finding | None
    gap: Gap | None = None
    told: Told | None = None


def check_populations(survey: Survey) -> Iterator[Finding | NotAsked]:
    """What sets the images of ``against`` apart from those of the dataset."""
    other = survey.given.against
    if other is None:
        yield NotAsked("populations", "there are no other images to compare with; give some with --against")
        return
    fewest = min(len(survey.seen), len(other.seen))
    if fewest:
        yield from _unreadable(other)
    if fewest < FEWEST_IMAGES:
        yield NotAsked("populations", f"there are fewer than {FEWEST_IMAGES} images that can be read on one side")
        return
    joint = _joint(survey, other)
    yield from _in_both(survey, other, joint)
    yield from _classes(survey, other)
    mine, theirs = (_side(one, groups) for one, groups in zip((survey, other), _alone(survey, joint), strict=True))
    if min(len(mine.rows), len(theirs.rows)) < FEWEST_IMAGES:
        yield NotAsked("populations", "nearly all images of one side are on the other as well")
        return
    yield from _differences(survey, mine, theirs, joint)


def _unreadable(other: Survey) -> Iterator[Finding]:
    if other.problems:
        yield Finding(
            "against-unreadable",
            "note",
            f"{many(len(other.problems))} of the others cannot be read and are left out: {other.problems[0]}",
            numbers={"images": len(other.problems)},
            advice="look at them with an audit of their own",
        )


def _joint(survey: Survey, other: Survey) -> Rows:
    """A number for every row of both, the same for images of one content and for what the source says is together."""
    glances = [*survey.glances, *other.glances]
    found = pairs_of(glances, survey.settings.copies, survey.workers)
    together = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    firsts: dict[tuple[int, str], int] = {}
    for side, one in enumerate((survey, other)):
        for row, record in enumerate(one.records):
            if record.group is not None:
                place = row + side * len(survey.records)
                together.append((firsts.setdefault((side, record.group), place), place))
    pairs = np.array(together, np.int64).reshape(-1, 2)
    return joined(len(glances), pairs[:, 0], pairs[:, 1])


def _in_both(survey: Survey, other: Survey, joint: Rows) -> Iterator[Finding]:
    here = len(survey.records)
    both = np.intersect1d(joint[:here], joint[here:])
    if not len(both):
        return
    rows = np.flatnonzero(np.isin(joint[:here], both))
    theirs = np.flatnonzero(np.isin(joint[here:], both))
    share = len(theirs) / len(other.seen)
    places = [
        key
        for content in both[:_SHOWN]
        for key in (
            *survey.keys(np.flatnonzero(joint[:here] == content)),
            *other.against_keys(np.flatnonzero(joint[here:] == content)),
        )
    ]
    yield Finding(
        "in-both",
        "error",
        f"{many(len(theirs))} of the others ({share:.1%}) {'is' if len(theirs) == 1 else 'are'} in the dataset as well "
        f"({many(len(both), 'content')}, {many(len(rows))} here): what is tested there was trained on",
        tuple(places),
        {"contents": len(both), "images": len(rows), "against": len(theirs), "share": share},
        "leave them out of one of both; the differences below are measured without them",
    )


def _classes(survey: Survey, other: Survey) -> Iterator[Finding | NotAsked]:
    """Classes that one side alone has."""
    mine, theirs = counted(survey.labels), counted(other.labels)
    if not mine or not theirs:
        whose = "the dataset" if not mine else "the others"
        yield NotAsked("against-classes", f"images of {whose} have no class")
        return
    unknown = [name for name in theirs if name not in mine]
    if unknown:
        images = sum(theirs[name] for name in unknown)
        rows = [row for row, label in enumerate(other.labels) if label in unknown]
        yield Finding(
            "against-unknown",
            "error",
            f"{many(len(unknown), 'class')} of the others ({many(images)}) that the dataset has not: "
            f"{listed([f'{name} ({theirs[name]:,})' for name in unknown])}",
            other.against_keys(rows),
            {"classes": len(unknown), "images": images},
            "a network cannot name what it was not trained on: gather such images, or leave the class out there",
        )
    if missing := [name for name in mine if name not in theirs]:
        yield Finding(
            "against-missing",
            "note",
            f"{many(len(missing), 'class')} of the dataset that the others have not: {listed(missing)}",
            numbers={"classes": len(missing)},
            advice="nothing can be said of them there",
        )


def _alone(survey: Survey, joint: Rows) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Of each side which rows have no copy on the other."""
    here = len(survey.records)
    both = np.intersect1d(joint[:here], joint[here:])
    return ~np.isin(joint[:here], both), ~np.isin(joint[here:], both)


def _side(survey: Survey, alone: npt.NDArray[np.bool_]) -> _Side:
    """At most so many images, drawn by a fixed seed, and every measure of them."""
    rows = survey.seen[alone[survey.seen]]
    if len(rows) > _MOST:
        rows = np.sort(np.random.Generator(np.random.Philox(0)).permutation(rows)[:_MOST])
    side = _Side(survey, rows, {})
    side.values.update(measured(side.small))
    # Of the small picture these two would be measures of how it was shrunk.
    side.values["sharpness"] = np.array([glance.sharpness for glance in side.glances])
    side.values["noise"] = np.array([glance.noise for glance in side.glances])
    for measure, value in FILE_MEASURES:
        side.values[measure.name] = np.array([value(glance) for glance in side.glances], np.float64)
    return side


def _differences(survey: Survey, mine: _Side, theirs: _Side, joint: Rows) -> Iterator[Finding]:
    level = survey.settings.level
    told = _told_apart(mine, theirs, joint, survey)
    classes, a, b = _numbered(mine, theirs)
    asked = [told, *_shares_asked(mine, theirs)]
    for measure in (*MEASURES, *(measure for measure, _ in FILE_MEASURES)):
        if measure.name not in mine.values or (measure.grid and not _alike_in_size(mine, theirs)):
            continue
        gap = gap_of(
            measure, mine.values[measure.name], theirs.values[measure.name], Groups(a, b, classes),
            level=level, seed=0, draws=_DRAWS,
        )  # fmt: skip
        if gap.verdict != "not measured":
            asked.append(_Asked(gap.p, _of_gap(gap, mine, theirs), gap))
    held = adjusted([one.p for one in asked])
    found, names = list[Finding](), list[str]()
    for one, p in zip(asked, held, strict=True):
        small = one.gap is not None and judged(one.gap.measure, p, one.gap.needed, level) != "gap"
        if one.finding is not None and p <= 1 - level and not small:
            found.append(replace(one.finding, numbers={**one.finding.numbers, "p": p}))
            names += [] if one.gap is None else [one.gap.measure.name]
    if found and found[0].rule == "told-apart":
        found[0] = _with_properties(found[0], names)
    yield from found


def _with_properties(told: Finding, names: list[str]) -> Finding:
    """The verdict with the properties that were found to differ; without one they differ in what they show."""
    if names:
        return replace(told, message=f"{told.message}; they differ in {listed(names, len(names))}")
    why = "no property that is measured differs surely: they differ in what they show"
    return replace(told, message=f"{told.message}; {why}", advice="look at them side by side")


def _side_by_side(theirs: Sequence[str], mine: Sequence[str]) -> tuple[str, ...]:
    """The first of the others, the first of the dataset, and so on."""
    pairs = zip_longest(theirs, mine)
    return tuple(key for pair in pairs for key in pair if key is not None)


def _alike_in_size(mine: _Side, theirs: _Side) -> bool:
    """Whether sharpness and noise, which depend on the number of pixels, were taken at about one size."""
    a, b = (float(np.median([min(LOOKED, max(g.shape[-2:])) for g in side.glances])) for side in (mine, theirs))
    return max(a, b) <= _ALIKE * min(a, b)


def _numbered(mine: _Side, theirs: _Side) -> tuple[tuple[str, ...], Rows, Rows | None]:
    """Classes as numbers, of the other side only where every image has one of the dataset's.

    One class where nobody said them, or where they are so many that some shares of them explain anything.
    """
    labels, others = mine.labels, theirs.labels
    names = sorted({label for label in labels if label is not None})
    if None in labels or len(labels) < _CLASSES * len(names):
        return ("",), np.zeros(len(labels), np.int64), None
    of = np.array([names.index(str(label)) for label in labels], np.int64)
    if not all(label in names for label in others):
        return tuple(names), of, None
    return tuple(names), of, np.array([names.index(str(label)) for label in others], np.int64)


def _told_apart(mine: _Side, theirs: _Side, joint: Rows, survey: Survey) -> _Asked:
    """A classifier two-sample test, as many images of each side, class by class where both have classes.

    Source: Lopez-Paz and Oquab (2017), "Revisiting classifier two-sample tests", ICLR.
    """
    a, b = _balanced(mine.labels, theirs.labels)
    here = len(survey.records)
    population = np.repeat(np.array([0, 1], np.int64), [len(a), len(b)])
    together = np.concatenate([joint[mine.rows[a]], joint[here + theirs.rows[b]]])
    features = np.concatenate([_features(mine, a), _features(theirs, b)])
    folds = folds_of(population, survey.settings.folds, together)
    told = told_by_features(features, population, folds, level=survey.settings.level)
    # Folds that are not quite even let the commonest class be right less often than a coin.
    p = float(stats.binom.sf(int(told.right.sum()) - 1, told.samples, 0.5))
    skill = 2 * told.accuracy - 1
    if skill < _SKILL:
        return _Asked(p, None, told=told)
    of_theirs = theirs.rows[b][told.right[len(a) :]][: _SHOWN // 2]
    of_mine = mine.rows[a][told.right[: len(a)]][: _SHOWN // 2]
    places = _side_by_side(theirs.survey.against_keys(of_theirs), survey.keys(of_mine))
    how = "can be told apart nearly always" if skill >= 0.9 else "can be told apart"
    return _Asked(
        p,
        Finding(
            "told-apart",
            "warning",
            f"the others {how} from the dataset: {told.accuracy:.0%} right [{told.low:.0%}, {told.high:.0%}] over "
            f"{many(told.samples)}, 50% by guessing",
            places,
            {"accuracy": told.accuracy, "chance": 0.5, "low": told.low, "high": told.high},
            "accuracy there may be lower than on a test part; the differences say in what, and imagemill recommend "
            "proposes an augmentation for them",
        ),
        told=told,
    )


def _balanced(mine: Sequence[str | None], theirs: Sequence[str | None]) -> tuple[Rows, Rows]:
    """Places on both sides, as many of each: of every class that both have, or of all where classes are not known."""
    draws = np.random.Generator(np.random.Philox(1))
    common = sorted((set(mine) & set(theirs)) - {None}, key=str)
    if common and None not in mine and None not in theirs:
        pools = [
            [np.array([i for i, label in enumerate(side) if label == name]) for side in (mine, theirs)]
            for name in common
        ]
    else:
        pools = [[np.arange(len(mine)), np.arange(len(theirs))]]
    found: tuple[list[Rows], list[Rows]] = ([], [])
    for pool in pools:
        count = min(map(len, pool))
        for side, members in zip(found, pool, strict=True):
            side.append(np.sort(draws.permutation(members)[:count]))
    return np.concatenate(found[0]), np.concatenate(found[1])


def _features(side: _Side, places: Rows) -> Floats:
    """What a picture looks like, and every measure of it with its square; what has no value is at the middle."""
    columns = []
    for measure in MEASURES:
        if (values := side.values.get(measure.name)) is not None:
            known = np.isfinite(values)
            middle = _MIDDLE.get(measure.name, 0.0)
            filled = np.where(known, values, middle)
            columns += [filled, filled**2, known.astype(np.float64)]
    return np.concatenate([features_of(side.small[places]), np.stack(columns, axis=1)[places]], axis=1)


_MIDDLE = {"size": 0.3, "stroke width": 0.1, "sharpness": 0.5, "contrast": 0.2}
"""What stands for a measure that an image has not; the same on both sides, and said by a column of its own."""


def _shares_asked(mine: _Side, theirs: _Side) -> list[_Asked]:
    """Formats, kinds of pixels and classes: are their shares the same on both sides."""
    formats = [[glance.file.format for glance in side.glances] for side in (mine, theirs)]
    kinds = [[glance.kind for glance in side.glances] for side in (mine, theirs)]
    found = [
        _shares("gap-format", "formats of files", *formats),
        _shares("gap-kind", "kinds of pixels", *kinds),
    ]
    if None not in mine.labels and None not in theirs.labels:
        found.append(_shares("gap-classes", "shares of the classes", mine.labels, theirs.labels))
    return [one for one in found if one is not None]


def _shares(rule: str, what: str, mine: Sequence[str | None], theirs: Sequence[str | None]) -> _Asked | None:
    names = sorted({str(one) for one in (*mine, *theirs)})
    if len(names) < 2 or min(len(mine), len(theirs)) < _EXPECTED * len(names):
        return None
    counts = np.array([[sum(one == name for one in side) for name in names] for side in (mine, theirs)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    apart = float(np.abs(shares[0] - shares[1]).sum() / 2)
    p = float(stats.chi2_contingency(counts, correction=False).pvalue)
    if apart < _SHARES:
        return _Asked(p, None)
    order = np.argsort(-np.abs(shares[0] - shares[1]), kind="stable")
    told = [f"{names[at]} {shares[0, at]:.0%} here, {shares[1, at]:.0%} there" for at in order]
    return _Asked(
        p,
        Finding(
            rule,
            "note",
            f"{what} differ in the others: {listed(told, 3)}",
            numbers={"distance": apart},
            advice="accuracy over all images there is another mixture of the classes"
            if rule == "gap-classes"
            else "prepare both in one way, or a network learns the difference",
        ),
    )


def _of_gap(gap: Gap, mine: _Side, theirs: _Side) -> Finding:
    """A difference in one measure, with the images of the other side that lie farthest from those of the dataset."""
    values = theirs.values[gap.measure.name]
    sign = -1 if gap.middle[1] < gap.middle[0] else 1
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(-sign * values[known], kind="stable")]
    mine_values = mine.values[gap.measure.name]
    usual = np.flatnonzero(np.isfinite(mine_values))
    usual = usual[np.argsort(np.abs(mine_values[usual] - np.median(mine_values[usual])), kind="stable")]
    places = _side_by_side(
        theirs.survey.against_keys(theirs.rows[order[: _SHOWN // 2]]), mine.survey.keys(mine.rows[usual[: _SHOWN // 2]])
    )
    file = any(gap.measure is measure for measure, _ in FILE_MEASURES)
    return Finding(
        "gap-file" if file else "gap",
        "note",
        said_of(gap),
        places,
        {"median": float(gap.train[2]), "median_against": float(gap.wild[2]), "change": gap.change, "low": gap.low,
         "high": gap.high, "outside": gap.outside},
        "prepare both in one way, or a network learns the difference" if file else
        "gather such images for training, or augment: imagemill recommend says with what and how far",
    )  # fmt: skip
