"""What people open, index and map: arrays, lists of files, patterns, the user's folder, slices, keys, functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import imagemill as im


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n, name in enumerate(("cat/1.png", "cat/2.png", "dog/deep/1.png")):
        im.write_picture(tmp_path / "photos" / name, im.Picture(np.full((4, 5), n, np.uint8), "yx"))
    return tmp_path / "photos"


def _values(dataset: im.Dataset) -> list[int]:
    return [int(sample.image[0, 0]) for sample in dataset]


def test_lists_of_paths_patterns_and_the_users_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [folder / "dog/deep/1.png", str(folder / "cat/1.png")]
    dataset = im.open(paths)
    assert dataset.table["key"].to_list() == ["dog/deep/1.png", "cat/1.png"]
    assert _values(dataset) == [2, 0]
    assert im.open(str(folder / "cat/*.png")).table["key"].to_list() == ["1.png", "2.png"]
    assert _values(im.open(str(folder / "**/*.png"))) == [0, 1, 2]
    monkeypatch.setenv("HOME", str(folder.parent))
    assert len(im.open("~/photos")) == len(im.open(Path("~/photos"))) == 3
    assert _values(im.open("~/photos/dog/**/*.png")) == [2]
    assert _values(im.open([Path("~/photos/cat/2.png")])) == [1]
    with pytest.raises(im.SourceError, match=r"expected files like .*, got none; check the spelling"):
        im.open(str(folder / "*.jpg"))
    with pytest.raises(im.SourceError, match=r"got 1 that are not: .*none\.png"):
        im.open([folder / "cat/1.png", folder / "none.png"])
    wrong: Any
    for wrong in (None, 3, {}, [], [1, 2], [folder, np.zeros((2, 2))]):
        with pytest.raises(
            im.SourceError, match="expected a path, a pattern, a list of paths, a data frame, arrays or records"
        ):
            im.open(wrong)


def test_arrays_and_records(folder: Path) -> None:
    x = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for given in (x, list(x)):
        np.testing.assert_array_equal(im.open(given)[1].image, x[1])
    assert im.open(x, labels=[0, 1], classes=["a", "b"]).class_counts() == {"a": 1, "b": 1}
    assert _values(im.open(list(im.open_source(folder).records))) == [0, 1, 2]


def test_arrays_with_labels_as_newcomers_give_them() -> None:
    x = np.arange(96, dtype=np.uint8).reshape(4, 2, 3, 4)
    y = np.array([0, 1, 1, 0])
    assert im.open((x, y)).class_counts() == {"0": 2, "1": 2}
    assert im.open((x, ["a", "b", "b", "c"])).class_counts() == {"a": 1, "b": 2, "c": 1}
    assert im.open((x, [["a", "b"], ["a"], [], ["b"]])).class_counts() == {"a": 2, "b": 2}
    masked = im.open((x[..., 0], y, x[..., 1]))
    np.testing.assert_array_equal(masked[2].targets["mask"].array, x[2, ..., 1])  # type: ignore[union-attr]
    parts: Any
    for parts in (
        {"train": (x, y), "test": (x[:2], y[:2])},
        ((x, y), (x[:2], y[:2])),  # as the data sets of Keras are loaded
        {"x_train": x, "y_train": y, "x_test": x[:2], "y_test": y[:2]},
    ):
        dataset = im.open(parts)
        assert dataset.table["split"].to_list() == ["train"] * 4 + ["test"] * 2
        assert dataset.table["label"].to_list() == ["0", "1", "1", "0", "0", "1"]
        np.testing.assert_array_equal(dataset[5].image, x[1])
    assert len(im.open((x[0], x[1]))) == 2  # two pictures, no labels
    with pytest.raises(im.InputError, match=r"expected arrays called like x_train and y_train, .* got odd"):
        im.open({"odd": x[0, 0, 0]})
    with pytest.raises(im.InputError, match="expected as many labels as images"):
        im.open({"x": x, "y": y[:3]})


def test_tensors_and_columns_of_data_frames() -> None:
    torch, pandas = pytest.importorskip("torch"), pytest.importorskip("pandas")
    x = np.arange(96, dtype=np.uint8).reshape(4, 3, 2, 4)
    column = pandas.Series(["a", "b", None, "b"], index=[7, 3, 5, 1])
    assert im.open((torch.from_numpy(x), column)).table["label"].to_list() == ["a", "b", None, "b"]
    one = im.open((x, torch.tensor([2, 0, 1, 1])))
    assert one.classes == ("0", "1", "2")
    many = im.from_arrays(x, pandas.DataFrame({"cat": [1, 0, 1, 0], "dog": [1, 0, 0, 0]}))
    assert [record.labels for record in many] == [("cat", "dog"), (), ("cat",), ()]


def test_rows_by_slices_numbers_masks_and_keys(folder: Path) -> None:
    dataset = im.open(str(folder / "**/*.png"))
    assert _values(dataset[:2]) == [0, 1]
    assert _values(dataset[::-1]) == [2, 1, 0]
    assert _values(dataset[[2, 0]]) == [2, 0]
    assert _values(dataset[np.array([True, False, True])]) == [0, 2]
    assert int(dataset["dog/deep/1.png"].image[0, 0]) == 2
    assert dataset["cat/2.png"].recipe.key == "cat/2.png"
    with pytest.raises(im.InputError, match=r"got 'key'; dataset\.table\['key'\] is that column"):
        dataset["key"]
    with pytest.raises(im.InputError, match=r"got 'none\.png'; see dataset\.table\['key'\]"):
        dataset["none.png"]


def test_map_takes_expressions_and_functions(folder: Path) -> None:
    dataset = im.open(str(folder / "**/*.png"))
    made = dataset.map(lambda row: {"kind": row["key"].split("/")[0], "long": len(row["key"]) > 9})
    assert made.table["kind"].to_list() == ["cat", "cat", "dog"]
    assert made.table["long"].to_list() == [False, False, True]
    assert dataset.map(long=pl.col("key").str.len_chars() > 9).table["long"].to_list() == [False, False, True]
    labelled = dataset.map(lambda row: {"label": row["key"][:3]})
    assert labelled.class_counts() == {"cat": 2, "dog": 1}
    with pytest.raises(im.InputError, match=r"got str for 'cat/1\.png'; a pipeline with Apply"):
        dataset.map(lambda row: row["key"])
