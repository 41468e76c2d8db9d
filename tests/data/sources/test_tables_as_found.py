"""Tables as people have them: what is right is known from what was written, not from what is read."""

from __future__ import annotations

import http.server
import json
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import SourceError
from imagemill.data.pixels import load_mask, load_picture
from imagemill.data.sources.base import Source
from imagemill.data.sources.files import open_source
from imagemill.data.sources.runs import mask_from_runs
from tests.data.pictures import photo

ABCD = ("a.png", "b.png", "c.png", "d.png")
HEIGHT, WIDTH = 20, 30
KINDS = ("cat", "dog", "cat", "dog")


def _photos(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        photo(root / name, number, (HEIGHT, WIDTH, 3))
    return root


def _write(root: Path, text: str, name: str = "labels.csv", encoding: str = "utf-8") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def _labels(source: Source) -> dict[str, str | None]:
    return {record.key: record.label for record in source}


def _boxes(source: Source) -> dict[str, list[tuple[str, Any]] | None]:
    return {
        record.key: None if record.objects is None else [(thing.category, thing.box) for thing in record.objects]
        for record in source
    }


RIGHT = dict(zip(ABCD, KINDS, strict=True))


@pytest.mark.parametrize(
    "name", ["location", "image_name", "image_id", "filepaths", "Id", "photo", "File Name", " File Name ", "what", "X"]
)
def test_the_column_of_files_is_found_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    _photos(tmp_path, *ABCD)
    _write(tmp_path, f"{name},breed\n" + "".join(f"{file},{kind}\n" for file, kind in RIGHT.items()))
    source = open_source(tmp_path)
    assert (source.layout, _labels(source)) == ("csv", RIGHT)
    assert f"image from {name.strip()!r}" in source.notes[0]


def test_what_was_taken_and_how_to_say_otherwise_is_told(tmp_path: Path) -> None:
    _photos(tmp_path, *ABCD)
    rows = "".join(f"{file},{kind},{n}.5,x\n" for n, (file, kind) in enumerate(RIGHT.items()))
    _write(tmp_path, "what,which,weight,camera\n" + rows)
    source = open_source(tmp_path)
    assert _labels(source) == RIGHT
    assert source.notes[0] == (
        "took image from 'what' (by what stands in it), label from 'which' (few different values: 2)"
    )
    assert source.notes[1] == (
        "where that is wrong, columns={'image': 'NAME'} (--option column.image=NAME) says which; "
        "left as they are: 'weight', 'camera'"
    )
    told = open_source(tmp_path, columns={"label": "camera"})
    assert set(_labels(told).values()) == {"x"}


def test_two_columns_that_may_be_classes_are_named_and_none_is_taken(tmp_path: Path) -> None:
    _photos(tmp_path, *ABCD)
    _write(tmp_path, "image,colour,weather\na.png,red,sun\nb.png,red,rain\nc.png,blue,sun\nd.png,blue,rain\n")
    source = open_source(tmp_path)
    assert set(_labels(source).values()) == {None}
    assert dict(source.records[1].attributes) == {"colour": "red", "weather": "rain"}
    assert source.notes[-1] == (
        "no column is called like a class, and 'colour', 'weather' may be: "
        "columns={'label': 'colour'} (--option column.label=colour)"
    )


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("a.png,cat\nb.png,dog\nc.png,cat\nd.png,dog\n", "utf-8"),
        ("sep=;\r\nfile;label\r\na.png;cat\r\nb.png;dog\r\nc.png;cat\r\nd.png;dog\r\n", "utf-8"),
        ("file|label\na.png|cat\nb.png|dog\nc.png|cat\nd.png|dog\n", "utf-16"),
        ("file\tlabel\na.png\tcat\nb.png\tdog\nc.png\tcat\nd.png\tdog\n", "utf-8-sig"),
        ("'location','label'\n'a.png','cat'\n'b.png','dog'\n'c.png','cat'\n'd.png','dog'\n", "utf-8"),
        ("location,label\n'a.png','cat'\n'b.png','dog'\n'c.png','cat'\n'd.png','dog'\n", "utf-8"),
        ('"file", "label"\n"a.png", "cat"\n"b.png", "dog"\n"c.png", "cat"\n"d.png", "dog"\n', "utf-8"),
        ("file,label,\na.png,cat,\nb.png,dog,\nc.png,cat,\nd.png,dog,\n", "utf-8"),
        ("file,label\n‘a.png’,cat\n“b.png”,dog\n`c.png`,cat\nd.png,dog\n", "utf-8"),
        ("file,label\n./a.png,cat\n.\\b.png,dog\nC.PNG,cat\n d.png ,dog\n", "utf-8"),
    ],
)  # fmt: skip
def test_separators_quotes_marks_and_spellings(tmp_path: Path, text: str, encoding: str) -> None:
    _photos(tmp_path, *ABCD)
    _write(tmp_path, text, encoding=encoding)
    source = open_source(tmp_path)
    assert (source.layout, _labels(source), source.problems) == ("csv", RIGHT, ())


