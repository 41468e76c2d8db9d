"""Rotated boxes: rectangles of any angle, in the conventions of OpenCV, of DOTA and of the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from imagemill.core.annotated.annotation_rows import check_rows, left_rows
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.short_repr import ShortRepr

__all__ = ["ROTATED_FORMATS", "RotatedBoxes", "rectangles_around", "turned_around"]

Array = np.ndarray[Any, Any]
_NONE = np.zeros(0, np.int64)

ROTATED_FORMATS = ("cxcywha", "cxcywhr", "opencv", "long_edge", "corners")
_SIGNS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
"""Corners of a rectangle in units of its width and height, clockwise as seen."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RotatedBoxes(ShortRepr):
    """Rotated boxes in a picture.

    Parameters
    ----------
    array : array
        ``(k, 5)``, or ``(k, 8)`` for corners; also what `cv2.minAreaRect` gives, one by one, with ``format="opencv"``.
    format : str
        * ``"cxcywha"``: centre, width, height in pixels from the picture's outer corner (as boxes in ``"xyxy"``), and
          the angle in degrees from the x axis to the side of the width, **clockwise as seen on screen** (x to the
          right, y down). That is OpenCV's and DOTA's sense; `Rotate` counts counter-clockwise. Comes back from -180 up
          to 180, and follows the object: a car turned by 180 degrees has an angle that differs by 180.
        * ``"cxcywhr"``: the same in radians.
        * ``"opencv"``: `cv2.minAreaRect`: any angle is read (versions differ), above 0 up to 90 is written, and the
          centre counted from the *centre* of the first pixel, as contours are. The rectangle around the centres of
          pixels is one pixel narrower than those pixels.
        * ``"long_edge"``: as the first, with width at least height and the angle from -90 up to 90 (le90).
        * ``"corners"``: x and y of four corners in order, as in DOTA and YOLO-OBB (in pixels). Corners that are no
          rectangle become the smallest rectangle around them; the first corner stays the first.
    labels, columns, index
        As for :class:`Boxes`.
    visibility : array ``(k,)``
        Set on what comes back: the share of each box that is left in the frame, 0 to 1.
    dropped : array of int
        Set on what comes back: the ``index`` of every box that is not there any more.

    Raises
    ------
    InputError
        Naming the box, for values that are not finite or sides below 0.

    Notes
    -----
    A box moves as its corners do. Turns, mirrors, shifts and zooms make rectangles of rectangles, exactly. Shears,
    zooms of one axis, perspective and bends do not: it becomes the smallest rectangle around what its outline really
    becomes. Where the frame cuts it, it becomes the smallest rectangle of the same angle around what is left, which
    may stand out of the frame at its corners. Which stay is said by the rules for boxes (`BoxRules`).

    Source: Freeman and Shapira (1975), "Determining the minimum-area encasing rectangle for an arbitrary closed
    curve", Communications of the ACM 18(7).

    Examples
    --------
    >>> import imagemill as im
    >>> ship = im.RotatedBoxes([[10, 10, 8, 4, 0]], labels=["ship"])
    >>> out = im.Pipeline([im.Rotate(30)], seed=1)(image=np.zeros((20, 20)), rotated_boxes=ship).rotated_boxes
    >>> out.array.round(6).tolist(), out.labels
    ([[10.0, 10.0, 8.0, 4.0, -30.0]], ['ship'])
    >>> out.to("long_edge").array.round(6).tolist(), ship.to("corners").array.tolist()
    ([[10.0, 10.0, 8.0, 4.0, -30.0]], [[6.0, 8.0, 14.0, 8.0, 14.0, 12.0, 6.0, 12.0]])
    """

    array: Array
    format: str = "cxcywha"
    labels: Any = None
    index: npt.NDArray[np.int64] | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    visibility: Floats | None = None
    dropped: npt.NDArray[np.int64] = field(default_factory=lambda: _NONE)

    kind: ClassVar[str] = "rotated boxes"

    def __post_init__(self) -> None:
        if self.format not in ROTATED_FORMATS:
            raise InputError(f"expected a format of {', '.join(ROTATED_FORMATS)}, got {self.format!r}")
        width = 8 if self.format == "corners" else 5
        array = _numbers(self.array, width)
        if array.ndim != 2 or array.shape[1] != width:
            do = "; four corners are format='corners'" if array.shape[-1] == 8 else ""
            raise InputError(f"expected rotated boxes ({self.format}) as (k, {width}), got shape {array.shape}{do}")
        bad = ~np.isfinite(array).all(axis=1)
        if width == 5:
            bad |= (array[:, 2:4] < 0).any(axis=1)
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            raise InputError(
                f"expected finite numbers and sides of 0 or more, got rotated box {first}: {array[first].tolist()}; "
                "mend it or leave it out"
            )
        object.__setattr__(self, "array", array)
        check_rows(self, "box")

    def corners(self) -> Floats:
        """Corners ``(k, 4, 2)`` as x and y in pixels from the outer corner, the sides of the width first."""
        if self.format == "corners":
            return self.array.reshape(-1, 4, 2)
        centre, size, angle = self.array[:, None, :2], self.array[:, None, 2:4], self.array[:, 4]
        radians = angle if self.format == "cxcywhr" else np.deg2rad(angle)
        cos, sin = (_exact(f(radians)) for f in (np.cos, np.sin))
        along = size * _SIGNS
        turned = np.stack(
            [
                along[..., 0] * cos[:, None] - along[..., 1] * sin[:, None],
                along[..., 0] * sin[:, None] + along[..., 1] * cos[:, None],
            ],
            axis=-1,
        )
        found: Floats = centre + turned + (0.5 if self.format == "opencv" else 0.0)
        return found

    def to(self, format: str) -> RotatedBoxes:
        """The same boxes in another format."""
        corners = self.corners() if self.format != "corners" else rectangles_around(self.corners())
        return replace(self, format=format, array=_from_corners(corners, format))

    @property
    def area(self) -> Floats:
        """Square pixels of each."""
        if self.format != "corners":
            return np.asarray(self.array[:, 2] * self.array[:, 3])
        sides = np.linalg.norm(np.diff(rectangles_around(self.corners())[:, :3], axis=1), axis=2)
        return np.asarray(sides.prod(axis=1))

    @property
    def bounds(self) -> Floats:
        """The upright box around each, ``(k, 4)`` as ``xyxy``."""
        corners = self.corners()
        return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)

    def like(self, corners: Floats, kept: npt.NDArray[np.int64], share: Floats) -> RotatedBoxes:
        """The boxes that were kept, with new corners ``(k, 4, 2)`` of rectangles, in this one's format."""
        return RotatedBoxes(_from_corners(corners, self.format), self.format, **left_rows(self, kept, share))

    def only(self, kept: npt.NDArray[np.int64]) -> RotatedBoxes:
        """Some of the boxes as they are."""
        return replace(self, array=self.array[kept], **left_rows(self, kept, np.ones(len(kept))))

    def emptied(self, gone: npt.NDArray[np.bool_]) -> RotatedBoxes:
        """All rows, some drawn together to a point."""
        corners = self.corners()
        corners = np.where(gone[:, None, None], corners.mean(axis=1, keepdims=True), corners)
        share = np.ones(len(self)) if self.visibility is None else self.visibility
        return replace(self, array=_from_corners(corners, self.format), visibility=np.where(gone, 0.0, share))

    def __len__(self) -> int:
        return len(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=copy)


