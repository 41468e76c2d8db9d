"""The mean of the views of a zoom, beside their definition in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage as ndi

from imagemill.engine.backends.cpu.altering.views import mean_of_views, only_scale


def views(scales: list[float], shape: tuple[int, int], shift: float = 0.0) -> Any:
    found = np.tile(np.eye(3), (len(scales), 1, 1))
    for row, scale in zip(found, scales, strict=True):
        for axis in range(2):
            row[axis, axis] = scale
            row[axis, 2] = (1 - scale) * (shape[axis] - 1) / 2 + shift
    return found


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(9, 13, 3), (8, 6, 1), (1, 7, 3), (7, 1, 3), (7, 1, 4), (1, 1, 1)])
def test_they_are_what_scipy_reads_one_by_one(shape: tuple[int, int, int], dtype: Any) -> None:
    image = np.random.default_rng(2).integers(0, 255, shape).astype(dtype)
    maps = views([1.0, 0.8, 0.55, 1.3], shape[:2], 0.3)
    wanted = np.zeros(shape)
    for one in maps:
        for channel in range(shape[2]):
            wanted[..., channel] += ndi.affine_transform(
                image[..., channel].astype(np.float64), one[:2, :2], one[:2, 2], order=1, mode="nearest"
            )
    np.testing.assert_allclose(mean_of_views(image, maps), wanted / len(maps), atol=3e-4)


def test_turns_are_no_scales() -> None:
    turned = np.eye(3)[None].copy()
    assert only_scale(turned)
    turned[0, 0, 1] = 0.1
    assert not only_scale(turned)
