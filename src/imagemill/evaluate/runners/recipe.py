"""How networks are trained and what is kept of it, the same for every framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.to_dtype import ToDtype
from imagemill.transforms.colour.to_layout import ToLayout

__all__ = ["DEVICES", "PRECISIONS", "Epoch", "Predict", "Recipe", "Trained", "held_back", "one_left_out", "preparation"]

Array = npt.NDArray[Any]
Predict = Callable[[Array], Array]
"""A network that is asked: images ``[n, y, x, C]`` as they are stored, to probabilities ``[n, classes]``; or to
label maps ``[n, (z,) y, x]``, of images and volumes ``[n, (z,) y, x, C]``."""


DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained, the same for every arm.

    Parameters
    ----------
    epochs, batch_size : int
    learning_rate : float
    validation : float, 0 to 1
        Share of the training images that is held back, another one for each seed; for the curves only.
    workers : int
        Threads that augment.
    device : {"cpu", "cuda", "auto"}
        A GPU where there is one, for ``"auto"``.
    precision : {"float32", "bfloat16", "float16", "auto"}
        Of what the network computes between its weights, which stay in float32; ``"auto"`` is mixed on GPUs alone.
    """

    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3
    validation: float = 0.1
    workers: int = 1
    device: str = "cpu"
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("workers", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ParameterError(f"expected {name} of {least} or more, got {value!r}")
        if not _is_number(self.learning_rate) or not 0 < self.learning_rate < np.inf:
            raise ParameterError(f"expected a learning_rate above 0, got {self.learning_rate!r}")
        if not _is_number(self.validation) or not 0 <= self.validation < 1:
            raise ParameterError(f"expected a validation share from 0 to under 1, got {self.validation!r}")


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch gave: losses and shares of right answers; of label maps the mean Dice stands for the share."""

    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What is kept of one arm under one seed.

    Parameters
    ----------
    arm : str
    seed : int
    probabilities : mapping of str to array ``[n, classes]``, float32
        By population; empty where training diverged, and for label maps.
    curve : list of Epoch
    diverged : int or None
        The epoch, from 1, in which the loss was no number any more, or the last where answers are none.
    seconds, waiting : float
        Of training, and of it waiting for batches: what augmentation takes that the network does not hide.
    images : int
        Trained on, over all epochs.
    predict : callable or None
        The trained network; None where training diverged, and for runs that were read from disk.
    network : object or None
        What the runner that trained it takes as a network whose initial weights are the trained ones, to train on from
        there; None where ``predict`` is.
    label_maps : mapping of str to array ``[n, (z,) y, x]``, uint8
        What a network for segmentation answered, by population; empty where training diverged.
    losses : callable or None
        Of a network for segmentation: from images and their label maps to the loss of each image that it was trained
        for, which no label map tells; None where ``predict`` is.
    """

    arm: str
    seed: int
    probabilities: dict[str, Array]
    curve: list[Epoch] = field(default_factory=list)
    diverged: int | None = None
    seconds: float = 0.0
    waiting: float = 0.0
    images: int = 0
    predict: Predict | None = None
    network: Any = None
    label_maps: dict[str, Array] = field(default_factory=dict)
    losses: Callable[[Array, Array], Array] | None = None

    @property
    def answers(self) -> dict[str, Array]:
        """Probabilities or label maps, whichever there are."""
        return self.probabilities or self.label_maps

    def left_one_out(self, images: int) -> bool:
        """Whether every epoch left out one of so many training images, the only one of a last batch."""
        return bool(self.curve) and self.images == (images - 1) * len(self.curve)


def one_left_out(sizes: Iterable[int], batch_size: int) -> tuple[str, ...]:
    """A sentence on the numbers of training images of which every epoch left one out; nothing without any.

    Examples
    --------
    >>> one_left_out([], 32)
    ()
    >>> one_left_out([65, 33], 32)[0].partition(": ")[0].partition(", ")[2]
    'which is what 33 and 65 images in batches of 32 end with'
    """
    said = " and ".join(f"{size:,}" for size in sorted(sizes))
    if not said:
        return ()
    return (
        f"the network cannot be trained on a batch of one image, which is what {said} images in batches of "
        f"{batch_size} end with: one image is left out in each epoch, drawn anew",
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def preparation(layout: Literal["channels_first", "channels_last"] = "channels_first") -> tuple[Any, ...]:
    """What every image goes through last, training or test."""
    last = (ToLayout(layout),) if layout == "channels_first" else ()  # images are held with channels last
    return Rescale(), ToDtype("float32"), *last


def held_back(labels: npt.NDArray[np.int64], share: float, seed: int) -> tuple[Array, Array]:
    """Rows to train on and rows held back: the same share of every class, drawn by the seed."""
    generator = np.random.Generator(np.random.Philox(seed))
    held = []
    for number in np.unique(labels):
        rows = np.flatnonzero(labels == number)
        # At least one of a class stays for training, and one is held back where there are two.
        count = min(max(1, round(share * len(rows))), len(rows) - 1) if share > 0 else 0
        held.append(generator.permutation(rows)[:count])
    back = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), back), back
