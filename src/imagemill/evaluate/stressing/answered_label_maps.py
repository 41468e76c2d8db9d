"""What networks for segmentation answer, in any of the usual forms, as label maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError

__all__ = ["as_label_maps"]

Array = npt.NDArray[Any]


def as_label_maps(said: Any, shape: tuple[int, ...], classes: Sequence[str]) -> Array:
    """Label maps of class numbers, from label maps or from numbers for each class and pixel.

    Parameters
    ----------
    said : array
        Whole numbers ``[n, (z,) y, x]``: class numbers. Or a number for each class, the largest of which is the
        answer: ``[n, classes, (z,) y, x]`` or ``[n, (z,) y, x, classes]``. Of two classes also one number for each
        pixel, with or without an axis of length 1: a probability of the second class, over 0.5 where it is, or a
        logit, over 0, where not all are from 0 to 1.
    shape : tuple of int
        Of the label maps, ``(n, (z,) y, x)``.
    classes : sequence of str
        With the background; values of label maps in the order of their numbers.

    Returns
    -------
    array of int ``[n, (z,) y, x]``

    Raises
    ------
    InputError
        For answers of any other form, class numbers that are none, and what is no finite number.

    Examples
    --------
    >>> chances = np.array([[[[0.9, 0.2]], [[0.1, 0.8]]]])  # one image of 1x2 pixels, two classes
    >>> as_label_maps(chances, (1, 1, 2), ["0", "1"]).tolist()
    [[[0, 1]]]
    >>> as_label_maps(chances[:, 1], (1, 1, 2), ["0", "1"]).tolist()
    [[[0, 1]]]
    """
    answers, count = np.asarray(said), len(classes)
    if answers.dtype.kind in "ui" and answers.shape == shape:
        if answers.min() < 0 or answers.max() >= count:
            raise InputError(
                f"expected label maps of class numbers from 0 to {count - 1}, for the values {', '.join(classes)}, got "
                f"{answers.min()} to {answers.max()}"
            )
        return answers
    if answers.dtype.kind not in "uifb":
        raise InputError(f"expected numbers for {count} classes, got {answers.dtype}")
    if not np.isfinite(answers).all():
        lost = int((~np.isfinite(answers).reshape(len(answers), -1).all(axis=1)).sum())
        raise InputError(f"expected finite answers, got NaN or infinities for {lost} of {len(answers)} images")
    if answers.shape == (shape[0], count, *shape[1:]):
        return np.asarray(answers.argmax(axis=1))
    if answers.shape == (*shape, count):
        return np.asarray(answers.argmax(axis=-1))
    if count == 2 and answers.shape in (shape, (*shape, 1), (shape[0], 1, *shape[1:])):
        one = answers.reshape(shape)
        share = bool(((one >= 0) & (one <= 1)).all())
        return np.asarray(one > (0.5 if share else 0.0)).astype(np.uint8)
    frame = "x".join(map(str, shape[1:]))
    raise InputError(
        f"expected a number for each of {count} classes ({', '.join(classes)}) and each of {frame} pixels, or label "
        f"maps of that size, for {shape[0]} images, got answers {list(answers.shape)}; give the dataset it was trained "
        "for"
    )
