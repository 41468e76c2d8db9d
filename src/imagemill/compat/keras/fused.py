"""A batch through geometry, colour and normalisation in one compiled call.

A small picture costs less than the Python around it, so here Python is paid once a batch; and what is done to a
picture is done while it is at hand. Pictures whose geometry goes another way (large ones, other splines and borders)
are coloured and normalised here all the same.

What a picture becomes does not depend on the others in the call, nor on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imagemill.compat.keras import fused_kernels as kernels
from imagemill.compat.keras.defaults import Array
from imagemill.compat.keras.learned import AS_IT_IS, EPSILON, Finish
from imagemill.compat.keras.parts import for_parts
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats
from imagemill.core.ops import Bools
from imagemill.engine.buffers import LEAST, Buffers

__all__ = ["Moves", "matrices", "moves_here", "run"]

Rows = npt.NDArray[np.int64]

LIMIT = 1024 * 1024
"""Most pixels of a picture that is moved here: places within it are kept in 32 bits."""

_MODES = {
    "nearest": kernels.NEAREST,
    "constant": kernels.CONSTANT,
    "reflect": kernels.REFLECT,
    "grid-mirror": kernels.REFLECT,
    "wrap": kernels.WRAP,
}
_NO_FLOATS = np.empty(0)
_NO_SINGLES = np.empty(0, np.float32)
_NO_MATRICES = np.empty((0, 3, 3))
_NO_FLIPS = np.empty(0, np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Where the pictures of a batch are read: matrices ``[n, 3, 3]`` from output to input, flips behind them."""

    matrix: Floats
    flip_y: Bools
    flip_x: Bools
    fill_mode: str
    cval: float


def moves_here(size: tuple[int, int], order: int, fill_mode: str) -> bool:
    """Whether pictures of a size (height, width) are moved here."""
    return order == 1 and fill_mode in _MODES and 0 < size[0] * size[1] <= LIMIT


def matrices(
    theta: Floats, tx: Floats, ty: Floats, shear: Floats, zx: Floats, zy: Floats, size: tuple[int, int], *, exact: bool
) -> Floats:
    """The matrices of :func:`affine.matrices`, but for the last bits: its products written out.

    Raises
    ------
    ParameterError
        When a matrix is not finite.

    Examples
    --------
    >>> no, one = np.zeros(1), np.ones(1)
    >>> matrices(no, one * 3, no, no, one, one, (8, 8), exact=False)[0, :2, 2].tolist()
    [0.0, 3.0]
    """
    # By numpy, as Keras does: another library's cosine has other last bits.
    angles = np.array([theta, shear])
    angles = np.deg2rad(angles, out=angles)
    cos, sin = np.cos(angles), np.sin(angles)
    out = np.empty((len(theta), 3, 3))
    height, width = size if not exact else size[::-1]
    centre = width / 2 - 0.5, height / 2 - 0.5
    turn, lean = np.array([cos[0], sin[0]]), np.array([cos[1], sin[1]])
    if not kernels.matrices(turn, np.array([tx, ty]), lean, np.array([zx, zy]), centre, out):
        raise ParameterError("expected finite transform parameters, got some that are not; correct them")
    return out


def run(
    images: Array,
    rows: Rows | None,
    moves: Moves | None,
    shift: Floats | None,
    light: Floats | None,
    finish: Finish = AS_IT_IS,
    *,
    data_format: str = "channels_last",
    workers: int = 1,
    buffers: Buffers | None = None,
) -> Array:
    """Move, shift, light and normalise pictures, in this order.

    Parameters
    ----------
    images : array, ``[m, H, W, C]``
        With any strides; bytes are read as they are, all else as single precision.
    rows : array of int, ``[n]``, optional
        Which of the pictures; all when left out.
    moves : Moves, optional
        For pictures that :func:`moves_here` says yes to.
    shift, light : array, ``[n]``, optional
        As for :func:`colour.shifted` and :func:`colour.brightened`.
    finish : Finish
    data_format : {"channels_last", "channels_first"}
        Of the result.
    workers : int
        Threads.
    buffers : Buffers, optional
        Memory of batches that are done with, to be used again.

    Returns
    -------
    array of float32, ``[n, H, W, C]`` or ``[n, C, H, W]``

    Examples
    --------
    >>> pictures = np.array([10, 20, 30, 40], np.uint8).reshape(2, 1, 2, 1)
    >>> run(pictures, np.array([1]), None, np.array([5.0]), None, Finish(0.5)).ravel().tolist()
    [17.5, 20.0]
    """
    flat, rows, strides = _source(images, rows)
    n, (height, width, channels) = len(rows), images.shape[1:]
    first = data_format == "channels_first"
    shape = (n, channels, height, width) if first else (n, height, width, channels)
    size = height, width, channels
    steps = height * width * channels, width * channels, channels, 1
    large = buffers is not None and 4 * n * steps[0] >= LEAST
    out = buffers.empty(shape, np.float32) if buffers is not None and large else np.empty(shape, np.float32)
    if out.size == 0:
        return out
    out_strides = (steps[0], width, 1, height * width) if first else steps
    target, done = out.reshape(-1), _finish(finish, shape[1:], first)
    single = images.dtype != np.uint8

    def work(part: slice) -> None:
        geometry = _geometry(moves, part)
        colour = _part(shift, part), _part(light, part)
        kernels.run(flat, single, rows[part], size, strides, geometry, colour, done, target, part.start, out_strides)

    for_parts(n, steps[0], workers, work)
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


def _geometry(moves: Moves | None, part: slice) -> tuple[Floats, Bools, Bools, int, float]:
    if moves is None:
        return _NO_MATRICES, _NO_FLIPS, _NO_FLIPS, 0, 0.0
    return moves.matrix[part], moves.flip_y[part], moves.flip_x[part], _MODES[moves.fill_mode], float(moves.cval)


def _part(column: Floats | None, part: slice) -> Floats:
    return _NO_FLOATS if column is None else np.ascontiguousarray(column[part], dtype=np.float64)


def _finish(finish: Finish, shape: tuple[int, ...], first: bool) -> tuple[np.float32, int, float, Array, Array]:
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
        mean, factor = (_line(a, shape, first) for a in (mean, factor))
    return np.float32(finish.rescale), own, EPSILON, mean, factor


def _line(values: Array, shape: tuple[int, ...], first: bool) -> Array:
    made = np.empty((*shape[1:], shape[0]) if first else shape, np.float32)
    (made.transpose(2, 0, 1) if first else made)[...] = values
    return made.reshape(-1)
