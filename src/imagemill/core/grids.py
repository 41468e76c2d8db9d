"""Rasters of one sample that say where they lie in the world, brought onto one grid.

A label map over a part of a scan, in other voxels or with mirrored axes, shows the same places as the scan: by the
world, not by the numbers of its voxels. Everything that pairs rasters comes here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.targets import Mask, Raster

__all__ = ["CHANNEL_TOLERANCE", "Brought", "labels_onto", "placed", "values_onto"]

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

CHANNEL_TOLERANCE = 0.1
"""Of a voxel: how far apart the grids of images may be that count as one. Matrices are stored in single precision."""
_STRAIGHT = 1e-3
"""Of a voxel: what an axis may turn aside over the whole grid and still be taken for straight."""
_DIGITS = 6
"""Decimals of an index that count, so that rounding does not choose between two voxels at the same distance."""


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """A label map on another grid.

    Parameters
    ----------
    array : array
        Of the other grid's shape, 0 where the map says nothing.
    changed : bool
        Whether it was not on that grid before.
    labelled, outside : int
        Voxels of the map as it came that are not 0, and how many of them lie outside the grid.
    """

    array: Array
    changed: bool = False
    labelled: int = 0
    outside: int = 0

    @property
    def note(self) -> str:
        """What was done, in words; empty where nothing was."""
        if not self.changed:
            return ""
        lost = f"; {self.outside:,} of {self.labelled:,} labelled voxels lie outside it" if self.outside else ""
        return f"brought onto the image's grid by nearest neighbour{lost}"


def placed(target: Raster, array: Array, lead: Raster, shape: Shape, what: str) -> Array:
    """A raster ``(*own shape, C)`` on the grid of the one that leads its sample, where both say their place.

    Parameters
    ----------
    target : Image, Mask or Map
    array : array
        Its values in canonical order.
    lead : Image, Mask or Map
    shape : tuple of int
        Of the leading raster.
    what : str
        What errors call the target.

    Raises
    ------
    InputError
        When they contradict each other.
    """
    if target.affine is None or lead.affine is None:
        one, other = (each.spacing if each.affine is None else None for each in (target, lead))
        if one is not None and other is not None and not np.allclose(one, other, rtol=1e-2):
            raise InputError(
                f"expected the {what} with the image's spacing {lead.spacing}, got {target.spacing}; give both "
                "their affines, which say where they lie"
            )
        return array
    own, affine = np.asarray(target.affine, np.float64), np.asarray(lead.affine, np.float64)
    if own.shape != affine.shape or own is affine:
        return array
    if isinstance(target, Mask):
        return labels_onto(array, own, shape, affine, what).array
    return values_onto(array, own, shape, affine, what)


def labels_onto(labels: Array, own: Floats, shape: Shape, affine: Floats, what: str = "mask") -> Brought:
    """A label map ``(*own shape[, K])`` on the grid of an image, by nearest neighbour.

    Parameters
    ----------
    labels : array
    own, affine : array, ``(d+1, d+1)``
        Index to world of the map and of the image.
    shape : tuple of int
        Of the image.
    what : str
        What errors call the map.

    Raises
    ------
    InputError
        When the two contradict each other: the grids do not meet, all labels lie outside, or the map's matrix says
        nothing (the identity) where the voxels cannot be the same.

    Notes
    -----
    Grids of one shape that are less than half a voxel apart everywhere are one: the nearest neighbours are the voxels
    themselves.

    Examples
    --------
    >>> mirrored = np.array([[-1.0, 0, 2], [0, 1, 0], [0, 0, 1]])
    >>> labels_onto(np.array([[1], [2], [3]]), np.eye(3), (3, 1), mirrored).array.ravel().tolist()
    [3, 2, 1]
    """
    d = len(shape)
    pull = _pull(own, affine)
    if labels.shape[:d] == shape and _apart(pull, np.eye(d + 1), shape) < 0.5:
        return Brought(labels)
    if labels.shape[:d] == shape and _says_nothing(own) and _straightened(pull, shape) is None:
        raise InputError(
            f"expected the {what} to say where it lies, got the identity, as tools write it that know no place, for an "
            "image that lies elsewhere; if their voxels belong together, save it with the image's matrix "
            "(nibabel: Nifti1Image(labels, image.affine)), else with its own"
        )
    axes = _axes(pull, shape, labels.shape[:d])
    array, met = _picked(labels, axes, shape) if axes is not None else _sampled(labels, pull, shape)
    labelled = int(np.count_nonzero(labels))
    outside = labelled - _within(labels, _pull(affine, own), shape) if labelled else 0
    if not met or (labelled and outside == labelled):
        said = "the two do not meet" if not met else f"all {labelled:,} labelled voxels of it lie outside the image"
        raise InputError(
            f"expected the {what} where the image lies in the world, but {said} (the image spans "
            f"{_span(affine, shape)}, the {what} {_span(own, labels.shape[:d])}); mend the matrix of one of them, or, "
            "if their voxels belong together, save it with the image's matrix "
            "(nibabel: Nifti1Image(labels, image.affine))"
        )
    return Brought(array, changed=True, labelled=labelled, outside=outside)


def values_onto(values: Array, own: Floats, shape: Shape, affine: Floats, what: str) -> Array:
    """An image or map ``(*own shape[, C])`` on the grid of another, where that means no more than turning axes over.

    Values are not interpolated here: images on other grids are refused.

    Raises
    ------
    InputError
    """
    d = len(shape)
    pull = _pull(own, affine)
    if values.shape[:d] == shape and _apart(pull, np.eye(d + 1), shape) <= CHANNEL_TOLERANCE:
        return values
    straight = _straightened(pull, shape)
    if straight is not None:
        axes = _axes(straight, shape, values.shape[:d])
        size = tuple(int(n) for n in np.abs(straight[:d, :d]) @ np.array(shape))
        if axes is not None and size == values.shape[:d]:
            return _picked(values, axes, shape)[0]
    raise InputError(
        f"expected the {what} on the grid of the first image, got one of shape {values.shape[:d]} over "
        f"{_span(own, values.shape[:d])} for {shape} over {_span(affine, shape)}; resample it onto that grid first "
        "(nibabel.processing.resample_from_to)"
    )


def _pull(own: Floats, affine: Floats) -> Floats:
    """Index of the one grid to index of the other."""
    try:
        return np.asarray(np.linalg.solve(own, affine), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise InputError("expected an affine that can be inverted, got a singular one; mend it") from None


def _says_nothing(own: Floats) -> bool:
    """Whether a matrix is the identity, for axes in this order or, as NIfTI counts them, in the other."""
    unit = np.eye(len(own))
    return np.array_equal(own, unit) or np.array_equal(own[:, [*range(len(own) - 2, -1, -1), -1]], unit)


def _corners(shape: Sequence[int]) -> Floats:
    """Indices of the outermost voxels, homogeneous, ``(2**d, d+1)``."""
    return np.array([(*place, 1.0) for place in itertools.product(*((0, n - 1) for n in shape))])


def _apart(one: Floats, other: Floats, shape: Sequence[int]) -> float:
    """How far two maps of one grid are apart at most, in voxels."""
    return float(np.abs(_corners(shape) @ (one - other).T).max())


def _span(affine: Floats, shape: Sequence[int]) -> str:
    """From where to where a grid goes in the world, in words."""
    places = (_corners(shape) @ affine.T)[:, :-1]
    pairs = zip(places.min(axis=0), places.max(axis=0), strict=True)
    return " x ".join(f"{low:.4g}..{high:.4g}" for low, high in pairs)


def _straightened(pull: Floats, shape: Shape) -> Floats | None:
    """The map that only turns axes over and exchanges them, with whole numbers, and lands on the same box; or None."""
    d = len(shape)
    exact = np.rint(pull)
    linear = exact[:d, :d]
    turns = np.abs(linear).sum(axis=0).tolist() == [1] * d and np.abs(linear).sum(axis=1).tolist() == [1] * d
    if not turns or _apart(pull, exact, shape) > CHANNEL_TOLERANCE:
        return None
    low = (_corners(shape) @ exact.T)[:, :d].min(axis=0)
    return exact if not low.any() else None


def _axes(pull: Floats, shape: Shape, own: Shape) -> list[tuple[int, npt.NDArray[np.int64]]] | None:
    """For each axis of the new grid the old axis it runs along, and the index there; None where one is turned."""
    d = len(shape)
    linear = pull[:d, :d]
    along = np.abs(linear).argmax(axis=1)
    rest = linear.copy()
    rest[range(d), along] = 0.0
    if sorted(along.tolist()) != list(range(d)) or (np.abs(rest) @ np.array(shape)).max() > _STRAIGHT:
        return None
    found = []
    for axis in range(d):
        old = int(np.flatnonzero(along == axis)[0])
        # What little the other axes add is taken at their middle.
        start = pull[old, d] + rest[old] @ ((np.array(shape) - 1) / 2)
        index = _nearest(start + linear[old, axis] * np.arange(shape[axis]))
        found.append((old, np.where((index >= 0) & (index < own[old]), index, -1)))
    return found


def _nearest(places: Floats) -> npt.NDArray[np.int64]:
    return np.floor(np.round(places, _DIGITS) + 0.5).astype(np.int64)


def _picked(values: Array, axes: list[tuple[int, npt.NDArray[np.int64]]], shape: Shape) -> tuple[Array, bool]:
    """Values picked along each axis for itself, and whether there were any."""
    d = len(shape)
    turned = values.transpose(*[old for old, _ in axes], *range(d, values.ndim))
    there = [np.flatnonzero(index >= 0) for _, index in axes]
    out = np.zeros((*shape, *values.shape[d:]), values.dtype)
    out[np.ix_(*there)] = turned[np.ix_(*(index[rows] for (_, index), rows in zip(axes, there, strict=True)))]
    return out, all(len(rows) > 0 for rows in there)


def _sampled(values: Array, pull: Floats, shape: Shape) -> tuple[Array, bool]:
    """The same for grids that are turned against each other, a slab at a time."""
    d = len(shape)
    out = np.zeros((*shape, *values.shape[d:]), values.dtype)
    met = False
    size = np.array(values.shape[:d]).reshape(d, *[1] * d)
    rest = np.indices((1, *shape[1:])).astype(np.float64)
    for first in range(shape[0]):
        place = np.tensordot(pull[:d, :d], rest + np.array([first, *[0] * (d - 1)]).reshape(d, *[1] * d), 1)
        index = _nearest(place + pull[:d, d].reshape(d, *[1] * d))
        there = ((index >= 0) & (index < size)).all(axis=0)
        if there.any():
            met = True
            out[first : first + 1][there] = values[tuple(index[:, there])]
    return out, met


def _within(labels: Array, push: Floats, shape: Shape) -> int:
    """How many labelled voxels lie in the grid."""
    d = len(shape)
    places = np.argwhere(labels)[:, :d] @ push[:d, :d].T + push[:d, d]
    inside = ((places >= -0.5 - 1e-6) & (places <= np.array(shape) - 0.5 + 1e-6)).all(axis=1)
    return int(np.count_nonzero(inside))
