"""Memory that several processes see, without a name that could be left behind.

A block is a file that lies in memory only (``memfd_create``; elsewhere a temporary file that is deleted as soon as it
is open). Another process gets it as an open file over a socket. Nobody has to clean up: the system takes the memory
back when the last process that mapped it is done or dead, however it ended; and the limit of ``/dev/shm``, which is
low in containers, is not one for it.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, WorkerError

__all__ = ["Block", "check_platform"]

Bytes = npt.NDArray[np.uint8]


def check_platform() -> None:
    """Refuse systems where open files cannot be sent to other processes.

    Raises
    ------
    InputError
    """
    if not hasattr(socket, "send_fds"):
        raise InputError("expected Linux or macOS for worker processes, got another system; take threads: workers=2")


class Block:
    """Some memory.

    Parameters
    ----------
    file : int
        Descriptor of an open file, taken over.
    private : bool
        Map it so that what this process writes stays its own.

    Notes
    -----
    What is mapped stays so when its file is closed. Programs hold hundreds of batches, and may have no more than 256
    files open on some systems: so a block holds one no longer than it takes to send it.

    Examples
    --------
    >>> block = Block.new(1000)
    >>> block.size >= 1000, int(block.bytes[0])
    (True, 0)
    """

    __slots__ = ("_file", "bytes", "place", "size")

    def __init__(self, file: int, *, private: bool = False) -> None:
        self._file: int | None = file
        self.size = os.fstat(file).st_size
        # Unmapped when the last array over it is gone: nobody has to say so.
        self.bytes: Bytes = np.frombuffer(_mapped(file, self.size, private=private), np.uint8)
        self.place = self.bytes.ctypes.data

    @classmethod
    def new(cls, size: int) -> Self:
        """Zeros; memory is taken page by page when it is first written to."""
        size = -(-max(size, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
        with _told_of_files():
            file = _nameless()
        try:
            os.ftruncate(file, size)
        except BaseException:
            os.close(file)
            raise
        return cls(file)

    def send(self, connection: Connection) -> None:
        """Let the process at the other end map the same memory."""
        if self._file is None:
            raise ValueError("expected a block whose file is open, got one that was closed; send it before")
        with _socket(connection) as line:
            socket.send_fds(line, [b"b"], [self._file])

    @classmethod
    def receive(cls, connection: Connection, *, private: bool = False) -> Self:
        """Map what the other end sends; its file is closed here, so that it cannot be sent on.

        Raises
        ------
        EOFError
            When it ended before.
        WorkerError
            When this process may not open another file.
        """
        with _socket(connection) as line:
            said, files, _, _ = socket.recv_fds(line, 1, 1)
        if not files:
            if said:  # it was sent, and the system could not open it here
                raise WorkerError(_TOO_MANY)
            raise EOFError
        found = cls(files[0], private=private)
        found.close_file()
        return found

    def close_file(self) -> None:
        """Close the file; the memory stays, and cannot be sent any more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def holds(self, data: Any) -> int | None:
        """Where in this block some bytes lie; None when they lie elsewhere."""
        at = np.frombuffer(data, np.uint8).ctypes.data - self.place
        return at if 0 <= at < self.size else None

    def __del__(self) -> None:
        # Not where __init__ failed half-way.
        if getattr(self, "_file", None) is not None:
            self.close_file()


def _nameless() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("imagemill")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@contextmanager
def _told_of_files() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise WorkerError(_TOO_MANY) from error
        raise


_TOO_MANY = (
    "expected to open one more file for the memory that worker processes share, got the limit of open files; close "
    "some, raise it (ulimit -n 4096), or take threads: workers=2"
)


def _mapped(file: int, size: int, *, private: bool) -> Any:
    """A file's memory as something that numpy takes a buffer of.

    Not by the standard library's `mmap`: before Python 3.13 it keeps a descriptor of its own for each mapping.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, _OFFSET)
    flags = mmap.MAP_PRIVATE if private else mmap.MAP_SHARED
    at = libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, file, 0)
    if at is None or at == ctypes.c_void_p(-1).value:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    memory = (ctypes.c_ubyte * size).from_address(at)
    # Not at the end of the program: arrays may still be read by what ends after this.
    weakref.finalize(memory, _unmapped, at, size).atexit = False
    return memory


def _unmapped(at: int, size: int) -> None:
    libc = ctypes.CDLL(None)
    libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    libc.munmap(at, size)


_OFFSET = ctypes.c_int64
"""Where in a file a mapping begins: 64 bits on the systems that Python supports here."""


@contextmanager
def _socket(connection: Connection) -> Iterator[socket.socket]:
    """The line of a connection as a socket, as pipes of multiprocessing cannot send open files by themselves."""
    line = socket.socket(fileno=connection.fileno())
    try:
        yield line
    finally:
        line.detach()  # it stays the connection's
