"""Cells of tables: the many ways in which one says where a picture is."""

from __future__ import annotations

import base64
import binascii
import os
import posixpath
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import numpy as np

from imagemill.core.errors import InputError
from imagemill.data.codecs.base import problem
from imagemill.data.codecs.shelf import SHELF
from imagemill.data.codecs.sniff import HEAD, sniff
from imagemill.data.layouts.base import ReadSource
from imagemill.data.layouts.tables.cells.text_lists import is_numbers, pixel_array, shape_told, unquoted
from imagemill.data.records.record import Blob, Pixels, Stored, split_suffix
from imagemill.data.remote.remote_path import RemotePath, relative

__all__ = [
    "BadCell",
    "NoFile",
    "Place",
    "Placed",
    "image_at",
    "is_safe_key",
    "media_suffix",
    "path_inside",
    "picture_suffix",
    "text_key",
]

_BASE64 = re.compile(r"[A-Za-z0-9+/\s_-]*={0,2}\s*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MEDIA = {
    **{"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/bmp": ".bmp"},
    **{"image/gif": ".gif", "image/tiff": ".tif", "image/avif": ".avif", "image/jp2": ".jp2", "image/jpx": ".jpx"},
    **{"image/heic": ".heic", "image/heif": ".heif", "image/x-tga": ".tga", "image/x-portable-pixmap": ".ppm"},
    **{"image/x-portable-graymap": ".pgm", "image/x-portable-bitmap": ".pbm", "image/x-portable-anymap": ".pnm"},
}
_KINDS = {
    **{"jpeg": ".jpg", "png": ".png", "webp": ".webp", "gif": ".gif", "bmp": ".bmp", "tiff": ".tif", "npy": ".npy"},
    **{"netpbm": ".pnm", "jpeg2000": ".jp2", "avif": ".avif", "heif": ".heic", "metaimage": ".mha", "nrrd": ".nrrd"},
}


_LEAST_PIXELS = 3
"""Numbers that a text must hold to be read as pixels and not as a name."""


class BadCell(Exception):  # noqa: N818 - it is a message on its way to a Problem, not an error of its own
    """Why a cell cannot be taken in, in the words of a Problem."""


class NoFile(BadCell):
    """The cell reads like a path, and no file of the table's folder is there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the paths of a table start, and what they may do.

    Parameters
    ----------
    base : Path
        Folder that paths are relative to.
    options : ReadSource
    real : dict
        Real paths of folders that were asked for before.
    """

    base: Path
    options: ReadSource
    real: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placed:
    """Pixels that a format already knows the place of, and the path that the table gives them."""

    pixels: Pixels
    path: str | None


def image_at(cell: Any, place: Place, name: str) -> Pixels:
    """Say where the pixels are that a cell stands for; nothing is read from disk but the entry of the file.

    Parameters
    ----------
    cell : object
        A path relative to `place.base`; an ``http(s)``, ``file`` or ``data`` address; base64 text; bytes; a
        mapping with ``bytes`` and ``path`` (as Hugging Face has it); nested lists of numbers, also as text, or one
        list of them that makes a square or what ``extra["shape"]`` says; or pixels. Quotes around a text count for
        nothing.
    place : Place
        Folder and rules.
    name : str
        What errors call the cell.

    Raises
    ------
    BadCell
        When it is none of these, or leads where it may not.

    Examples
    --------
    >>> image_at("data:image/png;base64,iVBORw0KGgo=", Place(Path("."), ReadSource()), "row 1").suffix
    '.png'
    """
    if isinstance(cell, Path | Blob | Stored):
        return cell
    if isinstance(cell, Placed):
        return cell.pixels
    if isinstance(cell, str):
        return _text(unquoted(cell), place, name)
    if isinstance(cell, bytes | bytearray | memoryview):
        return _bytes(bytes(cell), "", name)
    if isinstance(cell, Mapping):
        data, path = cell.get("bytes"), cell.get("path")
        suffix = split_suffix(path)[1] if isinstance(path, str) else ""
        if isinstance(data, bytes):
            return _bytes(data, suffix, name)
        if isinstance(data, str):
            return Blob(name, suffix, partial(_decoded, data, name))
        if isinstance(path, str):
            return _text(unquoted(path), place, name)
        raise BadCell("expected an image with 'bytes' or 'path', got a mapping without; fill one of them")
    if isinstance(cell, list | tuple | np.ndarray):
        return _numbers(cell, place, name)
    raise BadCell(f"expected a picture, got {_short(cell)}; give a path, an address, bytes or pixels")


def _short(cell: Any) -> str:
    return "an empty cell" if cell is None else f"{str(cell)[:60]!r}"


