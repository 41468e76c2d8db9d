"""Lightning: a data module around loaders."""

from __future__ import annotations

from typing import Any

from imagemill.core.extras import require
from imagemill.feed.adapters.base import Names

__all__ = ["data_module"]


def data_module(train: Any, val: Any, test: Any, columns: Names) -> Any:
    """A module whose loaders are views of ours; its state is the training loader's."""
    lightning = require("lightning", extra="lightning")

    class Module(lightning.LightningDataModule):  # type: ignore[misc,name-defined]  # absent when types are checked
        def train_dataloader(self) -> Any:
            return train.torch(columns)

        def val_dataloader(self) -> Any:
            return [] if val is None else val.torch(columns)

        def test_dataloader(self) -> Any:
            return [] if test is None else test.torch(columns)

        def state_dict(self) -> dict[str, Any]:
            return dict(train.state_dict())

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            train.load_state_dict(state_dict)

    Module.__name__ = "DataModule"
    return Module()
