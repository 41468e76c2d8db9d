"""What a call costs before any pixel is touched: the chains of the other workloads on a picture of 8x8."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.harness import Array, Contestant, Expect, Run, Workload

SIDE = 8
JITTER = (0.8, 1.2)


def _picture() -> Array:
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def _ours(picture: Array, *, geometry: bool, colour: bool) -> Run:
    import imagemill as im

    chain: list[Any] = []
    if geometry:
        chain += [im.Flip("x", p=0.5), im.Rotate((-15, 15)), im.Zoom(JITTER), im.Shift(fraction=(-0.1, 0.1))]
    if colour:
        chain += [im.ColorJitter(brightness=JITTER, contrast=JITTER, saturation=JITTER)]
    pipe = im.Pipeline(chain, seed=0)
    return lambda: pipe(picture)


def _ours_batch(picture: Array) -> Run:
    import imagemill as im

    moves = [im.Flip("x", p=0.5), im.Rotate((-15, 15)), im.Zoom(JITTER), im.Shift(fraction=(-0.1, 0.1))]
    jitter = im.ColorJitter(brightness=JITTER, contrast=JITTER, saturation=JITTER)
    pipe = im.Pipeline([*moves, jitter], seed=0)
    pictures = np.stack([picture] * 64)
    return lambda: pipe.batch(pictures).image[-1]


def _albumentations(picture: Array, *, geometry: bool, colour: bool) -> Run:
    import albumentations as alb
    import cv2

    chain: list[Any] = []
    if geometry:
        nearest = {"border_mode": cv2.BORDER_REPLICATE, "p": 1}
        chain += [alb.HorizontalFlip(p=0.5), alb.Rotate(15, **nearest), alb.Affine(scale=JITTER, **nearest)]
        chain += [alb.Affine(translate_percent=(-0.1, 0.1), **nearest)]
    if colour:
        chain += [alb.ColorJitter(JITTER, JITTER, JITTER, 0, p=1)]
    compose = alb.Compose(chain)
    return lambda: compose(image=picture)["image"]


def _torchvision(picture: Array) -> Run:
    from bench.peers import torchvision_cpu

    torchvision_cpu.load()
    import torch
    from torchvision.transforms import v2

    chain = v2.Compose(
        [
            v2.RandomHorizontalFlip(0.5),
            v2.RandomRotation(15),
            v2.RandomAffine(0, scale=JITTER),
            v2.RandomAffine(0, translate=(0.1, 0.1)),
            v2.ColorJitter(JITTER, JITTER, JITTER),
        ]
    )
    tensor = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
    return lambda: chain(tensor).contiguous().numpy()


def _workload(name: str, what: str, *, geometry: bool, colour: bool, more: tuple[Contestant, ...] = ()) -> Workload:
    return Workload(
        name,
        f"Single calls on a picture of 8x8: {what}",
        "call",
        _picture,
        (
            Contestant("imagemill", lambda p: _ours(p, geometry=geometry, colour=colour), 1, ours=True),
            Contestant(
                "Albumentations",
                lambda p: _albumentations(p, geometry=geometry, colour=colour),
                1,
                ("albumentations",),
            ),
            *more,
        ),
        (Expect((SIDE, SIDE, 3), "uint8", also=(3, SIDE, SIDE)),),
        note="So small a picture that the time is that of drawing, planning and checking." if more else "",
        quick=bool(more),
    )


WORKLOADS = (
    _workload(
        "overhead",
        "flip, rotate, scale, shift, colour jitter",
        geometry=True,
        colour=True,
        more=(
            Contestant("torchvision v2, tensors", _torchvision, 1, ("torchvision",)),
            Contestant("imagemill, batch of 64, per picture", _ours_batch, 64),
            Contestant("imagemill, no transforms", lambda p: _ours(p, geometry=False, colour=False), 1),
        ),
    ),
    _workload("overhead-geometry", "flip, rotate, scale, shift", geometry=True, colour=False),
    _workload("overhead-colour", "colour jitter", geometry=False, colour=True),
)
