"""Polygons, rotated boxes and instance masks as people write them, and what of them is refused."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

import imagemill as im

SQUARE = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0)]


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ([SQUARE], [1]),
        ([np.array(SQUARE), np.array(SQUARE)], [1, 1]),
        ([[0, 0, 4, 0, 4, 3]], [1]),
        ([[[0, 0, 4, 0, 4, 3]]], [1]),
        ([[[0, 0, 4, 0, 4, 3], [6, 0, 8, 0, 8, 1]], [SQUARE]], [2, 1]),
        (np.array([SQUARE, SQUARE]), [1, 1]),
        ([list(map(np.array, SQUARE))], [1]),
        ([], []),
    ],
    ids=["pairs", "arrays", "flat", "coco", "parts", "one-array", "arrays-of-pairs", "none"],
)
def test_polygons_are_taken_as_people_write_them(given: Any, counts: list[int]) -> None:
    polygons = im.Polygons(given)
    assert [len(rings) for rings in polygons.rings] == counts
    if counts:
        assert polygons.rings[0][0].tolist() == [list(corner) for corner in SQUARE]
        assert im.Polygons(polygons.flat()).flat() == polygons.flat()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (SQUARE, r"polygon 0 with at least 3 .* for a single polygon write \[\["),
        ([[0, 0, 4, 0]], "at least 3"),
        ([[0, 0, 4, 0, 4]], "got .*; for a single|mend"),
        ([[(0, 0), (np.nan, 1), (2, 2)]], "finite"),
        ([3, 4], r"list of corners or of rings, got 3"),
        ("square", "got str"),
    ],
)
def test_what_is_no_polygon_is_refused(given: Any, message: str) -> None:
    with pytest.raises(im.InputError, match=message):
        im.Polygons(given)


def test_columns_are_as_long_as_the_rows() -> None:
    with pytest.raises(im.InputError, match="expected 1 labels, one per polygon, got 2"):
        im.Polygons([SQUARE], labels=["a", "b"])
    with pytest.raises(im.InputError, match="one per object"):
        im.Instances(np.zeros((2, 4, 4), bool), labels=["a"])


@pytest.mark.parametrize("degrees", [10.0, 80.0, 90.0, 30.0])
def test_opencv_is_understood_both_ways(degrees: float) -> None:
    rect = ((30.0, 20.0), (12.0, 5.0), degrees)
    box = im.RotatedBoxes([rect], "opencv")
    # OpenCV's own corners of it, which count from pixel centres.
    theirs = cv2.boxPoints(rect) + 0.5
    assert np.allclose(sorted(box.corners()[0].tolist()), sorted(theirs.tolist()), atol=1e-4)
    back = cv2.minAreaRect((box.corners()[0] - 0.5).astype(np.float32))
    # Versions of OpenCV differ in the range of the angle; any is read, and one is written.
    for one in (box.to("cxcywha"), im.RotatedBoxes([back], "opencv").to("cxcywha")):
        np.testing.assert_allclose(one.to("opencv").array[0], [30, 20, 12, 5, degrees], atol=1e-3)


def test_conventions_of_angles() -> None:
    box = im.RotatedBoxes([[10.0, 10.0, 4.0, 8.0, 30.0]])
    # The side of the width points 30 degrees below the x axis: clockwise on screen.
    across = box.corners()[0, 1] - box.corners()[0, 0]
    np.testing.assert_allclose(across, [4 * np.cos(np.pi / 6), 4 * np.sin(np.pi / 6)])
    np.testing.assert_allclose(box.to("long_edge").array, [[10, 10, 8, 4, -60]], atol=1e-9)
    np.testing.assert_allclose(box.to("cxcywhr").array, [[10, 10, 4, 8, np.pi / 6]])
    dota = box.to("corners")
    np.testing.assert_allclose(dota.to("cxcywha").array, box.array, atol=1e-9)
    np.testing.assert_allclose(im.RotatedBoxes(dota.array.reshape(-1, 4, 2), "corners").area, [32])
    turned = im.Pipeline([im.Rotate(180)], seed=1)(image=np.zeros((20, 20)), rotated_boxes=box).rotated_boxes
    np.testing.assert_allclose(turned.array, [[10, 10, 4, 8, -150]], atol=1e-9)
    mirrored = im.Pipeline([im.Flip("x")], seed=1)(image=np.zeros((20, 20)), rotated_boxes=box).rotated_boxes
    np.testing.assert_allclose(mirrored.array, [[10, 10, 4, 8, 150]], atol=1e-9)


def test_bad_rotated_boxes_are_refused() -> None:
    with pytest.raises(im.InputError, match="four corners are format='corners'"):
        im.RotatedBoxes(np.zeros((2, 8)))
    with pytest.raises(im.InputError, match="rotated box 0"):
        im.RotatedBoxes([[1, 1, -2, 2, 0]])
    with pytest.raises(im.InputError, match="a format of cxcywha"):
        im.RotatedBoxes([[1, 1, 2, 2, 0]], "xyxy")


def test_a_map_of_ids_is_a_stack_of_masks() -> None:
    numbers = np.zeros((6, 8), np.uint16)
    numbers[:2, :3], numbers[3:, 5:] = 7, 900
    whole = im.Instances(numbers, labels=["cat", "dog"])
    stack = im.Instances(whole.masks, labels=["cat", "dog"])
    assert whole.ids.tolist() == [7, 900]
    np.testing.assert_array_equal(whole.bounds, stack.bounds)
    pipe = im.Pipeline([im.Crop(box=(0, 0, 6, 4))], seed=1)
    one, two = (pipe(image=np.zeros((6, 8)), instances=given).instances for given in (whole, stack))
    assert one.labels == two.labels == ["cat"]
    assert one.array.dtype == np.uint16
    np.testing.assert_array_equal(one.masks, two.masks)
    assert one.dropped.tolist() == two.dropped.tolist() == [1]


def test_masks_are_of_boxes_one_by_one() -> None:
    masks = np.zeros((2, 6, 8), bool)
    masks[0, :2, :2] = True
    boxes = im.Boxes([[0, 0, 8, 6], [0, 0, 8, 6]], labels=["cat", "ghost"])
    pipe = im.Pipeline([im.Flip("x")], seed=1)
    out = pipe(image=np.zeros((6, 8)), instances=masks, boxes=boxes)
    assert out.boxes.labels == ["cat"], "an empty mask is dropped with its box and label"
    kept = pipe.replace(boxes=im.BoxRules(keep_empty=True))(image=np.zeros((6, 8)), instances=masks, boxes=boxes)
    assert kept.boxes.visibility.tolist() == kept.instances.visibility.tolist() == [1, 0]
    with pytest.raises(im.InputError, match="expected as many instances as boxes, 2, got 1"):
        pipe(image=np.zeros((6, 8)), instances=masks[:1], boxes=boxes)
    with pytest.raises(im.InputError, match=r"size \(6, 8\), got \(6, 9\)"):
        pipe(image=np.zeros((6, 8)), instances=np.zeros((2, 6, 9), bool))


def test_volumes_have_instance_masks_and_no_polygons() -> None:
    masks = np.zeros((2, 4, 6, 8), bool)
    masks[0, :2, :3], masks[1, 3, 4:] = True, True
    image = im.Image(np.zeros((4, 6, 8)), "zyx")
    out = im.Pipeline([im.Flip("z"), im.Crop((3, 6, 8))], seed=1)(image=image, instances=masks)
    np.testing.assert_array_equal(out.instances.masks, masks[:, ::-1][:, _middle(4, 3)][out.instances.index])
    with pytest.raises(im.InputError, match="pass instance masks instead"):
        im.Pipeline([im.Flip("z")], seed=1)(image=image, polygons=[SQUARE])


def _middle(size: int, left: int) -> slice:
    start = (size - left) // 2
    return slice(start, start + left)


def test_boxes_are_fitted_or_it_is_said_that_nothing_is_there_to_fit_them_to() -> None:
    pipe = im.Pipeline([im.Rotate(45)], seed=1, boxes=im.BoxRules(tight=True))
    disc = np.hypot(*np.mgrid[-19.5:20, -19.5:20]) < 10
    out = pipe(image=np.zeros((40, 40)), boxes=[[10, 10, 30, 30]], instances=disc[None])
    np.testing.assert_allclose(out.boxes.array, [[10, 10, 30, 30]], atol=1)
    with pytest.raises(im.InputError, match=r"BoxRules\(tight=True\)\), got boxes alone; pass instances="):
        pipe(image=np.zeros((40, 40)), boxes=[[10, 10, 30, 30]])
    again = im.Pipeline.from_yaml(pipe.to_yaml())
    assert again == pipe
    assert again.digest != im.Pipeline([im.Rotate(45)]).digest


def test_lines_are_cut_into_pieces_and_never_dropped_with_boxes() -> None:
    zigzag = [(1, 1), (1, 9), (5, 9), (5, 1)]
    pipe = im.Pipeline([im.Crop(box=(0, 0, 6, 8))], seed=1)
    out = pipe(image=np.zeros((10, 10)), lines=[zigzag], boxes=[[0, 8, 4, 10]])
    assert out.lines.flat() == [[[1, 1, 1, 6], [5, 6, 5, 1]]]
    np.testing.assert_allclose(out.lines.visibility, [10 / 20])
    assert not len(out.boxes)


def test_a_concave_polygon_falls_apart_where_the_frame_cuts_it() -> None:
    comb = [(0, 0), (9, 0), (9, 2), (1, 2), (1, 4), (9, 4), (9, 6), (0, 6)]
    out = im.Pipeline([im.Crop(box=(0, 4, 8, 10))], seed=1)(image=np.zeros((8, 10)), polygons=[comb])
    (rings,) = out.polygons.rings
    assert sorted((*ring.min(axis=0), *ring.max(axis=0)) for ring in rings) == [(0, 0, 5, 2), (0, 4, 5, 6)]
    assert out.polygons.area.tolist() == [20]
    # Cut on the side where its teeth are, it stays one ring, whose boundary comes by the edge twice.
    left = im.Pipeline([im.Crop(box=(0, 0, 8, 5))], seed=1)(image=np.zeros((8, 10)), polygons=[comb])
    ((ring,),) = left.polygons.rings
    assert (ring.min(axis=0).tolist(), ring.max(axis=0).tolist()) == ([0, 0], [5, 6])
    assert left.polygons.area.tolist() == [5 * 6 - 4 * 2]


def test_a_border_repeats_the_picture_and_not_the_object() -> None:
    mask = np.zeros((8, 10), bool)
    mask[2:6, :3] = True
    pipe = im.Pipeline([im.Shift(pixels={"x": 4})], seed=1)
    out = pipe(image=np.zeros((8, 10)), mask=mask, instances=mask[None], polygons=[[(0, 2), (3, 2), (3, 6), (0, 6)]])
    assert out.mask[2:6, :7].all()
    assert not out.instances.masks[0, :, :4].any()
    assert out.instances.area.tolist() == out.polygons.area.tolist() == [12]