def test_other_encodings_are_told_and_the_error_says_how(tmp_path: Path) -> None:
    _photos(tmp_path, "a.png", "b.png")
    _write(tmp_path, "file,label\na.png,größe\nb.png,dog\n", encoding="latin-1")
    with pytest.raises(SourceError, match=r"expected .* in UTF-8, got other bytes; .*--option encoding=latin-1"):
        open_source(tmp_path)
    assert _labels(open_source(tmp_path, encoding="latin-1")) == {"a.png": "größe", "b.png": "dog"}
    with pytest.raises(SourceError, match="expected the name of an encoding, got 'latin-99'"):
        open_source(tmp_path, encoding="latin-99", layout="csv")


@pytest.mark.parametrize(
    "cell",
    [
        r"C:\data\pets\{}\{}",
        "/content/drive/My Drive/pets/{}/{}",
        "/kaggle/input/pets/img/{}/{}",
        "../input/pets/{}/{}",
        "pets\\img\\{}\\{}",
    ],
)
def test_paths_of_another_machine_lead_to_the_files_here(tmp_path: Path, cell: str) -> None:
    files = ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]
    _photos(tmp_path, *(f"img/{file}" for file in files))
    rows = "".join(cell.format(*file.split("/")) + f",{file[:3]}\n" for file in [*files, "dog/3.png"])
    _write(tmp_path, "path,label\n" + rows)
    source = open_source(tmp_path)
    assert _labels(source) == {f"img/{file}": file[:3] for file in files}
    notes = " ".join(source.notes)
    assert "files of 4 rows were found without their first folders" in notes
    assert "1 row without the file that is named" in notes
    assert "--option images=DIR" in notes
    assert [problem.name for problem in source.problems] == ["labels.csv: line 6"]


def test_a_missing_file_is_no_other_file_of_its_name(tmp_path: Path) -> None:
    _photos(tmp_path, "a.png", "masks/b.png")
    _write(tmp_path, "image,label\na.png,cat\nb.png,dog\n")
    source = open_source(tmp_path, layout="csv")
    assert _labels(source) == {"a.png": "cat"}
    assert len(source.problems) == 1


