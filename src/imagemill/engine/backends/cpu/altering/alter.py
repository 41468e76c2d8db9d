"""Filters, noise and erasures on the CPU: which kernel, and an alpha channel that stays as it is."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from imagemill.core.image_ops import Erase, Exchange, Filter, Noise
from imagemill.core.randomness import pixel_numbers as numbers
from imagemill.core.randomness.rng import unit
from imagemill.engine.altering.erase_values import boxes_of, filling, inside
from imagemill.engine.altering.exchanged_parts import swapped
from imagemill.engine.backends.cpu.altering import filter_kernels, pixel_noise, turned
from imagemill.engine.colour_values import to_dtype
from imagemill.engine.plan import Alter

__all__ = ["alter", "altering"]

Array = np.ndarray[Any, Any]


def alter(step: Alter, row: int, src: Array, out: Array | None = None) -> Array:
    """As :func:`imagemill.engine.altering.altered.altered`, by the quickest kernel."""
    if not step.active(row):
        return _given(src, out)
    op, channels = step.op, step.op.channels
    if isinstance(op, Erase):
        return _erased(op, row, src, step.peak, out)
    if isinstance(op, Exchange):
        return swapped(op, row, src, out)
    whole = channels == src.shape[-1]
    room = None
    if whole and out is not None and out.flags.c_contiguous:
        # Of a view with one channel the strides may be any; OpenCV wants the usual ones.
        room = out.reshape(-1).reshape(out.shape)
    colours = src if whole else np.ascontiguousarray(src[..., :channels])
    if isinstance(op, Filter):
        made = filter_kernels.filter_image(op, row, colours, step.peak, room)
    else:
        made = pixel_noise.noise_image(op, row, colours, room)
    if whole:
        return _given(made, out)
    target = np.empty_like(src) if out is None else out
    target[..., :channels] = made
    target[..., channels:] = src[..., channels:]
    return target


def altering(step: Alter, row: int, dtype: np.dtype[Any]) -> str:
    """Which kernel :func:`alter` uses, in words."""
    if isinstance(step.op, Filter):
        return filter_kernels.named(step.op, dtype)
    return pixel_noise.named(step.op, dtype) if isinstance(step.op, Noise) else "numpy slices"


def _given(made: Array, out: Array | None) -> Array:
    if out is None or made is out or np.may_share_memory(made, out):
        return made if out is None else out
    out[...] = made
    return out


def _noise_in(op: Erase, row: int, box: tuple[slice, ...], shape: tuple[int, ...], peak: float) -> Array:
    """The numbers of one box, as :func:`imagemill.engine.altering.erase_values.filling` counts them; no others."""
    assert op.stream is not None
    *outer, last = box
    lines = np.zeros((1,) * len(outer), np.int64)
    for axis, part in enumerate(outer):
        lines = lines * shape[axis] + np.arange(part.start, part.stop).reshape(
            [-1 if a == axis else 1 for a in range(len(outer))]
        )
    firsts = (lines * shape[-1] + last.start) * op.channels
    words = np.empty((firsts.size, (last.stop - last.start) * op.channels), np.uint32)
    k0, k1 = (int(word) for word in op.stream[row])
    pixel_noise.words_of_lines(k0, k1, numbers.EACH_VALUE, firsts.reshape(-1), words)
    return peak * unit(words).reshape(*firsts.shape, last.stop - last.start, op.channels)


def _erased(op: Erase, row: int, src: Array, peak: float, out: Array | None) -> Array:
    made = src.copy() if out is None else out
    if out is not None:
        out[...] = src
    shape = src.shape[:-1]
    if op.fill == "noise" and op.region is None and op.turn is None:
        for box in boxes_of(op, row, shape):
            made[(*box, slice(0, op.channels))] = to_dtype(_noise_in(op, row, box, shape, peak), src.dtype)
        return made
    if op.fill == "mean" and src.dtype in (np.uint8, np.uint16, np.float32) and src.shape[-1] <= 4:
        means = cv2.mean(np.ascontiguousarray(src).reshape(1, -1, src.shape[-1]))
        fill = to_dtype(np.array(means[: op.channels]), src.dtype)
    else:
        fill = to_dtype(filling(op, row, src[..., : op.channels], peak), src.dtype)
    even = fill.ndim == 1
    if op.region is not None:
        where = inside(op, row, shape)
        made[..., : op.channels][where] = fill if even else fill[where]
        return made
    boxes = boxes_of(op, row, shape) if op.turn is None else turned.straight(op, row, shape)
    if boxes is not None:
        if even and op.channels == src.shape[-1] and (fill == fill[0]).all():
            # Written as one number, channels are no axis of their own to numpy, which is many times as quick.
            for box in boxes:
                made[box] = fill[0]
            return made
        for box in boxes:
            made[(*box, slice(0, op.channels))] = fill if even else fill[box]
        return made
    where = turned.inside(op, row, shape)
    if even and made.flags.c_contiguous:
        # Compiled code knows no half precision, and moves its bits as whole numbers.
        bits = np.dtype(np.uint16) if made.dtype == np.float16 else made.dtype
        turned.fill_where(made.view(bits).reshape(-1, made.shape[-1]), where.reshape(-1), fill.view(bits))
    else:
        made[..., : op.channels][where] = fill if even else fill[where]
    return made
