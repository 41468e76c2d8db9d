"""Ten transforms against two: fused, the number of transforms should hardly matter."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench import inputs
from bench.harness import Array, Contestant, Expect, Run, Workload

N = 16
JITTER = (0.9, 1.1)


def ours_chain(count: int) -> list[Any]:
    """The first ``count`` of twelve transforms: geometry and colour in turns, as people write them."""
    import imagemill as im

    return [
        im.Rotate((-10, 10)),
        im.Brightness(JITTER),
        im.Flip("x", p=0.5),
        im.Contrast(JITTER),
        im.Zoom(JITTER),
        im.Saturation(JITTER),
        im.Shift(fraction=(-0.05, 0.05)),
        im.ChannelGain(JITTER),
        im.Shear((-5, 5)),
        im.GainOffset(JITTER, (-5, 5)),
        im.Flip("y", p=0.5),
        im.Hue((-5, 5)),
    ][:count]


def _ours(photos: Array, count: int, *, fuse: bool = True) -> Run:
    import imagemill as im

    pipe = im.Pipeline(ours_chain(count), seed=0, fuse=fuse)
    return lambda: pipe.batch(photos).image


def _albumentations(photos: Array, count: int) -> Run:
    import albumentations as alb
    import cv2

    nearest = {"border_mode": cv2.BORDER_REPLICATE, "p": 1}
    chain = alb.Compose(
        [
            alb.Rotate(10, **nearest),
            alb.ColorJitter(JITTER, (1, 1), (1, 1), 0, p=1),
            alb.HorizontalFlip(p=0.5),
            alb.ColorJitter((1, 1), JITTER, (1, 1), 0, p=1),
            alb.Affine(scale=JITTER, **nearest),
            alb.ColorJitter((1, 1), (1, 1), JITTER, 0, p=1),
            alb.Affine(translate_percent=(-0.05, 0.05), **nearest),
            alb.RGBShift(10, 10, 10, p=1),
            alb.Affine(shear=(-5, 5), **nearest),
            alb.RandomBrightnessContrast((-0.02, 0.02), (-0.1, 0.1), p=1),
        ][:count]
    )
    out = np.empty_like(photos)

    def run() -> Array:
        for i, photo in enumerate(photos):
            out[i] = chain(image=photo)["image"]
        return out

    return run


def _photos() -> Array:
    return inputs.photos_of_one_size(64)[:N]


_TWO, _TEN = "imagemill, 2 transforms", "imagemill, 10 transforms"
_NEEDS = ("albumentations",)

WORKLOADS = (
    Workload(
        "many-ops",
        "Ten transforms against two, on photos of 375x500, uint8 to uint8",
        "photo",
        _photos,
        (
            Contestant(_TWO, lambda p: _ours(p, 2), N, ours=True),
            Contestant(_TEN, lambda p: _ours(p, 10), N, ours=True, limit=1.3),
            Contestant("imagemill, 10 transforms, fuse=False", lambda p: _ours(p, 10, fuse=False), N),
            Contestant("Albumentations, 2 transforms", lambda p: _albumentations(p, 2), N, _NEEDS, versus=_TWO),
            Contestant("Albumentations, 10 transforms", lambda p: _albumentations(p, 10), N, _NEEDS, versus=_TEN),
        ),
        (Expect((N, *inputs.PHOTO_SHAPE, 3), "uint8"),),
    ),
)
