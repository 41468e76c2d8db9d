"""What images show in a frame that exists only as ops yet: pixels and boxes of the sources, mapped through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imagemill.core import coordinate_maps as maps
from imagemill.core import ops
from imagemill.core.content import Extent, Wanted, Weights, labelled
from imagemill.core.geometry import Floats, Frame, Ints
from imagemill.core.targets import Boxes
from imagemill.engine.annotations import points
from imagemill.engine.annotations.boxes import Outlines, grouped
from imagemill.engine.plan import Displacements, Matrices, Pass, Windows

__all__ = ["Sources", "View"]

Array = np.ndarray[Any, Any]
Stages = tuple[maps.Stage, ...]
Drawn = tuple[tuple[str, ops.Op], ...]


class Sources:
    """The targets of a batch that transforms may read, as they came in.

    Parameters
    ----------
    masks, images : mapping of str to column
        Each a sequence with one array ``(*shape, K)`` per sample.
    boxes : mapping of str to sequence of Boxes
    """

    def __init__(
        self,
        masks: Mapping[str, Sequence[Array]],
        images: Mapping[str, Sequence[Array]] | None = None,
        boxes: Mapping[str, Sequence[Boxes]] | None = None,
    ) -> None:
        self._masks, self._images, self._boxes = dict(masks), dict(images or {}), dict(boxes or {})
        self._outlines: dict[tuple[int, bool], Floats] = {}

    def seen_through(self, drawn: Drawn, frames: tuple[Frame, ...], frame: Frame) -> View:
        """What is in ``frame``, behind the ops drawn so far and the frames before them."""
        return View(self, drawn, frames, frame)

    def rasters(self, name: str | None) -> list[Sequence[Array]]:
        """The columns of a name, or all label maps; none where there is no such thing."""
        known = self._masks if name is None else {**self._images, **self._masks}
        return [column for key, column in known.items() if name in (None, key)]

    def maps(self, row: int, name: str | None = None, *, labels: bool = False) -> Array | None:
        """The values of one sample ``(*shape, K)``, those of several label maps behind each other.

        With ``labels`` those of an image are not taken.
        """
        columns = [] if labels and name in self._images else self.rasters(name)
        if len(columns) < 2:
            return columns[0][row] if columns else None
        return np.concatenate([column[row] for column in columns], axis=-1)

    def edges(self, row: int, shape: tuple[int, ...], name: str | None = None) -> Floats | None:
        """The edges ``(k, 2d)`` of one sample's boxes in the frame that came in."""
        columns = [column for key, column in self._boxes.items() if name in (None, key)]
        return np.concatenate([column[row].edges(shape) for column in columns]) if columns else None

    def outline(self, row: int, *, dense: bool = False) -> Floats:
        """Corners ``(k, d)`` of the pixels that bound the foreground of one sample, in source coordinates.

        ``dense`` takes every foreground pixel: a map that bends lines may move an inner one farthest.
        """
        if (row, dense) not in self._outlines:
            found = self.maps(row)
            assert found is not None
            self._outlines[row, dense] = _corners(labelled(found), dense=dense)
        return self._outlines[row, dense]


