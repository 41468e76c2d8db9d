from __future__ import annotations

import base64
import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Source
from imagemill.data.layouts.base import ReadSource
from imagemill.data.layouts.registry import look_at
from imagemill.data.layouts.tables.formats.delimited import Csv, Tsv
from imagemill.data.layouts.tables.formats.text_rows import text_rows
from imagemill.data.records.loading import encoded
from imagemill.data.records.record import Blob
from tests.data.pictures import photos


def _table(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    photos(folder, "a.png", "b.png")
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _read(path: Path, options: ReadSource | None = None) -> Source:
    layout = Tsv() if path.suffix == ".tsv" else Csv()
    return layout.read(look_at(path), options or ReadSource())


@given(st.lists(st.lists(st.text('ab",\n\r ä;', max_size=6), min_size=3, max_size=3), min_size=1, max_size=5))
def test_rows_are_those_of_the_csv_module(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    lines = io.StringIO(text.getvalue(), newline="")
    assert [cells for _, cells in text_rows(lines, ",")] == rows


def test_columns_are_guessed_and_the_guess_is_told(tmp_path: Path) -> None:
    text = "File Name,Species,subset,patient_id,price,note\na.png,cat,Validation,p1,7,x\nb.png,007,training,p2,12,\n"
    source = _read(_table(tmp_path, text))
    one, two = source
    assert (one.key, one.image, one.label, one.split, one.group) == ("a.png", tmp_path / "a.png", "cat", "val", "p1")
    assert dict(one.attributes) == {"price": 7, "note": "x"}
    assert (two.label, two.split, dict(two.attributes)) == ("007", "train", {"price": 12})
    assert (
        source.notes[0]
        == "took image from 'File Name', label from 'Species', split from 'subset', group from 'patient_id'"
    )


def test_columns_can_be_told(tmp_path: Path) -> None:
    path = _table(tmp_path, "x,label,kind\na.png,wrong,right\n")
    (record,) = _read(path, ReadSource(columns={"image": "x", "label": "kind"}))
    assert (record.label, dict(record.attributes)) == ("right", {"label": "wrong"})
    with pytest.raises(SourceError, match=r"expected a column 'nope' in t.csv for image, got 'x', 'label'"):
        _read(path, ReadSource(columns={"image": "nope"}))
    with pytest.raises(SourceError, match=r"expected roles of .*, got 'picture'"):
        _read(path, ReadSource(columns={"picture": "x"}))
    with pytest.raises(SourceError, match=r"expected a column of images in n.csv, got 'x', .*--option column.image=x"):
        _read(_table(tmp_path, "x,y\n1,2\n", "n.csv"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_marks_line_ends_and_separators(tmp_path: Path, end: str, mark: bytes, separator: str) -> None:
    rows = [["image", "label"], ["a.png", f'a "big"{separator} cat{end}two lines'], ["b.png", "hünd 漢"]]
    text = end.join(separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows) + end
    source = _read(_table(tmp_path, mark + text.encode()))
    assert [record.label for record in source] == [row[1] for row in rows[1:]]


def test_a_separator_that_is_told_wins(tmp_path: Path) -> None:
    path = _table(tmp_path, "image;label,more\na.png;x,y\n")
    assert _read(path, ReadSource(separator=";")).records[0].attributes == {"label,more": "x,y"}
    with pytest.raises(SourceError, match="expected one character as separator"):
        _read(path, ReadSource(separator="::"))


def test_spaces_after_separators(tmp_path: Path) -> None:
    assert _read(_table(tmp_path, "image, label\na.png, cat\n")).records[0].label == "cat"


def test_ragged_lines_are_named_by_their_number(tmp_path: Path) -> None:
    path = _table(tmp_path, 'image,label\n"a.png","two\nlines"\nb.png\na.png,x,y\n\nb.png,dog\nnone.png,cat\n,cat\n')
    source = _read(path)
    assert [record.key for record in source] == ["a.png", "b.png"]
    assert [problem.name for problem in source.problems] == [f"t.csv: line {n}" for n in (8, 9, 4, 5)]
    assert "expected a file, got 'none.png'" in str(source.problems[0])
    assert "expected 2 cells as in the first line, got 3" in str(source.problems[3])


def test_an_open_quote_is_named(tmp_path: Path) -> None:
    source = _read(_table(tmp_path, 'image,label\na.png,cat\nb.png,"dog\na.png,cat\n'))
    assert (len(source), source.problems[0].name) == (1, "t.csv: line 3")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        ("image,label\na.png,x\n".encode("utf-16")[2:], "UTF-16 .*--option encoding=utf-16"),
        ("image,label\na.png,größe\n".encode("latin-1"), "UTF-8.*--option encoding=latin-1"),
        (b"image,image\na.png,b.png\n", "different names"),
        (b"image,label\n", "expected rows with images"),
        (b"image,label\nnone.png,x\n", "the first: t.csv: line 2"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        _read(_table(tmp_path, content))


def test_without_a_header_columns_are_numbers(tmp_path: Path) -> None:
    path = _table(tmp_path, "a.png,cat\nb.png,dog\n")
    source = _read(path, ReadSource(columns={"image": "0", "label": "1"}))
    assert [(record.key, record.label) for record in source] == [("a.png", "cat"), ("b.png", "dog")]
    source = _read(path)
    assert "the first line is data" in source.describe()
    assert [(record.key, record.label) for record in source] == [("a.png", "cat"), ("b.png", "dog")]


@pytest.mark.parametrize(
    "cell", ["../out.png", "/etc/hostname", "C:\\x.png", "sub/../../out.png", "link.png", "ln/out.png"]
)
def test_paths_stay_inside(tmp_path: Path, cell: str) -> None:
    photos(tmp_path, "out.png")
    folder = tmp_path / "in"
    path = _table(folder, f"image\na.png\n{cell}\n")
    os.symlink(tmp_path / "out.png", folder / "link.png")
    os.symlink(tmp_path, folder / "ln")
    source = _read(path)
    assert [record.key for record in source] == ["a.png"]
    assert "pass outside=True" in str(source.problems[0])


def test_paths_may_lead_outside_where_that_is_asked_for(tmp_path: Path) -> None:
    photos(tmp_path, "out.png", "two.png", "three.png")
    path = _table(tmp_path / "in", f"image\n../out.png\n{tmp_path / 'two.png'}\nfile://{tmp_path / 'three.png'}\n")
    source = _read(path, ReadSource(outside=True))
    assert len(source) == 3
    assert len({record.key for record in source}) == 3
    assert not any(".." in record.key or record.key.startswith("/") for record in source)


def test_links_inside_are_fine(tmp_path: Path) -> None:
    path = _table(tmp_path, "image\nlink.png\n")
    os.symlink("a.png", tmp_path / "link.png")
    assert len(_read(path)) == 1


def test_pictures_in_cells(tmp_path: Path) -> None:
    path = _table(tmp_path, "")
    data = (tmp_path / "a.png").read_bytes()
    text = base64.b64encode(data).decode()
    jpeg = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(60)).decode()
    assert jpeg.startswith("/9j/")
    rows = [f"data:image/png;base64,{text}", text, text.rstrip("="), jpeg, "data:image/png;base64,!!!!"]
    path.write_text("image\n" + "".join(f'"{row}"\n' for row in rows))
    source = _read(path)
    assert [encoded(record.image) == data for record in list(source)[:3]] == [True] * 3
    assert [record.image.suffix for record in source if isinstance(record.image, Blob)] == [".png"] * 3 + [
        ".jpg",
        ".png",
    ]
    assert [record.key for record in source] == [f"row-{n:06d}" for n in range(5)]
    with pytest.raises(CodecError, match="line 6: expected base64 text"):
        encoded(source.records[4].image)


def test_addresses_are_only_taken_where_asked_for(tmp_path: Path) -> None:
    path = _table(tmp_path, "image,label\nhttps://example.org/x/a%20b.jpg?v=1,cat\na.png,dog\n")
    assert [problem.name for problem in _read(path).problems] == ["t.csv: line 2"]
    record = _read(path, ReadSource(urls=True, cache=tmp_path)).records[0]
    assert isinstance(record.image, Blob)
    assert (record.key, record.image.suffix) == ("example.org/x/a b.jpg", ".jpg")


def test_rows_of_one_file_are_one_record(tmp_path: Path) -> None:
    source = _read(_table(tmp_path, "image,label\na.png,cat\na.png,dog\nb.png,cat\nb.png,cat\n"))
    assert [(r.key, r.label, r.labels) for r in source] == [
        ("a.png", None, ("cat", "dog")),
        ("b.png", None, ("cat",)),
    ]
    assert "4 rows name 2 images: 1 have rows of different classes, so an image has several labels" in source.notes


def test_numbers_of_classes_become_names(tmp_path: Path) -> None:
    path = _table(tmp_path, "image,label\na.png,1\nb.png,0\n")
    assert _read(path).classes == ("0", "1")
    source = _read(path, ReadSource(extra={"classes": ["cat", "dog"]}))
    assert ([r.label for r in source], source.classes) == (["dog", "cat"], ("cat", "dog"))
    (tmp_path / "classes.txt").write_text("mouse\nrat\n")
    assert [r.label for r in _read(path)] == ["rat", "mouse"]
    (tmp_path / "classes.txt").write_text("mouse\n")
    assert [r.label for r in _read(path)] == ["1", "0"]
    source = _read(path, ReadSource(extra={"classes": ["cat"]}))
    assert "expected a class number from 0 to 0, got '1'" in str(source.problems[0])


def test_several_labels_and_masks_and_boxes(tmp_path: Path) -> None:
    text = (
        'image,labels,mask,objects\na.png,x| y,b.png,"{""bbox"": [[1,2,3,4]], ""categories"": [""cat""]}"\nb.png,,,[1\n'
    )
    source = _read(_table(tmp_path, text))
    (record,) = source
    assert (record.labels, record.mask) == (("x", "y"), tmp_path / "b.png")
    assert record.objects is not None
    assert (record.objects[0].category, record.objects[0].box) == ("cat", (1.0, 2.0, 3.0, 4.0))
    assert "expected boxes as JSON text, got '[1'" in str(source.problems[0])


def test_splits_of_other_names_are_kept_as_attributes(tmp_path: Path) -> None:
    source = _read(_table(tmp_path, "image,fold\na.png,3\nb.png,test\n"))
    assert [(r.split, dict(r.attributes)) for r in source] == [(None, {"fold": "3"}), ("test", {})]
    assert "1 rows name a split other than train, val or test: '3'" in source.describe()


def test_tables_named_after_splits_are_one_source(tmp_path: Path) -> None:
    _table(tmp_path, "image\na.png\n", "train.csv")
    _table(tmp_path, "image\nb.png\n", "test.csv")
    assert sorted((r.key, r.split) for r in Csv().read(look_at(tmp_path), ReadSource())) == [
        ("a.png", "train"),
        ("b.png", "test"),
    ]
    assert Csv().guess(look_at(tmp_path)) is not None
    _table(tmp_path, "name,price\nx,1\n", "prices.csv")
    _table(tmp_path, "image\nb.png\n", "notes.csv")
    source = Csv().read(look_at(tmp_path), ReadSource())
    assert len(source) == 2
    assert source.notes[-1] == "notes.csv names images too and was passed over; give that file itself to read it"
    assert source.also_read == (tmp_path / "test.csv", tmp_path / "train.csv")


def test_a_table_of_other_things_is_not_claimed(tmp_path: Path) -> None:
    _table(tmp_path, "name,price\nx,1\n")
    assert Csv().guess(look_at(tmp_path)) is None
    _table(tmp_path, "image,label\n17,cat\n")
    assert Csv().guess(look_at(tmp_path)) is None
