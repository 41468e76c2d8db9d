"""Height and width of a picture as it is stored, from its header alone."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import PIL.Image

from imagemill.core.errors import CodecError
from imagemill.data.pixels import encoded, load_picture, pixels_name
from imagemill.data.record import Blob, Pixels, Record, Stored

__all__ = ["size_of", "stored_size"]


def stored_size(where: Pixels) -> tuple[int, int]:
    """Give height and width in pixels, before any rotation by EXIF: annotations refer to the stored pixels.

    Of a file only the header is read. What Pillow does not know is decoded.

    Raises
    ------
    CodecError
        When it cannot be read, or is a volume.

    Examples
    --------
    >>> import numpy as np
    >>> stored_size(Stored("made up", lambda: np.zeros((4, 6), np.uint8), "yx"))
    (4, 6)
    """
    header = None if isinstance(where, Stored) else _header(where)
    if header is not None:
        return header
    picture = load_picture(where)
    if len(picture.spatial_shape) != 2:
        raise CodecError(f"{pixels_name(where)}: expected a picture, got a volume; leave it out of this layout")
    return picture.spatial_shape[0], picture.spatial_shape[1]


def _header(where: Path | Blob) -> tuple[int, int] | None:
    """What Pillow reads from the header; None where it does not know the format."""
    file = where if isinstance(where, Path) else io.BytesIO(encoded(where) or b"")
    try:
        # Pillow warns of large pictures; no pixel is read here, so they do no harm.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(file) as image:
                return image.height, image.width
    # Its parsers raise what they like on damaged headers; decoding gives our own error for those.
    except Exception:
        return None


def size_of(record: Record) -> tuple[int, int]:
    """The size that annotations of a record refer to: as the source states it, else as the file's header does.

    Raises
    ------
    CodecError
        As `stored_size`.
    """
    return record.size if record.size is not None else stored_size(record.image)
