"""Make one pass of a run of colour, and one matrix of neighbouring matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imagemill.core.ops import ChannelMix, Pointwise
from imagemill.engine.plan import Colour, ColourStage, Pass, Step


def fuse_colour(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Merge neighbouring colour steps; a dtype asked for by the user stays a boundary if it rounds."""
    out: list[Step] = []
    for step in steps:
        before = out[-1] if out else None
        if (
            isinstance(before, Pass)
            and isinstance(step, Pass)
            and before.colour is not None
            and step.resample is None
            and step.colour is not None
        ):
            if not _rounds(before.colour):
                colour = fused(before.colour, step.colour)
                out[-1] = Pass(before.resample, colour, before.sources + step.sources, before.broken)
                continue
            step = Pass(None, step.colour, step.sources, f"values were asked for as {before.colour.dtype} before it")
        out.append(step)
    return tuple(out)


def _rounds(colour: Colour) -> bool:
    """Whether it ends in integers that the user asked for, from values that need not be some already."""
    changes = bool(colour.stages) or colour.in_dtype != colour.dtype
    return colour.hard and bool(np.issubdtype(colour.dtype, np.integer)) and changes


def fused(first: Colour, second: Colour) -> Colour:
    """One colour run in the place of two."""
    stages = list(first.stages)
    # A picture's values are clipped once, before they turn into another type or into something else.
    if second.dtype != first.dtype and _clips(first):
        stages.append(_clip(first, second))
    stages += second.stages
    return Colour(_merged(stages), first.in_dtype, second.dtype, first.peak, second.hard)


def _clips(colour: Colour) -> bool:
    """Whether the run has moved values that an integer type would have kept in its range."""
    return bool(np.issubdtype(colour.dtype, np.integer)) and bool(colour.stages)


def _clip(first: Colour, second: Colour) -> Pointwise:
    info = np.iinfo(first.dtype)
    n, channels = _extent(first, second)
    limits = np.tile(np.array([float(info.min), float(info.max)]), (n, 1))
    return Pointwise("clip", limits, channels)


def _extent(*colours: Colour) -> tuple[int, int]:
    """Batch size and number of channels, from whichever stage knows them."""
    n, channels = 0, 0
    for colour in colours:
        for stage in colour.stages:
            if isinstance(stage, ChannelMix):
                n, channels = len(stage.matrix), max(channels, stage.channels)
            elif isinstance(stage, Pointwise):
                n, channels = len(stage.params), max(channels, stage.channels)
    return n, channels


def _merged(stages: Sequence[ColourStage]) -> tuple[ColourStage, ...]:
    out: list[ColourStage] = []
    for stage in stages:
        if isinstance(stage, ChannelMix) and out and isinstance(out[-1], ChannelMix):
            out[-1] = out[-1].then(stage)
        else:
            out.append(stage)
    return tuple(out)
