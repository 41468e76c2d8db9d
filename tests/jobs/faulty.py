"""A function of a record with faults put into it, and a ledger of what was noted: for the tests of the runner.

In a module of its own, so that other processes can import it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import imagemill as im
from imagemill.data import Record, append_jsonl, read_jsonl
from imagemill.jobs.shards import Note

Row = dict[str, Any]


def record(number: int) -> Record:
    return Record(f"{number:03}.png", Path(f"in/{number:03}.png"))


def itself(item: Record) -> Record:
    return item


def records(count: int) -> list[Record]:
    return [record(number) for number in range(count)]


@dataclass(frozen=True)
class Faulty:
    """Two rows and a note of a record; of those whose numbers are given, one row and then an error."""

    faults: tuple[tuple[int, BaseException], ...] = ()
    seconds: tuple[tuple[int, float], ...] = ()

    def __call__(self, item: Record) -> Iterator[Row | Note]:
        number = int(item.key[:3])
        time.sleep(dict(self.seconds).get(number, 0))
        yield Note("even" if number % 2 == 0 else "odd")
        yield {"key": item.key, "part": 0, "value": number * number}
        if (fault := dict(self.faults).get(number)) is not None:
            raise fault
        yield {"key": item.key, "part": 1, "value": -number}


@dataclass(frozen=True)
class Dies:
    """Kills the process it works in at one record."""

    at: int

    def __call__(self, item: Record) -> Iterator[Row | Note]:
        if int(item.key[:3]) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        yield {"key": item.key, "part": 0, "value": 0}


class Ledger:
    """Rows on a disk that may be full, and which records are done."""

    def __init__(self, path: Path, room: int = 10**6) -> None:
        self.path, self.room = path, room
        self.lock = threading.get_ident()

    def note(self, rows: Sequence[tuple[int, Row]]) -> None:
        assert threading.get_ident() == self.lock  # nobody but the caller notes anything
        if self.room <= 0:
            raise im.DiskError(f"{self.path}: full")
        self.room -= 1
        append_jsonl(self.path, [row for _, row in rows])

    def rows(self) -> list[Row]:
        found = read_jsonl(self.path).rows if self.path.exists() else []
        return sorted(found, key=lambda row: (row["key"], row["part"]))

    def missing(self, of: Sequence[Record]) -> list[Record]:
        done = {row["key"] for row in self.rows() if row["part"] == 1}
        return [item for item in of if item.key not in done]


class Counted:
    """Items that know how many of them are alive."""

    alive: ClassVar[weakref.WeakSet[Counted]] = weakref.WeakSet()
    most: ClassVar[int] = 0

    def __init__(self, number: int) -> None:
        self.record = record(number)
        Counted.alive.add(self)
        Counted.most = max(Counted.most, len(Counted.alive))
