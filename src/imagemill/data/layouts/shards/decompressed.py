"""Compressed files that are read in places: gzip cannot be entered in the middle, so they are unpacked once."""

from __future__ import annotations

import gzip
import tempfile
import threading
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from imagemill.core.errors import SourceError

__all__ = ["UNPACKED", "Spool", "unpacked"]

UNPACKED = 32 * 1024**3
"""Bytes that a compressed file may unpack to, where nobody says otherwise."""

_IN_MEMORY = 64 * 1024**2


@dataclass(slots=True, weakref_slot=True)
class Spool:
    """An unpacked file, in memory or, where it is large, in a temporary file without a name."""

    path: Path
    limit: int
    file: IO[bytes]
    lock: threading.Lock

    def __reduce__(self) -> tuple[Any, ...]:  # another process unpacks it for itself
        return unpacked, (self.path, self.limit)

    def read(self, offset: int, size: int) -> bytes:
        """Some bytes of it."""
        with self.lock:
            self.file.seek(offset)
            return self.file.read(size)


def unpacked(path: Path, limit: int = UNPACKED) -> Spool:
    """Unpack a ``.gz`` file.

    Parameters
    ----------
    path : Path
    limit : int
        Bytes that it may unpack to.

    Raises
    ------
    SourceError
        When it is no gzip, is cut off, or unpacks to more.
    """
    spool = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - it lives as long as the records do
    held = Spool(path, limit, spool, threading.Lock())
    weakref.finalize(held, spool.close)
    total = 0
    try:
        with gzip.open(path) as packed:
            while chunk := packed.read(1 << 20):
                total += len(chunk)
                if total > limit:
                    msg = f"expected {path} to unpack to at most {limit:,} bytes, got more"
                    raise SourceError(f"{msg}; unpack it by hand, or raise extra={{'max_bytes': ...}}")
                spool.write(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"expected {path} to be a whole gzip file, got {error}; get the file again") from error
    return held
