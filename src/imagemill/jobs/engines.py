"""What runs shards side by side: threads here, other processes in `process_engine`.

An engine is given shards and gives what became of each, in any order. It knows nothing of files, errors or reports.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from imagemill.jobs.shards import Outcome, Shard, ShardWork

__all__ = ["EVERY", "NONE", "Engine", "Start", "Threads"]

EVERY, NONE = sys.maxsize, -1
"""The last shard that is wanted, where all are and where none is."""


class Engine(Protocol):
    """Some workers with one function of a shard."""

    def submit(self, shard: Shard[Any]) -> Future[Any]:
        """Have a shard worked on; shards begin in the order in which they were given."""
        ...

    def outcomes(self, future: Future[Any]) -> list[Outcome[Any]]:
        """What became of a shard whose future is done.

        Raises
        ------
        WorkerError
            When its worker is gone.
        """
        ...

    def remarks(self) -> tuple[str, ...]:
        """What there is to say of the run, such as workers that were lost on the way."""
        ...

    def stop(self, last: int) -> None:
        """End shards that are being worked on between two rows, but for those with numbers up to `last`."""
        ...

    def close(self) -> None:
        """Wait for the workers to end."""
        ...


Start = Callable[[ShardWork[Any, Any], int], Engine]
"""Makes an engine of a function and a number of workers."""


class Threads:
    """Threads of this process: for work that is done in compiled code, which lets them run at once."""

    def __init__(self, work: ShardWork[Any, Any], workers: int) -> None:
        self._work, self._last = work, EVERY
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="imagemill")

    def submit(self, shard: Shard[Any]) -> Future[list[Outcome[Any]]]:
        """Have a shard worked on."""
        return self._pool.submit(self._work, shard, lambda: shard.number > self._last)

    def outcomes(self, future: Future[Any]) -> list[Outcome[Any]]:
        """What became of a shard."""
        found: list[Outcome[Any]] = future.result()
        return found

    def remarks(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def stop(self, last: int) -> None:
        """End shards behind `last` early."""
        self._last = last

    def close(self) -> None:
        """Wait for the threads to end."""
        self._pool.shutdown()
