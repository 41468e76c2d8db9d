"""Pixels that take the place of their neighbours, in float64: through bubbled glass, and through hot air."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.randomness import pixel_numbers as numbers
from imagemill.core.randomness.rng import Words

__all__ = ["as_picture", "displacements", "glassy", "read_at", "steps_of"]

Array = np.ndarray[Any, Any]


def as_picture(values: Array) -> Array:
    """``(*shape, C)`` as one picture ``(y, x, all others)``: what moves in a slice moves in all of them."""
    return np.moveaxis(values, (-3, -2), (0, 1)).reshape(*values.shape[-3:-1], -1)


def as_it_was(picture: Array, shape: tuple[int, ...]) -> Array:
    """What :func:`as_picture` made, in its own shape."""
    inner = (*shape[-3:-1], *shape[:-3], shape[-1])
    return np.moveaxis(picture.reshape(inner), (0, 1), (-3, -2))


def steps_of(u: Floats, reach: int) -> Array:
    """Uniform numbers as whole steps from ``-reach`` to ``reach - 1``.

    Examples
    --------
    >>> steps_of(np.array([0.1, 0.4, 0.6, 0.9]), 2)
    array([-2, -1,  0,  1])
    """
    found: Array = np.floor(u * (2 * reach)).astype(np.int64) - reach
    return found


def glassy(values: Array, reach: int, times: int, stream: Words) -> Array:
    """So many times, from the lower right on: each pixel takes the values that stand at most ``reach`` away by then.

    Steps go from ``-reach`` to ``reach - 1``, and a margin of ``reach`` stays. The number of a step is that of its
    pixel, with rows and columns in turn.
    """
    made = as_picture(values).copy()
    height, width = made.shape[:2]
    steps = steps_of(numbers.uniform(stream, numbers.EACH_PIXEL, 2 * times * height * width), reach)
    for step in steps.reshape(times, height, width, 2):
        for y in range(height - reach, reach, -1):
            for x in range(width - reach, reach, -1):
                down, right = step[y, x]
                made[y, x] = made[y + down, x + right]
    return as_it_was(made, values.shape)


def displacements(shape: tuple[int, int], reach: Floats, sigma: Floats, stream: Words) -> Floats:
    """How far each pixel of a slice is read from its place, ``[2, y, x]``: smoothed uniform numbers, cut at 3 sigma."""
    import scipy.ndimage as ndi

    u = numbers.uniform(stream, numbers.EACH_PIXEL, 2 * shape[0] * shape[1]).reshape(2, *shape)
    return np.stack(
        [
            ndi.gaussian_filter((2 * one - 1) * r, sigma, mode="reflect", truncate=3)
            for one, r in zip(u, reach, strict=True)
        ]
    )


def read_at(values: Array, moved: Floats) -> Array:
    """The image read ``moved`` away from each pixel by straight lines, mirrored at its outer edges."""
    import scipy.ndimage as ndi

    picture = as_picture(values)
    places = moved + np.indices(picture.shape[:2])
    channels = [ndi.map_coordinates(picture[..., c], places, order=1, mode="reflect") for c in range(picture.shape[2])]
    return as_it_was(np.stack(channels, axis=-1), values.shape)
