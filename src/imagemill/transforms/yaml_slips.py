"""What was meant by a transform that a file writes as Python, or as YAML does not read it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.transforms.base import Transform, fields_of, misfit
from imagemill.transforms.registry import find

__all__ = ["as_call", "in_place", "slip"]


def in_place(cls: type[Transform]) -> str:
    """The parameter that may be given in place; empty where there is none."""
    return next((f.name for f in fields_of(cls) if not f.kw_only), "")


def slip(cls: type[Transform], word: Any, arguments: Mapping[Any, Any], known: Sequence[str]) -> str:
    """Why there is no such parameter: not spelt so, or YAML took half a pair for a name, or a name with its value."""
    said = misfit(cls, (), {str(word): None})
    key = str(word)
    name, colon, value = key.partition(":")
    if colon and name in known:
        return f"{said.partition('; did')[0]}; YAML wants a space behind the colon, {name}: {value}"
    if arguments[word] is not None or not re.fullmatch(r"[-+\d.]+\s*[)\]]?", key):
        return said
    before = list(arguments)[max(0, list(arguments).index(word) - 1)]
    first = str(arguments[before]).lstrip("([ ")
    return f"{said}; a pair goes into square brackets: {before}: [{first}, {key.rstrip(')] ')}]"


def as_call(name: str) -> str:
    """A transform written as in Python, as files have it; empty where it is none."""
    called = re.fullmatch(r"(?:im\.|imagemill\.)?(\w+)\((.*)\)", name.strip(), re.DOTALL)
    cls = find(called[1]) if called else None
    if called is None or cls is None:
        return ""
    try:
        call = ast.parse(f"f({called[2]})", mode="eval").body
        assert isinstance(call, ast.Call)
        places = [f.name for f in fields_of(cls) if not f.kw_only]
        given = {places[i]: ast.literal_eval(one) for i, one in enumerate(call.args)}
        given |= {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    except (SyntaxError, ValueError, IndexError, AssertionError):
        return f"write {cls.__name__}: {{{in_place(cls)}: ...}}"
    return f"write {cls.__name__}: {{{', '.join(f'{key}: {_flow(value)}' for key, value in given.items())}}}"


def _flow(value: Any) -> str:
    return f"[{', '.join(map(_flow, value))}]" if isinstance(value, list | tuple) else str(value)
