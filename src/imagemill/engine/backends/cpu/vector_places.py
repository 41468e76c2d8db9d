"""Whole numbers in double precision as places in an array, many at once.

Processors without AVX-512 turn doubles into words of 64 bits one after the other, which takes as long as all else that
locates a sample. Added to 2**52, a double has the number in its low bits.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numba
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic

__all__ = ["as_place"]

_BITS = 52


def _plain(value):
    return int(value)


@intrinsic
def _emitted(typing, value):
    del typing
    if value != numba.types.float64:
        return None

    def generate(context, builder, signature, arguments):
        del context, signature
        moved = builder.fadd(arguments[0], ir.Constant(ir.DoubleType(), 2.0**_BITS))
        word = builder.bitcast(moved, ir.IntType(64))
        return builder.and_(word, ir.Constant(ir.IntType(64), 2**_BITS - 1))

    return numba.types.int64(value), generate


as_place: Any = _plain if numba.config.DISABLE_JIT else _emitted  # type: ignore[attr-defined]  # set at run time
"""``(value)``: a whole number from 0 to below 2**52 in double precision as an integer; any other gives any integer."""
