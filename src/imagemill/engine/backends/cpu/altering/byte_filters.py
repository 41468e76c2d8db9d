"""Filters of pictures of 8 bits: weighted sums of neighbours, 64 values at a time, in single precision, rounded once.

Channels lie side by side: a neighbour along x is as many values away as there are channels, and rows are lines.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import cv2
import numba
import numpy as np
from numba.core import cgutils
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic

from imagemill.core.geometry import Floats
from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["crosswise", "fits", "weighed"]

Array = np.ndarray[Any, Any]

WIDTH = 64
"""Values at a time: a line of the cache, and as many single-precision sums as registers hold."""
_CHANNELS = 4


def _plain(src, at, offsets, weights, out, o):
    for i in range(WIDTH):
        total = np.float32(0)
        for t in range(len(offsets)):
            total += weights[t] * np.float32(src[int(at) + int(offsets[t]) + i])
        bounded = np.rint(min(max(total, np.float32(0)), np.float32(255)))
        out[int(o) + i] = bounded if out.dtype == np.uint8 else total


@intrinsic
def _emitted(typing, src, at, offsets, weights, out, o):
    """``out[o + i] = sum(weights[t] * src[at + offsets[t] + i])`` for 64 ``i``; bytes are rounded and saturate."""
    del typing
    signature = numba.types.void(src, at, offsets, weights, out, o)

    def generate(context, builder, signature, arguments):
        source, places, shares, target = (
            context.make_array(signature.args[k])(context, builder, arguments[k]) for k in (0, 2, 3, 4)
        )
        sums = ir.VectorType(ir.FloatType(), WIDTH)
        total = cgutils.alloca_once_value(builder, ir.Constant(sums, [0.0] * WIDTH))
        taps = builder.extract_value(places.shape, 0)
        with cgutils.for_range(builder, taps) as loop:
            place = builder.add(arguments[1], builder.load(builder.gep(places.data, [loop.index])))
            values = _values(builder, builder.gep(source.data, [place]), signature.args[0].dtype, sums)
            weight = _spread(builder, builder.load(builder.gep(shares.data, [loop.index])), sums)
            flags = ("contract",)
            added = builder.fadd(builder.load(total), builder.fmul(values, weight, flags=flags), flags=flags)
            builder.store(added, total)
        pointer = builder.gep(target.data, [arguments[5]])
        made = builder.load(total)
        if signature.args[4].dtype == numba.types.uint8:
            made = _as_bytes(builder, made, sums)
        builder.store(made, builder.bitcast(pointer, made.type.as_pointer()), align=1 if made.type != sums else 4)
        return context.get_dummy_value()

    return signature, generate


def _values(builder: Any, pointer: Any, kind: Any, sums: Any) -> Any:
    if kind == numba.types.float32:
        return builder.load(builder.bitcast(pointer, sums.as_pointer()), align=4)
    count = ir.VectorType(ir.IntType(8), WIDTH)
    return builder.uitofp(builder.load(builder.bitcast(pointer, count.as_pointer()), align=1), sums)


def _spread(builder: Any, value: Any, sums: Any) -> Any:
    empty = ir.Constant(sums, ir.Undefined)
    one = builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, empty, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))


def _as_bytes(builder: Any, made: Any, sums: Any) -> Any:
    name = f"llvm.rint.v{WIDTH}f32"
    rint = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(sums, [sums]), name)
    for limit, sign in ((0.0, "<"), (255.0, ">")):
        edge = ir.Constant(sums, [limit] * WIDTH)
        made = builder.select(builder.fcmp_ordered(sign, made, edge), edge, made)
    # By way of 32 bits, of which there is an instruction for the conversion.
    whole = builder.fptosi(builder.call(rint, [made]), ir.VectorType(ir.IntType(32), WIDTH))
    return builder.trunc(whole, ir.VectorType(ir.IntType(8), WIDTH))


_weigh: Any = _plain if numba.config.DISABLE_JIT else _emitted  # type: ignore[attr-defined]  # set at run time


@compiled
def _weigh_lines(src, stride, offsets, weights, width, out):
    """Lines of ``width`` values from a padded picture whose lines are ``stride`` apart."""
    for y in range(out.size // width):
        o = y * width
        for x in range(0, width - WIDTH + 1, WIDTH):
            _weigh(src, y * stride + x, offsets, weights, out, o + x)
        # The last values once more, together with some that were there: they come out the same.
        _weigh(src, y * stride + width - WIDTH, offsets, weights, out, o + width - WIDTH)


@compiled
def _cross_lines(src, rows, down, along, width, step, line, out):
    """Down the columns into a line in single precision, its ends mirrored; then along it."""
    reach = len(along) // 2
    pad = reach * step
    offsets = np.empty(len(along), np.int64)
    for t in range(len(along)):
        offsets[t] = t * step
    last = width // step - 1
    for y in range(out.size // width):
        for x in range(0, width - WIDTH + 1, WIDTH):
            _weigh(src, x, rows[y], down, line, pad + x)
        _weigh(src, width - WIDTH, rows[y], down, line, pad + width - WIDTH)
        for k in range(1, reach + 1):
            for c in range(step):
                line[pad - k * step + c] = line[pad + k * step + c]
                line[pad + (last + k) * step + c] = line[pad + (last - k) * step + c]
        o = y * width
        for x in range(0, width - WIDTH + 1, WIDTH):
            _weigh(line, x, offsets, along, out, o + x)
        _weigh(line, width - WIDTH, offsets, along, out, o + width - WIDTH)


def fits(src: Array, reach: tuple[int, int]) -> bool:
    """Whether a picture ``(y, x, C)`` is filtered here: 8 bits, wide enough, and larger than what is mirrored."""
    height, width, channels = src.shape
    large = reach[0] < height and reach[1] < width and width * channels >= WIDTH
    return bool(src.dtype == np.uint8 and channels <= _CHANNELS and large)


def weighed(src: Array, kernel: Floats, out: Array) -> None:
    """A picture of bytes through a kernel of any shape with odd sides, mirrored about its outermost pixels.

    Parameters
    ----------
    src, out : arrays ``(y, x, C)``, uint8
        ``out`` is C-contiguous.
    kernel : array ``(h, w)``
        Correlated, not turned; zeros cost nothing.
    """
    width, channels = src.shape[1:]
    down, along = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = cv2.copyMakeBorder(src, down, down, along, along, cv2.BORDER_REFLECT_101)
    stride = channels * (width + 2 * along)
    y, x = np.nonzero(kernel)
    offsets = (y * stride + x * channels).astype(np.int64)
    weights = kernel[y, x].astype(np.float32)
    _weigh_lines(padded.reshape(-1), stride, offsets, weights, width * channels, out.reshape(-1))


def crosswise(src: Array, down: Floats, along: Floats, out: Array) -> None:
    """The same for a kernel that is a column ``(h,)`` times a row ``(w,)``; nothing is rounded in between.

    Parameters
    ----------
    src, out : arrays ``(y, x, C)``, uint8
        Both C-contiguous.
    down, along : array
        Of odd lengths.
    """
    height, width, channels = src.shape
    reach = len(down) // 2
    rows = np.abs(np.arange(height)[:, None] + np.arange(-reach, reach + 1))
    rows = np.minimum(rows, 2 * (height - 1) - rows) * (width * channels)
    line = np.empty(width * channels + 2 * (len(along) // 2) * channels, np.float32)
    source = src if src.flags.writeable else src.copy()
    weights = down.astype(np.float32), along.astype(np.float32)
    _cross_lines(source.reshape(-1), rows, *weights, width * channels, channels, line, out.reshape(-1))
