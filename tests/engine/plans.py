"""Ops and plans made by hand, for the tests of the planner."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Cast, ChannelMix, Fit, Op, Opaque, Pointwise, Sampling, Warp
from imagemill.engine.plan import Plan
from imagemill.engine.planner import Drawn, make_plan

Array = np.ndarray[Any, Any]

SIZE = (12, 16)
UINT8, FLOAT32 = np.dtype(np.uint8), np.dtype(np.float32)


def frame(n: int = 2, channels: int = 3, dtype: Any = UINT8) -> Frame:
    return Frame.of(*SIZE, channels=channels, dtype=dtype, n=n)


def shifted(by: float = 0.0, sampling: Sampling = Sampling(1, "nearest"), n: int = 2) -> Affine:
    offset = np.tile([by, 0.0], (n, 1))
    return Affine(geo.translation(offset), np.tile(np.array(SIZE), (n, 1)), sampling)


def flipped(n: int = 2) -> Affine:
    shape = np.tile(np.array(SIZE), (n, 1))
    return Affine(geo.flip(shape, 1), shape)


def resized(*size: int, n: int = 2, order: int = 1) -> Affine:
    shape, target = np.tile(np.array(SIZE), (n, 1)), np.tile(np.array(size), (n, 1))
    return Affine(geo.resize(shape, target), target, Sampling(order))


def padded(by: int, where: bool = True, n: int = 2, fill: float = 0.0) -> Affine:
    shape = np.tile(np.array(SIZE), (n, 1)) + 2 * by
    return Affine(geo.translation(np.full((n, 2), -float(by))), shape, Sampling(fill=fill), window=np.full(n, where))


def bent(n: int = 2, reach: float = 1.0, seed: int = 0) -> Warp:
    grid = np.random.default_rng(seed).uniform(-reach, reach, (n, 2, 6, 6))
    return Warp(grid, Sampling(1, "nearest"))


def gained(gain: float = 1.5, n: int = 2, *, leaves_range: bool = False, offset: float = 0.0) -> ChannelMix:
    return ChannelMix.diagonal(np.full((n, 3), gain), np.full((n, 3), offset), leaves_range=leaves_range)


def curved(gamma: float = 2.0, n: int = 2, where: Array | None = None) -> Pointwise:
    return Pointwise("gamma", np.tile([255.0, gamma], (n, 1)), 3, where)


def jumping(n: int = 2) -> Pointwise:
    return Pointwise("tones", np.tile([100.0, 2.0, 0.5], (n, 1)), 3)


def standardized() -> Fit:
    return Fit("zscore", epsilon=1e-7)


def cast(dtype: Any) -> Cast:
    return Cast(np.dtype(dtype))


def called(function: Any = np.invert) -> Opaque:
    return Opaque(function, "invert")


def planned(*ops: Op, first: Frame | None = None, **options: Any) -> Plan:
    """The plan of ops, each named after its place: ``a``, ``b``, ..."""
    frames = [frame() if first is None else first]
    drawn: list[Drawn] = []
    for op, name in zip(ops, "abcdefgh", strict=False):
        drawn.append((name, op))
        frames.append(op.after(frames[-1]))
    return make_plan(drawn, frames, debug=True, **options)


def sources(plan: Plan) -> list[str]:
    """The names that went into each step, run together."""
    return ["".join(step.sources) for step in plan.steps]


def broken(plan: Plan) -> list[str]:
    """Why each step is one of its own."""
    return [step.broken for step in plan.steps]
