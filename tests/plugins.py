"""Packages that are installed for one test: a module and its entry points, in a folder on the path."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest


def install(folder: Path, patch: pytest.MonkeyPatch, name: str, code: str, **groups: dict[str, str]) -> None:
    """Put a distribution ``name`` 1.0 with one module of the same name (``-`` as ``_``) on the path.

    Parameters
    ----------
    folder : Path
    patch : pytest.MonkeyPatch
        Takes it off again.
    name : str
    code : str
        Of the module.
    **groups
        By the name of a group of entry points: their names and what they point to.
    """
    module = name.replace("-", "_")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    lines = [f"[{group}]\n" + "".join(f"{a} = {b}\n" for a, b in points.items()) for group, points in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    (folder / f"{module}.py").write_text(code, "utf-8")
    patch.syspath_prepend(folder)
    patch.delitem(sys.modules, module, raising=False)
    importlib.invalidate_caches()
