"""Files of a folder that are no records: those that belong to one, and pictures in formats that are not read."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from imagemill.data.codecs.place import DETACHED, files_of
from imagemill.data.codecs.unread import unread
from imagemill.data.record import split_suffix
from imagemill.data.sources.base import Look, Source

__all__ = ["unread_words", "with_aside"]

_MOST = 5


def with_aside(source: Source, look: Look) -> Source:
    """Name the pictures that are not read in a source's notes, and the files behind headers among those that were.

    Parameters
    ----------
    source : Source
    look : Look
        At the folder that it was read from.
    """
    if not look.is_folder:
        return source
    behind = [
        path
        for record in source.records
        for where in (record.image, record.mask)
        if isinstance(where, Path) and split_suffix(where)[1].lower() in DETACHED
        for path in files_of(where)[1:]
    ]
    taken = set(source.also_read)
    words = unread_words([path for _, path in look.files if path not in taken])
    if not behind and not words:
        return source
    return replace(source, also_read=(*source.also_read, *behind), notes=(*source.notes, *words))


def unread_words(paths: list[Path]) -> list[str]:
    """How many of some files are pictures or videos that are not read, in a sentence for each suffix.

    Examples
    --------
    >>> unread_words([Path("a.mp4"), Path("b.mp4"), Path("c.png")])
    ['2 files of suffix .mp4 are not read: a video; take its frames out as PNG or JPEG first']
    """
    found = Counter(split_suffix(path)[1].lower() for path in paths if unread(path))
    words = [
        f"{count} file{'s' * (count > 1)} of suffix {suffix} {'are' if count > 1 else 'is'} not read: {unread(suffix)}"
        for suffix, count in found.most_common(_MOST)
    ]
    left = sum(found.values()) - sum(count for _, count in found.most_common(_MOST))
    return [*words, *([f"{left} more pictures and videos of other suffixes are not read"] if left else [])]
