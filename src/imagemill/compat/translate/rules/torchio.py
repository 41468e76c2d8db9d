"""TorchIO's transforms. Source: its documentation and its behaviour.

Axes there are x, y, z; names of directions are those of a volume in the orientation RAS. Sizes are turned round, so
that they are in array order here (z, y, x).
"""

from __future__ import annotations

import math
from typing import Any

from imagemill.compat.translate.rules.choosing import all_of, one_of
from imagemill.compat.translate.rules.functions import above_of, onto
from imagemill.compat.translate.rules.rule import NoCounterpart, Rules, Step
from imagemill.compat.translate.rules.values import amount, border, is_number, order, scaled, span
from imagemill.core.errors import InputError
from imagemill.core.ranges import LogUniform
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.clip_percentiles import ClipPercentiles
from imagemill.transforms.colour.gamma import Gamma
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.standardize import Standardize
from imagemill.transforms.combine import Sequential
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.geometric.crop_and_pad import CropAndPad
from imagemill.transforms.geometric.crop_or_pad import CropOrPad
from imagemill.transforms.geometric.elastic import Elastic
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.orient import Orient
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.geometric.resample import Resample
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.zoom import Zoom
from imagemill.transforms.noise.gaussian_noise import GaussianNoise

__all__ = ["RULES", "affine", "axis_of", "deformed"]

RULES = Rules(
    "torchio",
    ignored=("keep", "copy", "parse_input", "label_keys"),
    noted=dict.fromkeys(("include", "exclude", "keys"), "every image of a sample is changed, and label maps as ever"),
)

_TURNS = (("y", "zx"), ("x", "zy"), ("z", "yx"))
"""In the order of SimpleITK's Euler angles."""
_SIDES = {
    "lr": "x", "left": "x", "right": "x", "l": "x", "r": "x", "lateral": "x",
    "ap": "y", "pa": "y", "anterior": "y", "posterior": "y", "a": "y", "p": "y",
    "is": "z", "si": "z", "inferior": "z", "superior": "z", "i": "z", "s": "z",
}  # fmt: skip


def axis_of(step: Step, axis: Any) -> Any:
    """The name of an axis from its number or direction."""
    if isinstance(axis, str) and axis.lower() in _SIDES:
        return _SIDES[axis.lower()]
    if axis in (0, 1, 2):
        return "xyz"[axis]
    raise InputError(f"{step.shown}: expected an axis of 0, 1, 2 or a direction such as 'LR', got {axis!r}")


def _size(step: Step, value: Any) -> tuple[int, ...]:
    if is_number(value):
        return (int(value),) * 3
    if isinstance(value, list | tuple) and len(value) == 3 and all(one is None or is_number(one) for one in value):
        kept = [axis for axis, one in zip("xyz", value, strict=True) if one is None or one < 0]
        if kept == ["z"]:
            # Of a volume, two lengths are those of its slices.
            return int(value[1]), int(value[0])
        if kept:
            raise NoCounterpart(f"{tuple(value)}: a length along x or y that stays as it is")
        return tuple(int(one) for one in reversed(value))
    raise InputError(f"{step.shown}: expected one length or three, got {value!r}")


def _edge(step: Step, value: Any) -> dict[str, Any]:
    """What lies beyond the edge: a number, or the least or mean value of the image."""
    if is_number(value):
        return {"border": "constant", "fill": float(value)}
    if value in ("minimum", "mean", "otsu"):
        step.note(f"beyond the edge stands 0, not the {value} of the image")
        return {"border": "constant"}
    return {"border": border(step, value)}


@RULES.rule("Compose")
def _compose(step: Step, transforms: Any, p: float = 1.0) -> list[Transform]:
    """A `Pipeline`."""
    return all_of(step, transforms, p)


@RULES.rule("OneOf")
def _one_of(step: Step, transforms: Any, p: float = 1.0) -> list[Transform]:
    """Values of a dictionary are weights."""
    if isinstance(transforms, dict):
        return one_of(step, list(transforms), p, weights=list(transforms.values()))
    return one_of(step, transforms, p)


