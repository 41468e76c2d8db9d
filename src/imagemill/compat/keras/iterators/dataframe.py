"""Batches from a table of file names: a pandas or Polars data frame, or columns by name."""

from __future__ import annotations

import logging
import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from imagemill.compat.keras.defaults import FORMATS, ArgumentTypeError, Array, dtype_or_default
from imagemill.compat.keras.iterators.files import FileIterator, Reading, mask_paths, two
from imagemill.compat.keras.iterators.saving import Saving
from imagemill.compat.keras.pictures import validate_filename
from imagemill.core.errors import InputError, ParameterError

__all__ = ["DataFrameIterator"]

_log = logging.getLogger("imagemill.compat.keras")
_UNCLASSED = ("input", "multi_output", "raw", None)


class DataFrameIterator(FileIterator):
    """Batches of transformed pictures from a table of file names.

    Parameters
    ----------
    dataframe : pandas or Polars data frame, or mapping from column name to values
    directory : str or Path, optional
        What relative names are relative to.
    image_data_generator : ImageDataGenerator, optional
    x_col : str
        Column of file names.
    y_col : str or list of str
        Column of labels; several with ``"multi_output"`` and ``"raw"``.
    weight_col : str, optional
        Column of sample weights.
    classes : sequence of str, optional
        Labels to keep, in the order of their numbers.
    class_mode : {"categorical", "binary", "sparse", "input", "raw", "multi_output", None}
        One-hot rows (also of lists of labels), numbers, the picture itself, the columns as they are, a list of
        columns, or no label.
    validate_filenames : bool
        Leave names out that are no picture files, with a warning.
    workers, mask_directory, mask_cval, upright, key_by
        As for :class:`DirectoryIterator`.
    target_size, color_mode, batch_size, shuffle, seed, data_format, save_to_dir, save_prefix, save_format, subset
        As for :class:`DirectoryIterator`.
    interpolation, keep_aspect_ratio, dtype
        As for :class:`DirectoryIterator`.

    Raises
    ------
    ArgumentTypeError
        For columns of the wrong kind; also a ``TypeError``.
    ParameterError, InputError
        For an unknown mode, a missing column, or a binary label that has not two values.

    Warns
    -----
    UserWarning
        For names that are left out, and for classes that are of no use in the mode.
    """

    allowed_class_modes: ClassVar[set[str | None]] = {
        "binary",
        "categorical",
        "input",
        "multi_output",
        "raw",
        "sparse",
        None,
    }

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str = "channels_last",
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = "float32",
        validate_filenames: bool = True,
        *,
        workers: int = 1,
        mask_directory: Any = None,
        mask_cval: int = 0,
        upright: bool = False,
        key_by: str = "position",
    ) -> None:
        reading = Reading(two(target_size), color_mode, data_format, interpolation, keep_aspect_ratio, upright)
        saving = Saving(save_to_dir, save_prefix, save_format)
        self._set(image_data_generator, reading, dtype_or_default(dtype).name, saving, subset, mask_cval)
        self.directory, self.class_mode = directory or "", class_mode
        if class_mode not in self.allowed_class_modes:
            known = ", ".join(sorted(map(repr, self.allowed_class_modes)))
            raise ParameterError(f"Invalid class_mode: {class_mode!r}; expected one of: {known}")
        if class_mode == "multi_output" and not isinstance(y_col, list):
            raise ArgumentTypeError(f'If class_mode="multi_output", y_col must be a list of columns, got {y_col!r}')
        labelled = class_mode not in _UNCLASSED
        wanted = [x_col, *([weight_col] if weight_col else [])]
        if labelled or class_mode in ("multi_output", "raw"):
            wanted += y_col if isinstance(y_col, list) else [y_col]
        table = _columns(dataframe, wanted)
        self._check(table, x_col, y_col, weight_col, classes)
        rows = list(range(len(table[x_col])))
        keys = _keys(table[x_col])
        if validate_filenames:
            rows = self._valid(table[x_col], x_col)
        if labelled:
            rows, table[y_col], found = _classed(table[y_col], rows, classes, y_col)
            self.class_indices = {name: i for i, name in enumerate(found)}
        if self.split:
            start, stop = (int(share * len(rows)) for share in self.split)
            rows = rows[start:stop]
        if labelled:
            self.classes = [_number(table[y_col][i], self.class_indices) for i in rows]
        self.filenames = [table[x_col][i] for i in rows]
        self._sample_weight = None if not weight_col else np.array([table[weight_col][i] for i in rows])
        self._targets = _targets(table, y_col, rows, class_mode)
        self.samples = len(rows)
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self._mask_paths = None if mask_directory is None else mask_paths(mask_directory, self.filenames)
        checked = "checked" if validate_filenames else "unchecked"
        classed = f" of {len(self.class_indices)} classes" if labelled else ""
        _log.info("found %d %s file names%s", self.samples, checked, classed)
        seed = getattr(image_data_generator, "seed", None) if seed is None else seed
        # Rows are numbered in the table as given, so that a subset or a missing file changes no draws.
        chosen = [keys[i] for i in rows] if key_by == "name" else rows
        super().__init__(self.samples, batch_size, shuffle, seed, workers=workers, keys=chosen)

    def _check(self, table: Mapping[str, list[Any]], x_col: str, y_col: Any, weight_col: Any, classes: Any) -> None:
        mode = self.class_mode
        if not all(isinstance(name, str) for name in table[x_col]):
            raise ArgumentTypeError(
                f"All values in column x_col={x_col} must be strings: names of files, got other values"
            )
        if mode in ("binary", "sparse") and not all(isinstance(label, str) for label in table[y_col]):
            raise ArgumentTypeError(f"expected labels as text in the column {y_col!r} for {mode}, got other values")
        if mode == "binary":
            number = len(set(classes)) if classes else len(set(table[y_col]))
            if number != 2:
                raise InputError(f'If class_mode="binary" there must be 2 classes, got {number}')
        if mode == "categorical" and not all(isinstance(label, str | list | tuple) for label in table[y_col]):
            raise ArgumentTypeError(f"expected labels as text or lists of text in the column {y_col!r} for categorical")
        if classes and mode in _UNCLASSED:
            warnings.warn(f"classes are of no use with class_mode={mode!r} and are left out", stacklevel=4)
        if weight_col:
            kinds = {np.asarray(weight).dtype.kind for weight in table[weight_col]}
            if not kinds <= set("iuf"):
                raise ArgumentTypeError(f"Column weight_col={weight_col} must be numeric, got other values")

    def _valid(self, names: list[str], x_col: str) -> list[int]:
        """Rows whose file is a picture that is there."""
        valid = [i for i, n in enumerate(names) if validate_filename(os.path.join(self.directory, n), FORMATS)]
        if len(valid) < len(names):
            lost = next(n for i, n in enumerate(names) if i not in set(valid))
            warnings.warn(
                f"{len(names) - len(valid)} file names in the column {x_col!r} are no picture files and are left "
                f"out, the first of them {lost!r}",
                stacklevel=4,
            )
        return valid

    @property
    def labels(self) -> Any:
        """The class number (or numbers) of each picture, or the columns as they are."""
        return self._targets if self.class_mode in ("multi_output", "raw") else self.classes

    @property
    def sample_weight(self) -> Array | None:
        """The weight of each picture, if any."""
        return self._sample_weight


