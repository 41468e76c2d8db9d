"""imagemill: photos and scans to batches a network learns from.

>>> import numpy as np
>>> import imagemill as im
>>> pipe = im.Pipeline([im.Flip("x", p=0.5), im.Rotate((-10, 10)), im.Resize((32, 32))], seed=7)
>>> pipe(np.zeros((48, 64, 3), np.uint8)).shape
(32, 32, 3)

Names are loaded when they are first used, so that importing this package stays quick. The list of public
names is the stub beside this file.
"""

from __future__ import annotations

import importlib
from typing import Any

from imagemill.core.front_door import from_home, homes

__version__ = "0.1.0"

_ROOMS_WITH_NAMES = ("datasets", "testing")
"""Modules whose names are used through them: ``im.datasets.mnist()``."""


_HOME = homes(__name__)

__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _ROOMS_WITH_NAMES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME:
        hint = _hint(name)
        if hint and _imports(name):
            raise ImportError(f"cannot import name {name!r} from {__name__!r}{hint}", name=__name__, path=__file__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}", name=name)
    return from_home(__name__, name, _HOME[name])


def _imports(name: str) -> bool:
    """Whether ``from imagemill import name`` asks: Python makes an error without our words of an AttributeError."""
    import sys
    from opcode import opmap

    asking = sys._getframe(2)
    # A module that is still being loaded is found by Python, after an AttributeError.
    loading = f"{__name__}.{name}" in sys.modules
    return not loading and asking.f_code.co_code[asking.f_lasti] == opmap["IMPORT_FROM"]


def _hint(name: str) -> str:
    """What was probably meant by a name that is not here."""
    if name.startswith("_"):  # asked for by tools, not by people
        return ""
    # Not before it is needed, as everything here.
    import difflib

    from imagemill.core.interop import foreign_names as foreign

    lowered = {known.lower(): known for known in __all__}
    said = foreign.elsewhere(name) or foreign.suggestion(name)
    if said and name.lower() not in lowered:
        return f"; {said}"
    near = difflib.get_close_matches(name.lower(), lowered, n=1)
    return f"; did you mean im.{lowered[near[0]]}?" if near else ""


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