def test_names_in_another_unicode_form(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFC", "Möwe.png")
    _photos(tmp_path, name)
    _write(tmp_path, f"image,label\n{unicodedata.normalize('NFD', name)},gull\n")
    source = open_source(tmp_path)
    assert _labels(source) == {name: "gull"}
    assert "in another spelling" in " ".join(source.notes)


def test_names_without_suffix_in_the_one_folder_beside(tmp_path: Path) -> None:
    _photos(tmp_path, "images/a.png", "images/b.png", "images/1.png")
    _write(tmp_path, "Id,breed\na,cat\nb,dog\n1,cat\n")
    source = open_source(tmp_path)
    assert _labels(source) == {"images/a.png": "cat", "images/b.png": "dog", "images/1.png": "cat"}
    assert "files of 3 rows were found with the suffix .png, in 'images'" in source.notes


def test_a_folder_of_images_is_told(tmp_path: Path) -> None:
    _photos(tmp_path, "one/a.png", "two/a.png")
    table = _write(tmp_path, "id,label\na,cat\n", "t/labels.csv")
    source = open_source(table, images=tmp_path / "two")
    assert (_labels(source), source.records[0].image) == ({"a.png": "cat"}, tmp_path / "two" / "a.png")
    with pytest.raises(SourceError, match="expected the folder of images, got 'nowhere'"):
        open_source(table, images=Path("nowhere"))
    with pytest.raises(SourceError, match=r"expected one file named 'a', got .*--option images=DIR"):
        open_source(_write(tmp_path, "id,label\na,cat\n"), layout="csv")


def test_tables_of_a_competition(tmp_path: Path) -> None:
    _photos(tmp_path, *(f"{part}/{name}" for part in ("train", "test") for name in ABCD[:2]))
    _write(tmp_path, "id,label\na,1\nb,0\n", "train.csv")
    _write(tmp_path, "id\na\nb\n", "test.csv")
    _write(tmp_path, "id,label\na,0\nb,0\n", "sample_submission.csv")
    source = open_source(tmp_path)
    found = {record.key: (record.label, record.split) for record in source}
    assert found == {
        "train/a.png": ("1", "train"),
        "train/b.png": ("0", "train"),
        "test/a.png": (None, "test"),
        "test/b.png": (None, "test"),
    }
    assert "sample_submission.csv was passed over: it is a form to fill in, its labels are none" in source.notes


def test_a_table_beside_folders_of_parts_has_the_labels(tmp_path: Path) -> None:
    _photos(tmp_path, "train/1.png", "train/2.png", *(f"test/{n}.png" for n in range(8)))
    for name, start in (("train.csv", ""), ("labels.csv", "train/")):
        table = _write(tmp_path, f"image,label\n{start}1.png,cat\n{start}2.png,dog\n", name)
        found = im.scan(tmp_path)
        assert (found.layout, dict(found.classes), dict(found.splits)) == ("csv", {"cat": 1, "dog": 1}, {"train": 2})
        assert any(note.startswith("8 files passed over: 8 .png (test/0.png") for note in found.notes)
        table.unlink()


def test_an_unrelated_table_beside_class_folders(tmp_path: Path) -> None:
    _photos(tmp_path, "cat/1.png", "cat/2.png", "dog/1.png")
    _write(tmp_path, "name,price\nx,1\ny,2\n", "prices.csv")
    _write(tmp_path, json.dumps({"lr": 0.1}), "settings.json")
    found = im.scan(tmp_path)
    assert (found.layout, dict(found.classes), found.unreadable) == ("class-folders", {"cat": 2, "dog": 1}, ())


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (["\"['a', 'b']\"", "\"['a']\"", "[]"], [("a", "b"), ("a",), ()]),
        (['"[""a"", ""b""]"', "", "[b]"], [("a", "b"), None, ("b",)]),
        (["a|b", "b", "a"], [("a", "b"), ("b",), ("a",)]),
        (["a; b", "b", "a"], [("a", "b"), ("b",), ("a",)]),
        (["a b", "b", "a"], [("a", "b"), ("b",), ("a",)]),
        (['"a, b"', "b", "a"], [("a", "b"), ("b",), ("a",)]),
        (["\"('a', 'b')\"", "\"{'a'}\"", "\"['b']\""], [("a", "b"), ("a",), ("b",)]),
    ],
)
def test_several_labels_in_a_cell(tmp_path: Path, cells: list[str], right: list[Any]) -> None:
    _photos(tmp_path, *ABCD[:3])
    _write(tmp_path, "file,label\n" + "".join(f"{file},{cell}\n" for file, cell in zip(ABCD, cells, strict=False)))
    assert [record.labels for record in open_source(tmp_path)] == right


def test_labels_with_blanks_are_whole_unless_their_parts_are_labels(tmp_path: Path) -> None:
    _photos(tmp_path, *ABCD)
    kinds = ["golden retriever", "german shepherd", "golden eagle", "pug"]
    _write(tmp_path, "file,label\n" + "".join(f"{f},{kind}\n" for f, kind in zip(ABCD, kinds, strict=True)))
    assert list(_labels(open_source(tmp_path)).values()) == kinds
    told = open_source(tmp_path, labels_separator=" ")
    assert [record.labels for record in told][:1] == [("golden", "retriever")]


