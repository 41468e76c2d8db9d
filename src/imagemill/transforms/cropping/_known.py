"""What crops share that go by what is in an image: boxes in view, and windows of whole pixels."""

from __future__ import annotations

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.content import Floats
from imagemill.core.errors import InputError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.ops import Affine
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.asked_content import Missing, asked
from imagemill.transforms.geometric._common import target_shape

__all__ = ["boxes_in_view", "cut", "place_around", "sized"]

# Edges that went through a matrix carry rounding errors; a millionth of a pixel is no pixel.
_HAIR = 1e-6


def boxes_in_view(frame: Frame, owner: str, missing: Missing, name: str | None) -> list[Floats]:
    """Edges ``(k, 2d)`` of the boxes of each image that are at least partly in view, cut at the frame."""
    found = asked(frame, name or "boxes", owner, missing, lambda content: content.boxes(name))
    if found is None:
        return [np.zeros((0, 2 * frame.ndim))] * frame.n
    return [edges[~np.isnan(edges).any(axis=1)] for edges in found]


def cut(draws: Draws, frame: Frame, start: Ints, stop: Ints) -> Affine:
    """A crop from a first pixel to the one behind the last, both ``[n, d]``, as the recipe shows it."""
    for axis, name in enumerate(frame.axes):
        draws.note(f"start.{name}", start[:, axis])
        draws.note(f"size.{name}", stop[:, axis] - start[:, axis])
    return Affine(geo.translation(start.astype(np.float64)), stop - start)


def sized(size: tuple[int, ...], frame: Frame, owner: str) -> Ints:
    """The shape of a window of a size, ``[n, d]``.

    Raises
    ------
    InputError
        When an image that the crop is chosen for is smaller.
    """
    shape = target_shape(size, frame, f"{owner}(size=...)")
    small = np.any(shape > frame.shape, axis=1) & (True if frame.chosen is None else frame.chosen)
    if small.any():
        raise InputError(
            f"expected images of at least {tuple(shape[small][0].tolist())} for {owner}(size={size}), "
            f"got {tuple(frame.shape[small][0].tolist())}; put Pad or Resize before it"
        )
    # Rows that the crop is not chosen for are not cut at all.
    return np.minimum(shape, frame.shape)


def place_around(low: Floats, high: Floats, side: Ints, length: Ints, at: Floats) -> Ints:
    """First pixels ``(d,)`` of a window, uniform over those at which it shows all of something, or nothing else.

    Parameters
    ----------
    low, high : array ``(d,)``
        Edges of the thing.
    side, length : array of int ``(d,)``
        Of the window, and of the frame.
    at : array ``(d,)``
        Numbers within (0, 1).
    """
    first = np.ceil(high + 0.5 - side - _HAIR)
    last = np.floor(low + 0.5 + _HAIR)
    # A thing longer than the window fills it: then the two change places.
    first, last = np.minimum(first, last), np.maximum(first, last)
    first, last = np.clip(first, 0, length - side), np.clip(last, 0, length - side)
    found: Ints = np.floor(first + at * (last - first + 1)).astype(np.int64)
    return found
