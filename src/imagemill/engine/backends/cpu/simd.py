"""Vector instructions spelled out in the three places where the compiler does not find them and it costs most.

Polynomials at eight samples: loops of eight are unrolled before they could be put side by side. Linear blends:
neighbours along x are loaded two at a time, which halves the loads (7 ns a voxel against 13 where a row is
oblique). Pixels of three or four values: all channels of both neighbours come in one load. Without a compiler
(``NUMBA_DISABLE_JIT=1``) plain code does the same.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import ctypes
from typing import Any

import numba
import numpy as np
from numba import carray  # type: ignore[attr-defined]  # numba does not list what it exports
from numba.core import cgutils
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic

from imagemill.engine.shipped_kernels import njit

LANES = 8

_DOUBLES = ir.VectorType(ir.DoubleType(), LANES)
_INT = ir.IntType(32)


def pointers(context: Any, builder: Any, signature: Any, arguments: Any, places: tuple[int, ...]) -> list[Any]:
    """Where the values of some of an intrinsic's arguments, which are arrays, lie in memory."""
    return [context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in places]


def _eight(c, z_powers, tz, ty, tx, out, k):
    """Polynomial ``k`` of a cell at eight samples; coefficients as in :func:`flat._polynomials`."""
    for e in range(LANES):
        total = 0.0
        for a in range(z_powers - 1, -1, -1):
            square = 0.0
            for b in range(3, -1, -1):
                j = 48 * a + 16 * k + 4 * b
                row = c[j] + tx[e] * (c[j + 1] + tx[e] * (c[j + 2] + tx[e] * c[j + 3]))
                square = square * ty[e] + row
            total = total * tz[e] + square
        out[e] = total


def _emitted(z_powers: int) -> Any:
    """The same for all three polynomials as vector code."""

    @intrinsic
    def emitted(typing, c, tz, ty, tx, out0, out1, out2):
        del typing
        signature = numba.types.void(c, tz, ty, tx, out0, out1, out2)

        def generate(context, builder, signature, arguments):
            data = pointers(context, builder, signature, arguments, tuple(range(7)))
            z, y, x = (_load(builder, pointer) for pointer in data[1:4])
            for k, out in enumerate(data[4:]):
                total = None
                for a in range(z_powers - 1, -1, -1):
                    square = None
                    for b in range(3, -1, -1):
                        row = None
                        for power in range(3, -1, -1):
                            one = _spread(builder, data[0], 48 * a + 16 * k + 4 * b + power)
                            row = _step(builder, row, x, one)
                        square = _step(builder, square, y, row)
                    total = _step(builder, total, z, square)
                builder.store(total, builder.bitcast(out, _DOUBLES.as_pointer()), align=8)
            return context.get_dummy_value()

        return signature, generate

    return emitted


def _load(builder: Any, pointer: Any) -> Any:
    return builder.load(builder.bitcast(pointer, _DOUBLES.as_pointer()), align=8)


def _spread(builder: Any, pointer: Any, offset: int) -> Any:
    """One coefficient in every lane."""
    value = builder.load(builder.gep(pointer, [ir.Constant(_INT, offset)]))
    empty = ir.Constant(_DOUBLES, ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(_INT, LANES), [0] * LANES))


def _step(builder: Any, total: Any, t: Any, coefficient: Any) -> Any:
    """One step of Horner's rule."""
    if total is None:
        return coefficient
    flags = ("contract",)
    return builder.fadd(builder.fmul(total, t, flags=flags), coefficient, flags=flags)


def _plain(z_powers: int) -> Any:
    def plain(c, tz, ty, tx, out0, out1, out2):
        for k, out in enumerate((out0, out1, out2)):
            _eight(c, z_powers, tz, ty, tx, out, k)

    return plain


def _blend_plain(src, at, line, plane, wz, wy, wx):
    real = type(wx)
    total = real(0.0)
    for a, part in enumerate((real(1.0) - wz, wz)):
        if part != 0.0:
            p = at if a == 0 else at + plane
            low = real(src[p]) + wy * (real(src[p + line]) - real(src[p]))
            high = real(src[p + 1]) + wy * (real(src[p + line + 1]) - real(src[p + 1]))
            total += part * (low + wx * (high - low))
    return total


