"""Comparing augmentations: every arm trained with every seed, and what the differences are worth."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.data.dataset import Dataset
from imagemill.data.dataset import open as open_dataset
from imagemill.evaluate.arms import CLEAN, Arm, Population, Stress, check_arm, populations, read_arms
from imagemill.evaluate.comparison import Comparison, compared
from imagemill.evaluate.kept_runs import KeptRuns
from imagemill.evaluate.networks import Network, network_named
from imagemill.evaluate.training import Epoch, Recipe, built, train

__all__ = ["Data", "Step", "compare"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Training and test images in memory, of one size.

    Parameters
    ----------
    train, test : images ``[n, y, x]`` or ``[n, y, x, C]`` and labels ``[n]``
        Labels are numbers from 0, one an image.
    classes : sequence of str
        Names in the order of their numbers.

    Raises
    ------
    InputError
        When images, labels and classes do not fit.
    """

    train: tuple[Array, npt.NDArray[np.int64]]
    test: tuple[Array, npt.NDArray[np.int64]]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("train", "test"):
            images, labels = (np.asarray(one) for one in getattr(self, name))
            if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer) or not len(labels):
                raise InputError(f"expected a number from 0 for each {name} image, got {labels.dtype} {labels.shape}")
            if labels.min() < 0 or labels.max() >= len(self.classes):
                raise InputError(
                    f"expected {name} labels from 0 to {len(self.classes) - 1}, got {labels.min()} to {labels.max()}; "
                    "-1 is an image without a label: leave it out"
                )
            object.__setattr__(self, name, (_colour_last(images), labels.astype(np.int64)))
        if self.train[0].shape[1:] != self.test[0].shape[1:] or self.train[0].dtype != self.test[0].dtype:
            mine, theirs = ((one.shape[1:], str(one.dtype)) for one in (self.train[0], self.test[0]))
            raise InputError(f"expected training and test images alike, got {mine} and {theirs}")

    @property
    def digest(self) -> str:
        """Of all pixels and labels."""
        hashed = hashlib.sha256()
        for array in (*self.train, *self.test):
            hashed.update(f"{array.shape}{array.dtype}".encode())
            hashed.update(np.ascontiguousarray(array).data)
        return hashed.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Step:
    """Where a comparison is: one epoch of one run was done, or the whole run was there already."""

    arm: str
    seed: int
    number: int
    runs: int
    epoch: int
    epochs: int
    said: Epoch | None = None


def compare(
    dataset: Dataset | Path | str | Data | tuple[Any, Any],
    pipelines: Mapping[str, Any] | Sequence[Any],
    *,
    model: str | Path | Network = "cnn",
    seeds: int = 3,
    epochs: int = 10,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    stress: Sequence[Stress] | Mapping[str, Stress] = (),
    wild: Dataset | Path | str | None = None,
    out: Path | str | None = None,
    workers: int = 1,
    level: float = 0.95,
    progress: Callable[[Step], None] | None = None,
) -> Comparison:
    """Train with and without augmentation, and say whether the difference is one.

    For each seed all arms share initial weights, validation images and the order of batches; between seeds all of
    that is drawn anew. No augmentation is always an arm. What is learned is asked about the clean test images, about
    each stressed copy of them, and about images of your own.

    Parameters
    ----------
    dataset : Dataset, Path, str, or arrays ``((x_train, y_train), (x_test, y_test))``
        Prepared, with a training and a test part, and one label an image. A validation part joins the training
        images: others are held back anew for each seed.
    pipelines : mapping or sequence of Pipeline, Path or str
        The arms; they change training images only, and keep size and type.
    model : str, Path or Network
        A name of `NETWORKS`, or a Python file with ``build(shape, classes)``.
    seeds : int
        Pairs of every arm with no augmentation; under 3 there is no verdict.
    epochs, batch_size : int
    learning_rate : float
    stress : sequence or mapping of str, Path or Pipeline
        Further populations of the test images: ``"invert"``, ``"shift:4px"``, a pipeline; a mapping names them.
    wild : Dataset, Path or str, optional
        Prepared in the same size, with the same classes: images from where the network will be used.
    out : Path or str, optional
        Keep every run there; a comparison that was stopped goes on, and ends in the same ``results.json``.
    workers : int
        Threads that augment.
    level : float, 0 to 1
        Of the intervals.
    progress : callable, optional
        Called with a `Step` after each epoch.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        When something does not fit, before anything is trained.

    Notes
    -----
    Source: Bouthillier et al. (2021), "Accounting for variance in machine learning benchmarks", MLSys, for drawing
    all sources of variation anew between seeds and pairing the arms within one.

    Examples
    --------
    >>> import imagemill as im
    >>> import numpy as np
    >>> x = np.zeros((40, 8, 8, 1), np.uint8)
    >>> x[1::2, :, :4] = 200
    >>> y = np.arange(40) % 2
    >>> found = compare(
    ...     Data((x, y), (x, y), ("dark", "light")), [im.Pipeline([im.Flip("y", p=0.5)])], model="dense", epochs=1
    ... )
    >>> found.effect("pipeline-1").here.verdict
    'no difference seen'
    """
    data = read_data(dataset)
    _check(data, seeds, epochs, batch_size)
    arms, network = read_arms(pipelines), network_named(model)
    for arm in arms:
        check_arm(arm, data.train[0][:16])
    built(network, data.train[0], len(data.classes))
    asked = [*populations(*data.test, stress)]
    if wild is not None:
        asked.append(_wild(wild, data))
    recipe = Recipe(epochs, batch_size, learning_rate, workers=workers)
    design = _design(data, arms, network, asked, seeds, recipe, level)
    kept = KeptRuns(None if out is None else Path(out), design)
    runs, number, total = [], 0, seeds * len(arms)
    for seed in range(seeds):
        for arm in arms:
            number += 1
            done = kept.get(arm.name, seed)
            if done is None:
                done = train(
                    arm,
                    network,
                    data.train,
                    asked,
                    len(data.classes),
                    seed,
                    recipe,
                    on_epoch=_told(progress, arm.name, seed, number, total, epochs),
                )
                kept.put(done)
            elif progress is not None:
                progress(Step(arm.name, seed, number, total, epochs, epochs))
            runs.append(done)
    found = compared(design, runs, {one.name: one.labels for one in asked}, data.classes, level)
    if out is not None:
        found.write(Path(out))
    return found


