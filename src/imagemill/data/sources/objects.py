"""Annotated things in a cell: boxes with categories in the forms tables use, and the one form that is written.

Written is a mapping of lists, as Hugging Face datasets have it: ``bbox`` (``[x, y, width, height]`` in pixels) and
``categories`` side by side, then only as needed ``polygons``, ``runs``, ``keypoints``, ``crowd``, ``attributes``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data.instances import Instance, Joint, RunLength, Scalar
from imagemill.data.sources.cells import BadCell

__all__ = ["objects_cell", "read_objects"]

_BOXES = ("bbox", "bboxes", "box", "boxes")
_NAMES = ("categories", "category", "labels", "label", "classes", "class", "names", "name", "category_id")


def objects_cell(objects: Sequence[Instance]) -> dict[str, list[Any]]:
    """Turn annotated things into lists side by side.

    Examples
    --------
    >>> objects_cell([Instance("cat", (1.0, 2.0, 3.0, 4.0))])
    {'bbox': [[1.0, 2.0, 3.0, 4.0]], 'categories': ['cat']}
    """
    cell: dict[str, list[Any]] = {
        "bbox": [None if one.box is None else list(one.box) for one in objects],
        "categories": [one.category for one in objects],
    }
    if any(one.polygons for one in objects):
        cell["polygons"] = [[list(part) for part in one.polygons] for one in objects]
    if any(one.runs for one in objects):
        cell["runs"] = [one.runs and {"size": [one.runs.height, one.runs.width], "counts": [*one.runs.counts]}
                        for one in objects]  # fmt: skip
    if any(one.joints for one in objects):
        cell["keypoints"] = [[list(joint) for joint in one.joints] for one in objects]
    if any(one.crowd for one in objects):
        cell["crowd"] = [one.crowd for one in objects]
    if any(one.attributes for one in objects):
        # As text: the types differ from thing to thing, and the columns of a table do not allow that.
        cell["attributes"] = [json.dumps(dict(one.attributes), ensure_ascii=False) for one in objects]
    return cell


def read_objects(
    cell: Any, names: Any = None, categories: Sequence[str] = (), corners: bool = False
) -> tuple[Instance, ...] | None:
    """Read annotated things from a cell.

    Parameters
    ----------
    cell : object
        A mapping of lists, a list of mappings, a list of boxes, or one of these as JSON text.
    names : object
        A list of categories from a column beside it.
    categories : sequence of str
        Names of categories that are given as numbers.
    corners : bool
        Whether boxes are ``[left, top, right, bottom]`` and not ``[left, top, width, height]``.

    Returns
    -------
    tuple of Instance, or None
        None for an empty cell: nobody looked.

    Raises
    ------
    BadCell
        When it is none of these forms.

    Examples
    --------
    >>> read_objects([[1, 2, 3, 4]], ["cat"])[0].box
    (1.0, 2.0, 3.0, 4.0)
    """
    cell, names = _from_text(cell), _from_text(names)
    if cell is None:
        return None
    try:
        rows = _rows(cell, names)
        return tuple(_instance(row, categories, corners) for row in rows)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        got = str(error) if isinstance(error, InputError) else f"{str(cell)[:80]!r}"
        raise BadCell(f"expected boxes as [x, y, width, height] with categories, got {got}; mend the cell") from error


def _from_text(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    if not cell.strip():
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError) as error:
        raise BadCell(f"expected boxes as JSON text, got {cell[:60]!r}; mend the cell") from error


def _rows(cell: Any, names: Any) -> list[dict[str, Any]]:
    """Bring every form into one mapping per thing."""
    if isinstance(cell, Mapping):
        lists = {key: value for key, value in cell.items() if isinstance(value, list | tuple)}
        if not lists:
            return [dict(cell)]
        lengths = {len(value) for value in lists.values()}
        if len(lengths) != 1:
            raise ValueError("lists of different lengths")
        return [{key: value[n] for key, value in lists.items()} for n in range(lengths.pop())]
    if not isinstance(cell, list | tuple):
        raise TypeError("no list")
    if len(cell) == 4 and all(isinstance(value, int | float) for value in cell):
        cell = [cell]  # one box
    if cell and isinstance(cell[0], Mapping):
        return [dict(one) for one in cell]
    given = list(names) if isinstance(names, list | tuple) else [names] * len(cell)
    if len(given) != len(cell):
        raise ValueError(f"{len(cell)} boxes and {len(given)} categories")
    return [{"bbox": box, "category": name} for box, name in zip(cell, given, strict=True)]


def _instance(row: Mapping[str, Any], categories: Sequence[str], corners: bool) -> Instance:
    box = next((row[key] for key in _BOXES if row.get(key) is not None), None)
    name = next((row[key] for key in _NAMES if row.get(key) is not None), "object")
    if isinstance(name, int) and not isinstance(name, bool) and categories:
        if not 0 <= name < len(categories):
            raise LookupError("a category out of range")
        name = categories[name]
    runs = row.get("runs")
    return Instance(
        str(name),
        None if box is None else _box(box, corners),
        tuple(tuple(float(v) for v in part) for part in row.get("polygons") or ()),
        _runs(runs) if runs else None,
        tuple(_joint(joint) for joint in row.get("keypoints") or ()),
        bool(row.get("crowd") or False),
        _attributes(row.get("attributes")),
    )


def _runs(value: Mapping[str, Any]) -> RunLength:
    height, width = value["size"]
    return RunLength(int(height), int(width), tuple(map(int, value["counts"])))


def _attributes(value: Any) -> dict[str, Scalar]:
    found = json.loads(value) if isinstance(value, str) else (value or {})
    return {str(key): item for key, item in found.items() if isinstance(item, str | int | float | bool)}


def _joint(value: Sequence[Any]) -> Joint:
    x, y, seen = value
    return float(x), float(y), int(seen)


def _box(value: Sequence[Any], corners: bool) -> tuple[float, float, float, float]:
    x, y, w, h = (float(v) for v in value)
    if corners:
        w, h = w - x, h - y
    if not (w >= 0 and h >= 0):
        raise ValueError("a box of negative size")
    return x, y, w, h
