"""What every framework that trains networks has to offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.evaluate.inputs.arms import Arm, Population
from imagemill.evaluate.runners.ranks import Ranks
from imagemill.evaluate.runners.recipe import Epoch, Recipe, Trained

__all__ = ["Runner", "processes_of"]

Array = npt.NDArray[Any]


class Runner(Protocol):
    """A framework that builds, trains and asks networks; one network is `Network` of its own kind."""

    name: str
    shares_batches: bool
    """Whether several processes can train one network together."""

    def settled(self, recipe: Recipe) -> Recipe:
        """The recipe with the device and precision that there are.

        Raises
        ------
        InputError
            When what it asks for is not there.
        """

    def network(self, model: Any) -> Any:
        """A network by its name or from a file; it has a ``name``, and a ``task`` where that is segmentation.

        Raises
        ------
        ParameterError, InputError
        """

    def check(self, network: Any, images: Array, classes: int) -> None:
        """Build the network once for images like these.

        Raises
        ------
        InputError
            When it does not load, or does not give ``[n, classes]``.
        """

    def train(
        self,
        arm: Arm,
        network: Any,
        data: tuple[Any, ...],
        asked: Sequence[Population],
        classes: int,
        seed: int,
        recipe: Recipe,
        on_epoch: Callable[[int, Epoch], None] | None = None,
    ) -> Trained:
        """Train a network on one arm's images and ask it about each population.

        ``data`` are images and labels; or images, label maps and their spacing ``[n, d]`` or None. Of several processes
        (`Ranks.present`) each takes its part of every batch, and all give back the same.

        With one seed every arm has the same initial weights, held-back images and order of batches.
        """


def processes_of(runner: Runner, ranks: Ranks, batch_size: int) -> dict[str, int]:
    """What a design says of several processes that train each network together: nothing of one.

    Raises
    ------
    InputError
        When the runner trains in one process alone, or the batch does not part evenly.
    """
    if ranks.world == 1:
        return {}
    if not runner.shares_batches:
        raise InputError(f"expected one process for the runner {runner.name!r}, got {ranks.world}")
    ranks.part_of(batch_size)
    return {"processes": ranks.world}
