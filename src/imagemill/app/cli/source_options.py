"""What several verbs are told about a source: its channels, what to do with bad files, ``--option name=value``."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from imagemill import InputError

__all__ = ["OPTIONS_HELP", "Channels", "MaskPattern", "On", "OnError", "source_options"]


class OnError(StrEnum):
    """What to do with a file that cannot be used."""

    RAISE = "raise"
    SKIP = "skip"
    QUARANTINE = "quarantine"


class Channels(StrEnum):
    """How to read colours."""

    KEEP = "keep"
    GRAY = "gray"
    RGB = "rgb"
    RGBA = "rgba"


MaskPattern = Annotated[
    str | None,
    typer.Option(
        "--mask-pattern", metavar="REGEX=>KEY", help=r"Where label maps are, such as 'a/(.*)\.jpg=>b/\1_m.png'."
    ),
]
"""The option of that name, which every verb that opens a source has."""

On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="threads|processes|ray|ray://HOST:PORT|daft",
        help="What the workers are; ray starts and ends a cluster of this machine.",
    ),
]
"""The option of that name, which every verb has that works on many records."""

OPTIONS_HELP = (
    "More about the source; may be repeated: column.ROLE=NAME (which column is image, label, split, group, mask...), "
    "map.NAME=DIR (numbers over the images, such as depth), view.NAME=DIR (further images, such as t2), images=DIR "
    "(where a table's images are), separator=CHAR, encoding=latin-1, labels_separator=CHAR, masks=KIND or none, "
    "colours=FILE (of label maps), outside=yes, urls=yes, private=yes, cache=DIR, frame=stored|shown (the picture "
    "that annotations are meant on, of photos that EXIF turns), rescale=yes, or a word of its layout."
)

_SWITCHES = ("outside", "urls", "private", "rescale")
_TEXTS = ("frame", "separator", "encoding", "labels_separator", "mask_pattern")
_FOLDERS = ("cache", "images")
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def source_options(given: Sequence[str] | None, mask_pattern: str | None = None) -> dict[str, Any]:
    r"""Keyword arguments for `open_source` from ``name=value`` words.

    Parameters
    ----------
    given : sequence of str or None
    mask_pattern : str or None
        Of its own option, which counts before a word of that name.

    Raises
    ------
    InputError
        For a word without ``=``, or a switch that is neither yes nor no.

    Examples
    --------
    >>> source_options(["column.label=species", "urls=yes", "labels=yolo_polygons"])
    {'columns': {'label': 'species'}, 'urls': True, 'extra': {'labels': 'yolo_polygons'}}
    >>> source_options(["map.depth=depth", "view.t2=/scans/t2"])
    {'maps': {'depth': 'depth'}, 'views': {'t2': '/scans/t2'}}
    """
    columns: dict[str, str] = {}
    extra: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for word in given or ():
        name, equals, value = word.partition("=")
        name = name.strip()
        if not equals or not name:
            raise InputError(f"expected --option NAME=VALUE, got {word!r}; write, say, --option column.label=species")
        if name.startswith("column."):
            columns[name.removeprefix("column.")] = value
        elif name.startswith(("map.", "view.")):
            kind, _, target = name.partition(".")
            found.setdefault(f"{kind}s", {})[target] = value
        elif name in _SWITCHES:
            if value.lower() not in _YES:
                raise InputError(f"expected --option {name}=yes or no, got {value!r}")
            found[name] = _YES[value.lower()]
        elif name in _TEXTS:
            found[name] = value
        elif name in _FOLDERS:
            found[name] = Path(value)
        else:
            extra[name] = _YES.get(value.lower(), value) if value.lower() in ("true", "false") else value
    if mask_pattern is not None:
        found["mask_pattern"] = mask_pattern
    return ({"columns": columns} if columns else {}) | found | ({"extra": extra} if extra else {})
