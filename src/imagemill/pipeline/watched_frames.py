"""Frames that remember what was asked of them, to tell which transforms go by an image's shape."""

from __future__ import annotations

from typing import Any

from imagemill.core.geometry import Floats, Frame, Ints

__all__ = ["SHAPE", "WORLD", "WatchedFrame"]

SHAPE, WORLD = 1, 2
"""What may be asked for: the shape, and where in the world the image lies."""

# What `Frame` keeps its values in, which the properties below stand in front of.
_SHAPE: Any = Frame.__dict__["shape"]
_AFFINE: Any = Frame.__dict__["affine"]
_METRIC: Any = Frame.__dict__["metric"]


class WatchedFrame(Frame):
    """A frame that remembers whether its shape or its place in the world was looked at.

    Examples
    --------
    >>> one = WatchedFrame.watching(Frame.of(4, 6, channels=3))
    >>> one.channels, one.n, one.asked
    (3, 1, 0)
    >>> one.centre.tolist(), one.asked == SHAPE
    ([[1.5, 2.5]], True)
    """

    __slots__ = ("asked",)
    asked: int

    @classmethod
    def watching(cls, frame: Frame) -> WatchedFrame:
        """The same frame, watched from now on."""
        made = cls(
            frame.axes, frame.shape, frame.affine, frame.channels, frame.dtype, frame.peak, frame.metric,
            frame.measured, frame.content, frame.chosen, frame.group,
        )  # fmt: skip
        object.__setattr__(made, "asked", 0)
        return made

    def _looked(self, at: int) -> None:
        object.__setattr__(self, "asked", getattr(self, "asked", 0) | at)

    @property
    def n(self) -> int:
        """As the frame's, which says nothing of a shape."""
        return len(_SHAPE.__get__(self))

    @property
    def shape(self) -> Ints:
        """As the frame's."""
        self._looked(SHAPE)
        found: Ints = _SHAPE.__get__(self)
        return found

    @shape.setter
    def shape(self, value: Ints) -> None:
        _SHAPE.__set__(self, value)

    @property
    def affine(self) -> Floats:
        """As the frame's."""
        self._looked(WORLD)
        found: Floats = _AFFINE.__get__(self)
        return found

    @affine.setter
    def affine(self, value: Floats) -> None:
        _AFFINE.__set__(self, value)

    @property
    def metric(self) -> Floats | None:
        """As the frame's."""
        self._looked(WORLD)
        found: Any = _METRIC.__get__(self)
        return None if found is None else found

    @metric.setter
    def metric(self, value: Floats | None) -> None:
        _METRIC.__set__(self, value)