def _bytes(data: bytes, suffix: str, name: str) -> Blob:
    if not data:
        raise BadCell("expected the bytes of a picture, got none; fill the cell")
    return Blob(name, suffix or picture_suffix(data), partial(_same, data))


def _suffix(kind: str | None) -> str:
    """The usual suffix of what content is called, also of a codec from outside."""
    return _KINDS.get(kind or "", "") or (SHELF.suffix_of(kind) if kind else "")


def picture_suffix(data: bytes) -> str:
    """The suffix of an encoded picture by its content; empty where it is not known.

    Examples
    --------
    >>> picture_suffix(b"GIF89a"), picture_suffix(b"hello")
    ('.gif', '')
    """
    return _suffix(sniff(data[:HEAD]))


def _same(data: bytes) -> bytes:
    return data


def _text(text: str, place: Place, name: str) -> Pixels:
    scheme = text[:8].lower()
    if scheme.startswith("data:"):
        return _data_uri(text, name)
    if scheme.startswith(("http://", "https://")):
        return _web(text, place)
    if scheme.startswith("file:"):
        from urllib.request import url2pathname  # and all of HTTP with it

        parts = urlsplit(text)
        if parts.netloc not in ("", "localhost"):
            raise BadCell(f"expected a file of this machine, got {text[:80]!r}; give a path")
        return path_inside(url2pathname(unquote(parts.path)), place)
    if not text:
        raise BadCell("expected a picture, got an empty cell; fill it or remove the row")
    if kind := _base64_kind(text):
        return Blob(name, _suffix(kind), partial(_decoded, text, name))
    if text[0] in "[0123456789-." and is_numbers(text, 2 if "shape" in place.options.extra else _LEAST_PIXELS):
        return _numbers(text, place, name)
    return path_inside(text, place)


def _base64_kind(text: str) -> str | None:
    """Format of a picture written as base64; a JPEG's begins with a slash, so this comes before paths."""
    if len(text) < 40 or not _BASE64.fullmatch(text[:64].rstrip("=")):
        return None
    try:
        return sniff(base64.b64decode("".join(text[:64].split())[:48], altchars=None))
    except binascii.Error:
        return None


def _decoded(text: str, name: str) -> bytes:
    clean = "".join(text.split()).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(clean + "=" * (-len(clean) % 4), validate=True)
    except binascii.Error as error:
        raise problem(name, "base64 text", str(error), "mend the cell") from error


def _data_uri(text: str, name: str) -> Blob:
    head, comma, body = text[5:].partition(",")
    if not comma:
        raise BadCell("expected 'data:image/...;base64,...', got no comma; mend the address")
    media, *words = head.split(";")
    named = next((word.strip()[5:] for word in words if word.strip().lower().startswith("name=")), "")
    suffix = media_suffix(media) or split_suffix(unquote(named))[1]
    if "base64" in (word.strip().lower() for word in words):
        return Blob(name, suffix, partial(_decoded, unquote(body) if "%" in body else body, name))
    return Blob(name, suffix, partial(unquote_to_bytes, body))


def media_suffix(media: str) -> str:
    """Suffix of a media type such as ``image/png``; empty where it is not known.

    Examples
    --------
    >>> media_suffix("image/jpeg"), media_suffix("text/plain")
    ('.jpg', '')
    """
    return _MEDIA.get(media.strip().lower(), "")


def _web(url: str, place: Place) -> Blob:
    if not place.options.urls:
        raise BadCell(f"expected a file, got the address {url[:80]!r}; pass urls=True (--option urls=yes) to fetch it")
    from imagemill.data.web.fetch import default_cache, fetch

    cache = place.options.cache or default_cache()
    suffix = split_suffix(PurePosixPath(unquote(urlsplit(url).path)).name)[1]
    return Blob(url, suffix, partial(fetch, url, cache=cache, private=place.options.private))


def _numbers(cell: Any, place: Place, name: str) -> Stored:
    """Pixels written as lists of numbers, in the smallest type that holds them exactly."""
    try:
        array = pixel_array(cell, shape_told(place.options.extra.get("shape")))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        got = "a ragged list" if "inhomogeneous" in str(error) else str(error)
        do = "mend the pixels, or say height and width: extra={'shape': '28x28'} (--option shape=28x28)"
        raise BadCell(f"expected pixels as rows of equal length, got {got}; {do}") from error
    if array.size == 0 or array.dtype.kind not in "biuf" or array.ndim < 2:
        got = f"{array.dtype} of shape {array.shape}"
        raise BadCell(f"expected pixels as lists of rows of numbers, got {got}; mend the cell")
    if array.dtype.kind in "iu":
        low, high = int(array.min()), int(array.max())
        fits = [d for d in (np.uint8, np.uint16, np.int32) if np.iinfo(d).min <= low and high <= np.iinfo(d).max]
        array = array.astype(fits[0]) if fits else array
    elif array.dtype.kind == "f":
        single = array.astype(np.float32)
        array = single if np.array_equal(single.astype(array.dtype), array, equal_nan=True) else array
    array.setflags(write=False)
    return Stored(name, partial(_copy, array))


