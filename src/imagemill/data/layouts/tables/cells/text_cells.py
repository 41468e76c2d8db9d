"""Pictures and lists as the text of a cell."""

from __future__ import annotations

import base64
import json
from typing import Any

from imagemill.data.layouts.tables.rows.write_rows import Embedded
from imagemill.data.records.record import split_suffix

__all__ = ["base64_text", "scalar_text"]

_MEDIA = {
    **{".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".bmp": "image/bmp"},
    **{".gif": "image/gif", ".tif": "image/tiff", ".tiff": "image/tiff"},
}


def base64_text(picture: Embedded) -> str:
    """A ``data:`` address (RFC 2397) that holds an encoded picture.

    A suffix without a media type of its own becomes the parameter ``name``.

    Examples
    --------
    >>> base64_text(Embedded(b"abc", "a.png"))
    'data:image/png;base64,YWJj'
    """
    suffix = split_suffix(picture.name)[1].lower()
    media = _MEDIA.get(suffix, f"application/octet-stream;name=a{suffix}")
    return f"data:{media};base64,{base64.b64encode(picture.data).decode('ascii')}"


def scalar_text(value: Any) -> str:
    """A list or mapping as JSON in one line."""
    return json.dumps(value, ensure_ascii=False)
