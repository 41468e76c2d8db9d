"""Shards on Daft: an engine beside threads, processes and Ray. Each shard is a row of a frame, each frame a query.

A query of one row costs some milliseconds, which is little beside a shard. So what is finished is noted when it comes,
errors end the run in the order of the items as on any engine, and Daft is asked for no more than where a function runs:
in threads of this process, or with ``daft.set_runner_ray(address)`` on the machines of a Ray cluster.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, WorkerError
from imagemill.core.extras import require
from imagemill.jobs.engines import EVERY
from imagemill.jobs.sent_outcomes import as_bytes, packed, unpacked
from imagemill.jobs.shards import Outcome, Shard, ShardWork

__all__ = ["DaftQueries", "the_daft"]

_DO = "give a function of a module that all machines have, without open files, locks or connections in it"
_ANSWERED = "found"


def the_daft() -> Any:
    """Daft, which is told before it is imported to send nothing about its use: the data may not be ours to speak of."""
    os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")
    return require("daft", extra="daft")


class DaftQueries:
    """Daft's runner with one function of a shard.

    Parameters
    ----------
    work : ShardWork
    workers : int
        Queries side by side.
    sees : sequence of Path
        Files and folders that every machine has to see, where Daft is on Ray.

    Raises
    ------
    InputError
        When the function cannot be sent, Daft cannot start, or a machine of its cluster has other versions.
    """

    def __init__(self, work: ShardWork[Any, Any], workers: int, *, sees: Sequence[Path] = ()) -> None:
        self._daft, self._dumps = the_daft(), require("daft.pickle", extra="daft").dumps
        given = as_bytes(work, "work", _DO, self._dumps)
        try:
            is_on_ray = self._daft.get_or_create_runner().name == "ray"
        except Exception as error:
            do = "see DAFT_RUNNER and daft.set_runner_ray, or leave on out to run on this machine without it"
            raise InputError(f"expected Daft to start, got {type(error).__name__}: {error}; {do}") from error
        if is_on_ray:
            from imagemill.jobs.ray.same_versions import refuse_others

            # First of all one query by itself: two at once would each make the actor that Daft's runner has one of.
            self._daft.from_pydict({"shard": [b""]}).to_pydict()
            refuse_others(sees)
        self._last = EVERY
        binary = self._daft.DataType.binary()
        # In whatever process Daft is: one of its own would be started for each query.
        self._answer = self._daft.func(Answer(given), return_dtype=binary, use_process=False)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="imagemill-daft")

    def submit(self, shard: Shard[Any]) -> Future[bytes]:
        """Have a shard worked on."""
        return self._pool.submit(self._asked, shard.number, as_bytes(shard, "records", _DO, self._dumps))

    def _asked(self, number: int, shard: bytes) -> bytes:
        if number > self._last:
            return packed([])
        frame = self._daft.from_pydict({"shard": [shard]})
        query = frame.select(self._answer(self._daft.col("shard")).alias(_ANSWERED))
        try:
            found: bytes = query.to_pydict()[_ANSWERED][0]
        except Exception as error:
            do = "what was finished is noted: run again, or see that its machines can read what they are sent"
            raise WorkerError(f"expected Daft to go on, got {type(error).__name__}: {error}; {do}; {_DO}") from error
        return found

    def outcomes(self, future: Future[Any]) -> list[Outcome[Any]]:
        """What became of a shard."""
        return unpacked(future.result())

    def remarks(self) -> tuple[str, ...]:
        """Nothing: Daft does not say what it lost and made again."""
        return ()

    def stop(self, last: int) -> None:
        """Begin no shard behind `last`; those that were begun come to their end."""
        self._last = last

    def close(self) -> None:
        """Wait for the queries to end; Daft's runner is the program's, and stays."""
        self._pool.shutdown()


_here: dict[str, ShardWork[Any, Any]] = {}
"""The function of the last run in this process, by the digest of its bytes."""


class Answer:
    """What is asked of a row: the function, unpacked once in a process, of the shard in it."""

    def __init__(self, work: bytes) -> None:
        self._given, self._digest = work, hashlib.sha256(work).hexdigest()
        self.__name__ = "imagemill"  # what Daft calls it

    def __call__(self, shard: bytes) -> bytes:
        """What became of a shard."""
        work = _here.get(self._digest)
        if work is None:
            work = pickle.loads(self._given)
            _here.clear()
            _here[self._digest] = work
        return packed(work(pickle.loads(shard)), require("daft.pickle", extra="daft").dumps)
