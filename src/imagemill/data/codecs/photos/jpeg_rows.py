"""Decoding a JPEG photo from the top down to the last row that is needed.

The header of a copy says fewer rows, so the decoder stops there: what comes after them it calls extraneous and skips.
Rows are coded one after the other, so this saves nothing at the top.

Source: ITU-T T.81, annex B for the segments; A.2.3 for the blocks of an interleaved scan.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import simplejpeg

from imagemill.data.codecs.photos.jpeg_header import JpegHeader

__all__ = ["top_rows"]

Array = np.ndarray[Any, Any]

_ENDS = re.compile(r"Corrupt JPEG data: \d+ extraneous bytes before marker 0xd9\.?")


def top_rows(data: bytes, header: JpegHeader, rows: int, factor: int, **how: Any) -> Array | None:
    """Decode the first rows; those that follow are black.

    Parameters
    ----------
    data : bytes
        A JPEG file that the decoder takes.
    header : JpegHeader
    rows : int
        As many as have to be right, at full size.
    factor : int
        1, 2, 4 or 8: by how much each side is decoded smaller.
    **how
        Further arguments of `simplejpeg.decode_jpeg`, ``colorspace`` among them.

    Returns
    -------
    array ``(y, x, c)`` or None
        Of the whole photo's size. None where the whole photo has to be decoded: it is progressive, has restart
        markers or several scans, does not end where a JPEG file ends, is damaged, or nothing would be saved.
    """
    frame, full = header.frame, header.size
    if frame is None or not data.endswith(b"\xff\xd9"):
        return None
    # Smoothed chroma looks one decoded row further, so the last one of the last block is not to be trusted.
    kept = ((rows - 1 + factor) // frame.block + 1) * frame.block
    if kept >= full[0]:
        return None
    patched = bytearray(data)
    patched[frame.at : frame.at + 2] = kept.to_bytes(2, "big")
    height, width, done = (-(-length // factor) for length in (*full, kept))
    channels = 1 if how["colorspace"] == "GRAY" else 3
    array = np.empty((height, width, channels), np.uint8)
    array[done:] = 0
    least = {} if factor == 1 else {"min_height": done, "min_width": width}
    try:
        simplejpeg.decode_jpeg(patched, buffer=array[:done], strict=True, **least, **how)
    except ValueError as error:
        # The decoder tells the first thing it minded, and this one comes after the last row: the rows are sound.
        return array if _ENDS.fullmatch(str(error)) else None
    return None
