"""Walking a folder in an order that never depends on the file system."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.remote.remote_files import files_below
from imagemill.data.remote.remote_path import RemotePath

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
    return path if isinstance(path, RemotePath) else Path(os.path.realpath(path))


def walk(root: Path) -> Walked:
    """List everything below a folder. Links are followed, each folder once; pipes, sockets and devices are passed over.

    Raises
    ------
    SourceError
        When a folder cannot be listed.
    """
    if isinstance(root, RemotePath):
        return _walked_remote(root)
    found: list[tuple[str, Path]] = []
    skipped: list[str] = []
    bare: list[str] = []
    seen: set[str] = set()
    todo: list[tuple[str, Path]] = [("", root)]
    while todo:
        prefix, folder = todo.pop()
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back up would be walked for ever
            continue
        seen.add(real)
        folders, files, odd = _listed(folder)
        skipped += (prefix + name for name in odd)
        if prefix and not folders and not files:
            bare.append(prefix[:-1])
        found += [(prefix + name, folder / name) for name in files]
        todo += [(f"{prefix}{name}/", folder / name) for name in sorted(folders, reverse=True)]
    found.sort(key=itemgetter(0))
    return Walked(tuple(found), tuple(sorted(skipped)), tuple(sorted(bare)))


def _walked_remote(root: RemotePath) -> Walked:
    """The same of a folder elsewhere, from the one list of all that is below it."""
    found, skipped = [], set[str]()
    for key in files_below(root):
        *folders, name = key.split("/")
        passed = next((n for n, folder in enumerate(folders) if _is_passed_over(folder, _SYSTEM_FOLDERS)), None)
        if passed is not None:
            skipped.add("/".join(folders[: passed + 1]) + "/")
        elif _is_passed_over(name, _SYSTEM_FILES):
            skipped.add(key)
        else:
            found.append((key, root / key))
    return Walked(tuple(found), tuple(sorted(skipped)), ())


def _listed(folder: Path) -> tuple[list[str], list[str], list[str]]:
    """Names of folders and of files in a folder, and what is passed over."""
    folders, files, odd = [], [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if _is(entry.is_dir):
                    if _is_passed_over(name, _SYSTEM_FOLDERS):
                        odd.append(f"{name}/")
                    else:
                        folders.append(name)
                elif _is_passed_over(name, _SYSTEM_FILES):
                    odd.append(name)
                # Opening a pipe could wait for ever. One that is named like a picture is kept, to be named as a fault.
                elif _is(entry.is_file) or is_readable_name(name) or not os.path.exists(entry.path):
                    files.append(name)
    except OSError as error:
        msg = f"expected a folder that can be listed, got {error}; check its permissions"
        raise SourceError(msg) from error
    return folders, files, odd


def _is(kind: Callable[[], bool]) -> bool:
    """What an entry is; nothing where links lead in circles."""
    try:
        return kind()
    except OSError:
        return False


def _is_passed_over(name: str, system: frozenset[str]) -> bool:
    return name[:1] == "." or name[-5:] == ".part" or name.lower() in system


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
