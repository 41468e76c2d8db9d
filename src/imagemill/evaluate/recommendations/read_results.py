"""What another verb found, as it is held: its result, the folder or file it wrote, or a mapping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError

__all__ = ["read_results"]


def read_results(given: Any, name: str, *, written: str, held: str) -> Mapping[str, Any]:
    """Plain values of a result.

    Parameters
    ----------
    given : mapping, Path, str, or a result with ``to_dict()``
    name : str
        Of the file in its folder.
    written, held : str
        What is expected of a file, and of anything else, in words for errors.

    Raises
    ------
    InputError
        When it cannot be read, or is none of these.

    Examples
    --------
    >>> read_results({"rotate": (-20, 25)}, "results.json", written="a profile", held="a profile")
    {'rotate': (-20, 25)}
    """
    if isinstance(given, str | Path):
        path = Path(given)
        path = path / name if path.is_dir() else path
        try:
            given = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"expected {written}, got {path}: {error}") from error
    if hasattr(given, "to_dict"):
        given = given.to_dict()
    if not isinstance(given, Mapping):
        raise InputError(f"expected {held}, got {type(given).__name__}")
    return given
