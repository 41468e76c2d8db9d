"""Pictures of one size through geometry, tones and normalisation in one compiled call, to the last bits as scipy's.

For whoever needs what ``scipy.ndimage.affine_transform`` gives, its borders among them, and for tones that read the
whole picture or cut to whole grey levels: what the engine's other kernels may round is computed in double precision
here. A small picture costs less than the Python around it, so Python is paid once a batch; and what is done to a
picture is done while it is at hand.

What a picture becomes does not depend on the others in the call, nor on the number of threads.

Source: the modes as documented for ``scipy.ndimage`` (1.17, "Interpolation boundary handling"), checked against it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.geometry import Floats
from imagemill.core.ops import Bools
from imagemill.core.side_threads import side_by_side
from imagemill.engine.backends.cpu.batches import exact_kernels as kernels
from imagemill.engine.backends.cpu.batches.rows import CYCLE
from imagemill.engine.buffers import LEAST, Buffers
from imagemill.engine.chains import BORDERS
from imagemill.engine.tone_values import AS_IT_IS, EPSILON, Finish

__all__ = ["MODES", "Moves", "fits", "pick", "run"]

Array = np.ndarray[Any, Any]
Rows = npt.NDArray[np.int64]

MODES = {
    "nearest": (BORDERS["nearest"], False),
    "constant": (BORDERS["nearest"], True),
    "reflect": (BORDERS["reflect"], False),
    "wrap": (CYCLE, False),
    "mirror": (BORDERS["mirror"], False),
    "grid-constant": (BORDERS["constant"], False),
    "grid-wrap": (BORDERS["wrap"], False),
    "grid-mirror": (BORDERS["reflect"], False),
}
"""scipy's modes: the border that is read, and whether all beyond the outermost pixel centres gets the fill."""

WORTH = 1 << 19
"""Values that keep a thread busy for some tenths of a millisecond: what starting one and waiting for it costs."""

