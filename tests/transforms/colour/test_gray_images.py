"""Saturation and hue of a gray image: it has no colour, so it stays as it is, and light changes as usual."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.testing import picture

BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
COLOURLESS = [im.Saturation(0), im.Saturation((0, 3)), im.Hue(90), im.ColorJitter(saturation=0, hue=90), im.Gray()]


@BACKENDS
@pytest.mark.parametrize("transform", COLOURLESS, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("channels", [None, 1])
def test_a_gray_image_stays(backend: str, transform: im.Transform, dtype: str, channels: int | None) -> None:
    image = picture(1, (9, 12), channels, dtype, noise=True)
    found = im.Pipeline([transform], seed=1, backend=backend)(image=image)
    assert found.image.dtype == image.dtype
    np.testing.assert_array_equal(found.image, image)
    batch = im.Pipeline([transform], seed=1, backend=backend).batch([image, image]).image
    np.testing.assert_array_equal(batch, np.stack([image, image]))


@BACKENDS
def test_a_volume_stays(backend: str) -> None:
    volume = picture(1, (4, 5, 6), None, "int16")
    found = im.Pipeline([im.Saturation(0), im.Hue(20)], seed=1, backend=backend)(volume, axes="zyx")
    np.testing.assert_array_equal(found, volume)


@BACKENDS
def test_the_light_of_a_jitter_changes_as_without_saturation_and_hue(backend: str) -> None:
    image = np.array([[40, 60], [80, 100]], np.uint8)
    jitter = im.ColorJitter(brightness=1.5, contrast=0.5, saturation=0, hue=90)
    # 1.5 * (0.5 * x + 0.5 * 70)
    np.testing.assert_array_equal(
        im.Pipeline([jitter], seed=1, backend=backend)(image), np.array([[82, 98], [112, 128]], np.uint8)
    )


@BACKENDS
@pytest.mark.parametrize("name", ["photo", "crops"])
def test_presets_for_photos_take_gray_ones(backend: str, name: str) -> None:
    gray = picture(3, (30, 40))
    colour = np.repeat(gray[..., None], 3, axis=-1)
    pipe: Any = im.Pipeline(im.preset(name, 16), seed=2, backend=backend)
    found, wanted = pipe(image=gray, key=5).image, pipe(image=colour, key=5).image
    assert found.shape == (16, 16)
    assert np.abs(found.astype(int) - wanted[..., 0].astype(int)).max() <= 1
