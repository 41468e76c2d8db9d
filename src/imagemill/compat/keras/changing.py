"""Pictures changed by numbers that were drawn for them: which way a batch goes.

Single precision goes through the engine's kernel for batches of pictures that have to be scipy's to the last bits
(:mod:`imagemill.engine.backends.cpu.batches.exact`). Double precision goes step by step in scipy and numpy: what the
other means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.compat.keras.defaults import Array
from imagemill.compat.keras.draws import Parameters
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Affine, Sampling
from imagemill.engine import execute
from imagemill.engine.backends import get_backend
from imagemill.engine.backends.cpu.batches import exact
from imagemill.engine.backends.cpu.batches.exact import MODES, Moves
from imagemill.engine.buffers import Buffers
from imagemill.engine.planner import make_plan
from imagemill.engine.tone_values import AS_IT_IS, Finish, finished, lit, shifted

__all__ = ["Reading", "by_the_book", "changed", "moved", "moves_of"]

_CUBIC = {
    "nearest": "nearest",
    "reflect": "reflect",
    "grid-mirror": "reflect",
    "mirror": "mirror",
    "grid-constant": "constant",
    "grid-wrap": "wrap",
}
"""Borders that splines of third order have in the engine too."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a moved picture is read.

    Parameters
    ----------
    order : int
        Of the spline, 0 to 5.
    fill_mode : str
        As ``mode`` of ``scipy.ndimage.affine_transform``.
    cval : float
        Shown beyond the edge where the mode is constant.

    Raises
    ------
    ParameterError
        For an unknown mode or order.
    """

    order: int
    fill_mode: str
    cval: float

    def __post_init__(self) -> None:
        if self.fill_mode not in MODES:
            raise ParameterError(f"expected fill_mode to be one of {', '.join(MODES)}, got {self.fill_mode!r}")
        if self.order not in range(6):
            raise ParameterError(f"expected an interpolation_order from 0 to 5, got {self.order!r}")


def moves_of(drawn: Parameters, matrix: Floats, reading: Reading) -> Moves:
    """Where pictures are read, from the numbers drawn for them."""
    return Moves(matrix, drawn.flip_vertical, drawn.flip_horizontal, reading.fill_mode, float(reading.cval))


def changed(
    images: Array,
    drawn: Parameters,
    matrix: Floats | None,
    reading: Reading,
    finish: Finish = AS_IT_IS,
    *,
    rows: Any = None,
    dtype: np.dtype[Any],
    data_format: str = "channels_last",
    workers: int = 1,
    buffers: Buffers | None = None,
) -> Array:
    """Pictures through geometry, channel shift, flips, brightness and ``finish``.

    Parameters
    ----------
    images : array, ``[m, H, W, C]``
        They are not changed.
    drawn : Parameters
        Of ``n`` pictures.
    matrix : array, ``[n, 3, 3]``, optional
        From output to input, before the flips; none where no picture is moved or turned over.
    reading : Reading
    finish : Finish
    rows : array of int, ``[n]``, optional
        Which of the pictures; all when left out.
    dtype : dtype
        Single or double precision, to compute with and to give.
    data_format : {"channels_last", "channels_first"}
        Of the result, and of what ``finish`` broadcasts over.
    workers : int
    buffers : Buffers, optional

    Returns
    -------
    array, ``[n, H, W, C]`` or ``[n, C, H, W]``, a new one

    Raises
    ------
    InputError
        For brightness on other than 1, 3 or 4 channels.
    """
    light, channels = drawn.brightness, images.shape[-1]
    if light is not None and channels not in (1, 3, 4):
        raise InputError(f"Unsupported channel number: {channels}; brightness takes 1, 3 or 4")
    if dtype != np.float32:
        taken = images if rows is None else images[rows]
        return by_the_book(taken, drawn, matrix, reading, finish, dtype=dtype, data_format=data_format)
    moves = None if matrix is None else moves_of(drawn, matrix, reading)
    if moves is not None and not (reading.order == 1 and exact.fits(*images.shape[1:])):
        taken = images if rows is None else images[rows]
        images, rows, moves = moved(taken.astype(dtype), moves, reading.order, workers=workers), None, None
    first, shift = data_format == "channels_first", drawn.channel_shift_intensity
    return exact.run(images, rows, moves, shift, light, finish, channels_first=first, workers=workers, buffers=buffers)


def by_the_book(
    images: Array,
    drawn: Parameters,
    matrix: Floats | None,
    reading: Reading,
    finish: Finish = AS_IT_IS,
    *,
    dtype: np.dtype[Any],
    data_format: str = "channels_last",
) -> Array:
    """:func:`changed`, step by step."""
    x = images.astype(dtype)
    if matrix is not None:
        x = moved(x, moves_of(drawn, matrix, reading), reading.order)
    if drawn.channel_shift_intensity is not None:
        x = shifted(x, drawn.channel_shift_intensity)
    if drawn.brightness is not None:
        x = lit(x, drawn.brightness).astype(dtype, copy=False)
    x = x if data_format == "channels_last" else np.ascontiguousarray(np.moveaxis(x, -1, 1))
    return finished(x, finish)


def moved(images: Array, moves: Moves, order: int, *, workers: int = 1) -> Array:
    """The geometry alone, ``[n, H, W, C]`` in and out, of one dtype; label maps of any dtype by order 0.

    Examples
    --------
    >>> no = np.zeros(1, bool)
    >>> moved(np.arange(4.0).reshape(1, 2, 2, 1), Moves(np.eye(3)[None], no, ~no, "nearest"), 1)[0, ..., 0].tolist()
    [[1.0, 0.0], [3.0, 2.0]]
    """
    if order < 2 and exact.fits(*images.shape[1:]):
        if order == 0:
            return exact.pick(images, moves, workers=workers)
        if images.dtype == np.float32:
            return exact.run(images, None, moves, None, None, workers=workers)
    if order == 3 and images.dtype == np.float32 and moves.mode in _CUBIC and images.size:
        return _planned(images, moves, workers)
    return _by_scipy(images, moves, order)


def _planned(images: Array, moves: Moves, workers: int) -> Array:
    """By cubic splines, as one step of the engine's own."""
    n, height, width, channels = images.shape
    matrix = moves.matrix.copy()
    for axis, (flip, length) in enumerate(((moves.flip_y, height), (moves.flip_x, width))):
        # A flip behind: column * (N - 1 - p) is -column * p + (N - 1) * column.
        matrix[flip, :, 2] += matrix[flip, :, axis] * (length - 1)
        matrix[flip, :, axis] *= -1.0
    frame = Frame.of(height, width, channels=channels, dtype=images.dtype, n=n)
    op = Affine(matrix, frame.shape, Sampling(3, _CUBIC[moves.mode], moves.fill))
    plan = make_plan([("ImageDataGenerator", op)], [frame, op.after(frame)])
    column = execute.Column("image", "yxc", np.ascontiguousarray(images))
    made: Array = execute.run(plan, {"image": column}, get_backend("cpu"), workers=workers)["image"]
    return made


def _by_scipy(images: Array, moves: Moves, order: int) -> Array:
    """One channel of one picture after the other."""
    from scipy import ndimage

    how: dict[str, Any] = {"order": order, "mode": moves.mode, "cval": moves.fill}
    out = np.empty_like(images, order="C")
    for i, (image, m) in enumerate(zip(images, moves.matrix, strict=True)):
        turned = out[i][:: -1 if moves.flip_y[i] else 1, :: -1 if moves.flip_x[i] else 1]
        for c in range(images.shape[-1]):
            turned[..., c] = ndimage.affine_transform(image[..., c], m[:2, :2], m[:2, 2], **how)
    return out
