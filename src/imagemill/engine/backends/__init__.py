"""The backends that run plans, by name."""

from __future__ import annotations

from imagemill.core.errors import ParameterError
from imagemill.engine.backends.finite_first import Finite
from imagemill.engine.backends.protocol import Backend


def get_backend(name: str) -> Backend:
    """``"cpu"`` or ``"reference"``; imported when asked for.

    Raises
    ------
    ParameterError
        For any other name.
    """
    if name == "cpu":
        from imagemill.engine.backends.cpu.backend import Cpu

        return Finite(Cpu())
    if name == "reference":
        from imagemill.engine.backends.float64 import Reference

        return Finite(Reference())
    raise ParameterError(f"expected a backend of 'cpu' or 'reference', got {name!r}")
