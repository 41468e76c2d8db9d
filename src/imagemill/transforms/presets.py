"""Named pipelines to start from, for the command line and for Python."""

from __future__ import annotations

from collections.abc import Callable

from imagemill.core.errors import ParameterError
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


def photo(size: int = 224) -> Transforms:
    """Photos of objects: flip, small turns, zooms and shifts, light; squeezed to a square."""
    return (
        Flip("x", p=0.5),
        Rotate((-10, 10)),
        Zoom((0.9, 1.1)),
        Shift(fraction=(-0.1, 0.1)),
        ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2), saturation=(0.8, 1.2)),
        Resize((size, size)),
    )


def crops(size: int = 224) -> Transforms:
    """Photos for classification from scratch: random crops of a tenth of the area and more, flip, light, hue."""
    return (
        RandomResizedCrop((size, size), area=(0.1, 1.0), aspect=(0.5, 2.0)),
        Flip("x", p=0.5),
        ColorJitter(brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4), hue=(-18, 18)),
    )


def _some() -> SomeOf:
    return SomeOf((Rotate((-10, 10)), Zoom((0.9, 1.1)), Brightness((0.8, 1.2)), Flip("x"), Shift(pixels=(-5, 5))))


def segmentation(size: int = 224) -> Transforms:
    """Pictures with a label map: some of five transforms, then a square that keeps the foreground in sight."""
    return (_some(), SquareCrop(margin=Choice((5, 10))), Resize((size, size)))


def scan(size: int = 224) -> Transforms:
    """Scans with a label map: as ``segmentation``, to 8 slices, values rescaled to 0..1 by each scan's own range.

    The rescale stands first: after an intensity change it would undo it.
    """
    return (Rescale("minmax"), _some(), SquareCrop(margin=Choice((5, 10))), Resample((8, size, size)))


def gray(size: int = 28) -> Transforms:
    """Small gray pictures such as digits: small turns, zooms and shifts, nothing that changes the label."""
    return (Rotate((-10, 10)), Zoom((0.9, 1.1)), Shift(fraction=(-0.1, 0.1)), Resize((size, size)))


def nnunet_3d(size: int = 128) -> Transforms:
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
        CropOrPad((size, size, size)),
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


PRESETS: dict[str, Callable[[int], Transforms]] = {
    "photo": photo,
    "crops": crops,
    "segmentation": segmentation,
    "scan": scan,
    "gray": gray,
    "nnunet-3d": nnunet_3d,
}


def preset(name: str, size: int | None = None) -> Transforms:
    """The transforms of a preset.

    Parameters
    ----------
    name : {"photo", "crops", "segmentation", "scan", "gray", "nnunet-3d"}
    size : int, optional
        Side of the result in pixels; the preset's own when left out.

    Raises
    ------
    ParameterError
        For an unknown name.

    Examples
    --------
    >>> len(preset("photo"))
    6
    """
    if name not in PRESETS:
        raise ParameterError(f"expected a preset of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name]() if size is None else PRESETS[name](size)  # type: ignore[call-arg]
