"""A gain for each range of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op, Pointwise
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Amount, Distribution, Read, as_distribution
from imagemill.transforms.base import Transform, option
from imagemill.transforms.colour._channels import Numbers, colours, numbers
from imagemill.transforms.traits import Traits


def _edges(name: str, value: Any) -> tuple[float, ...]:
    edges: tuple[float, ...] = numbers()(name, value)
    if any(a >= b for a, b in pairwise(edges)):
        raise ParameterError(f"expected {name} to increase, got {value!r}; sort them and leave out repeats")
    return edges


def _gains(name: str, value: Any) -> tuple[Distribution, ...]:
    if not isinstance(value, list | tuple):
        raise ParameterError(f"expected {name} to be a list of numbers, pairs or distributions, got {value!r}")
    gains = tuple(as_distribution(v, name=f"{name}[{i}]") for i, v in enumerate(value))
    for i, gain in enumerate(gains):
        if gain.bounds[0] < 0:
            raise ParameterError(f"expected {name}[{i}] of at least 0, got {gain}")
    return gains


@dataclass(frozen=True, slots=True)
class ToneGain(Transform):
    """Multiply values by a factor that depends on the range they lie in: shadows, mid-tones, lights.

    ``out = gains[k] * x`` where ``edges[k-1] <= x < edges[k]``; the first range reaches down and the last
    up without end. Integer images saturate, floating-point images do not.

    Parameters
    ----------
    edges : list of float
        Increasing inner bounds in values of the image (grey levels of 0 to 255 for 8 bits, fractions of
        white for floating point); a value on a bound belongs to the range above it.
    gains : list of number, pair or Distribution
        One more than ``edges``, from dark to light, at least 0, each drawn by itself.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.2: piecewise linear transformations.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.ToneGain(edges=[85, 170], gains=[2, 1, 0.5])], seed=0)
    >>> pipe(np.array([[20, 84, 85, 200]], np.uint8))
    array([[ 40, 168,  85, 100]], dtype=uint8)
    """

    edges: Read[Numbers, tuple[float, ...]] = option(check=_edges)
    gains: Read[Sequence[Amount], tuple[Distribution, ...]] = option(check=_gains)

    def check(self) -> None:
        if len(self.gains) != len(self.edges) + 1:
            raise ParameterError(
                f"expected ToneGain(gains=...) to hold {len(self.edges) + 1} entries, one more than edges, "
                f"got {len(self.gains)}"
            )

    def traits(self) -> Traits:
        return Traits(recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        edges = [np.full(frame.n, edge) for edge in self.edges]
        gains = [draws(gain, f"gains.{i}") for i, gain in enumerate(self.gains)]
        return Pointwise("tones", np.stack(edges + gains, axis=1), colours(frame))

    def distributions(self) -> Iterator[tuple[str, Distribution, str]]:
        for i, gain in enumerate(self.gains):
            yield f"gains.{i}", gain, ""
