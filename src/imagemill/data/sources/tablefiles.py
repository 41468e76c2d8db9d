"""Finding the tables in a folder: one, or one per split, or shards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.sources.base import Look, ReadSource
from imagemill.data.sources.cells import BadCell, Place, image_at
from imagemill.data.sources.columns import guess_columns, normal_split
from imagemill.data.sources.sidecar import SIDECAR

__all__ = ["holds_images", "need_files", "split_of_name", "table_files"]

_WORD = re.compile(r"[-_.]")


def split_of_name(stem: str) -> str | None:
    """The split that a file's name says, as in ``train-00000-of-00002`` or ``cifar10-test``.

    Examples
    --------
    >>> split_of_name("train-00000-of-00002"), split_of_name("cifar10_validation"), split_of_name("fruit")
    ('train', 'val', None)
    """
    found = {split for word in _WORD.split(stem) if (split := normal_split(word)) is not None}
    return found.pop() if len(found) == 1 else None


def table_files(look: Look, suffixes: Sequence[str]) -> list[tuple[Path, str | None]]:
    """The tables of a path with the split that each name says; empty where there are none, or not one set.

    Parameters
    ----------
    look : Look
        For a folder, tables count that lie directly in it, or in its folder ``data``.
    suffixes : sequence of str
        In lower case.
    """
    if not look.is_folder:
        fits = look.path.suffix.lower() in suffixes
        return [(look.path, split_of_name(look.path.stem))] if fits else []
    for folder in (".", "data"):
        found = [
            path
            for key, path in look.files
            if str(PurePosixPath(key).parent) == folder
            and path.suffix.lower() in suffixes
            and path.name != SIDECAR
            and path.stem.lower() != "metadata"
        ]
        named = [(path, split_of_name(path.stem)) for path in found]
        if len(named) == 1 or (named and all(split is not None for _, split in named)):
            return named
        if named and all(re.search(r"\d+$", path.stem) for path in found):  # shards that name no split
            return named
    return []


def need_files(look: Look, suffixes: Sequence[str]) -> list[tuple[Path, str | None]]:
    """As `table_files`, or an error.

    Raises
    ------
    SourceError
        When there are none.
    """
    found = table_files(look, suffixes)
    if not found:
        msg = f"expected one table ({' '.join(suffixes)}) in {look.path}, or several named after splits"
        raise SourceError(f"{msg}, got none or others; give the file")
    return found


def holds_images(columns: Sequence[str], first: Sequence[Any] | None, base: Path) -> bool:
    """Whether a column looks like images, and the first row's image is there."""
    # Nothing is fetched: addresses only have to look like some.
    place = Place(base, ReadSource(urls=True, outside=True))
    try:
        roles = guess_columns(columns, ReadSource(), "table").roles
        if first is None:
            return True
        image_at(first[roles["image"]], place, "first row")
    except (SourceError, BadCell, IndexError):
        return False
    return True
