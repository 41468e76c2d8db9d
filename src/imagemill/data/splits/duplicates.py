"""Which pictures of a source are the same: one path listed twice, links, copies under another name.

Files are told apart by their sizes first, which costs a look at each; only where sizes agree is anything read, and of
large files only three places before the whole. Nothing is fetched from a server, and no pixels are decoded.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ImagemillError
from imagemill.data.records.loading import encoded, pixels_digest, pixels_name
from imagemill.data.records.record import Blob, Pixels, Record, Stored
from imagemill.data.remote.remote_path import RemotePath

__all__ = ["Contents", "alike_by_digest", "contents_of", "straddling"]

_SMALL = 1 << 16
"""Bytes up to which a file is read whole at once."""

_PIECE = 1 << 14
_MOST = 1 << 28
"""Bytes that pictures inside containers may have together to be read for comparison."""

_TRIED = 8

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of each record.

    Parameters
    ----------
    ids : tuple of int or None
        The same number for the same content; None where no other record has it.
    note : str
        What was not compared, in words; empty otherwise.
    """

    ids: tuple[int | None, ...]
    note: str = ""

    @property
    def copies(self) -> int:
        """How many records are not the first of their content."""
        held = [one for one in self.ids if one is not None]
        return len(held) - len(set(held))


def contents_of(records: Sequence[Record], digests: Sequence[Hashable | None] | None = None) -> Contents:
    """Find the records whose pictures are the same file, or files of the same bytes.

    Parameters
    ----------
    records : sequence of Record
    digests : sequence of str, bytes or None, optional
        Digests of the pictures, one for each record, where they are known; nothing is read then.

    Returns
    -------
    Contents

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = []
    ...     for name, content in (("a", b"same"), ("b", b"same"), ("c", b"else")):
    ...         _ = Path(folder, name).write_bytes(content)
    ...         made.append(Record(name, Path(folder, name)))
    ...     contents_of(made).ids
    (0, 0, None)
    """
    if digests is not None:
        return Contents(_numbered([digest or None for digest in digests]))
    marks: list[Hashable | None] = [None] * len(records)
    for row, mark in _files([(row, r.image) for row, r in enumerate(records) if isinstance(r.image, Path)]):
        marks[row] = mark
    held = [(row, r.image) for row, r in enumerate(records) if not isinstance(r.image, Path)]
    found, note = _held(held)
    for row, mark in found:
        marks[row] = mark
    return Contents(_numbered(marks), note)


def alike_by_digest(
    heads: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64], digest: Callable[[int], str]
) -> Contents:
    """As `contents_of`, of very many digests, of which few are in memory.

    Parameters
    ----------
    heads : array of uint64
        The first eight bytes of the digest of every record.
    rows : array of int
        Records that have one.
    digest : callable
        The whole digest of a record, asked for where heads agree.

    Examples
    --------
    >>> import numpy as np
    >>> alike_by_digest(np.array([7, 5, 7, 7], np.uint64), np.arange(4), lambda row: "abaa"[row]).ids
    (0, None, 0, 0)
    """
    order = rows[np.argsort(heads[rows], kind="stable")]
    same = heads[order[1:]] == heads[order[:-1]]
    several = np.union1d(order[1:][same], order[:-1][same]).tolist()
    ids: list[int | None] = [None] * len(heads)
    for row, number in zip(several, _numbered([digest(row) for row in several]), strict=True):
        ids[row] = number
    return Contents(tuple(ids))


def _numbered(marks: Sequence[Hashable | None]) -> tuple[int | None, ...]:
    """Numbers for marks that come more than once, in the order of their first row."""
    counts = Counter(mark for mark in marks if mark is not None)  # which keeps them in that order
    numbers = {mark: number for number, mark in enumerate(mark for mark, count in counts.items() if count > 1)}
    return tuple(None if mark is None else numbers.get(mark) for mark in marks)


def _grouped(pairs: Iterable[tuple[K, int]]) -> dict[K, list[int]]:
    found: dict[K, list[int]] = defaultdict(list)
    for key, row in pairs:
        found[key].append(row)
    return found


