"""What a sample's draws belong to where the caller did not say: an epoch, and a key that nobody else has.

Epochs are counted for those who leave the iterating to PyTorch's DataLoader: its first iteration is epoch 0, the next
epoch 1, whatever the number of workers, how they are started, and whether they stay. `Numbering` counts. Where workers
are processes they share a small table, in which each iteration is written down by the first who sees it.

Keys without a name count from zero. A copy of the counter (in a fork, a deep copy, a pickle) would give the same
numbers again, so a copy draws under the hash of where it came from, and never like another one.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from imagemill.core.errors import InputError
from imagemill.core.randomness import dataloader as loops
from imagemill.core.randomness.shared_counts import WORDS, Table, new_table

__all__ = ["Lineage", "Numbering"]

_NEXT, _SAID, _COUNT, _TOLD, _RING = 0, 1, 2, 3, 4
_KEPT = (WORDS - _RING) // 4
"""Iterations that the table remembers: many more than run at a time."""
_PATIENCE = 2.0
"""Seconds that the table is waited for: one who died with it in hand must not stop the others."""

_everyone: weakref.WeakSet[Numbering] = weakref.WeakSet()


def _share_all() -> None:
    for numbering in list(_everyone):
        numbering.share("fork")


loops.before_launches(_share_all)


class Numbering:
    """The epoch of whoever runs the loop.

    Parameters
    ----------
    said : int
        The epoch outside of any loop, and that of the first iteration of a DataLoader.
    """

    __slots__ = ("__weakref__", "_home", "_last", "_launch", "_lock", "_next", "_said", "_table", "_told", "_turns")

    def __init__(self, said: int = 0) -> None:
        self._home = loops.here()
        self._launch = self._home.launch
        self._said = self._next = said
        self._told = 0
        self._table: Table | None = None
        self._lock: Any = None
        self._turns: weakref.WeakKeyDictionary[object, int] = weakref.WeakKeyDictionary()
        self._last: tuple[Any, int] | None = None
        _everyone.add(self)

    @property
    def said(self) -> int:
        """The epoch that was set last."""
        return self._said if self._table is None else int(self._table.numbers[_SAID])

    def epoch(self) -> int:
        """The epoch of the loop that asks; the one that was set where no DataLoader does."""
        found = self.turn()
        return self.said if found is None else found

    def turn(self) -> int | None:
        """The epoch of the DataLoader that asks; None where none does."""
        if self._home is not loops.here():
            self._move()
        found = loops.fetcher()
        if found is None:
            # A thread that a worker's dataset has started cannot see the DataLoader, but works for it.
            return None if loops.worker() is None else self._number(None)
        last = self._last
        return last[1] if last is not None and last[0]() is found else self._number(found)

    def first(self) -> bool:
        """Whether nobody asked this before, here or in the workers of a DataLoader: for what is said once."""
        if self._home is not loops.here():
            self._move()
        if self._table is None:
            told, self._told = self._told, 1
            return not told
        with self._held():
            told, self._table.numbers[_TOLD] = self._table.numbers[_TOLD], 1
            return not told

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next, in workers that are running as well."""
        if isinstance(epoch, bool) or not hasattr(epoch, "__index__") or not 0 <= epoch < 1 << 32:
            raise InputError(f"expected an epoch from 0 to 2**32 - 1, got {epoch!r}")
        if self._home is not loops.here():
            self._move()
        self._said = self._next = int(epoch)
        if self._table is not None:
            with self._held():
                self._table.numbers[_NEXT] = self._table.numbers[_SAID] = int(epoch)

    # ------------------------------------------------------------------------------------------- counting

    def _number(self, found: Any) -> int:
        with self._home.lock:
            known = None if found is None else self._turns.get(found)
            epoch = self._decide(found) if known is None else known
            if found is not None:
                self._turns[found] = epoch
                self._last = (weakref.ref(found), epoch)
            return epoch

    def _decide(self, found: Any) -> int:
        working = loops.worker()
        generation = self._home.latest if found is None else self._home.generation(found)
        if working is None:
            return self._take(None)
        if self._launch is None:
            # Made in this worker (a program's own pipeline, imported again by a process that was spawned): who
            # started it knows nothing of this one. All workers of an iteration have one seed in common.
            return int.from_bytes(_hashed("seed", working.seed - working.id, generation)[:4], "little")
        return self._take((*self._launch, generation))

    def _take(self, iteration: tuple[int, int, int] | None) -> int:
        """The number of an iteration: the one written down for it, or the next."""
        if self._table is None:
            epoch, self._next = self._next, self._next + 1
            return epoch
        with self._held():
            numbers = self._table.numbers
            for at in range(_RING, _RING + 4 * _KEPT, 4):
                if iteration is not None and tuple(numbers[at : at + 3]) == iteration:
                    return int(numbers[at + 3])
            epoch = int(numbers[_NEXT])
            numbers[_NEXT] = epoch + 1
            if iteration is not None:
                at = _RING + 4 * (numbers[_COUNT] % _KEPT)
                for place, number in enumerate((*iteration, epoch), at):
                    numbers[place] = number
                numbers[_COUNT] += 1
            return epoch

    # ------------------------------------------------------------------------------------------- processes

    def share(self, method: str) -> None:
        """Have the counts where workers can see them; ``method`` is how these are started."""
        if self._home is not loops.here():
            self._move()
        if self._lock is None or (method != "fork" and self._lock[0] == "fork"):
            self._lock = (method, _lock(method))
        if self._table is None:
            table, self._home.block = new_table(self._home.block)
            table.numbers[_NEXT], table.numbers[_SAID], table.numbers[_TOLD] = self._next, self._said, self._told
            self._table = table

    @contextmanager
    def _held(self) -> Iterator[None]:
        lock = self._lock[1]
        got = lock.acquire(timeout=_PATIENCE)
        try:
            yield
        finally:
            if got:
                lock.release()

    def _move(self) -> None:
        """Take note of a fork: a worker goes on with the table, anybody else with counts of its own."""
        process = loops.here()
        with process.lock:
            if self._home is process:
                return
            if process.launch is None:
                if self._table is not None:
                    numbers = self._table.numbers
                    self._next, self._said, self._told = numbers[_NEXT], numbers[_SAID], numbers[_TOLD]
                self._table = self._lock = None
            self._launch = process.launch
            self._turns, self._last = weakref.WeakKeyDictionary(), None
            self._home = process

    def __reduce__(self) -> tuple[Any, ...]:
        launch = _spawning()
        if launch is None:
            return Numbering, (self.said,)
        self.share("spawn")
        return _spawned_numbering, (self._table, self._lock, launch)


