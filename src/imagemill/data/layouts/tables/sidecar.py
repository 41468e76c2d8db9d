"""What is known of a whole set besides its rows, and the small file that keeps it beside a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Source

__all__ = ["SIDECAR", "Sidecar", "read_sidecar", "sidecar_of", "sidecar_plain"]

SIDECAR = "source.json"
"""Name of the file."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a source knows of all records together; the fields are those of `Source`."""

    classes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    keypoint_names: tuple[str, ...] = ()
    links: tuple[tuple[int, int], ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def sidecar_plain(source: Source) -> dict[str, Any]:
    """The plain values of a source's own fields; empty where there is nothing to say.

    Examples
    --------
    >>> sidecar_plain(Source(Path("d"), "csv", (), classes=("cat",)))
    {'imagemill': 1, 'classes': ['cat']}
    """
    plain: dict[str, Any] = {
        "classes": list(source.classes),
        "categories": list(source.categories),
        "joint_names": list(source.keypoint_names),
        "links": [list(pair) for pair in source.links],
        "info": dict(source.info),
    }
    plain = {key: value for key, value in plain.items() if value}
    return {"imagemill": 1, **plain} if plain else {}


def sidecar_of(plain: Any, name: str) -> Sidecar:
    """Read the plain values back.

    Raises
    ------
    SourceError
        When they are of another form.
    """
    try:
        classes, categories, keypoint_names = (
            tuple(map(str, plain.get(key, ()))) for key in ("classes", "categories", "joint_names")
        )
        links = tuple((int(a), int(b)) for a, b in plain.get("links", ()))
        info = dict(plain.get("info", {}))
        if plain["imagemill"] != 1:
            raise ValueError(f"version {plain['imagemill']!r}")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"expected a description of a source in {name}, got {error!s}"
        raise SourceError(f"{msg}; remove the file, or export again") from error
    return Sidecar(classes, categories, keypoint_names, links, info)


def read_sidecar(folder: Path) -> Sidecar:
    """Read the file beside a table; a file of that name from elsewhere is left alone.

    Raises
    ------
    SourceError
        When it is ours and damaged.
    """
    path = folder / SIDECAR
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Sidecar()
    except (OSError, ValueError, RecursionError) as error:
        return Sidecar(notes=(f"{SIDECAR} could not be read and was passed over: {error}",))
    if not isinstance(plain, dict) or "imagemill" not in plain:
        return Sidecar()
    return sidecar_of(plain, str(path))
