"""Files of a folder that hold the pixels of a header beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imagemill.data.codecs.place import DETACHED, files_of
from imagemill.data.record import split_suffix
from imagemill.data.sources.base import Source

__all__ = ["with_detached"]


def with_detached(source: Source) -> Source:
    """Name the files behind headers among those that were read.

    Parameters
    ----------
    source : Source
    """
    behind = [
        path
        for record in source.records
        for where in (record.image, record.mask)
        if isinstance(where, Path) and split_suffix(where)[1].lower() in DETACHED
        for path in files_of(where)[1:]
    ]
    return replace(source, also_read=(*source.also_read, *behind)) if behind else source
