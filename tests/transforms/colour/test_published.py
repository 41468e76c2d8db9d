"""Against what others compute: Pillow's enhancers and the standard library's YIQ."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from imagemill.transforms.colour import Brightness, Contrast, Hue, Invert, Saturation
from tests.transforms.colour.meaning import picture, run

FACTORS = [0.0, 0.4, 0.9, 1.0, 1.3, 2.0]


def level(x):
    return np.clip(x, 0, 255)


@pytest.mark.parametrize("factor", [0.4, 0.9, 1.0, 1.3, 2.0])
def test_brightness_is_pillows(factor):
    x = picture(3, shape=(40, 50))
    theirs = np.asarray(ImageEnhance.Brightness(Image.fromarray(x)).enhance(factor))
    assert np.abs(level(run(Brightness(factor), x)) - theirs).max() <= 1


@pytest.mark.parametrize("factor", FACTORS)
def test_saturation_is_pillows(factor):
    x = picture(3, shape=(40, 50))
    theirs = np.asarray(ImageEnhance.Color(Image.fromarray(x)).enhance(factor))
    # One level from truncating the result, and one from rounding luma, scaled.
    assert np.abs(level(run(Saturation(factor), x)) - theirs).max() <= 1 + abs(1 - factor)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("channels", [1, 3])
def test_contrast_is_pillows(factor, channels):
    x = picture(channels, shape=(40, 50)) // 2 + 30
    image = Image.fromarray(x[..., 0] if channels == 1 else x)
    theirs = np.asarray(ImageEnhance.Contrast(image).enhance(factor)).reshape(x.shape)
    # Pillow rounds the mean to a whole level and truncates the result.
    assert np.abs(level(run(Contrast(factor), x)) - theirs).max() <= 1 + abs(1 - factor)


def test_invert_is_pillows():
    x = picture(3)
    np.testing.assert_array_equal(run(Invert(), x), np.asarray(ImageOps.invert(Image.fromarray(x))))


@pytest.mark.parametrize("degrees", [-180, -100, -30, 15, 60, 120])
def test_hue_turns_the_chroma_of_colorsys(degrees):
    rng = np.random.default_rng(3)
    for rgb in 0.35 + 0.3 * rng.random((30, 3)):
        y0, i0, q0 = colorsys.rgb_to_yiq(*rgb)
        y1, i1, q1 = colorsys.rgb_to_yiq(*run(Hue(degrees), rgb[None, None, :])[0, 0])
        # colorsys has luma weights of two digits; the difference stays below a hundredth of the chroma.
        chroma = np.hypot(i0, q0)
        turned = (i0 + 1j * q0) * np.exp(-1j * np.deg2rad(degrees))
        assert abs((i1 + 1j * q1) - turned) < 0.01 * chroma + 1e-3
        assert abs(y1 - y0) < 0.01 * chroma + 1e-3
