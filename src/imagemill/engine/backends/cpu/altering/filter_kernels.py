"""Filters on the CPU, kind by kind; what has no kernel of its own for a type runs by its definition."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from imagemill.core.finite import working
from imagemill.core.geometry import Floats
from imagemill.core.image_ops import Filter
from imagemill.engine.altering.codec_values import recoded
from imagemill.engine.altering.filter_values import filtered, sharpened
from imagemill.engine.altering.reference_values import curves
from imagemill.engine.altering.weather_values import WEATHER
from imagemill.engine.backends.cpu.altering import hsv_kernel, moved_kernels, scan_kernels
from imagemill.engine.backends.cpu.altering.convolution import convolved, rounded
from imagemill.engine.backends.cpu.altering.views import mean_of_views, only_scale
from imagemill.engine.backends.cpu.altering.weather_kernels import weather_image
from imagemill.engine.backends.cpu.byte_tables import histogram, look_up
from imagemill.engine.backends.cpu.compile import exactly
from imagemill.engine.backends.cpu.halves import single
from imagemill.engine.colour_values import to_dtype

__all__ = ["filter_image", "named"]

Array = np.ndarray[Any, Any]

_SOFT_IN_BYTES = 2.0
"""Largest amount of sharpening for which the blurred image may be rounded to 8 bits: a level of difference at most."""

_MEDIANS = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 5, np.dtype(np.float32): 5}
"""Longest side of OpenCV's medians by type."""


def filter_image(op: Filter, row: int, src: Array, peak: float, out: Array | None = None) -> Array:
    """One sample's colours ``(*shape, C)``, in their dtype.

    Parameters
    ----------
    out : array, optional
        C-contiguous, where the result may be written.
    """
    params = [p[row] for p in op.params]
    match op.kind:
        case "convolve":
            return convolved(src, params, src.dtype, out)
        case "sharpen":
            return _sharpen(src, float(params[0]), float(params[1]), params[2:])
        case "median":
            return _median(src, tuple(params[0].tolist()), out if src.shape[-1] > 1 else None)
        case "average" if src.ndim == 3 and src.dtype in (np.uint8, np.uint16, np.float32):
            return _average(src, params[0])
        case "equalize" if src.dtype == np.uint8:
            return _by_table(src, _equalizing(histogram(src)), out)
        case "stretch" if src.dtype == np.uint8:
            return _by_table(src, _stretching(histogram(src), float(params[0])), out)
        case "histogram" if src.dtype == np.uint8:
            shares, levels, amount = params
            tables = [_matching(n, shares[c], levels[c], float(amount)) for c, n in enumerate(histogram(src))]
            return _by_table(src, np.stack(tables), out)
        case "range curve" if src.dtype == np.uint8:
            return _by_table(src, _bending(histogram(src), params[0][: int(params[1])]), out)
        case "posterize" | "solarize" if src.dtype == np.uint8:
            return _stepped(src, op.kind, float(params[0]), peak, out)
        case "clahe" if src.ndim == 3 and src.dtype == np.uint8 and src.shape[-1] in (1, 3):
            return _clahe(src, float(params[0]), params[1])
        case "glass":
            return moved_kernels.glass(src, params)
        case "turbulence":
            return moved_kernels.turbulence(src, params[0], params[1], params[2])
        case "hsv" if src.dtype in (np.uint8, np.uint16):
            return hsv_kernel.revalued(src, float(params[0]), float(params[1]), float(params[2]), peak)
        case kind if kind in WEATHER:
            return weather_image(kind, params, src, peak, out)
        case "jpeg" | "webp":
            exact = src if src.dtype == np.uint8 else src.astype(np.float64)
            return to_dtype(recoded(exact, op.kind, int(params[0]), src.dtype, peak), src.dtype)
        case kind if kind in scan_kernels.KINDS and working(src.dtype) == np.float32:
            return _scanned(kind, params, src, out)
        case "hsv":
            # It does not add up many values: what they are kept in is exact enough.
            return to_dtype(filtered(op, row, src.astype(working(src.dtype)), src.dtype, peak), src.dtype)
    return to_dtype(filtered(op, row, src.astype(np.float64), src.dtype, peak), src.dtype)


