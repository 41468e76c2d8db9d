"""Training images of several numbers: each set within the next larger one, balanced by class, groups kept whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.evaluate.inputs.experiment_data import Data

__all__ = ["Training", "default_sizes", "read_sizes", "subset"]

Rows = npt.NDArray[np.int64]
_STREAM = 0x737562736574
"""Keeps the draw of subsets apart from every other draw of the same seed."""
_TRIED = 10
"""Seeds whose subsets are looked at before anything is trained."""
_UNEVEN = 0.1
"""How far the steps of whole epochs may be from those that were asked for."""


@dataclass(frozen=True, slots=True)
class Training:
    """How long networks are trained at each number of images: the same steps, or the same epochs.

    With the same epochs a network that has a tenth of the images also makes a tenth of the steps, so that the curve
    shows how long was trained as well as how many images there were, and augmentations look worth less than they are.

    Parameters
    ----------
    steps : int or None
        Batches that the optimizer sees, to the nearest whole epoch.
    epochs : int or None
    batch_size : int

    Examples
    --------
    >>> Training(steps=1500, epochs=None, batch_size=32).epochs_for(300), Training(None, 10, 32).epochs_for(300)
    (150, 10)
    """

    steps: int | None
    epochs: int | None
    batch_size: int

    def epochs_for(self, images: int) -> int:
        """Epochs over that many images."""
        if self.epochs is not None:
            return self.epochs
        assert self.steps is not None
        return max(1, round(self.steps / self.batches(images)))

    def batches(self, images: int) -> int:
        """Steps of one epoch; the last may be of fewer images."""
        return -(-images // self.batch_size)

    def check(self, sizes: Sequence[int]) -> None:
        """Refuse steps that whole epochs cannot give.

        Raises
        ------
        ParameterError
        """
        if self.steps is None:
            return
        for size in sizes:
            made = self.epochs_for(size) * self.batches(size)
            if abs(made - self.steps) > _UNEVEN * self.steps:
                raise ParameterError(
                    f"expected steps that whole epochs give at every size, got {self.steps:,}: with {size:,} images an "
                    f"epoch is {self.batches(size):,} steps; take {made:,} steps, or a smaller largest size"
                )


def default_sizes(images: int, classes: int) -> tuple[int, ...]:
    """All images, a third of them, and a ninth, as far as each class can have two.

    Examples
    --------
    >>> default_sizes(9000, 10), default_sizes(100, 10)
    ((1000, 3000, 9000), (33, 100))
    """
    return tuple(n for n in (images // 9, images // 3, images) if n >= 2 * classes)


def read_sizes(sizes: Sequence[int] | None, data: Data, seeds: int) -> tuple[int, ...]:
    """The numbers of training images, from small to large, that networks are trained with.

    Raises
    ------
    ParameterError
        When they are fewer than two, no numbers, or more than there are.
    InputError
        When a class would have no image.
    """
    images, labels = len(data.train[1]), data.train[1]
    found = list(default_sizes(images, len(data.classes)) if sizes is None else sizes)
    if wrong := [one for one in found if isinstance(one, bool) or not isinstance(one, int | np.integer) or one < 1]:
        raise ParameterError(f"expected sizes that are numbers of images, got {wrong}")
    if len(set(found)) < 2 or len(set(found)) < len(found):
        raise ParameterError(
            f"expected two different sizes or more, got {found}; what a pipeline is worth is read from a curve over "
            "the number of images"
        )
    if max(found) > images:
        raise ParameterError(f"expected sizes up to the {images:,} training images, got {max(found):,}")
    ordered = tuple(sorted(int(one) for one in found))
    for size in ordered:
        for seed in range(min(seeds, _TRIED)):
            rows = subset(labels, data.groups, size, seed)
            counts = np.bincount(labels[rows], minlength=len(data.classes))
            if (counts == 0).any():
                missing = [data.classes[number] for number in np.flatnonzero(counts == 0)]
                raise InputError(
                    f"expected an image of every class among {size:,}, got none of {missing} with seed {seed}; "
                    "give a larger smallest size"
                )
            if data.groups is not None and abs(len(rows) - size) > _UNEVEN * size:
                raise InputError(
                    f"expected whole groups that make about {size:,} images, got {len(rows):,} with seed {seed}; "
                    "give sizes that are larger beside the largest group"
                )
    return ordered


def subset(labels: Rows, groups: npt.NDArray[np.str_] | None, size: int, seed: int) -> Rows:
    """Rows of about ``size`` images that the seed draws; those of a smaller size are among them.

    Parameters
    ----------
    labels : array ``[n]``
    groups : array ``[n]`` or None
        Images of one group come together or not at all.
    size : int
        Exactly as many where there are no groups, else the nearest number that whole groups make.
    seed : int

    Returns
    -------
    array
        Sorted rows; each class has its share of all images, to within one image or group.

    Examples
    --------
    >>> labels = np.repeat([0, 1], [20, 10])
    >>> small, large = subset(labels, None, 6, seed=1), subset(labels, None, 15, seed=1)
    >>> np.bincount(labels[small]), np.bincount(labels[large]), bool(np.isin(small, large).all())
    (array([4, 2]), array([10,  5]), True)
    """
    count = len(labels)
    unit = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    images = np.bincount(unit)
    # A group counts for the class that most of it is of.
    table = np.zeros((len(images), int(labels.max()) + 1), np.int64)
    np.add.at(table, (unit, labels), 1)
    kind = table.argmax(axis=1)
    draws = np.random.Generator(np.random.Philox(np.random.SeedSequence([_STREAM, seed])))
    shuffled = draws.permutation(len(images))
    # The place of a unit among its class, 0 to 1: in the order of places every prefix is balanced.
    place = np.empty(len(images))
    for number in np.unique(kind):
        mine = shuffled[kind[shuffled] == number]
        past = np.cumsum(images[mine])
        place[mine] = (past - images[mine] / 2) / past[-1]
    ordered = shuffled[np.argsort(place[shuffled], kind="stable")]
    past = np.cumsum(images[ordered])
    taken = int(np.abs(past - size).argmin()) + 1
    rows: Rows = np.flatnonzero(np.isin(unit, ordered[:taken]))
    return rows
