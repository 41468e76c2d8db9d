"""Images that experiments are made on, with labels or label maps: training and test images of one size, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ImagemillError, InputError, ParameterError
from imagemill.core.targets import Image
from imagemill.data.dataset import Dataset
from imagemill.data.dataset import open as open_dataset
from imagemill.evaluate.inputs.arms import Population
from imagemill.evaluate.inputs.label_maps import (
    check_label_maps,
    label_map_parts,
    label_maps_of,
    numbered,
    renumbered,
    with_label_maps,
)
from imagemill.evaluate.inputs.scans import axes_of

__all__ = [
    "Data",
    "Task",
    "check_data",
    "check_pixels",
    "colour_last",
    "groups_of",
    "read_data",
    "read_wild",
    "remarks",
]

Array = npt.NDArray[Any]
Task = Literal["classification", "segmentation"]


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Training and test images in memory, of one size.

    Parameters
    ----------
    train, test : images ``[n, y, x]`` or ``[n, y, x, C]`` and labels ``[n]``
        Labels are numbers from 0, one an image; or label maps ``[n, y, x]`` or ``[n, z, y, x]`` of such numbers, of
        which 0 is the background, and images with or without channels.
    classes : sequence of str
        Names in the order of their numbers.
    groups : array ``[n]`` of str, optional
        Of the training images: patients, videos, whatever is not to be parted.
    spacing : pair of array ``[n, d]`` or None
        Of training and test images with label maps, in millimetres.
    test_groups : array ``[n]`` of str, optional
        The same of the test images: only groups are independent of each other.

    Raises
    ------
    InputError
        When images, labels, classes and groups do not fit.
    """

    train: tuple[Array, npt.NDArray[np.int64]]
    test: tuple[Array, npt.NDArray[np.int64]]
    classes: tuple[str, ...]
    groups: npt.NDArray[np.str_] | None = None
    spacing: tuple[Array | None, Array | None] = (None, None)
    test_groups: npt.NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        for name in ("train", "test"):
            images, labels = (_array(one, name) for one in getattr(self, name))
            if labels.ndim in (3, 4):
                object.__setattr__(self, name, label_maps_of(name, images, labels, len(self.classes)))
                continue
            if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer) or not len(labels):
                raise InputError(f"expected a number from 0 for each {name} image, got {labels.dtype} {labels.shape}")
            if labels.min() < 0 or labels.max() >= len(self.classes):
                raise InputError(
                    f"expected {name} labels from 0 to {len(self.classes) - 1}, got {labels.min()} to {labels.max()}; "
                    "-1 is an image without a label: leave it out"
                )
            object.__setattr__(self, name, (colour_last(images), labels.astype(np.int64)))
        if self.train[0].shape[1:] != self.test[0].shape[1:] or self.train[0].dtype != self.test[0].dtype:
            mine, theirs = ((one.shape[1:], str(one.dtype)) for one in (self.train[0], self.test[0]))
            raise InputError(f"expected training and test images alike, got {mine} and {theirs}")
        if self.groups is not None and np.shape(self.groups) != self.train[1].shape[:1]:
            raise InputError(
                f"expected a group for each of the {len(self.train[1])} training images, got {np.shape(self.groups)}"
            )

    @property
    def task(self) -> Task:
        """What there is to learn."""
        return "classification" if self.train[1].ndim == 1 else "segmentation"

    @property
    def digest(self) -> str:
        """Of all pixels and labels."""
        hashed = hashlib.sha256()
        for array in (*self.train, *self.test):
            hashed.update(f"{array.shape}{array.dtype}".encode())
            hashed.update(np.ascontiguousarray(array).data)
        return hashed.hexdigest()[:16]


def read_data(dataset: Dataset | Path | str | Data | tuple[Any, Any], task: Task = "classification") -> Data:
    """The training and test images of a prepared dataset, or of arrays.

    Parameters
    ----------
    dataset : Dataset, Path, str, Data or tuple
    task : {"classification", "segmentation"}
        What the network learns: labels, or label maps.

    Raises
    ------
    InputError
        When it is not prepared, has no training or test part, or images without a label or label map.
    """
    if isinstance(dataset, Data | tuple):
        data = dataset if isinstance(dataset, Data) else _of_arrays(dataset)
        if data.task != task:
            if task == "segmentation":
                raise InputError(
                    "expected data for segmentation, which the network is for, got images with one label each; take "
                    "another model for labels"
                )
            raise InputError(
                "expected images with one label each, got label maps; compare, screen and ablate take them with the "
                "model 'unet', and stress takes them as they are: all else here is of classifiers"
            )
        return data
    opened = dataset if isinstance(dataset, Dataset) else open_dataset(dataset)
    if not opened.is_prepared:
        raise InputError(
            "expected a prepared dataset, with images of one size in parts; "
            "do: imagemill prepare SRC -o OUT --size HEIGHTxWIDTH, and compare OUT"
        )
    parts = set(opened.table["split"].unique().to_list())
    for name in ("train", "test"):
        if name not in parts:
            raise InputError(f"expected a part {name!r} of the dataset, got none; prepare it with a split that has one")
    training = [opened.subset(name) for name in ("train", "val") if name in parts]
    test = opened.subset("test")
    groups, test_groups = groups_of(*training), groups_of(test)
    if task == "segmentation":
        scans, truth, classes, spacing = label_map_parts(training, test)
        return Data(scans, truth, classes, groups, spacing, test_groups)
    images, labels = (np.concatenate(arrays) for arrays in zip(*map(_part, training), strict=True))
    return Data((images, labels), _part(test), tuple(opened.classes), groups, test_groups=test_groups)


