"""`imagemill scan` as it is typed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from imagemill.app.cli.source_options import source_options
from imagemill.core.errors import InputError
from tests.app.terminal import imagemill
from tests.data.pictures import label_map, photo, photos

SIXTY = tuple(f"{name}/{n}.png" for name in ("0", "cat") for n in range(3))


def test_a_table_of_facts(tmp_path: Path) -> None:
    said = imagemill("scan", photos(tmp_path, *SIXTY))
    assert said.code == 0, said.err
    lines = [line.split(maxsplit=1) for line in said.out.splitlines()]
    told = {words[0]: words[1].strip() for words in lines if len(words) == 2}
    assert told["layout"] == "one folder per class (class-folders)"
    assert told["because"] == "every image lies in one of 2 folders named like classes"
    assert told["classes"] == "2: 0 (3), cat (3)"
    assert (told["formats"], told["pixels"], told["size"]) == (".png", "RGB uint8", "30 x 40")
    assert "opened" not in told
    assert told["licences"] == "none recorded"
    assert "sources" not in told
    assert "2 classes (0, cat) with fewer than 100 images: too few to start with" in said.out
    assert "it could also be: folder (6 images below it); say so with --layout" in said.out


def test_licences_and_sources(tmp_path: Path) -> None:
    photos(tmp_path, "1.png", "2.png", "3.png")
    (tmp_path / "a.csv").write_text("file,license,credit\n1.png,cc-by-nc-4.0,Ann\n2.png,,Ben\n3.png,,\n")
    said = imagemill("scan", tmp_path / "a.csv").out
    told = " ".join(said.split())
    assert "licences CC BY-NC 4.0 (1); none recorded for 2 images sources of 2 images, in credit" in told
    assert "2 images of 3 without a licence, while others have one\n" in said
    assert "1 image may not be used commercially (CC BY-NC 4.0)\n" in said
    (tmp_path / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    (tmp_path / "CITATION.cff").write_text("cite us")
    told = " ".join(imagemill("scan", tmp_path / "a.csv").out.split())
    assert "licences CC0 1.0 (2), CC BY-NC 4.0 (1); CC0 1.0 as README.md says; read CITATION.cff sources" in told


def test_eighty_columns_break_between_names(tmp_path: Path) -> None:
    photos(tmp_path, *(f"a rather long name {n}/1.png" for n in range(15)))
    said = imagemill("scan", tmp_path, columns=80)
    table = said.out[: said.out.index("15 classes")].splitlines()
    assert max(map(len, table)) <= 80
    listed = " ".join(line.strip() for line in table)
    assert "and 3 more" in listed
    names = [f"a rather long name {n} (1)" for n in (0, 1, 10, 11)]
    assert all(any(name in line for line in table) for name in names)


def test_what_could_not_be_read_is_named_and_ends_with_one(tmp_path: Path) -> None:
    photos(tmp_path, *SIXTY)
    (tmp_path / "cat/1.png").write_bytes(b"no picture")
    said = imagemill("scan", tmp_path)
    assert said.code == 1
    assert "could not be read: 1\n" in said.out
    assert "cat/1.png: expected a" in said.out
    for n in range(30):
        (tmp_path / f"cat/bad{n:02d}.png").write_bytes(b"")
    said = imagemill("scan", tmp_path)
    assert "could not be read: 31\n" in said.out
    assert "and 11 more; --json lists all" in said.out
    assert len(json.loads(imagemill("scan", tmp_path, "--json").out)["unreadable"]) == 31


def test_some_are_opened_or_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["imagemill.app.cli.scan"], "OPENED", 2)
    photos(tmp_path, *SIXTY)
    (tmp_path / "cat/2.png").write_bytes(b"no picture")
    said = imagemill("scan", tmp_path)
    assert said.code == 0
    assert "2 of them, spread evenly; --full opens all" in said.out
    said = imagemill("scan", tmp_path, "--full")
    assert said.code == 1
    assert "spread evenly" not in said.out


def test_json_is_whole(tmp_path: Path) -> None:
    said = imagemill("scan", photos(tmp_path, *SIXTY), "--json")
    told = json.loads(said.out)
    assert told["layout"] == "class-folders"
    assert told["classes"] == {"0": 3, "cat": 3}
    assert told["others"] == [{"layout": "folder", "sure": 0.2, "why": "6 images below it"}]
    assert set(told) >= {
        *("path", "layout", "title", "why", "others", "images", "splits", "classes", "categories", "groups", "masks"),
        *(
            "annotated",
            "unlabeled",
            "annotations",
            "pixels",
            "unreadable",
            "notes",
            "attributes",
            "licences",
            "remarks",
        ),
    }


def test_layout_masks_and_options(tmp_path: Path) -> None:
    photos(tmp_path / "in", *SIXTY)
    assert "you said so" in imagemill("scan", tmp_path / "in", "--layout", "folder").out
    label_map(tmp_path / "maps/cat/1.png")
    assert "1 of 6 images; values 0, 1, 2, 3" in imagemill("scan", tmp_path / "in", "--masks", tmp_path / "maps").out
    photo(tmp_path / "1.png", 0, (30, 40))
    assert imagemill("scan", tmp_path / "1.png", "--axes", "zy").code == 1
    (tmp_path / "a.csv").write_text("file,label,kind\n1.png,x,cat\n")
    said = imagemill("scan", tmp_path / "a.csv", "--option", "column.label=kind")
    assert "1: cat (1)" in said.out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("nowhere",), "where there is nothing"),
        ((".", "--layout", "folders"), "expected the name of a layout, got 'folders'"),
        ((".", "--option", "outside"), "expected --option NAME=VALUE, got 'outside'"),
        ((".", "--option", "urls=maybe"), "expected --option urls=yes or no, got 'maybe'"),
    ],
)
def test_errors_end_with_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], error: str
) -> None:
    monkeypatch.chdir(photos(tmp_path, *SIXTY))
    said = imagemill("scan", *words)
    assert said.code == 2
    assert error in said.err
    assert said.out == ""


def test_notes_that_differ_in_numbers_are_one(tmp_path: Path) -> None:
    import numpy as np

    import imagemill as im
    from imagemill.data import Picture

    for n in (3, 4, 5, 5):
        im.write_picture(tmp_path / f"{n}.nii.gz", Picture(np.zeros((n, 6, 5), np.uint8), "zyx"))
    said = imagemill("scan", tmp_path)
    told = " ".join(said.out.split())
    assert "read as N slices; the file says no orientation; nibabel's default is taken (3)" in told
    assert "1 x 1 x 1 mm" in said.out


def test_options_become_arguments() -> None:
    assert source_options(None) == {}
    given = ["outside=no", "separator=;", "cache=here", "group=(p\\d+)=x", "flag=true", "mask_pattern=a=>b"]
    assert source_options(given) == {
        **{"outside": False, "separator": ";", "cache": Path("here"), "mask_pattern": "a=>b"},
        "extra": {"group": "(p\\d+)=x", "flag": True},
    }
    with pytest.raises(InputError, match="expected --option NAME=VALUE"):
        source_options(["=x"])
