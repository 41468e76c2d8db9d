"""Colour matrices on the CPU: ``out = A2 clip(A1 x + b1) + b2`` in one trip from source to final layout.

What does not depend on pixels is worked out for the whole batch at once (:func:`mixing`) and kept with the
colour run; a sample then costs its channel sums, where a mean takes part, and one compiled loop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.core.finite import working
from imagemill.core.geometry import Floats
from imagemill.core.ops import ChannelMix, Pointwise
from imagemill.engine import colour_values as values
from imagemill.engine.backends.cpu import value_statistics as statistics
from imagemill.engine.backends.cpu.colour.mix_bytes import mix_whole
from imagemill.engine.backends.cpu.compile import compiled, exactly
from imagemill.engine.plan import Colour, kept

Array = np.ndarray[Any, Any]

_FEW = 4
_CV2_DTYPES = (np.uint8, np.uint16, np.float32)


@dataclass(frozen=True, eq=False)
class Mixing:
    """A colour run of a batch as matrix, clip, matrix.

    Parameters
    ----------
    a, b : arrays, ``[n, C, C]`` and ``[n, C]``
        The first matrix and offset.
    pivot : array, ``[n, C, C]``, or None
        What the channel means add to the offset.
    low, high : arrays, ``[n]``
        The clip; infinite where there is none.
    a2, b2 : arrays, ``[n, C, C]`` and ``[n, C]``
        The second matrix and offset.
    scales : bool array, ``[n]``
        Whether the second matrix is diagonal: said per sample, so that none depends on the others.
    """

    a: Floats
    b: Floats
    pivot: Floats | None
    low: Floats
    high: Floats
    a2: Floats
    b2: Floats
    scales: npt.NDArray[np.bool_]

    @cached_property
    def idle(self) -> npt.NDArray[np.bool_]:
        """Whether nothing changes, ``[n]``: samples that no transform of a run was chosen for."""
        same = np.eye(self.a.shape[1])
        found = (self.a == same).all(axis=(1, 2)) & (self.a2 == same).all(axis=(1, 2))
        found &= ~(self.b.any(axis=1) | self.b2.any(axis=1)) & (self.low == -np.inf) & (self.high == np.inf)
        return np.asarray(found if self.pivot is None else found & ~self.pivot.any(axis=(1, 2)))

    @cached_property
    def apart(self) -> npt.NDArray[np.bool_]:
        """Whether both matrices are diagonal, ``[n]``: then a channel costs itself, and not the square of all."""
        return self.scales & _diagonal(self.a)


@kept
def mixing(colour: Colour) -> Mixing | None:
    """The run as matrix, clip, matrix, each of which may be missing; None when it is something else."""
    first: ChannelMix | None = None
    clip: Pointwise | None = None
    second: ChannelMix | None = None
    for stage in colour.stages:
        if isinstance(stage, ChannelMix) and first is None and clip is None:
            first = stage
        elif isinstance(stage, Pointwise) and _clips_all(stage, clip) and second is None:
            clip = stage
        elif isinstance(stage, ChannelMix) and second is None and stage.pivot is None:
            second = stage
        else:
            return None
    known = first or second
    if known is None or (clip is not None and not _alpha_stays(first, clip)):
        return None
    n, c = len(known.matrix), known.channels
    same = _identity(c).repeat(n, axis=0)
    one, two = same if first is None else first.matrix, same if second is None else second.matrix
    a, b, a2, b2 = one[..., :c], one[..., c], two[..., :c], two[..., c]
    pivot = None if first is None else first.pivot
    if clip is None and second is not None:
        # Nothing between the two matrices: one will do. (Summed by axis, so that no row depends on the others.)
        b = (a2 * b[:, None, :]).sum(axis=2) + b2
        pivot = None if pivot is None else _product(a2, pivot)
        a, a2, b2 = _product(a2, a), same[..., :c], np.zeros_like(b2)
    limits = _BOUNDLESS.repeat(n, axis=0) if clip is None else clip.params
    return Mixing(a, b, pivot, limits[:, 0], limits[:, 1], a2, b2, _diagonal(a2))


_BOUNDLESS = np.array([[-np.inf, np.inf]])


@cache
def _identity(channels: int) -> Floats:
    """A matrix and offset that change nothing, ``(1, C, C + 1)``; read, and never written to."""
    return np.eye(channels, channels + 1)[None]


def _diagonal(x: Floats) -> npt.NDArray[np.bool_]:
    """Which of the matrices ``[n, C, C]`` mix no channels."""
    n, c, _ = x.shape
    # Without its last value, in rows of C + 1, a matrix has its diagonal in the first column.
    rest = x.reshape(n, c * c)[:, :-1].reshape(n, c - 1, c + 1)[:, :, 1:]
    return np.asarray(~np.logical_or.reduce(rest, axis=(1, 2)))


def _product(x: Floats, y: Floats) -> Floats:
    if x.shape[-1] > _FEW:
        # One by one, so that no row depends on the others here either; all products at once would be a cube.
        return np.stack([one @ other for one, other in zip(x, y, strict=True)])
    found: Floats = (x[:, :, :, None] * y[:, None, :, :]).sum(axis=2)
    return found


def _clips_all(stage: Pointwise, before: Pointwise | None) -> bool:
    return stage.curve == "clip" and before is None and (stage.where is None or bool(stage.where.all()))


def _alpha_stays(first: ChannelMix | None, clip: Pointwise) -> bool:
    """An alpha channel is not clipped; it must not have been moved either, so that its range holds anyway."""
    if first is None or clip.channels == first.channels:
        return first is not None
    alpha = first.matrix[:, clip.channels :]
    return bool(np.all(alpha == np.eye(first.channels, first.channels + 1)[clip.channels :]))


def table(found: Mixing, row: int, src: Array) -> Array:
    """What becomes of each of the 256 values of an image of 8 bits whose channels do not mix: ``(C, 256)``."""
    b = found.b[row]
    if found.pivot is not None:
        b = b + found.pivot[row] @ _means(np.ascontiguousarray(src))
    made = np.empty((src.shape[-1], 256), np.uint8)
    _fill_table(found.a[row], b, found.low[row], found.high[row], found.a2[row], found.b2[row], made)
    return made


@exactly
def _fill_table(a, b, low, high, a2, b2, out):  # type: ignore[no-untyped-def]
    for c in range(out.shape[0]):
        for v in range(256):
            w = a2[c, c] * min(max(a[c, c] * v + b[c], low), high) + b2[c]
            out[c, v] = np.rint(min(max(w, 0.0), 255.0))


def run(found: Mixing, row: int, src: Array, out: Array) -> None:
    """One sample, ``(*shape, C)``, into ``out``, which may be a view with the channels first in memory."""
    channels = src.shape[-1]
    kind = working(src.dtype)
    src = np.ascontiguousarray(src)
    b = found.b[row]
    if found.pivot is not None:
        b = b + found.pivot[row] @ _means(src)
    ints = out.dtype.kind in "iu"
    final = values.max_range(out.dtype) if ints else (-math.inf, math.inf)
    limits = np.array([found.low[row], found.high[row], *final]).astype(kind)
    a, b, a2, b2 = (x.astype(kind) for x in (found.a[row], b, found.a2[row], found.b2[row]))
    if channels == 3 and found.scales[row] and out.flags.c_contiguous:
        numbers = (limits, np.diag(a2).copy(), b2)
        if found.apart[row] and _alike(np.diag(a), b, *numbers[1:]):
            one = (a[0, 0], b[0], limits, a2[0, 0], b2[0], kind.type(0), ints)
            _alike_three(src.reshape(-1), *one, out.reshape(-1))
        elif src.dtype == np.uint8 == out.dtype:
            packed = np.concatenate([a.reshape(-1), b, limits[:2], numbers[1], b2, limits[2:]])
            clipped = (
                found.low[row] > -math.inf or found.high[row] < math.inf or not (numbers[1] == 1).all() or b2.any()
            )
            mix_whole(src.reshape(-1), packed, bool(clipped), out.reshape(-1))
        else:
            together = _together_whole if ints else _together
            together(src.reshape(-1), a, b, *numbers, out.reshape(-1))
        return
    if channels == 3 and found.scales[row]:
        planes = [out[..., c] for c in range(3)]
        apart = all(p.flags.c_contiguous for p in planes)
        targets = planes if apart else list(np.empty((3, *out.shape[:-1]), out.dtype))
        kernel = _three_whole if ints else _three
        kernel(src.reshape(-1), a, b, limits, np.diag(a2).copy(), b2, *(p.reshape(-1) for p in targets))
        if not apart:
            _interleave(targets, out)
        return
    rows = _rows(out)
    target = np.empty((src.size // channels, channels), out.dtype) if rows is None else rows
    if channels == 1:
        _one(src.reshape(-1), a[0, 0], b[0], limits, a2[0, 0], b2[0], ints, target[:, 0])
    elif found.apart[row]:
        _apart(src.reshape(-1, channels), np.diag(a).copy(), b, limits, np.diag(a2).copy(), b2, ints, target)
    else:
        _any(src.reshape(-1, channels), a, b, limits, a2, b2, ints, target)
    if rows is None:
        out[...] = target.reshape(out.shape)


def _alike(*numbers: Array) -> bool:
    """Whether channels share each of some numbers."""
    return all(one.tolist() == [one[0].item()] * len(one) for one in numbers)


def _means(src: Array) -> Floats:
    channels = src.shape[-1]
    if channels == 1 and src.dtype == np.float32:
        return statistics.means(src)
    if channels <= 4 and src.dtype in _CV2_DTYPES:
        sums = np.array(cv2.sumElems(src.reshape(-1, src.shape[-2], channels))[:channels])
    else:
        sums = src.reshape(-1, channels).sum(axis=0, dtype=np.float64)
    means: Floats = sums / (src.size // channels)
    return means


def _rows(out: Array) -> Array | None:
    """``(pixels, C)`` as a view of a buffer with the channels last or first in memory; None for other strides."""
    channels = out.shape[-1]
    if out.flags.c_contiguous:
        return out.reshape(-1, channels)
    first = np.moveaxis(out, -1, 0)
    return first.reshape(channels, -1).T if first.flags.c_contiguous else None


def _interleave(planes: list[Array], out: Array) -> None:
    if out.ndim == 3 and out.flags.c_contiguous and out.dtype in _CV2_DTYPES:
        cv2.merge(planes, dst=out)
        return
    for c, plane in enumerate(planes):
        out[..., c] = plane


# The loops below are written out per channel and without branches inside, so that they are vectorised.


@compiled
def _one(src, a, b, limits, a2, b2, ints, out):  # type: ignore[no-untyped-def]
    low, high, final_low, final_high = limits[0], limits[1], limits[2], limits[3]
    zero = a - a
    if ints:
        for i in range(src.shape[0]):
            v = a2 * min(max(a * (src[i] + zero) + b, low), high) + b2
            out[i] = np.rint(min(max(v, final_low), final_high))
    else:
        for i in range(src.shape[0]):
            out[i] = a2 * min(max(a * (src[i] + zero) + b, low), high) + b2


@compiled
def _alike_three(src, a, b, limits, a2, b2, none, ints, out):  # type: ignore[no-untyped-def]
    # All channels by the same numbers, to the last bit as `_together` has them: `none` is 0, in the others' place.
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    if ints:
        for i in range(src.shape[0]):
            x = src[i] + none
            v = a2 * min(max(a * x + none * x + b, low), high) + b2
            out[i] = np.rint(min(max(v, least), most))
    else:
        for i in range(src.shape[0]):
            x = src[i] + none
            out[i] = a2 * min(max(a * x + none * x + b, low), high) + b2


@compiled
def _together(src, a, b, limits, s, t, out):  # type: ignore[no-untyped-def]
    low, high = limits[0], limits[1]
    a00, a01, a02 = a[0, 0], a[0, 1], a[0, 2]
    a10, a11, a12 = a[1, 0], a[1, 1], a[1, 2]
    a20, a21, a22 = a[2, 0], a[2, 1], a[2, 2]
    b0, b1, b2 = b[0], b[1], b[2]
    s0, s1, s2 = s[0], s[1], s[2]
    t0, t1, t2 = t[0], t[1], t[2]
    zero = a00 - a00
    for i in range(src.shape[0] // 3):
        x, y, z = src[3 * i] + zero, src[3 * i + 1] + zero, src[3 * i + 2] + zero
        out[3 * i] = s0 * min(max(a00 * x + a01 * y + a02 * z + b0, low), high) + t0
        out[3 * i + 1] = s1 * min(max(a10 * x + a11 * y + a12 * z + b1, low), high) + t1
        out[3 * i + 2] = s2 * min(max(a20 * x + a21 * y + a22 * z + b2, low), high) + t2


@compiled
def _together_whole(src, a, b, limits, s, t, out):  # type: ignore[no-untyped-def]
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    a00, a01, a02 = a[0, 0], a[0, 1], a[0, 2]
    a10, a11, a12 = a[1, 0], a[1, 1], a[1, 2]
    a20, a21, a22 = a[2, 0], a[2, 1], a[2, 2]
    b0, b1, b2 = b[0], b[1], b[2]
    s0, s1, s2 = s[0], s[1], s[2]
    t0, t1, t2 = t[0], t[1], t[2]
    zero = a00 - a00
    for i in range(src.shape[0] // 3):
        x, y, z = src[3 * i] + zero, src[3 * i + 1] + zero, src[3 * i + 2] + zero
        p = s0 * min(max(a00 * x + a01 * y + a02 * z + b0, low), high) + t0
        q = s1 * min(max(a10 * x + a11 * y + a12 * z + b1, low), high) + t1
        r = s2 * min(max(a20 * x + a21 * y + a22 * z + b2, low), high) + t2
        out[3 * i] = np.rint(min(max(p, least), most))
        out[3 * i + 1] = np.rint(min(max(q, least), most))
        out[3 * i + 2] = np.rint(min(max(r, least), most))


@compiled
def _three(src, a, b, limits, s, t, out0, out1, out2):  # type: ignore[no-untyped-def]
    low, high = limits[0], limits[1]
    a00, a01, a02 = a[0, 0], a[0, 1], a[0, 2]
    a10, a11, a12 = a[1, 0], a[1, 1], a[1, 2]
    a20, a21, a22 = a[2, 0], a[2, 1], a[2, 2]
    b0, b1, b2 = b[0], b[1], b[2]
    s0, s1, s2 = s[0], s[1], s[2]
    t0, t1, t2 = t[0], t[1], t[2]
    zero = a00 - a00
    for i in range(out0.shape[0]):
        x, y, z = src[3 * i] + zero, src[3 * i + 1] + zero, src[3 * i + 2] + zero
        out0[i] = s0 * min(max(a00 * x + a01 * y + a02 * z + b0, low), high) + t0
        out1[i] = s1 * min(max(a10 * x + a11 * y + a12 * z + b1, low), high) + t1
        out2[i] = s2 * min(max(a20 * x + a21 * y + a22 * z + b2, low), high) + t2


@compiled
def _three_whole(src, a, b, limits, s, t, out0, out1, out2):  # type: ignore[no-untyped-def]
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    a00, a01, a02 = a[0, 0], a[0, 1], a[0, 2]
    a10, a11, a12 = a[1, 0], a[1, 1], a[1, 2]
    a20, a21, a22 = a[2, 0], a[2, 1], a[2, 2]
    b0, b1, b2 = b[0], b[1], b[2]
    s0, s1, s2 = s[0], s[1], s[2]
    t0, t1, t2 = t[0], t[1], t[2]
    zero = a00 - a00
    for i in range(out0.shape[0]):
        x, y, z = src[3 * i] + zero, src[3 * i + 1] + zero, src[3 * i + 2] + zero
        p = s0 * min(max(a00 * x + a01 * y + a02 * z + b0, low), high) + t0
        q = s1 * min(max(a10 * x + a11 * y + a12 * z + b1, low), high) + t1
        r = s2 * min(max(a20 * x + a21 * y + a22 * z + b2, low), high) + t2
        out0[i] = np.rint(min(max(p, least), most))
        out1[i] = np.rint(min(max(q, least), most))
        out2[i] = np.rint(min(max(r, least), most))


@compiled
def _apart(src, s1, t1, limits, s2, t2, ints, out):  # type: ignore[no-untyped-def]
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    zero = s1[0] - s1[0]
    channels = src.shape[1]
    if low == -np.inf and high == np.inf and not ints:
        gain, offset = s2 * s1, s2 * t1 + t2
        for i in range(src.shape[0]):
            for c in range(channels):
                out[i, c] = gain[c] * (src[i, c] + zero) + offset[c]
    elif ints:
        for i in range(src.shape[0]):
            for c in range(channels):
                v = s2[c] * min(max(s1[c] * (src[i, c] + zero) + t1[c], low), high) + t2[c]
                out[i, c] = np.rint(min(max(v, least), most))
    else:
        for i in range(src.shape[0]):
            for c in range(channels):
                out[i, c] = s2[c] * min(max(s1[c] * (src[i, c] + zero) + t1[c], low), high) + t2[c]


@compiled
def _any(src, a, b, limits, a2, b2, ints, out):  # type: ignore[no-untyped-def]
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    channels = src.shape[1]
    middle = np.empty_like(b)
    for i in range(src.shape[0]):
        for c in range(channels):
            v = b[c]
            for k in range(channels):
                v += a[c, k] * src[i, k]
            middle[c] = min(max(v, low), high)
        for c in range(channels):
            v = b2[c]
            for k in range(channels):
                v += a2[c, k] * middle[k]
            if ints:
                v = np.rint(min(max(v, least), most))
            out[i, c] = v
