"""Arrays in files, known by their headers: members of NumPy archives, ``.npy`` files, variables of MATLAB files.

Source of the file formats: NumPy Enhancement Proposal 1 (``.npy``; ``.npz`` is a zip archive of such members); The
MathWorks, "MAT-File Format" (level 5, which scipy reads; 7.3 is HDF5). Pickles are never loaded.
"""

from __future__ import annotations

import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.codecs.base import native, problem
from imagemill.data.codecs.limits import check_inflation
from imagemill.data.codecs.npy import load_npy
from imagemill.data.layouts.arrays.array_names import Shape
from imagemill.data.layouts.arrays.array_records import Held
from imagemill.data.layouts.arrays.array_roles import find_parts
from imagemill.data.layouts.arrays.containers import MAY_CARRY
from imagemill.data.layouts.base import Guess, Look, Problem

__all__ = [
    "MOST_NPY",
    "is_mat",
    "is_pickle",
    "mat_variables",
    "npy_array",
    "npy_pool",
    "npy_stacks",
    "npz_members",
]

MOST_NPY = 256
"""A folder with more ``.npy`` files than this keeps one image in each."""


Array = np.ndarray[Any, Any]
_AGAIN = "get the file again from where it came from"
_FREE = 1 << 28
_RATIO = 200
_DAMAGE = (OSError, ValueError, EOFError, SyntaxError, KeyError, NotImplementedError, RuntimeError, zlib.error)
_PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")


