"""Draws that some samples share although each of them is made by itself, as a worker makes files of its shard.

Drawing and planning cost nearly as much for one image as for some, whatever their sizes, and what comes out for a
sample does not depend on who else is drawn for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from imagemill.core.errors import ImagemillError
from imagemill.core.sample import DrawLog, Recipe, Sample
from imagemill.engine import execute
from imagemill.engine.plan import Plan
from imagemill.pipeline.ahead import Kind
from imagemill.pipeline.clips import has_time
from imagemill.pipeline.column_plans import results
from imagemill.pipeline.inputs import Inputs, read_columns
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["SharedDraws", "Sharing", "sharing"]


class Sharing(NamedTuple):
    """A sample that can be drawn for with others.

    Parameters
    ----------
    key : str
    epochs : sequence of int
        In which it is made.
    inputs : Inputs
    kind : Kind
    """

    key: str
    epochs: Sequence[int]
    inputs: Inputs
    kind: Kind

    def goes_with(self, other: Sharing, epoch: int) -> bool:
        """Whether one draw is for both in an epoch: they differ in shape at most."""
        mine, its = self.kind, other.kind
        return epoch in other.epochs and (mine == its or mine.differs_in_shape(its))


def sharing(pipeline: Pipeline, key: str, epochs: Sequence[int], targets: Mapping[str, Any]) -> Sharing | None:
    """A sample as one that draws with others; None where it has to draw alone, or cannot be drawn for."""
    if not pipeline.by_kind or has_time(targets, None):
        return None
    try:
        inputs = Inputs(read_columns({name: [value] for name, value in targets.items()}, None)[0])
    except ImagemillError:
        return None  # whoever makes it alone is told
    kind = inputs.only_kind
    return None if kind is None else Sharing(key, epochs, inputs, kind)


class SharedDraws:
    """Samples that are made one after the other, and drawn for at once.

    Parameters
    ----------
    pipeline : Pipeline
    samples : mapping of int to Sharing
        By numbers of the caller's.
    """

    def __init__(self, pipeline: Pipeline, samples: Mapping[int, Sharing]) -> None:
        self._pipeline = pipeline
        self._samples = dict(samples)
        self._drawn: dict[tuple[int, int], tuple[Plan, DrawLog, int] | None] = {}

    def made(self, number: int, recipe: Recipe) -> Sample | None:
        """A sample by its recipe, without its way back; None where it has to be made alone."""
        one = self._samples.get(number)
        if one is None:
            return None
        if (number, recipe.epoch) not in self._drawn:
            self._draw(one, recipe.epoch)
        found = self._drawn.pop((number, recipe.epoch))
        if found is None:
            return None
        plan, log, row = found
        pipeline, inputs = self._pipeline, self._pipeline.checked(one.inputs)
        how: dict[str, Any] = {"rules": pipeline.boxes, "swap": pipeline.swap, "first": row}
        made = execute.run(plan, inputs.columns(), pipeline.backend, **how)
        return Sample(results(inputs, made, plan, {}, plan.affine[row]), recipe, log.row(row), plan.affine[row])

    def drop(self, number: int) -> None:
        """Forget a sample that was made, and its pixels."""
        self._samples.pop(number, None)

    def _draw(self, one: Sharing, epoch: int) -> None:
        """Draw for all that a sample goes with."""
        together = {number: other for number, other in self._samples.items() if one.goes_with(other, epoch)}
        self._drawn.update({(number, epoch): None for number in together})
        if len(together) == 1:
            return
        shapes = np.array([other.kind.shape for other in together.values()], np.int64)
        frame = replace(one.kind.frame(len(together)), shape=shapes)
        try:
            draft = self._pipeline.draw(frame, [other.key for other in together.values()], epoch=epoch)
            plan = self._pipeline.plan(draft)
        except Exception:
            return  # whose fault it is shows when each draws for itself
        for row, number in enumerate(together):
            self._drawn[number, epoch] = plan, draft.log, row
