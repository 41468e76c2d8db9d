"""Transforms from plain descriptions, as files hold them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from imagemill.core.errors import ImagemillError, InputError, ParameterError, PipelineFileError
from imagemill.core.interop import foreign_names as foreign
from imagemill.transforms.base import REGISTRY, Transform, fields_of, required
from imagemill.transforms.registry import find, names
from imagemill.transforms.yaml_slips import as_call, in_place, slip

__all__ = ["Path", "from_dict", "line_for", "located", "nested_of"]

Path = tuple[str | int, ...]
"""Where in a description something stands: keys and positions from the top."""


@contextmanager
def located(path: Path) -> Iterator[None]:
    """Note on errors from inside where in the description they arose; the innermost place counts."""
    try:
        yield
    except InputError as error:
        error.path = error.path or path
        raise


def from_dict(described: Any, at: Path = ()) -> Transform:
    """The transform described by ``{name: {parameter: value}}`` (or just its name).

    Parameters
    ----------
    described : mapping or str
    at : tuple of str and int
        Where in a file it stands, such as ``("transforms", 2)``.

    Raises
    ------
    PipelineFileError
        For an unknown name or parameter, naming the nearest known one. Its ``path`` says where.
    ParameterError
        For a value out of its range; the same.
    """
    with located(at):
        if isinstance(described, str):
            described = {described: {}}
        if not isinstance(described, Mapping) or len(described) != 1:
            raise PipelineFileError(
                f"expected a transform as {{Name: {{parameter: value}}}}, got {described!r}{_astray(described)}"
            )
        (name,) = described
        cls = find(str(name))
        if cls is None:
            raise PipelineFileError(f"expected the name of a transform, got {name!r}; {_known_name(str(name))}")
    with located((*at, name)):
        return _described(cls, described[name], (*at, name))


def _described(cls: type[Transform], arguments: Any, at: Path) -> Transform:
    name, known = cls.__name__, [f.name for f in fields_of(cls)]
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, Mapping):
        do = f"; write {name}: {{{in_place(cls)}: {arguments!r}}}" if in_place(cls) else ""
        raise PipelineFileError(f"expected the parameters of {name} as a mapping of {known}, got {arguments!r}{do}")
    for key in arguments:
        if key not in known:
            with located((*at, str(key))):
                raise PipelineFileError(slip(cls, key, arguments, known))
    missing = [word for word in required(cls) if word not in arguments]
    if missing:
        raise PipelineFileError(f"expected {name} to say {', '.join(missing)}; add it to the description")
    nested = nested_of(cls)
    given = {key: _revive(value, (*at, key)) if key in nested else value for key, value in arguments.items()}
    return _made(cls, given, at)


def _made(cls: type[Transform], given: Mapping[str, Any], at: Path) -> Transform:
    try:
        return cls(**given)
    except ParameterError as error:
        error.path = (*at, error.field) if error.field in given else at
        raise
    except ImagemillError:
        raise
    except Exception as error:
        # A check that met a value it never thought of: the file is wrong all the same.
        raise PipelineFileError(
            f"expected parameters of {cls.__name__} as its documentation has them, got {dict(given)!r}: {error}"
        ) from error


def _astray(described: Any) -> str:
    """What to do where parameters stand beside the name instead of below it."""
    here = [key for key in described if key in names()] if isinstance(described, Mapping) else []
    if not here:
        return ""
    if len(here) == len(described):
        return "; give each a '-' of its own"
    return f"; put the parameters below {here[0]}, indented farther than its name"


def line_for(name: str) -> str:
    """What a pipeline file says for the transform of a name, here or in another library; empty if there is none."""
    said = "" if name in names() else _elsewhere(name)
    return name if name in names() else said.partition("write ")[2] or said.partition("here is ")[2]


def _elsewhere(name: str) -> str:
    in_place = {known: [f.name for f in fields_of(cls) if not f.kw_only] for known, cls in REGISTRY.items()}
    return foreign.suggestion(name, file=in_place)


def _known_name(name: str) -> str:
    """What to write instead of a name that is not known."""
    if written := as_call(name):
        return written
    lowered = {known.lower(): known for known in names()}
    said = _elsewhere(name)
    if said and name.lower() not in lowered:
        return said
    near = difflib.get_close_matches(name.lower(), lowered, n=1)
    return f"did you mean {lowered[near[0]]!r}?" if near else f"known: {', '.join(names())}"


def nested_of(cls: type[Transform]) -> list[str]:
    """The parameters of a transform that hold others: ``transforms``, and what says so in its ``metadata``."""
    return ["transforms", *(f.name for f in fields_of(cls) if f.metadata.get("nested"))]


def _revive(value: Any, at: Path) -> Any:
    """Nested transforms (inside OneOf and the like) come back as transforms, in lists or in a mapping of lists."""
    if isinstance(value, list):
        return tuple(from_dict(v, (*at, place)) for place, v in enumerate(value))
    if isinstance(value, Mapping):
        return {key: _revive(v, (*at, key)) for key, v in value.items()}
    return value
