"""Proposing an augmentation from what sets wild images apart from training images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.near_words import takes
from imagemill.data.dataset import Dataset
from imagemill.evaluate.inputs.experiment_data import Data, read_data
from imagemill.evaluate.recommendations.closing import Closing, Looked
from imagemill.evaluate.recommendations.held_ranges import Profiled, held_by, read_held
from imagemill.evaluate.recommendations.recommendation import Recommendation, proposed_of
from imagemill.evaluate.recommendations.screen_warnings import Screened, read_screen
from imagemill.evaluate.recommendations.wild_images import Wild, chosen, read_wild_images
from imagemill.measures.differences.gaps import FEWEST_IMAGES, Labelled
from imagemill.measures.gray_values import check_values

__all__ = ["recommend"]


@takes
def recommend(
    dataset: Dataset | Path | str | Data | tuple[Any, Any],
    wild: Wild,
    *,
    model: Any = None,
    profile: Profiled | None = None,
    screen: Screened | None = None,
    images: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Recommendation:
    """Measure what sets wild images apart from training images, and propose transforms that would cover it.

    Position, size, turn, polarity, brightness, contrast, colour cast, stroke width, sharpness and noise are measured on
    each image. Where the two populations differ, surely (Holm's method over all measures) and by more than the
    measure's tolerance, the transform that makes such a change is proposed. Its range leads from the quantiles of the
    training images to those of the wild ones, 5 to 95 %, and begins at no change. `compare` says whether it helps.

    Parameters
    ----------
    dataset : Dataset, Path, str, or arrays ``((x_train, y_train), (x_test, y_test))``
        Prepared, with labels; training images are measured, test images never.
    wild : Dataset, Path, str, array ``[n, y, x]`` or ``[n, y, x, C]``, or such an array with labels
        Prepared, in any one size. With labels training images are weighted to the class shares of the wild ones;
        without, a difference that other class shares could make is not taken for one.
    model : str, Path or object, optional
        A network, as for `stress`: a file, a module, a function. It is asked about changed test images first: what it
        takes already is not proposed.
    profile : Profiles, Path, str or mapping, optional
        The same, of a network that was asked before: what `stress` gave, or the file or folder that it wrote.
    screen : Screening, Path, str or mapping of str to float, optional
        What `screen` gave or wrote, or affinities by the names of transforms: the share of its accuracy that a network
        keeps on images so augmented. Transforms that seem to change labels, or keep under 0.5, carry a warning.
    images : int
        Measured of each population at most, drawn by the seed.
    level : float, 0 to 1
        Of intervals; 1 less it bounds the chance of any false alarm.
    seed : int
    progress : callable, optional
        Told how many images of how many were measured.

    Returns
    -------
    Recommendation

    Raises
    ------
    InputError, ParameterError
        When images are not prepared, too few, of other channels or another type, constant, or hold NaN.

    Notes
    -----
    Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics
    6. Each measure names its own source.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> draws = np.random.default_rng(0)
    >>> x = np.zeros((120, 16, 16), np.uint8)
    >>> for image in x:
    ...     top, left = draws.integers(4, 7, 2)
    ...     image[top : top + 6, left : left + 5] = draws.integers(150, 250)
    >>> y = np.arange(120) % 2
    >>> found = im.recommend(((x[:60], y[:60]), (x[:60], y[:60])), np.roll(x[60:], 3, axis=2))
    >>> print(found.pipeline.to_dict()["transforms"])
    [{'Shift': {'pixels': {'x': {'choice': [0, 1, 2, 3]}}, 'whole': True}}]
    """
    if isinstance(images, bool) or not isinstance(images, int) or images < FEWEST_IMAGES:
        raise ParameterError(f"expected images of {FEWEST_IMAGES} or more, got {images!r}")
    if not 0 < level < 1:
        raise ParameterError(f"expected a level between 0 and 1, such as 0.95, got {level}")
    if model is not None and profile is not None:
        raise ParameterError("expected a model or its profile, got both; leave one of them out")
    held = {} if profile is None else read_held(profile)
    against = {} if screen is None else read_screen(screen)
    data = read_data(dataset)
    if len(data.train[1]) < FEWEST_IMAGES:
        raise InputError(f"expected {FEWEST_IMAGES} training images or more, got {len(data.train[1])}")
    check_values(data.train[0], "training")
    theirs = read_wild_images(wild, data)
    mine = chosen(Labelled(*data.train), images, seed)
    theirs = chosen(theirs, images, seed)
    for population, whose in ((mine, "training"), (theirs, "wild")):
        _check_not_constant(population, whose)
    if model is not None:
        held = held_by(model, data, images, seed)
    total = len(mine.images) + len(theirs.images)
    done = 0

    def told(count: int) -> None:
        nonlocal done
        if progress is not None:
            progress(count + done, total)
        if count == len(mine.images):
            done = count

    looked = Closing(mine, theirs, data.classes, level=level, seed=seed, held=held, told=told).look()
    _, height, width, _ = mine.images.shape
    proposed = tuple(proposed_of(one, looked, (height, width), against) for one in looked.closed)
    return Recommendation(
        proposed, looked.gaps, looked.left, looked.taken, tuple(looked.follows), looked.after,
        _notes(mine, theirs, looked),
        {
            "train_images": len(mine.images),
            "wild_images": len(theirs.images),
            "image": list(mine.images.shape[1:]),
            "wild_image": list(theirs.images.shape[1:]),
            "wild_labels": theirs.labels is not None,
            "level": level,
            "seed": seed,
        },
    )  # fmt: skip


def _check_not_constant(population: Labelled, whose: str) -> None:
    flat = population.images.reshape(len(population.images), -1)
    varied = int((flat.max(axis=1) > flat.min(axis=1)).sum())
    if varied < FEWEST_IMAGES:
        raise InputError(
            f"expected {FEWEST_IMAGES} {whose} images or more that are not of one value throughout, got {varied} of "
            f"{len(flat)}; look at them: imagemill preview"
        )


def _notes(mine: Labelled, theirs: Labelled, looked: Looked) -> tuple[str, ...]:
    notes = []
    if theirs.labels is None:
        notes.append(
            "wild images have no labels: differences that other shares of the classes could make do not count; "
            "labels would tell them apart"
        )
    else:
        notes.append("training images are weighted to the class shares of the wild ones, and compared within classes")
    if mine.images.shape[1:3] != theirs.images.shape[1:3]:
        sizes = " and ".join("x".join(map(str, p.images.shape[1:3])) for p in (mine, theirs))
        notes.append(
            f"images of {sizes}: lengths are compared as shares of the frame; sharpness and noise depend on the number "
            "of pixels and are not compared"
        )
    for place, whose in enumerate(("training", "wild")):
        most = max((gap for gap in looked.gaps), key=lambda gap: gap.missing[place])
        if most.missing[place]:
            names = [g.measure.name for g in looked.gaps if g.missing[place]]
            notes.append(
                f"{', '.join(names)}: up to {most.missing[place]:,} {whose} images have no value and are left out: "
                "they are constant, round, black in a channel, or of a class without a training image"
            )
    return tuple(notes)
