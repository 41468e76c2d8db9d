"""Drawing without a pipeline, and a resample in a few lines that owes nothing to the engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

from imagemill.core import geometry as geo
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Op, Warp
from imagemill.core.randomness.rng import Draws, Generator, hash_keys
from imagemill.transforms.base import Transform

Array = npt.NDArray[Any]
SCIPY = {
    "nearest": "nearest",
    "constant": "grid-constant",
    "reflect": "reflect",
    "mirror": "mirror",
    "wrap": "grid-wrap",
}


def draws_for(transform: Transform, n: int, *, seed: int = 0, first: int = 0) -> Draws:
    """Draws for the samples ``first .. first + n - 1``."""
    return Draws(Generator(seed, 0, hash_keys(range(first, first + n))), 0, transform.names())


def draw(transform: Transform, frame: Frame, *, seed: int = 0) -> Any:
    """What the transform draws for the frame's samples."""
    return transform.draw(draws_for(transform, frame.n, seed=seed), frame)


def frame_of(*shapes: tuple[int, ...], spacing: tuple[float, ...] | None = None) -> Frame:
    """A frame of images of several shapes."""
    frame = Frame.of(*shapes[0], n=len(shapes), spacing=spacing)
    return replace(frame, shape=np.array(shapes, dtype=np.int64))


def with_foreground(frame: Frame, low: Any, high: Any) -> Frame:
    """The frame with edges of a foreground, both ``[n, d]``."""
    return replace(frame, content=_Foreground(np.asarray(low, np.float64), np.asarray(high, np.float64)))


@dataclass(frozen=True)
class _Foreground:
    """What images show, as far as a foreground goes."""

    low: Array
    high: Array

    def extent(self) -> tuple[Array, Array]:
        return self.low, self.high


def render(op: Op | tuple[Op, ...], image: Array, *, row: int = 0) -> Array:
    """One row of some affine ops applied to an array, one after the other."""
    for one in op if isinstance(op, tuple) else (op,):
        assert isinstance(one, Affine)
        image = _render(one, image, row)
    return image


def _render(op: Affine, image: Array, row: int) -> Array:
    d = image.ndim
    shape = tuple(int(v) for v in op.shape[row])
    points = np.indices(shape, dtype=np.float64).reshape(d, -1).T
    q = geo.apply(op.matrix[row], points).T.reshape(d, *shape)
    mode, order = op.sampling.border or "nearest", op.sampling.order
    if order is None:
        np.testing.assert_array_equal(q, np.round(q), err_msg="an op without an order must read whole pixels")
        order = 0
    out = ndi.map_coordinates(image, q, order=order, mode=SCIPY[mode], cval=op.sampling.fill)
    if op.window is not None and op.window[row]:
        size = np.reshape(image.shape, (d, *[1] * d))
        out[~((q >= -0.5) & (q < size - 0.5)).all(axis=0)] = op.sampling.fill
    return np.asarray(out)


def displaced(op: Warp, shape: tuple[int, ...], row: int, step: int = 1) -> Array:
    """Where each ``step``-th index of a frame is pulled from, ``(d, ...)``, by scipy's own splines."""
    d = len(shape)
    cells = np.array(op.grid.shape[2:]) - 3
    points = np.indices(tuple(-(-n // step) for n in shape), dtype=np.float64) * step
    ratio = np.reshape(cells / np.array(shape), (d, *[1] * d))
    # Coefficient k of the lattice is centred one cell before the frame begins.
    u = np.clip((points + 0.5) * ratio, 0, np.reshape(cells, (d, *[1] * d))) + 1.0
    moved = [ndi.map_coordinates(c, u, order=3, prefilter=False, mode="mirror") for c in op.grid[row]]
    return np.asarray(points + np.stack(moved))
