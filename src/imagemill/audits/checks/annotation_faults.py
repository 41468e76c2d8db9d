"""Bounding boxes, polygons and keypoints that cannot be meant: outside, empty, tiny, twice, apart, without a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from imagemill.audits.annotation_geometry import Box, crosses_itself, overlap, same_boxes
from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.glance import Glance
from imagemill.audits.settings import Settings
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_polygons, bounds_of_rle, polygon_area
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Record

__all__ = ["check_annotations"]

_OUTSIDE = 0.5
"""Pixels that a box may lie outside by rounding."""
_APART = 2.0
"""Pixels by which a side of a box may differ from what it is around."""
_FITS = 0.8
"""Intersection over union of a box and what it is around."""

_VISIBLE = 2
_TURNED = range(5, 9)
"""Orientations of EXIF that swap height and width."""

_RULES = {
    "no-class": ("error", "annotation", "without a class", "name it, or remove them"),
    "nothing-marked": ("error", "annotation", "without a box, polygon, mask or keypoint", "correct or remove them"),
    "box-empty": ("error", "bounding box", "without width or height", "correct or remove them"),
    "box-outside": ("error", "bounding box", "outside the image",
                    "correct them: is the size of the image another one?"),
    "box-cut": ("warning", "bounding box", "reaching over the edge of the image",
                "cut them at the edge; imagemill does by default"),
    "box-tiny": ("note", "bounding box", "of hardly a pixel", "leave them out: nothing is seen of such"),
    "box-twice": ("warning", "bounding box", "at the place of another of the same class", "remove the second"),
    "box-classes": ("warning", "bounding box", "at the place of one of another class", "remove one of the two"),
    "box-apart": ("warning", "bounding box", "that cannot be around its own polygon or mask",
                  "make them anew from the polygons or masks"),
    "polygon-flat": ("error", "polygon", "of fewer than three corners, or without area", "correct or remove them"),
    "polygon-crossing": ("note", "polygon", "with edges that cross",
                         "what is inside differs from tool to tool; parts joined by a seam do so"),
    "mask-empty": ("error", "mask", "without a pixel", "correct or remove them"),
    "mask-size": ("error", "mask", "of another size than the image", "make them anew in the size of the image"),
    "point-outside": ("warning", "keypoint", "outside the image though said to be visible", "correct them"),
    "point-far": ("note", "keypoint", "farther from the bounding box than that is long", "look at them"),
}  # fmt: skip


def check_annotations(survey: Survey) -> Iterator[Finding | NotAsked]:
    """What annotations say that no image can show."""
    annotated = [row for row, record in enumerate(survey.records) if record.objects is not None]
    if not annotated:
        yield NotAsked("annotations", "no image has bounding boxes, polygons or keypoints")
        return
    yield from _instances(survey, annotated)
    yield from _sizes(survey, annotated)
    yield from _classes(survey, annotated)
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


def _instances(survey: Survey, annotated: list[int]) -> Iterator[Finding]:
    hits: dict[str, Counter[int]] = {rule: Counter() for rule in _RULES}
    for row in annotated:
        glance = survey.glances[row]
        if glance is not None and len(glance.shape) == 2:
            for rule in _faults(survey.records[row], glance, survey.settings):
                hits[rule][row] += 1
    for rule, found in hits.items():
        if found:
            level, thing, what, advice = _RULES[rule]
            count = sum(found.values())
            yield Finding(
                rule,
                level,
                f"{many(count, thing)} {what}, in {many(len(found))}",
                survey.keys([row for row, _ in found.most_common()]),
                {"annotations": count, "images": len(found)},
                advice,
            )


def _faults(record: Record, glance: Glance, asked: Settings) -> Iterator[str]:
    """The rules that each annotation of an image breaks; sizes are those that annotations were made on."""
    height, width = record.size or glance.shape[:2]
    for one in record.objects or ():
        if not one.category.strip():
            yield "no-class"
        if one.box is None and not one.polygons and one.rle is None and not one.keypoints:
            yield "nothing-marked"
        yield from _points(one, height, width)
        yield from _shapes(one, (height, width))
        if one.box is not None:
            yield from _box(one.box, height, width, asked)
    boxes = [(one.box, one.category) for one in record.objects or () if one.box is not None and not one.crowd]
    boxes = [(box, name) for box, name in boxes if box[2] > 0 and box[3] > 0]
    for first, second in same_boxes([box for box, _ in boxes], asked.same_box):
        yield "box-twice" if boxes[first][1] == boxes[second][1] else "box-classes"


def _box(box: Box, height: int, width: int, asked: Settings) -> Iterator[str]:
    x0, y0, wide, high = (float(value) for value in box)
    x1, y1 = x0 + wide, y0 + high
    if not (x1 > x0 and y1 > y0):
        yield "box-empty"
        return
    if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        yield "box-outside"
    elif min(x0, y0) < -_OUTSIDE or x1 > width + _OUTSIDE or y1 > height + _OUTSIDE:
        yield "box-cut"
    if (x1 - x0) * (y1 - y0) < asked.tiny_box:
        yield "box-tiny"


def _shapes(one: Instance, size: tuple[int, int]) -> Iterator[str]:
    """What is wrong with polygons and masks, and with the box around them."""
    whole = []
    for part in one.polygons:
        crossing = crosses_itself(part)
        # What crosses itself may have as much area on one side as on the other.
        if len(part) < 6 or (polygon_area(part) == 0 and not crossing):
            yield "polygon-flat"
            continue
        whole.append(part)
        if crossing:
            yield "polygon-crossing"
    around = bounds_of_polygons(whole)
    if one.rle is not None:
        inner = bounds_of_rle(one.rle)
        around = around or inner
        if inner is None:
            yield "mask-empty"
        if (one.rle.height, one.rle.width) not in (size, size[::-1]):
            yield "mask-size"
    if one.box is not None and around is not None and min(one.box[2:]) > 0 and _are_apart(one.box, around):
        yield "box-apart"


def _are_apart(box: Box, around: Box) -> bool:
    edges = [(b[0], b[1], b[0] + b[2], b[1] + b[3]) for b in (box, around)]
    far = max(abs(a - b) for a, b in zip(*edges, strict=True))
    return far > _APART and float(overlap(box, np.array([around]))[0]) < _FITS


def _points(one: Instance, height: int, width: int) -> Iterator[str]:
    for x, y, visible in one.keypoints or ():
        if visible == _VISIBLE and not (-1 <= x <= width and -1 <= y <= height):
            yield "point-outside"
        elif visible and one.box is not None and one.box[2] > 0 and one.box[3] > 0:
            left, top, wide, high = one.box
            if not (-wide <= x - left <= 2 * wide and -high <= y - top <= 2 * high):
                yield "point-far"


def _sizes(survey: Survey, annotated: list[int]) -> Iterator[Finding]:
    """Sizes that annotations state, beside those of the images."""
    wrong = []
    for row in annotated:
        record, glance = survey.records[row], survey.glances[row]
        if record.size is None or glance is None or len(glance.shape) != 2:
            continue
        turned = glance.shape[::-1] if glance.file.orientation in _TURNED else glance.shape
        if record.size not in (glance.shape, turned):
            wrong.append(row)
    if wrong:
        glance, said = survey.glances[wrong[0]], survey.records[wrong[0]].size
        got = " x ".join(map(str, said or ()))
        seen = " x ".join(map(str, () if glance is None else glance.shape))
        yield Finding(
            "annotation-size",
            "error",
            f"{many(len(wrong))} of another size than their annotations say "
            f"({survey.records[wrong[0]].key}: {seen}, annotated as {got})",
            survey.keys(wrong),
            {"images": len(wrong)},
            "annotate the images that are there; if these were only resized, --option rescale=yes scales annotations",
        )


def _classes(survey: Survey, annotated: list[int]) -> Iterator[Finding]:
    """Classes of annotations: unknown to the source, never used, or the same but for how they are written."""
    used: Counter[str] = Counter(one.category for row in annotated for one in survey.records[row].objects or ())
    used.pop("", None)
    known = survey.source.categories
    if known and (unknown := [f"{name} ({used[name]:,})" for name in used if name not in known]):
        rows = [row for row in annotated if any(one.category not in known for one in survey.records[row].objects or ())]
        yield Finding(
            "class-unknown",
            "error",
            f"{many(len(unknown), 'class')} that the source does not list: {listed(unknown)}",
            survey.keys(rows),
            {"classes": len(unknown), "images": len(rows)},
            "list them, or correct the annotations",
        )
    if unused := [name for name in known if name not in used]:
        yield Finding(
            "class-unused",
            "note",
            f"{many(len(unused), 'class')} of {len(known):,} without an annotation: {listed(unused)}",
            numbers={"classes": len(unused)},
            advice="a class without examples cannot be learnt: add some, or leave it out",
        )
    spelled: dict[str, list[str]] = {}
    for name in used:
        spelled.setdefault("".join(c for c in name.casefold() if c.isalnum()) or name, []).append(name)
    if twins := [sorted(names) for names in spelled.values() if len(names) > 1]:
        wrong = {min(names, key=lambda name: used[name]) for names in twins}
        rows = [row for row in annotated if any(one.category in wrong for one in survey.records[row].objects or ())]
        yield Finding(
            "class-spelling",
            "warning",
            f"{many(len(twins), 'class')} written in several ways: {listed([' and '.join(t) for t in twins])}",
            survey.keys(rows),
            {"classes": len(twins), "images": len(rows)},
            "give each class one name",
        )
