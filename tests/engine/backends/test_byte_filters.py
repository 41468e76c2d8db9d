"""Filters of bytes beside scipy's correlation in float64, which is rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage as ndi

from imagemill.engine.backends.cpu.altering import byte_filters
from imagemill.engine.backends.cpu.altering.convolution import convolved

Array = np.ndarray[Any, Any]


def _pixels(shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(len(shape)).integers(0, 256, shape, dtype=np.uint8)


def _meant(src: Array, kernel: Array) -> Array:
    planes = [ndi.correlate(src[..., c].astype(float), kernel, mode="mirror") for c in range(src.shape[-1])]
    return np.asarray(np.clip(np.stack(planes, axis=-1), 0, 255))


_ROUNDED = 0.5001
"""Half a level, and what single precision leaves."""

SHAPES = [(9, 64, 1), (20, 65, 1), (8, 22, 3), (31, 47, 3), (9, 33, 4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_kernel_of_any_shape(shape: tuple[int, ...]) -> None:
    src, out = _pixels(shape), np.zeros(shape, np.uint8)
    kernel = np.random.default_rng(1).normal(0.05, 0.1, (5, 7))
    kernel[0, :3] = 0
    assert byte_filters.fits(src, (2, 3))
    byte_filters.weighed(src, kernel, out)
    np.testing.assert_allclose(out, _meant(src, kernel), rtol=0, atol=_ROUNDED)
    np.testing.assert_array_equal(convolved(src, [kernel], src.dtype), out)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_column_times_a_row(shape: tuple[int, ...]) -> None:
    src, out = _pixels(shape), np.zeros(shape, np.uint8)
    down, along = np.array([0.1, 0.2, 0.3, 0.25, 0.2]), np.array([0.02, 0.1, 0.2, 0.4, 0.2, 0.1, 0.03])
    byte_filters.crosswise(src, down, along, out)
    np.testing.assert_allclose(out, _meant(src, np.outer(down, along)), rtol=0, atol=_ROUNDED)
    src.flags.writeable = False
    np.testing.assert_array_equal(convolved(src, [down[:, None], along[None]], src.dtype), out)


@pytest.mark.parametrize(
    ("shape", "dtype", "reach"),
    [((9, 60, 1), "u1", (1, 1)), ((9, 64, 1), "u2", (1, 1)), ((9, 64, 5), "u1", (1, 1)), ((3, 64, 3), "u1", (3, 1))],
)
def test_what_is_small_or_of_another_kind_goes_another_way(
    shape: tuple[int, ...], dtype: str, reach: tuple[int, int]
) -> None:
    assert not byte_filters.fits(np.zeros(shape, dtype), reach)
