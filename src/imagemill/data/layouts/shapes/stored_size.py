"""Height and width of a picture as it is stored, and how EXIF turns it, from its header alone."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from pathlib import Path

from imagemill.core.errors import CodecError
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.codecs.header_size import header_of_image
from imagemill.data.codecs.photos.exif import exif_orientation
from imagemill.data.records.loading import encoded, load_picture, pixels_name, pixels_suffix
from imagemill.data.records.orientation import Seen
from imagemill.data.records.record import Blob, Pixels, Record, Stored

__all__ = ["seen_of", "size_of"]

_VOLUMES = (".nii", ".nii.gz", ".mgh", ".mgz", ".npy", ".dcm", ".dicom", ".ima")


def seen_of(where: Pixels) -> Seen:
    """Give height and width in pixels as they are stored, and the turn that EXIF asks for.

    Of a file only the header is read. What has none that is known is decoded.

    Raises
    ------
    CodecError
        When it cannot be read, or is a volume.

    Examples
    --------
    >>> import numpy as np
    >>> seen_of(Stored("made up", lambda: np.zeros((4, 6), np.uint8), "yx"))
    Seen(stored=(4, 6), orientation=1, turned=True)
    """
    header = None if isinstance(where, Stored) else _header(where)
    if header is not None:
        return header
    picture = load_picture(where, ReadOptions(exif=False))
    if len(picture.spatial_shape) != 2:
        raise CodecError(f"{pixels_name(where)}: expected a picture, got a volume; leave it out of this layout")
    return replace(Seen.of(picture), turned=True)


def _header(where: Path | Blob) -> Seen | None:
    """What our own parsers read from the header, or else Pillow; None where neither knows the format."""
    import PIL.Image

    file = where if isinstance(where, Path) else encoded(where) or b""
    try:
        if pixels_suffix(where) not in _VOLUMES:
            return Seen(*header_of_image(file))
    except CodecError:
        pass  # Pillow knows more formats, and decoding gives the error its words
    try:
        # Pillow warns of large pictures; no pixel is read here, so they do no harm.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(file if isinstance(file, Path) else io.BytesIO(file)) as image:
                block = image.info.get("exif", b"")
                return Seen((image.height, image.width), exif_orientation(block if isinstance(block, bytes) else b""))
    # Its parsers raise what they like on damaged headers; decoding gives our own error for those.
    except Exception:
        return None


def size_of(record: Record) -> tuple[int, int]:
    """The size that annotations of a record refer to: as the source states it, else as the file's header does.

    Raises
    ------
    CodecError
        As `seen_of`.
    """
    return record.size if record.size is not None else seen_of(record.image).stored
