"""MONAI's transforms, of arrays and of dictionaries. Source: its documentation and its behaviour.

MONAI's spatial axes are those of its readers: x first. Sizes, axes and amounts by axis are turned round, so that they
are in array order here (z, y, x).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imagemill.compat.translate.calls import Call, calls_in
from imagemill.compat.translate.rules.choosing import all_of, one_of, some_of
from imagemill.compat.translate.rules.rule import NoCounterpart, Rules, Step
from imagemill.compat.translate.rules.values import border, is_number, order
from imagemill.core.errors import InputError
from imagemill.transforms.base import Transform

__all__ = ["AXES", "RULES", "axes_of", "first", "margin", "sizes", "spline_of"]

AXES = "xyz"
_LENGTHS = ("spatial_size", "roi_size", "pixdim", "k", "spatial_border")
_DICTIONARY = ("d", "D", "Dict")


_ORDERED: dict[str, tuple[str, ...]] = {
    "RandAffine": ("spatial_size", "prob", "rotate_range", "shear_range", "translate_range", "scale_range", "mode"),
    "Rand2DElastic": ("spacing", "magnitude_range", "spatial_size", "prob"),
    "Rand3DElastic": ("sigma_range", "magnitude_range", "spatial_size", "prob"),
    "RandGaussianSmooth": ("sigma_x", "sigma_y", "sigma_z", "approx", "prob"),
    "ResizeWithPadOrCrop": ("spatial_size", "mode", "allow_missing_keys", "method"),
    "CropForeground": ("source_key", "select_fn", "channel_indices", "margin", "allow_smaller", "k_divisible"),
}  # fmt: skip


class _Monai(Rules):
    """Names of transforms of dictionaries are those of arrays with a letter behind, and begin with their keys."""

    def named(self, call: Call) -> Call:
        """The call of the transform of arrays."""
        for tail in _DICTIONARY:
            plain = call.name.removesuffix(tail)
            if plain != call.name and (plain in self.by_name or plain in self.absent):
                given = {name: value for name, value in call.given.items() if name != "keys"}
                placed = call.positional if "keys" in call.given else call.positional[1:]
                # Some have their arguments in another order in the form for dictionaries.
                ordered = _ORDERED.get(plain, ())
                given = dict(zip(ordered, placed, strict=False)) | given
                return Call(plain, given, placed[len(ordered) :], call.where, call.origin)
        return call


RULES = _Monai(
    "monai",
    ignored=(
        "allow_missing_keys", "dtype", "device", "lazy", "align_corners", "track_meta", "image_only", "meta_keys",
        "meta_key_postfix", "factor_key", "min_pixdim", "max_pixdim", "ensure_same_shape", "reader", "channel_dim",
        "recompute_affine", "map_items", "unpack_items", "log_stats", "overrides", "min_zoom_axes",
        "rotate_order", "image_keys", "box_keys", "box_ref_image_keys", "label_keys",
    ),
)  # fmt: skip


def first(step: Step, value: Any) -> Any:
    """The value of the image, where each key has one of its own."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], str):
        return value[0]
    return value


def spline_of(step: Step, mode: Any) -> Any:
    """The order of an interpolation, which may be a number already."""
    if isinstance(mode, list | tuple) and mode:
        mode = mode[0]
    return mode if mode in (0, 1, 3, 5) and not isinstance(mode, bool) else order(step, mode)


def _turned(value: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(reversed(tuple(value)))


def _ranks(step: Step) -> int:
    """2 where the lengths in the pipeline come in pairs, else 3."""
    found = [
        len(value)
        for call in calls_in(step.translator.whole)
        for name, value in call.given.items()
        if name in _LENGTHS and isinstance(value, list | tuple) and value and all(is_number(one) for one in value)
    ]
    found += [2 for call in calls_in(step.translator.whole) if call.name.startswith("Rand2D")]
    return 2 if 2 in found and 3 not in found else 3


def sizes(step: Step, name: str, value: Any) -> tuple[int, ...]:
    """A size in array order."""
    if is_number(value):
        return (int(value),) * _ranks(step)
    if isinstance(value, list | tuple) and value and all(is_number(one) for one in value):
        if any(one <= 0 for one in value):
            if len(value) == 3 and value[2] <= 0 < min(value[:2]):
                # Of a volume, two lengths are those of its slices.
                return int(value[1]), int(value[0])
            raise NoCounterpart(f"{name}={tuple(value)}: a length along x or y that stays as it is")
        return tuple(int(one) for one in _turned(value))
    raise InputError(f"{step.shown}: expected {name} as whole numbers, got {value!r}")


def axes_of(step: Step, axis: Any, every: str = "xy") -> str:
    """Names of axes from their numbers; those of a plane where none is given."""
    numbers = range(len(every)) if axis is None else [axis] if is_number(axis) else list(axis)
    if any(not isinstance(one, int) or not -3 <= one < 3 for one in numbers):
        raise InputError(f"{step.shown}: expected axes of 0, 1 and 2, got {axis!r}")
    return "".join(AXES[one] for one in numbers)


def margin(step: Step, mode: Any, value: Any = 0) -> dict[str, Any]:
    """What lies beyond the edge."""
    found = border(step, first(step, mode))
    return {"border": found, "fill": float(value or 0)} if found == "constant" else {"border": found}


@RULES.rule("Compose")
def _compose(step: Step, transforms: Any = (), map_items: Any = True, lazy: Any = None) -> list[Transform]:
    """A `Pipeline`; keys are left out, as targets have names of their own."""
    return all_of(step, transforms)


@RULES.rule("OneOf", "RandomOrder")
def _one_of(step: Step, transforms: Any, weights: Any = None, map_items: Any = True) -> list[Transform]:
    if step.call.name == "RandomOrder":
        step.note("all of them run, in the order in which they are listed")
        return all_of(step, transforms)
    return one_of(step, transforms, 1.0, weights=weights)


@RULES.rule("SomeOf")
def _some_of(
    step: Step,
    transforms: Any,
    map_items: Any = True,
    num_transforms: Any = None,
    replace: bool = False,
    weights: Any = None,
) -> list[Transform]:
    if weights is not None or replace:
        step.note("each is as likely as another, and none is drawn twice")
    count = len(transforms) if num_transforms is None else num_transforms
    return some_of(step, transforms, count if isinstance(count, int) else tuple(count))


@RULES.rule(
    "LoadImage", "LoadNifti", "LoadPNG", "LoadNumpy", "EnsureChannelFirst", "AddChannel", "AsChannelFirst",
    "AsChannelLast", "RepeatChannel", "RemoveRepeatedChannel", "SplitChannel", "EnsureType", "ToTensor", "ToNumpy",
    "ToCupy", "CastToType", "Identity", "SelectItems", "DeleteItems", "CopyItems", "ConcatItems", "FlattenSubKeys",
    "CleanExtraFields", "ToDevice", "SqueezeDim", "SimulateDelay", "ToPIL", "DataStats", "ToMetaTensor",
    "FromMetaTensor", "ApplyPending", "Decollate", "PadListDataCollate", "StandardizeEmptyBox", "ConvertBoxMode",
    "ConvertBoxToStandardMode", "ClipBoxToImage", "AffineBoxToImageCoordinate", "AffineBoxToWorldCoordinate",
    "BoxToMask", "MaskToBox", "ResampleToMatch", "SplitLabel", "NVTXMark",
)  # fmt: skip
def _identity(step: Step, *_: Any, **__: Any) -> list[Transform]:
    """Nothing to do: reading, channels, tensors, grids and the formats of boxes are the Dataset's and the targets'."""
    return []