def _emitted_blend(*, deep: bool) -> Any:
    """Linear blend of the 4 or 8 samples from flat index ``at`` on."""

    @intrinsic
    def emitted(typing, src, at, line, plane, wz, wy, wx):
        del typing
        signature = wx(src, at, line, plane, wz, wy, wx)

        def generate(context, builder, signature, arguments):
            kind = signature.args[0].dtype
            base = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            first, line, plane, wz, wy, wx = arguments[1:]
            pair = ir.VectorType(context.get_value_type(kind), 2)
            real = ir.VectorType(context.get_value_type(signature.return_type), 2)

            def two(at):
                pointer = builder.bitcast(builder.gep(base, [at]), pair.as_pointer())
                return to_real(builder, builder.load(pointer, align=kind.bitwidth // 8), kind, real)

            def both(weight):
                empty = ir.Constant(real, ir.Undefined)
                one = builder.insert_element(empty, weight, ir.Constant(_INT, 0))
                return builder.insert_element(one, weight, ir.Constant(_INT, 1))

            below = builder.add(first, line)
            total = between(builder, two(first), two(below), both(wy))
            if deep:
                behind = between(builder, two(builder.add(first, plane)), two(builder.add(below, plane)), both(wy))
                total = between(builder, total, behind, both(wz))
            left, right = (builder.extract_element(total, ir.Constant(_INT, e)) for e in range(2))
            return between(builder, left, right, wx)

        return signature, generate

    return emitted


def to_real(builder: Any, pair: Any, kind: Any, real: Any) -> Any:
    """A vector of items of some kind in floating point."""
    if isinstance(kind, numba.types.Integer):
        signed: bool = kind.signed  # type: ignore[attr-defined]  # numba sets it by name
        return (builder.sitofp if signed else builder.uitofp)(pair, real)
    wanted = 64 if isinstance(real.element, ir.DoubleType) else 32
    if kind.bitwidth == wanted:
        return pair
    return (builder.fpext if kind.bitwidth < wanted else builder.fptrunc)(pair, real)


def between(builder: Any, a: Any, b: Any, weight: Any) -> Any:
    """``a + (b - a) weight``."""
    flags = ("contract",)
    return builder.fadd(a, builder.fmul(builder.fsub(b, a), weight, flags=flags), flags=flags)


def _flat_blend_plain(src, at, line, plane, wz, wy, wx):
    return _blend_plain(src, at, line, plane, type(wx)(0.0), wy, wx)


def _plain_pixel(real: Any, step: int) -> Any:
    def blend(src, at, line, wy, wx, out, o):
        # Signed: an unsigned place of numpy's and a number of Python's would make floating point.
        at, line = int(at), int(line)
        for c in range(at, at + 4):
            a, b, right, below = real(src[c]), real(src[c + line]), real(src[c + step]), real(src[c + line + step])
            left, right = a + wy * (b - a), right + wy * (below - right)
            out[o + c - at] = left + wx * (right - left)

    return blend


def _emitted_pixel(real: Any, step: int) -> Any:
    """Two runs of eight values blended down the columns, then against themselves ``step`` places on."""

    @intrinsic
    def blend(typing, src, at, line, wy, wx, out, o):
        del typing
        signature = numba.types.void(src, at, line, wy, wx, out, o)

        def generate(context, builder, signature, arguments):
            kind = signature.args[0].dtype
            pixels, target = pointers(context, builder, signature, arguments, (0, 5))
            at, line, wy, wx, _, o = arguments[1:]
            item8 = ir.VectorType(context.get_value_type(kind), 8)
            real8, real4 = ir.VectorType(real, 8), ir.VectorType(real, 4)
            single4 = ir.VectorType(ir.FloatType(), 4)

            def eight(place):
                pointer = builder.bitcast(builder.gep(pixels, [place]), item8.as_pointer())
                return to_real(builder, builder.load(pointer, align=kind.bitwidth // 8), kind, real8)

            def spread(weight, kind):
                empty = ir.Constant(kind, ir.Undefined)
                first = builder.insert_element(empty, weight, ir.Constant(_INT, 0))
                return builder.shuffle_vector(
                    first, empty, ir.Constant(ir.VectorType(_INT, kind.count), [0] * kind.count)
                )

            both = between(builder, eight(at), eight(builder.add(at, line)), spread(wy, real8))
            left, right = (
                builder.shuffle_vector(both, both, ir.Constant(ir.VectorType(_INT, 4), list(range(k, k + 4))))
                for k in (0, step)
            )
            made = between(builder, left, right, spread(wx, real4))
            if real != single4.element:
                made = builder.fptrunc(made, single4)
            builder.store(made, builder.bitcast(builder.gep(target, [o]), single4.as_pointer()), align=4)
            return context.get_dummy_value()

        return signature, generate

    return blend


def _weigh_plain(row, index, weights, x, out):
    for c in range(4):
        out[3 * x + c] = 0
    for t in range(index.shape[1]):
        for c in range(4):
            out[3 * x + c] += weights[x, t] * row[3 * index[x, t] + c]


@intrinsic
def _weigh_emitted(typing, row, index, weights, x, out):
    """The three channels of a pixel as one vector, of which the fourth number is left over."""
    del typing
    signature = numba.types.void(row, index, weights, x, out)

    def generate(context, builder, signature, arguments):
        row, index, weights, _, out = signature.args
        places_of = context.make_array(index)(context, builder, arguments[1])
        pixels, shares, target = (
            context.make_array(kind)(context, builder, arguments[k]).data
            for k, kind in ((0, row), (2, weights), (4, out))
        )
        places, taps = places_of.data, builder.extract_value(places_of.shape, 1)
        real = context.get_value_type(signature.args[0].dtype)
        four, long = ir.VectorType(real, 4), arguments[3].type
        first = builder.mul(arguments[3], taps)
        total = cgutils.alloca_once_value(builder, ir.Constant(four, [0.0] * 4))
        with cgutils.for_range(builder, taps) as loop:
            at = builder.add(first, loop.index)
            place = builder.mul(builder.load(builder.gep(places, [at])), ir.Constant(long, 3))
            pointer = builder.bitcast(builder.gep(pixels, [place]), four.as_pointer())
            values = builder.load(pointer, align=4)
            one = builder.insert_element(
                ir.Constant(four, ir.Undefined), builder.load(builder.gep(shares, [at])), ir.Constant(_INT, 0)
            )
            weight = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_INT, 4), [0] * 4))
            flags = ("contract",)
            added = builder.fadd(builder.load(total), builder.fmul(values, weight, flags=flags), flags=flags)
            builder.store(added, total)
        place = builder.mul(arguments[3], ir.Constant(long, 3))
        builder.store(builder.load(total), builder.bitcast(builder.gep(target, [place]), four.as_pointer()), align=4)
        return context.get_dummy_value()

    return signature, generate


def _shuffled(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT, len(lanes)), lanes))


