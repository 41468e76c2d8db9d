"""Numbers as their bits and back, within compiled loops: what powers and half precision are made of.

Without a compiler (``NUMBA_DISABLE_JIT=1``) numpy does the same.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import platform
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

__all__ = ["HALVES", "bits_of", "from_bits", "from_half", "half_of"]


def _bits_plain(x):
    return np.int32(np.float32(x).view(np.int32))


def _from_bits_plain(n):
    return np.int32(n).view(np.float32)


def _half_plain(x):
    return np.float16(x).view(np.uint16)


def _from_half_plain(n):
    return np.float32(np.uint16(n).view(np.float16))


@intrinsic
def _bits_emitted(typing, x):
    del typing

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@intrinsic
def _from_bits_emitted(typing, n):
    del typing

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def _half_emitted(typing, x):
    del typing

    def generate(context, builder, signature, arguments):
        return builder.bitcast(builder.fptrunc(arguments[0], ir.HalfType()), ir.IntType(16))

    return types.uint16(types.float32), generate


@intrinsic
def _from_half_emitted(typing, n):
    del typing

    def generate(context, builder, signature, arguments):
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())

    return types.float32(types.uint16), generate


_DISABLED = bool(numba.config.DISABLE_JIT)  # type: ignore[attr-defined]  # set at run time


def _converts_halves() -> bool:
    """Whether the processor does it: what the compiler would call otherwise is not there to be called."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return True
    return "+f16c" in get_host_cpu_features().split(",")


HALVES = not _DISABLED and _converts_halves()
"""Whether :data:`half_of` and :data:`from_half` may be compiled."""

bits_of: Any = _bits_plain if _DISABLED else _bits_emitted
"""``(x)``: the bits of a number of single precision, as a whole number of 32 bits."""
from_bits: Any = _from_bits_plain if _DISABLED else _from_bits_emitted
"""``(n)``: the number of single precision that has these bits."""
half_of: Any = _half_plain if _DISABLED else _half_emitted
"""``(x)``: the bits of a number of single precision rounded to half precision."""
from_half: Any = _from_half_plain if _DISABLED else _from_half_emitted
"""``(n)``: the number of half precision that has these bits, in single precision."""
