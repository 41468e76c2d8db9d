"""The masks that Label Studio's brush makes: run lengths of the bytes of an RGBA picture, bit by bit.

Format: ``rle-pack`` of thi.ng/umbrella, which Label Studio uses. After 32 bits for the count of values, 5 bits for the
length of a value less 1, and four times 4 bits for the lengths of counts less 1, there are packets: a bit that says
whether one value is repeated, 2 bits that choose the length of the count, the count less 1, and one value or so many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imagemill.core.errors import InputError

__all__ = ["brush_mask"]


def brush_mask(packed: Sequence[Any], size: tuple[int, int]) -> Any:
    """Unpack a mask of bool ``(height, width)``: where the alpha of the brush is above 0.

    Parameters
    ----------
    packed : sequence of int
        Bytes.
    size : tuple of int
        Height and width of the picture.

    Raises
    ------
    InputError
        When it is cut off, or of another size.

    Examples
    --------
    >>> brush_mask([0, 0, 0, 8, 57, 27, 252, 255, 224], (1, 2)).tolist()
    [[True, True]]
    """
    height, width = size
    try:
        bits = np.unpackbits(np.asarray(packed, dtype=np.uint8))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"expected a brush mask as bytes, got {packed!r:.40}; export it again") from None
    reading = _Bits(bits)
    count = reading.take(32)
    if count != height * width * 4 or count > 1 << 30:
        raise InputError(f"expected a brush mask of {height} x {width} x 4 values, got {count}; export it again")
    length = reading.take(5) + 1
    lengths = [reading.take(4) + 1 for _ in range(4)]
    if length > 8:
        raise InputError(f"expected a brush mask of values of 8 bits, got {length}; export it again")
    values = np.empty(count, np.uint8)
    place = 0
    while place < count:
        repeated = reading.take(1)
        end = place + 1 + reading.take(lengths[reading.take(2)])
        if end > count:
            raise InputError(f"expected {count} values of a brush mask, got {end}; export it again")
        values[place:end] = reading.take(length) if repeated else reading.many(end - place, length)
        place = end
    return values.reshape(height, width, 4)[..., 3] > 0


class _Bits:
    """Bits that are taken from first to last."""

    def __init__(self, bits: Any) -> None:
        self.bits, self.at = bits, 0

    def _next(self, count: int) -> Any:
        end = self.at + count
        if end > len(self.bits):
            raise InputError("expected a whole brush mask, got one that is cut off; export it again")
        found = self.bits[self.at : end]
        self.at = end
        return found

    def take(self, count: int) -> int:
        """The number in so many bits."""
        return int("".join(map(str, self._next(count).tolist())), 2)

    def many(self, count: int, length: int) -> Any:
        """So many numbers of the same length of up to 8 bits."""
        rows = self._next(count * length).reshape(count, length)
        return rows @ (1 << np.arange(length)[::-1])
