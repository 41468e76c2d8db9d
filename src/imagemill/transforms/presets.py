"""Named pipelines to start from, for the command line and for Python."""

from __future__ import annotations

from collections.abc import Callable

from imagemill.core.errors import ParameterError
from imagemill.core.ranges import Choice
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.brightness import Brightness
from imagemill.transforms.colour.color_jitter import ColorJitter
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.combine import SomeOf
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.random_resized_crop import RandomResizedCrop
from imagemill.transforms.geometric.resample import Resample
from imagemill.transforms.geometric.resize import Resize
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.square_crop import SquareCrop
from imagemill.transforms.geometric.zoom import Zoom

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


PRESETS: dict[str, Callable[[int], Transforms]] = {
    "photo": photo,
    "crops": crops,
    "segmentation": segmentation,
    "scan": scan,
    "gray": gray,
}


def preset(name: str, size: int | None = None) -> Transforms:
    """The transforms of a preset.

    Parameters
    ----------
    name : {"photo", "crops", "segmentation", "scan", "gray"}
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
