"""Pipelines in Python source: found and read, never run."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any

from imagemill.compat.translate.calls import Call, calls_in
from imagemill.compat.translate.readers.expressions import Scope, Undecided
from imagemill.compat.translate.readers.programs import Found, Walk
from imagemill.core.errors import InputError

__all__ = ["expression", "pipelines_in", "program"]


_LONGEST = 60
_PLACE = re.compile(r"\[\d+\]$")
"""Behind the name of what stands in a list."""


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
        given twice has the conditions behind it under which it is made, or its line.

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
    return program(text, names, package=package)[0]


def program(
    text: str, names: Mapping[str, Any] | None = None, *, package: str = ""
) -> tuple[dict[str, Call], dict[str, Call]]:
    r"""The pipelines of a program, as `pipelines_in` finds them, and transforms that stand in none of them.

    Those are what a program calls by itself, such as what mixes whole batches; of several within each other the outer.

    Examples
    --------
    >>> found, beside = program("train = A.Compose([A.Flip()])\nmix = v2.RandomChoice([v2.MixUp(), v2.CutMix()])")
    >>> list(found), list(beside)
    (['train'], ['mix'])
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InputError(f"expected a Python program, got a syntax error on line {error.lineno}: {error.msg}") from None
    walk = Walk(tree, package)
    walk.run(dict(names or {}))
    if not walk.found:
        return _named(walk.loose), {}
    taken = {id(step) for found in walk.found for step in calls_in(found.call)}
    taken |= {id(inner) for one in walk.loose for step in _steps(one) for inner in islice(calls_in(step), 1, None)}
    return _named(walk.found), _named([one for one in walk.loose if not taken & set(map(id, _steps(one)))])


def _steps(one: Found) -> list[Call]:
    return list(one.call.given["transforms"])


def _named(found: list[Found]) -> dict[str, Call]:
    """By name; another name of one that has a name stands behind all of them, where it is nothing else's."""
    called = {one.within for one in found}
    # A function or a class that is called: what it makes with its defaults is nobody's.
    found = [one for one in found if one.within or not called & {one.name.partition("[")[0], *one.also} or not one.name]
    # [Compose(...)] of which a pipeline is made has no name of its own.
    inside = {id(part) for one in found for part in islice(calls_in(one.call), 1, None)}
    found = [one for one in found if not (_PLACE.search(one.name) and id(one.call) in inside)]
    found = sorted(found, key=lambda one: _line(one.call))
    names = Counter(one.name for one in found)
    told = Counter((one.name, one.conditions) for one in found if one.conditions)
    made: dict[str, Call] = {}
    for one in found:
        conditions = " and ".join(one.conditions)
        # A long condition is no name to write.
        short = told[one.name, one.conditions] == 1 and len(conditions) <= _LONGEST
        behind = conditions if short else one.call.where
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
