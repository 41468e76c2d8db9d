"""Weather, compression and resolution of Albumentations and torchvision, as version 1 and version 2 write them."""

from __future__ import annotations

import math

import pytest

import imagemill as im

CASES = [
    ("A.ImageCompression(quality_range=(40, 80), p=1)", im.JPEG((40, 80))),
    ("A.ImageCompression(quality_lower=40, quality_upper=80, p=1)", im.JPEG((40, 80))),
    ("A.ImageCompression(40, 80, p=1)", im.JPEG((40, 80))),
    ("A.ImageCompression('webp', (50, 50), p=1)", im.WebP(50)),
    ("A.JpegCompression(quality_lower=30, quality_upper=60, p=0.2)", im.JPEG((30, 60), p=0.2)),
    ("A.Downscale(scale_range=(0.3, 0.6), p=1)", im.Downscale((0.3, 0.6), "nearest")),
    ("A.Downscale(scale_min=0.5, scale_max=0.5, p=1)", im.Downscale(0.5, "nearest")),
    ("A.Downscale(0.25, 0.5, p=1)", im.Downscale((0.25, 0.5), "nearest")),
    (
        "A.Downscale((0.5, 0.5), {'downscale': 3, 'upscale': 1}, p=1)",
        im.Downscale(0.5, "mean", "linear"),
    ),
    ("A.GlassBlur(sigma=0.9, max_delta=2, iterations=3, p=1)", im.GlassBlur(0.9, 2, 3)),
    ("A.RandomFog(fog_coef_range=(0.2, 0.4), p=1)", im.Fog((0.4, 0.8))),
    ("A.RandomFog(fog_coef_lower=0.2, fog_coef_upper=0.4, p=1)", im.Fog((0.4, 0.8))),
    ("A.RandomSnow(snow_point_lower=0.1, snow_point_upper=0.2, p=1)", im.Snow(bleach=(0.1, 0.2))),
    ("A.RandomRain(slant_range=(-20, 5), drop_length=30, p=1)", im.Rain(0.002, 30.0, (85, 110), dim=0.7)),
    ("A.RandomRain(-20, 5, p=1)", im.Rain(0.002, 20.0, (85, 110), dim=0.7)),
    ("A.RandomShadow(num_shadows_limit=(1, 3), shadow_dimension=4, p=1)", im.Shadow(0.5, count=3, corners=4)),
    (
        "A.RandomSunFlare(flare_roi=(0.1, 0, 0.9, 0.4), src_radius=64, num_flare_circles_range=(3, 5), p=1)",
        im.SunFlare((0.0, 0.4), (0.1, 0.9), 0.05, ghosts=5),
    ),
    ("A.Spatter(mode='mud', cutout_threshold=(0.65, 0.65), p=1)", im.Spatter(0.5, 2.0, 1.0, kind="mud")),
]


@pytest.mark.parametrize(("text", "wanted"), CASES, ids=[text[:50] for text, _ in CASES])
def test_what_they_become(text: str, wanted: im.Transform) -> None:
    pipe = im.from_albumentations(f"import albumentations as A\npipe = A.Compose([{text}])")
    assert pipe.transforms == (wanted,)


def test_the_share_under_drops_follows_from_the_threshold() -> None:
    (made,) = im.from_albumentations("import albumentations as A\npipe = A.Compose([A.Spatter(p=1)])").transforms
    # Smoothed by sigma 2, a deviation of 0.3 is 0.3 / (4 sqrt(pi)); 0.68 lies 0.03 above the mean.
    z = 0.03 / (0.3 / (4 * math.sqrt(math.pi)))
    assert isinstance(made, im.Spatter)
    assert made.cover.bounds[0] == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)))


def test_torchvision_jpeg() -> None:
    text = "from torchvision.transforms import v2\npipe = v2.Compose([v2.JPEG(quality={}), v2.JPEG((20, 70))])"
    assert im.from_torchvision(text.format(40)).transforms == (im.JPEG(40), im.JPEG((20, 70)))
