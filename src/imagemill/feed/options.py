"""What a loader is given, checked: numbers, workers, seeds, weights."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.feed.making.dataset_rows import Rows
from imagemill.feed.making.making import Maker
from imagemill.feed.order.batches import Shares
from imagemill.feed.order.order import Order, balanced
from imagemill.pipeline.named_pipelines import as_pipeline
from imagemill.pipeline.pipeline import Pipeline

__all__ = [
    "check_processes",
    "check_shared_seed",
    "cores",
    "one_of",
    "own_pipelines",
    "read_pipelines",
    "read_seed",
    "read_workers",
    "row_weights",
    "seeded",
    "whole",
]


def one_of(**options: tuple[Any, tuple[str, ...]]) -> None:
    """Refuse a word that is none of those allowed."""
    for name, (value, allowed) in options.items():
        if value not in allowed:
            raise InputError(f"expected {name} as one of {', '.join(allowed)}, got {value!r}; choose one")


def whole(name: str, value: Any, least: int) -> int:
    """A whole number from ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"expected {name} as a number from {least}, got {value!r}")
    return int(value)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_workers(workers: Any) -> tuple[int, bool]:
    """How many, and whether they are processes."""
    if workers is None:
        return cores(), False
    if not isinstance(workers, str):
        return whole("workers", workers, 0), False
    asked = re.fullmatch("process(?::([1-9][0-9]{0,3}))?", workers)
    if asked is None:
        raise InputError(f"expected workers as a number of threads, 'process' or 'process:4', got {workers!r}")
    return int(asked[1] or cores()), True


def read_pipelines(
    pipeline: Any, others: Mapping[str, Any] | None
) -> tuple[Pipeline | None, dict[str, Pipeline] | None]:
    """Pipelines, whatever stands for them: names of presets, files, transforms."""
    read = None if pipeline is None else as_pipeline(pipeline)
    return read, None if others is None else {name: as_pipeline(one) for name, one in others.items()}


def check_processes(maker: Maker) -> None:
    """Refuse what other processes cannot get, before anything is started."""
    from imagemill.feed.workers import sending
    from imagemill.feed.workers import shared_memory as shared

    shared.check_platform()
    for pipeline in (*([] if maker.pipeline is None else [maker.pipeline]), *maker.pipelines.values()):
        sending.check_sendable(pipeline)


def read_seed(seed: int | None, pipeline: Pipeline | None) -> tuple[int, bool]:
    """The seed, and whether somebody chose it: one that was made here is another one in every process."""
    if seed is None:
        return (secrets.randbits(32), False) if pipeline is None else (pipeline.seed, pipeline.seed_given)
    found = whole("seed", seed, 0)
    if found >= 1 << 64:
        raise InputError(f"expected a seed from 0 to 2**64 - 1, got {seed!r}")
    return found, True


def check_shared_seed(order: Order, shares: Shares, *, given: bool) -> None:
    """Refuse ranks that would each make an order of their own: rows would come twice, and others not at all.

    They cannot agree on one by themselves: nothing says that they all come by here, or that they see the same dataset.

    Raises
    ------
    InputError
    """
    if shares.world_size > 1 and not given and order.is_random:
        got = f"none for rank {shares.rank} of {shares.world_size}, which would read the rows in an order of its own"
        raise InputError(f"expected a seed that all ranks share, got {got}; give all of them the same, such as seed=0")


def seeded(pipeline: Pipeline, seed: int, batches: int) -> Pipeline:
    """The pipeline with the loader's seed: always a new one, whose memory nobody else writes to."""
    found = pipeline.with_seed(seed)
    found.buffers.kept = max(1, batches)
    return found


def own_pipelines(rows: Rows, pipelines: Mapping[str, Pipeline] | None) -> Mapping[str, Pipeline]:
    """Pipelines of classes that there are."""
    found = dict(pipelines or {})
    unknown = sorted(set(found) - set(rows.classes))
    if unknown:
        raise InputError(f"expected names of classes ({', '.join(rows.classes) or 'there are none'}), got {unknown}")
    return found


def row_weights(rows: Rows, weights: Any, *, balance: bool) -> Any:
    """How often each row is to be drawn; None for once each."""
    if not balance:
        return weights
    if weights is not None:
        raise InputError("expected weights or balance=True, got both; multiply your weights by those of the classes")
    labels = rows.labels if isinstance(rows.labels, np.ndarray) else None  # a store in many files has none in memory
    if labels is None or labels.ndim != 1 or (labels < 0).any():
        raise InputError("expected one label for every row to balance the classes, got rows without; give weights")
    return balanced(labels)
