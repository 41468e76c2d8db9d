"""RandomResizedCrop 224, flip, colour jitter, normalise, channels first as float32: a photo on its way to a network.

Every contestant leaves its pictures in one contiguous float32 array ``(n, 3, 224, 224)``. Those that make one picture
at a time write it into the batch directly, which is both the change of layout and what a loader's collate would do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from bench import inputs
from bench.harness import Array, Contestant, Expect, Run, Workload

N, SIDE = 64, 224
# The same parameters for all, for the comparison of pictures: crop (top, left, height, width), then factors.
CROP, BRIGHTNESS, CONTRAST, SATURATION = (40, 60, 280, 300), 1.1, 0.9, 1.15
_JITTER = (0.8, 1.2)
_HUE = 0.05  # of the whole circle


def _batch(n: int) -> Array:
    # Filled once, so that its pages exist: a loader reuses its buffers as well.
    return np.full((n, 3, SIDE, SIDE), np.nan, np.float32)


def _each(images: Any, one: Callable[[Any], Any], n: int) -> Run:
    """Run ``one`` over the images, writing into a batch whatever layout it gives."""
    out = _batch(n)

    def run() -> Array:
        for i in range(n):
            made = one(images[i])
            out[i] = made.transpose(2, 0, 1) if made.shape[-1] == 3 else made
        return out

    return run


# ------------------------------------------------------------------------------------------------ ours


def _pipeline(hue: float) -> Any:
    import imagemill as im

    jitter = {"brightness": _JITTER, "contrast": _JITTER, "saturation": _JITTER}
    if hue:
        jitter["hue"] = (-360 * hue, 360 * hue)

    return im.Pipeline(
        [
            im.RandomResizedCrop((SIDE, SIDE)),
            im.Flip("x", p=0.5),
            im.ColorJitter(**jitter),
            im.Normalize(inputs.MEAN, inputs.STD),
            im.ToLayout("channels_first"),
        ],
        seed=0,
    )


def _ours_batch(photos: list[Array], hue: float = 0.0) -> Run:
    pipe = _pipeline(hue)
    return lambda: pipe.batch(photos).image


def _ours_single(photos: list[Array], hue: float = 0.0) -> Run:
    pipe = _pipeline(hue)
    out = _batch(N)

    def run() -> Array:
        for i, photo in enumerate(photos):
            out[i] = pipe(photo)
        return out

    return run


def _ours_fixed(photos: list[Array]) -> Array:
    import imagemill as im

    top, left, height, width = CROP
    pipe = im.Pipeline(
        [
            im.Crop(box=(top, left, top + height, left + width)),
            im.Resize((SIDE, SIDE)),
            im.Flip("x"),
            im.ColorJitter(brightness=BRIGHTNESS, contrast=CONTRAST, saturation=SATURATION),
            im.Normalize(inputs.MEAN, inputs.STD),
            im.ToLayout("channels_first"),
        ],
        seed=0,
    )
    made: Array = pipe(inputs.photos_of_one_size(N)[0])
    return made


# ------------------------------------------------------------------------------------------------ peers


def _albumentations(photos: list[Array], hue: float = 0.0) -> Run:
    import albumentations as alb

    chain = alb.Compose(
        [
            alb.RandomResizedCrop((SIDE, SIDE)),
            alb.HorizontalFlip(p=0.5),
            alb.ColorJitter(_JITTER, _JITTER, _JITTER, (-hue, hue), p=1),
            alb.Normalize(inputs.MEAN, inputs.STD),
        ]
    )
    return _each(photos, lambda photo: chain(image=photo)["image"], N)


def _albumentations_fixed(photos: list[Array]) -> Array:
    import albumentations as alb

    top, left, height, width = CROP
    chain = alb.Compose(
        [
            alb.Crop(left, top, left + width, top + height),
            alb.Resize(SIDE, SIDE),
            alb.HorizontalFlip(p=1),
            alb.ColorJitter((BRIGHTNESS,) * 2, (CONTRAST,) * 2, (SATURATION,) * 2, 0, p=1),
            alb.Normalize(inputs.MEAN, inputs.STD),
        ]
    )
    made: Array = chain(image=inputs.photos_of_one_size(N)[0])["image"].transpose(2, 0, 1)
    return made


def _torchvision_chain(hue: float, *first: Any) -> Any:
    from bench.peers import torchvision_cpu

    torchvision_cpu.load()
    import torch
    from torchvision.transforms import v2

    return v2.Compose(
        [
            v2.RandomResizedCrop(SIDE, antialias=True),
            v2.RandomHorizontalFlip(0.5),
            v2.ColorJitter(_JITTER, _JITTER, _JITTER, hue),
            *first,
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(inputs.MEAN, inputs.STD),
        ]
    )


def _torchvision_tensor(photos: list[Array], hue: float = 0.0) -> Run:
    chain = _torchvision_chain(hue)
    import torch

    tensors = [torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1))) for p in photos]
    return _each(tensors, lambda tensor: chain(tensor).numpy(), N)


def _torchvision_pil(photos: list[Array], hue: float = 0.0) -> Run:
    from bench.peers import torchvision_cpu

    torchvision_cpu.load()
    from PIL import Image
    from torchvision.transforms import v2

    chain = _torchvision_chain(hue, v2.PILToTensor())
    return _each([Image.fromarray(p) for p in photos], lambda picture: chain(picture).numpy(), N)


def _torchvision_fixed(photos: list[Array]) -> Array:
    from bench.peers import torchvision_cpu

    torchvision_cpu.load()
    import torch
    from torchvision.transforms.v2 import functional

    x = torch.from_numpy(np.ascontiguousarray(inputs.photos_of_one_size(N)[0].transpose(2, 0, 1)))
    x = functional.hflip(functional.resized_crop(x, *CROP, size=[SIDE, SIDE], antialias=True))
    x = functional.adjust_saturation(
        functional.adjust_contrast(functional.adjust_brightness(x, BRIGHTNESS), CONTRAST), SATURATION
    )
    made: Array = functional.normalize(
        functional.to_dtype(x, torch.float32, scale=True), inputs.MEAN, inputs.STD
    ).numpy()
    return made


def _kornia(photos: list[Array]) -> Run:
    import kornia.augmentation as aug
    import torch

    n = 32
    chain = torch.nn.Sequential(
        aug.RandomResizedCrop((SIDE, SIDE)),
        aug.RandomHorizontalFlip(p=0.5),
        aug.ColorJitter(_JITTER, _JITTER, _JITTER, p=1.0),
        aug.Normalize(inputs.MEAN, inputs.STD),
    )
    pixels = torch.from_numpy(np.ascontiguousarray(inputs.photos_of_one_size(N)[:n].transpose(0, 3, 1, 2)))

    def run() -> Array:
        with torch.inference_mode():
            made: Array = chain(pixels.float().div_(255)).contiguous().numpy()
        return made

    return run


def _keras(photos: list[Array]) -> Run:
    import keras
    import torch

    n = 16
    layers = keras.layers
    chain = [
        layers.RandomZoom((-0.6, 0.0), (-0.6, 0.0), fill_mode="nearest"),
        layers.Resizing(SIDE, SIDE),
        layers.RandomFlip("horizontal"),
        layers.RandomColorJitter(
            (0, 255), brightness_factor=0.2, contrast_factor=0.2, saturation_factor=(0.4, 0.6), hue_factor=0.0
        ),
        layers.Normalization(mean=[255 * m for m in inputs.MEAN], variance=[(255 * s) ** 2 for s in inputs.STD]),
        layers.Permute((3, 1, 2)),
    ]
    pixels = inputs.photos_of_one_size(N)[:n]

    def run() -> Array:
        with torch.inference_mode():
            x: Any = pixels
            for layer in chain:
                x = layer(x, training=True) if "Random" in type(layer).__name__ else layer(x)
            made: Array = np.ascontiguousarray(keras.ops.convert_to_numpy(x), np.float32)
        return made

    return run


def _part(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Top, left, height and width of a part, drawn as RandomResizedCrop draws it."""
    while True:
        area, aspect = rng.uniform(0.08, 1) * shape[0] * shape[1], np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        height, width = round((area / aspect) ** 0.5), round((area * aspect) ** 0.5)
        if height <= shape[0] and width <= shape[1]:
            top, left = rng.integers(shape[0] - height + 1), rng.integers(shape[1] - width + 1)
            return int(top), int(left), height, width


