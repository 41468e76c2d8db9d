"""`imagemill export` as it is typed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from imagemill.app.cli.export import SHOWN
from imagemill.data import open_source
from imagemill.data.layouts.registry import known_layouts
from tests.app.terminal import imagemill
from tests.data.pictures import label_map, photo, photos

NAMES = ("cat/1.png", "cat/2.jpg", "dog/1.png")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return photos(tmp_path / "in", *NAMES)


def test_what_was_read_and_written_is_told(source: Path, tmp_path: Path) -> None:
    said = imagemill("export", source, "-o", tmp_path / "out", "--to", "csv")
    assert said.code == 0, said.err
    assert f"3 images (class-folders) in {source}; 2 classes: cat 2, dog 1" in said.out
    assert f"3 images as csv to {tmp_path / 'out'}" in said.out
    assert "not kept" not in said.out
    assert [record.label for record in open_source(tmp_path / "out")] == ["cat", "cat", "dog"]


def test_what_is_lost_is_told(source: Path, tmp_path: Path) -> None:
    said = imagemill("export", source, "-o", tmp_path / "out", "--to", "folder")
    assert said.code == 0
    assert "not kept: 3 labels: the layout 'folder' has no place for them" in said.out


def test_json(source: Path, tmp_path: Path) -> None:
    (source / "cat/1.png").write_bytes(b"no picture")
    said = imagemill("export", source, "-o", tmp_path / "out", "--to", "folder", "--format", "tif", "--json")
    assert said.code == 1
    told = json.loads(said.out)
    assert (told["out"], told["images"]) == (str(tmp_path / "out"), 2)
    assert told["lost"] == ["3 labels: the layout 'folder' has no place for them"]
    assert len(told["problems"]) == 1
    assert "cat/1.png" in told["problems"][0]


def test_what_is_left_out_is_named_and_ends_with_one(source: Path, tmp_path: Path) -> None:
    (source / "cat/1.png").write_bytes(b"no picture")
    said = imagemill("export", source, "-o", tmp_path / "out", "--to", "folder", "--format", ".tif")
    assert said.code == 1
    assert "left out: " in said.out
    assert "cat/1.png" in said.out
    (tmp_path / "a.csv").write_text("file\nin/dog/1.png\nnone.png\n")
    said = imagemill("export", tmp_path / "a.csv", "-o", tmp_path / "out2", "--to", "folder")
    assert said.code == 1
    assert "left out: a.csv" in said.out
    assert "more;" not in said.out
    missing = "\n".join(f"none{n}.png" for n in range(SHOWN + 3))
    (tmp_path / "b.csv").write_text(f"file\nin/dog/1.png\n{missing}\n")
    said = imagemill("export", tmp_path / "b.csv", "-o", tmp_path / "out3", "--to", "folder")
    assert said.out.count("left out: ") == SHOWN
    assert "and 3 more; --json lists all" in said.out


def test_formats_links_and_embedded(source: Path, tmp_path: Path) -> None:
    words = ("export", source, "-o")
    assert imagemill(*words, tmp_path / "a", "--to", "class-folders", "--format", "png").code == 0
    assert sorted(r.key for r in open_source(tmp_path / "a")) == ["cat/1.png", "cat/2.png", "dog/1.png"]
    assert imagemill(*words, tmp_path / "b", "--to", "class-folders", "--files", "link").code == 0
    assert os.path.samefile(source / "cat/1.png", tmp_path / "b/cat/1.png")
    assert imagemill(*words, tmp_path / "c", "--to", "parquet", "--embed").code == 0
    assert [p.name for p in (tmp_path / "c").glob("*")] == ["images.parquet"] or (
        tmp_path / "c/images.parquet"
    ).exists()
    assert not (tmp_path / "c/images").exists()


def test_overwrite_only_what_is_ours(source: Path, tmp_path: Path) -> None:
    words = ("export", source, "-o", tmp_path / "out", "--to", "csv")
    assert imagemill(*words).code == 0
    said = imagemill(*words)
    assert said.code == 2
    assert "with an earlier export" in said.err
    assert imagemill(*words, "--overwrite").code == 0
    (tmp_path / "out/notes.txt").write_text("mine")
    said = imagemill(*words, "--overwrite")
    assert said.code == 2
    assert "with notes.txt" in said.err
    assert (tmp_path / "out/images.csv").is_file()


def test_into_the_source_is_refused_and_beside_an_archive_is_not(source: Path, tmp_path: Path) -> None:
    said = imagemill("export", source, "-o", source / "new", "--to", "csv")
    assert said.code == 2
    assert "expected a place outside the source" in said.err
    assert imagemill("export", source, "-o", tmp_path / "tar", "--to", "webdataset").code == 0
    shard = tmp_path / "tar/images-000000.tar"
    said = imagemill("export", shard, "-o", tmp_path / "tar/out", "--to", "class-folders")
    assert said.code == 0, said.err
    assert f"in {shard}" in said.out


def test_layout_masks_and_options(source: Path, tmp_path: Path) -> None:
    said = imagemill("export", source, "-o", tmp_path / "a", "--to", "jsonl", "--layout", "folder")
    assert said.code == 0
    assert {record.label for record in open_source(tmp_path / "a")} == {None}
    label_map(tmp_path / "maps/cat/1.png")
    words = ("--to", "image-masks", "--masks", tmp_path / "maps")
    assert imagemill("export", source, "-o", tmp_path / "b", *words).code == 0
    assert sum(record.mask is not None for record in open_source(tmp_path / "b")) == 1
    photo(tmp_path / "1.png")
    (tmp_path / "t.csv").write_text("file,label,kind\n1.png,x,cat\n")
    words = ("--to", "class-folders", "--option", "column.label=kind")
    assert imagemill("export", tmp_path / "t.csv", "-o", tmp_path / "c", *words).code == 0
    assert (tmp_path / "c/cat/1.png").is_file()


def test_the_list_has_every_layout() -> None:
    said = imagemill("export", "--list", columns=100)
    assert said.code == 0
    told = {line.split()[0]: line for line in said.out.splitlines()[1:] if line and not line.startswith(" ")}
    assert set(told) == {layout.name for layout in known_layouts()}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "write: imagemill export SRC -o DST --to LAYOUT"),
        (("in", "--to", "csv"), "write: imagemill export SRC -o DST --to LAYOUT"),
        (("in", "-o", "out", "--to", "cvs"), "expected the name of a layout, got 'cvs'"),
        (("none", "-o", "out", "--to", "csv"), "where there is nothing"),
        (("in", "-o", "out", "--to", "csv", "--format", "abc"), "expected a format of"),
        (("in", "-o", "out", "--to", "split-folders"), "expected a source with splits"),
    ],
)
def test_errors_end_with_two_and_leave_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], error: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = imagemill("export", *words)
    assert said.code == 2
    assert error in said.err
    assert not (tmp_path / "out").exists()
