"""What equalisations and stretches mean, in float64.

The scale of unsigned integers is 0 to white. Signed integers and floating point have none that an image has to keep to,
so their own smallest and largest value take its place.

Sources: Gonzalez and Woods (2018), "Digital Image Processing", 3.3 (histogram equalisation); Zuiderveld (1994),
"Contrast limited adaptive histogram equalization", Graphics Gems IV, with the tiles and the limit
of OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.geometry import Floats

__all__ = ["LUMA", "equalized", "local_equalized", "on_luma", "on_scale", "stretched"]

Ints = npt.NDArray[np.int64]
LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in luma: ITU-R BT.601."""
_LUMA_15_BITS = np.array([9798, 19235, 3735])
"""The same as OpenCV weighs 8 bits: a level more or less would be many after an equalisation."""


def equalized(values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    """Each channel through its own cumulative histogram; a constant channel stays."""
    out = np.empty_like(values)
    for c in range(values.shape[-1]):
        x = values[..., c].reshape(-1)
        levels, place, counts = np.unique(x, return_inverse=True, return_counts=True)
        low, high = (0.0, peak) if source.kind == "u" else (float(levels[0]), float(levels[-1]))
        below = np.cumsum(counts) - counts[0]
        rest = x.size - counts[0]
        table = low + (high - low) * below / rest if rest else levels
        out[..., c] = table[place].reshape(values.shape[:-1])
    return out


def stretched(values: Floats, cut: float, peak: float) -> Floats:
    """Each channel from its own quantiles onto 0..peak: the lowest and highest ``cut`` of its values lie beyond."""
    out = np.empty_like(values)
    for c in range(values.shape[-1]):
        x = values[..., c]
        low, high = ends(np.sort(x, axis=None), cut)
        out[..., c] = (x - low) * (peak / (high - low)) if high > low else x
    return out


def ends(ascending: Floats, cut: float) -> tuple[float, float]:
    """The smallest and the largest of sorted values when a share of them is left out at either end."""
    skipped = min(int(len(ascending) * cut), (len(ascending) - 1) // 2)
    return float(ascending[skipped]), float(ascending[len(ascending) - 1 - skipped])


def local_equalized(values: Floats, limit: float, tiles: tuple[int, int], source: np.dtype[Any]) -> Floats:
    """Local equalisation of gray, of the luma of three colours, or of each channel; slice by slice."""

    def one(levels: Ints, count: int) -> Ints:
        return _clahe(levels, limit, tiles, count)

    slices = values.reshape(-1, *values.shape[-3:])
    made = [_sliced(part, source, one) for part in slices]
    return np.stack(made).reshape(values.shape)


def _sliced(part: Floats, source: np.dtype[Any], one: Callable[[Ints, int], Ints]) -> Floats:
    def plane(x: Floats) -> Floats:
        return on_scale(x, source, one)

    if part.shape[-1] == 3:
        return on_luma(part, source, plane)
    return np.stack([plane(part[..., c]) for c in range(part.shape[-1])], axis=-1)


def on_luma(values: Floats, source: np.dtype[Any], plane: Callable[[Floats], Floats]) -> Floats:
    """Change the luma of three colours and nothing else: each of them by as much as the luma changes."""
    if source == np.uint8:
        luma = ((values.astype(np.int64) @ _LUMA_15_BITS + (1 << 14)) >> 15).astype(np.float64)
    else:
        luma = values @ LUMA
        luma = np.rint(luma) if source.kind in "iu" else luma
    made: Floats = values + (plane(luma) - luma)[..., None]
    return made


def on_scale(x: Floats, source: np.dtype[Any], one: Callable[[Ints, int], Ints]) -> Floats:
    """Let a function of whole levels work on a plane: 256 of them for 8 bits, 65,536 for anything else."""
    if source in (np.uint8, np.uint16):
        return one(x.astype(np.int64), 256 if source == np.uint8 else 65_536).astype(np.float64)
    low, high = float(x.min()), float(x.max())
    if high <= low:
        return x
    step = (high - low) / 65_535
    found = one(np.rint((x - low) / step).astype(np.int64), 65_536)
    made: Floats = np.asarray(found * step + low, np.float64)
    return made


def _clahe(x: Ints, limit: float, tiles: tuple[int, int], count: int) -> Ints:
    rows, columns = tiles
    padded = x
    if x.shape[0] % rows or x.shape[1] % columns:
        # OpenCV adds a whole round of rows where the rows alone would fit; so that results are the same, so does this.
        padded = np.pad(x, ((0, rows - x.shape[0] % rows), (0, columns - x.shape[1] % columns)), mode="reflect")
    height, width = padded.shape[0] // rows, padded.shape[1] // columns
    blocks = padded.reshape(rows, height, columns, width).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    tables = np.stack([[_table(blocks[i, j], limit, count) for j in range(columns)] for i in range(rows)])
    y0, y1, fy = _between(x.shape[0], height, rows)
    x0, x1, fx = _between(x.shape[1], width, columns)

    def at(i: Ints, j: Ints) -> Floats:
        found: Floats = tables[i[:, None], j[None, :], x]
        return found

    upper = at(y0, x0) * (1 - fx) + at(y0, x1) * fx
    lower = at(y1, x0) * (1 - fx) + at(y1, x1) * fx
    mixed = upper * (1 - fy[:, None]) + lower * fy[:, None]
    return np.clip(np.rint(mixed), 0, count - 1).astype(np.int64)


def _table(block: Ints, limit: float, count: int) -> Floats:
    """The cumulative histogram of a tile, its peaks cut at the limit and spread over all levels."""
    counts = np.bincount(block, minlength=count)
    most = max(int(limit * block.size / count), 1)
    over = int(np.maximum(counts - most, 0).sum())
    counts = np.minimum(counts, most) + over // count
    rest = over % count
    if rest:
        step = max(count // rest, 1)
        counts[np.arange(rest) * step] += 1
    table: Floats = np.clip(np.rint(np.cumsum(counts) * ((count - 1) / block.size)), 0, count - 1)
    return table


def _between(n: int, side: int, tiles: int) -> tuple[Ints, Ints, Floats]:
    """For each pixel the tiles before and behind it, and the weight of the second."""
    place = np.arange(n) / side - 0.5
    first = np.floor(place).astype(np.int64)
    return np.maximum(first, 0), np.minimum(first + 1, tiles - 1), place - first
