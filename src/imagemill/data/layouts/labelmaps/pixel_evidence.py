"""What a few files show: label maps, or photos that only their names make look like label maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imagemill.core.errors import ImagemillError
from imagemill.data.codecs.base import Picture, ReadOptions
from imagemill.data.codecs.registry import decode

__all__ = ["Shown", "shown_by"]

_LARGEST = 1 << 23
_PIXELS = 1 << 25
_FEW = 64
"""So many values or colours make a label map whatever the pixels look like."""
_FLAT, _NOISY = 0.6, 0.2
"""A label map has regions: this share of its pixels is equal to its neighbour. Of photos half have less than 0.06, one
in ten has more than 0.2, and none of many had 0.45. What lies between is not judged where JPEG may have blurred it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What was seen in a few files.

    Parameters
    ----------
    labels : bool or None
        Whether they are label maps; None where none could be read.
    colours : bool
        Whether classes are told by colours that differ between channels.
    """

    labels: bool | None = None
    colours: bool = False


def shown_by(paths: Sequence[Path], count: int = 3) -> Shown:
    """Look into a few of some files, small ones only.

    Examples
    --------
    >>> shown_by([])
    Shown(labels=None, colours=False)
    """
    some = [paths[n * len(paths) // count] for n in range(count)] if len(paths) > count else list(paths)
    votes, colours = [], False
    for path in some:
        try:
            if path.stat().st_size > _LARGEST:
                continue
            picture = decode(path, ReadOptions(labels=True, max_pixels=_PIXELS))
        except (ImagemillError, OSError):  # whoever reads it for its pixels says what is wrong with it
            continue
        vote, coloured = _judged(picture)
        votes += [] if vote is None else [vote]
        colours |= coloured
    if not votes:
        return Shown(None, colours)
    return Shown(2 * sum(votes) > len(votes), colours)


def _judged(picture: Picture) -> tuple[bool | None, bool]:
    """Whether it is a label map, and whether its channels differ."""
    array = picture.array
    if picture.channels in (2, 4):
        array = array[..., :-1]
    if array.dtype.kind == "b":
        return True, False
    if array.dtype.kind == "f":
        if not (np.isfinite(array).all() and (array == np.rint(array)).all()):
            return False, False
        array = array.astype(np.int64)
    differ = False
    if picture.channels is not None:
        differ = bool(np.any(array != array[..., :1]))
        wide = array.astype(np.int64)
        array = wide[..., 0]
        for channel in range(1, wide.shape[-1] if differ else 1):
            array = (array << 16) + wide[..., channel]
    if len(np.unique(array)) <= min(_FEW, max(2, array.size // 4)):
        return True, differ
    flat = float(np.mean(array[..., 1:] == array[..., :-1]))
    if picture.meta.get("format") == "jpeg" and _NOISY <= flat < _FLAT:
        return None, differ
    return flat >= _FLAT, differ
