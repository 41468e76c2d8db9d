"""Colours in plain words: the eleven basic colour terms of English."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["COLOURS", "colour_numbers"]

COLOURS = ("black", "gray", "white", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
"""Berlin and Kay (1969), "Basic Color Terms: Their Universality and Evolution"."""

_KNOWN = {
    "black": ("000000", "363737"),
    "gray": ("929591", "516572", "59656d", "7d7f7c"),
    "white": ("ffffff", "ffffe4", "d8dcd6"),
    "red": ("e50000", "840000", "650021", "610023", "9a0200", "be0119", "d9544d"),
    "orange": ("f97306", "c65102", "fdaa48", "ffb07c", "ff964f"),
    "yellow": ("ffff14", "fffe7a", "ceb301", "dbb40c", "ffffc2", "fac205"),
    "green": ("15b01a", "033500", "96f97b", "6e750e", "029386", "aaff32", "06470c", "06c2ac", "8fb08b", "677a04",
              "76cd26", "39ad48", "4b5d16"),
    "blue": ("0343df", "95d0fc", "75bbfd", "00035b", "01153e", "00ffff", "0504aa", "069af3", "3b638c", "7bc8f6",
             "0203e2", "0804f9"),
    "purple": ("7e1e9c", "c79fef", "9a0eea", "cea2fd", "35063e", "bf77f6", "82748d"),
    "pink": ("ff81c0", "c20078", "cf6275", "ff028d", "ffd1df", "cb416b", "ff796c", "d5869d"),
    "brown": ("653700", "d1b26f", "341c02", "ad8150", "a83c09", "af884a", "826d45", "7f5112"),
}  # fmt: skip
"""Of names that people gave to colours on screens, those of each basic term, as RGB.

Source: Munroe (2010), "Color survey results" (public domain): shades of more than 200,000 people. What they
called light and dark gray is taken for white and black: things in photographs lie in their own shade.
"""

_STEPS = 32


@cache
def _table() -> npt.NDArray[np.uint8]:
    """The term of each of 32x32x32 colours: that of the nearest known shade in CIELAB."""
    known = [(number, shade) for number, name in enumerate(COLOURS) for shade in _KNOWN[name]]
    shades = np.array([[int(shade[at : at + 2], 16) for at in (0, 2, 4)] for _, shade in known], np.uint8)
    terms = np.array([number for number, _ in known], np.uint8)
    side = (np.arange(_STEPS) * (256 // _STEPS) + 128 // _STEPS).astype(np.uint8)
    grid = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)
    near = ((_lab(grid)[:, None] - _lab(shades)[None]) ** 2).sum(axis=2).argmin(axis=1)
    return np.asarray(terms[near], np.uint8)


def _lab(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    lab = cv2.cvtColor(rgb[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(lab[0], np.float32)


def colour_numbers(rgb: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The basic colour term of each colour, as its place in `COLOURS`.

    Parameters
    ----------
    rgb : array ``[..., 3]`` of uint8
        sRGB.

    Returns
    -------
    array ``[...]`` of uint8

    Notes
    -----
    The nearest shade of known name in CIELAB (CIE 15:2004), from a table of 32 steps a channel.

    Examples
    --------
    >>> [COLOURS[n] for n in colour_numbers(np.array([[200, 20, 30], [120, 80, 40], [240, 240, 240]], np.uint8))]
    ['red', 'brown', 'white']
    """
    steps = np.asarray(rgb >> 3, np.int32)
    return np.asarray(_table()[(steps[..., 0] * _STEPS + steps[..., 1]) * _STEPS + steps[..., 2]])
