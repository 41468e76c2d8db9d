"""Random numbers counted by pixel: each is a function of the sample's stream, a field and its own number in that field.

The generator is Philox4x32-10 with the sample's stream as key (:meth:`~imagemill.core.randomness.rng.Draws.stream`) and

==========  =================================================================
counter 0   number of the block, low 32 bits
counter 1   number of the block, high 32 bits
counter 2   field: 0 for a number each value, 1 for a number each pixel
counter 3   0
==========  =================================================================

A block holds four numbers of 32 bits, or eight of 16 bits, the low half of a word first. Normal numbers are made of 16
bits: 65,536 different ones, the quantiles at the middles of as many equal shares, out to 4.3 standard deviations. That
is finer than any picture, and a look into a table is all that such a number costs.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from imagemill.core.randomness.rng import Floats, Words, philox4x32, unit
from imagemill.core.ranges import normal_quantile

__all__ = ["EACH_PIXEL", "EACH_VALUE", "normal", "normal_table", "uniform", "words"]

EACH_VALUE, EACH_PIXEL = 0, 1
"""Fields."""


def words(stream: Words, field: int, count: int) -> Words:
    """The first ``count`` blocks of a field, ``[count, 4]``.

    Parameters
    ----------
    stream : array of uint32, ``[2]``
    field : int
    count : int
    """
    block = np.arange(count, dtype=np.uint64)
    counter = np.zeros((count, 4), np.uint32)
    counter[:, 0], counter[:, 1] = block & np.uint64(0xFFFFFFFF), block >> np.uint64(32)
    counter[:, 2] = field
    return philox4x32(counter, (int(stream[0]), int(stream[1])))


def uniform(stream: Words, field: int, count: int) -> Floats:
    """The first ``count`` numbers of a field, strictly inside (0, 1), ``[count]``.

    Examples
    --------
    >>> uniform(np.zeros(2, np.uint32), EACH_VALUE, 5).round(3)
    array([0.399, 0.881, 0.736, 0.605, 0.972])
    """
    return unit(words(stream, field, -(-count // 4)).reshape(-1)[:count])


def normal(stream: Words, field: int, count: int, table: Floats | None = None) -> Floats:
    """The first ``count`` standard normal numbers of a field, ``[count]``; of another table of as many if one is given.

    Examples
    --------
    >>> normal(np.zeros(2, np.uint32), EACH_VALUE, 4).round(3)
    array([ 1.338, -0.256,  0.744,  1.178])
    """
    found = words(stream, field, -(-count // 8)).reshape(-1)
    halves = np.stack([found & np.uint32(0xFFFF), found >> np.uint32(16)], axis=1).reshape(-1)[:count]
    made: Floats = (normal_table() if table is None else table)[halves]
    return made


@cache
def normal_table() -> Floats:
    """The 65,536 normal numbers, ascending, of mean 0 and variance 1."""
    table = normal_quantile((np.arange(1 << 16) + 0.5) / (1 << 16))
    table /= np.sqrt(np.mean(table**2))
    table.flags.writeable = False
    return table
