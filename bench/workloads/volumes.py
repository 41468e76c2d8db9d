"""What the two workloads on volumes share: inputs, ranges, and each library's way to say a map."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench import inputs
from bench.harness import Array, Expect, Run

SIDE, DEGREES, SCALE, SHIFT = 128, 15, (0.9, 1.1), 10
EXPECTS = (Expect((SIDE,) * 3, "float32", also=(1, *(SIDE,) * 3)), Expect((SIDE,) * 3, "uint8", also=(1, *(SIDE,) * 3)))

Scan = tuple[Array, Array]


def scan() -> Scan:
    """The volume and its labels."""
    return inputs.scan(SIDE)


def fixed_pull() -> Array:
    """One output-to-input matrix, ``(z, y, x, 1)``, that every library can be given."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("zyx", (10, 8, 5), degrees=True).as_matrix() / 1.1
    centre = np.full(3, (SIDE - 1) / 2)
    m = np.eye(4)
    m[:3, :3] = turn
    m[:3, 3] = centre - turn @ centre + (3, -2, 4)
    return m


def random_pull(rng: np.random.Generator) -> Array:
    """A random map of the workload's ranges, for libraries that only take a matrix."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("zyx", rng.uniform(-DEGREES, DEGREES, 3), degrees=True).as_matrix()
    linear = turn @ np.diag(1 / rng.uniform(*SCALE, 3))
    centre = np.full(3, (SIDE - 1) / 2)
    m = np.eye(4)
    m[:3, :3] = linear
    m[:3, 3] = centre - linear @ (centre + rng.uniform(-SHIFT, SHIFT, 3))
    return m


def affine_transforms() -> list[Any]:
    """Ours."""
    import imagemill as im

    shift = (-SHIFT, SHIFT)
    return [
        im.Rotate((-DEGREES, DEGREES), plane="all"),
        im.Zoom(dict.fromkeys("zyx", SCALE)),
        im.Shift(pixels=dict.fromkeys("zyx", shift)),
    ]


def ours(transforms: list[Any], scan: Scan) -> Run:
    """A single call."""
    import imagemill as im

    pipe = im.Pipeline(transforms, seed=0)
    image, labels = scan

    def run() -> Scan:
        made = pipe(image=image, mask=labels, axes="zyx")
        return made.image, made.mask

    return run


def torchio_subject(scan: Scan) -> Any:
    """The scan as a subject, its tensors shared."""
    import torch
    import torchio as tio

    image, labels = scan
    return tio.Subject(
        image=tio.ScalarImage(tensor=torch.from_numpy(image)[None]),
        labels=tio.LabelMap(tensor=torch.from_numpy(labels)[None]),
    )


def torchio(transform: Any, scan: Scan) -> Run:
    """A transform of a subject."""
    subject = torchio_subject(scan)

    def run() -> Scan:
        made = transform(subject)
        labels = made["labels"].data.numpy().astype(np.uint8, copy=False)
        return np.ascontiguousarray(made["image"].data.numpy()), np.ascontiguousarray(labels)

    return run


def torchio_affine() -> dict[str, Any]:
    """Keyword arguments of RandomAffine."""
    return {"scales": SCALE, "degrees": DEGREES, "translation": SHIFT, "default_pad_value": 0}


def batchgenerators(scan: Scan, **more: Any) -> Run:
    """SpatialTransform, with labels read by nearest neighbour as everybody else does."""
    import torch
    from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform

    turn = float(np.deg2rad(DEGREES))
    transform = SpatialTransform(
        patch_size=(SIDE,) * 3,
        patch_center_dist_from_border=SIDE // 2 - SHIFT,  # a shift of up to SHIFT voxels
        random_crop=True,
        p_rotation=1,
        rotation=(-turn, turn),
        p_scaling=1,
        scaling=SCALE,
        mode_seg="nearest",
        border_mode_seg="border",
        padding_mode_image="border",
        **more,
    )
    image, labels = torch.from_numpy(scan[0])[None], torch.from_numpy(scan[1])[None]

    def run() -> Scan:
        with torch.inference_mode():
            made = transform(image=image, segmentation=labels)
        return made["image"].contiguous().numpy(), made["segmentation"].contiguous().numpy().astype(np.uint8)

    return run


def monai(transform: Any, scan: Scan) -> Run:
    """A dictionary transform of MONAI."""
    import torch

    given = {"image": torch.from_numpy(scan[0])[None], "labels": torch.from_numpy(scan[1])[None]}

    def run() -> Scan:
        with torch.inference_mode():
            made = transform(dict(given))
        image, labels = np.asarray(made["image"]), np.asarray(made["labels"]).astype(np.uint8)
        return np.ascontiguousarray(image, np.float32), np.ascontiguousarray(labels)

    return run


def monai_settings() -> dict[str, Any]:
    """Keyword arguments of MONAI's random spatial transforms: radians, and scale as a change."""
    turn = float(np.deg2rad(DEGREES))
    return {
        "keys": ("image", "labels"),
        "prob": 1.0,
        "mode": ("bilinear", "nearest"),
        "padding_mode": "border",
        "rotate_range": (turn,) * 3,
        "scale_range": ((SCALE[0] - 1, SCALE[1] - 1),) * 3,
        "translate_range": (SHIFT,) * 3,
    }
