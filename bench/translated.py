"""Transforms of Albumentations and torchvision beside what they become here, under equal parameters.

``python -m bench.translated PHOTO`` prints tables: the peak signal-to-noise ratio between their result and ours, in
the middle half of the image (where borders have no say) and over all of it, and, for scale, between their result and
the photo as it was. What is random there is given fixed parameters; noise and holes are compared by their statistics.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import imagemill as im
from bench.peers.torchvision_cpu import load

Array = np.ndarray[Any, Any]


def psnr(one: Array, other: Array) -> str:
    """Decibels; ``equal`` where nothing differs."""
    if one.shape != other.shape:
        return f"{one.shape[:2]} and {other.shape[:2]}"
    error = float(((one.astype(float) - other) ** 2).mean())
    return "equal" if error == 0 else f"{10 * np.log10(255**2 / error):.1f}"


def middle(image: Array) -> Array:
    """The half of an image about its centre."""
    edge = min(image.shape[:2]) // 4
    return image[edge:-edge, edge:-edge]


def albumentations_cases() -> Iterator[tuple[str, Any]]:
    """Albumentations' transforms with nothing left to chance."""
    import albumentations as A  # noqa: N812

    once = {"p": 1}
    for text in ALBUMENTATIONS:
        yield text, eval(text, {"A": A, "once": once})


ALBUMENTATIONS = (
    "A.Rotate((30, 30), **once)", "A.SafeRotate((30, 30), **once)",
    "A.ShiftScaleRotate(shift_limit_x=(.1, .1), shift_limit_y=(-.05, -.05), scale_limit=(.2, .2), "
    "rotate_limit=(20, 20), **once)",
    "A.Affine(rotate=(20, 20), **once)", "A.Affine(shear={'x': (15, 15), 'y': (0, 0)}, **once)",
    "A.Affine(scale={'x': (1.2, 1.2), 'y': (.9, .9)}, rotate=(20, 20), shear={'x': (15, 15), 'y': (0, 0)}, **once)",
    "A.Affine(translate_percent={'x': (.1, .1), 'y': (-.2, -.2)}, **once)",
    "A.OpticalDistortion((.1, .1), **once)", "A.Transpose(**once)", "A.HorizontalFlip(**once)",
    "A.CenterCrop(101, 120)", "A.Crop(10, 20, 100, 200)", "A.LongestMaxSize(256)", "A.Resize(100, 150)",
    "A.PadIfNeeded(512, 512, border_mode=4)", "A.Pad((3, 5, 7, 9))",
    "A.RandomGamma((150, 150), **once)", "A.RandomBrightnessContrast((.1, .1), (.2, .2), **once)",
    "A.ToGray(**once)", "A.InvertImg(**once)", "A.ToSepia(**once)", "A.RGBShift((20, 20), (20, 20), (20, 20), **once)",
    "A.ColorJitter((1.2, 1.2), (1., 1.), (1., 1.), (0., 0.), **once)",
    "A.ColorJitter((1., 1.), (1.3, 1.3), (1., 1.), (0., 0.), **once)",
    "A.ColorJitter((1., 1.), (1., 1.), (.7, .7), (0., 0.), **once)",
    "A.ColorJitter((1., 1.), (1., 1.), (1., 1.), (.05, .05), **once)",
    "A.HueSaturationValue((10, 10), (0, 0), (0, 0), **once)", "A.HueSaturationValue((0, 0), (20, 20), (0, 0), **once)",
    "A.Blur((5, 5), **once)", "A.GaussianBlur(blur_limit=0, sigma_limit=(1.5, 1.5), **once)",
    "A.MedianBlur((5, 5), **once)", "A.Defocus((5, 5), alias_blur=(.1, .1), **once)",
    "A.MotionBlur((7, 7), angle_range=(0, 0), direction_range=(0, 0), allow_shifted=False, **once)",
    "A.ZoomBlur((1.2, 1.2), (.02, .02), **once)", "A.Sharpen((.3, .3), (1., 1.), **once)",
    "A.UnsharpMask((7, 7), (1.5, 1.5), (.4, .4), 0, **once)", "A.Emboss((.3, .3), (.5, .5), **once)",
    "A.CLAHE((4, 4), **once)", "A.Equalize(**once)", "A.AutoContrast(method='pil', **once)",
    "A.Posterize(4, **once)", "A.Solarize((.5, .5), **once)",
)  # fmt: skip

