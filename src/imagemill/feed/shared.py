"""Memory that several processes see, without a name that could be left behind.

A block is a file that lies in memory only (``memfd_create``; elsewhere a temporary file that is deleted as soon as it
is open). Another process gets it as an open file over a socket. Nobody has to clean up: the system takes the memory
back when the last process that mapped it is done or dead, however it ended; and the limit of ``/dev/shm``, which is
low in containers, is not one for it.
"""

from __future__ import annotations

import mmap
import os
import socket
import tempfile
from multiprocessing.connection import Connection
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError

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

    Examples
    --------
    >>> block = Block.new(1000)
    >>> block.size >= 1000, int(block.bytes[0])
    (True, 0)
    """

    __slots__ = ("_file", "bytes", "place", "size")

    def __init__(self, file: int, *, private: bool = False) -> None:
        self._file = file
        self.size = os.fstat(file).st_size
        access = mmap.ACCESS_COPY if private else mmap.ACCESS_WRITE
        # Unmapped when the last array over it is gone: nobody has to say so.
        self.bytes: Bytes = np.frombuffer(mmap.mmap(file, self.size, access=access), np.uint8)
        self.place = self.bytes.ctypes.data

    @classmethod
    def new(cls, size: int) -> Self:
        """Zeros; memory is taken page by page when it is first written to."""
        size = -(-max(size, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
        if hasattr(os, "memfd_create"):
            file = os.memfd_create("imagemill")
        else:
            with tempfile.TemporaryFile() as nameless:
                file = os.dup(nameless.fileno())
        os.ftruncate(file, size)
        return cls(file)

    def send(self, connection: Connection) -> None:
        """Let the process at the other end map the same memory."""
        with _socket(connection) as line:
            socket.send_fds(line, [b"b"], [self._file])

    @classmethod
    def receive(cls, connection: Connection, *, private: bool = False) -> Self:
        """Map what the other end sends.

        Raises
        ------
        EOFError
            When it ended before.
        """
        with _socket(connection) as line:
            _, files, _, _ = socket.recv_fds(line, 1, 1)
        if not files:
            raise EOFError
        return cls(files[0], private=private)

    def holds(self, data: Any) -> int | None:
        """Where in this block some bytes lie; None when they lie elsewhere."""
        at = np.frombuffer(data, np.uint8).ctypes.data - self.place
        return at if 0 <= at < self.size else None

    def __del__(self) -> None:
        # Not where __init__ failed half-way.
        if (file := getattr(self, "_file", None)) is not None:
            os.close(file)


def _socket(connection: Connection) -> socket.socket:
    # A second descriptor of the same line, as pipes of multiprocessing cannot send open files by themselves.
    return socket.socket(fileno=os.dup(connection.fileno()))
