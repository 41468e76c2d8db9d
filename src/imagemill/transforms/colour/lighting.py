"""PCA lighting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Normal, Random, Read
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours, needs_rgb, numbers, on_colours
from imagemill.transforms.traits import Traits

IMAGENET_EIGENVALUES = (0.2175, 0.0188, 0.0045)
IMAGENET_EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
"""One row per channel (red, green, blue), one column per eigenvector."""


Rows: TypeAlias = tuple[tuple[float, ...], ...]
Basis: TypeAlias = "Literal['imagenet'] | tuple[Sequence[float], Sequence[Sequence[float]] | np.ndarray[Any, Any]]"


def _basis(name: str, value: Any) -> Any:
    if isinstance(value, str) and value == "imagenet":
        return value
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ParameterError(f"expected {name} to be 'imagenet' or a pair (eigenvalues, eigenvectors), got {value!r}")
    values = numbers(low=0)(f"{name} eigenvalues", value[0])
    rows = value[1].tolist() if isinstance(value[1], np.ndarray) else value[1]
    if not isinstance(rows, list | tuple):
        raise ParameterError(f"expected the eigenvectors of {name} to be a list of rows, got {rows!r}")
    vectors = tuple(numbers()(f"{name} eigenvectors", row) for row in rows)
    if len(vectors) != len(values) or any(len(row) != len(values) for row in vectors):
        raise ParameterError(
            f"expected the eigenvectors of {name} as {len(values)} rows of {len(values)} numbers, "
            f"one row per channel, got rows of {[len(row) for row in vectors]}"
        )
    return values, vectors


@dataclass(frozen=True, slots=True)
class Lighting(Transform):
    """Shift the colour of the whole image along the directions in which photos vary most.

    ``out = x + white * V (strength * eigenvalues)`` with ``V`` the eigenvectors in columns and one
    ``strength`` per eigenvector. Integer images saturate, floating-point images do not.

    Parameters
    ----------
    strength : number, pair or Distribution
        Drawn for each eigenvector independently.
    basis : "imagenet" or (eigenvalues, eigenvectors)
        Of the colours on a scale of 0 to 1. Own ones: ``c`` eigenvalues of at least 0 and ``c`` rows of
        ``c`` numbers, one row per channel and one column per eigenvector.

    Raises
    ------
    ParameterError
        When an image does not have as many colour channels as the basis (3 for "imagenet").

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep convolutional neural
    networks", 4.1; the table is that of fb.resnet.torch.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Lighting(-0.1)], seed=0)(np.array([[[100, 100, 100]]], np.uint8))
    array([[[103, 103, 104]]], dtype=uint8)
    """

    strength: Random = param(Normal(0.0, 0.1))
    basis: Read[Basis, Literal["imagenet"] | tuple[tuple[float, ...], Rows]] = option("imagenet", check=_basis)

    def _tables(self) -> tuple[Floats, Floats]:
        if self.basis == "imagenet":
            return np.array(IMAGENET_EIGENVALUES), np.array(IMAGENET_EIGENVECTORS)
        values, vectors = self.basis
        return np.array(values), np.array(vectors)

    def traits(self) -> Traits:
        return Traits(recolours=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        values, vectors = self._tables()
        if self.basis == "imagenet":
            needs_rgb(frame, "Lighting")
        if len(values) != colours(frame):
            raise ParameterError(
                f"expected Lighting(basis=...) of {colours(frame)} colour channels, got {len(values)}; "
                "fit the basis on images like these"
            )
        # Summed term by term: a matrix product rounds differently in batches of different sizes.
        offset = np.zeros((frame.n, len(values)))
        for i, value in enumerate(values):
            offset += draws(self.strength, f"strength.{i}")[:, None] * (frame.peak * value * vectors[:, i])
        return on_colours(frame, lambda _: ChannelMix.diagonal(np.ones_like(offset), offset))

    def variants(self) -> float:
        return self._with_coin(self.strength.count ** len(self._tables()[0]))
