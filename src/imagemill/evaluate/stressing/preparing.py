"""How a model wants its images: the order of axes and the scale of values, given or found out, and always said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ImagemillError, InputError, ParameterError
from imagemill.evaluate.inputs.asked_images import AskedImages
from imagemill.evaluate.inputs.scans import moved
from imagemill.evaluate.runners.recipe import Predict
from imagemill.evaluate.statistics.scores import ACCURACY
from imagemill.evaluate.stressing.answered_label_maps import as_label_maps
from imagemill.evaluate.stressing.asking import Answered, Asked, asked_of
from imagemill.evaluate.stressing.opened import LAYOUTS, Opened, as_arrays
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.to_dtype import ToDtype

__all__ = ["SCALES", "prepared", "spread"]

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int64]

SCALES = ("0..1", "0..255", "-1..1", "imagenet")
"""Ranges of values that models are trained with; the last is mean and deviation of ImageNet's channels."""

_MEAN, _STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
_TRIED = {"classification": 256, "segmentation": 16}
"""Images by which preparations are told apart."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to prepare: an order of axes and a scale."""

    layout: str
    scale: str

    def __str__(self) -> str:
        return f"{self.scale}, {_AXES[self.layout]}"


_AXES_OF = {4: "height, width, channels", 5: "slices, height, width, channels"}
_AXES = {"last": "channels last", "first": "channels first", "flat": "one row an image"}


def prepared(
    model: Opened,
    data: AskedImages,
    *,
    preparation: Pipeline | None = None,
    layout: str | None = None,
    scale: str | None = None,
) -> tuple[Predict, tuple[str, ...]]:
    """A model as a function from stored images to probabilities or label maps, and what was taken for granted.

    Parameters
    ----------
    model : Opened
    data : AskedImages
    preparation : Pipeline, optional
        All that comes before the model; nothing is guessed then.
    layout : {"last", "first", "flat"}, optional
    scale : {"0..1", "0..255", "-1..1", "imagenet"}, optional

    Returns
    -------
    predict, notes

    Raises
    ------
    InputError
        When the model takes images of another size, gives another number of classes, fails, or knows the images no
        better than chance however they are prepared.
    """
    _check(layout, scale, preparation)
    model = _in_order(model, data)
    images = data.images
    if preparation is not None or (model.stored and layout is None and scale is None):
        predict = _by_pipeline(model, preparation, data)
        predict(images[:2])
        how = "as the given pipeline prepares them" if preparation is not None else "as they are stored"
        return predict, (f"{model.said}: images come {how}",)
    layouts = (layout,) if layout is not None else _layouts(model, data)
    scales = (scale,) if scale is not None else _scales(model, images)
    tried = _TRIED[data.task]
    some = data.take(spread(data.truth if data.task == "classification" else np.zeros(len(images), np.int64), tried))
    answers: dict[_Way, Answered] = {}
    trouble: list[str] = []
    unfit: list[_UnfitError] = []
    for way in (_Way(one, other) for one in layouts for other in scales):
        try:
            answers[way] = asked_of(_by_way(model, way, data), some).about("clean", None)
        except _UnfitError as error:
            unfit.append(error)
        except Exception as error:  # the model's own: another order of axes may be the right one
            trouble.append(f"{way}: {(str(error).strip() or type(error).__name__).splitlines()[0]}")
    if not answers and unfit:
        raise unfit[0]
    if not answers:
        raise InputError(
            f"expected {model.said} to take images of {_size(images)}, got: {trouble[0]}; prepare the dataset in the "
            "size "
            "the model takes, or say what comes before it by a pipeline (preparation)"
        )
    # Which network is asked does not matter to what its answers are worth.
    best, notes = _chosen(model, answers, asked_of(model.ask, some), asked=len(layouts) * len(scales) > 1)
    return _by_way(model, best, data), notes


class _UnfitError(InputError):
    """The model's answers are of the wrong kind, however its images are prepared."""


