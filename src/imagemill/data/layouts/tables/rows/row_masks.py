"""Label maps of several rows of one image, drawn into one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError
from imagemill.data.records.loading import load_mask, pixels_name
from imagemill.data.records.record import Pixels, Stored

__all__ = ["united"]


def united(name: str, masks: Sequence[Pixels], values: Sequence[int]) -> Stored:
    """One label map of several: where a mask is not 0, its value; the last one wins where they overlap.

    Parameters
    ----------
    name : str
        What errors call it.
    masks : sequence of Path, Blob or Stored
        Of one size.
    values : sequence of int
        One for each.

    Examples
    --------
    >>> masks = [Stored(str(n), lambda n=n: np.eye(2, dtype=np.uint8) * n, "yx") for n in (1, 255)]
    >>> united("a.png", masks, [1, 7]).fetch().tolist()
    [[7, 0], [0, 7]]
    """
    return Stored(name, partial(_drawn, name, tuple(masks), tuple(values)))


def _drawn(name: str, masks: Sequence[Pixels], values: Sequence[int]) -> np.ndarray[Any, Any]:
    drawn: np.ndarray[Any, Any] | None = None
    for where, value in zip(masks, values, strict=True):
        array = load_mask(where).array
        if drawn is None:
            drawn = np.zeros(array.shape, np.uint8 if max(values) < 256 else np.uint16)
        if array.shape != drawn.shape:
            got = f"{drawn.shape} and {array.shape} in {pixels_name(where)}"
            raise CodecError(f"{name}: expected masks of one size, got {got}; mend the table")
        drawn[array != 0] = value
    assert drawn is not None
    return drawn
