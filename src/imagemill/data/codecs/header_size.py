"""Height and width of a picture from its header, without decoding it."""

from __future__ import annotations

from pathlib import Path

from imagemill.data.codecs.base import problem
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.photos.headers import HEADER, photo_header
from imagemill.data.codecs.photos.photo import PHOTOS
from imagemill.data.codecs.registry import codec_of
from imagemill.data.codecs.sniff import kind_of

__all__ = ["header_of_image", "image_size"]

_AGAIN = "get the file again from where it came from"


@guarded("the header of a picture")
def image_size(where: Path | str | bytes, *, exif: bool = False) -> tuple[int, int]:
    """Read height and width from the header; of volumes those of a slice.

    Parameters
    ----------
    where : Path, str or bytes
        A file, or the content of one (the whole of it, for formats other than photos).
    exif : bool
        Whether the size is wanted as the picture is seen, after the rotation that EXIF asks for.

    Raises
    ------
    CodecError
        When there is no such file, or it has no header of a known format.

    Examples
    --------
    >>> import struct
    >>> image_size(b"GIF89a" + struct.pack("<HH", 640, 480) + bytes(100))
    (480, 640)
    """
    (height, width), orientation = header_of_image(where)
    return (width, height) if exif and orientation in (5, 6, 7, 8) else (height, width)


@guarded("the header of a picture")
def header_of_image(where: Path | str | bytes) -> tuple[tuple[int, int], int]:
    """Read from the header what `image_size` does as it is stored, and the orientation that EXIF gives, 1 to 8.

    Raises
    ------
    CodecError
        As `image_size`.

    Examples
    --------
    >>> import struct
    >>> header_of_image(b"GIF89a" + struct.pack("<HH", 640, 480) + bytes(100))
    ((480, 640), 1)
    """
    path, data = (Path("bytes"), where) if isinstance(where, bytes) else (Path(where), None)
    start = data[:HEADER] if data is not None else _head(path)
    kind = kind_of(start)
    if kind in PHOTOS:
        # Most files are photos, which are opened once here.
        size, orientation = photo_header(path, kind, start, lambda: path.read_bytes() if data is None else data)
    else:
        codec = codec_of(path, start, data)
        size, orientation = codec.header(path, data)
    if min(size) < 1:
        raise problem(path, "a height and width of at least 1", f"{size}", _AGAIN)
    return size, orientation if orientation in range(1, 9) else 1


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEADER)
