"""Columns that belong together: the four numbers of a box, pixels one by one, a column for each class."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LEAST_PIXELS", "BoxColumns", "box_columns", "pixel_columns", "squashed"]

_CORNERS = (
    *(("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("x0", "y0", "x1", "y1")),
    *(("left", "top", "right", "bottom"), ("xtl", "ytl", "xbr", "ybr"), ("minx", "miny", "maxx", "maxy")),
    *(("xstart", "ystart", "xend", "yend"), ("startx", "starty", "endx", "endy"), ("l", "t", "r", "b")),
    *(("xleft", "ytop", "xright", "ybottom"), ("xlow", "ylow", "xhigh", "yhigh")),
)
_EDGES = (
    *(("x", "y"), ("left", "top"), ("xmin", "ymin"), ("x1", "y1"), ("x0", "y0"), ("xtl", "ytl"), ("minx", "miny")),
    *(("topleftx", "toplefty"), ("xleft", "ytop")),
)
_CENTRES = (
    *(("xcenter", "ycenter"), ("xcentre", "ycentre"), ("centerx", "centery"), ("centrex", "centrey"), ("cx", "cy")),
    *(("xc", "yc"), ("xmid", "ymid"), ("midx", "midy")),
)
_LENGTHS = (("w", "h"), ("width", "height"), ("dx", "dy"), ("boxwidth", "boxheight"))
_FORMS = (
    *(("xyxy", names) for names in _CORNERS),
    *(("centre", (*edges, *lengths)) for edges in _CENTRES for lengths in _LENGTHS),
    *(("xywh", (*edges, *lengths)) for edges in _EDGES for lengths in _LENGTHS),
)
_PREFIX = re.compile(r"(?:boundingbox|bndbox|bbox|box|bb|roi|rect|region|annotation|coordinates?|label)(?=[a-z])")
_PIXEL = re.compile(r"(?:pixels?|px|pix|feature|feat|attr|attribute|column|col|p|x|f|v)?[ _.\-]*(\d+)")
_PLACE = re.compile(r"\d+x\d+(?:x\d+)?|(?:pixel|px|p)_?\d+_\d+")
LEAST_PIXELS = 16
"""Columns of numbers that are pixels, at least."""


def squashed(name: str) -> str:
    """A column's name in lower case, without blanks and marks.

    Examples
    --------
    >>> squashed("Image Path"), squashed("Roi.X1"), squashed("class_id")
    ('imagepath', 'roix1', 'classid')
    """
    return re.sub(r"[\W_]+", "", name.casefold())


@dataclass(frozen=True, slots=True)
class BoxColumns:
    """Four columns that make a box.

    Parameters
    ----------
    form : str
        ``"xyxy"`` (left, top, right, bottom), ``"xywh"`` (left, top, width, height) or ``"centre"``.
    numbers : tuple of int
        The columns, counted from 0.
    """

    form: str
    numbers: tuple[int, ...]


def box_columns(names: Sequence[str]) -> BoxColumns | None:
    """Find the columns of a box by their names; None where there are none.

    Examples
    --------
    >>> box_columns(["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"])
    BoxColumns(form='xyxy', numbers=(4, 5, 6, 7))
    >>> box_columns(["id", "bbox_x", "bbox_y", "bbox_width", "bbox_height"]).form
    'xywh'
    """
    plain = [squashed(name) for name in names]
    bare = [_PREFIX.sub("", name, count=1) for name in plain]
    for own in (bare, plain):
        for form, wanted in _FORMS:
            found = [[n for n, name in enumerate(own) if name == one] for one in wanted]
            if all(found):
                # Where the picture's width stands beside the box's, the one with "box" before it is the box's.
                return BoxColumns(form, tuple(max(ns, key=lambda n: len(plain[n]) - len(own[n])) for ns in found))
    return None


def pixel_columns(names: Sequence[str]) -> tuple[int, ...]:
    """The columns that hold one pixel each; empty where there are none.

    Examples
    --------
    >>> len(pixel_columns(["label", *(f"pixel{n}" for n in range(784))])), pixel_columns(["label", "x1", "x2"])
    (784, ())
    """
    numbered = []
    for n, name in enumerate(names):
        text = name.strip().casefold()
        if _PIXEL.fullmatch(text) or _PLACE.fullmatch(text):
            numbered.append(n)
    together = bool(numbered) and numbered[-1] - numbered[0] == len(numbered) - 1
    return tuple(numbered) if together and len(numbered) >= LEAST_PIXELS else ()