def groups_of(*parts: Dataset) -> npt.NDArray[np.str_] | None:
    """The groups of the rows of some parts; a row that has none is a group of its own."""
    tables = [part.table for part in parts]
    if any("group" not in table.columns for table in tables):
        return None
    named = [(group, key) for table in tables for group, key in zip(table["group"], table["key"], strict=True)]
    if all(group is None for group, _ in named):
        return None
    return np.array([f"key:{key}" if group is None else f"group:{group}" for group, key in named])


def _of_arrays(arrays: tuple[Any, Any]) -> Data:
    if len(arrays) != 2 or any(not isinstance(one, tuple | list) or len(one) != 2 for one in arrays):
        raise InputError(
            "expected ((x_train, y_train), (x_test, y_test)), got another tuple; "
            "what a network is tested on has to be told from what it is trained on"
        )
    (x, y), (x_test, y_test) = arrays
    labels = np.asarray(y)
    if labels.ndim in (3, 4):
        maps, names = numbered([labels, np.asarray(y_test)])
        return Data((x, maps[0]), (x_test, maps[1]), names)
    highest = int(labels.max()) if labels.size and np.issubdtype(labels.dtype, np.integer) else 0
    return Data((x, y), (x_test, y_test), tuple(map(str, range(highest + 1))))


def _part(part: Dataset) -> tuple[Array, npt.NDArray[np.int64]]:
    images, labels = part.arrays()
    if labels is None or labels.ndim != 1:
        raise InputError(
            "expected one label an image, got none or several; for label maps take a network for segmentation: "
            "model 'unet'"
        )
    return images, labels.astype(np.int64)


def _array(given: Any, part: str) -> Array:
    try:
        return np.asarray(given)
    except ValueError as error:  # a list of images of many sizes
        raise InputError(
            f"expected {part} images of one size and type, got a list that is no array ({error}); "
            "imagemill prepare makes them so"
        ) from error


def colour_last(images: Array) -> Array:
    """Images ``[n, y, x, C]``, of those or of ``[n, y, x]``."""
    if images.ndim == 3:
        return images[..., None]
    if images.ndim != 4:
        raise InputError(f"expected images [n, y, x, C], got {images.shape}; scans cannot be compared yet")
    return images


