"""Shortcuts: classes that are told from what has nothing to do with them, such as the border, or the file.

Each property is asked by a cross-validated probe against the share of the commonest class, copies kept together, and
the p values are adjusted for the number of properties (Holm).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from imagemill.audits.checks.base import NotAsked, many
from imagemill.audits.clusters import joined
from imagemill.audits.picture_features import DIRECTIONS, edges, grid
from imagemill.audits.probes import Told, folds_of, told_by_bins, told_by_features
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding
from imagemill.core.multiplicity import adjusted

__all__ = ["check_shortcuts"]

Floats = npt.NDArray[np.float64]

_SMALLEST = 10
"""Images of a class that are needed to ask."""
_SKILL = 0.15
"""Share of the way from chance to certainty below which a property is no shortcut, however surely it is above 0."""


def check_shortcuts(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Properties that give the class away."""
    rows, labels, names = _asked(survey)
    if len(names) < 2:
        yield NotAsked("shortcuts", f"there are not two classes with {_SMALLEST} images or more")
        return
    folds = folds_of(labels, survey.settings.folds, _groups(survey, rows))
    told = {
        name: told_by_bins(values[rows], labels, folds, level=survey.settings.level)
        for name, values in _properties(survey).items()
        if len(set(values[rows].tolist())) > 1
    }
    if told:
        yield from _properties_found(survey, told)
    else:
        yield NotAsked("file-shortcut", "files differ in nothing but pixels")
    yield from _border(survey, rows, labels, folds)


def _asked(survey: Survey) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[str]]:
    """Rows of classes with enough images, and their classes as numbers."""
    given = survey.labels
    seen = [row for row in survey.seen.tolist() if given[row] is not None]
    names, counts = np.unique([str(given[row]) for row in seen], return_counts=True)
    kept = [str(name) for name, count in zip(names, counts, strict=True) if count >= _SMALLEST]
    rows = np.array([row for row in seen if given[row] in kept], np.int64)
    return rows, np.array([kept.index(str(given[row])) for row in rows], np.int64), kept


def _groups(survey: Survey, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What stays on one side: copies, and what the source says belongs together."""
    firsts: dict[str, int] = {}
    together = [
        (firsts.setdefault(record.group, row), row)
        for row, record in enumerate(survey.records)
        if record.group is not None
    ]
    together += [(cluster.rows[0], row) for cluster in survey.clusters for row in cluster.rows]
    pairs = np.array(together, np.int64).reshape(-1, 2)
    return joined(len(survey.records), pairs[:, 0], pairs[:, 1])[rows]


def _properties(survey: Survey) -> dict[str, npt.NDArray[np.object_] | Floats]:
    """What is known of each file besides what it shows."""
    facts = [None if glance is None else glance.file for glance in survey.glances]
    found: dict[str, npt.NDArray[np.object_] | Floats] = {
        "width": survey.numbers(lambda g: g.shape[-1]),
        "height": survey.numbers(lambda g: g.shape[-2]),
        "aspect": survey.numbers(lambda g: g.shape[-1] / g.shape[-2]),
        "bytes a pixel": survey.numbers(lambda g: g.file.bytes / max(1, int(np.prod(g.shape)))),
        "JPEG quality": survey.numbers(lambda g: g.file.quality),
        "kind of pixels": _texts([None if g is None else g.kind for g in survey.glances]),
        "format": _texts([None if f is None else f.format for f in facts]),
        "camera": _texts([None if f is None else f.camera for f in facts]),
        "day": _texts([None if f is None else f.taken[:10] for f in facts]),
        "software": _texts([None if f is None else f.software for f in facts]),
        "border": survey.numbers(lambda g: g.border),
    }
    columns = dict.fromkeys(name for record in survey.records for name in record.attributes)
    for column in columns:
        values = [record.attributes.get(column) for record in survey.records]
        if all(isinstance(value, int | float) or value is None for value in values):
            found[f"column {column}"] = np.array([np.nan if value is None else float(value) for value in values])
        else:
            found[f"column {column}"] = _texts([None if value is None else str(value) for value in values])
    return found


def _texts(values: list[str | None]) -> npt.NDArray[np.object_]:
    return np.array([value or "" for value in values], object)


def _properties_found(survey: Survey, told: dict[str, Told]) -> Iterator[Finding]:
    held = adjusted([one.p for one in told.values()])
    for (name, one), p in zip(told.items(), held, strict=True):
        if p > 1 - survey.settings.level or one.skill < _SKILL:
            continue
        yield Finding(
            "shortcut",
            "error" if one.skill >= 0.5 else "warning",
            f"the class can be told from the {name} alone: {_said(one)}",
            numbers={"accuracy": one.accuracy, "chance": one.chance, "low": one.low, "high": one.high, "p": p},
            advice=f"make the {name} alike in all classes, or a network learns it in place of what is shown",
        )


def _border(
    survey: Survey, rows: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], folds: npt.NDArray[np.int64]
) -> Iterator[Finding]:
    """The outer eighth of each side, and nothing of the middle, against the whole image and against the middle."""
    small = survey.small[np.searchsorted(survey.seen, rows)].astype(np.float64) / 255
    level = survey.settings.level
    # As much is asked of the border as of the whole: colours and directions of edges, each over pieces.
    of_edges = edges(small)
    ring = np.concatenate([_ring(small), _ring(of_edges)[:, : 12 * DIRECTIONS]], axis=1)
    whole_image = np.concatenate([grid(small, 8), grid(of_edges, 4)], axis=1)
    border = told_by_features(ring, labels, folds, level=level)
    whole = max(border.skill, told_by_features(whole_image, labels, folds, level=level).skill)
    if border.p <= 1 - level and border.skill >= _SKILL and border.skill >= survey.settings.shortcut * whole:
        told = [int(row) for row, right in zip(rows, border.right, strict=True) if right]
        yield Finding(
            "background",
            "error" if border.skill >= 0.5 else "warning",
            f"the class can be told from the border of the image alone ({_said(border)}), as well as from the whole "
            f"({whole:.0%} of the way from chance to certainty, by the same probe)",
            survey.keys(told[:20]),
            {"accuracy": border.accuracy, "chance": border.chance, "p": border.p, "whole": whole},
            "vary the background within each class, or cut the object out",
        )


def _ring(small: Floats) -> Floats:
    """The outer eighth ``[n, y, x, C]``: means of its twelve pieces, then their deviations."""
    strips = (small[:, :4], small[:, -4:], small[:, 4:-4, :4], small[:, 4:-4, -4:])
    pieces = [piece for strip in strips for piece in np.array_split(strip, 3, axis=2 if strip.shape[2] > 4 else 1)]
    return np.concatenate([f(piece, axis=(1, 2)) for f in (np.mean, np.std) for piece in pieces], axis=1)


def _said(one: Told) -> str:
    return (
        f"{one.accuracy:.0%} right [{one.low:.0%}, {one.high:.0%}] over {many(one.samples)}, "
        f"{one.chance:.0%} by the commonest class"
    )