def _spawned_numbering(table: Table, lock: Any, launch: loops.Launch) -> Numbering:
    made = Numbering()
    made._table, made._lock, made._launch = table, lock, launch
    return made


def _spawning() -> loops.Launch | None:
    """The launch of a DataLoader that pickles for a worker it starts; None for any other pickle."""
    launch = loops.launching()
    if launch is None:
        return None
    from multiprocessing.context import get_spawning_popen

    return None if get_spawning_popen() is None else launch


def _lock(method: str) -> Any:
    """The lock of this process and its workers: one, whatever the number of tables."""
    locks = loops.here().locks
    if method not in locks:
        from multiprocessing import get_context

        # A fork's lock has no name, so that nothing has to look after it; one that is pickled must have one.
        locks[method] = get_context("fork" if method == "fork" else "spawn").Lock()
    return locks[method]


class Turn(NamedTuple):
    """The place of a call to which nobody gave a key, among those of the same process.

    Parameters
    ----------
    said : tuple or None
        What tells this lineage's keys from those of others; None for the first of all.
    number : int
    """

    said: tuple[Any, ...] | None
    number: int

    def keys(self, n: int) -> list[int]:
        """The keys of this turn and of those that follow it, ``n`` in all.

        Examples
        --------
        >>> Turn(None, 7).keys(2), Turn(("copy", 1), 7).keys(2)[1] == Turn(("copy", 1), 8).keys(1)[0]
        ([7, 8], True)
        """
        numbers = range(self.number, self.number + n)
        if self.said is None:
            return list(numbers)
        return [int.from_bytes(_hashed(*self.said, number), "little") for number in numbers]


def keys_of(turn: Turn | list[int], n: int) -> list[int]:
    """The keys of ``n`` turns, or those that are some already."""
    return turn.keys(n) if isinstance(turn, Turn) else turn


def key_of(key: str | int | Turn) -> str | int:
    """The key of a sample whose caller gave one, or has a turn."""
    return key.keys(1)[0] if isinstance(key, Turn) else key


