"""What compression, resolution, glass, hot air and HSV mean, against Pillow, OpenCV, colorsys and small sums."""

from __future__ import annotations

import colorsys
import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

import imagemill as im
from imagemill.engine.altering.moved_pixels import displacements
from imagemill.engine.altering.scan_values import covered
from imagemill.testing import picture
from imagemill.transforms.filter._kernels import disc, trail

PHOTO = picture(2, (45, 60), 3, noise=True)
GRAY = np.ascontiguousarray(PHOTO[..., 0])
BACKENDS = ("reference", "cpu")


def run(transform: im.Transform, image: Any, backend: str = "cpu", **how: Any) -> Any:
    return im.Pipeline([transform], seed=1, backend=backend)(image, key=3, **how)


def pillows(image: Any, form: str, quality: int, **how: Any) -> Any:
    file = io.BytesIO()
    Pil.fromarray(image).save(file, form, quality=quality, **how)
    return np.asarray(Pil.open(file))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("quality", [1, 25, 90])
def test_8_bits_are_what_pillow_writes_and_reads(backend: str, quality: int) -> None:
    for image in (PHOTO, GRAY):
        np.testing.assert_array_equal(run(im.JPEG(quality), image, backend), pillows(image, "JPEG", quality))
    np.testing.assert_array_equal(run(im.WebP(quality), PHOTO, backend), pillows(PHOTO, "WEBP", quality, method=0))


def test_jpeg_is_opencvs_too() -> None:
    _, file = cv2.imencode(".jpg", PHOTO[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])
    wanted = cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(run(im.JPEG(40), PHOTO), wanted)


@pytest.mark.parametrize("channels", [2, 5])
@pytest.mark.parametrize("transform", [im.JPEG(20), im.WebP(20)], ids=["JPEG", "WebP"])
def test_other_numbers_of_channels_go_through_each_as_gray(transform: im.Transform, channels: int) -> None:
    image = picture(3, (20, 24), channels, noise=True)
    made = run(transform, im.Image(image, axes="yxc"))
    for c in range(channels):
        np.testing.assert_array_equal(made[..., c], run(transform, np.ascontiguousarray(image[..., c])))


