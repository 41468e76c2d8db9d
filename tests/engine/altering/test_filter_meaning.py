"""What filters mean, against scipy, Pillow, OpenCV and small sums."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import scipy.ndimage as ndi
from PIL import Image as Pil
from PIL import ImageEnhance, ImageFilter, ImageOps

import imagemill as im
from imagemill.testing import picture

SHAPE = (31, 40)
FLOAT = picture(1, SHAPE, 3, np.float64)
BYTES = picture(2, SHAPE, 3, noise=True)
GRAY = np.ascontiguousarray(BYTES[..., 0])


def run(transform: im.Transform, image: Any, backend: str = "reference", **how: Any) -> Any:
    return im.Pipeline([transform], seed=1, backend=backend)(image, **how)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.6])
def test_gaussian_is_scipys(sigma: float) -> None:
    wanted = ndi.gaussian_filter(FLOAT, (sigma, sigma, 0), mode="mirror")
    np.testing.assert_allclose(run(im.GaussianBlur(sigma), FLOAT), wanted, atol=1e-12)


def test_gaussian_of_volumes_is_in_slices_or_in_millimetres() -> None:
    volume = picture(3, (9, 12, 14), None, np.float64)
    scan = im.Image(volume, "zyx", spacing=(3.0, 1.0, 0.5))
    flat = ndi.gaussian_filter(volume, (0, 1.2, 1.2), mode="mirror")
    np.testing.assert_allclose(run(im.GaussianBlur(1.2), scan), flat, atol=1e-12)
    solid = ndi.gaussian_filter(volume, (0.4, 1.2, 2.4), mode="mirror")
    np.testing.assert_allclose(run(im.GaussianBlur(1.2, unit="millimetres"), scan), solid, atol=1e-12)
    named = ndi.gaussian_filter(volume, (1.5, 0, 0), mode="mirror")
    np.testing.assert_allclose(run(im.GaussianBlur({"z": 1.5}), scan), named, atol=1e-12)


@pytest.mark.parametrize("width", [1, 3, 7])
def test_box_is_scipys(width: int) -> None:
    wanted = ndi.uniform_filter(FLOAT, (width, width, 1), mode="mirror")
    np.testing.assert_allclose(run(im.BoxBlur(width), FLOAT), wanted, atol=1e-12)


def test_box_between_whole_widths_counts_its_rim_in_part() -> None:
    kernel = np.array([0.25, 1, 1, 1, 0.25]) / 3.5
    wanted = ndi.correlate1d(FLOAT, kernel, axis=1, mode="mirror")
    np.testing.assert_allclose(run(im.BoxBlur({"x": 3.5}), FLOAT), wanted, atol=1e-12)


@pytest.mark.parametrize("size", [3, 5, 9])
def test_median_is_scipys_and_opencvs(size: int) -> None:
    wanted = ndi.median_filter(BYTES, (size, size, 1), mode="nearest")
    np.testing.assert_array_equal(run(im.MedianBlur(size), BYTES), wanted)
    np.testing.assert_array_equal(cv2.medianBlur(BYTES, size), wanted)


def test_median_of_cubes() -> None:
    volume = picture(3, (7, 8, 9), None, np.uint8, noise=True)
    wanted = ndi.median_filter(volume, 3, mode="nearest")
    np.testing.assert_array_equal(run(im.MedianBlur(3, axes="zyx"), volume, axes="zyx"), wanted)


def test_motion_runs_along_its_direction() -> None:
    dot = np.zeros((21, 21))
    dot[10, 10] = 1
    wanted = [0, 0.125, 0.25, 0.25, 0.25, 0.125, 0]
    np.testing.assert_allclose(run(im.MotionBlur(4, 0), dot)[10, 7:14], wanted, atol=1e-3)
    np.testing.assert_allclose(run(im.MotionBlur(4, 90), dot)[7:14, 10], wanted, atol=1e-3)
    up = run(im.MotionBlur(5, 45), dot)
    assert up[9, 11] == pytest.approx(up[11, 9])
    assert up[9, 11] > 0.1 > up[9, 9]
    for made in (up, run(im.MotionBlur(7.3, 20), dot)):
        assert made.sum() == pytest.approx(1)


def test_defocus_is_the_share_of_a_disc() -> None:
    dot = np.zeros((11, 11))
    dot[5, 5] = 1
    made = run(im.DefocusBlur(3.2), dot)
    fine = (np.arange(-5.5, 5.5, 1 / 32) + 1 / 64)[:, None]
    disc = (fine**2 + fine.T**2 <= 3.2**2).reshape(11, 32, 11, 32).mean(axis=(1, 3))
    np.testing.assert_allclose(made, disc / disc.sum(), atol=3e-4)
    np.testing.assert_array_equal(run(im.DefocusBlur(0.5), dot), dot)


def test_zoom_blur_is_the_mean_of_zooms() -> None:
    views = [run(im.Zoom(z), FLOAT) for z in (1.0, 1.2, 1.4)]
    np.testing.assert_allclose(run(im.ZoomBlur(1.4, steps=3), FLOAT), np.mean(views, axis=0), atol=1e-9)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 2.0, 3.5])
def test_sharpen_is_pillows(factor: float) -> None:
    wanted = np.asarray(ImageEnhance.Sharpness(Pil.fromarray(BYTES)).enhance(factor)).astype(int)
    found = run(im.Sharpen(factor), BYTES).astype(int)
    # Pillow rounds the smooth image, cuts the result, and leaves the outermost pixels as they are.
    assert np.abs(found - wanted)[1:-1, 1:-1].max() <= 1 + factor / 2


def test_unsharp_mask_with_a_threshold_by_hand() -> None:
    soft = ndi.gaussian_filter(FLOAT, (1.5, 1.5, 0), mode="mirror")
    detail = FLOAT - soft
    wanted = FLOAT + 0.7 * np.where(np.abs(detail) >= 0.02, detail, 0)
    assert 0.05 < (np.abs(detail) >= 0.02).mean() < 0.95
    np.testing.assert_allclose(run(im.UnsharpMask(0.7, 1.5, 0.02), FLOAT), wanted, atol=1e-12)
    pil = np.asarray(Pil.fromarray(BYTES).filter(ImageFilter.UnsharpMask(1.5, 70, 0))).astype(int)
    # Pillow's Gaussian is three boxes.
    assert np.abs(run(im.UnsharpMask(0.7, 1.5), BYTES) - pil)[6:-6, 6:-6].mean() < 1.5


def test_emboss_is_lit_from_its_side() -> None:
    hill = np.zeros((15, 15))
    hill[5:10, 5:10] = 1
    lit = run(im.Emboss(0.2, 90), hill) - hill
    assert lit[5, 7] > 0 > lit[9, 7]
    assert lit[7, 5] == pytest.approx(0)
    left = run(im.Emboss(0.2, 180), hill) - hill
    assert left[7, 5] > 0 > left[7, 9]


def test_equalize_is_opencvs_channel_by_channel() -> None:
    narrow = (BYTES // 3 + 40).astype(np.uint8)
    for c in range(3):
        wanted = cv2.equalizeHist(np.ascontiguousarray(narrow[..., c])).astype(int)
        assert np.abs(run(im.Equalize(), narrow)[..., c] - wanted).max() <= 1
    np.testing.assert_array_equal(run(im.Equalize(), np.full((4, 5), 7, np.uint8)), 7)


def test_equalize_of_other_types_by_ranks() -> None:
    values = np.array([[3.0, -1.0, 5.0, 5.0]])
    # Of four, one is the smallest; the rest of the scale is shared by the other three.
    np.testing.assert_allclose(run(im.Equalize(), values), [[1.0, -1.0, 5.0, 5.0]])
    deep = np.array([[10, 11, 12, 500]], np.uint16)
    np.testing.assert_array_equal(run(im.Equalize(), deep), [[0, 21_845, 43_690, 65_535]])


@pytest.mark.parametrize("cut", [0.0, 0.05, 0.2])
def test_auto_contrast_is_pillows(cut: float) -> None:
    narrow = (BYTES // 3 + 40).astype(np.uint8)
    wanted = np.asarray(ImageOps.autocontrast(Pil.fromarray(narrow), cutoff=100 * cut)).astype(int)
    # Pillow cuts where we round.
    difference = run(im.AutoContrast(cut), narrow) - wanted
    assert set(np.unique(difference)) <= {0, 1}
    np.testing.assert_array_equal(run(im.AutoContrast(), np.full((4, 5), 7, np.uint8)), 7)


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_posterize_is_pillows(bits: int) -> None:
    wanted = np.asarray(ImageOps.posterize(Pil.fromarray(BYTES), bits))
    for backend in ("cpu", "reference"):
        np.testing.assert_array_equal(run(im.Posterize(bits), BYTES, backend), wanted)
    deep = BYTES.astype(np.uint16) * 257
    np.testing.assert_array_equal(run(im.Posterize(bits), deep), deep >> (16 - bits) << (16 - bits))
    np.testing.assert_allclose(run(im.Posterize(bits), FLOAT), np.floor(FLOAT * 2**bits) / 2**bits)


@pytest.mark.parametrize("threshold", [0, 100, 128, 255])
def test_solarize_is_pillows(threshold: int) -> None:
    wanted = np.asarray(ImageOps.solarize(Pil.fromarray(BYTES), threshold))
    for backend in ("cpu", "reference"):
        np.testing.assert_array_equal(run(im.Solarize(threshold / 255), BYTES, backend), wanted)
    np.testing.assert_allclose(run(im.Solarize(0.5), FLOAT), np.where(FLOAT >= 0.5, 1 - FLOAT, FLOAT))


@pytest.mark.parametrize("shape", [(64, 80), (61, 83), (64, 83)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_clahe_is_opencvs(shape: tuple[int, int], dtype: Any) -> None:
    gray = picture(4, shape, None, dtype, noise=True)
    tool = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 4))
    found = run(im.CLAHE(3.0, tiles=(4, 8)), gray).astype(int)
    assert np.abs(found - tool.apply(gray)).max() <= 1


def test_clahe_moves_the_luma_of_colours_and_nothing_else() -> None:
    photo = picture(4, (64, 80), 3)
    found = run(im.CLAHE(2.0), photo).astype(int)
    luma = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    change = cv2.createCLAHE(2.0, (8, 8)).apply(luma).astype(int) - luma
    assert np.abs(found - np.clip(photo + change[..., None], 0, 255)).max() <= 1


def test_an_alpha_channel_stays() -> None:
    rgba = picture(5, SHAPE, 4, noise=True)
    for backend in ("cpu", "reference"):
        for transform in (im.GaussianBlur(2), im.Equalize(), im.MedianBlur(3), im.GaussianNoise(0.2), im.Erasing(1, 1)):
            found = run(transform, rgba, backend)
            np.testing.assert_array_equal(found[..., 3], rgba[..., 3])
            assert (found[..., :3] != rgba[..., :3]).any()