def _scanned(kind: str, params: list[Array], src: Array, out: Array | None) -> Array:
    if src.dtype == np.float32 or (kind == "lower" and src.dtype != np.float16):
        return scan_kernels.altered_scan(kind, params, src, out)
    made = scan_kernels.altered_scan(
        kind, params, single(src) if src.dtype == np.float16 else src.astype(np.float32), None
    )
    return rounded(made, src.dtype)


def named(op: Filter, dtype: np.dtype[Any]) -> str:
    """Which kernel :func:`filter_image` takes, in words."""
    if op.kind in ("convolve", "sharpen"):
        return "cv2 filter"
    if op.kind == "median":
        plane = op.params[0].shape[1] == 2
        return "cv2.medianBlur" if plane and dtype in _MEDIANS else "scipy.ndimage"
    if op.kind == "average":
        plane = op.params[0].shape[-1] == 3
        return "cv2.warpAffine" if plane and dtype in (np.uint8, np.uint16, np.float32) else "scipy.ndimage"
    if op.kind in ("jpeg", "webp"):
        return "Pillow"
    if op.kind == "range curve" and dtype == np.uint8:
        return "table"
    if op.kind in scan_kernels.KINDS and working(dtype) == np.float32:
        return {"truncated": "scipy.fft", "deviations": "numpy"}.get(op.kind, f"numba {op.kind}")
    if op.kind == "hsv":
        return "numba hsv" if dtype in (np.uint8, np.uint16) else "numpy"
    if op.kind == "glass" or op.kind == "turbulence" or op.kind in WEATHER:
        return f"numba and cv2 {op.kind}"
    if op.kind in ("posterize", "solarize"):
        return "table" if dtype == np.uint8 else "numpy in float64"
    by_histogram = dtype == np.uint8 and op.kind in ("equalize", "stretch", "clahe", "histogram")
    return "histogram" if by_histogram else "numpy in float64"


def _sharpen(src: Array, amount: float, threshold: float, kernels: list[Floats]) -> Array:
    if src.dtype == np.uint8 and threshold == 0 and abs(amount) <= _SOFT_IN_BYTES:
        soft = convolved(src, kernels, src.dtype)
        flat = np.ascontiguousarray(src).reshape(1, -1)
        return np.asarray(cv2.addWeighted(flat, 1 + amount, soft.reshape(1, -1), -amount, 0.0)).reshape(src.shape)
    kind = working(src.dtype)
    return rounded(sharpened(src.astype(kind), convolved(src, kernels, kind), amount, threshold), src.dtype)


def _median(src: Array, size: tuple[int, ...], out: Array | None) -> Array:
    import scipy.ndimage as ndi

    square = len(size) == 2 and size[0] == size[1]
    if square and size[0] <= _MEDIANS.get(src.dtype, 0):
        if src.shape[-1] in (1, 3, 4):
            return np.asarray(cv2.medianBlur(np.ascontiguousarray(src), size[0], dst=out)).reshape(src.shape)
        planes = [cv2.medianBlur(np.ascontiguousarray(src[..., c]), size[0]) for c in range(src.shape[-1])]
        return np.stack(planes, axis=-1)
    # Half precision is a way to store values, which scipy does not read.
    read = src.astype(working(src.dtype)) if src.dtype == np.float16 else src
    return np.asarray(ndi.median_filter(read, size=(*size, 1), mode="nearest"), src.dtype)


