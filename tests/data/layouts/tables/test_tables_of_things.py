"""Boxes, masks and outlines in tables as people have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.data.layouts.opening import open_source
from imagemill.data.layouts.shapes.rle import mask_from_rle
from imagemill.data.records.loading import load_mask
from tests.data.tables import ABCD, HEIGHT, WIDTH, boxes_of, labels_of, small_photos, written

BOX_TABLES = {
    "xmin,ymin,xmax,ymax": ["2,4,12,14", "5,6,25,16", "1,2,29,19"],
    "x1,y1,x2,y2": ["2,4,12,14", "5,6,25,16", "1,2,29,19"],
    "left,top,right,bottom": ["2,4,12,14", "5,6,25,16", "1,2,29,19"],
    "bbox_x,bbox_y,bbox_w,bbox_h": ["2,4,10,10", "5,6,20,10", "1,2,28,17"],
    "x,y,w,h": ["2,4,10,10", "5,6,20,10", "1,2,28,17"],
    "x_center,y_center,width,height": [
        f"{7 / 30},{9 / 20},{10 / 30},{10 / 20}",
        f"{15 / 30},{11 / 20},{20 / 30},{10 / 20}",
        f"{15 / 30},{10.5 / 20},{28 / 30},{17 / 20}",
    ],
    "XMin,YMin,XMax,YMax": [
        f"{2 / 30},{4 / 20},{12 / 30},{14 / 20}",
        f"{5 / 30},{6 / 20},{25 / 30},{16 / 20}",
        f"{1 / 30},{2 / 20},{29 / 30},{19 / 20}",
    ],
    "bbox": ['"[2, 4, 10, 10]"', '"[5, 6, 20, 10]"', '"[1.0, 2.0, 28.0, 17.0]"'],
    "bounding box": ["2 4 12 14", "5 6 25 16", "1 2 29 19"],
}


@pytest.mark.parametrize("columns", BOX_TABLES)
def test_a_row_for_each_box(tmp_path: Path, columns: str) -> None:
    small_photos(tmp_path, "a.png", "b.png")
    boxes = BOX_TABLES[columns]
    rows = [f"a.png,cat,{boxes[0]}", f"a.png,dog,{boxes[1]}", f"b.png,cat,{boxes[2]}"]
    written(tmp_path, f"filename,class,{columns}\n" + "\n".join(rows) + "\n")
    source = open_source(tmp_path)
    right = {
        "a.png": [("cat", (2, 4, 10, 10)), ("dog", (5, 6, 20, 10))],
        "b.png": [("cat", (1, 2, 28, 17))],
    }
    assert boxes_of(source) == {
        key: [(name, pytest.approx(box)) for name, box in things] for key, things in right.items()
    }
    assert labels_of(source) == {"a.png": None, "b.png": None}


def test_boxes_without_a_header_and_images_without_boxes(tmp_path: Path) -> None:
    small_photos(tmp_path, *ABCD[:3])
    written(tmp_path, "a.png,2,4,12,14,cat\na.png,5,6,25,16,dog\nb.png,1,2,29,19,cat\nc.png,,,,,\n")
    assert boxes_of(open_source(tmp_path)) == {
        "a.png": [("cat", (2, 4, 10, 10)), ("dog", (5, 6, 20, 10))],
        "b.png": [("cat", (1, 2, 28, 17))],
        "c.png": [],
    }


def test_columns_that_differ_between_boxes_are_those_of_the_boxes(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png")
    written(tmp_path, "image,x,y,w,h,label,difficult,camera\na.png,1,2,3,4,cat,0,x\na.png,5,6,7,8,dog,1,x\n")
    (record,) = open_source(tmp_path)
    assert dict(record.attributes) == {"camera": "x"}
    assert [dict(thing.attributes) for thing in record.objects or ()] == [{"difficult": 0}, {"difficult": 1}]


def test_a_row_with_a_box_that_is_none_is_named(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png", "b.png")
    written(tmp_path, "image,x1,y1,x2,y2,label\na.png,9,2,3,4,cat\nb.png,1,2,3,4,dog\n")
    source = open_source(tmp_path)
    assert list(boxes_of(source)) == ["b.png"]
    assert "of no negative width or height" in str(source.problems[0])
    assert "--option boxes=xywh" in str(source.problems[0])
    assert boxes_of(open_source(tmp_path, extra={"boxes": "xywh"}))["a.png"] == [("cat", (9, 2, 3, 4))]


def _kaggle_runs(mask: np.ndarray[Any, Any]) -> str:
    """First pixel and length of each run, counted from 1 down the columns: written from its definition."""
    flat = [0, *mask.T.reshape(-1).astype(int), 0]
    starts = [n for n in range(1, len(flat)) if flat[n] and not flat[n - 1]]
    ends = [n for n in range(1, len(flat)) if not flat[n] and flat[n - 1]]
    return " ".join(f"{start} {end - start}" for start, end in zip(starts, ends, strict=True))


@pytest.mark.parametrize(
    "form", ["ImageId,EncodedPixels", "ImageId,ClassId,EncodedPixels", "Image_Label,EncodedPixels"]
)
@pytest.mark.parametrize("way", ["columns", "rows"])
def test_masks_as_runs(tmp_path: Path, form: str, way: str) -> None:
    small_photos(tmp_path, *ABCD[:2])
    masks = np.random.default_rng(1).random((2, HEIGHT, WIDTH)) > 0.6
    cells = [_kaggle_runs(mask if way == "columns" else mask.T) for mask in masks]
    rows = {
        "ImageId,EncodedPixels": [f"a.png,{cells[0]}", f"a.png,{cells[1]}", "b.png,"],
        "ImageId,ClassId,EncodedPixels": [f"a.png,3,{cells[0]}", f"a.png,1,{cells[1]}", "b.png,,"],
        "Image_Label,EncodedPixels": [f"a.png_3,{cells[0]}", f"a.png_1,{cells[1]}", "b.png_3,", "b.png_1,"],
    }[form]
    written(tmp_path, f"{form}\n" + "\n".join(rows) + "\n")
    source = open_source(tmp_path, extra={} if way == "columns" else {"rle": "rows"})
    one, two = source
    assert (one.key, two.key, two.objects) == ("a.png", "b.png", ())
    things = one.objects or ()
    assert [thing.category for thing in things] == (["object"] * 2 if "," not in form[8:] else ["3", "1"])
    for thing, mask in zip(things, masks, strict=True):
        assert thing.rle is not None
        np.testing.assert_array_equal(mask_from_rle(thing.rle), mask)


def test_runs_that_leave_the_picture_are_named(tmp_path: Path) -> None:
    small_photos(tmp_path, *ABCD[:2])
    written(tmp_path, f"ImageId,EncodedPixels\na.png,{HEIGHT * WIDTH} 2\nb.png,1 2\n")
    source = open_source(tmp_path)
    assert len(source) == 1
    assert "within 20 x 30 pixels, got pixels 600 to 601; check the size" in str(source.problems[0])


@pytest.mark.parametrize(
    "things",
    [
        {"boxes": [[1, 2, 21, 19], [2, 2, 29, 18]], "labels": ["cat", "dog"]},
        {"bbox": [[1, 2, 20, 17], [2, 2, 27, 16]], "categories": ["cat", "dog"]},
        {
            "annotations": [
                {"label": "cat", "coordinates": {"x": 11, "y": 10.5, "width": 20, "height": 17}},
                {"label": "dog", "coordinates": {"x": 15.5, "y": 10, "width": 27, "height": 16}},
            ]
        },
        {
            "objects": [
                {"class": "cat", "bndbox": {"xmin": 1, "ymin": 2, "xmax": 21, "ymax": 19}},
                {"class": "dog", "bndbox": {"xmin": 2, "ymin": 2, "xmax": 29, "ymax": 18}},
            ]
        },
    ],
)
def test_things_in_json(tmp_path: Path, things: dict[str, Any]) -> None:
    small_photos(tmp_path, "a.png", "b.png")
    empty = {name: [] for name in things}
    written(tmp_path, json.dumps({"a.png": things, "b.png": empty}), "t.json")
    source = open_source(tmp_path)
    assert boxes_of(source) == {"a.png": [("cat", (1, 2, 20, 17)), ("dog", (2, 2, 27, 16))], "b.png": []}


def test_a_row_for_each_mask(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png", "b.png")
    masks = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    for number, mask in enumerate(masks):
        mask[2 + 4 * number : 8 + 4 * number, 5:9] = 255
        im.write_picture(tmp_path / "m" / f"{number}.png", im.data.Picture(mask, "yx"))
    written(tmp_path, "image,mask,class\na.png,m/0.png,liver\na.png,m/1.png,kidney\nb.png,m/2.png,liver\n")
    source = open_source(tmp_path)
    right = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    right[0][masks[0] > 0] = 2
    right[0][masks[1] > 0] = 1
    right[1][masks[2] > 0] = 2
    for record, wanted in zip(source, right, strict=True):
        assert record.mask is not None
        np.testing.assert_array_equal(load_mask(record.mask).array, wanted)
    assert (
        "3 rows name 2 images: the masks of an image are drawn into one label map (1 kidney, 2 liver)" in source.notes
    )
