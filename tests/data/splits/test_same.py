"""The same picture stays on one side of a split, whatever it is called and wherever it lies."""

from __future__ import annotations

import os
import shutil
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

import imagemill as im
from imagemill.app.cli import app
from imagemill.data import Record, Source, open_source
from imagemill.data.splits.duplicates import _SMALL, Contents, contents_of
from imagemill.data.splits.grouping import column_named, divide, grouped, remarks_on
from imagemill.data.splits.split import Shares


def picture(path: Path, seed: int, size: int = 12) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    PIL.Image.fromarray(values).save(path)
    return path


def pairs(folder: Path, count: int = 20) -> Path:
    """Class folders of so many photos, each twice under two names, the copies in no order."""
    for n in range(count):
        name = "cat" if n % 2 else "dog"
        picture(folder / name / f"a{n:03d}.png", n)
        shutil.copy(folder / name / f"a{n:03d}.png", folder / name / f"{(n * 7) % count:03d}_copy.png")
    return folder


def straddle(root: Path, keys: Any, parts: Any) -> int:
    """How many contents are in more than one part, by their bytes."""
    held: dict[bytes, set[str]] = defaultdict(set)
    for key, part in zip(keys, parts, strict=True):
        held[(root / key).read_bytes()].add(part)
    return sum(len(found) > 1 for found in held.values())


@pytest.mark.parametrize("seed", range(4))
def test_copies_go_to_one_side_and_that_is_said(tmp_path: Path, seed: int) -> None:
    root = pairs(tmp_path / "in")
    made = im.open(root).split((0.5, 0.2, 0.3), seed=seed)
    parts = made.table["split"].to_list()
    assert straddle(root, made.table["key"], parts) == 0
    assert (parts.count("train"), parts.count("val"), parts.count("test")) == (20, 8, 12)
    assert any(note.startswith("20 pictures are there more than once (") for note in made.notes)
    assert "there more than once" in repr(made)


def test_the_command_says_so_too(tmp_path: Path) -> None:
    root = pairs(tmp_path / "in", 10)
    said = CliRunner().invoke(app, ["split", str(root), "--split", "0.3", "-o", str(tmp_path / "s.csv")])
    assert said.exit_code == 0, said.output
    assert "10 pictures are there more than once" in said.output
    assert "= cat/" in said.output or "= dog/" in said.output


@pytest.mark.parametrize("layout", ["folders", "list", "zip-free tar", "arrays"])
def test_prepare_keeps_them_together_in_every_layout(tmp_path: Path, layout: str) -> None:
    root = pairs(tmp_path / "in", 12)
    source: Any = root
    if layout == "list":
        files = sorted(str(path.relative_to(root)) for path in root.rglob("*.png"))
        (root / "all.txt").write_text("\n".join([*files, *files[:5]]))
        source = root / "all.txt"
    elif layout == "zip-free tar":
        im.export(root, tmp_path / "tar", "webdataset")
        source = tmp_path / "tar"
    elif layout == "arrays":
        im.export(root, tmp_path / "arrays", "npz")
        source = tmp_path / "arrays"
    report = im.prepare(source, tmp_path / "out", split=(0.5, 0.25, 0.25), seed=3, unlabeled="null")
    store = im.open(tmp_path / "out")
    sides: dict[bytes, set[str]] = defaultdict(set)
    for row, part in enumerate(store.table["split"]):
        sides[np.asarray(store[row].image).tobytes()].add(part)
    assert all(len(found) == 1 for found in sides.values())
    assert len(sides) == 12
    assert any("12 pictures are there more than once" in note for note in report.notes)
    # A store that is divided anew knows what it was made from.
    again = store.split((0.5, 0.25, 0.25), seed=8).table
    for row, part in enumerate(again["split"]):
        sides[np.asarray(store[row].image).tobytes()] = {part, *()} if row == 0 else {part}
    found = {np.asarray(store[row].image).tobytes(): set() for row in range(len(store))}  # type: ignore[var-annotated]
    for row, part in enumerate(again["split"]):
        found[np.asarray(store[row].image).tobytes()].add(part)
    assert all(len(one) == 1 for one in found.values())


