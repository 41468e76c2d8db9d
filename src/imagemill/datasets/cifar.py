"""The binary version of CIFAR-10: rows of one byte for the class and 3,072 for the pixels.

Source: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html: the label, then 1,024 bytes each of red, green and
blue, row by row; 10,000 such rows in each of five training files and one test file. There are no pickles in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import SourceError
from imagemill.data.codecs.base import problem
from imagemill.data.layouts.base import Problem, Source
from imagemill.data.records.record import Record, Stored

__all__ = ["FILES", "cifar_source"]

_SIDE = 32
_ROW = 1 + 3 * _SIDE * _SIDE
FILES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
"""The files that must be there."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One image: its file is opened when it is asked for, so that a record weighs nothing."""

    path: Path
    number: int

    def __call__(self) -> np.ndarray[Any, Any]:
        again = "get the file again"
        try:
            with self.path.open("rb") as file:
                file.seek(self.number * _ROW + 1)
                data = file.read(_ROW - 1)
        except OSError as error:
            raise problem(self.path, "a readable file", str(error), again) from error
        if len(data) != _ROW - 1:
            raise problem(self.path, f"{_ROW - 1:,} bytes for image {self.number}", f"{len(data):,}", again)
        planes = np.frombuffer(data, np.uint8).reshape(3, _SIDE, _SIDE)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))


def cifar_source(folder: Path, classes: tuple[str, ...]) -> Source:
    """Read the six files of the binary version.

    Parameters
    ----------
    folder : Path
        Where the files are.
    classes : tuple of str
        Names in the order of their numbers.

    Returns
    -------
    Source
        Keys are ``train/00000`` to ``train/49999`` and ``test/0000``...; what cannot be read is under ``problems``.

    Raises
    ------
    SourceError
        When no file can be read.
    """
    records: list[Record] = []
    problems: list[Problem] = []
    done = {"train": 0, "test": 0}
    for name in FILES:
        split = "test" if name.startswith("test") else "train"
        try:
            labels = _labels(folder / name)
        except OSError as error:
            problems.append(Problem(name, f"expected a readable file, got {error}; get the file again"))
            continue
        if labels is None:
            msg = f"expected whole rows of {_ROW:,} bytes, got a file cut off or of another kind; get the file again"
            problems.append(Problem(name, msg))
            continue
        for number, label in enumerate(labels):
            key = f"{split}/{done[split]:0{5 if split == 'train' else 4}d}"
            done[split] += 1
            if label >= len(classes):
                msg = f"expected a class from 0 to {len(classes) - 1}, got {label}; get the file again"
                problems.append(Problem(f"{name}: image {number}", msg))
                continue
            stored = Stored(f"{name}: image {number}", _Item(folder / name, number), "yxc")
            records.append(Record(key, stored, label=classes[label], split=split))
    if not records:
        raise SourceError(f"expected CIFAR-10 in {folder}, got nothing that can be read: {problems[0]}")
    return Source(folder, "cifar-binary", tuple(records), classes=classes, problems=tuple(problems))


def _labels(path: Path) -> list[int] | None:
    """The first byte of each row; None where the file does not end with a row."""
    size = path.stat().st_size
    if size == 0 or size % _ROW:
        return None
    rows = np.memmap(path, np.uint8, "r", shape=(size // _ROW, _ROW))
    return [int(label) for label in rows[:, 0]]
