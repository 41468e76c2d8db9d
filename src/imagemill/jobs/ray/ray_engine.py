"""The engine: some actors with one function of a shard.

Actors of Ray and not Ray Data: what a shard gives is noted when it comes, in any order, a few are in flight, and the
first error in the order of the items ends the run. That is `jobs.runner`, and a second one around it would bring blocks
and a plan, and start later. From Ray come the processes on all machines, the way of bytes between them, and the word
that one of them is gone.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from imagemill.core.errors import InputError, WorkerError
from imagemill.core.extras import require
from imagemill.jobs.engines import EVERY
from imagemill.jobs.ray.cluster import connected
from imagemill.jobs.ray.same_versions import refuse_others
from imagemill.jobs.sent_outcomes import as_bytes, packed, unpacked
from imagemill.jobs.shards import Outcome, Shard, ShardWork

__all__ = ["RayActors"]

_LIVES = 4
"""How many workers a shard may bring down, or lose for other reasons, before it is given up."""
_DO = "give a function of a module that all machines have, without open files, locks or connections in it"


class Worker:
    """What an actor is: a function of a shard, sent once."""

    def __init__(self, work: bytes) -> None:
        import cv2

        cv2.setNumThreads(1)
        self._given = work
        self._work: ShardWork[Any, Any] | None = None

    def answer(self, shard: bytes) -> bytes:
        """What became of a shard."""
        if self._work is None:  # here and not when it starts: an actor that cannot start is taken for one that died
            self._work = pickle.loads(self._given)
        return packed(self._work(pickle.loads(shard)), require("ray", extra="ray").cloudpickle.dumps)


def _check_cores(workers: int, cores: int) -> None:
    """Refuse more workers than there are cores: the others would wait for one, and their shards with them."""
    if workers > cores:
        raise InputError(f"expected a Ray cluster of {workers} cores, one for each worker, got {cores}; take {cores}")


class RayActors:
    """Actors on a Ray cluster; one that is lost is replaced, and its shard made again.

    Parameters
    ----------
    work : ShardWork
    workers : int
        Actors, each on a core of its own.
    address : str
        ``"ray"`` or ``"ray://HOST:PORT"``.
    sees : sequence of Path
        Files and folders that every machine has to see.

    Raises
    ------
    InputError
        When the function cannot be sent, there are fewer cores than workers, versions differ between here and there, a
        machine does not see a path, or there is no cluster.
    """

    def __init__(self, work: ShardWork[Any, Any], workers: int, *, address: str, sees: Sequence[Path] = ()) -> None:
        ray = require("ray", extra="ray")
        self._ray, self._dumps = ray, ray.cloudpickle.dumps
        given = as_bytes(work, "work", _DO, self._dumps)
        self._last, self._lost, self._lock = EVERY, 0, threading.Lock()
        self._cluster = connected(address, workers)
        try:
            _check_cores(workers, int(ray.cluster_resources().get("CPU", 0)))
            refuse_others(sees)
            self._work = ray.put(given)
            self._kind = ray.remote(num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD")(Worker)
            self._idle: SimpleQueue[Any] = SimpleQueue()
            for _ in range(workers):
                self._idle.put(self._kind.remote(self._work))
        except BaseException:
            self._cluster.close()
            raise
        # A thread for each actor waits for it; futures are then those that every engine has.
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="imagemill-ray")

    def submit(self, shard: Shard[Any]) -> Future[bytes]:
        """Have a shard worked on."""
        return self._pool.submit(self._answer, shard.number, as_bytes(shard, "records", _DO, self._dumps))

    def _answer(self, number: int, shard: bytes) -> bytes:
        if number > self._last:
            return packed([])
        actor = self._idle.get()
        try:
            for _ in range(_LIVES):
                try:
                    found: bytes = self._ray.get(actor.answer.remote(shard))
                    return found
                except self._ray.exceptions.RayActorError:
                    with self._lock:
                        self._lost += 1
                    # Without a core of its own: with a machine its core is gone, and nobody might ever give another.
                    actor = self._kind.options(num_cpus=0).remote(self._work)
            raise WorkerError(
                f"expected a shard to be worked on, got the end of {_LIVES} workers that had it; the system ends them "
                "when memory is short (take fewer), or compiled code crashed"
            )
        except self._ray.exceptions.RayTaskError as error:
            raise WorkerError(f"expected a worker that can read what it is sent, got {error.cause}; {_DO}") from error
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            do = "what was finished is noted: run again when it is back"
            raise WorkerError(
                f"expected a Ray cluster that goes on, got {type(error).__name__}: {error}; {do}"
            ) from error
        finally:
            self._idle.put(actor)

    def outcomes(self, future: Future[Any]) -> list[Outcome[Any]]:
        """What became of a shard."""
        return unpacked(future.result())

    def remarks(self) -> tuple[str, ...]:
        """How many workers were lost."""
        if not self._lost:
            return ()
        if self._lost == 1:
            return ("1 worker was lost on the way, and its shard made again by another",)
        return (f"{self._lost} workers were lost on the way, and their shards made again by others",)

    def stop(self, last: int) -> None:
        """Begin no shard behind `last`; those that were begun come to their end."""
        self._last = last

    def close(self) -> None:
        """End the actors, and the cluster where it is ours."""
        self._pool.shutdown()
        while not self._idle.empty():
            self._cluster.end(self._idle.get())
        self._cluster.close()
