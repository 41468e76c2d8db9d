"""One slice of a scan as people look at it, with its labels drawn over it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.audits.scan_facts import orientation_code
from imagemill.data.codecs.base import Picture

__all__ = ["scan_view"]

Array = npt.NDArray[Any]

_SIDE = 144
"""Longer side, pixels."""
_WINDOW = (1, 99.5)
"""Percentiles of the slice that are shown black and white."""
_COVER = 0.4
"""How much of the gray value a label hides."""
_TURNED = "ASR"
"""Where axes lead that are shown the other way: the front and the head of a patient are above, the right is left."""
_COLOURS = np.array(
    # Okabe and Ito (2008), "Color Universal Design", without black.
    [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167]],
    np.float32,
)


def scan_view(picture: Picture, labels: Array | None, clearest: int) -> Array:
    """A slice across the first axis, ``[y, x, 3]`` uint8.

    Shown is the slice with the most labelled voxels; without labels the clearest. Pixels are shown in their true
    proportions, as radiologists look at them: the front or the head above, the patient's left on the right.

    Parameters
    ----------
    picture : Picture
        A volume.
    labels : array or None
        Its label map, of its size.
    clearest : int
        Slice to show where no label says which.

    Examples
    --------
    >>> volume = np.arange(8, dtype=np.int16).reshape(2, 2, 2)
    >>> scan_view(Picture(volume, "zyx"), None, 1).shape
    (144, 144, 3)
    """
    number = clearest
    if labels is not None and labels.any():
        number = int(np.argmax([np.count_nonzero(plane) for plane in labels]))
    plane = picture.array[number] if picture.channels is None else picture.array[number, ..., 0]
    over = None if labels is None else labels[number]
    spacing = (1.0, 1.0)
    if picture.affine is not None and picture.spacing is not None:
        spacing = picture.spacing[1], picture.spacing[2]
        code = orientation_code(picture.affine)
        turn = np.s_[:: -1 if code[1] in _TURNED else 1, :: -1 if code[0] in _TURNED else 1]
        plane, over = plane[turn], None if over is None else over[turn]
    height, width = (n * mm for n, mm in zip(plane.shape, spacing, strict=True))
    scale = _SIDE / max(height, width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    gray = cv2.resize(_gray(plane), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    shown = np.repeat(gray[..., None], 3, axis=-1).astype(np.float32)
    if over is not None:
        values = cv2.resize(over.astype(np.float32), size, interpolation=cv2.INTER_NEAREST).astype(np.int64)
        labelled = values != 0
        colours = _COLOURS[(values[labelled] - 1) % len(_COLOURS)]
        shown[labelled] = (1 - _COVER) * shown[labelled] + _COVER * colours
    return (shown + 0.5).clip(0, 255).astype(np.uint8)


def _gray(plane: Array) -> Array:
    """Values of a slice as gray, without the few that are far from the rest."""
    values = plane.astype(np.float32)
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(plane.shape, np.uint8)
    low, high = np.percentile(values[known], _WINDOW)
    if high <= low:
        low, high = float(values[known].min()), float(values[known].max())
    spread = float(high - low) or 1.0
    return np.where(known, (values - low) * (255 / spread) + 0.5, 0).clip(0, 255).astype(np.uint8)
