"""The explorer: one page that draws a pipeline live in a browser, without a server and without the network.

The page's sources are the files in ``page``, as they are. They are put behind each other, the declarations of all
transforms in front of them, and the whole is one file that any browser opens.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from imagemill import Pipeline
from imagemill.core import hash_key
from imagemill.pages import style
from imagemill.pipeline import FORMAT
from imagemill.transforms import declared, nodes_of, tables

__all__ = ["Opened", "explorer_page"]

_SCRIPTS = (
    *("numbers", "keys", "matrices", "geometry", "colour", "drawing", "processor", "graphics"),
    *("annotations", "written", "controls", "photo", "view", "marking", "main"),
)
"""Files of the page, in the order in which they need each other."""

_MOVED = ("Normalize", "ToLayout")
"""Transforms that are not drawn and yet keep nothing apart: they are moved behind, or are no step at all."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The picture that a page opens with.

    Parameters
    ----------
    name : str
        As the pipeline file's user would give it to a command.
    key : str or int
        What draws belong to: copy 0, 1, 2 are those that ``imagemill augment`` makes under this key.
    data : bytes
        The file.
    kind : str
        Its media type, one that browsers read.
    boxes : sequence of (y0, x0, y1, x1)
        By their outer edges: the first pixel of the image reaches from 0 to 1.
    points : sequence of (y, x)
        The same way.
    """

    name: str
    key: str | int
    data: bytes
    kind: str
    boxes: Sequence[Sequence[float]] = ()
    points: Sequence[Sequence[float]] = ()

    def plain(self) -> dict[str, Any]:
        """As the page's script reads it."""
        number = hash_key(self.key)
        marks = [{"box": list(box)} for box in self.boxes] + [{"point": list(point)} for point in self.points]
        return {
            "name": self.name,
            "key": [number & 0xFFFFFFFF, number >> 32],
            "picture": f"data:{self.kind};base64,{base64.b64encode(self.data).decode()}",
            "marks": marks,
        }


def explorer_page(opened: Opened, pipeline: Pipeline) -> str:
    """The page as one HTML file.

    Parameters
    ----------
    opened : Opened
        The picture to begin with; others are opened in the page.
    pipeline : Pipeline
        What it is drawn through at first.

    Returns
    -------
    str
    """
    said = pipeline.to_dict()
    asked = {name: value for name, value in said.items() if name not in ("imagemill", "seed", "transforms")}
    begun = {**opened.plain(), "nodes": nodes_of(pipeline.transforms), "seed": said["seed"], "asked": asked}
    script = "\n".join(
        [
            '"use strict";',
            "(() => {",
            f"const DECLARED = {_json(declared())};",
            f"const TABLES = {_json({**tables(), 'noBarrier': _MOVED, 'format': FORMAT})};",
            f"const OPENED = {_json(begun)};",
            *(_source(f"{name}.js") for name in _SCRIPTS),
            "})();",
        ]
    )
    # A script of any other text does not run, and nothing may be loaded or sent: the photo cannot leave the page.
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return _filled(
        _source("page.html"),
        {"policy": policy, "style": style(whole=False) + "\n" + _source("page.css"), "script": script},
    )


@cache
def _source(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8").rstrip("\n")


def _filled(text: str, parts: Mapping[str, str]) -> str:
    """The page with its parts put in; what stands in one part is never taken for the place of another."""
    head, *rest = text.split("@")
    out = [head]
    for name, after in zip(rest[::2], rest[1::2], strict=True):
        out += [parts[name], after]
    return "".join(out)


def _json(value: Any) -> str:
    # Within a script the end of the script must not stand.
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).replace("</", "<\\/")
