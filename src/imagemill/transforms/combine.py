"""Choosing among transforms: they resolve into identity rows while drawing, so the planner never sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.ops import Bools
from imagemill.core.ramp import Ramp
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Choice, OptionalRandom, Range, Read
from imagemill.transforms.base import Transform, number, option, param
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import whole_in_epoch

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

    transforms: Read[Sequence[Transform], tuple[Transform, ...]] = option(check=_transforms)

    def children(self) -> tuple[Transform, ...]:
        return self.transforms

    def traits(self) -> Traits:
        return Traits()  # of its own; its children have theirs

    def _often(self, low: int, high: int) -> tuple[int, int]:
        """The same for one image in all, where not every image is chosen."""
        return (low if self.p == 1 else 0, high if self.p > 0 else 0)


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

    weights: Read[Sequence[float] | None, tuple[float, ...] | None] = option(None, check=_weights)

    def check(self) -> None:
        if self.weights is not None and len(self.weights) != len(self.transforms):
            raise ParameterError(
                f"expected OneOf(weights=...) to hold {len(self.transforms)} numbers, one per transform, "
                f"got {len(self.weights)}"
            )

    def select(self, draws: Draws) -> Selection:
        """The child whose share of the unit interval the drawn number falls into."""
        index = np.searchsorted(np.cumsum(self._shares())[:-1], draws.uniform(), side="right")
        draws.note("chosen", index)
        return [index == i for i in range(len(self.transforms))]

    def _shares(self) -> npt.NDArray[np.float64]:
        share = np.ones(len(self.transforms)) if self.weights is None else np.asarray(self.weights, float)
        shares: npt.NDArray[np.float64] = share / share.sum()
        return shares

    def variants(self) -> float:
        return self._with_coin(sum(t.variants() for t in self.transforms))

    def chances(self) -> tuple[float, ...]:
        return tuple(self._shares().tolist())

    def runs(self) -> tuple[int, int]:
        each = [t.runs() for t in self.transforms]
        return self._often(min(low for low, _ in each), max(high for _, high in each))

    def rule(self) -> str:
        return "exactly one of these runs"

    def traits(self) -> Traits:
        return Traits(exclusive=True)


@dataclass(frozen=True, slots=True)
class SomeOf(_Combination):
    """A random number of distinct transforms, applied in the order they are listed.

    Parameters
    ----------
    transforms : list of Transform
    count : int, pair or Distribution
        How many: a whole number, a pair of them or a ``Choice``; by default from 1 to all, each number
        equally likely.

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

    count: OptionalRandom = param(None, low=1)

    def check(self) -> None:
        if self.count is None:
            return
        # Anything else than a pair or a list has no whole numbers to draw.
        each = self.count.steps.values() if isinstance(self.count, Ramp) else (self.count,)
        listed = [v for one in each for v in (one.values if isinstance(one, Choice) else one.bounds)]
        known = isinstance(self.count, Choice) or all(isinstance(one, Range) for one in each)
        if not known or max(listed) > len(self.transforms) or any(v != round(v) for v in listed):
            raise ParameterError(
                f"expected SomeOf(count=...) to be whole numbers from 1 to {len(self.transforms)}, the number of "
                f"transforms listed, got {self.count}; write 2, (1, 3) or Choice([1, 3])"
            )

    def _numbers(self) -> tuple[dict[int, float], bool]:
        """Each number that can be drawn with its probability, and whether all are equally likely."""
        if isinstance(self.count, Choice):
            weights = self.count.weights or (1.0,) * len(self.count.values)
            shares: dict[int, float] = {}
            for value, weight in zip(self.count.values, weights, strict=True):
                shares[round(value)] = shares.get(round(value), 0.0) + weight / sum(weights)
            return shares, len(set(shares.values())) == 1
        low, high = self._ends()
        return dict.fromkeys(range(low, high + 1), 1.0 / (high - low + 1)), True

    def _ends(self, epoch: int | None = None) -> tuple[int, int]:
        """The least and the largest number, in an epoch or in any."""
        if self.count is None:
            return 1, len(self.transforms)
        count = self.count if epoch is None else whole_in_epoch(self.count, epoch)
        low, high = map(round, count.bounds)
        return low, high

    def _counts(self, draws: Draws) -> npt.NDArray[np.int64]:
        u = draws.uniform()
        if isinstance(self.count, Choice):
            counts = self.count.sample(u)
        else:
            low, high = self._ends(draws.epoch)
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
        return self._with_coin(sum(sums[number] for number in self._numbers()[0]))

    def chances(self) -> tuple[float, ...] | None:
        if isinstance(self.count, Ramp):
            return None  # other ones in each epoch
        # Every subset of a size is as likely as any other, so the children share what runs on average.
        mean = sum(number * share for number, share in self._numbers()[0].items())
        return (mean / len(self.transforms),) * len(self.transforms)

    def runs(self) -> tuple[int, int]:
        numbers, _ = self._numbers()
        lows, highs = (sorted(each) for each in zip(*(t.runs() for t in self.transforms), strict=True))
        return self._often(sum(lows[: min(numbers)]), sum(highs[-max(numbers) :]))

    def traits(self) -> Traits:
        return Traits(exclusive=max(self._numbers()[0]) == 1)

    def rule(self) -> str:
        if isinstance(self.count, Ramp):
            return f"so many of these run: {self.count}"
        numbers, equal = self._numbers()
        low, high = min(numbers), max(numbers)
        if low == high:
            return f"{low} of these {'runs' if low == 1 else 'run'}"
        gapless = high - low + 1 == len(numbers)
        words = f"{low} to {high}" if gapless else " or ".join(map(str, sorted(numbers)))
        return f"{words} of these run" + (", each number equally likely" if equal else "")


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

    def chances(self) -> tuple[float, ...] | None:
        return (1.0,) * len(self.transforms)

    def runs(self) -> tuple[int, int]:
        each = [t.runs() for t in self.transforms]
        return self._often(sum(low for low, _ in each), sum(high for _, high in each))

    def rule(self) -> str:
        return "all of these run"
