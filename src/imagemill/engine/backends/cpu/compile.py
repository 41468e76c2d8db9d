"""How kernels are compiled: on first use, cached on disk, without the GIL, IEEE divisions, NaN kept.

``NUMBA_DISABLE_JIT=1`` leaves them plain Python. Where compiling takes some seconds, a line on stderr says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

from imagemill.engine.compile_notice import listen_for_notice

F = TypeVar("F", bound=Callable[..., object])

listen_for_notice()


def compiled(function: F) -> F:
    """Compile a kernel when it is first called.

    Only contraction (a * b + c in one step) is allowed to change rounding; NaN and infinity
    keep their meaning.
    """
    return cast(F, njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})(function))


def exactly(function: F) -> F:
    """The same without contraction: for numbers whose last bit decides, such as what lies inside of a picture."""
    return cast(F, njit(nogil=True, cache=True, error_model="numpy")(function))


def summing(function: F) -> F:
    """The same for sums in any order, which fill vectors: for numbers whose last bits decide nothing."""
    return cast(F, njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract"})(function))