def test_columns_of_0_and_1(tmp_path: Path) -> None:
    _photos(tmp_path, *ABCD[:3])
    _write(tmp_path, "image,MEL,NV,BCC\na,0.0,1.0,0.0\nb,1.0,0.0,0.0\nc,0.0,0.0,1.0\n")
    source = open_source(tmp_path)
    assert (list(_labels(source).values()), source.classes) == (["NV", "MEL", "BCC"], ("MEL", "NV", "BCC"))
    _write(tmp_path, "image_id,Bald,Hat,Young\na.png,1,-1,1\nb.png,-1,-1,-1\nc.png,-1,1,-1\n")
    source = open_source(tmp_path)
    assert [record.labels for record in source] == [("Bald", "Young"), (), ("Hat",)]


BOX_TABLES = {
    "xmin,ymin,xmax,ymax": ["2,4,12,14", "5,6,25,16", "1,2,29,19"],
    "x1,y1,x2,y2": ["2,4,12,14", "5,6,25,16", "1,2,29,19"],
    "left,top,right,bottom": ["2,4,12,14", "5,6,25,16", "1,2,29,19"],
    "bbox_x,bbox_y,bbox_w,bbox_h": ["2,4,10,10", "5,6,20,10", "1,2,28,17"],
    "x,y,w,h": ["2,4,10,10", "5,6,20,10", "1,2,28,17"],
    "x_center,y_center,width,height": [
        f"{7 / 30},{9 / 20},{10 / 30},{10 / 20}",
        f"{15 / 30},{11 / 20},{20 / 30},{10 / 20}",
        f"{15 / 30},{10.5 / 20},{28 / 30},{17 / 20}",
    ],
    "XMin,YMin,XMax,YMax": [
        f"{2 / 30},{4 / 20},{12 / 30},{14 / 20}",
        f"{5 / 30},{6 / 20},{25 / 30},{16 / 20}",
        f"{1 / 30},{2 / 20},{29 / 30},{19 / 20}",
    ],
    "bbox": ['"[2, 4, 10, 10]"', '"[5, 6, 20, 10]"', '"[1.0, 2.0, 28.0, 17.0]"'],
    "bounding box": ["2 4 12 14", "5 6 25 16", "1 2 29 19"],
}


@pytest.mark.parametrize("columns", BOX_TABLES)
def test_a_row_for_each_box(tmp_path: Path, columns: str) -> None:
    _photos(tmp_path, "a.png", "b.png")
    boxes = BOX_TABLES[columns]
    rows = [f"a.png,cat,{boxes[0]}", f"a.png,dog,{boxes[1]}", f"b.png,cat,{boxes[2]}"]
    _write(tmp_path, f"filename,class,{columns}\n" + "\n".join(rows) + "\n")
    source = open_source(tmp_path)
    right = {
        "a.png": [("cat", (2, 4, 10, 10)), ("dog", (5, 6, 20, 10))],
        "b.png": [("cat", (1, 2, 28, 17))],
    }
    assert _boxes(source) == {
        key: [(name, pytest.approx(box)) for name, box in things] for key, things in right.items()
    }
    assert _labels(source) == {"a.png": None, "b.png": None}


def test_boxes_without_a_header_and_images_without_boxes(tmp_path: Path) -> None:
    _photos(tmp_path, *ABCD[:3])
    _write(tmp_path, "a.png,2,4,12,14,cat\na.png,5,6,25,16,dog\nb.png,1,2,29,19,cat\nc.png,,,,,\n")
    assert _boxes(open_source(tmp_path)) == {
        "a.png": [("cat", (2, 4, 10, 10)), ("dog", (5, 6, 20, 10))],
        "b.png": [("cat", (1, 2, 28, 17))],
        "c.png": [],
    }