def _average(src: Array, matrices: Floats) -> Array:
    """Views added up in float32; OpenCV wants x first."""
    shape = src.shape
    if only_scale(matrices):
        return rounded(mean_of_views(src, matrices), src.dtype)
    if shape[-1] > 4:
        # Of more channels OpenCV rounds the places it reads.
        return np.concatenate([_average(src[..., c : c + 1], matrices) for c in range(shape[-1])], axis=-1)
    src = np.ascontiguousarray(src)
    total = np.zeros(shape, np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for m in matrices:
        turned = np.ascontiguousarray(m[:2][::-1][:, [1, 0, 2]])
        view = cv2.warpAffine(src, turned, (shape[1], shape[0]), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        cv2.accumulate(view.reshape(shape), total)
    total /= len(matrices)
    return rounded(total, src.dtype)


@exactly
def _equalizing(counts: Array) -> Floats:
    """As :func:`~imagemill.engine.altering.histogram_values.equalized`, from the histograms ``(C, 256)``."""
    made = np.empty(counts.shape)
    for c in range(len(counts)):
        total = counts[c].sum()
        first = 0
        while first < 255 and counts[c, first] == 0:
            first += 1
        rest = total - counts[c, first]
        below = -counts[c, first]
        for v in range(256):
            below += counts[c, v]
            made[c, v] = max(below, 0) * (255.0 / rest) if rest > 0 else float(v)
    return made


@exactly
def _stretching(counts: Array, cut: float) -> Floats:
    """As :func:`~imagemill.engine.altering.histogram_values.stretched`, from the histograms ``(C, 256)``."""
    made = np.empty(counts.shape)
    for c in range(len(counts)):
        total = counts[c].sum()
        skipped = min(int(total * cut), (total - 1) // 2)
        low, high, below, above = 0, 255, counts[c, 0], counts[c, 255]
        while below <= skipped:
            low += 1
            below += counts[c, low]
        while above <= skipped:
            high -= 1
            above += counts[c, high]
        for v in range(256):
            made[c, v] = (v - low) * (255.0 / (high - low)) if high > low else float(v)
    return made


def _matching(counts: Array, shares: Floats, levels: Floats, amount: float) -> Floats:
    """As :func:`~imagemill.engine.altering.reference_values.with_histogram`, from the histogram."""
    table, there = np.arange(256.0), np.flatnonzero(counts)
    table[there] = curves(table[there], counts[there].astype(np.int64), shares, levels, amount)
    return table


def _by_table(src: Array, tables: Floats, out: Array | None = None) -> Array:
    """Each channel by its row of ``(C, 256)``; a single row is for all."""
    made = np.empty_like(src, order="C") if out is None else out
    look_up(np.ascontiguousarray(src), to_dtype(tables, src.dtype), made)
    return made


def _stepped(src: Array, kind: str, number: float, peak: float, out: Array | None) -> Array:
    """Levels cut off below a step, or made negative from a threshold on, of 8 bits."""
    step = int(number)
    if kind == "posterize" and step == number and 0 < step <= 256 and not step & (step - 1):
        # Steps of a power of two leave off the lowest bits.
        made: Array = np.bitwise_and(src, np.uint8(256 - step), out=out)
        return made
    levels = np.arange(256.0)
    if kind == "posterize":
        return _by_table(src, (np.floor(levels / number) * number)[None], out)
    return _by_table(src, np.where(levels >= number, peak - levels, levels)[None], out)


def _bending(counts: Array, heights: Floats) -> Array:
    """The table of a curve over the range of values that there are in any channel."""
    levels = np.arange(len(counts[0]), dtype=np.float64)
    there = np.flatnonzero(counts.any(axis=0))
    low, high = float(there[0]), float(there[-1])
    if low == high:
        return levels[None]
    bent = np.interp(levels, np.linspace(low, high, len(heights)), low + (high - low) * heights)
    return np.asarray(bent[None])


def _clahe(src: Array, limit: float, tiles: Array) -> Array:
    tool = cv2.createCLAHE(clipLimit=limit, tileGridSize=(int(tiles[1]), int(tiles[0])))
    src = np.ascontiguousarray(src)
    if src.shape[-1] == 1:
        return np.asarray(tool.apply(src[..., 0]))[..., None]
    luma = cv2.cvtColor(src, cv2.COLOR_RGB2GRAY)
    change = cv2.subtract(tool.apply(luma), luma, dtype=cv2.CV_16S)
    changes = cv2.merge([change, change, change])
    return np.asarray(cv2.add(src, changes, dtype=cv2.CV_8U))
