"""The whole table of a library's rules, which several modules fill."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType

from imagemill.compat.translate.rules.rule import Rules

__all__ = ["LIBRARIES", "table"]

LIBRARIES = ("albumentations", "torchvision", "monai", "torchio")
"""Libraries there are rules for, as their packages are called."""


@functools.cache
def table(library: str) -> Rules:
    """The rules of a library: those of every module of this folder that begins with its name.

    Examples
    --------
    >>> "RandFlip" in table("monai").by_name, "HorizontalFlip" in table("albumentations").by_name
    (True, True)
    """
    room = __name__.rpartition(".")[0]
    read: dict[str, ModuleType] = {}
    for found in pkgutil.iter_modules(importlib.import_module(room).__path__):
        if found.name.partition("_")[0] == library:
            read[found.name] = importlib.import_module(f"{room}.{found.name}")
    rules: Rules = read[library].RULES
    return rules
