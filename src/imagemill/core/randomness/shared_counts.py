"""Whole numbers in memory that a process shares with those it starts, by fork or by pickle."""

from __future__ import annotations

import mmap
import os
import secrets
import tempfile
from collections.abc import Callable
from typing import Any

__all__ = ["Table", "new_table"]

WORDS = 256
"""Numbers of a table, of 64 bits each."""
_TABLES = 64
_BYTES = 8 * WORDS * _TABLES


class Block:
    """Memory for some tables: a file without a name, or on Windows a name without a file."""

    def __init__(self, where: int | str | None = None) -> None:
        self._where = _made() if where is None else where
        # The third argument is a name on Windows and a number elsewhere.
        how: tuple[Any, ...] = (-1, _BYTES, self._where) if isinstance(self._where, str) else (self._where, _BYTES)
        memory = mmap.mmap(*how)
        self.numbers = memoryview(memory).cast("q")
        self.given = 0

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self._where, str):
            return Block, (self._where,)
        from multiprocessing.reduction import DupFd

        return _opened, (DupFd(self._where),)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        # The function is held, since the module may be gone when the interpreter ends.
        where = getattr(self, "_where", None)
        if isinstance(where, int):
            close(where)


def _made() -> int | str:
    if os.name == "nt":
        return f"imagemill-{secrets.token_hex(8)}"
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("imagemill", os.MFD_CLOEXEC)
    else:
        file, name = tempfile.mkstemp(prefix="imagemill-")
        os.unlink(name)
    os.ftruncate(file, _BYTES)
    return file


def _opened(sent: Any) -> Block:
    return Block(sent.detach())


class Table:
    """Some numbers, zero at first, which are read and written as those of a list are.

    It is pickled only for a process that is just being started, as locks of `multiprocessing` are.
    """

    def __init__(self, block: Block, number: int) -> None:
        self._block, self._number = block, number
        self.numbers = block.numbers[number * WORDS : (number + 1) * WORDS]

    def __reduce__(self) -> tuple[Any, ...]:
        return Table, (self._block, self._number)


def new_table(block: Block | None) -> tuple[Table, Block]:
    """A table in a block, or in a new one where there is none or it is full; and the block."""
    if block is None or block.given == _TABLES:
        block = Block()
    block.given += 1
    return Table(block, block.given - 1), block
