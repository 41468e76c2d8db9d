"""Mirroring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Bools, Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform, one_of, option
from imagemill.transforms.traits import Traits


def _epochs(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(f"expected {name} to be a whole number of epochs, 1 or more, got {value!r}")
    return value


@dataclass(frozen=True, slots=True)
class Flip(Transform):
    """Mirror along one axis, exactly: pixels are moved, never computed with.

    Parameters
    ----------
    axis : {"x", "y", "z"}
        ``"x"`` exchanges left and right, ``"y"`` up and down, ``"z"`` the order of slices.
    mode : {"random", "alternate"}
        ``"random"`` mirrors with probability ``p``, anew in every epoch. ``"alternate"`` mirrors every sample in
        turn: in the first epoch with probability 0.5, decided by its key, and from then on whenever it was not
        mirrored before, so that both forms are seen in any two consecutive epochs. It follows from seed, key and
        epoch: without a key each call is a sample of its own, and this is ``p=0.5``. So it is where an order
        draws rows with replacement, since a row that comes twice is two samples.
    every : int, epochs
        How long a form stays before it changes, with ``mode="alternate"``. Two flips that change in the same epochs
        show a sample in two of four forms; ``every=2`` for one of them shows all four in any four epochs in a row.
    p : float
        Probability that a sample is mirrored, 0 to 1; ``Flip("x", p=0.5)`` mirrors half of them. Not with
        ``mode="alternate"``.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Simard, Steinkraus, Platt (2003), "Best practices for convolutional neural networks applied to visual
    document analysis", ICDAR, on distortions that keep the label. Jordan (2024), "94% on CIFAR-10 in 3.29 seconds on
    a single GPU", arXiv:2404.00498, on flips that alternate.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Flip("x")], seed=0)(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    array([[3, 2, 1],
           [6, 5, 4]], dtype=uint8)
    >>> pipe = im.Pipeline([im.Flip("x", mode="alternate")], seed=0)
    >>> [pipe(np.array([[1, 2, 3]], np.uint8), key="a.png", epoch=epoch).tolist() for epoch in range(3)]
    [[[1, 2, 3]], [[3, 2, 1]], [[1, 2, 3]]]
    """

    axis: Literal["x", "y", "z"] = option("x", check=one_of("x", "y", "z"))
    mode: Literal["random", "alternate"] = option("random", check=one_of("random", "alternate"), by_name=True)
    every: int = option(1, check=_epochs, by_name=True)

    def check(self) -> None:
        if self.mode == "alternate" and self.p != 1:
            raise ParameterError(
                "expected Flip(mode='alternate') without p, as it mirrors in turn and not by chance, "
                f"got p={self.p!r}; leave p out, or write mode='random'"
            )
        if self.mode == "random" and self.every != 1:
            raise ParameterError(
                f"expected Flip(every=...) with mode='alternate' only, got every={self.every} and mode='random'; "
                "random flips are drawn anew in every epoch"
            )

    def variants(self) -> float:
        return 2.0 if self.mode == "alternate" else Transform.variants(self)

    def traits(self) -> Traits:
        return Traits(
            moves=True, whole_frame=True, mirrors=self.axis, changes_every=self.every if self.mode == "alternate" else 0
        )

    def runs(self) -> tuple[int, int]:
        return (0, 1) if self.mode == "alternate" else Transform.runs(self)

    def rule(self) -> str:
        if self.mode == "random":
            return ""
        return f"in turn: changes every {self.every} epochs" if self.every > 1 else "in turn: every other epoch"

    def runs_on(self, draws: Draws) -> Bools | None:
        if self.mode == "random":
            return Transform.runs_on(self, draws)
        # The same coin as that of Flip(p=0.5) in epoch 0.
        first: Bools = draws.lasting() < 0.5
        return first ^ (draws.epoch // self.every % 2 == 1)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Affine(geo.flip(frame.shape, frame.axis(self.axis)), frame.shape)