def test_columns_that_differ_between_boxes_are_those_of_the_boxes(tmp_path: Path) -> None:
    _photos(tmp_path, "a.png")
    _write(tmp_path, "image,x,y,w,h,label,difficult,camera\na.png,1,2,3,4,cat,0,x\na.png,5,6,7,8,dog,1,x\n")
    (record,) = open_source(tmp_path)
    assert dict(record.attributes) == {"camera": "x"}
    assert [dict(thing.attributes) for thing in record.objects or ()] == [{"difficult": 0}, {"difficult": 1}]


def test_a_row_with_a_box_that_is_none_is_named(tmp_path: Path) -> None:
    _photos(tmp_path, "a.png", "b.png")
    _write(tmp_path, "image,x1,y1,x2,y2,label\na.png,9,2,3,4,cat\nb.png,1,2,3,4,dog\n")
    source = open_source(tmp_path)
    assert list(_boxes(source)) == ["b.png"]
    assert "of no negative width or height" in str(source.problems[0])
    assert "--option boxes=xywh" in str(source.problems[0])
    assert _boxes(open_source(tmp_path, extra={"boxes": "xywh"}))["a.png"] == [("cat", (9, 2, 3, 4))]


def _kaggle_runs(mask: np.ndarray[Any, Any]) -> str:
    """First pixel and length of each run, counted from 1 down the columns: written from its definition."""
    flat = [0, *mask.T.reshape(-1).astype(int), 0]
    starts = [n for n in range(1, len(flat)) if flat[n] and not flat[n - 1]]
    ends = [n for n in range(1, len(flat)) if not flat[n] and flat[n - 1]]
    return " ".join(f"{start} {end - start}" for start, end in zip(starts, ends, strict=True))


@pytest.mark.parametrize(
    "form", ["ImageId,EncodedPixels", "ImageId,ClassId,EncodedPixels", "Image_Label,EncodedPixels"]
)
@pytest.mark.parametrize("way", ["columns", "rows"])
def test_masks_as_runs(tmp_path: Path, form: str, way: str) -> None:
    _photos(tmp_path, *ABCD[:2])
    masks = np.random.default_rng(1).random((2, HEIGHT, WIDTH)) > 0.6
    cells = [_kaggle_runs(mask if way == "columns" else mask.T) for mask in masks]
    rows = {
        "ImageId,EncodedPixels": [f"a.png,{cells[0]}", f"a.png,{cells[1]}", "b.png,"],
        "ImageId,ClassId,EncodedPixels": [f"a.png,3,{cells[0]}", f"a.png,1,{cells[1]}", "b.png,,"],
        "Image_Label,EncodedPixels": [f"a.png_3,{cells[0]}", f"a.png_1,{cells[1]}", "b.png_3,", "b.png_1,"],
    }[form]
    _write(tmp_path, f"{form}\n" + "\n".join(rows) + "\n")
    source = open_source(tmp_path, extra={} if way == "columns" else {"rle": "rows"})
    one, two = source
    assert (one.key, two.key, two.objects) == ("a.png", "b.png", ())
    things = one.objects or ()
    assert [thing.category for thing in things] == (["object"] * 2 if "," not in form[8:] else ["3", "1"])
    for thing, mask in zip(things, masks, strict=True):
        assert thing.runs is not None
        np.testing.assert_array_equal(mask_from_runs(thing.runs), mask)


def test_runs_that_leave_the_picture_are_named(tmp_path: Path) -> None:
    _photos(tmp_path, *ABCD[:2])
    _write(tmp_path, f"ImageId,EncodedPixels\na.png,{HEIGHT * WIDTH} 2\nb.png,1 2\n")
    source = open_source(tmp_path)
    assert len(source) == 1
    assert "within 20 x 30 pixels, got pixels 600 to 601; check the size" in str(source.problems[0])


def test_rows_of_different_classes_are_labels_or_a_contradiction(tmp_path: Path) -> None:
    names = [f"{n:02d}.png" for n in range(20)]
    _photos(tmp_path, *names)
    rows = "".join(f"{name},cat\n" for name in names)
    _write(tmp_path, f"image,label\n{rows}03.png,dog\n")
    source = open_source(tmp_path)
    assert len(source) == 19
    assert "03.png" not in _labels(source)
    (problem,) = source.problems
    assert "03.png: expected one class, got 'cat' (labels.csv: line 5), 'dog' (labels.csv: line 22)" in str(problem)
    _write(tmp_path, "image,label\n" + "".join(f"{n},cat\n{n},dog\n" for n in names[:3]))
    assert {record.labels for record in open_source(tmp_path / "labels.csv")} == {("cat", "dog")}


