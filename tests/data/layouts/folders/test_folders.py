"""What folders say: classes, splits, hierarchies, groups; and the same written again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import SourceError
from imagemill.data import Record, Source, open_source
from imagemill.data.layouts.base import WriteTarget
from imagemill.data.layouts.folder_names import place_of, safe_stems, split_named
from imagemill.data.layouts.folders.image_folders import ClassFolders, ClassTree, Folder, SplitFolders
from imagemill.data.layouts.registry import guesses, known_layouts, layout_named, look_at
from tests.data.pictures import label_map, photo


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def told(source: Source) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(record.key, record.label, record.split, record.group) for record in source]


@pytest.mark.parametrize(
    ("names", "layout", "labels", "splits"),
    [
        (["cat/1.png", "dog/1.png"], "class-folders", ["cat", "dog"], [None, None]),
        (["0/1.png", "1/1.png"], "class-folders", ["0", "1"], [None, None]),
        (["train/cat/1.png", "valid/cat/2.png"], "split-folders", ["cat", "cat"], ["train", "val"]),
        (["Train/cat/1.png", "test2017/2.png"], "split-folders", ["cat", None], ["train", "test"]),
        (["train/1.png", "val/2.png"], "split-folders", [None, None], ["train", "val"]),
        (["train/images/1.png", "val/images/2.png"], "split-folders", [None, None], ["train", "val"]),
        (["dog/beagle/1.png", "cat/manx/1.png"], "class-tree", ["cat/manx", "dog/beagle"], [None, None]),
        (
            ["train/dog/beagle/1.png", "test/cat/manx/1.png"],
            "class-tree",
            ["cat/manx", "dog/beagle"],
            ["test", "train"],
        ),
        (["dog/beagle/1.png", "cat/1.png"], "class-tree", ["cat", "dog/beagle"], [None, None]),
        (["test/1.png", "cat/1.png"], "class-folders", ["cat", "test"], [None, None]),
        (["images/1.png", "2.png"], "folder", [None, None], [None, None]),
        (["train/a/b/1.png", "train/a/2.png"], "split-folders", ["a", "a"], ["train", "train"]),
    ],
)
def test_arrangements_are_told_apart(
    tmp_path: Path, names: list[str], layout: str, labels: list[str | None], splits: list[str | None]
) -> None:
    source = open_source(make(tmp_path, *names))
    assert source.layout == layout
    assert [record.label for record in source] == labels
    assert [record.split for record in source] == splits
    assert [record.key for record in source] == sorted(names)


def test_folders_of_patients_are_groups_and_no_classes(tmp_path: Path) -> None:
    flat = open_source(make(tmp_path / "a", "patient001/1.png", "patient002/1.png", "patient002/2.png"))
    assert flat.layout == "folder"
    assert [record.group for record in flat] == ["patient001", "patient002", "patient002"]
    assert "group: the folder of each image" in flat.describe()
    split = open_source(make(tmp_path / "b", "train/Video_1/1.png", "test/Video_2/1.png"))
    assert told(split) == [
        ("test/Video_2/1.png", None, "test", "Video_2"),
        ("train/Video_1/1.png", None, "train", "Video_1"),
    ]
    named = make(tmp_path / "c", "cat/p1_1.png", "cat/p1_2.png", "dog/p2_1.png", "dog/x.png")
    assert [r.group for r in open_source(named, extra={"group": r"(p\d)_"})] == ["p1", "p1", "p2", None]
    assert [r.group for r in open_source(named, extra={"group": "folder"})] == ["cat", "cat", "dog", "dog"]
    with pytest.raises(SourceError, match="expected group as 'folder' or a regular expression"):
        open_source(named, extra={"group": "("})


def test_a_layout_that_is_asked_for_is_taken(tmp_path: Path) -> None:
    make(tmp_path, "dog/beagle/1.png", "cat/1.png", "top.png")
    tree = open_source(tmp_path, layout="class-tree")
    assert [record.label for record in tree] == ["cat", "dog/beagle"]
    assert [problem.name for problem in tree.problems] == ["top.png"]
    assert [record.label for record in open_source(tmp_path, layout="class-folders")] == ["cat", "dog"]
    assert len(open_source(tmp_path, layout="folder")) == 3
    with pytest.raises(SourceError, match="below a folder named train, val or test"):
        open_source(tmp_path, layout="split-folders")
    with pytest.raises(SourceError, match="There are file, list, folder"):
        open_source(tmp_path, layout="folders")
    with pytest.raises(SourceError, match="expected a folder for the layout 'class-tree'"):
        open_source(tmp_path / "top.png", layout="class-tree")
    with pytest.raises(ValueError, match="words of a single layout go into extra"):
        open_source(tmp_path, labels="x")


def test_a_class_may_be_called_test(tmp_path: Path) -> None:
    source = open_source(make(tmp_path, "test/1.png", "cat/1.png"), layout="class-folders")
    assert [(record.label, record.split) for record in source] == [("cat", None), ("test", None)]


def test_guesses_are_ordered_and_say_why(tmp_path: Path) -> None:
    found = guesses(look_at(make(tmp_path, "cat/1.png", "dog/1.png")))
    assert [layout.name for layout, _ in found] == ["class-folders", "folder"]
    assert found[0][1].why == "every image lies in one of 2 folders named like classes"


def test_names_of_layouts_are_unique() -> None:
    names = [layout.name for layout in known_layouts()]
    assert len(set(names)) == len(names)
    assert all(layout_named(name).name == name for name in names)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("TRAIN", "train"),
        ("dev", "val"),
        ("val_2017", "val"),
        ("testing", "test"),
        ("trains", None),
        ("train1", "train"),
    ],
)
def test_names_of_splits(name: str, split: str | None) -> None:
    assert split_named(name) == split


def test_keys_lose_split_and_role_once() -> None:
    assert place_of("train/images/train/1.png").folders == ("train",)
    assert place_of("JPEGImages/a/1.png").bare == "a/1.png"


NAMES = st.text(st.sampled_from("aAé: .\\#1"), min_size=1, max_size=6)


@given(st.sets(NAMES, min_size=1, max_size=12))
def test_stems_are_safe_and_apart_whatever_the_order(names: set[str]) -> None:
    keys = {f"{name}.png": f"{name}.png" for name in sorted(names)}
    stems = safe_stems(keys)
    assert stems == safe_stems(dict(reversed(keys.items())))
    assert len({stem.casefold() for stem in stems.values()}) == len(keys)
    assert not any(set(stem) & set(':\\<>"|?*') or stem.startswith((".", "/")) for stem in stems.values())


def test_stems_that_some_file_system_takes_for_one_stay_apart() -> None:
    assert safe_stems({"a.png": "a.png", "A.png": "A.png", "b.png": "b.png"}) == {
        "a.png": "a-29d6e224",
        "A.png": "A-1eeca00f",
        "b.png": "b",
    }
    assert safe_stems({"a.png": "a.png", "a.jpg": "a.jpg"}, apart=False) == {"a.png": "a", "a.jpg": "a"}


@given(st.sampled_from(["../../x.png", "/etc/x.png", "a/../../x.png", "..\\x.png", "C:/x.png"]))
def test_stems_never_lead_out(key: str) -> None:
    stem = safe_stems({key: key})[key]
    assert ".." not in stem.split("/")
    assert not stem.startswith("/")


def _source(root: Path, *rows: tuple[str, str | None, str | None], **facts: object) -> Source:
    records = tuple(
        Record(key, photo(root / f"{number}.png", number), label=label, split=split)
        for number, (key, label, split) in enumerate(rows)
    )
    return Source(root, "made up", records, **facts)  # type: ignore[arg-type]  # names of fields


def test_class_folders_come_back(tmp_path: Path) -> None:
    source = _source(
        tmp_path / "in", ("cat/1.png", "cat", None), ("images/x/2.png", "dog", None), ("3.png", "dog", None)
    )
    written = ClassFolders().write(source, tmp_path / "out", WriteTarget())
    assert (written.count, written.lost) == (3, ())
    back = open_source(tmp_path / "out")
    assert told(back) == [
        ("cat/1.png", "cat", None, None),
        ("dog/3.png", "dog", None, None),
        ("dog/images-x-2.png", "dog", None, None),
    ]


def test_what_class_folders_cannot_hold_is_named(tmp_path: Path) -> None:
    source = _source(
        tmp_path / "in",
        *(("1.png", "dog/beagle", "train"), ("2.png", "a:b", "test"), ("3.png", None, None)),
        classes=("dog/beagle", "a:b"),
    )
    written = ClassFolders().write(source, tmp_path / "out", WriteTarget())
    lost = " | ".join(written.lost)
    for words in ("levels of labels: joined", "class name 'a:b': written as", "order of classes", "2 pictures' splits"):
        assert words in lost, lost
    assert [str(problem) for problem in written.problems] == [
        "3.png: expected a label, got none; choose 'folder' or a table for this set"
    ]
    assert {record.label for record in open_source(tmp_path / "out")} >= {"dog-beagle"}
    with pytest.raises(SourceError, match="expected a source with labels"):
        ClassFolders().write(_source(tmp_path / "in2", ("1.png", None, None)), tmp_path / "out2", WriteTarget())


def test_split_folders_come_back(tmp_path: Path) -> None:
    rows = [("train/cat/1.png", "cat", "train"), ("val/cat/1.png", "cat", "val"), ("x.png", "dog", "test")]
    written = SplitFolders().write(_source(tmp_path / "in", *rows), tmp_path / "out", WriteTarget())
    assert (written.lost, written.problems) == ((), ())
    assert [row[:3] for row in told(open_source(tmp_path / "out"))] == [
        ("test/dog/x.png", "dog", "test"),
        ("train/cat/1.png", "cat", "train"),
        ("val/cat/1.png", "cat", "val"),
    ]
    bare = _source(tmp_path / "in2", ("a.png", None, "train"), ("b.png", None, None))
    written = SplitFolders().write(bare, tmp_path / "out2", WriteTarget())
    assert "b.png: expected a split" in str(written.problems[0])
    assert [row[:3] for row in told(open_source(tmp_path / "out2"))] == [("train/a.png", None, "train")]
    with pytest.raises(SourceError, match="expected a source with splits"):
        SplitFolders().write(_source(tmp_path / "in3", ("a.png", "x", None)), tmp_path / "out3", WriteTarget())


def test_hierarchies_come_back(tmp_path: Path) -> None:
    rows = [("dog/beagle/1.png", "dog/beagle", "train"), ("7/2.png", "cat/manx", "test")]
    written = ClassTree().write(_source(tmp_path / "in", *rows), tmp_path / "out", WriteTarget())
    assert (written.lost, written.problems) == ((), ())
    back = open_source(tmp_path / "out")
    assert back.layout == "class-tree"
    assert [row[:3] for row in told(back)] == [
        ("test/cat/manx/7-2.png", "cat/manx", "test"),
        ("train/dog/beagle/1.png", "dog/beagle", "train"),
    ]


def test_a_plain_folder_keeps_keys_and_bytes_and_names_the_rest(tmp_path: Path) -> None:
    root = tmp_path / "in"
    record = Record(
        "a/b.png",
        photo(root / "b.png"),
        label_map(root / "m.png"),
        label="x",
        labels=("x", "y"),
        objects=(),
        split="train",
        group="g",
        attributes={"iso": 1},
    )
    source = Source(root, "made up", (record,), info={"info": {}, "category_ids": {}})
    written = Folder().write(source, tmp_path / "out", WriteTarget())
    assert sorted(one.split(":")[0] for one in written.lost) == [
        "1 facts of the whole set (info)",
        "1 label maps",
        "1 labels",
        "1 pictures with attributes (iso)",
        "1 pictures' groups",
        "1 pictures' several labels",
        "1 pictures' splits",
    ]
    assert (tmp_path / "out" / "a" / "b.png").read_bytes() == (root / "b.png").read_bytes()


def test_one_file_and_a_list_come_back(tmp_path: Path) -> None:
    source = _source(tmp_path / "in", ("b/#2.png", None, None), ("a.png", None, None))
    written = layout_named("list").write(source, tmp_path / "list", WriteTarget())
    assert written.lost == ()
    assert [record.key for record in open_source(tmp_path / "list" / "list.txt")] == ["b/#2.png", "a.png"]
    one = Source(tmp_path, "file", source.records[:1])
    layout_named("file").write(one, tmp_path / "one", WriteTarget())
    assert [path.name for path in (tmp_path / "one").glob("*.png")] == ["#2.png"]
    with pytest.raises(SourceError, match="expected one image"):
        layout_named("file").write(source, tmp_path / "two", WriteTarget())


def test_real_folders(data_root: Path) -> None:
    pets = open_source(data_root / "pets")
    assert (pets.layout, len(pets), len({record.label for record in pets})) == ("class-folders", 300, 5)
    volumes = open_source(data_root / "volumes")  # several sets below one folder: label maps stay with their images
    assert (len(volumes), sum(record.mask is not None for record in volumes)) == (93, 78)
