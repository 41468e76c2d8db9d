"""Curves, tints and lights, against other sources."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import imagemill as im
from imagemill.testing import picture
from imagemill.transforms.colour.color_temperature import chromaticity, gains

PHOTO = picture(1, (12, 15), 3)


def run(transform, image, **how):
    return im.Pipeline([transform], seed=1, backend="reference")(image, key=0, **how)


def planck(kelvin: float) -> tuple[float, float]:
    """Chromaticity of a black body by Planck's law and the analytic colour matching functions of Wyman, Sloan and
    Shirley (2013), "Simple analytic approximations to the CIE XYZ color matching functions", JCGT 2(2)."""
    nm = np.arange(380.0, 781.0)

    def lobe(at, below, above):
        return np.exp(-0.5 * ((nm - at) * np.where(nm < at, below, above)) ** 2)

    x = 0.362 * lobe(442.0, 0.0624, 0.0374) + 1.056 * lobe(599.8, 0.0264, 0.0323) - 0.065 * lobe(501.1, 0.0490, 0.0382)
    y = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    z = 1.217 * lobe(437.0, 0.0845, 0.0278) + 0.681 * lobe(459.0, 0.0385, 0.0725)
    light = nm**-5.0 / np.expm1(1.438777e7 / (nm * kelvin))
    total = [(light * part).sum() for part in (x, y, z)]
    return total[0] / sum(total), total[1] / sum(total)


@pytest.mark.parametrize("kelvin", [1800.0, 2500, 3900, 4100, 6500, 12_000, 24_000])
def test_chromaticities_are_those_of_plancks_law(kelvin):
    x, y = chromaticity(np.array([kelvin]))
    assert (x[0], y[0]) == pytest.approx(planck(kelvin), abs=0.005)


def test_daylight_changes_nothing_and_white_keeps_its_luma():
    np.testing.assert_array_equal(run(im.ColorTemperature(6500), PHOTO), PHOTO)
    warm, cold = gains(np.array([3000.0, 12_000.0]))
    assert warm[0] > 1.1 > 0.8 > warm[2]
    assert cold[2] > 1.1 > cold[0]
    np.testing.assert_allclose([g @ [0.299, 0.587, 0.114] for g in (warm, cold)], 1)
    gray = picture(1, (12, 15))
    np.testing.assert_array_equal(run(im.ColorTemperature(3000), gray), gray)
    with pytest.raises(im.ParameterError, match="ColorTemperature to get 3 colour channels"):
        run(im.ColorTemperature(3000), np.zeros((4, 4, 2)), axes="yxc")


def test_sepia_is_a_matrix_that_is_blended_in():
    matrix = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    wanted = cv2.transform(PHOTO, matrix)
    assert np.abs(run(im.Sepia(1.0), PHOTO).astype(int) - wanted).max() <= 1
    np.testing.assert_array_equal(run(im.Sepia(0.0), PHOTO), PHOTO)
    half = np.clip(PHOTO / 2 + PHOTO @ matrix.T / 2, 0, 255)
    assert np.abs(run(im.Sepia(0.5), PHOTO) - half).max() <= 0.501


def test_channels_shift_by_shares_of_white_each_by_itself():
    made = run(im.ChannelShift((-0.2, 0.2)), np.full((4, 4, 3), 0.5))
    assert len(np.unique(made)) == 3
    assert np.abs(made - 0.5).max() <= 0.2
    np.testing.assert_array_equal(run(im.ChannelShift(-0.2), np.full((2, 2), 100, np.uint8)), 49)


def test_a_tone_curve_rises_everywhere_and_keeps_black_and_white():
    ramp = np.linspace(0, 1, 1001)[None]
    for shadows in (-1 / 3, 0, 1 / 3):
        for lights in (-1 / 3, 0, 1 / 3):
            made = run(im.ToneCurve(shadows, lights), ramp)
            assert (np.diff(made) > -1e-12).all()
            np.testing.assert_allclose(made[0, [0, -1]], [0, 1], atol=1e-12)
    np.testing.assert_allclose(run(im.ToneCurve(0, 0), ramp), ramp, atol=1e-12)
    t = 0.25
    by_hand = 3 * t * (1 - t) ** 2 * (1 / 3 + 0.1) + 3 * t**2 * (1 - t) * (2 / 3 - 0.2) + t**3
    np.testing.assert_allclose(run(im.ToneCurve(0.1, -0.2), np.array([[t]])), [[by_hand]])
    with pytest.warns(UserWarning, match="ToneCurve takes 1 for white"):
        np.testing.assert_allclose(run(im.ToneCurve(0.1, 0.1), np.array([[-0.5, 1.5]])), [[-0.5, 1.5]])