TORCHVISION = (
    "T.RandomRotation((30, 30), **B)", "T.RandomAffine((20, 20), **B)", "T.RandomAffine(0, shear=(15, 15), **B)",
    "T.RandomAffine(0, shear=(0, 0, 15, 15), **B)", "T.RandomAffine((20, 20), scale=(1.2, 1.2), shear=(15, 15), **B)",
    "T.Resize(150)", "T.Resize((100, 150))", "T.Resize(100, max_size=120)", "T.CenterCrop(200)", "T.CenterCrop(350)",
    "T.Pad((10, 20))", "T.Pad((3, 5, 7, 9), padding_mode='reflect')", "T.ColorJitter((1.2, 1.2))",
    "T.ColorJitter(contrast=(1.3, 1.3))", "T.ColorJitter(saturation=(.7, .7))", "T.ColorJitter(hue=(.05, .05))",
    "T.Grayscale(3)", "T.RandomInvert(1)", "T.RandomHorizontalFlip(1)", "T.GaussianBlur(9, (1.5, 1.5))",
    "T.RandomAdjustSharpness(2, 1)", "T.RandomAutocontrast(1)", "T.RandomEqualize(1)", "T.RandomPosterize(4, 1)",
    "T.RandomSolarize(128, 1)",
)  # fmt: skip

NOISES = (
    "A.GaussNoise((.1, .1), **once)", "A.MultiplicativeNoise((.8, 1.2), elementwise=True, per_channel=True, **once)",
    "A.ShotNoise((.1, .1), **once)", "A.SaltAndPepper((.05, .05), (.5, .5), **once)", "A.PixelDropout(.05, **once)",
    "A.CoarseDropout((3, 3), (.2, .2), (.2, .2), **once)", "A.GridDropout(**once)",
)  # fmt: skip


def _row(name: str, theirs: Array, ours: Array, photo: Array) -> str:
    inner = psnr(middle(theirs), middle(ours)) if theirs.shape == ours.shape else "-"
    before = psnr(theirs, photo) if theirs.shape == photo.shape else "-"
    return f"| `{name.replace(', **once', '').replace('**once', '')}` | {inner} | {psnr(theirs, ours)} | {before} |"


def tables(photo: Array) -> Iterator[str]:
    """Lines of Markdown."""
    import albumentations as A  # noqa: N812
    import torch

    load()
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms import v2 as T  # noqa: N812

    yield "| Albumentations | middle, dB | all, dB | unchanged, dB |\n|---|---:|---:|---:|"
    for text, made in albumentations_cases():
        yield _row(text, made(image=photo)["image"], im.from_albumentations(made, seed=1)(photo), photo)
    yield "\n| torchvision | middle, dB | all, dB | unchanged, dB |\n|---|---:|---:|---:|"
    tensor = torch.from_numpy(photo).permute(2, 0, 1)
    for text in TORCHVISION:
        made = eval(text, {"T": T, "B": {"interpolation": InterpolationMode.BILINEAR}})
        theirs = made(tensor).permute(1, 2, 0).numpy()
        yield _row(text.replace(", **B", ""), theirs, im.from_torchvision(made, seed=1)(photo), photo)
    yield "\n| on gray 128 | mean there, here | deviation there, here |\n|---|---:|---:|"
    flat = np.full((300, 300, 3), 128, np.uint8)
    for text in NOISES:
        made = eval(text, {"A": A, "once": {"p": 1}})
        both = [made(image=flat)["image"], im.from_albumentations(made, seed=1)(flat)]
        mean, deviation = (", ".join(f"{of(one):.1f}" for one in both) for of in (np.mean, np.std))
        yield f"| `{text.replace(', **once', '').replace('**once', '')}` | {mean} | {deviation} |"


def main(read: Callable[[str], Any] = im.read_picture) -> None:
    """Print the tables for a photo."""
    if len(sys.argv) != 2:
        raise SystemExit("expected one photo: python -m bench.translated PHOTO")
    photo = np.ascontiguousarray(read(sys.argv[1]).array[:300, :400, :3])
    warnings.simplefilter("ignore")
    for line in tables(photo):
        print(line)


if __name__ == "__main__":
    main()
