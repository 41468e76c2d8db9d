"""What the images are like that transforms are generated for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.core.extras import require
from imagemill.core.ranges import Range

__all__ = ["Maker", "Setting", "Strategy"]

Strategy = Any
"""A hypothesis strategy; ``Any``, since hypothesis is optional."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the images are like that transforms are generated for.

    Parameters
    ----------
    ndim : {2, 3}
    channels : int
    orders, borders : sequence
        What geometric transforms choose from.
    least : int
        The shortest side of the images, in pixels of 1 mm.
    """

    ndim: int = 2
    channels: int = 3
    orders: Sequence[int] = (1, 1, 3)
    borders: Sequence[str] = ("nearest",)
    least: int = 6

    @property
    def st(self) -> Any:
        """``hypothesis.strategies``."""
        return require("hypothesis.strategies", extra="testing")

    @property
    def colours(self) -> int:
        """How many channels are colours: RGBA of pictures has three."""
        return 3 if self.channels == 4 and self.ndim == 2 else self.channels

    @property
    def order(self) -> Strategy:
        """Spline orders."""
        return self.st.sampled_from(self.orders)

    @property
    def plane(self) -> Strategy:
        """Planes in which something turns."""
        return self.st.sampled_from(("yx",) if self.ndim == 2 else ("yx", "zy", "zx"))

    @property
    def coin(self) -> dict[str, Strategy]:
        """The probability that a transform runs at all."""
        return {"p": self.st.sampled_from((1.0, 1.0, 0.5))}

    @property
    def free(self) -> dict[str, Strategy]:
        """What a transform that interpolates takes besides its amount."""
        return {**self.coin, **self.decided}

    @property
    def decided(self) -> dict[str, Strategy]:
        """What derived strategies leave to the setting."""
        return {"order": self.order, "border": self.st.sampled_from(self.borders)}

    def pair(self, low: float, high: float) -> Strategy:
        """Ranges within two bounds."""
        number = self.st.floats(low, high, allow_nan=False)
        return self.st.tuples(number, number).map(lambda two: Range(min(two), max(two)))

    def sides(self, low: int, high: int, *, plane: bool = False) -> Strategy:
        """Sizes ``(y, x)`` or ``(z, y, x)``."""
        return self.st.tuples(*[self.st.integers(low, high)] * (2 if plane else self.ndim))


Maker = Callable[[Setting], Strategy | None]
"""Transforms of one type for a setting; None where it has none, as hue has for gray images."""
