"""Images of any type as gray values that measures understand: shares of white in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.geometry import peak_of
from imagemill.transforms.colour._channels import luma_weights

__all__ = ["as_gray", "as_shares", "check_values"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_BEYOND = 0.1
"""How far floating-point values may lie outside 0 to 1: what interpolation overshoots."""


def check_values(images: Array, whose: str) -> None:
    """Refuse images that no measure understands.

    Parameters
    ----------
    images : array ``[n, y, x, C]``
    whose : str
        For the message, such as ``"wild"``.

    Raises
    ------
    InputError
        For types without a white, values that are no numbers, floating-point values outside 0 to 1, and images under
        3 x 3 pixels.
    """
    if images.dtype.kind not in "uf":
        raise InputError(f"expected {whose} images of unsigned integers or floating point, got {images.dtype}")
    if min(images.shape[1:3]) < 3:
        raise InputError(f"expected {whose} images of 3 x 3 pixels or more, got {images.shape[1]} x {images.shape[2]}")
    if images.dtype.kind != "f":
        return
    broken = int((~np.isfinite(images)).any(axis=(1, 2, 3)).sum())
    if broken:
        raise InputError(
            f"expected finite values in all {whose} images, got NaN or infinity in {broken:,} of {len(images):,}; "
            "leave those out or fill them"
        )
    low, high = float(images.min()), float(images.max())
    if low < -_BEYOND or high > 1 + _BEYOND:
        raise InputError(
            f"expected floating-point {whose} images from 0 to 1, got {low:g} to {high:g}; "
            "give images as they are stored, before any normalization"
        )


def as_shares(images: Array) -> Floats:
    """Values as shares of white: 1 is 255 for 8 bits, 65,535 for 16 bits, 1 for floating point.

    Parameters
    ----------
    images : array ``[n, y, x, C]``

    Returns
    -------
    array ``[n, y, x, C]``
        Without the alpha channel that a fourth channel is.

    Examples
    --------
    >>> as_shares(np.array([[[[51]]]], np.uint8)).item()
    0.2
    """
    colours = images[..., :3] if images.shape[-1] == 4 else images
    shares: Floats = colours.astype(np.float64) / peak_of(images.dtype)
    return shares


def as_gray(shares: Floats) -> Floats:
    """Luma of images, ``[n, y, x, C]`` to ``[n, y, x]``: weights of BT.601 for three channels, equal ones otherwise.

    Notes
    -----
    Source: ITU-R BT.601.

    Examples
    --------
    >>> as_gray(np.array([[[[1.0, 0.0, 0.0]]]])).item()
    0.299
    """
    gray: Floats = shares @ luma_weights(shares.shape[-1])
    return gray
