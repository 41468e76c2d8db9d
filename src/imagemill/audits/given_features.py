"""Features that come from elsewhere in place of those learnt from the images: a table by key, a model, a function."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import polars as pl

from imagemill.audits.glance import to_rgb8
from imagemill.audits.onnx_features import onnx_model
from imagemill.core.errors import InputError
from imagemill.core.interrupts import as_interrupts
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.records.loading import load_picture
from imagemill.data.records.record import Record

__all__ = ["GivenFeatures", "given_features", "squared"]

Array = npt.NDArray[Any]
Model = Callable[[Array], Any]
Step = Callable[[int], None]

_SIDE = 224
_AT_ONCE = 32
_TABLES = (".npy", ".npz", ".parquet", ".csv")
_KEYS = ("key", "keys", "path", "file", "filename", "image", "id", "name")


@dataclass(frozen=True, slots=True, eq=False)
class GivenFeatures:
    """Features of records.

    Parameters
    ----------
    name : str
        What messages call them.
    table : mapping of int to array, or None
        Features by the row of the dataset.
    model : callable or None
        Takes images ``[n, side, side, 3]`` uint8 and gives features ``[n, d]``; asked in place of a table.
    side : int
        Of the images that the model takes, pixels.
    options : ReadOptions
    """

    name: str
    rows: npt.NDArray[np.int64] | None = None
    values: npt.NDArray[np.float32] | None = None
    model: Model | None = None
    side: int = _SIDE
    options: ReadOptions = field(default_factory=ReadOptions)

    def of(
        self, records: Sequence[Record], rows: npt.NDArray[np.int64], *, workers: int = 1, step: Step | None = None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Features of rows ``[m, d]``, and those of the rows that have some.

        Raises
        ------
        InputError
            When a model gives what are no features.
        """
        if self.model is None:
            assert self.rows is not None
            assert self.values is not None
            here = np.isin(self.rows, rows)
            return self.values[here], self.rows[here]
        found, read = [], partial(squared, side=self.side, options=self.options)
        with as_interrupts(), ThreadPoolExecutor(workers) as pool:
            for at in range(0, len(rows), _AT_ONCE):
                some = rows[at : at + _AT_ONCE].tolist()
                images = np.stack(list(pool.map(read, [records[row] for row in some])))
                found.append(_checked(self.model(images), len(some), self.name))
                if step is not None:
                    step(len(some))
        values = np.concatenate(found) if found else np.empty((0, 0), np.float32)
        _finite(values, [records[row].key for row in rows.tolist()], self.name)
        return values, rows


def squared(record: Record, *, side: int, options: ReadOptions) -> Array:
    """An image squashed to ``[side, side, 3]`` uint8, decoded no larger than it has to be."""
    rgb, _ = to_rgb8(load_picture(record.image, ReadOptions(axes=options.axes, at_least=(side, side))))
    fewer = cv2.INTER_AREA if min(rgb.shape[:2]) >= side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=fewer))


def given_features(given: Any, records: Sequence[Record], options: ReadOptions | None = None) -> GivenFeatures:
    """What ``features=`` was given, checked against the images before anything is looked at.

    Parameters
    ----------
    given : Path, str, array or callable
        A file ``.npy``, ``.npz``, ``.parquet`` or ``.csv``: one row an image in the order of the dataset, or in any
        order with a column of keys. An ``.onnx`` file whose output is features. An array ``[n, d]`` in the order of
        the dataset. A function of images ``[n, 224, 224, 3]`` uint8 that gives ``[n, d]``.
    records : sequence of Record
    options : ReadOptions, optional

    Raises
    ------
    InputError
        For what is none of these, features that are not finite, or keys that no image has.
    MissingExtra
        For an ONNX file without onnxruntime.
    """
    options = options or ReadOptions()
    if isinstance(given, str | Path):
        path = Path(given)
        if not path.is_file():
            raise InputError(f"expected a file of features, got {str(path)!r}, which is none; check its name")
        if path.suffix.lower() == ".onnx":
            model, side = onnx_model(path)
            return GivenFeatures(path.name, model=model, side=side or _SIDE, options=options)
        if path.suffix.lower() not in _TABLES:
            raise InputError(
                f"expected features as {', '.join(_TABLES)} or .onnx, got {path.name!r}; write them as one of these"
            )
        keys, values = _read(path)
        return _by_row(path.name, keys, values, records)
    if callable(given) and not hasattr(given, "__array__"):
        return GivenFeatures(getattr(given, "__name__", type(given).__name__), model=given, options=options)
    return _by_row("the array of features", None, np.asarray(given), records)


