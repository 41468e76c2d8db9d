"""Damaged files from whole ones: cut, flipped, spliced, with other numbers in them; the same ones for the same seed.

Damage that a checksum would catch at once teaches little, so `sealed` puts the checksums of PNG, gzip and TFRecord
right again, and what reads the file has to cope with its content.

Source of the kinds of damage: the mutations of AFL (M. Zalewski, "american fuzzy lop", technical details).
"""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Callable

import numpy as np

from imagemill.data.layouts.shards.crc32c import masked_crc32c

__all__ = ["cut", "cuts", "damaged", "flipped", "sealed"]

_NUMBERS = (0, 1, 2, 3, 7, 8, 16, 32, 64, 100, 127, 128, 255, 256, 1000, 4096, 32767, 32768, 65535, 65536)
_NUMBERS_MORE = (2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**48, 2**63 - 1, 2**63, 2**64 - 1)
_WORDS = (
    *(b"-1", b"0", b"1e309", b"-1e309", b"NaN", b"Infinity", b"99999999999999999999", b"1.5", b"0x10", b"", b"null"),
    *(b"true", b"[]", b"{}", b'""', b"[[[[", b"../../etc/passwd", b"/etc/passwd", b"\x00", b"\xff\xfe", b"\r", b"\n"),
    *(b",", b'"', b"'", b"a" * 300, b"!!python/object:os.system", b"&a [*a]", b"<!DOCTYPE a>", b"&x;", b"]]>", b"\t"),
    *("é".encode(), "\u202e".encode(), b"http://127.0.0.1:1/x.png", b"C:\\a.png", b"\\", b"#", b"-", b": "),
    b"\xed\xa0\x80",
)
_MOST_INSIDE = 1 << 20


def cut(data: bytes, share: float) -> bytes:
    """The beginning of a file.

    Parameters
    ----------
    data : bytes
    share : float
        Of its length, 0 to 1.

    Examples
    --------
    >>> cut(b"0123456789", 0.3)
    b'012'
    """
    return data[: int(len(data) * share)]


def cuts(data: bytes, steps: int = 10) -> list[bytes]:
    """The file cut off after every such part of its length, the whole file left out.

    Examples
    --------
    >>> cuts(b"0123456789", 5)
    [b'', b'01', b'0123', b'012345', b'01234567']
    """
    return [cut(data, n / steps) for n in range(steps)]


def flipped(data: bytes, seed: int, count: int = 4) -> bytes:
    """A file with other values in some bytes.

    Parameters
    ----------
    data : bytes
    seed : int
        The same seed changes the same bytes.
    count : int
        How many bytes at most; at least one differs.

    Examples
    --------
    >>> flipped(b"abc", 1) == flipped(b"abc", 1) != b"abc"
    True
    """
    rng = np.random.default_rng(seed)
    found = bytearray(data)
    places = sorted({int(n) for n in rng.integers(0, len(data), count)}) if data else []
    for place in places:
        found[place] ^= int(rng.integers(1, 256))
    return bytes(found)


def damaged(data: bytes, seed: int, other: bytes = b"") -> bytes:
    """A file with one to four kinds of damage at once, drawn by the seed.

    Parameters
    ----------
    data : bytes
    seed : int
    other : bytes
        A second file, whose parts may be put into the first.

    Examples
    --------
    >>> damaged(b"width 640", 3) == damaged(b"width 640", 3)
    True
    """
    rng = np.random.default_rng(seed)
    if data[:2] == b"\x1f\x8b" and rng.random() < 0.8:
        inner = _inflated(data)
        if inner:
            return gzip.compress(damaged(inner, int(rng.integers(2**32)), other), mtime=0)
    kinds = _TEXT if rng.random() < 0.6 and _is_text(data) else _BINARY
    for _ in range(int(rng.choice((1, 1, 1, 2, 2, 4)))):
        data = kinds[int(rng.integers(len(kinds)))](data, rng, other)
    return sealed(data) if rng.random() < 0.8 else data


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _MOST_INSIDE)
    except zlib.error:
        return b""


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


Rng = np.random.Generator


def _place(data: bytes, rng: Rng) -> int:
    # Headers are at the beginning, and of some formats (Parquet, zip) at the end: half of the damage goes there.
    end = len(data) + 1
    where = rng.random()
    if where < 0.35:
        return int(rng.integers(min(end, 128)))
    return int(rng.integers(max(0, end - 256), end)) if where < 0.5 else int(rng.integers(end))


def _bit(data: bytes, rng: Rng, other: bytes) -> bytes:
    found, place = bytearray(data), _place(data, rng)
    if place < len(found):
        found[place] ^= 1 << int(rng.integers(8))
    return bytes(found)


def _byte(data: bytes, rng: Rng, other: bytes) -> bytes:
    found, place = bytearray(data), _place(data, rng)
    if place < len(found):
        found[place] = int(rng.integers(256))
    return bytes(found)


