"""The inverse of a plan's geometry is a resample as well: predictions come back to the source frame in one step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from imagemill.core import coordinate_maps as maps
from imagemill.core import geometry as geo
from imagemill.core.geometry import Ints
from imagemill.core.ops import Sampling
from imagemill.engine.plan import Displacements, Link, Matrices, Pass, Plan, Resample, Windows

__all__ = ["filled", "geometry_of", "inverse_of", "inverted", "inverted_lattice", "shown"]

_FINER = 8
"""Lattice cells of an inverse in one cell of the map that it undoes, where pixels allow."""
_SMALLEST = 0.5
"""Pixels that a lattice cell of an inverse has at least."""
_KINK = 1.6
"""Pixels of a lattice cell over the slope of the displacement, at most: at the edge of its frame a displacement goes on
without a slope, and that bend of its inverse is followed within 0.1 pixels by cells so small."""
_REACH = 1.001
"""Margin around the frame, in units of the largest displacement."""


@dataclass(frozen=True, slots=True, eq=False)
class InverseDisplacements(Displacements):
    """The inverses of some displacements, each fitted when it is asked for.

    Parameters
    ----------
    grid, shape
        Of the displacements that are undone.
    margin : array, ``[n, d]``
        Pixels by which the inverse's frame is larger on either side.
    """

    margin: Ints
    _fitted: dict[int, maps.Stage | None] = field(default_factory=dict, repr=False)

    def row(self, i: int) -> maps.Stage | None:
        """Sample ``i``'s stage; None where nothing moves."""
        if i not in self._fitted:
            # Named explicitly: with slots the class is made twice, and `super()` would still mean the first.
            stage = Displacements.row(self, i)
            assert stage is None or isinstance(stage, maps.Displace)
            self._fitted[i] = None if stage is None else inverted_lattice(stage, tuple(self.margin[i].tolist()))
        return self._fitted[i]


def inverted_lattice(stage: maps.Displace, margin: tuple[int, ...]) -> maps.InverseDisplace:
    """A lattice of displacements that undoes another.

    The inverse is solved for at the lattice's knots, and cubic B-splines go through what was found there.

    Source: Unser (1999), "Splines: a perfect fit for signal and image processing", IEEE SPM 16(6), for the fit.

    Examples
    --------
    >>> shift = maps.Displace(np.full((2, 4, 4), 3.0), (20, 20))
    >>> found = inverted_lattice(shift, (4, 4))
    >>> np.allclose(found.grid, -3), found.shape
    (True, (28, 28))
    """
    # Here, so that plans can be made without loading a compiler.
    from scipy.ndimage import spline_filter1d

    from imagemill.engine.annotations.unbend import unbend

    frame, coarse = np.array(stage.shape), np.array(stage.cells)
    size = frame + 2 * np.array(margin)
    axes = range(len(frame))
    slopes = np.array([np.abs(np.diff(stage.grid, axis=1 + a)).max() for a in axes]) * coarse / frame
    length = np.minimum(frame / coarse / _FINER, _KINK / np.maximum(slopes, 1e-9))
    cells = np.maximum(np.ceil(size / np.maximum(length, _SMALLEST)), 1).astype(int)
    # Control points stand at the knots -1 .. cells + 1, in the coordinates of the frame without its margin.
    knots = [np.arange(-1, c + 2) * (n / c) - 0.5 - m for c, n, m in zip(cells, size, margin, strict=True)]
    places = np.stack(np.meshgrid(*knots, indexing="ij"), axis=-1)
    found = unbend(stage, places.reshape(-1, len(cells))).reshape(places.shape) - places
    grid = np.moveaxis(found, -1, 0)
    for axis in axes:
        grid = spline_filter1d(grid, order=3, axis=1 + axis, mode="mirror")
    return maps.InverseDisplace(np.ascontiguousarray(grid), tuple(size.tolist()), stage, margin)


def inverted(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """The links that undo some others: each undone, the last first."""
    found: list[Link] = []
    for link in reversed(links):
        if isinstance(link, Matrices):
            found.append(Matrices(geo.inverse(link.m)))
        elif isinstance(link, Windows):
            found.append(link)
        else:
            n, d = link.shape.shape
            margin = np.ceil(_REACH * np.abs(link.grid).reshape(n, d, -1).max(axis=2)).astype(np.int64) + 1
            shift = geo.translation(margin.astype(np.float64))
            undone = InverseDisplacements(link.grid, link.shape, margin)
            found += [Matrices(shift), undone, Matrices(geo.inverse(shift))]
    return tuple(found)


def geometry_of(plan: Plan) -> tuple[Resample, ...]:
    """The resamples of a plan, in the order in which they run."""
    return tuple(s.resample for s in plan.steps if isinstance(s, Pass) and s.resample is not None)


def inverse_of(resamples: tuple[Resample, ...], source: Ints) -> Resample:
    """The one resample from the last frame of some resamples back to the first; :func:`filled` says the rest.

    Parameters
    ----------
    resamples : tuple of Resample
        As they ran; they need not have been fused.
    source : array of int, ``[n, d]``
        Shapes of the first frame.
    """
    links: list[Link] = []
    frame = source
    for step in resamples:
        # A frame that was made on the way ended there: what was read beyond it is no picture of the source.
        links += [*inverted(step.links), Windows(step.shape, np.ones(len(step.shape), dtype=bool), 0.0, 0)]
        frame = step.shape
    return Resample(tuple(links), frame, source, Sampling())


def filled(step: Resample, *, order: int, fill: float, mask_fill: int) -> Resample:
    """The same resample by a spline order, with these values where the last frame shows nothing of the source.

    That is beyond its edge, beyond that of a frame on the way that was read by itself, and beyond padding.
    """
    links = tuple(_filled(link, fill, mask_fill) for link in step.links)
    return Resample(links, step.in_shape, step.shape, Sampling(order, None, antialias=order > 0))


def shown(resamples: tuple[Resample, ...]) -> tuple[Resample, ...]:
    """The same resamples, but that all that is no picture of the source (borders, padding) is 0."""
    return tuple(
        Resample(
            tuple(_filled(link, 0.0, 0) for link in step.links),
            step.in_shape,
            step.shape,
            Sampling(0, "constant"),
        )
        for step in resamples
    )


def _filled(link: Any, fill: float, mask_fill: int) -> Link:
    return Windows(link.shape, link.where, fill, mask_fill) if isinstance(link, Windows) else link
