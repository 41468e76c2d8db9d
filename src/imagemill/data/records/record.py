"""One line of a dataset: where the pixels are and what belongs to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from imagemill.core.short_repr import ShortRepr
from imagemill.data.records.instances import Instance, Scalar

__all__ = [
    "FURTHER_KINDS",
    "Blob",
    "Frame",
    "Further",
    "FurtherKind",
    "Pixels",
    "Record",
    "Stored",
    "split_suffix",
    "untellable",
]

FurtherKind = Literal["image", "map"]
FURTHER_KINDS: Mapping[str, str] = MappingProxyType({"image": "further images", "map": "maps of numbers"})
"""What else may lie over a picture, and what to call several of it."""
Frame = Literal["stored", "shown"]
"""A picture as its file stores it, or as EXIF turns it to be seen."""

_DOUBLE = (".gz", ".bz2", ".zst")


@dataclass(frozen=True, slots=True, repr=False)
class Blob(ShortRepr):
    """An encoded picture (JPEG, PNG...) inside another file, or on a server: its bytes, fetched when they are needed.

    Parameters
    ----------
    name : str
        What errors call it, such as ``"train.tar: cat/1.jpg"``.
    suffix : str
        Its format, such as ``".jpg"``; empty lets the content say it.
    fetch : callable
        Gives the bytes; CodecError when it cannot. It may be called from several threads, and again.

    Examples
    --------
    >>> Blob("photos.parquet: row 3", ".jpg", lambda: b"...").suffix
    '.jpg'
    """

    name: str
    suffix: str
    fetch: Callable[[], bytes]


@dataclass(frozen=True, slots=True, repr=False)
class Stored(ShortRepr):
    """An array inside another file (HDF5, .npz, IDX, DICOM series...): read when it is needed.

    Parameters
    ----------
    name : str
        What errors call it.
    fetch : callable
        Gives the array, or a `Picture` where only reading tells axes, place and remarks; CodecError when it cannot. It
        may be called from several threads, and again.
    axes : str or None
        Names of the array's axes; None lets the rank decide.
    affine : array ``(d+1, d+1)`` or None
        The affine, index to world, over the spatial axes in array order, RAS+ millimetres.
    meta : mapping
        What the file says of it.

    Examples
    --------
    >>> Stored("digits.npz: row 3", lambda: np.zeros((8, 8), np.uint8), "yx").axes
    'yx'
    """

    name: str
    fetch: Callable[[], Any]
    axes: str | None = None
    affine: np.ndarray[Any, Any] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


Pixels = Path | Blob | Stored
"""Where pixels are; `imagemill.data.records.loading` reads all three."""


@dataclass(frozen=True, slots=True)
class Further:
    """A further image of a record (infrared, T2), or a map of numbers over it (depth).

    Parameters
    ----------
    pixels : Path, Blob or Stored
    kind : {"image", "map"}
        Images are recoloured as the first one is, maps never.
    """

    pixels: Path | Blob | Stored
    kind: FurtherKind


@dataclass(frozen=True, slots=True, repr=False)
class Record(ShortRepr):
    """One image of a source, with its targets where it has them.

    Parameters
    ----------
    key : str
        The path relative to the source's root, in POSIX form, unique within the source. Everything
        random depends on it, so it never contains a machine's own folders.
    image : Path, Blob or Stored
        Where the pixels are.
    mask : Path, Blob, Stored or None
        Where the label map is.
    label : str or None
        The class name; levels of a hierarchy are joined by ``/``, the most general first (``"dog/beagle"``).
    labels : tuple of str or None
        All class names of a picture that may have several; None where the source has one per picture.
    objects : tuple of Instance or None
        Annotations; empty where somebody looked and found none, None where nobody looked.
    split : str or None
        ``"train"``, ``"val"`` or ``"test"``, where the source says so.
    group : str or None
        What must stay on one side of a split together: a patient, a video, a burst.
    size : tuple of int or None
        Height and width in pixels as the annotations state them. Where EXIF swaps the two, it says whether they were
        made on the picture as it is stored or as it is seen.
    attributes : mapping
        Further columns.
    frame : {"stored", "shown"} or None
        The picture that the annotations are meant on, where `size` leaves it open; None takes it as it is seen.
    further : mapping from str to Further
        Further images and maps of the same size, by the names that a pipeline knows them by.

    Examples
    --------
    >>> Record("cat/1.jpg", Path("data/cat/1.jpg"), label="cat").label
    'cat'
    """

    key: str
    image: Pixels
    mask: Pixels | None = None
    label: str | None = None
    labels: tuple[str, ...] | None = None
    objects: tuple[Instance, ...] | None = None
    split: str | None = None
    group: str | None = None
    size: tuple[int, int] | None = None
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    frame: Frame | None = None
    further: Mapping[str, Further] = field(default_factory=dict)


def split_suffix(path: Path | str) -> tuple[str, str]:
    """Split a file name into stem and suffix, keeping compound suffixes such as ``.nii.gz`` whole.

    Parameters
    ----------
    path : Path or str
        A path or name; only its last part is looked at.

    Returns
    -------
    tuple of str
        The stem, and the suffix as written (with its dot, or empty).

    Examples
    --------
    >>> split_suffix("scans/patient.001_frame01.nii.gz")
    ('patient.001_frame01', '.nii.gz')
    >>> split_suffix("photo.old.JPG"), split_suffix(".hidden"), split_suffix("a.tar")
    (('photo.old', '.JPG'), ('.hidden', ''), ('a', '.tar'))
    """
    name = path.name if isinstance(path, Path) else os.path.basename(path) or Path(path).name
    last = _last_suffix(name)
    if last.lower() in _DOUBLE:
        inner = _last_suffix(name[: -len(last)])
        # "scan.v2.gz" is not a compound suffix; only formats that are stored compressed are.
        if inner.lower() in (".nii", ".mgh", ".npy", ".tar"):
            last = name[-len(inner) - len(last) :]
    return (name[: -len(last)], last) if last else (name, "")


def _last_suffix(name: str) -> str:
    """As `Path.suffix`, for names that are read by the hundred thousand."""
    dot = name.rfind(".")
    return name[dot:] if 0 < dot < len(name) - 1 else ""


def untellable(record: Record) -> str:
    r"""The first text of a record that UTF-8 cannot hold; empty where there is none.

    Such text comes from names of files that are not in UTF-8, and from lone surrogates in JSON.

    Examples
    --------
    >>> untellable(Record("a.png", Path("a.png"), label="\udcff"))
    '\udcff'
    """
    # One by one and without lists where there is nothing in them: this runs over every record of every dataset.
    for text in (record.key, record.label, record.split, record.group):
        if isinstance(text, str) and not text.isascii() and not _is_utf8(text):
            return text
    if record.labels or record.attributes or record.objects:
        texts: list[Scalar] = [*(record.labels or ()), *(part for pair in record.attributes.items() for part in pair)]
        texts += [annotation.category for annotation in record.objects or ()]
        return next((text for text in texts if isinstance(text, str) and not _is_utf8(text)), "")
    return ""


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
