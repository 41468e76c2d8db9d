"""A corrupted image in one call."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.corruptions import Corruption

__all__ = ["corrupt"]


def corrupt(image: Any, name: str, severity: int = 1, *, seed: int = 0, key: str | int = 0) -> Any:
    """An image as it looks under a common corruption.

    Parameters
    ----------
    image : array ``(y, x)``, ``(y, x, C)`` or ``(z, y, x)``, or Image
        Any size from 28 x 28 on, any number of channels.
    name : str
        One of :func:`corruptions`, such as ``"fog"`` or ``"jpeg_compression"``.
    severity : int
        1 to 5.
    seed : int
    key : str or int
        Which image it is: noise, clouds, flakes and angles are a function of seed and key.

    Returns
    -------
    array
        Of the shape and type of the image.

    Raises
    ------
    ParameterError
        For another name or severity.

    Notes
    -----
    Source: Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and
    perturbations", ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> digit = np.zeros((28, 28), np.uint8)
    >>> digit[6:22, 12:16] = 255
    >>> noisy = im.corrupt(digit, "gaussian_noise", severity=3)
    >>> noisy.shape, noisy.dtype, bool((noisy != digit).any())
    ((28, 28), dtype('uint8'), True)
    """
    if not isinstance(name, str) or not isinstance(severity, int):
        # It says what is wrong, or takes a range.
        return Pipeline([Corruption(name, severity)], seed=seed)(image, key=key, epoch=0)
    alike = _without_draws(name, severity)
    # Where nothing is drawn neither seed nor key matter, and calls without a key are planned ahead.
    return _pipeline(name, severity, seed)(image, key=key, epoch=0) if alike is None else alike(image)


@lru_cache(maxsize=128, typed=True)
def _without_draws(name: str, severity: int) -> Pipeline | None:
    """The pipeline of one that makes one image of each; None for any other."""
    corruption = _corruption(name, severity)
    return Pipeline([corruption], seed=0) if corruption.variants() == 1 else None


@lru_cache(maxsize=128, typed=True)
def _pipeline(name: str, severity: int, seed: int) -> Pipeline:
    return Pipeline([_corruption(name, severity)], seed=seed)


@lru_cache(maxsize=128, typed=True)
def _corruption(name: str, severity: int) -> Corruption:
    return Corruption(name, severity)
