"""Colour runs on the CPU: a table for 8-bit values, one fused matrix loop, or stage by stage.

Three ways, the cheapest that is exact enough is taken:

``table``
    8-bit values whose channels do not mix: the whole run, statistics included, is a table of 256 entries
    per channel, computed in float64 from the definition.
``matrix``
    ``out = A2 clip(A1 x + b1) + b2`` in float32 (float64 for wide integers and doubles), one pass from the
    source values to the final dtype and layout.
``stages``
    The definition itself, in float32 or float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.ops import ChannelMix, Fit, Pointwise
from imagemill.engine import values
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.plan import Colour, ColourStage

Array = np.ndarray[Any, Any]


@compiled
def _histogram(src, counts):  # type: ignore[no-untyped-def]
    for i in range(src.shape[0]):
        for c in range(src.shape[1]):
            counts[c, src[i, c]] += 1


@compiled
def _look_up(src, table, out):  # type: ignore[no-untyped-def]
    # One channel after the other: a channels-first output is then written in order.
    for c in range(src.shape[-1]):
        for y in range(src.shape[0]):
            for x in range(src.shape[1]):
                out[y, x, c] = table[c, src[y, x, c]]


@compiled
def _sums(src, sums):  # type: ignore[no-untyped-def]
    for y in range(src.shape[0]):
        for x in range(src.shape[1]):
            for c in range(src.shape[2]):
                sums[c] += src[y, x, c]


@compiled
def _mix3(src, a, b, low, high, a2, b2, final_low, final_high, rounds, out):  # type: ignore[no-untyped-def]
    zero = a.dtype.type(0)
    for y in range(src.shape[0]):
        for x in range(src.shape[1]):
            r, g, u = src[y, x, 0] + zero, src[y, x, 1] + zero, src[y, x, 2] + zero
            p = min(max(a[0, 0] * r + a[0, 1] * g + a[0, 2] * u + b[0], low), high)
            q = min(max(a[1, 0] * r + a[1, 1] * g + a[1, 2] * u + b[1], low), high)
            s = min(max(a[2, 0] * r + a[2, 1] * g + a[2, 2] * u + b[2], low), high)
            for c in range(3):
                v = a2[c, 0] * p + a2[c, 1] * q + a2[c, 2] * s + b2[c]
                if rounds:
                    v = min(max(np.rint(v), final_low), final_high)
                out[y, x, c] = v


@compiled
def _mix(src, a, b, low, high, a2, b2, final_low, final_high, rounds, out):  # type: ignore[no-untyped-def]
    channels = src.shape[2]
    middle = np.empty(channels, a.dtype)
    for y in range(src.shape[0]):
        for x in range(src.shape[1]):
            for c in range(channels):
                v = b[c]
                for k in range(channels):
                    v += a[c, k] * src[y, x, k]
                middle[c] = min(max(v, low), high)
            for c in range(channels):
                v = b2[c]
                for k in range(channels):
                    v += a2[c, k] * middle[k]
                if rounds:
                    v = min(max(np.rint(v), final_low), final_high)
                out[y, x, c] = v


def way(colour: Colour, row: int, dtype: np.dtype[Any]) -> str:
    """Which of the three ways a sample's run would take, or ``"copy"`` when nothing changes but the place."""
    stages = [s for s in colour.stages if values.active(s, row)]
    if not stages and colour.dtype == dtype:
        return "copy"
    if np.float16 in (dtype, colour.dtype):
        # Compiled loops know no half precision.
        return "stages"
    if dtype == np.uint8 and all(_separable(s, row) for s in stages):
        return "table"
    return "matrix" if dtype.kind in "iuf" and _as_two(stages, row) is not None else "stages"


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
    if chosen == "stages":
        out[...] = values.apply_colour(colour, row, src.astype(_working(src.dtype)))
        return out
    stages = [s for s in colour.stages if values.active(s, row)]
    source, target = _planes(src), _planes(out)
    if source is None:
        source = src.reshape(-1, *src.shape[-2:])
    buffer = np.empty(source.shape, out.dtype) if target is None else target
    if chosen == "table":
        _look_up(source, _table(stages, row, colour, source), buffer)
    else:
        _run_mix(stages, row, colour, source, buffer)
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


