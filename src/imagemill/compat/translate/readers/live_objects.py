"""Pipelines as objects of the other library: read by what they keep, without importing it."""

from __future__ import annotations

import inspect
from typing import Any

from imagemill.compat.translate.calls import Call, Unread
from imagemill.compat.translate.rules.rule import Rules
from imagemill.core.errors import InputError

__all__ = ["from_object"]


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
    given = {key: _inside(value) for key, value in kept.items()}
    return Call(name, given, (), where)


def _inside(value: Any) -> Any:
    """A value that an object keeps: transforms as calls, arrays as lists, functions by their name."""
    if isinstance(value, list | tuple) and value and all(_is_transform(one) for one in value):
        return [_call(one, f"step {place}") for place, one in enumerate(value, 1)]
    if type(value).__name__ == "ModuleList":
        return [_call(one, f"step {place}") for place, one in enumerate(value, 1)]
    if _is_transform(value):
        return _call(value, "")
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
    """The attributes that are called as the arguments are."""
    found: dict[str, Any] = {}
    for name, one in inspect.signature(type(made).__init__).parameters.items():
        if name == "self" or one.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            continue
        if hasattr(made, name):
            found[name] = getattr(made, name)
        elif hasattr(made, f"_{name}"):
            found[name] = getattr(made, f"_{name}")
        elif one.default is inspect.Parameter.empty:
            raise InputError(
                f"expected {type(made).__name__} to keep its {name}, and it does not; "
                "give the source text of the pipeline instead"
            )
    return found
