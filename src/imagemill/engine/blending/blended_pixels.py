"""Pixels and label maps of several samples as one, by their definition.

A weighted sum is made in float64 and rounded once; regions and objects are moves of whole pixels, exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.ops import Blend
from imagemill.engine.colour_values import to_dtype

__all__ = ["alike", "in_regions", "on_top", "spots", "weighted"]

Array = np.ndarray[Any, Any]
Spot = tuple[tuple[slice, ...], tuple[slice, ...]]


def weighted(parts: Sequence[Array], weights: npt.NDArray[np.float64], out: Array) -> None:
    """The weighted sum of some images, in the type of ``out``: integers are rounded to even.

    Examples
    --------
    >>> out = np.empty(2, np.uint8)
    >>> weighted([np.array([0, 10], np.uint8), np.array([255, 20], np.uint8)], np.array([0.25, 0.75]), out)
    >>> out.tolist()
    [191, 18]
    """
    total = sum(w * part.astype(np.float64) for part, w in zip(parts, weights.tolist(), strict=True))
    out[...] = to_dtype(np.asarray(total), out.dtype)


def alike(parts: Sequence[Array], what: str) -> None:
    """Refuse images of several sizes.

    Raises
    ------
    InputError
    """
    sizes = sorted({part.shape[:-1] for part in parts})
    if len(sizes) > 1:
        raise InputError(
            f"expected images of one size to {what}, got {sizes[0]} and {sizes[1]}; put Resize((height, width)), "
            "RandomResizedCrop((height, width)) or Crop((height, width)) in front of it"
        )


def spots(op: Blend, row: int, k: int, size: tuple[int, ...], shape: tuple[int, ...]) -> Spot:
    """Where the ``k``-th part, of a size, shows in the result of a shape, and which of its pixels; slices of both."""
    assert op.regions is not None
    offset = np.zeros(len(shape), np.int64) if op.offset is None else op.offset[row, k]
    region = op.regions[row, k]
    first = np.maximum(np.maximum(region[:, 0], 0), -offset)
    last = np.minimum(np.minimum(region[:, 1], shape), np.array(size) - offset)
    last = np.maximum(first, last)
    there = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    here = tuple(slice(int(a), int(b)) for a, b in zip(first + offset, last + offset, strict=True))
    return there, here


def in_regions(op: Blend, row: int, parts: Sequence[Array], out: Array, fill: float) -> None:
    """Each part in its region, later ones over earlier ones, and ``fill`` where none is."""
    shape = out.shape[:-1]
    found = [spots(op, row, k, part.shape[:-1], shape) for k, part in enumerate(parts)]
    whole = any(all(s.start == 0 and s.stop == n for s, n in zip(there, shape, strict=True)) for there, _ in found)
    if not whole:
        out[...] = fill
    for part, (there, here) in zip(parts, found, strict=True):
        out[there] = part[here]


def on_top(where: npt.NDArray[np.bool_], own: Array, partner: Array, out: Array) -> None:
    """The partner's pixels where ``where`` says so, the sample's own elsewhere."""
    out[...] = own
    out[where] = partner[where]
