"""Names of points that change sides in a mirror: the left eye of a mirrored face is its right one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError

__all__ = ["COCO_PAIRS", "Swap", "exchange", "read_swap"]

Pairs = tuple[tuple[Hashable, Hashable], ...]
Swap = Literal["auto"] | Pairs

COCO_PAIRS: Pairs = tuple(
    (f"left_{part}", f"right_{part}") for part in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
"""The names of COCO's 17 keypoints that come in pairs; the nose has none."""

_COCO = frozenset(name for pair in COCO_PAIRS for name in pair)
_WORD = re.compile(r"(?<![A-Za-z])(?:left|right|Left|Right|LEFT|RIGHT)(?![a-z])|(?<=[a-z])(?:Left|Right)(?![a-z])")
_LETTER = re.compile(r"(?:^|(?<=[_\-. ]))[LRlr](?=$|[_\-. ])|^[LR](?=[A-Z][a-z])")
_OTHER = {"left": "right", "right": "left", "l": "r", "r": "l"}


def read_swap(swap: Any) -> Swap:
    """Check what was said about names: ``"auto"``, or pairs of names; none switch it off.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> read_swap([["a", "b"]])
    (('a', 'b'),)
    """
    if isinstance(swap, str) and swap == "auto":
        return "auto"
    try:
        pairs = tuple((one, other) for one, other in swap)
        flat = [name for pair in pairs for name in pair]
        good = not isinstance(swap, str) and len(set(flat)) == len(flat)
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ParameterError(
            f"expected swap as 'auto', or pairs of names with each name once, got {swap!r}; "
            'write swap=(("left_eye", "right_eye"),), or swap=() for names that stay'
        )
    return pairs


def exchange(
    labels: Sequence[Any] | None, count: int, swap: Swap, instance: npt.NDArray[np.int64] | None
) -> tuple[npt.NDArray[np.int64], list[Any] | None] | None:
    """Which row's place each row of mirrored points takes, and the labels where some change; None where all stay.

    Parameters
    ----------
    labels : sequence or None
        Names of the points; their row numbers within each annotation where there are none.
    count : int
        How many points there are.
    swap : "auto" or pairs
    instance : array of int ``(count,)`` or None
        Which annotation each point belongs to. Left out, labels that repeat as a whole (17 names, three times) are as
        many annotations, and labels that all differ are one.

    Notes
    -----
    A point whose partner is in the same annotation takes its place, so that every row keeps its name. One without, or
    in a list where it cannot be told which belong together, gets its partner's name instead.

    Examples
    --------
    >>> order, renamed = exchange(["nose", "left_eye", "right_eye"], 3, "auto", None)
    >>> order.tolist(), renamed
    ([0, 2, 1], None)
    >>> exchange(["nose", "left_eye"], 2, "auto", None)[1]
    ['nose', 'right_eye']
    """
    if labels is None and swap == "auto":
        return None
    key = None if labels is None else tuple(labels.tolist() if isinstance(labels, np.ndarray) else labels)
    which = None if instance is None else tuple(np.asarray(instance).tolist())
    try:
        found = _exchange(key, count, swap, which)
    except TypeError:  # labels that cannot be looked up have no partners
        return None
    if found is None:
        return None
    order, renamed = found
    return np.array(order, np.int64), None if renamed is None else list(renamed)


@lru_cache(maxsize=512)
def _exchange(
    labels: tuple[Any, ...] | None, count: int, swap: Swap, instance: tuple[int, ...] | None
) -> tuple[tuple[int, ...], tuple[Any, ...] | None] | None:
    blocks = _blocks(labels, count, instance)
    numbered = labels is None
    if labels is None:
        places = {row: place for block in blocks for place, row in enumerate(block)}
        labels = tuple(places[row] for row in range(count))
    partners = _partners(frozenset(labels)) if swap == "auto" else {a: b for p in swap for a, b in (p, p[::-1])}
    order, renamed = list(range(count)), list(labels)
    for block in blocks:
        many = Counter(labels[row] for row in block)
        rows = {labels[row]: row for row in block}
        for row in block:
            other = partners.get(labels[row])
            if other is None:
                continue
            if many[labels[row]] == 1 and many[other] == 1:
                order[row] = rows[other]
            else:
                renamed[row] = other
    changed = tuple(renamed) != labels and not numbered
    if order == list(range(count)) and not changed:
        return None
    return tuple(order), tuple(renamed) if changed else None


def _blocks(labels: tuple[Any, ...] | None, count: int, instance: tuple[int, ...] | None) -> list[list[int]]:
    """Rows that belong to one annotation each."""
    rows = list(range(count))
    if instance is not None:
        return [[row for row in rows if instance[row] == one] for one in dict.fromkeys(instance)]
    if labels is None:
        return [rows]
    size = len(set(labels))
    if size and count % size == 0 and labels == labels[:size] * (count // size):
        return [rows[first : first + size] for first in range(0, count, size)]
    return [[row] for row in rows]


def _partners(names: frozenset[Any]) -> dict[Any, Any]:
    """The other side of each name that has one: by the words left and right, or by an L or R whose other is there."""
    found: dict[Any, Any] = {}
    for name in names:
        if not isinstance(name, str):
            continue
        other = _WORD.sub(_flipped, name)
        if other == name:
            other = _LETTER.sub(_flipped, name)
        if other != name and (other in names or name in _COCO):
            found[name] = other
    return found


def _flipped(match: re.Match[str]) -> str:
    word = match[0]
    other = _OTHER[word.lower()]
    return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other
