"""The table of all records as a file, written some thousand rows at a time.

Columns are put together for Arrow here: a library of tables would take longer to load than a small dataset to prepare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imagemill.data.atomic import atomic_path
from imagemill.data.plain_kinds import PlainKind, in_kind
from imagemill.verbs.prepare.arrow_columns import flags_column, lists_column, long_texts_column, numbers_column

__all__ = ["write_manifest"]

_ROWS = 1 << 12
"""Of a group, which are in memory at once."""
_Column = Callable[[Sequence[Any]], Any]


def _texts(values: Sequence[str | None]) -> Any:
    """Names of files that are no UTF-8 are told as far as they can be."""
    return long_texts_column([None if v is None else v.encode("utf-8", "backslashreplace").decode() for v in values])


_COLUMNS: Mapping[str, _Column] = {
    **dict.fromkeys(("key", "split", "label"), _texts),
    "labels": lists_column,
    **dict.fromkeys(("group", "where", "checksum", "mask_checksum", "entry"), _texts),
    **dict.fromkeys(("height", "width"), partial(numbers_column, dtype=np.int32)),
    "problem": _texts,
}
_KINDS: Mapping[PlainKind, _Column] = {
    "bool": flags_column,
    "whole": partial(numbers_column, dtype=np.int64),
    "decimal": partial(numbers_column, dtype=np.float64),
    "text": _texts,
}


def write_manifest(path: Path, rows: Iterable[Mapping[str, Any]], besides: Mapping[str, PlainKind]) -> None:
    """Write the table.

    Parameters
    ----------
    path : Path
    rows : iterable of mapping
    besides : mapping
        What records have besides, and its kind.
    """
    with atomic_path(path) as part, pq.ParquetWriter(part, _table([], besides).schema, compression="zstd") as writer:
        given = iter(rows)
        for some in iter(lambda: list(islice(given, _ROWS)), []):
            writer.write_table(_table(some, besides))


def _table(rows: Sequence[Mapping[str, Any]], besides: Mapping[str, PlainKind]) -> Any:
    return pa.Table.from_arrays(*zip(*_columns(rows, besides), strict=True))


def _columns(rows: Sequence[Mapping[str, Any]], besides: Mapping[str, PlainKind]) -> Iterator[tuple[Any, str]]:
    for name, column in _COLUMNS.items():
        yield column([row.get(name) for row in rows]), name
    for name, kind in besides.items():
        values = in_kind([row["attributes"].get(name) for row in rows], kind)
        yield _KINDS[kind](values), name if name not in _COLUMNS else f"attribute.{name}"
