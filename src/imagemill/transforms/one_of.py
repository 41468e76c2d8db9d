"""A check of settings that are one of a few words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imagemill.core.errors import ParameterError
from imagemill.core.near_words import near_word

__all__ = ["OneOfThese", "one_of"]


@dataclass(frozen=True, slots=True)
class OneOfThese:
    """A check that accepts only these values, and tells which they are."""

    words: tuple[Any, ...]

    def __call__(self, name: str, value: Any) -> Any:
        if not any(value == w and type(value) is type(w) for w in self.words):
            known = ", ".join(map(repr, self.words))
            hint = near_word(value, self.words, _ELSEWHERE) or _in_brackets(name, value)
            raise ParameterError(f"expected {name} to be one of {known}, got {value!r}{hint}")
        return value


_ELSEWHERE = {
    "horizontal": "x", "horizontally": "x", "h": "x", "lr": "x", "left-right": "x", "left_right": "x", "width": "x",
    "vertical": "y", "vertically": "y", "v": "y", "ud": "y", "up-down": "y", "up_down": "y", "height": "y",
    "depth": "z", "axial": "z", "chw": "channels_first", "nchw": "channels_first", "hwc": "channels_last",
    "nhwc": "channels_last", "linear": "1", "bilinear": "1", "trilinear": "1", "cubic": "3", "bicubic": "3",
    "edge": "nearest", "replicate": "nearest", "zeros": "constant", "zero": "constant", "reflect_101": "mirror",
    "reflect101": "mirror", "symmetric": "reflect", "circular": "wrap", "uint8": "uint8", "float": "float32",
    "none": "none",
}  # fmt: skip
"""What other libraries call a value of a setting, and what it is called here."""


def _in_brackets(name: str, value: Any) -> str:
    """What to do where a second number stands in the place of a word: sizes and pairs go into one bracket."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"; several numbers of one parameter go into brackets, as in {name.partition('(')[0]}((224, 224))"


def one_of(*words: Any) -> OneOfThese:
    """A check that accepts only these values."""
    return OneOfThese(words)
