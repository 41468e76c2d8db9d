"""What befalls images and is no transform of a pipeline file: noise and blur, as functions for `Apply`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import peak_of

__all__ = ["GaussianBlur", "GaussianNoise"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class GaussianNoise:
    """Add independent normal noise to every value.

    The noise of an image follows from its content and from nothing else: the same image gets the same pattern at every
    strength, in every batch and order, so that accuracies at two strengths differ by the strength alone.

    Parameters
    ----------
    deviation : float
        As a share of white (255 for 8 bits, 1 for floating point), at least 0.

    Examples
    --------
    >>> noisy = GaussianNoise(0.1)(np.full((32, 32, 1), 128, np.uint8))
    >>> noisy.dtype, bool(22 < noisy.std() < 29)
    (dtype('uint8'), True)
    """

    deviation: float

    def __post_init__(self) -> None:
        _not_negative("a deviation of noise", self.deviation)

    def __call__(self, image: Array) -> Array:
        """One image ``(*shape, C)``; same shape and type."""
        if self.deviation == 0:
            return image
        content = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        generator = np.random.Generator(np.random.Philox(key=int.from_bytes(content, "little")))
        pattern = generator.standard_normal(image.shape, np.float32)
        return _stored(image + pattern * np.float32(self.deviation * peak_of(image.dtype)), image.dtype)


@dataclass(frozen=True, slots=True)
class GaussianBlur:
    """Blur by a Gaussian, within the image's plane; beyond the edge the nearest pixel counts.

    Parameters
    ----------
    sigma : float, pixels
        At least 0.

    Examples
    --------
    >>> image = np.zeros((5, 5, 1), np.uint8)
    >>> image[2, 2] = 255
    >>> GaussianBlur(1)(image)[2, :, 0].tolist()
    [5, 25, 41, 25, 5]
    """

    sigma: float

    def __post_init__(self) -> None:
        _not_negative("a sigma of blur", self.sigma)

    def __call__(self, image: Array) -> Array:
        """One image ``(*shape, C)``; same shape and type."""
        if self.sigma == 0:
            return image
        sigmas = (*(0.0,) * (image.ndim - 3), self.sigma, self.sigma, 0.0)
        return _stored(ndimage.gaussian_filter(image.astype(np.float32), sigmas, mode="nearest"), image.dtype)


def _stored(values: Array, dtype: np.dtype[Any]) -> Array:
    """Back in the type of the image: whole numbers are rounded and saturate."""
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return values.astype(dtype)


def _not_negative(what: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ParameterError(f"expected {what} of 0 or more, got {value!r}")