@RULES.rule("RandomFlip")
def _random_flip(step: Step, axes: Any = 0, flip_probability: float = 0.5, p: float = 1.0) -> list[Transform]:
    """Each axis by itself; LR is x, AP is y, IS is z of a volume in RAS."""
    named = [axis_of(step, one) for one in (axes if isinstance(axes, list | tuple) else [axes])]
    flips: list[Transform] = [Flip(axis, p=float(flip_probability)) for axis in named]
    return flips if p == 1 else [Sequential(flips, p=p)]


@RULES.rule("RandomAffine")
def affine(
    step: Step,
    scales: Any = 0.1,
    degrees: Any = 10,
    translation: Any = 0,
    isotropic: bool = False,
    center: str = "image",
    default_pad_value: Any = "minimum",
    image_interpolation: Any = "linear",
    label_interpolation: Any = "nearest",
    check_shape: bool = True,
    default_pad_label: Any = 0,
    p: float = 1.0,
) -> list[Transform]:
    """Turns about y, x and z, a zoom, a shift in millimetres: one step. Two numbers are a range for all axes.

    Angles about x and z have the other sign here. At the edge it fades there over half a voxel more.
    """
    if center != "image":
        raise NoCounterpart("center='origin': it turns about the centre of the image here")
    how: dict[str, Any] = {"order": order(step, image_interpolation), **_edge(step, default_pad_value)}
    zoom = _by_axis(step, "scales", scales, about=1.0)
    turn = _by_axis(step, "degrees", degrees)
    moved = _by_axis(step, "translation", translation)
    made: list[Transform] = []
    same = len({str(one) for one in zoom.values()}) == 1 and isotropic
    if any(one not in (1.0, (1.0, 1.0)) for one in zoom.values()):
        made.append(Zoom(zoom["x"] if same else zoom, **how))
    turns = {axis: scaled(one, 1 if axis == "y" else -1) for axis, one in turn.items()}
    if len({str(one) for one in turns.values()}) == 1 and turns["x"] != 0:
        made.append(Rotate(turns["x"], plane="all", **how))
    else:
        made += [Rotate(turns[axis], plane=plane, **how) for axis, plane in _TURNS if turns[axis] != 0]  # type: ignore[arg-type]
    if any(one != 0 for one in moved.values()):
        made.append(Shift(millimetres=dict(moved), **how))
    return made if p == 1 or not made else [Sequential(made, p=p)]


def _by_axis(step: Step, name: str, value: Any, about: float = 0.0) -> dict[str, Any]:
    """An amount for each axis, from one number, a range, three numbers or six."""
    if isinstance(value, list | tuple) and len(value) == 3:
        return {axis: span(step, name, one, about) for axis, one in zip("xyz", value, strict=True)}
    if isinstance(value, list | tuple) and len(value) == 6:
        return {axis: amount(step, name, value[2 * n : 2 * n + 2]) for n, axis in enumerate("xyz")}
    return dict.fromkeys("xyz", span(step, name, value, about))


@RULES.rule("RandomElasticDeformation")
def deformed(
    step: Step,
    num_control_points: Any = 7,
    max_displacement: Any = 7.5,
    locked_borders: int = 2,
    image_interpolation: Any = "linear",
    label_interpolation: Any = "nearest",
    p: float = 1.0,
) -> Transform:
    """As many cells as lie between its control points; displacements in millimetres are those of a volume of 180 mm."""
    points = num_control_points if isinstance(num_control_points, list | tuple) else (num_control_points,) * 3
    reach = max(max_displacement) if isinstance(max_displacement, list | tuple) else float(max_displacement)
    cells = tuple(max(int(one) - 3, 2) for one in reversed(points))
    strength = min(reach / 180 * max(cells), 0.4)
    step.note(f"max_displacement {max_displacement} mm is strength {strength:.2g} of a cell in 180 mm; set it")
    return Elastic((0.0, strength), cells=cells, order=order(step, image_interpolation), p=p)  # type: ignore[arg-type]


