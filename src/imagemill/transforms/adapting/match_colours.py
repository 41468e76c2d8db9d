"""The mean and spread of a reference image's colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.decorrelated import FROM_RGB, decorrelated
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


def moments(values: Floats) -> Arrays:
    """Mean and deviation of each channel, and of the three decorrelated ones where there are red, green and blue.

    Examples
    --------
    >>> {name: array.round(3).tolist() for name, array in moments(np.array([[[0.2], [0.6]]])).items()}
    {'plain': [[0.4, 0.2]]}
    """
    flat = values.reshape(-1, values.shape[-1])
    found = {"plain": np.stack([flat.mean(axis=0), flat.std(axis=0)], axis=1)}
    if values.shape[-1] in (3, 4):
        apart = decorrelated(flat[:, : len(FROM_RGB)])
        found["apart"] = np.stack([apart.mean(axis=0), apart.std(axis=0)], axis=1)
    return found


@dataclass(frozen=True, slots=True)
class MatchColours(Transform):
    """Give the image the mean and the spread of a reference image's colours, drawn among several: Reinhard's transfer.

    Of red, green and blue each of the three decorrelated channels of the paper (logarithms of cone responses, turned)
    gets the reference's mean and deviation; values below half a level of 8 bits count as that, since black has no
    logarithm. Of other images each channel does, as it is. A channel without any spread keeps none. References are
    compared in shares of white.

    Parameters
    ----------
    references : array, Image, Picture, path of a file or a folder, or list of them
        Images of as many colour channels, or of one, for images that are not RGB. At most 256. A pipeline file holds
        two numbers for each channel of each, so that it replays without them.
    amount : number, pair or Distribution
        From the image (0) to the whole change (1).

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Reinhard, Ashikhmin, Gooch and Shirley (2001), "Color transfer between images", IEEE Computer Graphics and
    Applications 21(5); Ruderman, Cronin and Chiao (1998), "Statistics of cone responses to natural images", JOSA A
    15(8), for the space.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> bright = np.array([[0.5, 0.9]])
    >>> im.Pipeline([im.MatchColours(bright, amount=1)], seed=0)(np.array([[0.1, 0.2]])).round(3)
    array([[0.5, 0.9]])
    """

    references: References = references_option("moments", moments)
    amount: Random = param((0.5, 1.0), low=0, high=1)

    def variants(self) -> float:
        """As many as there are references and amounts."""
        return self._with_coin(len(self.references) * self.amount.count)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs" if in_shares_of_white(self.references) else "")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        count = colours(frame)
        kind = "apart" if count == len(FROM_RGB) else "plain"
        rows = []
        for summary in drawn_summaries(self.references, draws, frame, "MatchColours"):
            plain = per_colour(summary["plain"], frame, "MatchColours")
            # Gray references say nothing of colours: RGB images get their moments channel by channel.
            rows.append((summary[kind], True) if kind in summary and kind == "apart" else (plain, False))
        wanted = np.stack([row for row, _ in rows]).astype(np.float64)
        apart = np.array([is_apart for _, is_apart in rows])
        return Filter("moments", (wanted, apart, draws(self.amount)), count)
