"""MONAI's crops that go by labels, weights and foreground, and its Rician noise."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.functions import above_of
from imagemill.compat.translate.rules.monai import AXES, RULES, sizes
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import is_number
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import OneOf, Sequential
from imagemill.transforms.cropping.box_crop import BoxCrop
from imagemill.transforms.cropping.foreground_crop import ForegroundCrop
from imagemill.transforms.cropping.label_crop import LabelCrop
from imagemill.transforms.cropping.weighted_crop import WeightedCrop
from imagemill.transforms.geometric.crop import Crop
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.noise.rician_noise import RicianNoise

__all__: list[str] = []

_OF_LABELS = ("label", "seg", "mask", "lbl", "target", "gt")
"""How the keys of label maps are called."""


def _samples(step: Step, count: Any) -> None:
    if count not in (1, None):
        step.note(f"one window of a sample: list each {count} times, or draw patches with PatchDataset")


@RULES.rule("RandCropByPosNegLabel")
def _pos_neg(
    step: Step,
    label_key: Any = None,
    spatial_size: Any = None,
    pos: float = 1.0,
    neg: float = 1.0,
    num_samples: Any = 1,
    image_key: Any = None,
    image_threshold: Any = 0.0,
    fg_indices_key: Any = None,
    bg_indices_key: Any = None,
    label: Any = None,
    image: Any = None,
    allow_smaller: bool = False,
) -> Transform:
    """`LabelCrop`: the share of windows around the foreground is ``pos / (pos + neg)``."""
    # Of arrays the size comes first, and no key.
    size = spatial_size if label_key is None or isinstance(label_key, str) else label_key
    if not float(pos) + float(neg) > 0:
        raise NoCounterpart("pos and neg of 0")
    _samples(step, num_samples)
    if image is not None or image_key is not None:
        step.note("image_threshold: windows of the background are around any pixel of label 0")
    return LabelCrop(sizes(step, "spatial_size", size), positive=float(pos) / (float(pos) + float(neg)))


@RULES.rule("RandCropByLabelClasses")
def _by_classes(
    step: Step,
    label_key: Any = None,
    spatial_size: Any = None,
    ratios: Any = None,
    num_classes: Any = None,
    num_samples: Any = 1,
    image_key: Any = None,
    image_threshold: Any = 0.0,
    indices_key: Any = None,
    label: Any = None,
    image: Any = None,
    allow_smaller: bool = False,
    warn: bool = True,
    max_samples_per_class: Any = None,
) -> Transform:
    """`LabelCrop` with the ratios as weights of the labels 0, 1, 2, ..."""
    size = spatial_size
    if label_key is not None and not isinstance(label_key, str):
        # Of arrays the size comes first, then the ratios, then the label map.
        size, ratios = label_key, spatial_size
    weights = list(ratios or [1] * int(num_classes or 0))
    if not any(weights):
        raise NoCounterpart("neither ratios nor num_classes: write LabelCrop(labels={0: 1, 1: 1})")
    _samples(step, num_samples)
    if image is not None or image_key is not None:
        step.note("image_threshold: all pixels of a class count")
    return LabelCrop(sizes(step, "spatial_size", size), labels={i: float(one) for i, one in enumerate(weights)})


@RULES.rule("RandSpatialCropSamples")
def _several(
    step: Step,
    roi_size: Any,
    num_samples: Any,
    max_roi_size: Any = None,
    random_center: bool = True,
    random_size: bool = False,
) -> Transform:
    """``RandSpatialCrop`` of a fixed size, one window of a sample."""
    _samples(step, num_samples)
    if random_size:
        step.note("the size is fixed: roi_size")
    return Crop(sizes(step, "roi_size", roi_size), at="random" if random_center else "centre")


@RULES.rule("RandWeightedCrop")
def _weighted(
    step: Step, w_key: Any = None, spatial_size: Any = None, num_samples: Any = 1, weight_map: Any = None
) -> Transform:
    """`WeightedCrop`: the map is passed beside the image, as a mask of whole numbers or a map of numbers."""
    key, size, count = w_key, spatial_size, num_samples
    if w_key is not None and not isinstance(w_key, str):
        # Of arrays the size comes first, then the number.
        key, size, count = None, w_key, num_samples if spatial_size is None else spatial_size
    _samples(step, count)
    step.note(f"pass {key or 'weights'}= beside the image")
    return WeightedCrop(sizes(step, "spatial_size", size), of=str(key or "weights"))


@RULES.rule("RandCropBoxByPosNegLabel")
def _around_boxes(
    step: Step,
    spatial_size: Any,
    pos: float = 1.0,
    neg: float = 1.0,
    num_samples: Any = 1,
    whole_box: bool = True,
    thresh_image_key: Any = None,
    image_threshold: Any = 0.0,
    fg_indices_key: Any = None,
    bg_indices_key: Any = None,
    meta_keys: Any = None,
    allow_smaller: bool = False,
) -> Transform:
    """`BoxCrop` with the share ``pos / (pos + neg)``, else a window anywhere."""
    total = float(pos) + float(neg)
    if not total > 0:
        raise NoCounterpart("pos and neg of 0")
    _samples(step, num_samples)
    size = sizes(step, "spatial_size", spatial_size)
    around, anywhere = BoxCrop(size, erosion=0.0 if whole_box else 0.5), Crop(size, at="random")
    share = float(pos) / total
    return around if share == 1 else OneOf([around, anywhere], weights=[share, 1 - share])


@RULES.rule("RandScaleCrop")
def _scale_crop(
    step: Step, roi_scale: Any, max_roi_scale: Any = None, random_center: bool = True, random_size: bool = False
) -> Transform:
    """`Crop` of that share of the size the pipeline has there, else of 256."""
    if random_size:
        step.note("the size is fixed: roi_scale")
    listed = [float(one) for one in (roi_scale if isinstance(roi_scale, list | tuple) else [roi_scale])]
    if len(listed) > 2:
        raise NoCounterpart("shares of the sides of a volume; write Crop(size) in voxels")
    shares = list(reversed(listed)) * (3 - len(listed))
    size = tuple(max(round(side * share), 1) for side, share in zip(step.sides, shares[:2], strict=True))
    step.note(
        f"a window of {size[0]}x{size[1]} pixels, of images of {step.sides[0]}x{step.sides[1]}; set it for others"
    )
    return Crop(size, at="random" if random_center else "centre")


@RULES.rule("CropForeground", reads=True)
def _foreground(
    step: Step,
    source_key: Any = None,
    select_fn: Any = None,
    channel_indices: Any = None,
    margin: Any = 0,
    allow_smaller: Any = None,
    return_coords: bool = False,
    k_divisible: Any = 1,
    mode: Any = "constant",
    start_coord_key: Any = None,
    end_coord_key: Any = None,
) -> Transform:
    """`ForegroundCrop` of the image's values above 0, or of label maps where the key names one."""
    key = source_key if isinstance(source_key, str) else ""
    labels = any(word in key.lower() for word in _OF_LABELS)
    above = above_of(select_fn)
    if (select_fn is not None and above is None) or not (isinstance(source_key, str) or source_key is None):
        step.note("the foreground is what is above 0")
    level = above if isinstance(above, float) else 0.0
    if allow_smaller is False:
        step.note("a margin that would leave the image ends there")
    if channel_indices is not None:
        step.note("any channel counts")
    listed = [margin] * len(AXES) if is_number(margin) else list(margin)
    edge: Any = {axis: float(one) for axis, one in zip(AXES, listed, strict=False)} if any(listed) else 0
    if is_number(margin):
        edge = float(margin)
    crop = ForegroundCrop(edge, above=None if labels else level)
    if k_divisible in (1, None):
        return crop
    multiple = int(k_divisible) if is_number(k_divisible) else tuple(int(one) for one in reversed(list(k_divisible)))
    return Sequential([crop, Pad(multiple_of=multiple)])


@RULES.rule("RandRicianNoise")
def _rician(
    step: Step,
    prob: float = 0.1,
    mean: Any = 0.0,
    std: Any = 1.0,
    channel_wise: bool = False,
    relative: bool = False,
    sample_std: bool = True,
) -> Transform:
    """Deviations up to ``std``, in shares of white: of floating point, values."""
    if relative:
        raise NoCounterpart("relative=True: deviations that are shares of the image's own")
    if mean:
        step.note("the mean is 0")
    return RicianNoise((0.0, float(std)) if sample_std else float(std), p=prob)
