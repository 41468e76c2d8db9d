"""The geometry of the interface: its parameters as matrices, for one picture and for a batch.

Its numbers are those of the map from output to input, in the order rotation, shift, shear, zoom: a zoom above 1
shrinks, a positive ``tx`` moves the picture left, ``shear`` is in degrees and does not keep areas. ``x`` is the
column, ``y`` the row, and maps act about the centre ``(N - 1) / 2``.

Source: the behaviour of ``keras.src.legacy.preprocessing.image`` (Keras 3.15), checked against it. Where it takes
the centre of a rectangle from its transpose, ``exact=True`` repeats that; squares are not affected.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.compat.keras.changing import Reading, moved
from imagemill.compat.keras.defaults import Array
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Floats
from imagemill.engine.backends.cpu.batches.exact import Moves
from imagemill.engine.backends.cpu.batches.rows import about_centre

__all__ = ["apply_affine_transform", "flip_axis", "matrices", "transform_matrix_offset_center"]

_NO = np.zeros(1, dtype=bool)


def flip_axis(x: Any, axis: int) -> Array:
    """Turn an array over along one axis.

    Examples
    --------
    >>> flip_axis(np.array([[1, 2], [3, 4]]), 1).tolist()
    [[2, 1], [4, 3]]
    """
    return np.flip(np.asarray(x), axis)


def transform_matrix_offset_center(matrix: Any, x: float, y: float) -> Floats:
    """A matrix that acts about the centre of a frame instead of its first pixel.

    Parameters
    ----------
    matrix : array, ``(3, 3)``
    x, y : float
        Lengths of the frame along the first and the second axis of the matrix, in pixels.

    Returns
    -------
    array, ``(3, 3)``

    Examples
    --------
    >>> transform_matrix_offset_center(np.diag([2.0, 2.0, 1.0]), 5, 3)[:2, 2].tolist()
    [-2.0, -1.0]
    """
    moved: Floats = _shifts(x, y) @ np.asarray(matrix, dtype=np.float64) @ _shifts(x, y, back=True)
    return moved


def matrices(
    theta: Floats, tx: Floats, ty: Floats, shear: Floats, zx: Floats, zy: Floats, size: tuple[int, int], *, exact: bool
) -> Floats:
    """The pull matrices of a batch, ``[n, 3, 3]``, in ``(y, x)``.

    Parameters
    ----------
    theta, shear : array, ``[n]``
        Degrees.
    tx, ty : array, ``[n]``
        Pixels along the columns and the rows.
    zx, zy : array, ``[n]``
        Input pixels per output pixel along the columns and the rows.
    size : pair of int
        Height and width.
    exact : bool
        The centre of a rectangle is taken from its transpose.

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
    angles = np.deg2rad(np.array([theta, shear]))
    height, width = size if not exact else size[::-1]
    numbers = np.cos(angles), np.sin(angles), np.array([tx, ty]), np.array([zx, zy])
    m = np.zeros((len(theta), 3, 3))
    finite = about_centre(*numbers, (height / 2 - 0.5, width / 2 - 0.5), m)  # type: ignore[no-untyped-call]  # a kernel
    if not finite:
        raise ParameterError("expected finite transform parameters, got some that are not; correct them")
    return m


def _shifts(x: float, y: float, *, back: bool = False) -> Floats:
    """The matrix that takes the origin to a frame's centre, or back."""
    m = np.eye(3)
    m[0, 2], m[1, 2] = (0.5 - x / 2, 0.5 - y / 2) if back else (x / 2 - 0.5, y / 2 - 0.5)
    return m


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int | None = None,
    col_axis: int | None = None,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
    *,
    exact: bool = False,
) -> Array:
    """Turn, move, shear and zoom one picture.

    Parameters
    ----------
    x : array, rank 3
    theta : float
        Degrees, positive turns counter-clockwise as seen on screen.
    tx, ty : float
        Pixels; positive moves the picture left, and up.
    shear : float
        Degrees.
    zx, zy : float
        Above 1 shrinks the picture along the columns, and the rows.
    row_axis, col_axis : int, optional
        Left out, the other two axes in order: 1 and 2, or 0 and 1 with the channels last.
    channel_axis : int
        The first or the last; -1 is the last.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}
    cval : float
        Shown beyond the edge with ``"constant"``.
    order : int
        Of the spline, 0 to 5.
    exact : bool
        Take the centre of a rectangle from its transpose, as Keras 3 does.

    Returns
    -------
    array, of the same shape and dtype

    Raises
    ------
    InputError
        For another rank or axes.

    Examples
    --------
    >>> picture = np.arange(9, dtype=np.float32).reshape(3, 3, 1)
    >>> moved = apply_affine_transform(picture, tx=1, row_axis=0, col_axis=1, channel_axis=2)
    >>> moved[0, :, 0].tolist()
    [1.0, 2.0, 2.0]
    """
    axes = _axes(row_axis, col_axis, channel_axis)
    if len(set(axes)) != 3:
        raise ParameterError(f"expected three different axes, got row, column and channel at {axes}")
    if set(axes) != {0, 1, 2}:
        raise ParameterError(f"expected the axes 0, 1 and 2, got row, column and channel at {axes}")
    picture = _array(x)
    if picture.ndim != 3:
        raise InputError(f"expected one picture with channels, of rank 3, got shape {picture.shape}")
    if axes[2] == 1:
        raise ParameterError("expected the channels as the first or the last axis, got them in the middle")
    if (theta, tx, ty, shear, zx, zy) == (0, 0, 0, 0, 1, 1):
        return picture
    image = picture.transpose(axes)
    turn, across, down, lean, wide, high = (np.array([v], dtype=np.float64) for v in (theta, tx, ty, shear, zx, zy))
    height, width = image.shape[:2]
    m = matrices(turn, across, down, lean, wide, high, (height, width), exact=exact)
    reading = Reading(order, fill_mode, cval)
    made = moved(_floating(image)[None], Moves(m, _NO, _NO, reading.fill_mode, float(cval)), order)[0]
    back: Array = made.transpose(np.argsort(axes))
    return _as(back, picture.dtype)


def _axes(row: int | None, column: int | None, channel: int) -> tuple[int, int, int]:
    """The axes counted from the front, those left out filled in."""
    said = {axis if axis >= 0 else axis + 3 for axis in (row, column, channel) if axis is not None}
    free = iter(axis for axis in range(3) if axis not in said)
    found = [next(free, channel) if axis is None else axis for axis in (row, column)]
    first, second, third = (axis if axis >= 0 else axis + 3 for axis in (*found, channel))
    return first, second, third


def _array(x: Any) -> Array:
    return np.asarray(x)


def _floating(x: Array) -> Array:
    """Values to compute with: half precision and integers have no kernel."""
    if x.dtype in (np.float32, np.float64):
        return x
    made: Array = x.astype(np.float32 if x.dtype == np.float16 else np.float64)
    return made


def _as(x: Array, dtype: np.dtype[Any]) -> Array:
    if dtype.kind not in "iub":
        made: Array = x.astype(dtype, copy=False)
        return made
    ends = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    # Halves away from zero, as they are rounded by ndimage.
    whole: Array = np.clip(np.trunc(x + np.copysign(0.5, x)), *ends).astype(dtype)
    return whole
