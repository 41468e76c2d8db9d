from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imagemill.core.errors import SourceError
from imagemill.data import Source
from imagemill.data.layouts.base import ReadSource
from imagemill.data.layouts.registry import look_at
from imagemill.data.layouts.tables.formats.json_tables import Json, JsonLinesTable
from imagemill.data.records.loading import load_picture
from tests.data.pictures import photos


def _write(folder: Path, content: Any, name: str = "t.json") -> Path:
    photos(folder, "a.png", "b.png")
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def _read(path: Path, options: ReadSource | None = None) -> Source:
    layout = Json() if path.suffix == ".json" else JsonLinesTable()
    return layout.read(look_at(path), options or ReadSource())


FORMS: list[Any] = [
    [{"image": "a.png", "meta": {"class": "cat"}}, {"image": "b.png", "meta": {"class": "dog"}}],
    {"image": ["a.png", "b.png"], "class": ["cat", "dog"]},
    {"a.png": {"class": "cat"}, "b.png": {"class": "dog"}},
    {"a.png": "cat", "b.png": "dog"},
    {"version": 2, "images": [{"file_name": "a.png", "label": "cat"}, {"file_name": "b.png", "label": "dog"}]},
    {"classes": ["cat", "dog"], "data": [{"file_name": "a.png", "label": 0}, {"file_name": "b.png", "label": 1}]},
]


@pytest.mark.parametrize("content", FORMS)
def test_forms_of_tables(tmp_path: Path, content: Any) -> None:
    path = _write(tmp_path, content)
    assert [(r.key, r.label) for r in _read(path)] == [("a.png", "cat"), ("b.png", "dog")]
    guess, in_folder = Json().guess(look_at(path)), Json().guess(look_at(tmp_path))
    assert guess is not None
    assert guess.sure >= 0.9
    assert in_folder is not None


def test_pixels_in_lists(tmp_path: Path) -> None:
    gray, colour = [[0, 255], [7, 8]], np.arange(24).reshape(2, 4, 3).tolist()
    rows = [{"image": gray, "label": 0}, {"image": colour}, {"image": [[0, 1000]]}, {"image": [[0.5, 0.25]]}]
    source = _read(_write(tmp_path, [*rows, {"image": [[1, 2], [3]]}, {"image": []}, {"image": 3}]))
    pictures = [load_picture(record.image).array for record in source]
    assert [p.dtype.name for p in pictures] == ["uint8", "uint8", "uint16", "float32"]
    np.testing.assert_array_equal(pictures[0], gray)
    np.testing.assert_array_equal(pictures[1], colour)
    assert [problem.name for problem in source.problems] == [f"t.json: item {n}" for n in (5, 6, 7)]


def test_boxes_in_several_forms(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"image": "a.png", "bbox": [1, 2, 3, 4]},
        {"image": "a.png", "bbox": [[1, 2, 3, 4], [5, 6, 7, 8]], "categories": ["cat", "dog"]},
        {"image": "a.png", "objects": [{"bbox": [1, 2, 3, 4], "category": "cat"}]},
        {"image": "b.png", "objects": {"bbox": [], "categories": []}},
        {"image": "c.png"},
        {"image": "a.png", "bbox": [[1, 2, 3]]},
        {"image": "a.png", "bbox": [[1, 2, -3, 4]]},
        {"image": "a.png", "bbox": [[1, 2, 3, 4]], "categories": ["x", "y"]},
        {"image": "a.png", "objects": {"bbox": [[1, 2, 3, 4]], "categories": []}},
    ]

    def boxes(rows: list[dict[str, Any]], **extra: str) -> list[Any]:
        source = _read(_write(tmp_path, "\n".join(map(json.dumps, rows)), "t.jsonl"), ReadSource(extra=extra))
        problems.append(len(source.problems))
        return [r.objects and [(o.category, o.box) for o in r.objects] for r in source]

    problems: list[int] = []
    photos(tmp_path, "c.png")
    one, two = (1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0)
    # Two names for one role do not stand in one table: each is read alone.
    assert boxes(rows[:1]) == [[("object", one)]]
    assert boxes(rows[1:2]) == [[("cat", one), ("dog", two)]]
    assert boxes(rows[2:5]) == [[("cat", one)], (), None]
    assert boxes([rows[0], *rows[5:7]]) == [[("object", one)]]
    assert boxes([rows[1], rows[7]]) == [[("cat", one), ("dog", two)]]
    assert boxes([rows[2], rows[8]]) == [[("cat", one)]]
    assert boxes(rows[:1], boxes="xyxy") == [[("object", (1.0, 2.0, 2.0, 2.0))]]
    assert problems == [0, 0, 0, 2, 1, 1, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("{", "expected .* to be JSON"),
        ("", "to be JSON"),
        ("3", "got a int"),
        ([], "got an empty list"),
        ({"image": ["a.png"], "label": []}, "lists of one length"),
        ({"images": [{}], "annotations": [], "categories": []}, "layout='coco'"),
        ({"a": 1}, "got a mapping of 'a'"),
        ([{"image": "none.png"}], "the first: t.json: item 1: expected a file"),
        ([1, 2], "expected a column of images"),
        ({"imagemill": 2, "records": []}, "version 2"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        _read(_write(tmp_path, content))


def test_large_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="expected at most 5 bytes of JSON"):
        _read(_write(tmp_path, FORMS[0]), ReadSource(extra={"max_bytes": 5}))


def test_lines_that_are_damaged_are_named(tmp_path: Path) -> None:
    lines = ['\ufeff{"image": "a.png"}', "", '{"image": ', "[1]", "[" * 100_000, '{"image": "b.png", "n": {"m": 1}}']
    source = _read(_write(tmp_path, "\n".join(lines), "t.jsonl"))
    assert [(r.key, dict(r.attributes)) for r in source] == [("a.png", {}), ("b.png", {"n.m": 1})]
    assert sorted(problem.name for problem in source.problems) == [f"t.jsonl: line {n}" for n in (3, 4, 5)]


def test_columns_that_hold_no_scalars_are_named(tmp_path: Path) -> None:
    source = _read(_write(tmp_path, [{"image": "a.png", "points": [1, 2]}]))
    assert "columns left out, for they hold neither text nor numbers: points" in source.describe()


def test_other_json_is_not_claimed(tmp_path: Path) -> None:
    for content in ({"images": [{"file_name": "a.png"}], "annotations": [], "categories": []}, {"lr": 0.1}, [1]):
        path = _write(tmp_path, content)
        guess = Json().guess(look_at(path))
        assert guess is None or guess.sure <= 0.3
        assert Json().guess(look_at(tmp_path)) is None
