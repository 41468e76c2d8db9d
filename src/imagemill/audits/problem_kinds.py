"""Problems of a source by kind: a thousand lines with one fault are one thing to mend."""

from __future__ import annotations

import re
from collections.abc import Sequence

from imagemill.data.layouts.base import Problem

__all__ = ["problem_kinds"]

_OWN = re.compile(r"'[^']*'|\"[^\"]*\"|\([^)]*\)|\[[^\]]*\]|[-+]?\d+(\.\d+)?")
"""What a message says of its own case: names in quotes, numbers, lists of them."""


def problem_kinds(problems: Sequence[Problem], shown: int = 3) -> str:
    """The first problem of each kind with how many are like it, the commonest kinds first.

    Parameters
    ----------
    problems : sequence of Problem
    shown : int
        Kinds to name; of the others the number is said.

    Examples
    --------
    >>> problem_kinds([Problem(f"{n}.txt", f"expected 5 numbers, got {n}") for n in range(3)])
    '0.txt: expected 5 numbers, got 0 (3 like this)'
    """
    kinds: dict[str, list[Problem]] = {}
    for one in problems:
        kinds.setdefault(_OWN.sub("#", one.message.replace(one.name, "")), []).append(one)
    ordered = sorted(kinds.values(), key=len, reverse=True)
    said = [f"{of[0]} ({len(of):,} like this)" if len(problems) > 1 else str(of[0]) for of in ordered[:shown]]
    return "; ".join(said) + (f"; and {len(ordered) - shown} other kinds" if len(ordered) > shown else "")
