"""The vocabulary of Gluon: what each step stands for, alone and as one pipeline."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

import imagemill as im
from imagemill.compat.gluon import transforms as g
from imagemill.core.geometry import Frame

PHOTO = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_to_tensor_is_float32_channels_first_from_0_to_1() -> None:
    made = g.ToTensor()(PHOTO)
    assert (made.dtype, made.shape) == (np.float32, (3, 40, 60))
    np.testing.assert_allclose(made, np.moveaxis(PHOTO, -1, 0) / 255, atol=1e-7)
    batch = g.ToTensor()(np.stack([PHOTO, PHOTO]))
    np.testing.assert_array_equal(batch, [made, made])
    np.testing.assert_allclose(g.ToTensor()(PHOTO.astype(np.float32)), made, atol=1e-7)


def test_a_chain_is_one_pipeline_with_one_resample_and_one_colour_pass() -> None:
    chain = g.Compose(
        [
            g.RandomResizedCrop(20, scale=(0.1, 1), ratio=(0.5, 2)),
            g.RandomFlipLeftRight(),
            g.RandomFlipTopBottom(),
            g.RandomColorJitter(0.5, 0.5, 0.5, 0.5),
            g.RandomLighting(0.1),
            g.ToTensor(),
            g.Normalize((0.5, 0.4, 0.3), (0.2, 0.2, 0.3)),
        ],
        seed=1,
    )
    assert chain(PHOTO).shape == (3, 20, 20)
    frame = Frame.of(40, 60, channels=3)
    assert len(chain.pipeline.plan(chain.pipeline.draw(frame, [0])).steps) == 1
    assert len(chain) == 7


def test_normalisation_is_that_of_the_tensor() -> None:
    mean, std = np.array([0.5, 0.4, 0.3]), np.array([0.2, 0.25, 0.3])
    tensor = np.moveaxis(PHOTO, -1, 0) / 255
    expected = (tensor - mean[:, None, None]) / std[:, None, None]
    joined = g.Compose([g.ToTensor(), g.Normalize(mean, std)])(PHOTO)
    np.testing.assert_allclose(joined, expected, atol=1e-5)
    apart = g.Normalize(mean, std)(g.ToTensor()(PHOTO))
    np.testing.assert_allclose(apart, expected, atol=1e-5)


def test_an_epoch_of_draws_differs_and_a_seed_repeats_it() -> None:
    first, second = (g.Compose([g.RandomCrop(20)], seed=4) for _ in range(2))
    views = [first(PHOTO) for _ in range(6)]
    assert len({view.tobytes() for view in views}) > 3
    for view in views:
        np.testing.assert_array_equal(second(PHOTO), view)


def test_resize_is_that_of_opencv() -> None:
    made = g.Resize((33, 21))(PHOTO)
    assert made.shape == (21, 33, 3)
    assert np.abs(made.astype(int) - cv2.resize(PHOTO, (33, 21))).max() <= 1
    assert set(np.unique(g.Resize((33, 21), interpolation=0)(PHOTO // 128 * 9))) == {0, 9}


def test_the_shorter_side_gets_the_length() -> None:
    assert g.Resize(20, keep_ratio=True)(PHOTO).shape == (20, 30, 3)
    assert g.Resize(20, keep_ratio=True)(PHOTO.transpose(1, 0, 2)).shape == (30, 20, 3)
    assert g.Resize(20)(PHOTO).shape == (20, 20, 3)


def test_crops_are_pixels_of_the_picture() -> None:
    np.testing.assert_array_equal(g.CenterCrop((20, 10))(PHOTO), PHOTO[15:25, 20:40])
    np.testing.assert_array_equal(g.CropResize(3, 5, 8, 4)(PHOTO), PHOTO[5:9, 3:11])
    assert g.CropResize(3, 5, 8, 4, size=(16, 8))(PHOTO).shape == (8, 16, 3)
    places = np.arange(2400, dtype=np.float32).reshape(40, 60)
    crop = g.Compose([g.RandomCrop((20, 10))], seed=0)
    corners = set()
    for _ in range(300):
        view = crop(places)
        top, left = divmod(int(view[0, 0]), 60)
        np.testing.assert_array_equal(view, places[top : top + 10, left : left + 20])
        corners.add((top, left))
    assert {min(c[0] for c in corners), max(c[0] for c in corners)} == {0, 30}
    assert {min(c[1] for c in corners), max(c[1] for c in corners)} == {0, 40}


def test_padding_comes_before_the_random_crop() -> None:
    white = np.full((8, 8, 3), 255, np.uint8)
    crop = g.Compose([g.RandomCrop(8, pad=4)], seed=0)
    views = np.stack([crop(white) for _ in range(60)])
    assert views.shape == (60, 8, 8, 3)
    shares = (views[..., 0] == 255).mean(axis=(1, 2))
    assert shares.min() < 0.5 < shares.max()
    sided = g.Compose([g.RandomCrop((10, 8), pad=((0, 0), (2, 0)))], seed=0)(white)
    assert (sided[:, :2] == 0).all()
    assert (sided[:, 2:] == 255).all()


def test_a_picture_that_is_too_small_is_enlarged_in_proportion() -> None:
    # The largest part of 2 to 1 that 40 x 60 holds is 30 x 60.
    made = g.CenterCrop((120, 60))(PHOTO)
    expected = g.Resize((120, 60))(PHOTO[5:35])
    # Along its edge, the part is read together with the pixels that lie beside it in the picture.
    assert np.abs(made.astype(int) - expected)[1:-1].max() <= 1
    assert g.RandomCrop((100, 100))(PHOTO).shape == (100, 100, 3)


@pytest.mark.parametrize(
    ("step", "name", "ends"),
    [
        (g.RandomBrightness(0.4), "factor", (0.6, 1.4)),
        (g.RandomContrast(0.4), "factor", (0.6, 1.4)),
        (g.RandomSaturation(1.5), "factor", (0, 2.5)),
        (g.RandomHue(0.1), "degrees", (-36, 36)),
        (g.RandomHue(0.9), "degrees", (-180, 180)),
    ],
)
def test_ranges_about_one(step: Any, name: str, ends: tuple[float, float]) -> None:
    (transform,) = step.transforms
    assert getattr(transform, name).bounds == pytest.approx(ends)


def test_gray_flips_and_apply_are_drawn_by_their_probability() -> None:
    gray = g.Compose([g.RandomGray(p=0.5)], seed=0)
    found = [(view[..., 0] == view[..., 1]).all() for view in (gray(PHOTO) for _ in range(60))]
    assert 15 < sum(found) < 45
    np.testing.assert_array_equal(g.RandomFlipLeftRight(p=1)(PHOTO), PHOTO[:, ::-1])
    np.testing.assert_array_equal(g.RandomFlipTopBottom(p=1)(PHOTO), PHOTO[::-1])
    both = g.Compose([g.RandomApply([g.RandomFlipLeftRight(p=1), g.RandomFlipTopBottom(p=1)], p=0.5)], seed=0)
    views = [both(PHOTO) for _ in range(60)]
    kept = sum(np.array_equal(view, PHOTO) for view in views)
    assert kept + sum(np.array_equal(view, PHOTO[::-1, ::-1]) for view in views) == 60
    assert 15 < kept < 45


def test_turns_leave_black_or_no_black_or_lose_no_corner() -> None:
    white = np.full((31, 31, 1), 255, np.uint8)
    plain, near, far = (
        g.Rotate(45, zoom_in=a, zoom_out=b)(white) for a, b in ((False, False), (True, False), (False, True))
    )
    assert plain[0, 0, 0] == 0
    assert near.min() == 255
    # A square of side s turned by 45 degrees fills half of the frame that holds it.
    assert abs((far > 127).mean() - 0.5) < 0.05
    limits = g.RandomRotation((-10, 20), rotate_with_proba=0.5).transforms[0]
    assert (limits.degrees.bounds, limits.p) == ((-10, 20), 0.5)
    tensor = np.moveaxis(PHOTO, -1, 0).astype(np.float32)
    np.testing.assert_allclose(g.Rotate(90)(tensor[:, :, :40]), np.rot90(tensor[:, :, :40], axes=(1, 2)), atol=1e-3)


def test_labels_beside_the_picture_stay() -> None:
    pairs = g.transform_first([(PHOTO, 3), (PHOTO, 4)], g.Compose([g.CenterCrop(4), g.ToTensor()]))
    assert [(x.shape, y) for x, y in (pairs[i] for i in range(len(pairs)))] == [((3, 4, 4), 3), ((3, 4, 4), 4)]
    assert [y for _, y in pairs[0:2]] == [3, 4]
    assert g.transform_first([PHOTO], g.CenterCrop(4))[0].shape == (4, 4, 3)
    x, y = g.CenterCrop(4)(PHOTO, 7)
    assert (x.shape, y) == ((4, 4, 3), 7)


def test_functions_and_transforms_of_ours_may_stand_between() -> None:
    chain = g.Compose([g.CenterCrop(4), lambda x: x // 2, im.Invert(), g.Compose([g.ToTensor()])])
    expected = (255 - PHOTO[18:22, 28:32] // 2) / 255
    np.testing.assert_allclose(chain(PHOTO), np.moveaxis(expected, -1, 0), atol=1e-6)
    with pytest.raises(ValueError, match="a function among them"):
        _ = chain.pipeline
    assert g.HybridCompose is g.Compose


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: g.Compose(3), "list of steps"),
        (lambda: g.Compose([3]), "list of steps"),
        (lambda: g.Resize(0)(PHOTO), "size"),
        (lambda: g.Resize((1, 2, 3))(PHOTO), "size"),
        (lambda: g.Resize(4, interpolation=7)(PHOTO), "interpolation"),
        (lambda: g.RandomBrightness(-1)(PHOTO), "brightness"),
        (lambda: g.RandomLighting("much")(PHOTO), "alpha"),
        (lambda: g.RandomCrop(4, pad="all")(PHOTO), "pad"),
        (lambda: g.RandomRotation((0, 1), zoom_in=True, zoom_out=True)(PHOTO), "choose one"),
        (lambda: g.RandomApply([len])(PHOTO), "a function"),
        (lambda: g.ToTensor()(np.zeros(3)), "rank 2 or 3"),
    ],
)
def test_wrong_arguments_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