class View:
    """What the images of a batch show in one frame: :class:`imagemill.core.content.Content`."""

    def __init__(self, sources: Sources, drawn: Drawn, frames: tuple[Frame, ...], frame: Frame) -> None:
        self._sources, self._drawn, self._frames, self._frame = sources, drawn, frames, frame

    def extent(self, wanted: Wanted = labelled, name: str | None = None) -> Extent | None:
        """Outer edges of some pixels of each image, by default of the foreground; ``nan`` where there are none."""
        if not self._sources.rasters(name):
            return None
        low = np.full(self._frame.shape.shape, np.nan)
        high = low.copy()
        for row in range(self._frame.n):
            chain = self._chain(row)
            # Where lines are bent or cut off, what is outermost may lie anywhere on them.
            dense = any(isinstance(stage, maps.Displace | maps.Window) for stage in chain)
            if wanted is labelled and name is None:
                corners = self._sources.outline(row, dense=dense)
            else:
                values = self._sources.maps(row, name)
                assert values is not None
                corners = _corners(wanted(values), dense=dense)
            corners = corners[points.kept(chain, corners)]
            if len(corners):
                moved = points.push(chain, corners)
                limit = self._frame.shape[row] - 0.5
                low[row] = np.clip(moved.min(axis=0), -0.5, limit)
                high[row] = np.clip(moved.max(axis=0), -0.5, limit)
        return low, high

    def boxes(self, name: str | None = None) -> tuple[Floats, ...] | None:
        """Edges ``(k, 2d)`` of each image's boxes, cut at the frame; ``nan`` for those that are out of view."""
        found = []
        for row in range(self._frame.n):
            first = self._frames[0] if self._frames else self._frame
            edges = self._sources.edges(row, tuple(first.shape[row].tolist()), name)
            if edges is None:
                return None
            chain, shape = self._chain(row), tuple(self._frame.shape[row].tolist())
            seen = np.empty_like(edges)
            for pieces, index in grouped([chain], edges):
                seen[index] = Outlines.of(edges[index], pieces=pieces).pushed(chain).within(shape)
            found.append(seen)
        return tuple(found)

    def places(self, row: int, weights: Weights, name: str | None = None) -> SeenPlaces | None:
        """The pixels of an image that are in view, by their weights."""
        values = self._sources.maps(row, name)
        return None if values is None else SeenPlaces.of(weights(values), self._chain(row), self._frame.shape[row])

    def maps(self, row: int, name: str | None = None) -> Array | None:
        """The label maps of an image as they are in the frame: read by nearest neighbour, as they will be."""
        values = self._sources.maps(row, name, labels=True)
        # A crop at the first pixel moves nothing, and cuts off.
        if values is None or not (self._chain(row) or tuple(self._frame.shape[row].tolist()) != values.shape[:-1]):
            return values
        # Here, for plans are made of what was drawn.
        from imagemill.engine.backends import get_backend
        from imagemill.engine.planner import make_plan

        plan = make_plan(self._drawn, (*self._frames, self._frame))
        backend = get_backend("cpu")
        for step in plan.steps:
            if isinstance(step, Pass) and step.resample is not None:
                layers = [backend.labels(step, row, values[..., k]) for k in range(values.shape[-1])]
                values = np.stack(layers, axis=-1)
        return values

    def _chain(self, row: int) -> Stages:
        """One sample's map, read from the frame to the source."""
        stages: Stages = ()
        for (_, op), before in zip(self._drawn, self._frames, strict=True):
            links: list[Matrices | Displacements | Windows] = []
            if isinstance(op, ops.Affine):
                links = [Matrices(op.matrix)]
                if op.window is not None:
                    links.append(Windows(before.shape, op.window, op.sampling.fill, op.sampling.mask_fill))
            elif isinstance(op, ops.Warp):
                links = [Displacements(op.grid, before.shape)]
            stages = (*(s for link in links if (s := link.row(row)) is not None), *stages)
        return stages


class SeenPlaces:
    """Pixels of one source that are in view: :class:`imagemill.core.content.Places`.

    Parameters
    ----------
    flat : array of int, ``(m,)``
        Which pixels of the source.
    sums : array ``(m,)`` or None
        Their weights, added up one after the other; None where all weigh the same.
    shape : tuple of int
        Of the source.
    chain : tuple of Stage
    """

    __slots__ = ("_chain", "_flat", "_shape", "_sums")

    def __init__(self, flat: Ints, sums: Floats | None, shape: tuple[int, ...], chain: Stages) -> None:
        self._flat, self._sums, self._shape, self._chain = flat, sums, shape, chain

    @classmethod
    def of(cls, weights: Array, chain: Stages, frame: Ints) -> SeenPlaces:
        """Those with a weight above 0."""
        flat = np.flatnonzero(weights > 0)
        if chain or tuple(frame.tolist()) != weights.shape:
            source = np.stack(np.unravel_index(flat, weights.shape), axis=1).astype(np.float64)
            seen = points.inside(points.push(chain, source), tuple(frame.tolist())) & points.kept(chain, source)
            flat = flat[seen]
        sums = None if weights.dtype == np.bool_ else np.cumsum(weights.reshape(-1)[flat].astype(np.float64))
        return cls(flat, sums, weights.shape, chain)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._flat)

    def pick(self, at: float) -> Floats:
        """The index ``(d,)``, in the frame, of one of them, by a number within (0, 1) that counts through all."""
        if self._sums is None:
            rank = min(int(at * self.count), self.count - 1)
        else:
            rank = min(int(np.searchsorted(self._sums, at * self._sums[-1], side="right")), self.count - 1)
        found = np.array([np.unravel_index(int(self._flat[rank]), self._shape)], dtype=np.float64)
        moved: Floats = points.push(self._chain, found)[0]
        return moved


def _corners(mask: Any, *, dense: bool) -> Floats:
    """Corners of all foreground pixels, or of the first and last of every line along the last axis.

    Extremes of an affine map over a line of pixels are at its ends, so the lines' ends are enough for it.
    """
    d = mask.ndim
    if dense:
        ends = np.argwhere(mask).astype(np.float64)
    else:
        lines = np.argwhere(mask.any(axis=-1))
        picked = mask[tuple(lines.T)]
        first = picked.argmax(axis=-1)
        last = mask.shape[-1] - 1 - picked[:, ::-1].argmax(axis=-1)
        ends = np.concatenate([np.column_stack([lines, first]), np.column_stack([lines, last])]).astype(np.float64)
    offsets = np.array(np.meshgrid(*[(-0.5, 0.5)] * d, indexing="ij")).reshape(d, -1).T
    corners: Floats = (ends[:, None] + offsets).reshape(-1, d)
    return corners
