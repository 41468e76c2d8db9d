"""B-spline coefficients for orders 3 and 5, padded exactly as ``scipy.ndimage`` pads.

The borders "reflect", "mirror" and "wrap" have exact boundary conditions; "nearest" and "constant" do not, so
the image is first extended by 12 pixels, over which the filter's memory (0.43 a pixel at order 5) dies away.
Source: Unser, "Splines: a perfect fit for signal and image processing", IEEE SPM 16(6), 1999.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.resample.lines import MIRROR, REFLECT, WRAP, fold

Array = np.ndarray[Any, Any]

PAD = 12

_POLES = {
    3: np.array([math.sqrt(3.0) - 2.0]),
    5: np.array(
        [
            math.sqrt(67.5 - math.sqrt(4436.25)) + math.sqrt(26.25) - 6.5,
            math.sqrt(67.5 + math.sqrt(4436.25)) - math.sqrt(26.25) - 6.5,
        ]
    ),
}

_SYMMETRY = {"nearest": REFLECT, "constant": MIRROR, "reflect": REFLECT, "mirror": MIRROR, "wrap": WRAP}
"""How the signal goes on for the filter; the padding keeps that from mattering for the first two."""

_LANES = 64
_REACH = 60
"""Higher powers of a pole vanish beside the first, in float64 too."""


def coefficient_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Precision of coefficients: float32 holds 24 bits, enough for all but int32 and float64 images."""
    return np.dtype(np.float64 if dtype.itemsize >= 4 and dtype != np.float32 else np.float32)


def coefficients(
    src: Array, order: int, border: str, axes: tuple[int, ...], fill: npt.NDArray[np.float64]
) -> tuple[Array, int]:
    """Filter an image into B-spline coefficients.

    Parameters
    ----------
    src : array, ``(*shape, C)``
    order : {3, 5}
    border : str
    axes : tuple of int
        Spatial axes that will be interpolated along.
    fill : array, ``(C,)``
        Extension of the "constant" border.

    Returns
    -------
    coefficients : array, ``(*shape + 2 * pad, C)``
        Padded along ``axes`` only.
    pad : int
        How far the first pixel moved along each of ``axes``.

    Examples
    --------
    >>> flat, pad = coefficients(np.ones((3, 3, 1), np.float32), 3, "mirror", (0, 1), np.zeros(1))
    >>> bool(np.allclose(flat, 1.0)), pad
    (True, 0)
    """
    dtype = coefficient_dtype(src.dtype)
    pad = PAD if border in ("nearest", "constant") else 0
    # The filter works in place, on a view of whole lines: what it is given must lie in order.
    out = np.empty([n + 2 * pad * (axis in axes) for axis, n in enumerate(src.shape)], dtype)
    inside = [slice(pad, pad + n) if axis in axes else slice(n) for axis, n in enumerate(src.shape)]
    if pad and border == "constant":
        out[...] = fill
    out[tuple(inside)] = src
    if pad and border == "nearest":
        _repeat_edges(out, inside, [axis for axis in range(src.ndim) if axis in axes])
    for axis in axes:
        # A single pixel is its own coefficient; the filter's start would divide by its period of zero.
        if out.shape[axis] > 1:
            split = out.reshape(int(np.prod(out.shape[:axis])), out.shape[axis], -1)
            room = np.empty((out.shape[axis], _LANES))
            filter_axis(split, _POLES[order], _SYMMETRY[border], room)
    return out, pad


def _repeat_edges(out: Array, inside: list[slice], axes: list[int]) -> None:
    """Repeat the outermost pixels of what lies inside, axis after axis, so that corners are repeated too."""
    for axis in axes:
        first, last = inside[axis].start, inside[axis].stop - 1
        for there, edge in ((slice(0, first), first), (slice(last + 1, None), last)):
            # Along the axes before, all is there; along those behind, what was given.
            known = [slice(None) if other in axes[: axes.index(axis)] else part for other, part in enumerate(inside)]
            out[(*known[:axis], there, *known[axis + 1 :])] = out[
                (*known[:axis], slice(edge, edge + 1), *known[axis + 1 :])
            ]


