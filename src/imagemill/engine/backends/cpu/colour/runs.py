"""Colour runs on the CPU: a table for 8-bit values, one fused matrix loop, or stage by stage.

Four ways, the cheapest that is exact enough is taken:

``table``
    8-bit values whose channels do not mix: the whole run, statistics included, is a table of 256 entries
    per channel, computed in float64 from the definition.
``matrix``
    ``out = A2 clip(A1 x + b1) + b2`` in float32 (float64 for wide integers and doubles), one pass from the
    source values to the final dtype and layout.
``chain``
    Channels that do not mix, with statistics and powers among the stages, in single precision: see :mod:`.chained`.
``stages``
    The definition itself, in float32 or float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.finite import working
from imagemill.core.geometry import Floats
from imagemill.core.ops import ChannelMix, Fit, Pointwise
from imagemill.engine import colour_values as values
from imagemill.engine.backends.cpu.byte_tables import histogram, look_up
from imagemill.engine.backends.cpu.colour import chained, mix
from imagemill.engine.backends.cpu.colour.mix import mixing
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.plan import Colour, ColourStage

Array = np.ndarray[Any, Any]


@compiled
def _look_up(src, table, out):  # type: ignore[no-untyped-def]
    # One channel after the other: a channels-first output is then written in order.
    for c in range(src.shape[-1]):
        for y in range(src.shape[0]):
            for x in range(src.shape[1]):
                out[y, x, c] = table[c, src[y, x, c]]


def way(colour: Colour, row: int, dtype: np.dtype[Any]) -> str:
    """Which of the ways a sample's run would take, or ``"copy"`` when nothing changes but the place."""
    stages = [s for s in colour.stages if values.active(s, row)]
    if not stages and colour.dtype == dtype:
        return "copy"
    half = np.float16 in (dtype, colour.dtype)
    found = None if half or dtype.kind not in "iuf" else mixing(colour)
    if found is not None:
        if found.idle[row] and colour.dtype == dtype:
            return "copy"
        return "table" if dtype == np.uint8 == colour.dtype and found.apart[row] else "matrix"
    if not half and dtype == np.uint8 and all(_separable(s, row) for s in stages):
        return "table"
    return "chain" if chained.fits(stages, row, dtype, colour.dtype) else "stages"


def run(colour: Colour, row: int, src: Array, out: Array | None = None) -> Array:
    """A colour run on one sample.

    Parameters
    ----------
    src : array, ``(*shape, C)``
    out : array, ``(*shape, C)``, optional
        May be a view with any strides, of ``colour.dtype``.
    """
    chosen = way(colour, row, src.dtype)
    if chosen == "copy":
        return _given(src, out)
    if out is None:
        out = np.empty(src.shape, colour.dtype)
    if chosen == "chain" and not chained.run([s for s in colour.stages if values.active(s, row)], row, src, out):
        chosen = "stages"
    if chosen == "chain":
        return out
    if chosen == "stages":
        out[...] = values.apply_colour(colour, row, src.astype(working(src.dtype)), src.dtype)
        return out
    if chosen == "matrix":
        found = mixing(colour)
        assert found is not None
        mix.run(found, row, src, out)
        return out
    table = _table(colour, row, src)
    if out.flags.c_contiguous and src.flags.c_contiguous:
        look_up(src, table, out)
        return out
    source, target = _planes(src), _planes(out)
    if source is None:
        source = src.reshape(-1, *src.shape[-2:])
    buffer = np.empty(source.shape, out.dtype) if target is None else target
    _look_up(source, table if len(table) > 1 else table.repeat(src.shape[-1], axis=0), buffer)
    if target is None:
        out[...] = buffer.reshape(out.shape)
    return out


def _given(src: Array, out: Array | None) -> Array:
    if out is None:
        return src
    out[...] = src
    return out


def _planes(array: Array) -> Array | None:
    """``(*shape, C)`` seen as ``(rows, x, C)``, slices stacked; None when that would need a copy."""
    try:
        return np.reshape(array, (-1, *array.shape[-2:]), copy=False)
    except ValueError:
        return None


def _separable(stage: ColourStage, row: int) -> bool:
    if isinstance(stage, Fit):
        return True
    if isinstance(stage, Pointwise):
        return True
    a = stage.matrix[row, :, :-1]
    return not np.any(a[~np.eye(len(a), dtype=bool)])


def _table(colour: Colour, row: int, src: Array) -> Array:
    """The run on each of the 256 values, ``(C, 256)``, or ``(1, 256)`` for all; statistics go over the histogram."""
    channels = src.shape[-1]
    found = mixing(colour) if colour.dtype == np.uint8 else None
    if found is not None:
        return mix.table(found, row, src)
    stages = [s for s in colour.stages if values.active(s, row)]
    # Curves that are the same for all channels are worked out once.
    alike = all(isinstance(s, Pointwise) and s.channels == channels for s in stages)
    table: Floats = np.arange(256.0)[None].repeat(1 if alike else channels, axis=0)
    counts = None
    if any(isinstance(s, Fit) or (isinstance(s, ChannelMix) and s.pivot is not None) for s in stages):
        counts = histogram(src)
    for stage in stages:
        if isinstance(stage, ChannelMix):
            means = None if counts is None else (table * counts).sum(axis=1) / counts.sum(axis=1)
            a, b = values.mixed(stage, row, means)
            table = table * np.diag(a)[:, None] + b[:, None]
        elif isinstance(stage, Fit):
            assert counts is not None
            table = values.moved(stage, _fitted(stage, table, counts), table.T).T
        else:
            table = values.apply_curve(stage, row, table[0][:, None] if alike else table.T).T
    return np.ascontiguousarray(values.to_dtype(table, colour.dtype))


def _fitted(stage: Fit, table: Floats, counts: Array) -> values.Fitted:
    """As :func:`imagemill.engine.colour_values.fitted`, from values with their counts."""
    if stage.statistic == "minmax":
        # Each value that occurs, once: extremes do not care how often.
        seen = counts > 0
        low = np.where(seen, table, np.inf).min(axis=1)
        high = np.where(seen, table, -np.inf).max(axis=1)
        return values.fitted(stage, np.stack([low, high]), np.dtype(np.float64))
    total = counts.sum(axis=1, keepdims=True).astype(np.float64)
    if not stage.per_channel:
        counts, total = counts / counts.sum(), np.ones((1, 1))
        mean = np.full((len(table), 1), (table * counts).sum())
        variance = np.full((len(table), 1), ((table - mean) ** 2 * counts).sum())
    else:
        mean = (table * counts).sum(axis=1, keepdims=True) / total
        variance = ((table - mean) ** 2 * counts).sum(axis=1, keepdims=True) / total
    return values.zscore(stage, mean[:, 0], np.sqrt(variance)[:, 0])
