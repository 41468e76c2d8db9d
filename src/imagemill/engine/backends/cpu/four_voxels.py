"""Linear blends of four samples at a time: both neighbours along x come in one load, four such pairs make a vector.

One sample alone leaves three quarters of a vector empty, and pays for its weights and its store as four do.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numba
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic

from imagemill.engine.backends.cpu.simd import between, bilinear, pointers, to_real, trilinear

__all__ = ["bilinear_four", "trilinear_four"]

_INT = ir.IntType(32)


def _emitted(*, deep: bool) -> Any:
    @intrinsic
    def emitted(typing, src, index, x, line, plane, wz, wy, wx, out):
        del typing
        signature = numba.types.void(src, index, x, line, plane, wz, wy, wx, out)

        def generate(context, builder, signature, arguments):
            data, places, *weights, target = pointers(context, builder, signature, arguments, (0, 1, 5, 6, 7, 8))
            x, line, plane = arguments[2:5]
            kind, single = signature.args[0].dtype, signature.args[7].dtype
            pair = ir.VectorType(context.get_value_type(kind), 2)
            real4, real8 = (ir.VectorType(context.get_value_type(single), n) for n in (4, 8))
            size = single.bitwidth // 8

            def picked(a: Any, b: Any, lanes: list[int]) -> Any:
                return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT, len(lanes)), lanes))

            def four(pointer):
                place = builder.bitcast(builder.gep(pointer, [x]), real4.as_pointer())
                return builder.load(place, align=size)

            def twice(values):
                return picked(values, values, [0, 0, 1, 1, 2, 2, 3, 3])

            def number(k):
                return builder.load(builder.gep(places, [builder.add(x, ir.Constant(x.type, k))]))

            starts = [number(k) for k in range(4)]

            def eight(offset):
                """The pairs of all four samples, some places on."""
                two = []
                for start in starts:
                    at = start if offset is None else builder.add(start, offset)
                    pointer = builder.bitcast(builder.gep(data, [at]), pair.as_pointer())
                    two.append(builder.load(pointer, align=kind.bitwidth // 8))
                first, second = (picked(two[k], two[k + 1], [0, 1, 2, 3]) for k in (0, 2))
                return to_real(builder, picked(first, second, list(range(8))), kind, real8)

            wy = twice(four(weights[1]))
            total = between(builder, eight(None), eight(line), wy)
            if deep:
                behind = between(builder, eight(plane), eight(builder.add(plane, line)), wy)
                total = between(builder, total, behind, twice(four(weights[0])))
            left, right = picked(total, total, [0, 2, 4, 6]), picked(total, total, [1, 3, 5, 7])
            made = between(builder, left, right, four(weights[2]))
            builder.store(made, builder.bitcast(builder.gep(target, [x]), real4.as_pointer()), align=size)
            return context.get_dummy_value()

        return signature, generate

    return emitted


def _plain(blend: Any) -> Any:
    def four(src, index, x, line, plane, wz, wy, wx, out):
        for k in range(int(x), int(x) + 4):
            out[k] = blend(src, int(index[k]), int(line), int(plane), wz[k], wy[k], wx[k])

    return four


_DISABLED = bool(numba.config.DISABLE_JIT)  # type: ignore[attr-defined]  # set at run time

trilinear_four: Any = _plain(trilinear) if _DISABLED else _emitted(deep=True)
"""``(src, index, x, line, plane, wz, wy, wx, out)``: as :data:`imagemill.engine.backends.cpu.simd.trilinear`, for the
samples ``x`` to ``x + 3``, each with its place and weights in arrays, into the same places of ``out``."""
bilinear_four: Any = _plain(bilinear) if _DISABLED else _emitted(deep=False)
"""The same without z."""