def test_rows_of_one_image_in_two_parts_are_named(tmp_path: Path) -> None:
    _photos(tmp_path, "a.png")
    _write(tmp_path, "image,split,x,y,w,h\na.png,train,1,2,3,4\na.png,test,1,2,3,4\n")
    source = open_source(tmp_path)
    assert [record.split for record in source] == ["train"]
    assert "expected 'train' as in labels.csv: line 2, the same image, got 'test'" in str(source.problems[0])


def test_captions_of_one_image_are_all_kept(tmp_path: Path) -> None:
    _photos(tmp_path, "a.png")
    _write(tmp_path, "image,caption\na.png,a cat that sleeps on a very long and rather old sofa\na.png,a cat\n")
    (record,) = open_source(tmp_path)
    assert list(record.attributes.values()) == ["a cat that sleeps on a very long and rather old sofa", "a cat"]


def _pixels(number: int, count: int) -> list[int]:
    return [(number * 7 + place) % 251 for place in range(count)]


@pytest.mark.parametrize("form", ["pixel columns", "1x1 columns", "no header", "behind", "text", "commas", "nested"])
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
    if form in ("text", "commas", "nested"):
        lines = ["emotion,pixels"]
        for label, pixels in rows:
            nested = [pixels[n : n + 4] for n in range(0, 16, 4)]
            cell = {"text": " ".join(map(str, pixels)), "commas": ",".join(map(str, pixels)), "nested": str(nested)}[
                form
            ]
            lines.append(f'{label},"{cell}"')
    source = open_source(_write(tmp_path, "\n".join(lines) + "\n"))
    assert [record.label for record in source] == ["5", "0", "4"]
    assert source.classes == ("0", "4", "5")
    for record, (_, pixels) in zip(source, rows, strict=True):
        picture = load_picture(record.image)
        assert picture.array.dtype == np.uint8
        np.testing.assert_array_equal(picture.array, np.array(pixels).reshape(4, 4))


def test_pixels_of_colour_and_of_a_told_shape(tmp_path: Path) -> None:
    values = _pixels(1, 48)
    header = ",".join(f"pixel{n:04d}" for n in range(48))
    table = _write(tmp_path, f"{header},label\n" + ",".join(map(str, values)) + ",3\n")
    picture = load_picture(open_source(table).records[0].image)
    np.testing.assert_array_equal(picture.array, np.array(values).reshape(4, 4, 3))
    picture = load_picture(open_source(table, extra={"shape": "6x8"}).records[0].image)
    np.testing.assert_array_equal(picture.array, np.array(values).reshape(6, 8))
    table = _write(tmp_path, "image,label\n0 12 255,a\n1 2 3,b\n")
    with pytest.raises(SourceError, match=r"3 numbers, which make no square picture.*--option shape=28x28"):
        open_source(table)
    assert load_picture(open_source(table, extra={"shape": "1x3"}).records[0].image).array.tolist() == [[0, 12, 255]]


def test_parts_of_faces(tmp_path: Path) -> None:
    usage = ["Training", "Training", "PublicTest", "PrivateTest"]
    rows = [f"{n % 2},{' '.join(map(str, _pixels(n, 16)))},{part}" for n, part in enumerate(usage)]
    found = im.scan(_write(tmp_path, "emotion,pixels,Usage\n" + "\n".join(rows) + "\n"))
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
    _photos(tmp_path, *ABCD)
    _write(tmp_path, content if isinstance(content, str) else json.dumps(content), "t.json")
    source = open_source(tmp_path)
    assert (source.layout, _labels(source), source.problems) == ("json", RIGHT, ())


