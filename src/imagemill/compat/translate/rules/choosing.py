"""Several transforms in one, as the rules of all libraries make them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.core.errors import InputError
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import OneOf, Sequential, SomeOf
from imagemill.transforms.geometric.flip import Flip

__all__ = ["all_of", "always", "one_of", "some_of"]


def nothing() -> Transform:
    """A transform that leaves everything as it is."""
    return Flip("x", p=0)


def together(transforms: Sequence[Transform]) -> Transform:
    """One transform for several."""
    if not transforms:
        return nothing()
    return transforms[0] if len(transforms) == 1 else Sequential(list(transforms))


def always(transform: Transform) -> Transform:
    """The same transform, run on every image."""
    return dataclasses.replace(transform, p=1.0)


def all_of(step: Step, transforms: Any, p: float = 1.0) -> list[Transform]:
    """All of them in order; with a chance below 1, as one that is run or not."""
    made = step.transforms(transforms)
    return made if p == 1 or not made else [Sequential(made, p=p)]


def one_of(step: Step, transforms: Any, p: float, *, weights: Any = None, forced: bool = False) -> list[Transform]:
    """One of them.

    Parameters
    ----------
    step : Step
    transforms : list
    p : float
        Chance that any is run.
    weights : list of float, optional
    forced : bool
        Chances of those inside are weights, and the one that is chosen is run.
    """
    before = len(step.translator.missing)
    children, shares = [], []
    for place, one in enumerate(transforms if isinstance(transforms, list | tuple) else [transforms]):
        lost = len(step.translator.missing)
        made = step.transforms(one)
        if not made and len(step.translator.missing) > lost:
            continue
        child = together(made)
        # What leaves everything as it is has no chance of its own.
        share = child.p if forced and made else 1.0
        children.append(always(child) if forced and made else child)
        shares.append(float(weights[place]) if weights is not None else share)
    if not children:
        if len(step.translator.missing) == before and not step.translator.unknown:
            raise InputError(f"{step.shown}: expected transforms to choose from, got none")
        return []
    if sum(shares) <= 0:
        raise InputError(f"{step.shown}: expected a chance above 0 for one of its transforms, got 0 for all")
    kept = [(child, share) for child, share in zip(children, shares, strict=True) if share > 0]
    equal = len({share for _, share in kept}) == 1
    return [OneOf([child for child, _ in kept], weights=None if equal else [share for _, share in kept], p=p)]


def some_of(step: Step, transforms: Any, count: Any, p: float = 1.0) -> list[Transform]:
    """A number of them, or a pair for the fewest and most."""
    children = [together(made) for made in step.each(transforms) if made]
    if not children:
        return []
    low, high = (count, count) if isinstance(count, int) else (int(count[0]), int(count[1]))
    if high > len(children):
        step.note(f"{high} of {len(children)}: all of them")
    low, high = min(low, len(children)), min(high, len(children))
    if low < 1:
        if high < 1:
            raise NoCounterpart("none of its transforms would run")
        step.note("at least one of them runs; none was possible there")
        low = 1
    return [SomeOf(children, count=low if low == high else (low, high), p=p)]
