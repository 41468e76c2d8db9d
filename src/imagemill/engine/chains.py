"""What every backend asks about a chain of stages before it runs one.

Shapes and matrices are in index order, pixel centres at integers, matrices pull (output -> input).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.coordinate_maps import Displace, Matrix, Stage, Window
from imagemill.core.errors import InputError

BORDERS: dict[str, int] = {"nearest": 0, "constant": 1, "reflect": 2, "mirror": 3, "wrap": 4}
SCIPY_MODES: dict[str, Any] = {
    "nearest": "nearest",
    "constant": "grid-constant",
    "reflect": "reflect",
    "mirror": "mirror",
    "wrap": "grid-wrap",
}
ORDERS = (0, 1, 3, 5)

EDGE_TOLERANCE = 1e-9
"""How far rounding may push a coordinate over a window's edge without changing sides, in pixels."""

FARTHEST = 2.0**30
"""Coordinates behind a perspective's horizon are held within this, so that they stay finite."""


# One sample's chain is a handful of numbers: plain lists are several times quicker here than array calls.
_IDENTITY = {n: np.eye(n).tolist() for n in (3, 4)}


def check(stages: tuple[Stage, ...], in_shape: tuple[int, ...], out_shape: tuple[int, ...], border: str) -> None:
    """Refuse a chain that does not fit the arrays, before any kernel reads memory by it.

    Raises
    ------
    InputError
        For an unknown border, an empty source, or stages of another dimension
        or with numbers that are not finite.
    """
    d = len(in_shape)
    if border not in BORDERS:
        msg = f"expected a border out of {', '.join(BORDERS)}, got {border!r}; choose one of these"
        raise InputError(msg)
    if d not in (2, 3) or len(out_shape) != d:
        msg = (
            f"expected 2 or 3 spatial axes in and as many out, got {in_shape} -> {out_shape}; "
            "give shapes without the channel axis"
        )
        raise InputError(msg)
    if min(in_shape) < 1 or min(out_shape) < 0:
        msg = f"expected at least one pixel along each axis, got {in_shape} -> {out_shape}; drop empty arrays"
        raise InputError(msg)
    for stage in stages:
        _check_stage(stage, d)


def _check_stage(stage: Stage, d: int) -> None:
    if isinstance(stage, Window):
        fits = len(stage.shape) == d
    elif isinstance(stage, Matrix):
        fits = stage.m.shape == (d + 1, d + 1) and all(map(math.isfinite, stage.m.ravel().tolist()))
    else:
        fits = stage.grid.ndim == d + 1 and stage.grid.shape[0] == d and len(stage.shape) == d
        fits = fits and min(stage.cells) >= 1 and bool(np.isfinite(stage.grid).all())
    if not fits:
        msg = f"expected every stage to be finite and of {d} dimensions, got {stage!r}; rebuild the chain"
        raise InputError(msg)


def check_order(order: int) -> None:
    """Refuse an interpolation order that has no kernel."""
    if order not in ORDERS:
        msg = f"expected a spline order out of {ORDERS}, got {order!r}; choose one of these"
        raise InputError(msg)


