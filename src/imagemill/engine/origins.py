"""Which ops each step of a plan is made of, so that a step can be made again from other numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from imagemill.core.geometry import Frame
from imagemill.engine.plan import Alter, Link, Pass, Resample, Step, Windows
from imagemill.engine.planner import Drawn, lower, passes

__all__ = ["Origins", "origins"]


@dataclass(frozen=True, slots=True)
class Origins:
    """What one step is made of, by the places of ops among those that were drawn.

    Parameters
    ----------
    geometry : tuple of int
        Whose maps its resample follows one after the other.
    alters : int or None
        The filter, noise or erasure that it is.
    """

    geometry: tuple[int, ...] = ()
    alters: int | None = None


@dataclass(frozen=True, slots=True)
class _Mark:
    """Stands in a chain of maps for the op that it came from; passes carry it along, as no two of them merge."""

    op: int


def origins(
    drawn: Sequence[Drawn], frames: Sequence[Frame], *, fuse: bool, without: Iterable[str] = ()
) -> tuple[Origins, ...] | None:
    """What each step is made of of the plan that `make_plan` makes of this; None where a step is of another kind.

    Passes go by the kinds of steps and how they sample, and never by drawn numbers. So the answer is the same for
    whatever the same transforms draw.
    """
    steps: list[Step] = []
    of_alters: dict[int, int] = {}
    for i, ((name, op), before, after) in enumerate(zip(drawn, frames[:-1], frames[1:], strict=True)):
        step = lower(name, op, before, after, fuse=fuse, without=without)
        if isinstance(step, Pass):
            steps.append(replace(step, resample=_marked(step.resample, i)) if step.resample is not None else step)
        elif isinstance(step, Alter):
            of_alters[id(op)] = i
            steps.append(step)
        elif step is not None:
            return None
    found = tuple(steps)
    for _, rewrite in passes(fuse=fuse, without=without):
        found = rewrite(found)
    return tuple([_origins(step, of_alters) for step in found])


def _marked(resample: Resample, op: int) -> Resample:
    # What pads is looked at by passes, so that has to stay.
    kept = [link for link in resample.links if isinstance(link, Windows)]
    return replace(resample, links=(cast(Link, _Mark(op)), *kept))


def _origins(step: Step, of_alters: dict[int, int]) -> Origins:
    if isinstance(step, Alter):
        return Origins(alters=of_alters[id(step.op)])
    resample = step.resample if isinstance(step, Pass) else None
    links: tuple[Any, ...] = () if resample is None else resample.links
    # A chain is read from the output: the op that was drawn last stands first.
    return Origins(tuple([link.op for link in reversed(links) if isinstance(link, _Mark)]))
