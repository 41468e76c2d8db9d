"""A window of one size around a pixel that is drawn by a map of weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from imagemill.core.content import Array, Content, Floats, Places
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.asked_content import Missing, asked, missing_option, name_of_target
from imagemill.transforms.base import Sizes, Transform, one_of, option, sizes
from imagemill.transforms.cropping._known import cut, sized
from imagemill.transforms.cropping._windows import Lies, window_around
from imagemill.transforms.geometric._common import SIZED
from imagemill.transforms.traits import Traits


def _weights(values: Array) -> Floats:
    found: Floats = values.astype(np.float64).sum(axis=-1)
    if not np.isfinite(found).all() or (values < 0).any():
        raise InputError("expected weights of at least 0 for WeightedCrop, got values below or that are no numbers")
    return found


@dataclass(frozen=True, slots=True)
class WeightedCrop(Transform):
    """Cut out a window of one size around a pixel, each drawn as often as a map of weights says.

    The map comes with the sample, as an image or a mask of its own; its channels are added up. Only pixels in view
    count. The window is moved so far that it stays within the image. Where all weights in view are 0, it lies anywhere.
    The recipe shows how many pixels had a weight.

    Parameters
    ----------
    size : int or tuple of int, pixels
        One length for a square, ``(y, x)``, or ``(z, y, x)`` for volumes. With one or two lengths a volume keeps all
        its slices.
    of : str
        The name of the map: pass ``weights=Mask(...)`` of whole numbers, or an Image. As it came in, before whatever
        colours it.
    lies : {"centre", "random"}
        Where in the window the pixel lies: in the middle, or anywhere.
    missing : {"raise", "ignore"}
        What happens to samples that came without such a map: an error, or a window anywhere.

    Raises
    ------
    InputError
        When an image is smaller than the window, no such map came along, or weights are below 0.

    Targets
    -------
    Image, Mask, Boxes, Keypoints move; Label stays. Reads Image or Mask.

    Source
    ------
    Robert and Casella (2004), "Monte Carlo statistical methods", 2.1.2: the inverse of a distribution function.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> weights = np.zeros((60, 80), np.uint8)
    >>> weights[40, 70] = 3
    >>> pipe = im.Pipeline([im.WeightedCrop((16, 16))], seed=0)
    >>> out = pipe(image=np.zeros((60, 80)), weights=im.Mask(weights))
    >>> int(out["weights"].sum())
    3
    """

    size: Sizes = option(check=sizes)
    of: str = option("weights", check=name_of_target)
    lies: Lies = option("centre", check=one_of("centre", "random"))
    missing: Missing = missing_option()

    def check(self) -> None:
        if len(self.size) > 3:
            raise ParameterError(f"expected WeightedCrop(size=...) to hold 1, 2 or 3 lengths, got {self.size}")

    def variants(self) -> float:
        """Unlimited: how many places there are depends on the image."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True, brings="size", size=self.size)

    def reads(self) -> str:
        return "pixels"

    def draw(self, draws: Draws, frame: Frame) -> Op:
        rank, at = draws.uniform(), draws.uniforms(frame.ndim).T
        shape = sized(self.size, frame, "WeightedCrop")
        start, count = np.floor(at * (frame.shape - shape + 1)).astype(np.int64), np.zeros(frame.n)
        for row, places in enumerate(asked(frame, self.of, "WeightedCrop", self.missing, self._places(frame.n)) or ()):
            if places.count:
                count[row] = places.count
                start[row] = window_around(
                    places.pick(float(rank[row])), shape[row], frame.shape[row], at[row], self.lies
                )
        draws.note("weighted", count)
        return cut(draws, frame, start, start + shape)

    def _places(self, n: int) -> Callable[[Content], list[Places] | None]:
        """The weighted pixels of each image, or None where there is no map."""

        def ask(content: Content) -> list[Places] | None:
            found = [content.places(row, _weights, self.of) for row in range(n)]
            listed = [places for places in found if places is not None]
            return listed or None

        return ask