def _files(files: Sequence[tuple[int, Path]]) -> list[tuple[int, Hashable]]:
    """A mark of the content for each file that may have a twin."""
    paths = dict(files)
    # A file elsewhere is not fetched for this: equal contents have equal tags where the server makes them of contents.
    marks: dict[int, Hashable] = {row: tag for row, path in files if isinstance(path, RemotePath) and (tag := path.tag)}
    inodes: dict[int, Hashable] = {}
    sizes: dict[int, int] = {}
    for row, path in files:
        try:
            told = path.stat()
        except (OSError, ValueError):
            continue
        if S_ISREG(told.st_mode) and told.st_size and not isinstance(path, RemotePath):
            # Where a system has no numbers for files, the path is one.
            inodes[row] = (told.st_dev, told.st_ino) if told.st_ino else os.path.abspath(path)
            sizes[row] = told.st_size
    for size, rows in _grouped((size, row) for row, size in sizes.items()).items():
        of_file = _grouped((inodes[row], row) for row in rows)
        first = [found[0] for found in of_file.values()]
        known = (
            _told_apart({row: paths[row] for row in first}, size) if len(first) > 1 else {first[0]: inodes[first[0]]}
        )
        marks |= {row: known[found[0]] for found in of_file.values() if found[0] in known for row in found}
    return list(marks.items())


def _told_apart(paths: dict[int, Path], size: int) -> dict[int, Hashable]:
    """Digests of files of one size, those of large ones only where their pieces agree."""
    pieces = {row: digest for row, path in paths.items() if (digest := _pieces(path, size)) is not None}
    if size <= _SMALL:
        return {row: (size, digest) for row, digest in pieces.items()}
    found: dict[int, Hashable] = {}
    for digest, rows in _grouped((digest, row) for row, digest in pieces.items()).items():
        for row in rows:
            whole: Hashable = (size, digest)
            if len(rows) > 1:
                try:
                    whole = pixels_digest(paths[row])
                except ImagemillError:
                    continue
            found[row] = whole
    return found


def _pieces(path: Path, size: int) -> bytes | None:
    """A digest of a small file, or of the beginning, the middle and the end of a large one."""
    try:
        with open(path, "rb", buffering=0) as file:
            if size <= _SMALL:
                parts = [file.read(size + 1)]
            else:
                parts = []
                for at in (0, size // 2, size - _PIECE):
                    file.seek(at)
                    parts.append(file.read(_PIECE))
    except OSError:
        return None
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()


def _held(places: Sequence[tuple[int, Pixels]]) -> tuple[list[tuple[int, Hashable]], str]:
    """Marks of pictures inside containers, where reading all of them is cheap."""
    local = [(row, where) for row, where in places if not pixels_name(where).startswith(("http://", "https://"))]
    if len(local) < 2:
        return [], ""
    tried = (
        [local[n * len(local) // _TRIED][1] for n in range(_TRIED)] if len(local) > _TRIED else [w for _, w in local]
    )
    costs = [_cost(where) for where in tried]
    if sum(costs) / len(costs) * len(local) > _MOST:
        return [], f"{len(local)} pictures inside containers were not compared with each other; prepare does it"
    found: list[tuple[int, Hashable]] = []
    for row, where in local:
        try:
            found.append((row, pixels_digest(where)))
        except ImagemillError:
            continue  # it is met again by whoever reads it
    return found, ""


def _cost(where: Pixels) -> int:
    """Bytes of a picture inside a container."""
    try:
        if isinstance(where, Stored):
            return int(where.fetch().nbytes)
        return len(encoded(where) or b"") if isinstance(where, Blob) else 0
    except ImagemillError:
        return 0


def straddling(keys: Sequence[str], parts: Sequence[str | None], contents: Contents) -> str:
    """Say which pictures are on two sides of a split; empty where none is.

    Examples
    --------
    >>> straddling(["a", "b", "c"], ["train", "test", "test"], Contents((0, 0, None)))
    '1 picture is on two sides of the split (a in train = b in test)'
    """
    rows = _grouped((one, row) for row, one in enumerate(contents.ids) if one is not None and parts[row] is not None)
    split = [found for found in rows.values() if len({parts[row] for row in found}) > 1]
    if not split:
        return ""
    shown = []
    for found in split[:3]:
        first = next(iter(found))
        other = next(row for row in found if parts[row] != parts[first])
        shown.append(f"{keys[first]} in {parts[first]} = {keys[other]} in {parts[other]}")
    more = f" and {len(split) - 3} more" if len(split) > 3 else ""
    count = "1 picture is" if len(split) == 1 else f"{len(split)} pictures are"
    return f"{count} on two sides of the split ({'; '.join(shown)}{more})"