def _parted(builder: Any, pixels: list[Any], planes: list[Any], place: Any) -> None:
    """Store eight pixels of four values as eight values in each of three planes.

    Pixels 0 and 4 are the halves of the first register, 1 and 5 of the second: shuffles within halves are quick.
    """
    a, b, c, d = pixels
    low = [_shuffled(builder, *two, [0, 8, 1, 9, 4, 12, 5, 13]) for two in ((a, b), (c, d))]
    high = [_shuffled(builder, *two, [2, 10, 3, 11, 6, 14, 7, 15]) for two in ((a, b), (c, d))]
    first, second = [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]
    made = [_shuffled(builder, two[0], two[1], lanes) for two, lanes in ((low, first), (low, second), (high, first))]
    kind = ir.VectorType(ir.FloatType(), 8).as_pointer()
    for plane, values in zip(planes, made, strict=True):
        builder.store(values, builder.bitcast(builder.gep(plane, [place]), kind), align=4)


def _part_plain(fours, x, red, green, blue, o):
    for k in range(8):
        for c, plane in enumerate((red, green, blue)):
            plane[o + k] = fours[4 * (x + k) + c]


@intrinsic
def _part_emitted(typing, fours, x, red, green, blue, o):
    """Pixels of four values each as three planes."""
    del typing
    signature = numba.types.void(fours, x, red, green, blue, o)

    def generate(context, builder, signature, arguments):
        pixels, *planes = pointers(context, builder, signature, arguments, (0, 2, 3, 4))
        four, long = ir.VectorType(ir.FloatType(), 4).as_pointer(), arguments[1].type

        def load(k):
            place = builder.mul(builder.add(arguments[1], ir.Constant(long, k)), ir.Constant(long, 4))
            return builder.load(builder.bitcast(builder.gep(pixels, [place]), four), align=4)

        pairs = [_shuffled(builder, load(k), load(k + 4), list(range(8))) for k in range(4)]
        _parted(builder, pairs, planes, arguments[5])
        return context.get_dummy_value()

    return signature, generate


