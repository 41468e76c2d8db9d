"""Between a resample and strong colour, values are not rounded to the picture's own type."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_half_a_grey_level_survives_until_colour_shows_it(backend: str) -> None:
    # Columns of 0 and 1 moved by half a pixel are 0.5 everywhere; ten times as bright they are 5, never 0 or 10.
    image = np.tile(np.array([0, 1], np.uint8), (100, 60))
    pipe = im.Pipeline([im.Shift(pixels={"x": 0.5}), im.Brightness(10.0)], seed=0, backend=backend)
    assert np.abs(pipe(image)[:, 2:-2].astype(int) - 5).max() <= 1