def _number(data: bytes, rng: Rng, other: bytes) -> bytes:
    """A length, count or offset that is not so, in 1 to 8 bytes of either order."""
    place, size = _place(data, rng), int(rng.choice((1, 2, 4, 4, 8)))
    values = _NUMBERS if size < 4 or rng.random() < 0.5 else _NUMBERS_MORE
    value = int(values[int(rng.integers(len(values)))]) % 256**size
    number: bytes = value.to_bytes(size, "little") if rng.random() < 0.6 else value.to_bytes(size, "big")
    return data[:place] + number + data[place + size :]


def _delete(data: bytes, rng: Rng, other: bytes) -> bytes:
    place = _place(data, rng)
    return data[:place] + data[place + int(rng.integers(1, 17)) :]


def _insert(data: bytes, rng: Rng, other: bytes) -> bytes:
    place = _place(data, rng)
    return data[:place] + rng.bytes(int(rng.integers(1, 17))) + data[place:]


def _repeat(data: bytes, rng: Rng, other: bytes) -> bytes:
    place, length = _place(data, rng), int(rng.integers(1, 65))
    return data[:place] + data[place : place + length] * int(rng.integers(2, 20)) + data[place + length :]


def _splice(data: bytes, rng: Rng, other: bytes) -> bytes:
    if not other:
        return _repeat(data, rng, other)
    place, start = _place(data, rng), _place(other, rng)
    length = int(rng.integers(1, 257))
    return data[:place] + other[start : start + length] + data[place + (length if rng.random() < 0.5 else 0) :]


def _shorten(data: bytes, rng: Rng, other: bytes) -> bytes:
    return data[: _place(data, rng)]


def _word(data: bytes, rng: Rng, other: bytes) -> bytes:
    """Put another word where one word, number or quoted text is."""
    there = list(re.finditer(rb"-?[0-9.]+|\"[^\"\n]*\"|[A-Za-z_]+|[^\sA-Za-z0-9]", data))
    if not there:
        return _insert(data, rng, other)
    one = there[int(rng.integers(len(there)))]
    word = _WORDS[int(rng.integers(len(_WORDS)))]
    if rng.random() < 0.3 and word:
        word = b'"' + word + b'"'
    return data[: one.start()] + word + data[one.end() :]


def _swap(data: bytes, rng: Rng, other: bytes) -> bytes:
    """Put one word of the file where another is."""
    there = list(re.finditer(rb"-?[0-9.]+|\"[^\"\n]*\"|[A-Za-z_]+|\[[^\[\]]*\]|\{[^{}]*\}", data))
    if len(there) < 2:
        return _byte(data, rng, other)
    one, two = (there[int(n)] for n in rng.integers(0, len(there), 2))
    return data[: one.start()] + two.group() + data[one.end() :]


def _line(data: bytes, rng: Rng, other: bytes) -> bytes:
    lines = data.split(b"\n")
    place = int(rng.integers(len(lines)))
    if rng.random() < 0.5:
        lines[place : place + 1] = []
    else:
        lines.insert(place, lines[int(rng.integers(len(lines)))])
    return b"\n".join(lines)


Kind = Callable[[bytes, Rng, bytes], bytes]
_BINARY: tuple[Kind, ...] = (_bit, _byte, _number, _number, _number, _delete, _insert, _repeat, _splice, _shorten)
_TEXT: tuple[Kind, ...] = (_word, _word, _word, _swap, _swap, _line, _byte, _delete, _splice, _shorten)


def sealed(data: bytes) -> bytes:
    """Put the checksums of a damaged PNG or TFRecord file right, as far as its parts can be told.

    Examples
    --------
    >>> from imagemill.testing.samples import sample_files
    >>> whole = sample_files()["gray.png"]
    >>> sealed(whole) == whole, sealed(b"something else")
    (True, b'something else')
    """
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return data[:8] + _sealed_chunks(data[8:])
    if len(data) > 12 and masked_crc32c(data[:8]) == struct.unpack("<I", data[8:12])[0]:
        return _sealed_records(data)
    return data


def _sealed_chunks(data: bytes) -> bytes:
    parts, place = [], 0
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if place + 12 + length > len(data):
            break
        body = data[place + 4 : place + 8 + length]
        parts.append(data[place : place + 4] + body + struct.pack(">I", zlib.crc32(body)))
        place += 12 + length
    return b"".join(parts) + data[place:]


def _sealed_records(data: bytes) -> bytes:
    parts, place = [], 0
    while place + 16 <= len(data):
        (length,) = struct.unpack("<Q", data[place : place + 8])
        if place + 16 + length > len(data):
            break
        body = data[place + 12 : place + 12 + length]
        parts.append(data[place : place + 8] + struct.pack("<I", masked_crc32c(data[place : place + 8])))
        parts.append(body + struct.pack("<I", masked_crc32c(body)))
        place += 16 + length
    return b"".join(parts) + data[place:]