@RULES.rule("RandomGamma")
def _random_gamma(step: Step, log_gamma: Any = (-0.3, 0.3), p: float = 1.0) -> Transform:
    """The logarithm of the power there, the power here."""
    found = span(step, "log_gamma", log_gamma)
    low, high = found if isinstance(found, tuple) else (found, found)
    return Gamma(LogUniform(math.exp(low), math.exp(high)) if low < high else math.exp(low), p=p)


@RULES.rule("RescaleIntensity", "Rescale")
def _rescale(
    step: Step,
    out_min_max: Any = (0, 1),
    percentiles: Any = (0, 100),
    masking_method: Any = None,
    in_min_max: Any = None,
    p: float = 1.0,
) -> Transform | list[Transform]:
    """From the image's extremes, its percentiles, or a window."""
    low, high = ((0, out_min_max) if is_number(out_min_max) else out_min_max) or (0, 1)
    behind = onto(float(low), float(high))
    if masking_method is not None:
        step.note("the whole image counts, not a mask")
    if in_min_max is not None:
        first, last = (float(one) for one in in_min_max)
        made: list[Transform] = [Rescale((first, last)), *behind]
    elif tuple(percentiles) != (0, 100):
        made = [ClipPercentiles(*(float(one) for one in percentiles)), Rescale("minmax"), *behind]
    else:
        made = [Rescale("minmax"), *behind]
    return made if p == 1 else Sequential(made, p=p)


@RULES.rule("ZNormalization", reads=True)
def _z_normalization(step: Step, masking_method: Any = None, p: float = 1.0) -> Transform:
    """With a masking method, mean and deviation of what is brighter than the image's mean."""
    above: Any = above_of(masking_method)
    if above is not None:
        return Standardize(above=above, p=p)
    if masking_method is not None:
        step.note("the foreground is what is above the image's mean")
        return Standardize(above="mean", p=p)
    return Standardize(p=p)


@RULES.rule("ToCanonical")
def _to_canonical(step: Step, orientation: Any = "RAS", p: float = 1.0) -> Transform:
    return Orient(str(orientation), p=p)


@RULES.rule("ToOrientation")
def _to_orientation(step: Step, orientation: Any, p: float = 1.0) -> Transform:
    return Orient(str(orientation), p=p)


@RULES.rule("To")
def _to(step: Step, *_: Any, **__: Any) -> list[Transform]:
    """Nothing to do: devices and types are the Loader's."""
    return []


@RULES.rule("Resample")
def _resample(
    step: Step,
    target: Any = 1,
    image_interpolation: Any = "linear",
    label_interpolation: Any = "nearest",
    pre_affine_name: Any = None,
    scalars_only: bool = False,
    antialias: bool = False,
    p: float = 1.0,
) -> Transform | list[Transform]:
    """To a spacing in millimetres; ``antialias`` is as there, off unless told otherwise."""
    if isinstance(target, str):
        step.note(f"images of a sample are brought onto the grid of the first: pass {target!r} as image")
        return []
    spacing: Any = tuple(float(one) for one in reversed(target)) if isinstance(target, list | tuple) else float(target)
    return Resample(spacing=spacing, order=order(step, image_interpolation), antialias=bool(antialias), p=p)  # type: ignore[arg-type]


@RULES.rule("Resize")
def _resize(
    step: Step,
    target_shape: Any,
    image_interpolation: Any = "linear",
    label_interpolation: Any = "nearest",
    p: float = 1.0,
) -> Transform:
    """Exactly that size; there by the spacing that gives about that size, and then cut or padded to it."""
    return Resample(_size(step, target_shape), order=order(step, image_interpolation), antialias=False, p=p)  # type: ignore[arg-type]