class Lineage:
    """Keys for samples whose callers give none, and the epoch of whoever runs the loop.

    The first of all counts 0, 1, 2, ...; copies, forks and pickles draw under hashes. Those that a DataLoader started
    give the same keys in every run of the program; others, whose number nobody knows, take their own from the system.

    Parameters
    ----------
    path : tuple
        Where it came from: empty for one that was made by hand.
    numbering : Numbering, optional
        Of epochs.

    Examples
    --------
    >>> import copy
    >>> lineage = Lineage()
    >>> lineage.keys(3), lineage.complete(["a"], None, 1)
    ([0, 1, 2], (['a'], 0))
    >>> copy.deepcopy(lineage).keys(1) == copy.deepcopy(lineage).keys(1)
    False
    """

    __slots__ = ("_born", "_borrowed", "_copies", "_counter", "_home", "_path", "_said", "numbering")

    def __init__(self, path: tuple[Any, ...] = (), numbering: Numbering | None = None, born: int | None = None) -> None:
        self._home: loops.Process | None = loops.here()
        self._path = path
        self._born = self._home.launched if born is None else born
        self.numbering = Numbering() if numbering is None else numbering
        self._borrowed = False
        self._counter = itertools.count()
        self._copies = itertools.count(1)
        self._said: tuple[Any, ...] | None = path or None
        if self._home.launch is not None:
            self._home = None  # made in a worker: looked into when first used

    def complete(self, keys: Any, epoch: int | None, n: int) -> tuple[Any, int]:
        """Keys and epoch of ``n`` samples; those that the caller gave are as they were.

        With keys but no epoch it is the epoch of the loop; samples without either take the one that was set last.
        """
        if epoch is None:
            epoch = self.numbering.said if keys is None else self.numbering.epoch()
        return self.keys(n) if keys is None else keys, epoch

    def one(self, key: str | int | None, epoch: int | None) -> tuple[str | int | Turn, int]:
        """The same for one sample, whose turn stands for the key that nobody gave."""
        if key is None:
            return self.turn(), self.numbering.said if epoch is None else epoch
        return key, self.numbering.epoch() if epoch is None else epoch

    def set_epoch(self, epoch: int) -> None:
        """As for `Numbering`; on a copy it leaves the original as it is."""
        if self._borrowed:
            self.numbering, self._borrowed = Numbering(), False
        self.numbering.set_epoch(epoch)

    def keys(self, n: int) -> list[int]:
        """Keys that were not given out before, by anybody."""
        said, numbers = self._told_apart(), list(itertools.islice(self._counter, n))
        return numbers if said is None else [key for number in numbers for key in Turn(said, number).keys(1)]

    def turns(self, n: int) -> Turn | list[int]:
        """As :meth:`keys`, for those who go on with a turn: the first of ``n`` that follow each other, or else keys."""
        said, numbers = self._told_apart(), list(itertools.islice(self._counter, n))
        # Another thread may have come in between.
        if numbers and numbers[-1] - numbers[0] == n - 1:
            return Turn(said, numbers[0])
        return [key for number in numbers for key in Turn(said, number).keys(1)]

    def turn(self) -> Turn:
        """As :meth:`keys` for one sample: its key, and those of the samples that follow it, are the turn's."""
        return Turn(self._told_apart(), next(self._counter))

    def _told_apart(self) -> tuple[Any, ...] | None:
        if self._home is not loops.here():
            self._move()
        return self._said or self._elsewhere()

    def _elsewhere(self) -> tuple[Any, ...] | None:
        """What tells this process from others that run the same program; None for the only one, or the first."""
        if loops.worker() is not None or (loops.distributed() is None and loops.spawned()):
            self._home = None
        if self._home is None:
            self._move()
            return self._said
        rank = loops.rank()
        return ("rank", rank) if rank else None

    def __deepcopy__(self, memo: Any) -> Lineage:
        """The lineage of a copy: other keys, and the same count of epochs until one is set."""
        if self._home is not loops.here():
            self._move()
        made = Lineage((*(self._said or ()), "copy", next(self._copies)), self.numbering, self._born)
        made._home, made._borrowed = self._home, True
        return made

    def _move(self) -> None:
        """Take note of a fork, or of the worker that this was sent to."""
        process = loops.here()
        with process.lock:
            if self._home is process:
                return
            self._said = (*self._path, *self._told(process))
            self._counter, self._copies = itertools.count(), itertools.count(1)
            self._path, self._home = self._said, process

    def _told(self, process: loops.Process) -> tuple[Any, ...]:
        working = loops.worker()
        launch = process.launch or self.numbering._launch
        if working is None:
            return ("process", os.urandom(16).hex())
        if launch is None:
            return ("seed", working.seed - working.id, working.id, loops.rank())
        return ("worker", launch[0], launch[1] - self._born, working.id)

    def __reduce__(self) -> tuple[Any, ...]:
        if _spawning() is None:
            return _unpickled_lineage, (self.numbering.said,)
        return _spawned_lineage, (self._said or (), self.numbering, self._born)


def _unpickled_lineage(said: int) -> Lineage:
    # Nobody can tell how often a pickle was read, and where.
    return Lineage(("pickle", os.urandom(16).hex()), Numbering(said))


def _spawned_lineage(path: tuple[Any, ...], numbering: Numbering, born: int) -> Lineage:
    made = Lineage(path, numbering, born)
    made._home = None
    return made


def _hashed(*parts: Any) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
