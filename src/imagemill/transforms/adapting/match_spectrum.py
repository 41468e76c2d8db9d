"""The low frequencies of a reference image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.adapting._references import (
    Arrays,
    References,
    drawn_summaries,
    in_shares_of_white,
    per_colour,
    references_option,
)
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits

CYCLES = 48
"""Frequencies that a summary keeps, in cycles over the image, in either direction."""


def low_amplitudes(values: Floats) -> Arrays:
    """Amplitudes of the low frequencies ``[C, 2 * CYCLES + 1, CYCLES + 1]``, a share of the image's sum.

    Along the first axis they go from ``-CYCLES`` to ``CYCLES`` cycles; what a small image lacks is 0.

    Examples
    --------
    >>> low_amplitudes(np.full((4, 4, 1), 0.5))["amplitudes"][0, CYCLES, :2].tolist()
    [0.5, 0.0]
    """
    if values.ndim != 3:
        raise InputError(f"expected pictures, got a volume of shape {values.shape[:-1]}; give its slices")
    height, width = values.shape[:2]
    found = np.zeros((values.shape[-1], 2 * CYCLES + 1, CYCLES + 1))
    whole = np.abs(np.fft.fft2(values, axes=(0, 1))) / (height * width)
    # Beyond half a cycle a pixel there is nothing new.
    down = np.arange(-min(CYCLES, (height - 1) // 2), min(CYCLES, (height - 1) // 2) + 1)
    right = np.arange(min(CYCLES, (width - 1) // 2) + 1)
    found[:, CYCLES + down[:, None], right] = np.moveaxis(whole[down[:, None], right], -1, 0)
    # Of photos half precision is a tenth of a level of 8 bits; scans have larger numbers than it holds.
    return {"amplitudes": found.astype(np.float16 if found.max() < 1e3 else np.float32)}


@dataclass(frozen=True, slots=True)
class MatchSpectrum(Transform):
    """Give the low frequencies the amplitudes of a reference image's, drawn among several: Fourier domain adaptation.

    Frequencies up to ``beta`` times the shorter side, in cycles over the image along either axis, get the reference's
    amplitudes and keep their own phases: light and colour of the reference, shapes of the image. A reference of any
    size stands for one stretched to the image. References are compared in shares of white.

    Parameters
    ----------
    references : array, Image, Picture, path of a file or a folder, or list of them
        Pictures of as many colour channels, or of one, which serves for all. At most 256. A pipeline file holds 48
        cycles of each in either direction, about 12 kB for a channel, so that it replays without them.
    beta : number, pair or Distribution, share of the shorter side
        0 (the mean alone) to 0.4. The paper has 0.01, 0.05 and 0.09.

    Raises
    ------
    InputError
        For volumes, and where ``beta`` asks for more than 48 cycles.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Yang and Soatto (2020), "FDA: Fourier domain adaptation for semantic segmentation", CVPR.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> bright = np.full((8, 8), 200, np.uint8)
    >>> im.Pipeline([im.MatchSpectrum(bright, beta=0)], seed=0)(np.array([[10, 30], [30, 10]], np.uint8))
    array([[190, 210],
           [210, 190]], dtype=uint8)
    """

    references: References = references_option("spectrum", low_amplitudes)
    beta: Random = param((0.0, 0.1), low=0, high=0.4, unit="of the shorter side")

    def variants(self) -> float:
        """As many as there are references and shares."""
        return self._with_coin(len(self.references) * self.beta.count)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs" if in_shares_of_white(self.references) else "")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        if frame.ndim != 2:
            raise InputError("expected pictures for MatchSpectrum, got volumes; use MatchHistogram for those")
        beta = draws(self.beta)
        cycles = np.floor(beta * frame.shape.min(axis=1) + 1e-9)
        over = (cycles > CYCLES) & (True if frame.chosen is None else frame.chosen)
        if over.any():
            row = int(over.argmax())
            raise InputError(
                f"expected MatchSpectrum(beta=...) to ask for at most {CYCLES} cycles, got {cycles[row]:.0f} for a "
                f"side of {frame.shape[row].min()} pixels; put Resize before it, or take a smaller beta"
            )
        summaries = drawn_summaries(self.references, draws, frame, "MatchSpectrum")
        blocks = np.stack([per_colour(s["amplitudes"], frame, "MatchSpectrum") for s in summaries])
        return Filter("spectrum", (blocks * frame.peak, cycles), colours(frame))
