"""Exact averages of whole numbers over the areas that output pixels span.

Along an axis of ``a`` pixels that becomes ``b``, each pixel counts as ``b`` units and each output pixel spans ``a`` of
them, so that all shares are whole numbers, and so are the sums. An average is one division at the end, rounded half up:
what comes out depends neither on the machine, nor on which of the two ways here made it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imagemill.core.targets import Array

__all__ = ["averaged"]

_CHANNELS = 4
_PHOTO = 3 * ((2**32 - 1) // 255)
"""Values of the largest photo whose sums fit 32 bits."""


def averaged(values: Array, shape: tuple[int, ...], *, compiled: bool = False) -> Array:
    """Average the first axes of an array of whole numbers down to a shape.

    Parameters
    ----------
    values : array of int, at most 16 bits
    shape : tuple of int
        No longer than the array along any axis.
    compiled : bool
        Whether the compiler may be loaded, which takes as long as hundreds of photos; the numbers are the same.

    Returns
    -------
    array
        Of the type of `values`.

    Examples
    --------
    >>> averaged(np.array([0, 3, 6, 9, 12], np.uint8), (2,)).tolist()
    [2, 10]
    """
    if compiled and len(shape) == 2 and values[0, 0].size <= _CHANNELS:
        from imagemill.verbs.prepare.area_kernel import averaged_photo, averaged_pictures

        if values.dtype == np.uint8 and values.shape[2:] == (3,) and values.size <= _PHOTO:
            return averaged_photo(values, (shape[0], shape[1]))
        planes = np.ascontiguousarray(values).reshape(len(values), -1)
        out = np.empty((*shape, *values.shape[2:]), values.dtype)
        averaged_pictures(planes, values[0, 0].size, out.reshape(shape[0], -1))
        return out
    sums, most, area = values, 1 << 8 * values.itemsize, 1
    for axis, length in enumerate(shape):
        if (whole := values.shape[axis]) > length:
            most, area = most * whole * length, area * whole
            sums = _summed(sums, axis, length, np.int32 if most < 1 << 31 else np.int64)
    # A quarter is less than half of the unit, so rounding never lifts a quotient onto the next whole number.
    averages: Array = np.floor((2.0 * sums + (area + 0.25)) * (0.5 / area)).astype(values.dtype)
    return averages


def _summed(values: Array, axis: int, length: int, dtype: npt.DTypeLike) -> Array:
    """Sums over spans of as many units as the axis has pixels, each pixel as many units as the axis shall have."""
    old = values.shape[axis]
    begin, beside = np.arange(length) * old, (1,) * (values.ndim - axis - 1)
    sums = np.zeros((*values.shape[:axis], length, *values.shape[axis + 1 :]), dtype)
    for step in range((old - 1) // length + 2):
        pixel = begin // length + step
        share = np.minimum((pixel + 1) * length, begin + old) - np.maximum(pixel * length, begin)
        units = np.maximum(share, 0).astype(dtype).reshape(-1, *beside)
        sums += np.take(values, np.minimum(pixel, old - 1), axis) * units
    return sums
