"""Datasets that installed packages bring along: nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import SourceError
from imagemill.core.extras import require
from imagemill.data.layouts.base import Source
from imagemill.data.records.record import Record, Stored

__all__ = ["cat_source", "digits_source", "scan_source"]

_TOP = 16  # the digits count the dark pixels of squares of 4 x 4


@cache
def _digits() -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    """All digits with values to 255, and what they are; not to be written to."""
    loaded = require("sklearn.datasets", extra="demo").load_digits()
    pictures = np.rint(loaded.images * (255 / _TOP)).astype(np.uint8)
    pictures.flags.writeable = False
    return pictures, tuple(str(digit) for digit in loaded.target.tolist())


@dataclass(frozen=True, slots=True)
class _Digit:
    """One digit; only its number travels to another process."""

    number: int

    def __call__(self) -> np.ndarray[Any, Any]:
        return np.array(_digits()[0][self.number])


def digits_source() -> Source:
    """The digits of scikit-learn."""
    _, labels = _digits()
    records = tuple(
        Record(f"digit-{number:04d}", Stored(f"scikit-learn: digit {number}", _Digit(number), "yx"), label=label)
        for number, label in enumerate(labels)
    )
    notes = (f"values 0 to {_TOP} of the original are 0 to 255 here",)
    root = Path(require("sklearn", extra="demo").__file__).parent / "datasets" / "data"
    return Source(root, "digits", records, notes=notes)


def _cat() -> np.ndarray[Any, Any]:
    return np.array(require("skimage.data", extra="demo").cat())


def cat_source() -> Source:
    """The cat of scikit-image."""
    root = Path(require("skimage.data", extra="demo").__file__).parent
    return Source(root, "cat", (Record("cat", Stored("scikit-image: cat", _cat, "yxc"), label="cat"),))


def scan_source() -> Source:
    """The 4-D sample of nibabel."""
    root = Path(require("nibabel", extra="medical").__file__).parent / "tests" / "data"
    path = root / "example4d.nii.gz"
    if not path.is_file():  # some distributions leave the tests of a package out
        msg = f"expected nibabel to bring {path}, got an installation without it"
        raise SourceError(f"{msg}; do: pip install --force-reinstall nibabel")
    notes = (
        "one oblique, left-handed scan of 24 slices with 2 time points; time points are read as channels, so "
        "take array[..., 0] for a plain volume",
        "nibabel states a licence for itself (MIT), and none for this file",
    )
    return Source(root, "sample_scan", (Record(path.name, path),), notes=notes)
