"""JAX: arrays on a device, or spread over several."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.feed.adapters.base import Names, check_alone, columns_of, plain_column

__all__ = ["check", "converter"]


def converter(columns: Names, *, device: Any, sharding: Any) -> Callable[[Any], Any]:
    """What turns a batch into JAX arrays."""
    require("jax", extra="jax")
    if device is not None and sharding is not None:
        raise InputError("expected a device or a sharding, got both; a sharding names its devices")
    # No function within a function: other processes could not get it.
    return partial(_arrays, columns=columns, where=sharding if device is None else device)


def check(loader: Any, jax: Any = None) -> None:
    """Refuse a loader of all rows where several processes of JAX have met."""
    jax = require("jax", extra="jax") if jax is None else jax
    # Asking for their number starts the backend, so only where they have met, or where JAX is too old to say.
    met = getattr(jax.distributed, "is_initialized", None)
    if met is None or met():
        check_alone(loader, jax.process_count(), "jax.process_index()")


def _arrays(batch: Any, *, columns: Names, where: Any) -> Any:
    return columns_of(batch, columns, partial(_put, where=where))


def _put(column: Any, *, where: Any) -> Any:
    jax = require("jax", extra="jax")

    column = plain_column(column)
    if isinstance(column, np.ndarray):
        # The array keeps the batch's memory as long as it reads from it, so that it is not used again.
        return jax.device_put(column, where)

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(frame) for frame in value]
        return jax.device_put(value) if isinstance(value, np.ndarray) else value

    return [one(value) for value in column]
