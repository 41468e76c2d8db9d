"""A format that nobody else has: four letters, a height and a width, and 8 bits a pixel."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from imagemill.data import Codec, Picture, ReadOptions
from imagemill.data.codecs.base import check_pixels, problem

MAGIC = b"TOY1"


class Toy(Codec):
    name = "toy"
    suffixes: tuple[str, ...] = (".toy",)
    writes: tuple[str, ...] = (".toy",)
    remarks: Mapping[str, str] = {".toy": "8 bit, gray"}

    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        data = path.read_bytes() if data is None else data
        (shape, _) = self.header(path, data)
        check_pixels(path, shape, options.max_pixels)
        pixels = data[8 : 8 + shape[0] * shape[1]]
        if len(pixels) < shape[0] * shape[1]:
            raise problem(path, f"{shape[0] * shape[1]} pixels", str(len(pixels)), "get the file again")
        return Picture(np.frombuffer(pixels, np.uint8).reshape(shape).copy(), "yx")

    def recognises(self, start: bytes) -> bool:
        return start.startswith(MAGIC)

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        start = data if data is not None else path.read_bytes()[:8]
        if start[:4] != MAGIC:
            raise problem(path, "a TOY file", f"bytes {start[:4]!r}", "get the file again")
        height, width = struct.unpack_from("<HH", start, 4)
        return (height, width), 1

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        if suffix not in self.writes:
            return f"{suffix} is read only; choose .png"
        fits = picture.axes == "yx" and picture.array.dtype == np.uint8
        return None if fits else f"TOY holds gray of 8 bits, not {picture.array.dtype} {picture.axes}; choose .png"

    def encode(self, picture: Picture, suffix: str) -> bytes:
        return MAGIC + struct.pack("<HH", *picture.array.shape) + np.ascontiguousarray(picture.array).tobytes()
