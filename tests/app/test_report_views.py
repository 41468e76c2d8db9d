"""Any image becomes a picture for the eye, and the words say what was done to it."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im
from imagemill.app.figures.display import (
    Marks,
    Window,
    fitted,
    labels_in,
    marked,
    montage,
    normalisation,
    plane_of,
    slice_to_show,
    window_of,
)


def seen(image: im.Image) -> np.ndarray:
    plane = plane_of(image)
    return window_of([plane.pixels]).apply(plane.pixels)


def test_bytes_are_shown_as_they_are():
    photo = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    np.testing.assert_array_equal(seen(im.Image(photo)), photo)


def test_gray_and_channels_first_become_rgb():
    gray = np.array([[0, 200]], np.uint8)
    np.testing.assert_array_equal(seen(im.Image(gray)), np.stack([gray] * 3, axis=-1))
    planar = np.zeros((3, 4, 6), np.uint8)
    planar[1] = 9
    assert seen(im.Image(planar, "cyx"))[0, 0].tolist() == [0, 9, 0]


@pytest.mark.parametrize(
    ("channels", "kept", "words"),
    [(2, 1, "channel 1 of 2"), (4, 3, "without alpha"), (6, 3, "channels 1 to 3 of 6")],
)
def test_many_channels_are_cut_and_the_note_says_so(channels, kept, words):
    plane = plane_of(im.Image(np.zeros((4, 6, channels), np.uint8), "yxc"))
    assert plane.pixels.shape[-1] == kept
    assert plane.note == words


def test_floats_within_0_and_1_keep_their_scale_and_others_are_stretched():
    window = window_of([np.full((4, 4, 1), 0.25, np.float32)])
    assert window.apply(np.full((1, 1, 1), 0.25))[0, 0, 0] == 64
    wide = np.linspace(-50, 50, 10_001).reshape(1, -1, 1)
    window = window_of([wide])
    assert window.low[0] == pytest.approx(-49.5)
    assert window.high[0] == pytest.approx(49.5)
    assert "-49.5 (black)" in window.note


def test_sixteen_bits_are_scaled_to_what_is_there():
    twelve_bit = np.linspace(0, 4095, 4096).astype(np.uint16).reshape(64, 64)
    out = seen(im.Image(twelve_bit))
    assert out.min() == 0
    assert out.max() == 255


@pytest.mark.parametrize(
    ("value", "dtype", "shown"),
    [(0.25, np.float32, 64), (65535, np.uint16, 255), (-300, np.int16, 128), (7, np.uint8, 7)],
)
def test_constant_images_have_one_gray(value, dtype, shown):
    out = seen(im.Image(np.full((5, 5), value, dtype)))
    assert np.unique(out).tolist() == [shown]


def test_nan_and_infinity_do_not_spoil_the_rest():
    values = np.array([[[0.0], [1.0], [np.nan], [np.inf]]])
    out = window_of([values]).apply(values)[0, :, 0]
    assert out.tolist() == [0, 255, 0, 255]
    nothing = np.full((2, 2, 1), np.nan)
    assert window_of([nothing]).apply(nothing).max() == 0


def test_one_window_for_all_keeps_a_brighter_picture_brighter():
    dark, bright = np.full((2, 2, 1), 100, np.uint16), np.full((2, 2, 1), 300, np.uint16)
    window = window_of([dark, bright])
    assert window.apply(dark).max() < window.apply(bright).min()


def test_scans_show_the_middle_slice_or_the_one_with_most_foreground():
    scan = im.Image(np.zeros((5, 4, 6), np.uint8), "zyx")
    labels = np.zeros((5, 4, 6), np.uint8)
    labels[1, 0, 0], labels[4, :2] = 1, 2
    assert plane_of(scan).slice == 2
    assert plane_of(scan).note == "slice 3 of 5"
    assert plane_of(scan, im.Mask(labels, "zyx")).slice == 4
    assert slice_to_show(5, im.Mask(np.zeros((5, 4, 6), np.uint8), "zyx")) == 2


def test_slices_last_are_still_slices():
    scan = np.zeros((4, 6, 5), np.uint8)
    scan[:, :, 2] = 8
    assert seen(im.Image(scan, "yxz")).max() == 8


def test_normalisation_is_taken_back():
    pipe = im.Pipeline([im.Normalize("imagenet"), im.ToLayout("channels_first")], seed=0)
    photo = np.random.default_rng(3).integers(0, 256, (8, 8, 3), np.uint8)
    plane = plane_of(pipe(image=photo).targets["image"])
    window = normalisation(pipe, 3)
    assert window is not None
    assert "normalisation" in window.note
    assert np.abs(window.apply(plane.pixels).astype(int) - photo).max() <= 1


def test_pipelines_without_a_plain_normalisation_have_nothing_to_take_back():
    assert normalisation(im.Pipeline([im.Flip("x")], seed=0), 3) is None
    assert normalisation(im.Pipeline([im.Normalize(0.5, 0.2, scale="none")], seed=0), 3) is None
    assert normalisation(im.Pipeline([im.Normalize("imagenet")], seed=0), 1) is None


def test_small_pictures_are_magnified_by_whole_numbers_and_large_ones_shrunk():
    assert fitted(8, 8, 100) == 12
    assert fitted(100, 90, 100) == 1
    assert fitted(99, 150, 100) == pytest.approx(2 / 3)


@pytest.mark.parametrize("tile", [20, 40, 80])
def test_marks_follow_the_picture_to_the_tiles_size(tile):
    image = im.Image(np.zeros((40, 40), np.uint8))
    plane = plane_of(image)
    marks = Marks(
        mask=im.Mask(np.pad(np.ones((10, 10), np.uint8), ((20, 10), (5, 25)))),
        boxes=im.Boxes([[4, 20, 16, 30]]),
        keypoints=im.Keypoints([[35, 5]]),
    )
    out = marked(window_of([plane.pixels]).apply(plane.pixels), plane, marks, (40, 40), tile)
    s = tile / 40
    assert out.shape == (tile, tile, 3)
    drawn = out.any(axis=-1)
    assert drawn[int(25 * s), int(10 * s)]
    assert drawn[int(5 * s), int(35 * s)]
    assert not drawn[int(15 * s), : int(20 * s)].any()
    rows, columns = np.nonzero(drawn[:, : tile // 2])
    assert rows.min() == int(20 * s)
    assert rows.max() == int(30 * s) - 1
    assert columns.min() == int(4 * s)
    assert columns.max() == int(16 * s) - 1


def test_of_a_volumes_marks_only_those_of_the_slice_are_drawn():
    image = im.Image(np.zeros((6, 20, 20), np.uint8), "zyx")
    plane = plane_of(image)
    boxes = im.Boxes([[0, 0, 0, 2, 5, 5], [3, 10, 10, 5, 18, 18]], "zyxzyx")
    points = im.Keypoints([[3, 3, 15], [0, 15, 3]], "zyx")
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[0, :5, :5] = labels[3, 18:, 0] = 1
    marks = Marks(im.Mask(labels, "zyx"), boxes, points)
    out = marked(np.zeros((20, 20, 3), np.uint8), plane, marks, (6, 20, 20), 20)
    drawn = out.any(axis=-1)
    assert plane.slice == 3
    assert drawn[10, 10:18].all()
    assert drawn[3, 15]
    assert not drawn[:8, :8].any()
    assert not drawn[13:18, :8].any()
    assert drawn[18:, 0].all()


def test_several_maps_are_shown_by_their_number():
    maps = np.zeros((4, 4, 2), np.uint8)
    maps[0, 0, 0] = maps[1, 1, 1] = 1
    assert labels_in(im.Mask(maps, "yxc")) == (1, 2)
    assert labels_in(None) == ()


def test_a_montage_places_pictures_in_rows():
    pictures = [np.full((2, 2), 10 * i, np.uint8) for i in range(5)]
    out = montage(pictures, columns=2, tile=4, gap=1)
    assert out.shape == (14, 9, 3)
    assert [out[r, c, 0] for r, c in ((0, 0), (0, 5), (5, 0), (5, 5), (10, 0), (10, 5))] == [0, 10, 20, 30, 40, 255]


def test_a_window_per_channel():
    out = Window((0.0, 0.0, 0.0), (1.0, 2.0, 4.0)).apply(np.ones((1, 1, 3)))
    assert out[0, 0].tolist() == [255, 128, 64]
