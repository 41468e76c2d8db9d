"""Figures hold what they should, where it should be, and no word is cut or covers another."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im
from imagemill.app.figures.figure import caption, draws, shown, size_of, tiles_of, value_words
from imagemill.app.figures.sheet import Sheet, Text

PHOTO = np.random.default_rng(5).integers(0, 256, (48, 64, 3), np.uint8)
PIPE = im.Pipeline([im.Flip("x", p=0.5), im.Rotate((-30, 30)), im.Resize((40, 40))], seed=3)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 3), (2, 4)])
def test_a_grid_has_as_many_tiles_as_asked_for(rows, columns):
    figure = im.grid(PIPE, PHOTO, rows=rows, columns=columns)
    # A tile of 40 pixels is magnified 6 times: 240 columns, with margins of 20 and gaps of 14.
    assert figure.shape[1] == 40 + columns * 240 + (columns - 1) * 14
    assert figure.dtype == np.uint8
    assert figure.shape[2] == 3
    runs = np.diff(np.flatnonzero(np.diff((figure[:, 30:60] != 255).any(axis=-1).mean(axis=1) > 0.9)))
    assert (runs == 240).sum() == rows


def test_tiles_are_the_epochs_of_one_key():
    source = shown(PHOTO)
    made = draws(PIPE, source, "a.png", range(6))
    for epoch, one in enumerate(made):
        np.testing.assert_array_equal(one.image.array, PIPE(PHOTO, key="a.png", epoch=epoch))
    assert len({one.image.array.tobytes() for one in made}) == 6


def test_tiles_show_the_pixels_of_the_results():
    source = shown(PHOTO)
    made = draws(PIPE, source, 0, range(2))
    tiles, notes = tiles_of(made, PIPE, source, (), 100)
    np.testing.assert_array_equal(tiles[1][::2, ::2], made[1].image.array)
    assert notes == []


@pytest.mark.parametrize("width", [40, 41])
def test_boxes_masks_and_points_are_drawn_where_the_flipped_object_is(width):
    image = np.zeros((30, width, 3), np.uint8)
    image[4:17, 3:16] = 255
    labels = image[..., 0] // 255
    pipe = im.Pipeline([im.Flip("x")], seed=1)
    source = shown(image, labels, im.Boxes([[3, 4, 16, 17]]), im.Keypoints([[9, 10]]))
    made = draws(pipe, source, 0, [0])
    object_ = made[0].image.array[..., 0] == 255
    for target in ("mask", "boxes", "keypoints"):
        only = shown(image, **{target: getattr(source, target)})
        flipped = draws(pipe, only, 0, [0])
        (tile,), _ = tiles_of(flipped, pipe, only, (), width)
        changed = (tile != made[0].image.array).any(axis=-1)
        assert changed.any(), target
        assert not (changed & ~object_).any(), target
    assert object_[4:17, width - 16 : width - 3].all()


def test_one_scale_for_all_tiles_shows_a_brighter_draw_brighter():
    pipe = im.Pipeline([im.Brightness(im.Choice((0.5, 1.0)))], seed=2)
    source = shown(np.linspace(0, 3000, 400).astype(np.uint16).reshape(20, 20))
    made = draws(pipe, source, 0, range(8))
    tiles, notes = tiles_of(made, pipe, source, (), 20)
    means = sorted({round(float(tile.mean())) for tile in tiles})
    assert len(means) == 2
    assert means[1] > 1.8 * means[0]
    assert "white" in notes[0]


def test_scans_with_a_label_map_are_shown_where_it_is():
    scan = np.zeros((6, 20, 20), np.float32)
    scan[4, 5:15, 5:15] = 1
    labels = (scan > 0).astype(np.uint8)
    pipe = im.Pipeline([im.Flip("x")], seed=1)
    source = shown(im.Image(scan, "zyx"), labels)
    (tile,), notes = tiles_of(draws(pipe, source, 0, [0]), pipe, source, (), 20)
    assert notes[0] == "slice 5 of 6"
    np.testing.assert_array_equal(tile[..., 0] > 0, scan[4] > 0)
    assert im.grid(pipe, scan, mask=labels, rows=1, columns=2, axes="zyx").shape[2] == 3


def test_all_tiles_of_a_scan_show_the_same_slice():
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[1, :10], labels[4, 8:] = 1, 1
    made = [shown(im.Image(np.zeros((6, 20, 20), np.uint8), "zyx"), one) for one in (labels, np.roll(labels, 5, 1))]
    _, notes = tiles_of(made, im.Pipeline([], seed=1), made[0], (), 20)
    assert notes == ["slice 5 of 6"]
    made[1] = shown(made[1].image, labels[::-1].copy())
    _, notes = tiles_of(made, im.Pipeline([], seed=1), made[0], (), 20)
    assert len(notes[0].split("/")) == 1


def test_normalised_channels_first_results_look_like_the_photo():
    pipe = im.Pipeline([im.Normalize("imagenet"), im.ToLayout("channels_first")], seed=1)
    source = shown(PHOTO)
    (tile,), notes = tiles_of(draws(pipe, source, 0, [0]), pipe, source, (), 64)
    assert np.abs(tile.astype(int) - PHOTO).max() <= 1
    assert "normalisation" in notes[0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_constant_images_make_a_figure(dtype):
    figure = im.before_after(im.Pipeline([im.Flip("x")], seed=1), np.full((16, 16), 3, dtype))
    assert figure.size


def test_before_and_after_are_side_by_side_with_the_values(tmp_path):
    pipe = im.Pipeline([im.Flip("x"), im.Rotate(90)], seed=1)
    path = tmp_path / "figure.png"
    figure = im.before_after(pipe, PHOTO, mask=(PHOTO[..., 0] > 128).astype(np.uint8), path=path)
    np.testing.assert_array_equal(im.read_picture(path).array, figure)
    written = figure[:, -250:]
    assert (written < 100).any()
    empty = im.before_after(im.Pipeline([im.Flip("x", p=0.0)], seed=1), PHOTO)
    assert (empty[:, -250:] < 100).any()  # says that nothing was drawn


def test_inputs_are_not_changed():
    before, labels = PHOTO.copy(), np.ones((48, 64), np.uint8)
    im.grid(PIPE, PHOTO, mask=labels, boxes=[[1, 1, 9, 9]], keypoints=[[3, 3]], rows=1, columns=2)
    np.testing.assert_array_equal(PHOTO, before)
    assert labels.all()


@pytest.mark.parametrize("bad", [0, 33, 2.5, True])
def test_a_grid_of_no_size_is_refused(bad):
    with pytest.raises(im.InputError, match=r"expected rows from 1 to 32, got"):
        im.grid(PIPE, PHOTO, rows=bad)


def test_a_target_of_another_kind_is_refused():
    with pytest.raises(im.InputError, match="expected mask as Mask or a plain array, got Boxes"):
        im.grid(PIPE, PHOTO, mask=im.Boxes([[0, 0, 1, 1]]))


def test_axes_that_are_not_said_are_asked_for():
    with pytest.raises(im.InputError, match="say its axes"):
        im.grid(PIPE, np.zeros((5, 20, 30), np.uint8))


def test_captions_are_short_and_have_units():
    plain = [
        word.replace("\u00a0", " ") for word in value_words(im.Applied("Shift", {"pixels.y": -3, "pixels.x": 4.25}))
    ]
    assert plain == ["y −3 px", "x 4.25 px"]
    assert value_words(im.Applied("Rotate", {"degrees": 12.345})) == ["12.3°"]
    jitter = im.Applied("ColorJitter", {"brightness": 1.1, "hue": -3.0})
    assert caption([jitter]).replace("\u00a0", " ") == "ColorJitter brightness 1.1, hue −3°"
    assert caption([im.Applied("Resize", {})], frozenset({"Resize"})) == "unchanged"
    assert size_of(im.Image(np.zeros((3, 4, 5), np.float32), "zyx")) == "3 × 4 × 5, 1 channel, float32"


def test_lines_are_no_wider_than_asked_and_lose_no_word():
    sheet = Sheet(400)
    words = "Rotate 3.5° · ColorJitter brightness 0.98, contrast 1.11 · " + "x" * 80 + " end $5 $6"
    lines = sheet.wrap(Text(words, 12), 150)
    assert all(sheet.measure(line) <= 150 for line in lines)
    assert "".join(line.words for line in lines).replace(" ", "") == words.replace(" ", "")


def test_texts_that_follow_each_other_do_not_overlap():
    sheet = Sheet(300)
    first = sheet.text(Text("Hgjpq " * 12, 12), 10, 10, 280)
    sheet.text(Text("Hgjpq " * 12, 12), 10, first, 280)
    lines = 2 * len(sheet.wrap(Text("Hgjpq " * 12, 12), 280))
    rows = (sheet.draw(first + 80) < 128).any(axis=(1, 2))
    starts = np.flatnonzero(np.diff(rows.astype(int)) == 1)
    assert lines > 2
    assert len(starts) == lines  # every line stands apart from the next one
    assert starts[0] + 1 >= 10  # nothing above its place


def test_dollar_signs_are_no_formulas():
    sheet = Sheet(200)
    text = Text(r"$\frac$ and $x^2$", 12)  # as a formula this would be an error
    sheet.text(text, 5, 5)
    columns = np.flatnonzero((sheet.draw(30) < 128).any(axis=(0, 2)))
    assert abs(columns.max() - columns.min() - sheet.measure(text)) < 6
