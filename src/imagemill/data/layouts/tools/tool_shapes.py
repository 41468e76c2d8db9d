"""Shapes that labelling tools draw, as boxes, polygons and masks in pixels from the picture's outer corner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_polygons
from imagemill.data.layouts.shapes.rle import rle_from_mask
from imagemill.data.records.instances import RLE, Instance

__all__ = ["box_shape", "ellipse_shape", "flat_points", "mask_shape", "number_of", "polygon_shape"]

_CORNERS = 64
"""Corners of the polygon that stands for an ellipse: within 0.13 % of its radius."""

_MOST_PIXELS = 1 << 28


def number_of(value: Any, what: str) -> float:
    """A finite number, also where it is written as text.

    Raises
    ------
    InputError

    Examples
    --------
    >>> number_of("12.5", "x")
    12.5
    """
    try:
        number = math.nan if isinstance(value, bool) or value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"expected {what} as a finite number, got {value!r:.40}; mend that shape")
    return number


def flat_points(points: Any, least: int = 1) -> tuple[float, ...]:
    """Points ``[[x, y], ...]`` as ``(x1, y1, x2, y2, ...)``.

    Raises
    ------
    InputError
        When they are none, or too few.

    Examples
    --------
    >>> flat_points([[1, 2], [3, 4]])
    (1.0, 2.0, 3.0, 4.0)
    """
    if not isinstance(points, list | tuple) or any(not isinstance(p, list | tuple) or len(p) != 2 for p in points):
        raise InputError(f"expected points as pairs of x and y, got {points!r:.60}; mend that shape")
    if len(points) < least:
        raise InputError(f"expected {least} points or more, got {len(points)}; mend that shape")
    return tuple(number_of(value, "a coordinate") for point in points for value in point)


def polygon_shape(category: str, flat: Sequence[float], **more: Any) -> Instance:
    """An polygon and the box around it.

    Examples
    --------
    >>> polygon_shape("cat", (0.0, 0.0, 4.0, 0.0, 4.0, 3.0)).box
    (0.0, 0.0, 4.0, 3.0)
    """
    return Instance(category, bounds_of_polygons([flat]), (tuple(flat),), **more)


def box_shape(
    category: str, ends: Sequence[float], degrees: float = 0.0, about: tuple[float, float] | None = None, **more: Any
) -> Instance:
    """A box by two opposite corners; turned, it is a polygon of 4 points and the box around them.

    Parameters
    ----------
    category : str
    ends : sequence of float
        x and y of two opposite corners, in any order.
    degrees : float
        By which it is turned clockwise.
    about : tuple of float or None
        The point that it is turned about; its centre where that is not said.

    Raises
    ------
    InputError
        When it holds nothing.

    Examples
    --------
    >>> box_shape("cat", (4.0, 3.0, 1.0, 1.0)).box
    (1.0, 1.0, 3.0, 2.0)
    >>> box_shape("cat", (0.0, 0.0, 4.0, 2.0), 90.0).box
    (1.0, -1.0, 2.0, 4.0)
    """
    left, right = sorted((ends[0], ends[2]))
    top, bottom = sorted((ends[1], ends[3]))
    if right <= left or bottom <= top:
        raise InputError(f"expected a box with a width and a height, got {tuple(ends)}; mend that shape")
    if degrees % 360 == 0:
        return Instance(category, (left, top, right - left, bottom - top), **more)
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    return polygon_shape(category, _turned(corners, degrees, about or ((left + right) / 2, (top + bottom) / 2)), **more)


def _turned(points: npt.NDArray[np.float64], degrees: float, about: tuple[float, float]) -> tuple[float, ...]:
    """Points turned clockwise as one sees it, for y grows downwards."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned = (points - about) @ np.array([[c, s], [-s, c]]) + about
    return tuple(round(float(value), 9) for value in turned.ravel())


def ellipse_shape(
    category: str, centre: tuple[float, float], radii: tuple[float, float], degrees: float = 0.0, **more: Any
) -> Instance:
    """An ellipse or circle as a polygon of many corners; upright, its box is exact.

    Raises
    ------
    InputError
        When it holds nothing.

    Examples
    --------
    >>> ellipse_shape("ball", (5.0, 5.0), (2.0, 3.0)).box
    (3.0, 2.0, 4.0, 6.0)
    """
    if min(radii) <= 0:
        raise InputError(f"expected an ellipse with two radii above 0, got {radii}; mend that shape")
    angles = np.arange(_CORNERS) * (2 * math.pi / _CORNERS)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii + centre
    return polygon_shape(category, _turned(points, degrees, centre), **more)


def mask_shape(
    category: str, part: npt.NDArray[np.bool_], corner: tuple[int, int], size: tuple[int, int] | None, **more: Any
) -> Instance:
    """A mask that covers a part of the picture.

    Parameters
    ----------
    category : str
    part : array of bool ``(rows, columns)``
    corner : tuple of int
        Column and row of its first pixel; what reaches beyond the picture is cut.
    size : tuple of int or None
        Height and width of the picture.

    Raises
    ------
    InputError
        When nothing of it is in the picture, or the size is not known.

    Examples
    --------
    >>> annotation = mask_shape("cat", np.ones((2, 2), bool), (1, 0), (2, 4))
    >>> annotation.box, annotation.rle.counts
    ((1.0, 0.0, 2.0, 2.0), (2, 4, 2))
    """
    if size is None or size[0] * size[1] > _MOST_PIXELS:
        raise InputError(f"expected a mask in a picture of known size, got {size}; add height and width")
    whole = np.zeros(size, dtype=bool)
    left, top = corner
    rows, columns = part.shape
    from_row, from_column = max(0, -top), max(0, -left)
    rows, columns = min(rows, size[0] - top), min(columns, size[1] - left)
    if rows > from_row and columns > from_column:
        whole[top + from_row : top + rows, left + from_column : left + columns] = part[
            from_row:rows, from_column:columns
        ]
    if not whole.any():
        raise InputError("expected a mask with something in it, within the picture, got an empty one; mend that shape")
    y, x = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    box = (float(x[0]), float(y[0]), float(x[-1] - x[0] + 1), float(y[-1] - y[0] + 1))
    runs: RLE = rle_from_mask(whole)
    return Instance(category, box, rle=runs, **more)