def _along_plain(row, at, shares, taps, x, red, green, blue, o):
    group = x // 8 * (taps - 1) * 32
    for k in range(8):
        for c, plane in enumerate((red, green, blue)):
            place = int(at[x + k]) + c
            first = total = row[place]
            for t in range(1, taps):
                weight = shares[group + 32 * (t - 1) + 8 * (k % 4) + k // 4 * 4]
                total += weight * (row[place + 3 * t] - first)
            plane[o + k] = total


def _emitted_along(*, two: bool) -> Any:
    """Eight pixels of three values, each the blend of ``two`` or of more, and then parted into planes."""

    @intrinsic
    def emitted(typing, row, at, shares, taps, x, red, green, blue, o):
        del typing
        signature = numba.types.void(row, at, shares, taps, x, red, green, blue, o)

        def generate(context, builder, signature, arguments):
            pixels, places, weights, *planes = pointers(context, builder, signature, arguments, (0, 1, 2, 5, 6, 7))
            taps, x, o = arguments[3], arguments[4], arguments[8]
            four, eight = ir.VectorType(ir.FloatType(), 4), ir.VectorType(ir.FloatType(), 8)

            def number(value):
                return ir.Constant(x.type, value)

            def load(pointer, place, kind):
                return builder.load(builder.bitcast(builder.gep(pointer, [place]), kind.as_pointer()), align=4)

            starts = [builder.load(builder.gep(places, [builder.add(x, number(k))])) for k in range(8)]

            def pairs(step):
                one = [load(pixels, builder.add(start, step), four) for start in starts]
                return [_shuffled(builder, one[k], one[k + 4], list(range(8))) for k in range(4)]

            def blended(totals, step, share):
                kept = [load(weights, builder.add(share, number(8 * k)), eight) for k in range(4)]
                flags = ("contract",)
                return [
                    builder.fadd(t, builder.fmul(builder.fsub(p, f, flags=flags), w, flags=flags), flags=flags)
                    for t, p, f, w in zip(totals, pairs(step), first, kept, strict=True)
                ]

            first = pairs(number(0))
            if two:
                made = blended(first, number(3), builder.mul(x, number(4)))
            else:
                others = builder.sub(taps, number(1))
                share = builder.mul(builder.mul(x, number(4)), others)
                totals = [cgutils.alloca_once_value(builder, one) for one in first]
                with cgutils.for_range(builder, others) as loop:
                    step = builder.mul(builder.add(loop.index, number(1)), number(3))
                    place = builder.add(share, builder.mul(loop.index, number(32)))
                    kept = blended([builder.load(total) for total in totals], step, place)
                    for value, total in zip(kept, totals, strict=True):
                        builder.store(value, total)
                made = [builder.load(total) for total in totals]
            _parted(builder, made, planes, o)
            return context.get_dummy_value()

        return signature, generate

    return emitted


def _prefetch_plain(src, at):
    """Nothing to fetch ahead without a compiler."""


@intrinsic
def _prefetch_emitted(typing, src, at):
    """Ask for the cache line that holds ``src[at]``; any place may be asked for, within the array or not."""
    del typing
    signature = numba.types.void(src, at)

    def generate(context, builder, signature, arguments):
        pixels = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(pixels, [arguments[1]]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), _INT, _INT, _INT])
        name = "llvm.prefetch.p0i8"
        fetch = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        builder.call(fetch, [place, ir.Constant(_INT, 0), ir.Constant(_INT, 3), ir.Constant(_INT, 1)])
        return context.get_dummy_value()

    return signature, generate


