"""Pipelines in Python source: found and read, never run."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from typing import Any

from imagemill.compat.translate.calls import Call
from imagemill.compat.translate.readers.expressions import Scope, Undecided
from imagemill.compat.translate.readers.programs import Found, Walk
from imagemill.core.errors import InputError

__all__ = ["expression", "pipelines_in"]


def expression(text: str, names: Mapping[str, Any] | None = None) -> Any:
    """The value of one expression; what only running it would give is `Unread`.

    Parameters
    ----------
    text : str
    names : mapping, optional
        Values of variables.

    Examples
    --------
    >>> expression("A.Compose([A.Rotate(limit=2 * n)])", {"n": 15}).positional[0][0].given
    {'limit': 30}
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise InputError(f"expected one Python expression, got {text.strip()[:80]!r}: {error.msg}") from None
    said = dict(names or {})
    try:
        return Scope(dict(said), said, {key: bool(one) for key, one in said.items()}).value(tree.body)
    except Undecided as fork:
        raise InputError(
            f"expected conditions that are known, got {fork.condition!r}; say it: names={{{fork.condition!r}: True}}"
        ) from None


def pipelines_in(text: str, names: Mapping[str, Any] | None = None, *, package: str = "") -> dict[str, Call]:
    """Every pipeline that a program makes, by the name it is given there.

    Parameters
    ----------
    text : str
        Of the program.
    names : mapping, optional
        Values of variables that come from elsewhere, such as ``{"args.size": 224}``, and of conditions:
        ``{"phase == 'train'": True}``.
    package : str
        Leave out what is known, by the imports, to be of another package.

    Returns
    -------
    mapping from str to Call
        A name is that of the variable, of the function that returns it, or of the key in a dictionary; one that is
        given twice has its line behind it, or the conditions under which it is made.

    Examples
    --------
    >>> program = '''
    ... SIZE = 224
    ... def train(size=SIZE):
    ...     return A.Compose([A.RandomCrop(size, size), A.HorizontalFlip(p=0.5)])
    ... '''
    >>> pipelines_in(program)["train"].positional[0][0].positional
    (224, 224)
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InputError(f"expected a Python program, got a syntax error on line {error.lineno}: {error.msg}") from None
    walk = Walk(tree, package)
    walk.run(dict(names or {}))
    return _named(walk.found or walk.loose)


def _named(found: list[Found]) -> dict[str, Call]:
    """By name; another name of one that has a name stands behind all of them, where it is nothing else's."""
    called = {one.within for one in found}
    # A function that is called: what it makes with its defaults is nobody's.
    found = [one for one in found if one.within or one.name not in called or not one.name]
    found = sorted(found, key=lambda one: _line(one.call))
    names = Counter(one.name for one in found)
    lines = Counter((one.name, one.call.where) for one in found)
    made: dict[str, Call] = {}
    for one in found:
        behind = one.call.where
        if lines[one.name, one.call.where] > 1:
            behind = " and ".join(one.conditions) or behind
        label = one.name if names[one.name] == 1 else f"{one.name} ({behind})"
        while label in made:
            label += "'"
        made[label] = one.call
    others = [(name, one.call) for one in found for name in dict.fromkeys((*one.also, one.within)) if name]
    times = Counter(name for name, _ in others)
    return made | {name: call for name, call in others if times[name] == 1 and name not in names}


def _line(call: Call) -> int:
    number = call.where.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0
