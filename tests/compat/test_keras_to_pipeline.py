"""The same ranges as a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.compat.keras import ImageDataGenerator


def test_every_range_has_its_transform() -> None:
    generator = ImageDataGenerator(
        rotation_range=10,
        width_shift_range=0.1,
        height_shift_range=[2, 5],
        shear_range=4,
        zoom_range=(0.5, 1.25),
        channel_shift_range=9,
        horizontal_flip=True,
        vertical_flip=True,
        brightness_range=(0.8, 1.2),
        rescale=1 / 255,
        fill_mode="constant",
        cval=7,
    )
    pipe = generator.to_pipeline(seed=1)
    names = [type(t).__name__ for t in pipe.transforms]
    assert names == ["Rotate", "Shift", "Shift", "Shear", "Zoom", "GainOffset", "Flip", "Flip", "Brightness", "Rescale"]
    rotate, across, down, _, zoom = pipe.transforms[:5]
    assert rotate.degrees.bounds == (-10, 10)
    assert across.fraction["x"].bounds == (-0.1, 0.1)
    assert down.pixels["y"].bounds == (-5, 5)
    assert zoom.factor["x"].bounds == (0.8, 2)
    assert im.Pipeline.from_yaml(pipe.to_yaml()) == pipe
    assert pipe(np.zeros((8, 8, 3), np.uint8)).dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "given"),
    [
        ({"height_shift_range": [3]}, {"ty": 3}),
        ({"width_shift_range": [3]}, {"tx": 3}),
        ({"zoom_range": (2, 2)}, {"zx": 2, "zy": 2}),
        ({"zoom_range": (0.5, 0.5)}, {"zx": 0.5, "zy": 0.5}),
    ],
)
def test_the_pictures_agree_where_both_are_fixed(settings: dict[str, Any], given: dict[str, float]) -> None:
    x = np.random.default_rng(0).uniform(0, 255, (20, 20, 3)).astype(np.float32)
    generator = ImageDataGenerator(**settings)
    names = [name for name in given if name in ("tx", "ty")]
    views = [generator.to_pipeline(seed=k)(x) for k in range(12)]
    for sign in (-1, 1) if names else (1,):
        expected = generator.apply_transform(x, {n: sign * v if n in names else v for n, v in given.items()})
        assert min(np.abs(view - expected).max() for view in views) < 1e-3


def test_what_has_no_counterpart_is_refused() -> None:
    with pytest.raises(ValueError, match="0, 1, 3 or 5"):
        ImageDataGenerator(interpolation_order=2).to_pipeline()
    with pytest.raises(ValueError, match="above 0"):
        ImageDataGenerator(zoom_range=1.0).to_pipeline()
    assert ImageDataGenerator(seed=5).to_pipeline().transforms == ()