def _read(path: Path) -> tuple[list[str] | None, Array]:
    try:
        if path.suffix.lower() == ".npy":
            return None, np.load(path, allow_pickle=False)
        if path.suffix.lower() == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return _of_arrays(path.name, {name: arrays[name] for name in arrays.files})
        table = pl.read_csv(path, infer_schema_length=None) if path.suffix.lower() == ".csv" else pl.read_parquet(path)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"expected features in {path.name}, got what cannot be read: {said}") from error
    return _of_table(path.name, table)


def _of_arrays(name: str, arrays: dict[str, Array]) -> tuple[list[str] | None, Array]:
    tables = {key: one for key, one in arrays.items() if one.ndim == 2 and one.dtype.kind in "fiu"}
    texts = [one for one in arrays.values() if one.ndim == 1 and one.dtype.kind == "U"]
    if len(tables) != 1 or len(texts) > 1:
        shapes = ", ".join(f"{key} {one.dtype} {one.shape}" for key, one in arrays.items()) or "none"
        raise InputError(f"expected one array [n, d] of numbers and at most one of keys in {name}, got {shapes}")
    return (texts[0].tolist() if texts else None), next(iter(tables.values()))


def _of_table(name: str, table: pl.DataFrame) -> tuple[list[str] | None, Array]:
    texts = [column for column in table.columns if table[column].dtype == pl.String]
    keys = next((c for wanted in _KEYS for c in texts if c.lower() == wanted), texts[0] if len(texts) == 1 else None)
    rest = table.drop([keys] if keys is not None else [])
    lists = [column for column in rest.columns if isinstance(rest[column].dtype, pl.List | pl.Array)]
    numbers = [column for column in rest.columns if rest[column].dtype.is_numeric()]
    if len(lists) == 1 and not numbers:
        try:
            values = np.array(rest[lists[0]].to_list(), np.float64)
        except (ValueError, TypeError) as error:
            raise InputError(f"expected lists of one length in column {lists[0]!r} of {name}, got others") from error
    elif numbers and not lists and len(numbers) == rest.width:
        values = rest.cast(pl.Float64).to_numpy()
    else:
        raise InputError(
            f"expected {name} to have a column of keys and columns of numbers, or one of lists, got "
            f"{', '.join(f'{c} {table[c].dtype}' for c in table.columns[:8])}"
        )
    return (table[keys].to_list() if keys is not None else None), values


def _by_row(name: str, keys: list[str] | None, values: Array, records: Sequence[Record]) -> GivenFeatures:
    """Features by the row of the dataset."""
    if values.ndim != 2 or values.dtype.kind not in "fiu" or not values.shape[1]:
        raise InputError(
            f"expected {name} to be numbers [n, d], got {values.dtype} {values.shape}; give a row an image"
        )
    if keys is None:
        if len(values) != len(records):
            raise InputError(
                f"expected a row of {name} for each of {len(records):,} images, got {len(values):,}; "
                "give as many, or a column of keys"
            )
        keys = [record.key for record in records]
    row_of = {record.key: row for row, record in enumerate(records)}
    if len(set(keys)) < len(keys):
        twice = next(key for n, key in enumerate(keys) if key in keys[:n])
        raise InputError(f"expected each key once in {name}, got {twice!r} twice; leave one row of each")
    known = [(row_of[key], n) for n, key in enumerate(keys) if key in row_of]
    if not known:
        raise InputError(
            f"expected keys such as {records[0].key!r} in {name}, got {keys[0]!r}; "
            "write the key of each image, as --json lists them"
        )
    rows, places = (np.array(part, np.int64) for part in zip(*sorted(known), strict=True))
    found = values[places].astype(np.float32)
    _finite(found, [records[row].key for row in rows.tolist()], name)
    return GivenFeatures(name, rows, found)


def _checked(values: Any, count: int, name: str) -> npt.NDArray[np.float32]:
    found = np.asarray(values)
    if found.ndim != 2 or len(found) != count or found.dtype.kind not in "fiu":
        raise InputError(f"expected {name} to give numbers [{count}, d], got {found.dtype} {found.shape}")
    return found.astype(np.float32)


def _finite(values: Array, keys: Sequence[str], name: str) -> None:
    wrong = list(_not_finite(values, keys))
    if wrong:
        more = f" and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        raise InputError(
            f"expected finite features in {name}, got NaN or infinity for {wrong[0]!r}{more}; "
            "leave these rows out, or compute them anew"
        )


def _not_finite(values: Array, keys: Sequence[str]) -> Iterator[str]:
    for row in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
        yield keys[row]
