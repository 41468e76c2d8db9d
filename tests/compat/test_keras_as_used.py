"""What programs written for the interface lean on: default axes, words of errors, settings that mislead."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from scipy import ndimage

import imagemill as im
from imagemill.compat.keras import (
    ImageDataGenerator,
    Iterator,
    apply_affine_transform,
    apply_brightness_shift,
    load_img,
    random_brightness,
)

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("channel_axis", [2, -1])
def test_the_axes_follow_from_that_of_the_channels(channel_axis: int) -> None:
    x = RNG.uniform(0, 255, (7, 9, 3))
    # scipy's own: columns move by two, rows by one, both against the direction of the numbers.
    expected = np.stack([ndimage.shift(x[..., c], (-1, -2), order=1, mode="nearest") for c in range(3)], -1)
    made = apply_affine_transform(x, tx=2, ty=1, channel_axis=channel_axis)
    np.testing.assert_allclose(made, expected, atol=1e-9)
    first = apply_affine_transform(np.moveaxis(x, -1, 0), tx=2, ty=1)
    np.testing.assert_allclose(np.moveaxis(first, 0, -1), expected, atol=1e-9)


def test_a_quarter_turn_with_the_channels_last_and_nothing_else_said() -> None:
    x = RNG.uniform(0, 255, (6, 6, 3))
    np.testing.assert_allclose(apply_affine_transform(x, theta=90, channel_axis=2), np.rot90(x), atol=1e-9)


@pytest.mark.parametrize(
    "axes", [{"row_axis": 2}, {"row_axis": 1, "channel_axis": 1}, {"channel_axis": 3}, {"col_axis": 0}]
)
def test_axes_that_contradict_are_refused(axes: dict[str, int]) -> None:
    contradicts = {"row_axis": 2, "col_axis": 2} if axes == {"row_axis": 2} else axes
    with pytest.raises(ValueError, match="axes"):
        apply_affine_transform(np.zeros((4, 4, 3)), theta=9, **contradicts)


def test_an_iterator_over_nothing_is_empty() -> None:
    assert len(Iterator(0, 0, False, 0)) == 0
    with pytest.raises(ValueError, match="at least 1"):
        Iterator(5, 0, False, 0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda g: g.flow((np.zeros((4, 8, 8, 3)), [np.zeros(3)])), "All of the arrays in `x` should have the same"),
        (
            lambda g: g.flow(np.zeros((4, 8, 8, 3)), np.zeros(3)),
            r"`x` \(images tensor\) and `y` \(labels\) should have",
        ),
        (lambda g: g.flow(np.zeros((4, 8, 8, 3)), sample_weight=[1]), r"\(images tensor\) and `sample_weight` should"),
        (lambda g: g.flow(np.zeros((4, 8, 8))), "should have rank 4"),
        (lambda g: g.flow(np.zeros((4, 8, 8, 3)), np.arange(4), subset="training"), "different number of classes"),
        (lambda g: g.flow(np.zeros((4, 8, 8, 3)), subset="test"), "Invalid subset name"),
        (lambda g: g.flow(np.zeros((4, 8, 8, 3)))[1], "Asked to retrieve element 1"),
        (lambda g: g.fit(np.zeros((8, 8, 3))), "should have rank 4"),
        (lambda _: ImageDataGenerator(validation_split=2), "must be strictly between 0 and 1"),
        (lambda _: ImageDataGenerator(zoom_range=(1, 2, 3)), "`zoom_range` should be a"),
        (lambda _: ImageDataGenerator(brightness_range=(1, 2, 3)), "should be tuple or list of two floats"),
        (lambda _: ImageDataGenerator(data_format="nchw"), "`data_format` should be"),
        (lambda g: g.flow_from_directory(".", class_mode="one"), "Invalid class_mode"),
        (lambda g: g.flow_from_directory(".", color_mode="cmyk"), "Invalid color mode"),
        (lambda _: apply_brightness_shift(np.zeros((8, 10, 5)), 2), "Unsupported channel number"),
    ],
)
def test_errors_have_the_words_that_programs_look_for(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(ImageDataGenerator(validation_split=0.25))


def test_brightness_finds_the_channels_where_there_is_no_doubt() -> None:
    x = RNG.integers(0, 256, (3, 8, 10)).astype(np.float32)
    expected = np.floor(x * 0.5)
    np.testing.assert_array_equal(apply_brightness_shift(x, 0.5, scale=False), expected)
    np.testing.assert_array_equal(random_brightness(x, (0.5, 0.5), scale=False), expected)
    generator = ImageDataGenerator(brightness_range=(0.5, 0.5), data_format="channels_first")
    np.testing.assert_array_equal(generator.random_transform(x), expected)
    np.testing.assert_array_equal(next(generator.flow(x[None], batch_size=1))[0], expected)


# ------------------------------------------------------------------------------------------- said once


@pytest.mark.parametrize("name", ["width_shift_range", "height_shift_range"])
def test_two_values_are_a_choice_and_the_advice_is_a_range(name: str) -> None:
    with pytest.warns(UserWarning, match=rf"choice of these two.*write {name}=200.0"):
        chosen = ImageDataGenerator(**{name: [-200, 200]})
    along = "tx" if name.startswith("width") else "ty"
    assert {abs(chosen.get_random_transform((500, 500, 3), seed=k)[along]) for k in range(20)} == {200}
    ranged = ImageDataGenerator(**{name: 200.0})
    found = {abs(ranged.get_random_transform((500, 500, 3), seed=k)[along]) for k in range(20)}
    assert len(found) == 20
    assert max(found) <= 200
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ImageDataGenerator(**{name: [1, 2, 4]})
        ImageDataGenerator(**{name: [2, 5]})
        ImageDataGenerator(**{name: 5})


def test_brightness_of_pictures_from_0_to_1_is_said_once() -> None:
    x = RNG.uniform(0, 1, (6, 8, 8, 3)).astype(np.float32)
    generator = ImageDataGenerator(brightness_range=(0.9, 1.1))
    batches = generator.flow(x, batch_size=2, seed=1)
    with pytest.warns(UserWarning, match="come out black"):
        first = next(batches)
    assert first.max() <= 1  # as in Keras, and what the warning is about
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        next(batches)
        # Followed, the advice helps.
        advised = ImageDataGenerator(brightness_range=(0.9, 1.1), rescale=1 / 255)
        assert next(advised.flow(x * 255, batch_size=2, seed=1)).mean() > 0.4


def test_16_bits_as_colours_are_said(tmp_path: Path) -> None:
    deep = RNG.integers(0, 301, (5, 6)).astype(np.uint16)
    deep[0, 0] = 300
    PillowImage.fromarray(deep).save(tmp_path / "deep.png")
    with pytest.warns(UserWarning, match="color_mode='grayscale' keeps"):
        assert np.asarray(load_img(tmp_path / "deep.png")).max() == 255
    np.testing.assert_array_equal(np.asarray(load_img(tmp_path / "deep.png", "grayscale")), deep)
    dim = np.minimum(deep, 255)
    PillowImage.fromarray(dim).save(tmp_path / "dim.png")
    np.testing.assert_array_equal(np.asarray(load_img(tmp_path / "dim.png"))[..., 0], dim)


# ------------------------------------------------------------------------------------------- to_pipeline


def halved(x: Any) -> Any:
    return x / 2


@pytest.mark.parametrize(
    "settings",
    [
        {"samplewise_center": True},
        {"samplewise_center": True, "samplewise_std_normalization": True},
        {"featurewise_center": True},
        {"featurewise_center": True, "featurewise_std_normalization": True},
        {"preprocessing_function": halved},
        {"preprocessing_function": halved, "rescale": 1 / 255, "featurewise_center": True, "samplewise_center": True},
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_pipeline_carries_what_the_generator_does_in_the_end(settings: dict[str, Any], dtype: Any) -> None:
    x = RNG.integers(0, 256, (5, 8, 9, 3)).astype(dtype)
    generator = ImageDataGenerator(**settings)
    if "featurewise_center" in settings:
        generator.fit(x)
    expected = generator.standardize(x.astype(np.float32))
    made = generator.to_pipeline(seed=1).batch(x).image
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-4)


def test_a_function_gets_the_axes_that_the_generator_gives() -> None:
    def first_channel_black(x: Any) -> Any:
        x[0] = 0
        return x

    x = RNG.integers(0, 256, (2, 3, 8, 9)).astype(np.float32)
    generator = ImageDataGenerator(preprocessing_function=first_channel_black, data_format="channels_first")
    made = generator.to_pipeline(seed=1).batch(np.moveaxis(x, 1, -1)).image
    assert (made[..., 0] == 0).all()
    np.testing.assert_array_equal(made[..., 1:], np.moveaxis(x, 1, -1)[..., 1:])


def test_what_a_pipeline_cannot_carry_is_refused_by_name() -> None:
    with pytest.warns(UserWarning, match="featurewise_center"):
        whitening = ImageDataGenerator(zca_whitening=True)
    with pytest.raises(ValueError, match="zca_whitening"):
        whitening.to_pipeline()
    for name in ("featurewise_center", "featurewise_std_normalization"):
        generator = ImageDataGenerator(**{"featurewise_center": True, name: True})
        with pytest.raises(ValueError, match=r"featurewise_.*fit\(pictures\) first"):
            generator.to_pipeline()
        generator.fit(np.zeros((2, 4, 4, 3)))
        assert isinstance(generator.to_pipeline(), im.Pipeline)
