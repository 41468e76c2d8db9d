"""What is known of remote files, and their bytes: listed in one go, fetched in one request each, kept in a cache."""

from __future__ import annotations

import io
import os
import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError
from imagemill.data.remote.bounded_cache import cache_limit, copy_of, kept_copy
from imagemill.data.remote.file_system import LISTING_TIME, asked, called, file_system_of

__all__ = [
    "Found",
    "files_below",
    "fresh",
    "known",
    "learn",
    "local_copy",
    "look",
    "opened",
    "put",
    "read_range",
    "read_ranges",
    "remove",
]

SMALL = 64 << 20
"""Bytes up to which a file is fetched whole where somebody opens it, since images are read to their end."""
_STEP = 4 << 20
"""Bytes that one request fetches of larger files."""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Found:
    """What there is at an address.

    Parameters
    ----------
    size : int
        Bytes of a file.
    token : str
        What changes with its content: its ETag or version, else size and time.
    is_folder : bool
    """

    size: int
    token: str
    is_folder: bool = False


_FOLDER = Found(0, "", is_folder=True)


@dataclass(frozen=True, slots=True)
class _Listing:
    """All files below a folder, in order."""

    keys: Sequence[str]
    found: Mapping[str, Found]

    def at(self, key: str) -> Found | None:
        if not key or (found := self.found.get(key)) is None:
            place = bisect_left(self.keys, f"{key}/" if key else "")
            below = place < len(self.keys) and self.keys[place].startswith(f"{key}/" if key else "")
            return _FOLDER if below else None
        return found


_lock = threading.Lock()
_listings: dict[str, _Listing] = {}
_known: dict[str, Found] = {}


def fresh(path: Any) -> None:
    """Forget what is known below an address: what opens a dataset wants it as it is now."""
    text = str(path)
    with _lock:
        for table in (_listings, _known):
            for one in [one for one in table if one == text or one.startswith(f"{text}/")]:
                del table[one]


def known(url: str) -> Found | None:
    """What is known of a file without asking."""
    if (found := _known.get(url)) is not None:
        return found
    at = url
    while "/" in (at := at.rpartition("/")[0]):
        if (listing := _listings.get(at)) is not None:
            return listing.at(url[len(at) + 1 :])
        if at.endswith(":/"):
            break
    return None


def learn(url: str, found: Found) -> None:
    """Take over what another process knows."""
    _known[url] = found


def _is_listed(url: str) -> bool:
    at = url
    while at and not at.endswith(":/"):
        if at in _listings:
            return True
        at = at.rpartition("/")[0]
    return False


def look(path: Any) -> Found | None:
    """What there is at an address; None for nothing.

    Raises
    ------
    CodecError
        When the server does not say.
    """
    url = str(path)
    if (found := _known.get(url)) is not None:
        return found
    if (listing := _listings.get(url)) is not None:
        return listing.at("")
    if _is_listed(url):
        return known(url)
    try:
        info = asked(url, lambda: called(url, "info"))
    except FileNotFoundError:
        return None
    found = _found(info)
    if not found.is_folder:
        _known[url] = found
    return found


def _found(info: Mapping[str, Any]) -> Found:
    if info.get("type") == "directory":
        return _FOLDER
    size = int(info.get("size") or 0)
    names = ("ETag", "etag", "md5Hash", "content_md5", "VersionId", "blob_id", "created", "mtime", "LastModified")
    token = next((str(info[name]) for name in names if info.get(name)), "")
    return Found(size, f"{token} {size}")


def files_below(path: Any) -> Sequence[str]:
    """Paths of all files below a folder, relative to it and sorted.

    Raises
    ------
    CodecError
        When the list does not end in time.
    """
    url = str(path)
    if url not in _listings:
        try:
            listed = asked(url, lambda: called(url, "find", detail=True, seconds=LISTING_TIME), seconds=LISTING_TIME)
        except FileNotFoundError:
            listed = {}
        root = _bare(url)
        found = {
            key: one
            for name, info in listed.items()
            if (key := _bare(name).removeprefix(root).strip("/")) and not name.endswith("/")
            if not (one := _found(info)).is_folder
        }
        with _lock:
            _listings[url] = _Listing(sorted(found), found)
    return _listings[url].keys


def _bare(name: str) -> str:
    """A name without its protocol, as file systems give it back."""
    return name.partition("://")[2].strip("/") if "://" in name else name.strip("/")


# ------------------------------------------------------------------------------------------------------ contents


