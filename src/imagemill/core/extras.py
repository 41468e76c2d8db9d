"""Optional packages, each imported in one leaf of the tree through :func:`require`."""

from __future__ import annotations

import importlib
from typing import Any

from imagemill.core.errors import MissingExtra


def require(module: str, *, extra: str) -> Any:
    """Import an optional module, or say which extra brings it.

    Parameters
    ----------
    module : str
        Dotted name, such as ``"nibabel"``.
    extra : str
        The extra of this package that installs it, such as ``"medical"``.

    Raises
    ------
    MissingExtra
        When the module is not installed.

    Examples
    --------
    >>> require("math", extra="none").floor(2.5)
    2
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A module that is there but whose own import fails is a fault to show, not a missing extra.
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        msg = f"expected the package {module!r} to be installed, but it is not; do: pip install 'imagemill[{extra}]'"
        raise MissingExtra(msg, name=error.name) from None
