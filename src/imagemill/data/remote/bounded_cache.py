"""Copies of remote files on this machine, up to so many bytes; those that were not used for longest go first.

A copy is known by its address and by what changes with its content, so a file that is written anew has another copy.
Any number of processes may share the folder: files come whole, by renaming, and whoever reads one keeps it open.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from imagemill.core.errors import InputError
from imagemill.data.atomic import atomic_path

__all__ = ["cache_limit", "copy_of", "kept_copy", "remote_cache", "unfinished_place"]

_DEFAULT = 8 << 30
_YOUNG = 120.0
"""Seconds for which a copy is never removed: somebody may be about to open it."""
_SHARE = 16
"""The folder is counted again when a sixteenth of the limit was added."""

_lock = threading.Lock()
_added: dict[Path, int] = {}


def remote_cache() -> Path:
    """The folder of the copies."""
    from imagemill.data.web.fetch import default_cache  # which needs what encrypts connections

    return default_cache() / "remote"


def unfinished_place(address: str) -> Path:
    """Where what is not yet sent to an address is kept on this machine; no limit holds there."""
    return remote_cache().with_name("unfinished") / hashlib.sha256(address.encode()).hexdigest()[:32]


def cache_limit() -> int:
    """Bytes that copies may take: ``IMAGEMILL_CACHE_BYTES``, or 8 GiB.

    Raises
    ------
    InputError
    """
    said = os.environ.get("IMAGEMILL_CACHE_BYTES", "")
    try:
        found = int(said) if said else _DEFAULT
    except ValueError:
        found = -1
    if found < 0:
        raise InputError(f"expected IMAGEMILL_CACHE_BYTES as a number of bytes, got {said!r}; such as 8000000000")
    return found


def copy_of(url: str, token: str, name: str) -> Path:
    """Where the copy of a file is; its name ends as the file's does, which some readers go by."""
    digest = hashlib.sha256(f"{url}\0{token}".encode("utf-8", "surrogatepass")).hexdigest()
    plain = re.sub(r"[^\w.-]", "_", name)[-60:].lstrip(".")
    return remote_cache() / digest[:2] / f"{digest[2:42]}-{plain}"


def kept_copy(place: Path, pieces: Iterable[bytes]) -> None:
    """Keep a copy, whole or not at all, and remove old ones where there are too many bytes."""
    size = 0
    with atomic_path(place) as part, part.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            size += len(piece)
    _count(place.parent.parent, size)


def _count(root: Path, size: int) -> None:
    limit = cache_limit()
    with _lock:
        first = root not in _added
        _added[root] = _added.get(root, 0) + size
        if not first and _added[root] * _SHARE < limit:
            return
        _added[root] = 0
        _prune(root, limit)


def _prune(root: Path, limit: int) -> None:
    found: list[tuple[float, int, str]] = []
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(OSError):  # another process removed it
                seen = os.stat(path := os.path.join(folder, name))
                found.append((seen.st_mtime, seen.st_size, path))
    total, now = sum(size for _, size, _ in found), time.time()
    for used, size, path in sorted(found):
        if total <= limit or now - used < _YOUNG:
            break
        with suppress(OSError):
            os.unlink(path)
            total -= size
