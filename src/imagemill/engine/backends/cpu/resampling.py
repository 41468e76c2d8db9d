"""What a resample asks for, made ready once for images of a shape and type: block, averages, kernel, flip, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from imagemill.core import coordinate_maps as maps
from imagemill.engine import colour_values as values
from imagemill.engine.backends.cpu import choose
from imagemill.engine.backends.cpu.resample.block_means import block_means, takes_blocks
from imagemill.engine.sampling import Request, averaged, needed, whole_blocks

__all__ = ["Resampling", "give", "prepare", "writable"]

Array = np.ndarray[Any, Any]
Resampling = Callable[[Array, Array | None], Array]
"""Takes an image and, if there is one, the buffer that the result belongs in."""


def prepare(asked: Request, shape: tuple[int, ...], source: np.dtype[Any], dtype: np.dtype[Any]) -> Resampling:
    """A request made ready for images of one shape.

    Parameters
    ----------
    asked : Request
    shape : tuple of int
        ``(*shape, C)``.
    source, dtype : dtype
        Of the images, and of what comes out.
    """
    if source == np.float16:
        # No kernel reads half precision: it is a way to store values, not to compute with them.
        single = prepare(asked, shape, np.dtype(np.float32), np.dtype(np.float32))
        return lambda src, out: give(values.to_dtype(single(src.astype(np.float32), None), np.float16), out)
    limits = values.max_range(source) if dtype != source and _leaves(asked) else None
    # Averaging goes over all it is given; every other kernel reads what it shows and no more.
    block, frame = None, shape[:-1]
    if (asked.reduce or asked.antialias) and (found := needed(asked, frame)) is not None:
        block, asked = found
        frame = tuple(part.stop - part.start for part in block)
    reduce = asked if asked.reduce is not None else None
    if asked.reduce is not None:
        frame, asked = tuple(-(-n // f) for n, f in zip(frame, asked.reduce, strict=True)), asked.on_reduced()
    asked, turn = _unflipped(asked, frame, shape[-1], source)
    kernel = choose.choose(
        asked.stages, frame, asked.shape, source, shape[-1], asked.order, asked.border, antialias=asked.antialias
    )

    def run(src: Array, out: Array | None) -> Array:
        part = src if block is None else src[block]
        part = part if reduce is None else _averaged(part, reduce)
        found = choose.run(kernel, part, asked.shape, fill=asked.fill, out=writable(out), out_dtype=dtype)
        if turn is not None:
            cv2.flip(found, turn, dst=found)
        if limits is not None:
            # A picture stays in its range, as it would if it came out in its own dtype.
            np.clip(found, *limits, out=found)
        return found if out is None or found is out else give(found, out)

    return run


def _unflipped(
    asked: Request, frame: tuple[int, ...], channels: int, source: np.dtype[Any]
) -> tuple[Request, int | None]:
    """A flipped resize as a resize and OpenCV's code for a flip of its result, which is by far the quicker way.

    Only for pictures that are scaled as well: a flip alone is a view.
    """
    if len(asked.stages) != 1 or len(frame) != 2 or channels > 4 or source not in (np.uint8, np.float32):
        return asked, None
    stage = asked.stages[0]
    if not isinstance(stage, maps.Matrix):
        return asked, None
    (yy, yx, _), (xy, xx, _), last = stage.m.tolist()
    if yx or xy or last != [0.0, 0.0, 1.0] or min(yy, xx) >= 0 or (abs(yy) == 1 and abs(xx) == 1):
        return asked, None
    flip = np.eye(3)
    for axis, scale in enumerate((yy, xx)):
        if scale < 0:
            flip[axis, axis], flip[axis, 2] = -1.0, asked.shape[axis] - 1
    turn = -1 if yy < 0 and xx < 0 else (0 if yy < 0 else 1)
    return replace(asked, stages=(maps.Matrix(stage.m @ flip),)), turn


def _averaged(src: Array, asked: Request) -> Array:
    """Block means in the source's dtype; OpenCV's area filter is exactly that where the blocks fit."""
    assert asked.reduce is not None
    if takes_blocks(src.dtype, src.shape[-1], asked.reduce):
        return block_means(src, (asked.reduce[0], asked.reduce[1]), border=asked.border, fill=asked.fill)
    y, x = asked.reduce[0], asked.reduce[-1]
    if len(asked.reduce) != 2 or src.shape[-1] > 4 or src.dtype not in (np.uint8, np.uint16, np.float32):
        work = np.float64 if src.dtype.itemsize > 2 and src.dtype != np.float32 else np.float32
        return values.to_dtype(averaged(src, asked, work), src.dtype)
    src = whole_blocks(src, asked)
    size = (src.shape[1] // x, src.shape[0] // y)
    small = cv2.resize(np.ascontiguousarray(src), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small).reshape(size[1], size[0], src.shape[2])


def _leaves(asked: Request) -> bool:
    """Whether a resample may leave the range of the values it reads: splines overshoot, fills are anything."""
    return asked.order > 1 or asked.border == "constant" or any(isinstance(s, maps.Window) for s in asked.stages)


def writable(out: Array | None) -> Array | None:
    """A buffer a kernel can fill itself: kernels write C-contiguous arrays only."""
    return out if out is not None and out.flags.c_contiguous else None


def give(found: Array, out: Array | None) -> Array:
    """What was found, copied into its buffer where there is one."""
    if out is None:
        return found
    out[...] = found
    return out