def test_a_path_that_comes_twice_a_link_and_a_copy_are_the_same_picture(tmp_path: Path) -> None:
    one = picture(tmp_path / "a.png", 1)
    os.link(one, tmp_path / "hard.png")
    (tmp_path / "soft.png").symlink_to(one)
    shutil.copy(one, tmp_path / "copy.png")
    other = picture(tmp_path / "b.png", 2)
    other.write_bytes(other.read_bytes().ljust(one.stat().st_size, b"\0")[: one.stat().st_size])
    names = ("a.png", "a.png", "hard.png", "soft.png", "copy.png", "b.png", "gone.png")
    found = contents_of([Record(f"{n}", tmp_path / name) for n, name in enumerate(names)])
    assert found.ids == (0, 0, 0, 0, 0, None, None)
    assert found.copies == 4


def test_large_files_that_agree_where_they_are_looked_at_first_are_told_apart(tmp_path: Path) -> None:
    data = bytearray(os.urandom(3 * _SMALL))
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(data)
    data[_SMALL // 2] ^= 1  # neither at the beginning, nor in the middle, nor at the end
    (tmp_path / "c").write_bytes(data)
    assert contents_of([Record(name, tmp_path / name) for name in "cab"]).ids == (None, 0, 0)


def test_nothing_is_read_where_sizes_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(6):
        (tmp_path / str(n)).write_bytes(bytes(n + 1))

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("read")

    monkeypatch.setattr("imagemill.data.splits.duplicates._pieces", refuse)
    assert contents_of([Record(str(n), tmp_path / str(n)) for n in range(6)]).ids == (None,) * 6


def test_groups_and_copies_are_one_unit_together(tmp_path: Path) -> None:
    # The first picture of p1 is in p2 too, and the last of p2 in p3: all three go together.
    keys = [f"{group}/{n}" for group in ("p1", "p2", "p3", "p4", "p5", "p6") for n in range(3)]
    groups = [key[:2] for key in keys]
    ids: list[int | None] = [None] * len(keys)
    ids[0] = ids[4] = 0
    ids[5] = ids[7] = 1
    for seed in range(6):
        made = divide(keys, Shares(0.5, 0.0, 0.5), None, groups, Contents(tuple(ids)), seed)
        sides = {part for key, part in zip(keys, made.parts, strict=True) if key[:2] in ("p1", "p2", "p3")}
        assert len(sides) == 1
        assert all(len({p for k, p in zip(keys, made.parts, strict=True) if k[:2] == g}) == 1 for g in set(groups))
    mixed = [None if n % 2 else group for n, group in enumerate(groups)]
    first = divide(keys, Shares(0.5, 0.0, 0.5), None, mixed, Contents(tuple(ids)), 1)
    order = np.random.default_rng(0).permutation(len(keys)).tolist()
    other = divide(
        [keys[n] for n in order], Shares(0.5, 0.0, 0.5), None, [mixed[n] for n in order],
        Contents(tuple(ids[n] for n in order)), 1,
    )  # fmt: skip
    assert dict(zip(keys, first.parts, strict=True)) == dict(zip([keys[n] for n in order], other.parts, strict=True))


def test_pictures_that_are_all_alike_are_divided_and_that_is_said(tmp_path: Path) -> None:
    for n in range(10):
        picture(tmp_path / f"{n}.png", 1)
    made = im.open(tmp_path).split(0.2)
    assert made.table["split"].to_list().count("test") == 2
    assert "only 1 of 10 pictures is different" in made.remarks[-1]


# ---------------------------------------------------------------------------------------- splits that are given


def given_split(folder: Path) -> Path:
    for n in range(6):
        picture(folder / "train" / ("cat" if n % 2 else "dog") / f"{n}.png", n)
    for n in range(2):
        picture(folder / "test" / ("cat" if n % 2 else "dog") / f"t{n}.png", 10 + n)
    shutil.copy(folder / "train/cat/3.png", folder / "test/cat/again.png")
    picture(folder / "test/bird/b.png", 20)
    return folder


def test_a_given_split_that_straddles_is_named_by_scan_and_prepare(tmp_path: Path) -> None:
    root = given_split(tmp_path / "in")
    said = " ".join(im.scan(root).notes)
    assert "1 picture is on two sides of the split (test/cat/again.png in test = train/cat/3.png in train)" in said
    assert "1 class has no picture in the training part (bird): a network cannot learn it" in said
    told = " ".join(im.prepare(root, tmp_path / "out").notes)
    assert "1 picture is on two sides of the split" in told
    assert "(bird)" in told


# ---------------------------------------------------------------------------------------- what makes a part useless


def test_groups_that_leave_no_test_part_are_warned_of(tmp_path: Path) -> None:
    for n in range(6):
        picture(tmp_path / "in" / f"{n}.png", n)
    lines = ["file,patient,label", *(f"{n}.png,{'p1' if n < 3 else 'p2'},{'a' if n % 2 else 'b'}" for n in range(6))]
    (tmp_path / "in/t.csv").write_text("\n".join(lines) + "\n")
    with pytest.warns(UserWarning, match=r"no picture is left for the \w+ part: 2 groups for 3 parts"):
        made = im.open(tmp_path / "in/t.csv").split((0.6, 0.2, 0.2), group="patient")
    assert any("2 groups for 3 parts" in note for note in made.notes)
    said = CliRunner().invoke(
        app, ["split", str(tmp_path / "in/t.csv"), "--split", "0.6,0.2,0.2", "--group", "patient"]
    )
    assert said.exit_code == 0, said.output
    assert "2 groups for 3 parts" in said.output
    report = im.prepare(tmp_path / "in/t.csv", tmp_path / "out", split=(0.6, 0.2, 0.2), group="patient")
    assert any("2 groups for 3 parts" in note for note in report.notes)


def test_a_class_that_is_absent_from_train_is_warned_of(tmp_path: Path) -> None:
    assert remarks_on(["train", "test", None], [("a", "b"), ("c",), None]) == (
        "1 class has no picture in the training part (c): a network cannot learn it",
    )
    for n in range(6):
        picture(tmp_path / f"{n}.png", n)
    rows = [f"{n}.png,{'p1' if n < 4 else 'p2'},{'cat' if n < 4 else 'dog'}" for n in range(6)]
    (tmp_path / "t.csv").write_text("\n".join(["file,patient,label", *rows]) + "\n")
    opened = im.open(tmp_path / "t.csv")
    with pytest.warns(UserWarning, match=r"no picture in the training part \((dog|cat)\)"):
        opened.split(0.4, val=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert remarks_on(["train", "train"], ["a", "b"]) == ()


# ---------------------------------------------------------------------------------------- columns of groups


@pytest.mark.parametrize("column", ["patient", "Patient ID", "video", "site", "cow-number"])
def test_any_column_can_be_the_group(tmp_path: Path, column: str) -> None:
    for n in range(12):
        picture(tmp_path / f"{n}.png", n)
    rows = [f"{n}.png,{'a' if n < 6 else 'b'},g{n % 4}" for n in range(12)]
    (tmp_path / "t.csv").write_text("\n".join([f"file,label,{column}", *rows]) + "\n")
    made = im.open(tmp_path / "t.csv").split((0.5, 0.25, 0.25), group=column)
    parts = made.table["split"].to_list()
    assert all(len({parts[n] for n in range(12) if n % 4 == g}) == 1 for g in range(4))
    im.prepare(tmp_path / "t.csv", tmp_path / "out", split=(0.5, 0.25, 0.25), group=column)
    store = im.open(tmp_path / "out").table
    sides = {(key.split(".")[0], part) for key, part in zip(store["key"], store["split"], strict=True)}
    assert all(len({part for key, part in sides if int(key) % 4 == g}) == 1 for g in range(4))


def test_a_pattern_over_keys_stays_a_group() -> None:
    columns: dict[str, Any] = {"key": ["p1_a", "p1_b", "x"], "site": ["s", None, "t"]}
    assert grouped(columns, "(p[0-9]+)_") == ["p1", "p1", None]
    assert grouped(columns, "Site") == ["s", None, "t"]
    assert grouped(columns, None) == [None, None, None]
    assert column_named("patient", ["key", "patient", "group"]) == "patient"
    with pytest.raises(im.InputError, match=r"choose one of \['site'\], or give a regular expression"):
        grouped(columns, "patient")
    with pytest.raises(im.InputError, match="mend it"):
        grouped(columns, "(p")


def test_sources_of_records_and_missing_files_are_divided_all_the_same(tmp_path: Path) -> None:
    records = tuple(Record(f"{n}.png", tmp_path / f"{n}.png") for n in range(10))
    made = im.open(Source(tmp_path, "x", records)).split(0.3)
    assert made.table["split"].to_list().count("test") == 3
    assert open_source(given_split(tmp_path / "g")).layout == "split-folders"
