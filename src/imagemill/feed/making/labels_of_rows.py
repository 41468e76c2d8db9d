"""What a dataset says of each row besides its targets: its label and its weight, as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.targets import Array
from imagemill.data.backing import StoreBacking, labels_of
from imagemill.data.dataset import Dataset

__all__ = ["labels_in", "read_sample_weights", "weights_in"]


def labels_in(dataset: Dataset) -> Array | None:
    """The labels of a dataset's rows as numbers of its classes; -1 where a row has none, None where all have none."""
    stores = [b for b in dataset.backings if isinstance(b, StoreBacking)]
    if len(stores) == 1 == len(dataset.backings) and tuple(stores[0].said["classes"]) == dataset.classes:
        parts = [labels_of(stores[0].part(name)) for name in stores[0].names]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            found = np.concatenate(known)[dataset.places[:, 1]]
            return found if found.ndim > 1 else found.astype(np.int64)
    numbers = {name: i for i, name in enumerate(dataset.classes)}
    if "labels" in dataset.table.columns:
        several = np.zeros((len(dataset), len(dataset.classes)), np.uint8)
        for row, labels in enumerate(dataset.table["labels"].to_list()):
            several[row, [numbers[label] for label in labels or ()]] = 1
        return several
    if "label" not in dataset.table.columns or dataset.table["label"].null_count() == len(dataset):
        return None
    names = dataset.table["label"].to_list()
    return np.array([-1 if name is None else numbers[name] for name in names], np.int64)


def read_sample_weights(weights: Any, n: int) -> Array:
    """Weights of rows in a loss, one for each row, none negative.

    Raises
    ------
    InputError
    """
    found = np.asarray(weights)
    if found.shape != (n,) or found.dtype.kind not in "iubf":
        got = f"{found.dtype} of shape {found.shape}"
        raise InputError(f"expected {n} weights of samples as numbers, one per image, got {got}")
    if not np.isfinite(found).all() or (found < 0).any():
        raise InputError("expected finite weights of samples from 0, got others; correct them")
    return found.astype(np.float32)


def weights_in(dataset: Dataset) -> Array | None:
    """The column ``weight`` of a dataset's table, where it has one of numbers."""
    if "weight" not in dataset.table.columns or not dataset.table["weight"].dtype.is_numeric():
        return None
    column = dataset.table["weight"]
    if column.null_count():
        raise InputError("expected a weight for every row, got some without; fill the column, or give it another name")
    return read_sample_weights(column.to_numpy(), len(dataset))
