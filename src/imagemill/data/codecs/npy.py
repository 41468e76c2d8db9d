"""NumPy's own file format, without pickles."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.data.codecs.axes import place_axes
from imagemill.data.codecs.base import Codec, Picture, ReadOptions, check_pixels, native, problem
from imagemill.data.codecs.error_guard import cause, guarded
from imagemill.data.codecs.limits import check_inflation
from imagemill.data.codecs.sniff import kind_of

__all__ = ["NpyCodec", "axes_by_rank", "load_npy"]


class NpyCodec(Codec):
    """Reads and writes ``.npy``.

    The file says no axes, so the rank decides: two axes are gray; of three, a last axis of 1, 3 or 4 is
    channels and anything else makes slices ``zyx``; four are ``zyxc``. The note says which was taken.
    """

    name = "npy"
    suffixes: tuple[str, ...] = (".npy",)
    writes: tuple[str, ...] = (".npy",)
    remarks: Mapping[str, str] = {".npy": "plain numbers, no pickles"}

    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        stored = load_npy(path, data)
        if not isinstance(stored, np.ndarray) or stored.dtype.kind not in "buif":
            got = f"dtype {getattr(stored, 'dtype', type(stored).__name__)}"
            raise problem(path, "integers, floats or booleans", got, "save the real part or one field")
        if stored.size == 0:
            raise problem(path, "pixels", f"an empty array of shape {stored.shape}", "check what wrote it")
        axes, note = axes_by_rank(path, stored.shape) if options.axes is None else (options.axes, "")
        places = tuple(n for n, letter in zip(stored.shape, axes, strict=False) if letter != "c")
        check_pixels(path, places, options.max_pixels)
        array = native(np.array(stored))
        meta = {"format": "npy", "mode": array.dtype.name, "bit_depth": array.dtype.itemsize * 8}
        if options.axes is not None:
            placed, axes = place_axes(path, array, options.axes)
            return Picture(placed, axes, None, meta, f"axes {options.axes!r} as asked")
        return Picture(array, axes, None, meta, note)

    def recognises(self, start: bytes) -> bool:
        return kind_of(start) == self.name

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        array = load_npy(path, data)
        axes, _ = axes_by_rank(path, array.shape)
        return (int(array.shape[axes.index("y")]), int(array.shape[axes.index("x")])), 1

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        kind = picture.array.dtype.kind
        return None if kind in "buif" else f"NPY holds numbers here, not {picture.array.dtype}; convert them"

    def encode(self, picture: Picture, suffix: str) -> bytes:
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(picture.array), allow_pickle=False)
        return buffer.getvalue()


@guarded("a whole .npy file of numbers")
def load_npy(path: Path, data: bytes | None = None) -> Any:
    """Open a ``.npy`` file, mapped where it is a file: shape and dtype are known before memory is taken.

    Raises
    ------
    CodecError
        When its header cannot be read, or promises more than there is.
    """
    try:
        if data is None:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        _check_npy(path, data)
        return np.load(io.BytesIO(data), allow_pickle=False)
    except (OSError, MemoryError):
        raise
    # The header is a Python literal: a damaged one fails in the tokenizer or the compiler, or holds other things.
    except Exception as error:
        do = "save it again with numpy.save, as numbers"
        raise problem(path, "a whole .npy file of numbers", cause(error), do) from error


def _check_npy(path: Path, data: bytes) -> None:
    """Refuse a header that declares more than the bytes behind it; numpy would take the memory first."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    check_inflation(path, math.prod(shape) * dtype.itemsize, len(data) - file.tell(), 1, 0)


def axes_by_rank(path: Path, shape: tuple[int, ...]) -> tuple[str, str]:
    """Name the axes by how many there are, and say why."""
    if len(shape) == 2:
        return "yx", "two axes read as gray"
    if len(shape) == 3 and shape[2] in (1, 3, 4):
        kind = {1: "gray", 3: "RGB", 4: "RGBA"}[shape[2]]
        return "yxc", f"third axis of {shape[2]} read as {kind}"
    if len(shape) == 3:
        note = f"read as {shape[0]} slices: a third axis of {shape[2]} is not 1, 3 or 4 channels"
        return "zyx", note
    if len(shape) == 4:
        return "zyxc", f"read as {shape[0]} slices with {shape[3]} channels"
    do = 'save one image or volume per file, or pass axes such as "zyx"'
    raise problem(path, "2, 3 or 4 axes", f"shape {shape}", do)
