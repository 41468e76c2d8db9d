"""What the whole interface shares: kinds of errors, and the defaults that Keras holds when it is loaded."""

from __future__ import annotations

import itertools
import secrets
import sys
from typing import Any

import numpy as np

from imagemill.core.errors import ImagemillError, ParameterError, SourceError
from imagemill.core.randomness.rng import read_seed

__all__ = [
    "FORMATS",
    "ArgumentTypeError",
    "Array",
    "MissingFolderError",
    "channels_last",
    "data_format_or_default",
    "dtype_or_default",
    "fresh",
]

Array = np.ndarray[Any, Any]

FORMATS = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")
"""Endings of the files that iterators take for pictures."""

_CALLS = itertools.count()
"""Numbers the draws nobody gave a seed for."""

_UNSEEDED = secrets.randbits(63)


class ArgumentTypeError(ImagemillError, TypeError):
    """An argument is of a kind that cannot be used."""


class MissingFolderError(SourceError, FileNotFoundError):
    """A folder is not there."""


def data_format_or_default(data_format: str | None) -> str:
    """The order of axes as given, or what Keras is set to where it is loaded, or channels last.

    Raises
    ------
    ParameterError
    """
    if data_format is None:
        keras = sys.modules.get("keras")
        data_format = "channels_last" if keras is None else str(keras.config.image_data_format())
    if data_format not in ("channels_last", "channels_first"):
        raise ParameterError(f"`data_format` should be 'channels_last' or 'channels_first', got {data_format!r}")
    return data_format


def dtype_or_default(dtype: Any) -> np.dtype[Any]:
    """A floating-point type as given, or what Keras is set to where it is loaded, or float32.

    Raises
    ------
    ParameterError
    """
    if dtype is None:
        keras = sys.modules.get("keras")
        dtype = "float32" if keras is None else keras.config.floatx()
        if dtype == "bfloat16":  # numpy has no such type: what the network rounds later is made exact here
            dtype = "float32"
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise ParameterError(f"expected a numpy dtype such as 'float32', got {dtype!r}") from None
    return found


def channels_last(x: Array, data_format: str) -> Array:
    """A view of pictures ``[..., H, W, C]``, whatever their order of axes."""
    return x if data_format == "channels_last" else np.moveaxis(x, -3, -1)


def fresh(seed: int | None) -> tuple[int, int]:
    """Seed and key of one draw: those of a seed are the same every time, those without one never."""
    return (read_seed(seed), 0) if seed is not None else (_UNSEEDED, next(_CALLS))
