"""Finding a dataset in a folder: as it was downloaded, or in the other forms that it usually has."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.layouts.base import Look, ReadSource, Source
from imagemill.data.layouts.opening import open_source
from imagemill.data.layouts.registry import layout_named
from imagemill.data.records.loading import encoded
from imagemill.data.records.record import Record
from imagemill.datasets.catalogue import Loan
from imagemill.datasets.cifar import FILES, cifar_source

__all__ = ["VARIABLE", "find", "read", "search"]

VARIABLE = "IMAGEMILL_DATA"
"""Names the folder with datasets that are here already."""

_FOLDERS = {
    "mnist": ("mnist", "MNIST", "MNIST/raw"),
    "fashion_mnist": ("fashion_mnist", "fashion-mnist", "FashionMNIST", "FashionMNIST/raw"),
    "cifar10": ("cifar10", "cifar10/cifar-10-batches-bin", "cifar-10-batches-bin", "cifar-10"),
    "flowers": ("flowers", "flower_photos", "flowers/flower_photos"),
}
_IDX = tuple(f"{part}-{what}-ubyte" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1"))
_LICENCES = "LICENSE.txt"
_CREDIT = re.compile(r"(?P<key>\S+)\s+CC-BY\s+by\s+(?P<author>.+?)\s+-\s+(?P<page>https?://\S+)")


def find(loan: Loan, root: Path | None) -> Source | None:
    """Look for a set in a folder that was named, by `root` or by ``IMAGEMILL_DATA``.

    Parameters
    ----------
    loan : Loan
        The set.
    root : Path or None
        The folder with the set's files, or the one with the set's folder in it. None takes ``IMAGEMILL_DATA``.

    Returns
    -------
    Source or None
        None where `root` is None and the set is not in the folder of ``IMAGEMILL_DATA``, or that is not set.

    Raises
    ------
    SourceError
        When the set is not in `root`, or the folder does not exist.
    """
    named = os.environ.get(VARIABLE)
    base = root if root is not None else Path(named) if named else None
    if base is None:
        return None
    if not base.is_dir():
        how = "root" if root is not None else VARIABLE
        raise SourceError(f"expected {how} to name a folder, got {str(base)!r}; correct it or leave it out")
    # A folder full of datasets may hold the files of one that looks alike; only a root was chosen for this one.
    found = search(loan, [base / name for name in _FOLDERS[loan.name]] + ([base] if root is not None else []))
    if found is None and root is not None:
        names = ", ".join(_FOLDERS[loan.name])
        raise SourceError(
            f"expected {loan.title} in {str(root)!r} or in a folder of it named {names}, "
            f"got neither; leave root out to download {loan.size / 1e6:,.0f} MB"
        )
    return found


def search(loan: Loan, folders: list[Path]) -> Source | None:
    """The set in the first of some folders that has it."""
    for folder in folders:
        if folder.is_dir() and (found := _READERS[loan.name](loan, folder)) is not None:
            return found
    return None


def read(loan: Loan, folder: Path) -> Source:
    """The set in the folder where `files_of` has put it."""
    found = _READERS[loan.name](loan, folder)
    if found is None:
        raise SourceError(f"expected {loan.title} in {folder}, got other files; remove the folder and get it again")
    return found


def _read_idx(loan: Loan, folder: Path) -> Source | None:
    """The four files of MNIST, compressed or not."""
    files = [next((p for p in (folder / f"{n}.gz", folder / n) if p.is_file()), None) for n in _IDX]
    here = [path for path in files if path is not None]
    if len(here) < len(files):
        return None
    look = Look(folder, tuple((path.name, path) for path in here))
    return _named(loan, layout_named("idx").read(look, ReadSource()))


def _read_cifar(loan: Loan, folder: Path) -> Source | None:
    """The binary version; without it Parquet files, then tar files."""
    if all((folder / name).is_file() for name in FILES):
        return cifar_source(folder, loan.classes)
    for suffix, layout in ((".parquet", "parquet"), (".tar", "webdataset")):
        here = [(path.name, path) for path in sorted(folder.glob(f"*{suffix}")) if path.is_file()]
        if here:
            source = _named(loan, open_source(folder, layout=layout))
            return replace(source, notes=(*source.notes, *_lossy(source)))
    return None


def _lossy(source: Source) -> tuple[str, ...]:
    """Say so where pictures that are published as plain pixels come as JPEG."""
    try:
        first = encoded(source.records[0].image) if source.records else None
    except CodecError:
        return ()  # whoever reads that record is told what is wrong with it
    if first is None or first[:2] != b"\xff\xd8":
        return ()
    return ("the pictures are JPEG copies, so their pixels are not those that were published",)


def _read_flowers(loan: Loan, folder: Path) -> Source | None:
    """Class folders of photos, each with the author that LICENSE.txt names."""
    if not all((folder / name).is_dir() for name in loan.classes):
        return None
    source = open_source(folder, layout="class-folders")
    credits = _credits(folder / _LICENCES)
    records = tuple(
        replace(record, attributes={**record.attributes, **credits[record.key]}) if record.key in credits else record
        for record in source
    )
    return replace(source, records=records, classes=loan.classes)


def _credits(path: Path) -> dict[str, dict[str, str]]:
    """Author, page and licence of each photo; nothing where the file is missing or of another form."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found = (_CREDIT.fullmatch(line.strip()) for line in text.splitlines())
    return {
        match["key"]: {"author": match["author"], "page": match["page"], "licence": "CC BY 2.0"}
        for match in found
        if match is not None
    }


def _named(loan: Loan, source: Source) -> Source:
    """Give classes that are numbers their names."""
    numbers = {str(number): name for number, name in enumerate(loan.classes)}
    found = {record.label for record in source if record.label is not None}
    if found <= set(loan.classes):
        return replace(source, classes=loan.classes)
    if not found <= set(numbers):
        return source
    renamed: list[Record] = [
        replace(record, label=None if record.label is None else numbers[record.label]) for record in source
    ]
    return replace(source, records=tuple(renamed), classes=loan.classes)


_READERS: dict[str, Callable[[Loan, Path], Source | None]] = {
    "mnist": _read_idx,
    "fashion_mnist": _read_idx,
    "cifar10": _read_cifar,
    "flowers": _read_flowers,
}