@compiled
def filter_axis(work, poles, symmetry, room):
    """Filter ``(before, n, after)`` along its middle axis, in place, many lines side by side in float64."""
    before, _, after = work.shape
    lanes = room.shape[1]
    gain = 1.0
    for z in poles:
        gain *= (1.0 - z) * (1.0 - 1.0 / z)
    wide = min(after, lanes)
    group = max(lanes // after, 1)
    for first in range(0, before, group):
        lines = work[first : first + group]
        for start in range(0, after, wide):
            strip = lines[:, :, start : start + wide]
            width = strip.shape[2]
            used = room[:, : strip.shape[0] * width]
            _exchange(strip, used, gain, True)
            for z in poles:
                _filter_lines(used, z, symmetry)
            _exchange(strip, used, 1.0, False)


@compiled.part
def _exchange(strip, used, gain, inwards):
    """Copy lines side by side, or back."""
    lines, n, width = strip.shape
    if width == 1:
        for i in range(n):
            for a in range(lines):
                if inwards:
                    used[i, a] = strip[a, i, 0] * gain
                else:
                    strip[a, i, 0] = used[i, a]
        return
    for a in range(lines):
        for i in range(n):
            for b in range(width):
                if inwards:
                    used[i, a * width + b] = strip[a, i, b] * gain
                else:
                    strip[a, i, b] = used[i, a * width + b]


@compiled.part
def _filter_lines(c, z, symmetry):
    """One pole, forth and back; the sums that start each way stand for the signal's endless repetition."""
    n, lanes = c.shape
    if symmetry == REFLECT:
        _start_reflected(c, z)
    else:
        _start(c, z, 2 * n - 2 if symmetry == MIRROR else n, symmetry)
    for i in range(1, n):
        for x in range(lanes):
            c[i, x] += z * c[i - 1, x]
    if symmetry == MIRROR:
        for x in range(lanes):
            c[n - 1, x] = z / (z * z - 1.0) * (c[n - 1, x] + z * c[n - 2, x])
    elif symmetry == REFLECT:
        for x in range(lanes):
            c[n - 1, x] *= z / (z - 1.0)
    else:
        power = z
        for i in range(min(n - 1, _REACH)):
            for x in range(lanes):
                c[n - 1, x] += power * c[i, x]
            power *= z
        for x in range(lanes):
            c[n - 1, x] *= z / (z**n - 1.0)
    for i in range(n - 2, -1, -1):
        for x in range(lanes):
            c[i, x] = z * (c[i + 1, x] - c[i, x])


@compiled.part
def _start(c, z, period, symmetry):
    """``c[0] = sum_k z**k c[-k]`` over one period of the extended signal, as if repeated for ever."""
    n, lanes = c.shape
    total = np.zeros(lanes)
    power = 1.0
    for k in range(min(period, _REACH)):
        i = fold(-k, n, symmetry)
        for x in range(lanes):
            total[x] += power * c[i, x]
        power *= z
    for x in range(lanes):
        c[0, x] = total[x] / (1.0 - z**period)


@compiled.part
def _start_reflected(c, z):
    """The same for "reflect", term by term as scipy adds them up.

    scipy's last term reads the sum it is adding to where the first sample belongs. Lines of four pixels or
    fewer show that, and we show them as scipy does.
    """
    n, lanes = c.shape
    far = z**n
    for x in range(lanes):
        first = c[0, x]
        c[0, x] += far * c[n - 1, x]
        power = z
        for i in range(1, min(n, _REACH)):
            c[0, x] += power * (c[i, x] + far * c[n - 1 - i, x])
            power *= z
        c[0, x] = c[0, x] * z / (1.0 - far * far) + first
