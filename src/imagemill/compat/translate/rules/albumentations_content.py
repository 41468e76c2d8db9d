"""Albumentations' transforms that go by boxes, label maps or reference images; names and defaults of 1.0 to 2.0.8."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.albumentations import RULES
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import amount, is_number, order, shape
from imagemill.core.errors import ParameterError
from imagemill.transforms.adapting.match_colours import MatchColours
from imagemill.transforms.adapting.match_histogram import MatchHistogram
from imagemill.transforms.adapting.match_spectrum import MatchSpectrum
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import Sequential
from imagemill.transforms.cropping.box_crop import BoxCrop
from imagemill.transforms.cropping.box_safe_crop import BoxSafeCrop
from imagemill.transforms.cropping.label_crop import LabelCrop
from imagemill.transforms.cropping.near_box_crop import NearBoxCrop
from imagemill.transforms.geometric.resize import Resize
from imagemill.transforms.occlusion.mask_dropout import MaskDropout

__all__: list[str] = []

_MOST_LOST = 0.999


def _lost(rate: Any) -> float:
    """There each side of a box may lose the rate, here both together."""
    return min(2 * float(rate), _MOST_LOST)


def _boxes(step: Step) -> None:
    step.note("images without boxes stay whole, and boxes have to come along, if only as an empty list")


@RULES.rule("BBoxSafeRandomCrop")
def _box_safe(step: Step, erosion_rate: float = 0.0, p: float = 1.0) -> Transform:
    """`BoxSafeCrop`: edges are uniform over whole pixels."""
    _boxes(step)
    return BoxSafeCrop(_lost(erosion_rate), p=p)


@RULES.rule("RandomSizedBBoxSafeCrop")
def _sized_box_safe(
    step: Step,
    height: Any,
    width: Any = None,
    erosion_rate: float = 0.0,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    p: float = 1.0,
) -> list[Transform]:
    """`BoxSafeCrop`, then `Resize`: one resample."""
    _boxes(step)
    spline: Any = order(step, interpolation)
    made: list[Transform] = [BoxSafeCrop(_lost(erosion_rate)), Resize(shape(step, height, width), order=spline)]
    return made if p == 1 else [Sequential(made, p=p)]


@RULES.rule("AtLeastOneBBoxRandomCrop")
def _box_crop(step: Step, height: Any, width: Any = None, erosion_factor: float = 0.0, p: float = 1.0) -> Transform:
    """`BoxCrop` around one of the boxes."""
    step.note("boxes have to come along, if only as an empty list; images smaller than the window are an error")
    return BoxCrop(shape(step, height, width), erosion=min(float(erosion_factor), _MOST_LOST), p=p)


@RULES.rule("RandomCropNearBBox")
def _near_box(
    step: Step,
    max_part_shift: Any = (0.3, 0.3),
    cropping_bbox_key: Any = "cropping_bbox",
    cropping_box_key: Any = None,
    p: float = 1.0,
) -> Transform:
    """`NearBoxCrop` of the box of that name, which is passed as ``Boxes``."""
    key = str(cropping_box_key or cropping_bbox_key)
    step.note(f"pass {key}=Boxes([[x0, y0, x1, y1]]) beside the image")
    parts = (max_part_shift,) * 2 if is_number(max_part_shift) else tuple(max_part_shift)
    # Edges that move inward by half would meet.
    inward, outward = zip(*((-min(float(part), 0.49), float(part)) for part in parts), strict=True)
    shift = {axis: (low, high) for axis, low, high in zip("yx", inward, outward, strict=True)}
    return NearBoxCrop(shift, of=key, p=p)


@RULES.rule("CropNonEmptyMaskIfExists")
def _non_empty(
    step: Step, height: Any, width: Any = None, ignore_values: Any = None, ignore_channels: Any = None, p: float = 1.0
) -> Transform:
    """`LabelCrop` with the pixel anywhere in the window; where the mask is empty, around any pixel."""
    if ignore_channels:
        raise NoCounterpart("ignore_channels: pass the channels that count as a mask of their own, LabelCrop(of=...)")
    ignored = tuple(int(one) for one in ignore_values or () if int(one) > 0) or None
    return LabelCrop(shape(step, height, width), ignore=ignored, lies="random", p=p)


@RULES.rule("MaskDropout")
def _mask_dropout(
    step: Step,
    max_objects: Any = (1, 1),
    fill: Any = None,
    fill_mask: Any = None,
    image_fill_value: Any = None,
    mask_fill_value: Any = None,
    p: float = 0.5,
) -> Transform:
    """Boxes and keypoints go with their objects."""
    shown = fill if fill is not None else 0 if image_fill_value is None else image_fill_value
    if isinstance(shown, str):
        raise NoCounterpart(f"fill={shown!r}: a value or one for each channel")
    hidden = fill_mask if fill_mask is not None else mask_fill_value or 0
    few, many = (1, int(max_objects)) if is_number(max_objects) else (int(one) for one in max_objects)
    filled: Any = tuple(float(one) for one in shown) if isinstance(shown, list | tuple) else float(shown)
    return MaskDropout((few, many) if few < many else many, fill=filled, mask_fill=int(hidden), p=p)


def _taken_over(step: Step, cls: Any, references: Any, p: float, **how: Any) -> Transform:
    step.note("pipelines hold short summaries of the references, by content")
    try:
        made: Transform = cls(references, p=p, **how)
    except ParameterError as error:
        raise NoCounterpart(f"references are images, files or a folder: {error}") from None
    return made


@RULES.rule("HistogramMatching")
def _histogram_matching(
    step: Step,
    reference_images: Any = None,
    blend_ratio: Any = (0.5, 1.0),
    read_fn: Any = None,
    metadata_key: Any = None,
    p: float = 0.5,
) -> Transform:
    how = {"amount": amount(step, "blend_ratio", blend_ratio)}
    return _taken_over(step, MatchHistogram, reference_images, p, **how)


@RULES.rule("FDA")
def _fda(
    step: Step,
    reference_images: Any = None,
    beta_limit: Any = (0.0, 0.1),
    read_fn: Any = None,
    metadata_key: Any = None,
    p: float = 0.5,
) -> Transform:
    """`MatchSpectrum`: up to 48 cycles over the image."""
    limit = (0.0, float(beta_limit)) if is_number(beta_limit) else amount(step, "beta_limit", beta_limit)
    return _taken_over(step, MatchSpectrum, reference_images, p, beta=limit)


@RULES.rule("PixelDistributionAdaptation")
def _pixel_distribution(
    step: Step,
    reference_images: Any = None,
    blend_ratio: Any = (0.25, 1.0),
    read_fn: Any = None,
    transform_type: str = "pca",
    metadata_key: Any = None,
    p: float = 0.5,
) -> Transform:
    """`MatchColours`: mean and spread of each decorrelated channel, with fixed axes in the place of fitted ones."""
    step.note(f"transform_type={transform_type!r} is Reinhard's transfer of means and spreads")
    how = {"amount": amount(step, "blend_ratio", blend_ratio)}
    return _taken_over(step, MatchColours, reference_images, p, **how)
