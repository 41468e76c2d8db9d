"""Transforms by the names that pipeline files use: imagemill's, those a program defines, and those of packages."""

from __future__ import annotations

from functools import cache

from imagemill.core.errors import ParameterError
from imagemill.core.plugins import Plugin, plugins
from imagemill.transforms.base import REGISTRY, Transform

__all__ = ["GROUP", "find", "names"]

GROUP = "imagemill.transforms"
"""The group of entry points that packages use: ``Fog = "their_package:Fog"``."""


def names() -> list[str]:
    """All names, without loading any package."""
    return sorted({*REGISTRY, *(one.name for one in plugins(GROUP))})


def find(name: str) -> type[Transform] | None:
    """The transform of a name; None where there is none.

    Raises
    ------
    ParameterError
        For a package's transform: when it does not load, is none, or when its name is taken.
    """
    offered = [one for one in plugins(GROUP) if one.name == name]
    if not offered:
        return REGISTRY.get(name)
    if len(offered) > 1:
        who = " and ".join(one.package for one in offered)
        raise ParameterError(f"expected one transform {name!r}, got one of each of {who}; uninstall all but one")
    ours = REGISTRY.get(name)
    if ours is not None and ours.__module__.startswith("imagemill."):
        raise ParameterError(
            f"expected a name that imagemill does not use, got {name!r} of the package {offered[0].package}; "
            "update the package, or uninstall it"
        )
    return _loaded(offered[0])


@cache
def _loaded(plugin: Plugin) -> type[Transform]:
    made = plugin.load()
    if not (isinstance(made, type) and issubclass(made, Transform)):
        wrong = f"expected {plugin.name!r} of the package {plugin.package} to be a class of transforms, got {made!r}"
        raise ParameterError(f"{wrong}; derive it from imagemill.Transform")
    if made.__name__ != plugin.name:
        raise ParameterError(
            f"expected the entry point of {made.__name__} in {plugin.package} to have its name, got {plugin.name!r}; "
            f"write {made.__name__} before the ="
        )
    return made
