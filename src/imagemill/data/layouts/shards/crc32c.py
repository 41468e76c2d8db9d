"""CRC-32C, the checksum of TFRecord files.

The Castagnoli polynomial as in RFC 3720 (iSCSI), appendix B.4. Long data is cut into many lanes that are worked on side
by side, two bytes a step; since the checksum is linear, lanes are joined by what zeros behind a lane do to it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["crc32c", "masked_crc32c"]

_POLYNOMIAL = 0x82F63B78
_SHORT = 2048

Words = npt.NDArray[np.uint32]


@cache
def _table() -> Words:
    """What each byte does to the checksum."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ np.where(table & 1, np.uint32(_POLYNOMIAL), np.uint32(0))
    table.setflags(write=False)
    return table


@cache
def _bytes_table() -> tuple[int, ...]:
    return tuple(int(value) for value in _table())


@cache
def _pairs_table() -> Words:
    """What each pair of bytes does."""
    pairs = np.arange(1 << 16, dtype=np.uint32)
    for _ in range(2):
        pairs = _table()[pairs & 0xFF] ^ (pairs >> np.uint32(8))
    pairs.setflags(write=False)
    return pairs


@cache
def _zeros(count: int) -> Words:
    """What `count` zero bytes behind it do to a checksum, a row of 256 for each of its four bytes."""
    values = (np.arange(256, dtype=np.uint32)[None] << np.arange(0, 32, 8, dtype=np.uint32)[:, None]).astype(np.uint32)
    if count == 1:
        result: Words = _table()[values & 0xFF] ^ (values >> np.uint32(8))
    else:
        half = _zeros(count // 2)
        result = _apply(half, _apply(half, values))
        if count % 2:
            result = _apply(_zeros(1), result)
    result.setflags(write=False)
    return result


def _apply(operator: Words, values: Words) -> Words:
    low, high = operator[0][values & 0xFF], operator[1][(values >> np.uint32(8)) & 0xFF]
    joined: Words = low ^ high ^ operator[2][(values >> np.uint32(16)) & 0xFF] ^ operator[3][values >> np.uint32(24)]
    return joined


def crc32c(data: Any) -> int:
    """The CRC-32C of some bytes.

    Parameters
    ----------
    data : bytes-like

    Returns
    -------
    int
        From 0 to 2**32 - 1.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    view = memoryview(data).cast("B")
    crc = 0xFFFFFFFF
    if len(view) >= _SHORT:
        # Lanes about as many as steps, so that neither numpy's calls nor the joining take over.
        length = 1 << max(5, (len(view).bit_length() - 1) // 2 - 3)
        lanes = len(view) // length
        crc = _lanes(np.frombuffer(view[: lanes * length], dtype="<u2").reshape(lanes, -1), length, crc)
        view = view[lanes * length :]
    table = _bytes_table()
    for byte in view:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _lanes(words: npt.NDArray[np.uint16], length: int, start: int) -> int:
    """Work on the rows side by side, and join what they give."""
    table = _pairs_table()
    crcs = np.zeros(len(words), dtype=np.uint32)
    crcs[0] = start
    for column in np.ascontiguousarray(words.T):
        crcs = table[(crcs ^ column) & 0xFFFF] ^ (crcs >> np.uint32(16))
    # Neighbours are joined until one is left; an odd one in front waits as a lane of nothing before it.
    while len(crcs) > 1:
        if len(crcs) % 2:
            crcs = np.concatenate([np.zeros(1, np.uint32), crcs])
        crcs = _apply(_zeros(length), crcs[0::2]) ^ crcs[1::2]
        length *= 2
    return int(crcs[0])


def masked_crc32c(data: Any) -> int:
    """The checksum as TFRecord stores it: turned right by 15 bits, plus a constant.

    Source: the TFRecord format as described in the TensorFlow guide "TFRecord and tf.train.Example".

    Examples
    --------
    >>> masked_crc32c(b"") == 0xA282EAD8
    True
    """
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
