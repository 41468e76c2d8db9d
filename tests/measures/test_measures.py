"""Measures against images drawn with known truth: what is done to an image is what its measure says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

import imagemill as im
from imagemill.measures.catalogue import MEASURES, measured
from imagemill.measures.centre_of_mass import centre_of_mass
from imagemill.measures.colour_cast import colour_cast
from imagemill.measures.edge_sharpness import edge_sharpness
from imagemill.measures.gray_values import as_gray, as_shares, check_values
from imagemill.measures.noise_level import noise_level
from imagemill.measures.object_polarity import object_polarity
from imagemill.measures.object_size import object_size
from imagemill.measures.object_weights import background, object_weights
from imagemill.measures.principal_axis import principal_axis, unwrapped
from imagemill.measures.stroke_width import stroke_width
from tests.evaluate.drawn import bar, blurred

few = settings(max_examples=25, deadline=None)


def weights(*images: np.ndarray) -> np.ndarray:
    return object_weights(np.stack(images))


@few
@given(st.floats(-12, 12), st.floats(-12, 12))
def test_a_shift_by_so_many_pixels_moves_the_position_by_as_many(down: float, right: float) -> None:
    before, after = centre_of_mass(weights(bar(), bar(at=(down, right)))) * 64
    np.testing.assert_allclose(after - before, [down, right], atol=0.1)


def test_positions_are_those_of_scipy_and_whole_shifts_are_exact() -> None:
    image = bar(at=(3, -5), degrees=20)
    found = weights(image)
    theirs = np.array(ndimage.center_of_mass(found[0]))
    np.testing.assert_allclose(centre_of_mass(found)[0] * 64, theirs + 0.5 - 32, atol=1e-9)
    moved = im.Pipeline([im.Shift(pixels={"x": 3}, whole=True)], seed=0)((image * 255).astype(np.uint8))
    first, second = centre_of_mass(weights((image * 255).astype(np.uint8) / 255, np.asarray(moved) / 255))
    np.testing.assert_allclose((second - first) * 64, [0, 3], atol=1e-9)


@few
@given(st.floats(0.5, 2.0), st.floats(-60, 60))
def test_a_zoom_scales_size_and_stroke_width_by_its_factor(factor: float, degrees: float) -> None:
    drawn = weights(bar(degrees=degrees), bar(length=24 * factor, width=8 * factor, degrees=degrees))
    for measure in (object_size, stroke_width):
        before, after = measure(drawn)
        assert after / before == pytest.approx(factor, rel=0.06)


def test_zoom_of_imagemill_by_1_2_is_measured_as_1_2() -> None:
    image = (bar() * 255).astype(np.uint8)
    zoomed = np.asarray(im.Pipeline([im.Zoom(1.2)], seed=0)(image))
    before, after = object_size(weights(image / 255, zoomed / 255))
    assert after / before == pytest.approx(1.2, rel=0.02)


def test_the_size_of_a_rectangle_is_what_the_integral_says() -> None:
    drawn = weights(bar(length=30, width=12))
    assert object_size(drawn)[0] * 64 == pytest.approx(np.sqrt((30**2 + 12**2) / 12), rel=0.02)


def test_the_stroke_width_of_a_long_bar_is_its_width() -> None:
    # Twice the area over the perimeter: 2 * 48 * 4 / (2 * 52).
    assert stroke_width(weights(bar(length=48, width=4)))[0] * 64 == pytest.approx(2 * 48 * 4 / 104, rel=0.05)


@few
@given(st.floats(-89, 89), st.floats(-40, 40))
def test_a_turn_turns_the_principal_axis_by_as_much(start: float, turn: float) -> None:
    before, after = principal_axis(weights(bar(degrees=start), bar(degrees=start + turn)))
    assert unwrapped(np.array([after]), before + turn)[0] - before == pytest.approx(turn, abs=0.5)


def test_rotate_of_imagemill_turns_the_axis_the_same_way_and_a_round_object_has_none() -> None:
    image = (bar() * 255).astype(np.uint8)
    turned = np.asarray(im.Pipeline([im.Rotate(25)], seed=0)(image))
    before, after, none = principal_axis(weights(image / 255, turned / 255, bar(length=16, width=16)))
    assert after - before == pytest.approx(25, abs=0.5)
    assert np.isnan(none)


@few
@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_polarity_is_the_sign_of_light_less_dark_and_inverting_turns_it(light: float, dark: float) -> None:
    if abs(light - dark) < 0.02:
        return
    image = bar(light=light, dark=dark)
    found = object_polarity(weights(image, 1 - image))
    assert found.tolist() == [np.sign(light - dark), -np.sign(light - dark)]
    assert background(image[None])[0] == pytest.approx(dark)


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_blur_lowers_sharpness_monotonically_and_contrast_does_not(noise: float) -> None:
    image = bar(degrees=15) + noise * np.random.default_rng(0).standard_normal((64, 64))
    falling = edge_sharpness(np.stack([image, *(blurred(image, sigma) for sigma in (0.5, 1, 1.5, 2, 3, 4))]))
    assert (np.diff(falling) < -0.005).all(), falling
    dim = edge_sharpness(np.stack([image, image * 0.3 + 0.1]))
    assert dim[0] == pytest.approx(dim[1], rel=1e-6)


def test_sharpness_ranks_images_as_the_metric_of_scikit_image_does() -> None:
    skimage = pytest.importorskip("skimage.measure")
    images = [blurred(bar(degrees=d, width=w), s) for d in (0, 30) for w in (4, 10) for s in (0.3, 1, 2, 3)]
    theirs = [1 - skimage.blur_effect(image) for image in images]
    assert stats.spearmanr(edge_sharpness(np.stack(images)), theirs).statistic > 0.9


@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.1])
@pytest.mark.parametrize("degrees", [0, 33])
def test_the_sigma_of_noise_is_recovered_within_a_tenth(sigma: float, degrees: float) -> None:
    draws = np.random.default_rng(1)
    noisy = bar(degrees=degrees)[None] + sigma * draws.standard_normal((20, 64, 64))
    assert noise_level(noisy).mean() == pytest.approx(sigma, rel=0.1)


def test_an_image_without_noise_has_none_however_many_edges() -> None:
    assert noise_level(np.stack([bar(), blurred(bar(degrees=10), 2)])).max() < 1e-3


def test_brightness_and_contrast_are_mean_and_deviation_and_follow_a_gain() -> None:
    image = (bar() * 255).astype(np.uint8)[None, ..., None]
    dark = np.asarray(im.Pipeline([im.Brightness(0.5)], seed=0).batch(image).image)
    before, after = measured(image), measured(dark)
    assert before["brightness"][0] == pytest.approx(image.mean() / 255)
    assert before["contrast"][0] == pytest.approx(image.std() / 255)
    for name in ("brightness", "contrast"):
        assert after[name][0] / before[name][0] == pytest.approx(0.5, rel=0.02)


def test_gains_of_channels_are_read_as_stops() -> None:
    shares = np.random.default_rng(0).uniform(0.2, 0.4, (3, 8, 8, 3))
    apart = colour_cast(shares * [2, 1, 0.25]) - colour_cast(shares)
    np.testing.assert_allclose(apart, [[1, -2]] * 3, atol=1e-9)
    assert np.isnan(colour_cast(np.zeros((1, 4, 4, 3)))).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_measures_are_the_same_for_every_type_of_image(dtype: type) -> None:
    peak = 1.0 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
    images = np.stack([bar(degrees=20), bar(at=(3, 4), light=0.5)])[..., None]
    coarse = np.round(images * 255) / 255
    found, true = measured((coarse * peak).round(0 if peak > 1 else 6).astype(dtype)), measured(coarse)
    assert list(found) == [m.name for m in MEASURES if m.reads != "shares"]
    for name, values in found.items():
        np.testing.assert_allclose(values, true[name], rtol=1e-3, atol=1e-3, err_msg=name)


def test_a_constant_image_has_no_object_and_says_so_with_nan() -> None:
    found = measured(np.full((2, 8, 8, 3), 90, np.uint8))
    without = {name for name, values in found.items() if np.isnan(values).all()}
    assert without == {
        "polarity", "size", "turn", "position y", "position x", "contrast", "stroke width", "sharpness",
    }  # fmt: skip
    assert found["brightness"].tolist() == pytest.approx([90 / 255] * 2)


def test_images_are_measured_alone_whatever_their_company_and_alpha_is_left_out() -> None:
    images = np.random.default_rng(3).integers(0, 255, (5, 12, 10, 4)).astype(np.uint8)
    together, alone = measured(images), [measured(images[i : i + 1]) for i in range(5)]
    for name, values in together.items():
        np.testing.assert_allclose(values, np.concatenate([one[name] for one in alone]), rtol=1e-9)
    opaque = images.copy()
    opaque[..., 3] = 255
    np.testing.assert_array_equal(measured(opaque)["brightness"], together["brightness"])
    assert as_gray(as_shares(images)).shape == (5, 12, 10)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.full((1, 4, 4, 1), np.nan), "finite values in all wild images, got NaN or infinity in 1 of 1"),
        (np.full((1, 4, 4, 1), 255.0), "from 0 to 1, got 255 to 255"),
        (np.zeros((1, 4, 4, 1), np.int16), "unsigned integers or floating point, got int16"),
        (np.zeros((1, 4, 4, 1), bool), "got bool"),
        (np.zeros((1, 2, 4, 1), np.uint8), "3 x 3 pixels or more, got 2 x 4"),
    ],
)
def test_what_no_measure_understands_is_refused(images: np.ndarray, said: str) -> None:
    with pytest.raises(im.InputError, match=said):
        check_values(images, "wild")
