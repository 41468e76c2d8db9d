"""Numbers as they stand on a command line: ``224``, ``8,64,64``, ``0.7,0.15,0.15``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import imagemill as im

__all__ = ["SIZE_HELP", "numbers", "preset_size"]

SIZE_HELP = "Of the result in pixels, for a preset: its side, Y,X, or of scans Z,Y,X; the preset's own when left out."

_EXAMPLES = {"size": "224, or 224,320 for Y,X", "split": "0.7,0.15,0.15", "resolution": "64"}


def numbers(name: str, words: str, kind: Callable[[str], Any]) -> Any:
    """One number, or several with commas (or x, / or :) between; ``70%`` is 0.7.

    Parameters
    ----------
    name : str
        Of the option.
    words : str
        What was given.
    kind : callable
        Makes a number of a word that is no whole one.

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> numbers("size", "224", int), numbers("size", "8x64x64", int), numbers("split", "70%/10%/20%", float)
    (224, (8, 64, 64), (0.7, 0.1, 0.2))
    """
    found = []
    for part in re.split(r"[,x×/:]", words.strip()):
        word = part.strip()
        try:
            if word.endswith("%") and kind is float:
                found.append(float(word[:-1]) / 100)
            else:
                found.append(int(word) if word.isdecimal() else kind(word))
        except ValueError:
            example = _EXAMPLES.get(name, "224")
            raise im.InputError(
                f"expected --{name} as numbers with commas between, got {words!r}; write --{name} {example}"
            ) from None
    return found[0] if len(found) == 1 else tuple(found)


def preset_size(words: str | None) -> Any:
    """``--size`` for a preset: None, a side, or lengths in the order of the axes."""
    return None if words is None else numbers("size", words, int)
