"""Albumentations: the table, pipelines, and what its rules share. Source: its documentation and its behaviour."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.calls import Call, calls_in
from imagemill.compat.translate.rules.choosing import all_of, one_of, some_of
from imagemill.compat.translate.rules.functions import from_function
from imagemill.compat.translate.rules.rule import NoCounterpart, Rules, Step
from imagemill.compat.translate.rules.values import border, fill, is_number, joined
from imagemill.core.annotated.box_rules import BoxRules
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import Sequential

__all__ = ["RULES", "edge_of"]


_FIRST_NAMES = (
    "Flip", "Cutout", "RandomBrightness", "RandomContrast", "JpegCompression", "ToTensor", "OneOrOther"
)  # fmt: skip
_FIRST_ARGUMENTS = (
    "always_apply", "var_limit", "max_holes", "max_height", "max_width", "min_holes", "num_holes", "quality_lower",
    "quality_upper", "scale_min", "scale_max", "value", "mask_value", "cval", "cval_mask", "pad_mode", "pad_val",
    "pad_cval", "alpha_affine", "fog_coef_lower", "fog_coef_upper", "snow_point_lower", "snow_point_upper",
    "fill_value", "mask_fill_value", "sigmaX_limit", "unit_size_min", "holes_number_x", 
    "num_shadows_lower", "num_flare_circles_lower", "slant_lower", "angle_lower",
)  # fmt: skip
"""Arguments that were gone, or had other names, before version 2."""


class _Albumentations(Rules):
    """Version 1 took height and width of crops by place, where version 2 takes a size."""

    def named(self, call: Call) -> Call:
        """The call with those two by name."""
        before = {"RandomResizedCrop": 0, "RandomSizedCrop": 1}.get(call.name)
        placed = call.positional
        if before is None or not all(is_number(one) for one in placed[before : before + 2]) or len(placed) < before + 2:
            return call
        sizes = dict(zip(("height", "width"), placed[before : before + 2], strict=True))
        names = ("min_max_height",) if before else ()
        rest = ("w2h_ratio", "interpolation") if before else ("scale", "ratio", "interpolation")
        given = dict(zip(names + rest, placed[:before] + placed[before + 2 :], strict=False))
        return Call(call.name, {**given, **sizes, **call.given}, (), call.where)

    def version_of(self, call: Any, notes: list[str]) -> int:
        """By the first name or argument that only one of both has."""
        for one in calls_in(call):
            if one.name.startswith("IAA") or one.name in _FIRST_NAMES:
                said, version = one.name, 1
            elif marks := [name for name in one.given if name in _FIRST_ARGUMENTS]:
                said, version = f"{one.name}({marks[0]}=...)", 1
            elif self.named(one) is not one:
                said, version = f"{one.name}(height, width)", 1
            else:
                continue
            notes.append(f"read as Albumentations 1, for {said}: borders mirror unless said; version=2 reads it as 2")
            return version
        return 2


RULES = _Albumentations("albumentations", ignored=("always_apply", "p", "strict", "is_check_args", "is_check_shapes"))
_FIRST = 1
"""The version whose geometric transforms mirrored the image at its edge; from 2 on they fill with a constant."""


def edge_of(
    step: Step, mode: Any, value: Any, mask_value: Any, given: Any = None, given_mask: Any = None
) -> dict[str, Any]:
    """Border and fill, by the names of either version."""
    if mode is None:
        mode = 4 if step.version == _FIRST else 0
    found = border(step, mode)
    if found != "constant":
        return {"border": found}
    mask = given_mask if given_mask is not None else mask_value
    return {
        "border": found,
        "fill": fill(step, given if given is not None else value),
        "mask_fill": _label(step, mask),
    }


def _label(step: Step, value: Any) -> int:
    """What label maps show: one label, also where their channels would get several."""
    found = fill(step, value)
    if isinstance(found, tuple):
        step.note(f"one label for all channels of label maps: the first of {value!r}")
        return int(found[0])
    return int(found)


@RULES.rule("Compose", "ReplayCompose")
def _compose(
    step: Step,
    transforms: Any,
    preprocessing_transforms: Any = None,
    postprocessing_transforms: Any = None,
    to_tensor: Any = None,
    bbox_params: Any = None,
    keypoint_params: Any = None,
    additional_targets: Any = None,
    p: float = 1.0,
    is_check_shapes: bool = True,
    strict: bool = True,
    mask_interpolation: Any = None,
    seed: int | None = None,
    save_applied_params: bool = False,
    save_key: str = "replay",
) -> list[Transform]:
    """A `Pipeline`; ``min_area`` and ``min_visibility`` of ``bbox_params`` become its `BoxRules`."""
    if bbox_params is not None:
        step.set("boxes", _box_rules(step, bbox_params))
    if keypoint_params is not None:
        named = _arguments(keypoint_params, ("format",)).get("format", "xy")
        step.note(f"keypoints in format {named!r}: pass imagemill.Keypoints, which has x and y in pixels")
    if additional_targets:
        names = joined([f"{name} as {kind}" for name, kind in dict(additional_targets).items()])
        step.note(f"targets of other names ({names}): pass imagemill.Image, Mask, Boxes or Keypoints by that name")
    if seed is not None:
        step.set("seed", seed)
    return all_of(step, transforms, p)


def _arguments(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """What ``BboxParams(...)`` or a mapping says."""
    if isinstance(value, Call):
        return dict(zip(names, value.positional, strict=False)) | dict(value.given)
    return dict(value)


def _box_rules(step: Step, value: Any) -> BoxRules:
    given = _arguments(value, ("format", "label_fields", "min_area", "min_visibility"))
    step.note(
        f"bounding boxes in format {given.get('format', 'pascal_voc')!r} with fields "
        f"{list(given.get('label_fields') or [])}: pass imagemill.Boxes, which has corners in pixels and labels"
    )
    for name in ("min_width", "min_height", "max_accept_ratio"):
        if given.get(name):
            step.note(f"{name}={given[name]} of bbox_params is left out")
    area, share = float(given.get("min_area") or 0.0), float(given.get("min_visibility") or 0.0)
    return BoxRules(min_area=max(area, 1.0), min_visibility=share)


@RULES.rule("Sequential")
def _sequential(step: Step, transforms: Any, p: float = 0.5) -> list[Transform]:
    return all_of(step, transforms, p)


@RULES.rule("OneOf")
def _one_of(step: Step, transforms: Any, p: float = 0.5) -> list[Transform]:
    """Chances of those inside are weights, as there."""
    return one_of(step, transforms, p, forced=True)


@RULES.rule("OneOrOther")
def _one_or_other(
    step: Step, first: Any = None, second: Any = None, transforms: Any = None, p: float = 0.5
) -> list[Transform]:
    """The first with chance ``p``, else the second."""
    return one_of(step, transforms or [first, second], 1.0, weights=[p, 1 - p])


@RULES.rule("SomeOf")
def _some_of(step: Step, transforms: Any, n: Any = 1, replace: bool | None = None, p: float = 1.0) -> list[Transform]:
    if replace or (replace is None and step.version == _FIRST):
        step.note("the same transform is not drawn twice")
    return some_of(step, transforms, n, p)


@RULES.rule("RandomOrder")
def _random_order(step: Step, transforms: Any, n: Any = 1, replace: bool = False, p: float = 1.0) -> list[Transform]:
    """Drawn as with `SomeOf`, but run in the order in which they are listed."""
    step.note("those drawn run in the order in which they are listed")
    return some_of(step, transforms, n, p)


@RULES.rule("NoOp", "Identity")
def _no_op(step: Step, p: float = 0.5) -> list[Transform]:
    return []


@RULES.rule("Lambda", reads=True)
def _function(
    step: Step,
    image: Any = None,
    mask: Any = None,
    keypoint: Any = None,
    bbox: Any = None,
    name: Any = None,
    keypoints: Any = None,
    bboxes: Any = None,
    p: float = 1.0,
) -> list[Transform]:
    """An arithmetic of the image in one line is a `Normalize`; what else has to be run is ``imagemill.Apply``."""
    if image is None or any(one is not None for one in (mask, keypoint, bbox, keypoints, bboxes)):
        raise NoCounterpart("it has to be run to be known; put imagemill.Apply(function) in its place")
    made = list(from_function(step, image))
    return made if p == 1 or not made else [Sequential(made, p=p)]


RULES.without("the part of a composition that runs on some channels only is not built", "SelectiveChannelTransform")
