"""What is kept of one label map: its values and how much there is of each, in how many pieces, and on what grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from imagemill.core.errors import CodecError, InputError, MissingExtra
from imagemill.core.grids import CHANNEL_TOLERANCE
from imagemill.data.codecs.base import Picture, ReadOptions
from imagemill.data.records.loading import label_map_onto, load_mask, load_picture, pixels_name
from imagemill.data.records.record import Record

__all__ = ["LabelMapFacts", "Pieces", "grid_differences", "holes_of", "look_at_label_map", "pieces_of"]

Array = npt.NDArray[Any]

_TAKEN_APART = 64
"""Values of a label map up to which their pieces are counted: more are instances, each a piece by itself."""
_WIDE = 1 << 16
"""Above this a table of counts takes more memory than the values."""
_BYTE = 256
_ALIKE = 1e-3
"""Relative difference of spacings, and of direction cosines, that is no rounding: files keep single precision."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """How one label lies in an image.

    Parameters
    ----------
    count : int
        Pieces that do not touch, not even at corners.
    smallest, largest : int
        Voxels of the smallest and of the largest.
    """

    count: int
    smallest: int
    largest: int


@dataclass(frozen=True, slots=True)
class LabelMapFacts:
    """One label map.

    Parameters
    ----------
    fault : str
        Why it cannot be used with its image; empty where it can.
    colours : int
        How many colours it has where it holds colours in place of numbers.
    shape : tuple of int
        As it is stored.
    fits : bool
        Whether it has the size of its image, once it is brought onto its grid.
    differs : tuple of str
        What of its grid is not as the image's: ``"shape"``, ``"spacing"``, ``"direction"``, ``"origin"``.
    counts : mapping of int to int
        Voxels of each value, on the image's grid.
    pieces : mapping of int to Pieces
        Of each value but 0; empty where there are more than 64.
    thin : tuple of int
        Values, of those below 256, that nowhere fill 2 x 2 pixels: as blends of two values at an edge, or dots.
    holes : int
        Unlabelled voxels that are shut in by labels.
    edge : mapping of int to int
        Voxels of each value but 0 in the outermost voxels of a volume; empty for photos.
    lossy : bool
        Whether it was stored as JPEG or another format that changes values.
    """

    fault: str = ""
    colours: int = 0
    shape: tuple[int, ...] = ()
    fits: bool = True
    differs: tuple[str, ...] = ()
    counts: Mapping[int, int] = field(default_factory=dict)
    pieces: Mapping[int, Pieces] = field(default_factory=dict)
    thin: tuple[int, ...] = ()
    holes: int = 0
    edge: Mapping[int, int] = field(default_factory=dict)
    lossy: bool = False


def look_at_label_map(record: Record, image: Picture, options: ReadOptions) -> tuple[LabelMapFacts, Array | None]:
    """Measure the label map of a record, and give it on the image's grid where it has one.

    Parameters
    ----------
    record : Record
        With a mask.
    image : Picture
        At its full size.
    options : ReadOptions

    Raises
    ------
    DiskError
    """
    if record.mask is None:
        raise InputError(f"expected a record with a label map, got {record.key} without one; leave it out")
    try:
        stored = load_mask(record.mask, options)
    except (CodecError, InputError, MissingExtra) as error:
        return LabelMapFacts(str(error), _colours(record, options)), None
    try:
        mask = label_map_onto(stored, image, record.frame, pixels_name(record.mask))
    except (CodecError, InputError) as error:
        differs = grid_differences(stored, image)
        return LabelMapFacts(str(error), shape=stored.spatial_shape, differs=differs), None
    counts = _counts(mask.array)
    labels = [value for value in counts if value]
    fits = mask.spatial_shape == image.spatial_shape
    facts = LabelMapFacts(
        shape=stored.spatial_shape,
        fits=fits,
        differs=grid_differences(stored, image) if fits else (),
        counts=counts,
        pieces=pieces_of(mask.array, labels) if len(labels) <= _TAKEN_APART else {},
        thin=_thin(mask.array) if max(counts, default=0) < _BYTE and min(counts, default=0) >= 0 else (),
        holes=holes_of(mask.array) if len(labels) <= _TAKEN_APART else 0,
        edge=_edge(mask.array) if mask.array.ndim == 3 else {},
        lossy="of_labels" in mask.meta,
    )
    return facts, mask.array if fits else None


def grid_differences(mask: Picture, image: Picture) -> tuple[str, ...]:
    """What of the grid of a label map is not as the image's, where both say their place.

    Differences below a tenth of a voxel over the whole grid are rounding. The shape, spacing, direction and origin are
    what the integrity check of nnU-Net compares (Isensee et al. 2021, "nnU-Net: a self-configuring method for deep
    learning-based biomedical image segmentation").

    Examples
    --------
    >>> grid = np.diag([2.0, 1.0, 1.0, 1.0])
    >>> moved = grid.copy()
    >>> moved[0, 3] = 4.0
    >>> volume = np.zeros((2, 2, 2), np.uint8)
    >>> grid_differences(Picture(volume, "zyx", moved), Picture(volume, "zyx", grid))
    ('origin',)
    """
    own, other = mask.affine, image.affine
    if own is None or other is None or own.shape != other.shape:
        return ()
    if mask.meta.get("placed") is False or image.meta.get("placed") is False:
        return ()
    found = []
    if mask.spatial_shape != image.spatial_shape:
        found.append("shape")
    side = len(own) - 1
    far = np.array([(*ends, 1.0) for ends in np.ndindex(*(2,) * side)])
    far[:, :side] *= np.array(image.spatial_shape) - 1
    pull = np.linalg.solve(own, other)
    if np.abs(far @ (pull - np.eye(side + 1)).T).max() <= CHANNEL_TOLERANCE:
        return tuple(found)
    lengths, others = (np.linalg.norm(each[:side, :side], axis=0) for each in (own, other))
    if not np.allclose(lengths, others, rtol=_ALIKE, atol=0):
        found.append("spacing")
    if not np.allclose(own[:side, :side] / lengths, other[:side, :side] / others, rtol=0, atol=_ALIKE):
        found.append("direction")
    if np.abs(np.linalg.solve(other, own[:, side] - other[:, side])).max() > CHANNEL_TOLERANCE:
        found.append("origin")
    return tuple(found)


def _colours(record: Record, options: ReadOptions) -> int:
    """How many colours a label map has that could not be read as one; 0 where that is not what is wrong."""
    if record.mask is None:
        return 0
    try:
        picture = load_picture(record.mask, options)
    except (CodecError, InputError, MissingExtra):
        return 0
    if picture.channels not in (3, 4) or picture.axes.startswith("z") or picture.array.dtype != np.uint8:
        return 0
    rgb = picture.array[..., :3].astype(np.uint32)
    packed = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
    return len(np.unique(packed)) if np.any(picture.array[..., :3] != picture.array[..., :1]) else 0


def _counts(mask: Array) -> dict[int, int]:
    """Voxels of each value, slice by slice."""
    found: dict[int, int] = {}
    low, high = (int(mask.min()), int(mask.max())) if mask.size else (0, 0)
    if low >= 0 and high < _WIDE:
        total = np.zeros(high + 1, np.int64)
        for plane in mask:
            total += np.bincount(plane.ravel(), minlength=high + 1)
        return {int(value): int(total[value]) for value in np.flatnonzero(total)}
    for plane in mask:
        for value, count in zip(*np.unique(plane, return_counts=True), strict=True):
            found[int(value)] = found.get(int(value), 0) + int(count)
    return dict(sorted(found.items()))


def pieces_of(mask: Array, labels: list[int]) -> dict[int, Pieces]:
    """The pieces of each label; voxels that touch at corners are of one piece.

    Parameters
    ----------
    mask : array
        Of two or three axes.
    labels : list of int
        Values to take apart, each of which is there.

    Examples
    --------
    >>> pieces_of(np.array([[1, 0, 0, 1], [0, 1, 0, 0]]), [1])
    {1: Pieces(count=2, smallest=1, largest=2)}
    """
    found = {}
    small = all(0 < label < _WIDE for label in labels)
    boxes = ndimage.find_objects(mask, max(labels)) if small and labels and mask.min() >= 0 else None
    for label in labels:
        box = _bounds(mask == label) if boxes is None else boxes[label - 1]
        sizes = _sizes(mask[box] == label)
        found[label] = Pieces(len(sizes), int(sizes.min()), int(sizes.max()))
    return found


def holes_of(mask: Array) -> int:
    """Unlabelled voxels that no path from face to face leads out of.

    Examples
    --------
    >>> ring = np.ones((3, 3), np.uint8)
    >>> ring[1, 1] = 0
    >>> holes_of(ring), holes_of(ring[:, :2])
    (1, 0)
    """
    box = _bounds(mask != 0)
    empty = np.pad(mask[box] == 0, 1, constant_values=True)
    if empty.all():
        return 0
    if mask.ndim == 2:
        _, named = cv2.connectedComponents(empty.astype(np.uint8), connectivity=4)
    else:
        named = ndimage.label(empty)[0]
    # The frame of one voxel around it is outside, and all that hangs together with it.
    return int(np.count_nonzero(empty & (named != named.flat[0])))


def _thin(mask: Array) -> tuple[int, ...]:
    """Values that nowhere fill 2 x 2 pixels of a slice."""
    filled = np.zeros(_BYTE, bool)
    there = np.zeros(_BYTE, bool)
    for plane in mask if mask.ndim == 3 else mask[None]:
        corner = plane[:-1, :-1]
        same = (corner == plane[1:, :-1]) & (corner == plane[:-1, 1:]) & (corner == plane[1:, 1:])
        filled[corner[same]] = True
        there[plane.ravel()] = True
    return tuple(int(value) for value in np.flatnonzero(there & ~filled))


def _sizes(one: Array) -> npt.NDArray[np.int64]:
    if one.ndim == 2:
        _, _, stats, _ = cv2.connectedComponentsWithStats(one.astype(np.uint8), connectivity=8)
        return np.asarray(stats[1:, cv2.CC_STAT_AREA], np.int64)
    named, _ = ndimage.label(one, np.ones((3, 3, 3)))
    return np.bincount(named.ravel())[1:]


def _bounds(one: Array) -> tuple[slice, ...]:
    """The smallest box around what is true."""
    found = []
    for axis in range(one.ndim):
        there = np.flatnonzero(one.any(axis=tuple(other for other in range(one.ndim) if other != axis)))
        found.append(slice(int(there[0]), int(there[-1]) + 1) if len(there) else slice(0, 0))
    return tuple(found)


def _edge(mask: Array) -> dict[int, int]:
    """How much of each label lies in the outermost voxels, each face counted by itself."""
    found: dict[int, int] = {}
    for axis in range(mask.ndim):
        for end in (0, -1):
            for value, count in zip(*np.unique(mask.take(end, axis), return_counts=True), strict=True):
                if value:
                    found[int(value)] = found.get(int(value), 0) + int(count)
    return found
