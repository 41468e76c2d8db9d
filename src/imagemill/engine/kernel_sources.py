"""What a kernel is made of: its file, and every file of the package that this one imports, directly or not.

Numba keeps machine code by the kernel's own file. A part in another file changes, and what was kept is the old kernel:
after an update it computes what it did before, or reads arguments that are no longer there.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

__all__ = ["digest_of"]

_ROOT = Path(__file__).parents[2]
_IMPORT = re.compile(r"^[ \t]*from (imagemill[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_WHOLE = re.compile(r"^[ \t]*import (imagemill[\w.]*)", re.MULTILINE)


@cache
def _read(path: Path) -> tuple[bytes, tuple[Path, ...]]:
    """A digest of a file, and the files of the package that it imports."""
    content = path.read_bytes()
    text = content.decode("utf-8")
    found = [*_WHOLE.findall(text)]
    for module, names in _IMPORT.findall(text):
        # A name may be a module of its own. What is none has no file, and counts with the file that it is taken from.
        found += [module, *(f"{module}.{name}" for name in re.findall(r"\w+", names.partition("#")[0]))]
    files = (_file(name) for name in found)
    return hashlib.sha256(content).digest(), tuple(file for file in files if file is not None)


@cache
def _file(module: str) -> Path | None:
    """The file of a module of the package; None where that is the name of something else."""
    place = _ROOT.joinpath(*module.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None)


@cache
def digest_of(file: str) -> str:
    """A digest of a file and of all that it imports from the package.

    Parameters
    ----------
    file : str
        A source file, of the package or not.

    Returns
    -------
    str
        The same for the same contents, wherever the package lies.
    """
    start = Path(file)
    todo, reached = [start], {start}
    while todo:
        for path in _read(todo.pop())[1]:
            if path not in reached:
                reached.add(path)
                todo.append(path)
    whole = hashlib.sha256()
    for path in sorted(reached - {start}):
        whole.update(path.relative_to(_ROOT).as_posix().encode() + _read(path)[0])
    whole.update(_read(start)[0])
    return whole.hexdigest()
