"""Front doors of packages whose names are loaded when they are first used; the list of names is the stub beside."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["from_home", "front_door", "homes"]


def homes(package: str) -> dict[str, str]:
    """The module that each name of a package comes from.

    Parameters
    ----------
    package : str
        One with a stub, whose lines are ``from module import name as name``.

    Examples
    --------
    >>> homes("imagemill.core")["require"]
    'imagemill.core.extras'
    """
    stub = pkgutil.get_data(package, "__init__.pyi") or b""
    lines = [line.split() for line in stub.decode("utf-8").splitlines() if line.startswith("from ")]
    return {line[3]: line[1] for line in lines}


def from_home(package: str, name: str, home: str) -> Any:
    """A name of a package out of the module it comes from; the package has it from now on."""
    value = getattr(importlib.import_module(home), name)
    setattr(sys.modules[package], name, value)
    return value


def front_door(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package that loads its names when they are used.

    Parameters
    ----------
    package : str
        ``__name__`` there; beside the file lies a stub.

    Returns
    -------
    asked : callable
    names : callable
    listed : list of str
    """
    home = homes(package)

    def asked(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        return from_home(package, name, home[name])

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home})

    return asked, names, sorted(home)
