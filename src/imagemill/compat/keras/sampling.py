"""Pictures read where a matrix points, with the borders of ``scipy.ndimage.affine_transform``.

Two borders of SciPy are not the engine's. ``constant`` gives the fill to everything outside the outermost pixel
*centres*, where the engine's border blends over the last half pixel. ``wrap`` repeats with a period of one pixel less
than the picture has. And a mask or a picture read by order 0 has to choose the same pixel on a tie. These are read by
the kernel below, all others by the engine in one call for the whole batch.

Source: the modes as documented for ``scipy.ndimage`` (1.17, "Interpolation boundary handling"), checked against it.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from imagemill.compat.keras.defaults import Array
from imagemill.compat.keras.parts import for_parts
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Affine, Bools, Cast, ChannelMix, Op, Sampling
from imagemill.engine import execute
from imagemill.engine.backends import get_backend
from imagemill.engine.buffers import Buffers
from imagemill.engine.planner import make_plan

__all__ = ["FILL_MODES", "sample"]

FILL_MODES = ("nearest", "constant", "reflect", "wrap", "mirror", "grid-constant", "grid-wrap", "grid-mirror")
_ENGINE = {
    "nearest": "nearest",
    "reflect": "reflect",
    "grid-mirror": "reflect",
    "mirror": "mirror",
    "grid-constant": "constant",
    "grid-wrap": "wrap",
}
_KERNEL = {"nearest": 0, "constant": 1, "reflect": 2, "wrap": 3}
_SMALL = 3 * 64 * 64
"""Most values of a picture that the engine resamples and multiplies without rounding in between."""


@njit(nogil=True, cache=True, error_model="numpy")
def _fold(at, size, mode):
    """A coordinate beyond the outermost pixel centres brought to where the same value is; NaN for the fill."""
    last = size - 1
    if 0.0 <= at <= last:
        return at
    if mode == 1:
        return np.nan
    if mode == 0:
        return 0.0 if at < 0.0 else float(last)
    if size == 1:
        return 0.0
    if mode == 3:
        if at < 0.0:
            return at + last * (math.floor(-at / last) + 1.0)
        return at - last * math.floor(at / last)
    at = at - 2.0 * size * math.floor(at / (2.0 * size))
    at = 2.0 * size - 1.0 - at if at >= size else at
    # Between the last centre and the edge both neighbours are the same pixel.
    return min(max(at, 0.0), float(last))


@njit(nogil=True, cache=True, error_model="numpy")
def _read(src, matrix, flip_y, flip_x, mode, fill, linear, out):
    n, height, width, channels = src.shape
    for i in range(n):
        m = matrix[i]
        for y in range(height):
            py = float(height - 1 - y) if flip_y[i] else float(y)
            for x in range(width):
                px = float(width - 1 - x) if flip_x[i] else float(x)
                # Summed in this order, so that a tie falls to the same side as in ndimage.
                qy = _fold(m[0, 2] + m[0, 0] * py + m[0, 1] * px, height, mode)
                qx = _fold(m[1, 2] + m[1, 0] * py + m[1, 1] * px, width, mode)
                if math.isnan(qy) or math.isnan(qx):
                    for c in range(channels):
                        out[i, y, x, c] = fill
                elif linear:
                    y0, x0 = int(qy), int(qx)
                    fy, fx = qy - y0, qx - x0
                    y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
                    for c in range(channels):
                        top = (1.0 - fx) * src[i, y0, x0, c] + fx * src[i, y0, x1, c]
                        low = (1.0 - fx) * src[i, y1, x0, c] + fx * src[i, y1, x1, c]
                        out[i, y, x, c] = (1.0 - fy) * top + fy * low
                else:
                    y0, x0 = math.floor(qy + 0.5), math.floor(qx + 0.5)
                    for c in range(channels):
                        out[i, y, x, c] = src[i, min(y0, height - 1), min(x0, width - 1), c]


@njit(nogil=True, cache=True, error_model="numpy")
def _fill_outside(matrix, flip_y, flip_x, fill, out):
    """Give the fill to pixels whose coordinate lies beyond the outermost centres."""
    n, height, width, channels = out.shape
    for i in range(n):
        m = matrix[i]
        for y in range(height):
            py = float(height - 1 - y) if flip_y[i] else float(y)
            for x in range(width):
                px = float(width - 1 - x) if flip_x[i] else float(x)
                qy = m[0, 2] + m[0, 0] * py + m[0, 1] * px
                qx = m[1, 2] + m[1, 0] * py + m[1, 1] * px
                if not (0.0 <= qy <= height - 1 and 0.0 <= qx <= width - 1):
                    for c in range(channels):
                        out[i, y, x, c] = fill


def sample(
    images: Array,
    matrix: Floats,
    flip_y: Bools,
    flip_x: Bools,
    *,
    order: int = 1,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    gain: float = 1.0,
    dtype: Any = None,
    workers: int = 1,
    buffers: Buffers | None = None,
) -> Array:
    """Move a batch of pictures of one size, and multiply them on the way.

    Parameters
    ----------
    images : array, ``[n, H, W, C]``
        Label maps of any dtype with ``order=0``.
    matrix : array, ``[n, 3, 3]``
        Output index to input index, ``(y, x, 1)``.
    flip_y, flip_x : bool array, ``[n]``
        Turned over afterwards.
    order : int
        Of the spline, 0 to 5.
    fill_mode : str
        As ``mode`` of ``scipy.ndimage.affine_transform``.
    cval : float
        Shown beyond the edge where the mode is constant.
    gain : float
        Factor on all values, the fill among them.
    dtype : dtype, optional
        Floating point to compute with and to give; that of ``images`` when left out.
    workers : int
        Threads; the result does not depend on it.
    buffers : Buffers, optional
        Memory of batches that are done with, to be used again.

    Returns
    -------
    array, ``[n, H, W, C]``

    Raises
    ------
    ParameterError
        For an unknown mode or order, or a matrix that is not finite.

    Examples
    --------
    >>> picture = np.arange(4.0).reshape(1, 2, 2, 1)
    >>> no = np.zeros(1, bool)
    >>> sample(picture, np.eye(3)[None], no, ~no)[0, ..., 0].tolist()
    [[1.0, 0.0], [3.0, 2.0]]
    """
    if fill_mode not in FILL_MODES:
        raise ParameterError(f"expected fill_mode to be one of {', '.join(FILL_MODES)}, got {fill_mode!r}")
    if order not in range(6):
        raise ParameterError(f"expected an interpolation_order from 0 to 5, got {order!r}")
    if not np.isfinite(matrix).all():
        raise ParameterError("expected finite transform parameters, got some that are not; correct them")
    dtype = images.dtype if dtype is None else np.dtype(dtype)
    if images.size == 0:
        return images.astype(dtype)
    if order in (1, 3) and (fill_mode in _ENGINE or (fill_mode, order) == ("constant", 1)):
        size = images.shape[1], images.shape[2]
        border = "nearest" if fill_mode == "constant" else _ENGINE[fill_mode]
        # Single bytes can be read as they are; what the engine would round in between is widened first.
        source = images if images.dtype == np.uint8 and images[0].size <= _SMALL else images.astype(dtype, copy=False)
        out = _by_engine(
            source, _flipped(matrix, flip_y, flip_x, size), order, border, cval, gain, dtype, workers, buffers
        )
        if fill_mode == "constant":
            _fill_outside(np.ascontiguousarray(matrix), flip_y, flip_x, dtype.type(cval * gain), out)
        return out
    source = np.ascontiguousarray(images, dtype=dtype)
    if order <= 1 and fill_mode in _KERNEL:
        out = _by_kernel(source, matrix, flip_y, flip_x, order, fill_mode, cval, workers)
    else:
        out = _by_scipy(source, matrix, flip_y, flip_x, order, fill_mode, cval)
    return out if gain == 1 else np.multiply(out, dtype.type(gain), out=out)


def _by_kernel(
    src: Array, matrix: Floats, flip_y: Bools, flip_x: Bools, order: int, fill_mode: str, cval: float, workers: int
) -> Array:
    out = np.empty_like(src)
    fill = src.dtype.type(cval)
    matrix = np.ascontiguousarray(matrix, dtype=np.float64)

    def work(rows: slice) -> None:
        _read(src[rows], matrix[rows], flip_y[rows], flip_x[rows], _KERNEL[fill_mode], fill, order == 1, out[rows])

    for_parts(len(src), src[0].size, workers, work)
    return out


def _by_engine(
    images: Array,
    matrix: Floats,
    order: int,
    border: str,
    cval: float,
    gain: float,
    dtype: np.dtype[Any],
    workers: int,
    buffers: Buffers | None,
) -> Array:
    """One affine and one colour op, drawn and done: the engine plans and runs them in one call."""
    n, height, width, channels = images.shape
    frames = [Frame.of(height, width, channels=channels, dtype=images.dtype, n=n)]
    ops: list[Op] = [Affine(matrix, frames[0].shape, Sampling(order, border, float(cval)))]
    if images.dtype != dtype:
        ops.append(Cast(dtype))
    if gain != 1:
        ops.append(ChannelMix.diagonal(np.full((n, channels), float(gain)), leaves_range=True))
    for op in ops:
        frames.append(op.after(frames[-1]))
    plan = make_plan([("ImageDataGenerator", op) for op in ops], frames)
    column = execute.Column("image", "yxc", np.ascontiguousarray(images))
    made: Array = execute.run(plan, {"image": column}, get_backend("cpu"), workers=workers, buffers=buffers)["image"]
    return made


def _flipped(matrix: Floats, flip_y: Bools, flip_x: Bools, size: tuple[int, int]) -> Floats:
    """The matrices with the flips behind them: ``column * (N - 1 - p)`` is ``-column * p + (N - 1) * column``."""
    m = np.array(matrix, dtype=np.float64)
    for axis, (flip, length) in enumerate(zip((flip_y, flip_x), size, strict=True)):
        m[flip, :, 2] += m[flip, :, axis] * (length - 1)
        m[flip, :, axis] *= -1.0
    return m


def _by_scipy(
    images: Array, matrix: Floats, flip_y: Bools, flip_x: Bools, order: int, fill_mode: str, cval: float
) -> Array:
    """One channel of one picture after the other: for splines of high or even order, and those whose border differs."""
    from scipy import ndimage

    mode: Any = fill_mode
    degree: Any = order
    out = np.empty_like(images, order="C")
    for i, image in enumerate(images):
        for c in range(images.shape[-1]):
            ndimage.affine_transform(
                image[..., c], matrix[i, :2, :2], matrix[i, :2, 2], order=degree, mode=mode, cval=cval,
                output=out[i, ..., c],
            )  # fmt: skip
        if flip_y[i]:
            out[i] = out[i, ::-1].copy()
        if flip_x[i]:
            out[i] = out[i, :, ::-1].copy()
    return out