def local_copy(path: Any) -> str:
    """The file in the cache that holds the same bytes, fetched where it is not there yet."""
    url = str(path)
    found = _there(url)
    place = copy_of(url, found.token, path.name)
    if place.is_file() and place.stat().st_size == found.size:
        os.utime(place)  # the cache forgets what was not used for longest
        return str(place)
    if found.size > cache_limit():
        do = "raise IMAGEMILL_CACHE_BYTES, or copy the file to this machine"
        raise CodecError(f"{url}: expected a file that fits the cache, got {found.size:,} bytes; {do}")
    if found.size <= SMALL:
        kept_copy(place, [_whole(url, found)])
    else:
        kept_copy(place, _pieces(url, found.size))
    return str(place)


def _there(url: str) -> Found:
    found = known(url) or look(url)
    if found is None:
        raise CodecError(f"{url}: expected a file, got nothing there; check the address")
    return found


def _whole(url: str, found: Found) -> bytes:
    def ask() -> bytes:
        data = bytes(called(url, "cat_file"))
        if len(data) != found.size:
            raise OSError(f"{len(data):,} of {found.size:,} bytes")
        return data

    if not found.size:
        return b""
    try:
        return asked(url, ask)
    except FileNotFoundError:
        raise CodecError(f"{url}: expected a file, got nothing there any more; look at the folder again") from None


def _pieces(url: str, size: int) -> Iterator[bytes]:
    for first in range(0, size, _STEP * _AT_ONCE):
        starts = range(first, min(first + _STEP * _AT_ONCE, size), _STEP)
        yield from read_ranges(url, [(start, min(start + _STEP, size)) for start in starts])


def read_range(url: str, first: int, last: int) -> bytes:
    """Bytes of a file from `first` up to `last`."""

    def ask() -> bytes:
        data = bytes(called(url, "cat_file", start=first, end=last))
        if len(data) != last - first:
            raise OSError(f"{len(data):,} of {last - first:,} bytes")
        return data

    try:
        return asked(url, ask) if last > first else b""
    except FileNotFoundError:
        raise CodecError(f"{url}: expected a file, got nothing there any more; look at the folder again") from None


def read_ranges(url: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """Several stretches of a file, some asked for at once."""
    if len(ranges) < 2:
        return [read_range(url, *one) for one in ranges]
    with ThreadPoolExecutor(min(_AT_ONCE, len(ranges)), thread_name_prefix="imagemill-remote") as pool:
        return list(pool.map(lambda one: read_range(url, *one), ranges))


def opened(path: Any) -> Any:
    """A file to read bytes from."""
    found = look(path)
    if found is not None and found.is_folder:
        raise IsADirectoryError(21, "expected a file, got a folder", str(path))
    if found is None:
        raise FileNotFoundError(2, "expected a file, got nothing", str(path))
    if found.size <= SMALL:
        return open(local_copy(path), "rb")
    return io.BufferedReader(_Ranged(str(path), found.size), _STEP)


class _Ranged(io.RawIOBase):
    """A large file of which only what is read is fetched."""

    def __init__(self, url: str, size: int) -> None:
        self._url, self._size, self._at = url, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def readinto(self, into: Any) -> int:
        view = memoryview(into).cast("B")
        data = read_range(self._url, self._at, min(self._at + len(view), max(self._size, self._at)))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


# ------------------------------------------------------------------------------------------------------- changes


def put(path: Any, file: Path) -> None:
    """Write a file of this machine to an address, whole or not at all.

    Raises
    ------
    CodecError
        When the server refuses it.
    """
    url = str(path)
    fresh(path)
    asked(url, lambda: _put(url, file), seconds=LISTING_TIME)
    _forget_lists(url)


def _put(url: str, file: Path) -> None:
    # put_file takes the place second, and every file system has pipe_file: small files are one request.
    if file.stat().st_size <= SMALL:
        called(url, "pipe_file", file.read_bytes())
        return
    fs, place = file_system_of(url)
    fs.put_file(str(file), place)


def remove(path: Any) -> bool:
    """Remove a file; whether there was one."""
    url = str(path)
    if look(path) is None:
        return False
    try:
        asked(url, lambda: called(url, "rm_file"))
    except FileNotFoundError:
        return False
    finally:
        fresh(path)
        _forget_lists(url)
    return True


def _forget_lists(url: str) -> None:
    with _lock:
        for root in [root for root in _listings if url.startswith(f"{root}/")]:
            del _listings[root]
