"""Colour matrices of pixels of three bytes, 64 at a time: parted by channels, mixed in registers, put together."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.simd import pointers

__all__ = ["mix_whole"]

_PIXELS = 64
_BYTE, _INT = ir.IntType(8), ir.IntType(32)
_BYTES, _WORDS = ir.VectorType(_BYTE, _PIXELS), ir.VectorType(_INT, _PIXELS)
_REALS = ir.VectorType(ir.FloatType(), _PIXELS)
_THREE = ir.VectorType(_BYTE, 3 * _PIXELS)


def _places(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_INT, len(places)), places)


def _spread(builder: Any, numbers: Any, k: int) -> Any:
    """One number in every lane."""
    empty = ir.Constant(_REALS, ir.Undefined)
    value = builder.load(builder.gep(numbers, [ir.Constant(ir.IntType(64), k)]))
    return builder.shuffle_vector(
        builder.insert_element(empty, value, ir.Constant(_INT, 0)), empty, _places([0] * _PIXELS)
    )


def _bounded(builder: Any, values: Any, low: Any, high: Any) -> Any:
    values = builder.select(builder.fcmp_ordered("<", values, low), low, values)
    return builder.select(builder.fcmp_ordered(">", values, high), high, values)


def _emitted(*, clipped: bool) -> Any:
    """64 pixels; where nothing is clipped in between, without what would change nothing."""

    @intrinsic
    def mix(typing, src, at, numbers, out):
        del typing
        signature = numba.types.void(src, at, numbers, out)

        def generate(context, builder, signature, arguments):
            source, values, target = pointers(context, builder, signature, arguments, (0, 2, 3))
            place = builder.bitcast(builder.gep(source, [arguments[1]]), _THREE.as_pointer())
            pixels = builder.load(place, align=1)
            channels = []
            for c in range(3):
                own = builder.shuffle_vector(pixels, pixels, _places(list(range(c, 3 * _PIXELS, 3))))
                channels.append(builder.sitofp(builder.zext(own, _WORDS), _REALS))
            made = [_channel(builder, values, channels, c, clipped=clipped) for c in range(3)]
            both = builder.shuffle_vector(made[0], made[1], _places(list(range(2 * _PIXELS))))
            last = builder.shuffle_vector(made[2], made[2], _places([k % _PIXELS for k in range(2 * _PIXELS)]))
            order = [place for k in range(_PIXELS) for place in (k, _PIXELS + k, 2 * _PIXELS + k)]
            together = builder.shuffle_vector(both, last, _places(order))
            builder.store(together, builder.bitcast(builder.gep(target, [arguments[1]]), _THREE.as_pointer()), align=1)
            return context.get_dummy_value()

        return signature, generate

    return mix


def _channel(builder: Any, values: Any, channels: list[Any], c: int, *, clipped: bool) -> Any:
    """One channel of 64 pixels as bytes."""
    flags, total = ("contract",), _spread(builder, values, 9 + c)
    for k in range(3):
        part = builder.fmul(_spread(builder, values, 3 * c + k), channels[k], flags=flags)
        total = builder.fadd(total, part, flags=flags)
    if clipped:
        total = _bounded(builder, total, *(_spread(builder, values, k) for k in (12, 13)))
        total = builder.fmul(_spread(builder, values, 14 + c), total, flags=flags)
        total = builder.fadd(total, _spread(builder, values, 17 + c), flags=flags)
    name = f"llvm.rint.v{_PIXELS}f32"
    kind = ir.FunctionType(_REALS, [_REALS])
    rint = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    total = _bounded(builder, total, *(_spread(builder, values, k) for k in (20, 21)))
    return builder.trunc(builder.fptosi(builder.call(rint, [total]), _WORDS), _BYTES)


_DISABLED = bool(numba.config.DISABLE_JIT)  # type: ignore[attr-defined]  # set at run time
_mix: Any = _emitted(clipped=False)
_mix_clipped: Any = _emitted(clipped=True)


@compiled
def mix_whole(src, numbers, clipped, out):
    """Pixels of three bytes: ``s clip(b + a x) + t``, rounded to even; without ``clipped``, ``b + a x``.

    ``numbers`` are the nine of ``a``, three of ``b``, the clip's two, three of ``s``, three of ``t``, and the range of
    what comes out, in single precision.
    """
    start = 0
    if not _DISABLED:
        start = src.size // 192 * 192
        if clipped:
            for i in range(0, start, 192):
                _mix_clipped(src, i, numbers, out)
        else:
            for i in range(0, start, 192):
                _mix(src, i, numbers, out)
    for i in range(start, src.size, 3):
        x, y, z = np.float32(src[i]), np.float32(src[i + 1]), np.float32(src[i + 2])
        for c in range(3):
            v = numbers[9 + c] + numbers[3 * c] * x
            v += numbers[3 * c + 1] * y
            v += numbers[3 * c + 2] * z
            if clipped:
                v = numbers[14 + c] * min(max(v, numbers[12]), numbers[13]) + numbers[17 + c]
            out[i + c] = np.rint(min(max(v, numbers[20]), numbers[21]))
