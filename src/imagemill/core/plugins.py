"""What installed packages add to imagemill, by their entry points: looked up by name, loaded when it is asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from imagemill.core.errors import ParameterError

__all__ = ["Plugin", "plugins"]


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point of an installed package.

    Parameters
    ----------
    name : str
        What stands before the ``=``.
    package : str
        Name and version of the distribution.
    point : importlib.metadata.EntryPoint
    """

    name: str
    package: str
    point: metadata.EntryPoint

    def load(self) -> Any:
        """Import what it names.

        Raises
        ------
        ParameterError
            Whatever goes wrong on the way, with the package's name.
        """
        try:
            return self.point.load()
        except Exception as error:
            raise ParameterError(
                f"expected {self.name!r} of the package {self.package} to load, got {type(error).__name__}: {error}; "
                "update the package, or uninstall it"
            ) from error


def plugins(group: str) -> tuple[Plugin, ...]:
    """The entry points of a group, in the order of names and packages; looked for once for each `sys.path`."""
    return _plugins(group, tuple(sys.path))


@cache
def _plugins(group: str, _: tuple[str, ...]) -> tuple[Plugin, ...]:
    found = []
    for point in metadata.entry_points(group=group):
        of = point.dist
        found.append(Plugin(point.name, "" if of is None else f"{of.name} {of.version}", point))
    return tuple(sorted(found, key=lambda one: (one.name, one.package)))