def test_python_in_place_of_json_is_told(tmp_path: Path) -> None:
    _photos(tmp_path, "a.png")
    path = _write(tmp_path, "[{'image': 'a.png', 'label': 'cat', 'seen': None},]", "t.json")
    source = open_source(path)
    assert "it is no JSON but what Python prints, with single quotes; it was read as that" in source.notes[0]
    _write(tmp_path, "[{'image': 'a.png', 'label': open('x')}]", "t.json")
    with pytest.raises(SourceError, match="to be JSON in UTF-8"):
        open_source(path)


@pytest.mark.parametrize("whole", ["paths", "classes", "rows"])
def test_parts_in_json(tmp_path: Path, whole: str) -> None:
    _photos(tmp_path, *ABCD)
    content: Any = {
        "paths": {"train": ["a.png", "b.png"], "test": ["c.png", "d.png"]},
        "classes": {"train": {"cat": ["a.png"], "dog": ["b.png"]}, "test": {"cat": ["c.png"], "dog": ["d.png"]}},
        "rows": {
            "classes": ["cat", "dog"],
            "training": [{"image": "a.png", "label": 0}, {"image": "b.png", "label": 1}],
            "Test": [{"image": "c.png", "label": 0}, {"image": "d.png", "label": 1}],
        },
    }[whole]
    _write(tmp_path, json.dumps(content), "t.json")
    source = open_source(tmp_path)
    assert [record.split for record in source] == ["train", "train", "test", "test"]
    assert _labels(source) == (dict.fromkeys(ABCD) if whole == "paths" else RIGHT)


@pytest.mark.parametrize(
    "things",
    [
        {"boxes": [[1, 2, 21, 19], [2, 2, 29, 18]], "labels": ["cat", "dog"]},
        {"bbox": [[1, 2, 20, 17], [2, 2, 27, 16]], "categories": ["cat", "dog"]},
        {
            "annotations": [
                {"label": "cat", "coordinates": {"x": 11, "y": 10.5, "width": 20, "height": 17}},
                {"label": "dog", "coordinates": {"x": 15.5, "y": 10, "width": 27, "height": 16}},
            ]
        },
        {
            "objects": [
                {"class": "cat", "bndbox": {"xmin": 1, "ymin": 2, "xmax": 21, "ymax": 19}},
                {"class": "dog", "bndbox": {"xmin": 2, "ymin": 2, "xmax": 29, "ymax": 18}},
            ]
        },
    ],
)
def test_things_in_json(tmp_path: Path, things: dict[str, Any]) -> None:
    _photos(tmp_path, "a.png", "b.png")
    empty = {name: [] for name in things}
    _write(tmp_path, json.dumps({"a.png": things, "b.png": empty}), "t.json")
    source = open_source(tmp_path)
    assert _boxes(source) == {"a.png": [("cat", (1, 2, 20, 17)), ("dog", (2, 2, 27, 16))], "b.png": []}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    root = _photos(tmp_path / "served", "cat 1.png", "dog.png")

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
        table = _write(folder, "'location','label'\n" + "".join(f"'{url}','{kind}'\n" for url, kind in urls.items()))
    else:
        rows = [{"location": f"'{url}'", "label": kind} for url, kind in urls.items()]
        table = _write(folder, json.dumps(rows), "t.json")
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


PREPARED: dict[str, tuple[str, dict[str, Any]]] = {
    "paths": ("'location', 'label'\n'a.png', 'cat'\n'b.png', 'dog'\n", {}),
    "one-hot": ("id,cat,dog,bird\na,1,0,0\nb,0,1,0\n", {}),
    "pixels": ("location,label\n'[[0, 12], [255, 3]]','cat'\n'[[1, 2], [3, 4]]','dog'\n", {"layout": "csv"}),
}


@pytest.mark.parametrize("name", PREPARED)
def test_labels_reach_the_store(tmp_path: Path, name: str) -> None:
    _photos(tmp_path / "in", "a.png", "b.png")
    text, told = PREPARED[name]
    _write(tmp_path / "in", text)
    im.prepare(tmp_path / "in", tmp_path / "store", **told)
    store = im.open(tmp_path / "store")
    assert [store.classes[int(store[n].label)] for n in range(2)] == ["cat", "dog"]


