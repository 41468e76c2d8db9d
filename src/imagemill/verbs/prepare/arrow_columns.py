"""Columns of Arrow out of lists: ``pyarrow.array`` loads pandas to see whether it is given something of pandas.

Loading it takes longer than preparing a small dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["numbers_column", "texts_column"]


def texts_column(values: Sequence[str]) -> Any:
    """Texts, none of them missing.

    Examples
    --------
    >>> texts_column(["a", "", "é"]).to_pylist()
    ['a', '', 'é']
    """
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))


def numbers_column(values: Sequence[Any], dtype: npt.DTypeLike) -> Any:
    """Numbers, of which some may be missing.

    Parameters
    ----------
    values : sequence of numbers and None
    dtype : dtype

    Examples
    --------
    >>> numbers_column([3, None, 1], "uint8").to_pylist()
    [3, None, 1]
    """
    there = np.array([value is not None for value in values], bool)
    plain = np.array([0 if value is None else value for value in values], dtype)
    bits = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(plain.dtype), len(plain), [bits, pa.py_buffer(plain)])
