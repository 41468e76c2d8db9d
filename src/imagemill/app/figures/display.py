"""Any image as a picture for the eye: RGB, eight bits, two axes.

What is changed on the way is said in words, so that nobody takes the picture for the data: which slice of
a scan it is, which values became black and white, what normalisation was taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill import Boxes, Image, Keypoints, Mask, Normalize, Pipeline
from imagemill.app.figures.draw_annotations import (
    Colour,
    Outline,
    Rgb,
    colours_of,
    draw_boxes,
    draw_mask,
    draw_outlines,
    draw_points,
)
from imagemill.core import peak_of
from imagemill.transforms import NORMALIZE_PRESETS

Array = np.ndarray[Any, Any]

LOW_PERCENT, HIGH_PERCENT = 0.5, 99.5
"""Percentiles of the values that are shown black and white where nothing better is known."""
_FEW_POINTS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """The part of an image that is shown.

    Parameters
    ----------
    pixels : array, ``(H, W, 1 | 3)``
        Still the image's own values and dtype.
    slice : int or None
        Which slice of a scan it is.
    slices : int
        How many slices there are.
    note : str
        What was left out, in words.
    """

    pixels: Array
    slice: int | None
    slices: int
    note: str


@dataclass(frozen=True, slots=True)
class Window:
    """The values that are shown as black and as white, one each or one per channel, and why."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    note: str = ""

    def apply(self, pixels: Array) -> Rgb:
        """Values to RGB bytes; what is not a number is black.

        Examples
        --------
        >>> Window((0.0,), (1.0,)).apply(np.array([[[0.0], [0.5], [np.nan]]]))[0, :, 0].tolist()
        [0, 128, 0]
        """
        if pixels.dtype == np.uint8 and (self.low, self.high) == ((0.0,), (255.0,)):
            scaled = pixels
        else:
            low, high = np.array(self.low), np.array(self.high)
            share = (np.nan_to_num(pixels.astype(np.float64), nan=float(low.min())) - low) / (high - low)
            scaled = np.floor(np.clip(share, 0, 1) * 255 + 0.5).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(scaled, (*scaled.shape[:2], 3)))


def plane_of(image: Image, mask: Mask | None = None, *, slice: int | None = None) -> Plane:
    """Choose what to show of an image.

    Of a scan the slice with most foreground of its label map, or the middle one; of many channels the first
    three (of a scan with channels that are not three, such as a time series, the first).

    Examples
    --------
    >>> scan = Image(np.zeros((5, 4, 6), np.uint8), "zyx")
    >>> plane_of(scan).slice, plane_of(scan).pixels.shape
    (2, (4, 6, 1))
    """
    pixels = image.canonical()
    slices, chosen, notes = 1, None, []
    if pixels.ndim == 4:
        slices = pixels.shape[0]
        chosen = slice_to_show(slices, mask) if slice is None else slice
        notes.append(f"slice {chosen + 1} of {slices}")
        pixels = pixels[chosen]
    channels = pixels.shape[-1]
    keep = 3 if channels == 3 or (channels > 3 and chosen is None) else 1
    if channels == 4:
        notes.append("without alpha" if keep == 3 else "channel 1 of 4")
    elif channels > keep:
        notes.append(f"channels 1 to 3 of {channels}" if keep == 3 else f"channel 1 of {channels}")
    return Plane(pixels[..., :keep], chosen, slices, ", ".join(notes))


def slice_to_show(slices: int, mask: Mask | None) -> int:
    """The slice with most foreground, the middle one when there is none.

    Examples
    --------
    >>> slice_to_show(5, None), slice_to_show(2, Mask(np.array([[[0]], [[3]]]), "zyx"))
    (2, 1)
    """
    counts = np.zeros(0, np.int64) if mask is None else foreground(mask)
    if len(counts) == slices and counts.any():
        return int(counts.argmax())
    return slices // 2


def foreground(mask: Mask) -> npt.NDArray[np.int64]:
    """How many voxels of each slice have a label but 0."""
    labels = mask.canonical()
    return np.asarray((labels != 0).reshape(len(labels), -1).sum(axis=1))


