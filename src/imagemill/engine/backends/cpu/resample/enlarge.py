"""Enlarging a part of a picture: OpenCV's resize, and its outermost pixels done again.

A part that is cut out and enlarged reads up to half a pixel beyond its own edge, where the picture goes on.
``cv2.resize`` of the part repeats the part's edge there. Everything else it does right, several times as fast
as a warp; so the thin strips along the edges are warped anew from the whole picture.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.coordinate_maps import Matrix
from imagemill.engine.backends.cpu.resample import warp2d
from imagemill.engine.backends.cpu.resample.axis_aligned import resize_block
from imagemill.engine.chains import AxisAligned

Array = np.ndarray[Any, Any]

MOST = 0.25
"""Share of the output that strips may take; beyond it one warp of everything is as quick."""


def strips(block: list[slice], aligned: AxisAligned, out_shape: tuple[int, ...]) -> list[tuple[slice, slice]] | None:
    """The parts of the output that read beyond the block; None when they are too much of it.

    Examples
    --------
    >>> aligned = AxisAligned((0, 1), (0.5, 0.5), (9.75, 19.75), ())
    >>> strips([slice(10, 20), slice(20, 40)], aligned, (20, 40))
    [(slice(0, 1, None), slice(0, 40, None)), (slice(19, 20, None), slice(0, 40, None)), \
(slice(0, 20, None), slice(0, 1, None)), (slice(0, 20, None), slice(39, 40, None))]
    """
    rows, columns = out_shape
    found: list[tuple[slice, slice]] = []
    share = 0.0
    for axis, (part, size) in enumerate(zip(block, out_shape, strict=True)):
        scale, offset = aligned.scale[axis], aligned.offset[axis]
        # Output o reads at scale * o + offset; inside means between the centres of the block's end pixels.
        before = min(max(math.ceil((part.start - offset) / scale - 1e-9), 0), size)
        behind = min(max(size - 1 - math.floor((part.stop - 1 - offset) / scale + 1e-9), 0), size)
        share += (before + behind) / size
        for strip in (slice(0, before), slice(size - behind, size)):
            if strip.stop > strip.start:
                found.append((strip, slice(0, columns)) if axis == 0 else (slice(0, rows), strip))
    return found if share <= MOST else None


def resize_part(
    src: Array,
    block: list[slice],
    aligned: AxisAligned,
    out: Array,
    edges: list[tuple[slice, slice]],
    *,
    border: str,
    fill: npt.NDArray[np.float64],
) -> None:
    """Resize a block of whole pixels into ``out``, its edges read from the whole picture.

    Parameters
    ----------
    src : array, ``(y, x, C)``
    block, aligned
        See :func:`~imagemill.engine.backends.cpu.resample.axis_aligned.integer_window`.
    out : array, ``(*out_shape, C)``
    edges : list of pairs of slice
        From :func:`strips`.
    """
    resize_block(src, block, aligned, out, area=False)
    for y, x in edges:
        m = np.eye(3)
        m[0, 0], m[0, 2] = aligned.scale[0], aligned.scale[0] * y.start + aligned.offset[0]
        m[1, 1], m[1, 2] = aligned.scale[1], aligned.scale[1] * x.start + aligned.offset[1]
        edge = np.empty((y.stop - y.start, x.stop - x.start, out.shape[2]), out.dtype)
        warp2d.warp(src, Matrix(m), edge, border=border, fill=fill)
        out[y, x] = edge