def _numbers(given: Any, width: int) -> Array:
    """What was given as one array: also rectangles ``((cx, cy), (w, h), angle)``, and corners ``(k, 4, 2)``."""
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        try:
            array = np.array([[*centre, *size, angle] for centre, size, angle in given], dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"expected rotated boxes as (k, {width}) numbers, got {given!r:.80}") from None
    if array.size == 0:
        return array.reshape(0, width)
    return array.reshape(-1, 8) if width == 8 and array.ndim == 3 and array.shape[1:] == (4, 2) else array


def _exact(values: Floats) -> Floats:
    """Cosines and sines, with those of whole quarter turns without a rounding."""
    return np.where(np.abs(values) < 1e-15, 0.0, values)


def _from_corners(corners: Floats, format: str) -> Floats:
    if format == "corners":
        return corners.reshape(-1, 8).copy()
    if format not in ROTATED_FORMATS:
        raise InputError(f"expected a format of {', '.join(ROTATED_FORMATS)}, got {format!r}")
    across, down = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    size = np.stack([np.linalg.norm(across, axis=1), np.linalg.norm(down, axis=1)], axis=1)
    # A rectangle without a width still has a direction: that of its height, a quarter turn back.
    across = np.where(size[:, :1] > 0, across, np.stack([down[:, 1], -down[:, 0]], axis=1))
    degrees = np.rad2deg(np.arctan2(across[:, 1], across[:, 0]))
    centre = corners.mean(axis=1)
    if format == "opencv":
        centre, size, degrees = centre - 0.5, *_within(size, degrees, 0.0)
        # Above 0 up to 90, where others go from 0 up to below 90.
        flat = degrees == 0
        size, degrees = np.where(flat[:, None], size[:, ::-1], size), np.where(flat, 90.0, degrees)
    elif format == "long_edge":
        swapped = size[:, 0] < size[:, 1]
        size = np.where(swapped[:, None], size[:, ::-1], size)
        degrees = (np.where(swapped, degrees + 90, degrees) + 90) % 180 - 90
    else:
        degrees = np.where(degrees >= 180, degrees - 360, degrees)
    angle = np.deg2rad(degrees) if format == "cxcywhr" else degrees
    return np.concatenate([centre, size, angle[:, None]], axis=1)


