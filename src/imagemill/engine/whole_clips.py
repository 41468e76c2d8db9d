"""Steps that read the whole image, on the frames of a video: they read the whole clip, so that colour does not flicker.

For colour a clip is a volume: its values are changed by numbers that are taken of all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.finite import working
from imagemill.core.image_ops import Filter
from imagemill.core.ops import ChannelMix, Fit
from imagemill.engine.backends.protocol import Array, Backend, Rasters
from imagemill.engine.colour_values import max_range
from imagemill.engine.plan import Alter, Pass, Step
from imagemill.engine.target_table import rule

__all__ = ["reads_all", "run_clip"]

_OF_ALL = ("equalize", "stretch", "range gamma", "range curve", "deviations")
"""Filters that read the whole image and no neighbours."""


def reads_all(step: Step) -> bool:
    """Whether a step takes numbers of the whole image."""
    if isinstance(step, Alter):
        return isinstance(step.op, Filter) and step.op.kind in _OF_ALL
    stages = step.colour.stages if isinstance(step, Pass) and step.colour is not None else ()
    return any(isinstance(s, Fit) or (isinstance(s, ChannelMix) and s.pivot is not None) for s in stages)


def run_clip(steps: tuple[Step, ...], first: int, values: Rasters, backend: Backend, out: Array) -> None:
    """The images of one clip, the samples from ``first`` on, through all steps into ``out`` ``[frames, *shape, C]``."""
    kind = "image"
    for step in steps:
        if not reads_all(step):
            values = [rule(step, kind)(step, first + i, one, backend, None) for i, one in enumerate(values)]
            continue
        whole: Any = step
        if isinstance(step, Pass) and step.resample is not None:
            values = [_resampled(step, first + i, one, backend) for i, one in enumerate(values)]
            whole = Pass(None, step.colour, step.sources)
        # All frames have the same numbers, so those of the first stand for all.
        values = rule(whole, kind)(whole, first, np.stack([*values]), backend, None)
    out[...] = np.stack([*values])


def _resampled(step: Pass, row: int, src: Array, backend: Backend) -> Array:
    """The geometry of a step alone, not rounded: colour follows in the same pass."""
    found = backend.image(Pass(step.resample, None, step.sources), row, src.astype(working(src.dtype)))
    return np.clip(found, *max_range(src.dtype)) if src.dtype.kind in "iu" else found
