"""Lightning: a data module around loaders."""

from __future__ import annotations

from typing import Any

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.core.randomness import dataloader as loops
from imagemill.feed.adapters.base import Names

__all__ = ["data_module"]


def data_module(train: Any, val: Any, test: Any, columns: Names) -> Any:
    """A module whose loaders are views of ours; its state is the training loader's."""
    lightning = require("lightning", extra="lightning")

    class Module(lightning.LightningDataModule):  # type: ignore[misc,name-defined]  # absent when types are checked
        def train_dataloader(self) -> Any:
            return self._view(train)

        def val_dataloader(self) -> Any:
            return [] if val is None else self._view(val)

        def test_dataloader(self) -> Any:
            return [] if test is None else self._view(test)

        def _view(self, loader: Any) -> Any:
            trainer = getattr(self, "trainer", None)
            if trainer is not None:
                _share(loader, int(trainer.global_rank), int(trainer.world_size))
            return loader.torch(columns)

        def state_dict(self) -> dict[str, Any]:
            return dict(train.state_dict())

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            train.load_state_dict(state_dict)

        def __reduce__(self) -> tuple[Any, ...]:
            return data_module, (train, val, test, columns), self.__dict__

    Module.__name__ = "DataModule"
    return Module()


def _share(loader: Any, rank: int, world_size: int) -> None:
    """Have a loader give this process's part, of an order that all processes agree on."""
    loader.take_share(rank, world_size)
    if world_size == 1 or loops.distributed() is None:
        return
    torch = require("torch", extra="torch")

    seeds: list[Any] = [None] * world_size
    torch.distributed.all_gather_object(seeds, (loader.seed, loader.rows))
    if len(set(seeds)) > 1:
        said = ", ".join(f"{seed} with {rows:,} rows" for seed, rows in seeds)
        raise InputError(
            f"expected one seed and one dataset for all {world_size} processes, got seeds {said}; give the loader "
            "(or its pipeline) a seed, such as seed=0"
        )
