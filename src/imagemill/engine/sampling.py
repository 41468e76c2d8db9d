"""What a resample step asks of a kernel for one sample: shrink factors and the part of the source it needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core import coordinate_maps as maps
from imagemill.core import geometry as geo
from imagemill.core.geometry import Floats
from imagemill.engine.chains import EDGE_TOLERANCE, axis_aligned, simplify
from imagemill.engine.plan import Matrices, Resample, kept

Array = np.ndarray[Any, Any]

SHRINK_LIMIT = 2.0
"""Shrinking by more than this is averaged first."""

_MARGIN = 2


@dataclass(frozen=True, slots=True)
class Request:
    """One sample's resample.

    Parameters
    ----------
    stages : tuple of Stage
    shape : tuple of int
        Of the output.
    order : int
    border : str
    fill, mask_fill
    antialias : tuple of float or None
        Input pixels an output pixel spans along each input axis, where that is more than 2, else 1. Given
        for maps that only scale, flip and exchange axes: they are averaged over exactly that many pixels.
    reduce : tuple of int or None
        Whole factors by which the source is averaged before any other map that shrinks by more than 2.
    """

    stages: tuple[maps.Stage, ...]
    shape: tuple[int, ...]
    order: int
    border: str
    fill: float | tuple[float, ...]
    mask_fill: int
    antialias: tuple[float, ...] | None = None
    reduce: tuple[int, ...] | None = None

    def on_reduced(self) -> Request:
        """The same request, made of the averaged source."""
        assert self.reduce is not None
        factors = np.array(self.reduce, dtype=np.float64)
        # Block k of f pixels has its centre at f k + (f - 1) / 2.
        m = geo.scaling(1.0 / factors[None])[0]
        m[:-1, -1] = -0.5 * (factors - 1.0) / factors
        return replace(self, stages=simplify((*self.stages, maps.Matrix(m))), reduce=None)


@dataclass(frozen=True, slots=True, eq=False)
class _Facts:
    """What is known of a resample by one affine matrix, for the whole batch at once.

    Parameters
    ----------
    same : sequence of bool, one per sample
        The matrix is the identity.
    aligned : sequence of bool
        It only scales, flips and exchanges axes.
    whole : sequence of bool
        It moves whole pixels and reads none between them: flips, quarter turns, crops.
    factors : sequence of floats, ``[n][d]``
        Input pixels an output pixel spans along each input axis.
    """

    same: Sequence[bool]
    aligned: Sequence[bool]
    whole: Sequence[bool]
    factors: Sequence[Sequence[float]]


@kept
def _facts(step: Resample) -> _Facts | None:
    """What is known of a resample by one affine matrix; None for any other."""
    if len(step.links) != 1 or not isinstance(step.links[0], Matrices):
        return None
    m = step.links[0].m
    d = m.shape[-1] - 1
    if m.strides[0] == 0 or len(m) == 1:
        return _facts_of_one(m[0].tolist(), len(m))
    if np.any(m[:, d, :d] != 0.0) or np.any(m[:, d, d] != 1.0):
        return None
    linear = m[:, :d, :d]
    entries = linear != 0.0
    aligned = (entries.sum(axis=1) == 1).all(axis=1) & (entries.sum(axis=2) == 1).all(axis=1)
    same = (m == np.eye(d + 1)).all(axis=(1, 2))
    offset = m[:, :d, d]
    whole = aligned & (np.abs(linear).max(axis=2) == 1.0).all(axis=1)
    whole &= (np.abs(offset - np.rint(offset)) <= EDGE_TOLERANCE).all(axis=1)
    factors = np.sqrt((linear**2).sum(axis=2))
    return _Facts(same.tolist(), aligned.tolist(), whole.tolist(), factors.tolist())


def _facts_of_one(matrix: list[list[float]], n: int) -> _Facts | None:
    """The same of one matrix for all: arrays of so few numbers take many times as long."""
    *rows, last = matrix
    d = len(rows)
    if last != [*[0.0] * d, 1.0]:
        return None
    same = aligned = whole = True
    factors, read = [], set()
    for i, (*linear, place) in enumerate(rows):
        square, axes = 0.0, []
        for k, x in enumerate(linear):
            if x != 0.0:
                square += x * x
                axes.append(k)
        factors.append(math.sqrt(square))
        read.update(axes)
        aligned = aligned and len(axes) == 1
        same = same and axes == [i] and linear[i] == 1.0 and place == 0.0
        whole = whole and square == 1.0 and math.isfinite(place) and abs(place - round(place)) <= EDGE_TOLERANCE
    aligned = aligned and len(read) == d
    return _Facts([same] * n, [aligned] * n, [aligned and whole] * n, [factors] * n)


def request(step: Resample, row: int) -> Request:
    """What sample ``row`` asks for."""
    sampling, facts = step.sampling, _facts(step)
    order = 1 if sampling.order is None else sampling.order
    shape = tuple(step.shape[row].tolist())
    antialias: tuple[float, ...] | None = None
    reduce: tuple[int, ...] | None = None
    if facts is None:
        stages = step.chain(row)
        factors = _shrink(stages, shape) if sampling.antialias and order > 0 else None
        aligned = factors is not None and axis_aligned(stages, shape) is not None
    else:
        stages = () if facts.same[row] else (maps.Matrix(_single(step)[row]),)
        factors = _beyond(facts.factors[row]) if sampling.antialias and order > 0 else None
        aligned = bool(facts.aligned[row])
    if factors is not None:
        antialias, reduce = (factors, None) if aligned else (None, tuple(int(f) for f in factors))
    border = sampling.border or "nearest"
    return Request(stages, shape, order, border, sampling.fill, sampling.mask_fill, antialias, reduce)


def _single(step: Resample) -> Floats:
    (link,) = step.links
    assert isinstance(link, Matrices)
    return link.m


def still(step: Resample, row: int, in_shape: tuple[int, ...]) -> bool:
    """Whether sample ``row`` stays as it is."""
    facts = _facts(step)
    same = not step.chain(row) if facts is None else bool(facts.same[row])
    return same and tuple(step.shape[row].tolist()) == in_shape


def moves(step: Resample, row: int) -> bool:
    """Whether sample ``row`` is moved by whole pixels: then nothing is read between pixels, and none is weighed."""
    facts = _facts(step)
    return facts is not None and bool(facts.whole[row])


def for_labels(step: Resample, row: int) -> Request:
    """What a label map of sample ``row`` asks for: the same places, read by nearest neighbour."""
    return replace(request(step, row), order=0, antialias=None, reduce=None)


_PADDING = {"nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap"}


def averaged(src: Array, asked: Request, dtype: npt.DTypeLike = np.float64) -> Array:
    """Means ``(*blocks, C)`` over blocks of ``asked.reduce`` pixels of an image ``(*shape, C)``.

    Where the last block is short, what the border shows fills it up: repeating the edge beside a constant border
    would leave an image that ends up to a block later, and whose last pixels are out of their places.
    """
    assert asked.reduce is not None
    src = whole_blocks(src, asked)
    split = [size for n, f in zip(src.shape, asked.reduce, strict=False) for size in (n // f, f)]
    blocks = src.reshape(*split, src.shape[-1])
    return np.asarray(blocks.mean(axis=tuple(range(1, 2 * len(asked.reduce), 2)), dtype=dtype))


def whole_blocks(src: Array, asked: Request) -> Array:
    """The image with pixels of its border behind its last ones, so that whole blocks cover it."""
    assert asked.reduce is not None
    frame = src.shape[:-1]
    size = tuple(-(-n // f) * f for n, f in zip(frame, asked.reduce, strict=True))
    if size == frame:
        return src
    if asked.border != "constant":
        pad = [*((0, m - n) for n, m in zip(frame, size, strict=True)), (0, 0)]
        return np.asarray(np.pad(src, pad, mode=_PADDING[asked.border]))  # type: ignore[call-overload]
    fill = np.asarray(asked.fill, dtype=np.float64)
    if src.dtype.kind in "iu":
        info = np.iinfo(src.dtype)
        fill = np.clip(np.rint(fill), info.min, info.max)
    out = np.empty((*size, src.shape[-1]), src.dtype)
    out[...] = fill.astype(src.dtype)
    out[tuple(slice(n) for n in frame)] = src
    return out


def _shrink(stages: tuple[maps.Stage, ...], shape: tuple[int, ...]) -> tuple[float, ...] | None:
    """Length, along each input axis, of the step to the next output pixel, at the centre of the frame."""
    d = len(shape)
    jacobian: Floats = np.eye(d)
    point: Floats = (np.array([shape], dtype=np.float64) - 1) / 2
    for stage in stages:
        if isinstance(stage, maps.Matrix):
            m = stage.m
            w = float(point[0] @ m[d, :d] + m[d, d])
            moved = geo.apply(m, point)
            # Derivative of (A p + b) / w: the quotient rule, which is A itself for an affine map.
            jacobian = (m[:d, :d] - np.outer(moved[0], m[d, :d])) / w @ jacobian
            point = moved
    return _beyond(np.sqrt((jacobian**2).sum(axis=1)).tolist())


def _beyond(factors: Sequence[float]) -> tuple[float, ...] | None:
    """Factors above the limit, 1 for the others; None when there are none."""
    if max(factors) <= SHRINK_LIMIT:
        return None
    return tuple(f if f > SHRINK_LIMIT else 1.0 for f in factors)


def needed(asked: Request, in_shape: tuple[int, ...]) -> tuple[tuple[slice, ...], Request] | None:
    """The block of the source an affine request reads, and the request on that block.

    None when the whole source may be read, or most of it: then there is nothing to save. Only for orders 0
    and 1, whose kernels look at the nearest pixels alone, and borders that repeat or fill the edge.
    """
    d = len(in_shape)
    plain = len(asked.stages) == 1 and isinstance(asked.stages[0], maps.Matrix) and not asked.stages[0].projective
    if not plain or asked.order > 1 or asked.border not in ("nearest", "constant"):
        return None
    stage = asked.stages[0]
    assert isinstance(stage, maps.Matrix)
    corners = np.array(np.meshgrid(*[(0.0, n - 1.0) for n in asked.shape], indexing="ij")).reshape(d, -1).T
    q = geo.apply(stage.m, corners)
    blocks = np.array(asked.reduce or (1,) * d)
    reach = np.ceil(np.maximum(np.array(asked.antialias or (1.0,) * d), blocks)) * 3 + _MARGIN
    # A block holds at least the edge pixel, so that a map that looks beyond the edge still finds it.
    low = np.clip(np.floor(q.min(axis=0) - reach), 0, np.array(in_shape) - 1).astype(int)
    high = np.clip(np.ceil(q.max(axis=0) + reach) + 1, low + 1, in_shape).astype(int)
    if np.prod((high - low).astype(float)) > 0.5 * np.prod(np.array(in_shape, dtype=float)):
        return None
    # Whole blocks, so that they are the same ones whatever is looked at.
    low = low // blocks * blocks
    high = np.minimum(-(-high // blocks) * blocks, in_shape)
    m = stage.m.copy()
    m[:d, d] -= low
    block = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return block, replace(asked, stages=(maps.Matrix(m),))
