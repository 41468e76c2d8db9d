"""The many ways in which JSON holds a table: rows, columns, files by class or part, classes by file."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.tables.columns.column_names import normal_split, role_of

__all__ = ["Parts", "parsed", "parts_of"]

Parts = list[tuple[str | None, list[Any]]]
"""Rows, each list with the part of the dataset that it is said to be."""

_LITERAL = 1 << 22
"""Longest text that is read as Python: its parser needs some hundred bytes for each byte."""


def parsed(text: str) -> tuple[Any, str]:
    r"""What a text holds: JSON, one JSON value per line, or what Python prints; and a note of it where it is not JSON.

    Raises
    ------
    ValueError
        When it is none of these; the error is the one of JSON.

    Examples
    --------
    >>> parsed("[{'image': 'a.png'}]")
    ([{'image': 'a.png'}], 'it is no JSON but what Python prints, with single quotes; it was read as that')
    >>> parsed('{"image": "a.png"}\n{"image": "b.png"}')[1]
    'it holds one JSON value per line'
    """
    try:
        return json.loads(text), ""
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and lines[0].lstrip()[:1] in ("{", "["):
            try:
                return [json.loads(line) for line in lines], "it holds one JSON value per line"
            except ValueError:
                pass
        start = text.lstrip()[:1]
        if start in ("{", "[", "(") and len(text) <= _LITERAL:
            try:
                note = "it is no JSON but what Python prints, with single quotes; it was read as that"
                return ast.literal_eval(text.strip()), note
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                pass
        raise error from None


def parts_of(content: Any) -> Parts | None:
    """The rows in a JSON value; None where it is no table.

    Raises
    ------
    ValueError
        For columns of different lengths.

    Examples
    --------
    >>> parts_of({"train": ["a.png"], "test": ["b.png"]})
    [('train', ['a.png']), ('test', ['b.png'])]
    >>> parts_of({"cat": ["a.png"], "dog": ["b.png"]})
    [(None, [{'file_name': 'a.png', 'label': 'cat'}, {'file_name': 'b.png', 'label': 'dog'}])]
    >>> parts_of({"path": ["a.png"], "label": ["cat"]})
    [(None, [{'path': 'a.png', 'label': 'cat'}])]
    """
    if isinstance(content, list):
        return [(None, content)]
    if not isinstance(content, dict) or not content:
        return None
    if (parts := _by_part(content)) is not None:
        return parts
    rows = _joined(content)
    for form in (_inside, _split_orient, _lists, _mappings, _scalars):
        if rows is None:
            rows = form(content)
    return None if rows is None else [(None, rows)]


def _by_part(content: Mapping[str, Any]) -> Parts | None:
    """``{"train": ..., "test": ...}``, each in any form."""
    named = {key: split for key in content if (split := normal_split(key)) is not None}
    whole = [key for key, value in content.items() if isinstance(value, list | dict) and key not in named]
    if not named or any(role_of(key) == "image" for key in whole):
        return None
    parts: Parts = []
    for key, split in named.items():
        found = parts_of(content[key])
        if found is None:
            return None
        parts += [(inner or split, rows) for inner, rows in found]
    return parts


def _joined(content: Mapping[str, Any]) -> list[Any] | None:
    """``{"images": [...], "annotations": [...]}``: what belongs to an image, by its number."""
    images, annotations = _objects(content.get("images")), _objects(content.get("annotations"))
    if not images or not annotations:
        return None
    if not all("id" in one for one in images) or not all("image_id" in one for one in annotations):
        return None
    by_id = {one["id"]: one for one in images}
    rows, seen = [], set()
    for one in annotations:
        image = by_id.get(one["image_id"])
        if image is not None:
            seen.add(one["image_id"])
            rest = {key: value for key, value in one.items() if key not in ("id", "image_id")}
            rows.append({**{key: value for key, value in image.items() if key != "id"}, **rest})
    return rows + [{k: v for k, v in one.items() if k != "id"} for one in images if one["id"] not in seen]


def _objects(value: Any) -> list[dict[str, Any]]:
    """A list of objects; empty for anything else."""
    return value if isinstance(value, list) and all(isinstance(one, dict) for one in value) else []


def _inside(content: Mapping[str, Any]) -> list[Any] | None:
    """One list of objects beside other things; several are lists of their classes."""
    found = {key: rows for key, value in content.items() if (rows := _objects(value))}
    if len(found) == 1:
        return next(iter(found.values()))
    if len(found) > 1 and len(found) == len(content):
        return [{"label": key, **row} for key, rows in found.items() for row in rows]
    return None


def _split_orient(content: Mapping[str, Any]) -> list[Any] | None:
    """``{"columns": [...], "data": [[...]]}``, as pandas writes it."""
    names, data = content.get("columns"), content.get("data")
    if not isinstance(names, list) or not isinstance(data, list) or not all(isinstance(row, list) for row in data):
        return None
    return [dict(zip(map(str, names), row, strict=False)) for row in data]


def _lists(content: Mapping[str, Any]) -> list[Any] | None:
    """Lists under names: columns, or the files of each class."""
    if not all(isinstance(value, list) for value in content.values()):
        return None
    roles = {role_of(key) for key in content} - {None}
    if "image" not in roles and all(map(_files, content.values())) and any(content.values()):
        return [{"file_name": name, "label": key} for key, names in content.items() for name in names]
    if all(is_readable_name(key) for key in content):
        return None
    if len({len(value) for value in content.values()}) != 1:
        counts = ", ".join(f"{key!r} {len(value)}" for key, value in list(content.items())[:6])
        raise ValueError(counts)
    return [dict(zip(content, row, strict=True)) for row in zip(*content.values(), strict=True)]


def _files(names: Sequence[Any]) -> bool:
    texts = [name for name in names if isinstance(name, str)]
    return len(texts) == len(names) and sum(map(is_readable_name, texts)) * 2 >= len(texts)


def _mappings(content: Mapping[str, Any]) -> list[Any] | None:
    """Mappings under names: what is said of each file, columns by row number, or files by class."""
    if not all(isinstance(value, dict) for value in content.values()):
        return None
    first = next(iter(content.values()))
    if (
        first
        and all(key.isdecimal() for key in first)
        and all(value.keys() == first.keys() for value in content.values())
    ):
        return [{name: column[row] for name, column in content.items()} for row in first]
    if not any(map(is_readable_name, content)) and all(
        value and all(map(is_readable_name, value)) for value in content.values()
    ):
        return [
            {"file_name": name, "label": key, **(said if isinstance(said, dict) else {"value": said})}
            for key, files in content.items()
            for name, said in files.items()
        ]
    return [{"file_name": key, **value} for key, value in content.items()]


def _scalars(content: Mapping[str, Any]) -> list[Any] | None:
    """Classes by file, or one file by class."""
    values = list(content.values())
    if not all(isinstance(value, str | int | list) for value in values):
        return None
    if not any(map(is_readable_name, content)) and all(isinstance(v, str) and is_readable_name(v) for v in values):
        return [{"file_name": value, "label": key} for key, value in content.items()]
    if not all(map(is_readable_name, content)) and len(content) < 2:
        return None
    return [{"file_name": key, ("labels" if isinstance(v, list) else "label"): v} for key, v in content.items()]
