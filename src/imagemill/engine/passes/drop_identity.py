"""Leave out steps that do nothing for any sample."""

from __future__ import annotations

import numpy as np

from imagemill.core.ops import ChannelMix
from imagemill.engine.plan import Colour, ColourStage, Pass, Step


def drop_identity(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Resamples that move nothing and colour stages no sample was chosen for are left out."""
    kept = (_trimmed(step) if isinstance(step, Pass) else step for step in steps)
    return tuple(step for step in kept if step is not None)


def _trimmed(step: Pass) -> Pass | None:
    resample = None if step.resample is None or step.resample.identity else step.resample
    colour = step.colour
    if colour is not None:
        stages = tuple(s for s in colour.stages if not _idle(s))
        colour = Colour(stages, colour.in_dtype, colour.dtype, colour.peak, colour.hard)
        if not stages and colour.in_dtype == colour.dtype:
            colour = None
    return None if resample is None and colour is None else Pass(resample, colour, step.sources, step.broken)


def _idle(stage: ColourStage) -> bool:
    if isinstance(stage, ChannelMix):
        c = stage.channels
        same = np.array_equal(stage.matrix, np.broadcast_to(np.eye(c, c + 1), stage.matrix.shape))
        # An identity that leaves the range still marks where values stop being a picture's.
        return same and (stage.pivot is None or not stage.pivot.any()) and not stage.leaves_range
    return stage.where is not None and not stage.where.any()
