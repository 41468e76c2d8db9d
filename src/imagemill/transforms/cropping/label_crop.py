"""A window of one size around a pixel that is drawn by its label."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from imagemill.core.content import Array, Content, Places
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.asked_content import Missing, asked, missing_option, name_of_target
from imagemill.transforms.base import Sizes, Transform, number, one_of, option, sizes
from imagemill.transforms.cropping._known import cut, sized
from imagemill.transforms.cropping._windows import Lies, window_around
from imagemill.transforms.geometric._common import SIZED, wholes
from imagemill.transforms.traits import Traits

_NOTHING = -1
"""The label that recipes show where no pixel was drawn."""


def _ratios(name: str, value: Any) -> dict[int, float]:
    """A check for weights by label; files may have made words of the labels."""
    if not isinstance(value, Mapping) or not value:
        raise ParameterError(f"expected {name} as labels with weights, such as {{0: 1, 1: 2}}, got {value!r}")
    found = {}
    for label, weight in value.items():
        try:
            whole = int(label)
        except (TypeError, ValueError):
            raise ParameterError(f"expected whole numbers for the labels of {name}, got {label!r}") from None
        real = isinstance(weight, int | float | np.number) and not isinstance(weight, bool)
        if not real or not 0 <= weight < math.inf:
            raise ParameterError(f"expected weights of at least 0 in {name}, got {weight!r} for {label}")
        found[whole] = float(weight)
    if not any(found.values()):
        raise ParameterError(f"expected a weight above 0 in {name}, got {value!r}")
    return dict(sorted(found.items()))


def _with_label(label: int, maps: Array) -> Array:
    """Where any map has a label; 0 is where all have it."""
    found: Array = np.all(maps == 0, axis=-1) if label == 0 else np.any(maps == label, axis=-1)
    return found


def _foreground(ignore: tuple[int, ...], maps: Array) -> Array:
    found: Array = np.any((maps > 0) & ~np.isin(maps, ignore), axis=-1)
    return found


@dataclass(frozen=True, slots=True)
class LabelCrop(Transform):
    """Cut out a window of one size around a pixel drawn by its label: of the foreground, of the background, of a class.

    Only pixels in view count. The window is moved so far that it stays within the image. Where there is no foreground
    (or none of the labels asked for), the window is around any pixel of the background; where there is no background
    either, anywhere. The recipe shows the label that was drawn, -1 for anywhere.

    Parameters
    ----------
    size : int or tuple of int, pixels
        One length for a square, ``(y, x)``, or ``(z, y, x)`` for volumes. With one or two lengths a volume keeps all
        its slices.
    positive : float
        Share of windows around a pixel of the foreground (any label above 0, each pixel as often), 0 to 1; the others
        are around a pixel of the background, label 0. The recipe shows 1 and 0.
    labels : mapping of int to float, optional
        Instead of ``positive``: how often each label is drawn, as weights, ``{0: 1, 1: 1, 2: 2}``; then one of its
        pixels. Labels that an image lacks are left out there.
    ignore : int or tuple of int, optional
        Labels above 0 that are no foreground, such as 255.
    lies : {"centre", "random"}
        Where in the window the pixel lies: in the middle, or anywhere.
    of : str, optional
        The name of the mask to go by; all that there are when left out: then a label is where any of them has it.
    missing : {"raise", "ignore"}
        What happens to samples that came without masks: an error, or a window anywhere.

    Raises
    ------
    InputError
        When an image is smaller than the window, or no masks came along.

    Targets
    -------
    Image, Mask, Boxes, Keypoints move; Label stays. Reads Mask.

    Source
    ------
    Isensee et al. (2021), "nnU-Net", Nature Methods 18: a third of the patches around foreground. `PatchSampler` draws
    patches of volumes that are not loaded whole.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> mask = np.zeros((60, 80), np.uint8)
    >>> mask[40, 70] = 1
    >>> pipe = im.Pipeline([im.LabelCrop((16, 16), positive=1.0)], seed=0)
    >>> int(pipe(image=np.zeros((60, 80)), mask=mask).mask.sum())
    1
    """

    size: Sizes = option(check=sizes)
    positive: float = option(1.0, check=number(low=0, high=1))
    labels: Mapping[int, float] | None = option(None, check=_ratios)
    ignore: tuple[int, ...] | None = option(None, check=wholes(*range(1, 257), low=1))
    lies: Lies = option("centre", check=one_of("centre", "random"))
    of: str | None = option(None, check=name_of_target)
    missing: Missing = missing_option()

    def check(self) -> None:
        if len(self.size) > 3:
            raise ParameterError(f"expected LabelCrop(size=...) to hold 1, 2 or 3 lengths, got {self.size}")
        if self.labels is not None and (self.positive != 1.0 or self.ignore is not None):
            raise ParameterError(
                "expected LabelCrop with labels, or with positive and ignore, got both; labels say it all"
            )

    def variants(self) -> float:
        """Unlimited: how many places there are depends on the image."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True, brings="size", size=self.size)

    def reads(self) -> str:
        return "masks"

    def draw(self, draws: Draws, frame: Frame) -> Op:
        d = frame.ndim
        kind, rank, at = draws.uniform(), draws.uniform(), draws.uniforms(d).T
        shape = sized(self.size, frame, "LabelCrop")
        start, shown = np.floor(at * (frame.shape - shape + 1)).astype(np.int64), np.full(frame.n, float(_NOTHING))
        content = frame.content
        known = asked(frame, self.of or "mask", "LabelCrop", self.missing, self._known)
        for row in range(frame.n) if known and content is not None else ():
            assert content is not None
            label, places = self._drawn(content, row, float(kind[row]))
            if places is not None:
                pixel = places.pick(float(rank[row]))
                start[row] = window_around(pixel, shape[row], frame.shape[row], at[row], self.lies)
                shown[row] = label
        draws.note("label", shown)
        return cut(draws, frame, start, start + shape)

    def _known(self, content: Content) -> Literal[True] | None:
        """Whether there are label maps."""
        return None if content.places(0, labelled_nowhere, self.of) is None else True

    def _drawn(self, content: Content, row: int, at: float) -> tuple[int, Places | None]:
        """A label, and where it is in view."""
        background = partial(_with_label, 0)
        if self.labels is not None:
            there = {label: weight for label, weight in self.labels.items() if weight > 0}
            found = {label: self._places(content, row, partial(_with_label, label)) for label in there}
            left = {label: weight for label, weight in there.items() if found[label] is not None}
            if left:
                ends = np.cumsum(list(left.values()))
                label = list(left)[int(np.searchsorted(ends, at * ends[-1], side="right"))]
                return label, found[label]
        elif at < self.positive:
            places = self._places(content, row, partial(_foreground, self.ignore or ()))
            if places is not None:
                return 1, places
        return 0, self._places(content, row, background)

    def _places(self, content: Content, row: int, weights: Any) -> Places | None:
        """The pixels in view; None where there is none."""
        places = content.places(row, weights, self.of)
        return places if places is not None and places.count else None


def labelled_nowhere(maps: Array) -> Array:
    """No pixel at all: to ask whether there are label maps."""
    return np.zeros(maps.shape[:-1], bool)
