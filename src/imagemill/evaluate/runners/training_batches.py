"""The batches that a network is trained on: prepared once where nothing is augmented, by the loader where something is.

Either way the images, their order and the cuts between batches are the same, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from imagemill.evaluate.inputs.scans import Scans, moved
from imagemill.evaluate.runners.ranks import Ranks
from imagemill.evaluate.runners.recipe import Recipe
from imagemill.feed import Loader
from imagemill.feed.order.batches import Shares
from imagemill.feed.order.order import Order
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["TrainingBatch", "TrainingBatches", "has_lone", "numbered", "training_batches"]

Array = npt.NDArray[Any]

_BYTES = 1 << 30
"""Prepared images that are held at most; more are prepared anew in every epoch."""
_SEVERAL = 4096
"""Images that are prepared at once."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingBatch:
    """What one process gets of one batch.

    Parameters
    ----------
    images : array of float32
        Prepared.
    truth : array
        Labels ``[n]`` or label maps ``[n, (z,) y, x]``, int64; shares of classes ``[n, classes]``, float32, where a
        pipeline mixes images.
    together : int
        Images of all processes in this batch.
    repeated : bool
        Whether nothing was left for this process, which repeats an image that is not to count.
    """

    images: Array
    truth: Array
    together: int
    repeated: bool = False


class TrainingBatches(Protocol):
    """Each loop over it gives the batches of the next epoch."""

    @property
    def rows(self) -> int:
        """Images of an epoch, over all processes."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[TrainingBatch]: ...


def numbered(classes: int) -> tuple[str, ...]:
    """Names of classes that have none: their numbers.

    Examples
    --------
    >>> numbered(3)
    ('0', '1', '2')
    """
    return tuple(map(str, range(classes)))


@contextmanager
def training_batches(
    data: tuple[Array, Array, Array | None],
    augmentation: Pipeline | None,
    preparation: tuple[Any, ...],
    seed: int,
    recipe: Recipe,
    ranks: Ranks = Ranks(),  # noqa: B008 -- a frozen value
    *,
    lone: bool = True,
    classes: Sequence[str] = (),
) -> Iterator[TrainingBatches]:
    """Batches of some images, augmented and then prepared, in an order that follows from the seed and the epoch.

    Parameters
    ----------
    data : images ``[n, (z,) y, x, C]``, and labels ``[n]`` or label maps ``[n, (z,) y, x]``
        And the spacing ``[n, d]`` of images with label maps in millimetres, or None.
    augmentation : Pipeline or None
    preparation : tuple of Transform
        What every image goes through last, without draws.
    seed : int
    recipe : Recipe
    ranks : Ranks
        Each of several processes gets its part of every batch.
    lone : bool
        Whether a last batch may be of a single image. Without, it is left out, another image in each epoch.
    classes : sequence of str
        Their names, for a pipeline that mixes images or goes by their class; without, as many as the images have.
    """
    images, truth, spacing = data
    size = ranks.part_of(recipe.batch_size)
    drop = not lone and has_lone(len(images), recipe)
    if augmentation is None and images.size * np.dtype(np.float32).itemsize <= _BYTES:
        shares = Shares(len(images), size, ranks.rank, ranks.world, drop)
        yield _PreparedOnce(_prepared(images, preparation), truth.astype(np.int64), Order(len(images), seed), shares)
        return
    transforms = () if augmentation is None else augmentation.transforms
    names = classes if truth.ndim == 1 else ()
    with Loader(
        (images, truth) if truth.ndim < 3 else Scans(images, truth, spacing),
        Pipeline([*transforms, *preparation], seed=seed),
        batch_size=size,
        seed=seed,
        classes=names,
        workers=recipe.workers,
        rank=ranks.rank,
        world_size=ranks.world,
        drop_last=drop,
    ) as loader:
        yield _Loaded(loader, maps=truth.ndim > 2)


def _prepared(images: Array, preparation: tuple[Any, ...]) -> Array:
    """All images as they go into a network, some at a time: what is made on the way is held for those alone."""
    plain, found = Pipeline(preparation, seed=0), np.empty(0)
    for at in range(0, len(images), _SEVERAL):
        made, _ = moved(plain, images[at : at + _SEVERAL])
        if not at:
            found = np.empty((len(images), *made.shape[1:]), made.dtype)
        found[at : at + _SEVERAL] = made
    return found


@dataclass(slots=True, eq=False)
class _PreparedOnce:
    """Batches that are looked up in arrays."""

    images: Array
    truth: npt.NDArray[np.int64]
    order: Order
    shares: Shares
    epoch: int = 0

    @property
    def rows(self) -> int:
        return _rows(self.shares)

    def __len__(self) -> int:
        return len(self.shares)

    def __iter__(self) -> Iterator[TrainingBatch]:
        rows = self.order.rows(np.arange(self.shares.n), self.epoch)
        self.epoch += 1
        for number in range(len(self)):
            share = self.shares.of(number)
            some = rows[share.places.start : share.places.stop]
            together = _together(self.shares, number)
            yield TrainingBatch(self.images[some], self.truth[some], together, share.repeated)


@dataclass(slots=True, eq=False)
class _Loaded:
    """Batches that the loader makes in its threads."""

    loader: Loader
    maps: bool

    @property
    def rows(self) -> int:
        return _rows(self.loader.shares)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[TrainingBatch]:
        for batch in self.loader:
            truth = batch.mask if self.maps else batch.label
            truth = np.asarray(truth, np.float32 if truth.dtype.kind == "f" else np.int64)
            yield TrainingBatch(batch.image, truth, _together(self.loader.shares, batch.number), batch.repeated)


def has_lone(images: int, recipe: Recipe) -> bool:
    """Whether the last of several batches is of a single image.

    Examples
    --------
    >>> [has_lone(n, Recipe(batch_size=32)) for n in (64, 65, 66, 1)]
    [False, True, False, False]
    """
    return images > 1 and images % recipe.batch_size == 1


def _rows(shares: Shares) -> int:
    return min(shares.n, len(shares) * shares.together)


def _together(shares: Shares, number: int) -> int:
    return min(shares.together, shares.n - number * shares.together)
