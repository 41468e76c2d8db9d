"""Digests of the records of a run, kept in a file: 81 bytes for each that are not in memory."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imagemill.data.atomic import writing
from imagemill.verbs.prepare.one_record import Known

__all__ = ["Digests"]

_ROW = 32 + 16 + 32 + 1
"""Bytes of a row: the digests of image, entry and label map, and 1 where there is a label map."""
_FORM = np.dtype({"names": ["head"], "formats": ["<u8"], "itemsize": _ROW})
_TOGETHER = 64
"""Rows that are read at once: most who ask for one ask for the next."""
_BLOCK = 1 << 14


class Digests:
    """A file with a row for each record, by its place.

    Parameters
    ----------
    path : Path
        Begun anew, and opened when there is something to write.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.FileIO | None = None
        self._first, self._read = 0, b""

    def put(self, rows: Sequence[tuple[int, Known]]) -> None:
        """Keep the digests of some records."""
        self._read = b""
        with writing(self._path):
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = io.FileIO(self._path, "w+")
            for place, row in rows:
                mask = row.mask_sha256
                texts = (row.sha256, row.entry, "00" * 32 if mask is None else mask)
                self._file.seek(place * _ROW)
                if self._file.write(b"".join(map(bytes.fromhex, texts)) + bytes([mask is not None])) != _ROW:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def at(self, place: int) -> Known:
        """Those of one record."""
        if not 0 <= (place - self._first) * _ROW < len(self._read):
            self._first = place - place % _TOGETHER
            self._read = self._rows(self._first, _TOGETHER)
        at = (place - self._first) * _ROW
        row = self._read[at : at + _ROW].hex()
        return Known(row[:64], row[96:160] if row.endswith("01") else None, row[64:96], None)

    def _rows(self, first: int, count: int) -> bytes:
        assert self._file is not None, "nothing was kept"
        self._file.seek(first * _ROW)
        data = self._file.read(count * _ROW)
        return data[: len(data) - len(data) % _ROW]

    def heads(self, count: int) -> npt.NDArray[np.uint64]:
        """The first bytes of the digests of so many images; zero for those of which there are none."""
        found = np.zeros(count, np.uint64)
        for first in range(0, count if self._file is not None else 0, _BLOCK):
            rows = self._rows(first, min(_BLOCK, count - first))
            heads = np.frombuffer(rows, _FORM)["head"]
            found[first : first + len(heads)] = heads
        return found

    def close(self) -> None:
        """Close the file; the folder is somebody else's to remove."""
        if self._file is not None:
            self._file.close()
            self._file = None
