"""What was probably meant by a path where there is nothing."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

__all__ = ["near_path"]

_MOST, _ALIKE = 2_000, 0.6


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio()


def near_path(path: str | os.PathLike[str], otherwise: str = "check the path") -> str:
    """What to do about a path where there is nothing: the name beside it that it resembles, or what is missing.

    Parameters
    ----------
    path : str or path-like
    otherwise : str
        What to say where nothing resembles it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "labels").mkdir()
    ...     near_path(Path(folder) / "lables").replace(folder, "data")
    "did you mean 'data/labels'?"
    """
    asked = path if isinstance(path, Path) else Path(path)  # a path elsewhere stays one
    try:
        above = next(one for one in asked.parents if one.is_dir())
        beside = [entry.name for entry, _ in zip(os.scandir(above), range(_MOST), strict=False)]
    except (OSError, StopIteration):
        return otherwise
    missing = asked.relative_to(above).parts[0]
    # A suffix in common says nothing of a name.
    alike = [name for name in beside if _likeness(Path(missing).stem, Path(name).stem) >= _ALIKE]
    spelt = {name.lower(): name for name in alike}
    near = difflib.get_close_matches(missing.lower(), spelt, n=1)
    if near:
        return f"did you mean {str(above / spelt[near[0]] / Path(*asked.relative_to(above).parts[1:]))!r}?"
    if above != asked.parent:
        return f"{otherwise}: there is no {missing!r} in {str(above)!r}"
    return otherwise
