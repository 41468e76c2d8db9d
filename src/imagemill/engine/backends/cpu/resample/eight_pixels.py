"""Linear blends of eight pixels of three bytes at a time, rounded to bytes again or in single precision.

Two loads of eight bytes bring the four neighbours of a place with all their channels. Eight such loads are turned into
vectors of one channel each, so that weights need not be spread, and the compiler fills whole registers.
"""

# Vector code is written for a type, so the arguments of intrinsics have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic

from imagemill.engine.backends.cpu.simd import between, pointers

__all__ = ["blend_eight"]

_INT = ir.IntType(32)
_LONG = ir.IntType(64)
_LANES = 8


def _picked(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT, len(lanes)), lanes))


def _channels(builder: Any, words: list[Any]) -> list[Any]:
    """Eight words of six bytes that count, as six vectors of floating point: a byte of each word in each."""
    ints, reals = ir.VectorType(_INT, _LANES), ir.VectorType(ir.FloatType(), _LANES)
    halves = []
    # Words 0, 1, 4, 5 and 2, 3, 6, 7: then their halves come into order within the halves of a register.
    for four in ((0, 1, 4, 5), (2, 3, 6, 7)):
        made = ir.Constant(ir.VectorType(_LONG, 4), ir.Undefined)
        for lane, k in enumerate(four):
            made = builder.insert_element(made, words[k], ir.Constant(_INT, lane))
        halves.append(builder.bitcast(made, ints))
    low = _picked(builder, halves[0], halves[1], [0, 2, 8, 10, 4, 6, 12, 14])
    high = _picked(builder, halves[0], halves[1], [1, 3, 9, 11, 5, 7, 13, 15])

    def byte(values, shift):
        moved = builder.lshr(values, ir.Constant(ints, [shift] * _LANES)) if shift else values
        kept = moved if shift == 24 else builder.and_(moved, ir.Constant(ints, [255] * _LANES))
        return builder.sitofp(kept, reals)

    return [byte(low, 0), byte(low, 8), byte(low, 16), byte(low, 24), byte(high, 0), byte(high, 8)]


def _bytes(builder: Any, channels: list[Any]) -> Any:
    """Eight values each of three channels, rounded, as eight pixels of bytes."""
    ints, reals = ir.VectorType(_INT, _LANES), ir.VectorType(ir.FloatType(), _LANES)
    name = f"llvm.rint.v{_LANES}f32"
    rint = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(reals, [reals]), name)
    total = None
    for c, values in enumerate(channels):
        made = builder.fptosi(builder.call(rint, [values]), ints)
        moved = builder.shl(made, ir.Constant(ints, [8 * c] * _LANES)) if c else made
        total = moved if total is None else builder.or_(total, moved)
    four = builder.bitcast(total, ir.VectorType(ir.IntType(8), 4 * _LANES))
    return _picked(builder, four, four, [4 * k + c for k in range(_LANES) for c in range(3)])


def _floats(builder: Any, channels: list[Any]) -> Any:
    """The same as they are."""
    red, green, blue = channels
    two = _picked(builder, red, green, list(range(2 * _LANES)))
    third = _picked(builder, blue, blue, list(range(_LANES)) * 2)
    return _picked(builder, two, third, [c * _LANES + k for k in range(_LANES) for c in range(3)])


@intrinsic
def _emitted(typing, src, index, line, wy, wx, x, out, o):
    del typing
    signature = numba.types.void(src, index, line, wy, wx, x, out, o)

    def generate(context, builder, signature, arguments):
        pixels, places, down, along, target = pointers(context, builder, signature, arguments, (0, 1, 3, 4, 6))
        line, x, o = arguments[2], arguments[5], arguments[7]
        reals = ir.VectorType(ir.FloatType(), _LANES)

        def weights(pointer):
            return builder.load(builder.bitcast(builder.gep(pointer, [x]), reals.as_pointer()), align=4)

        starts = [builder.load(builder.gep(places, [builder.add(x, ir.Constant(x.type, k))])) for k in range(_LANES)]

        def words(step):
            found = []
            for start in starts:
                place = builder.gep(pixels, [start if step is None else builder.add(start, step)])
                found.append(builder.load(builder.bitcast(place, _LONG.as_pointer()), align=1))
            return _channels(builder, found)

        wy, wx = weights(down), weights(along)
        both = [between(builder, a, b, wy) for a, b in zip(words(None), words(line), strict=True)]
        blends = [between(builder, both[c], both[c + 3], wx) for c in range(3)]
        made = (_bytes if signature.args[6].dtype == numba.types.uint8 else _floats)(builder, blends)
        size = made.type.element.width // 8 if isinstance(made.type.element, ir.IntType) else 4
        builder.store(made, builder.bitcast(builder.gep(target, [o]), made.type.as_pointer()), align=size)
        return context.get_dummy_value()

    return signature, generate


def _plain(src, index, line, wy, wx, x, out, o):
    line = int(line)
    for k in range(_LANES):
        at = int(index[x + k])
        for c in range(3):
            a, b, right, below = (np.float32(src[at + c + step]) for step in (0, line, 3, line + 3))
            a, right = a + wy[x + k] * (b - a), right + wy[x + k] * (below - right)
            made = a + wx[x + k] * (right - a)
            out[o + 3 * k + c] = np.rint(made) if out.dtype == np.uint8 else made


blend_eight: Any = _plain if numba.config.DISABLE_JIT else _emitted  # type: ignore[attr-defined]  # set at run time
"""``(src, index, line, wy, wx, x, out, o)``: blends of the pixels of three bytes at ``src[index[x]]`` to
``src[index[x + 7]]`` with the next ones and those ``line`` bytes on, into ``out[o : o + 24]``, bytes or float32.
Weights are float32 from 0 to 1. Eight bytes are read from either place: two more than there are of pixels."""
