"""The second half of :mod:`photo_kernels`: samples coloured into their places in the batch.

Which loop is compiled follows from the output alone: bytes or floats, pixels or planes. Samples come in three planes,
or, where each channel is made of itself alone and pixels are asked for, as they were blended: four numbers each.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.core import cgutils
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic, overload

from imagemill.engine.backends.cpu.colour.mix_loops import settled
from imagemill.engine.backends.cpu.simd import pointers

__all__ = ["each_alone", "paint", "tint"]


def _planes(red, green, blue, p, count, out, i, at):
    a00, a01, a02, a10, a11, a12 = p[0], p[1], p[2], p[3], p[4], p[5]
    a20, a21, a22, b0, b1, b2 = p[6], p[7], p[8], p[9], p[10], p[11]
    low, high, least, most = p[12], p[13], p[20], p[21]
    s0, s1, s2, t0, t1, t2 = p[14], p[15], p[16], p[17], p[18], p[19]
    out0, out1, out2 = out[i, 0, at:], out[i, 1, at:], out[i, 2, at:]
    for k in range(np.uintp(count)):
        x, y, z = red[k], green[k], blue[k]
        q = s0 * min(max(a00 * x + (a01 * y + (a02 * z + b0)), low), high) + t0
        r = s1 * min(max(a10 * x + (a11 * y + (a12 * z + b1)), low), high) + t1
        v = s2 * min(max(a20 * x + (a21 * y + (a22 * z + b2)), low), high) + t2
        out0[k] = settled(q, least, most, out0)
        out1[k] = settled(r, least, most, out1)
        out2[k] = settled(v, least, most, out2)


def _pixels(red, green, blue, p, count, out, i, at):
    a00, a01, a02, a10, a11, a12 = p[0], p[1], p[2], p[3], p[4], p[5]
    a20, a21, a22, b0, b1, b2 = p[6], p[7], p[8], p[9], p[10], p[11]
    low, high, least, most = p[12], p[13], p[20], p[21]
    s0, s1, s2, t0, t1, t2 = p[14], p[15], p[16], p[17], p[18], p[19]
    made = out[i, 3 * at :]
    for k in range(np.uintp(count)):
        x, y, z = red[k], green[k], blue[k]
        q = s0 * min(max(a00 * x + (a01 * y + (a02 * z + b0)), low), high) + t0
        r = s1 * min(max(a10 * x + (a11 * y + (a12 * z + b1)), low), high) + t1
        v = s2 * min(max(a20 * x + (a21 * y + (a22 * z + b2)), low), high) + t2
        o = np.uintp(3) * k
        made[o] = settled(q, least, most, made)
        made[o + np.uintp(1)] = settled(r, least, most, made)
        made[o + np.uintp(2)] = settled(v, least, most, made)


def paint(red, green, blue, p, count, out, i, at):
    """Colour ``count`` samples of photo ``i``, from its place ``at`` on; a channel made of itself alone is so exactly.

    ``p`` are numbers as :func:`imagemill.engine.backends.cpu.colour.mix_loops.packed` has them; ``out`` has pixels
    ``(n, pixels * 3)`` or planes ``(n, 3, pixels)``.
    """
    (_pixels if out.ndim == 2 else _planes)(red, green, blue, p, count, out, i, at)


@overload(paint)
def _paint(red, green, blue, p, count, out, i, at):
    del red, green, blue, p, count, i, at
    return _pixels if out.ndim == 2 else _planes


# --------------------------------------------------------------------------------------------- channels by themselves


def _no(p, numbers, out):
    return False


def _each_alone(p, numbers, out):
    if p[1] != 0.0 or p[2] != 0.0 or p[3] != 0.0 or p[5] != 0.0 or p[6] != 0.0 or p[7] != 0.0:
        return False
    for c in range(4):
        own = min(c, 2)
        numbers[c], numbers[4 + c], numbers[8 + c], numbers[12 + c] = p[4 * own], p[9 + own], p[12], p[13]
        numbers[16 + c], numbers[20 + c], numbers[24 + c], numbers[28 + c] = p[14 + own], p[17 + own], p[20], p[21]
    return True


def each_alone(p, numbers, out):
    """Whether :func:`tint` may take the place of :func:`paint`; ``numbers``, 32 of them, are then made of ``p``."""
    return (_each_alone if out.ndim == 2 else _no)(p, numbers, out)


@overload(each_alone)
def _may_be_alone(p, numbers, out):
    del p, numbers
    return _each_alone if out.ndim == 2 else _no


def _tint_plain(fours, count, numbers, out, i, at):
    a, b, low, high, s, t, least, most = numbers.reshape(8, 4)[:, :3]
    made = s * np.minimum(np.maximum(a * fours[: 4 * count].reshape(-1, 4)[:, :3] + b, low), high) + t
    if out.dtype.kind in "iu":
        made = np.rint(np.minimum(np.maximum(made, least), most))
    out[i, 3 * at : 3 * (at + count)] = made.reshape(-1)


@intrinsic
def _tint_emitted(typing, fours, count, numbers, out, at):
    """Four numbers are stored for three: the last pixel is left to the caller."""
    del typing
    signature = numba.types.void(fours, count, numbers, out, at)

    def generate(context, builder, signature, arguments):
        pixels, table, target = pointers(context, builder, signature, arguments, (0, 2, 3))
        four, long = ir.VectorType(ir.FloatType(), 4), arguments[1].type
        whole = isinstance(signature.args[3].dtype, numba.types.Integer)
        item = ir.VectorType(context.get_value_type(signature.args[3].dtype), 4)

        def load(data, place):
            return builder.load(builder.bitcast(builder.gep(data, [place]), four.as_pointer()), align=4)

        a, b, low, high, s, t, least, most = (load(table, ir.Constant(long, 4 * k)) for k in range(8))

        def times(value, factor, offset):
            flags = ("contract",)
            return builder.fadd(builder.fmul(factor, value, flags=flags), offset, flags=flags)

        def held(value, low, high):
            value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
            return builder.select(builder.fcmp_ordered(">", value, high), high, value)

        with cgutils.for_range(builder, arguments[1]) as loop:
            value = load(pixels, builder.mul(loop.index, ir.Constant(long, 4)))
            value = times(held(times(value, a, b), low, high), s, t)
            if whole:
                kind = ir.FunctionType(four, [four])
                name = "llvm.rint.v4f32"
                rint = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
                value = builder.call(rint, [held(value, least, most)])
                value = builder.trunc(builder.fptosi(value, ir.VectorType(ir.IntType(32), 4)), item)
            place = builder.add(arguments[4], builder.mul(loop.index, ir.Constant(long, 3)))
            builder.store(value, builder.bitcast(builder.gep(target, [place]), item.as_pointer()), align=1)
        return context.get_dummy_value()

    return signature, generate


def _tint_pixels(fours, count, numbers, out, i, at):
    made = out[i]
    last = count - 1
    _tint(fours, last, numbers, made, 3 * at)
    for c in range(3):
        v = numbers[4 + c] + numbers[c] * fours[4 * last + c]
        v = numbers[16 + c] * min(max(v, numbers[8 + c]), numbers[12 + c]) + numbers[20 + c]
        made[3 * (at + last) + c] = settled(v, numbers[24 + c], numbers[28 + c], made)


def _tint_nothing(fours, count, numbers, out, i, at):
    """Planes are painted."""


_tint: Any = _tint_emitted  # a call leaves out the first argument, which the type checker would miss


def tint(fours, count, numbers, out, i, at):
    """Colour ``count`` pixels of photo ``i``, of four numbers each, from its place ``at`` on.

    Each channel by its own of the ``numbers`` that :func:`each_alone` made.
    """
    _tint_plain(fours, count, numbers, out, i, at)


@overload(tint)
def _tint_compiled(fours, count, numbers, out, i, at):
    del fours, count, numbers, i, at
    return _tint_pixels if out.ndim == 2 else _tint_nothing
