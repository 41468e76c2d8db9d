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
from imagemill.engine.backends.cpu.colour import mix_loops as loops
from imagemill.engine.backends.cpu.colour.mix_bytes import mix_whole
from imagemill.engine.backends.cpu.compile import exactly
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
    final = values.max_range(out.dtype) if out.dtype.kind in "iu" else (-math.inf, math.inf)
    limits = np.array([found.low[row], found.high[row], *final]).astype(kind)
    a, b, a2, b2 = (x.astype(kind) for x in (found.a[row], b, found.a2[row], found.b2[row]))
    if channels == 3 and found.scales[row] and out.flags.c_contiguous:
        s = np.diag(a2).copy()
        if found.apart[row] and _alike(np.diag(a), b, s, b2):
            one = (a[0, 0], b[0], limits, a2[0, 0], b2[0], kind.type(0))
            loops.alike_three(src.reshape(-1), *one, out.reshape(-1))
        elif src.dtype == np.uint8 == out.dtype:
            clipped = found.low[row] > -math.inf or found.high[row] < math.inf or not (s == 1).all() or b2.any()
            mix_whole(src.reshape(-1), loops.packed(a, b, s, b2, limits), bool(clipped), out.reshape(-1))
        else:
            loops.together(src.reshape(-1), loops.packed(a, b, s, b2, limits), out.reshape(-1))
        return
    if channels == 3 and found.scales[row]:
        planes = [out[..., c] for c in range(3)]
        apart = all(p.flags.c_contiguous for p in planes)
        targets = planes if apart else list(np.empty((3, *out.shape[:-1]), out.dtype))
        numbers = loops.packed(a, b, np.diag(a2), b2, limits)
        loops.three(src.reshape(-1), numbers, *(p.reshape(-1) for p in targets))
        if not apart:
            _interleave(targets, out)
        return
    rows = _rows(out)
    target = np.empty((src.size // channels, channels), out.dtype) if rows is None else rows
    if channels == 1:
        loops.one(src.reshape(-1), a[0, 0], b[0], limits, a2[0, 0], b2[0], target[:, 0])
    elif found.apart[row]:
        loops.apart(src.reshape(-1, channels), np.diag(a).copy(), b, limits, np.diag(a2).copy(), b2, target)
    else:
        loops.any_matrix(src.reshape(-1, channels), a, b, limits, a2, b2, target)
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
