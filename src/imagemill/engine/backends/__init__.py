"""The backends that run plans: two of imagemill, those of installed packages by name, and any object that is one."""

from __future__ import annotations

import inspect
from typing import Any

from imagemill.core.errors import ParameterError
from imagemill.core.plugins import plugins
from imagemill.engine.backends.finite_first import Finite
from imagemill.engine.backends.protocol import Backend

__all__ = ["GROUP", "Backend", "as_given", "get_backend"]

GROUP = "imagemill.backends"
"""Entry points by which packages add backends: the name is the backend's, the object a class or a backend."""

_OWN = ("cpu", "reference")
_METHODS = {
    "image": ("step", "row", "src", "out"),
    "images": ("step", "rows", "src", "out"),
    "labels": ("step", "row", "src", "out"),
    "kernels": ("step", "row", "in_shape", "dtype", "channels"),
}
"""What a backend has to do, and how it is called."""


def get_backend(backend: str | Backend) -> Backend:
    """A backend by its name, or the one that is given; in front of each goes the rule for NaN and infinities.

    Parameters
    ----------
    backend : str or Backend
        ``"cpu"``, ``"reference"``, the name of an entry point ``imagemill.backends`` of an installed package, or an
        object with the methods of :class:`~imagemill.engine.backends.protocol.Backend`. Names are imported when asked
        for.

    Raises
    ------
    ParameterError
        When there is no backend of the name, its package is broken, or the object lacks something.

    Examples
    --------
    >>> get_backend("reference").name
    'reference'
    >>> get_backend(get_backend("cpu")).name
    'cpu'
    """
    if isinstance(backend, Finite):
        return backend
    if not isinstance(backend, str):
        checked = _checked(backend, "an object")
        if checked.name in (*_OWN, *_installed()):
            raise ParameterError(
                f"expected a backend with a name of its own, got {type(backend).__name__} called {checked.name!r}, "
                "which is another one's; give it another name"
            )
        return Finite(checked)
    if backend == "cpu":
        from imagemill.engine.backends.cpu.backend import Cpu

        return Finite(Cpu())
    if backend == "reference":
        from imagemill.engine.backends.float64 import Reference

        return Finite(Reference())
    return Finite(_of_package(backend), named=True)


def as_given(backend: Backend) -> str | Backend:
    """What `get_backend` makes a backend of again, here and in other processes: its name, or else the object.

    Examples
    --------
    >>> as_given(get_backend("cpu"))
    'cpu'
    """
    if isinstance(backend, Finite) and not (backend.named or backend.name in _OWN):
        return backend.behind
    return backend.name


def _installed() -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.name for one in plugins(GROUP)))


def _of_package(name: str) -> Backend:
    found = [one for one in plugins(GROUP) if one.name == name]
    if not found:
        known = ", ".join(map(repr, (*_OWN, *_installed())))
        raise ParameterError(
            f"expected a backend of {known}, got {name!r}; choose one of these, install the package that has it, or "
            "give the backend itself"
        )
    if len(found) > 1:
        packages = " and ".join(one.package for one in found)
        raise ParameterError(f"expected one backend called {name!r}, got one of {packages}; uninstall one of them")
    (one,) = found
    loaded = one.load()
    if inspect.isclass(loaded):
        try:
            loaded = loaded()
        except Exception as error:
            raise ParameterError(
                f"expected {loaded.__name__}() of the package {one.package} to make a backend, got "
                f"{type(error).__name__}: {error}; update the package, or uninstall it"
            ) from error
    checked = _checked(loaded, f"the package {one.package}")
    if checked.name != name:
        raise ParameterError(
            f"expected a backend called {name!r} of the package {one.package}, got one called {checked.name!r}; "
            "its entry point has to have the backend's name"
        )
    return checked


def _checked(backend: Any, of: str) -> Backend:
    """Refuse what could not run a plan, before it is asked to."""
    what = backend.__name__ if inspect.isclass(backend) else type(backend).__name__
    if inspect.isclass(backend):
        raise ParameterError(f"expected a backend, got the class {what}; write {what}()")
    name = getattr(backend, "name", None)
    if not isinstance(name, str) or not name:
        raise ParameterError(f"expected a backend with a name, got {what} of {of} with name {name!r}; add name = '...'")
    missing = [method for method in _METHODS if not callable(getattr(backend, method, None))]
    if missing:
        raise ParameterError(
            f"expected a backend with the methods {', '.join(_METHODS)}, got {what} of {of} without "
            f"{', '.join(missing)}; see imagemill.engine.backends.protocol"
        )
    for method, arguments in _METHODS.items():
        try:
            inspect.signature(getattr(backend, method)).bind(*arguments)
        except TypeError as error:
            raise ParameterError(
                f"expected {what}.{method}({', '.join(arguments)}), got {error}; see imagemill.engine.backends.protocol"
            ) from error
        except ValueError:
            continue  # compiled functions tell no signature
    checked: Backend = backend
    return checked
