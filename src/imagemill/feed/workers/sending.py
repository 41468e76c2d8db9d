"""A maker on its way to other processes: arrays in memory they share, files opened again by their path.

Everything goes into one block, once: a pickle, and beside it the arrays, which are mapped and not copied there.
"""

from __future__ import annotations

import io
import mmap
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.data.backing import StoreBacking
from imagemill.data.codecs.shelf import SHELF
from imagemill.data.layouts.tables.formats.columnar_read import ArrowParts, ParquetParts
from imagemill.feed.making.making import Maker
from imagemill.feed.workers.shared_memory import Block
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import Transform

__all__ = ["LARGE", "aligned", "check_sendable", "pack_maker", "unpack_maker"]

Array = npt.NDArray[Any]

LARGE = 1 << 16
"""Bytes from which an array lies beside a pickle instead of in it."""

_ALIGN = 64
_THREADS = "take threads: workers=2"
_REFUSED = (pickle.PicklingError, AttributeError, TypeError, ValueError, RecursionError)
"""What pickling raises, depending on what it met."""


def aligned(size: int) -> int:
    """The next size at which a line of the processor's cache begins.

    Examples
    --------
    >>> aligned(1), aligned(64)
    (64, 64)
    """
    return -(-size // _ALIGN) * _ALIGN


def check_sendable(pipeline: Pipeline) -> None:
    """Refuse a pipeline with parts that other processes cannot get.

    Raises
    ------
    InputError
        Naming the transform.
    """
    for transform in pipeline.transforms:
        try:
            _dumps(transform, lambda _: False)
        except _REFUSED as error:
            do = f"define functions at the top of a module, no lambda and none within a function, or {_THREADS}"
            msg = f"expected transforms that other processes can import, got {_shown(transform)}: {error}; {do}"
            raise InputError(msg) from error


def pack_maker(maker: Maker) -> Block:
    """A maker in memory that other processes can map.

    Raises
    ------
    InputError
        When something of it cannot be sent.
    """
    for pipeline in (*([] if maker.pipeline is None else [maker.pipeline]), *maker.pipelines.values()):
        check_sendable(pipeline)
    buffers: list[memoryview] = []

    def aside(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < LARGE:
            return True
        buffers.append(raw)
        return False

    try:
        said = _dumps((_codecs(), maker), aside)
    except _REFUSED as error:
        do = f"prepare it (im.prepare(dataset, folder)) and open the folder, or {_THREADS}"
        raise InputError(f"expected a dataset that other processes can open, got: {error}; {do}") from error
    sizes = [len(said), *(buffer.nbytes for buffer in buffers)]
    head = np.array([len(sizes), *sizes], np.int64)
    places = aligned(head.nbytes) + np.cumsum([0, *map(aligned, sizes)])
    block = Block.new(int(places[-1]))
    parts = [head.data, memoryview(said), *buffers]
    for at, part in zip((0, *places.tolist()), parts, strict=False):
        block.bytes[at : at + part.nbytes] = np.frombuffer(part, np.uint8)
    return block


def unpack_maker(block: Block) -> Maker:
    """The maker that `pack_maker` put into a block; its large arrays are views of the block."""
    count = int(block.bytes[:8].view(np.int64)[0])
    sizes = block.bytes[8 : 8 + 8 * count].view(np.int64).tolist()
    places = aligned(8 + 8 * count) + np.cumsum([0, *map(aligned, sizes)])
    said, *buffers = (block.bytes[at : at + size] for at, size in zip(places.tolist(), sizes, strict=False))
    codecs, found = pickle.loads(said.data, buffers=buffers)
    for codec in map(pickle.loads, codecs):
        SHELF.add(codec)
    made: Maker = found
    return made


def _codecs() -> list[bytes]:
    """The codecs that the program registered; one that cannot be sent is missed where a file of its is met."""
    found = []
    for codec in SHELF.added():
        with suppress(*_REFUSED):
            found.append(_dumps(codec, lambda _: True))
    return found


def _shown(transform: Transform) -> str:
    said = repr(transform)
    return said if len(said) < 200 else said[:200] + "..."


def _dumps(thing: Any, aside: Callable[[pickle.PickleBuffer], bool]) -> bytes:
    file = io.BytesIO()
    _Pickler(file, 5, buffer_callback=aside).dump(thing)
    return file.getvalue()


class _Pickler(pickle.Pickler):
    """Knows what is opened again instead of being copied."""

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, np.ndarray):
            return _array(thing)
        if isinstance(thing, Pipeline):
            return _pipeline, (thing.arguments(), thing.digest)
        if isinstance(thing, StoreBacking):
            return StoreBacking, (thing.path.absolute(), thing.said)
        if isinstance(thing, ParquetParts | ArrowParts):
            return type(thing).open, (thing.path.absolute(),)
        if isinstance(thing, FunctionType | type) and thing.__module__ == "__main__" and not _has_file():
            do = "put it into a file of its own and import it"
            raise pickle.PicklingError(f"{thing.__qualname__} was typed into a session that has no file; {do}")
        return NotImplemented


def _has_file() -> bool:
    """Whether other processes can import what this one runs."""
    main = sys.modules["__main__"]
    return getattr(main, "__spec__", None) is not None or Path(getattr(main, "__file__", None) or "").is_file()


def _pipeline(arguments: dict[str, Any], digest: str) -> Pipeline:
    made = Pipeline(**arguments)
    # Functions of the main program have another name over there: recipes must carry the digest of this side.
    made.__dict__["digest"] = digest
    return made


def _array(array: Array) -> Any:
    if array.nbytes < LARGE or array.dtype.hasobject:
        return NotImplemented
    if (mapped := _in_file(array)) is not None:
        return mapped
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        return np.ascontiguousarray(array).__reduce_ex__(5)
    return NotImplemented


def _in_file(array: Array) -> Any:
    """How to map the file again that an array is a view of; None when it is of none."""
    root: Any = array
    while isinstance(root, np.ndarray) and not (isinstance(root, np.memmap) and isinstance(root.base, mmap.mmap)):
        root = root.base
    # Of a file mapped with copy-on-write the disk does not know what was changed.
    if not isinstance(root, np.memmap) or root.filename is None or root.mode == "c":
        return None
    offset = root.offset + array.ctypes.data - root.ctypes.data
    return _mapped, (
        str(root.filename),
        offset,
        array.dtype,
        array.shape,
        array.strides,
        "r" if root.mode == "r" else "c",
    )


def _mapped(path: str, offset: int, dtype: Any, shape: Any, strides: Any, mode: Literal["r", "c"]) -> Array:
    whole = np.memmap(path, np.uint8, mode)
    return np.ndarray(shape, dtype, whole, offset, strides)
