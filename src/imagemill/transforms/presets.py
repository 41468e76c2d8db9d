"""Named pipelines to start from, for the command line and for Python."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.ops import Border
from imagemill.core.ranges import Choice
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.brightness import Brightness
from imagemill.transforms.colour.color_jitter import ColorJitter
from imagemill.transforms.colour.contrast import Contrast
from imagemill.transforms.colour.gamma import Gamma
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.standardize import Standardize
from imagemill.transforms.combine import SomeOf
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.geometric.crop_or_pad import CropOrPad
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.random_resized_crop import RandomResizedCrop
from imagemill.transforms.geometric.resample import Resample
from imagemill.transforms.geometric.resize import Resize
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.square_crop import SquareCrop
from imagemill.transforms.geometric.zoom import Zoom
from imagemill.transforms.medical.low_resolution import LowResolution
from imagemill.transforms.noise.gaussian_noise import GaussianNoise

Transforms = tuple[Transform, ...]
PresetSize = int | tuple[int, ...] | list[int] | None
"""What may be said of a preset's size: a side, ``(y, x)``, or ``(z, y, x)``."""


def _moved() -> Transforms:
    """Small turns, zooms and shifts; what they bring into the frame is the picture in the mirror."""
    mirror: Border = "reflect"
    return (
        Rotate((-10, 10), border=mirror),
        Zoom((0.9, 1.1), border=mirror),
        Shift(fraction=(-0.1, 0.1), border=mirror),
    )


def photo(size: PresetSize = 224) -> Transforms:
    """Photos of objects: flip, small turns, zooms and shifts, light; scaled, and cut to a square in the middle."""
    return (
        Flip("x", p=0.5),
        *_moved(),
        ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2), saturation=(0.8, 1.2)),
        Resize(_plane("photo", size), fit="crop"),
    )


def crops(size: PresetSize = 224) -> Transforms:
    """Photos for classification from scratch: random crops of a tenth of the area and more, flip, light, hue."""
    return (
        RandomResizedCrop(_plane("crops", size), area=(0.1, 1.0), aspect=(0.5, 2.0)),
        Flip("x", p=0.5),
        ColorJitter(brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4), hue=(-18, 18)),
    )


def _some() -> SomeOf:
    return SomeOf((Rotate((-10, 10)), Zoom((0.9, 1.1)), Brightness((0.8, 1.2)), Flip("x"), Shift(pixels=(-5, 5))))


def segmentation(size: PresetSize = 224) -> Transforms:
    """Pictures with a label map: some of five transforms, then a square that keeps the foreground in sight."""
    return (_some(), SquareCrop(margin=Choice((5, 10))), Resize(_square("segmentation", size)))


def scan(size: PresetSize = 224) -> Transforms:
    """Scans with a label map: as ``segmentation``, slices as many as they are, values to 0..1 by each scan's own range.

    The rescale stands first: after an intensity change it would undo it. A size ``(z, y, x)`` asks for other slices.
    """
    asked = _sides(size)
    target = (*asked[:-2], *_square("scan", asked[-2:])) if len(asked) == 3 else _square("scan", size)
    return (Rescale("minmax"), _some(), SquareCrop(margin=Choice((5, 10))), Resample(target))


def gray(size: PresetSize = 28) -> Transforms:
    """Small gray pictures such as digits: small turns, zooms and shifts, nothing that changes the label."""
    return (*_moved(), Resize(_plane("gray", size), fit="crop"))


def nnunet_3d(size: PresetSize = 128) -> Transforms:
    """Volumes for segmentation, as nnU-Net augments them: turns, zoom, noise, blur, light, resolution, gamma, mirrors.

    Of each scan's values the mean and deviation are taken first. What differs from nnU-Net: the scale is drawn of zoom
    factors, low resolution comes back by straight lines, and contrast is not clipped. Light and contrast change
    standardised values, as they do there; ``lint`` warns of that.
    """
    light = (0.75, 1.25)
    return (
        Standardize(),
        Rotate((-30, 30), plane="all", border="constant", p=0.2),
        Zoom((0.71, 1.43), border="constant", p=0.2),
        CropOrPad(_solid(size)),
        GaussianNoise((0.0, 0.32), p=0.1),
        GaussianBlur({"z": (0.5, 1.0), "y": (0.5, 1.0), "x": (0.5, 1.0)}, p=0.2),
        Brightness(light, p=0.15),
        Contrast(light, p=0.15),
        LowResolution((1.0, 2.0), p=0.25),
        Gamma((0.7, 1.5), within="range", inverted=True, keep=True, p=0.1),
        Gamma((0.7, 1.5), within="range", keep=True, p=0.3),
        Flip("z", p=0.5),
        Flip("y", p=0.5),
        Flip("x", p=0.5),
    )


PRESETS: dict[str, Callable[..., Transforms]] = {
    "photo": photo,
    "crops": crops,
    "segmentation": segmentation,
    "scan": scan,
    "gray": gray,
    "nnunet-3d": nnunet_3d,
}


def transforms_of_preset(name: str, size: PresetSize = None) -> Transforms:
    """The transforms of a preset.

    Parameters
    ----------
    name : {"photo", "crops", "segmentation", "scan", "gray", "nnunet-3d"}
    size : int or tuple of int, optional
        Of the result in pixels: a side, ``(y, x)``, or of volumes ``(z, y, x)``; the preset's own when left out.

    Raises
    ------
    ParameterError
        For an unknown name, or a size that it cannot have.

    Examples
    --------
    >>> len(transforms_of_preset("photo")), transforms_of_preset("scan", (8, 64, 64))[-1].size
    (6, (8, 64, 64))
    """
    if name not in PRESETS:
        near = difflib.get_close_matches(str(name).lower(), list(PRESETS), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "write your own: Pipeline([...])"
        raise ParameterError(f"expected a preset of {', '.join(PRESETS)}, got {name!r}; {hint}")
    return PRESETS[name]() if size is None else PRESETS[name](size)


def _sides(size: Any) -> tuple[int, ...]:
    """A size as whole numbers: one, two or three."""
    listed = tuple(size) if isinstance(size, tuple | list) else (size,)
    whole = all(isinstance(one, int | np.integer) and not isinstance(one, bool) and one >= 1 for one in listed)
    if not whole or len(listed) not in (1, 2, 3):
        raise ParameterError(f"expected a preset's size as a side, (y, x) or (z, y, x) in pixels, got {size!r}")
    return tuple(int(one) for one in listed)


def _plane(name: str, size: Any) -> tuple[int, int]:
    """Height and width."""
    sides = _sides(size)
    if len(sides) == 3:
        do = "it has no z, and channels stay as they are"
        raise ParameterError(f"expected the size of the preset {name} as a side or (y, x), got {size!r}; {do}")
    return sides[0], sides[-1]


def _square(name: str, size: Any) -> tuple[int, int]:
    """Height and width where the preset cuts out a square."""
    height, width = _plane(name, size)
    if height != width:
        raise ParameterError(
            f"expected one side for the preset {name}, which cuts out squares, got {size!r}; "
            f"write {min(height, width)}, or a pipeline of your own with CropOrPad(({height}, {width}))"
        )
    return height, width


def _solid(size: Any) -> tuple[int, int, int]:
    """Three lengths."""
    sides = _sides(size)
    if len(sides) == 2:
        raise ParameterError(f"expected the size of the preset nnunet-3d as a side or (z, y, x), got {size!r}")
    return (sides[0], sides[0], sides[0]) if len(sides) == 1 else (sides[0], sides[1], sides[2])
