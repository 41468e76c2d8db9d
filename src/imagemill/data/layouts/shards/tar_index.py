"""Where the members of a tar file lie, so that each can be read on its own. Nothing is ever unpacked."""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from imagemill.core.errors import SourceError
from imagemill.data.codecs.base import problem
from imagemill.data.layouts.base import Problem, ReadSource
from imagemill.data.layouts.shards.decompressed import UNPACKED, Spool, unpacked
from imagemill.data.layouts.tables.cells.image_cells import is_safe_key

__all__ = ["Member", "TarIndex", "index_tar"]

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a tar: its name, and how its bytes are fetched."""

    name: str
    fetch: Callable[[], bytes]
    size: int


@dataclass(frozen=True, slots=True)
class TarIndex:
    """The files in a tar in their order, and what was not taken in."""

    members: tuple[Member, ...]
    problems: tuple[Problem, ...]


def index_tar(path: Path, options: ReadSource) -> TarIndex:
    """List the files of a tar.

    Links, devices, and names that lead outside are problems; they are never followed.

    Parameters
    ----------
    path : Path
        ``.tar``, or ``.tar.gz``/``.tgz``, which is unpacked once into the memory or a temporary file without a name.
    options : ReadSource
        ``extra["max_bytes"]`` bounds what a compressed tar may unpack to (default 32 GiB).

    Raises
    ------
    SourceError
        When it is no tar, or unpacks to too much.
    """
    try:
        if path.name.lower().endswith((".gz", ".tgz")):
            spool = unpacked(path, int(options.extra.get("max_bytes", UNPACKED)))
            spool.file.seek(0, os.SEEK_END)
            return _index(path, spool.file, spool.file.tell(), partial(_from_spool, spool))
        with path.open("rb") as file:
            return _index(path, file, path.stat().st_size, partial(_from_file, path))
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"expected {path} to be a tar file, got {error}; get the file again") from error


def _from_file(path: Path, offset: int, size: int, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(size)
    except OSError as error:
        raise problem(name, "a readable tar file", str(error), "check the path and its permissions") from error
    return _whole(data, size, name)


def _from_spool(spool: Spool, offset: int, size: int, name: str) -> bytes:
    return _whole(spool.read(offset, size), size, name)


def _whole(data: bytes, size: int, name: str) -> bytes:
    if len(data) != size:
        raise problem(name, f"{size:,} bytes", f"{len(data):,}", "get the tar file again")
    return data


def _index(path: Path, file: IO[bytes], size: int, read: Callable[[int, int, str], bytes]) -> TarIndex:
    members: list[Member] = []
    problems: list[Problem] = []
    end = 0
    cut = False
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as tar:
        try:
            for info in tar:
                end = tar.offset
                name = info.name.removeprefix("./")
                if info.isdir() or name.rpartition("/")[2].startswith("."):  # ._name is what macOS adds
                    continue
                shown = f"{path.name}: {name}"
                if (why := _refused(info, name, size)) is not None:
                    problems.append(Problem(shown, f"{shown}: {why}"))
                else:
                    members.append(Member(name, partial(read, info.offset_data, info.size, shown), info.size))
        except tarfile.TarError:
            if not end:
                raise
            cut = True
    # tarfile takes a damaged header for the end; the real end is blocks of zeros.
    file.seek(end)
    if (cut and end <= size) or file.read(_BLOCK).strip(b"\0"):
        msg = f"{path.name}: expected a header at byte {end:,}, got damaged data; what follows was not read"
        problems.append(Problem(path.name, f"{msg}; get the file again"))
    return TarIndex(tuple(members), tuple(problems))


def _refused(info: tarfile.TarInfo, name: str, size: int) -> str | None:
    """Why a member is not taken in."""
    if not info.isreg() or info.sparse:
        kind = "a link" if info.issym() or info.islnk() else "a device or other special file"
        return f"expected a plain file, got {kind}; pack the file itself"
    if not is_safe_key(name):
        return f"expected a relative path inside the tar, got {info.name!r}; pack it again"
    if info.offset_data + info.size > size:
        return f"expected {info.size:,} bytes, got the end of the file; get the file again"
    return None
