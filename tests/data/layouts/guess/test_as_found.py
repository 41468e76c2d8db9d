"""Folders as they are found, one line each: what they are, through the guess, `scan`, `open` and `prepare`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import imagemill as im
from imagemill.app.cli import app
from imagemill.data import open_source
from imagemill.verbs.scan.scan import scan


@dataclass(frozen=True)
class Case:
    """Pictures by key with class and part, other files, and what has to be said; pictures that are no records."""

    layout: str
    images: dict[str, tuple[str | None, str | None]]
    others: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()


def _classes(pattern: str, *names: str, split: str | None = None) -> dict[str, tuple[str | None, str | None]]:
    return {pattern.format(name, n): (name, split) for name in names for n in (1, 2)}


CASES = {
    "a stray picture": Case("class-folders", _classes("{}/{}.png", "cat", "dog"), odd=("stray.png",)),
    "a folder within a class": Case(
        "class-folders",
        _classes("{}/{}.png", "cat", "dog") | {"cat/more/3.png": ("cat", None)},
        said=("1 image in sub-folders of class folders (cat/more)",),
    ),
    "an uneven hierarchy": Case(
        "class-tree",
        {"dog/beagle/1.png": ("dog/beagle", None), "dog/pug/2.png": ("dog/pug", None), "cat/3.png": ("cat", None)},
    ),
    "classes of masked people": Case("class-folders", _classes("{}/{}.png", "with_mask", "without_mask")),
    "classes named like roles and parts": Case(
        "class-folders", _classes("{}/{}.png", "cat", "images", "masks", "test", "train_station", "test_tube")
    ),
    "a wrapper around parts": Case(
        "split-folders",
        _classes("my set/train/{}/{}.png", "cat", "dog", split="train")
        | _classes("my set/test/{}/{}.png", "cat", "dog", split="test"),
        said=("looked through my set",),
    ),
    "a folder of its own name": Case(
        "split-folders",
        _classes("seg_train/seg_train/{}/{}.png", "sea", split="train")
        | _classes("seg_test/seg_test/{}/{}.png", "sea", split="test"),
        said=("seg_train is train",),
    ),
    "classes in images": Case("class-folders", _classes("images/{}/{}.png", "cat", "dog"), ("README.md",)),
    "what systems leave": Case(
        "class-folders",
        _classes("{}/{}.png", "cat", "dog"),
        ("__MACOSX/cat/x.jpg", "@eaDir/1.jpg", "Thumbs.db", "cat/desktop.ini", "dog/._1.png", ".git/a.png"),
        ("hidden or system files passed over",),
    ),
    "a table of something else": Case(
        "class-folders",
        _classes("{}/{}.png", "cat", "dog"),
        ("prices.csv", "README.md", "notes.json"),
        ("3 files passed over: 1 .csv, 1 .json, 1 .md",),
    ),
    "a class without pictures": Case(
        "class-folders",
        _classes("{}/{}.png", "cat", "dog"),
        ("emu/1.psd", "gnu/"),
        ("2 folders beside class folders gave no image: emu (1 .psd), gnu (empty)", "1 file of suffix .psd is not"),
    ),
    "training_set and test_set": Case(
        "split-folders",
        _classes("training_set/{}/{}.png", "cat", split="train") | _classes("test_set/{}/{}.png", "cat", split="test"),
        said=("test_set is test", "training_set is train"),
    ),
    "train and eval": Case(
        "split-folders",
        _classes("train/{}/{}.png", "cat", split="train") | _classes("eval/{}/{}.png", "cat", split="val"),
        said=("eval is val",),
    ),
    "train and holdout": Case(
        "split-folders",
        _classes("train/{}/{}.png", "cat", split="train") | _classes("holdout/{}/{}.png", "cat", split="test"),
        said=("holdout is test",),
    ),
    "classes beside a test part": Case(
        "split-folders",
        _classes("{}/{}.png", "cat", "dog", split="train") | _classes("test/{}/{}.png", "cat", "dog", split="test"),
    ),
    "class and part in one name": Case(
        "split-folders",
        _classes("{}_train/{}.png", "cats", "dogs", split="train")
        | _classes("{}_test/{}.png", "cats", "dogs", split="test"),
    ),
    "parts within classes": Case(
        "split-folders",
        _classes("{}/train/{}.png", "cat", "dog", split="train") | _classes("{}/val/{}.png", "cat", "dog", split="val"),
    ),
    "pieces of one whole": Case(
        "class-folders", _classes("fold1/{}/{}.png", "cat", "dog") | _classes("fold2/{}/{}.png", "cat", "dog"),
        said=("looked through fold1, fold2",),
    ),
    "a stray picture beside parts": Case(
        "split-folders",
        _classes("trainset/{}/{}.png", "cat", "dog", split="train")
        | _classes("testset/{}/{}.png", "cat", "dog", split="test"),
        odd=("preview.png",),
    ),
}  # fmt: skip


def make(case: Case, root: Path) -> Path:
    for seed, key in enumerate((*case.images, *case.odd)):
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
        Image.fromarray(values).save(root / key)
    for key in case.others:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        if key.endswith("/"):
            (root / key).mkdir()
        else:
            (root / key).write_text("item,price\nbread,3\n" if key.endswith(".csv") else "{}")
    return root


@pytest.mark.parametrize("name", CASES)
def test_labels_and_parts_are_kept(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    root = make(case, tmp_path / "in")
    source = open_source(root)
    assert source.layout == case.layout, source.describe()
    assert {record.key: (record.label, record.split) for record in source} == case.images
    assert [problem.name for problem in source.problems] == list(case.odd)
    for words in case.said:
        assert words in source.describe()

    found = scan(root, opened=0)
    assert dict(found.classes) == Counter(label for label, _ in case.images.values())
    assert dict(found.splits) == Counter(split for _, split in case.images.values() if split is not None)
    assert [trouble.name for trouble in found.unreadable] == list(case.odd)

    opened = im.open(root)
    assert opened.class_counts() == dict(found.classes)
    assert all(any(words in note for note in opened.notes) for words in (*case.said, *case.odd))


@pytest.mark.parametrize("name", ["a stray picture beside parts", "an uneven hierarchy"])
def test_a_store_keeps_them_too(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    report = im.prepare(make(case, tmp_path / "in"), tmp_path / "store", val=0)
    stored = im.open(tmp_path / "store")
    labels = Counter(label for label, _ in case.images.values())
    assert stored.class_counts() == labels
    splits = Counter(split for _, split in case.images.values() if split is not None)
    if splits:
        assert dict(stored.table["split"].value_counts().iter_rows()) == splits
    assert [failure.key for failure in report.failed] == list(case.odd)
    assert all(any(key in note for note in report.notes) for key in case.odd)


def test_a_few_images_in_no_part_do_not_mix_the_parts(tmp_path: Path) -> None:
    images = _classes("train/{}/{}.png", "cat", split="train") | _classes("test/{}/{}.png", "cat", split="test")
    source = open_source(make(Case("split-folders", images | {"extra/cat/9.png": ("cat", None)}), tmp_path / "in"))
    assert "1 image lies in no part: extra/cat" in source.describe()
    report = im.prepare(source, tmp_path / "store", val=0)
    assert (report.counts["train"], report.counts["test"]) == (3, 2)
    assert "1 in no part are for training" in report.how_split


def test_the_table_of_evidence(tmp_path: Path) -> None:
    case = Case("class-folders", _classes("{}/{}.png", "cat", "dog"), odd=("odd.png",))
    root = make(case, tmp_path)
    (root / "some.csv").write_text("file,label\ncat/1.png,x\n")
    found = scan(root, opened=0, why=True)
    assert found.layout == "class-folders"
    seen = {piece.seen: piece for piece in found.evidence}
    assert seen["folders of classes: cat (2), dog (2)"].carries == "label"
    ways = {one.layout.name: one for one in found.candidates}
    assert found.candidates[0].layout.name == "class-folders"
    assert (len(ways["class-folders"].takes or ()), dict(ways["class-folders"].left)) == (4, {".png": 1})
    assert dict(ways["csv"].left) == {".png": 4}
    assert any("some.csv" in note and "layout='csv'" in note for note in found.notes)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["passed_over"] == {".csv": 1, ".png": 1}
    assert {one["layout"] for one in plain["candidates"]} >= {"class-folders", "csv", "folder"}

    shown = CliRunner().invoke(app, ["scan", str(root), "--why"])
    words = " ".join(shown.output.split())
    assert shown.exit_code == 1
    for text in ("what was seen", "folders of classes", "what layouts make of it", "--layout csv", "odd.png"):
        assert text in words, shown.output


def test_what_is_in_a_broken_table_is_not_read_as_a_plain_folder(tmp_path: Path) -> None:
    make(Case("folder", {"1.png": (None, None)}), tmp_path)
    (tmp_path / "instances.json").write_text(
        '{"images": [{"id": 1, "file_name": "gone.png"}], "annotations": [], "categories": []}'
    )
    with pytest.raises(im.SourceError, match=r"instances\.json"):
        open_source(tmp_path)
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    make(Case("class-folders", _classes("{}/{}.png", "cat", "dog")), tmp_path)
    (tmp_path / "1.png").unlink()
    kept = open_source(tmp_path)
    assert (kept.layout, len(kept)) == ("class-folders", 4)
    assert "this could not be used" in kept.describe()


def test_a_table_takes_the_parts_of_the_folders(tmp_path: Path) -> None:
    images = {"train/1.png": (None, "train"), "train/2.png": (None, "train"), "test/3.png": (None, "test")}
    make(Case("", images), tmp_path)
    (tmp_path / "all.csv").write_text("file,label\ntrain/1.png,x\ntrain/2.png,y\ntest/3.png,x\n")
    source = open_source(tmp_path)
    assert source.layout == "csv"
    assert [(r.label, r.split) for r in source] == [("x", "train"), ("y", "train"), ("x", "test")]
    assert "parts are from the folders" in source.describe()


def test_a_picture_without_suffix_is_named(tmp_path: Path) -> None:
    make(Case("", _classes("{}/{}.png", "cat", "dog")), tmp_path)
    (tmp_path / "cat/1.png").rename(tmp_path / "cat/0001")
    (problem,) = open_source(tmp_path).problems
    assert "cat/0001" in str(problem)
    assert "rename them to end in .png" in str(problem)
