"""The CPU backend: the cheapest kernel that is exact enough, written straight into the final buffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.core.ops import ChannelMix, Pointwise
from imagemill.engine import colour_values as values
from imagemill.engine.backends.cpu import choose
from imagemill.engine.backends.cpu.altering import alter as altering
from imagemill.engine.backends.cpu.batches import photos as rgb
from imagemill.engine.backends.cpu.batches import small
from imagemill.engine.backends.cpu.colour import runs as colour
from imagemill.engine.backends.cpu.resample.slices import Copying, Move, whole_moves
from imagemill.engine.backends.cpu.resampling import Resampling, give, prepare, writable
from imagemill.engine.backends.protocol import Rasters
from imagemill.engine.blending.blended_pixels import weighted
from imagemill.engine.chains import fill_vector, saturate
from imagemill.engine.plan import Alter, Matrices, Pass, Resample, kept
from imagemill.engine.sampling import for_labels, request, still

Array = np.ndarray[Any, Any]


_KEPT = 16
"""Most that is prepared for one step and kept: maps that are drawn anew for each sample hardly come again."""

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
            if rgb.image(step, row, src, made):
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
            dtype = _between(step, row, src.dtype)
            if not last and _is_photo(step, row, src.shape[:-1], src.dtype, src.shape[-1]):
                src = _photo(step.resample, row, src, dtype)
            else:
                src = self._resampled(step.resample, row, src, out if last else None, dtype)
            if last:
                return src
        if step.colour is not None:
            return colour.run(step.colour, row, src, out)
        return give(src, out)

    def _resampled(self, step: Resample, row: int, src: Array, out: Array | None, dtype: np.dtype[Any]) -> Array:
        """The resample of a sample; what was prepared for one that is moved alike is not prepared again."""
        moves = _moves(step)
        move = None if moves is None or dtype != src.dtype or src.dtype not in choose.IMAGES else moves[row]
        if move is not None:
            shape = tuple(step.shape[row].tolist())
            made = np.empty((*shape, src.shape[-1]), dtype) if writable(out) is None or out is None else out
            sampling = step.sampling
            copying = Copying(move, src.shape[:-1], shape, sampling.border or "nearest")
            fill: Any = 0
            if copying.fills and sampling.border == "constant":
                fill = saturate(fill_vector(sampling.fill, src.shape[-1]), dtype)
            copying.run(src, made, fill)
            return made if out is None or made is out else give(made, out)
        likeness = step.likeness(row)
        if likeness is None:
            return prepare(request(step, row), src.shape, src.dtype, dtype)(src, out)
        known, key = _prepared(step), (likeness, src.shape, src.dtype, dtype)
        found = known.get(key)
        if found is None:
            found = prepare(request(step, row), src.shape, src.dtype, dtype)
            if len(known) < _KEPT:
                known[key] = found
        return found(src, out)

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
            return give(src, out)
        asked = for_labels(step.resample, row)
        found = choose.resample_labels(
            src, asked.stages, asked.shape, border=asked.border, fill=asked.mask_fill, out=writable(out)
        )
        return found if out is None or found is out else give(found, out)

    def kernels(self, step: Pass, row: int, in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> str:
        """Names of the resampling kernel and of the way colour takes."""
        words = []
        within = " + colour in it" if step.colour is not None else ""
        if rgb.takes(step, row, in_shape, dtype, channels):
            return "numba.rgb" + within
        if small.takes(step, row, in_shape, dtype, channels):
            return "numba.small" + within
        if step.resample is not None and _is_photo(step, row, in_shape, dtype, channels):
            words.append("numba.rgb")
        elif step.resample is not None:
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


def _is_photo(step: Pass, row: int, in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> bool:
    """Whether a pass whose colour is no formula of the photo kernel's own resamples a photo that is one of its own."""
    if _between(step, row, dtype) not in rgb.OUT:
        return False
    return rgb.takes(Pass(step.resample, None, ()), row, in_shape, dtype, channels)


def _photo(step: Resample, row: int, src: Array, dtype: np.dtype[Any]) -> Array:
    made = np.empty((*step.shape[row].tolist(), src.shape[-1]), dtype)
    rgb.image(Pass(step, None, ()), row, src, made)
    return made


@kept
def _moves(step: Resample) -> list[Move | None] | None:
    """What moves whole pixels and no more, for a whole batch at once: crops that are drawn are no two alike."""
    if len(step.links) != 1 or not isinstance(step.links[0], Matrices) or 0 in step.shape:
        return None
    return whole_moves(step.links[0].m)


@kept
def _prepared(step: Resample) -> dict[tuple[bytes, tuple[int, ...], np.dtype[Any], np.dtype[Any]], Resampling]:
    """What was prepared for samples, by all that it follows from."""
    return {}


def _empty(step: Pass, shape: tuple[int, ...], src: Array) -> Array:
    """A buffer for what a pass makes of ``src``."""
    return np.empty((*shape, src.shape[-1]), src.dtype if step.colour is None else step.colour.dtype)


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
