"""Flip, rotate, scale, shift, RandomResizedCrop 224, on an image with a label map, ten boxes and ten points."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench import inputs
from bench.harness import Array, Contestant, Expect, Run, Workload

N, SIDE, OBJECTS = 32, 224, 10
DEGREES, SCALE, SHIFT = 15, (0.8, 1.2), 0.1


def _samples() -> list[dict[str, Array]]:
    found = []
    for i, photo in enumerate(inputs.photos(64)[:N]):
        boxes, points = inputs.boxes_and_points(photo.shape, OBJECTS, i)
        labels = (photo[..., 1] // 64).astype(np.uint8)
        found.append({"image": photo, "mask": labels, "boxes": boxes, "points": points})
    return found


# ------------------------------------------------------------------------------------------------ ours


def pipeline() -> Any:
    """The chain, five transforms."""
    import imagemill as im

    return im.Pipeline(
        [
            im.Flip("x", p=0.5),
            im.Rotate((-DEGREES, DEGREES)),
            im.Zoom(SCALE),
            im.Shift(fraction=(-SHIFT, SHIFT)),
            im.RandomResizedCrop((SIDE, SIDE)),
        ],
        seed=0,
    )


def _ours_single(samples: list[dict[str, Array]]) -> Run:
    import imagemill as im

    pipe = pipeline()

    def run() -> tuple[Array, Array]:
        for s in samples:
            boxes, points = im.Boxes(s["boxes"]), im.Keypoints(s["points"], format="xy")
            made = pipe(image=s["image"], mask=s["mask"], boxes=boxes, keypoints=points)
        return made.image, made.mask

    return run


def _ours_batch(samples: list[dict[str, Array]]) -> Run:
    import imagemill as im

    pipe = pipeline()
    images, masks = [s["image"] for s in samples], [s["mask"] for s in samples]

    def run() -> tuple[Array, Array]:
        boxes = [im.Boxes(s["boxes"]) for s in samples]
        points = [im.Keypoints(s["points"], format="xy") for s in samples]
        made = pipe.batch(images, mask=masks, boxes=boxes, keypoints=points)
        return made.image[-1], made.mask[-1]

    return run


# ------------------------------------------------------------------------------------------------ peers


def _albumentations(samples: list[dict[str, Array]], geometry: list[Any]) -> Run:
    import albumentations as alb

    chain = alb.Compose(
        [alb.HorizontalFlip(p=0.5), *geometry, alb.RandomResizedCrop((SIDE, SIDE))],
        bbox_params=alb.BboxParams("pascal_voc", label_fields=["names"]),
        keypoint_params=alb.KeypointParams("xy", remove_invisible=False),
    )
    names = list(range(OBJECTS))

    def run() -> tuple[Array, Array]:
        for s in samples:
            made = chain(image=s["image"], mask=s["mask"], bboxes=s["boxes"], keypoints=s["points"], names=names)
            image, mask = np.ascontiguousarray(made["image"]), np.ascontiguousarray(made["mask"])
        return image, mask

    return run


def _albumentations_chain(samples: list[dict[str, Array]]) -> Run:
    import albumentations as alb
    import cv2

    nearest = {"border_mode": cv2.BORDER_REPLICATE, "p": 1}
    return _albumentations(
        samples,
        [
            alb.Rotate(DEGREES, **nearest),
            alb.Affine(scale=SCALE, **nearest),
            alb.Affine(translate_percent=(-SHIFT, SHIFT), **nearest),
        ],
    )


def _albumentations_affine(samples: list[dict[str, Array]]) -> Run:
    import albumentations as alb
    import cv2

    turn = (-DEGREES, DEGREES)
    one = alb.Affine(scale=SCALE, rotate=turn, translate_percent=(-SHIFT, SHIFT), border_mode=cv2.BORDER_REPLICATE, p=1)
    return _albumentations(samples, [one])


def _torchvision(samples: list[dict[str, Array]]) -> Run:
    from bench.peers import torchvision_cpu

    torchvision_cpu.load()
    import torch
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    n = 16
    bilinear = v2.InterpolationMode.BILINEAR
    chain = v2.Compose(
        [
            v2.RandomHorizontalFlip(0.5),
            v2.RandomRotation(DEGREES, interpolation=bilinear),
            v2.RandomAffine(0, scale=SCALE, interpolation=bilinear),
            v2.RandomAffine(0, translate=(SHIFT, SHIFT), interpolation=bilinear),
            v2.RandomResizedCrop(SIDE, antialias=True),
        ]
    )
    wrapped = []
    for s in samples[:n]:
        size = s["image"].shape[:2]
        wrapped.append(
            {
                "image": tv_tensors.Image(np.ascontiguousarray(s["image"].transpose(2, 0, 1))),
                "mask": tv_tensors.Mask(torch.from_numpy(s["mask"])),
                "boxes": tv_tensors.BoundingBoxes(
                    torch.from_numpy(s["boxes"].astype(np.float32)), format="XYXY", canvas_size=size
                ),
                "points": tv_tensors.KeyPoints(torch.from_numpy(s["points"].astype(np.float32)), canvas_size=size),
            }
        )

    def run() -> tuple[Array, Array]:
        for s in wrapped:
            made = chain(s)
        return made["image"].contiguous().numpy(), made["mask"].contiguous().numpy()

    return run


WORKLOADS = (
    Workload(
        "geometry",
        "Geometry chain: flip, rotate, scale, shift, RandomResizedCrop 224; image, mask, 10 boxes, 10 points",
        "sample",
        _samples,
        (
            Contestant("imagemill, single calls", _ours_single, N, ours=True),
            Contestant("imagemill, batch of 32", _ours_batch, N, ours=True),
            Contestant("Albumentations, five transforms", _albumentations_chain, N, ("albumentations",), budget=4),
            Contestant(
                "Albumentations, Affine as one",
                _albumentations_affine,
                N,
                ("albumentations",),
                budget=4,
                note="rotate, scale and shift said as one Affine, which the user must know to do",
            ),
            Contestant("torchvision v2, tv_tensors", _torchvision, 16, ("torchvision",)),
        ),
        (Expect((SIDE, SIDE, 3), "uint8", also=(3, SIDE, SIDE)), Expect((SIDE, SIDE), "uint8")),
        note="How near each chain comes to the truth is a table of its own below.",
    ),
)
