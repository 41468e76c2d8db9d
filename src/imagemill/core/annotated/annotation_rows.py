"""What every kind of annotation says of its rows: labels, columns, what each is known by, and what is left of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats

__all__ = ["check_rows", "known_rows", "left_rows", "some_rows"]

Numbers = npt.NDArray[np.int64]


def check_rows(target: Any, one: str) -> None:
    """Check that every column has a value for each row; ``one`` is what a row is called.

    Raises
    ------
    InputError
    """
    given = {"labels": target.labels, "indices": target.index, "visibilities": target.visibility, **target.columns}
    for name, column in given.items():
        if column is not None and len(column) != len(target):
            raise InputError(f"expected {len(target)} {name}, one per {one}, got {len(column)}")


def known_rows(target: Any) -> Numbers:
    """What each row is known by: its ``index``, or its place among those that were given."""
    return np.arange(len(target)) if target.index is None else np.asarray(target.index)


def left_rows(target: Any, kept: Numbers, share: Floats) -> dict[str, Any]:
    """All that belongs to the rows that were kept, ``(k,)``, of each of which ``share`` is left."""
    known, dropped = known_rows(target), target.dropped
    if len(kept) < len(target):
        dropped = np.concatenate([dropped, np.delete(known, kept)])
    return {
        "labels": some_rows(target.labels, kept),
        "index": known[kept],
        "columns": {name: some_rows(column, kept) for name, column in target.columns.items()},
        "visibility": share if target.visibility is None else share * np.asarray(target.visibility)[kept],
        "dropped": dropped,
    }


def some_rows(column: Any, kept: Numbers) -> Any:
    """Some rows of a column: an array of an array, a list of anything else."""
    if column is None or isinstance(column, np.ndarray):
        return column if column is None else column[kept]
    return [column[i] for i in kept.tolist()]
