"""Atomic writes: a file is written under a temporary name and renamed when it is complete."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError, DiskError, ImagemillError
from imagemill.data.remote.remote_path import RemotePath, as_path

__all__ = ["JsonLines", "append_jsonl", "atomic_path", "read_jsonl", "writing"]


@contextmanager
def atomic_path(path: Path | str, *, durable: bool = False) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block ends well, and vanishes when it does not.

    Parameters
    ----------
    path : Path or str
        The file to make or replace. Missing parent folders are made.
    durable : bool
        Whether to wait until the disk has the bytes (slow; for files a resume depends on).

    Yields
    ------
    Path
        A name in the same folder, hidden and ending in ``.part``, so that sources never pick it up.

    Raises
    ------
    CodecError
        When `path` is a folder.
    DiskError
        When the folder around it cannot be made, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "a.txt") as part:
    ...         _ = part.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    target = as_path(path)
    if isinstance(target, RemotePath):
        with _sent(target) as part:
            yield part
        return
    if target.is_dir():
        msg = f"{target}: expected a file name to write to, got a folder; add a file name"
        raise CodecError(msg)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in _FULL:
            raise _full(target, error) from error
        msg = f"{target}: expected a folder to write into, got {error}; choose another folder"
        raise DiskError(msg) from error
    part = target.with_name(f".{target.name}.{os.getpid():x}-{secrets.token_hex(4)}.part")
    try:
        yield part
        if durable:
            _sync(part)
        os.replace(part, target)
        if durable and os.name == "posix":
            _sync(target.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if not isinstance(error, DiskError) and _is_full(error):
            raise _full(target, error) from error
        raise


@contextmanager
def _sent(target: RemotePath) -> Iterator[Path]:
    """The same for an address: a file of this machine that is sent there when it is whole."""
    from imagemill.data.remote.remote_files import put  # whose cache is written by this module

    with tempfile.TemporaryDirectory(prefix="imagemill-") as folder:
        part = Path(folder) / target.name
        yield part
        put(target, part)


# No space, no quota left, larger than the system allows, read-only: other errors may be about what was read.
_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS") if hasattr(errno, name))


_IN_WORDS = re.compile(r"\b(?:os error|errno)\D{1,4}(\d+)", re.IGNORECASE)
"""How libraries that are not written in Python name the system's errors in a text."""


def _is_full(error: BaseException | None) -> bool:
    """Whether the system refused to write, said by itself, or by a library in an error of its own."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        said = _IN_WORDS.search(str(error)) if isinstance(error, Exception) else None
        if said is not None and int(said[1]) in _FULL:
            return True
        error = error.__cause__
    return False


def _full(target: Path, error: BaseException) -> DiskError:
    do = "make room or choose another place, and run again: nothing half-written stays"
    return DiskError(f"{target}: expected a disk that takes the file, got {error}; {do}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write into a `DiskError`, for a block that does nothing else.

    Examples
    --------
    >>> with writing(Path("/no/such/folder/a")):
    ...     _ = Path("/no/such/folder/a").write_text("x")
    Traceback (most recent call last):
    imagemill.core.errors.DiskError: /no/such/folder/a: expected a disk that takes the file, got ...
    """
    try:
        yield
    except ImagemillError:
        raise
    except OSError as error:
        raise _full(path, error) from error


def _sync(path: Path) -> None:
    """Flush one file, or the folder entry that names it, to the disk."""
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class JsonLines:
    """What `read_jsonl` found.

    Parameters
    ----------
    rows : list of dict
        The whole lines, in order.
    dropped : str or None
        The torn last line that was left out, as text; None when the file ends well.
    """

    rows: list[dict[str, Any]]
    dropped: str | None = None


def append_jsonl(path: Path | str, rows: Iterable[Mapping[str, Any]], *, durable: bool = False) -> int:
    """Append whole lines of JSON in one write.

    A torn last line, left by a run that was killed, is cut off first: otherwise the new line would
    be glued to it and lost with it.

    Parameters
    ----------
    path : Path or str
        The file; made when missing.
    rows : iterable of mapping
        One line each. NaN and infinity are refused, because JSON has no word for them.
    durable : bool
        Whether to wait until the disk has the lines.

    Returns
    -------
    int
        How many lines were appended.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.jsonl"
    ...     append_jsonl(log, [{"key": "a"}, {"key": "b"}])
    ...     read_jsonl(log).rows
    2
    [{'key': 'a'}, {'key': 'b'}]
    """
    target = Path(path)
    lines = [json.dumps(dict(row), ensure_ascii=False, allow_nan=False) + "\n" for row in rows]
    if not lines:
        return 0
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _mend_tail(target)
        with target.open("ab") as file:
            file.write("".join(lines).encode("utf-8", "surrogatepass"))
            file.flush()
            if durable:
                os.fsync(file.fileno())
    return len(lines)


def _mend_tail(path: Path) -> None:
    """Make the file end in a newline: finish a whole last line, cut a torn one."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        content = file.read()
        start = content.rfind(b"\n") + 1
        if _parse(content[start:]) is None:
            file.truncate(start)
        else:
            file.write(b"\n")


def _parse(line: bytes) -> dict[str, Any] | None:
    """Parse one line, or answer None when it is not a whole JSON object."""
    try:
        value = json.loads(line.decode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def read_jsonl(path: Path | str) -> JsonLines:
    r"""Read lines of JSON, leaving out a torn last line and saying so.

    Parameters
    ----------
    path : Path or str
        The file.

    Returns
    -------
    JsonLines
        The rows, and the torn last line if there was one.

    Raises
    ------
    CodecError
        When the file cannot be read, or a line before the last is not a JSON object.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.jsonl"
    ...     _ = log.write_text('{"n": 1}\n{"n": ')
    ...     read_jsonl(log)
    JsonLines(rows=[{'n': 1}], dropped='{"n": ')
    """
    try:
        content = as_path(path).read_bytes()
    except OSError as error:
        msg = f"{path}: expected a readable file of JSON lines, got {error}; check the path"
        raise CodecError(msg) from error
    lines = content.split(b"\n")
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = _parse(line)
        if row is None:
            if number == len(lines):  # no newline after it: the write was cut off
                return JsonLines(rows, dropped=line.decode("utf-8", "replace"))
            msg = f"{path}: expected a JSON object on line {number}, got {line[:60]!r}; mend or remove it"
            raise CodecError(msg)
        rows.append(row)
    return JsonLines(rows)
