"""Filters, noise and hidden parts as declarations: what they refuse, what files keep, and what happens to targets."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.testing import label_map, picture
from imagemill.testing.derived import needed
from imagemill.testing.each import APART, BY_HAND, example_of
from imagemill.transforms import filter as filters
from imagemill.transforms import noise, occlusion, quality, weather
from imagemill.transforms.base import required
from imagemill.transforms.reading import from_dict

SHAPE = (40, 50)


def run(transform: im.Transform, image: Any, *, seed: int = 1, **how: Any) -> Any:
    return im.Pipeline([transform], seed=seed)(image, key=0, **how)


def test_the_rooms_hold_all_that_runs_apart() -> None:
    rooms = {getattr(room, name) for room in (filters, noise, occlusion, quality, weather) for name in room.__all__}
    assert rooms <= set(APART)
    assert {cls.__module__.split(".")[2] for cls in set(APART) - rooms} <= {"adapting", "medical"}


@pytest.mark.parametrize("cls", APART, ids=lambda cls: cls.__name__)
def test_files_give_back_an_equal_transform_and_leave_out_defaults(cls: type[im.Transform]) -> None:
    given = needed(cls) if cls not in BY_HAND else {name: getattr(example_of(cls), name) for name in required(cls)}
    assert set(cls(**given).to_dict()[cls.__name__]) == set(given)
    for transform in (cls(**given), example_of(cls), cls(**given, p=0.25)):
        assert from_dict(json.loads(json.dumps(transform.to_dict()))) == transform


REFUSED = [
    (lambda: im.GaussianBlur(-0.1), r"GaussianBlur\(sigma=\.\.\.\) within 0\.\.100, got -0\.1"),
    (lambda: im.GaussianBlur((0, 101)), r"within 0\.\.100, got 0\.\.101"),
    (lambda: im.GaussianBlur({"q": 1}), r"name axes out of z, y and x"),
    (lambda: im.GaussianBlur(1, unit="mm"), r"one of 'pixels', 'millimetres', got 'mm'"),
    (lambda: im.BoxBlur(0.5), r"within 1\.\.200, got 0\.5"),
    (lambda: im.BoxBlur(201), r"within 1\.\.200, got 201"),
    (lambda: im.MedianBlur(4), r"MedianBlur\(size=\.\.\.\) to be an odd whole number or a Choice of them, got 4"),
    (lambda: im.MedianBlur((3, 5)), r"a Choice of them, got 3\.\.5; write Choice\(\[3, 5, 7\]\)"),
    (lambda: im.MedianBlur(im.Choice([3, 4])), r"odd whole number"),
    (lambda: im.MedianBlur(101), r"within 1\.\.99 pixels, got 101"),
    (lambda: im.MedianBlur(3, axes="yy"), r"name axes out of z, y, x"),
    (lambda: im.MotionBlur(-1), r"within 0\.\.60 pixels"),
    (lambda: im.MotionBlur(61), r"within 0\.\.60 pixels"),
    (lambda: im.MotionBlur(5, 361), r"within -360\.\.360 degrees"),
    (lambda: im.DefocusBlur(0), r"within 0\.1\.\.30 pixels"),
    (lambda: im.DefocusBlur(31), r"within 0\.1\.\.30 pixels"),
    (lambda: im.ZoomBlur(0.9), r"within 1\.\.3"),
    (lambda: im.ZoomBlur(3.1), r"within 1\.\.3"),
    (lambda: im.ZoomBlur(1.1, steps=1), r"a whole number of at least 2, got 1"),
    (lambda: im.ZoomBlur(1.1, steps=65), r"64 at most, got 65"),
    (lambda: im.Sharpen(-0.1), r"within 0\.\.20"),
    (lambda: im.Sharpen(21), r"within 0\.\.20"),
    (lambda: im.UnsharpMask(-1), r"UnsharpMask\(amount=\.\.\.\) within 0\.\.10"),
    (lambda: im.UnsharpMask(1, -1), r"sigma=\.\.\.\) within 0\.\.100"),
    (lambda: im.UnsharpMask(1, 1, 2), r"threshold=\.\.\.\) within 0\.\.1"),
    (lambda: im.Emboss(-1), r"strength=\.\.\.\) within 0\.\.10"),
    (lambda: im.AutoContrast(0.5), r"cut=\.\.\.\) within 0\.\.0\.49"),
    (lambda: im.AutoContrast(-0.1), r"cut=\.\.\.\) within 0\.\.0\.49"),
    (lambda: im.Posterize(0), r"bits=\.\.\.\) within 1\.\.8 bits"),
    (lambda: im.Posterize(9), r"bits=\.\.\.\) within 1\.\.8 bits"),
    (lambda: im.Posterize(2.5), r"a whole number, a pair"),
    (lambda: im.Solarize(1.1), r"threshold=\.\.\.\) within 0\.\.1"),
    (lambda: im.Solarize(-0.1), r"threshold=\.\.\.\) within 0\.\.1"),
    (lambda: im.Sepia(1.1), r"strength=\.\.\.\) within 0\.\.1"),
    (lambda: im.ChannelShift(1.1), r"shift=\.\.\.\) within -1\.\.1"),
    (lambda: im.ColorTemperature(1600), r"kelvin=\.\.\.\) within 1700\.\.25000 kelvin"),
    (lambda: im.ColorTemperature(26_000), r"kelvin=\.\.\.\) within 1700\.\.25000 kelvin"),
    (lambda: im.ToneCurve(0.34), r"shadows=\.\.\.\) within -0\.333333\.\.0\.333333"),
    (lambda: im.ToneCurve(0, -0.34), r"lights=\.\.\.\) within -0\.333333\.\.0\.333333"),
    (lambda: im.CLAHE(0), r"limit=\.\.\.\) above 0"),
    (lambda: im.CLAHE(1001), r"limit=\.\.\.\) within"),
    (lambda: im.CLAHE(2, tiles=0), r"tiles=\.\.\.\) to be a whole number of at least 1, got 0"),
    (lambda: im.CLAHE(2, tiles=65), r"tiles=\.\.\.\) of 64 at most"),
    (lambda: im.CLAHE(2, tiles=(2, 2, 2)), r"hold 1, 2 whole numbers"),
    (lambda: im.GaussianNoise(-0.1), r"std=\.\.\.\) within 0\.\.1000"),
    (lambda: im.GaussianNoise(0.1, per_channel=1), r"per_channel=\.\.\.\) to be one of"),
    (lambda: im.SpeckleNoise(11), r"within 0\.\.10"),
    (lambda: im.ShotNoise(0.5), r"within 1\.\.1e\+06 photons"),
    (lambda: im.ShotNoise(2e6), r"within 1\.\.1e\+06 photons"),
    (lambda: im.ISONoise(colour=1.1), r"colour=\.\.\.\) within 0\.\.1"),
    (lambda: im.ISONoise(shot=-1), r"shot=\.\.\.\) within 0\.\.10"),
    (lambda: im.SaltAndPepper(1.1), r"amount=\.\.\.\) within 0\.\.1"),
    (lambda: im.SaltAndPepper(0.1, -0.1), r"salt=\.\.\.\) within 0\.\.1"),
    (lambda: im.PixelDropout(1.1), r"share=\.\.\.\) within 0\.\.1"),
    (lambda: im.PixelDropout(0.1, per_channel=True, mask_fill=0), r"without per_channel, got mask_fill=0"),
    (lambda: im.Erasing(1.1), r"area=\.\.\.\) within 0\.\.1"),
    (lambda: im.Erasing(0.1, 0), r"aspect=\.\.\.\) above 0"),
    (lambda: im.Erasing(0.1, fill="black"), r"fill=\.\.\.\) to be 'mean', 'noise', a value or one for each"),
    (lambda: im.Erasing(0.1, fill=[]), r"hold at least one number"),
    (lambda: im.Erasing(0.1, mask_fill=0.5), r"mask_fill=\.\.\.\) to be a whole number"),
    (
        lambda: im.CoarseDropout(1.5),
        r"holes=\.\.\.\) to be a whole number, a pair of them or a Choice of them, got 1\.5",
    ),
    (lambda: im.CoarseDropout((1, 2.5)), r"got 1\.\.2\.5; write \(1, 2\), for example"),
    (lambda: im.CoarseDropout(im.Normal(3, 1)), r"to be a whole number, a pair"),
    (lambda: im.CoarseDropout(1, 1.5), r"size=\.\.\.\) within 0\.\.1"),
    (lambda: im.GridMask(0.01), r"cell=\.\.\.\) within 0\.02\.\.1"),
    (lambda: im.GridMask(0.1, 1.1), r"ratio=\.\.\.\) within 0\.\.1"),
    (lambda: im.ChannelDropout(0.5), r"channels=\.\.\.\) to be a whole number"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_refused_when_made(make: Any, message: str) -> None:
    with pytest.raises(im.ParameterError, match=message):
        make()


def test_refused_when_it_meets_an_image() -> None:
    with pytest.raises(
        im.ParameterError, match=r"Erasing\(fill=\.\.\.\) to hold 1 or 3 values.*got 2; give one for each"
    ):
        run(im.Erasing(0.2, fill=[1, 2]), picture(1, SHAPE, 3))
    with pytest.raises(im.InputError, match="one of the axes y, x, got 'z'"):
        run(im.GaussianBlur({"z": 1}), picture(1, SHAPE, 3))


def test_whole_numbers_of_a_pair_are_equally_likely() -> None:
    pipe = im.Pipeline([im.CoarseDropout((1, 4), 0.1)], seed=1)
    batch = pipe.batch(np.zeros((2000, 4, 4), np.uint8), keys=range(2000))
    counts = np.bincount([int(applied[0].values["holes"]) for applied in batch.applied])
    assert counts[0] == 0
    assert len(counts) == 5
    assert counts[1:].min() > 430


@pytest.mark.parametrize("fill", [9, (9,), (1, 2, 3), "mean", "noise"])
def test_what_stands_in_a_hole(fill: Any) -> None:
    image = picture(1, SHAPE, 3)
    made = run(im.Erasing(0.25, 1, fill=fill), image)
    hidden = (made != image).any(axis=-1)
    rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
    hole = made[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert abs(len(rows) - 22) <= 1  # a square of a quarter of 40 x 50
    assert abs(len(columns) - 22) <= 1
    if fill == "noise":
        assert len(np.unique(hole)) > 150
        assert (hole[..., 0] != hole[..., 1]).any()
        return
    wanted = image.reshape(-1, 3).mean(axis=0).round() if fill == "mean" else np.resize(fill, 3)
    np.testing.assert_array_equal(hole, np.broadcast_to(wanted, hole.shape))


def test_a_hole_lies_within_the_image_and_gets_everywhere() -> None:
    seen = np.zeros(SHAPE, int)
    pipe = im.Pipeline([im.Erasing(0.1, (0.5, 2), fill=1)], seed=1)
    for key in range(300):
        hole = pipe(np.zeros(SHAPE, np.uint8), key=key)
        assert int(hole.sum()) == pytest.approx(200, rel=0.2)
        seen += hole
    assert seen.any(axis=1).all()
    assert seen.any(axis=0).all()


def test_long_rectangles_are_cut_at_the_side() -> None:
    made = run(im.Erasing(0.5, 100, fill=1), np.zeros(SHAPE, np.uint8))
    assert made.any(axis=0).all()
    assert made.any(axis=1).sum() == 3


def test_as_many_holes_as_were_drawn() -> None:
    pipe = im.Pipeline([im.CoarseDropout(im.Choice([0, 6]), 0.2, fill=1)], seed=1)
    batch = pipe.batch(np.zeros((40, 20, 20), np.uint8), keys=range(40))
    drawn = [applied[0].values["holes"] for applied in batch.applied]
    assert {0, 6} == set(drawn)
    for count, image in zip(drawn, batch.image, strict=True):
        assert (count == 0) == (not image.any())


def test_holes_of_one_axis_go_all_through() -> None:
    made = run(im.CoarseDropout(1, {"y": 0.2}, fill=1), np.zeros(SHAPE, np.uint8))
    np.testing.assert_array_equal(made, made[:, :1].repeat(50, axis=1))
    assert made[:, 0].sum() == 8


def test_a_grid_hides_its_ratio_squared_whatever_way_it_is_turned() -> None:
    for degrees in (0, 30, 90):
        image = np.zeros((200, 260), np.uint8)
        assert run(im.GridMask(0.1, 0.5, degrees, fill=1), image).mean() == pytest.approx(0.25, abs=0.02)
    straight, turned = (run(im.GridMask(0.1, 0.5, d, fill=1), np.zeros((60, 60), np.uint8)) for d in (0, 90))
    np.testing.assert_array_equal(np.rot90(straight), turned)


HIDING = [
    im.Erasing(0.3, 1, mask_fill=5, hide_keypoints=True),
    im.CoarseDropout(4, 0.3, mask_fill=5, hide_keypoints=True),
    im.GridMask(0.3, 0.5, 20, mask_fill=5, hide_keypoints=True),
]


@pytest.mark.parametrize("transform", HIDING, ids=lambda t: type(t).__name__)
def test_masks_and_keypoints_know_what_is_hidden_where_they_are_told(transform: im.Transform) -> None:
    image, mask = np.ones(SHAPE, np.uint8), np.ones(SHAPE, np.uint8)
    y, x = np.mgrid[0:40:3, 0:50:3].reshape(2, -1)
    points = im.Keypoints(np.stack([x, y], axis=1))
    boxes = im.Boxes([[4, 4, 14, 12]])
    made = run(transform, image, mask=mask, keypoints=points, boxes=boxes)
    hidden = made.image == 0
    assert 0.05 < hidden.mean() < 0.7
    np.testing.assert_array_equal(made.mask, np.where(hidden, 5, 1))
    np.testing.assert_array_equal(made.keypoints.visible, ~hidden[y, x])
    np.testing.assert_array_equal(made.boxes.array, boxes.array)
    plain = dataclasses.replace(transform, mask_fill=None, hide_keypoints=False)  # type: ignore[call-arg]
    kept = run(plain, image, mask=mask, keypoints=points)
    np.testing.assert_array_equal(kept.image, made.image)
    np.testing.assert_array_equal(kept.mask, mask)
    assert kept.keypoints.visible.all()


def test_instance_masks_are_filled_too_and_what_was_not_chosen_is_not() -> None:
    masks = im.Instances(np.ones((2, *SHAPE), bool))
    transform = im.Erasing(0.3, 1, mask_fill=1)
    made = im.Pipeline([transform], seed=1)(image=np.ones(SHAPE, np.uint8), masks=masks, key=0)
    hidden = made.image == 0
    np.testing.assert_array_equal(made.masks.array[0], ~hidden)
    never = im.Pipeline([im.Erasing(0.3, 1, mask_fill=0, hide_keypoints=True, p=0)], seed=1)
    points = im.Keypoints([[10, 10], [30, 30]])
    same = never(image=np.ones(SHAPE, np.uint8), mask=np.ones(SHAPE, np.uint8), keypoints=points, key=0)
    assert same.image.all()
    assert same.mask.all()
    assert same.keypoints.visible.all()


def test_blur_leaves_label_maps_alone() -> None:
    mask = label_map(1, SHAPE)
    for transform in (
        im.GaussianBlur(3),
        im.MedianBlur(5),
        im.Equalize(),
        im.GaussianNoise(0.3),
        im.SaltAndPepper(0.5),
    ):
        np.testing.assert_array_equal(run(transform, picture(1, SHAPE, 3), mask=mask).mask, mask)


@pytest.mark.parametrize("cls", [im.Equalize, im.AutoContrast, im.CLAHE, im.Posterize, im.Solarize])
def test_levels_behind_a_normalisation_are_found(cls: type[im.Transform]) -> None:
    found = im.Pipeline([im.Normalize("imagenet"), cls()], seed=1).lint()
    assert [cls.__name__ in finding.message for finding in found if finding.level != "info"][:1] == [True]
    # Noise has a meaning there: a share of one deviation.
    assert not im.Pipeline([im.Normalize("imagenet"), im.GaussianNoise(0.1)], seed=1).lint()


def test_channels_are_dropped_and_shuffled() -> None:
    image = picture(1, SHAPE, 3)
    kept = [run(im.ChannelDropout(1, fill=7), image, seed=s) for s in range(30)]
    lost = [np.flatnonzero((made == 7).all(axis=(0, 1))).tolist() for made in kept]
    assert {tuple(one) for one in lost} == {(0,), (1,), (2,)}
    for made, (gone,) in zip(kept, lost, strict=True):
        np.testing.assert_array_equal(np.delete(made, gone, axis=2), np.delete(image, gone, axis=2))
    assert (run(im.ChannelDropout(9), image) > 0).any(axis=(0, 1)).sum() == 1
    gray = picture(1, SHAPE)
    np.testing.assert_array_equal(run(im.ChannelDropout(1), gray), gray)
    orders = {tuple(run(im.ChannelShuffle(), np.array([[[1, 2, 3]]], np.uint8), seed=s).ravel()) for s in range(60)}
    assert len(orders) == 6
    rgba = picture(1, SHAPE, 4)
    np.testing.assert_array_equal(run(im.ChannelShuffle(), rgba)[..., 3], rgba[..., 3])
