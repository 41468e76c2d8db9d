"""Whole batches of small pictures in one compiled call: geometry by one matrix, then colour, into the final buffer.

A picture of a few thousand values costs less than the Python around it, so here Python is paid once a batch.
Each sample is copied into a floating-point buffer with one pixel of its border around it, and coordinates beyond
that are folded to where the border shows the same values: no pixel is a special case. Nothing is rounded
between geometry and colour.

What a sample becomes depends on its own shape, numbers and declaration only, never on how many others are in the
call: a sample alone takes this way too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.geometry import Floats
from imagemill.core.ops import ChannelMix, Pointwise
from imagemill.engine import colour_values as values
from imagemill.engine.backends.cpu.batches.small_kernels import BLEND, SKIP, modes, run
from imagemill.engine.backends.cpu.resample.warp3d import _flat
from imagemill.engine.chains import BORDERS, fill_vector
from imagemill.engine.plan import Colour, Matrices, Pass, Resample, Windows
from imagemill.engine.sampling import SHRINK_LIMIT

Array = np.ndarray[Any, Any]
Modes = npt.NDArray[np.uint8]
_Parts = tuple[ChannelMix | None, Pointwise | None, ChannelMix | None]

LIMIT = 64 * 64
"""Most pixels a small picture has, going in and coming out. Beyond, OpenCV's kernels are quicker."""

_DTYPES = (np.dtype(np.uint8), np.dtype(np.float32))
_MOST_CHANNELS = 8
_FREE = (1.0, -1.0)
"""Limits whose ends are crossed limit nothing."""


