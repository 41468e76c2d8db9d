"""Reading the user's own images, with or without labels, in any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.data.dataset import Dataset
from imagemill.data.dataset import open as open_dataset
from imagemill.evaluate.inputs.arms import Population
from imagemill.evaluate.inputs.experiment_data import Data, colour_last
from imagemill.measures.differences.gaps import FEWEST_IMAGES, Labelled
from imagemill.measures.gray_values import check_values

__all__ = ["Wild", "chosen", "read_wild_images"]

Wild = Dataset | Path | str | Population | npt.NDArray[Any] | tuple[Any, Any]


def read_wild_images(wild: Wild, data: Data) -> Labelled:
    """The user's own images as they are stored, with the numbers that ``data`` gives their classes.

    Parameters
    ----------
    wild : Dataset, Path, str, Population, array ``[n, y, x]`` or ``[n, y, x, C]``, or such an array with labels ``[n]``
        Of one size, which may be another than that of ``data``.
    data : Data

    Returns
    -------
    Labelled

    Raises
    ------
    InputError
        When they are not prepared, too few, of other channels or another type, or hold classes that ``data`` has not.
    """
    images, labels = _as_arrays(wild, data)
    images = colour_last(images)
    if len(images) < FEWEST_IMAGES:
        raise InputError(
            f"expected {FEWEST_IMAGES} wild images or more, got {len(images)}; so few say nothing of their origin"
        )
    mine = data.train[0]
    if images.shape[-1] != mine.shape[-1] or images.dtype != mine.dtype:
        raise InputError(
            f"expected wild images of {mine.shape[-1]} channels, {mine.dtype}, as the dataset's, "
            f"got {images.shape[-1]}, {images.dtype}; prepare them as the dataset"
        )
    check_values(images, "wild")
    if labels is not None:
        if labels.shape != (len(images),):
            raise InputError(f"expected a label for each of {len(images)} wild images, got {labels.shape}")
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= len(data.classes):
            raise InputError(
                f"expected wild labels from 0 to {len(data.classes) - 1}, got {labels.dtype} from {labels.min()} to "
                f"{labels.max()}; leave labels out where they are not known"
            )
        labels = labels.astype(np.int64)
    return Labelled(images, labels)


def _as_arrays(wild: Wild, data: Data) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    if isinstance(wild, Population):
        return wild.images, wild.labels
    if isinstance(wild, np.ndarray):
        return wild, None
    if isinstance(wild, tuple):
        if len(wild) != 2:
            raise InputError(f"expected wild images, or (images, labels), got {len(wild)} things")
        return np.asarray(wild[0]), None if wild[1] is None else np.asarray(wild[1])
    opened = wild if isinstance(wild, Dataset) else open_dataset(wild)
    if not opened.is_prepared:
        raise InputError(
            "expected wild images that are prepared, all of one size; do: imagemill prepare WILD -o OUT --size "
            "HEIGHTxWIDTH, as the dataset was"
        )
    images, labels = opened.arrays()
    if labels is None:
        return images, None
    if unknown := sorted(set(opened.classes) - set(data.classes)):
        known = ", ".join(data.classes)
        raise InputError(f"expected wild images of the classes {known}, got {unknown} too; leave those out")
    numbers = np.array([data.classes.index(name) for name in opened.classes], np.int64)
    return images, numbers[labels.astype(np.int64)]


def chosen(population: Labelled, count: int, seed: int) -> Labelled:
    """So many images at most, drawn by the seed."""
    if len(population.images) <= count:
        return population
    rows = np.sort(np.random.Generator(np.random.Philox(seed)).permutation(len(population.images))[:count])
    return Labelled(population.images[rows], None if population.labels is None else population.labels[rows])
