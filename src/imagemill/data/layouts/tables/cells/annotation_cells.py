"""Annotations in a cell: boxes with categories in the forms tables use, and the one form that is written.

Written is a mapping of lists, as Hugging Face datasets have it: ``bbox`` (``[x, y, width, height]`` in pixels) and
``categories`` side by side, then only as needed ``polygons``, ``runs``, ``keypoints``, ``crowd``, ``attributes``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data.layouts.tables.cells.image_cells import BadCell
from imagemill.data.layouts.tables.cells.text_lists import boxes_text, list_text
from imagemill.data.layouts.tables.columns.box_columns import box_columns
from imagemill.data.records.instances import RLE, Instance, Keypoint, Scalar

__all__ = ["CATEGORY_NAMES", "FORMS", "box_from", "objects_cell", "read_objects"]

FORMS = ("xywh", "xyxy", "centre")
"""What four numbers of a box may be: left, top, width, height; left, top, right, bottom; centre, width, height."""

_WITHIN = ("coordinates", "bndbox", "rect")
_BOXES = ("bbox", "bboxes", "box", "boxes")
CATEGORY_NAMES = (
    "categories",
    "category",
    "labels",
    "label",
    "classes",
    "class",
    "names",
    "name",
    "category_id",
)


def objects_cell(objects: Sequence[Instance]) -> dict[str, list[Any]]:
    """Turn annotations into lists side by side.

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
    if any(one.rle for one in objects):
        cell["runs"] = [one.rle and {"size": [one.rle.height, one.rle.width], "counts": [*one.rle.counts]}
                        for one in objects]  # fmt: skip
    if any(one.keypoints for one in objects):
        cell["keypoints"] = [[list(keypoint) for keypoint in one.keypoints] for one in objects]
    if any(one.crowd for one in objects):
        cell["crowd"] = [one.crowd for one in objects]
    if any(one.attributes for one in objects):
        # As text: the types differ from annotation to annotation, and the columns of a table do not allow that.
        cell["attributes"] = [json.dumps(dict(one.attributes), ensure_ascii=False) for one in objects]
    return cell


def read_objects(
    cell: Any,
    names: Any = None,
    categories: Sequence[str] = (),
    form: str = "xywh",
    size: tuple[int, int] | None = None,
) -> tuple[Instance, ...] | None:
    """Read annotations from a cell.

    Parameters
    ----------
    cell : object
        A mapping of lists, a list of mappings, a list of boxes, one of these as text in JSON or as Python prints it, or
        four numbers with blanks between, with ``;`` between boxes. A mapping may hold a box as four numbers by name.
    names : object
        A list of categories from a column beside it, or one for all.
    categories : sequence of str
        Names of categories that are given as numbers.
    form : str
        What the numbers of boxes are, one of `FORMS`.
    size : tuple of int or None
        Height and width in pixels where numbers are parts of them.

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
    cell = _from_text(cell)
    if isinstance(names, str) and (listed := list_text(names)) is not None:
        names = listed
    if cell is None:
        return None
    if isinstance(cell, Mapping) and not cell:
        return ()
    try:
        rows = _rows(cell, names)
        return tuple(_instance(row, categories, form, size) for row in rows)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        got = str(error) if isinstance(error, InputError) else f"{str(cell)[:80]!r}"
        raise BadCell(f"expected boxes as [x, y, width, height] with categories, got {got}; mend the cell") from error


def _from_text(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    if not cell.strip():
        return None
    found = boxes_text(cell)
    if found is None:
        raise BadCell(f"expected boxes as JSON text, got {cell[:60]!r}; mend the cell")
    return found


def _rows(cell: Any, names: Any) -> list[dict[str, Any]]:
    """Bring every form into one mapping per annotation."""
    if isinstance(cell, Mapping):
        lists = {key: value for key, value in cell.items() if isinstance(value, list | tuple)}
        if not lists or _is_one(cell):
            return [dict(cell) if names is None else {"category": names, **cell}]
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


def _is_one(cell: Mapping[str, Any]) -> bool:
    """Whether a mapping is one annotation: its box is four numbers and not a list of boxes."""
    box = next((cell[key] for key in _BOXES if cell.get(key) is not None), None)
    return isinstance(box, Mapping) or (
        isinstance(box, list | tuple) and len(box) == 4 and all(isinstance(v, int | float) for v in box)
    )


def _instance(row: Mapping[str, Any], categories: Sequence[str], form: str, size: tuple[int, int] | None) -> Instance:
    box = next((row[key] for key in _BOXES if row.get(key) is not None), None)
    if isinstance(box, Mapping) or box is None:
        box, form = _named_numbers(row if box is None else box, form)
    name = next((row[key] for key in CATEGORY_NAMES if row.get(key) is not None), "object")
    if isinstance(name, int) and not isinstance(name, bool) and categories:
        if not 0 <= name < len(categories):
            raise LookupError("a category out of range")
        name = categories[name]
    runs = row.get("runs")
    return Instance(
        str(name),
        None if box is None else box_from(box, form, size),
        tuple(tuple(float(v) for v in part) for part in row.get("polygons") or ()),
        _runs(runs) if runs else None,
        tuple(_keypoint(keypoint) for keypoint in row.get("keypoints") or ()),
        bool(row.get("crowd") or False),
        _attributes(row.get("attributes")),
    )


def _runs(value: Mapping[str, Any]) -> RLE:
    height, width = value["size"]
    return RLE(int(height), int(width), tuple(map(int, value["counts"])))


def _attributes(value: Any) -> dict[str, Scalar]:
    found = json.loads(value) if isinstance(value, str) else (value or {})
    return {str(key): item for key, item in found.items() if isinstance(item, str | int | float | bool)}


def _keypoint(value: Sequence[Any]) -> Keypoint:
    x, y, seen = value
    return float(x), float(y), int(seen)


def _named_numbers(row: Mapping[str, Any], form: str) -> tuple[list[Any] | None, str]:
    """Four numbers of a box that have names, and what they are."""
    inner = next((row[key] for key in _WITHIN if isinstance(row.get(key), Mapping)), row)
    names = list(inner)
    found = box_columns(names)
    if found is None:
        return None, form
    # Only this form puts a box's centre into "x" and "y": CreateML.
    centre = inner is not row and found.form == "xywh" and "coordinates" in row
    return [inner[names[n]] for n in found.numbers], "centre" if centre else found.form


def box_from(
    value: Sequence[Any], form: str = "xywh", size: tuple[int, int] | None = None
) -> tuple[float, float, float, float]:
    """Left, top, width and height in pixels from four numbers.

    Parameters
    ----------
    value : sequence
    form : str
        One of `FORMS`.
    size : tuple of int or None
        Height and width in pixels where numbers are parts of them.

    Raises
    ------
    ValueError
        When they are no four numbers, or the box has a negative size.

    Examples
    --------
    >>> box_from([1, 2, 4, 6], "xyxy"), box_from([0.5, 0.5, 0.2, 1], "centre", (100, 200))
    ((1.0, 2.0, 3.0, 4.0), (80.0, 0.0, 40.0, 100.0))
    """
    x, y, w, h = (float(v) for v in value)
    if form == "xyxy":
        w, h = w - x, h - y
    elif form == "centre":
        x, y = x - w / 2, y - h / 2
    if not (w >= 0 and h >= 0):
        raise ValueError("a box of negative size")
    if size is not None:
        x, y, w, h = x * size[1], y * size[0], w * size[1], h * size[0]
    return x, y, w, h
