"""Walking a folder in an order that never depends on the file system."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.codecs.registry import is_readable_name

__all__ = ["real_path", "walk_files"]


def real_path(path: Path) -> Path:
    """Where a path leads, links followed; of links that lead to each other, one of them.

    `Path.resolve` ends with RuntimeError there (before Python 3.13).
    """
    return Path(os.path.realpath(path))


def walk_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Give ``(key, path)`` of every file below a folder, sorted by key.

    Hidden files and folders, unfinished ``*.part`` files, pipes, sockets and devices are passed over. Links are
    followed, each folder once.

    Parameters
    ----------
    root : Path
        The folder.

    Yields
    ------
    tuple
        The path relative to `root` in POSIX form, and the path itself.
    """
    found: list[tuple[str, Path]] = []
    seen: set[Path] = set()

    def refuse(error: OSError) -> None:
        msg = f"expected a folder that can be listed, got {error}; check its permissions"
        raise SourceError(msg) from error

    for folder, folders, files in os.walk(root, followlinks=True, onerror=refuse):
        real = Path(folder).resolve()
        if real in seen:  # a link that leads back up would be walked for ever
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if not name.startswith(".") and not name.endswith(".part"):
                path = Path(folder) / name
                # Opening a pipe could wait for ever. One that is named like a picture is kept, to be named as a fault.
                if not is_readable_name(path) and path.exists() and not path.is_file():
                    continue
                found.append((path.relative_to(root).as_posix(), path))
    yield from sorted(found)
