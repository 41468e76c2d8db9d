"""Edges of the frame that move by amounts of their own, and frames about the middle of a mask."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from tests.transforms.geometric.support import draw

IMAGE = np.arange(1, 31, dtype=np.uint8).reshape(5, 6)


def one(transform: im.Transform, key: int = 0, **given: object) -> im.Sample:
    return im.Pipeline([transform], seed=3)(image=IMAGE, key=key, **given)


def test_fixed_edges_are_numpys_pad_and_slices() -> None:
    moved = im.CropAndPad({"y": 2, "x": -1}, {"y": -1, "x": 3}, "pixels", keep_size=False, fill=9, mask_fill=4)
    made = one(moved, mask=IMAGE, keypoints=im.Keypoints([[1, 0]]), boxes=im.Boxes([[1, 0, 4, 2]]))
    kept = IMAGE[:-1, 1:]
    np.testing.assert_array_equal(made.image, np.pad(kept, ((2, 0), (0, 3)), constant_values=9))
    np.testing.assert_array_equal(made.mask, np.pad(kept, ((2, 0), (0, 3)), constant_values=4))
    np.testing.assert_array_equal(made.keypoints.array, [[0, 2]])
    np.testing.assert_array_equal(made.boxes.array, [[0, 2, 3, 4]])
    mirrored = im.CropAndPad({"x": 2}, {"x": 0}, "pixels", keep_size=False, border="mirror")
    np.testing.assert_array_equal(one(mirrored).image, np.pad(IMAGE, ((0, 0), (2, 0)), "reflect"))


def test_kept_sizes_are_what_resize_makes_of_the_part() -> None:
    part = im.CropAndPad({"y": -1, "x": -2}, {"y": 0, "x": -1}, "pixels", border="nearest")
    cut = im.Pipeline([im.Crop(box=(1, 2, 5, 5)), im.Resize((5, 6))], seed=0, without=["fuse_geometry"])
    inside = np.s_[1:-1, 1:-1]  # beyond the part lies the image here, its own edge there
    np.testing.assert_allclose(one(part).image[inside], cut(IMAGE)[inside], atol=1)
    share = im.CropAndPad(-0.5, {"y": 0, "x": 0.5}, border="nearest")
    assert one(share, keypoints=im.Keypoints([[2.5, 4.5]])).keypoints.array.tolist() == [[-0.5, 4.5]]


def test_every_edge_has_a_draw_of_its_own_and_together_none() -> None:
    apart = im.CropAndPad((0, 8), unit="pixels", keep_size=False)
    sizes, offs = set(), set()
    for key in range(80):
        made = one(apart, key).image
        rows, columns = np.nonzero(made)
        top, left = int(rows.min()), int(columns.min())
        sizes.add(made.shape)
        offs.add((top, left, made.shape[0] - 5 - top, made.shape[1] - 6 - left))
    assert len(sizes) > 20
    assert {n for four in offs for n in four} == set(range(9))
    assert any(len(set(four)) == 4 for four in offs)
    for key in range(10):
        made = one(im.CropAndPad((0, 8), unit="pixels", keep_size=False, together=True), key).image
        assert made.shape[0] - 5 == made.shape[1] - 6 == 2 * int(np.nonzero(made)[0].min())


def test_at_least_a_pixel_stays_where_the_cuts_meet() -> None:
    most = im.CropAndPad({"y": -4, "x": -9}, {"y": -4, "x": -3}, "pixels", keep_size=False)
    np.testing.assert_array_equal(one(most).image, [[IMAGE[2, 5 - 1]]])
    assert one(im.CropAndPad(-1.0)).image.shape == (5, 6)


def test_together_is_for_one_amount() -> None:
    with pytest.raises(ParameterError, match="only with one amount for all edges"):
        im.CropAndPad(0.1, 0.2, together=True)


@pytest.mark.parametrize(
    ("size", "rows", "columns"), [((2, 3), (3, 5), (3, 6)), ((4, 4), (2, 6), (3, 7)), ((1, 8), (3, 4), (1, 9))]
)
def test_the_middle_of_a_mask_comes_into_the_middle(
    size: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    mask = np.zeros((5, 6), np.uint8)
    mask[3:5, 4:6] = 2
    made = one(im.CropOrPad(size, about="mask", fill=99), mask=mask)
    far = np.pad(IMAGE, 10, constant_values=99)
    np.testing.assert_array_equal(made.image, far[10 + rows[0] : 10 + rows[1], 10 + columns[0] : 10 + columns[1]])


def test_without_foreground_the_middle_of_the_image_is_taken_and_without_a_mask_it_says_so() -> None:
    empty = one(im.CropOrPad((3, 3), about="mask"), mask=np.zeros((5, 6), np.uint8))
    np.testing.assert_array_equal(empty.image, one(im.CropOrPad((3, 3))).image)
    with pytest.raises(InputError, match="expected brain for CropOrPad"):
        one(im.CropOrPad((3, 3), about="brain"))
    np.testing.assert_array_equal(one(im.CropOrPad((3, 3), about="brain", missing="ignore")).image, empty.image)
    with pytest.raises(ParameterError, match=r"about=\.\.\., got 'random' and both"):
        im.CropOrPad(3, at="random", about="mask")


def test_padding_stands_whatever_follows_and_a_cut_alone_is_none() -> None:
    frame = Frame.of(5, 6)
    for before, after, padded in ((2, -1, True), (-1, 2, True), (-1, -1, False)):
        op = draw(im.CropAndPad({"x": before}, {"x": after}, "pixels", keep_size=False), frame)
        assert op.window is not None
        assert op.window.tolist() == [padded]
    mask = np.zeros((5, 6), np.uint8)
    for row, column, padded in ((0, 3, True), (4, 3, True), (2, 3, False)):
        mask[:] = 0
        mask[row, column] = 1
        moved = [im.CropOrPad((3, 3), about="mask", fill=50), im.Shift(pixels={"y": -3 if row else 3}, fill=7)]
        made = im.Pipeline(moved, seed=0)(image=IMAGE, mask=mask).image
        assert (50 in made) == padded


def test_the_recipe_names_every_edge() -> None:
    (applied,) = one(im.CropAndPad((-0.1, 0.1))).applied
    assert set(applied.values) == {"before.y", "before.x", "after.y", "after.x"}


def test_what_is_padded_is_a_window_and_fuses_with_any_border() -> None:
    pipe = im.Pipeline(
        [im.Zoom(1.1, border="nearest"), im.CropAndPad(0.2, fill=7), im.Rotate(10, border="reflect")], seed=1
    )
    image = np.full((40, 50), 200, np.uint8)
    text = pipe.explain((40, 50))
    assert "from    Zoom + CropAndPad + Rotate" not in text, "other borders on both sides still contradict each other"
    assert "from    Zoom + CropAndPad" in text
    once, often = (pipe.replace(fuse=fuse, transforms=pipe.transforms[:2])(image) for fuse in (True, False))
    assert set(np.unique(once).tolist()) == {7, 200}, "the margin is the fill, without a mix at its edge"
    np.testing.assert_array_equal(once, often)
