"""torchvision's transforms of geometry and choice, v1 and v2. Source: its documentation and its behaviour."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.bending import elastic
from imagemill.compat.translate.rules.choosing import all_of, one_of, together
from imagemill.compat.translate.rules.rule import NoCounterpart, Rules, Step
from imagemill.compat.translate.rules.values import amount, border, fill, is_number, order, scaled, shape, span
from imagemill.core.errors import InputError
from imagemill.core.ranges import Choice
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import Sequential
from imagemill.transforms.cropping.iou_crop import IoUCrop
from imagemill.transforms.geometric.affine import Affine
from imagemill.transforms.geometric.crop import Crop
from imagemill.transforms.geometric.elastic import Elastic
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.geometric.perspective import Perspective
from imagemill.transforms.geometric.random_resized_crop import RandomResizedCrop
from imagemill.transforms.geometric.resize import Resize
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.shortest_side import LongestSide, ShortestSide

__all__ = ["RULES", "of_type"]

RULES = Rules("torchvision", ignored=("inplace", "labels_getter"))
_FURTHEST = 0.33


@RULES.rule("Compose", "Sequential")
def _compose(step: Step, transforms: Any, *more: Any) -> list[Transform]:
    """A `Pipeline`; in ``nn.Sequential`` transforms stand without a list."""
    return all_of(step, [*(transforms if isinstance(transforms, list | tuple) else [transforms]), *more])


@RULES.rule("RandomApply")
def _random_apply(step: Step, transforms: Any, p: float = 0.5) -> list[Transform]:
    return all_of(step, transforms, p)


@RULES.rule("RandomChoice")
def _random_choice(step: Step, transforms: Any, p: Any = None) -> list[Transform]:
    """Chances in ``p`` are weights."""
    return one_of(step, transforms, 1.0, weights=p)


@RULES.rule("RandomOrder")
def _random_order(step: Step, transforms: Any) -> list[Transform]:
    step.note("all of them run, in the order in which they are listed")
    return step.transforms(transforms)


@RULES.rule("RandomHorizontalFlip")
def _horizontal_flip(step: Step, p: float = 0.5) -> Transform:
    return Flip("x", p=p)


@RULES.rule("RandomVerticalFlip")
def _vertical_flip(step: Step, p: float = 0.5) -> Transform:
    return Flip("y", p=p)


@RULES.rule("Resize", "Scale")
def _resize(
    step: Step, size: Any = None, interpolation: Any = "bilinear", max_size: Any = None, antialias: Any = True
) -> Transform:
    """One number is the shorter side, as there; shrinking averages by more than 2."""
    spline: Any = order(step, interpolation, pillow=True)
    smooth = antialias is not False
    if size is None:
        if max_size is None:
            raise InputError(f"{step.shown}: expected a size")
        return LongestSide(int(max_size), order=spline, antialias=smooth)
    if is_number(size) or (isinstance(size, list | tuple) and len(size) == 1):
        return ShortestSide(shape(step, size)[0], longest=max_size, order=spline, antialias=smooth)
    return Resize(shape(step, size), order=spline, antialias=smooth)


@RULES.rule("CenterCrop")
def _center_crop(step: Step, size: Any) -> list[Transform]:
    """What is smaller is padded with black, as there."""
    wanted = shape(step, size)
    return [Pad(size=wanted), Crop(wanted)]


@RULES.rule("RandomCrop")
def _random_crop(
    step: Step,
    size: Any,
    padding: Any = None,
    pad_if_needed: bool = False,
    fill: Any = 0,
    padding_mode: Any = "constant",
) -> list[Transform]:
    """The place is uniform over all whole positions."""
    wanted = shape(step, size)
    made: list[Transform] = [] if not padding else [_padded(step, padding, fill, padding_mode)]
    if pad_if_needed:
        made.append(Pad(size=wanted, **_edge(step, padding_mode, fill)))
    return [*made, Crop(wanted, at="random")]


@RULES.rule("FixedSizeCrop")
def _fixed_size_crop(step: Step, size: Any, fill: Any = 0, padding_mode: Any = "constant") -> list[Transform]:
    """Of the detection references: padded where it is smaller, cut out at random where it is larger."""
    wanted = shape(step, size)
    return [Pad(size=wanted, **_edge(step, padding_mode, fill)), Crop(wanted, at="random")]


@RULES.rule("Pad")
def _pad(step: Step, padding: Any, fill: Any = 0, padding_mode: Any = "constant") -> Transform:
    """Two numbers are left and right, then above and below; four start at the left: brought into array order."""
    return _padded(step, padding, fill, padding_mode)


def _edge(step: Step, mode: Any, value: Any) -> dict[str, Any]:
    found = border(step, mode)
    if found != "constant":
        return {"border": found}
    of_masks = fill(step, of_type(value, "Mask")) if isinstance(value, dict) else 0.0
    how = {"border": found, "fill": fill(step, of_type(value, "Image"))}
    return how | ({"mask_fill": int(of_masks)} if of_masks and not isinstance(of_masks, tuple) else {})


def of_type(value: Any, kind: str) -> Any:
    """What a ``fill`` says of a type of target, where it says it by types: ``{tv_tensors.Mask: 255, "others": 0}``.

    Examples
    --------
    >>> by_type = {"tv_tensors.Mask": 255, "others": 114}
    >>> of_type(by_type, "Mask"), of_type(by_type, "Image"), of_type(7, "Mask")
    (255, 114, 7)
    """
    if not isinstance(value, dict):
        return value
    named = {str(getattr(key, "__name__", key)).rpartition(".")[2]: one for key, one in value.items()}
    return named.get(kind, named.get("others", 0))


def _padded(step: Step, padding: Any, value: Any, mode: Any) -> Transform:
    how = _edge(step, mode, value)
    if is_number(padding) or (isinstance(padding, list | tuple) and len(padding) == 1):
        return Pad(shape(step, padding)[0], **how)
    if isinstance(padding, list | tuple) and len(padding) == 2:
        return Pad((int(padding[1]), int(padding[0])), **how)
    if isinstance(padding, list | tuple) and len(padding) == 4:
        left, above, right, below = (int(one) for one in padding)
        return Pad((above, left, below, right), **how)
    raise InputError(f"{step.shown}: expected padding as 1, 2 or 4 numbers, got {padding!r}")


@RULES.rule("RandomResizedCrop", "RandomSizedCrop")
def _random_resized_crop(
    step: Step,
    size: Any,
    scale: Any = (0.08, 1.0),
    ratio: Any = (3 / 4, 4 / 3),
    interpolation: Any = "bilinear",
    antialias: Any = True,
) -> Transform:
    """``scale`` is ``area``, ``ratio`` is ``aspect``."""
    return RandomResizedCrop(
        shape(step, size),
        area=amount(step, "scale", scale),
        aspect=amount(step, "ratio", ratio),
        order=order(step, interpolation, pillow=True),  # type: ignore[arg-type]
        antialias=antialias is not False,
    )


@RULES.rule("RandomRotation")
def _random_rotation(
    step: Step,
    degrees: Any,
    interpolation: Any = "nearest",
    expand: bool = False,
    center: Any = None,
    fill: Any = 0,
    resample: Any = None,
) -> Transform:
    """Counter-clockwise for positive degrees, as there. Nearest pixels unless told otherwise, as there."""
    _about_the_centre(step, center)
    spline: Any = order(step, interpolation if resample in (None, False) else resample, pillow=True)
    how = _edge(step, "constant", fill)
    return Rotate(span(step, "degrees", degrees), frame="grow" if expand else "keep", order=spline, **how)


def _about_the_centre(step: Step, centre: Any) -> None:
    if centre is not None:
        raise NoCounterpart(f"center={centre!r}: it turns about the centre here")


@RULES.rule("RandomAffine")
def _random_affine(
    step: Step,
    degrees: Any,
    translate: Any = None,
    scale: Any = None,
    shear: Any = None,
    interpolation: Any = "nearest",
    fill: Any = 0,
    center: Any = None,
    resample: Any = None,
    fillcolor: Any = None,
) -> Transform:
    """Turns clockwise for positive degrees there, counter-clockwise here: the range is turned round."""
    _about_the_centre(step, center)
    spline: Any = order(step, interpolation if resample in (None, False) else resample, pillow=True)
    how = _edge(step, "constant", fill if fillcolor is None else fillcolor)
    moved: Any = 0.0
    if translate is not None:
        right, down = (float(one) for one in translate)
        moved = {"y": (-down, down) if down else 0.0, "x": (-right, right) if right else 0.0}
    return Affine(
        degrees=scaled(span(step, "degrees", degrees), -1),
        zoom=1.0 if scale is None else amount(step, "scale", scale),
        shift=moved,
        shear=_shear(step, shear),
        order=spline,
        **how,
    )


def _shear(step: Step, shear: Any) -> Any:
    """Rows slide the other way than here: signs are turned round."""
    if shear is None:
        return 0.0
    if isinstance(shear, list | tuple) and len(shear) == 4:
        x, y = shear[:2], shear[2:]
        return {"y": scaled(amount(step, "shear", y), -1), "x": scaled(amount(step, "shear", x), -1)}
    return {"x": scaled(span(step, "shear", shear), -1)}


@RULES.rule("RandomPerspective")
def _random_perspective(
    step: Step, distortion_scale: float = 0.5, p: float = 0.5, interpolation: Any = "bilinear", fill: Any = 0
) -> Transform:
    """Corners move inwards by up to half of ``distortion_scale`` of a side."""
    reach = float(distortion_scale) / 2
    if reach > _FURTHEST:
        step.note(f"corners move by {_FURTHEST} of a side at most")
    spline: Any = order(step, interpolation, pillow=True)
    return Perspective(min(reach, _FURTHEST), order=spline, p=p, **_edge(step, "constant", fill))


@RULES.rule("ElasticTransform")
def _elastic(
    step: Step, alpha: Any = 50.0, sigma: Any = 5.0, interpolation: Any = "bilinear", fill: Any = 0
) -> Transform:
    """Smooth displacements by splines on a grid; as strong and as fine as there on images of the known size."""
    bent = elastic(step, alpha, sigma, uniform=True)
    spline: Any = order(step, interpolation, pillow=True)
    return Elastic(**bent, order=spline, **_edge(step, "constant", fill))


@RULES.rule("RandomShortestSize")
def _random_shortest_size(
    step: Step, min_size: Any, max_size: Any = None, interpolation: Any = "bilinear", antialias: Any = True
) -> Transform:
    """Sizes in a list are drawn."""
    sizes: Any = Choice(tuple(min_size)) if isinstance(min_size, list | tuple) else int(min_size)
    return ShortestSide(sizes, longest=max_size, order=order(step, interpolation, pillow=True))  # type: ignore[arg-type]


@RULES.rule("RandomResize")
def _random_resize(
    step: Step, min_size: int, max_size: int, interpolation: Any = "bilinear", antialias: Any = True
) -> Transform:
    return ShortestSide((int(min_size), int(max_size)), order=order(step, interpolation, pillow=True))  # type: ignore[arg-type]


@RULES.rule("ScaleJitter")
def _scale_jitter(
    step: Step, target_size: Any, scale_range: Any = (0.1, 2.0), interpolation: Any = "bilinear", antialias: Any = True
) -> list[Transform]:
    """All is fitted in and then zoomed within that size; there the size itself is drawn."""
    from imagemill.transforms.geometric.zoom import Zoom

    step.note("the frame has the target size; there its size is drawn")
    spline: Any = order(step, interpolation, pillow=True)
    zoom = Zoom(amount(step, "scale_range", scale_range), border="constant", order=spline)
    return [Resize(shape(step, target_size), fit="pad", order=spline), zoom]


@RULES.rule("RandomZoomOut")
def _random_zoom_out(step: Step, fill: Any = 0, side_range: Any = (1.0, 4.0), p: float = 0.5) -> Transform:
    """Shrunk onto a frame of the same size, anywhere in it; there the frame grows."""
    step.note("the frame keeps its size, and the image shrinks in it")
    low, high = (float(one) for one in side_range)
    zoom = together([Affine(zoom=(1 / high, 1 / low) if high > low else 1 / high, **_edge(step, "constant", fill))])
    reach = (1 - 1 / high) / 2
    moved = Shift(fraction=(-reach, reach), **_edge(step, "constant", fill)) if reach else None
    return Sequential([zoom, moved] if moved else [zoom], p=p)


@RULES.rule(
    "Identity", "ToImage", "ToImageTensor", "ToPILImage", "ToPureTensor", "ClampBoundingBoxes", "ClampBoundingBox",
    "ConvertBoundingBoxFormat", "ClampKeyPoints", "SetClampingMode", "SanitizeKeyPoints",
)  # fmt: skip
def _identity(step: Step, *_: Any, **__: Any) -> list[Transform]:
    """Nothing to do: images are arrays, boxes have corners in pixels and end at the frame."""
    return []


@RULES.rule("SanitizeBoundingBoxes", "SanitizeBoundingBox")
def _sanitize(step: Step, min_size: float = 1.0, min_area: float = 1.0) -> list[Transform]:
    """The pipeline's `BoxRules`: boxes stay when enough of their area is left."""
    from imagemill.core.annotated.box_rules import BoxRules

    step.set("boxes", BoxRules(min_area=max(float(min_area), float(min_size) ** 2, 1.0)))
    return []


RULES.without("several images of one are not built; crop at each corner with Crop(at=...)", "FiveCrop", "TenCrop")


@RULES.rule("RandomIoUCrop")
def _iou_crop(
    step: Step,
    min_scale: float = 0.3,
    max_scale: float = 1.0,
    min_aspect_ratio: float = 0.5,
    max_aspect_ratio: float = 2.0,
    sampler_options: Any = None,
    trials: int = 40,
) -> Transform:
    """`IoUCrop`; boxes whose centre was cut off stay as far as they are in view, unless `BoxRules` say otherwise."""
    step.note("boxes stay by what is left of them, not by their centres: set boxes=BoxRules(min_visibility=...)")
    if trials != 40:
        step.note("40 tries")
    least = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0) if sampler_options is None else sampler_options
    shares = tuple(min(float(one), 1.0) for one in least)
    aspect = (float(min_aspect_ratio), float(max_aspect_ratio))
    return IoUCrop((float(min_scale), float(max_scale)), aspect, least=shares)


RULES.without("transforms of video are not built", "UniformTemporalSubsample")
