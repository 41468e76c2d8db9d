"""Polygons and lines around and along what is in a picture; they move with its pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from imagemill.core.annotated.annotation_rows import check_rows, left_rows
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.short_repr import ShortRepr

__all__ = ["Polygons", "bounds_of", "ring_area"]

_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Polygons(ShortRepr):
    """Polygons, or open lines, in a picture: each of one or several rings.

    Parameters
    ----------
    rings : sequence
        One entry per annotation: its corners as an array ``(n, 2)`` or pairs of x and y, or as one flat list
        ``[x1, y1, x2, y2, ...]``; or a list of several of those, such as the ``segmentation`` of COCO. In pixels from
        the picture's outer corner, as boxes in ``"xyxy"`` count them. The rings of one annotation are parts of it:
        none is a hole. Read back, it is a tuple of arrays ``(n, 2)`` for each annotation.
    closed : bool
        False for open lines, which have no area.
    labels : sequence, optional
        One per annotation; they stay with it.
    columns : mapping of str to sequence, optional
        Whatever else is known of each annotation.
    index : array of int ``(k,)``, optional
        What each annotation is known by. Left out, it comes back as the place of each among those that were given.
    visibility : array ``(k,)``
        Set on what comes back: the share of each annotation's area (of lines: of their length) that is left, 0 to 1.
    dropped : array of int
        Set on what comes back: the ``index`` of every annotation that is not there any more.

    Raises
    ------
    InputError
        Naming the annotation, for rings that are none.

    Notes
    -----
    Corners move by the map of the pixels. Where a map bends straight lines, more corners are put in until the bent
    line is followed within 0.1 pixels of the frame that comes out. Polygons are cut at the frame: each half-plane in
    turn, and what falls apart becomes several rings, so that concave polygons are right. Which stay is said by the
    rules for boxes (`BoxRules`), with the area of all rings in the place of the box's; of lines no least area is
    asked. Annotations that are also a box or a mask (of the same ``index``; polygons without one as many as the boxes)
    stay or go together with them.

    Source: Sutherland and Hodgman (1974), "Reentrant polygon clipping", Communications of the ACM 17(1), but that what
    falls apart is put together in the order in which it lies along the edge.

    Examples
    --------
    >>> import imagemill as im
    >>> cat = [(2, 2), (8, 2), (8, 6)]
    >>> out = im.Pipeline([im.Crop(box=(0, 0, 8, 5))], seed=1)(image=np.zeros((8, 10)), polygons=[cat])
    >>> out.polygons.rings[0][0].tolist(), out.polygons.visibility.tolist()
    ([[5.0, 4.0], [2.0, 2.0], [5.0, 2.0]], [0.25])
    >>> im.Polygons([[[0, 0, 4, 0, 4, 3], [6, 0, 8, 0, 8, 1]]]).area.tolist()
    [7.0]
    """

    rings: Sequence[Any]
    closed: bool = True
    labels: Any = None
    index: npt.NDArray[np.int64] | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    visibility: Floats | None = None
    dropped: npt.NDArray[np.int64] = field(default_factory=lambda: _NONE)

    kind: ClassVar[str] = "polygons"

    def __post_init__(self) -> None:
        """Check the shapes."""
        if isinstance(self.rings, str | bytes | Mapping) or not isinstance(self.rings, Iterable):
            raise InputError(f"expected polygons as a list with one entry each, got {type(self.rings).__name__}")
        least = 3 if self.closed else 2
        rings = tuple(_rings(given, number, least) for number, given in enumerate(self.rings))
        object.__setattr__(self, "rings", rings)
        check_rows(self, "polygon")

    @property
    def parts(self) -> list[Floats]:
        """All rings of all annotations, one after the other."""
        return [ring for rings in self.rings for ring in rings]

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """Which row each of the ``parts`` belongs to."""
        return np.repeat(np.arange(len(self.rings)), [len(rings) for rings in self.rings]).astype(np.int64)

    @property
    def area(self) -> Floats:
        """Square pixels in the rings of each annotation; 0 for open lines."""
        return np.array([sum(map(ring_area, rings)) if self.closed else 0.0 for rings in self.rings])

    @property
    def bounds(self) -> Floats:
        """The upright box around each, ``(k, 4)`` as ``xyxy``; ``nan`` where nothing is left."""
        return np.array([bounds_of(rings) for rings in self.rings]).reshape(-1, 4)

    def like(self, rings: Sequence[Any], kept: npt.NDArray[np.int64], share: Floats) -> Polygons:
        """The annotations that were kept, with new rings; ``share`` says what is left of each."""
        return Polygons(tuple(tuple(one) for one in rings), self.closed, **left_rows(self, kept, share))

    def only(self, kept: npt.NDArray[np.int64]) -> Polygons:
        """Some of the annotations as they are."""
        return self.like([self.rings[i] for i in kept.tolist()], kept, np.ones(len(kept)))

    def emptied(self, gone: npt.NDArray[np.bool_]) -> Polygons:
        """All rows, but nothing left of some."""
        rings = tuple(() if empty else one for one, empty in zip(self.rings, gone.tolist(), strict=True))
        share = np.ones(len(self)) if self.visibility is None else self.visibility
        return replace(self, rings=rings, visibility=np.where(gone, 0.0, share))

    def flat(self) -> list[list[list[float]]]:
        """Each annotation as COCO's ``segmentation``: a list of flat lists ``[x1, y1, x2, y2, ...]``."""
        return [[ring.ravel().tolist() for ring in rings] for rings in self.rings]

    def __len__(self) -> int:
        return len(self.rings)