def check_data(data: Data, seeds: int, epochs: int, batch_size: int) -> None:
    """Refuse what no experiment can be made of: too few images or classes, or numbers under 1.

    Raises
    ------
    InputError, ParameterError
    """
    for part, (images, _) in (("training", data.train), ("test", data.test)):
        check_pixels(images, f"{part} images")
    for name, value in (("seeds", seeds), ("epochs", epochs), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ParameterError(f"expected {name} of 1 or more, got {value!r}")
    names = np.array(data.classes)
    if len(names) < 2:
        raise InputError(f"expected two classes or more, got {list(names)}")
    if data.test_groups is not None and len(np.unique(data.test_groups)) < 2:
        raise InputError(
            f"expected test images of two groups or more, got {str(data.test_groups[0])!r} alone: images of one are "
            "not independent of each other; give the test part a larger share"
        )
    if data.task == "segmentation":
        check_label_maps(data.train[1], data.test[1], data.classes)
        return
    for part, (_, labels) in (("training", data.train), ("test", data.test)):
        counts = np.bincount(labels, minlength=len(names))
        if (counts == 0).any():
            raise InputError(
                f"expected images of every class in the {part} part, got none of {names[counts == 0].tolist()}; "
                "split with stratify, or leave the class out"
            )
        if part == "training" and (counts == 1).any():
            few = names[counts == 1].tolist()
            raise InputError(f"expected two training images or more of every class, got one of {few}")


def check_pixels(images: Array, whose: str) -> None:
    """Refuse what is no image, and floating-point images with NaN or infinities, or beyond 0 to 1.

    Raises
    ------
    InputError
        Naming the first image.
    """
    try:
        Image(images[0], axes_of(images))
    except ImagemillError as error:
        raise InputError(f"expected {whose} that are images, got: {error}") from error
    if not images[0].size:
        raise InputError(f"expected {whose} with pixels, got {images.shape}")
    if images.dtype.kind != "f":
        return
    flat = images.reshape(len(images), -1)
    if (bad := ~np.isfinite(flat).all(axis=1)).any():
        raise InputError(
            f"expected {whose} of numbers, got NaN or infinity in {int(bad.sum()):,} of {len(images):,}, the first in "
            f"{whose[:-1]} {int(bad.argmax())}, counted from 0; fill those pixels, or leave the images out"
        )
    low, high = float(flat.min()), float(flat.max())
    if low < 0.0 or high > 1.0:
        raise InputError(
            f"expected floating-point {whose} from 0 to 1, got {low:g} to {high:g}; scale them, as in x / 255, or give "
            "whole numbers: what transforms and networks take for white is 1"
        )


def remarks(data: Data) -> tuple[str, ...]:
    """What about some data makes figures mean less than they seem to, each in a sentence.

    Examples
    --------
    >>> x, y = np.zeros((4, 2, 2, 1), np.uint8), np.arange(4) % 2
    >>> remarks(Data((x, y), (x, y), ("a", "b")))[0]
    '4 of 4 test images are among the training images, pixel for pixel: they can be right by heart; split again'
    """
    found = []
    seen = {image.tobytes() for image in data.train[0]}
    if again := sum(image.tobytes() in seen for image in data.test[0]):
        found.append(
            f"{again:,} of {len(data.test[1]):,} test images are among the training images, pixel for pixel: they can "
            "be right by heart; split again"
        )
    if data.task == "classification" and len(data.test[1]) < 20:
        count = len(data.test[1])
        found.append(f"{count} test images: one more that is right is {100 / count:.1f} points; test on more")
    if alike := _alike(data.classes):
        found.append(f"classes that differ only in case are taken for different ones: {', '.join(alike)}")
    return tuple(found)


def _alike(names: Sequence[str]) -> list[str]:
    """Names that differ from another only in case."""
    folded = [name.casefold() for name in names]
    return [name for name in names if folded.count(name.casefold()) > 1]


def read_wild(wild: Dataset | Path | str, data: Data) -> Population:
    """The user's own images as one more population, with labels by the names of the classes of ``data``, or label maps.

    Raises
    ------
    InputError
        When they are not prepared, or of another size, type or classes.
    """
    opened = wild if isinstance(wild, Dataset) else open_dataset(wild)
    if not opened.is_prepared:
        raise InputError("expected wild images that are prepared in the size of the dataset; do: imagemill prepare")
    if data.task == "segmentation":
        return _wild_label_maps(opened, data)
    images, labels = opened.arrays()
    if labels is None:
        raise InputError("expected wild images with a label each, got some without")
    images = colour_last(images)
    _check_alike(images, data)
    if set(opened.classes) - set(data.classes):
        extra, known = sorted(set(opened.classes) - set(data.classes)), ", ".join(data.classes)
        alike = {name.casefold() for name in extra} & {name.casefold() for name in data.classes}
        hint = "rename them, as they differ only in case" if len(alike) == len(extra) else "leave those out"
        raise InputError(f"expected wild images of the classes {known}, got {extra} too; {hint}")
    if not len(labels) or (labels < 0).any():
        without = int((labels < 0).sum())
        raise InputError(
            f"expected wild images with a label each, got {without} of {len(labels)} without; leave those out"
        )
    check_pixels(images, "wild images")
    numbers = np.array([data.classes.index(name) for name in opened.classes], np.int64)
    return Population("wild", images, numbers[labels.astype(np.int64)], groups=groups_of(opened))


def _wild_label_maps(opened: Dataset, data: Data) -> Population:
    images, label_maps, spacing = with_label_maps(opened)
    # Classes of arrays may have names that are no values; their label maps hold numbers.
    values = (
        data.classes if all(name.isdecimal() for name in data.classes) else tuple(map(str, range(len(data.classes))))
    )
    images, label_maps = label_maps_of("wild", images, renumbered(label_maps, values), len(data.classes))
    _check_alike(images, data)
    if (spacing is None) != (data.spacing[1] is None):
        raise InputError(
            "expected wild images with a spacing as the test images have, or both without, got one of them"
        )
    return Population("wild", images, label_maps, spacing, groups_of(opened))


def _check_alike(images: Array, data: Data) -> None:
    if images.shape[1:] != data.test[0].shape[1:] or images.dtype != data.test[0].dtype:
        raise InputError(
            f"expected wild images of {data.test[0].shape[1:]} {data.test[0].dtype}, got {images.shape[1:]} "
            f"{images.dtype}; prepare them as the dataset"
        )
