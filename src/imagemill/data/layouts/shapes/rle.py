"""Run-length encoded masks (RLE): COCO's compressed text, and to and from pixels.

Format: Lin et al. (2014), "Microsoft COCO: Common Objects in Context", and the description of run-length encoding that
comes with the set. Lengths count down the columns, background first. In the compressed text each length from the fourth
on is stored as its difference to the one two before; a number is cut into groups of 5 bits, the lowest first, each in
one character of code 48 + group, with 32 added where another group follows; bit 16 of the last group is the sign.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.data.records.instances import RLE

__all__ = ["counts_from_text", "mask_from_rle", "rle_from_mask", "text_from_counts"]


def counts_from_text(text: str) -> tuple[int, ...]:
    """Decode the counts of an RLE from COCO's compressed text.

    Raises
    ------
    InputError
        When the text is cut off or holds other characters.

    Examples
    --------
    >>> counts_from_text("52203")
    (5, 2, 2, 2, 5)
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        group = ord(character) - 48
        if not 0 <= group < 64 or shift > 60:
            raise InputError(f"expected runs as characters '0' to 'o', got {character!r}; mend that annotation")
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        if len(counts) > 2:
            value += counts[-2]
        counts.append(value)
        value = shift = 0
    if shift:
        raise InputError("expected whole runs, got a text that ends within one; mend that annotation")
    return tuple(counts)


def text_from_counts(counts: tuple[int, ...]) -> str:
    """Encode the counts of an RLE as COCO's compressed text.

    Examples
    --------
    >>> text_from_counts((5, 2, 2, 2, 5))
    '52203'
    """
    letters = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            group = value & 31
            value >>= 5  # keeps the sign, so that it ends at 0 or -1
            more = value != (-1 if group & 16 else 0)
            letters.append(chr(48 + group + 32 * more))
    return "".join(letters)


def mask_from_rle(runs: RLE) -> npt.NDArray[np.bool_]:
    """Draw runs as a mask ``(height, width)``.

    Examples
    --------
    >>> mask_from_rle(RLE(2, 2, (1, 2, 1))).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    values = np.arange(len(runs.counts)) % 2 == 1
    flat: npt.NDArray[np.bool_] = np.repeat(values, np.array(runs.counts, dtype=np.int64))
    return flat.reshape(runs.width, runs.height).T


def rle_from_mask(mask: npt.NDArray[np.bool_]) -> RLE:
    """Encode a mask ``(height, width)`` as an RLE.

    Examples
    --------
    >>> rle_from_mask(np.array([[False, True], [True, False]])).counts
    (1, 2, 1)
    """
    height, width = mask.shape
    flat = np.asarray(mask, dtype=bool).T.reshape(-1)
    ends = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate(([0], ends, [flat.size]))
    counts = [int(n) for n in np.diff(edges)] if flat.size else []
    if flat.size and flat[0]:
        counts.insert(0, 0)
    return RLE(height, width, tuple(counts))
