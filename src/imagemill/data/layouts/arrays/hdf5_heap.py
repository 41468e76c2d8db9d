"""Looking over the heaps of an HDF5 file before the C library does, which a damaged one keeps busy for ever.

Texts and lists of any length lie in global heaps. Where one says that nothing is left in it and does not say how much
nothing, HDF5 (seen with 2.0.0) reads the same place again and again, within one call that nothing can end.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from imagemill.core.errors import ImagemillError
from imagemill.data.codecs.base import problem

__all__ = ["check_heaps"]

_MARK = b"GCOL\x01"
_HEAD, _OBJECT = 16, 16
_LARGEST = 1 << 28


def check_heaps(path: Path | str) -> None:
    """Refuse a file with a global heap whose free space has no size.

    Files beyond 256 MiB are not looked over: it would take too long.

    Parameters
    ----------
    path : Path or str

    Raises
    ------
    CodecError

    Notes
    -----
    Source: HDF5 File Format Specification 3.0, III.E, "Disk Format: Level 1E - Global Heap", for lengths of 8 bytes.
    """
    try:
        if not 0 < Path(path).stat().st_size <= _LARGEST:
            return
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(_MARK)
            while at >= 0:
                if not _sound(data, at):
                    do = "get the file again from where it came from"
                    raise problem(path, "a whole HDF5 file", f"a damaged heap at byte {at:,}", do)
                at = data.find(_MARK, at + 1)
    except OSError as error:
        if isinstance(error, ImagemillError):
            raise
        raise problem(path, "a readable file", str(error), "check the path and its permissions") from error


def _sound(data: mmap.mmap, start: int) -> bool:
    """Whether every object of a heap has a size that leads on."""
    end = min(start + int.from_bytes(data[start + 8 : start + 16], "little"), len(data))
    at = start + _HEAD
    while at + _OBJECT <= end:
        number = int.from_bytes(data[at : at + 2], "little")
        size = int.from_bytes(data[at + 8 : at + 16], "little")
        if number == 0:  # free space: its size counts its own head
            if size < _OBJECT:
                return False
            at += size
        else:
            at += _OBJECT + (size + 7) // 8 * 8
    return True
