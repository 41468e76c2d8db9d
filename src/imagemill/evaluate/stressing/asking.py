"""Asking a network about images, and checking that what it says can be counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.evaluate.inputs.arm_check import changed
from imagemill.evaluate.inputs.experiment_data import colour_last
from imagemill.evaluate.runners.recipe import Predict
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Asked", "asked_about", "called"]

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int64]
_AT_ONCE = 1024
"""Images that are asked about at once, whatever the network does with them."""


@dataclass(slots=True, eq=False)
class Asked:
    """A network with the images it is asked about.

    Parameters
    ----------
    predict : Predict
    images : array ``[n, y, x, C]``
    labels : array ``[n]``
    classes : tuple of str
    count : int
        How often all images were asked about so far.
    still : bool
        Whether the latest change left every image as it was.
    """

    predict: Predict
    images: Array
    labels: Labels
    classes: tuple[str, ...]
    count: int = 0
    still: bool = field(default=False)

    def about(self, name: str, pipeline: Pipeline | None) -> Labels:
        """What each image is called, ``[n]``, as it is or as a change makes it."""
        made = self.images
        if pipeline is not None:
            made, _ = changed(pipeline, self.images, f"the change {name!r}", "images")
        self.still = bool(np.array_equal(made, self.images))
        some = (made[first : first + _AT_ONCE] for first in range(0, len(made), _AT_ONCE))
        found = [called(self.predict, one, len(self.classes)) for one in some]
        self.count += 1
        return np.concatenate(found)


def asked_about(predict: Predict, images: Any, labels: Any, classes: Any = None) -> Asked:
    """Check that a network, images, labels and classes can belong together.

    Raises
    ------
    InputError
    """
    if not callable(predict):
        raise InputError(f"expected a function from images to probabilities, got {type(predict).__name__}")
    pictures, truth = colour_last(np.asarray(images)), np.asarray(labels)
    if truth.shape != pictures.shape[:1] or not np.issubdtype(truth.dtype, np.integer) or not len(truth):
        raise InputError(f"expected a number from 0 for each image, got {truth.dtype} {truth.shape}")
    if truth.min() < 0:
        raise InputError(f"expected labels from 0 on, got {truth.min()}; -1 is an image without a label: leave it out")
    names = tuple(map(str, classes if classes is not None else range(int(truth.max()) + 1)))
    if truth.max() >= len(names):
        raise InputError(f"expected labels from 0 to {len(names) - 1}, one of {len(names)} classes, got {truth.max()}")
    return Asked(predict, pictures, truth.astype(np.int64), names)


def called(predict: Predict, images: Array, classes: int) -> Labels:
    """The class that each image is called, ``[n]``.

    Raises
    ------
    InputError
        When the answers are no finite numbers ``[n, classes]``.
    """
    said = np.asarray(predict(images))
    if said.ndim != 2 or said.shape[0] != len(images):
        raise InputError(
            f"expected answers [{len(images)}, {classes}] for {len(images)} images, got {list(said.shape)}"
        )
    if said.shape[1] != classes:
        raise InputError(
            f"expected a number for each of {classes} classes, got {said.shape[1]} outputs of the model; "
            "give the dataset it was trained for"
        )
    if not np.isfinite(said).all():
        lost = int((~np.isfinite(said).all(axis=1)).sum())
        raise InputError(f"expected finite answers, got NaN or infinities for {lost} of {len(images)} images")
    found: Labels = said.argmax(axis=1).astype(np.int64)
    return found
