"""Who runs the loop: PyTorch's DataLoader found on the stack, its workers, and the processes that are none.

A DataLoader tells a dataset neither the epoch nor where the dataset stands. It can be seen, though, from where it
calls: each iteration has a *fetcher* of its own in every process that works for it, and the iterator that starts
workers is on the stack of the process that forks or pickles for them. Nothing of PyTorch is imported here: where it is
not loaded, nobody iterates with it.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Any

__all__ = [
    "Launch",
    "Process",
    "before_launches",
    "distributed",
    "fetcher",
    "here",
    "launching",
    "rank",
    "spawned",
    "worker",
]

Launch = tuple[int, int]
"""The rank of a process and the number of an iterator that it started workers for."""

_DEEPEST = 48
"""Frames between a DataLoader and a pipeline that it calls, at most."""

_FETCH = "torch.utils.data._utils.fetch"
_WORKER = "torch.utils.data._utils.worker"
_LOADER = "torch.utils.data.dataloader"
_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "HOROVOD_RANK")


class Process:
    """What is known in this process; a fork gets another.

    Parameters
    ----------
    launch : Launch, optional
        Of the DataLoader whose worker it is; None for any other process.
    """

    def __init__(self, launch: Launch | None = None) -> None:
        self.launch = launch
        # Held for a moment only, and new in a fork, where nobody could let go of the old one.
        self.lock = threading.RLock()
        self._generations: weakref.WeakKeyDictionary[object, int] = weakref.WeakKeyDictionary()
        self._count = 0
        self._launches: weakref.WeakKeyDictionary[object, Launch] = weakref.WeakKeyDictionary()
        self.launched = 0
        # What numberings of this process share with its workers.
        self.locks: dict[str, Any] = {}
        self.block: Any = None

    def generation(self, found: object) -> int:
        """How many fetchers this process has served, when it came to this one: 1 and more."""
        with self.lock:
            if found not in self._generations:
                self._count += 1
                self._generations[found] = self._count
            return self._generations[found]

    @property
    def latest(self) -> int:
        """The generation of the fetcher served last, 1 before any."""
        return max(1, self._count)

    def launch_of(self, iterator: object) -> Launch:
        """The number of an iterator that starts workers; all of its workers have one."""
        with self.lock:
            if iterator not in self._launches:
                self.launched += 1
                self._launches[iterator] = (rank(), self.launched)
            return self._launches[iterator]


_process = Process()
_forking = threading.local()
_before: list[Callable[[], None]] = []


def here() -> Process:
    """What is known in the present process."""
    return _process


def before_launches(call: Callable[[], None]) -> None:
    """Have something called whenever a DataLoader is about to fork a worker."""
    _before.append(call)


def _about_to_fork() -> None:
    _forking.launch = launching()
    if _forking.launch is not None:
        for call in _before:
            call()


def _forked() -> None:
    global _process
    _process = Process(getattr(_forking, "launch", None))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_about_to_fork, after_in_child=_forked)


def fetcher() -> Any:
    """What a DataLoader asks this process's samples with, where one asked for what runs now; None otherwise."""
    codes = _fetching()
    if codes is None:
        return None
    of_places, of_streams = codes
    frame = sys._getframe(1)
    for _ in range(_DEEPEST):
        above = frame.f_back
        if above is None:
            return None
        frame, code = above, above.f_code
        # By identity: code objects compare and hash by their content, which takes longer than all the rest.
        if code is of_places or code is of_streams:
            return frame.f_locals["self"]
    return None


_codes: tuple[CodeType, CodeType] | None = None


def _fetching() -> tuple[CodeType, CodeType] | None:
    global _codes
    if _codes is None and (module := sys.modules.get(_FETCH)) is not None:
        found = [getattr(module, name, None) for name in ("_MapDatasetFetcher", "_IterableDatasetFetcher")]
        if None in found:
            return None  # still being imported, by another thread
        _codes = (found[0].fetch.__code__, found[1].fetch.__code__)  # type: ignore[union-attr]  # None was sorted out
    return _codes


def launching() -> Launch | None:
    """The launch of the DataLoader that starts workers on this stack; None where none does."""
    kind = getattr(sys.modules.get(_LOADER), "_BaseDataLoaderIter", None)
    if kind is None:
        return None
    frame = sys._getframe(1)
    for _ in range(_DEEPEST):
        above = frame.f_back
        if above is None:
            return None
        frame = above
        if frame.f_code.co_name == "__init__" and isinstance(found := frame.f_locals.get("self"), kind):
            return _process.launch_of(found)
    return None


def worker() -> Any:
    """PyTorch's words about this process (``id``, ``seed``, ``num_workers``), where it is a DataLoader's worker."""
    module = sys.modules.get(_WORKER)
    return None if module is None else module._worker_info


def spawned() -> bool:
    """Whether this process is a child of `multiprocessing`, or of what is built upon it."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and module.parent_process() is not None


def distributed() -> tuple[int, int] | None:
    """Rank and world size, where PyTorch's processes have met; None otherwise."""
    module = sys.modules.get("torch.distributed")
    if module is None or not module.is_available() or not module.is_initialized():
        return None
    return int(module.get_rank()), int(module.get_world_size())


def rank() -> int:
    """Which of the processes that train together this is, as PyTorch or who started them says; 0 otherwise."""
    met = distributed()
    return _rank_said() if met is None else met[0]


@cache
def _rank_said() -> int:
    for name in _RANKS:
        said = os.environ.get(name, "")
        if said.isdigit():
            return int(said)
    return 0
