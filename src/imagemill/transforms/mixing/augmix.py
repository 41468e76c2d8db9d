"""Several changed versions of an image, mixed with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Range
from imagemill.transforms.base import Transform, number, option
from imagemill.transforms.combine import OneOf, Selection, Sequential
from imagemill.transforms.filter.auto_contrast import AutoContrast
from imagemill.transforms.filter.equalize import Equalize
from imagemill.transforms.filter.posterize import Posterize
from imagemill.transforms.filter.solarize import Solarize
from imagemill.transforms.geometric._common import switch, whole_number
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shear import Shear
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.mixing._shares import beta_quantile, gamma_quantile
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class AugMix(Transform):
    """Mix an image with a weighted sum of versions of itself, each through a chain of one to three operations.

    Operations are automatic contrast, equalisation, posterising and solarising; with ``geometry`` turns, shears and
    shifts as well, as published. Then the versions lie differently, and whatever else has a place in the image (masks,
    boxes, points) cannot follow: it is refused. Without, everything but the image stays where it is.

    Parameters
    ----------
    severity : float
        How strong operations are at most, 0 to 10.
    width : int
        Chains, 1 or more.
    depth : int
        Operations of a chain at most, each number from 1 on equally likely.
    alpha : float
        Above 0: the shares of the chains are drawn from Dirichlet(alpha, ...), that of the image itself from
        Beta(alpha, alpha).
    geometry : bool
        Whether operations that move pixels are among them.

    Targets
    -------
    Image changes (an alpha channel does not); Label stays. Mask, Map, Boxes, Keypoints and others stay, or raise where
    ``geometry`` is on.

    Source
    ------
    Hendrycks, Mu, Cubuk, Zoph, Gilmer and Lakshminarayanan (2020), "AugMix: a simple data processing method to improve
    robustness and uncertainty", ICLR. The loss between versions (Jensen-Shannon) is the training's.

    Examples
    --------
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.AugMix(severity=5)], seed=1)
    >>> pipe(np.arange(64, dtype=np.uint8).reshape(8, 8)).shape
    (8, 8)
    """

    severity: float = option(3, check=number(low=0.1, high=10))
    width: int = option(3, check=whole_number(low=1))
    depth: int = option(3, check=whole_number(low=1))
    alpha: float = option(1.0, check=number(low=1e-2, high=1e3))
    geometry: bool = option(False, check=switch)

    def children(self) -> tuple[Transform, ...]:
        """The chains."""
        return tuple(self._chain(self.depth) for _ in range(self.width))

    def _chain(self, left: int) -> Transform:
        """An operation, and more with the chance that makes every length equally likely."""
        one = OneOf(self._operations())
        if left == 1:
            return one
        rest = self._chain(left - 1)
        return Sequential([one, Sequential([rest], p=(left - 1) / left)])

    def _operations(self) -> list[Transform]:
        share = self.severity / 10
        bits = max(1, 8 - math.ceil(4 * share))
        plain = [AutoContrast(), Equalize(), Posterize(Range(bits, 8)), Solarize(Range(1 - share, 1.0))]
        if not self.geometry:
            return plain
        lean = math.degrees(math.atan(0.3 * share))
        turn, lean_by, move = Range(-30 * share, 30 * share), Range(-lean, lean), Range(-share / 3, share / 3)
        moves = [Rotate(turn, border="constant")]
        return [
            *plain,
            *moves,
            *(Shear({axis: lean_by}, border="constant") for axis in "yx"),
            *(Shift(fraction={axis: move}, border="constant") for axis in "yx"),
        ]

    def select(self, draws: Draws) -> Selection:
        """All chains, on everything."""
        return [np.ones(draws.n, dtype=bool) for _ in range(self.width)]

    def shares(self, draws: Draws) -> Floats:
        """The share of the image itself and of each chain, ``[n, 1 + width]``."""
        gammas = np.stack([gamma_quantile(draws.uniform(), self.alpha) for _ in range(self.width)], axis=1)
        own = beta_quantile(draws.uniform(), self.alpha, self.alpha)
        draws.note("own", own)
        parts = gammas / np.maximum(gammas.sum(axis=1, keepdims=True), 1e-300)
        return np.concatenate([own[:, None], (1 - own)[:, None] * parts], axis=1)

    def variants(self) -> float:
        """Continuous."""
        return self._with_coin(np.inf)

    def rule(self) -> str:
        return "the image and each of these are weighted and summed"

    def chances(self) -> tuple[float, ...]:
        return (1.0,) * self.width

    def traits(self) -> Traits:
        return Traits(fans=True)
