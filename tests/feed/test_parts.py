"""Which part of a dataset a loader runs over: the training part where there are several, and it says so."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import imagemill as im


def photos(folder: Path, parts: dict[str, int]) -> Path:
    for part, count in parts.items():
        for n in range(count):
            place = folder / part / ("cat" if n % 2 else "dog")
            place.mkdir(parents=True, exist_ok=True)
            values = np.random.default_rng(len(part) * 100 + n).integers(0, 256, (8, 8, 3), dtype=np.uint8)
            PIL.Image.fromarray(values).save(place / f"{n}.png")
    return folder


def keys(dataset: Any, **how: Any) -> list[str]:
    loader = im.Loader(dataset, batch_size=4, workers=0, seed=1, **how)
    return sorted(str(key) for batch in loader for key in batch.keys)


@pytest.fixture
def given(tmp_path: Path) -> Path:
    return photos(tmp_path / "in", {"train": 6, "val": 2, "test": 4})


@pytest.mark.parametrize("what", ["folder", "store", "dataset", "source"])
def test_the_training_part_is_taken_and_that_is_said(given: Path, tmp_path: Path, what: str) -> None:
    dataset: Any = given
    if what in ("store", "dataset"):
        im.prepare(given, tmp_path / "store")
        dataset = tmp_path / "store" if what == "store" else im.open(tmp_path / "store")
    elif what == "source":
        dataset = im.open_source(given)
    with pytest.warns(UserWarning, match=r"parts \(train 6, val 2, test 4\) and the training part is taken"):
        found = keys(dataset)
    assert len(found) == 6
    assert all(key.startswith("train/") for key in found)


def test_parts_by_name_and_all_without_a_word(given: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(keys(given, split="all")) == len(keys(given, split=None)) == 12
        assert [key.split("/")[0] for key in keys(given, split="test")] == ["test"] * 4
        assert len(keys(given, split="train")) == 6
        # One part alone is what was asked for, whatever it is called.
        assert len(keys(im.open(given).subset("val"))) == 2
        assert len(keys(photos(given.parent / "other", {"train": 4}))) == 4
        assert len(im.Loader((np.zeros((3, 8, 8, 3), np.uint8),), split="all", workers=0, seed=1)) == 1


def test_a_part_that_is_not_there_is_refused(given: Path) -> None:
    with pytest.raises(im.InputError, match=r"got 'valid'; choose one of test, train, val, or all"):
        im.Loader(given, split="valid")
    with pytest.raises(im.InputError, match=r"got 'test'; leave it out, or divide it first: imagemill"):
        im.Loader(photos(given.parent / "plain", {".": 3}), split="test")
    with pytest.raises(im.InputError, match=r"expected a dataset with parts for split='test', got a tuple"):
        im.Loader((np.zeros((3, 8, 8, 3), np.uint8),), split="test")


def test_rows_without_a_label_map_among_others_are_told_and_can_be_left_out(tmp_path: Path) -> None:
    source, store = tmp_path / "in", tmp_path / "store"
    for number in range(4):
        for folder in ("images", "masks")[: 1 + (number > 0)]:
            (source / folder).mkdir(exist_ok=True, parents=True)
            PIL.Image.fromarray(np.full((6, 6), number, np.uint8)).save(source / folder / f"{number}.png")
    im.prepare(source, store, size=6, split=0)
    for dataset in (im.open(source), im.open(store)):
        with pytest.warns(UserWarning, match=r"1 of 4 rows have no label map.*np\.flatnonzero\(dataset\.masked\)"):
            im.Loader(dataset, split="all")
        kept = dataset.select(np.flatnonzero(dataset.masked))
        assert sorted(kept.table["key"]) == ["images/1.png", "images/2.png", "images/3.png"]
        im.Loader(kept, split="all")  # without a word
