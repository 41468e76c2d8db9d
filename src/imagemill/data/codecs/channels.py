"""Converting channels to those asked for, and applying the EXIF orientation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.colours import check_channels, orient, to_channels
from imagemill.data.codecs.base import Array, Picture, ReadOptions, problem

__all__ = ["convert", "orient", "upright"]


def upright(array: Array, orientation: int, options: ReadOptions) -> tuple[Array, dict[str, Any]]:
    """Apply an orientation where the options want it, and say so in the words of `Picture.meta`."""
    if options.exif:
        return orient(array, orientation), {"exif_orientation": orientation}
    return np.ascontiguousarray(array), {"exif_orientation": orientation, "exif_applied": False}


def convert(path: Path, picture: Picture, options: ReadOptions) -> Picture:
    """Give the picture the channels asked for.

    Gray is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) in the same integer arithmetic as Pillow.

    Raises
    ------
    CodecError
        When the picture has other than 1 to 4 channels.
    """
    channels = options.channels
    check_channels(channels)
    if channels == "keep":
        return picture
    count = picture.channels
    if count not in (None, 1, 2, 3, 4):
        do = 'read it with channels="keep"'
        raise problem(path, f"1 to 4 channels to turn into {channels}", f"{count} channels", do)
    planes = picture.array[..., np.newaxis] if count is None else picture.array
    made = to_channels(planes, channels, options.background)
    gray = channels == "gray"
    place = picture.axes.removesuffix("c")
    array = np.ascontiguousarray(made[..., 0] if gray else made)
    return Picture(array, place if gray else place + "c", picture.affine, picture.meta, picture.note)
