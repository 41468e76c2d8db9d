"""The images that a trained network is asked about, where nothing is trained: one part of a dataset, or arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.data.dataset import Dataset
from imagemill.data.dataset import open as open_dataset
from imagemill.evaluate.inputs.arms import Population
from imagemill.evaluate.inputs.experiment_data import Data, Task, check_pixels, colour_last, groups_of, read_data
from imagemill.evaluate.inputs.label_maps import label_maps_of, numbered, renumbered, with_label_maps

__all__ = ["AskedImages", "read_asked"]

Array = npt.NDArray[Any]
_TASKS = ("classification", "segmentation")


@dataclass(frozen=True, slots=True, eq=False)
class AskedImages:
    """Images with what is true of them.

    Parameters
    ----------
    images : array ``[n, y, x, C]``, or ``[n, z, y, x, C]`` with label maps
    truth : array ``[n]`` or ``[n, (z,) y, x]``
        Class numbers from 0, one an image or one a pixel.
    classes : tuple of str
        Of label maps the first is the background.
    spacing : array ``[n, d]``, optional
        Of volumes with label maps, in millimetres.
    groups : array ``[n]`` of str, optional
        What each image belongs to, such as a patient.
    """

    images: Array
    truth: Array
    classes: tuple[str, ...]
    spacing: Array | None = None
    groups: Array | None = None

    @property
    def task(self) -> Task:
        """What is asked: a class for each image, or for each pixel."""
        return "classification" if self.truth.ndim < 3 else "segmentation"

    def take(self, rows: Array) -> AskedImages:
        """Some of the images."""
        spacing, groups = (None if one is None else one[rows] for one in (self.spacing, self.groups))
        return replace(self, images=self.images[rows], truth=self.truth[rows], spacing=spacing, groups=groups)


def read_asked(
    dataset: Any, part: str | None = None, classes: Sequence[str] | None = None, task: str | None = None
) -> AskedImages:
    """One part of a prepared dataset, or arrays.

    Parameters
    ----------
    dataset : Dataset, Path, str, Data, Population, or arrays
        ``(x, y)``, or ``((x_train, y_train), (x_test, y_test))``, of which the test images are taken; ``y`` are labels
        ``[n]`` or label maps ``[n, (z,) y, x]``.
    part : str, optional
        ``"test"`` where there is one, else the only part there is; ``"all"`` takes every image.
    classes : sequence of str, optional
        Names, for arrays.
    task : {"classification", "segmentation"}, optional
        Which of the two, for a dataset with labels and label maps; labels where it has them.

    Returns
    -------
    AskedImages

    Raises
    ------
    InputError
        When it is not prepared, has no such part, or images without a label or label map; for floating-point images
        beyond 0 to 1.

    Examples
    --------
    >>> found = read_asked((np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 1, 0])))
    >>> found.images.shape, found.classes, found.task
    ((4, 8, 8, 1), ('0', '1'), 'classification')
    """
    if task is not None and task not in _TASKS:
        raise ParameterError(f"expected a task of {' or '.join(_TASKS)}, got {task!r}")
    found = _read(dataset, part, classes, task)
    if task is not None and task != found.task:
        of = "one label each" if found.task == "classification" else "label maps"
        raise InputError(f"expected data for {task}, got images with {of}; leave the task out, or give other data")
    if found.images.dtype.kind not in "uif":
        raise InputError(f"expected images of numbers, got {found.images.dtype}")
    if not len(found.images):
        raise InputError("expected an image or more, got none")
    if found.task == "segmentation":
        images, truth = label_maps_of("asked", found.images, found.truth, len(found.classes))
        if len(found.classes) < 2:
            raise InputError(f"expected label maps of two classes or more, got {list(found.classes)} alone")
        found = replace(found, images=images, truth=truth)
    else:
        found = replace(found, images=colour_last(found.images))
    check_pixels(found.images, "images")
    return found


def _read(dataset: Any, part: str | None, classes: Sequence[str] | None, task: str | None) -> AskedImages:
    if isinstance(dataset, tuple) and len(dataset) == 2 and not isinstance(dataset[0], tuple | list):
        return _named(AskedImages(np.asarray(dataset[0]), np.asarray(dataset[1]), ()), classes)
    if isinstance(dataset, Population):
        found = AskedImages(dataset.images, dataset.labels, (), dataset.spacing, dataset.groups)
        return _named(found, classes)
    if isinstance(dataset, Data | tuple):
        data = dataset if isinstance(dataset, Data) else read_data(dataset, _task_of(dataset))
        return AskedImages(*data.test, tuple(classes or data.classes), data.spacing[1], data.test_groups)
    opened = dataset if isinstance(dataset, Dataset) else open_dataset(dataset)
    if not opened.is_prepared:
        raise InputError(
            "expected a prepared dataset, with images of one size; do: imagemill prepare SRC -o OUT --size HEIGHTxWIDTH"
        )
    parts = sorted({"all" if one is None else one for one in opened.table["split"].unique().to_list()})
    wanted = part or ("test" if "test" in parts else parts[0] if len(parts) == 1 else None)
    if wanted is None or wanted not in (*parts, "all"):
        raise InputError(f"expected a part of the dataset ({', '.join(parts)}, or all), got {part or 'none'}")
    taken = opened if wanted == "all" else opened.subset(wanted)
    images, labels = taken.arrays()
    one_each = labels is not None and labels.ndim == 1
    if task == "segmentation" or (task is None and not one_each and taken.masked.any()):
        return _with_label_maps(opened, taken)
    if labels is None or not one_each:
        raise InputError(
            "expected one label an image, or a label map for every image, got neither; prepare the dataset with them"
        )
    return AskedImages(images, labels.astype(np.int64), tuple(opened.classes), groups=groups_of(taken))


def _with_label_maps(opened: Dataset, taken: Dataset) -> AskedImages:
    """The classes are the values of all parts, as in training: a part may lack some."""
    images, label_maps, spacing = with_label_maps(taken)
    _, names = numbered([opened.masks])
    return AskedImages(images, renumbered(label_maps, names), names, spacing, groups_of(taken))


def _task_of(arrays: tuple[Any, Any]) -> Task:
    one = arrays[1][1] if len(arrays) == 2 and isinstance(arrays[1], tuple | list) and len(arrays[1]) == 2 else ()
    return "segmentation" if np.ndim(one) in (3, 4) else "classification"


def _named(found: AskedImages, classes: Sequence[str] | None) -> AskedImages:
    if found.task == "segmentation" and not classes:
        (maps,), names = numbered([found.truth])
        return replace(found, truth=maps, classes=names)
    whole = found.truth.ndim == 1 and np.issubdtype(found.truth.dtype, np.integer)
    count = int(found.truth.max(initial=0)) + 1 if whole else 1
    return replace(found, classes=tuple(classes or map(str, range(count))))
