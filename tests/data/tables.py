"""Small pictures, the tables that name them, and what was read, in plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagemill.data.layouts.base import Source
from tests.data.pictures import photo

ABCD = ("a.png", "b.png", "c.png", "d.png")
HEIGHT, WIDTH = 20, 30
KINDS = ("cat", "dog", "cat", "dog")


def small_photos(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        photo(root / name, number, (HEIGHT, WIDTH, 3))
    return root


def written(root: Path, text: str, name: str = "labels.csv", encoding: str = "utf-8") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def labels_of(source: Source) -> dict[str, str | None]:
    return {record.key: record.label for record in source}


def boxes_of(source: Source) -> dict[str, list[tuple[str, Any]] | None]:
    return {
        record.key: None if record.objects is None else [(thing.category, thing.box) for thing in record.objects]
        for record in source
    }


RIGHT = dict(zip(ABCD, KINDS, strict=True))
