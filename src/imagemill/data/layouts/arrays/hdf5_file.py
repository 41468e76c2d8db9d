"""An HDF5 file seen from outside: opened lazily, one image read at a time, nothing outside the file ever touched.

Source: The HDF Group, "HDF5 File Format Specification, version 3". Three things in such a file can lead elsewhere: an
external link, external storage of a dataset, and the source files of a virtual dataset. All three are refused.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError
from imagemill.core.extras import require
from imagemill.data.codecs.base import MAX_PIXELS, native, problem
from imagemill.data.codecs.limits import DEFLATE
from imagemill.data.codecs.sniff import HEAD, sniff
from imagemill.data.layouts.arrays.array_names import Shape
from imagemill.data.layouts.arrays.array_records import Held
from imagemill.data.layouts.arrays.hdf5_heap import check_heaps
from imagemill.data.records.instances import Scalar

__all__ = [
    "ARRAY",
    "BYTES",
    "TEXT",
    "H5File",
    "ReadArray",
    "ReadBytes",
    "attributes_of",
    "hold",
    "kind_of",
    "leads_out",
    "open_h5",
    "scalars",
    "stays_inside",
]

ARRAY, BYTES, TEXT = "array", "bytes", "text"
_FREE = 64 << 20
_AGAIN = "get the file again from where it came from"
# h5py passes on whatever the C library says, under many names.
_DAMAGE = (OSError, ValueError, KeyError, RuntimeError, TypeError, IndexError, AttributeError, MemoryError)


@contextmanager
def open_h5(path: Path | str, mode: str = "r") -> Iterator[Any]:
    """Open a file, and turn what goes wrong with it into our own error.

    Raises
    ------
    CodecError
    MissingExtra
    """
    h5py = require("h5py", extra="hdf5")
    if mode == "r":
        check_heaps(path)
    try:
        with h5py.File(path, mode, **({"locking": "best-effort"} if mode == "r" else {})) as file:
            yield file
    except CodecError:
        raise
    except _DAMAGE as error:
        raise problem(path, "a whole HDF5 file", f"{type(error).__name__}: {error}", _AGAIN) from error


@dataclass(slots=True)
class H5File:
    """A file that is opened when something is first read, once in every process, and read by one thread at a time.

    Parameters
    ----------
    path : Path
    """

    path: Path
    _handle: Any = None
    _pid: int = -1
    _lock: Any = field(default_factory=threading.RLock, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:  # neither lock nor handle travel to another process
        return H5File, (self.path,)

    def take(self, where: str, index: int | None) -> np.ndarray[Any, Any]:
        """Read a dataset, or one row of it.

        Raises
        ------
        CodecError
        """
        with self._lock:
            try:
                if self._handle is None or self._pid != os.getpid():
                    check_heaps(self.path)
                    # A handle from before a fork shares its place in the file with the parent: leave it alone.
                    h5py = require("h5py", extra="hdf5")
                    self._handle, self._pid = h5py.File(self.path, "r", locking="best-effort"), os.getpid()
                dataset = self._handle[where]
                return np.asarray(dataset[()] if index is None else dataset[index])
            except _DAMAGE as error:
                got = f"{type(error).__name__}: {error}"
                raise problem(f"{self.path}: {where}", "an image that can be read", got, _AGAIN) from error

    def close(self) -> None:
        """Close the handle of this process; the next read opens it again."""
        with self._lock:
            if self._handle is not None and self._pid == os.getpid():
                self._handle.close()
            self._handle = None


@dataclass(frozen=True, slots=True)
class ReadArray:
    """Reads one array."""

    file: H5File
    where: str
    index: int | None = None

    def __call__(self) -> np.ndarray[Any, Any]:
        """The array, or its row."""
        return native(self.file.take(self.where, self.index))


@dataclass(frozen=True, slots=True)
class ReadBytes:
    """Reads one encoded picture."""

    file: H5File
    where: str
    index: int | None = None

    def __call__(self) -> bytes:
        """Its bytes."""
        found = self.file.take(self.where, self.index)
        if found.dtype.kind == "O" and found.ndim == 0:
            found = np.asarray(found.item())
        return found.tobytes()


@dataclass(frozen=True, slots=True)
class _Values:
    """Reads all of a small dataset: texts as text, numbers that stand for names as those."""

    file: H5File
    where: str
    shape: tuple[int, ...]
    names: Mapping[int, str] | None = None

    def __call__(self) -> np.ndarray[Any, Any]:
        found = self.file.take(self.where, None)
        if found.dtype.kind in "SO":
            plain = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in found.ravel().tolist()]
            found = np.array([v.tolist() if isinstance(v, np.ndarray) else v for v in plain], dtype=object)
        elif self.names is not None:
            found = np.array([self.names.get(int(v), str(v)) for v in found.ravel().tolist()])
        return native(found).reshape(self.shape)


def hold(dataset: Any, kind: str, where: str, file: H5File) -> Held:
    """A dataset as an array that is known by its header.

    Parameters
    ----------
    dataset : h5py.Dataset
    kind : str
        As `kind_of` gives it.
    where : str
        Its path in the file.
    file : H5File
    """
    h5py = require("h5py", extra="hdf5")
    own, lengths = attributes_of(dataset), tuple(int(n) for n in dataset.shape)
    named = h5py.check_enum_dtype(dataset.dtype) if dataset.dtype.kind in "ui" else None
    if named and not isinstance(own.get("classes"), list):
        own["classes"] = [name for name, _ in sorted(named.items(), key=lambda pair: pair[1])]
    turned = kind == ARRAY and "MATLAB_class" in own
    if turned and len(lengths) == 2 and lengths[0] == 1:  # a column, as MATLAB keeps it
        lengths = lengths[1:]
    letter = {TEXT: "U", BYTES: "E"}.get(kind, dataset.dtype.kind)
    if kind == BYTES and dataset.dtype == np.uint8:  # one picture as a row of bytes is one thing
        lengths = ()
    names = {number: name for name, number in named.items()} if named else None
    values = _Values(file, where, lengths, names)

    def fetch(row: int | None) -> ReadArray | ReadBytes:
        return (ReadBytes if kind == BYTES else ReadArray)(file, where, row)

    return Held(f"{file.path.name}: {where}", Shape(lengths, letter), values, fetch, own, turned)


def leads_out(file: Any, dataset: Any) -> str | None:
    """Say how a dataset leads out of its file; None when it does not.

    Parameters
    ----------
    file : h5py.File
    dataset : h5py.Dataset
    """
    if dataset.external:
        return f"external storage in {dataset.external[0][0]!r}"
    if dataset.is_virtual:
        for source in dataset.virtual_sources():
            if source.file_name != ".":
                return f"a virtual dataset over {source.file_name!r}"
            inner = file.get(source.dset_name, getlink=True)
            link = type(inner).__name__
            found = file.get(source.dset_name) if link == "HardLink" else None
            # One step is allowed: a virtual dataset over a plain one. More could go round in circles.
            if found is None or getattr(found, "is_virtual", True) or found.external:
                return f"a virtual dataset over {source.dset_name!r}, which is no plain dataset of this file"
    return None


def stays_inside(file: Any, base: str, target: str) -> bool:
    """Whether a soft link leads to something in the same file, without following any other link.

    Parameters
    ----------
    file : h5py.File
    base : str
        Path of the group that the link is in.
    target : str
        Where it leads, as it is written.
    """
    path = target if target.startswith("/") else f"{base}/{target}"
    place = file
    for step in path.split("/"):
        if step in ("", "."):
            continue
        link = place.get(step, getlink=True) if hasattr(place, "keys") else None
        if type(link).__name__ != "HardLink":
            return False
        place = place[step]
    return True


def kind_of(dataset: Any) -> tuple[str, str]:
    """What a dataset holds: `ARRAY`, `BYTES` or `TEXT`, or nothing and why.

    Returns
    -------
    tuple of str
        The kind (empty for what cannot be taken in), and the reason.
    """
    h5py = require("h5py", extra="hdf5")
    dtype = dataset.dtype
    if dataset.shape is None:
        return "", "an empty dataset"
    inner = h5py.check_vlen_dtype(dtype)
    if h5py.check_string_dtype(dtype) is not None:
        return TEXT, ""
    if inner is not None and np.dtype(inner) == np.uint8:
        return BYTES, ""
    if dtype.kind == "V" and dtype.names is None and dtype.subdtype is None:
        return BYTES, ""
    if h5py.check_ref_dtype(dtype) is not None:
        return "", "references to other objects"
    if dtype.kind not in "buif":
        return "", f"values of type {dtype}"
    declared, stored = dataset.size * dtype.itemsize, dataset.id.get_storage_size()
    if not dataset.is_virtual and declared > DEFLATE * stored + _FREE:  # parts that were never written read as zeros
        return "", f"{declared:,} bytes declared and {stored:,} stored: cut off, or made to fill the memory"
    row = dtype == np.uint8 and len(dataset.shape) == 1 and 8 < dataset.shape[0] <= MAX_PIXELS
    if row and sniff(np.asarray(dataset[:HEAD]).tobytes()) is not None:
        return BYTES, ""
    return ARRAY, ""


def attributes_of(thing: Any) -> dict[str, Any]:
    """Attributes of a group or dataset as plain values: text, numbers, lists of them; the rest is left out."""
    found: dict[str, Any] = {}
    for name in sorted(thing.attrs):
        try:
            found[name] = _plain(thing.attrs[name])
        except (*_DAMAGE, UnicodeDecodeError):
            found[name] = None  # a type that h5py does not know, or bytes that are no text
    return {name: value for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return _plain(value.reshape(())[()]) if value.size == 1 and value.ndim < 2 else _plain_list(value)
    if isinstance(value, np.generic):
        return _plain(value.item()) if not isinstance(value, np.void) else None
    return value if isinstance(value, str | int | float | bool) else None


def _plain_list(value: np.ndarray[Any, Any]) -> Any:
    if value.size > 100_000 or value.dtype.kind not in "buifSUO":
        return None
    if value.dtype.kind in "SO":
        return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in value.ravel().tolist()]
    return value.tolist()


def scalars(values: Mapping[str, Any]) -> dict[str, Scalar]:
    """Those of some attributes that are single values."""
    return {name: value for name, value in values.items() if isinstance(value, str | int | float | bool)}
