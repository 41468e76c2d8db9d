r"""Names of output files: unique, stable, and telling where they come from.

A name is ``<folders of the key>/<prefix><stem>-<8 hex of the key>-<copy><suffix>``. The stem is for people;
the eight digits (blake2b over the key as it is, suffix and case included) keep ``x.png`` apart from
``x.jpg``, ``X.png`` from ``x.png`` where the file system folds case, and two spellings of one accent apart.
Sub-folders stay sub-folders, so class folders survive and ``a/b.jpg`` cannot meet ``a_b.jpg``.
Nothing depends on the position in the source: adding or removing files renames no other file's output.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from hashlib import blake2b

from imagemill.core.errors import InputError
from imagemill.data.records.record import split_suffix

__all__ = ["MAX_NAME_BYTES", "name_clashes", "output_name"]

MAX_NAME_BYTES = 200
"""Longest name in bytes: file systems allow 255, and a temporary name is about 30 longer."""

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e]')
_SUFFIX = re.compile(r"(\.[A-Za-z0-9]+){1,2}")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{w}{n}" for w in ("com", "lpt") for n in "123456789")}


def output_name(record_key: str, copy: int = 0, copies: int = 1, prefix: str = "", suffix: str = ".png") -> str:
    """Name the file that one copy of one record is written to.

    Parameters
    ----------
    record_key : str
        The record's key: a relative POSIX path. Parts that would leave the output folder (a leading
        slash, ``..``) are dropped.
    copy : int
        Which copy, 0 to ``copies - 1``.
    copies : int
        How many copies of each record are written, 1 or more.
    prefix : str
        Text before the stem, without slashes.
    suffix : str
        Suffix of the output format with its dot, such as ``".tiff"`` or ``".nii.gz"``.

    Returns
    -------
    str
        A relative POSIX path; each of its parts is at most `MAX_NAME_BYTES` bytes.

    Raises
    ------
    InputError
        When an argument is out of its range.

    Examples
    --------
    >>> output_name("cat/photo.one.jpg", 2, 5, suffix=".png")
    'cat/photo.one-5a990ae8-002.png'
    """
    _check(record_key, copy, copies, prefix, suffix)
    *folders, name = record_key.replace("\\", "/").split("/")
    stem = _clean(split_suffix(re.sub(r"#\d+$", "", name))[0]) or "image"
    if not prefix and stem.startswith("."):
        stem = "_" + stem[1:]  # a hidden file would be passed over when the output is read as a source
    prefix = unicodedata.normalize("NFC", prefix)
    tail = f"-{_digest(record_key)}-{copy:0{max(3, len(str(copies - 1)))}d}{suffix}"
    room = MAX_NAME_BYTES - len(tail.encode()) - len(prefix.encode())
    file = _not_reserved(prefix + _cut(stem, room)) + tail
    return "/".join([*(_folder(part) for part in folders if part not in ("", ".", "..")), file])


def name_clashes(keys: Iterable[str]) -> list[tuple[str, str]]:
    """Find keys whose outputs would share a name on a file system that folds case.

    The digits make this a matter of one in four billion per pair of equal stems; a run that must not
    lose a file asks anyway.

    Parameters
    ----------
    keys : iterable of str
        Record keys.

    Returns
    -------
    list of tuple
        Pairs of different keys with the same output name, or a key that came twice.

    Examples
    --------
    >>> name_clashes(["a/b.jpg", "a_b.jpg", "A/b.JPG"]), name_clashes(["x.png", "x.png"])
    ([], [('x.png', 'x.png')])
    """
    seen: dict[str, str] = {}
    clashes = []
    for key in keys:
        name = unicodedata.normalize("NFC", output_name(key).casefold())
        if name in seen:
            clashes.append((seen[name], key))
        seen.setdefault(name, key)
    return clashes


def _check(key: str, copy: int, copies: int, prefix: str, suffix: str) -> None:
    """Refuse arguments that cannot make a name."""
    if not key:
        raise InputError("expected a record key, got an empty text; give the path relative to the source")
    if copies < 1 or not 0 <= copy < copies:
        msg = f"expected a copy from 0 to {max(copies, 1) - 1} of at least 1, got copy {copy} of {copies}"
        raise InputError(msg + "; count copies from 0")
    if _UNSAFE.search(prefix) or prefix.startswith(".") or len(prefix.encode("utf-8", "replace")) > 100:
        msg = f"expected a prefix of at most 100 bytes that can begin a file name, got {prefix!r}"
        raise InputError(msg + '; leave out a leading dot and any of <>:"/\\|?*')
    if not _SUFFIX.fullmatch(suffix) or len(suffix) > 20:
        msg = f"expected a suffix such as '.png' or '.nii.gz', got {suffix!r}; write it with its dot"
        raise InputError(msg)


def _digest(text: str) -> str:
    """Eight hex digits of a key, taken byte for byte."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def _clean(text: str) -> str:
    """Replace what some file system refuses, and compose accents."""
    text = _UNSAFE.sub("_", unicodedata.normalize("NFC", text))
    return text.strip(" ").rstrip(".")


def _cut(text: str, room: int) -> str:
    """Cut a text to at most `room` bytes, never inside a character."""
    return text.encode()[:room].decode(errors="ignore").rstrip(" .")


def _not_reserved(text: str) -> str:
    """Keep Windows' device names, which stay reserved whatever follows a dot, out of names."""
    return f"_{text[:-1] if len(text.encode()) > MAX_NAME_BYTES else text}" if _is_reserved(text) else text


def _is_reserved(text: str) -> bool:
    return text.partition(".")[0].strip().lower() in _RESERVED


def _folder(part: str) -> str:
    """Clean a folder name; one that had to change gets its digits, so that two classes never merge."""
    composed = unicodedata.normalize("NFC", part)
    clean = _cut(_clean(composed), MAX_NAME_BYTES)
    if clean.startswith("."):
        clean = "_" + clean[1:]
    if clean == composed and not _is_reserved(clean):
        return clean
    return f"{_cut(clean, MAX_NAME_BYTES - 10) or 'folder'}-{_digest(part)}".replace(".", "_")
