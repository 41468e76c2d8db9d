"""Asking a network about images, checking that what it says can be counted, and a score for each image.

Classifiers are right or wrong about an image; label maps have a Dice, the mean over the classes but the background.
What stands above (profiles, the worst case, preparations) knows scores alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.evaluate.inputs.arm_check import changed
from imagemill.evaluate.inputs.asked_images import AskedImages, read_asked
from imagemill.evaluate.inputs.experiment_data import colour_last
from imagemill.evaluate.runners.recipe import Predict
from imagemill.evaluate.statistics.overlap import dices_of, guessed
from imagemill.evaluate.statistics.scores import ACCURACY, DICE, Measure, clustered
from imagemill.evaluate.statistics.shares import Share, mean_score, paired_scores, paired_shares, wilson
from imagemill.evaluate.stressing.answered_label_maps import as_label_maps
from imagemill.evaluate.stressing.breaking import ClassBreak, breaks_at, dice_breaks_at
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Answered", "Asked", "asked_about", "asked_of", "called"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Sides = Sequence[tuple[float | None, "Answered"]]
_AT_ONCE, _PIXELS = 1024, 1 << 20
"""Images that are asked about at once, whatever the network does with them; and pixels, where each is answered."""


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What came of all images, as they are or as one change makes them.

    Parameters
    ----------
    items : array ``[n]``, 0 to 1
        The score of each image.
    detail : array ``[n]`` or ``[n, classes - 1]``
        What it was counted from: the class that each is called, or the Dice of each class.
    """

    items: Floats
    detail: Array

    def worse(self, other: Answered) -> Answered:
        """Of each image the answer with the lower score; this one where they are alike."""
        mine = self.items <= other.items
        rows = mine if self.detail.ndim == 1 else mine[:, None]
        return Answered(np.minimum(self.items, other.items), np.where(rows, self.detail, other.detail))


class Asked(ABC):
    """A network with the images it is asked about.

    Parameters
    ----------
    predict : Predict
    data : AskedImages
    level : float, 0 to 1
        Of intervals.

    Attributes
    ----------
    count : int
        How often all images were asked about so far.
    still : bool
        Whether the latest change left every image as it was.
    """

    measure: ClassVar[Measure]

    def __init__(self, predict: Predict, data: AskedImages, level: float = 0.95) -> None:
        self.predict, self.data, self.level = predict, data, level
        self.count, self.still = 0, False

    def __len__(self) -> int:
        return len(self.data.images)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images."""
        height, width = self.data.images.shape[-3:-1]
        return height, width

    def about(self, name: str, pipeline: Pipeline | None) -> Answered:
        """The score of each image as it is, or as a change makes it; label maps are moved with the images."""
        images, truth = self.data.images, self.data.truth
        made, true = (images, truth) if pipeline is None else self._changed(name, pipeline)
        self.still = bool(np.array_equal(made, images))
        some = self._at_once
        rows = (slice(first, first + some) for first in range(0, len(made), some))
        found = [self._answered(made[row], true[row]) for row in rows]
        self.count += 1
        return Answered(*(np.concatenate([getattr(one, name) for one in found]) for name in ("items", "detail")))

    @property
    def _at_once(self) -> int:
        return _AT_ONCE

    def _changed(self, name: str, pipeline: Pipeline) -> tuple[Array, Array]:
        made, _ = changed(pipeline, self.data.images, f"the change {name!r}", "images")
        return made, self.data.truth

    @abstractmethod
    def _answered(self, images: Array, truth: Array) -> Answered:
        """Ask about some images."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The classes that have a score of their own."""

    @abstractmethod
    def share(self, scores: Floats) -> Share:
        """The mean of the scores of all images, or of those of one class."""

    @abstractmethod
    def less(self, mine: Floats, other: Floats, times: float = 1.0) -> Share:
        """``mean(mine) - times * mean(other)`` over the same images."""

    @abstractmethod
    def by_class(self, answered: Answered) -> tuple[Share | None, ...]:
        """The score of each class of `names`; None for one that no image has."""

    @abstractmethod
    def breaks(self, sides: Sides, clean: Answered) -> tuple[ClassBreak, ...]:
        """What each class loses at one magnitude of each side, the largest losses first."""

    @abstractmethod
    def guess(self) -> tuple[float, str]:
        """The score of the best answer that does not look at the image, and that answer in words."""

    def stuck(self, clean: Answered) -> str:
        """That most images get one answer, in words; empty where they do not, or nobody counts it."""
        del clean
        return ""

    @abstractmethod
    def remarks(self) -> tuple[str, ...]:
        """What the figures say little of, each in a sentence."""


