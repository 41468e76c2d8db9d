"""What every framework that trains networks has to offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from imagemill.evaluate.inputs.arms import Arm, Population
from imagemill.evaluate.runners.recipe import Epoch, Recipe, Trained

__all__ = ["Runner"]

Array = npt.NDArray[Any]


class Runner(Protocol):
    """A framework that builds, trains and asks networks; one network is `Network` of its own kind."""

    name: str

    def network(self, model: Any) -> Any:
        """A network by its name or from a file; it has a ``name``.

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
        data: tuple[Array, npt.NDArray[np.int64]],
        asked: Sequence[Population],
        classes: int,
        seed: int,
        recipe: Recipe,
        on_epoch: Callable[[int, Epoch], None] | None = None,
    ) -> Trained:
        """Train a network on one arm's images and ask it about each population.

        With one seed every arm has the same initial weights, held-back images and order of batches.
        """
