"""How kernels are compiled: on first use, cached on disk, without the GIL, IEEE divisions, NaN kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a kernel when it is first called; ``NUMBA_DISABLE_JIT=1`` leaves it plain Python.

    Only contraction (a * b + c in one step) is allowed to change rounding; NaN and infinity
    keep their meaning.
    """
    return cast(F, njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})(function))
