"""How fast a dataset feeds on this machine, with how many workers, and whether all of them make the same samples."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.short_repr import ShortRepr
from imagemill.feed.adapters.base import plain_column
from imagemill.feed.batch import LoadedBatch
from imagemill.feed.loader import Loader
from imagemill.feed.meter import Meter
from imagemill.feed.options import cores
from imagemill.feed.replaying import REPLAYED
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["FeedTiming", "sample_digest", "time_feed"]

HASHED = 4
"""Batches whose samples are compared between settings."""
_AGAIN = "replayed"


@dataclass(frozen=True, slots=True, repr=False)
class FeedTiming(ShortRepr):
    """What one number of workers gave.

    Parameters
    ----------
    workers : int or str
        As given to `Loader`; ``"replayed"`` for batches that were made beforehand, the most that any number gives.
    images_per_second : float
        Read as fast as they came, by a consumer who does nothing with them or what `time_feed` was given.
    first_batch : float, seconds
        From the making of the loader, started workers and compiled kernels included.
    shares : mapping of str to float
        Parts of the workers' time that went into ``reading`` (and decoding), ``augmenting``, ``compiling`` kernels,
        and being ``idle``.
    bound : str
        ``"reading"``, ``"augmenting"``, ``"compiling"`` or ``"consumer"``: what took the time.
    digest : str
        SHA-256 in hex over the first samples of the epoch, in the order of their keys.
    samples : int
        How many those are.
    advice : str
        What would make it quicker.
    """

    workers: int | str
    images_per_second: float
    first_batch: float
    shares: dict[str, float]
    bound: str
    digest: str
    samples: int
    advice: str


def sample_digest(batches: Sequence[LoadedBatch]) -> str:
    """SHA-256 over every target of every sample, in the order of their keys: the same whatever batches they came in.

    Examples
    --------
    >>> x = np.arange(48, dtype=np.uint8).reshape(12, 2, 2)
    >>> three, four = (Loader((x,), batch_size=n, seed=1, workers=0) for n in (3, 4))
    >>> sample_digest(list(three)) == sample_digest(list(four))
    True
    """
    found: dict[str, Any] = {}
    for batch in batches:
        plain = {name: plain_column(batch.columns[name]) for name in sorted(batch.columns)}
        for row, key in enumerate(batch.keys):
            h = hashlib.sha256()
            for name, column in plain.items():
                labels = getattr(batch.columns[name][row], "labels", None)
                h.update(f"{name} {np.shape(column[row])} {labels}".encode())
                h.update(np.ascontiguousarray(column[row]).tobytes())
            found[f"{batch.epoch} {key}"] = h
    whole = hashlib.sha256()
    for name, h in sorted(found.items()):
        whole.update(name.encode("utf-8", "surrogateescape") + h.digest())
    return whole.hexdigest()


def time_feed(
    dataset: Any,
    pipeline: Pipeline | None = None,
    *,
    workers: Sequence[int | str] = (0, 1, 2),
    batch_size: int = 32,
    seconds: float = 2.0,
    on_timing: Callable[[FeedTiming], None] | None = None,
    consumer: Callable[[LoadedBatch], object] | None = None,
    **loader: Any,
) -> list[FeedTiming]:
    """Read a dataset as fast as it comes with several numbers of workers, one after the other.

    Parameters
    ----------
    dataset, pipeline, batch_size
        As for `Loader`.
    workers : sequence of int or str
        Each as for `Loader`.
    seconds : float
        How long each is read, after a few batches that are not timed.
    on_timing : callable, optional
        Is told of each as soon as it is known.
    consumer : callable, optional
        What is done with each batch, such as a training step. Last, it is given batches that were made beforehand,
        again and again: how much faster it would be with a loader that costs nothing.
    **loader
        Further arguments of `Loader`.

    Returns
    -------
    list of FeedTiming
        Samples are the same where digests are.

    Examples
    --------
    >>> import imagemill as im
    >>> x = np.zeros((64, 8, 8, 3), np.uint8)
    >>> flip = im.Pipeline([im.Flip("x", p=0.5)], seed=7)
    >>> none, one = time_feed((x,), flip, workers=(0, 1), seconds=0.05)
    >>> none.images_per_second > 0, none.digest == one.digest
    (True, True)
    >>> time_feed((x,), flip, workers=(1,), seconds=0.05, consumer=lambda batch: batch.image.mean())[-1].workers
    'replayed'
    """
    if not seconds > 0:
        raise InputError(f"expected seconds above 0, got {seconds!r}")
    if not workers:
        raise InputError("expected at least one number of workers, got none; 0 works in the caller's own thread")
    # Without a pipeline each loader would make a seed of its own, and another order.
    loader.setdefault("seed", 0 if pipeline is None else pipeline.seed)
    loader.setdefault("split", "all")  # whatever there is to read
    found = []
    for count in (*workers, *([] if consumer is None else [_AGAIN])):
        found.append(_timed(dataset, pipeline, count, batch_size, seconds, consumer or _nothing, loader))
        if on_timing is not None:
            on_timing(found[-1])
    return found


def _timed(
    dataset: Any,
    pipeline: Pipeline | None,
    workers: int | str,
    batch_size: int,
    seconds: float,
    consumer: Callable[[LoadedBatch], object],
    more: dict[str, Any],
) -> FeedTiming:
    began = time.perf_counter()
    again = workers == _AGAIN
    with Loader(dataset, pipeline, batch_size=batch_size, workers=0 if again else workers, **more) as loader:
        loader.set_epoch(0)
        first_ones = [batch for batch in itertools.islice(_from(loader, began), HASHED)]
        first = first_ones[0][0]
        kept = [batch for _, batch in first_ones]
        digest, samples = sample_digest(kept), sum(len(batch) for batch in kept)
        del first_ones, kept  # or their memory could not be used again
        loader.set_epoch(1)
        images, took, meter = (_replays if again else _epochs)(loader, seconds, consumer)
        shares = {name: meter.shares()[name] for name in ("reading", "augmenting", "compiling", "idle")}
        return FeedTiming(workers, images / took, first, shares, meter.bound(), digest, samples, meter.advice(cores()))


def _epochs(loader: Loader, seconds: float, consumer: Callable[[LoadedBatch], object]) -> tuple[int, float, Meter]:
    """Images, seconds, and what took them, of whole epochs until the time is over."""
    meter: Meter | None = None
    images, began, took = 0, time.perf_counter(), 0.0
    while took < seconds:
        for batch in loader:
            consumer(batch)
            images += len(batch)
            took = time.perf_counter() - began
            if took >= seconds:
                break
        if meter is None:
            meter = loader.meter
        else:
            meter.and_also(loader.meter)
    assert meter is not None
    return images, took, meter


def _replays(loader: Loader, seconds: float, consumer: Callable[[LoadedBatch], object]) -> tuple[int, float, Meter]:
    """The same of a few batches that were made before."""
    made = [loader.batch(number) for number in range(min(REPLAYED, len(loader)))]
    images, began, took = 0, time.perf_counter(), 0.0
    for batch in itertools.cycle(made):
        consumer(batch)
        images += len(batch)
        took = time.perf_counter() - began
        if took >= seconds:
            break
    return images, took, Meter(0, loader.epoch, stored=True, consuming=took)


def _nothing(_: LoadedBatch) -> None:
    """What a consumer does who only wants to know how fast batches come."""


def _from(loader: Loader, began: float) -> Iterator[tuple[float, LoadedBatch]]:
    """Batches of one epoch, each with the seconds since some time."""
    for batch in loader:
        yield time.perf_counter() - began, batch
