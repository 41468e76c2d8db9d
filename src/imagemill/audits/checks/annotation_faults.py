"""Bounding boxes, points and label maps that cannot be meant: outside, empty, tiny, twice, or of another size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from imagemill.audits.checks.base import NotAsked, many
from imagemill.audits.glance import Glance
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Record

__all__ = ["check_annotations"]

_TINY = 4.0
"""Pixels of area below which a box shows nothing: 2x2."""
_OUTSIDE = 0.5
"""Pixels that a box may lie outside by rounding."""

_VISIBLE = 2

_RULES = {
    "box-empty": ("error", "without width or height", "correct or remove them"),
    "box-outside": ("error", "that lie outside the image", "correct them: is the size of the image another one?"),
    "box-cut": ("warning", "that reach over the edge of the image", "cut them at the edge; imagemill does by default"),
    "box-tiny": ("note", f"of under {_TINY:g} square pixels", "leave them out: nothing is seen of such"),
    "box-twice": ("warning", "that are there twice in one image", "remove the second"),
    "point-outside": ("warning", "that lie outside the image though they are said to be visible", "correct them"),
}


def check_annotations(survey: Survey) -> Iterator[Finding | NotAsked]:
    """What annotations say that no image can show."""
    annotated = [row for row, record in enumerate(survey.records) if record.objects is not None]
    if not annotated:
        yield NotAsked("annotations", "no image has bounding boxes, polygons or keypoints")
    else:
        yield from _instances(survey, annotated)
    masked = [row for row in survey.seen.tolist() if survey.records[row].mask is not None]
    if not masked:
        yield NotAsked("label-maps", "no image has a label map")
    else:
        yield from _label_maps(survey, masked)


def _instances(survey: Survey, annotated: list[int]) -> Iterator[Finding]:
    hits: dict[str, Counter[int]] = {rule: Counter() for rule in _RULES}
    for row in annotated:
        glance = survey.glances[row]
        if glance is not None and len(glance.shape) == 2:
            for rule in _faults(survey.records[row], glance):
                hits[rule][row] += 1
    for rule, found in hits.items():
        if found:
            level, what, advice = _RULES[rule]
            thing = "keypoint" if rule.startswith("point") else "bounding box"
            count = sum(found.values())
            yield Finding(
                rule,
                level,
                f"{many(count, thing)} {what}, in {many(len(found))}",
                survey.keys([row for row, _ in found.most_common()]),
                {"annotations": count, "images": len(found)},
                advice,
            )
    empty = [row for row in annotated if not survey.records[row].objects]
    if empty and len(empty) < len(annotated):
        yield Finding(
            "nothing-annotated",
            "note",
            f"{many(len(empty))} of {len(annotated):,} with nothing annotated",
            survey.keys(empty),
            {"images": len(empty)},
            "fine where there is nothing to see; look at some",
        )


def _faults(record: Record, glance: Glance) -> Iterator[str]:
    """The rules that each annotation of an image breaks; sizes are those that annotations were made on."""
    height, width = record.size or glance.shape[:2]
    seen: set[tuple[str, tuple[float, ...]]] = set()
    for one in record.objects or ():
        yield from _points(one, height, width)
        if one.box is None:
            continue
        x0, y0, wide, high = (float(value) for value in one.box)
        x1, y1 = x0 + wide, y0 + high
        if x1 <= x0 or y1 <= y0:
            yield "box-empty"
            continue
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            yield "box-outside"
        elif min(x0, y0) < -_OUTSIDE or x1 > width + _OUTSIDE or y1 > height + _OUTSIDE:
            yield "box-cut"
        if (x1 - x0) * (y1 - y0) < _TINY:
            yield "box-tiny"
        mark = one.category, tuple(round(value, 2) for value in (x0, y0, x1, y1))
        if mark in seen:
            yield "box-twice"
        seen.add(mark)


def _points(one: Instance, height: int, width: int) -> Iterator[str]:
    for x, y, visible in one.keypoints or ():
        if visible == _VISIBLE and not (-1 <= x <= width and -1 <= y <= height):
            yield "point-outside"


def _label_maps(survey: Survey, masked: list[int]) -> Iterator[Finding]:
    values = {row: set(glance.labels) for row in masked if (glance := survey.glances[row]) is not None}
    counts = Counter(value for found in values.values() for value in found)
    empty = [row for row, found in values.items() if not found - {0}]
    if empty:
        yield Finding(
            "background-only",
            "note" if len(empty) < len(values) / 2 else "warning",
            f"{many(len(empty), 'label map')} of {len(values):,} with background alone",
            survey.keys(empty),
            {"images": len(empty)},
            "fine where there is nothing to see; look at some",
        )
    rare = sorted(value for value, count in counts.items() if count <= max(1, 0.01 * len(values)) and value)
    if rare and len(values) >= 20 and len(rare) < len(counts) / 2:
        rows = [row for row, found in values.items() if found & set(rare)]
        yield Finding(
            "rare-value",
            "warning",
            f"label values {', '.join(map(str, rare[:8]))} in {many(len(rows), 'label map')} of {len(values):,} alone",
            survey.keys(rows),
            {"values": len(rare), "images": len(rows)},
            "a class that is meant needs more images; a slip of the tool is to be corrected",
        )
