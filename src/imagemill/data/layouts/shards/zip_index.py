"""Where the members of a zip file lie, so that each can be read on its own. Nothing is ever unpacked."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from functools import partial
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.codecs.base import problem
from imagemill.data.codecs.limits import DEFLATE
from imagemill.data.layouts.base import Problem
from imagemill.data.layouts.shards.tar_index import Member, TarIndex
from imagemill.data.layouts.tables.cells.image_cells import is_safe_key

__all__ = ["index_zip"]

_HEADER = struct.Struct("<4s22xHH")
"""Of a member: its signature, and the lengths of the name and the extra field that stand before its bytes."""

_AGAIN = "get the zip file again"


def index_zip(path: Path) -> TarIndex:
    """List the files of a zip in their order, as `index_tar` does of a tar.

    Links, encrypted members, names that lead outside, and sizes that no compression reaches are problems.

    Raises
    ------
    SourceError
        When it is no zip file.
    """
    members: list[Member] = []
    problems: list[Problem] = []
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SourceError(f"expected {path} to be a zip file, got {error}; {_AGAIN}") from error
    for info in infos:
        # Some Windows programs write their own separator.
        name = info.filename.replace("\\", "/").removeprefix("./")
        if name.endswith("/") or name.rpartition("/")[2].startswith("."):  # ._name is what macOS adds
            continue
        shown = f"{path.name}: {name}"
        if (why := _refused(info, name)) is not None:
            problems.append(Problem(shown, f"{shown}: {why}"))
        else:
            fetch = partial(_fetch, path, info.header_offset, info.compress_size, info.file_size, info.CRC, shown)
            members.append(
                Member(name, partial(fetch, deflated=info.compress_type == zipfile.ZIP_DEFLATED), info.file_size)
            )
    return TarIndex(tuple(members), tuple(problems))


def _refused(info: zipfile.ZipInfo, name: str) -> str | None:
    """Why a member is not taken in."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "expected a plain file, got a link; pack the file itself"
    if info.flag_bits & 0x1:
        return "expected a plain file, got an encrypted one; unpack it with its password, and give the folder"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        got = f"one packed by method {info.compress_type}"
        return f"expected a stored or deflated file, got {got}; unpack it, and give the folder"
    if not is_safe_key(name):
        return f"expected a relative path inside the zip, got {info.filename!r}; pack it again"
    if info.file_size > DEFLATE * info.compress_size + 4096:
        return f"expected at most {DEFLATE} bytes of each that is stored, got {info.file_size:,}; {_AGAIN}"
    return None


def _fetch(path: Path, offset: int, stored: int, size: int, crc: int, name: str, *, deflated: bool) -> bytes:
    """The bytes of one member, compared with their checksum."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            head = file.read(_HEADER.size)
            mark, *lengths = _HEADER.unpack(head) if len(head) == _HEADER.size else (b"",)
            if mark != b"PK\x03\x04":
                raise problem(name, "a header of its own", "other bytes", _AGAIN)
            file.seek(sum(lengths), 1)
            data = file.read(stored)
        if deflated:
            # One byte more than there should be is enough to see that there is more.
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
    except (OSError, zlib.error) as error:
        raise problem(name, "a readable zip file", str(error), _AGAIN) from error
    if len(data) != size or zlib.crc32(data) != crc:
        raise problem(name, f"{size:,} bytes with their checksum", f"{len(data):,} others", _AGAIN)
    return data
