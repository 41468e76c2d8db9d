"""Arms and stressed populations are tried on every image before anything is trained: one that fails fails now."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.evaluate.inputs.scans import moved
from imagemill.pipeline.groups import mixing
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["changed"]

Array = npt.NDArray[Any]
_TRIED = 512
"""Images that are tried at once."""


def changed(
    pipeline: Pipeline,
    images: Array,
    what: str,
    whose: str,
    label_maps: Array | None = None,
    spacing: Array | None = None,
) -> tuple[Array, Array | None]:
    """What a pipeline makes of every image in epoch 0 of seed 0, in one array like the one that was given.

    Label maps, where there are any, are moved by the same draws.

    Parameters
    ----------
    pipeline : Pipeline
    images : array ``[n, (z,) y, x, C]``
    what, whose : str
        How to call it and them, such as ``"arm 'turned'"`` and ``"training images"``.

    Returns
    -------
    images, label_maps : arrays like those that were given

    Raises
    ------
    InputError
        When the pipeline fails on an image, naming it, or gives another size, channel count or type, or what is no
        number.

    Examples
    --------
    >>> import imagemill as im
    >>> changed(im.Pipeline([im.Invert()]), np.zeros((2, 1, 1, 1), np.uint8), "arm 'inverted'", "images")[0].ravel()
    array([255, 255], dtype=uint8)
    """
    if pipeline.group > 1 and whose != "training images":
        raise InputError(
            f"expected {what} to change single {whose}, got {mixing(pipeline.transforms)}, which mixes several and "
            "their labels; make it an arm, which is trained on"
        )
    if pipeline.chooses and whose != "training images":
        raise InputError(
            f"expected {what} to change {whose} whatever their class, got PerClass, which goes by the label that is to "
            "be found; make it an arm, which is trained on"
        )
    seeded, found = pipeline.with_seed(0), np.empty_like(images)
    maps = None if label_maps is None else np.empty_like(label_maps)
    for first in range(0, len(images), _TRIED):
        rows = slice(first, first + _TRIED)
        some, true = images[rows], None if label_maps is None else label_maps[rows]
        made, moved_maps = _made(seeded, (some, true, None if spacing is None else spacing[rows]), first, what, whose)
        if made.dtype != images.dtype:
            raise InputError(
                f"expected {what} to give {images.dtype} as it gets, got {made.dtype}; leave Rescale, Normalize, "
                "ToDtype and ToLayout out: every arm and every test image gets the same preparation behind the pipeline"
            )
        if made.shape != some.shape:
            raise InputError(
                f"expected {what} to keep images of {_size(some)}, got {_size(made)}; end it with "
                f"Resize({tuple(images.shape[1:-1])}), or prepare the dataset in that size"
            )
        if made.dtype.kind == "f" and not np.isfinite(made).all():
            bad = int(np.flatnonzero(~np.isfinite(made.reshape(len(made), -1)).all(axis=1))[0])
            raise InputError(
                f"expected {what} to give numbers, got NaN or infinity in {whose[:-1]} {first + bad}, counted from 0; "
                "find the transform that does with imagemill.Pipeline(...)(image)"
            )
        found[rows] = made
        if maps is not None:
            maps[rows] = moved_maps
    return found, maps


def _made(
    pipeline: Pipeline, given: tuple[Array, Array | None, Array | None], first: int, what: str, whose: str
) -> tuple[Array, Array | None]:
    images, maps, spacing = given
    try:
        return moved(pipeline, images, maps, spacing, first)
    except Exception as whole:
        for place in range(len(images)):
            one = slice(place, place + 1)
            try:
                apart = [None if array is None else array[one] for array in (maps, spacing)]
                moved(pipeline, images[one], apart[0], apart[1], first + place)
            except Exception as error:
                raise InputError(
                    f"expected {what} to run on the {whose}, got {_said(error)} with {whose[:-1]} {first + place}, "
                    "counted from 0; mend the pipeline, or leave that image out"
                ) from error
        raise InputError(f"expected {what} to run on the {whose}, got: {_said(whole)}; mend the pipeline") from whole


def _said(error: Exception) -> str:
    """An error that imagemill raised says enough; of another its kind is said too."""
    return str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"


def _size(images: Array) -> str:
    return "x".join(map(str, images.shape[1:]))