_NONE, _NO_SINGLES = np.empty(0), np.empty(0, np.float32)
_STILL = np.empty((0, 3, 3)), np.empty(0, np.bool_), np.empty(0, np.bool_), 0, False, 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Where the pictures of a batch are read.

    Parameters
    ----------
    matrix : array, ``[n, 3, 3]``
        From output to input index, ``(y, x, 1)``.
    flip_y, flip_x : bool array, ``[n]``
        Turned over behind it.
    mode : str
        One of :data:`MODES`.
    fill : float
        Shown beyond the edge where the mode is constant.
    """

    matrix: Floats
    flip_y: Bools
    flip_x: Bools
    mode: str
    fill: float = 0.0

    def part(self, rows: slice) -> tuple[Floats, Bools, Bools, int, bool, float]:
        """Some of them as the kernels take them."""
        matrix = np.ascontiguousarray(self.matrix[rows])
        return matrix, self.flip_y[rows], self.flip_x[rows], *MODES[self.mode], float(self.fill)


def fits(height: int, width: int, channels: int) -> bool:
    """Whether pictures of a size can be moved here: places within them are kept in 32 bits."""
    return height * width > 0 and (height + 2) * (width + 2) * channels + kernels.SLACK < 1 << 31


def run(
    images: Array,
    rows: Rows | None,
    moves: Moves | None,
    add: Floats | None,
    gain: Floats | None,
    finish: Finish = AS_IT_IS,
    *,
    channels_first: bool = False,
    workers: int = 1,
    buffers: Buffers | None = None,
) -> Array:
    """Move pictures by linear interpolation, shift, light and normalise them, in this order.

    Parameters
    ----------
    images : array, ``[m, H, W, C]``
        With any strides; bytes are read as they are, all else as single precision.
    rows : array of int, ``[n]``, optional
        Which of the pictures; all when left out.
    moves : Moves, optional
        For pictures that :func:`fits` says yes to.
    add, gain : array, ``[n]``, optional
        As for :func:`~imagemill.engine.tone_values.shifted` and :func:`~imagemill.engine.tone_values.lit`.
    finish : Finish
    channels_first : bool
        Layout of the result, and of what ``finish`` broadcasts over.
    workers : int
        Threads.
    buffers : Buffers, optional
        Memory of batches that are done with, to be used again.

    Returns
    -------
    array of float32, ``[n, H, W, C]`` or ``[n, C, H, W]``, a new one

    Examples
    --------
    >>> pictures = np.array([10, 20, 30, 40], np.uint8).reshape(2, 1, 2, 1)
    >>> run(pictures, np.array([1]), None, np.array([5.0]), None, Finish(0.5)).ravel().tolist()
    [17.5, 20.0]
    """
    flat, rows, strides = _source(images, rows)
    n, (height, width, channels) = len(rows), images.shape[1:]
    shape = (n, channels, height, width) if channels_first else (n, height, width, channels)
    size = height, width, channels
    steps = height * width * channels, width * channels, channels, 1
    large = buffers is not None and 4 * n * steps[0] >= LEAST
    out = buffers.empty(shape, np.float32) if buffers is not None and large else np.empty(shape, np.float32)
    if out.size == 0:
        return out
    out_strides = (steps[0], width, 1, height * width) if channels_first else steps
    target, done = out.reshape(-1), _finish(finish, shape[1:], first=channels_first)
    single = images.dtype != np.uint8

    def work(part: slice) -> None:
        geometry = _STILL if moves is None else moves.part(part)
        tones = _part(add, part), _part(gain, part)
        kernels.run(flat, single, rows[part], size, strides, geometry, tones, done, target, part.start, out_strides)

    _shared(n, steps[0], workers, work)
    return out


def pick(images: Array, moves: Moves, *, workers: int = 1) -> Array:
    """Move pictures or label maps by the nearest pixel: values are picked, never computed with.

    Between two pixels half way beyond the end, "mirror" picks the other one than scipy.

    Parameters
    ----------
    images : array, ``[n, H, W, C]``
        Of any dtype, of a size that :func:`fits`.
    moves : Moves
    workers : int

    Returns
    -------
    array, ``[n, H, W, C]``, of the same dtype

    Examples
    --------
    >>> no, labels = np.zeros(1, bool), np.array([1, 2, 3]).reshape(1, 1, 3, 1)
    >>> pick(labels, Moves(np.eye(3)[None], no, ~no, "nearest")).ravel().tolist()
    [3, 2, 1]
    """
    n, height, width, channels = images.shape
    out = np.empty(images.shape, images.dtype)
    fill = images.dtype.type(moves.fill)
    around: dict[str, Any] = {"mode": "edge"}
    if moves.mode == "grid-constant":
        around = {"constant_values": fill}
    elif moves.mode == "grid-wrap":
        around = {"mode": "wrap"}

    def work(part: slice) -> None:
        matrix, flip_y, flip_x, border, cut, _ = moves.part(part)
        index = np.empty((height, width), np.int32)
        for i, image in enumerate(images[part]):
            kernels.pick(matrix[i], flip_y[i], flip_x[i], (height, width), border, cut, index)
            ringed = np.pad(image, ((1, 1), (1, 1), (0, 0)), **around).reshape(-1, channels)
            out[part.start + i] = ringed[index]
            if cut:
                out[part.start + i][index < 0] = fill

    _shared(n, height * width, workers, work)
    return out


def _source(images: Array, rows: Rows | None) -> tuple[Array, Rows, tuple[int, ...]]:
    """Pictures as bytes in a line, which of them, and their strides in items."""
    if images.dtype not in (np.uint8, np.float32):
        images, rows = (images if rows is None else images[rows]).astype(np.float32), None
    # Memory with gaps, or whose pictures do not lie one after the other, is copied.
    packed = images
    if not images.flags.c_contiguous:
        packed = images.transpose(sorted(range(4), key=lambda axis: -images.strides[axis]))
    if not packed.flags.c_contiguous or not packed.flags.aligned:
        packed = images = np.ascontiguousarray(images if rows is None else images[rows])
        rows = None
    rows = np.arange(len(images)) if rows is None else np.ascontiguousarray(rows, dtype=np.int64)
    flat = packed.reshape(-1).view(np.uint8)
    strides = tuple(s // images.itemsize for s in images.strides)
    return (flat if flat.flags.writeable else np.asarray(_Borrowed(flat))), rows, strides


class _Borrowed:
    """Read-only bytes shown as writable ones, without a copy: kernels would be compiled once more for them."""

    def __init__(self, array: Array) -> None:
        self.array = array
        place = array.__array_interface__["data"][0]
        self.__array_interface__ = {"version": 3, "typestr": "|u1", "shape": array.shape, "data": (place, False)}


def _shared(n: int, values: int, workers: int, work: Callable[[slice], None]) -> None:
    """Do ``work(slice)`` for shares of ``n`` pictures of some ``values``, in threads where that is worth it."""
    parts = max(1, min(workers, n, n * values // WORTH))
    if parts == 1:
        work(slice(0, n))
        return
    edges = [n * k // parts for k in range(parts + 1)]
    side_by_side(work, [slice(a, b) for a, b in itertools.pairwise(edges)], parts)


def _part(column: Floats | None, part: slice) -> Floats:
    return _NONE if column is None else np.ascontiguousarray(column[part], dtype=np.float64)


def _finish(finish: Finish, shape: tuple[int, ...], *, first: bool) -> tuple[np.float32, int, float, Array, Array]:
    """The numbers of the end; those that were learned as lines that repeat, the channels of a pixel side by side."""
    own = int(finish.center) + 2 * int(finish.scale)
    mean: Array = _NO_SINGLES
    factor: Array = _NO_SINGLES
    if finish.mean is not None or finish.std is not None:
        mean = np.asarray(0 if finish.mean is None else finish.mean, np.float32)
        factor = np.ones((), np.float32)
        if finish.std is not None:
            # Turned over so that the kernel can multiply.
            factor = 1 / (np.asarray(finish.std, np.float32) + np.float32(EPSILON))
        # One number for each channel fills a row, all else a picture.
        if all(a.size == 1 or (a.ndim == 3 and a.size == a.shape[0 if first else 2]) for a in (mean, factor)):
            shape = (shape[0], 1, shape[2]) if first else (1, *shape[1:])
        mean, factor = (_line(a, shape, first=first) for a in (mean, factor))
    return np.float32(finish.rescale), own, EPSILON, mean, factor


def _line(values: Array, shape: tuple[int, ...], *, first: bool) -> Array:
    made = np.empty((*shape[1:], shape[0]) if first else shape, np.float32)
    (made.transpose(2, 0, 1) if first else made)[...] = values
    return made.reshape(-1)