def _rings(given: Any, number: int, least: int) -> tuple[Floats, ...]:
    """What was given as one annotation, as its rings."""
    if isinstance(given, np.ndarray) and given.ndim in (1, 2) and given.dtype.kind in "iuf":
        return (_ring(given, number, least),)
    try:
        items = list(given)
    except TypeError:
        items = None
    if items is None or isinstance(given, str | bytes | Mapping):
        raise InputError(
            f"expected polygon {number} as a list of corners or of rings, got {given!r:.60}; for a single polygon "
            "write [[(x1, y1), (x2, y2), ...]]"
        )
    # Numbers are a flat list, pairs are corners, and everything longer is a ring.
    if items and all(np.ndim(item) == 0 for item in items):
        return (_ring(given, number, least),)
    if items and all(
        not isinstance(item, np.ndarray | str) and np.ndim(item) == 1 and len(item) == 2 for item in items
    ):
        return (_ring(given, number, least),)
    if items and all(isinstance(item, np.ndarray) and item.shape == (2,) for item in items):
        return (_ring(given, number, least),)
    return tuple(_ring(item, number, least) for item in items)


def _ring(given: Any, number: int, least: int) -> Floats:
    try:
        ring = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        ring = np.zeros(0)
    if ring.ndim == 1 and ring.size % 2 == 0:
        ring = ring.reshape(-1, 2)
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < least or not np.isfinite(ring).all():
        do = (
            "for a single polygon write [[(x1, y1), (x2, y2), ...]]"
            if ring.size < 2 * least
            else "mend it or leave it out"
        )
        raise InputError(
            f"expected polygon {number} with at least {least} finite corners of x and y each, got {given!r:.80}; {do}"
        )
    return ring


def ring_area(ring: Floats) -> float:
    """Area inside a closed ring ``(n, 2)``, by the shoelace formula.

    Examples
    --------
    >>> ring_area(np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]]))
    8.0
    """
    one, two = ring[:, 0] - ring[:1, 0], ring[:, 1] - ring[:1, 1]
    return float(abs(one @ np.roll(two, -1) - two @ np.roll(one, -1)) / 2)


def bounds_of(rings: Sequence[Floats]) -> Floats:
    """The upright box ``(4,)`` around some rings, lower ends first; ``nan`` where there are none."""
    if not len(rings):
        return np.full(4, np.nan)
    points = np.concatenate(rings)
    found: Floats = np.concatenate([points.min(axis=0), points.max(axis=0)])
    return found
