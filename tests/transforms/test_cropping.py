"""Crops that go by boxes, labels and pixels: what they keep, how often they draw what, and what they do without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats as stats

import imagemill as im

SIDE = (60, 80)
IMAGE = np.arange(60 * 80, dtype=np.uint16).reshape(SIDE)
BOXES = im.Boxes([[20, 10, 50, 30], [40, 25, 60, 45]], labels=["cat", "dog"])
NONE = im.Boxes(np.zeros((0, 4)))


def many(transform: im.Transform, n: int = 400, **targets: Any) -> list[dict[str, float]]:
    """What a transform draws for many keys of one sample."""
    pipe = im.Pipeline([transform, im.Resize(4)], seed=5)
    columns = {name: [value] * n for name, value in targets.items()}
    made = pipe.batch([IMAGE] * n, keys=range(n), **columns)
    return [made.applied[row][0].values for row in range(n)]


def column(drawn: list[dict[str, float]], name: str) -> Any:
    return np.array([one[name] for one in drawn])


# ------------------------------------------------------------------------------------------- boxes


@pytest.mark.parametrize(
    "turn", [[], [im.Rotate(25, frame="fit")], [im.Elastic(0.2, cells=3)]], ids=["", "turn", "bend"]
)
def test_all_boxes_in_view_stay_whole(turn: list[im.Transform]) -> None:
    before = im.Pipeline(turn, seed=3)
    pipe = im.Pipeline([*turn, im.BoxSafeCrop(), im.Flip("x"), im.Resize((30, 40))], seed=3)
    for key in range(30):
        whole = before(image=IMAGE, boxes=BOXES, key=key).boxes.visibility
        out = pipe(image=IMAGE, boxes=BOXES, key=key)
        assert out.boxes.labels == ["cat", "dog"]
        # The upright box around a turned one is what the crop keeps.
        np.testing.assert_allclose(out.boxes.visibility, whole, atol=1e-6)
    if len(turn) == 1 and isinstance(turn[0], im.Rotate):
        assert pipe.explain(SIDE).count("resample to") == 1


def test_the_edges_of_a_safe_crop_are_uniform_between_the_frame_and_the_boxes() -> None:
    drawn = many(im.BoxSafeCrop(), 1000, boxes=BOXES)
    start, stop = column(drawn, "start.x"), column(drawn, "start.x") + column(drawn, "size.x")
    assert (start.min(), start.max(), stop.min(), stop.max()) == (0, 20, 60, 80)
    for values, count in ((start, 21), (stop - 60, 21), (column(drawn, "start.y"), 11)):
        seen = np.bincount(values.astype(int), minlength=count)
        assert stats.chisquare(seen).pvalue > 1e-3
    eroded = many(im.BoxSafeCrop(erosion=0.5), boxes=BOXES)
    # The middle half of the boxes: x from 20 + 30 / 4 to 60 - 20 / 4, whole pixels.
    assert column(eroded, "start.x").max() == 27
    assert (column(eroded, "start.x") + column(eroded, "size.x")).min() == 55


def test_boxes_of_volumes_stay_whole() -> None:
    volume = np.zeros((12, 20, 24), np.float32)
    boxes = im.Boxes([[3, 4, 5, 9, 14, 20]], "zyxzyx")
    pipe = im.Pipeline([im.BoxSafeCrop()], seed=1)
    shapes = set()
    for key in range(20):
        out = pipe(image=im.Image(volume, "zyx"), boxes=boxes, key=key)
        assert out.boxes.visibility.tolist() == [1.0]
        np.testing.assert_allclose(out.boxes.array[0, 3:] - out.boxes.array[0, :3], [6, 10, 15])
        shapes.add(out.image.shape)
    assert len(shapes) > 10


def test_one_box_is_whole_in_a_window_each_as_often() -> None:
    boxes = im.Boxes([[2, 2, 12, 12], [60, 40, 75, 55]])
    pipe = im.Pipeline([im.BoxCrop((24, 30))], seed=2)
    whole = np.zeros(2)
    for key in range(200):
        out = pipe(image=IMAGE, boxes=boxes, key=key)
        assert out.image.shape == (24, 30)
        # They are too far apart for one window.
        assert out.boxes.visibility.tolist() == [1.0]
        whole[out.boxes.index] += 1
    assert stats.binomtest(int(whole[0]), 200).pvalue > 1e-3
    # A box that is longer than the window fills it.
    out = im.Pipeline([im.BoxCrop(10)], seed=2)(image=IMAGE, boxes=im.Boxes([[20, 20, 60, 50]]))
    assert out.boxes.array.tolist() == [[0, 0, 10, 10]]


def test_a_crop_near_a_box_moves_each_edge() -> None:
    boxes = im.Boxes([[20, 10, 60, 40]])
    out = im.Pipeline([im.NearBoxCrop(0.1)], seed=2)(image=IMAGE, boxes=boxes)
    np.testing.assert_array_equal(out.image, IMAGE[7:43, 16:64])
    assert im.Pipeline([im.NearBoxCrop({"x": -0.25})], seed=2)(image=IMAGE, boxes=boxes).image.shape == (30, 20)
    drawn = many(im.NearBoxCrop((-0.25, 0.25)), 1000, boxes=boxes)
    start, stop = column(drawn, "start.x"), column(drawn, "start.x") + column(drawn, "size.x")
    # A quarter of 40 pixels either way, each edge on its own.
    assert (start.min(), start.max(), stop.min(), stop.max()) == (10, 30, 50, 70)
    assert abs(np.corrcoef(start, stop)[0, 1]) < 0.1
    assert stats.kstest((start - 10) / 20, "uniform").statistic < 0.06


def iou(part: Any, box: Any) -> float:
    """By counting pixels of a fine grid."""
    y, x = np.mgrid[0:60:0.5, 0:80:0.5] + 0.25
    a, b = ((x > r[0]) & (x < r[2]) & (y > r[1]) & (y < r[3]) for r in (part, box))
    return float((a & b).sum() / (a | b).sum())


def test_an_iou_crop_overlaps_as_was_drawn() -> None:
    drawn = many(im.IoUCrop(), 100, boxes=BOXES)
    assert set(column(drawn, "least")) >= {0, 0.1, 0.3, 0.5, 1}
    for one in drawn:
        y, x, height, width = (one[name] for name in ("start.y", "start.x", "size.y", "size.x"))
        if one["least"] == 1:
            assert (height, width) == SIDE
            continue
        assert 0.5 <= (width / 80) / (height / 60) <= 2
        assert min(height / 60, width / 80) >= 0.29
        part = (x, y, x + width, y + height)
        centred = [b for b in BOXES.array if x < (b[0] + b[2]) / 2 < x + width and y < (b[1] + b[3]) / 2 < y + height]
        assert max(iou(part, box) for box in centred) >= one["least"] - 0.02


# ------------------------------------------------------------------------------------------- labels


MASK = np.zeros(SIDE, np.uint8)
MASK[5:9, 5:15] = 1
MASK[40:50, 60:75] = 2
MASK[55, 3] = 255


def test_windows_are_around_the_foreground_as_often_as_was_said() -> None:
    drawn = many(im.LabelCrop(9, positive=0.25), 1000, mask=MASK)
    assert stats.binomtest(int(column(drawn, "label").sum()), 1000, 0.25).pvalue > 1e-3
    pipe = im.Pipeline([im.LabelCrop(9, ignore=255)], seed=1)
    seen = [pipe(image=IMAGE, mask=MASK, key=key).mask for key in range(100)]
    assert all(((mask > 0) & (mask < 255)).any() for mask in seen)
    # Of 40 and 150 pixels, each as often.
    middle = np.array([mask[4, 4] for mask in seen if mask[4, 4]])
    assert stats.binomtest(int((middle == 2).sum()), len(middle), 150 / 190).pvalue > 1e-3


def test_labels_are_drawn_by_their_weights() -> None:
    drawn = many(im.LabelCrop(5, labels={0: 1, 1: 2, 2: 5, 7: 9}), 1000, mask=MASK)
    seen = [int((column(drawn, "label") == label).sum()) for label in (0, 1, 2)]
    assert stats.chisquare(seen, [125, 250, 625]).pvalue > 1e-3
    pipe = im.Pipeline([im.LabelCrop(4, labels={1: 1}, lies="random")], seed=1)
    where = [np.argwhere(pipe(image=IMAGE, mask=MASK, key=key).mask == 1) for key in range(50)]
    assert all(map(len, where))
    assert {tuple(places.min(axis=0)) for places in where} > {(0, 0)}


def test_the_label_drawn_is_in_the_middle_behind_other_geometry_in_volumes_too() -> None:
    labels = np.zeros((10, 40, 40), np.uint8)
    labels[3:8, 8:14, 20:28], labels[1:4, 30:36, 5:9] = 1, 2
    given = {"image": im.Image(labels.astype(np.float32), "zyx"), "mask": im.Mask(labels, "zyx")}
    for label in (1, 2):
        crop = im.LabelCrop((4, 8, 8), labels={label: 1})
        pipe = im.Pipeline([im.Rotate((-40, 40)), im.Flip("z"), crop, im.Flip("y")], seed=4)
        for key in range(12):
            out = pipe(key=key, **given)
            assert out.mask.shape == (4, 8, 8)
            start = out.applied[2].values
            if 0 < start["start.z"] < 6 and 0 < start["start.y"] < 32 and 0 < start["start.x"] < 32:
                assert out.mask[2, 3, 4] == label


def test_what_padding_hides_is_not_there() -> None:
    """The foreground is cut off, and padding makes the frame as large as it was."""
    hidden = [im.Crop(box=(0, 0, 30, 50)), im.Pad((0, 0, 30, 30))]
    pipe = im.Pipeline([*hidden, im.LabelCrop(8, labels={1: 1, 2: 1})], seed=1)
    assert {pipe(image=IMAGE, mask=MASK, key=key).applied[2].values["label"] for key in range(20)} == {1}
    out = im.Pipeline([*hidden, im.ForegroundCrop()], seed=1)(image=IMAGE, mask=MASK)
    assert out.image.shape == (4, 10)
    square = im.Pipeline([*hidden, im.SquareCrop(0)], seed=1)(image=IMAGE, mask=MASK)
    assert square.mask.any()


def test_pixels_are_drawn_by_their_weights() -> None:
    weights = np.zeros(SIDE, np.int32)
    weights[10, 10], weights[20, 30], weights[50, 70] = 1, 3, 6
    drawn = many(im.WeightedCrop(5), 1000, weights=im.Mask(weights))
    seen = [int((column(drawn, "start.y") == y).sum()) for y in (8, 18, 48)]
    assert sum(seen) == 1000
    assert stats.chisquare(seen, [100, 300, 600]).pvalue > 1e-3
    with pytest.raises(im.InputError, match="weights of at least 0"):
        im.Pipeline([im.WeightedCrop(5)], seed=0)(image=IMAGE, weights=im.Mask(weights - 1))


def test_the_foreground_of_a_mask_or_an_image_is_left() -> None:
    out = im.Pipeline([im.ForegroundCrop({"x": 2}), im.Flip("x")], seed=0)(image=IMAGE, mask=MASK)
    np.testing.assert_array_equal(out.image, IMAGE[5:56, 1:77][:, ::-1])
    scan = np.zeros((10, 20, 30), np.float32)
    scan[2:7, 4:9, 5:25] = -3
    scan[3:6, 5:8, 10:20] = 7
    image = im.Image(scan, "zyx")
    assert im.Pipeline([im.ForegroundCrop(1, above=0)], seed=0)(image=image).image.shape == (5, 5, 12)
    # Colour drawn before does not matter: the image is read as it came in.
    darker = im.Pipeline([im.GainOffset(1, -100), im.ForegroundCrop(above=0)], seed=0)(image=image)
    assert darker.image.shape == (3, 3, 10)


# ------------------------------------------------------------------------------------------- nothing to go by


@pytest.mark.parametrize(
    ("transform", "missing", "empty", "shape"),
    [
        (im.BoxSafeCrop(), "boxes", NONE, SIDE),
        (im.NearBoxCrop(), "boxes", NONE, SIDE),
        (im.IoUCrop(), "boxes", NONE, SIDE),
        (im.BoxCrop(16), "boxes", NONE, (16, 16)),
        (im.LabelCrop(16), "mask", np.zeros_like(MASK), (16, 16)),
        (im.ForegroundCrop(), "mask", np.zeros_like(MASK), SIDE),
        (im.WeightedCrop(16, of="mask"), "mask", np.zeros_like(MASK), (16, 16)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, im.Transform) else "",
)
def test_nothing_to_go_by_is_an_error_and_an_empty_one_is_not(
    transform: Any, missing: str, empty: Any, shape: tuple[int, int]
) -> None:
    name = type(transform).__name__
    pipe = im.Pipeline([transform], seed=0)
    with pytest.raises(im.InputError, match=f"expected {missing} for {name} to go by, got none; pass {missing}="):
        pipe(IMAGE)
    found = pipe(image=IMAGE, key=3, **{missing: empty})
    assert found.image.shape == shape
    # What the error says works, and gives the same: explain and lint know sizes alone.
    described = transform.to_dict()
    described[name]["missing"] = "ignore"
    again = im.Pipeline.from_dict({"imagemill": 1, "seed": 0, "transforms": [described]})
    ignored = again(image=IMAGE, key=3).image
    # An empty mask still says where the background is.
    assert ignored.shape == shape
    if not isinstance(transform, im.LabelCrop):
        np.testing.assert_array_equal(ignored, found.image)
    assert name in pipe.explain(SIDE)
    # An image that the transform is not chosen for needs nothing.
    never = im.Pipeline.from_dict(
        {"imagemill": 1, "seed": 0, "transforms": [{name: {**transform.to_dict()[name], "p": 0.0}}]}
    )
    np.testing.assert_array_equal(never(IMAGE), IMAGE)


def test_each_sample_of_a_batch_goes_by_its_own() -> None:
    masks = [np.roll(MASK, 7 * i, axis=1) if i % 3 else np.zeros_like(MASK) for i in range(6)]
    boxes = [NONE if i % 2 else im.Boxes([[5 * i, 4, 5 * i + 20, 30]]) for i in range(6)]
    steps = [im.BoxSafeCrop(p=0.7), im.Rotate((-10, 10)), im.LabelCrop(8), im.Resize(12)]
    # The crop by boxes may leave less than the window: bring it to a size first.
    pipe = im.Pipeline([steps[0], im.Resize(40), *steps[1:]], seed=8)
    batch = pipe.batch([IMAGE] * 6, mask=masks, boxes=boxes, keys=range(6))
    for row in range(6):
        alone = pipe(image=IMAGE, mask=masks[row], boxes=boxes[row], key=row)
        np.testing.assert_array_equal(batch.image[row], alone.image)
        np.testing.assert_array_equal(batch.mask[row], alone.mask)
        again = pipe.replay(alone.recipe, image=IMAGE, mask=masks[row], boxes=boxes[row])
        np.testing.assert_array_equal(again.image, alone.image)


def test_photos_of_files_are_decoded_before_a_crop_that_reads_them(tmp_path: Path) -> None:
    photo = np.zeros((96, 128, 3), np.uint8)
    photo[32:64, 40:100] = 200
    for name in ("a", "b"):
        im.write_picture(tmp_path / "cat" / f"{name}.jpg", im.Picture(photo, "yxc"))
    pipe = im.Pipeline([im.ForegroundCrop(above=100), im.Resize((16, 30))], seed=1)
    loader = im.Loader(im.open_source(tmp_path), pipe, batch_size=2, shuffle=False)
    (batch,) = list(loader)
    found = np.asarray(batch.image)
    assert found.shape[:3] == (2, 16, 30)
    assert found.min() > 150
