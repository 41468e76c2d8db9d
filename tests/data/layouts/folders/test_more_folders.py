"""Arrangements of well-known sets: what is around classes, what repeats them, tables in the folders of parts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from imagemill.data.layouts.opening import open_source


def empty(root: Path, *keys: str) -> Path:
    for key in keys:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).touch()
    return root


def labels_and_parts(root: Path) -> tuple[dict[str | None, int], dict[str | None, int]]:
    source = open_source(root)
    return dict(Counter(r.label for r in source)), dict(Counter(r.split for r in source))


@pytest.mark.parametrize("around", ["lfw", "food-101/images", "My Set v2", "a/b/c"])
def test_folders_around_all_images_tell_none_from_another(tmp_path: Path, around: str) -> None:
    root = empty(tmp_path, *(f"{around}/{name}/{n}.jpg" for name in ("Al_Gore", "Bo_Li") for n in range(3)))
    assert labels_and_parts(root) == ({"Al_Gore": 3, "Bo_Li": 3}, {None: 6})
    asked = {r.label for r in open_source(root, layout="class-tree")}
    assert {label.rpartition("/")[2] for label in asked if label} == {"Al_Gore", "Bo_Li"}


def test_who_asks_for_a_tree_keeps_its_first_level(tmp_path: Path) -> None:
    root = empty(tmp_path, *(f"pet/{name}/{n}.jpg" for name in ("cat", "dog") for n in range(2)))
    assert {r.label for r in open_source(root, layout="class-tree")} == {"pet/cat", "pet/dog"}


def test_a_tree_below_a_wrapper_says_what_it_took_for_parts(tmp_path: Path) -> None:
    keys = [f"data/seg_{part}/pet/{c}/{n}.jpg" for part in ("train", "test") for c in ("cat", "dog") for n in range(2)]
    source = open_source(empty(tmp_path, *keys, *(key.replace("pet", "wild") for key in keys)), layout="class-tree")
    assert {(r.split, r.label) for r in source} >= {("train", "pet/cat"), ("test", "wild/dog")}
    assert any("seg_train is train" in note for note in source.notes)
    assert any("looked through data" in note for note in source.notes)


def test_folds_are_no_classes(tmp_path: Path) -> None:
    keys = [f"{fold}/{part}/{c}/{fold}{n}.jpg" for fold in ("fold_1", "fold_2") for c in "ab"
            for part, count in (("train", 3), ("val", 1)) for n in range(count)]  # fmt: skip
    assert labels_and_parts(empty(tmp_path, *keys)) == ({"a": 8, "b": 8}, {"train": 12, "val": 4})


@pytest.mark.parametrize(
    ("train", "other", "part"),
    [
        ("rps/rps", "rps-test-set/rps-test-set", "test"),
        ("horse-or-human", "validation-horse-or-human", "val"),
        ("leaves", "leaves_testing", "test"),
    ],
)
def test_of_two_names_one_with_a_part_the_other_trains(tmp_path: Path, train: str, other: str, part: str) -> None:
    keys = [f"{folder}/{name}/{n}.png" for folder in (train, other) for name in ("paper", "rock") for n in range(2)]
    assert labels_and_parts(empty(tmp_path, *keys)) == ({"paper": 4, "rock": 4}, {"train": 4, part: 4})


def test_a_class_that_begins_like_another_is_one(tmp_path: Path) -> None:
    keys = [f"{name}/{n}.png" for name in ("car", "car_train", "bus") for n in range(2)]
    assert labels_and_parts(empty(tmp_path, *keys))[0] == {"car": 2, "car_train": 2, "bus": 2}


def test_tables_in_the_folders_of_parts_belong_together(tmp_path: Path) -> None:
    counts = (("train", 3), ("valid", 2), ("test", 1))
    for part, count in counts:
        rows = [f"{n}.jpg,12,10,{name},1,1,5,5" for n in range(count) for name in ("cat", "dog")]
        empty(tmp_path, *(f"{part}/{n}.jpg" for n in range(count)))
        text = "\n".join(["filename,width,height,class,xmin,ymin,xmax,ymax", *rows])
        (tmp_path / part / "_annotations.csv").write_text(text + "\n", encoding="utf-8")
    source = open_source(tmp_path)
    assert Counter(r.split for r in source) == {"train": 3, "val": 2, "test": 1}
    assert sum(len(r.objects or ()) for r in source) == 12
    assert {r.key for r in source} == {f"{part}/{n}.jpg" for part, count in counts for n in range(count)}
    assert not source.passed_over
