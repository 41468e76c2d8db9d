"""Tables as people have them: what is right is known from what was written, not from what is read."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import SourceError
from imagemill.data.layouts.opening import open_source
from imagemill.data.records.loading import load_picture
from tests.data.tables import ABCD, KINDS, RIGHT, boxes_of, labels_of, small_photos, written


@pytest.mark.parametrize(
    "name", ["location", "image_name", "image_id", "filepaths", "Id", "photo", "File Name", " File Name ", "what", "X"]
)
def test_the_column_of_files_is_found_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    small_photos(tmp_path, *ABCD)
    written(tmp_path, f"{name},breed\n" + "".join(f"{file},{kind}\n" for file, kind in RIGHT.items()))
    source = open_source(tmp_path)
    assert (source.layout, labels_of(source)) == ("csv", RIGHT)
    assert f"image from {name.strip()!r}" in source.notes[0]


def test_what_was_taken_and_how_to_say_otherwise_is_told(tmp_path: Path) -> None:
    small_photos(tmp_path, *ABCD)
    rows = "".join(f"{file},{kind},{n}.5,x\n" for n, (file, kind) in enumerate(RIGHT.items()))
    written(tmp_path, "what,which,weight,camera\n" + rows)
    source = open_source(tmp_path)
    assert labels_of(source) == RIGHT
    assert source.notes[0] == (
        "took image from 'what' (by what stands in it), label from 'which' (few different values: 2)"
    )
    assert source.notes[1] == (
        "where that is wrong, columns={'image': 'NAME'} (--option column.image=NAME) says which; "
        "left as they are: 'weight', 'camera'"
    )
    told = open_source(tmp_path, columns={"label": "camera"})
    assert set(labels_of(told).values()) == {"x"}


def test_two_columns_that_may_be_classes_are_named_and_none_is_taken(tmp_path: Path) -> None:
    small_photos(tmp_path, *ABCD)
    written(tmp_path, "image,colour,weather\na.png,red,sun\nb.png,red,rain\nc.png,blue,sun\nd.png,blue,rain\n")
    source = open_source(tmp_path)
    assert set(labels_of(source).values()) == {None}
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
        ("file,label\na.png,cat,\nb.png,dog,\nc.png,cat\nd.png,dog,\n", "utf-8"),
        ("file,label\n‘a.png’,cat\n“b.png”,dog\n`c.png`,cat\nd.png,dog\n", "utf-8"),
        ("file,label\n./a.png,cat\n.\\b.png,dog\nC.PNG,cat\n d.png ,dog\n", "utf-8"),
    ],
)  # fmt: skip
def test_separators_quotes_marks_and_spellings(tmp_path: Path, text: str, encoding: str) -> None:
    small_photos(tmp_path, *ABCD)
    written(tmp_path, text, encoding=encoding)
    source = open_source(tmp_path)
    assert (source.layout, labels_of(source), source.problems) == ("csv", RIGHT, ())


def test_other_encodings_are_told_and_the_error_says_how(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png", "b.png")
    written(tmp_path, "file,label\na.png,größe\nb.png,dog\n", encoding="latin-1")
    with pytest.raises(SourceError, match=r"expected .* in UTF-8, got other bytes; .*--option encoding=latin-1"):
        open_source(tmp_path)
    assert labels_of(open_source(tmp_path, encoding="latin-1")) == {"a.png": "größe", "b.png": "dog"}
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
    small_photos(tmp_path, *(f"img/{file}" for file in files))
    rows = "".join(cell.format(*file.split("/")) + f",{file[:3]}\n" for file in [*files, "dog/3.png"])
    written(tmp_path, "path,label\n" + rows)
    source = open_source(tmp_path)
    assert labels_of(source) == {f"img/{file}": file[:3] for file in files}
    notes = " ".join(source.notes)
    assert "files of 4 rows were found without their first folders" in notes
    assert "1 row without the file that is named" in notes
    assert "--option images=DIR" in notes
    assert [problem.name for problem in source.problems] == ["labels.csv: line 6"]


def test_a_missing_file_is_no_other_file_of_its_name(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png", "masks/b.png")
    written(tmp_path, "image,label\na.png,cat\nb.png,dog\n")
    source = open_source(tmp_path, layout="csv")
    assert labels_of(source) == {"a.png": "cat"}
    assert len(source.problems) == 1


def test_names_in_another_unicode_form(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFC", "Möwe.png")
    small_photos(tmp_path, name)
    written(tmp_path, f"image,label\n{unicodedata.normalize('NFD', name)},gull\n")
    source = open_source(tmp_path)
    assert labels_of(source) == {name: "gull"}
    assert "in another spelling" in " ".join(source.notes)


def test_names_without_suffix_in_the_one_folder_beside(tmp_path: Path) -> None:
    small_photos(tmp_path, "images/a.png", "images/b.png", "images/1.png")
    written(tmp_path, "Id,breed\na,cat\nb,dog\n1,cat\n")
    source = open_source(tmp_path)
    assert labels_of(source) == {"images/a.png": "cat", "images/b.png": "dog", "images/1.png": "cat"}
    assert "files of 3 rows were found with the suffix .png, in 'images'" in source.notes


def test_a_folder_of_images_is_told(tmp_path: Path) -> None:
    small_photos(tmp_path, "one/a.png", "two/a.png")
    table = written(tmp_path, "id,label\na,cat\n", "t/labels.csv")
    source = open_source(table, images=tmp_path / "two")
    assert (labels_of(source), source.records[0].image) == ({"a.png": "cat"}, tmp_path / "two" / "a.png")
    with pytest.raises(SourceError, match="expected the folder of images, got 'nowhere'"):
        open_source(table, images=Path("nowhere"))
    with pytest.raises(SourceError, match=r"expected one file named 'a', got .*--option images=DIR"):
        open_source(written(tmp_path, "id,label\na,cat\n"), layout="csv")


def test_tables_of_a_competition(tmp_path: Path) -> None:
    small_photos(tmp_path, *(f"{part}/{name}" for part in ("train", "test") for name in ABCD[:2]))
    written(tmp_path, "id,label\na,1\nb,0\n", "train.csv")
    written(tmp_path, "id\na\nb\n", "test.csv")
    written(tmp_path, "id,label\na,0\nb,0\n", "sample_submission.csv")
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
    small_photos(tmp_path, "train/1.png", "train/2.png", *(f"test/{n}.png" for n in range(8)))
    for name, start in (("train.csv", ""), ("labels.csv", "train/")):
        table = written(tmp_path, f"image,label\n{start}1.png,cat\n{start}2.png,dog\n", name)
        found = im.scan(tmp_path)
        assert (found.layout, dict(found.classes), dict(found.splits)) == ("csv", {"cat": 1, "dog": 1}, {"train": 2})
        assert any(note.startswith("8 files passed over: 8 .png (test/0.png") for note in found.notes)
        table.unlink()


def test_an_unrelated_table_beside_class_folders(tmp_path: Path) -> None:
    small_photos(tmp_path, "cat/1.png", "cat/2.png", "dog/1.png")
    written(tmp_path, "name,price\nx,1\ny,2\n", "prices.csv")
    written(tmp_path, json.dumps({"lr": 0.1}), "settings.json")
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
    small_photos(tmp_path, *ABCD[:3])
    written(tmp_path, "file,label\n" + "".join(f"{file},{cell}\n" for file, cell in zip(ABCD, cells, strict=False)))
    assert [record.labels for record in open_source(tmp_path)] == right


def test_labels_with_blanks_are_whole_unless_their_parts_are_labels(tmp_path: Path) -> None:
    small_photos(tmp_path, *ABCD)
    kinds = ["golden retriever", "german shepherd", "golden eagle", "pug"]
    written(tmp_path, "file,label\n" + "".join(f"{f},{kind}\n" for f, kind in zip(ABCD, kinds, strict=True)))
    assert list(labels_of(open_source(tmp_path)).values()) == kinds
    told = open_source(tmp_path, labels_separator=" ")
    assert [record.labels for record in told][:1] == [("golden", "retriever")]


def test_columns_of_0_and_1(tmp_path: Path) -> None:
    small_photos(tmp_path, *ABCD[:3])
    written(tmp_path, "image,MEL,NV,BCC\na,0.0,1.0,0.0\nb,1.0,0.0,0.0\nc,0.0,0.0,1.0\n")
    source = open_source(tmp_path)
    assert (list(labels_of(source).values()), source.classes) == (["NV", "MEL", "BCC"], ("MEL", "NV", "BCC"))
    written(tmp_path, "image_id,Bald,Hat,Young\na.png,1,-1,1\nb.png,-1,-1,-1\nc.png,-1,1,-1\n")
    source = open_source(tmp_path)
    assert [record.labels for record in source] == [("Bald", "Young"), (), ("Hat",)]


def test_rows_of_different_classes_are_labels_or_a_contradiction(tmp_path: Path) -> None:
    names = [f"{n:02d}.png" for n in range(20)]
    small_photos(tmp_path, *names)
    rows = "".join(f"{name},cat\n" for name in names)
    written(tmp_path, f"image,label\n{rows}03.png,dog\n")
    source = open_source(tmp_path)
    assert len(source) == 19
    assert "03.png" not in labels_of(source)
    (problem,) = source.problems
    assert "03.png: expected one class, got 'cat' (labels.csv: line 5), 'dog' (labels.csv: line 22)" in str(problem)
    written(tmp_path, "image,label\n" + "".join(f"{n},cat\n{n},dog\n" for n in names[:3]))
    assert {record.labels for record in open_source(tmp_path / "labels.csv")} == {("cat", "dog")}


def test_rows_of_one_image_in_two_parts_are_named(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png")
    written(tmp_path, "image,split,x,y,w,h\na.png,train,1,2,3,4\na.png,test,1,2,3,4\n")
    source = open_source(tmp_path)
    assert [record.split for record in source] == ["train"]
    assert "expected 'train' as in labels.csv: line 2, the same image, got 'test'" in str(source.problems[0])


def test_captions_of_one_image_are_all_kept(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png")
    written(tmp_path, "image,caption\na.png,a cat that sleeps on a very long and rather old sofa\na.png,a cat\n")
    (record,) = open_source(tmp_path)
    assert list(record.attributes.values()) == ["a cat that sleeps on a very long and rather old sofa", "a cat"]


def test_numbers_of_things_get_their_names(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png")
    written(tmp_path, "image,class_id,x,y,w,h\na.png,1,1,2,3,4\na.png,0,5,6,7,8\n")
    assert [name for name, _ in boxes_of(open_source(tmp_path))["a.png"] or ()] == ["1", "0"]
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    source = open_source(tmp_path)
    assert [name for name, _ in boxes_of(source)["a.png"] or ()] == ["dog", "cat"]
    assert (source.categories, source.also_read) == (
        ("cat", "dog"), (tmp_path / "labels.csv", tmp_path / "classes.txt")
    )  # fmt: skip


def test_a_table_called_metadata_that_names_images_otherwise(tmp_path: Path) -> None:
    small_photos(tmp_path, "images/a.png", "images/b.png")
    written(tmp_path, "isic_id,diagnosis\na,nevus\nb,melanoma\n", "metadata.csv")
    source = open_source(tmp_path)
    assert (source.layout, labels_of(source)) == ("csv", {"images/a.png": "nevus", "images/b.png": "melanoma"})


def test_a_table_in_a_folder_of_its_own(tmp_path: Path) -> None:
    small_photos(tmp_path, "images/a.png", "images/b.png", "other.png")
    for number, start in enumerate(("../images/", "images/", "")):
        written(tmp_path, f"file,label\n{start}a.png,cat\n{start}b.png,dog\n", "annotations/labels.csv")
        source = open_source(tmp_path)
        assert (number, labels_of(source)) == (number, {"images/a.png": "cat", "images/b.png": "dog"})


def test_odd_columns_of_parquet(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    small_photos(tmp_path, *ABCD)
    data = [(tmp_path / name).read_bytes() for name in ABCD]
    polars.DataFrame({"what": data, "kind_of": list(KINDS)}).write_parquet(tmp_path / "bytes.parquet")
    polars.DataFrame({"where": list(ABCD), "kind_of": list(KINDS)}).write_parquet(tmp_path / "paths.parquet")
    for name in ("bytes", "paths"):
        source = open_source(tmp_path / f"{name}.parquet")
        assert [record.label for record in source] == list(KINDS)
        shown = [load_picture(record.image).array for record in source]
        np.testing.assert_array_equal(shown, [load_picture(tmp_path / file).array for file in ABCD])


def test_a_table_in_a_text_file(tmp_path: Path) -> None:
    small_photos(tmp_path, "images/a.png", "images/b.png")
    written(tmp_path, "image|label\na.png|cat\nb.png|dog\n", "captions.txt")
    for place in (tmp_path, tmp_path / "captions.txt"):
        source = open_source(place)
        assert (source.layout, labels_of(source)) == ("csv", {"images/a.png": "cat", "images/b.png": "dog"})
    written(tmp_path, "images/a.png\n", "captions.txt")
    assert open_source(tmp_path / "captions.txt").layout == "list"


def test_numbers_whose_leading_zeros_were_taken_off(tmp_path: Path) -> None:
    small_photos(tmp_path, "images/00001.png", "images/00012.png", "images/00100.png")
    written(tmp_path, "id,label\n1,cat\n12,dog\n")
    source = open_source(tmp_path)
    assert labels_of(source) == {"images/00001.png": "cat", "images/00012.png": "dog"}
    assert "files of 2 rows were found with leading zeros and the suffix .png, in 'images'" in source.notes


def test_a_column_called_id_may_hold_classes_or_files(tmp_path: Path) -> None:
    small_photos(tmp_path, *ABCD)
    written(tmp_path, "Image,Id\na.png,w_1\nb.png,w_1\nc.png,w_2\nd.png,w_2\n")
    assert set(labels_of(open_source(tmp_path)).values()) == {"w_1", "w_2"}
    written(tmp_path, "Image,Id\na.png,w_1\nb.png,w_2\nc.png,w_3\nd.png,w_4\n")
    assert set(labels_of(open_source(tmp_path)).values()) == {None}


def test_tables_that_name_other_pictures_do_not_win(tmp_path: Path) -> None:
    small_photos(tmp_path, "Train/0/a.png", "Train/1/b.png", "Test/c.png")
    names = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path\n"
    written(tmp_path, f"{names}30,20,5,5,20,15,0,Train/0/a.png\n30,20,5,5,20,15,1,Train/1/b.png\n", "Train.csv")
    written(tmp_path, f"{names}30,20,5,5,20,15,1,Test/c.png\n", "Test.csv")
    written(tmp_path, "Path,ClassId\n" + "".join(f"Meta/{n}.png,{n % 2}\n" for n in range(9)), "Meta.csv")
    source = open_source(tmp_path)
    found = {record.key: (record.split, boxes_of(source)[record.key]) for record in source}
    assert found == {
        "Train/0/a.png": ("train", [("0", (5, 5, 15, 10))]),
        "Train/1/b.png": ("train", [("1", (5, 5, 15, 10))]),
        "Test/c.png": ("test", [("1", (5, 5, 15, 10))]),
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("label_num_to_disease_map.json", '{"0": "healthy", "1": "blight", "2": "rust"}'),
        ("classes.json", '{"blight": 1, "rust": 2, "healthy": 0}'),
        ("class_dict.csv", "class_id,class_name\n0,healthy\n1,blight\n2,rust\n"),
    ],
)
def test_a_file_beside_says_the_names_of_classes(tmp_path: Path, name: str, text: str) -> None:
    small_photos(tmp_path, *ABCD)
    written(tmp_path, "image,label\na.png,1\nb.png,0\nc.png,1\nd.png,0\n")
    written(tmp_path, text, name)
    source = open_source(tmp_path)
    assert list(labels_of(source).values()) == ["blight", "healthy", "blight", "healthy"]
    assert source.classes == ("healthy", "blight", "rust")
    assert f"class names from {name}" in source.notes
    assert tmp_path / name in source.also_read
    written(tmp_path, '{"0": "x", "1": "y"}', "other.json")
    assert set(labels_of(open_source(tmp_path)).values()) == {"0", "1"}


def test_the_table_that_says_more_is_taken_and_an_empty_one_is_none(tmp_path: Path) -> None:
    small_photos(tmp_path, *(f"img/{name}" for name in ABCD))
    written(tmp_path, "image,label\n" + "".join(f"{name},{kind}\n" for name, kind in RIGHT.items()), "train.csv")
    written(tmp_path, "image,x1,y1,x2,y2\na.png,1,2,9,9\n", "boxes.csv")
    written(tmp_path, "image,label\n", "more.csv")
    source = open_source(tmp_path)
    assert labels_of(source) == {f"img/{name}": kind for name, kind in RIGHT.items()}
    assert "boxes.csv names images too and was passed over; give that file itself to read it" in source.notes
    (tmp_path / "train.csv").unlink()
    (tmp_path / "boxes.csv").unlink()
    assert open_source(tmp_path).layout == "folder"


def test_files_come_before_addresses_that_may_not_be_fetched(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png", "b.png")
    written(tmp_path, "url,label,local\nhttp://x.org/1.png,cat,a.png\nhttp://x.org/2.png,dog,b.png\n")
    assert labels_of(open_source(tmp_path)) == {"a.png": "cat", "b.png": "dog"}
    fetched = open_source(tmp_path, urls=True)
    assert list(labels_of(fetched)) == ["x.org/1.png", "x.org/2.png"]


def test_coordinates_are_no_classes(tmp_path: Path) -> None:
    small_photos(tmp_path, "a.png", "b.png")
    written(tmp_path, "image,x,y\na.png,1,2\nb.png,5,6\n")
    assert set(labels_of(open_source(tmp_path)).values()) == {None}