@dataclass(slots=True)
class _Member:
    """One array of an archive: mapped where it is stored plainly, inflated once where it is compressed."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _array: Array | None = None
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:  # neither the lock nor the pixels travel to another process
        return _Member, (self.path, self.name, self.shape, self.dtype)

    def array(self) -> Array:
        with self._lock:
            if self._array is None:
                try:
                    self._array = self._load()
                except CodecError:
                    raise
                except (*_DAMAGE, zipfile.BadZipFile) as error:
                    raise problem(f"{self.path}: {self.name}", "a whole array", str(error), _AGAIN) from error
            return self._array

    def _load(self) -> Array:
        with zipfile.ZipFile(self.path) as archive:
            info = archive.getinfo(self.name + ".npy")
            _check_member(self.path, info)
            with archive.open(info) as file:
                shape, fortran, dtype = _npy_header(file)
                if (shape, dtype) != (self.shape, self.dtype) or dtype.hasobject:
                    raise ValueError("the file has changed since it was opened")
                skip = file.tell()
                if info.compress_type != zipfile.ZIP_STORED or dtype.itemsize == 0 or 0 in shape:
                    flat = np.frombuffer(file.read(), dtype, int(np.prod(shape)))
                    return flat.reshape(shape, order="F" if fortran else "C")
        with self.path.open("rb") as raw:
            raw.seek(info.header_offset + 26)
            lengths = raw.read(4)
        extra = int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        start = info.header_offset + 30 + extra + skip
        return np.memmap(self.path, dtype, "r", start, shape, "F" if fortran else "C")


@dataclass(slots=True)
class _Npy:
    """The array of a ``.npy`` file, mapped when it is first read."""

    path: Path
    _array: Array | None = None
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Npy, (self.path,)

    def array(self) -> Array:
        with self._lock:
            if self._array is None:
                self._array = load_npy(self.path)
            return self._array


@dataclass(slots=True)
class _Variable:
    """A variable of a MATLAB file, read once; its images are brought to the front where they are counted at the end."""

    path: Path
    name: str
    last: bool = False
    _array: Array | None = None
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Variable, (self.path, self.name, self.last)

    def array(self) -> Array:
        import scipy.io

        with self._lock:
            if self._array is None:
                try:
                    found = scipy.io.loadmat(str(self.path), variable_names=[self.name])[self.name]
                except Exception as error:  # a damaged file can fail anywhere inside the parser
                    raise problem(f"{self.path}: {self.name}", "a whole MATLAB variable", str(error), _AGAIN) from error
                if found.dtype.kind == "O":  # cells: texts, each an array of its own
                    found = np.array([np.asarray(cell).ravel()[0] if np.size(cell) else "" for cell in found.ravel()])
                self._array = np.moveaxis(found, -1, 0) if self.last else found
            return self._array


@dataclass(frozen=True, slots=True)
class _Item:
    member: _Member | _Npy | _Variable
    number: int | None

    def __call__(self) -> Array:
        array = self.member.array()
        return native(np.array(array if self.number is None else array[self.number]))


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (CodecError, SourceError):
        raise
    except (*_DAMAGE, zipfile.BadZipFile) as error:
        raise SourceError(f"{path}: expected a whole .npz archive, got {error}; {_AGAIN}") from error


def _check_member(path: Path, info: zipfile.ZipInfo) -> None:
    """Refuse a member that promises more than its stored bytes can become, or fills the memory."""
    name = f"{path}: {info.filename}"
    if info.compress_type == zipfile.ZIP_STORED:
        check_inflation(name, info.file_size, info.compress_size, 1)
    elif info.compress_type == zipfile.ZIP_DEFLATED:
        check_inflation(name, info.file_size, info.compress_size)
    else:
        do = "save it with numpy.savez_compressed"
        raise problem(name, "a plain or deflated member", f"compression {info.compress_type}", do)
    if info.flag_bits & 1:
        raise problem(name, "a member without password", "an encrypted one", "save it with numpy.savez")
    if info.file_size > max(_FREE, _RATIO * info.compress_size):
        got = f"{info.file_size:,} bytes from {info.compress_size:,}"
        raise problem(name, f"at most {_RATIO} times the stored bytes", got, "check what wrote it; store it plainly")


def _npy_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read: Callable[[BinaryIO], Any] = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read(file)
    return tuple(int(n) for n in shape), bool(fortran), dtype


def npz_members(path: Path, problems: list[Problem]) -> dict[str, Held]:
    """The arrays of an archive by name, checked without being read; what cannot be taken in becomes a problem.

    Raises
    ------
    SourceError
        When it is no archive.
    """
    found: dict[str, Held] = {}
    with _archive(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            label = f"{path.name}: {name}"
            try:
                if name == info.filename or name in found:
                    raise problem(label, "one NumPy array a name", "another member", "save it with numpy.savez")
                _check_member(path, info)
                with archive.open(info) as file:
                    shape, _, dtype = _npy_header(file)
                    wanted = file.tell() + int(np.prod([dtype.itemsize, *shape], dtype=object))
                if dtype.hasobject:
                    do = "save numbers, or text: numpy.array(labels, dtype=str)"
                    raise problem(label, "numbers or text", "pickled objects, which are never loaded", do)
                if wanted != info.file_size:
                    got = f"{info.file_size:,}: the header and the member disagree"
                    raise problem(label, f"{wanted:,} bytes for shape {shape}", got, _AGAIN)
                member = _Member(path, name, shape, dtype)
                found[name] = _held(label, Shape(shape, dtype.kind), member)
            except CodecError as error:
                problems.append(Problem(label, str(error)))
            except (*_DAMAGE, zipfile.BadZipFile) as error:
                problems.append(Problem(label, f"expected a whole array, got {error}; {_AGAIN}"))
    return found


def _held(called: str, shape: Shape, array: _Member | _Npy | _Variable) -> Held:
    return Held(called, shape, array.array, partial(_Item, array))


def npy_array(path: Path, called: str) -> Held | None:
    """The array of a ``.npy`` file; None where it is none of numbers or text.

    Raises
    ------
    CodecError
        When it cannot be read, or holds pickled objects.
    """
    array = load_npy(path)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "buifUS" or array.size == 0:
        return None
    return _held(called, Shape(array.shape, array.dtype.kind), _Npy(path))


def npy_pool(files: Iterable[tuple[str, Path]]) -> dict[str, Held]:
    """Arrays of ``.npy`` files that can be read, by their keys without suffix."""
    pool: dict[str, Held] = {}
    for key, path in files:
        if path.suffix.lower() == ".npy":
            name = key.removesuffix(path.suffix)
            try:
                held = npy_array(path, key)
            except CodecError:  # whoever reads it says why
                continue
            if held is not None:
                pool[name] = held
    return pool


def npy_stacks(look: Look) -> Guess | None:
    """Whether the ``.npy`` files of a folder are stacks of images with what belongs to them, or stacks alone."""
    if "npy stacks" not in look.memo:
        arrays = look.ending(".npy")
        pictures = len(look.images) - len(arrays)
        few = look.is_folder and 0 < len(arrays) <= MOST_NPY and len(arrays) >= pictures
        look.memo["npy stacks"] = _npy_stacks(arrays) if few else None
    found: Guess | None = look.memo["npy stacks"]
    return found


def _npy_stacks(arrays: Sequence[tuple[str, Path]]) -> Guess | None:
    pool = npy_pool(arrays)
    found = find_parts({name: held.shape for name, held in pool.items()})
    stacks = [part for part in found.parts if not part.single]
    if not stacks:
        return None
    first, takes = stacks[0], frozenset(key for key, _ in arrays)
    if first.label is not None:
        why = f"{first.images}.npy and others of its size are stacks of pictures named like classes"
        return Guess(0.6, why, takes, MAY_CARRY)
    beside = [name for name in first.names() if name != first.images]
    if beside or first.wrong:
        named = f" and {beside[0]}.npy what belongs to them" if beside else ""
        return Guess(0.92, f"{first.images}.npy holds images{named}", takes, MAY_CARRY)
    return Guess(0.75, f"{first.images}.npy holds many images in one array", takes, MAY_CARRY)


def is_pickle(path: Path) -> bool:
    """Whether a file is a Python pickle, by its suffix or its first bytes (``data_batch_1`` of CIFAR-10 has none)."""
    if path.suffix.lower() in _PICKLES:
        return True
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError:
        return False
    return not path.suffix and len(start) == 4 and start[0] == 0x80 and 2 <= start[1] <= 5


def is_mat(path: Path) -> bool:
    """Whether a file is a MATLAB file of level 5; later ones are HDF5."""
    if path.suffix.lower() != ".mat":
        return False
    try:
        with path.open("rb") as file:
            return file.read(10) == b"MATLAB 5.0"
    except OSError:
        return False


_KINDS = {"double": "f", "single": "f", "logical": "b", "char": "U", "cell": "U"}


def mat_variables(path: Path, problems: list[Problem]) -> dict[str, Held]:
    """The variables of a MATLAB file by name, known by their headers.

    MATLAB counts images along the last axis: where a column of labels is as long as it, or the third axis is one of
    colours, the last axis comes first.

    Raises
    ------
    SourceError
        When it is no MATLAB file.
    """
    import scipy.io

    try:
        listed = scipy.io.whosmat(str(path))
    except Exception as error:  # a damaged file can fail anywhere inside the parser
        raise SourceError(f"{path}: expected a whole MATLAB file, got {error}; {_AGAIN}") from error
    counts = {max(shape) for _, shape, _ in listed if len(shape) == 2 and min(shape) == 1 < max(shape)}
    found: dict[str, Held] = {}
    for name, given, kind in listed:
        shape, called = tuple(int(n) for n in given), f"{path.name}: {name}"
        letter = _KINDS.get(kind, kind[0] if kind.startswith(("int", "uint")) else "")
        if not letter:
            problems.append(Problem(called, f"{called}: expected numbers or texts, got a {kind}; save numbers"))
            continue
        colours = len(shape) == 4 and shape[2] in (1, 3) and shape[3] not in (1, 3)
        last = (len(shape) > 2 and shape[-1] in counts and shape[0] not in counts) or colours
        last |= len(shape) == 2 and shape[0] == 1 and kind != "char"
        if kind == "cell":
            shape = (max(1, int(np.prod(shape))),)
        elif last:
            shape = (shape[-1], *shape[:-1])
        found[name] = _held(called, Shape(shape, letter), _Variable(path, name, last and kind != "cell"))
    return found
