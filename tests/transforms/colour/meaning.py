"""What colour ops mean, in plain float64 numpy, and how tests draw them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import CURVES, Cast, ChannelMix, Fit, Layout, Op, Opaque, Pointwise
from imagemill.core.randomness.rng import Draws, Generator, hash_keys
from imagemill.transforms.base import Transform


def frame_of(n: int = 1, channels: int = 3, dtype: Any = np.uint8) -> Frame:
    return Frame.of(6, 7, channels=channels, dtype=dtype, n=n)


def draws_of(transform: Transform, keys: Sequence[int | str], *, seed: int = 5, epoch: int = 2) -> Draws:
    return Draws(Generator(seed, epoch, hash_keys(keys)), 0, transform.names())


def ops_of(transform: Transform, frame: Frame, *, seed: int = 5) -> tuple[Op, ...]:
    """The ops of a batch whose sample keys are 0, 1, 2..."""
    drawn = transform.draw(draws_of(transform, range(frame.n), seed=seed), frame)
    return drawn if isinstance(drawn, tuple) else (drawn,)


def evaluate(op: Op, x: Floats, row: int = 0) -> Floats:
    """One op on one sample ``(..., C)``, neither clipped nor rounded (but for a cast)."""
    where = getattr(op, "where", None)
    if where is not None and not where[row]:
        return x
    if isinstance(op, ChannelMix):
        return _mix(op, x, row)
    if isinstance(op, Pointwise):
        out = x.copy()
        out[..., : op.channels] = CURVES[op.curve].meaning(x[..., : op.channels], op.params[row])
        return out
    if isinstance(op, Fit):
        return _fit(op, x)
    if isinstance(op, Cast):
        if op.dtype.kind == "f":
            return x.astype(op.dtype).astype(np.float64)
        return np.clip(np.rint(x), np.iinfo(op.dtype).min, np.iinfo(op.dtype).max)
    if isinstance(op, Layout):
        return np.moveaxis(x, -1, 0) if op.channels_first else x
    assert isinstance(op, Opaque), op
    return op.function(x)


def _mix(op: ChannelMix, x: Floats, row: int) -> Floats:
    c = op.channels
    out: Floats = x @ op.matrix[row, :, :c].T + op.matrix[row, :, c]
    if op.pivot is not None:
        out = out + op.pivot[row] @ x.reshape(-1, c).mean(axis=0)
    return out


def _fit(op: Fit, x: Floats) -> Floats:
    axes = tuple(range(x.ndim - 1)) if op.per_channel else None
    if op.statistic == "minmax":
        low, high = x.min(axis=axes), x.max(axis=axes)
        return (x - low) / np.where(high > low, high - low, 1.0)
    mean, std = x.mean(axis=axes), x.std(axis=axes)
    return (x - mean * op.centre) / (std + op.epsilon if op.scale else 1.0)


def run(transform: Transform, x: Any, *, frame: Frame | None = None, seed: int = 5) -> Floats:
    """A transform on one sample ``(..., C)``."""
    x = np.asarray(x)
    out = x.astype(np.float64)
    for op in ops_of(transform, frame or frame_of(1, x.shape[-1], x.dtype), seed=seed):
        out = evaluate(op, out)
    return out


def picture(channels: int = 3, *, seed: int = 0, shape: tuple[int, ...] = (6, 7), dtype: Any = np.uint8) -> Any:
    """Random values of the whole range of a dtype."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.random((*shape, channels)).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, (*shape, channels), dtype, endpoint=True)
