"""A check of settings that are one of a few words."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from imagemill.core.errors import ParameterError

__all__ = ["OneOfThese", "one_of"]


@dataclass(frozen=True, slots=True)
class OneOfThese:
    """A check that accepts only these values, and tells which they are."""

    words: tuple[Any, ...]

    def __call__(self, name: str, value: Any) -> Any:
        if not any(value == w and type(value) is type(w) for w in self.words):
            near = difflib.get_close_matches(str(value), [str(w) for w in self.words], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            known = ", ".join(map(repr, self.words))
            raise ParameterError(f"expected {name} to be one of {known}, got {value!r}{hint}")
        return value


def one_of(*words: Any) -> OneOfThese:
    """A check that accepts only these values."""
    return OneOfThese(words)
