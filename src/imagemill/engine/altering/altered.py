"""A filter, noise or an erasure by its definition: the reference, and what backends without a way of their own run."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.image_ops import Erase, Exchange, Filter, Noise
from imagemill.engine import colour_values
from imagemill.engine.altering.erase_values import erased, inside
from imagemill.engine.altering.exchanged_parts import swapped
from imagemill.engine.altering.filter_values import filtered
from imagemill.engine.altering.noise_values import hit, noisy
from imagemill.engine.plan import Alter

__all__ = ["altered", "altered_labels"]

Array = np.ndarray[Any, Any]


def altered(step: Alter, row: int, src: Array, out: Array | None = None) -> Array:
    """One sample ``(*shape, C)``, in its own dtype: integers are rounded and saturate.

    Parameters
    ----------
    src : array, ``(*shape, C)``
    out : array, ``(*shape, C)``, optional
        Where the result is written; it may be a view with any strides.
    """
    op, channels = step.op, step.op.channels
    if step.active(row) and isinstance(op, Exchange):
        return swapped(op, row, src, out)
    if step.active(row):
        values = src[..., :channels].astype(np.float64)
        if isinstance(op, Filter):
            values = filtered(op, row, values, src.dtype, step.peak)
        elif isinstance(op, Noise):
            values = noisy(op, row, values)
        elif isinstance(op, Erase):
            values = erased(op, row, values, step.peak)
        made = colour_values.to_dtype(values, src.dtype)
        if channels < src.shape[-1]:
            made = np.concatenate([made, src[..., channels:]], axis=-1)
    else:
        made = src
    if out is None:
        return made
    out[...] = made
    return out


def altered_labels(step: Alter, row: int, src: Array, out: Array | None = None) -> Array:
    """Label maps ``(*shape, K)`` where a step reaches them, see :attr:`~imagemill.engine.plan.Alter.reaches_masks`."""
    made, op = src, step.op
    if step.active(row) and isinstance(op, Exchange):
        return swapped(op, row, src, out) if op.masks else src
    if step.active(row) and isinstance(op, Noise | Erase) and op.mask_fill is not None:
        made = src.copy()
        if isinstance(op, Erase):
            where = inside(op, row, src.shape[:-1])
        else:
            low, high = hit(op, row, (*src.shape[:-1], 1))
            where = (low | high)[..., 0]
        made[where] = op.mask_fill
    if out is None:
        return made
    out[...] = made
    return out
