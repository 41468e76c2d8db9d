from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import SourceError
from imagemill.data import Picture, Record, Source, open_source, write_picture


def _make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def _keys(source: Source) -> list[str]:
    return [record.key for record in source]


def test_a_folder_is_searched_in_the_order_of_keys(tmp_path: Path) -> None:
    names = ["b.png", "a/z.JPG", "a/b/c.nii.gz", "a.tif", "B.npy", "Info.cfg", ".hidden.png", ".git/x.png"]
    _make(tmp_path, *names, "c.png.part", ".c.png.1-2.part")
    source = open_source(tmp_path)
    assert _keys(source) == ["B.npy", "a.tif", "a/b/c.nii.gz", "a/z.JPG", "b.png"]
    assert (source.layout, source.root, len(source)) == ("folder", tmp_path, 5)
    assert list(source) == list(source)
    assert isinstance(source, Source)
    assert next(iter(source)).image == tmp_path / "B.npy"
    assert source.describe() == (
        f"5 images (folder) in {tmp_path}; 1 file passed over: 1 .cfg (Info.cfg); 4 hidden or system files passed over "
        "(.c.png.1-2.part, .git/, .hidden.png, c.png.part); 2 of 5 images lie in 1 folder named like classes; "
        "pass layout='class-folders' to keep the label"
    )
    assert open_source(str(tmp_path)) == source


def test_class_folders_give_labels(tmp_path: Path) -> None:
    _make(tmp_path, "dog/1.jpg", "cat/1.jpg", "cat/2.jpg", "README.md")
    source = open_source(tmp_path)
    assert source.layout == "class-folders"
    assert [(record.key, record.label) for record in source] == [
        ("cat/1.jpg", "cat"),
        ("cat/2.jpg", "cat"),
        ("dog/1.jpg", "dog"),
    ]
    assert "2 classes: cat 2, dog 1" in source.describe()


@pytest.mark.parametrize(
    ("extra", "label"),
    [("top.jpg", None), ("cat/deep/3.jpg", "cat"), ("images/3.jpg", "images"), ("Train/3.jpg", "Train")],
)
def test_one_odd_file_takes_no_labels_away(tmp_path: Path, extra: str, label: str | None) -> None:
    _make(tmp_path, "dog/1.jpg", "cat/1.jpg", extra)
    source = open_source(tmp_path)
    assert source.layout == "class-folders"
    found = {record.key: record.label for record in source}
    assert found.pop(extra, None) == label
    assert found == {"cat/1.jpg": "cat", "dog/1.jpg": "dog"}
    assert [problem.name for problem in source.problems] == ([] if label else [extra])


def test_links_are_followed_once(tmp_path: Path) -> None:
    _make(tmp_path, "data/a.png", "other/b.png")
    os.symlink(tmp_path / "data", tmp_path / "data" / "again")
    os.symlink(tmp_path / "other", tmp_path / "data" / "linked")
    assert _keys(open_source(tmp_path / "data")) == ["a.png", "linked/b.png"]