def _by_hand(photo: Array, part: tuple[int, ...], *, flip: bool, factors: tuple[float, ...], out: Array) -> None:
    """The leanest chain that OpenCV and numpy give: one resize, one colour matrix, one table into the layout."""
    import cv2

    top, left, height, width = part
    x = cv2.resize(photo[top : top + height, left : left + width], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    if flip:
        x = cv2.flip(x, 1)
    brightness, contrast, saturation = factors
    luma = np.array([0.299, 0.587, 0.114])
    pivot = (1 - contrast) * brightness * float(luma @ np.asarray(cv2.mean(x)[:3]))
    mix = brightness * contrast * (saturation * np.eye(3) + (1 - saturation) * luma)
    x = cv2.transform(x, np.column_stack([mix, np.full(3, pivot)]))
    for plane, curve, row in zip(cv2.split(x), _curves(), out, strict=True):
        cv2.LUT(plane, curve, dst=row)


@lru_cache
def _curves() -> tuple[Array, ...]:
    """Normalisation of the 256 values of each channel."""
    values = np.arange(256) / 255
    return tuple(((values - m) / s).astype(np.float32) for m, s in zip(inputs.MEAN, inputs.STD, strict=True))


def _opencv(photos: list[Array]) -> Run:
    rng = np.random.default_rng(0)
    out = _batch(N)

    def run() -> Array:
        for i, photo in enumerate(photos):
            _by_hand(
                photo,
                _part(rng, photo.shape),
                flip=rng.random() < 0.5,
                factors=tuple(rng.uniform(*_JITTER, 3)),
                out=out[i],
            )
        return out

    return run


def _opencv_fixed(photos: list[Array]) -> Array:
    out = _batch(1)
    _by_hand(inputs.photos_of_one_size(N)[0], CROP, flip=True, factors=(BRIGHTNESS, CONTRAST, SATURATION), out=out[0])
    return out[0]


def _pillow(photos: list[Array]) -> Run:
    from PIL import Image, ImageEnhance

    rng = np.random.default_rng(0)
    mean, std = np.float32(255) * np.array(inputs.MEAN, np.float32), np.float32(255) * np.array(inputs.STD, np.float32)

    def one(picture: Any) -> Array:
        top, left, height, width = _part(rng, (picture.height, picture.width))
        box = (left, top, left + width, top + height)
        x = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box)
        if rng.random() < 0.5:
            x = x.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            x = enhance(x).enhance(rng.uniform(*_JITTER))
        made: Array = (np.asarray(x, np.float32) - mean) / std
        return made

    return _each([Image.fromarray(p) for p in photos], one, N)