def _columns(frame: Any, wanted: Sequence[str]) -> dict[str, list[Any]]:
    """The wanted columns as lists of plain values.

    Raises
    ------
    ArgumentTypeError, InputError
    """
    known = getattr(frame, "columns", None) if not isinstance(frame, Mapping) else list(frame)
    if known is None:
        raise ArgumentTypeError(f"expected a pandas or Polars data frame, got {type(frame).__name__}")
    missing = [name for name in wanted if name not in list(known)]
    if missing:
        raise InputError(f"expected the columns {', '.join(map(repr, wanted))}, got {', '.join(map(repr, known))}")
    table = {}
    for name in wanted:
        column = frame[name]
        # Polars says to_list, pandas and numpy tolist; Polars gives lists within as lists.
        values = column.to_list() if hasattr(column, "to_list") else list(column)
        table[name] = [v.tolist() if isinstance(v, np.ndarray) else v for v in values]
    if len({len(values) for values in table.values()}) > 1:
        raise InputError(f"expected columns of one length, got { ({n: len(v) for n, v in table.items()}) }")
    return table


def _classed(
    labels: list[Any], rows: list[int], classes: Sequence[str] | None, y_col: str
) -> tuple[list[int], list[Any], list[str]]:
    """Rows that have a class, labels with the classes that count, and these classes in order."""
    if classes:
        found = list(dict.fromkeys(classes))
        known = set(found)
        labels = [
            [name for name in label if name in known] if isinstance(label, list | tuple) else label for label in labels
        ]
        rows = [i for i in rows if (bool(labels[i]) if isinstance(labels[i], list) else labels[i] in known)]
        return rows, labels, found
    every = {name for i in rows for name in (labels[i] if isinstance(labels[i], list | tuple) else [labels[i]])}
    if not all(isinstance(name, str) for name in every):
        raise ArgumentTypeError(f"expected labels as text in the column {y_col!r}, got other values")
    return rows, labels, sorted(every)


def _number(label: Any, indices: Mapping[str, int]) -> Any:
    return [indices[name] for name in label] if isinstance(label, list | tuple) else indices[label]


def _targets(table: Mapping[str, list[Any]], y_col: Any, rows: list[int], mode: str | None) -> Any:
    """What ``raw`` and ``multi_output`` hand over."""
    if mode == "multi_output":
        return [np.array([table[name][i] for i in rows]) for name in y_col]
    if mode != "raw":
        return None
    if isinstance(y_col, list):
        return np.array([[table[name][i] for name in y_col] for i in rows])
    return np.array([table[y_col][i] for i in rows])


def _keys(names: Sequence[str]) -> list[str]:
    """Names as keys: a file that is listed again gets a key of its own."""
    seen: Counter[str] = Counter()
    keys = []
    for name in names:
        seen[name] += 1
        keys.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return keys
