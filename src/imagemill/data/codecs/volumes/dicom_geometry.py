"""Where DICOM planes lie, and how they stack into a volume.

Source: DICOM PS3.3, C.7.6.2 (Image Plane Module): the centre of the pixel in row i and column j lies at
position + j * column spacing * (direction along a row) + i * row spacing * (direction down a column), in millimetres
towards the patient's left, back and head (LPS). The world here is RAS+, so the first two coordinates change sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Plane", "Stack", "frame_planes", "plane_of", "stack_planes"]

Floats = npt.NDArray[np.float64]
_LPS = np.diag([-1.0, -1.0, 1.0])
_EVEN = 0.01  # of the distance between slices; scanners round positions to a few digits
_TILT = 0.5  # of a pixel over the whole stack


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One slice in space.

    Parameters
    ----------
    position : array ``(3,)``
        Centre of the first pixel, LPS millimetres.
    right, down : array ``(3,)``
        Unit vectors along a row and down a column.
    spacing : tuple of float
        Between rows, and between columns, in millimetres.
    """

    position: Floats
    right: Floats
    down: Floats
    spacing: tuple[float, float]

    @property
    def normal(self) -> Floats:
        """Unit vector that slices are counted along."""
        return np.cross(self.right, self.down)

    @property
    def depth(self) -> float:
        """Place along the normal, in millimetres."""
        return float(self.position @ self.normal)


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in order.

    Parameters
    ----------
    order : tuple of int
        Which slice comes first, second...
    affine : array ``(4, 4)`` or None
        Index ``(z, y, x)`` to RAS+ millimetres; None where positions do not make one grid.
    fault : str
        What is wrong with the positions; empty when they are even.
    missing : int
        How many slices are missing between the first and the last.
    """

    order: tuple[int, ...]
    affine: Floats | None
    fault: str = ""
    missing: int = 0


def plane_of(*places: Any) -> Plane | None:
    """Find position, orientation and spacing in a data set or in functional groups; the first that has each wins.

    Parameters
    ----------
    places : pydicom.Dataset
        The groups of one frame, the shared groups, the data set itself.
    """
    position = _find(places, "ImagePositionPatient", "PlanePositionSequence", 3)
    turned = _find(places, "ImageOrientationPatient", "PlaneOrientationSequence", 6)
    spacing = _find(places, "PixelSpacing", "PixelMeasuresSequence", 2)
    if position is None or turned is None or spacing is None or min(spacing) <= 0:
        return None
    right, down = turned[:3], turned[3:]
    lengths = float(np.linalg.norm(right)), float(np.linalg.norm(down))
    if min(lengths) < 0.5 or abs(float(right @ down)) > 0.02 * lengths[0] * lengths[1]:
        return None  # no two directions at right angles
    return Plane(position, right / lengths[0], down / lengths[1], (float(spacing[0]), float(spacing[1])))


def _find(places: Sequence[Any], name: str, group: str, count: int) -> Floats | None:
    for place in places:
        if place is None:
            continue
        for holder in (place, *(place.get(group) or ())):
            value = holder.get(name)
            try:
                found = np.asarray([float(v) for v in value], np.float64) if value is not None else None
            except (TypeError, ValueError):
                found = None
            if found is not None and found.shape == (count,) and np.all(np.isfinite(found)):
                return found
    return None


def frame_planes(dataset: Any, count: int) -> list[Plane] | None:
    """Planes of the frames of one file, where it says them: by functional groups, or by offsets of a dose grid."""
    groups = dataset.get("PerFrameFunctionalGroupsSequence")
    if groups is not None and len(groups) == count:
        shared = (dataset.get("SharedFunctionalGroupsSequence") or [None])[0]
        planes = [plane_of(group, shared, dataset) for group in groups]
        return None if any(plane is None for plane in planes) else [plane for plane in planes if plane is not None]
    base, offsets = plane_of(dataset), dataset.get("GridFrameOffsetVector")
    if base is None or offsets is None or len(offsets) != count:
        return None
    steps = np.asarray([float(v) for v in offsets])
    if steps[0] != 0:  # the other of the two forms in the standard gives coordinates and not distances
        steps = steps - steps[0]
    return [Plane(base.position + step * base.normal, base.right, base.down, base.spacing) for step in steps]


def stack_planes(planes: Sequence[Plane]) -> Stack:
    """Sort slices by where they lie, and make the matrix of the volume.

    The distance between slices comes from their positions, never from the slice thickness. Slices that are shifted
    against each other (a tilted gantry) give a matrix with shear.

    Parameters
    ----------
    planes : sequence of Plane
        Parallel and of one size; at least one.

    Examples
    --------
    >>> planes = [Plane(np.array([0.0, 0.0, z]), np.eye(3)[0], np.eye(3)[1], (0.5, 0.5)) for z in (6.0, 0.0, 3.0)]
    >>> stack = stack_planes(planes)
    >>> stack.order, stack.affine.tolist()[2]
    ((1, 2, 0), [3.0, 0.0, 0.0, 0.0])
    """
    depths = np.array([float(plane.position @ planes[0].normal) for plane in planes])
    order = tuple(int(n) for n in np.argsort(depths, kind="stable"))
    first, last = planes[order[0]], planes[order[-1]]
    if len(planes) == 1:
        return Stack(order, _affine(first, first.normal))
    gaps = np.diff(depths[list(order)])
    if gaps.min() <= 1e-4:
        return Stack(order, None, "several slices lie at one place")
    step = (last.position - first.position) / (len(planes) - 1)
    middle = float(np.median(gaps))
    fault, missing = "", 0
    if np.any(np.abs(gaps - middle) > max(_EVEN * middle, 1e-3)):
        missing = max(0, int(np.rint(gaps / middle).sum()) - len(gaps))
        fault = f"slices {gaps.min():.4g} to {gaps.max():.4g} mm apart"
        fault += f": {missing} missing where they are {middle:.4g} mm apart" if missing else ""
        # The mean distance would put every voxel wrong; the usual one puts those before the gap right.
        step = step * (middle / float(step @ first.normal))
    positions = np.array([planes[n].position for n in order])
    straight = positions[0] + np.arange(len(planes))[:, None] * step
    if not fault and np.abs(positions - straight).max() > _TILT * min(first.spacing):
        fault = "positions of slices do not lie on a line"
    return Stack(order, _affine(first, step), fault, missing)


def _affine(first: Plane, step: Floats) -> Floats:
    affine = np.eye(4)
    columns = np.stack([step, first.down * first.spacing[0], first.right * first.spacing[1]], axis=1)
    affine[:3, :3] = _LPS @ columns
    affine[:3, 3] = _LPS @ first.position
    return affine + 0.0  # no negative zeros
