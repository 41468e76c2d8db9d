"""Pictures changed by numbers that were drawn for them: which way a batch goes.

Single precision goes through the compiled kernels of :mod:`fused`, its geometry through the engine where a picture
is very large, or its spline or border is another. Double precision goes step by step in numpy: what the other means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.compat.keras import fused
from imagemill.compat.keras.affine import matrices
from imagemill.compat.keras.channel_shift import brightened, shifted
from imagemill.compat.keras.defaults import Array
from imagemill.compat.keras.draws import Parameters
from imagemill.compat.keras.learned import AS_IT_IS, Finish, finished
from imagemill.compat.keras.sampling import sample
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.engine.buffers import Buffers

__all__ = ["Reading", "by_the_book", "changed", "matrices_of"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a moved picture is read: the order of the spline, and what shows beyond the edge."""

    order: int
    fill_mode: str
    cval: float


def matrices_of(drawn: Parameters, size: tuple[int, int], *, exact: bool, at_once: bool = True) -> Floats:
    """The matrices of a batch; ``at_once`` is quicker, and other in the last bits."""
    moves = drawn.theta, drawn.tx, drawn.ty, drawn.shear, drawn.zx, drawn.zy
    return (fused.matrices if at_once else matrices)(*moves, size, exact=exact)


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
    if dtype != np.float32:
        taken = images if rows is None else images[rows]
        return by_the_book(taken, drawn, matrix, reading, finish, dtype=dtype, data_format=data_format, workers=workers)
    shift, light = drawn.channel_shift_intensity, drawn.brightness
    if light is not None and images.shape[-1] not in (1, 3, 4):
        got = images.shape[-1]
        raise InputError(f"Unsupported channel number: {got}; brightness takes 1, 3 or 4")
    moves = None
    if matrix is not None and fused.moves_here((images.shape[1], images.shape[2]), reading.order, reading.fill_mode):
        moves = fused.Moves(matrix, drawn.flip_vertical, drawn.flip_horizontal, reading.fill_mode, reading.cval)
    elif matrix is not None:
        # The engine multiplies on its way; where nothing else is left to do, that is all.
        plain = shift is None and light is None and _only_rescale(finish) and data_format == "channels_last"
        images, rows = images if rows is None else images[rows], None
        images = _moved(images, drawn, matrix, reading, finish.rescale if plain else 1.0, dtype, workers, buffers)
        if plain:
            return images
    return fused.run(
        images, rows, moves, shift, light, finish, data_format=data_format, workers=workers, buffers=buffers
    )


def by_the_book(
    images: Array,
    drawn: Parameters,
    matrix: Floats | None,
    reading: Reading,
    finish: Finish = AS_IT_IS,
    *,
    dtype: np.dtype[Any],
    data_format: str = "channels_last",
    workers: int = 1,
) -> Array:
    """:func:`changed`, step by step."""
    x = images.astype(dtype)
    if matrix is not None:
        x = _moved(x, drawn, matrix, reading, 1.0, dtype, workers, None)
    if drawn.channel_shift_intensity is not None:
        x = shifted(x, drawn.channel_shift_intensity)
    if drawn.brightness is not None:
        x = brightened(x, drawn.brightness, scale=False).astype(dtype, copy=False)
    x = x if data_format == "channels_last" else np.ascontiguousarray(np.moveaxis(x, -1, 1))
    return finished(x, finish)


def _only_rescale(finish: Finish) -> bool:
    return not (finish.center or finish.scale) and finish.mean is None and finish.std is None


def _moved(
    images: Array,
    drawn: Parameters,
    matrix: Floats,
    reading: Reading,
    gain: float,
    dtype: np.dtype[Any],
    workers: int,
    buffers: Buffers | None,
) -> Array:
    return sample(
        images,
        matrix,
        drawn.flip_vertical,
        drawn.flip_horizontal,
        order=reading.order,
        fill_mode=reading.fill_mode,
        cval=reading.cval,
        gain=gain,
        dtype=dtype,
        workers=workers,
        buffers=buffers,
    )
