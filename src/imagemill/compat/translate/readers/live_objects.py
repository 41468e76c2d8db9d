"""Pipelines as objects of the other library: read by what they keep, without importing it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from imagemill.compat.translate.calls import Call, Unread
from imagemill.compat.translate.rules.rule import Rules
from imagemill.core.errors import InputError

__all__ = ["from_object"]

_LOST: Any = object()
_PARSED = ("{}_range", "{}_ranges", "num_{}", "noise_{}", "{}_dict")
_DEEPEST = 3


def from_object(pipeline: Any, rules: Rules) -> tuple[Any, int | None]:
    """Calls that would make an object again, and the first number of its library's version.

    Raises
    ------
    InputError
        For an object of something else, or one that does not keep what it was made with.
    """
    if isinstance(pipeline, list | tuple):
        return [from_object(one, rules)[0] for one in pipeline], _version(pipeline[0]) if pipeline else None
    package = type(pipeline).__module__.partition(".")[0]
    if package != rules.library and not _is_sequence_of(pipeline):
        raise InputError(
            f"expected a pipeline of {rules.library} (an object, a file, or its source text), "
            f"got {type(pipeline).__module__}.{type(pipeline).__name__}"
        )
    return _call(pipeline, ""), _version(pipeline)


def _version(pipeline: Any) -> int | None:
    import sys

    module = sys.modules.get(type(pipeline).__module__.partition(".")[0])
    said = str(getattr(module, "__version__", "")).partition(".")[0]
    return max(int(said), 1) if said.isdigit() else None


def _is_sequence_of(pipeline: Any) -> bool:
    """Whether it is PyTorch's ``nn.Sequential``, in which transforms may stand."""
    return type(pipeline).__name__ == "Sequential" and type(pipeline).__module__.startswith("torch.nn")


def _call(made: Any, where: str) -> Call:
    name = type(made).__name__
    if _is_sequence_of(made):
        return Call("Sequential", {}, ([_call(one, f"step {n}") for n, one in enumerate(made, 1)],), where)
    kept = _albumentations(made)
    if kept is None:
        kept = _by_signature(made)
    given = {key: _inside(value) for key, value in kept.items() if value is not _LOST}
    return Call(name, given, (), where, unsure=tuple(key for key, value in kept.items() if value is _LOST))


def _inside(value: Any) -> Any:
    """A value that an object keeps: transforms as calls, arrays as lists, functions by their name."""
    if isinstance(value, list | tuple) and value and all(_is_transform(one) for one in value):
        return [_call(one, f"step {place}") for place, one in enumerate(value, 1)]
    if type(value).__name__ == "ModuleList":
        return [_call(one, f"step {place}") for place, one in enumerate(value, 1)]
    if isinstance(value, Mapping) and value and all(_is_transform(one) for one in value):
        return {_call(one, f"step {place}"): share for place, (one, share) in enumerate(value.items(), 1)}
    if _is_transform(value):
        return _call(value, "")
    if isinstance(value, type):
        return value.__name__
    if hasattr(value, "tolist"):
        return value.tolist()
    if inspect.isroutine(value):
        return Unread(f"{getattr(value, '__name__', 'a function')}()")
    if isinstance(value, list | tuple):
        return type(value)(_inside(one) for one in value) if type(value) in (list, tuple) else [*map(_inside, value)]
    return str(value).rpartition(".")[2] if type(value).__name__ == "dtype" else value


def _is_transform(value: Any) -> bool:
    module = type(value).__module__
    return (
        callable(value)
        and module.partition(".")[0] in ("albumentations", "torchvision", "monai", "torchio")
        and (not isinstance(value, type))
    )


def _albumentations(made: Any) -> dict[str, Any] | None:
    """What Albumentations' own objects say they were made with; None for others."""
    if not type(made).__module__.startswith("albumentations"):
        return None
    if any(_is_transform(one) for one in getattr(made, "transforms", ())):
        names: tuple[str, ...] = ("transforms", "p", "n", "replace")
        whole = type(made).__name__.endswith("Compose")
        # What is inside is given the targets of the whole, and was not made with them.
        names += ("additional_targets", "seed") if whole else ()
        found = {name: getattr(made, name) for name in names if getattr(made, name, None) is not None}
        for name, key in (("bbox_params", "bboxes"), ("keypoint_params", "keypoints")):
            processor = (getattr(made, "processors", None) or {}).get(key) if whole else None
            if processor is not None:
                found[name] = dict(vars(processor.params))
        return found | ({"p": made.p} if hasattr(made, "p") else {})
    # What it says itself leaves out arguments that a parent class takes.
    found = _by_signature(made)
    if hasattr(made, "get_transform_init_args"):
        found |= made.get_transform_init_args()
    return found | {"p": made.p}


def _by_signature(made: Any) -> dict[str, Any]:
    """What it was made with, by the attributes that are called as the arguments are; `_LOST` where there is none."""
    found: dict[str, Any] = {}
    for name, one in inspect.signature(type(made).__init__).parameters.items():
        if name == "self" or one.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            continue
        found[name] = _kept(made, name)
    if hasattr(made, "probability"):
        # TorchIO's base class takes p for all.
        found["p"] = made.probability
    return found


def _kept(made: Any, name: str, depth: int = 0) -> Any:
    """An argument's value: under its name, or under one that libraries give to what they have parsed.

    A transform of dictionaries is a shell around the one that does the work, which is asked as well.
    """
    for attribute in (name, f"_{name}", *(form.format(name) for form in _PARSED)):
        if attribute in ("p", "prob") and depth:
            break
        value = getattr(made, attribute, _LOST)
        if value is not _LOST and not inspect.ismethod(value) and not _is_worker(made, value):
            return value
    if name == "num_transforms" and hasattr(made, "max_num_transforms"):
        return made.min_num_transforms, made.max_num_transforms
    if depth < _DEEPEST:
        for inner in vars(made).values() if hasattr(made, "__dict__") else ():
            if _is_worker(made, inner) and (value := _kept(inner, name, depth + 1)) is not _LOST:
                return value
    return _LOST


def _is_worker(made: Any, inner: Any) -> bool:
    package = type(made).__module__.partition(".")[0]
    return package == "monai" and type(inner).__module__.startswith("monai.transforms") and hasattr(inner, "__dict__")