def fits(step: Pass, in_shape: tuple[int, ...], shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> bool:
    """Whether a pass on samples of a shape and dtype may go this way.

    Single samples may still have to be left out, see :func:`images`.
    """
    resample = step.resample
    if resample is None or len(in_shape) != 2 or dtype not in _DTYPES or channels > _MOST_CHANNELS:
        return False
    if in_shape[0] * in_shape[1] > LIMIT or not 0 < shape[0] * shape[1] <= LIMIT:
        return False
    if resample.sampling.order not in (None, 0, 1):
        return False
    return step.colour is None or (step.colour.dtype in _DTYPES and _parts(step.colour) is not None)


def images(step: Pass, rows: slice, src: Array, out: Array) -> list[int]:
    """Run the samples ``rows`` of a pass that :func:`fits`.

    Parameters
    ----------
    step : Pass
    rows : slice
        Samples of the batch, as many as ``src`` holds.
    src : array, ``(k, *in_shape, C)``
    out : array, ``(k, *shape, C)``
        Of the dtype the pass says, with any strides.

    Returns
    -------
    list of int
        Positions within ``rows`` that are left to other kernels: padded, bent, projected or shrunk by more than 2.
    """
    assert step.resample is not None
    sampling, channels = step.resample.sampling, src.shape[-1]
    size, shape = src.shape[1:3], out.shape[1:3]
    m, mode = _matrices(step.resample, rows)
    nearest = sampling.order == 0
    smooth = sampling.antialias and not nearest
    modes(m, float(max(*size, *shape)), nearest, SHRINK_LIMIT if smooth else np.inf, mode)
    flat, strides = _items(out)
    limits = _FREE
    if src.dtype.kind == "u" and sampling.border == "constant":
        # A picture stays in its range, though a fill may lie beyond.
        limits = _ends(src.dtype)
    final = _ends(out.dtype) if out.dtype.kind == "u" else _FREE
    buffer = np.empty(out.shape, out.dtype) if flat is None else out
    if flat is None:
        flat, strides = _items(buffer)
    run(
        _flat(src), size, channels, m, mode, BORDERS[sampling.border or "nearest"],
        fill_vector(sampling.fill, channels).astype(np.float32), shape,
        limits, _colour(step.colour, rows, channels), final, flat, strides,
    )  # fmt: skip
    if buffer is not out:
        out[...] = buffer
    return [] if mode.all() else np.flatnonzero(mode == SKIP).tolist()


def takes(step: Pass, row: int, in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> bool:
    """Whether one sample goes this way."""
    if step.resample is None:
        return False
    shape = tuple(step.resample.shape[row].tolist())
    if not fits(step, in_shape, shape, dtype, channels):
        return False
    sampling = step.resample.sampling
    m, mode = _matrices(step.resample, slice(row, row + 1))
    smooth = sampling.antialias and sampling.order != 0
    modes(m, float(max(*in_shape, *shape)), False, SHRINK_LIMIT if smooth else np.inf, mode)
    return bool(mode[0] != SKIP)


def _ends(dtype: np.dtype[Any]) -> tuple[float, float]:
    low, high = values.max_range(dtype)
    return float(low), float(high)


def _matrices(resample: Resample, rows: slice) -> tuple[Floats, Modes]:
    """Pull matrices ``(k, 3, 3)`` of the rows; modes, with ``SKIP`` where more than matrices is asked."""
    m: Floats | None = None
    mode: Modes = np.full(len(resample.shape[rows]), BLEND, np.uint8)
    for link in resample.links:
        if isinstance(link, Matrices):
            m = link.m[rows] if m is None else link.m[rows] @ m
        elif isinstance(link, Windows):
            mode[link.where[rows]] = SKIP
        else:
            mode[link.grid[rows].any(axis=(1, 2, 3))] = SKIP
    if m is None:
        m = np.eye(3)[None].repeat(len(mode), axis=0)
    return _packed(m), mode


def _items(out: Array) -> tuple[Array | None, tuple[int, int, int, int]]:
    """A buffer as one flat array, and its strides in items; None when its memory has gaps."""
    order = sorted(range(4), key=lambda axis: -out.strides[axis])
    packed = out.transpose(order)
    if not packed.flags.c_contiguous:
        return None, (0, 0, 0, 0)
    n, y, x, c = (s // out.itemsize for s in out.strides)
    return packed.reshape(-1), (n, y, x, c)


def _parts(colour: Colour) -> _Parts | None:
    """The run as mix, clip, mix, each of which may be missing; None when it is something else."""
    found: list[Any] = [None, None, None]
    at = 0
    for stage in colour.stages:
        if isinstance(stage, ChannelMix):
            at = 0 if at == 0 and found[0] is None else 2
        elif isinstance(stage, Pointwise) and stage.curve == "clip":
            at = 1
        else:
            return None
        late = at == 2 and isinstance(stage, ChannelMix) and stage.pivot is not None
        if late or any(part is not None for part in found[at:]):
            return None
        found[at] = stage
    return found[0], found[1], found[2]


def _colour(colour: Colour | None, rows: slice, channels: int) -> tuple[Floats, Floats, Floats, int, Floats]:
    """The run as arrays over the rows; those of missing parts are empty."""
    mix, clip, second = (None, None, None) if colour is None else _parts(colour) or (None, None, None)
    pivot = None if mix is None else mix.pivot
    no_matrix, no_limits = np.empty((0, channels, channels + 1)), np.empty((0, 2))
    limits = no_limits
    if clip is not None:
        limits = _packed(clip.params[rows])
        if clip.where is not None:
            limits = np.where(clip.where[rows, None], limits, [-np.inf, np.inf])
    return (
        no_matrix if mix is None else _packed(mix.matrix[rows]),
        no_matrix if pivot is None else _packed(pivot[rows]),
        limits,
        channels if clip is None else clip.channels,
        no_matrix if second is None else _packed(second.matrix[rows]),
    )


def _packed(rows: Floats) -> Floats:
    """Numbers in one block: kernels would be compiled once more for other strides and for memory that is read-only."""
    found = np.ascontiguousarray(rows, dtype=np.float64)
    return found if found.flags.writeable else found.copy()
