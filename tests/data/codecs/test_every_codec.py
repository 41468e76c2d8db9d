"""The contract that codecs from outside are checked by: each of imagemill's own keeps it, broken ones are caught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imagemill.data import Codec, Picture, ReadOptions
from imagemill.data.codecs.registry import OWN
from imagemill.data.records.record import split_suffix
from imagemill.testing import check_codec, sample_files
from tests.data.codecs.toy import Toy


@pytest.mark.parametrize("codec", OWN, ids=lambda codec: codec.name)
def test_every_codec_of_imagemill_keeps_the_contract(codec: Codec) -> None:
    files = {name: data for name, data in sample_files().items() if split_suffix(name)[1] in codec.suffixes}
    assert files
    check_codec(codec, files=files, lossy=(".jpg", ".jpeg"))


def test_a_codec_from_outside_keeps_it() -> None:
    check_codec(Toy())


class ReadOnly(Toy):
    writes = ()


def test_a_codec_that_does_not_write_is_tried_on_files() -> None:
    whole = Toy().encode(Picture(np.arange(6, dtype=np.uint8).reshape(2, 3), "yx"), ".toy")
    check_codec(ReadOnly(), files={"a.toy": whole})
    with pytest.raises(AssertionError, match="is a file of this codec"):
        check_codec(ReadOnly(), files={"a.tox": whole})


_TOY_READ, _TOY_HEADER, _TOY_CAN, _TOY_ENCODE = Toy.read, Toy.header, Toy.can_write, Toy.encode


def _changed(change: Any) -> Any:
    def read(self: Any, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        made = _TOY_READ(self, path, options, data)
        return Picture(change(made.array), made.axes)

    return read


def _unlimited(self: Any, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
    return _TOY_READ(self, path, ReadOptions(), data)


def _twice(self: Any, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
    made = _TOY_READ(self, path, options, data)
    return made if data is None else Picture(made.array + np.uint8(1), "yx")


def _wider(self: Any, path: Path, data: bytes | None = None) -> Any:
    (height, width), orientation = _TOY_HEADER(self, path, data)
    return (height, width + (data is None)), orientation


def _complex(self: Any, picture: Picture, suffix: str) -> str | None:
    return _TOY_CAN(self, picture, suffix) if picture.array.dtype.kind != "c" else None


def _half(self: Any, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
    data = path.read_bytes() if data is None else data
    return _TOY_READ(self, path, options, data + bytes(max(0, 4096 - len(data))))


def _careless(self: Any, picture: Picture, suffix: str) -> bytes:
    made = _TOY_ENCODE(self, picture, suffix)
    picture.array[...] = 0
    return made


_COUNT = iter(range(10**6))

BROKEN = {
    "pixels": ("read", _changed(lambda a: a[::-1].copy())),
    "came back as uint16": ("read", _changed(lambda a: a.astype(np.uint16))),
    "came back as .4, 12": ("read", _changed(lambda a: a[:4].copy())),
    "C order": ("read", _changed(np.asfortranarray)),
    "more than max_pixels is refused": ("read", _unlimited),
    "is refused": ("read", _half),
    "`data` is read": ("read", _twice),
    "header .9, 13., pixels": ("header", _wider),
    "orientations are 1 to 8": ("header", lambda self, path, data=None: (_TOY_HEADER(self, path, data)[0], 0)),
    "leaves the picture alone": ("encode", _careless),
    "equal bytes": ("encode", lambda self, p, suffix: _TOY_ENCODE(self, p, suffix) + bytes([next(_COUNT) % 251])),
    "has a reason against them": ("can_write", _complex),
    "at least one picture": ("can_write", lambda self, p, s: "never"),
    "what cannot be written has a reason": ("can_write", lambda self, p, s: _TOY_CAN(self, p, s) and ""),
    "that begins like .png for its own": ("recognises", lambda self, start: True),
    "an empty file for its own": ("recognises", lambda self, start: not start),
}


@pytest.mark.parametrize("said", BROKEN)
def test_a_broken_promise_is_named(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(Toy, *BROKEN[said])
    with pytest.raises(AssertionError, match=said):
        check_codec(Toy())


def test_against_everything_that_is_not_written() -> None:
    class Eager(ReadOnly):
        def can_write(self, picture: Picture, suffix: str) -> str | None:
            return None if picture.array.dtype == np.uint8 else "no"

    with pytest.raises(AssertionError, match="is not among `writes`"):
        check_codec(Eager())


def test_pixels_that_may_differ_may_not_differ_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Toy, "read", _changed(lambda a: a ^ 1))
    check_codec(Toy(), lossy=(".toy",))
    monkeypatch.setattr(Toy, "read", _changed(lambda a: a ^ 64))
    with pytest.raises(AssertionError, match="of their range apart"):
        check_codec(Toy(), lossy=(".toy",))
