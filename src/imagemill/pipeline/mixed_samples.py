"""Single samples that are mixed with partners that the caller gives: a batch of one group, and its first sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from imagemill.core.colours import Channels
from imagemill.core.errors import InputError
from imagemill.core.sample import Recipe, Sample
from imagemill.engine import execute
from imagemill.pipeline.clips import has_time, refuse_mixing
from imagemill.pipeline.column_plans import results
from imagemill.pipeline.groups import groups, read_partners, refuse_alone
from imagemill.pipeline.inputs import read_columns

if TYPE_CHECKING:
    from imagemill.pipeline.pipeline import Pipeline

__all__ = ["mixed_again", "mixed_call"]

Targets = Mapping[str, Any]


def mixed_call(
    pipeline: Pipeline,
    targets: Targets,
    partner: Any,
    key: Any,
    epoch: int | None,
    axes: str | None,
    channels: Channels,
) -> Sample:
    """A sample with its partners through a pipeline.

    Raises
    ------
    InputError
        When there are none, or they do not fit.
    """
    if partner is None:
        refuse_alone(pipeline.transforms)
    (key,), epoch = pipeline.complete(None if key is None else (key,), epoch, 1)
    others = read_partners(partner, pipeline.transforms, targets, key)
    keys = tuple(None if one is None else one[0] for one in others)
    recipe = Recipe(pipeline.seed, epoch, key, pipeline.digest, keys)
    return _first_of([targets, *(one and one[1] for one in others)], pipeline, recipe, axes, channels)


def mixed_again(
    pipeline: Pipeline, targets: Targets, partner: Any, recipe: Recipe, axes: str | None, channels: Channels
) -> Sample:
    """A sample that was mixed, made again from its recipe.

    Raises
    ------
    InputError
        When its partners are missing, or others are given than there were.
    """
    others: list[Any] = [None] * len(recipe.partners)
    if partner is not None:
        others = [one and one[1] for one in read_partners(partner, pipeline.transforms, targets, recipe.key)]
    if [one is None for one in others] != [key is None for key in recipe.partners]:
        got = sum(one is not None for one in others)
        raise InputError(
            f"expected the partners that it was mixed with, {recipe.partners}, got {got}; say partner=[...], in that "
            "order, None where there was none"
        )
    return _first_of([targets, *others], pipeline, recipe, axes, channels)


def _first_of(
    group: Sequence[Targets | None], pipeline: Pipeline, recipe: Recipe, axes: str | None, channels: Channels
) -> Sample:
    there = [(place, one) for place, one in enumerate(group) if one is not None]
    if has_time(there[0][1], axes):
        refuse_mixing(pipeline)
    rows, _ = read_columns({name: [one[name] for _, one in there] for name in there[0][1]}, axes, channels)
    keys: list[Any] = [(recipe.key, *recipe.partners)[place] for place, _ in there]
    places = groups([place for place, _ in there], pipeline.group)
    inputs, log, plan, own = pipeline.planned(rows, keys, recipe.epoch, group=places)
    made = execute.run(plan, inputs.columns(own), pipeline.backend, rules=pipeline.boxes, swap=pipeline.swap)
    out = results(inputs, made, plan, own, plan.affine[0])
    return Sample(out, recipe, log.row(0), plan.affine[0], geometry=pipeline.way_back(inputs, plan)[0])
