"""What is kept of one scan: where it lies, its values, and slices that are blank or there twice.

Everything is measured slice by slice, so that no second copy of a volume is made.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.finite import count_not_finite, like_nodata
from imagemill.data.codecs.base import Picture

__all__ = ["Levels", "ScanFacts", "orientation_code", "scan_facts"]

Array = npt.NDArray[Any]
Levels = tuple[float, float, float, float, float]
"""Smallest value, percentiles 0.5, 50 and 99.5, and the largest; NaN where no value is finite."""

_SAMPLE = 1 << 18
"""Voxels that percentiles are taken of: they lie evenly in the volume."""
_PLANE = 1 << 16
"""Pixels of a slice that its contrast is taken of."""
_FLAT, _ASKED, _FEWEST = 0.7, 8, 16
"""Share of equal neighbours between that of scans (below 0.3) and of label maps (0.88 with 188 thin regions); slices
that are asked, and pairs of neighbours to tell by."""
_CHANNELS = 64
"""Channels whose values are measured one by one: more are points in time."""
_WORDS = ("RL", "AP", "SI")


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """One volume, or one picture out of a DICOM file.

    Parameters
    ----------
    kind : str
        Name of the dtype.
    shape : tuple of int
        Slices, height and width; one slice for a picture.
    channels : int
    spacing : tuple of float or None
        Millimetres between voxels along slices, height and width; None where the file says no place.
    orientation : str
        Where the axes lead in the order x, y, z, such as ``"RAS"``; empty where the file says no place.
    levels : tuple of Levels
        Of each channel.
    whole : bool
        Whether all values are whole numbers.
    not_finite : int
        Values that are NaN or infinite.
    nodata : int
        Values such as -9999 that stand for "not measured".
    blank : tuple of int
        Slices of one value alone.
    twice : int
        Slices that are equal to one before them; blank ones are not counted.
    clearest : int
        The slice of the strongest contrast, the one nearest to the middle where several have it.
    faults : tuple of str
        What the file says that contradicts itself, in words.
    gap : str
        How the distances between the slices of a series differ, in words; empty where they are even.
    like_label_map : bool
        Whether values are whole numbers from 0 on and most voxels that are not 0 equal the next.
    """

    kind: str
    shape: tuple[int, int, int]
    channels: int
    spacing: tuple[float, ...] | None
    orientation: str
    levels: tuple[Levels, ...]
    whole: bool
    not_finite: int
    nodata: int
    blank: tuple[int, ...]
    twice: int
    clearest: int
    faults: tuple[str, ...] = ()
    gap: str = ""
    like_label_map: bool = False

    @property
    def is_volume(self) -> bool:
        """Whether there are slices."""
        return self.shape[0] > 1

    @property
    def blank_inside(self) -> tuple[int, ...]:
        """Blank slices that lie between others."""
        rest = sorted(set(range(self.shape[0])) - set(self.blank))
        return tuple(n for n in self.blank if rest and rest[0] < n < rest[-1])


def scan_facts(picture: Picture) -> ScanFacts | None:
    """Measure a scan; None for a photo.

    Parameters
    ----------
    picture : Picture

    Examples
    --------
    >>> volume = np.zeros((3, 2, 2), np.int16)
    >>> volume[1, 0, 0] = 7
    >>> found = scan_facts(Picture(volume, "zyx", np.diag([5.0, 1, 1, 1])))
    >>> found.blank, found.clearest, found.levels[0][-1]
    ((0, 2), 1, 7.0)
    """
    is_volume = picture.axes.startswith("z")
    if not is_volume and picture.meta.get("format") != "dicom":
        return None
    array = picture.array if is_volume else picture.array[None]
    array = array if picture.channels is not None else array[..., None]
    depth, height, width, channels = array.shape
    ends, blank, contrast = [], list[int](), np.zeros(depth)
    seen: Counter[bytes] = Counter()
    for number, plane in enumerate(array):
        low, high = _ends(plane)
        ends.append((low, high))
        if np.any(high > low):
            seen[hashlib.blake2b(np.ascontiguousarray(plane).data, digest_size=16).digest()] += 1
            contrast[number] = _contrast(plane[..., 0])
        else:
            blank.append(number)
    best = np.flatnonzero(contrast == contrast.max())
    placed = picture.affine is not None and is_volume
    levels, whole = _levels(array, ends)
    gap = str(picture.meta.get("fault", ""))
    return ScanFacts(
        picture.array.dtype.name,
        (depth, height, width),
        channels,
        picture.spacing if placed else None,
        _orientation(picture) if placed else "",
        levels,
        whole,
        count_not_finite(picture.array),
        (like_nodata(picture.array) or (0, 0))[1],
        tuple(blank) if is_volume else (),
        sum(seen.values()) - len(seen),
        int(best[np.argmin(np.abs(best - (depth - 1) / 2))]),
        _contradictions(picture),
        gap,
        is_volume and channels == 1 and whole and levels[0][0] >= 0 and _is_flat(array[..., 0], blank),
    )


def orientation_code(affine: Array) -> str:
    """Where the axes of a volume lead, in the order x, y, z, as nibabel's ``aff2axcodes`` says it.

    Parameters
    ----------
    affine : array ``(4, 4)``
        Index ``(z, y, x)`` to RAS+ millimetres.

    Examples
    --------
    >>> orientation_code(np.diag([-3.0, 1.0, 1.0, 1.0])[:, [2, 1, 0, 3]])
    'LAS'
    """
    columns = np.asarray(affine, np.float64)[:3, [2, 1, 0]]
    turn = columns / np.linalg.norm(columns, axis=0)
    # The nearest rotation: axes of a sheared grid lead where the grid as a whole does.
    left, _, right = np.linalg.svd(turn)
    turn = left @ right
    found, free = [""] * 3, np.abs(turn)
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(free)), free.shape)
        found[axis] = _WORDS[world][0 if turn[world, axis] > 0 else 1]
        free[world, :] = free[:, axis] = -1
    return "".join(found)


def _orientation(picture: Picture) -> str:
    # Where a file says no place, the matrix is a reader's default.
    return "" if picture.affine is None or picture.meta.get("placed") is False else orientation_code(picture.affine)


def _ends(plane: Array) -> tuple[Array, Array]:
    """Smallest and largest finite value of each channel; NaN where there is none."""
    flat = plane.reshape(-1, plane.shape[-1])
    if flat.dtype.kind != "f" or np.isfinite(flat).all():
        return flat.min(axis=0), flat.max(axis=0)
    known = np.where(np.isfinite(flat), flat, np.nan)
    return np.fmin.reduce(known, axis=0), np.fmax.reduce(known, axis=0)


def _contrast(plane: Array) -> float:
    step = max(1, round((plane.size / _PLANE) ** 0.5))
    values = plane[::step, ::step]
    values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return float(values.std(dtype=np.float64)) if values.size else 0.0


def _is_flat(array: Array, blank: list[int]) -> bool:
    """Whether most voxels that are not 0 equal the next of its row, where that is not 0 either.

    Within a tissue a scan has noise; regions of a label map have none.
    """
    rows = np.setdiff1d(np.arange(len(array)), blank)
    same, pairs = 0, 0
    for number in rows[:: max(1, len(rows) // _ASKED)].tolist():
        before, behind = array[number, :, :-1], array[number, :, 1:]
        inside = (before != 0) & (behind != 0)
        pairs += int(np.count_nonzero(inside))
        same += int(np.count_nonzero(inside & (before == behind)))
    return pairs >= _FEWEST and same >= _FLAT * pairs


def _levels(array: Array, ends: list[tuple[Array, Array]]) -> tuple[tuple[Levels, ...], bool]:
    """What the values of each channel are, and whether all that were looked at are whole numbers."""
    step = max(1, int(np.ceil((np.prod(array.shape[:3]) / _SAMPLE) ** (1 / 3))))
    some = array[::step, ::step, ::step].reshape(-1, array.shape[-1])
    lows = np.stack([low for low, _ in ends]).astype(np.float64)
    highs = np.stack([high for _, high in ends]).astype(np.float64)
    found, whole = list[Levels](), True
    for channel in range(min(array.shape[-1], _CHANNELS)):
        values = some[:, channel]
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
            whole = whole and bool((values == np.rint(values)).all())
        a, b, c = np.percentile(values.astype(np.float64), (0.5, 50, 99.5)) if values.size else (np.nan,) * 3
        low, high = np.fmin.reduce(lows[:, channel]), np.fmax.reduce(highs[:, channel])
        found.append((float(low), float(a), float(b), float(c), float(high)))
    return tuple(found), whole


def _contradictions(picture: Picture) -> tuple[str, ...]:
    meta = picture.meta
    found = []
    if meta.get("placed") is False:
        found.append("no place in space")
    if "zoom_ratio" in meta.get("nifti", {}):
        found.append("voxel sizes that contradict the matrix")
    if "forms_apart" in meta:
        found.append("sform and qform that differ")
    return tuple(found)