@RULES.rule("CropOrPad", "CenterCropOrPad")
def _crop_or_pad(
    step: Step,
    target_shape: Any = None,
    padding_mode: Any = 0,
    mask_name: Any = None,
    labels: Any = None,
    only_crop: bool = False,
    only_pad: bool = False,
    location: str = "center",
    units: str = "voxels",
    p: float = 1.0,
) -> Transform:
    """About the centre; where lengths are odd and even, the pixel that is over lies on the other side."""
    if units not in ("voxels", "voxel"):
        raise NoCounterpart(f"units={units!r}: sizes are in voxels here; put Resample(spacing=...) before it")
    size = _size(step, target_shape)
    if mask_name is not None:
        step.note(f"pass {mask_name}=Mask(...) beside the image")
        if labels is not None:
            step.note("all labels above 0 count")
        return CropOrPad(size, about=str(mask_name), p=p, **_edge(step, padding_mode))
    if only_crop:
        raise NoCounterpart("only_crop: what is smaller is padded; write Crop for images that are large enough")
    if only_pad:
        return Pad(size=size, p=p, **_edge(step, padding_mode))
    at: Any = "random" if location == "random" else "centre"
    return CropOrPad(size, at=at, p=p, **_edge(step, padding_mode))


@RULES.rule("Crop")
def _crop(step: Step, cropping: Any, p: float = 1.0) -> Transform:
    """One, three or six numbers, x first: `CropAndPad` inward, without scaling back."""
    listed = [-int(one) for one in (cropping if isinstance(cropping, list | tuple) else [cropping])]
    if len(listed) < 6:
        listed = [one for one in listed * (3 // len(listed)) for _ in range(2)]
    before, after = (dict(zip("xyz", listed[side::2], strict=True)) for side in (0, 1))
    return CropAndPad(before, after, "pixels", keep_size=False, p=p)  # type: ignore[arg-type]


@RULES.rule("Pad")
def _pad(step: Step, padding: Any, padding_mode: Any = 0, p: float = 1.0) -> Transform:
    """One, three or six numbers, x first."""
    listed = [int(one) for one in (padding if isinstance(padding, list | tuple) else [padding])]
    if len(listed) == 6:
        x0, x1, y0, y1, z0, z1 = listed
        return Pad((z0, y0, x0, z1, y1, x1), p=p, **_edge(step, padding_mode))
    return Pad(tuple(reversed(listed)) if len(listed) > 1 else listed[0], p=p, **_edge(step, padding_mode))


@RULES.rule("EnsureShapeMultiple")
def _shape_multiple(step: Step, target_multiple: Any, method: str = "pad", p: float = 1.0) -> Transform:
    """Padded on both sides; a pixel that is over lies on the other side."""
    if method != "pad":
        raise NoCounterpart("method='crop': padding to a multiple is built")
    return Pad(multiple_of=_size(step, target_multiple), p=p)


@RULES.rule("RandomNoise", "Noise")
def _random_noise(step: Step, mean: Any = 0, std: Any = (0, 0.25), seed: Any = None, p: float = 1.0) -> Transform:
    """Deviations in shares of white: of floating point, values; a number is the most, from 0 on."""
    if mean not in (0, (0, 0), [0, 0]):
        step.note("the mean is 0")
    drawn = is_number(std) and step.call.name == "RandomNoise"
    return GaussianNoise(amount(step, "std", (0, std) if drawn else std), p=p)


@RULES.rule("RandomBlur")
def _random_blur(step: Step, std: Any = (0, 2), p: float = 1.0) -> Transform:
    """In millimetres: one deviation for all axes, or one for each of x, y and z."""
    if isinstance(std, list | tuple) and len(std) in (3, 6):
        ranges = [(0, one) for one in std] if len(std) == 3 else [std[:2], std[2:4], std[4:]]
        if any(tuple(one) != tuple(ranges[0]) for one in ranges):
            by_axis = {axis: amount(step, "std", one) for axis, one in zip("zyx", reversed(ranges), strict=True)}
            return GaussianBlur(by_axis, "millimetres", p=p)
        std = ranges[0]
    return GaussianBlur(amount(step, "std", (0, std) if is_number(std) else std), "millimetres", p=p)