def _copy(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array.copy()


def path_inside(text: str, place: Place) -> Path:
    """The file that a path in a table names, confined to the table's folder unless told otherwise.

    Parameters
    ----------
    text : str
        A path, relative to the table; backslashes count as slashes.
    place : Place

    Raises
    ------
    BadCell
        When it is missing, or leads outside the folder, by name or by links.
    """
    outside = place.options.outside
    if "\0" in text:
        raise BadCell(f"expected a path, got {text[:60]!r} with a zero byte; mend the cell")
    if isinstance(place.base, RemotePath):
        return _remote_inside(text, place.base)
    mode, name = _mode(text, place)
    if mode is None and "\\" in text:  # written on Windows
        text = text.replace("\\", "/")
        mode, name = _mode(text, place)
    windows = len(text) > 1 and text[1] == ":" and text[0].isalpha()
    do = "pass outside=True (--option outside=yes) if files elsewhere are meant"
    leads_out = os.path.isabs(text) or windows or (".." in text and ".." in PurePosixPath(text).parts)
    if not outside and leads_out and (mode is None or not _stays(os.path.normpath(name), place, is_link=True)):
        raise NoFile(f"expected a path inside {place.base}, got {text[:120]!r}; {do}")
    if mode is None or not (stat.S_ISREG(mode) or (stat.S_ISLNK(mode) and os.path.isfile(name))):
        raise NoFile(f"expected a file, got {text[:120]!r}, where there is nothing; check the path")
    if not outside and not _stays(name, place, is_link=stat.S_ISLNK(mode)):
        raise BadCell(f"expected a path inside {place.base}, got a link that leads out of it: {text[:120]!r}; {do}")
    return Path(name)


def _remote_inside(text: str, base: RemotePath) -> Path:
    """The same of a table elsewhere: what it names is below its folder, where there are no links."""
    key = posixpath.normpath(text.replace("\\", "/"))
    if not is_safe_key(key):
        raise NoFile(f"expected a path inside {base}, got {text[:120]!r}; copy the file there, or mend the cell")
    found: Path = base / key
    if not found.is_file():
        raise NoFile(f"expected a file, got {text[:120]!r}, where there is nothing; check the path")
    return found


def _mode(text: str, place: Place) -> tuple[int | None, str]:
    """What kind of entry a path is, None where there is none. As text: a million rows make Path objects slow."""
    name = os.path.join(place.base, text)
    try:
        return os.lstat(name).st_mode, name
    except (OSError, ValueError):  # nothing there, or a name that the system cannot hold
        return None, name


def _stays(name: str, place: Place, *, is_link: bool) -> bool:
    """Whether a file really lies below the folder. Folders are resolved once: a million rows share few."""
    root = _real(str(place.base), place)
    folder, _, last = name.rpartition(os.sep)
    real = os.path.realpath(name) if is_link else os.path.join(_real(folder, place), last)
    return real.startswith(root.rstrip(os.sep) + os.sep)


def _real(folder: str, place: Place) -> str:
    if folder not in place.real:
        place.real[folder] = os.path.realpath(folder)
    return place.real[folder]


def is_safe_key(text: Any) -> bool:
    """Whether a text can be a key: a relative POSIX path that leads nowhere else.

    Examples
    --------
    >>> is_safe_key("cat/1.jpg"), is_safe_key("../1.jpg"), is_safe_key("")
    (True, False, False)
    """
    if not isinstance(text, str) or not text.strip() or text.startswith("/") or "\\" in text:
        return False
    return all(part not in ("", ".", "..") for part in text.split("/")) and not _CONTROL.search(text)


def text_key(text: str, base: Path) -> str | None:
    """The key that a path in a table gives: relative to the table's folder, or None where it is no path inside."""
    if "./" not in text and "//" not in text and is_safe_key(text):
        return text
    inside = os.path.normpath(text.strip().replace("\\", "/")) if not os.path.isabs(text) else text
    if os.path.isabs(inside):
        inside = relative(inside, base)
    inside = inside.replace(os.sep, "/")
    return inside if is_safe_key(inside) else None