def _within(size: Floats, degrees: Floats, low: float) -> tuple[Floats, Floats]:
    """The same rectangles with an angle from ``low`` up to ``low + 90``, sides exchanged where that takes it."""
    quarters = np.floor((degrees - low) / 90)
    odd = (quarters % 2 == 1)[:, None]
    return np.where(odd, size[:, ::-1], size), degrees - 90 * quarters


def rectangles_around(points: Floats, corners: Floats | None = None) -> Floats:
    """The smallest rectangle around each set of points, ``(k, 4, 2)``.

    One side of it lies along an edge of the points' convex hull. Of its sides, the width is the one most along the
    first two corners of what it is around, in their direction.

    Parameters
    ----------
    points : array, ``(k, m, 2)``
    corners : array, ``(k, 4, 2)``, optional
        Those of what the points are of; left out, four points are themselves the corners.

    Examples
    --------
    >>> leaning = np.array([[[0.0, 0.0], [4.0, 0.0], [5.0, 2.0], [1.0, 2.0]]])
    >>> rectangles_around(leaning).tolist()
    [[[0.0, 0.0], [5.0, 0.0], [5.0, 2.0], [0.0, 2.0]]]
    """
    if corners is None:
        edges = np.roll(points, -1, axis=1) - points
        return _boxed(points, points, _best(points, edges))
    found = np.zeros((len(points), 4, 2))
    for k, one in enumerate(points):
        hull = _hull(one)[None]
        found[k] = _boxed(one[None], corners[k : k + 1], _best(hull, np.roll(hull, -1, axis=1) - hull))
    return found


def turned_around(points: Floats, like: Floats) -> Floats:
    """The rectangle ``(4, 2)`` around points ``(n, 2)`` whose sides go along those of another, ``(4, 2)``."""
    across = like[1] - like[0]
    length = float(np.linalg.norm(across))
    down = like[3] - like[0]
    if length == 0:
        across, length = np.array([down[1], -down[0]]), float(np.linalg.norm(down))
    u = across / length if length else np.array([1.0, 0.0])
    v = np.array([-u[1], u[0]])
    v = -v if v @ down < 0 else v
    (a, c), (b, d) = ((along.min(), along.max()) for along in (points @ u, points @ v))
    return np.array([s * u + t * v for s, t in ((a, b), (c, b), (c, d), (a, d))])


def _best(points: Floats, edges: Floats) -> Floats:
    """The direction ``(k, 2)`` of a side of the smallest rectangle, among those of some edges ``(k, e, 2)``."""
    length = np.linalg.norm(edges, axis=2, keepdims=True)
    u = np.where(length > 0, edges / np.where(length > 0, length, 1.0), np.array([1.0, 0.0]))
    v = np.stack([-u[..., 1], u[..., 0]], axis=-1)
    a, b = (np.einsum("kpd,ked->kep", points, way) for way in (u, v))
    area = np.ptp(a, axis=2) * np.ptp(b, axis=2)
    # The first of those that are equal but for rounding, so that a rectangle keeps its own sides.
    least = area.min(axis=1, keepdims=True)
    chosen = np.argmax(area <= least + 1e-9 * (1 + least), axis=1)
    found: Floats = u[np.arange(len(u)), chosen]
    return found


def _boxed(points: Floats, corners: Floats, u: Floats) -> Floats:
    """Rectangles ``(k, 4, 2)`` of a direction around points, named by the first corner and the two beside it."""
    across = corners[:, 1] - corners[:, 0]
    v = np.stack([-u[:, 1], u[:, 0]], axis=1)
    # The side nearest to that of the first two corners is the width.
    other = np.abs(np.einsum("kd,kd->k", across, v)) > np.abs(np.einsum("kd,kd->k", across, u)) * (1 + 1e-9)
    u, v = np.where(other[:, None], v, u), np.where(other[:, None], u, v)
    u = np.where(np.einsum("kd,kd->k", across, u)[:, None] < 0, -u, u)
    down = corners[:, 3] - corners[:, 0]
    v = np.where(np.einsum("kd,kd->k", down, v)[:, None] < 0, -v, v)
    a, b = np.einsum("kpd,kd->kp", points, u), np.einsum("kpd,kd->kp", points, v)
    ends = [(a.min(1), b.min(1)), (a.max(1), b.min(1)), (a.max(1), b.max(1)), (a.min(1), b.max(1))]
    return np.stack([s[:, None] * u + t[:, None] * v for s, t in ends], axis=1)


def _hull(points: Floats) -> Floats:
    """Corners of the convex hull, in order.

    Source: Andrew (1979), "Another efficient algorithm for convex hulls in two dimensions", Information Processing
    Letters 9(5).
    """
    order = points[np.lexsort((points[:, 1], points[:, 0]))]
    chains = []
    for line in (order, order[::-1]):
        chain: list[Floats] = []
        for point in line:
            while len(chain) > 1 and _side(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        chains += chain[:-1] or chain
    return np.array(chains)


def _side(a: Floats, b: Floats, c: Floats) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
