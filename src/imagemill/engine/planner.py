"""From ops to a plan: lower each op to a step, then let the passes merge steps.

Without passes the plan runs one step per op, rounding in between, as a chain of separate calls would.
Each pass is a function from steps to steps in a file of its own and can be switched off by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

import numpy as np

from imagemill.core import ops
from imagemill.core.blend_ops import BLENDS
from imagemill.core.errors import InputError, PlanError
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import FILTERS
from imagemill.engine.passes.drop_casts import drop_casts
from imagemill.engine.passes.fuse_colour import fuse_colour
from imagemill.engine.passes.fuse_geometry import fuse_geometry
from imagemill.engine.passes.join import join
from imagemill.engine.passes.sink_colour import sink_colour
from imagemill.engine.plan import (
    Alter,
    Branch,
    Call,
    Colour,
    Displacements,
    Link,
    Matrices,
    Meet,
    Pass,
    Plan,
    Resample,
    Step,
    Windows,
)

Steps = tuple[Step, ...]
PASSES: dict[str, Callable[[Steps], Steps]] = {
    "drop_casts": drop_casts,
    "sink_colour": sink_colour,
    "fuse_geometry": fuse_geometry,
    "fuse_colour": fuse_colour,
    "join": join,
}
"""All passes, in the order they run."""

Drawn = tuple[str, ops.Op]
"""An op with the name of the transform it came from."""


def lower(
    source: str, op: ops.Op, before: Frame, after: Frame, *, fuse: bool = True, without: Iterable[str] = ()
) -> Step | None:
    """The step of a single op; None for one that belongs to the whole plan. A fan's own plans are made likewise."""
    match op:
        case ops.Affine():
            links: list[Link] = [Matrices(op.matrix)]
            if op.window is not None:
                links.append(Windows(before.shape, op.window, op.sampling.fill, op.sampling.mask_fill))
                # The window decides what lies outside, so the border has nothing left to say.
                sampling = ops.Sampling(op.sampling.order, None, antialias=op.sampling.antialias)
            else:
                sampling = op.sampling
            return Pass(Resample(tuple(links), before.shape, after.shape, sampling), None, (source,))
        case ops.Warp():
            link = Displacements(op.grid, before.shape)
            return Pass(Resample((link,), before.shape, after.shape, op.sampling), None, (source,))
        case ops.ChannelMix() | ops.Pointwise() | ops.Fit():
            return Pass(None, Colour((op,), before.dtype, after.dtype, before.peak), (source,))
        case ops.Cast():
            return Pass(None, Colour((), before.dtype, op.dtype, before.peak, hard=True), (source,))
        case ops.Filter() | ops.Noise() | ops.Erase() | ops.Exchange():
            return Alter(op, before.peak, (source,), _apart(op))
        case ops.Blend():
            return Meet(op, before.shape, after.shape, before.dtype, (source,), BLENDS[op.kind])
        case ops.Fan():
            plans = tuple([make_plan(drawn, frames, fuse=fuse, without=without) for drawn, frames in op.chains])
            return Branch(op, plans, (source,))
        case ops.Opaque():
            return Call(op, (source,))
        case ops.Layout():
            return None
    assert_never(op)


def _apart(op: ops.OfImages) -> str:
    """Why an op on images is a step of its own."""
    if isinstance(op, ops.Filter):
        return FILTERS[op.kind]
    if isinstance(op, ops.Exchange):
        return "parts change places in the image as it is here"
    noise = isinstance(op, ops.Noise)
    return "each value gets a random number of its own" if noise else "boxes are filled in the image as it is here"


def passes(*, fuse: bool, without: Iterable[str]) -> list[tuple[str, Callable[[Steps], Steps]]]:
    """The passes that run, by name, in their order; see :func:`make_plan`.

    Raises
    ------
    InputError
        For an unknown pass.
    """
    unknown = set(without) - set(PASSES)
    if unknown:
        raise InputError(f"expected passes of {list(PASSES)}, got {sorted(unknown)}")
    return [(name, rewrite) for name, rewrite in PASSES.items() if name not in without] if fuse else []


def make_plan(
    drawn: Sequence[Drawn],
    frames: Sequence[Frame],
    *,
    fuse: bool = True,
    without: Iterable[str] = (),
    debug: bool = False,
) -> Plan:
    """Plan a batch.

    Parameters
    ----------
    drawn : sequence of (name, op)
    frames : sequence of Frame
        One more than ops: the frame before each, and the last.
    fuse : bool
        False runs every op as a step of its own.
    without : iterable of str
        Passes to leave out, see :data:`PASSES`.
    debug : bool
        Check after each pass that what goes in and out has not changed.

    Raises
    ------
    InputError
        For an unknown pass.
    PlanError
        When a pass breaks its promise (with ``debug``).
    """
    lowered = [
        lower(name, op, before, after, fuse=fuse, without=without)
        for (name, op), before, after in zip(drawn, frames[:-1], frames[1:], strict=True)
    ]
    steps: Steps = tuple([step for step in lowered if step is not None])
    for name, rewrite in passes(fuse=fuse, without=without):
        rewritten = rewrite(steps)
        if debug:
            _check(name, frames[0], steps, rewritten)
        steps = rewritten
    layouts = [op.channels_first for _, op in drawn if isinstance(op, ops.Layout)]
    first, last = frames[0], frames[-1]
    return Plan(
        first.axes,
        first.shape,
        last.shape,
        first.channels,
        first.dtype,
        last.dtype,
        steps,
        layouts[-1] if layouts else None,
        last.affine,
    )


def _signature(first: Frame, steps: Steps) -> tuple[object, ...]:
    """What a rewrite must keep: the shapes and the dtype that come out."""
    shapes = [
        step.shape
        for s in steps
        for step in ((s,) if isinstance(s, Meet) else (s.resample,) if isinstance(s, Pass) else ())
        if step is not None
    ]
    colours = [s.colour for s in steps if isinstance(s, Pass) and s.colour is not None]
    return (
        np.asarray(shapes[-1] if shapes else first.shape).tolist(),
        str(colours[-1].dtype if colours else first.dtype),
    )


def _check(name: str, first: Frame, before: Steps, after: Steps) -> None:
    old, new = _signature(first, before), _signature(first, after)
    sources = [name for s in after for name in s.sources]
    strangers = set(sources) - {name for s in before for name in s.sources}
    if old != new or strangers:
        raise PlanError(
            f"expected the pass {name!r} to keep shapes and dtype {old}, got {new}"
            f"{f' and new sources {sorted(strangers)}' if strangers else ''}; this is a fault of imagemill"
        )
