"""Layouts from outside: those that a program adds, and those of installed packages.

Every layout is asked about every path, so packages are loaded when the first path is looked at. One that cannot be
loaded is named in a warning, once, and in an error where its layout is asked for by name; the others are asked all the
same.
"""

from __future__ import annotations

import inspect
import re
import threading
import warnings
from collections.abc import Collection, Sequence
from inspect import isclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import ImagemillError, InputError, ParameterError, SourceError
from imagemill.core.plugins import Plugin, plugins
from imagemill.data.codecs.error_guard import cause
from imagemill.data.layouts.base import CAN_HOLD, Guess, Layout, Look, ReadSource, Source, WriteTarget, Written

__all__ = ["GROUP", "OUTSIDE", "Careful", "Outside", "check_fit"]

GROUP = "imagemill.layouts"
"""Entry points by which packages add layouts: the name is the layout's, the object a layout or its class."""

_METHODS = {"guess": ("look",), "read": ("look", "options"), "write": ("source", "out", "options")}
_SEE = "derive it from imagemill.data.Layout"


class Careful(Layout):
    """A layout from outside: what it raises becomes our own error, and where it guesses, a warning and no guess.

    A guess is asked about every path, and must not keep it from being read by others.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout, self.name, self.title, self.holds = layout, layout.name, layout.title, layout.holds
        self.place, self.writes = layout.place, layout.writes
        self.recognised, self.written = layout.recognised, layout.written
        self._told = False

    def guess(self, look: Look) -> Guess | None:
        try:
            found = self.layout.guess(look)
            if found is not None and not isinstance(found, Guess):
                raise TypeError(f"{type(found).__name__} in place of a Guess")
            return found
        except Exception as error:
            if not self._told:
                self._told = True
                msg = f"expected the layout {self.name!r} to say whether {look.path} is its own, got {cause(error)}"
                warnings.warn(f"{msg}; it is left out of the guess", stacklevel=2)
            return None

    def read(self, look: Look, options: ReadSource) -> Source:
        try:
            found = self.layout.read(look, options)
            if not isinstance(found, Source):
                raise TypeError(f"{type(found).__name__} in place of a Source")
            return found
        except ImagemillError:
            raise
        except Exception as error:
            msg = f"{look.path}: expected a dataset in the layout {self.name!r}, got {cause(error)}"
            raise SourceError(f"{msg}; choose another with layout=...") from error

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        try:
            made = self.layout.write(source, out, options)
            if not isinstance(made, Written):
                raise TypeError(f"{type(made).__name__} in place of a Written")
            return made
        except ImagemillError:
            raise
        except Exception as error:
            msg = f"{out}: expected a dataset that the layout {self.name!r} can write, got {cause(error)}"
            raise SourceError(f"{msg}; choose another layout") from error


def check_fit(layout: Any, taken: Collection[str] = (), of: str = "") -> Layout:
    """Give a layout back that has a name, a title and methods as `Layout` says.

    Raises
    ------
    InputError
        Naming what is wrong.

    Examples
    --------
    >>> check_fit(object())
    Traceback (most recent call last):
    imagemill.core.errors.InputError: expected a layout with a name like 'my-layout', got object with name None; ...
    """
    who = f"{type(layout).__name__}{of}"
    name = getattr(layout, "name", None)
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise InputError(f"expected a layout with a name like 'my-layout', got {who} with name {name!r}; {_SEE}")
    if name in taken:
        raise InputError(f"expected a layout with a name of its own, got {who} called {name!r}; add a word to it")
    title = getattr(layout, "title", None)
    if not isinstance(title, str) or not title:
        raise InputError(f"expected a layout with a title for people, got {who} with {title!r}; say what it is")
    holds = getattr(layout, "holds", None)
    if not isinstance(holds, frozenset) or not holds <= set(CAN_HOLD):
        words = ", ".join(CAN_HOLD)
        raise InputError(f"expected {who} with holds as a frozenset of {words}, got {holds!r}; name what it can carry")
    names = (*_METHODS, "place", "writes", "recognised", "written")
    missing = [
        each
        for each in names
        if not hasattr(layout, each) or (each in _METHODS and not callable(getattr(layout, each)))
    ]
    if missing:
        raise InputError(f"expected a layout with {', '.join(names)}, got {who} without {', '.join(missing)}; {_SEE}")
    for method, arguments in _METHODS.items():
        try:
            inspect.signature(getattr(layout, method)).bind(*arguments)
        except TypeError as error:
            raise InputError(f"expected {who} with {method}({', '.join(arguments)}), got {error}; {_SEE}") from error
    checked: Layout = layout
    return checked


class Outside:
    """Layouts by their names."""

    def __init__(self) -> None:
        self._added: dict[str, Layout] = {}
        self._own: frozenset[str] = frozenset()
        self._plugins: tuple[Plugin, ...] | None = None
        self._installed: dict[str, Layout] = {}
        self._faults: dict[str, str] = {}
        self._told: set[str] = set()
        self._lock = threading.RLock()

    def add(self, layout: Layout, own: Collection[str]) -> None:
        """Add a layout of the program; one of the same name that it added before goes.

        Raises
        ------
        InputError
            When it lacks something, or another layout has its name.
        """
        if isclass(layout):
            raise InputError(f"expected a layout, got the class {layout.__name__}; write {layout.__name__}()")
        self._read()
        check_fit(layout, {*own, *self._installed, *self._faults})
        with self._lock:
            self._added[layout.name] = Careful(layout)

    def drop(self, name: str) -> None:
        """Take out a layout that was added."""
        with self._lock:
            self._added.pop(name, None)

    def layouts(self) -> tuple[Layout, ...]:
        """All that could be loaded; of the others is warned once."""
        self._read()
        for fault in self._faults.values():
            if fault not in self._told:
                self._told.add(fault)
                warnings.warn(fault, stacklevel=3)
        return (*self._installed.values(), *self._added.values())

    def names(self) -> tuple[str, ...]:
        """All names, also those of packages that cannot be loaded."""
        self._read()
        return (*self._installed, *self._faults, *self._added)

    def named(self, name: str) -> Layout | None:
        """The layout of a name, or None.

        Raises
        ------
        SourceError
            When the package that has it is broken.
        """
        self._read()
        if name in self._faults and name not in self._added:
            raise SourceError(self._faults[name])
        return self._added.get(name) or self._installed.get(name)

    def _read(self) -> None:
        """Load what packages have, once."""
        found = plugins(GROUP)
        if found is self._plugins:
            return
        with self._lock:
            from imagemill.data.layouts.registry import own_layouts  # which is made of modules that need this one

            self._installed, self._faults = {}, {}
            own = {layout.name for layout in own_layouts()}
            for plugin in found:
                self._take(plugin, own, [other for other in found if other.name == plugin.name])
            self._plugins = found

    def _take(self, plugin: Plugin, own: Collection[str], clashing: Sequence[Plugin]) -> None:
        try:
            if len(clashing) > 1:
                *some, last = (other.package for other in clashing)
                raise InputError(
                    f"expected one layout called {plugin.name!r}, got those of the packages {', '.join(some)} and "
                    f"{last}; uninstall all but one"
                )
            self._installed[plugin.name] = Careful(_loaded(plugin, own))
        except (InputError, ParameterError) as error:
            self._faults[plugin.name] = str(error)


def _loaded(plugin: Plugin, own: Collection[str]) -> Layout:
    layout = plugin.load()
    if isclass(layout):
        try:
            layout = layout()
        except Exception as error:
            raise InputError(
                f"expected {plugin.point.value}() of the package {plugin.package} to make a layout, got "
                f"{cause(error)}; update the package, or uninstall it"
            ) from error
    checked = check_fit(layout, own, f" of the package {plugin.package}")
    if checked.name != plugin.name:
        raise InputError(
            f"expected a layout called {plugin.name!r} of the package {plugin.package}, got {checked.name!r}; its "
            "entry point has to have the layout's name"
        )
    return checked


OUTSIDE = Outside()
"""The layouts of this process that are not imagemill's own."""