def _told(
    progress: Callable[[Step], None] | None, arm: str, seed: int, number: int, runs: int, epochs: int
) -> Callable[[int, Epoch], None] | None:
    if progress is None:
        return None
    return lambda epoch, said: progress(Step(arm, seed, number, runs, epoch, epochs, said))


def read_data(dataset: Dataset | Path | str | Data | tuple[Any, Any]) -> Data:
    """The training and test images of a prepared dataset, or of arrays.

    Raises
    ------
    InputError
        When it is not prepared, has no training or test part, or images without a label.
    """
    if isinstance(dataset, Data):
        return dataset
    if isinstance(dataset, tuple):
        return _of_arrays(dataset)
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
    train = [_part(opened, name) for name in ("train", "val") if name in parts]
    images, labels = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
    return Data((images, labels), _part(opened, "test"), tuple(opened.classes))


def _of_arrays(arrays: tuple[Any, Any]) -> Data:
    if len(arrays) != 2 or any(not isinstance(one, tuple | list) or len(one) != 2 for one in arrays):
        raise InputError(
            "expected ((x_train, y_train), (x_test, y_test)), got another tuple; "
            "what a network is tested on has to be told from what it is trained on"
        )
    (x, y), (x_test, y_test) = arrays
    labels = np.asarray(y)
    highest = int(labels.max()) if labels.size and np.issubdtype(labels.dtype, np.integer) else 0
    return Data((x, y), (x_test, y_test), tuple(map(str, range(highest + 1))))


def _part(opened: Dataset, name: str) -> tuple[Array, npt.NDArray[np.int64]]:
    images, labels = opened.arrays(name)
    if labels is None or labels.ndim != 1:
        raise InputError("expected one label an image, got none or several; a comparison is of classifiers")
    return images, labels.astype(np.int64)


def _colour_last(images: Array) -> Array:
    if images.ndim == 3:
        return images[..., None]
    if images.ndim != 4:
        raise InputError(f"expected images [n, y, x, C], got {images.shape}; scans cannot be compared yet")
    return images


def _wild(wild: Dataset | Path | str, data: Data) -> Population:
    opened = wild if isinstance(wild, Dataset) else open_dataset(wild)
    if not opened.is_prepared:
        raise InputError("expected wild images that are prepared in the size of the dataset; do: imagemill prepare")
    images, labels = opened.arrays()
    if labels is None:
        raise InputError("expected wild images with a label each, got some without")
    images = _colour_last(images)
    if images.shape[1:] != data.test[0].shape[1:] or images.dtype != data.test[0].dtype:
        raise InputError(
            f"expected wild images of {data.test[0].shape[1:]} {data.test[0].dtype}, got {images.shape[1:]} "
            f"{images.dtype}; prepare them as the dataset"
        )
    if set(opened.classes) - set(data.classes):
        extra, known = sorted(set(opened.classes) - set(data.classes)), ", ".join(data.classes)
        raise InputError(f"expected wild images of the classes {known}, got {extra} too; leave those out")
    numbers = np.array([data.classes.index(name) for name in opened.classes], np.int64)
    return Population("wild", images, numbers[labels.astype(np.int64)])


def _check(data: Data, seeds: int, epochs: int, batch_size: int) -> None:
    for name, value in (("seeds", seeds), ("epochs", epochs), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ParameterError(f"expected {name} of 1 or more, got {value!r}")
    names = np.array(data.classes)
    if len(names) < 2:
        raise InputError(f"expected two classes or more, got {list(names)}")
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


def _design(
    data: Data,
    arms: Sequence[Arm],
    network: Network,
    asked: Sequence[Population],
    seeds: int,
    recipe: Recipe,
    level: float,
) -> dict[str, Any]:
    """What decides the result, as plain values; workers do not."""
    how = asdict(recipe)
    how.pop("workers")
    return {
        "data": data.digest,
        "classes": list(data.classes),
        "train_images": len(data.train[1]),
        "test_images": {one.name: len(one.labels) for one in asked},
        "populations": {one.name: _digest(one) for one in asked if one.name != CLEAN},
        "arms": {arm.name: arm.digest for arm in arms},
        "model": network.name,
        "seeds": seeds,
        "recipe": how,
        "level": level,
    }


def _digest(one: Population) -> str:
    return hashlib.sha256(np.ascontiguousarray(one.images).data).hexdigest()[:16]
