"""Batches of 32x32x3 with the settings that ImageDataGenerator is used with for CIFAR-10."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from bench import inputs
from bench.harness import Array, Contestant, Expect, Run, Workload

SIDE, DEGREES, SHIFT, ZOOM = 32, 15, 0.1, (0.9, 1.1)
_TURN, _MOVE, _FACTOR = 10.0, (2.0, -3.0), 1.1  # degrees, pixels (y, x), magnification: the same for all

_KERAS_AXES: dict[str, Any] = {"row_axis": 0, "col_axis": 1, "channel_axis": 2, "fill_mode": "nearest", "order": 1}


def _ours(pixels: Array, n: int) -> Run:
    import imagemill as im

    pipe = im.Pipeline(
        [
            im.Rotate((-DEGREES, DEGREES)),
            im.Shift(fraction=(-SHIFT, SHIFT)),
            im.Zoom({"y": ZOOM, "x": ZOOM}),
            im.Flip("x", p=0.5),
            im.Rescale(),
        ],
        seed=0,
    )
    batch = pixels[:n]
    return lambda: pipe.batch(batch).image


def _keras(pixels: Array, n: int) -> Run:
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    generator = ImageDataGenerator(
        rotation_range=DEGREES,
        width_shift_range=SHIFT,
        height_shift_range=SHIFT,
        zoom_range=list(ZOOM),
        horizontal_flip=True,
        rescale=1 / 255,
        fill_mode="nearest",
    )
    flow = generator.flow(pixels[:n], batch_size=n, shuffle=False)
    return lambda: np.ascontiguousarray(next(flow), np.float32)


def _kornia(pixels: Array, n: int) -> Run:
    import kornia.augmentation as aug
    import torch

    chain = torch.nn.Sequential(
        aug.RandomAffine(DEGREES, translate=(SHIFT, SHIFT), scale=(*ZOOM, *ZOOM), padding_mode="border", p=1.0),
        aug.RandomHorizontalFlip(p=0.5),
    )
    batch = torch.from_numpy(np.ascontiguousarray(pixels[:n].transpose(0, 3, 1, 2)))

    def run() -> Array:
        with torch.inference_mode():
            made: Array = chain(batch.float().div_(255)).contiguous().numpy()
        return made

    return run


def _albumentations(pixels: Array, n: int) -> Run:
    import albumentations as alb
    import cv2

    chain = alb.Compose(
        [
            alb.Affine(
                scale={"x": ZOOM, "y": ZOOM},
                rotate=(-DEGREES, DEGREES),
                translate_percent=(-SHIFT, SHIFT),
                border_mode=cv2.BORDER_REPLICATE,
                p=1,
            ),
            alb.HorizontalFlip(p=0.5),
            alb.Normalize((0, 0, 0), (1, 1, 1)),
        ]
    )
    batch = pixels[:n]
    out = np.full((n, SIDE, SIDE, 3), np.nan, np.float32)

    def run() -> Array:
        for i, picture in enumerate(batch):
            out[i] = chain(image=picture)["image"]
        return out

    return run


def _opencv(pixels: Array, n: int) -> Run:
    import cv2

    rng = np.random.default_rng(0)
    batch = pixels[:n]
    out = np.full((n, SIDE, SIDE, 3), np.nan, np.float32)
    centre = (SIDE - 1) / 2

    def run() -> Array:
        for i, picture in enumerate(batch):
            m = cv2.getRotationMatrix2D((centre, centre), rng.uniform(-DEGREES, DEGREES), rng.uniform(*ZOOM))
            m[:, 2] += rng.uniform(-SHIFT, SHIFT, 2) * SIDE
            if rng.random() < 0.5:
                m[0] = -m[0]
                m[0, 2] += SIDE - 1
            moved = cv2.warpAffine(picture, m, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            np.multiply(moved, np.float32(1 / 255), out=out[i])
        return out

    return run


def _ours_fixed(pixels: Array) -> Array:
    import imagemill as im

    shift = im.Shift(pixels={"y": _MOVE[0], "x": _MOVE[1]})
    made: Array = im.Pipeline([im.Zoom(_FACTOR), im.Rotate(_TURN), shift, im.Rescale()], seed=0)(pixels[0])
    return made


def _opencv_fixed(pixels: Array) -> Array:
    import cv2

    centre = (SIDE - 1) / 2
    m = cv2.getRotationMatrix2D((centre, centre), _TURN, _FACTOR)
    m[:, 2] += _MOVE[1], _MOVE[0]
    moved = cv2.warpAffine(pixels[0], m, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.float32) / 255


def _keras_fixed(pixels: Array) -> Array:
    from keras.src.legacy.preprocessing.image import apply_affine_transform

    # Its numbers are those of the map from output to input: the inverse of what a user means, hence 1 / zoom.
    # tx and ty move along the columns and the rows, in this order, once it has swapped the axes of its matrix.
    moved = apply_affine_transform(
        pixels[0].astype(np.float32), theta=_TURN, zx=1 / _FACTOR, zy=1 / _FACTOR, **_KERAS_AXES
    )
    # Shifted afterwards: in one call it would shift before it turns.
    made: Array = apply_affine_transform(moved, tx=-_MOVE[1], ty=-_MOVE[0], **_KERAS_AXES)
    return made / 255


def _workload(n: int, *, quick: bool) -> Workload:
    def inputs_of() -> Array:
        return inputs.small_pictures(n)

    def of(build: Any) -> Any:
        return lambda pixels: build(pixels, n)

    return Workload(
        f"small{n}",
        f"32x32x3, batch of {n}: rotation 15, shifts 0.1, zoom 0.1, flip, rescale",
        "picture",
        inputs_of,
        (
            Contestant("imagemill, batch", of(_ours), n, ours=True, fixed=_ours_fixed),
            Contestant(
                "Keras ImageDataGenerator",
                of(_keras),
                n,
                ("keras",),
                budget=25,
                fixed=_keras_fixed,
                note="the generator Keras 2 made known, as Keras 3 keeps it",
            ),
            Contestant("Kornia, batch", of(_kornia), n, ("kornia",), budget=3, note="gives channels first"),
            Contestant("Albumentations", of(_albumentations), n, ("albumentations",)),
            Contestant("OpenCV and numpy by hand", of(_opencv), n, ("cv2",), fixed=_opencv_fixed),
        ),
        (Expect((n, SIDE, SIDE, 3), "float32", also=(n, 3, SIDE, SIDE)),),
        note="The picture comparison turns by 10 degrees, magnifies by 1.1 and shifts by (2, -3) pixels.",
        quick=quick,
    )


WORKLOADS = tuple(itertools.starmap(lambda n, q: _workload(n, quick=q), ((128, True), (512, False))))
