"""Move colour out of the way of geometry, so that a run of geometry becomes one resample.

Affine colour commutes exactly with interpolation, whose weights sum to one; curves nearly. So within a
run colour goes behind the geometry, where there are usually fewer pixels. If the geometry behind it fills
with a constant, that fill must not be coloured: then colour goes in front of the run instead, unless
there is such a fill in front of it as well. A contrast that turns about the picture's mean takes the mean of the
picture it then finds: the one behind the run's geometry. Statistics of the picture (:class:`~imagemill.core.ops.Fit`)
and dtypes asked for by the user mean the picture as it was declared, and do not move.
"""

from __future__ import annotations

from imagemill.core.ops import Fit
from imagemill.engine.plan import Pass, Step


def sink_colour(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Reorder each run of geometry and movable colour."""
    out: list[Step] = []
    run: list[Pass] = []
    for step in steps:
        if isinstance(step, Pass) and (_is_geometry(step) or _is_movable(step)):
            run.append(step)
            continue
        out += [*_ordered(run), step]
        run = []
    return (*out, *_ordered(run))


def _is_geometry(step: Pass) -> bool:
    return step.resample is not None and step.colour is None


def _is_movable(step: Pass) -> bool:
    if step.resample is not None or step.colour is None:
        return False
    return not step.colour.hard and not any(isinstance(stage, Fit) for stage in step.colour.stages)


def _fills(step: Pass) -> bool:
    return step.resample is not None and (step.resample.sampling.border == "constant" or step.resample.windowed)


def _ordered(run: list[Pass]) -> list[Pass]:
    before: list[Pass] = []
    middle: list[Pass] = []
    behind: list[Pass] = []
    for i, step in enumerate(run):
        if _is_geometry(step):
            middle.append(step)
        elif not any(map(_fills, run[i:])):
            behind.append(step)
        elif not any(map(_fills, run[:i])):
            before.append(step)
        else:
            middle.append(step)
    return before + middle + behind