def test_boxes_reach_the_store(tmp_path: Path) -> None:
    _photos(tmp_path / "in", "a.png", "b.png")
    _write(
        tmp_path / "in",
        "filename,class,xmin,ymin,xmax,ymax\na.png,cat,2,4,12,14\na.png,dog,5,6,25,16\nb.png,cat,1,2,9,9\n",
    )
    im.prepare(tmp_path / "in", tmp_path / "store")
    store = im.open(tmp_path / "store")
    boxes = {key: store[n].boxes for n, key in enumerate(store.table["key"])}
    np.testing.assert_allclose(boxes["a.png"].array, [[2, 4, 12, 14], [5, 6, 25, 16]])
    assert list(boxes["a.png"].labels) == ["cat", "dog"]


def test_a_row_for_each_mask(tmp_path: Path) -> None:
    _photos(tmp_path, "a.png", "b.png")
    masks = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    for number, mask in enumerate(masks):
        mask[2 + 4 * number : 8 + 4 * number, 5:9] = 255
        im.write_picture(tmp_path / "m" / f"{number}.png", im.data.Picture(mask, "yx"))
    _write(tmp_path, "image,mask,class\na.png,m/0.png,liver\na.png,m/1.png,kidney\nb.png,m/2.png,liver\n")
    source = open_source(tmp_path)
    right = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    right[0][masks[0] > 0] = 2
    right[0][masks[1] > 0] = 1
    right[1][masks[2] > 0] = 2
    for record, wanted in zip(source, right, strict=True):
        assert record.mask is not None
        np.testing.assert_array_equal(load_mask(record.mask).array, wanted)
    assert (
        "3 rows name 2 images: the masks of an image are drawn into one label map (1 kidney, 2 liver)" in source.notes
    )


def test_numbers_of_things_get_their_names(tmp_path: Path) -> None:
    _photos(tmp_path, "a.png")
    _write(tmp_path, "image,class_id,x,y,w,h\na.png,1,1,2,3,4\na.png,0,5,6,7,8\n")
    assert [name for name, _ in _boxes(open_source(tmp_path))["a.png"] or ()] == ["1", "0"]
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    source = open_source(tmp_path)
    assert [name for name, _ in _boxes(source)["a.png"] or ()] == ["dog", "cat"]
    assert (source.categories, source.also_read) == (
        ("cat", "dog"), (tmp_path / "labels.csv", tmp_path / "classes.txt")
    )  # fmt: skip


def test_a_table_called_metadata_that_names_images_otherwise(tmp_path: Path) -> None:
    _photos(tmp_path, "images/a.png", "images/b.png")
    _write(tmp_path, "isic_id,diagnosis\na,nevus\nb,melanoma\n", "metadata.csv")
    source = open_source(tmp_path)
    assert (source.layout, _labels(source)) == ("csv", {"images/a.png": "nevus", "images/b.png": "melanoma"})


def test_a_table_in_a_folder_of_its_own(tmp_path: Path) -> None:
    _photos(tmp_path, "images/a.png", "images/b.png", "other.png")
    for number, start in enumerate(("../images/", "images/", "")):
        _write(tmp_path, f"file,label\n{start}a.png,cat\n{start}b.png,dog\n", "annotations/labels.csv")
        source = open_source(tmp_path)
        assert (number, _labels(source)) == (number, {"images/a.png": "cat", "images/b.png": "dog"})


def test_odd_columns_of_parquet(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    _photos(tmp_path, *ABCD)
    data = [(tmp_path / name).read_bytes() for name in ABCD]
    polars.DataFrame({"what": data, "kind_of": list(KINDS)}).write_parquet(tmp_path / "bytes.parquet")
    polars.DataFrame({"where": list(ABCD), "kind_of": list(KINDS)}).write_parquet(tmp_path / "paths.parquet")
    for name in ("bytes", "paths"):
        source = open_source(tmp_path / f"{name}.parquet")
        assert [record.label for record in source] == list(KINDS)
        shown = [load_picture(record.image).array for record in source]
        np.testing.assert_array_equal(shown, [load_picture(tmp_path / file).array for file in ABCD])