def simplify(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Multiply neighbouring matrices together and drop those that change nothing.

    Examples
    --------
    >>> double = Matrix(np.diag([2.0, 2.0, 1.0]))
    >>> [stage.m[0, 0] for stage in simplify((double, double))]
    [np.float64(4.0)]
    """
    short: list[Stage] = []
    for stage in stages:
        if isinstance(stage, Matrix) and short and isinstance(short[-1], Matrix):
            # The chain is read from the output, so the later stage acts on the earlier one's result.
            short[-1] = Matrix(stage.m @ short[-1].m)
        elif isinstance(stage, Displace) and not stage.grid.any():
            continue
        else:
            short.append(stage)
    return tuple(
        stage for stage in short if not (isinstance(stage, Matrix) and stage.m.tolist() == _SAME[len(stage.m)])
    )


_SAME = [np.eye(side).tolist() for side in range(5)]


@dataclass(frozen=True, slots=True, eq=False)
class AxisAligned:
    """A chain that keeps axes apart: input axis ``i`` reads output axis ``perm[i]`` scaled and shifted.

    ``q[i] = scale[i] * p[perm[i]] + offset[i]``. ``boxes`` holds, per window in chain order, the output
    indices ``[low, high)`` it keeps along each output axis, and the window.
    """

    perm: tuple[int, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    boxes: tuple[tuple[tuple[int, ...], tuple[int, ...], Window], ...]


def is_affine(stage: Matrix) -> bool:
    """Whether the matrix divides by nothing."""
    last: list[float] = stage.m[-1].tolist()
    return last[-1] == 1.0 and not any(last[:-1])


def axis_aligned(stages: tuple[Stage, ...], out_shape: tuple[int, ...]) -> AxisAligned | None:
    """Read the chain as scales and shifts of whole axes, or None when it turns, bends or projects.

    Examples
    --------
    >>> flip = Matrix(np.array([[1.0, 0, 0], [0, -1, 4], [0, 0, 1]]))
    >>> axis_aligned((flip,), (3, 5)).scale
    (1.0, -1.0)
    """
    total: npt.NDArray[np.float64] | None = None
    boxes: list[tuple[tuple[int, ...], tuple[int, ...], Window]] = []
    for stage in stages:
        if isinstance(stage, Displace):
            return None
        if isinstance(stage, Window):
            parts = _parts(total, len(out_shape))
            if parts is None:
                return None
            boxes.append((*_kept(parts, out_shape, stage), stage))
        else:
            if not is_affine(stage):
                return None
            total = stage.m if total is None else stage.m @ total
    parts = _parts(total, len(out_shape))
    return None if parts is None else AxisAligned(*parts, tuple(boxes))


_Parts = tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]]


def _parts(m: npt.NDArray[np.float64] | None, d: int) -> _Parts | None:
    if m is None:
        return tuple(range(d)), (1.0,) * d, (0.0,) * d
    perm: list[int] = []
    scale: list[float] = []
    offset: list[float] = []
    for row in m.tolist()[:d]:
        size = [abs(value) for value in row[:d]]
        most = max(size)
        # Turning by 90 degrees in floating point leaves 6e-17 where a zero belongs.
        if most < EDGE_TOLERANCE or sum(size) - most > 1e-12 * most:
            return None
        perm.append(size.index(most))
        scale.append(row[perm[-1]])
        offset.append(row[d])
    return None if len(set(perm)) < d else (tuple(perm), tuple(scale), tuple(offset))


def _kept(parts: _Parts, out_shape: tuple[int, ...], window: Window) -> tuple[tuple[int, ...], tuple[int, ...]]:
    perm, scale, offset = parts
    low, high = [0] * len(perm), [0] * len(perm)
    for i, axis in enumerate(perm):
        q = scale[i] * np.arange(out_shape[axis]) + offset[i] + EDGE_TOLERANCE
        inside = np.flatnonzero((q >= -0.5) & (q < window.shape[i] - 0.5))
        if inside.size:
            low[axis], high[axis] = int(inside[0]), int(inside[-1]) + 1
    return tuple(low), tuple(high)


def fill_vector(fill: float | npt.ArrayLike, channels: int) -> npt.NDArray[np.float64]:
    """One fill value per channel, float64."""
    if isinstance(fill, (int, float)):
        return np.full(channels, float(fill))
    values = np.asarray(fill, np.float64)
    if values.ndim > 1 or (values.ndim == 1 and values.shape[0] not in (1, channels)):
        msg = (
            f"expected one fill value or one per channel ({channels}), got shape {values.shape}; "
            "give a number or a flat list"
        )
        raise InputError(msg)
    return np.ascontiguousarray(np.broadcast_to(values, (channels,)))


def integer_index(index: npt.NDArray[np.int64], n: int, border: str) -> npt.NDArray[np.int64]:
    """Fold indices into ``0 .. n - 1`` as the border says; -1 marks the fill value of "constant".

    Examples
    --------
    >>> integer_index(np.arange(-3, 6), 3, "mirror").tolist()
    [1, 2, 1, 0, 1, 2, 1, 0, 1]
    >>> integer_index(np.arange(-3, 6), 3, "reflect").tolist()
    [2, 1, 0, 0, 1, 2, 2, 1, 0]
    """
    if border == "nearest":
        return np.clip(index, 0, n - 1)
    if border == "constant":
        return np.where((index >= 0) & (index < n), index, -1)
    if border == "wrap":
        return index % n
    if border == "reflect":
        folded = index % (2 * n)
        return np.where(folded < n, folded, 2 * n - 1 - folded)
    if n == 1:
        return np.zeros_like(index)
    folded = index % (2 * n - 2)
    return np.where(folded < n, folded, 2 * n - 2 - folded)


def label_value(value: int, dtype: np.dtype[np.generic]) -> np.generic:
    """A fill label in the map's own dtype, or an error when it does not fit.

    Examples
    --------
    >>> label_value(255, np.dtype(np.uint8))
    np.uint8(255)
    """
    if dtype == np.bool_:
        return np.bool_(bool(value))
    bounds = np.iinfo(dtype)  # type: ignore[type-var]
    if not bounds.min <= int(value) <= bounds.max:
        msg = (
            f"expected a fill label between {bounds.min} and {bounds.max} for {dtype}, got {value}; "
            "choose another or widen the label map"
        )
        raise InputError(msg)
    return dtype.type(int(value))


def saturate(values: npt.NDArray[np.float64], dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    """Cast to an image dtype: integers are rounded half to even and saturated.

    Examples
    --------
    >>> saturate(np.array([-3.0, 2.5, 300.0]), np.dtype(np.uint8)).tolist()
    [0, 2, 255]
    """
    if dtype.kind == "f":
        return values.astype(dtype)
    bounds = np.iinfo(dtype)  # type: ignore[type-var]
    return np.clip(np.rint(values), bounds.min, bounds.max).astype(dtype)
