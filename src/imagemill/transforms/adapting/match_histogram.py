"""The histogram of a reference image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

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

KNOTS = 256
"""Levels that a summary keeps of each channel: all of 8 bits."""


def histogram(values: Floats) -> Arrays:
    """Levels and how often each is there, ``[C, k]``; of more levels than are kept, quantiles, equally often.

    Examples
    --------
    >>> found = histogram(np.array([[0.0], [0.5], [0.5]])[None])
    >>> found["levels"].tolist(), found["counts"].tolist()
    ([[0.0, 0.5]], [[1, 2]])
    """
    rows = []
    for channel in np.moveaxis(values, -1, 0):
        levels, counts = np.unique(channel, return_counts=True)
        if len(levels) > KNOTS:
            levels = np.quantile(channel, (np.arange(KNOTS) + 1) / KNOTS)
            counts = np.ones(KNOTS, np.int64)
        rows.append((levels, counts))
    longest = max(len(levels) for levels, _ in rows)
    # Shorter rows end in their highest level, which is there no more often.
    full = [(np.pad(a, (0, longest - len(a)), "edge"), np.pad(b, (0, longest - len(b)))) for a, b in rows]
    return {"levels": np.stack([a for a, _ in full]), "counts": np.stack([b for _, b in full]).astype(np.int32)}


@dataclass(frozen=True, slots=True)
class MatchHistogram(Transform):
    """Give each channel the histogram of a reference image, drawn among several.

    A value becomes the value that as large a share of the reference lies below; between levels by straight lines. Of
    floating-point references 256 quantiles are kept, of 8 bits all levels. References are compared in shares of white:
    8-bit photos serve for floating-point ones of 0 to 1, and scans in their own units for scans in the same.

    Parameters
    ----------
    references : array, Image, Picture, path of a file or a folder, or list of them
        Images of as many colour channels, or of one, which serves for all. At most 256. A pipeline file holds a short
        summary of each, by content, so that it replays without them.
    amount : number, pair or Distribution
        From the image (0) to the whole change (1).

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Gonzalez and Woods (2018), "Digital image processing", 3.3, histogram matching; numbers as in scikit-image's
    `exposure.match_histograms`.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> dark = np.array([[10, 20], [30, 40]], np.uint8)
    >>> im.Pipeline([im.MatchHistogram(dark, amount=1)], seed=0)(np.array([[100, 250], [150, 200]], np.uint8))
    array([[10, 40],
           [20, 30]], dtype=uint8)
    """

    references: References = references_option("histogram", histogram)
    amount: Random = param((0.5, 1.0), low=0, high=1)

    def variants(self) -> float:
        """As many as there are references and amounts."""
        return self._with_coin(len(self.references) * self.amount.count)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs" if in_shares_of_white(self.references) else "")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        found = drawn_summaries(self.references, draws, frame, "MatchHistogram")
        longest = max(np.shape(summary["levels"])[1] for summary in found)
        levels = np.empty((frame.n, colours(frame), longest))
        shares = np.empty_like(levels)
        for row, summary in enumerate(found):
            counts = per_colour(summary["counts"], frame, "MatchHistogram")
            below = np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)
            more = ((0, 0), (0, longest - counts.shape[1]))
            shares[row] = np.pad(below, more, "edge")
            levels[row] = np.pad(per_colour(summary["levels"], frame, "MatchHistogram"), more, "edge") * frame.peak
        return Filter("histogram", (shares, levels, draws(self.amount)), colours(frame))

    def unlimited(self) -> str:
        return Transform.unlimited(self) if math.isinf(self.variants()) else ""
