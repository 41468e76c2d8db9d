"""Functions of the user's that the command line names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import imagemill as im

__all__ = ["named_function"]


def named_function(text: str) -> Callable[..., Any]:
    """The function that ``"train.py:step"`` or ``"package.module:step"`` names; its file is run.

    Raises
    ------
    InputError
        When there is no such file, module or function.
    """
    where, _, name = text.rpartition(":")
    module = _file(Path(where)) if where.endswith(".py") else _module(where)
    found = getattr(module, name, None)
    if not callable(found):
        known = sorted(n for n, value in vars(module).items() if callable(value) and not n.startswith("_"))
        got = "nothing of that name" if found is None else f"a {type(found).__name__}"
        do = f"it has {', '.join(known[:8])}" if known else "it has no functions"
        raise im.InputError(f"expected a function {name!r} in {where}, got {got}; {do}")
    return found  # type: ignore[no-any-return]  # whatever it is, it can be called


def _file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise im.InputError(f"expected a file of Python in front of the colon, got {path}, which is not there")
    module = importlib.util.module_from_spec(spec)
    # What stands beside it can be imported, as when it is run; and functions that are sent find their module.
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


def _module(name: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # as with python -m
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise  # something that it imports itself
        do = "write a file as path/train.py:step"
        raise im.InputError(f"expected a module of Python in front of the colon, got {name!r}; {do}") from None
    except ValueError:
        raise im.InputError(
            f"expected train.py:step or package.module:step, got {name!r} in front of a colon"
        ) from None
