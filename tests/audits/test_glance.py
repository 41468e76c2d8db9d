"""What is measured of one image, against the formulas of its docstrings in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from imagemill.audits.area_resize import made_smaller
from imagemill.audits.glance import _measured
from tests.audits.made_up import Array, photo

GRAY = np.array([0.299, 0.587, 0.114])


@pytest.mark.parametrize(
    "rgb",
    [
        photo(1, 200, 240),
        photo(2, 31, 9),
        np.concatenate([photo(3, 40, 50), np.full((10, 50, 3), 128, np.uint8)]),
        np.pad(photo(4, 60, 60), ((0, 0), (20, 30), (0, 0)), constant_values=255),
        np.full((5, 6, 3), (255, 0, 1), np.uint8),
    ],
    ids=["photo", "narrow", "cut off", "bordered", "flat"],
)
def test_measures_of_an_image_are_what_their_formulas_say(rgb: Array) -> None:
    found, values = _measured(rgb), rgb.astype(float)
    bright = np.sqrt(values**2 @ np.array([0.241, 0.691, 0.068])) / 255
    # Between two pixels' values a percentile may be either or any between them.
    for told, share in zip(found["brightness"], (1, 5, 50, 95, 99), strict=True):
        low, high = (np.percentile(bright, share, method=how) for how in ("lower", "higher"))
        assert low - 3e-4 <= told <= high + 3e-4
    assert found["saturation"] == pytest.approx((values.max(axis=2) - values.min(axis=2)).mean() / 255)
    assert found["warmth"] == pytest.approx((values[..., 0] - values[..., 2]).mean() / 255)
    assert found["black"] == pytest.approx((values <= 1).mean())
    assert found["white"] == pytest.approx((values >= 254).mean())
    gray = np.round(values @ GRAY)
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    assert found["noise"] == pytest.approx(
        np.median(np.abs(ndimage.convolve(gray, mask, mode="mirror"))) / (0.6745 * 6 * 255), abs=1e-3
    )
    assert found["contrast"] == pytest.approx(gray.std() / 255, abs=1e-3)
    laplacian = ndimage.laplace(gray, mode="mirror")
    if gray.std():
        assert found["sharpness"] == pytest.approx(laplacian.std() / (gray.std() * np.sqrt(20)), rel=1e-2)
        low, high = np.percentile(gray, (1, 99), method="lower")
        sharpest = min(np.percentile(np.abs(laplacian), 99, method="lower"), 255)
        assert found["detail"] == pytest.approx(sharpest / max(high - low, 4), rel=0.1)
    shares = np.unique(gray, return_counts=True)[1] / gray.size
    assert found["entropy"] == pytest.approx(-(shares * np.log2(shares)).sum(), abs=0.02)
    assert found["even"] == pytest.approx((gray[:, 1:] == gray[:, :-1]).mean(), abs=5e-3)


def test_rows_of_mid_gray_at_the_bottom_and_borders_are_counted() -> None:
    cut = np.concatenate([photo(3, 40, 50), np.full((10, 50, 3), 128, np.uint8)])
    assert _measured(cut)["gray_rows"] == 10 / 50
    assert _measured(cut[::-1].copy())["gray_rows"] == 0
    bordered = np.pad(photo(4, 60, 60), ((0, 0), (20, 30), (0, 0)), constant_values=255)
    assert _measured(bordered)["border"] == 50 / 110
    assert _measured(np.ascontiguousarray(bordered.transpose(1, 0, 2)))["border"] == 50 / 110
    assert _measured(np.full((9, 9, 3), 7, np.uint8))["border"] == 1.0


@pytest.mark.parametrize("size", [(48, 64), (47, 50), (31, 33), (2, 2), (59, 79), (60, 40)])
def test_a_photo_made_smaller_is_the_mean_of_what_each_pixel_covers(size: tuple[int, int]) -> None:
    rgb = photo(5, 60, 80)

    def shares(length: int, fewer: int) -> Array:
        edges, pixels = np.arange(fewer + 1) * length / fewer, np.arange(length)
        over = np.minimum(pixels + 1, edges[1:, None]) - np.maximum(pixels, edges[:-1, None])
        return over.clip(0) * fewer / length

    want = np.einsum("ay,bx,yxc->abc", shares(60, size[0]), shares(80, size[1]), rgb.astype(float))
    found = made_smaller(rgb, size)
    assert found.dtype == np.uint8
    assert np.abs(found - want).max() <= 0.5 + 1e-4


def test_single_pixels_and_lines_are_measured() -> None:
    for height, width in ((1, 1), (1, 7), (7, 1), (2, 2)):
        rgb = photo(6, height, width)
        found, gray = _measured(rgb), np.round(rgb.astype(float) @ GRAY)
        assert found["contrast"] == pytest.approx(gray.std() / 255, abs=2e-3)
        assert 0 <= found["even"] <= 1
