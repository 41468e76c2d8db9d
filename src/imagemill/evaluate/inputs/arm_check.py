"""Arms and stressed populations are tried on every image before anything is trained: one that fails fails now."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["changed"]

Array = npt.NDArray[Any]
_TRIED = 512
"""Images that are tried at once."""


def changed(pipeline: Pipeline, images: Array, what: str, whose: str) -> Array:
    """What a pipeline makes of every image in epoch 0 of seed 0, in one array like the one that was given.

    Parameters
    ----------
    pipeline : Pipeline
    images : array ``[n, y, x, C]``
    what, whose : str
        How to call it and them, such as ``"arm 'turned'"`` and ``"training images"``.

    Returns
    -------
    array ``[n, y, x, C]``

    Raises
    ------
    InputError
        When the pipeline fails on an image, naming it, or gives another size, channel count or type, or what is no
        number.

    Examples
    --------
    >>> import imagemill as im
    >>> changed(im.Pipeline([im.Invert()]), np.zeros((2, 1, 1, 1), np.uint8), "arm 'inverted'", "images").ravel()
    array([255, 255], dtype=uint8)
    """
    seeded, found = pipeline.with_seed(0), np.empty_like(images)
    for first in range(0, len(images), _TRIED):
        some = images[first : first + _TRIED]
        made = _made(seeded, some, first, what, whose)
        if made.dtype != images.dtype:
            raise InputError(
                f"expected {what} to give {images.dtype} as it gets, got {made.dtype}; leave Rescale, Normalize, "
                "ToDtype and ToLayout out: every arm and every test image gets the same preparation behind the pipeline"
            )
        if made.shape != some.shape:
            raise InputError(
                f"expected {what} to keep images of {_size(some)}, got {_size(made)}; end it with "
                f"Resize({tuple(images.shape[1:3])}), or prepare the dataset in that size"
            )
        if made.dtype.kind == "f" and not np.isfinite(made).all():
            bad = int(np.flatnonzero(~np.isfinite(made.reshape(len(made), -1)).all(axis=1))[0])
            raise InputError(
                f"expected {what} to give numbers, got NaN or infinity in {whose[:-1]} {first + bad}, counted from 0; "
                "find the transform that does with imagemill.Pipeline(...)(image)"
            )
        found[first : first + len(some)] = made
    return found


def _made(pipeline: Pipeline, some: Array, first: int, what: str, whose: str) -> Array:
    try:
        return np.asarray(pipeline.batch(some, keys=range(first, first + len(some)), epoch=0).image)
    except Exception as whole:
        for place, image in enumerate(some):
            try:
                pipeline.batch(image[None], keys=[first + place], epoch=0)
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
