"""The message ``tf.train.Example``: features by name, each a list of bytes, floats or integers.

Only what this message needs of the protocol buffers wire format (developers' documentation "Encoding"): varints,
fields of fixed and of stated length. Lists of numbers may be packed or not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["Features", "Span", "decode_example", "encode_example"]

Span = tuple[int, int]
"""Where a value of bytes begins and ends within the message."""

Features = dict[str, "list[Span] | list[float] | list[int]"]
"""Values by name; bytes as spans, so that a picture is not copied before it is needed."""


def _varint(data: memoryview, position: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= end or shift > 63:
            raise ValueError("a number that does not end")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7


def _fields(data: memoryview, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, wire type, and place of each field; for a varint the place holds the number itself."""
    position = start
    while position < end:
        key, position = _varint(data, position, end)
        field, wire = key >> 3, key & 7
        if wire == 0:
            value, position = _varint(data, position, end)
            yield field, wire, value, position
            continue
        if wire == 2:
            length, position = _varint(data, position, end)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if position + length > end:
            raise ValueError("a field longer than the message")
        yield field, wire, position, position + length
        position += length


def decode_example(data: memoryview) -> Features:
    """Read a message.

    Parameters
    ----------
    data : memoryview

    Returns
    -------
    Features

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> message = encode_example({"label": [3], "image": [b"..."]})
    >>> features = decode_example(memoryview(message))
    >>> features["label"], message[slice(*features["image"][0])]
    ([3], b'...')
    """
    found: Features = {}
    for field, wire, start, end in _fields(data, 0, len(data)):
        if field == 1 and wire == 2:
            for inner, inner_wire, a, b in _fields(data, start, end):
                if inner == 1 and inner_wire == 2:
                    name, values = _entry(data, a, b)
                    found[name] = values
    return found


def _entry(data: memoryview, start: int, end: int) -> tuple[str, Any]:
    """One entry of the map: its key, and its feature."""
    name, values = "", []
    for field, wire, a, b in _fields(data, start, end):
        if wire == 2 and field == 1:
            name = bytes(data[a:b]).decode("utf-8")
        elif wire == 2 and field == 2:
            for kind, kind_wire, c, d in _fields(data, a, b):
                if kind_wire == 2 and kind in (1, 2, 3):
                    values = list(_values(data, kind, c, d))
    return name, values


def _values(data: memoryview, kind: int, start: int, end: int) -> Iterator[Any]:
    """The values of a list."""
    for field, wire, a, b in _fields(data, start, end):
        if field != 1:
            continue
        if kind == 1 and wire == 2:
            yield a, b
        elif kind == 2 and wire in (2, 5):
            if (b - a) % 4:
                raise ValueError("packed floats of odd length")
            yield from struct.unpack(f"<{(b - a) // 4}f", data[a:b])
        elif kind == 3 and wire == 0:
            yield _signed(a)
        elif kind == 3 and wire == 2:
            position = a
            while position < b:
                value, position = _varint(data, position, b)
                yield _signed(value)
        else:
            raise ValueError(f"wire type {wire} in a list")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _number(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _number(number << 3 | 2) + _number(len(content)) + content


def encode_example(features: Mapping[str, Sequence[bytes] | Sequence[float] | Sequence[int]]) -> bytes:
    """Write a message; equal features give equal bytes.

    Parameters
    ----------
    features : mapping
        Lists of bytes, of floats (kept in single precision) or of integers of 64 bits; an empty list is one of bytes.

    Examples
    --------
    >>> len(encode_example({"label": [3]}))
    18
    """
    entries = b""
    for name in sorted(features):
        values = list(features[name])
        if any(isinstance(value, float) for value in values):
            feature = _field(2, _field(1, struct.pack(f"<{len(values)}f", *values)))
        elif values and isinstance(values[0], int):
            feature = _field(3, _field(1, b"".join(_number(value) for value in values if isinstance(value, int))))
        else:
            feature = _field(1, b"".join(_field(1, value) for value in values if isinstance(value, bytes)))
        entries += _field(1, _field(1, name.encode()) + _field(2, feature))
    return _field(1, entries)
