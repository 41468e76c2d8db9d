"""What installed packages add to imagemill, by their entry points: looked up by name, loaded when it is asked for."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from imagemill.core.errors import ParameterError

if TYPE_CHECKING:
    from importlib import metadata

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
def _plugins(group: str, paths: tuple[str, ...]) -> tuple[Plugin, ...]:
    if not any(_may_declare(group, path or os.curdir) for path in paths) and not _other_finders():
        return ()
    from importlib import metadata  # reads e-mail's headers, with all that belongs to them

    found = []
    for point in metadata.entry_points(group=group):
        of = point.dist
        found.append(Plugin(point.name, "" if of is None else f"{of.name} {of.version}", point))
    return tuple(sorted(found, key=lambda one: (one.name, one.package)))


def _may_declare(group: str, path: str) -> bool:
    """Whether a folder of packages may have one with entry points of a group; archives are not looked into."""
    if path.lower().endswith(".egg"):
        return True
    wanted = f"[{group}]".encode()
    try:
        names = os.listdir(path)
    except NotADirectoryError:
        return True
    except OSError:
        return False  # a folder that is not there
    for name in names:
        if name.lower().endswith((".dist-info", ".egg-info")):
            try:
                with open(os.path.join(path, name, "entry_points.txt"), "rb") as file:
                    if wanted in file.read():
                        return True
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                return True
    return False


def _other_finders() -> bool:
    """Whether packages may lie elsewhere than in folders of `sys.path`."""
    from importlib.machinery import PathFinder

    return any(hasattr(one, "find_distributions") and one is not PathFinder for one in sys.meta_path)
