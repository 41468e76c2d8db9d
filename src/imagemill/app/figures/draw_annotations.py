"""Label maps, boxes and points drawn on pictures.

Pictures are ``(H, W, 3)`` uint8 in RGB; coordinates are index coordinates of that picture, ``(y, x)`` with
pixel centres at integers, and boxes are given by their edges, as everywhere inside the package. Nothing is
drawn in place: every function returns a new picture.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Colour = tuple[int, int, int]

PALETTE: npt.NDArray[np.uint8] = np.array(
    [
        (230, 159, 0),
        (86, 180, 233),
        (0, 158, 115),
        (240, 228, 66),
        (213, 94, 0),
        (204, 121, 167),
        (0, 114, 178),
    ],
    np.uint8,
)
"""Seven colours that also differ for colour-blind eyes (Okabe and Ito 2008, "Color Universal Design")."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A line around or along an annotation: the annotation's label, and corners ``(n, 2)`` as ``(y, x)`` indices."""

    label: Hashable
    corners: Floats
    closed: bool = True


_DARK, _LIGHT = (20, 20, 20), (255, 255, 255)
FACE = "sans"  # a scalable face that comes with OpenCV, with letters beyond ASCII


def label_colour(label: int) -> Colour:
    """Give the colour of a label of a label map; labels seven apart share one.

    Examples
    --------
    >>> label_colour(1), label_colour(8)
    ((230, 159, 0), (230, 159, 0))
    """
    red, green, blue = PALETTE[(label - 1) % len(PALETTE)]
    return int(red), int(green), int(blue)


def draw_mask(rgb: Rgb, labels: npt.NDArray[Any], *, opacity: float = 0.35, outline: int = 1) -> Rgb:
    """Lay a label map over a picture: translucent colours with an opaque polygon inside each region.

    Parameters
    ----------
    rgb : array, ``(H, W, 3)`` uint8
    labels : array, ``(H, W)`` of integers or bool
        0 is background and stays clear.
    opacity : float
        0 (only polygons) to 1.
    polygon : int
        Width of the polygon in pixels.

    Examples
    --------
    >>> black = np.zeros((1, 2, 3), np.uint8)
    >>> draw_mask(black, np.array([[0, 1]]), opacity=0.5, outline=0).tolist()
    [[[0, 0, 0], [115, 80, 0]]]
    """
    labels = labels.astype(np.int64)
    inside = labels != 0
    colours = PALETTE[(labels - 1) % len(PALETTE)].astype(np.float64)
    blended = np.rint(rgb * (1 - opacity) + colours * opacity).astype(np.uint8)
    out = np.where(inside[..., None], blended, rgb)
    edge = inside & _edges(labels, outline)
    out[edge] = colours[edge].astype(np.uint8)
    return out


def _edges(labels: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.bool_]:
    """Pixels within ``width`` of a pixel of another label, along rows or columns."""
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        for step in range(1, min(width, labels.shape[axis] - 1) + 1):
            head = [slice(None)] * 2
            tail = [slice(None)] * 2
            head[axis], tail[axis] = slice(None, -step), slice(step, None)
            differs = labels[tuple(head)] != labels[tuple(tail)]
            edge[tuple(head)] |= differs
            edge[tuple(tail)] |= differs
    return edge


def colours_of(labels: Iterable[Hashable], after: int = 0) -> dict[Hashable, Colour]:
    """One colour for each different label, in the order in which they first come.

    Parameters
    ----------
    labels : iterable
    after : int
        How many colours are already taken, by the labels of a label map.
    """
    return {label: label_colour(place + 1) for place, label in enumerate(dict.fromkeys(labels), after)}


def draw_boxes(
    rgb: Rgb,
    edges: Floats,
    labels: Sequence[Hashable] | None = None,
    *,
    colours: dict[Hashable, Colour] | None = None,
    width: int = 2,
    text_pixels: int = 12,
) -> Rgb:
    """Draw boxes as frames that lie inside them, each with its label on a tag.

    Parameters
    ----------
    rgb : array, ``(H, W, 3)`` uint8
    edges : array, ``(k, 4)``
        Lower y, lower x, upper y, upper x: a box around pixels 2 to 4 has the edges 1.5 and 4.5.
    labels : sequence, optional
        One per box; equal labels share a colour.
    colours : dict, optional
        Colour of each label, where several pictures must agree.
    width : int
        Of the line, pixels.
    text_pixels : int
        Height of the text; 0 writes none.

    Examples
    --------
    >>> out = draw_boxes(np.zeros((4, 4, 3), np.uint8), np.array([[0.5, 0.5, 2.5, 2.5]]), width=1)
    >>> (out[..., 0] > 0).astype(int).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    named = list(labels) if labels is not None else [0] * len(edges)
    table = colours if colours is not None else colours_of(named)
    out = rgb.copy()
    spans = [_span(box, rgb.shape) for box in edges]
    for (top, left, bottom, right), label in zip(spans, named, strict=True):
        t = min(width, bottom - top, right - left)
        colour = table[label]
        out[top : top + t, left:right] = colour
        out[max(top, bottom - t) : bottom, left:right] = colour
        out[top:bottom, left : left + t] = colour
        out[top:bottom, max(left, right - t) : right] = colour
    if labels is not None and text_pixels:
        for (top, left, _, _), label in zip(spans, named, strict=True):
            out = _tag(out, str(label), top, left, table[label], text_pixels)
    return out


def _span(box: Floats, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Rows and columns whose centres lie in a box, at least one, inside the picture: half-open."""
    low = np.clip(np.ceil(box[:2]), 0, np.array(shape[:2]) - 1).astype(int)
    high = np.clip(np.floor(box[2:]) + 1, low + 1, np.array(shape[:2])).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def draw_outlines(rgb: Rgb, outlines: Sequence[Outline], colours: dict[Hashable, Colour], opacity: float = 0.25) -> Rgb:
    """Draw lines, the closed ones filled with a tint of their label's colour.

    Examples
    --------
    >>> corners = np.array([[1.0, 1.0], [1.0, 6.0], [6.0, 6.0], [6.0, 1.0]])
    >>> out = draw_outlines(np.zeros((8, 8, 3), np.uint8), [Outline("cat", corners)], {"cat": (200, 0, 0)}, 0.5)
    >>> out[3, 3].tolist(), out[0, 7].tolist()
    ([100, 0, 0], [0, 0, 0])
    """
    out = rgb.copy()
    rings = [np.array([_fixed(corner) for corner in one.corners], np.int32) for one in outlines]
    for one, ring in zip(outlines, rings, strict=True):
        if not one.closed:
            continue
        tint = out.copy()
        cv2.fillPoly(tint, [ring], colours[one.label], cv2.LINE_8, _SHIFT)
        out = cv2.addWeighted(tint, opacity, out, 1 - opacity, 0).astype(np.uint8)
    for one, ring in zip(outlines, rings, strict=True):
        cv2.polylines(out, [ring], one.closed, colours[one.label], lineType=cv2.LINE_AA, shift=_SHIFT)
    return out