def _working(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The float dtype to compute in: float32 holds 8 and 16 bits exactly, wider values need float64."""
    return np.dtype(np.float64) if dtype.itemsize > 2 and dtype != np.float32 else np.dtype(np.float32)


def _separable(stage: ColourStage, row: int) -> bool:
    if isinstance(stage, Fit):
        return True
    if isinstance(stage, Pointwise):
        return True
    a = stage.matrix[row, :, :-1]
    return not np.any(a[~np.eye(len(a), dtype=bool)])


def _table(stages: list[ColourStage], row: int, colour: Colour, src: Array) -> Array:
    """The run on each of the 256 values, ``(C, 256)``; statistics are taken over the histogram."""
    channels = src.shape[-1]
    table: Floats = np.tile(np.arange(256.0), (channels, 1))
    counts = None
    if any(isinstance(s, Fit) or (isinstance(s, ChannelMix) and s.pivot is not None) for s in stages):
        counts = np.zeros((channels, 256), np.int64)
        _histogram(src.reshape(-1, channels), counts)
    for stage in stages:
        if isinstance(stage, ChannelMix):
            means = None if counts is None else (table * counts).sum(axis=1) / counts.sum(axis=1)
            a, b = values.mixed(stage, row, means)
            table = table * np.diag(a)[:, None] + b[:, None]
        elif isinstance(stage, Fit):
            assert counts is not None
            gain, offset = _fitted(stage, table, counts)
            table = table * gain[:, None] + offset[:, None]
        else:
            table = values.apply_curve(stage, row, table.T).T
    return np.ascontiguousarray(values.to_dtype(table, colour.dtype))


def _fitted(stage: Fit, table: Floats, counts: Array) -> tuple[Floats, Floats]:
    """As :func:`imagemill.engine.values.fitted`, from values with their counts."""
    if stage.statistic == "minmax":
        # Each value that occurs, once: extremes do not care how often.
        seen = counts > 0
        low = np.where(seen, table, np.inf).min(axis=1)
        high = np.where(seen, table, -np.inf).max(axis=1)
        return values.fitted(stage, np.stack([low, high]))
    total = counts.sum(axis=1, keepdims=True).astype(np.float64)
    if not stage.per_channel:
        counts, total = counts / counts.sum(), np.ones((1, 1))
        mean = np.full((len(table), 1), (table * counts).sum())
        variance = np.full((len(table), 1), ((table - mean) ** 2 * counts).sum())
    else:
        mean = (table * counts).sum(axis=1, keepdims=True) / total
        variance = ((table - mean) ** 2 * counts).sum(axis=1, keepdims=True) / total
    gain = 1.0 / (np.sqrt(variance) + stage.epsilon) if stage.scale else np.ones_like(mean)
    return gain[:, 0], (-mean * gain)[:, 0] if stage.centre else np.zeros(len(table))


def _as_two(
    stages: list[ColourStage], row: int
) -> tuple[ChannelMix | None, Pointwise | None, ChannelMix | None] | None:
    """The run as mix, clip, mix, each of which may be missing; None when it is something else."""
    first: ChannelMix | None = None
    clip: Pointwise | None = None
    second: ChannelMix | None = None
    for stage in stages:
        if isinstance(stage, ChannelMix) and first is None and clip is None:
            first = stage
        elif isinstance(stage, Pointwise) and stage.curve == "clip" and clip is None and second is None:
            clip = stage
        elif isinstance(stage, ChannelMix) and second is None and stage.pivot is None:
            second = stage
        else:
            return None
    if clip is not None and first is not None and clip.channels != first.channels:
        # An alpha channel is not clipped: it was not moved either, so its range holds anyway.
        alpha = first.matrix[row, clip.channels :]
        if not np.array_equal(alpha, np.eye(first.channels, first.channels + 1)[clip.channels :]):
            return None
    return first, clip, second


def _run_mix(stages: list[ColourStage], row: int, colour: Colour, src: Array, out: Array) -> None:
    parts = _as_two(stages, row)
    assert parts is not None
    first, clip, second = parts
    channels, kind = src.shape[-1], _working(src.dtype)
    means = None
    if first is not None and first.pivot is not None:
        sums = np.zeros(channels, np.float64)
        _sums(src, sums)
        means = sums / (src.size // channels)
    a, b = (np.eye(channels), np.zeros(channels)) if first is None else values.mixed(first, row, means)
    a2, b2 = (np.eye(channels), np.zeros(channels)) if second is None else values.mixed(second, row, None)
    low, high = (-np.inf, np.inf) if clip is None else clip.params[row]
    rounds = colour.dtype.kind in "iu"
    final = values.max_range(colour.dtype) if rounds else (0, 0)
    if clip is None:
        # Nothing between the two matrices: one will do.
        a, b, a2, b2 = a2 @ a, a2 @ b + b2, np.eye(channels), np.zeros(channels)
    kernel = _mix3 if channels == 3 else _mix
    number = kind.type
    kernel(
        src,
        a.astype(kind),
        b.astype(kind),
        number(low),
        number(high),
        a2.astype(kind),
        b2.astype(kind),
        number(final[0]),
        number(final[1]),
        rounds,
        out,
    )
