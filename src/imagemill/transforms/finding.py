"""The transforms that the files of a folder define, found by looking; nobody keeps a list of them."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module

from imagemill.transforms.base import Transform

__all__ = ["transforms_in"]


def transforms_in(package: str, path: Iterable[str]) -> dict[str, type[Transform]]:
    """Import every module of a package; the public transforms they define, by name.

    Parameters
    ----------
    package : str
    path : iterable of str
        Its ``__path__``.
    """
    found: dict[str, type[Transform]] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(path, f"{package}.")):
        for value in vars(import_module(name)).values():
            public = isinstance(value, type) and issubclass(value, Transform) and not value.__name__.startswith("_")
            if public and value.__module__ == name:
                found[value.__name__] = value
    return dict(sorted(found.items()))
