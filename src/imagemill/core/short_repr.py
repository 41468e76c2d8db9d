"""Values in one line: what they are and how large, not what all their numbers are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

__all__ = ["ShortRepr", "listed", "short"]

_FEW_NUMBERS, _FEW_ITEMS, _LONG_TEXT = 9, 5, 80
_PLAIN = (str, bytes, int, float, complex, bool, type(None), np.generic, PurePath)


class ShortRepr:
    """A dataclass whose repr is one line: arrays say type and shape; what is empty or as it always is is left out.

    To be given ``repr=False`` as a dataclass, which would otherwise write one that lists every value.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True, repr=False)
    ... class Scan(ShortRepr):
    ...     array: np.ndarray
    ...     axes: str = "zyx"
    ...     note: str = ""
    >>> Scan(np.zeros((40, 512, 512), np.int16), note="read as 40 slices")
    Scan(array=int16 (40, 512, 512), note='read as 40 slices')
    """

    __slots__ = ()

    def __repr__(self) -> str:
        said = (f"{field.name}={short(getattr(self, field.name))}" for field in _told(self))
        return f"{type(self).__name__}({', '.join(said)})"


def _told(value: Any) -> Iterable[dataclasses.Field[Any]]:
    """The fields that a repr names: those that hold something, and not what they hold when nothing is said."""
    return (field for field in dataclasses.fields(value) if field.repr and not _goes_without(field, value))


def _goes_without(field: dataclasses.Field[Any], value: Any) -> bool:
    given = getattr(value, field.name)
    if isinstance(given, Mapping | list | tuple | set | frozenset) and not given:
        return True
    if field.default is not dataclasses.MISSING:
        default = field.default
    elif field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    else:
        return False
    if isinstance(given, np.ndarray) or isinstance(default, np.ndarray):
        return isinstance(given, np.ndarray) and isinstance(default, np.ndarray) and np.array_equal(given, default)
    return given is default or (type(given) is type(default) and bool(given == default))


def short(value: Any) -> str:
    """A value in a few words.

    Examples
    --------
    >>> short(np.zeros((75, 100, 3), np.uint8)), short(np.array([[1, 2], [3, 4]]))
    ('uint8 (75, 100, 3)', '[[1, 2], [3, 4]]')
    >>> short(tuple(range(300))), short({"cat": 2, "dog": 3})
    ('(0, 1, 2, 3, 4, ... 295 more)', "{'cat': 2, 'dog': 3}")
    >>> short([object()] * 7), short("a" * 200) == repr("a" * 77 + "...")
    ('<7 object>', True)
    """
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, PurePath):
        return repr(str(value))
    if isinstance(value, str):
        return str.__repr__(value if len(value) <= _LONG_TEXT else f"{value[: _LONG_TEXT - 3]}...")
    if isinstance(value, Mapping):
        pairs = [f"{short(key)}: {short(one)}" for key, one in list(value.items())[:_FEW_ITEMS]]
        return f"{{{', '.join(pairs + _more(len(value)))}}}"
    if isinstance(value, list | tuple | set | frozenset):
        opening, closing = ("[", "]") if isinstance(value, list) else ("(", ")") if isinstance(value, tuple) else "{}"
        return _items(value, opening, closing)
    text = repr(value)
    return text if len(text) <= 3 * _LONG_TEXT else f"<{type(value).__name__}>"


def _array(value: np.ndarray[Any, Any]) -> str:
    return str(value.tolist()) if value.size <= _FEW_NUMBERS and value.ndim else f"{value.dtype} {value.shape}"


def _items(values: Any, opening: str, closing: str) -> str:
    plain = all(isinstance(one, _PLAIN) or _is_small(one) for one in list(values)[:_FEW_ITEMS])
    if not plain and len(values) > 1:
        kinds = {type(one).__name__ for one in values}
        return f"<{len(values):,} {kinds.pop() if len(kinds) == 1 else 'values'}>"
    inside = [short(one) for one in list(values)[:_FEW_ITEMS]] + _more(len(values))
    comma = "," if isinstance(values, tuple) and len(values) == 1 else ""
    return f"{opening}{', '.join(inside)}{comma}{closing}"


def _is_small(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) <= _FEW_ITEMS and all(isinstance(one, _PLAIN) for one in value)


def _more(count: int) -> list[str]:
    return [f"... {count - _FEW_ITEMS:,} more"] if count > _FEW_ITEMS else []


def listed(values: Sequence[Any], most: int = 3) -> str:
    """The first of some values, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c", "d", "e"])
    "'a', 'b', 'c', ... 2 more"
    """
    more = [f"... {len(values) - most:,} more"] if len(values) > most else []
    return ", ".join([short(one) for one in values[:most]] + more)