def window_of(planes: Sequence[Array], *, scan: bool = False) -> Window:
    """Which values to show as black and white, the same for all pictures of one figure.

    Bytes are shown as they are and floats within 0..1 from 0 to 1; anything else between its percentiles,
    and so are scans, where a few bright voxels would leave the rest in the dark. One window for all
    pictures keeps a brighter one brighter.

    Examples
    --------
    >>> window_of([np.array([[[0.2], [0.7]]])]).high, window_of([np.array([[[7]]], np.uint8)]).high
    ((1.0,), (255.0,))
    """
    if all(p.dtype == np.uint8 for p in planes):
        return Window((0.0,), (255.0,))
    values = np.concatenate([p.reshape(-1) for p in planes]).astype(np.float64)
    values = values[np.isfinite(values)]
    floating = all(p.dtype.kind == "f" for p in planes)
    if floating and not scan and values.size and values.min() >= -1e-6 and values.max() <= 1 + 1e-6:
        return Window((0.0,), (1.0,))
    if not values.size:
        return Window((0.0,), (1.0,), "no finite value: shown black")
    low, high = (float(v) for v in np.percentile(values, (LOW_PERCENT, HIGH_PERCENT)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        return _constant(low, planes[0].dtype)
    return Window((low,), (high,), f"shown from {low:.4g} (black) to {high:.4g} (white)")


def _constant(value: float, dtype: np.dtype[Any]) -> Window:
    """One value everywhere: on the dtype's own scale when it fits there, else in the middle."""
    peak = peak_of(dtype)
    if 0 <= value <= peak:
        return Window((0.0,), (float(peak),), f"one value everywhere: {value:.4g}")
    return Window((value - 1,), (value + 1,), f"one value everywhere: {value:.4g}, shown gray")


def normalisation(pipeline: Pipeline, channels: int) -> Window | None:
    """The window that takes back a pipeline's last normalisation, so that the colours are natural again.

    Examples
    --------
    >>> import imagemill as im
    >>> window = normalisation(Pipeline([im.Normalize(0.5, 0.25)], seed=0), 3)
    >>> window.low, window.high
    ((-2.0,), (2.0,))
    """
    found = [t for t in pipeline.transforms if isinstance(t, Normalize) and t.p == 1]
    if len(found) != 1 or found[0].scale != "depth":
        return None
    mean, std = NORMALIZE_PRESETS[found[0].mean] if isinstance(found[0].mean, str) else (found[0].mean, found[0].std)
    if std is None or max(len(mean), len(std)) not in (1, channels):
        return None
    low = tuple((0 - np.array(mean)) / np.array(std))
    high = tuple((1 - np.array(mean)) / np.array(std))
    return Window(tuple(map(float, low)), tuple(map(float, high)), "normalisation taken back for the eye")


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What is drawn on a picture.

    Parameters
    ----------
    mask, boxes, keypoints : targets or None
    links : sequence of pairs of int
        Points to join.
    labels : tuple of int
        The label map's labels in order: the first gets the first colour, in all pictures of a figure.
    colours : dict
        Of box, point and polygon labels, for the same reason.
    polygons : sequence of Outline
    tags : bool
        Whether boxes bear their labels.
    """

    mask: Mask | None = None
    boxes: Boxes | None = None
    keypoints: Keypoints | None = None
    links: Sequence[tuple[int, int]] = ()
    labels: tuple[int, ...] = ()
    colours: dict[Any, Colour] | None = None
    polygons: Sequence[Outline] = ()
    tags: bool = True


def fitted(height: int, width: int, tile: int) -> float:
    """How much to magnify a picture for a square tile: small ones by whole numbers, so that pixels stay square.

    Examples
    --------
    >>> fitted(28, 28, 280), fitted(224, 200, 280), fitted(500, 250, 250)
    (10.0, 1.0, 0.5)
    """
    scale = tile / max(height, width)
    return float(np.floor(scale)) if scale >= 1 else scale


def resized(rgb: Array, scale: float) -> Array:
    """Magnify by a whole number with square pixels, or shrink by area averages (label maps: by picking)."""
    if scale >= 1:
        return rgb.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def montage(pictures: Sequence[Array], columns: int, tile: int, gap: int = 4) -> Rgb:
    """Many small pictures in rows on white, each magnified to a tile by a whole number.

    Parameters
    ----------
    pictures : sequence of arrays, ``(H, W)`` or ``(H, W, C)``
        All of one size, no larger than the tile.
    columns : int
        Per row.
    tile : int
        Side of a tile, pixels.
    gap : int
        White pixels between tiles.

    Examples
    --------
    >>> montage([np.zeros((2, 2), np.uint8)] * 3, columns=2, tile=4, gap=1).shape
    (9, 9, 3)
    """
    planes = [plane_of(Image(picture)).pixels for picture in pictures]
    window = window_of(planes)
    rows = -(-len(planes) // columns)
    step = tile + gap
    out = np.full((rows * step - gap, columns * step - gap, 3), 255, np.uint8)
    for place, plane in enumerate(planes):
        small = resized(window.apply(plane), fitted(plane.shape[0], plane.shape[1], tile))
        top, left = place // columns * step, place % columns * step
        out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


def marked(rgb: Rgb, plane: Plane, marks: Marks, shape: tuple[int, ...], tile: int) -> Rgb:
    """Bring a picture to a tile's size and draw on it at that size, so that lines and letters are crisp.

    Parameters
    ----------
    rgb : array, ``(H, W, 3)`` uint8
    plane : Plane
        Which slice the picture is.
    marks : Marks
    shape : tuple of int
        Spatial shape of the whole image.
    tile : int
        Longest side of the result, pixels; a picture is not magnified beyond it.
    """
    scale = fitted(rgb.shape[0], rgb.shape[1], tile)
    out: Rgb = resized(rgb, scale)
    sides = np.array(out.shape[:2]) / np.array(rgb.shape[:2])
    if marks.mask is not None:
        labels = _picked(_labels(marks.mask, plane), out.shape[:2])
        places = np.searchsorted(marks.labels, labels) + 1 if marks.labels else labels
        out = draw_mask(out, np.where(labels != 0, places, 0), outline=1 if max(out.shape) < 200 else 2)
    if marks.polygons:
        lines = [replace(one, corners=(one.corners + 0.5) * sides - 0.5) for one in marks.polygons]
        out = draw_outlines(out, lines, marks.colours or colours_of(one.label for one in lines))
    if marks.keypoints is not None and len(marks.keypoints):
        points, seen = _points_on(marks.keypoints, plane, len(shape))
        named = marks.keypoints.labels
        table = marks.colours if named is not None else None
        at = (points + 0.5) * sides - 0.5
        radius = 3.0 if len(points) <= _FEW_POINTS else 2.5
        out = draw_points(out, at, seen, named, colours=table, links=marks.links, radius=radius)
    # Last, so that no line runs through the words on the tags.
    if marks.boxes is not None and len(marks.boxes):
        edges, keep = _boxes_on(marks.boxes, plane, shape)
        named = None if marks.boxes.labels is None else [marks.boxes.labels[i] for i in keep]
        table = marks.colours if named is not None else None
        out = draw_boxes(
            out, (edges + 0.5) * np.tile(sides, 2) - 0.5, named, colours=table, text_pixels=12 if marks.tags else 0
        )
    return out


def _labels(mask: Mask, plane: Plane) -> Array:
    """The label map of a plane; several maps become one, where each map's number is its label."""
    labels = mask.canonical()
    if plane.slice is not None:
        labels = labels[plane.slice]
    if labels.shape[-1] == 1:
        return labels[..., 0]
    return np.asarray(np.where(labels != 0, np.arange(1, labels.shape[-1] + 1), 0).max(axis=-1))


def labels_in(mask: Mask | None) -> tuple[int, ...]:
    """The labels of a map but 0, in order.

    Examples
    --------
    >>> labels_in(Mask(np.array([[0, 7], [3, 0]])))
    (3, 7)
    """
    if mask is None:
        return ()
    labels = mask.canonical()
    if labels.shape[-1] > 1:
        return tuple(range(1, labels.shape[-1] + 1))
    return tuple(int(label) for label in np.unique(labels) if label)


def _picked(labels: Array, size: tuple[int, ...]) -> Array:
    rows, columns = (((np.arange(m) + 0.5) * n / m).astype(int) for m, n in zip(size, labels.shape, strict=True))
    return labels[np.ix_(rows, columns)]


def _boxes_on(boxes: Boxes, plane: Plane, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float64], list[int]]:
    edges = boxes.edges(shape)
    if plane.slice is None:
        return edges, list(range(len(edges)))
    crosses = (edges[:, 0] <= plane.slice) & (plane.slice <= edges[:, 3])
    return edges[crosses][:, [1, 2, 4, 5]], np.flatnonzero(crosses).tolist()


def _points_on(points: Keypoints, plane: Plane, d: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    at = points.indices(d)
    if plane.slice is None:
        return at, points.visible
    return at[:, 1:], points.visible & (np.abs(at[:, 0] - plane.slice) <= 0.5)
