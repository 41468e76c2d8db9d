"""OpenCV's share of turned and projected 2-D images, where it is as good as the reference.

Measured with OpenCV 5.0: ``warpAffine`` and ``warpPerspective`` keep sub-pixel places in float32 for uint8,
uint16 and float32 images of 1, 3 and 4 channels, and blend the constant border; other images get steps of
1/32 pixel, and order 0 rounds its places, so those go to the compiled kernels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.core.coordinate_maps import Matrix, Stage
from imagemill.engine.chains import is_affine

Array = np.ndarray[Any, Any]

_BORDERS = {
    "nearest": cv2.BORDER_REPLICATE,
    "constant": cv2.BORDER_CONSTANT,
    "reflect": cv2.BORDER_REFLECT,
    "mirror": cv2.BORDER_REFLECT_101,
    "wrap": cv2.BORDER_WRAP,
}

REACH = {np.dtype(np.uint8): 16384.0, np.dtype(np.uint16): 512.0, np.dtype(np.float32): 512.0}
"""Largest side at which float32 places still hold the tolerances: 7e-5 of the range was seen at 500 pixels."""

_SWAP = [1, 0, 2]


def cv2_warps(
    stages: tuple[Stage, ...],
    in_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    dtype: np.dtype[Any],
    channels: int,
) -> bool:
    """Whether one OpenCV warp does this chain as well as the reference."""
    if len(stages) != 1 or not isinstance(stages[0], Matrix) or len(in_shape) != 2:
        return False
    reach = REACH.get(dtype, 0.0)
    if reach == 0.0 or channels not in (1, 3, 4) or min(in_shape) < 2 or max(*in_shape, *out_shape) > reach:
        return False
    rows = stages[0].m.tolist()
    for y in (0, out_shape[0] - 1):
        for x in (0, out_shape[1] - 1):
            j, i, depth = (row[0] * y + row[1] * x + row[2] for row in rows)
            # A plane seen edge-on sends samples to infinity, which float32 does not survive.
            if depth < 1e-3 or max(abs(j), abs(i)) > 2.0 * reach * depth:
                return False
    return True


def warp(src: Array, stage: Matrix, out: Array, *, border: str, fill: npt.NDArray[np.float64]) -> None:
    """Warp linearly with OpenCV into ``out`` (of ``src``'s dtype, or float)."""
    if out.dtype != src.dtype:
        # OpenCV keeps the dtype it is given, and steps by 1/32 pixel in float64.
        src = src.astype(np.float32)
    m = stage.m[_SWAP][:, _SWAP]
    size = (out.shape[1], out.shape[0])
    target = out
    if out.shape[2] == 1:
        src, target = src[..., 0], out[..., 0]
    given = target if target.dtype == src.dtype else None
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    value = fill.tolist()
    if not is_affine(stage):
        result = cv2.warpPerspective(src, m, size, given, flags, _BORDERS[border], value)
    else:
        result = cv2.warpAffine(src, m[:2], size, given, flags, _BORDERS[border], value)
    if result is not target:
        target[...] = result
