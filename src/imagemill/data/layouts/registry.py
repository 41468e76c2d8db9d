"""All layouts, and finding out which one a path has."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys
from functools import cache
from itertools import chain
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.core.near_paths import near_path
from imagemill.data.layouts.augment_files import without_own
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource
from imagemill.data.layouts.labelmaps.labelmaps import label_maps, with_classes, without
from imagemill.data.layouts.outside import OUTSIDE
from imagemill.data.layouts.path_patterns import files_like, is_pattern
from imagemill.data.layouts.walk import walk
from imagemill.data.remote.remote_path import as_path, common_folder

__all__ = [
    "TAKES_ALL",
    "guesses",
    "known_layouts",
    "layout_named",
    "look_at",
    "own_layouts",
    "register_layout",
]

TAKES_ALL = frozenset(("folder", "class-folders", "split-folders", "class-tree"))
"""Layouts that take every picture of a folder for an image."""

_PLAIN = ReadSource()


@cache
def own_layouts() -> tuple[Layout, ...]:
    """The layouts of imagemill: all that the modules below this package list as ``LAYOUTS``, by their `place`.

    Loaded when a path is looked at, not before; all but one of the modules are needed by some layout anyway.
    """
    root = sys.modules[__package__]
    modules = pkgutil.walk_packages(root.__path__, f"{root.__name__}.")
    listed = [getattr(importlib.import_module(module.name), "LAYOUTS", ()) for module in modules]
    return tuple(sorted(chain(*listed), key=lambda layout: (layout.place, layout.name)))


def known_layouts() -> tuple[Layout, ...]:
    """Every layout, in the order of the documentation's table; those from outside last."""
    return (*own_layouts(), *OUTSIDE.layouts())


def layout_named(name: str) -> Layout:
    """The layout of a name.

    Raises
    ------
    SourceError
        When there is none; the message lists the names. Or when the package that has it is broken.
    """
    for layout in own_layouts():
        if layout.name == name:
            return layout
    if (found := OUTSIDE.named(name)) is not None:
        return found
    known = ", ".join([*(layout.name for layout in own_layouts()), *OUTSIDE.names()])
    near = difflib.get_close_matches(str(name).lower(), known.split(", "), n=1)
    hint = f"did you mean {near[0]!r}? There are {known}" if near else f"choose one of {known}"
    raise SourceError(f"expected the name of a layout, got {name!r}; {hint}")


def register_layout(layout: Layout) -> None:
    """Add a layout to this process: folders and files are recognised as it, and written where it can.

    Registering a layout of the same name again replaces it. Packages add layouts by entry points; see
    ``docs/how-to/write-a-layout.md``.

    Parameters
    ----------
    layout : Layout
        An object with what :class:`~imagemill.data.layouts.base.Layout` says.

    Raises
    ------
    InputError
        When something is missing, or another layout has its name.

    Examples
    --------
    >>> class Nothing(Layout):
    ...     name, title, holds = "nothing", "a folder that is called nothing", frozenset(("image",))
    ...
    ...     def guess(self, look):
    ...         return Guess(0.9, "it is called nothing") if look.path.name == "nothing" else None
    ...
    ...     def read(self, look, options):
    ...         return Source(look.path, self.name, ())
    >>> register_layout(Nothing())
    >>> known_layouts()[-1].title
    'a folder that is called nothing'
    >>> OUTSIDE.drop("nothing")
    """
    OUTSIDE.add(layout, {own.name for own in own_layouts()})


def look_at(path: Path | str) -> Look:
    """Take a first look at a path: list the files of a folder; what `augment` keeps there for itself is no part of it.

    A pattern (``train-{0000..0009}.tar``, ``train-*.tar``) is a folder that holds the files it stands for.

    Raises
    ------
    SourceError
        When there is nothing at the path.
    """
    path = as_path(path)
    if path.is_dir():
        found = walk(path)
        return Look(path, without_own(path, found.files), found.skipped, found.empty)
    if not path.is_file() and is_pattern(path):
        files = files_like(path)
        root = common_folder([file.absolute().parent for file in files])
        return Look(root, tuple((file.absolute().relative_to(root).as_posix(), file.absolute()) for file in files))
    if not path.is_file():
        raise SourceError(f"expected a file or a folder, got {str(path)!r}, where there is nothing; {near_path(path)}")
    return Look(path, ((path.name, path),))


def guesses(look: Look, options: ReadSource = _PLAIN) -> list[tuple[Layout, Guess]]:
    """Every layout that the path may have, the surest first.

    Layouts that take every picture for an image are shown those that are no label maps.
    """
    maps = label_maps(look, options)
    plain = look if maps is None else without(look, maps)
    found = []
    for layout in known_layouts():
        guess = layout.guess(plain if layout.name in TAKES_ALL else look)
        if guess is not None and maps is not None and maps.found and layout.name in TAKES_ALL - {"folder"}:
            # Who takes the images has their label maps as well.
            why = f"{guess.why}; {len(maps.found)} have a label map {maps.why}"
            takes = None if guess.takes is None else guess.takes | maps.files
            told = (guess.carries or frozenset()) - ({"label"} if not with_classes(maps) else set())
            guess = Guess(guess.sure, why, takes, told | {"mask"})
        if guess is not None:
            found.append((layout, guess))
    return sorted(found, key=lambda pair: -pair[1].sure)
