"""Move colour out of the way of geometry, so that a run of geometry becomes one resample.

Affine colour commutes exactly with interpolation, whose weights sum to one; smooth curves nearly. So within a
run colour goes behind the geometry, where there are usually fewer pixels. A curve that jumps
or cuts off (:class:`~imagemill.core.ops.Curve`) only changes places with geometry that reads whole pixels.

If the geometry behind it fills with a constant, that fill must not be coloured: then colour goes in front of the
run instead, unless there is such a fill in front of it as well. A contrast that turns about the picture's mean
takes the mean of the picture it then finds: the one behind the run's geometry. Statistics of the picture
(:class:`~imagemill.core.ops.Fit`) and dtypes asked for by the user mean the picture as it was declared, and do
not move.
"""

from __future__ import annotations

from dataclasses import replace

from imagemill.core.ops import CURVES, Fit, Pointwise
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


def _interpolates(step: Pass) -> bool:
    """Whether values between pixels may come out; what has no opinion on the order reads whole pixels."""
    sampling = None if step.resample is None else step.resample.sampling
    return sampling is not None and (bool(sampling.order) or sampling.antialias)


def _breaks(step: Pass) -> str:
    """What in a step of colour forbids it to change places with interpolation."""
    stages = () if step.colour is None else step.colour.stages
    return next((c.breaks for s in stages if isinstance(s, Pointwise) and (c := CURVES[s.curve]).breaks), "")


def _stays(run: list[Pass], i: int) -> bool:
    """Whether a step would have to change places with interpolation and must not."""
    if not _breaks(run[i]):
        return False
    return any(map(_interpolates, run[i:])) or (any(map(_fills, run[i:])) and any(map(_interpolates, run[:i])))


def _ordered(run: list[Pass]) -> list[Pass]:
    """A run in its new order, in parts where a curve stays."""
    at = [_is_geometry(step) for step in run]
    if at == sorted(at, reverse=True):
        return run  # colour is behind the geometry already
    out: list[Pass] = []
    start, why = 0, ""
    for i in range(len(run)):
        if _stays(run, i):
            out += [*_noted(_moved(run[start:i]), why), run[i]]
            start, why = i + 1, f"{_breaks(run[i])}, before it"
    return out + _noted(_moved(run[start:]), why)


def _noted(part: list[Pass], why: str) -> list[Pass]:
    """The part with the reason why it is one of its own at its first geometry."""
    at = next((i for i, step in enumerate(part) if step.resample is not None), None)
    if why and at is not None:
        part[at] = replace(part[at], broken=why)
    return part


def _moved(run: list[Pass]) -> list[Pass]:
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