def test_a_list_is_read_as_it_was_written_anywhere(tmp_path: Path) -> None:
    _make(tmp_path, "set/a.png", "set/sub/b c.png", "set/#odd.png", "out.png", "set/é.png")
    lines = [
        "# a comment",
        "",
        "a.png",
        "  sub/b c.png  ",
        "./a.png",
        "../out.png",
        str(tmp_path / "set/a.png"),
    ]
    text = "\r\n".join([*lines, "sub/../a.png", "./#odd.png", "é.png"])
    (tmp_path / "set" / "list.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    source = open_source(tmp_path / "set" / "list.txt")
    assert _keys(source) == [
        "a.png",
        "sub/b c.png",
        "a.png#2",
        "out.png",
        "a.png#3",
        "a.png#4",
        "#odd.png",
        "é.png",
    ]
    assert (source.layout, source.root) == ("list", tmp_path / "set")
    assert all(record.image.is_file() for record in source)
    assert "3 lines name a file that came before" in source.describe()


def test_keys_of_a_list_do_not_say_where_a_machine_keeps_its_data(tmp_path: Path) -> None:
    found = []
    pipe = im.Pipeline([im.Rotate((-90, 90)), im.Brightness((0.5, 1.5))], seed=3)
    for place in ("here", "moved/far/away"):
        data, lists = tmp_path / place, tmp_path / f"{place}-lists"
        for n, name in enumerate(("cat/1.png", "cat/2.png", "dog/1.png")):
            values = np.random.default_rng(n).integers(0, 256, (8, 9, 3), dtype=np.uint8)
            im.write_picture(data / name, im.Picture(values, "yxc"))
        lists.mkdir(parents=True)
        names = [data / "cat/1.png", data / "cat/2.png", Path(os.path.relpath(data, lists)) / "dog/1.png"]
        (lists / "all.txt").write_text("".join(f"{name}\n" for name in names))
        assert _keys(open_source(lists / "all.txt")) == ["cat/1.png", "cat/2.png", "dog/1.png"]
        out = tmp_path / f"{place}-out"
        im.augment(lists / "all.txt", out, pipe)
        found.append({p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*.png")})
    assert len(found[0]) == 3
    assert {name.split("/")[0] for name in found[0]} == {"cat", "dog"}
    assert found[0] == found[1]
    (tmp_path / "one.txt").write_text(str(tmp_path / "here/dog/1.png"))
    assert _keys(open_source(tmp_path / "one.txt")) == ["here/dog/1.png"]  # it is in the folder of its list


def test_a_file_really_named_like_a_repetition_keeps_its_key(tmp_path: Path) -> None:
    _make(tmp_path, "a.png", "a.png#2")
    (tmp_path / "list.txt").write_text("a.png\na.png\na.png#2\na.png\n")
    assert _keys(open_source(tmp_path / "list.txt")) == ["a.png", "a.png#3", "a.png#2", "a.png#4"]


def test_bad_lists_are_named_line_by_line(tmp_path: Path) -> None:
    _make(tmp_path, "a.png")
    (tmp_path / "list.txt").write_text("a.png\n\nnone.png\n.\n")
    some = open_source(tmp_path / "list.txt")  # whoever reads them decides whether the others are enough
    assert _keys(some) == ["a.png", "none.png", "."]
    assert some.notes == ("2 of 3 lines name no file (line 3: none.png; line 4: .)",)
    (tmp_path / "list.txt").write_text("\nnone.png\n.\n")
    with pytest.raises(SourceError, match=r"2 that are not: line 2: none\.png; line 3: \."):
        open_source(tmp_path / "list.txt")
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    with pytest.raises(SourceError, match="no path in it; write one path per line"):
        open_source(tmp_path / "empty.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(SourceError, match="save it as UTF-8"):
        open_source(tmp_path / "bytes.txt")


def test_a_single_file(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(np.zeros((2, 3), np.uint8), "yx"))
    source = open_source(tmp_path / "a.png")
    assert list(source) == [Record("a.png", tmp_path / "a.png")]
    assert (source.layout, source.root) == ("file", tmp_path)
    (tmp_path / "plain").write_bytes((tmp_path / "a.png").read_bytes())
    assert _keys(open_source(tmp_path / "plain")) == ["plain"]
    masked = open_source(tmp_path / "a.png", masks=tmp_path / "plain")
    assert [record.mask for record in masked] == [tmp_path / "plain"]


def test_annotations_without_their_images_are_said_to_be_such_and_what_is_advised_opens_them(tmp_path: Path) -> None:
    write_picture(tmp_path / "photos/a.png", Picture(np.zeros((20, 30), np.uint8), "yx"))
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes/0.txt").write_text("")
    (tmp_path / "boxes/a.txt").write_text("1 0.5 0.5 0.2 0.4\n")
    with pytest.raises(SourceError, match=r"annotations as YOLO has them, without their images.*--option labels=boxes"):
        open_source(tmp_path / "boxes")
    [record] = open_source(tmp_path, layout="yolo", extra={"labels": "boxes"})
    assert [one.category for one in record.objects or ()] == ["1"]


def test_what_is_no_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="where there is nothing; check the path"):
        open_source(tmp_path / "none")
    _make(tmp_path, "docs/a.pdf", "docs/b.pdf", "docs/c")
    with pytest.raises(SourceError, match=r"got 2 of suffix \.pdf \(a document, .*\), 1 of suffix none; check"):
        open_source(tmp_path / "docs")
    (tmp_path / "empty").mkdir()
    _make(tmp_path, "notes/a.txt", "notes/b.txt")
    with pytest.raises(SourceError, match=r"got 2 of suffix \.txt; check the folder"):
        open_source(tmp_path / "notes")
    with pytest.raises(SourceError, match="got no files"):
        open_source(tmp_path / "empty")
    (tmp_path / "a.xyz").write_text("text")
    with pytest.raises(SourceError, match="with unknown content; choose its layout"):
        open_source(tmp_path / "a.xyz")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    with pytest.raises(SourceError, match="with a PDF document"):
        open_source(tmp_path / "a.pdf")
    _make(tmp_path, "two/a.png", "two/b.png")
    (tmp_path / "two" / "list.txt").write_text("a.png\nb.png\n")
    with pytest.raises(SourceError, match="give the folder that holds the masks"):
        open_source(tmp_path / "two" / "list.txt", masks=tmp_path / "two" / "a.png")
