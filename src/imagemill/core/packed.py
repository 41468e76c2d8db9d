"""Parts of frames of any shape as one array of bits over a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

__all__ = ["Bits", "packed", "unpacked"]


def packed(parts: Sequence[Bools]) -> Bits:
    """Which pixels belong to a part of each frame, ``[n, bytes]``; rows of smaller frames end in zeros.

    Examples
    --------
    >>> packed([np.array([[True, False]]), np.ones((3, 3), bool)]).tolist()
    [[128, 0], [255, 128]]
    """
    rows = [np.packbits(part) for part in parts]
    longest = max(map(len, rows))
    return np.stack([np.pad(row, (0, longest - len(row))) for row in rows])


def unpacked(bits: Bits, shape: tuple[int, ...]) -> Bools:
    """One row as it was, a frame of a shape.

    Examples
    --------
    >>> unpacked(np.array([128, 0], np.uint8), (1, 2)).tolist()
    [[True, False]]
    """
    found: Bools = np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)
    return found