WORKLOADS = (
    Workload(
        "photo",
        "Photo chain in memory: RandomResizedCrop 224, flip, colour jitter, normalise, CHW float32",
        "photo",
        lambda: inputs.photos(N),
        (
            Contestant("imagemill, batch of 64", _ours_batch, N, ours=True, fixed=_ours_fixed),
            Contestant("imagemill, single calls", _ours_single, N, ours=True),
            Contestant(
                "Albumentations",
                _albumentations,
                N,
                ("albumentations",),
                budget=5,
                fixed=_albumentations_fixed,
                note="never averages when it shrinks; draws an order of the colour factors",
            ),
            Contestant(
                "torchvision v2, tensors",
                _torchvision_tensor,
                N,
                ("torchvision",),
                budget=20,
                fixed=_torchvision_fixed,
                note="uint8 tensors; averages whenever it shrinks",
            ),
            Contestant("torchvision v2, PIL", _torchvision_pil, N, ("torchvision",), budget=20),
            Contestant("Kornia, batch of 32", _kornia, 32, ("kornia",), note="photos brought to 375x500 beforehand"),
            Contestant(
                "Keras layers, batch of 16",
                _keras,
                16,
                ("keras",),
                note="on torch; RandomZoom and Resizing, as there is no RandomResizedCrop; 375x500 beforehand",
            ),
            Contestant("Pillow and numpy", _pillow, N, ("PIL",), note="averages whenever it shrinks"),
            Contestant(
                "OpenCV and numpy by hand",
                _opencv,
                N,
                ("cv2",),
                fixed=_opencv_fixed,
                note="the leanest chain of library calls, with nothing around it; rounds to 8 bits after colour",
            ),
        ),
        (Expect((-1, 3, SIDE, SIDE), "float32"),),
        note="The picture comparison uses one crop of 280x300 pixels, flipped, with factors 1.1, 0.9 and 1.15.",
    ),
    Workload(
        "photo-hue",
        "The photo chain with hue in the jitter as well",
        "photo",
        lambda: inputs.photos(N),
        (
            Contestant("imagemill, batch of 64", partial(_ours_batch, hue=_HUE), N, ours=True),
            Contestant("imagemill, single calls", partial(_ours_single, hue=_HUE), N, ours=True),
            Contestant("Albumentations", partial(_albumentations, hue=_HUE), N, ("albumentations",), budget=5),
            Contestant(
                "torchvision v2, tensors", partial(_torchvision_tensor, hue=_HUE), N, ("torchvision",), budget=20
            ),
            Contestant("torchvision v2, PIL", partial(_torchvision_pil, hue=_HUE), N, ("torchvision",), budget=20),
        ),
        (Expect((-1, 3, SIDE, SIDE), "float32"),),
        note="Ours turns the chroma plane, which is linear and joins the colour matrix; theirs go through HSV.",
        quick=False,
    ),
)