def readable_on(colour: Colour) -> Colour:
    """Dark or light text, whichever stands out on a colour (relative luminance of WCAG 2, simplified).

    Examples
    --------
    >>> readable_on((240, 228, 66)), readable_on((0, 114, 178))
    ((20, 20, 20), (255, 255, 255))
    """
    return _DARK if 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 100 else _LIGHT


def _tag(rgb: Rgb, text: str, top: int, left: int, colour: Colour, pixels: int) -> Rgb:
    """Write a text on a filled tag: above the place when there is room, else below it, always inside."""
    face, weight = cv2.FontFace(FACE), 500
    x, _, w, _ = cv2.getTextSize((0, 0), text, (0, 0), face, pixels, weight)
    room, wide = pixels + 4, w + 6
    up = top - room if top >= room else top
    up = max(0, min(up, rgb.shape[0] - room))
    left = max(0, min(left, rgb.shape[1] - wide))
    out = rgb.copy()
    out[up : up + room, left : left + wide] = colour
    base = (left + 3 - x, up + 2 + round(0.8 * pixels))
    cv2.putText(out, text, base, readable_on(colour), face, pixels, weight)
    return out


def draw_points(
    rgb: Rgb,
    points: Floats,
    visible: npt.NDArray[np.bool_] | None = None,
    labels: Sequence[Hashable] | None = None,
    *,
    colours: dict[Hashable, Colour] | None = None,
    links: Sequence[tuple[int, int]] = (),
    radius: float = 3.0,
) -> Rgb:
    """Draw points as coloured discs with a dark rim, and lines between linked ones.

    Parameters
    ----------
    rgb : array, ``(H, W, 3)`` uint8
    points : array, ``(k, 2)``
        ``(y, x)`` indices.
    visible : bool array ``(k,)``, optional
        Others are not drawn, nor are links to them.
    labels : sequence, optional
        One per point; equal labels share a colour.
    colours : dict, optional
        Colour of each label, where several pictures must agree.
    links : sequence of pairs of int
        Rows of ``points`` to join by a line.
    radius : float
        Of a disc, pixels.

    Examples
    --------
    >>> out = draw_points(np.zeros((9, 9, 3), np.uint8), np.array([[4.0, 4.0]]), radius=2)
    >>> out[4, 4].tolist(), out[0, 0].tolist()
    ([230, 159, 0], [0, 0, 0])
    """
    named = list(labels) if labels is not None else [0] * len(points)
    table = colours if colours is not None else colours_of(named)
    seen = np.ones(len(points), bool) if visible is None else np.asarray(visible, bool)
    out = rgb.copy()
    at = [_fixed(point) for point in points]
    for a, b in links:
        if seen[a] and seen[b]:
            cv2.line(out, at[a], at[b], _DARK, 3, cv2.LINE_AA, _SHIFT)
            cv2.line(out, at[a], at[b], _LIGHT, 1, cv2.LINE_AA, _SHIFT)
    for place, label, shown in zip(at, named, seen, strict=True):
        if shown:
            cv2.circle(out, place, round((radius + 1) * (1 << _SHIFT)), _DARK, cv2.FILLED, cv2.LINE_AA, _SHIFT)
            cv2.circle(out, place, round(radius * (1 << _SHIFT)), table[label], cv2.FILLED, cv2.LINE_AA, _SHIFT)
    return out


_SHIFT = 4  # OpenCV draws at fractions of a pixel given as integers with this many binary places
_FAR = 1 << 20  # and its integers must not overflow for points far outside


def _fixed(point: Floats) -> tuple[int, int]:
    y, x = np.clip(np.rint(np.asarray(point) * (1 << _SHIFT)), -_FAR, _FAR)
    return int(x), int(y)
