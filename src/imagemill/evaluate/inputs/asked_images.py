"""The images that a trained network is asked about, where nothing is trained: one part of a dataset, or arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.data.dataset import Dataset
from imagemill.data.dataset import open as open_dataset
from imagemill.evaluate.inputs.arms import Population
from imagemill.evaluate.inputs.experiment_data import Data, check_pixels, colour_last, read_data

__all__ = ["read_asked"]

Array = npt.NDArray[Any]


def read_asked(
    dataset: Any, part: str | None = None, classes: Sequence[str] | None = None
) -> tuple[Array, npt.NDArray[Any], tuple[str, ...]]:
    """One part of a prepared dataset, or arrays.

    Parameters
    ----------
    dataset : Dataset, Path, str, Data, Population, or arrays
        ``(x, y)``, or ``((x_train, y_train), (x_test, y_test))``, of which the test images are taken.
    part : str, optional
        ``"test"`` where there is one, else the only part there is; ``"all"`` takes every image.
    classes : sequence of str, optional
        Names, for arrays.

    Returns
    -------
    images ``[n, y, x, C]``, labels ``[n]``, classes

    Raises
    ------
    InputError
        When it is not prepared, has no such part, or images without a label; for floating-point images beyond 0 to 1.

    Examples
    --------
    >>> images, labels, classes = read_asked((np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 1, 0])))
    >>> images.shape, classes
    ((4, 8, 8, 1), ('0', '1'))
    """
    images, labels, names = _read(dataset, part, classes)
    if labels.ndim > 2:
        raise InputError(
            "expected one label an image, got label maps: a profile is of classifiers; compare --stress "
            "rotate:-30..30/7 gives the Dice of networks for label maps on changed images"
        )
    if images.dtype.kind not in "uif":
        raise InputError(f"expected images of numbers, got {images.dtype}")
    if not len(images):
        raise InputError("expected an image or more, got none")
    images = colour_last(images)
    check_pixels(images, "images")
    return images, labels, names


def _read(
    dataset: Any, part: str | None, classes: Sequence[str] | None
) -> tuple[Array, npt.NDArray[Any], tuple[str, ...]]:
    if isinstance(dataset, tuple) and len(dataset) == 2 and not isinstance(dataset[0], tuple | list):
        return _named(np.asarray(dataset[0]), np.asarray(dataset[1]), classes)
    if isinstance(dataset, Population):
        return _named(dataset.images, dataset.labels, classes)
    if isinstance(dataset, Data | tuple):
        data = read_data(dataset)
        return *data.test, tuple(classes or data.classes)
    opened = dataset if isinstance(dataset, Dataset) else open_dataset(dataset)
    if not opened.is_prepared:
        raise InputError(
            "expected a prepared dataset, with images of one size; do: imagemill prepare SRC -o OUT --size HEIGHTxWIDTH"
        )
    parts = sorted({"all" if one is None else one for one in opened.table["split"].unique().to_list()})
    wanted = part or ("test" if "test" in parts else parts[0] if len(parts) == 1 else None)
    if wanted is None or wanted not in (*parts, "all"):
        raise InputError(f"expected a part of the dataset ({', '.join(parts)}, or all), got {part or 'none'}")
    images, labels = (opened if wanted == "all" else opened.subset(wanted)).arrays()
    if labels is None or labels.ndim != 1:
        raise InputError("expected one label an image, got none or several; a profile is of classifiers")
    return images, labels.astype(np.int64), tuple(opened.classes)


def _named(
    images: Array, labels: npt.NDArray[Any], classes: Sequence[str] | None
) -> tuple[Array, npt.NDArray[Any], tuple[str, ...]]:
    whole = labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer)
    count = int(labels.max(initial=0)) + 1 if whole else 1
    return images, labels, tuple(classes or map(str, range(count)))
