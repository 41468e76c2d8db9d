"""A pipeline of another library as plain data: names, and what they were called with."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["COMPOSERS", "Call", "Function", "Unread", "calls_in", "typed"]

COMPOSERS = frozenset({
    "Compose", "ReplayCompose", "BboxCompose", "Sequential", "AugmentationSequential", "Transforms", "ComposeTransforms"
})  # fmt: skip
"""What libraries call several transforms in a row, at the outermost place."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A transform, or several in one, as it was called.

    Parameters
    ----------
    name : str
        Of the class, without its module: ``"HorizontalFlip"``.
    given : mapping
        Arguments by name.
    positional : tuple
        Arguments without a name.
    where : str
        Where it stands, in words: ``"line 12"``, ``"step 3"``.
    origin : str
        The module it is imported from, or ``"a class of the program"``, as far as that is known.
    unsure : tuple of str
        Arguments that it was called with, perhaps, and that an object did not keep.
    """

    name: str
    given: Mapping[str, Any] = field(default_factory=dict)
    positional: tuple[Any, ...] = ()
    where: str = ""
    origin: str = ""
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """A value that only running the program would give: a function, a variable that is set elsewhere.

    Parameters
    ----------
    text : str
        As it is written.
    """

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the program.

    Parameters
    ----------
    node : ast.FunctionDef or ast.AsyncFunctionDef
    home : Scope
        Where it was defined.
    run : callable
        Takes the function, the scope of the call, positional and named arguments, and gives what is returned.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef
    home: Any
    run: Callable[[Function, Any, tuple[Any, ...], Mapping[str, Any]], Any]

    def __deepcopy__(self, memo: Any) -> Function:
        return self


def typed(value: Any) -> Any:
    """``dict(type="Flip", p=0.5)`` as a call; anything else as it is.

    Examples
    --------
    >>> typed({"type": "HorizontalFlip", "p": 0.5}).given
    {'p': 0.5}
    """
    if isinstance(value, Mapping) and isinstance(value.get("type"), str) and value["type"].isidentifier():
        return Call(value["type"], {str(key): one for key, one in value.items() if key != "type"})
    return value


def calls_in(value: Any) -> Iterator[Call]:
    """Every call in a value, from the outermost on.

    Examples
    --------
    >>> inner = Call("HorizontalFlip")
    >>> [call.name for call in calls_in(Call("Compose", positional=([inner],)))]
    ['Compose', 'HorizontalFlip']
    """
    if isinstance(value, Call):
        yield value
        yield from calls_in([*value.positional, *value.given.values()])
    elif isinstance(value, Mapping):
        yield from calls_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from calls_in(one)
