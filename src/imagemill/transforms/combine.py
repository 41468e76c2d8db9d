"""Choosing among transforms: they resolve into identity rows while drawing, so the planner never sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.ops import Bools
from imagemill.core.rng import Draws
from imagemill.transforms.base import Transform, number, option, param

Selection = list[Bools]


def _transforms(name: str, value: Any) -> tuple[Transform, ...]:
    listed = tuple(value) if isinstance(value, list | tuple) else ()
    if not listed or not all(isinstance(t, Transform) for t in listed):
        raise ParameterError(f"expected {name} to be a list of at least one transform, got {value!r}")
    return listed


def _weights(name: str, value: Any) -> tuple[float, ...]:
    check: Callable[[str, Any], Any] = number(low=1e-12)
    if not isinstance(value, list | tuple):
        raise ParameterError(f"expected {name} to be a list of positive numbers, got {value!r}")
    return tuple(check(name, v) for v in value)


@dataclass(frozen=True, slots=True)
class _Combination(Transform):
    """A transform made of others; ``select`` says which of them each sample gets."""

    transforms: tuple[Transform, ...] = option(check=_transforms)

    def children(self) -> tuple[Transform, ...]:
        return self.transforms


@dataclass(frozen=True, slots=True)
class OneOf(_Combination):
    """Exactly one of several transforms.

    Parameters
    ----------
    transforms : list of Transform
    weights : list of float, optional
        How often each is chosen, relative to each other; equal when left out.
    p : float
        Probability that any is chosen at all.

    Examples
    --------
    >>> from imagemill.transforms.combine import OneOf, SomeOf
    >>> import imagemill as im
    >>> OneOf([im.Rotate((-10, 10)), im.Zoom((0.9, 1.1))]).variants()
    inf
    """

    weights: tuple[float, ...] | None = option(None, check=_weights)

    def check(self) -> None:
        if self.weights is not None and len(self.weights) != len(self.transforms):
            raise ParameterError(
                f"expected OneOf(weights=...) to hold {len(self.transforms)} numbers, one per transform, "
                f"got {len(self.weights)}"
            )

    def select(self, draws: Draws) -> Selection:
        """The child whose share of the unit interval the drawn number falls into."""
        share = np.ones(len(self.transforms)) if self.weights is None else np.asarray(self.weights, float)
        index = np.searchsorted(np.cumsum(share / share.sum())[:-1], draws.uniform(), side="right")
        draws.note("chosen", index)
        return [index == i for i in range(len(self.transforms))]

    def variants(self) -> float:
        return self._with_coin(sum(t.variants() for t in self.transforms))


@dataclass(frozen=True, slots=True)
class SomeOf(_Combination):
    """A random number of distinct transforms, applied in the order they are listed.

    Parameters
    ----------
    transforms : list of Transform
    count : int, pair or Distribution
        How many; by default from 1 to all, each number equally likely.

    Notes
    -----
    Every subset of the drawn size is equally likely: the transforms with the ``count`` smallest of as
    many independent uniform numbers are taken.

    Examples
    --------
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.SomeOf([im.Flip("x"), im.Rotate((-10, 10)), im.Zoom((0.9, 1.1))])], seed=1)
    >>> pipe(np.zeros((8, 8), np.uint8)).shape
    (8, 8)
    """

    count: Any = param(None, low=1)

    def check(self) -> None:
        if self.count is None:
            return
        low, high = self.count.bounds
        if high > len(self.transforms) or low != round(low) or high != round(high):
            raise ParameterError(
                f"expected SomeOf(count=...) to be whole numbers from 1 to {len(self.transforms)}, got {self.count}"
            )

    def _counts(self, draws: Draws) -> npt.NDArray[np.int64]:
        total = len(self.transforms)
        u = draws.uniform()
        if self.count is None:
            counts = 1 + np.floor(u * total)
        elif hasattr(self.count, "values"):
            counts = self.count.sample(u)
        else:
            low, high = self.count.bounds
            counts = low + np.floor(u * (high - low + 1))
        draws.note("count", counts)
        return counts.astype(np.int64)

    def select(self, draws: Draws) -> Selection:
        """The children of the smallest ranks."""
        counts = self._counts(draws)
        lots = np.stack([draws.uniform() for _ in self.transforms])
        ranks = np.argsort(np.argsort(lots, axis=0, kind="stable"), axis=0, kind="stable")
        return list(ranks < counts)

    def variants(self) -> float:
        # Elementary symmetric polynomials: products over all subsets of each size.
        total = len(self.transforms)
        sums = [1.0] + [0.0] * total
        for t in self.transforms:
            v = t.variants()
            for k in range(total, 0, -1):
                if sums[k - 1]:
                    sums[k] += sums[k - 1] * v
        low, high = (1, total) if self.count is None else (int(b) for b in self.count.bounds)
        return self._with_coin(sum(sums[low : high + 1]))


@dataclass(frozen=True, slots=True)
class Sequential(_Combination):
    """All of several transforms, in order, as one: for use inside :class:`OneOf` and :class:`SomeOf`.

    Examples
    --------
    >>> import imagemill as im
    >>> im.Sequential([im.Flip("x"), im.Flip("y", p=0.5)]).variants()
    2.0
    """

    def select(self, draws: Draws) -> Selection:
        """Everything."""
        return [np.ones(draws.n, dtype=bool) for _ in self.transforms]

    def variants(self) -> float:
        count = 1.0
        for t in self.transforms:
            count *= t.variants()
        return self._with_coin(count)
