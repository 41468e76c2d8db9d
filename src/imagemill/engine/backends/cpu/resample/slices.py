"""Exact moves: flips, quarter turns, whole-pixel shifts and crops, copied bit for bit."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.core.coordinate_maps import Stage, Window
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.chains import (
    EDGE_TOLERANCE,
    AxisAligned,
    axis_aligned,
    fill_vector,
    integer_index,
    saturate,
)

Array = np.ndarray[Any, Any]

_FARTHEST = 2.0**31
"""Offsets beyond it are left to whoever can say what is wrong with them."""

_BITS = {1: np.uint8, 2: np.uint16, 4: np.int32}


@dataclass(frozen=True, slots=True)
class Move:
    """A signed permutation with a whole offset: input index ``i`` is ``sign[i] * p[perm[i]] + offset[i]``."""

    perm: tuple[int, ...]
    sign: tuple[int, ...]
    offset: tuple[int, ...]
    boxes: tuple[tuple[tuple[int, ...], tuple[int, ...], Window], ...]


def exact_move(stages: tuple[Stage, ...], in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> Move | None:
    """Recognise a chain that only copies pixels; None for any other.

    Examples
    --------
    >>> from imagemill.core.coordinate_maps import Matrix
    >>> turn = Matrix(np.array([[0.0, 1, 0], [-1, 0, 3], [0, 0, 1]]))
    >>> exact_move((turn,), (4, 6), (6, 4)).sign
    (1, -1)
    """
    aligned = axis_aligned(stages, out_shape)
    return None if aligned is None else from_aligned(aligned, max(*in_shape, *out_shape))


def from_aligned(aligned: AxisAligned, largest: int) -> Move | None:
    """Read an axis-aligned chain as a move, when rounding is all that keeps it from one."""
    if any(abs(abs(s) - 1.0) * largest > EDGE_TOLERANCE for s in aligned.scale):
        return None
    if not all(abs(o) < _FARTHEST for o in aligned.offset):
        return None
    offset = tuple(round(o) for o in aligned.offset)
    if any(abs(a - b) > EDGE_TOLERANCE for a, b in zip(aligned.offset, offset, strict=True)):
        return None
    return Move(aligned.perm, tuple(1 if s > 0 else -1 for s in aligned.scale), offset, aligned.boxes)


def whole_moves(matrices: npt.NDArray[np.float64]) -> list[Move | None]:
    """Moves of a batch by one pull matrix each, ``[n, d + 1, d + 1]``, all at once; None for what is no plain move.

    Examples
    --------
    >>> whole_moves(np.array([[[0.0, 1, 0], [-1, 0, 3], [0, 0, 1]], [[2.0, 0, 0], [0, 1, 0], [0, 0, 1]]]))
    [Move(perm=(1, 0), sign=(1, -1), offset=(0, 3), boxes=()), None]
    """
    if matrices.strides[0] == 0 or len(matrices) == 1:
        return [_whole_move(matrices[0].tolist())] * len(matrices)
    d = matrices.shape[-1] - 1
    linear, offset = matrices[:, :d, :d], matrices[:, :d, d]
    size, whole = np.abs(linear), np.rint(offset)
    plain = ((size == 1) | (size == 0)).all(axis=(1, 2)) & (size.sum(axis=1) == 1).all(axis=1)
    plain &= (size.sum(axis=2) == 1).all(axis=1) & (matrices[:, d] == [*[0] * d, 1]).all(axis=1)
    near = np.abs(offset) < _FARTHEST
    plain &= near.all(axis=1)
    plain &= (np.abs(np.where(near, offset - np.where(near, whole, 0), 1)) <= EDGE_TOLERANCE).all(axis=1)
    perm, sign = size.argmax(axis=2).tolist(), linear.sum(axis=2).astype(int).tolist()
    # What is no move may hold any numbers.
    places = np.where(plain[:, None], whole, 0).astype(int).tolist()
    rows = zip(plain.tolist(), perm, sign, places, strict=True)
    return [Move(tuple(p), tuple(s), tuple(o), ()) if good else None for good, p, s, o in rows]


def _whole_move(matrix: list[list[float]]) -> Move | None:
    """The same of one matrix: arrays of so few numbers take many times as long."""
    *rows, last = matrix
    d = len(rows)
    perm, sign, offset = [], [], []
    for *linear, place in rows:
        turned = [k for k, x in enumerate(linear) if x != 0]
        if len(turned) != 1 or abs(linear[turned[0]]) != 1 or not abs(place) < _FARTHEST:
            return None
        if abs(place - round(place)) > EDGE_TOLERANCE:
            return None
        perm.append(turned[0])
        sign.append(int(linear[turned[0]]))
        offset.append(round(place))
    plain = last == [*[0.0] * d, 1.0] and sorted(perm) == list(range(d))
    return Move(tuple(perm), tuple(sign), tuple(offset), ()) if plain else None


class Copying:
    """A move between frames of two shapes: what is worked out once, and :meth:`run` for each image.

    Parameters
    ----------
    move : Move
    in_shape, out_shape : tuple of int
        Spatial shapes.
    border : str
    labels : bool
        Whether windows show their ``mask_fill``.
    """

    __slots__ = ("_boxes", "_cut", "_inside", "_labels", "_order", "_straight", "_swapped", "fills")

    def __init__(
        self, move: Move, in_shape: tuple[int, ...], out_shape: tuple[int, ...], border: str, *, labels: bool = False
    ) -> None:
        d = len(move.perm)
        shown = _shown(move.boxes, out_shape)
        order = [move.perm.index(axis) for axis in range(d)]
        parts = [
            _along(in_shape[i], move.sign[i], move.offset[i], out_shape[axis], border, shown[axis])
            for axis, i in enumerate(order)
        ]
        self._order = tuple(order) if order != sorted(order) else None
        self._swapped = move.perm == (1, 0)
        self._cut = tuple(cut for cut, _ in parts)
        # Of a border that repeats the image, places are read one by one.
        self._straight = d == 3 and self._order is None and all(isinstance(cut, slice) for cut in self._cut)
        inside = [span for _, span in parts]
        # What lies beyond the windows is painted below.
        self.fills = any(
            span != slice(0, n) and span != slice(*b) for span, n, b in zip(inside, out_shape, shown, strict=True)
        )
        whole = all(span == slice(0, n) for span, n in zip(inside, out_shape, strict=True))
        self._inside = None if whole else tuple(inside)
        self._boxes, self._labels = move.boxes, labels

    def run(self, src: Array, out: Array, fill: npt.ArrayLike) -> None:
        """Copy an image into another.

        Parameters
        ----------
        src : array, ``(*in_shape, C)``, or ``(*in_shape)`` for labels
        out : array of ``src``'s dtype, ``(*out_shape, C)``, or ``(*out_shape)`` for labels
        fill : array
            Border value(s) in the dtype of ``src``.
        """
        d = len(self._cut)
        view = src if self._order is None else src.transpose(*self._order, *range(d, src.ndim))
        slices = tuple(cut if isinstance(cut, slice) else _ALL for cut in self._cut)
        view = view[slices]
        for axis, cut in enumerate(self._cut):
            if not isinstance(cut, slice):
                view = np.take(view, cut, axis=axis)
        if self.fills:
            out[...] = fill
        room = out if self._inside is None else out[self._inside]
        if d == 2:
            _copy_plane(view, room, swapped=self._swapped)
        elif not (_copy_reversed(src, slices, room) if self._straight else _copy_turned(view, room)):
            room[...] = view
        if self._boxes:
            paint(out, self._boxes, labels=self._labels)


_ALL = slice(None)


def _shown(
    boxes: tuple[tuple[tuple[int, ...], tuple[int, ...], Window], ...], shape: tuple[int, ...]
) -> list[tuple[int, int]]:
    """Along each axis, what all windows show of the output."""
    ends = [(0, n) for n in shape]
    for low, high, _ in boxes:
        ends = [(max(a, low[i]), min(b, high[i])) for i, (a, b) in enumerate(ends)]
    return ends


def _copy_plane(view: Array, out: Array, *, swapped: bool) -> None:
    """Copy a flipped or swapped view; images through OpenCV, which walks them many times quicker than numpy."""
    flips = tuple(s < 0 for s in view.strides[:2])
    bits = _BITS.get(view.dtype.itemsize)
    channels = view.shape[2] if view.ndim == 3 else 1
    if not (swapped or any(flips)) or channels > 4 or view.size == 0 or bits is None:
        out[...] = view
        return
    part = view[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]
    if swapped:
        part = part.transpose(1, 0, *range(2, part.ndim))
    # Only bytes move, so any dtype of the same size will do.
    part = np.asarray(part.view(bits))
    # OpenCV has no axis for a single channel, and writes where it is told only what is of its own shape.
    room = out.view(bits) if out.flags.c_contiguous and channels > 1 else None
    if swapped:
        part = cv2.transpose(part, dst=None if any(flips) else room)
    if any(flips):
        part = cv2.flip(part, -1 if all(flips) else (0 if flips[0] else 1), dst=room)
    if part is not room:
        out[...] = part.view(view.dtype).reshape(out.shape)


def _copy_reversed(src: Array, cut: tuple[slice, ...], out: Array) -> bool:
    """Copy a volume of one channel whose rows run backwards, which numpy does one by one; False for any other."""
    bits = _BITS.get(src.dtype.itemsize)
    one = src.ndim == 3 or (src.ndim == 4 and src.shape[3] == 1)
    if not one or bits is None or not out.size or not (src.flags.c_contiguous and out.flags.c_contiguous):
        return False
    steps = [part.indices(n) for part, n in zip(cut, src.shape, strict=False)]
    if steps[2][2] != -1:
        return False
    strides = (src.shape[1] * src.shape[2], src.shape[2])
    first = steps[0][0] * strides[0] + steps[1][0] * strides[1] + steps[2][0]
    along = steps[0][2] * strides[0], steps[1][2] * strides[1]
    _reverse(src.view(bits).reshape(-1), first, along, out.view(bits).reshape(out.shape[:3]))
    return True


@compiled
def _reverse(src, first, along, out):
    """Rows that end at ``first`` and so much further on for each slice and row."""
    size = out.shape[2]
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            last = first + z * along[0] + y * along[1]
            line, made = src[last - size + 1 : last + 1], out[z, y]
            for x in range(size):
                made[x] = line[np.uintp(size - 1 - x)]


def _copy_turned(view: Array, out: Array) -> bool:
    """Copy a volume of one channel whose lines become columns, plane by plane through OpenCV; False for any other."""
    bits = _BITS.get(view.dtype.itemsize)
    one = view.ndim == 3 or (view.ndim == 4 and view.shape[3] == 1)
    if not one or bits is None or not view.size or out.shape != view.shape or not out.flags.c_contiguous:
        return False
    lines = next((axis for axis in (0, 1) if abs(view.strides[axis]) == view.itemsize), None)
    if lines is None:
        return False
    flips = view.strides[lines] < 0, view.strides[2] < 0
    planes = np.moveaxis(view if view.ndim == 3 else view[..., 0], 1 - lines, 0)
    planes = planes[:, :: -1 if flips[0] else 1, :: -1 if flips[1] else 1].transpose(0, 2, 1).view(bits)
    rooms = np.moveaxis(out if out.ndim == 3 else out[..., 0], 1 - lines, 0).view(bits)
    how = None if not any(flips) else -1 if all(flips) else (0 if flips[0] else 1)
    for plane, room in zip(planes, rooms, strict=True):
        if lines == 1:
            cv2.transpose(plane, dst=room)
            if how is not None:
                cv2.flip(room, how, dst=room)
        else:  # whose rows lie apart: in one go
            made = cv2.transpose(plane)
            room[...] = made if how is None else cv2.flip(made, how)
    return True


def _along(
    n: int, sign: int, offset: int, m: int, border: str, shown: tuple[int, int]
) -> tuple[slice | npt.NDArray[np.int64], slice]:
    """Which of the ``n`` places of an axis are read, and where they go of ``m``. No more than is shown is needed."""
    low, high = (-offset, n - offset) if sign > 0 else (offset - n + 1, offset + 1)
    low, high = min(max(low, 0), m), min(max(high, 0), m)
    if low <= shown[0] < shown[1] <= high:
        low, high = shown
    elif (low > 0 or high < m) and border != "constant":
        return integer_index(sign * np.arange(m) + offset, n, border), slice(0, m)
    if high <= low:
        return slice(0, 0), slice(0, 0)
    first, last = sign * low + offset, sign * (high - 1) + offset
    stop = last + sign
    return slice(first, stop if stop >= 0 else None, sign), slice(low, high)


def paint(
    out: Array, boxes: tuple[tuple[tuple[int, ...], tuple[int, ...], Window], ...], *, labels: bool = False
) -> None:
    """Fill what lies outside each window's box; the window nearest to the output overrides the others."""
    for low, high, window in reversed(boxes):
        value: Any = window.mask_fill
        if not labels:
            value = saturate(fill_vector(window.fill, out.shape[-1]), out.dtype)
            # Written as one number, channels are no axis of their own to numpy, which is several times as quick.
            value = value[0] if (value == value[0]).all() else value
        if any(h <= m for m, h in zip(low, high, strict=True)):
            out[...] = value
            continue
        for axis, (a, b) in enumerate(zip(low, high, strict=True)):
            before = (slice(None),) * axis
            out[(*before, slice(0, a))] = value
            out[(*before, slice(b, None))] = value
