"""TensorFlow: a tf.data.Dataset from the loader's batches."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.feed.adapters.base import Names, check_alone, columns_of, plain_column

__all__ = ["dataset"]


def dataset(loader: Any, columns: Names) -> Any:
    """A dataset whose every iteration is the loader's next epoch."""
    tf = require("tensorflow", extra="tf")
    _check(loader)
    first = columns_of(loader.batch(0), columns, plain_column)

    def spec(column: Any) -> Any:
        if not isinstance(column, np.ndarray):
            raise InputError("expected columns that are arrays, got lists such as boxes; name the others in columns")
        # Any length: the last batch may be short.
        return tf.TensorSpec(shape=(None, *column.shape[1:]), dtype=tf.as_dtype(column.dtype))

    if isinstance(first, dict):
        signature: Any = {name: spec(column) for name, column in first.items()}
    else:
        signature = tuple(spec(column) for column in first)

    def batches() -> Iterator[Any]:
        for batch in loader:
            yield columns_of(batch, columns, plain_column)

    made = tf.data.Dataset.from_generator(batches, output_signature=signature)
    if loader._track.first:  # what is left of an epoch that a state was loaded for is shorter than the others
        return made
    return made.apply(tf.data.experimental.assert_cardinality(len(loader)))


def _check(loader: Any) -> None:
    """Refuse a loader of all rows in one worker of a cluster."""
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster", {})
    except (ValueError, AttributeError):
        return  # TensorFlow itself says what is wrong with it
    check_alone(loader, len(cluster.get("worker", ())) + len(cluster.get("chief", ())), "RANK")
