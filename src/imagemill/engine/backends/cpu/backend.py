"""The CPU backend: the cheapest kernel that is exact enough, written straight into the final buffer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.core import coordinate_maps as maps
from imagemill.core.ops import ChannelMix, Pointwise
from imagemill.engine import colour_values as values
from imagemill.engine.backends.cpu import choose
from imagemill.engine.backends.cpu.altering import alter as altering
from imagemill.engine.backends.cpu.batches import photos as rgb
from imagemill.engine.backends.cpu.batches import small
from imagemill.engine.backends.cpu.choose import Kernel
from imagemill.engine.backends.cpu.colour import runs as colour
from imagemill.engine.backends.protocol import Rasters
from imagemill.engine.blending.blended_pixels import weighted
from imagemill.engine.plan import Alter, Pass, Resample, kept
from imagemill.engine.sampling import Request, averaged, for_labels, needed, request, still

Array = np.ndarray[Any, Any]


_SUMMED = tuple(np.dtype(kind) for kind in ("u1", "u2", "i2", "f4"))


class Cpu:
    """OpenCV and compiled kernels; see :class:`~imagemill.engine.backends.protocol.Backend`."""

    name = "cpu"

    def image(self, step: Pass, row: int, src: Array, out: Array | None = None) -> Array:
        """One pass: photos and small pictures in one kernel, others resampled in the source's dtype, then coloured.

        Strong colour would show the rounding in between: then the resample gives floating point.
        """
        if step.resample is not None and rgb.takes(step, row, src.shape[:-1], src.dtype, src.shape[-1]):
            made = _empty(step, tuple(step.resample.shape[row].tolist()), src) if out is None else out
            if rgb.images(step, slice(row, row + 1), [src], made[None], rgb.ONE) is not None:
                return made
            return self._one(step, row, src, out)
        return self._no_photo(step, row, src, out)

    def _no_photo(self, step: Pass, row: int, src: Array, out: Array | None) -> Array:
        if step.resample is not None:
            shape = tuple(step.resample.shape[row].tolist())
            if small.fits(step, src.shape[:-1], shape, src.dtype, src.shape[-1]):
                made = _empty(step, shape, src) if out is None else out
                if not small.images(step, slice(row, row + 1), src[None], made[None]):
                    return made
        return self._one(step, row, src, out)

    def images(self, step: Pass, rows: slice, src: Rasters, out: Array | None = None) -> Array | None:
        """Colour photos and small pictures, all in one call."""
        if step.resample is None or (step.resample.shape != step.resample.shape[0]).any():
            return None
        first, shape = src[0], tuple(step.resample.shape[0].tolist())
        if rgb.may(step, first.dtype, first.shape[-1]):
            made = _empty(step, (len(src), *shape), first) if out is None else out
            left = rgb.images(step, rows, src, made)
            if left is not None:
                for i in left:
                    self._no_photo(step, rows.start + i, src[i], made[i])
                return made
        return self._small(step, rows, src, shape, out)

    def _small(self, step: Pass, rows: slice, src: Rasters, shape: tuple[int, ...], out: Array | None) -> Array | None:
        assert step.resample is not None
        first, sizes = src[0], step.resample.in_shape
        if (sizes != sizes[0]).any() or not small.fits(step, first.shape[:-1], shape, first.dtype, first.shape[-1]):
            return None
        stack = src if isinstance(src, np.ndarray) else np.stack(src)
        made = _empty(step, (len(stack), *shape), first) if out is None else out
        for i in small.images(step, rows, stack, made):
            self._one(step, rows.start + i, stack[i], made[i])
        return made

    def _one(self, step: Pass, row: int, src: Array, out: Array | None) -> Array:
        if step.resample is not None and not still(step.resample, row, src.shape[:-1]):
            last = step.colour is None
            src = self._resampled(step.resample, row, src, out if last else None, _between(step, row, src.dtype))
            if last:
                return src
        if step.colour is not None:
            return colour.run(step.colour, row, src, out)
        return _give(src, out)

    def _resampled(self, step: Resample, row: int, src: Array, out: Array | None, dtype: np.dtype[Any]) -> Array:
        """The resample of a sample; what was chosen for one that is moved alike is not chosen again."""
        likeness = step.likeness(row) if src.dtype == dtype else None
        if likeness is None:
            return self._resample(request(step, row), src, out, dtype)
        known, key = _chosen(step), (likeness, src.shape, dtype)
        if key not in known:
            asked = request(step, row)
            known[key] = asked, _moving(asked, src)
        asked, kernel = known[key]
        if kernel is None:
            return self._resample(asked, src, out, dtype)
        found = choose.run(kernel, src, asked.shape, fill=asked.fill, out=_writable(out), out_dtype=dtype)
        return found if out is None or found is out else _give(found, out)

    def alter(self, step: Alter, row: int, src: Array, out: Array | None = None) -> Array:
        """A filter, noise or an erasure."""
        return altering.alter(step, row, src, out)

    def weighted(self, parts: Sequence[Array], weights: npt.NDArray[np.float64], out: Array) -> None:
        """OpenCV's sum of two images in single precision, rounded to even; anything else by its definition."""
        if len(parts) == 2 and out.dtype in _SUMMED and out.flags.c_contiguous:
            first, second = (np.ascontiguousarray(part).reshape(len(part), -1) for part in parts)
            cv2.addWeighted(first, weights[0], second, weights[1], 0.0, dst=out.reshape(len(out), -1))
        else:
            weighted(parts, weights, out)

    def altering(self, step: Alter, row: int, dtype: np.dtype[Any]) -> str:
        """Name of the kernel."""
        return altering.altering(step, row, dtype)

    def labels(self, step: Pass, row: int, src: Array, out: Array | None = None) -> Array:
        """Nearest neighbour, whatever the order."""
        if step.resample is None or still(step.resample, row, src.shape):
            return _give(src, out)
        asked = for_labels(step.resample, row)
        found = choose.resample_labels(
            src, asked.stages, asked.shape, border=asked.border, fill=asked.mask_fill, out=_writable(out)
        )
        return found if out is None or found is out else _give(found, out)

    def kernels(self, step: Pass, row: int, in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> str:
        """Names of the resampling kernel and of the way colour takes."""
        words = []
        within = " + colour in it" if step.colour is not None else ""
        if rgb.takes(step, row, in_shape, dtype, channels):
            return "numba.rgb" + within
        if small.takes(step, row, in_shape, dtype, channels):
            return "numba.small" + within
        if step.resample is not None:
            dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
            asked = request(step.resample, row)
            if asked.reduce is not None:
                words.append("mean of " + "x".join(map(str, asked.reduce)))
                in_shape = tuple(-(-n // f) for n, f in zip(in_shape, asked.reduce, strict=True))
                asked = asked.on_reduced()
            kernel = choose.choose(
                asked.stages,
                in_shape,
                asked.shape,
                dtype,
                channels,
                asked.order,
                asked.border,
                antialias=asked.antialias,
            )
            words.append(kernel.name)
        if step.colour is not None:
            words.append("colour " + colour.way(step.colour, row, dtype))
        return " + ".join(words)

    @staticmethod
    def _resample(asked: Request, src: Array, out: Array | None, dtype: np.dtype[Any]) -> Array:
        if src.dtype == np.float16:
            # No kernel reads half precision: it is a way to store values, not to compute with them.
            found = Cpu._resample(asked, src.astype(np.float32), None, np.dtype(np.float32))
            return _give(values.to_dtype(found, np.float16), out)
        limits = values.max_range(src.dtype) if dtype != src.dtype and _leaves(asked) else None
        # Averaging goes over all it is given; every other kernel reads what it shows and no more.
        block = needed(asked, src.shape[:-1]) if asked.reduce or asked.antialias else None
        if block is not None:
            src, asked = src[block[0]], block[1]
        if asked.reduce is not None:
            src, asked = _averaged(src, asked.reduce), asked.on_reduced()
        asked, turn = _unflipped(asked, src)
        found = choose.resample(
            src,
            asked.stages,
            asked.shape,
            order=asked.order,
            border=asked.border,
            fill=asked.fill,
            antialias=asked.antialias,
            out=_writable(out),
            out_dtype=dtype,
        )
        if turn is not None:
            cv2.flip(found, turn, dst=found)
        if limits is not None:
            # A picture stays in its range, as it would if it came out in its own dtype.
            np.clip(found, *limits, out=found)
        return found if out is None or found is out else _give(found, out)


@kept
def _chosen(step: Resample) -> dict[tuple[bytes, tuple[int, ...], np.dtype[Any]], tuple[Request, Kernel | None]]:
    """What samples asked for and the kernels that only move pixels, by all that they follow from."""
    return {}


def _moving(asked: Request, src: Array) -> Kernel | None:
    """The kernel of a request that only moves whole pixels; None for others, whose cost is their own."""
    if asked.reduce is not None or asked.antialias is not None or src.dtype == np.float16:
        return None
    kernel = choose.choose(
        asked.stages, src.shape[:-1], asked.shape, src.dtype, src.shape[-1], asked.order, asked.border
    )
    return kernel if kernel.name == "slice" else None


def _unflipped(asked: Request, src: Array) -> tuple[Request, int | None]:
    """A flipped resize as a resize and OpenCV's code for a flip of its result, which is by far the quicker way.

    Only for pictures that are scaled as well: a flip alone is a view.
    """
    if len(asked.stages) != 1 or src.ndim != 3 or src.shape[-1] > 4 or src.dtype not in (np.uint8, np.float32):
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


def _empty(step: Pass, shape: tuple[int, ...], src: Array) -> Array:
    """A buffer for what a pass makes of ``src``."""
    return np.empty((*shape, src.shape[-1]), src.dtype if step.colour is None else step.colour.dtype)


def _averaged(src: Array, factors: tuple[int, ...]) -> Array:
    """Block means in the source's dtype; OpenCV's area filter is exactly that where the blocks fit."""
    y, x = factors[0], factors[-1]
    if len(factors) != 2 or src.shape[-1] > 4 or src.dtype not in (np.uint8, np.uint16, np.float32):
        work = np.float64 if src.dtype.itemsize > 2 and src.dtype != np.float32 else np.float32
        return values.to_dtype(averaged(src, factors, work), src.dtype)
    short = -src.shape[0] % y, -src.shape[1] % x
    if any(short):
        src = cv2.copyMakeBorder(src, 0, short[0], 0, short[1], cv2.BORDER_REPLICATE).reshape(
            src.shape[0] + short[0], src.shape[1] + short[1], src.shape[2]
        )
    size = (src.shape[1] // x, src.shape[0] // y)
    small = cv2.resize(np.ascontiguousarray(src), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small).reshape(size[1], size[0], src.shape[2])


def _leaves(asked: Request) -> bool:
    """Whether a resample may leave the range of the values it reads: splines overshoot, fills are anything."""
    return asked.order > 1 or asked.border == "constant" or any(isinstance(s, maps.Window) for s in asked.stages)


def _writable(out: Array | None) -> Array | None:
    """A buffer a kernel can fill itself: kernels write C-contiguous arrays only."""
    return out if out is not None and out.flags.c_contiguous else None


def _between(step: Pass, row: int, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype between resample and colour: the source's, unless colour would show its rounding.

    Rounding to 8 bits costs at most half a grey level, which colour multiplies by its gain; the promise is
    one level on average and two at the 99.9th percentile.
    """
    if step.colour is None or dtype.kind == "f":
        return dtype
    gain = 1.0
    for stage in step.colour.stages:
        if isinstance(stage, ChannelMix):
            if not stage.leaves_range:
                gain *= float(np.abs(stage.matrix[row, :, :-1]).sum(axis=1).max())
        elif values.active(stage, row) and isinstance(stage, Pointwise) and stage.curve != "clip":
            return np.dtype(np.float32)
    return dtype if gain <= 2.0 else np.dtype(np.float32)


def _give(found: Array, out: Array | None) -> Array:
    if out is None:
        return found
    out[...] = found
    return out
