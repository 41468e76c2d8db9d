"""A random part that overlaps with a box by a drawn share: the crop that SSD is trained with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.content import Floats
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.ops import Op
from imagemill.core.ramp import in_epoch
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.asked_content import Missing, missing_option, name_of_target
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.cropping._known import boxes_in_view, cut
from imagemill.transforms.geometric._common import SIZED
from imagemill.transforms.traits import Traits

ROUNDS, TRIES = 5, 40


def _shares(name: str, value: Any) -> tuple[float, ...]:
    """A check for shares from 0 to 1."""
    listed = tuple(value) if isinstance(value, list | tuple) else (value,)
    real = all(isinstance(one, int | float | np.number) and not isinstance(one, bool) for one in listed)
    if not listed or not real or not all(0 <= one <= 1 for one in listed):
        raise ParameterError(f"expected {name} as shares from 0 to 1, such as (0.1, 0.5, 1), got {value!r}")
    return tuple(float(one) for one in listed)


@dataclass(frozen=True, slots=True)
class IoUCrop(Transform):
    """Cut out a random part that overlaps with a box at least by a drawn share; follow it with Resize for one size.

    The least intersection over union is drawn from ``least``; with 1 the image stays whole. Then sides and places are
    drawn, up to 40 times, until the part has the centre of a box in it and an intersection over union of at least that
    with one of the boxes whose centres are in it. Where none has, another share is drawn, up to 5 times, and then the
    image stays whole, as does one without boxes in view. The recipe shows the share, 1 for a whole image.

    Boxes stay as far as they are in view. Where those are to go whose centre was cut off, as in the paper, say how
    much of a box has to be left: ``Pipeline(..., boxes=BoxRules(min_visibility=0.5))`` is near to it.

    Parameters
    ----------
    scale : number, pair or Distribution, fraction of the image's side
        Of each side, drawn for each; above 0 to 1.
    aspect : number, pair or Distribution, width / height
        What comes out of the two sides, as a multiple of the image's own, has to lie within its bounds; above 0.
    least : list of float
        Shares to draw from, each as often; 0 asks for the centre of a box alone.
    of : str, optional
        The name of the boxes to go by; all that there are when left out.
    missing : {"raise", "ignore"}
        What happens to samples that came without boxes, not even an empty list: an error, or as without any in view.

    Raises
    ------
    InputError
        When no boxes came along.

    Targets
    -------
    Image, Mask, Boxes, Keypoints move; Label stays. Reads Boxes.

    Source
    ------
    Liu et al. (2016), "SSD: single shot multibox detector", ECCV, 2.2; sides, aspect and 40 tries as in torchvision's
    `RandomIoUCrop`, which however begins anew until something fits.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> boxes = im.Boxes([[20, 10, 60, 40], [50, 30, 80, 50]])
    >>> pipe = im.Pipeline([im.IoUCrop(), im.Resize((300, 300))], seed=1)
    >>> pipe(image=np.zeros((100, 120, 3), np.uint8), boxes=boxes).image.shape
    (300, 300, 3)
    """

    scale: Random = param((0.3, 1.0), above=0, high=1, unit="of the image's side")
    aspect: Random = param((0.5, 2.0), above=0)
    least: tuple[float, ...] = option((0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0), check=_shares)
    of: str | None = option(None, check=name_of_target)
    missing: Missing = missing_option()

    def variants(self) -> float:
        """Unlimited: how many there are depends on the image."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True)

    def reads(self) -> str:
        return "boxes"

    def draw(self, draws: Draws, frame: Frame) -> Op:
        d = frame.ndim
        # A fixed number of requests, so that what one image gets never depends on another's luck.
        lots = draws.uniforms(ROUNDS * (1 + 2 * d * TRIES)).T.reshape(frame.n, ROUNDS, 1 + 2 * d * TRIES)
        start, stop, share = np.zeros_like(frame.shape), frame.shape.copy(), np.ones(frame.n)
        lowest, highest = in_epoch(self.aspect, draws.epoch).bounds
        for row, edges in enumerate(boxes_in_view(frame, "IoUCrop", self.missing, self.of)):
            for lot in lots[row] if len(edges) else ():
                least = self.least[int(lot[0] * len(self.least))]
                if least == 1:
                    break
                scale, place = lot[1:].reshape(2, TRIES, d)
                side = np.maximum(np.floor(draws.of(self.scale, scale) * frame.shape[row]), 1)
                aspect = (side[:, -1] / frame.shape[row, -1]) / (side[:, -2] / frame.shape[row, -2])
                side, place = (one[(aspect >= lowest) & (aspect <= highest)] for one in (side, place))
                found = _found(side, place, edges, frame.shape[row], least)
                if found is not None:
                    start[row], stop[row], share[row] = *found, least
                    break
        draws.note("least", share)
        return cut(draws, frame, start, stop)


def _found(side: Floats, place: Floats, edges: Floats, length: Ints, least: float) -> tuple[Ints, Ints] | None:
    """The first part of all tries that is as it should be."""
    d = len(length)
    start = np.floor(place * (length - side + 1))
    low, high = start[:, None] - 0.5, (start + side)[:, None] - 0.5
    middle = (edges[:, :d] + edges[:, d:]) / 2
    inside = ((middle > low) & (middle < high)).all(axis=2)
    common = np.clip(np.minimum(high, edges[:, d:]) - np.maximum(low, edges[:, :d]), 0, None).prod(axis=2)
    either = (high - low).prod(axis=2) + (edges[:, d:] - edges[:, :d]).prod(axis=1) - common
    fits = (np.where(inside, common / either, -1.0)).max(axis=1) >= least
    if not fits.any():
        return None
    first = int(fits.argmax())
    return start[first].astype(np.int64), (start + side)[first].astype(np.int64)
