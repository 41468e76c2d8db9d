"""Uneven sensitivity of a coil."""

from __future__ import annotations

import math
from dataclasses import dataclass

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import whole_number
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class BiasField(Transform):
    """Multiply by a smooth field, as the coils of MRI are more sensitive here than there.

    The field is ``exp`` of a polynomial over the frame, whose outermost pixels lie at -1 and 1; each coefficient is
    uniform from -strength to strength.

    Parameters
    ----------
    strength : number, pair or Distribution
        0 to 5; at 0.5 and the default degree a corner may be several times as bright as another.
    degree : int
        Degree of the polynomial, 0 to 8.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Van Leemput, Maes, Vandermeulen and Suetens (1999), "Automated model-based tissue classification of MR images of
    the brain", IEEE TMI 18(10).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.BiasField(0.5)], seed=0)(np.ones((8, 8)))
    >>> bool(made.min() > 0 and np.ptp(made) > 0.1)
    True
    """

    strength: Random = param((0.0, 0.5), low=0, high=5)
    degree: int = option(3, check=whole_number(low=0))

    def check(self) -> None:
        if self.degree > 8:
            raise ParameterError(f"expected BiasField(degree=...) of 8 at most, got {self.degree}")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def variants(self) -> float:
        """Unlimited, also where the strength is fixed."""
        return self._with_coin(1.0 if self.strength.bounds == (0, 0) else math.inf)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        strength = draws(self.strength)
        count = math.comb(self.degree + frame.ndim, frame.ndim)
        coefficients = (2 * draws.uniforms(count) - 1).T * strength[:, None]
        return Filter("bias", (coefficients,), colours(frame))
