"""Gaussian smoothing before a turned image shrinks, with scikit-image's rule: sigma ``(factor - 1) / 2``."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.engine.backends.cpu.resample.splines import coefficient_dtype
from imagemill.engine.chains import SCIPY_MODES, integer_index

Array = np.ndarray[Any, Any]


def blur(src: Array, factors: tuple[float, ...], border: str, fill: npt.NDArray[np.float64]) -> Array:
    """Smooth ``src`` ``(*shape, C)`` along its spatial axes; float32, or float64 where the source needs it.

    Examples
    --------
    >>> bool(np.allclose(blur(np.ones((5, 5, 1), np.float32), (2.0, 2.0), "nearest", np.zeros(1)), 1.0))
    True
    """
    import scipy.ndimage as ndi

    dtype = coefficient_dtype(src.dtype)
    # With the fill moved to zero, every channel's constant border is the same.
    base = fill.astype(dtype) if border == "constant" else np.zeros(len(fill), dtype)
    work = src.astype(dtype) - base
    sigmas = [(f - 1.0) / 2.0 for f in factors]
    if src.ndim == 3:
        return np.asarray(_planes(work, sigmas, border) + base)
    for axis, sigma in enumerate(sigmas):
        if sigma > 0.0:
            work = ndi.gaussian_filter1d(work, sigma, axis, mode=SCIPY_MODES[border])
    return np.asarray(work + base)


def _planes(work: Array, sigmas: list[float], border: str) -> Array:
    """Blur an image with OpenCV over an extended copy: OpenCV's filters do not know every border."""
    kernels = [_kernel(sigma) for sigma in sigmas]
    radii = [len(k) // 2 for k in kernels]
    extended = work
    for axis, (radius, n) in enumerate(zip(radii, work.shape, strict=False)):
        index = integer_index(np.arange(-radius, n + radius), n, border)
        extended = np.take(extended, np.maximum(index, 0), axis=axis)
        extended[(slice(None),) * axis + (index < 0,)] = 0.0
    out = np.empty_like(work)
    y, x = radii
    for c in range(work.shape[2]):
        plane = cv2.sepFilter2D(np.ascontiguousarray(extended[..., c]), -1, kernels[1], kernels[0])
        out[..., c] = plane[y : y + work.shape[0], x : x + work.shape[1]]
    return out


def _kernel(sigma: float) -> npt.NDArray[np.float64]:
    """Sampled Gaussian cut at four sigmas, as ``scipy.ndimage.gaussian_filter`` cuts it."""
    if sigma <= 0.0:
        return np.ones(1)
    radius = int(4.0 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())
