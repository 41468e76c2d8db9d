"""Boxes, polygons, masks and keypoints: one fault, one finding; and what real layouts make of faulty files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.audits import Audit
from imagemill.audits.annotation_geometry import crosses_itself, overlap, same_boxes
from imagemill.audits.checks.annotation_faults import check_annotations
from imagemill.audits.survey import survey
from imagemill.data.layouts.opening import open_source
from imagemill.data.records.instances import RLE
from tests.audits.made_up import photo, write

SIZE = 40, 60
BOX = (5.0, 5.0, 20.0, 10.0)
SQUARE = (5.0, 5.0, 25.0, 5.0, 25.0, 15.0, 5.0, 15.0)


def by_rule(found: Audit) -> dict[str, im.Finding]:
    return {finding.rule: finding for finding in found.findings}


def audit_of(tmp_path: Path, *things: im.Instance, **words: Any) -> dict[str, im.Finding]:
    path = write(tmp_path / "a.png", photo(1, *SIZE))
    record = im.Record("a.png", path, objects=things, **words)
    return by_rule(im.audit(im.open([record]), checks=["annotations"]))


def runs(top: int, left: int, height: int, width: int, size: tuple[int, int] = SIZE) -> RLE:
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = True
    flat = np.concatenate([[False], mask.T.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return RLE(*size, tuple(np.diff([0, *edges, mask.size]).tolist()))


def thing(category: str = "cell", box: tuple[float, ...] | None = BOX, **words: Any) -> im.Instance:
    return im.Instance(category, box, **words)  # type: ignore[arg-type]


FAULTS: dict[str, tuple[str, list[im.Instance]]] = {
    "no-class": ("error", [thing(" ")]),
    "nothing-marked": ("error", [thing(box=None)]),
    "box-empty": ("error", [thing(box=(5.0, 5.0, 0.0, 4.0))]),
    "box-outside": ("error", [thing(box=(70.0, 5.0, 5.0, 5.0))]),
    "box-cut": ("warning", [thing(box=(50.0, 5.0, 20.0, 10.0))]),
    "box-tiny": ("note", [thing(box=(9.0, 9.0, 1.0, 1.0))]),
    "box-twice": ("warning", [thing(), thing(box=(5.2, 5.0, 20.0, 10.0))]),
    "box-classes": ("warning", [thing(), thing("nucleus")]),
    "box-apart": ("warning", [thing(box=(5.0, 5.0, 20.0, 20.0), polygons=(SQUARE,))]),
    "polygon-flat": ("error", [thing(polygons=(SQUARE, (5.0, 5.0, 9.0, 9.0)))]),
    "polygon-crossing": ("note", [thing(polygons=((5.0, 5.0, 25.0, 15.0, 25.0, 5.0, 5.0, 15.0, 5.0, 9.0),))]),
    "mask-empty": ("error", [thing(rle=RLE(*SIZE, (2400,)))]),
    "mask-size": ("error", [thing(rle=runs(5, 5, 10, 20, (40, 50)))]),
    "point-outside": ("warning", [thing(box=None, keypoints=((3.0, 3.0, 2), (80.0, 3.0, 2), (-1.0, -9.0, 0)))]),
    "point-far": ("note", [thing(keypoints=((10.0, 8.0, 2), (50.0, 8.0, 1), (0.0, 0.0, 0)))]),
    "class-spelling": (
        "warning",
        [thing("Cell"), thing("cell", (30.0, 5.0, 9.0, 9.0)), thing(box=(1.0, 20.0, 9.0, 9.0))],
    ),
}


@pytest.mark.parametrize("rule", sorted(FAULTS))
def test_each_fault_of_an_annotation_gets_its_finding_alone(tmp_path: Path, rule: str) -> None:
    level, things = FAULTS[rule]
    found = audit_of(tmp_path, *things)
    assert set(found) == {rule}
    assert (found[rule].level, found[rule].places) == (level, ("a.png",))


def test_good_annotations_have_no_finding(tmp_path: Path) -> None:
    things = [
        thing(polygons=(SQUARE,), keypoints=((6.0, 6.0, 2), (0.0, 0.0, 0), (27.0, 16.0, 1))),
        thing(box=(5.4, 5.0, 19.0, 10.5), rle=runs(5, 5, 10, 20)),  # half a pixel of rounding
        thing("nucleus", (6.0, 6.0, 5.0, 5.0)),  # within another
        thing(crowd=True),
        thing(crowd=True),
        thing(box=(40.0, 20.0, 20.3, 20.4)),  # at the edge, but for rounding
        thing(box=(30.0, 30.0, 4.0, 4.0), polygons=((29.0, 29.0, 34.0, 29.0, 34.0, 34.0, 29.0, 34.0),)),  # a pixel off
        thing("tiny", (50.0, 5.0, 5.0, 5.0), keypoints=((52.0, 7.0, 2), (0.0, 0.0, 0))),  # one is not labelled
    ]
    assert audit_of(tmp_path, *things, size=SIZE) == {}


def test_faults_are_counted_and_images_come_by_their_number(tmp_path: Path) -> None:
    records = []
    for row, count in enumerate((1, 0, 3)):
        things = [thing(box=(70.0 + n, 5.0, 5.0, 5.0)) for n in range(count)]
        records.append(im.Record(f"{row}", write(tmp_path / f"{row}.png", photo(row, *SIZE)), objects=tuple(things)))
    found = by_rule(im.audit(im.open(records), checks=["annotations"]))
    assert found["box-outside"].places == ("2", "0")
    assert dict(found["box-outside"].numbers) == {"annotations": 4, "images": 2}
    assert found["nothing-annotated"].places == ("1",)


@pytest.mark.parametrize(("size", "wrong"), [(SIZE, False), (SIZE[::-1], True), ((20, 30), True)])
def test_a_size_that_annotations_state_is_that_of_the_image(
    tmp_path: Path, size: tuple[int, int], *, wrong: bool
) -> None:
    small = thing(box=(2.0, 2.0, 9.0, 9.0))
    assert set(audit_of(tmp_path, small, size=size)) == ({"annotation-size"} if wrong else set())


def coco(folder: Path, **changed: Any) -> Path:
    """Two images with a cell each, with words of the second annotation, or of the file, changed."""
    for row in range(2):
        write(folder / f"{row}.png", photo(row, *SIZE))
    annotation = {"image_id": 0, "category_id": 1, "bbox": [5, 5, 20, 10], "area": 200, "iscrowd": 0}
    words = {
        "images": [{"id": n, "file_name": f"{n}.png", "height": 40, "width": 60} for n in range(2)],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [{**annotation, "id": 0}, {**annotation, "id": 1, "image_id": 1, **changed.pop("second", {})}],
    }
    (folder / "coco.json").write_text(json.dumps({**words, **changed}))
    return folder


@pytest.mark.parametrize(
    ("changed", "rule", "said"),
    [
        ({"second": {"image_id": 9}}, "left-out", "expected image_id to be among the file's own, got 9"),
        ({"second": {"bbox": [5, 5, -3, 4]}}, "left-out", "sizes of 0 or more"),
        ({"second": {"bbox": [90, 5, 3, 4]}}, "left-out", "expected a box within '1.png'"),
        ({"second": {"category_id": 7}}, "left-out", "expected category_id to be among the file's own, got 7"),
        ({"categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "dust"}]}, "class-unused", "1 class of 2"),
        ({"second": {"segmentation": [[1, 1, 9, 9]]}}, "left-out", "3 or more points"),
    ],
)
def test_dangling_ids_and_faulty_shapes_of_a_coco_file_are_told_once(
    tmp_path: Path, changed: dict[str, Any], rule: str, said: str
) -> None:
    found = by_rule(im.audit(coco(tmp_path, **changed), checks=["annotations", "quality"]))
    assert set(found) - {"nothing-annotated"} == {rule}
    assert said in found[rule].message


def test_a_clean_coco_file_has_no_finding(tmp_path: Path) -> None:
    assert by_rule(im.audit(coco(tmp_path), checks=["annotations", "quality"])) == {}


def test_faults_of_an_annotation_file_are_counted_by_kind(tmp_path: Path) -> None:
    far = {"image_id": 0, "category_id": 1, "area": 9, "iscrowd": 0}
    things = [{**far, "id": n, "bbox": [90 + n, 5, 3, 4]} for n in range(5)]
    things += [{**far, "id": 5, "bbox": [5, 5, 9, 9], "category_id": 8}, {**far, "id": 6, "bbox": [5, 5, 9, 9]}]
    found = by_rule(im.audit(coco(tmp_path, annotations=things), checks=["quality"]))["left-out"]
    assert len(found.places) == 6
    assert "expected a box within '0.png', got (90.0, 5.0, 3.0, 4.0); mend it (5 like this);" in found.message
    assert "got 8; add it (1 like this)" in found.message


def test_a_class_that_the_source_does_not_list_is_an_error(tmp_path: Path) -> None:
    source = open_source(coco(tmp_path))
    record = im.Record("x.png", tmp_path / "1.png", objects=(thing("dust"), thing("dust", (1.0, 1.0, 9.0, 9.0))))
    found = list(check_annotations(survey(replace(source, records=(*source.records, record)))))
    assert [(one.rule, one.places) for one in found if isinstance(one, im.Finding)] == [("class-unknown", ("x.png",))]
    assert "dust (2)" in str(found[0])


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("5 0.5 0.5 0.2 0.2", "left-out"),
        ("0 0.5 0.5 1.2 0.2", "box-cut"),
        ("0 0.5 0.5 0.2", "left-out"),
        ("", "nothing-annotated"),
        ("0 0.5 0.5 0.2 0.2", None),
    ],
)
def test_yolo_files_with_faults_are_told(tmp_path: Path, line: str, rule: str | None) -> None:
    for row in range(3):
        write(tmp_path / "images" / f"{row}.png", photo(row, *SIZE))
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"{row}.txt").write_text("0 0.5 0.5 0.2 0.2\n" if row else f"{line}\n")
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images\nnames: [cell]\n")
    found = by_rule(im.audit(tmp_path, layout="yolo", checks=["annotations", "quality"]))
    assert set(found) - ({"nothing-annotated"} if rule == "left-out" else set()) == ({rule} if rule else set())


def test_crossing_edges_by_hand_and_for_polygons_of_many_corners() -> None:
    turn = np.linspace(0, 2 * np.pi, 700, endpoint=False)
    round_ = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    assert not crosses_itself(round_.ravel().tolist())
    swapped = round_.copy()
    swapped[[600, 640]] = swapped[[640, 600]]
    assert crosses_itself(swapped.ravel().tolist())
    touching = (0, 0, 4, 0, 4, 4, 2, 0, 0, 4)  # a corner on an edge is no crossing
    assert not crosses_itself(touching)
    assert not crosses_itself((0, 0, 1, 1))


def test_overlaps_by_hand() -> None:
    others = np.array([[2.0, 0, 4, 4], [0, 0, 4, 4], [4, 4, 1, 1], [0, 0, 0, 0]])
    assert overlap((0, 0, 4, 4), others).tolist() == [8 / 24, 1.0, 0.0, 0.0]
    boxes = [(0, 0, 4, 4), (0, 0, 4, 4), (9, 9, 2, 2), (0, 0, 4, 4), (9, 9, 2, 2.1)]
    assert list(same_boxes(boxes, 0.9)) == [(0, 1), (0, 3), (2, 4)]
    assert list(same_boxes([], 0.9)) == []
