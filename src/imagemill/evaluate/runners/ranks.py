"""One of several processes that train a network together, each on its part of every batch.

Who starts the processes says which they are, as ``torchrun`` does: by RANK and WORLD_SIZE in the environment. Every
process runs the same program; what only one should do, such as writing, the first one does.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from imagemill.core.errors import InputError
from imagemill.core.extras import require

__all__ = ["Ranks", "is_first_process", "joined", "world_size"]

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which of how many processes this is; one that is alone needs no framework.

    Examples
    --------
    >>> alone = Ranks()
    >>> alone.is_first, alone.share("what it has"), alone.gather(3)
    (True, 'what it has', [3])
    """

    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def share(self, value: Value) -> Value:
        """What the first process has, in all of them."""
        if self.world == 1:
            return value
        held = [value]
        _distributed().broadcast_object_list(held, src=0)
        return held[0]

    def gather(self, value: Value) -> list[Value]:
        """What each process has, in the order of their ranks, in all of them."""
        found: list[Any] = [value] * self.world
        if self.world > 1:
            _distributed().all_gather_object(found, value)
        return found

    def part_of(self, batch_size: int) -> int:
        """The images of each process in a batch.

        Raises
        ------
        InputError
            When the batch does not part evenly.

        Examples
        --------
        >>> Ranks(0, 2).part_of(32)
        16
        """
        if batch_size % self.world:
            more = -(-batch_size // self.world) * self.world
            raise InputError(
                f"expected a batch that {self.world} processes can share evenly, got {batch_size} images; take {more}"
            )
        return batch_size // self.world

    def sum(self, tensor: Any) -> Any:
        """A tensor summed over all processes, in place."""
        if self.world > 1:
            _distributed().all_reduce(tensor)
        return tensor

    @classmethod
    def present(cls) -> Ranks:
        """Those of the processes that have met: alone outside of `joined`."""
        if world_size() == 1:
            return cls()
        distributed = _distributed()
        if not distributed.is_initialized():
            return cls()
        return cls(distributed.get_rank(), distributed.get_world_size())


def world_size() -> int:
    """How many processes whoever started this one says there are.

    Raises
    ------
    InputError
        When what the environment says is no number.
    """
    return _number("WORLD_SIZE", 1)


def is_first_process() -> bool:
    """Whether this is the process that writes and speaks, as whoever started it says; also before they have met."""
    return world_size() == 1 or _number("RANK", 0) == 0


@contextmanager
def joined(device: str = "cpu") -> Iterator[Ranks]:
    """Meet the other processes, and part from them at the end; alone where nobody said that there are others.

    Parameters
    ----------
    device : str
        Processes on GPUs talk by NCCL, others by Gloo.

    Raises
    ------
    InputError
        When the environment says half of what it has to say.
    """
    world = world_size()
    if world == 1:
        yield Ranks()
        return
    distributed = _distributed()
    if distributed.is_initialized():  # a script that joined by itself
        yield Ranks.present()
        return
    missing = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise InputError(
            f"expected {', '.join(missing)} in the environment beside WORLD_SIZE, got none; start the processes by "
            "torchrun, or take --processes"
        )
    distributed.init_process_group(
        "nccl" if device.startswith("cuda") else "gloo", rank=_number("RANK", 0), world_size=world
    )
    try:
        yield Ranks.present()
    finally:
        # A network that trained in parallel keeps the group's threads, and a thread that is left when the interpreter
        # ends takes the process with it; networks hold themselves in circles.
        gc.collect()
        distributed.destroy_process_group()


def _number(name: str, otherwise: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return otherwise
    if not text.isdecimal() or (name == "WORLD_SIZE" and int(text) < 1):
        raise InputError(f"expected a number in the environment variable {name}, got {text!r}; unset it")
    return int(text)


def _distributed() -> Any:
    require("torch", extra="torch")
    return require("torch.distributed", extra="torch")