def _bytes_at_plain(address, count):
    """Memory as an array, by its address."""
    return np.ctypeslib.as_array((ctypes.c_uint8 * int(count)).from_address(int(address)))


@intrinsic
def _pointer(typing, address):
    """A number as a place in memory."""
    del typing

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return numba.types.CPointer(numba.types.uint8)(address), generate


_place: Any = _pointer


@njit(nogil=True)
def _bytes_at_compiled(address, count):
    return carray(_place(address), count)


_DISABLED = bool(numba.config.DISABLE_JIT)  # type: ignore[attr-defined]  # set at run time
_make = _plain if _DISABLED else _emitted
tricubic = _make(4)
"""``(coefficients, tz, ty, tx, out, out, out)``: three tricubic polynomials at eight samples."""
bicubic = _make(1)
"""The same for polynomials without tz."""

trilinear = _blend_plain if _DISABLED else _emitted_blend(deep=True)
"""``(src, at, line, plane, wz, wy, wx)``: blend of ``src[at]`` and the next along x, y and z, which must be there."""
bilinear = _flat_blend_plain if _DISABLED else _emitted_blend(deep=False)
"""The same without z."""

_SINGLE, _DOUBLE = (np.float32, np.float64) if _DISABLED else (ir.FloatType(), ir.DoubleType())
_pixel: Any = _plain_pixel if _DISABLED else _emitted_pixel
blend_rgb: Any = _pixel(_SINGLE, 3)
"""``(src, at, line, wy, wx, out, o)``: blend of the pixel of three values at ``src[at]``, the next one, and the two
``line`` values on, into ``out[o : o + 3]``. Reads eight values from either place and writes four floats: one too
many. Computed in single precision, as the weights are."""
blend_three: Any = _pixel(_DOUBLE, 3)
"""The same in double precision, rounded once."""
blend_four: Any = _pixel(_DOUBLE, 4)
"""The same for pixels of four values."""

weigh_rgb: Any = _weigh_plain if _DISABLED else _weigh_emitted
"""``(row, index, weights, x, out)``: the sum of the pixels ``index[x]`` of a row of three values each, by their
``weights[x]``, into ``out[3 * x : 3 * x + 3]``. Reads and writes one number more than a pixel has."""

along_two: Any = _along_plain if _DISABLED else _emitted_along(two=True)
"""``(row, at, shares, taps, x, red, green, blue, o)``: pixels ``x`` to ``x + 7`` of a row, ``x`` a multiple of 8, each
the blend of two pixels of three values from ``row[at[x]]`` on, into ``o`` to ``o + 7`` of the planes. Places are
``uintp``, ``shares`` as :func:`level_rows.spread` lays them out. One number more than the pixels have is read."""
along: Any = _along_plain if _DISABLED else _emitted_along(two=False)
"""The same for ``taps`` pixels each."""

part: Any = _part_plain if _DISABLED else _part_emitted
"""``(fours, x, red, green, blue, o)``: eight pixels of four values each, from pixel ``x`` on, into ``o`` to ``o + 7``
of three planes."""

bytes_at: Any = _bytes_at_plain if _DISABLED else _bytes_at_compiled
"""``(address, count)``: so many bytes from an address on, as an array. The caller sees to it that they stay there."""

prefetch: Any = _prefetch_plain if _DISABLED else _prefetch_emitted
"""``(src, at)``: have the cache line of ``src[at]`` on its way before it is read."""