def test_alpha_stays_and_slices_of_volumes_go_through_each() -> None:
    image = picture(4, (20, 24), 4, noise=True)
    made = run(im.JPEG(10), image)
    np.testing.assert_array_equal(made[..., 3], image[..., 3])
    np.testing.assert_array_equal(made[..., :3], run(im.JPEG(10), np.ascontiguousarray(image[..., :3])))
    volume = picture(5, (3, 20, 24), None, noise=True)
    slices = run(im.JPEG(10), im.Image(volume, axes="zyx"))
    np.testing.assert_array_equal(slices, np.stack([run(im.JPEG(10), one) for one in volume]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_other_types_go_through_on_256_levels(backend: str) -> None:
    levels = pillows(GRAY, "JPEG", 30).astype(np.float64)
    np.testing.assert_allclose(run(im.JPEG(30), GRAY / 255, backend), levels / 255, atol=1e-12)
    np.testing.assert_array_equal(run(im.JPEG(30), GRAY.astype(np.uint16) * 257, backend), np.rint(levels * 257))
    # Beyond black and white: from the smallest to the largest value of the image itself.
    scan = GRAY.astype(np.float32) * 8 - 1000
    low, high = float(scan.min()), float(scan.max())
    own = pillows(np.rint((scan - low) / (high - low) * 255).astype(np.uint8), "JPEG", 30)
    np.testing.assert_allclose(run(im.JPEG(30), scan, backend), own * ((high - low) / 255) + low, atol=1e-2)
    flat = np.full((16, 16), -7.0)
    np.testing.assert_array_equal(run(im.JPEG(30), flat, backend), flat)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("scale", [0.6, 0.5, 0.4, 0.3, 0.25])
def test_pixelate_is_pillows_box_and_nearest(backend: str, scale: float) -> None:
    small = Pil.fromarray(PHOTO).resize((int(60 * scale), int(45 * scale)), Pil.Resampling.BOX)
    wanted = np.asarray(small.resize((60, 45), Pil.Resampling.NEAREST)).astype(int)
    off = np.abs(run(im.Downscale(scale, "box"), PHOTO, backend) - wanted)
    # Pillow rounds between its two passes; where a middle falls on an edge its own rounding decides who gets it.
    assert (off <= 1).mean() > 0.9


def test_means_of_what_is_covered_are_opencvs_area() -> None:
    values = GRAY.astype(np.float32)
    wanted = cv2.resize(values, (25, 19), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(covered(45, 19) @ values @ covered(60, 25).T, wanted, atol=1e-3)
    np.testing.assert_allclose(covered(45, 19, whole=True).sum(axis=1), 1)


def test_nearest_down_and_lines_up() -> None:
    ramp = np.array([[0, 1, 2, 3, 4, 5, 6, 7]], np.float64) * 10
    np.testing.assert_allclose(run(im.Downscale(0.5, "nearest"), ramp)[0], [10, 10, 30, 30, 50, 50, 70, 70])
    # Samples 10, 30, 50 and 70 stand at 0.5, 2.5, 4.5 and 6.5.
    found = run(im.Downscale(0.5, "nearest", "linear"), ramp)[0]
    np.testing.assert_allclose(found, np.interp(np.arange(8), [0.5, 2.5, 4.5, 6.5], [10, 30, 50, 70]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_value_and_saturation_are_those_of_colorsys(backend: str) -> None:
    image = picture(6, (12, 12), 3, noise=True)
    image[0, :4] = [[0, 0, 0], [90, 90, 90], [255, 255, 255], [255, 0, 0]]
    for value, gain, shift in ((0.3, 1, 0), (-0.2, 1, 0), (0, 2, 0), (0, 5, 0.1), (0, 0.3, 0), (0.1, 0.5, 0.2)):
        wanted = np.empty(image.shape)
        for at in np.ndindex(12, 12):
            h, s, v = colorsys.rgb_to_hsv(*(image[at] / 255))
            s, v = min(max(s * gain + shift, 0), 1), min(max(v + value, 0), 1)
            wanted[at] = colorsys.hsv_to_rgb(h, s, v)
        black = (image == 0).all(axis=-1)
        # Of black the saturation is nobody's: it becomes gray here, whatever is added to it.
        wanted[black] = max(value, 0)
        np.testing.assert_allclose(run(im.HSV(value, gain, shift), image, backend), wanted * 255, atol=0.501)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("reach", "times"), [(1, 2), (3, 1)])
def test_glass_takes_pixels_from_nearby_and_leaves_a_margin(backend: str, reach: int, times: int) -> None:
    y, x = np.indices((24, 30))
    places = (y * 30 + x).astype(np.float64)
    made = run(im.GlassBlur(0, reach, times), places, backend).astype(int)
    away = np.maximum(np.abs(made // 30 - y), np.abs(made % 30 - x))
    assert away.max() > 0
    # A value may be passed on along a row, but each pass brings it no farther than one reach from where it was read.
    edge = np.ones((24, 30), bool)
    edge[reach + 1 : 24 - reach + 1, reach + 1 : 30 - reach + 1] = False
    np.testing.assert_array_equal(made[edge], places[edge])


def test_glass_is_the_same_for_all_slices_and_channels() -> None:
    y, x = np.indices((16, 18))
    places = y * 18.0 + x
    volume = np.stack([places, places + 1000, places + 2000])
    made = run(im.GlassBlur(0, 2), im.Image(volume, axes="zyx"))
    np.testing.assert_array_equal(made[1] - 1000, made[0])
    np.testing.assert_array_equal(made[2] - 2000, made[0])


def test_turbulence_moves_pixels_as_far_as_it_says() -> None:
    shape, reach = (200, 200), 0.0625 * 200
    away = displacements(shape, np.array([reach, reach]), np.array([2.0, 2.0]), np.array([7, 8], np.uint32))
    # Uniform numbers deviate by reach / sqrt(3), a Gaussian of sigma leaves 1 / (2 sqrt(pi) sigma) of that.
    assert away.std() == pytest.approx(reach / np.sqrt(3) / (2 * np.sqrt(np.pi) * 2), rel=0.05)
    ramp = np.tile(np.arange(64.0), (64, 1))
    for backend in BACKENDS:
        made = run(im.Turbulence(0.03), ramp, backend)
        moved = (made - ramp)[8:-8, 8:-8]
        assert moved.std() == pytest.approx(16.3 * 0.03, rel=0.15)
        np.testing.assert_allclose(run(im.Turbulence(0.3), np.full((9, 9), 5.0), backend), 5.0)


def test_trails_lead_where_degrees_say() -> None:
    dot = np.zeros((41, 41))
    dot[20, 20] = 1
    weights = np.exp(-0.5 * (np.arange(11) / 4) ** 2)
    rays = {0: np.s_[20, 20:31], 90: np.s_[20:9:-1, 20], 180: np.s_[20, 20:9:-1], 270: np.s_[20:31, 20]}
    for degrees, ray in rays.items():
        made = run(im.MotionBlur(10, degrees, fade=4), dot)
        assert np.count_nonzero(made) == 11
        np.testing.assert_allclose(made[ray], weights / weights.sum())
    assert trail(np.array([3.0]), np.array([2.0]), np.array([10.0])).sum() == pytest.approx(1)


def test_softened_discs_are_opencvs() -> None:
    for radius, softness, size in ((3, 0.1, 3), (6, 0.5, 3), (10, 0.5, 5)):
        place = np.arange(-14, 15)
        hard = (place[:, None] ** 2 + place**2 <= radius**2).astype(np.float64)
        wanted = cv2.GaussianBlur(hard / hard.sum(), (size, size), softness)
        found = disc(np.array([float(radius)]), np.array([softness]))[0]
        edge = (29 - len(found)) // 2
        np.testing.assert_allclose(np.pad(found, edge), wanted, atol=1e-8)
