"""Plans drawn for images of one shape, made to fit an image of another one.

Which random numbers a sample gets does not depend on its image, and neither does most of what is drawn from them:
colour never, geometry only up to the place where all images have one size. So when images of many sizes follow each
other, what was drawn ahead is kept, transforms that went by the shape draw again from the same numbers, for the one
sample, and the steps that were made of their ops are made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from imagemill.core import ops as kinds
from imagemill.core.geometry import Frame, Ints
from imagemill.core.randomness.rng import Draws, OneRow
from imagemill.core.sample import Drawing, DrawLog
from imagemill.engine.origins import Origins, origins
from imagemill.engine.passes.fuse_geometry import fused
from imagemill.engine.plan import Alter, Displacements, Link, Matrices, Pass, Plan, Resample, Step, Windows, for_all
from imagemill.engine.planner import lower
from imagemill.pipeline.drawing import Draft, Leaf, Place, ops_of
from imagemill.pipeline.watched_frames import SHAPE, WORLD
from imagemill.transforms.base import chosen

__all__ = ["OtherShapes"]

Array = np.ndarray[Any, Any]
_Moved = tuple[Any, Frame, Frame]
"""An op that was made anew, and the frames before and behind it."""

_MOVES = kinds.Affine | kinds.Warp
_REMADE = _MOVES | kinds.Filter | kinds.Noise | kinds.Erase | kinds.Exchange
"""Ops that are made anew where the transform went by the shape."""


class _Leaf(NamedTuple):
    """A transform that may have to draw again, and the frame in front of it when it drew for all."""

    leaf: Leaf
    ops: tuple[kinds.Op, ...]
    shapes: list[list[int]]
    before: Frame

    def goes_by(self, row: int, shape: list[int]) -> bool:
        """Whether the transform looked at something that is another now."""
        asked = self.leaf.asked
        return bool(asked & WORLD) or (bool(asked & SHAPE) and self.shapes[row] != shape)


class _Ends(NamedTuple):
    """The frames of a sample before all steps and behind them, and their shapes with a row for each sample."""

    first: Frame
    last: Frame
    size: Ints
    last_size: Ints


class Remade(NamedTuple):
    """What is another for one sample.

    Parameters
    ----------
    plan : Plan
        With as many rows as the one it was made from; this sample's is the only one to be used.
    values : mapping
        What was drawn anew, by the places of transforms.
    """

    plan: Plan
    values: Mapping[int, Mapping[str, Array]]


class OtherShapes:
    """What of a plan depends on the shape of the images, and how it is made for another.

    Parameters
    ----------
    draft : Draft
        A watched one.
    plan : Plan
        Of that draft.
    known : sequence of Place
        All places of the pipeline.
    steps : sequence of Origins
        What the plan's steps are made of.
    """

    __slots__ = ("_draft", "_generator", "_known", "_leaves", "_plan", "_steps", "_world")

    def __init__(self, draft: Draft, plan: Plan, known: Sequence[Place], steps: Sequence[Origins]) -> None:
        assert draft.generator is not None
        self._draft, self._plan, self._known, self._generator = draft, plan, known, draft.generator
        self._leaves = []
        for leaf in draft.leaves:
            ops = tuple([op for _, op in draft.ops[leaf.begin : leaf.end]])
            if leaf.asked or any(isinstance(op, _MOVES) for op in ops):
                before = draft.frames[leaf.begin]
                self._leaves.append(_Leaf(leaf, ops, before.shape.tolist(), before))
        self._world = any(leaf.asked & WORLD for leaf in draft.leaves)
        self._steps = list(zip(plan.steps, steps, strict=True))

    @classmethod
    def of(
        cls, draft: Draft, plan: Plan, known: Sequence[Place], *, fuse: bool, without: Iterable[str]
    ) -> OtherShapes | None:
        """That of a plan; None where it has steps of kinds, or colour that goes by the shape, that are not made so."""
        for leaf in draft.leaves:
            if leaf.asked and not all(isinstance(op, _REMADE) for _, op in draft.ops[leaf.begin : leaf.end]):
                return None
        steps = origins(draft.ops, draft.frames, fuse=fuse, without=without)
        return None if steps is None else cls(draft, plan, known, steps)

    def remade(self, row: int, first: Frame, *, whole: bool) -> Remade | None:
        """What is another for one sample; None where transforms draw ops of other kinds for this shape.

        Parameters
        ----------
        row : int
        first : Frame
            Of the image, one sample.
        whole : bool
            Whether the place in the world of what comes out is asked for.
        """
        made: dict[int, _Moved] = {}
        values: dict[int, Mapping[str, Array]] = {}
        frame, shape, follow = first, first.shape[0].tolist(), whole or self._world
        for known in self._leaves:
            leaf, drawn = known.leaf, known.ops
            again = known.goes_by(row, shape)
            if again:
                drawn, values[leaf.place] = self._drawn(known, row, frame)
                if not _alike(drawn, known.ops):
                    return None
            for i, op in enumerate(drawn, leaf.begin):
                if isinstance(op, _MOVES):
                    one = op if again else _row(op, row)
                    before = frame
                    if follow or not isinstance(one, kinds.Affine):
                        frame = one.after(before)
                        shape = frame.shape[0].tolist()
                    elif shape != (size := one.shape[0].tolist()):
                        frame, shape = _of(before, one.shape), size
                    made[i] = one, before, frame
                elif again:
                    made[i] = op, frame, frame
        n, plan = len(self._plan.shape), self._plan
        sizes = for_all(first.shape, n), for_all(frame.shape, n)
        ends = _Ends(first, frame, *sizes)
        steps = tuple([self._step(step, origin, made, ends) for step, origin in self._steps])
        affine = for_all(frame.affine, n) if whole else plan.affine
        whole_plan = Plan(
            plan.axes, *sizes, plan.channels, plan.in_dtype, plan.dtype, steps, plan.channels_first, affine
        )
        return Remade(whole_plan, values)

    def log(self, values: Mapping[int, Mapping[str, Array]]) -> DrawLog:
        """What was drawn, with what was drawn anew in its place."""
        found = []
        for place, drawing in zip(self._draft.places, self._draft.log.drawings, strict=True):
            if place in values:
                n = len(drawing.where)
                anew = {name: for_all(np.asarray(one, np.float64), n) for name, one in values[place].items()}
                drawing = Drawing(drawing.name, drawing.where, anew)
            found.append(drawing)
        return DrawLog(tuple(found))

    def _drawn(self, known: _Leaf, row: int, frame: Frame) -> tuple[tuple[kinds.Op, ...], Mapping[str, Array]]:
        leaf, before = known.leaf, known.before
        if before.dtype != frame.dtype or before.peak != frame.peak:
            frame = replace(frame, dtype=before.dtype, peak=before.peak)
        draws = Draws(OneRow(self._generator, row), leaf.place, self._known[leaf.place].names, request=leaf.request)
        drawn = ops_of(leaf.transform, draws, frame)
        if leaf.where is None or leaf.where[row]:
            return drawn, draws.values
        where, found = leaf.where[row : row + 1], []
        for op in drawn:
            found.append(chosen(op, where, frame))
            frame = found[-1].after(frame)
        return tuple(found), draws.values

    def _step(self, step: Step, origin: Origins, made: Mapping[int, _Moved], ends: _Ends) -> Step:
        """A step for the other shape."""
        n = len(ends.size)
        if isinstance(step, Alter):
            assert origin.alters is not None
            anew = made.get(origin.alters)
            return step if anew is None else Alter(_spread(anew[0], n), step.peak, step.sources, step.broken)
        if not isinstance(step, Pass) or not origin.geometry:
            return step
        assert step.resample is not None
        found = [made[i] for i in origin.geometry]
        before, after = found[0][1], found[-1][2]
        sizes = (
            ends.size if before is ends.first else for_all(before.shape, n),
            ends.last_size if after is ends.last else for_all(after.shape, n),
        )
        links: tuple[Link, ...] = step.resample.links
        if len(links) == 1 and isinstance(links[0], Matrices):
            matrix = found[0][0].matrix
            for op, _, _ in found[1:]:
                matrix = matrix @ op.matrix
            links = (Matrices(for_all(matrix, n)),)
        else:
            links = tuple([_spread_link(link, n) for link in _links(found)])
        return Pass(Resample(links, *sizes, step.resample.sampling), step.colour, step.sources, step.broken)


def _links(found: Sequence[_Moved]) -> tuple[Link, ...]:
    """The chain of maps that some ops make when they are fused."""
    whole: Resample | None = None
    for op, before, after in found:
        step = lower("", op, before, after)
        assert isinstance(step, Pass)
        assert step.resample is not None
        both = step.resample if whole is None else fused(whole, step.resample)
        assert isinstance(both, Resample)
        whole = both
    assert whole is not None
    return whole.links


def _of(frame: Frame, shape: Ints) -> Frame:
    """A frame of another shape, for those who do not ask where in the world it lies."""
    kept = (frame.channels, frame.dtype, frame.peak, frame.metric, frame.measured)
    return Frame(frame.axes, shape, frame.affine, *kept)


def _spread_link(link: Link, n: int) -> Link:
    if isinstance(link, Matrices):
        return Matrices(for_all(link.m, n))
    if isinstance(link, Displacements):
        return Displacements(for_all(link.grid, n), for_all(link.shape, n))
    return Windows(for_all(link.shape, n), for_all(link.where, n), link.fill, link.mask_fill)


def _row(op: Any, row: int) -> Any:
    """An op that moves pixels, of one sample."""
    return op.of_row(row) if isinstance(op, kinds.Affine) else kinds.Warp(op.grid[row : row + 1], op.sampling)


def _spread(op: Any, n: int) -> Any:
    """An op of one sample as one of ``n``."""

    def of_all(part: Any) -> Any:
        if isinstance(part, tuple):
            return tuple([of_all(one) for one in part])
        return for_all(part, n) if isinstance(part, np.ndarray) else part

    return replace(op, **{f.name: of_all(getattr(op, f.name)) for f in fields(op) if f.init})


def _alike(drawn: Sequence[kinds.Op], before: Sequence[kinds.Op]) -> bool:
    """Whether a plan of the one has the steps of a plan of the other."""
    if len(drawn) != len(before):
        return False
    # No generator: this runs for each photo of another size than the last.
    for i, one in enumerate(drawn):  # noqa: SIM110
        if _likeness(one) != _likeness(before[i]):
            return False
    return True


def _likeness(op: kinds.Op) -> Any:
    """All that passes go by."""
    if isinstance(op, kinds.Affine):
        return op.sampling, op.window is None
    return op.sampling if isinstance(op, kinds.Warp) else type(op)
