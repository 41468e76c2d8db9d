"""A file for libraries that do not survive a full disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

__all__ = ["Sink"]


class Sink:
    """A new file that takes all that is written to it, and says afterwards what the disk refused.

    HDF5 writes late, in places from which no error gets out: on a full disk datasets go missing without a word, and
    the process may crash when it ends. Here it never meets an error. What was refused is kept in memory, so that it
    reads back what it wrote, until :meth:`check` is called between two records.

    Parameters
    ----------
    path : Path

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Sink(Path(folder) / "a") as sink:
    ...     sink.write(b"abc"), sink.seek(1), sink.write(b"x"), sink.seek(0)
    ...     room = bytearray(3)
    ...     sink.readinto(room), bytes(room), sink.check()
    (3, 1, 1, 0)
    (3, b'axc', None)
    """

    def __init__(self, path: Path) -> None:
        # Without a buffer: an error must not wait in one.
        self._file = path.open("w+b", buffering=0)
        self._at = self._end = 0
        self._refused: list[tuple[int, bytes]] = []
        self._error: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def check(self) -> None:
        """Raise what the disk said, if it refused anything so far.

        Raises
        ------
        OSError
        """
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write at the current place; never fails."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            self._file.seek(self._at)
            while done < len(view) and self._error is None:
                done += self._file.write(view[done:])
        except OSError as error:
            self._error = error
        if done < len(view):
            self._refused.append((self._at + done, bytes(view[done:])))
        self._at += len(view)
        self._end = max(self._end, self._at)
        return len(view)

    def readinto(self, room: Any) -> int:
        """Read from the current place what was written there, refused or not."""
        view = memoryview(room).cast("B")
        count = max(0, min(len(view), self._end - self._at))
        self._file.seek(self._at)
        found = bytearray(self._file.read(count)).ljust(count, b"\0")
        for start, data in self._refused:
            first, last = max(start, self._at), min(start + len(data), self._at + count)
            if first < last:
                found[first - self._at : last - self._at] = data[first - start : last - start]
        view[:count] = found
        self._at += count
        return count

    def read(self, count: int) -> bytes:
        """Read so many bytes, fewer at the end."""
        room = bytearray(count)
        return bytes(room[: self.readinto(room)])

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place; ``whence`` as everywhere."""
        self._at = place + (0, self._at, self._end)[whence]
        return self._at

    def tell(self) -> int:
        """The current place."""
        return self._at

    def truncate(self, size: int | None = None) -> int:
        """Make the file so long."""
        self._end = self._at if size is None else size
        try:
            if self._error is None:
                self._file.truncate(self._end)
        except OSError as error:
            self._error = error
        return self._end

    def flush(self) -> None:
        """Nothing waits in a buffer."""
