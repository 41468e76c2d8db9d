"""Powers and exponentials of single precision that fill vectors: polynomials, no branches, no table.

Errors, as parts of the result: 3e-7 where the result is near 1, growing with the magnitude of its exponent of two to
3e-6 at 2**-24 and 2**24.

Source: the usual split of a number into its exponent of two and a rest between the square roots of a half and of two;
the logarithm of the rest by the series of the inverse hyperbolic tangent, the exponential by Taylor's.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import math

import numpy as np

from imagemill.engine.backends.cpu.bits import bits_of, from_bits
from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["exponential", "power"]

_F = np.float32
_ROOT = np.int32(0x3F3504F3)  # the bits of the square root of a half
_DIGITS, _BIAS = np.int32(23), np.int32(127)
_L = tuple(_F(2 / math.log(2) / k) for k in (1, 3, 5, 7, 9))
_L1, _L3, _L5, _L7, _L9 = _L
_E1, _E2, _E3, _E4, _E5, _E6, _E7 = (_F(math.log(2) ** k / math.factorial(k)) for k in range(1, 8))
_ONE, _LEAST, _MOST, _NONE = _F(1), _F(-126), _F(128), _F(0)
_LOG2_E = _F(1 / math.log(2))


@compiled.part
def _log2(x):
    """Of a positive number that is not subnormal."""
    n = bits_of(x)
    e = (n - _ROOT) >> _DIGITS
    m = from_bits(n - (e << _DIGITS))
    s = (m - _ONE) / (m + _ONE)
    q = s * s
    return _F(e) + s * (_L1 + q * (_L3 + q * (_L5 + q * (_L7 + q * _L9))))


@compiled.part
def _exp2(p):
    p = min(max(p, _LEAST), _MOST)
    n = np.rint(p)
    f = p - n
    rest = _ONE + f * (_E1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * (_E6 + f * _E7))))))
    return from_bits((np.int32(n) + _BIAS) << _DIGITS) * rest


@compiled.part
def power(x, exponent):
    """``x ** exponent`` of numbers of single precision; 0 for ``x`` of 0 or below, whatever the exponent."""
    found = _exp2(exponent * _log2(x))
    return found if x > _NONE else _NONE


@compiled.part
def exponential(x):
    """``exp(x)`` of a number of single precision."""
    return _exp2(x * _LOG2_E)