def spread(labels: Labels, count: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """Rows of at most that many images, the same share of every class, in rising order; drawn by the seed.

    Examples
    --------
    >>> labels = np.repeat([0, 1], [90, 10])
    >>> np.bincount(labels[spread(labels, 20)]).tolist()
    [18, 2]
    """
    if count >= len(labels):
        return np.arange(len(labels))
    generator = np.random.Generator(np.random.Philox(seed))
    order = generator.permutation(len(labels))
    # By class in drawn order: every step of one n-th through that list takes from each class what is its share.
    listed = order[np.argsort(labels[order], kind="stable")]
    return np.sort(listed[((np.arange(count) + 0.5) * len(labels) / count).astype(np.int64)])


def _in_order(model: Opened, data: AskedImages) -> Opened:
    """The model with its outputs in the order of the dataset's classes, where it knows them by name."""
    classes = data.classes
    if not model.classes or model.classes == classes:
        return model
    if sorted(model.classes) != sorted(classes):
        raise InputError(
            f"expected {model.said} of the classes {', '.join(classes)}, got one of {', '.join(model.classes)}; "
            "give the dataset it was trained for"
        )
    order = [model.classes.index(name) for name in classes]
    return replace(model, ask=lambda batch: as_arrays(model.ask(batch))[0][:, order])


def _check(layout: str | None, scale: str | None, preparation: Pipeline | None) -> None:
    if layout is not None and layout not in LAYOUTS:
        raise ParameterError(f"expected a layout of {', '.join(LAYOUTS)}, got {layout!r}")
    if scale is not None and scale not in SCALES:
        raise ParameterError(f"expected a scale of {', '.join(SCALES)}, got {scale!r}")
    if preparation is not None and (layout is not None or scale is not None):
        raise ParameterError("expected a preparation, or a layout and a scale, got both; the pipeline says both")


def _layouts(model: Opened, data: AskedImages) -> tuple[str, ...]:
    """Orders of axes that the declared shape of the input allows; an answer for each pixel needs them apart."""
    images = data.images
    *frame, channels = images.shape[1:]
    known = model.layouts if data.task == "classification" else tuple(n for n in model.layouts if n != "flat")
    if not model.shape:
        return known
    shapes = {"last": (*frame, channels), "first": (channels, *frame), "flat": (images[0].size,)}
    fit = [
        name
        for name in known
        if len(shapes[name]) == len(model.shape)
        and all(want is None or want == have for want, have in zip(model.shape, shapes[name], strict=True))
    ]
    if not fit:
        wanted = "x".join("?" if one is None else str(one) for one in model.shape)
        raise InputError(
            f"expected images of {wanted}, which {model.said} takes, got {_size(images)} "
            f"({_AXES_OF[images.ndim]}); prepare the dataset in that size and colour, or say what comes before the "
            "model by a pipeline (preparation)"
        )
    return tuple(fit)


def _scales(model: Opened, images: Array) -> tuple[str, ...]:
    if model.dtype == "uint8":
        return ("0..255",)
    known = SCALES if images.shape[-1] == 3 else SCALES[:-1]
    return ("0..255", *(one for one in known if one != "0..255")) if model.rescales else known


def _by_pipeline(model: Opened, preparation: Pipeline | None, data: AskedImages) -> Predict:
    def predict(images: Array) -> Array:
        made = images
        if preparation is not None:
            try:
                made, _ = moved(preparation, images)
            except ImagemillError as error:
                raise InputError(f"expected the preparation to run on these images, got: {error}") from error
        try:
            said = model.ask(made)
        except ImagemillError:
            raise
        except Exception as error:  # the user's model: whatever it raises is what to show
            raise InputError(
                f"expected {model.said} to answer images {list(made.shape)} {made.dtype}, got "
                f"{type(error).__name__}: {error}"
            ) from error
        return _read(said, images, data)

    return predict


def _by_way(model: Opened, way: _Way, data: AskedImages) -> Predict:
    unit = Pipeline([Rescale(), ToDtype("float32")], seed=0)

    def predict(images: Array) -> Array:
        made, _ = moved(unit, images)
        if way.scale == "0..255":
            made = made * np.float32(255)
        elif way.scale == "-1..1":
            made = made * np.float32(2) - np.float32(1)
        elif way.scale == "imagenet":
            made = (made - _MEAN) / _STD
        if way.layout == "first":
            made = np.moveaxis(made, -1, 1)
        elif way.layout == "flat":
            made = made.reshape(len(made), -1)
        if model.dtype == "uint8":
            made = np.rint(made)
        return _read(model.ask(np.ascontiguousarray(made, model.dtype)), images, data)

    return predict


def _chosen(
    model: Opened, answers: dict[_Way, Answered], asked_of_some: Asked, *, asked: bool
) -> tuple[_Way, tuple[str, ...]]:
    """The way under which answers are best, and what to say of it; an error where that is no better than chance."""
    best = max(answers, key=lambda way: answers[way].items.sum())
    if not asked:
        return best, (f"{model.said}: images come as {best}",)
    shown = "; ".join(f"{way} {found.items.mean():.3f}" for way, found in answers.items())
    chance, _ = asked_of_some.guess()
    count, classes = len(asked_of_some), asked_of_some.data.classes
    if asked_of_some.share(answers[best].items).low <= chance:
        raise InputError(
            f"expected a preparation under which {model.said} knows these images, got none better than chance "
            f"({chance:.3f}) on {count} of them: {shown}; give the scale and layout or the whole preparation it was "
            "trained with, and see that its classes are these, in this order: "
            f"{', '.join(classes[:6])}{', ...' if len(classes) > 6 else ''}"
        )
    if len(answers) == 1:
        return best, (f"{model.said}: images come as {best}; no other way runs",)
    by = f"what is right of {count} images" if asked_of_some.measure is ACCURACY else f"the Dice of {count} images"
    notes = [f"{model.said}: images come as {best}, by {by}: {shown}"]
    if model.rescales:
        notes.append(f"{model.rescales} scales values by itself, which speaks for 0..255")
    near = [
        way
        for way, found in answers.items()
        if way != best
        and (found.detail != answers[best].detail).any()
        and asked_of_some.less(answers[best].items, found.items).low <= 0
    ]
    if near:
        notes.append(f"not told apart from {'; '.join(map(str, near))}: say which the model was trained with")
    return best, tuple(notes)


def _read(said: Any, images: Array, data: AskedImages) -> Array:
    """What a model gave, as probabilities ``[n, classes]`` or label maps."""
    if data.task == "classification":
        return _probabilities(said, len(images), data.classes)
    shape = (len(images), *data.truth.shape[1:])
    found = [one for one in as_arrays(said) if one.ndim and len(one) == len(images)]
    if not found:
        raise _UnfitError(
            f"expected answers for {len(images)} images, got {[list(one.shape) for one in as_arrays(said)]}"
        )
    fit = [one for one in found if one.size >= np.prod(shape)]  # several outputs: one that has a number for each pixel
    try:
        return as_label_maps((fit or found)[0], shape, data.classes)
    except InputError as error:
        raise _UnfitError(str(error)) from error


def _probabilities(said: Any, count: int, classes: tuple[str, ...]) -> Array:
    """Rows that sum to 1, of probabilities, their logarithms, logits, one number for two classes, or called classes."""
    found = [one for one in as_arrays(said) if one.ndim and len(one) == count]
    if len(found) > 1:  # several outputs: the one that has a number for each class
        found = [one for one in found if one.shape[1:] == (len(classes),)] or found
    if not found:
        raise _UnfitError(f"expected answers for {count} images, got {[list(one.shape) for one in as_arrays(said)]}")
    values = found[0]
    if values.ndim == 1 and np.issubdtype(values.dtype, np.integer):
        if values.min() < 0 or values.max() >= len(classes):
            raise _UnfitError(
                f"expected called classes from 0 to {len(classes) - 1}, got {values.min()} to {values.max()}"
            )
        return np.asarray(np.eye(len(classes), dtype=np.float32)[values])
    if not np.issubdtype(values.dtype, np.number):
        raise _UnfitError(
            f"expected numbers for {len(classes)} classes, got {values.dtype}; fit the model on class numbers"
        )
    values = values.astype(np.float64)
    values = values.reshape(count, -1) if values.ndim > 2 and values[0].size == len(classes) else values
    if len(classes) == 2 and values.size == count:
        one = values.reshape(count)
        one = one if ((one >= 0) & (one <= 1)).all() else 1 / (1 + np.exp(-np.clip(one, -500, 500)))
        return np.stack([1 - one, one], axis=1).astype(np.float32)
    if values.ndim != 2 or values.shape[1] != len(classes):
        outputs = 1 if values.ndim == 1 else values.shape[1] if values.ndim == 2 else list(values.shape[1:])
        raise _UnfitError(
            f"expected a number for each of {len(classes)} classes, got {outputs} outputs of the model; give the "
            "dataset it "
            "was trained for"
        )
    if (values >= -1e-6).all() and np.allclose(values.sum(axis=1), 1, atol=1e-3):
        return values.astype(np.float32)
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def _size(images: Array) -> str:
    return "x".join(map(str, images.shape[1:]))
