"""Where a picture comes to lie in the frame that all pictures of a dataset share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError

if TYPE_CHECKING:
    from imagemill.pipeline.pipeline import Pipeline
    from imagemill.transforms.base import Transform

__all__ = ["Fit", "Placing", "check_fit", "place", "read_size"]

Fit = Literal["crop", "pad", "stretch"]


@dataclass(frozen=True, slots=True)
class Placing:
    """A window of whole pixels, the size it is scaled to, and the empty pixels before it in the frame.

    All in the order of the spatial axes. Pixels, label maps, boxes and points go by these whole numbers alone, and
    agree for that reason.

    Parameters
    ----------
    start, stop : tuple of int
        First pixel of the window, and the one after the last.
    inner : tuple of int
        Size of the window in the frame.
    before : tuple of int
        Empty pixels before it.
    frame : tuple of int
        Size of the frame.

    Examples
    --------
    >>> place((300, 500), (200, 200), "crop")
    Placing(start=(0, 100), stop=(300, 400), inner=(200, 200), before=(0, 0), frame=(200, 200))
    >>> place((300, 500), (200, 200), "pad")
    Placing(start=(0, 0), stop=(300, 500), inner=(120, 200), before=(40, 0), frame=(200, 200))
    """

    start: tuple[int, ...]
    stop: tuple[int, ...]
    inner: tuple[int, ...]
    before: tuple[int, ...]
    frame: tuple[int, ...]

    @property
    def window(self) -> tuple[int, ...]:
        """Size of the window in the picture."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    def pull(self) -> npt.NDArray[np.float64]:
        """Frame index to picture index, ``(d+1, d+1)``; outer edges of the window stay outer edges."""
        matrix = np.eye(len(self.frame) + 1)
        for axis, (first, window, inner, before) in enumerate(
            zip(self.start, self.window, self.inner, self.before, strict=True)
        ):
            scale = window / inner
            matrix[axis, axis] = scale
            matrix[axis, -1] = first - 0.5 + scale * (0.5 - before)
        return matrix

    def pipeline(self, picture: tuple[int, ...]) -> Pipeline:
        """The same as transforms, for label maps, boxes and points of a picture of that size."""
        return _pipeline(self, picture)


@lru_cache(maxsize=256)
def _pipeline(placing: Placing, picture: tuple[int, ...]) -> Pipeline:
    # Most datasets have neither label maps nor boxes, and are prepared without any of the engine.
    from imagemill.pipeline.pipeline import Pipeline
    from imagemill.transforms.geometric.crop import Crop
    from imagemill.transforms.geometric.pad import Pad
    from imagemill.transforms.geometric.resize import Resize

    steps: list[Transform] = []
    if placing.window != picture:
        steps.append(Crop(box=(*placing.start, *placing.stop)))
    if placing.inner != placing.window:
        steps.append(Resize(placing.inner))
    if placing.inner != placing.frame:
        after = tuple(f - b - i for f, b, i in zip(placing.frame, placing.before, placing.inner, strict=True))
        steps.append(Pad((*placing.before, *after)))
    return Pipeline(steps, seed=0)


@lru_cache(maxsize=256)
def place(shape: tuple[int, ...], frame: tuple[int, ...], fit: Fit) -> Placing:
    """Place a picture of a shape in a frame.

    Parameters
    ----------
    shape, frame : tuple of int
        Over the spatial axes, in array order.
    fit : {"crop", "pad", "stretch"}
        Cover the frame and cut off what juts out on both sides; fit all in and centre it; or let proportions go.
        A window of whole pixels may change the proportions by up to half a pixel of its shorter side.

    Returns
    -------
    Placing
    """
    nothing = (0,) * len(shape)
    if fit == "stretch" or shape == frame:
        return Placing(nothing, shape, frame, nothing, frame)
    ratios = [s / f for s, f in zip(shape, frame, strict=True)]
    if fit == "crop":
        window = tuple(min(s, max(1, round(min(ratios) * f))) for s, f in zip(shape, frame, strict=True))
        start = tuple((s - w) // 2 for s, w in zip(shape, window, strict=True))
        stop = tuple(a + w for a, w in zip(start, window, strict=True))
        return Placing(start, stop, frame, nothing, frame)
    inner = tuple(min(f, max(1, round(s / max(ratios)))) for s, f in zip(shape, frame, strict=True))
    before = tuple((f - i) // 2 for f, i in zip(frame, inner, strict=True))
    return Placing(nothing, shape, inner, before, frame)


def read_size(size: int | tuple[int, ...] | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The frame for pictures of a rank: one length is a square, one or two leave a volume its slices.

    Raises
    ------
    InputError
        When there are more lengths than axes.

    Examples
    --------
    >>> read_size(224, (375, 500)), read_size((64, 64), (20, 512, 512)), read_size(None, (20, 512, 512))
    ((224, 224), (20, 64, 64), (20, 512, 512))
    """
    if size is None:
        return shape
    lengths = (size, size) if isinstance(size, int) else tuple(size)
    lengths = lengths * 2 if len(lengths) == 1 else lengths
    if len(lengths) > len(shape):
        raise InputError(f"expected size as (y, x) for pictures, got {lengths}; three lengths are for volumes")
    return (*shape[: len(shape) - len(lengths)], *lengths)


def check_fit(fit: str) -> None:
    """Refuse another word.

    Raises
    ------
    InputError
    """
    if fit not in get_args(Fit):
        raise InputError(f"expected fit to be one of {', '.join(get_args(Fit))}, got {fit!r}; choose one of these")
