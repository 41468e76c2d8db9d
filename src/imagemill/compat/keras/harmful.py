"""Settings that do what Keras does, and that many who write them do not mean: said once, with what to write."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from imagemill.compat.keras.defaults import Array

__all__ = ["dark_brightness", "say", "two_shifts"]

_LOOKED_AT = 32


def say(words: str, *, stacklevel: int = 3) -> None:
    """Warn at a line of the caller's caller, or further out."""
    warnings.warn(words, stacklevel=stacklevel + 1)


def two_shifts(name: str, value: Any) -> str | None:
    """What to say of a shift range from below to above 0, which is a choice of two values; None for any other.

    A choice is made either way as it is, so that nobody who means a choice needs a number below 0.

    Examples
    --------
    >>> two_shifts("width_shift_range", [-200, 200])[:55]
    'width_shift_range=[-200, 200] is a choice of these two '
    >>> two_shifts("width_shift_range", [2, 5]), two_shifts("width_shift_range", 0.2)
    (None, None)
    """
    found = np.ravel(np.asarray(value))
    if np.ndim(value) != 1 or len(found) != 2 or not found.min() < 0 < found.max():
        return None
    most = float(np.abs(found).max())
    return (
        f"{name}={[v.item() for v in found]} is a choice of these two values, either way, as in Keras; for every shift "
        f"up to {most:g} either way write {name}={most}"
    )


def dark_brightness(pictures: Array) -> str | None:
    """What to say of pictures from 0 to 1, which brightness takes for almost black ones; None for others.

    Parameters
    ----------
    pictures : array, ``[n, ...]``
        Only the first are looked at.
    """
    few = pictures[:_LOOKED_AT]
    if few.dtype.kind != "f" or not few.size or not 0 < few.max() <= 1 or few.min() < 0:
        return None
    return (
        "brightness_range works on values from 0 to 255 cut to whole numbers, as in Keras: pictures from 0 to 1 come "
        "out black. Give pictures from 0 to 255 and rescale=1 / 255, which is applied last"
    )
