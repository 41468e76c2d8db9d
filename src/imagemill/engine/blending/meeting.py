"""The place in a plan where samples of a batch meet: every target of each is made of those of its group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from imagemill.core.annotated.annotation_rows import known_rows
from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.errors import TargetError
from imagemill.core.ops import Blend
from imagemill.core.side_threads import side_by_side
from imagemill.core.targets import ANNOTATIONS, Image, Keypoints, Label, Map, Mask, Polygons, RotatedBoxes
from imagemill.engine.annotations.belonging import Links, own_rules, together
from imagemill.engine.backends.protocol import Backend, BlendsImages
from imagemill.engine.blending.blended_boxes import Place, annotations_together, keypoints_together, numbers_taken
from imagemill.engine.blending.blended_labels import combined
from imagemill.engine.blending.blended_pixels import alike, in_regions, on_top, weighted
from imagemill.engine.blending.pasted_objects import Pasted, pasted
from imagemill.engine.execute_columns import Column
from imagemill.engine.plan import Meet

__all__ = ["KINDS_THAT_MEET", "met"]

Columns = Mapping[str, Column]
_WORDS = {"mix": "mix", "regions": "put side by side", "objects": "paste objects"}


def met(
    meets: Sequence[Meet],
    columns: Columns,
    number: int,
    links: Links,
    backend: Backend,
    rules: BoxRules,
    workers: int = 1,
) -> dict[str, Column]:
    """The columns of a batch behind the place where its samples meet.

    Parameters
    ----------
    meets : sequence of Meet
        Of which one at most is chosen for each sample.
    columns : mapping of str to Column
        In front of it; nothing is modified.
    number : int
        Of the place, counted from 0 along the plan.
    links : Links
        For each sample the names of annotations whose rows belong together.
    backend : Backend
    rules : BoxRules
    workers : int
        Threads; the result does not depend on it.

    Raises
    ------
    TargetError
        For a kind that cannot be mixed so.
    InputError
        When samples do not fit together.
    """
    for name, column in columns.items():
        _refuse(meets, name, column.kind)
    n = len(meets[-1].shape)
    places = [_Row.of(meets, row, columns) for row in range(n)]
    meeting = _Meeting(places, meets[-1], number, backend, rules, workers)
    made = {name: _MAKERS[column.kind](meeting, column) for name, column in columns.items()}
    return _together(made, places, links, rules)


def _together(columns: dict[str, Column], places: Sequence[_Row], links: Links, rules: BoxRules) -> dict[str, Column]:
    """The columns without annotations of which too little is seen under any of the names that they have parts under."""
    kept = replace(rules, keep_empty=True)
    lists: dict[str, list[Any]] = {name: list(one.values) for name, one in columns.items() if one.kind in ANNOTATIONS}
    for place in places:
        for names in links[place.row] if lists else ():
            here = {name: lists[name][place.row] for name in names}
            for name, target in together(here, here, kept, place.shape).items():
                lists[name][place.row] = target
    for column in lists.values() if not rules.keep_empty else ():
        column[:] = [one.only(np.flatnonzero(np.asarray(one.visibility) > 0)) for one in column]
    return {name: replace(one, values=lists[name]) if name in lists else one for name, one in columns.items()}


def _refuse(meets: Sequence[Meet], name: str, kind: str) -> None:
    for meet in meets:
        source, op = meet.sources[0], meet.op
        if op.kind == "mix" and kind == Mask.kind:
            raise TargetError(
                f"expected no label map {name!r} to go through {source}, which would give each pixel two labels; take "
                "CutMix or Mosaic, which carry label maps exactly, or pass a map of shares: Map(one_hot, 'yxc')"
            )
        hides = op.kind == "objects" or (op.kind == "regions" and op.offset is None)
        if kind in (Polygons.kind, RotatedBoxes.kind) and hides:
            raise TargetError(
                f"expected no {kind} {name!r} to go through {source}, which would cut holes into them; pass them as "
                "instance masks: instances=..."
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """How one sample is made: of which rows, and where each part is shown.

    Parameters
    ----------
    row : int
    op : Blend or None
        The blend that is chosen; None where the sample stays as it is.
    rows : list of int
    places : list of Place
    shape : tuple of int
    counts : list of int
        How many numbers the annotations of each part take.
    pasted : Pasted, optional
    """

    row: int
    op: Blend | None
    rows: list[int]
    places: list[Place]
    shape: tuple[int, ...]
    counts: list[int]
    pasted: Pasted | None = None
    weights: list[float] = field(default_factory=lambda: [1.0])

    @classmethod
    def of(cls, meets: Sequence[Meet], row: int, columns: Columns) -> _Row:
        """The sample in a row of a batch."""
        shape = tuple(meets[-1].shape[row].tolist())
        chosen = [meet for meet in meets if meet.op.active(row)]
        whole = np.stack([np.zeros(len(shape), np.int64), np.array(shape)], axis=1)
        still = np.zeros(len(shape), np.int64)
        if not chosen:
            return cls(row, None, [row], [Place(0, 1.0, 0, still, whole)], shape, [_count(columns, row)])
        op = chosen[-1].op
        rows = op.rows[row].tolist()
        counts = [_count(columns, at) for at in rows]
        firsts = np.cumsum([0, *counts[:-1]]).tolist()
        weights = op.weight[row].tolist()
        found, places = None, []
        if op.kind == "objects":
            found = pasted(op, row, columns, shape)
            share = float(found.where.mean())
            weights = [1.0 - share, share]
        for k, at in enumerate(rows):
            offset = still if op.offset is None else op.offset[row, k]
            region, later = whole, ()
            if op.regions is not None:
                region, later = op.regions[row, k], tuple(op.regions[row, k + 1 :])
            step = 0 if at == row else op.steps[k]
            hidden = found.where if found is not None and not k else None
            weight = weights[k] if op.kind == "mix" else 1.0
            places.append(Place(step, weight, firsts[k], offset, region, later, hidden))
        return cls(row, op, rows, places, shape, counts, found, weights)


def _count(columns: Columns, row: int) -> int:
    """How many numbers a sample's annotations take, so that a partner's may be counted on."""
    return max(
        (numbers_taken(column.values[row]) for column in columns.values() if column.kind in _NUMBERED), default=0
    )


_NUMBERED = (*ANNOTATIONS, Keypoints.kind)
_JUDGED = BoxRules(min_area=0, keep_empty=True)


def _memory(places: Sequence[_Row], like: Any, channels: int) -> Any:
    """Room for a column of rasters: one array where all have one size, else a list."""
    shapes = {place.shape for place in places}
    if len(shapes) == 1:
        return np.empty((len(places), *shapes.pop(), channels), like.dtype)
    return [np.empty((*place.shape, channels), like.dtype) for place in places]


def _each(places: Sequence[_Row], work: Callable[[_Row], None], workers: int) -> None:
    side_by_side(work, places, workers)


def _only(target: Any, pasted: Pasted) -> Any:
    """The annotations of a partner that come along with its objects."""
    if pasted.taken is None:
        return target
    return target.only(np.flatnonzero(pasted.keeps(known_rows(target))))


@dataclass(frozen=True, slots=True, eq=False)
class _Meeting:
    """How the samples of a batch are made, and what that makes of a column of each kind."""

    places: Sequence[_Row]
    meet: Meet
    number: int
    backend: Backend
    rules: BoxRules
    workers: int

    def images(self, column: Column) -> Column:
        values: Any = column.values
        room = _memory(self.places, values[0], values[0].shape[-1])
        mix = self.backend.weighted if isinstance(self.backend, BlendsImages) else weighted

        def work(place: _Row) -> None:
            out, parts = room[place.row], [values[at] for at in place.rows]
            if place.op is None:
                out[...] = parts[0]
            elif place.op.kind == "regions":
                if place.op.offset is None:
                    alike(parts, "cut regions out of each other")
                in_regions(place.op, place.row, parts, out, self._fill(column, place.op))
            else:
                alike(parts, _WORDS[place.op.kind])
                if place.pasted is None:
                    mix(parts, np.array(place.weights), out)
                else:
                    on_top(place.pasted.where, parts[0], parts[1], out)

        _each(self.places, work, self.workers)
        return replace(column, values=room, fetch=None)

    def _fill(self, column: Column, op: Blend) -> float:
        """What stands where no part is: a map of numbers says it itself."""
        return op.fill if column.plan is None else column.plan.parts[self.number][-1].op.fill

    def maps(self, column: Column) -> Column:
        values: Any = column.values
        room = _memory(self.places, values[0], values[0].shape[-1])

        def work(place: _Row) -> None:
            out, parts = room[place.row], [values[at] for at in place.rows]
            if place.op is None:
                out[...] = parts[0]
            elif place.op.kind == "regions":
                in_regions(place.op, place.row, parts, out, place.op.mask_fill)
            else:
                assert place.pasted is not None
                on_top(place.pasted.where, parts[0], parts[1], out)

        _each(self.places, work, self.workers)
        return replace(column, values=room)

    def annotations(self, column: Column) -> Column:
        values: Any = column.values
        judge = replace(own_rules(column.kind, self.rules), keep_empty=True)
        made = []
        for place in self.places:
            parts: list[Any] = [values[at] for at in place.rows]
            sizes = [tuple(self.meet.in_shape[at].tolist()) for at in place.rows]
            if place.pasted is not None:
                parts[1] = _only(parts[1], place.pasted)
            # What stays as it is was judged already.
            made.append(
                annotations_together(
                    parts, place.places, sizes, place.shape, judge if place.op is not None else _JUDGED
                )
            )
        return replace(column, values=made)

    def keypoints(self, column: Column) -> Column:
        values: Any = column.values
        made = []
        for place in self.places:
            where = list(place.places)
            if place.pasted is not None:
                where[1] = replace(where[1], hidden=~place.pasted.where)
            made.append(keypoints_together([values[at] for at in place.rows], where, place.shape))
        return replace(column, values=made)

    def labels(self, column: Column) -> Column:
        values: Any = column.values
        made = []
        for place in self.places:
            parts = [values[at].value for at in place.rows]
            # What is said of annotations goes along with them, and is no class.
            together = getattr(parts[0], "together", None)
            made.append(Label(combined(parts, place.weights) if together is None else together(parts[1:])))
        return replace(column, values=made)


_MAKERS: dict[str, Callable[[_Meeting, Column], Column]] = {
    Image.kind: _Meeting.images,
    Mask.kind: _Meeting.maps,
    Map.kind: _Meeting.images,
    Keypoints.kind: _Meeting.keypoints,
    Label.kind: _Meeting.labels,
    **dict.fromkeys(ANNOTATIONS, _Meeting.annotations),
}
KINDS_THAT_MEET = frozenset(_MAKERS)
"""The kinds of targets for which it is said what becomes of them where samples meet."""
