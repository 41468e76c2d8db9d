"""Columns of Arrow out of lists: ``pyarrow.array`` loads pandas to see whether it is given something of pandas.

Loading it takes longer than preparing a small dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["flags_column", "lists_column", "long_texts_column", "numbers_column", "texts_column"]


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
    plain = np.array([0 if value is None else value for value in values], dtype)
    return pa.Array.from_buffers(pa.from_numpy_dtype(plain.dtype), len(plain), [_there(values), pa.py_buffer(plain)])


def flags_column(values: Sequence[bool | None]) -> Any:
    """Yes or no, of which some may be missing.

    Examples
    --------
    >>> flags_column([True, None, False]).to_pylist()
    [True, None, False]
    """
    return pa.Array.from_buffers(pa.bool_(), len(values), [_there(values), _bits([bool(value) for value in values])])


def long_texts_column(values: Sequence[str | None]) -> Any:
    """Texts, of which some may be missing; of any length in all.

    Examples
    --------
    >>> long_texts_column(["a", None, "é"]).to_pylist()
    ['a', None, 'é']
    """
    encoded = [b"" if value is None else value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    held = [_there(values), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), held)


def lists_column(values: Sequence[Sequence[str] | None]) -> Any:
    """Lists of texts, of which some may be missing.

    Examples
    --------
    >>> lists_column([["a", "b"], None, []]).to_pylist()
    [['a', 'b'], None, []]
    """
    ends = np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int64)
    texts = long_texts_column([text for value in values for text in value or ()])
    kind = pa.large_list(pa.large_string())
    return pa.Array.from_buffers(kind, len(values), [_there(values), pa.py_buffer(ends)], children=[texts])


def _there(values: Sequence[Any]) -> Any:
    """Which values are not missing; None where none is."""
    there = [value is not None for value in values]
    return None if all(there) else _bits(there)


def _bits(flags: Sequence[bool]) -> Any:
    return pa.py_buffer(np.packbits(np.array(flags, bool), bitorder="little"))
