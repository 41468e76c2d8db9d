"""What a resample means, in float64 and plain scipy: every kernel is tested against this file.

Arrays in, arrays out; images carry a channel axis last, label maps carry none. Values keep their own
units: nothing is rescaled, clipped or rounded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.coordinate_maps import Displace, Matrix, Stage, Window
from imagemill.core.errors import InputError
from imagemill.engine.chains import (
    EDGE_TOLERANCE,
    FARTHEST,
    SCIPY_MODES,
    AxisAligned,
    axis_aligned,
    check,
    check_order,
    fill_vector,
    integer_index,
    simplify,
)

Array = np.ndarray[Any, Any]
Floats = npt.NDArray[np.float64]


def coordinates(stages: tuple[Stage, ...], out_shape: tuple[int, ...]) -> tuple[Floats, npt.NDArray[np.bool_] | None]:
    """Input coordinate of every output index, and which samples lie outside a window.

    Parameters
    ----------
    stages : tuple of Stage
        The chain, read from the output to the input.
    out_shape : tuple of int
        Spatial shape of the output.

    Returns
    -------
    coords : array, ``(d, *out_shape)``, float64
        Coordinates in pixels of the input.
    outside : array of bool, ``out_shape``, or None
        None when the chain has no window.

    Examples
    --------
    >>> shift = Matrix(np.array([[1.0, 0, 2], [0, 1, 0], [0, 0, 1]]))
    >>> coordinates((shift,), (1, 2))[0][:, 0].tolist()
    [[2.0, 2.0], [0.0, 1.0]]
    """
    coords, first = _trace(stages, out_shape)
    return coords, None if first is None else first >= 0


def _trace(stages: tuple[Stage, ...], out_shape: tuple[int, ...]) -> tuple[Floats, npt.NDArray[np.int64] | None]:
    """Coordinates, and per sample the number of the first window it leaves (-1: none)."""
    q = np.indices(out_shape, dtype=np.float64)
    first: npt.NDArray[np.int64] | None = None
    for number, stage in enumerate(stages):
        if isinstance(stage, Matrix):
            q = _multiply(stage, q)
        elif isinstance(stage, Displace):
            q = q + displacement(stage, q)
        else:
            if first is None:
                first = np.full(out_shape, -1, np.int64)
            shape = np.reshape(np.asarray(stage.shape, np.float64), (-1,) + (1,) * len(out_shape))
            moved = q + EDGE_TOLERANCE
            inside = ((moved >= -0.5) & (moved < shape - 0.5)).all(axis=0)
            first[~inside & (first < 0)] = number
    return q, first


def _multiply(stage: Matrix, q: Floats) -> Floats:
    m = stage.m
    d = len(q)
    moved = np.tensordot(m[:d, :d], q, axes=1) + m[:d, d].reshape((d,) + (1,) * (q.ndim - 1))
    if not stage.projective:
        return moved
    w = np.tensordot(m[d, :d], q, axes=1) + m[d, d]
    # On the horizon itself the quotient is undefined; a tiny depth sends it far away, where it belongs.
    w = np.where(np.abs(w) < 1e-12, 1e-12, w)
    projected: Floats = np.clip(moved / w, -FARTHEST, FARTHEST)
    return projected


def displacement(stage: Displace, q: Floats) -> Floats:
    """Displacement in pixels at coordinates ``q`` ``(d, ...)``: a uniform cubic B-spline.

    Source: Rueckert et al., "Nonrigid registration using free-form deformations", IEEE TMI 18(8), 1999.
    """
    index: list[npt.NDArray[np.int64]] = []
    weight: list[Floats] = []
    for axis, (cells, size) in enumerate(zip(stage.cells, stage.shape, strict=True)):
        u = np.clip((q[axis] + 0.5) / size * cells, 0.0, cells)
        cell = np.minimum(np.floor(u).astype(np.int64), cells - 1)
        index.append(cell)
        weight.append(_cubic_weights(u - cell))
    total = np.zeros_like(q)
    for tap in np.ndindex(*(4,) * len(index)):
        w = np.prod([weight[a][t] for a, t in enumerate(tap)], axis=0)
        place = tuple(index[a] + t for a, t in enumerate(tap))
        total += w * stage.grid[(slice(None), *place)]
    return total


def _cubic_weights(t: Floats) -> Floats:
    s = 1.0 - t
    return np.stack([s**3, 3 * t**3 - 6 * t**2 + 4, 3 * s**3 - 6 * s**2 + 4, t**3]) / 6.0


def resample(
    src: Array,
    stages: tuple[Stage, ...],
    out_shape: tuple[int, ...],
    *,
    order: int,
    border: str,
    fill: float | npt.ArrayLike = 0.0,
    antialias: Sequence[float] | None = None,
) -> Floats:
    """Interpolate an image at the coordinates a chain gives.

    Parameters
    ----------
    src : array, ``(*shape, C)``
        Image or volume, any real dtype.
    stages, out_shape
        See :func:`coordinates`.
    order : {0, 1, 3, 5}
        Spline order; 3 and 5 interpolate (prefiltered B-splines, as ``scipy.ndimage``).
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What lies beyond the input.
    fill : float or ``(C,)``
        Value of the "constant" border. Outside a window stands that window's own fill.
    antialias : tuple of float, one per input axis, or None
        Input pixels an output pixel spans. Factors above 1 are averaged over: by area where the chain only
        scales, flips and exchanges axes, else by a Gaussian of sigma ``(factor - 1) / 2`` before sampling
        (scikit-image's ``resize`` rule).

    Returns
    -------
    array, ``(*out_shape, C)``, float64

    Raises
    ------
    InputError
        When the chain, the shapes, the border or the order do not fit.

    Examples
    --------
    >>> ramp = np.arange(4.0).reshape(1, 4, 1)
    >>> half = Matrix(np.array([[1.0, 0, 0], [0, 1, 0.5], [0, 0, 1]]))
    >>> resample(ramp, (half,), (1, 3), order=1, border="nearest")[0, :, 0].tolist()
    [0.5, 1.5, 2.5]
    """
    shape = src.shape[:-1]
    check(stages, shape, out_shape, border)
    check_order(order)
    fills = fill_vector(fill, src.shape[-1])
    image = src.astype(np.float64)
    coords, first = _trace(stages, out_shape)
    aligned = axis_aligned(simplify(stages), out_shape)
    factors = _factors(antialias, len(shape))
    if factors is not None and aligned is not None:
        out = _area(image, aligned, factors, coords, order, border, fills)
    else:
        if factors is not None:
            image = _blur(image, factors, border, fills)
        out = _sample(image, coords, order, border, fills)
    if first is not None:
        for number, stage in enumerate(stages):
            if isinstance(stage, Window):
                out[first == number] = fill_vector(stage.fill, src.shape[-1])
    return out


def resample_labels(
    src: Array,
    stages: tuple[Stage, ...],
    out_shape: tuple[int, ...],
    *,
    border: str,
    fill: int = 0,
) -> Array:
    """Move a label map: the label of the pixel that holds the coordinate, index ``floor(q + 0.5)``.

    Parameters
    ----------
    src : array of integers or bools, ``shape``
        Label map. Labels are copied, never computed with.
    stages, out_shape, border
        See :func:`resample`.
    fill : int
        Label of the "constant" border. Outside a window stands that window's ``mask_fill``.

    Returns
    -------
    array, ``out_shape``, dtype of ``src``

    Examples
    --------
    >>> labels = np.array([[1, 2, 3]], np.uint8)
    >>> flip = Matrix(np.array([[1.0, 0, 0], [0, -1, 2], [0, 0, 1]]))
    >>> resample_labels(labels, (flip,), (1, 3), border="nearest").tolist()
    [[3, 2, 1]]
    """
    check(stages, src.shape, out_shape, border)
    coords, first = _trace(stages, out_shape)
    out = _gather(src, coords, border, fill)
    if first is not None:
        for number, stage in enumerate(stages):
            if isinstance(stage, Window):
                out[first == number] = stage.mask_fill
    return out


def spline_prefilter(src: Array, order: int, border: str) -> Floats:
    """B-spline coefficients of an image along its spatial axes, as scipy's ``spline_filter``, unpadded.

    Parameters
    ----------
    src : array, ``(*shape, C)``
    order : {3, 5}
    border : str
        Boundary of the filter.

    Source: Unser, "Splines: a perfect fit for signal and image processing", IEEE SPM 16(6), 1999.

    Examples
    --------
    >>> bool(np.allclose(spline_prefilter(np.ones((4, 4, 1)), 3, "mirror"), 1.0))
    True
    """
    import scipy.ndimage as ndi

    # scipy's stubs want orders and modes as literals; ours are checked when they are given.
    one_axis: Any = ndi.spline_filter1d
    out: Floats = src.astype(np.float64)
    for axis in range(src.ndim - 1):
        out = one_axis(out, order, axis, output=np.float64, mode=SCIPY_MODES[border])
    return out


def resize_area(src: Array, out_shape: tuple[int, ...]) -> Floats:
    """Average the input over each output pixel's extent, ``[o * N / M, (o + 1) * N / M)``.

    Parameters
    ----------
    src : array, ``(*shape, C)``
    out_shape : tuple of int
        No larger than ``shape`` along any axis.

    Returns
    -------
    array, ``(*out_shape, C)``, float64

    Examples
    --------
    >>> resize_area(np.arange(6.0).reshape(1, 6, 1), (1, 3))[0, :, 0].tolist()
    [0.5, 2.5, 4.5]
    """
    if any(m > n or m < 1 for n, m in zip(src.shape[:-1], out_shape, strict=True)):
        msg = (
            f"expected 1 to {src.shape[:-1]} output pixels, got {out_shape}; area weights only shrink, "
            "so resample with an order to enlarge"
        )
        raise InputError(msg)
    out: Floats = src.astype(np.float64)
    for axis, m in enumerate(out_shape):
        n = out.shape[axis]
        table = area_table(n, (np.arange(m) + 0.5) * n / m - 0.5, n / m, "nearest")[0]
        out = np.moveaxis(np.tensordot(table, out, axes=(1, axis)), 0, axis)
    return out


def area_table(n: int, centres: Floats, width: float, border: str) -> tuple[Floats, Floats]:
    """Weights ``(m, n)`` of box averages of ``width`` pixels about ``centres``, and what the fill weighs."""
    low = centres - width / 2
    table = np.zeros((len(centres), n))
    lost = np.zeros(len(centres))
    rows = np.arange(len(centres))
    start = np.floor(low + 0.5).astype(np.int64)
    for tap in range(int(np.ceil(width)) + 1):
        pixel = start + tap
        overlap = np.minimum(pixel + 0.5, low + width) - np.maximum(pixel - 0.5, low)
        weight = np.maximum(overlap, 0.0) / width
        index = integer_index(pixel, n, border)
        lost += np.where(index < 0, weight, 0.0)
        np.add.at(table, (rows, np.maximum(index, 0)), np.where(index < 0, 0.0, weight))
    return table, lost


def _factors(antialias: Sequence[float] | None, d: int) -> tuple[float, ...] | None:
    if antialias is None:
        return None
    factors = tuple(max(float(f), 1.0) for f in antialias)
    if len(factors) != d:
        msg = f"expected one antialias factor per axis ({d}), got {len(factors)}; give one for each"
        raise InputError(msg)
    return factors if max(factors) > 1.0 else None


def _area(
    image: Floats,
    aligned: AxisAligned,
    factors: tuple[float, ...],
    coords: Floats,
    order: int,
    border: str,
    fills: Floats,
) -> Floats:
    """Average along the axes that shrink, then interpolate along the others, one axis at a time."""
    d = len(factors)
    for i in sorted(range(d), key=lambda i: factors[i] <= 1.0):
        line: list[Any] = [0] * d
        line[aligned.perm[i]] = slice(None)
        places = coords[i][tuple(line)]
        if factors[i] > 1.0:
            table, lost = area_table(image.shape[i], places, abs(float(aligned.scale[i])), border)
        else:
            table, lost = _spline_table(image.shape[i], places, order, border)
        image = np.moveaxis(np.tensordot(table, image, axes=(1, i)), 0, i)
        image += np.multiply.outer(lost, fills).reshape((1,) * i + (-1,) + (1,) * (d - 1 - i) + (len(fills),))
    return np.ascontiguousarray(image.transpose(*np.argsort(aligned.perm), d))


def _spline_table(n: int, places: Floats, order: int, border: str) -> tuple[Floats, Floats]:
    """Weights ``(m, n)`` of interpolation along one axis, read off the response to single pixels."""
    none = np.zeros(1)
    rows = [_sample(unit[:, None], places[None], order, border, none)[:, 0] for unit in np.eye(n)]
    table = np.stack(rows)
    return table.T, 1.0 - table.sum(axis=0)


def _blur(image: Floats, factors: tuple[float, ...], border: str, fills: Floats) -> Floats:
    import scipy.ndimage as ndi

    sigma = [(f - 1.0) / 2.0 for f in factors]
    out = np.empty_like(image)
    for c, fill in enumerate(fills):
        out[..., c] = ndi.gaussian_filter(image[..., c], sigma, mode=SCIPY_MODES[border], cval=fill)
    return out


def _sample(image: Floats, coords: Floats, order: int, border: str, fills: Floats) -> Floats:
    import scipy.ndimage as ndi

    read: Any = ndi.map_coordinates
    channels = [
        _gather(image[..., c], coords, border, fill)
        if order == 0
        else read(image[..., c], coords, order=order, mode=SCIPY_MODES[border], cval=fill)
        for c, fill in enumerate(fills)
    ]
    return np.stack(channels, axis=-1)


def _gather(src: Array, coords: Floats, border: str, fill: float) -> Array:
    inside = np.ones(coords.shape[1:], np.bool_)
    index = []
    for axis, n in enumerate(src.shape):
        i = integer_index(np.floor(coords[axis] + 0.5).astype(np.int64), n, border)
        inside &= i >= 0
        index.append(np.maximum(i, 0))
    out = src[tuple(index)]
    out[~inside] = fill
    return out
