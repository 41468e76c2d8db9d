"""What a generator draws, learns and warns of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.compat.keras import (
    ImageDataGenerator,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from tests.compat.keras_legacy import legacy

PICTURES = np.random.default_rng(0).integers(0, 256, (24, 12, 16, 3), dtype=np.uint8)


def drawn(count: int = 400, shape: tuple[int, ...] = (20, 40, 3), **settings: Any) -> dict[str, np.ndarray]:
    generator = ImageDataGenerator(**settings)
    rows = [generator.get_random_transform(shape, seed=k) for k in range(count)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def test_nothing_asked_for_changes_nothing() -> None:
    row = ImageDataGenerator().get_random_transform((8, 8, 3))
    assert row == {
        "theta": 0,
        "tx": 0,
        "ty": 0,
        "shear": 0,
        "zx": 1,
        "zy": 1,
        "flip_horizontal": False,
        "flip_vertical": False,
        "channel_shift_intensity": None,
        "brightness": None,
    }


def test_ranges_are_filled_and_kept() -> None:
    found = drawn(
        rotation_range=30,
        shear_range=10,
        zoom_range=(0.5, 0.7),
        channel_shift_range=9.0,
        brightness_range=(0.5, 0.6),
        horizontal_flip=True,
        vertical_flip=True,
    )
    for name, low, high in (
        ("theta", -30, 30),
        ("shear", -10, 10),
        ("zx", 0.5, 0.7),
        ("zy", 0.5, 0.7),
        ("channel_shift_intensity", -9, 9),
        ("brightness", 0.5, 0.6),
    ):
        values, width = found[name].astype(float), high - low
        assert low <= values.min() < low + 0.05 * width
        assert high - 0.05 * width < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 0.1 * width
    assert not np.array_equal(found["zx"], found["zy"])
    for name in ("flip_horizontal", "flip_vertical"):
        assert 0.4 < found[name].mean() < 0.6


def test_a_share_is_of_the_length_it_moves_along() -> None:
    found = drawn(width_shift_range=0.25, height_shift_range=0.1)
    assert 9 < np.abs(found["tx"]).max() <= 10
    assert 1.9 < np.abs(found["ty"]).max() <= 2
    swapped = drawn(width_shift_range=0.25, height_shift_range=0.1, exact=True)
    assert 9 < np.abs(swapped["ty"]).max() <= 10
    assert 1.9 < np.abs(swapped["tx"]).max() <= 2


def test_numbers_above_one_are_pixels_and_lists_are_chosen_from() -> None:
    assert 4.9 < np.abs(drawn(width_shift_range=5.0)["tx"]).max() <= 5
    assert set(drawn(width_shift_range=3)["tx"]) == {-2, -1, 0, 1, 2}
    assert set(drawn(height_shift_range=[3, 7])["ty"]) == {-7, -3, 3, 7}
    assert set(drawn(height_shift_range=[0.1, 0.5])["ty"].round(6)) == {-10, -2, 2, 10}


def test_width_goes_across_and_height_goes_down() -> None:
    x = np.zeros((1, 11, 11, 1), np.float32)
    x[0, 5, 5] = 1
    across = ImageDataGenerator(width_shift_range=[2], fill_mode="constant").flow(x, shuffle=False, seed=1)
    down = ImageDataGenerator(height_shift_range=[2], fill_mode="constant").flow(x, shuffle=False, seed=1)
    assert {tuple(np.argwhere(next(across)[0, ..., 0])[0]) for _ in range(20)} == {(5, 3), (5, 7)}
    assert {tuple(np.argwhere(next(down)[0, ..., 0])[0]) for _ in range(20)} == {(3, 5), (7, 5)}


def test_a_seed_repeats_and_no_seed_does_not() -> None:
    generator = ImageDataGenerator(rotation_range=90)
    first, second = (generator.get_random_transform((8, 8, 3), seed=5) for _ in range(2))
    assert first == second
    assert generator.get_random_transform((8, 8, 3)) != generator.get_random_transform((8, 8, 3))
    np.testing.assert_array_equal(
        generator.random_transform(PICTURES[0], seed=3), generator.random_transform(PICTURES[0], seed=3)
    )


def test_switching_one_parameter_on_leaves_the_others_as_they_were() -> None:
    small = ImageDataGenerator(rotation_range=90).get_random_transform((8, 8, 3), seed=2)
    large = ImageDataGenerator(rotation_range=90, zoom_range=0.2, brightness_range=(1, 2), horizontal_flip=True)
    assert large.get_random_transform((8, 8, 3), seed=2)["theta"] == small["theta"]


def test_a_batch_is_what_its_pictures_are_one_by_one() -> None:
    settings: dict[str, Any] = {
        "rotation_range": 20,
        "shear_range": 5,
        "zoom_range": 0.2,
        "horizontal_flip": True,
        "channel_shift_range": 20.0,
        "brightness_range": (0.7, 1.2),
        "rescale": 1 / 255,
        "samplewise_center": True,
        "samplewise_std_normalization": True,
        "fill_mode": "constant",
        "cval": 9.0,
    }
    generator = ImageDataGenerator(**settings)
    batch, _ = generator.augmented(PICTURES, range(24), epoch=2, seed=7)
    parameters = generator._ranges.draw(7, 2, range(24), (12, 16), exact=False)
    for i, x in enumerate(PICTURES):
        alone = generator.standardize(generator.apply_transform(x.astype(np.float32), parameters.row(i)))
        np.testing.assert_allclose(batch[i], alone, atol=1e-5)


@pytest.mark.parametrize("mode", ["nearest", "constant", "wrap"])
@pytest.mark.parametrize("side", [20, 90])
def test_bytes_and_floats_give_the_same_pictures_whatever_their_size(side: int, mode: str) -> None:
    x = np.random.default_rng(3).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    generator = ImageDataGenerator(rotation_range=30, rescale=1 / 255, fill_mode=mode, cval=255)
    (a, _), (b, _) = (generator.augmented(v, range(3), seed=1) for v in (x, x.astype(np.float32)))
    np.testing.assert_allclose(a, b, atol=1e-6)
    plain, _ = ImageDataGenerator(rotation_range=30, fill_mode=mode, cval=255).augmented(x, range(3), seed=1)
    np.testing.assert_allclose(a, plain / 255, atol=1e-6)


def test_channels_first_is_the_same_picture_turned() -> None:
    settings: dict[str, Any] = {"rotation_range": 20, "zoom_range": 0.2, "brightness_range": (0.7, 1.2)}
    last, _ = ImageDataGenerator(**settings, data_format="channels_last").augmented(PICTURES, range(24), seed=7)
    turned = np.moveaxis(PICTURES, -1, 1)
    first, _ = ImageDataGenerator(**settings, data_format="channels_first").augmented(turned, range(24), seed=7)
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), last)


# ------------------------------------------------------------------------------------------------- learning


def test_featurewise_numbers_and_their_use() -> None:
    generator = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True, rescale=0.5)
    generator.fit(PICTURES)
    half = PICTURES.astype(np.float64) / 2
    np.testing.assert_allclose(generator.mean, half.mean(axis=(0, 1, 2))[None, None], rtol=1e-6)
    np.testing.assert_allclose(generator.std, half.std(axis=(0, 1, 2))[None, None], rtol=1e-5)
    made = generator.standardize(PICTURES)
    np.testing.assert_allclose(made.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(made.std(axis=(0, 1, 2)), 1, atol=1e-5)


def test_whitened_pictures_are_uncorrelated() -> None:
    x = np.random.default_rng(0).normal(0, 1, (400, 3, 3, 1)).cumsum(axis=2)
    with pytest.warns(UserWarning, match="featurewise_center"):
        generator = ImageDataGenerator(zca_whitening=True, dtype="float64")
    generator.fit(x)
    flat = generator.standardize(x).reshape(400, -1)
    np.testing.assert_allclose(flat.T @ flat / 400, np.eye(9), atol=1e-6)
    with pytest.raises(ValueError, match="9 values"):
        generator.standardize(np.zeros((4, 4, 1)))


def test_learning_is_that_of_keras() -> None:
    theirs_module = legacy()
    x = PICTURES[:, :6, :6].astype(np.float32)
    for settings in (
        {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 1 / 255},
        {"featurewise_center": True, "zca_whitening": True, "zca_epsilon": 1e-2},
        {"samplewise_center": True, "samplewise_std_normalization": True},
    ):
        theirs, ours = theirs_module.ImageDataGenerator(**settings), ImageDataGenerator(**settings)
        theirs.fit(x)
        ours.fit(x)
        expected = np.stack([theirs.standardize(picture.copy()) for picture in x])
        np.testing.assert_allclose(ours.standardize(x), expected, atol=2e-3 if "zca_whitening" in settings else 1e-5)


def test_learning_from_transformed_pictures() -> None:
    generator = ImageDataGenerator(featurewise_center=True, vertical_flip=True, fill_mode="constant", zoom_range=(3, 3))
    generator.fit(PICTURES, augment=True, rounds=2, seed=4)
    # Most of a picture shrunk to a third is black.
    assert (generator.mean < 40).all()
    mean = generator.mean
    generator.fit(PICTURES, augment=True, rounds=2, seed=4)
    np.testing.assert_array_equal(generator.mean, mean)


def test_standardize_does_not_change_what_it_is_given() -> None:
    x = np.ones((4, 4, 1), np.float32)
    generator = ImageDataGenerator(rescale=0.5, preprocessing_function=lambda v: v + 1)
    assert generator.standardize(x).max() == 1
    assert (x == 1).all()


def test_the_function_sees_one_picture_at_a_time_after_the_transforms() -> None:
    seen: list[tuple[int, ...]] = []

    def look(x: np.ndarray) -> np.ndarray:
        seen.append(x.shape)
        return x * 0 + x.max()

    x, _ = ImageDataGenerator(preprocessing_function=look, rescale=0.5).augmented(PICTURES, range(24))
    assert seen == [(12, 16, 3)] * 24
    np.testing.assert_allclose(x[5], PICTURES[5].max() / 2)
    with pytest.raises(ValueError, match="keep the shape"):
        ImageDataGenerator(preprocessing_function=lambda v: v[:2]).augmented(PICTURES, range(24))


def test_errors_of_the_callers_function_name_the_picture(tmp_path: Path) -> None:
    def own(picture: Any) -> Any:
        if picture.max() == 77:
            raise ZeroDivisionError("my own mistake")
        return picture[:3] if picture.max() == 78 else picture

    generator = ImageDataGenerator(preprocessing_function=own)
    x = np.zeros((6, 4, 4, 3), np.float32)
    x[4] = 77
    with pytest.raises(ZeroDivisionError, match="my own mistake") as caught:
        next(generator.flow(x, batch_size=6, shuffle=False))
    assert caught.value.__notes__ == ["in preprocessing_function, called with picture 4"]
    x[4] = 78  # another shape, not in the first picture
    with pytest.raises(ValueError, match=r"to keep the shape \(4, 4, 3\), got \(3, 4, 3\) for picture 4"):
        next(generator.flow(x, batch_size=6, shuffle=False))
    for n in range(3):
        picture = np.full((4, 4, 3), 75 + n, np.uint8)
        im.write_picture(tmp_path / "a" / f"{n}.png", im.Picture(picture, "yxc"))
    with pytest.raises(ZeroDivisionError) as caught:
        next(generator.flow_from_directory(tmp_path, target_size=(4, 4), shuffle=False))
    assert caught.value.__notes__ == ["in preprocessing_function, called with picture a/2.png"]


# ------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"data_format": "first"}, "channels_last"),
        ({"validation_split": 1.0}, "between 0 and 1"),
        ({"validation_split": -0.1}, "between 0 and 1"),
        ({"zoom_range": (1, 2, 3)}, "zoom_range"),
        ({"zoom_range": "wide"}, "zoom_range"),
        ({"brightness_range": 0.5}, "brightness_range"),
        ({"brightness_range": (1, 2, 3)}, "brightness_range"),
        ({"fill_mode": "edge"}, "fill_mode"),
        ({"interpolation_order": 6}, "interpolation_order"),
        ({"rotation_range": "10"}, "rotation_range"),
        ({"rotation_range": float("nan")}, "rotation_range"),
        ({"width_shift_range": "0.1"}, "width_shift_range"),
        ({"dtype": "uint8"}, "floating-point"),
        ({"dtype": "no"}, "dtype"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ImageDataGenerator(**settings)


@pytest.mark.parametrize(
    ("settings", "words", "on"),
    [
        ({"zca_whitening": True}, "featurewise_center is on", {"featurewise_center": True}),
        (
            {"zca_whitening": True, "featurewise_center": True, "featurewise_std_normalization": True},
            "featurewise_std_normalization is off",
            {"featurewise_std_normalization": False},
        ),
        ({"featurewise_std_normalization": True}, "featurewise_center is on", {"featurewise_center": True}),
        ({"samplewise_std_normalization": True}, "samplewise_center is on", {"samplewise_center": True}),
    ],
)
def test_settings_that_ask_for_others_say_so(settings: dict[str, Any], words: str, on: dict[str, bool]) -> None:
    with pytest.warns(UserWarning, match=words):
        generator = ImageDataGenerator(**settings)
    assert {name: getattr(generator, name) for name in on} == on


@pytest.mark.parametrize(
    "settings",
    [
        {"featurewise_center": True},
        {"featurewise_center": True, "featurewise_std_normalization": True},
        {"featurewise_center": True, "zca_whitening": True},
    ],
)
def test_a_normalisation_that_was_not_learned_says_so(settings: dict[str, bool]) -> None:
    generator = ImageDataGenerator(**settings)
    with pytest.warns(UserWarning, match=r"call fit\(pictures\)"):
        np.testing.assert_array_equal(generator.standardize(PICTURES[0]), PICTURES[0])


def test_what_cannot_be_learned_from() -> None:
    generator = ImageDataGenerator(featurewise_center=True)
    with pytest.raises(ValueError, match="rank 4"):
        generator.fit(PICTURES[0])
    with pytest.raises(ValueError, match="at least one"):
        generator.fit(PICTURES[:0])
    with pytest.warns(UserWarning, match="1, 3 or 4 channels"):
        generator.fit(PICTURES[..., :2])


# ------------------------------------------------------------------------------------------------- functions


@pytest.mark.parametrize(
    "function",
    [
        lambda x, seed: random_rotation(x, 30, 0, 1, 2, seed=seed),
        lambda x, seed: random_shift(x, 0.4, 0.4, 0, 1, 2, seed=seed),
        lambda x, seed: random_shear(x, 30, 0, 1, 2, seed=seed),
        lambda x, seed: random_zoom(x, (0.5, 0.8), 0, 1, 2, seed=seed),
        lambda x, seed: random_channel_shift(x, 60, 2, seed=seed),
        lambda x, seed: random_brightness(x, (0.2, 0.6), seed=seed),
    ],
    ids=["rotation", "shift", "shear", "zoom", "channel_shift", "brightness"],
)
def test_random_functions_change_the_picture_and_repeat_with_a_seed(function: Any) -> None:
    x = PICTURES[0].astype(np.float32)
    first = function(x, 1)
    assert first.shape == x.shape
    assert not np.array_equal(first, x)
    np.testing.assert_array_equal(function(x, 1), first)
    assert not np.array_equal(function(x, 2), first)
    assert not np.array_equal(function(x, None), function(x, None))


def test_a_random_shift_goes_along_the_side_it_names() -> None:
    x = np.zeros((20, 40, 1), np.float32)
    x[10, 20] = 1
    for shares, axis in (((0.4, 0), 1), ((0, 0.4), 0)):
        places = {
            tuple(np.unravel_index(random_shift(x, *shares, 0, 1, 2, interpolation_order=0, seed=k).argmax(), (20, 40)))
            for k in range(60)
        }
        reach = {max(abs(place[a] - (10, 20)[a]) for place in places) for a in (axis,)}
        assert {place[1 - axis] for place in places} == {(10, 20)[1 - axis]}
        assert 0.3 * (20, 40)[axis] < reach.pop() <= 0.4 * (20, 40)[axis]


def test_random_functions_refuse_what_is_no_pair() -> None:
    with pytest.raises(ValueError, match="zoom_range"):
        random_zoom(PICTURES[0], (1, 2, 3))
    with pytest.raises(ValueError, match="brightness_range"):
        random_brightness(PICTURES[0], (1,))
