"""Pixels in tables, tables in JSON, addresses; and what of it reaches a store."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import SourceError
from imagemill.data.layouts.opening import open_source
from imagemill.data.records.loading import load_picture
from tests.data.tables import ABCD, KINDS, RIGHT, labels_of, small_photos, written


def _pixels(number: int, count: int) -> list[int]:
    return [(number * 7 + place) % 251 for place in range(count)]


@pytest.mark.parametrize(
    "form", ["pixel columns", "1x1 columns", "no header", "behind", "text", "commas", "nested", "unquoted"]
)
def test_pixels_in_a_table(tmp_path: Path, form: str) -> None:
    rows = [(label, _pixels(label, 16)) for label in (5, 0, 4)]
    names = {"1x1 columns": [f"{y}x{x}" for y in range(4) for x in range(4)]}.get(
        form, [f"pixel{n}" for n in range(16)]
    )
    lines = [",".join(["label", *names])] if form != "no header" else []
    for label, pixels in rows:
        lines.append(",".join(map(str, [label, *pixels])))
    if form == "behind":
        lines = [",".join(line.split(",")[1:] + line.split(",")[:1]) for line in lines]
    if form in ("text", "commas", "nested", "unquoted"):
        lines = ["emotion,pixels"]
        for label, pixels in rows:
            nested = [pixels[n : n + 4] for n in range(0, 16, 4)]
            cells = {
                "text": f'"{" ".join(map(str, pixels))}"',
                "commas": f'"{",".join(map(str, pixels))}"',
                "nested": f'"{nested}"',
                "unquoted": str(nested),
            }
            lines.append(f"{label},{cells[form]}")
    source = open_source(written(tmp_path, "\n".join(lines) + "\n"))
    assert [record.label for record in source] == ["5", "0", "4"]
    assert source.classes == ("0", "4", "5")
    for record, (_, pixels) in zip(source, rows, strict=True):
        picture = load_picture(record.image)
        assert picture.array.dtype == np.uint8
        np.testing.assert_array_equal(picture.array, np.array(pixels).reshape(4, 4))


def test_pixels_of_colour_and_of_a_told_shape(tmp_path: Path) -> None:
    values = _pixels(1, 48)
    header = ",".join(f"pixel{n:04d}" for n in range(48))
    table = written(tmp_path, f"{header},label\n" + ",".join(map(str, values)) + ",3\n")
    picture = load_picture(open_source(table).records[0].image)
    np.testing.assert_array_equal(picture.array, np.array(values).reshape(4, 4, 3))
    picture = load_picture(open_source(table, extra={"shape": "6x8"}).records[0].image)
    np.testing.assert_array_equal(picture.array, np.array(values).reshape(6, 8))
    table = written(tmp_path, "image,label\n0 12 255,a\n1 2 3,b\n")
    with pytest.raises(SourceError, match=r"3 numbers, which make no square picture.*--option shape=28x28"):
        open_source(table)
    assert load_picture(open_source(table, extra={"shape": "1x3"}).records[0].image).array.tolist() == [[0, 12, 255]]


def test_parts_of_faces(tmp_path: Path) -> None:
    usage = ["Training", "Training", "PublicTest", "PrivateTest"]
    rows = [f"{n % 2},{' '.join(map(str, _pixels(n, 16)))},{part}" for n, part in enumerate(usage)]
    found = im.scan(written(tmp_path, "emotion,pixels,Usage\n" + "\n".join(rows) + "\n"))
    assert (dict(found.splits), dict(found.classes)) == ({"train": 2, "val": 1, "test": 1}, {"0": 2, "1": 2})


JSON_FORMS: list[Any] = [
    [{"location": name, "breed": kind} for name, kind in RIGHT.items()],
    {"cat": ["a.png", "c.png"], "dog": ["b.png", "d.png"]},
    {"a.png": "cat", "b.png": "dog", "c.png": "cat", "d.png": "dog"},
    {"a": "cat", "b": "dog", "c": "cat", "d": "dog"},
    {name: {"label": kind} for name, kind in RIGHT.items()},
    {"path": list(RIGHT), "label": list(KINDS)},
    {"where": list(RIGHT), "which": list(KINDS)},
    {"path": {str(n): name for n, name in enumerate(ABCD)}, "label": {str(n): k for n, k in enumerate(KINDS)}},
    {"columns": ["file", "kind"], "index": [0, 1, 2, 3], "data": [list(pair) for pair in RIGHT.items()]},
    [list(pair) for pair in RIGHT.items()],
    {"version": 1, "data": [{"file": name, "label": kind} for name, kind in RIGHT.items()]},
    {"annotations": [{"image_id": name, "category": kind} for name, kind in RIGHT.items()]},
    {
        "images": [{"id": n, "file_name": name} for n, name in enumerate(ABCD)],
        "annotations": [{"image_id": n, "label": kind} for n, kind in enumerate(KINDS)],
    },
    {"cat": [{"file": "a.png"}, {"file": "c.png"}], "dog": [{"file": "b.png"}, {"file": "d.png"}]},
    "\n".join(json.dumps({"image": name, "label": kind}) for name, kind in RIGHT.items()),
    str([{"image": name, "label": kind} for name, kind in RIGHT.items()]),
    "".join(json.dumps([{"img": name, "label": kind} for name, kind in RIGHT.items()], indent=1)),
]


@pytest.mark.parametrize("content", JSON_FORMS)
def test_forms_of_json(tmp_path: Path, content: Any) -> None:
    small_photos(tmp_path, *ABCD)
    written(tmp_path, content if isinstance(content, str) else json.dumps(content), "t.json")
    source = open_source(tmp_path)
    assert (source.layout, labels_of(source), source.problems) == ("json", RIGHT, ())


def test_python_in_place_of_json_is_told(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png")
    path = written(tmp_path, "[{'image': 'a.png', 'label': 'cat', 'seen': None},]", "t.json")
    source = open_source(path)
    assert "it is no JSON but what Python prints, with single quotes; it was read as that" in source.notes[0]
    written(tmp_path, "[{'image': 'a.png', 'label': open('x')}]", "t.json")
    with pytest.raises(SourceError, match="to be JSON in UTF-8"):
        open_source(path)


@pytest.mark.parametrize("whole", ["paths", "classes", "rows"])
def test_parts_in_json(tmp_path: Path, whole: str) -> None:
    small_photos(tmp_path, *ABCD)
    content: Any = {
        "paths": {"train": ["a.png", "b.png"], "test": ["c.png", "d.png"]},
        "classes": {"train": {"cat": ["a.png"], "dog": ["b.png"]}, "test": {"cat": ["c.png"], "dog": ["d.png"]}},
        "rows": {
            "classes": ["cat", "dog"],
            "training": [{"image": "a.png", "label": 0}, {"image": "b.png", "label": 1}],
            "Test": [{"image": "c.png", "label": 0}, {"image": "d.png", "label": 1}],
        },
    }[whole]
    written(tmp_path, json.dumps(content), "t.json")
    source = open_source(tmp_path)
    assert [record.split for record in source] == ["train", "train", "test", "test"]
    assert labels_of(source) == (dict.fromkeys(ABCD) if whole == "paths" else RIGHT)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    root = small_photos(tmp_path / "served", "cat 1.png", "dog.png")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(root))

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one:
        threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{one.server_address[1]}"
        one.shutdown()


@pytest.mark.parametrize("form", ["csv", "json"])
def test_addresses_through_scan_open_and_prepare(tmp_path: Path, server: str, form: str) -> None:
    urls = {f"{server}/cat%201.png": "cat", f"{server}/dog.png": "dog"}
    folder = tmp_path / "set"
    if form == "csv":
        table = written(folder, "'location','label'\n" + "".join(f"'{url}','{kind}'\n" for url, kind in urls.items()))
    else:
        rows = [{"location": f"'{url}'", "label": kind} for url, kind in urls.items()]
        table = written(folder, json.dumps(rows), "t.json")
    with pytest.raises(SourceError, match=r"pass urls=True \(--option urls=yes\) to fetch it"):
        open_source(table)
    told = {"urls": True, "private": True, "cache": tmp_path / "cache"}
    found = im.scan(table, **told)
    assert (dict(found.classes), found.unreadable) == ({"cat": 1, "dog": 1}, ())
    data = im.open(table, **told)
    shown = load_picture(tmp_path / "served" / "cat 1.png").array
    np.testing.assert_array_equal(data[0].image, shown)
    report = im.prepare(table, tmp_path / "store", **told)
    assert (report.made, report.classes, report.failed) == (2, ("cat", "dog"), ())


PREPARED: dict[str, str] = {
    "paths.csv": "'location', 'label'\n'a.png', 'cat'\n'b.png', 'dog'\n",
    "one-hot.csv": "id,cat,dog,bird\na,1,0,0\nb,0,1,0\n",
    "pixels.csv": "location,label\n'[[0, 12], [255, 3]]','cat'\n'[[1, 2], [3, 4]]','dog'\n",
    "paths.json": json.dumps([{"location": "a.png", "label": "cat"}, {"location": "b.png", "label": "dog"}]),
    "pixels.json": json.dumps(
        [{"location": [[0, 12], [255, 3]], "label": "cat"}, {"location": [[1, 2], [3, 4]], "label": "dog"}]
    ),
}


@pytest.mark.parametrize("name", PREPARED)
def test_labels_reach_the_store(tmp_path: Path, name: str) -> None:
    small_photos(tmp_path / "in", "a.png", "b.png")
    table = written(tmp_path / "in", PREPARED[name], name)
    im.prepare(table, tmp_path / "store")
    store = im.open(tmp_path / "store")
    assert [store.classes[int(store[n].label)] for n in range(2)] == ["cat", "dog"]
    if name.startswith("pixels"):
        assert store[0].image.squeeze().tolist() == [[0, 12], [255, 3]]


def test_boxes_reach_the_store(tmp_path: Path) -> None:
    small_photos(tmp_path / "in", "a.png", "b.png")
    written(
        tmp_path / "in",
        "filename,class,xmin,ymin,xmax,ymax\na.png,cat,2,4,12,14\na.png,dog,5,6,25,16\nb.png,cat,1,2,9,9\n",
    )
    im.prepare(tmp_path / "in", tmp_path / "store")
    store = im.open(tmp_path / "store")
    boxes = {key: store[n].boxes for n, key in enumerate(store.table["key"])}
    np.testing.assert_allclose(boxes["a.png"].array, [[2, 4, 12, 14], [5, 6, 25, 16]])
    assert list(boxes["a.png"].labels) == ["cat", "dog"]
