"""Walking a folder in an order that never depends on the file system."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.codecs.registry import is_readable_name

__all__ = ["Walked", "real_path", "walk", "walk_files"]

_SYSTEM_FOLDERS = frozenset(
    (
        *("__macosx", "@eadir", "@tmp", "#recycle", "@recycle", "@recently-snapshot", "@__thumb", "$recycle.bin"),
        *("system volume information", "lost+found", "__pycache__", "resource.frk", "network trash folder"),
    )
)
_SYSTEM_FILES = frozenset(
    (
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "picasa.ini"),
        *("zbthumbnail.info", "ntuser.dat"),
    )
)
"""What operating systems, network storage and archivers put into folders of pictures; in lower case."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What lies below a folder.

    Parameters
    ----------
    files : tuple of (str, Path)
        Path relative to the folder in POSIX form, and the path itself, sorted.
    skipped : tuple of str
        Hidden files and folders, unfinished ``*.part`` files, and what operating systems put there; folders end in
        ``/``.
    empty : tuple of str
        Folders without any file in them or below.
    """

    files: tuple[tuple[str, Path], ...]
    skipped: tuple[str, ...]
    empty: tuple[str, ...]


def real_path(path: Path) -> Path:
    """Where a path leads, links followed; of links that lead to each other, one of them.

    `Path.resolve` ends with RuntimeError there (before Python 3.13).
    """
    return Path(os.path.realpath(path))


def walk(root: Path) -> Walked:
    """List everything below a folder. Links are followed, each folder once; pipes, sockets and devices are passed over.

    Raises
    ------
    SourceError
        When a folder cannot be listed.
    """
    found: list[tuple[str, Path]] = []
    skipped: list[str] = []
    bare: list[str] = []
    seen: set[str] = set()

    def refuse(error: OSError) -> None:
        msg = f"expected a folder that can be listed, got {error}; check its permissions"
        raise SourceError(msg) from error

    start = os.fspath(root)
    for folder, folders, files in os.walk(start, followlinks=True, onerror=refuse):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back up would be walked for ever
            folders.clear()
            continue
        seen.add(real)
        prefix = "" if folder == start else os.path.relpath(folder, start).replace(os.sep, "/") + "/"
        skipped += (f"{prefix}{name}/" for name in folders if _is_passed_over(name, _SYSTEM_FOLDERS))
        folders[:] = sorted(name for name in folders if not _is_passed_over(name, _SYSTEM_FOLDERS))
        skipped += (prefix + name for name in files if _is_passed_over(name, _SYSTEM_FILES))
        there = [name for name in files if not _is_passed_over(name, _SYSTEM_FILES)]
        if prefix and not folders and not there:
            bare.append(prefix[:-1])
        base = Path(folder)
        for name in there:
            path = base / name
            # Opening a pipe could wait for ever. One that is named like a picture is kept, to be named as a fault.
            if is_readable_name(name) or path.is_file() or not path.exists():
                found.append((prefix + name, path))
    return Walked(tuple(sorted(found)), tuple(sorted(skipped)), tuple(sorted(bare)))


def _is_passed_over(name: str, system: frozenset[str]) -> bool:
    return name.startswith(".") or name.endswith(".part") or name.casefold() in system


def walk_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Give ``(key, path)`` of every file below a folder, sorted by key; see `walk`.

    Parameters
    ----------
    root : Path
        The folder.

    Yields
    ------
    tuple
        The path relative to `root` in POSIX form, and the path itself.
    """
    yield from walk(root).files
