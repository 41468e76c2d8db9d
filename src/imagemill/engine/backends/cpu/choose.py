"""Which kernel runs a resample: the cheapest that is exact enough, and its name for ``explain()``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from imagemill.core.coordinate_maps import Matrix, Stage
from imagemill.core.errors import InputError
from imagemill.engine.backends.cpu.flat import is_planar
from imagemill.engine.backends.cpu.resample import warp2d
from imagemill.engine.backends.cpu.resample.antialias import blur
from imagemill.engine.backends.cpu.resample.axis_aligned import (
    Separable,
    cv2_exact,
    cv2_resizes,
    integer_window,
    resize_block,
)
from imagemill.engine.backends.cpu.resample.block_means import takes_blocks
from imagemill.engine.backends.cpu.resample.enlarge import resize_part, strips
from imagemill.engine.backends.cpu.resample.photo_warp import takes_photo, warp_photo
from imagemill.engine.backends.cpu.resample.slices import Copying, from_aligned
from imagemill.engine.backends.cpu.resample.warp3d import warp_image, warp_labels
from imagemill.engine.chains import (
    AxisAligned,
    axis_aligned,
    check,
    check_order,
    fill_vector,
    is_affine,
    label_value,
    saturate,
    simplify,
)

Array = np.ndarray[Any, Any]
Run = Callable[[Array, Array, Any], None]

IMAGE_DTYPES = ("uint8", "uint16", "int16", "int32", "float32", "float64")
IMAGES = frozenset(map(np.dtype, IMAGE_DTYPES))


@dataclass(frozen=True, slots=True)
class Kernel:
    """A chosen kernel: its name, and ``run(src, out, fill)``, which writes into ``out``.

    ``src`` is ``(*in_shape, C)`` and ``out`` ``(*out_shape, C)``, C-contiguous, of ``src``'s dtype or a float
    one; label maps have no channel axis and their ``out`` has their dtype.
    """

    name: str
    run: Run


def choose(
    stages: tuple[Stage, ...],
    in_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    channels: int,
    order: int,
    border: str,
    *,
    labels: bool = False,
    antialias: Sequence[float] | None = None,
) -> Kernel:
    """Pick the kernel for one sample.

    Parameters
    ----------
    stages : tuple of Stage
        The chain, read from the output to the input.
    in_shape, out_shape : tuple of int
        Spatial shapes.
    dtype : dtype
        Of the source.
    channels : int
        Of an image; ignored for labels.
    order : {0, 1, 3, 5}
        Ignored for labels.
    border : str
        "nearest", "constant", "reflect", "mirror" or "wrap".
    labels : bool
        A label map: labels are copied, never interpolated.
    antialias : tuple of float per input axis, or None
        Input pixels an output pixel spans (see the reference backend).

    Raises
    ------
    InputError
        When the chain, dtype, order or border do not fit.

    Examples
    --------
    >>> flip = Matrix(np.array([[1.0, 0, 0], [0, -1, 7], [0, 0, 1]]))
    >>> choose((flip,), (8, 8), (8, 8), np.uint8, 3, 1, "nearest").name
    'slice'
    """
    kind = np.dtype(dtype)
    check(stages, in_shape, out_shape, border)
    stages = simplify(stages)
    if 0 in out_shape:
        return Kernel("empty", lambda *_: None)
    aligned = axis_aligned(stages, out_shape)
    move = None if aligned is None else from_aligned(aligned, max(*in_shape, *out_shape))
    if labels:
        copying = None if move is None else Copying(move, in_shape, out_shape, border, labels=True)
        return _labels(stages, in_shape, kind, border, copying)
    check_order(order)
    if kind not in IMAGES:
        msg = f"expected an image of {', '.join(IMAGE_DTYPES)}, got {kind}; convert it first"
        raise InputError(msg)
    if move is not None:
        copying = Copying(move, in_shape, out_shape, border)
        return Kernel(
            "slice",
            lambda src, out, fill: copying.run(
                src.astype(out.dtype, copy=False),
                out,
                # Other borders show pixels wherever the image does not reach.
                saturate(fill_vector(fill, channels), out.dtype) if copying.fills and border == "constant" else 0,
            ),
        )
    factors = _factors(antialias, len(in_shape))
    if aligned is not None:
        kernel = _aligned(aligned, in_shape, out_shape, kind, channels, order, border, factors)
        if kernel is not None:
            return kernel
    if factors is not None:
        return _blurred(stages, in_shape, channels, order, border, factors)
    return _turned(stages, in_shape, out_shape, kind, channels, order, border)


def _labels(
    stages: tuple[Stage, ...], in_shape: tuple[int, ...], dtype: np.dtype[Any], border: str, copying: Copying | None
) -> Kernel:
    if dtype.kind not in "biu":
        msg = f"expected a label map of integers or bools, got {dtype}; convert it first"
        raise InputError(msg)
    if copying is not None:
        return Kernel("slice", lambda src, out, fill: copying.run(src, out, label_value(fill, dtype)))
    return Kernel(
        _compiled_name(stages, len(in_shape)),
        lambda src, out, fill: warp_labels(src, stages, out, border=border, fill=fill),
    )


def _aligned(
    aligned: AxisAligned,
    in_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    dtype: np.dtype[Any],
    channels: int,
    order: int,
    border: str,
    factors: tuple[float, ...] | None,
) -> Kernel | None:
    """``cv2.resize`` for whole windows, weight tables for the rest; None where a warp is quicker."""
    block = integer_window(aligned, in_shape, out_shape) if cv2_resizes(dtype, channels) else None
    if block is not None:
        # OpenCV averages whole numbers of pixels fastest, and anything else slower than we do.
        area = factors is not None and min(factors) > 1.0 and all(f == round(f) for f in factors)
        linear = factors is None and order == 1 and cv2_exact(block, in_shape, out_shape, border)
        if area or linear:
            found = block
            whole = (1, 1) if factors is None or not area else (int(factors[0]), int(factors[1]))
            averages = "numba.means" if takes_blocks(dtype, channels, whole) else "cv2.resize.area"
            return Kernel(
                averages if area else "cv2.resize",
                lambda src, out, _: resize_block(_float(src, out), found, aligned, out, area=area),
            )
        edges = strips(block, aligned, out_shape) if factors is None and order == 1 and not aligned.boxes else None
        if edges is not None and warp2d.cv2_warps((Matrix(_matrix(aligned)),), in_shape, out_shape, dtype, channels):
            part, around = block, edges
            return Kernel(
                "cv2.resize",
                lambda src, out, fill: resize_part(
                    _float(src, out), part, aligned, out, around, border=border, fill=fill_vector(fill, channels)
                ),
            )
    if factors is None and (order == 0 or (order == 1 and not aligned.boxes and len(in_shape) == 2)):
        matrix = Matrix(_matrix(aligned))
        if order == 0 or warp2d.cv2_warps((matrix,), in_shape, out_shape, dtype, channels):
            return None
    taps = Separable(aligned, out_shape, order, border, factors)
    return Kernel("separable", lambda src, out, fill: taps.run(src, out, fill_vector(fill, channels)))


def _matrix(aligned: AxisAligned) -> npt.NDArray[np.float64]:
    d = len(aligned.perm)
    m = np.eye(d + 1)
    m[:d, :d] = 0.0
    m[range(d), aligned.perm] = aligned.scale
    m[:d, d] = aligned.offset
    return m


def _turned(
    stages: tuple[Stage, ...],
    in_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    dtype: np.dtype[Any],
    channels: int,
    order: int,
    border: str,
) -> Kernel:
    if order == 1 and takes_photo(in_shape, dtype, channels):
        return Kernel("numba.photo", lambda src, out, fill: _warp_photo(src, stages, out, border, fill))
    if order == 1 and warp2d.cv2_warps(stages, in_shape, out_shape, dtype, channels):
        stage = cast(Matrix, stages[0])
        return Kernel(
            "cv2.warpAffine" if is_affine(stage) else "cv2.warpPerspective",
            lambda src, out, fill: warp2d.warp(src, stage, out, border=border, fill=fill_vector(fill, channels)),
        )
    return Kernel(
        _compiled_name(stages, len(in_shape)),
        lambda src, out, fill: warp_image(
            src, stages, out, order=order, border=border, fill=fill_vector(fill, channels)
        ),
    )


def _warp_photo(src: Array, stages: tuple[Stage, ...], out: Array, border: str, fill: Any) -> None:
    fills = fill_vector(fill, src.shape[-1])
    if out.dtype == np.float64:
        warp_image(src, stages, out, order=1, border=border, fill=fills)
    else:
        warp_photo(src, stages, out, border=border, fill=fills)


def _compiled_name(stages: tuple[Stage, ...], d: int) -> str:
    if d == 2:
        return "numba.warp2d"
    return "numba.warp3d.inplane" if is_planar(stages, d) else "numba.warp3d"


def _blurred(
    stages: tuple[Stage, ...],
    in_shape: tuple[int, ...],
    channels: int,
    order: int,
    border: str,
    factors: tuple[float, ...],
) -> Kernel:
    """Smooth, then warp the float result."""

    def run(src: Array, out: Array, fill: Any) -> None:
        fills = fill_vector(fill, channels)
        warp_image(blur(src, factors, border, fills), stages, out, order=order, border=border, fill=fills)

    return Kernel("gaussian+" + _compiled_name(stages, len(in_shape)), run)


def _float(src: Array, out: Array) -> Array:
    """OpenCV keeps the dtype it is given, so a float result needs a float source; no copy otherwise."""
    return src.astype(out.dtype, copy=False)


def _factors(antialias: Sequence[float] | None, d: int) -> tuple[float, ...] | None:
    if antialias is None:
        return None
    if len(antialias) != d:
        msg = f"expected one antialias factor per axis ({d}), got {len(antialias)}; give one for each"
        raise InputError(msg)
    factors = tuple(max(float(f), 1.0) for f in antialias)
    return factors if max(factors) > 1.0 else None


def resample(
    src: Array,
    stages: tuple[Stage, ...],
    out_shape: tuple[int, ...],
    *,
    order: int,
    border: str,
    fill: float | npt.ArrayLike = 0.0,
    antialias: Sequence[float] | None = None,
    out: Array | None = None,
    out_dtype: npt.DTypeLike | None = None,
) -> Array:
    """Resample one image or volume by the quickest kernel that fits.

    Parameters
    ----------
    src : array, ``(*shape, C)``, one of uint8, uint16, int16, int32, float32, float64
    stages, out_shape, order, border, antialias
        See :func:`choose`.
    fill : float or ``(C,)``
        Value of the "constant" border. Outside a window stands that window's own fill.
    out : array, ``(*out_shape, C)``, C-contiguous, optional
        Written and returned.
    out_dtype : dtype, optional
        Of the result when ``out`` is not given: the source's (default), float32 or float64.

    Returns
    -------
    array, ``(*out_shape, C)``

    Examples
    --------
    >>> ramp = np.arange(4, dtype=np.float32).reshape(1, 4, 1)
    >>> flip = Matrix(np.array([[1.0, 0, 0], [0, -1, 3], [0, 0, 1]]))
    >>> resample(ramp, (flip,), (1, 4), order=1, border="nearest")[0, :, 0].tolist()
    [3.0, 2.0, 1.0, 0.0]
    """
    channels = src.shape[-1]
    kernel = choose(stages, src.shape[:-1], out_shape, src.dtype, channels, order, border, antialias=antialias)
    return run(kernel, src, out_shape, fill=fill, out=out, out_dtype=out_dtype)


def run(
    kernel: Kernel,
    src: Array,
    out_shape: tuple[int, ...],
    *,
    fill: float | npt.ArrayLike = 0.0,
    out: Array | None = None,
    out_dtype: npt.DTypeLike | None = None,
) -> Array:
    """A kernel that was chosen for an image like this one; the rest as for :func:`resample`."""
    channels = src.shape[-1]
    target = np.empty((*out_shape, channels), src.dtype if out_dtype is None else out_dtype) if out is None else out
    _check_out(target, (*out_shape, channels), src.dtype, floats=True)
    kernel.run(src, target, fill)
    return target


def resample_labels(
    src: Array,
    stages: tuple[Stage, ...],
    out_shape: tuple[int, ...],
    *,
    border: str,
    fill: int = 0,
    out: Array | None = None,
) -> Array:
    """Move one label map; labels are copied, never computed with.

    Parameters
    ----------
    src : array of integers or bools, ``shape``
    stages, out_shape, border
        See :func:`choose`.
    fill : int
        Label of the "constant" border. Outside a window stands that window's ``mask_fill``.
    out : array of ``src``'s dtype, ``out_shape``, C-contiguous, optional
        Written and returned.

    Examples
    --------
    >>> flip = Matrix(np.array([[1.0, 0, 0], [0, -1, 2], [0, 0, 1]]))
    >>> resample_labels(np.array([[1, 2, 3]]), (flip,), (1, 3), border="nearest").tolist()
    [[3, 2, 1]]
    """
    kernel = choose(stages, src.shape, out_shape, src.dtype, 1, 0, border, labels=True)
    target = np.empty(out_shape, src.dtype) if out is None else out
    _check_out(target, out_shape, src.dtype, floats=False)
    kernel.run(src, target, fill)
    return target


def _check_out(out: Array, shape: tuple[int, ...], dtype: np.dtype[Any], *, floats: bool) -> None:
    fits = out.dtype == dtype or (floats and out.dtype in (np.float32, np.float64))
    if out.shape != shape or not out.flags.c_contiguous or not fits:
        msg = (
            f"expected a C-contiguous out of shape {shape} and dtype {dtype}"
            f"{' or a float one' if floats else ''}, got {out.shape} {out.dtype}; make it with numpy.empty"
        )
        raise InputError(msg)
