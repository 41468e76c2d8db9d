"""What the frames of a video show taken together, so that all of them are moved alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imagemill.core.content import Content, Extent, Places, Wanted, Weights, labelled
from imagemill.core.geometry import Floats

__all__ = ["ClipView"]

Array = np.ndarray[Any, Any]


class ClipView:
    """The content of frames, for all frames of their video: :class:`imagemill.core.content.Content`.

    Parameters
    ----------
    view : Content
        Of the single frames.
    together : int
        How many frames in a row are one video.
    """

    def __init__(self, view: Content, together: int) -> None:
        self._view, self._together = view, together

    def _frames(self, row: int) -> range:
        first = row - row % self._together
        return range(first, first + self._together)

    def extent(self, wanted: Wanted = labelled, name: str | None = None) -> Extent | None:
        """Outer edges of what is wanted in any frame of the video."""
        found = self._view.extent(wanted, name)
        if found is None:
            return None
        low, high = (ends.reshape(-1, self._together, ends.shape[-1]) for ends in found)
        # Frames without any foreground have ends that are no numbers, and say nothing.
        united = np.fmin.reduce(low, axis=1), np.fmax.reduce(high, axis=1)
        return np.repeat(united[0], self._together, axis=0), np.repeat(united[1], self._together, axis=0)

    def boxes(self, name: str | None = None) -> tuple[Floats, ...] | None:
        """The boxes of all frames of the video."""
        found = self._view.boxes(name)
        if found is None:
            return None
        return tuple(np.concatenate([found[i] for i in self._frames(row)]) for row in range(len(found)))

    def places(self, row: int, weights: Weights, name: str | None = None) -> Places | None:
        """The pixels of all frames of the video."""
        found = [self._view.places(i, weights, name) for i in self._frames(row)]
        known = [places for places in found if places is not None]
        return UnitedPlaces(known) if known else None

    def maps(self, row: int, name: str | None = None) -> Array | None:
        """The label maps of the frame itself."""
        return self._view.maps(row, name)


class UnitedPlaces:
    """Pixels of several frames: :class:`imagemill.core.content.Places`.

    Parameters
    ----------
    parts : sequence of Places
    """

    __slots__ = ("_ends", "_parts")

    def __init__(self, parts: Sequence[Places]) -> None:
        self._parts, self._ends = parts, np.cumsum([part.count for part in parts])

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self._ends[-1])

    def pick(self, at: float) -> Floats:
        """One of them: a frame, as often as it has pixels, then one of its own."""
        place = at * self.count
        which = min(int(np.searchsorted(self._ends, place, side="right")), len(self._parts) - 1)
        part = self._parts[which]
        return part.pick(min(max((place - (self._ends[which] - part.count)) / part.count, 0.0), np.nextafter(1, 0)))