class _AskedOfClasses(Asked):
    """A classifier: 1 for each image that is right, and 0."""

    measure = ACCURACY

    @property
    def names(self) -> tuple[str, ...]:
        return self.data.classes

    def _answered(self, images: Array, truth: Array) -> Answered:
        said = called(self.predict, images, len(self.data.classes))
        return Answered((said == truth).astype(np.float64), said)

    def share(self, scores: Floats) -> Share:
        return wilson(int(scores.sum()), len(scores), self.level)

    def less(self, mine: Floats, other: Floats, times: float = 1.0) -> Share:
        return paired_shares(mine > 0, other > 0, times=times, level=self.level)

    def by_class(self, answered: Answered) -> tuple[Share | None, ...]:
        rows = [self.data.truth == number for number in range(len(self.names))]
        return tuple(self.share(answered.items[mine]) if mine.any() else None for mine in rows)

    def breaks(self, sides: Sides, clean: Answered) -> tuple[ClassBreak, ...]:
        said = [(magnitude, answered.detail) for magnitude, answered in sides]
        return breaks_at(said, clean.detail, self.data.truth, self.names, self.level)

    def guess(self) -> tuple[float, str]:
        counts = np.bincount(self.data.truth, minlength=len(self.names))
        often = int(counts.argmax())
        return float(counts[often] / len(self)), f"calling every image {self.names[often]}"

    def stuck(self, clean: Answered) -> str:
        same = np.bincount(clean.detail, minlength=len(self.names)).max() / len(self)
        return f"{same * 100:.0f} % of the images get the same answer" if same > 0.5 else ""

    def remarks(self) -> tuple[str, ...]:
        found = []
        counts = np.bincount(self.data.truth, minlength=len(self.names))
        if absent := [name for name, count in zip(self.names, counts, strict=True) if not count]:
            found.append(f"no image of {', '.join(absent)}: nothing is said about these classes")
        if self.data.groups is not None and (groups := len(np.unique(self.data.groups))) < len(self):
            found.append(
                f"{len(self):,} images of {groups:,} groups: intervals are over images, and so too short where those "
                "of one group are alike"
            )
        return tuple(found)


class _AskedOfLabelMaps(Asked):
    """A network for segmentation: the Dice of each image, whose groups (patients) are what is independent."""

    measure = DICE

    @property
    def names(self) -> tuple[str, ...]:
        return self.data.classes[1:]

    @property
    def _at_once(self) -> int:
        return max(1, min(_AT_ONCE, _PIXELS // int(self.data.truth[0].size)))

    def _changed(self, name: str, pipeline: Pipeline) -> tuple[Array, Array]:
        data = self.data
        made, truth = changed(pipeline, data.images, f"the change {name!r}", "images", data.truth, data.spacing)
        assert truth is not None
        return made, truth

    def _answered(self, images: Array, truth: Array) -> Answered:
        said = as_label_maps(self.predict(images), truth.shape, self.data.classes)
        dices = dices_of(said, truth, len(self.data.classes))
        return Answered(dices.mean(axis=1), dices)

    def share(self, scores: Floats) -> Share:
        return mean_score(self._grouped(scores), self.level)

    def less(self, mine: Floats, other: Floats, times: float = 1.0) -> Share:
        return paired_scores(self._grouped(mine), self._grouped(other), times=times, level=self.level)

    def by_class(self, answered: Answered) -> tuple[Share | None, ...]:
        return tuple(self.share(answered.detail[:, place]) for place in range(len(self.names)))

    def breaks(self, sides: Sides, clean: Answered) -> tuple[ClassBreak, ...]:
        tables = [(magnitude, clustered(answered.detail.T, self.data.groups).T) for magnitude, answered in sides]
        return dice_breaks_at(tables, clustered(clean.detail.T, self.data.groups).T, self.names, self.level)

    def guess(self) -> tuple[float, str]:
        score, number = guessed(self.data.truth, len(self.data.classes))
        return score, f"calling every pixel {self.data.classes[number]}"

    def remarks(self) -> tuple[str, ...]:
        found, images = [], len(self)
        if self.data.groups is not None and (groups := len(np.unique(self.data.groups))) < images:
            found.append(f"{images:,} images of {groups:,} groups: intervals are over groups")
        pixels = tuple(range(1, self.data.truth.ndim))
        lacking = {
            name: int((~(self.data.truth == number).any(axis=pixels)).sum())
            for number, name in enumerate(self.data.classes)
            if number
        }
        if said := [f"{count:,} without {name}" for name, count in lacking.items() if count]:
            found.append(
                f"of {images:,} label maps {', '.join(said)}: there Dice is 1 where the answer has none, else 0"
            )
        if images < 2:
            found.append("one image alone: its intervals say nothing of others")
        return tuple(found)

    def _grouped(self, scores: Floats) -> Floats:
        found: Floats = clustered(scores[None], self.data.groups)[0]
        return found


def asked_of(predict: Predict, data: AskedImages, level: float = 0.95) -> Asked:
    """A network with the images it is asked about, for classes or for label maps, whichever is true of them."""
    kind = _AskedOfClasses if data.task == "classification" else _AskedOfLabelMaps
    return kind(predict, data, level)


def asked_about(predict: Predict, images: Any, truth: Any, classes: Any = None, level: float = 0.95) -> Asked:
    """Check that a network, images, labels or label maps, and classes can belong together.

    Raises
    ------
    InputError
    """
    if not callable(predict):
        raise InputError(f"expected a function from images to probabilities, got {type(predict).__name__}")
    if np.ndim(truth) in (3, 4):
        return asked_of(predict, read_asked((np.asarray(images), np.asarray(truth)), classes=classes), level)
    pictures, labels = colour_last(np.asarray(images)), np.asarray(truth)
    if labels.shape != pictures.shape[:1] or not np.issubdtype(labels.dtype, np.integer) or not len(labels):
        raise InputError(f"expected a number from 0 for each image, got {labels.dtype} {labels.shape}")
    if labels.min() < 0:
        raise InputError(f"expected labels from 0 on, got {labels.min()}; -1 is an image without a label: leave it out")
    names = tuple(map(str, classes if classes is not None else range(int(labels.max()) + 1)))
    if labels.max() >= len(names):
        raise InputError(f"expected labels from 0 to {len(names) - 1}, one of {len(names)} classes, got {labels.max()}")
    return asked_of(predict, AskedImages(pictures, labels.astype(np.int64), names), level)


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
