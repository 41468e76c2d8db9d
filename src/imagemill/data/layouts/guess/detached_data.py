"""Files of a folder that hold the pixels of a header beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imagemill.data.codecs.volumes.volume_header import DETACHED, files_of
from imagemill.data.layouts.base import Look, Source

__all__ = ["with_detached"]

_ENDS = tuple(DETACHED)


def with_detached(source: Source, look: Look) -> Source:
    """Name the files behind headers among those that were read.

    Parameters
    ----------
    source : Source
    look : Look
        At where it was read from.
    """
    if look.is_folder and not set(_ENDS) & set(look.suffixes):
        return source
    behind = [
        path
        for record in source.records
        for where in (record.image, record.mask)
        if isinstance(where, Path) and where.name.lower().endswith(_ENDS)
        for path in files_of(where)[1:]
    ]
    return replace(source, also_read=(*source.also_read, *behind)) if behind else source
