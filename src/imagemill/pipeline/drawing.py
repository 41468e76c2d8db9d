"""How the transforms of a pipeline become ops for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from imagemill.core.errors import InputError, TargetError, blame_caller
from imagemill.core.geometry import Frame
from imagemill.core.ops import Bools, Op
from imagemill.core.randomness import rng
from imagemill.core.sample import Drawing, DrawLog
from imagemill.engine.annotations.foreground import Foreground
from imagemill.engine.planner import Drawn
from imagemill.transforms.base import Transform, chosen

__all__ = ["Draft", "Walk"]


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """What was drawn for a batch: ops in order, the frames between them, and the values to show."""

    ops: tuple[Drawn, ...]
    frames: tuple[Frame, ...]
    log: DrawLog


class Walk:
    """The walk through the transforms of a pipeline, depth first, that collects ops, frames and shown values.

    Parameters
    ----------
    generator : Generator
    foreground : Foreground or None
        The masks, for transforms that follow them.
    frame : Frame
        Of the inputs.
    names : sequence of mapping
        For each place, how its requests are called.
    """

    def __init__(
        self, generator: rng.Generator, foreground: Foreground | None, frame: Frame, names: Sequence[dict[int, str]]
    ) -> None:
        self.generator = generator
        self.names = names
        self.everything = np.ones(frame.n, dtype=bool)
        self.foreground = foreground
        self.places = 0
        self.ops: list[Drawn] = []
        self.frames: list[Frame] = []
        self.drawings: list[Drawing] = []
        self._enter(frame)

    def _enter(self, frame: Frame) -> None:
        if self.foreground is not None:
            drawn = tuple(op for _, op in self.ops)
            frame = replace(frame, extent=self.foreground.seen_through(drawn, tuple(self.frames), frame))
        self.frames.append(frame)

    def _drawn(self, transform: Transform, draws: rng.Draws, where: Bools) -> Op | tuple[Op, ...]:
        frame = self.frames[-1]
        try:
            return transform.draw(draws, frame if where is self.everything else replace(frame, chosen=where))
        except (InputError, TargetError):
            raise  # the transform says that it does not fit this sample
        except Exception as error:
            blame_caller(error, f"the transform {type(transform).__name__}")
            raise

    def draw(self, transform: Transform, where: Bools) -> None:
        """Draw one transform, for the samples where ``where`` holds."""
        place, self.places = self.places, self.places + 1
        draws = rng.Draws(self.generator, place, self.names[place])
        runs = transform.runs_on(draws)
        if runs is not None:
            where = where & runs
        children = transform.children()
        if children:
            for child, selected in zip(children, transform.select(draws), strict=True):
                self.draw(child, where & selected)
            return
        drawn = self._drawn(transform, draws, where)
        for op in drawn if isinstance(drawn, tuple) else (drawn,):
            frame = self.frames[-1]
            if where is not self.everything:
                op = chosen(op, where, frame)
            self.ops.append((type(transform).__name__, op))
            self._enter(op.after(frame))
        self.drawings.append(Drawing(type(transform).__name__, where, draws.values))
