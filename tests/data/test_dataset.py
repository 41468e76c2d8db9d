"""The table users hold: rows chosen, divided, joined, shown, and handed on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import imagemill as im
from imagemill.data.dataset import Dataset
from imagemill.data.dataset import open as open_dataset
from imagemill.verbs.prepare import prepare
from tests.architecture.repository import SRC, environment
from tests.data.pictures import cut, photo
from tests.steps import lines_run


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    for n in range(30):
        photo(root / ("cat", "dog", "fox")[n % 3] / f"{n:02d}.png", n, (10, 12, 3))
    return root


@pytest.fixture(scope="module")
def stored(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("store")
    prepare(photos, out, size=8)
    return out


@pytest.fixture(params=["source", "store"])
def dataset(request: pytest.FixtureRequest, photos: Path, stored: Path) -> Dataset:
    return open_dataset(photos if request.param == "source" else stored)


def test_rows_are_samples_that_pipelines_take(dataset: Dataset) -> None:
    assert len(dataset) == 30
    sample = dataset[4]
    assert sample.recipe.key == dataset.table["key"][4]
    assert dataset.classes[sample.label] == dataset.table["label"][4]
    assert dataset[-1].recipe.key == dataset.table["key"][29]
    out = im.Pipeline([im.Flip("x")], seed=1)(**sample.targets, key=sample.recipe.key)
    np.testing.assert_array_equal(out.image, sample.image[:, ::-1])
    assert len(list(dataset)) == 30
    with pytest.raises(IndexError, match="below 30"):
        _ = dataset[30]


def test_rows_are_chosen(dataset: Dataset) -> None:
    cats = dataset.filter(pl.col("label") == "cat")
    assert cats.class_counts() == {"cat": 10, "dog": 0, "fox": 0}
    assert cats.table.equals(dataset.filter(lambda row: row["label"] == "cat").table)
    for row, sample in enumerate(cats):
        assert sample.recipe.key == cats.table["key"][row]
        assert sample.recipe.key.startswith("cat/")
        assert sample.label == 0
    picked = dataset.select([5, 3, 5])
    assert picked.table["key"].to_list() == [dataset.table["key"][n] for n in (5, 3, 5)]
    np.testing.assert_array_equal(picked[1].image, dataset[3].image)
    assert len(dataset.select(slice(2, 9))) == 7
    assert len(dataset.select(np.arange(30) < 4)) == 4
    few = dataset.subset(7, seed=1)
    assert few.table.equals(dataset.shuffle(5).subset(7, seed=1).select(few_order(dataset, few)).table)
    assert set(few.table["key"]) != set(dataset.subset(7, seed=2).table["key"])
    with pytest.raises(im.InputError, match="up to 30"):
        dataset.subset(31)
    with pytest.raises(im.InputError, match="name of a part"):
        dataset.subset("holdout")


def few_order(dataset: Dataset, few: Dataset) -> list[int]:
    keys = dataset.shuffle(5).subset(7, seed=1).table["key"].to_list()
    return [keys.index(key) for key in few.table["key"]]


def test_rows_are_shuffled_together_with_their_labels(dataset: Dataset) -> None:
    mixed = dataset.shuffle(3)
    keys = mixed.table["key"].to_list()
    assert keys != dataset.table["key"].to_list()
    assert sorted(keys) == sorted(dataset.table["key"])
    assert all(mixed.classes[s.label] == s.recipe.key.split("/")[0] for s in mixed)


def test_columns_and_parts_are_added(dataset: Dataset) -> None:
    wide = dataset.map(long=pl.col("key").str.len_chars() > 9)
    assert wide.table["long"].dtype == pl.Boolean
    assert "long" not in dataset.table.columns
    divided = dataset.split((0.5, 0.2, 0.3), seed=4)
    assert dict(divided.table["split"].value_counts().iter_rows()) == {"train": 15, "val": 6, "test": 9}
    assert divided.subset("test").class_counts() == {"cat": 3, "dog": 3, "fox": 3}
    grouped = dataset.with_columns(half=pl.col("key").str.slice(-5, 1)).split(0.3, val=0, group="half")
    assert grouped.table.group_by("half").agg(pl.col("split").n_unique())["split"].max() == 1


def test_classes_stay_until_they_are_said_anew(dataset: Dataset) -> None:
    foxes = dataset.filter(pl.col("label") == "fox")
    assert (foxes.classes, foxes[0].label) == (("cat", "dog", "fox"), 2)
    assert (foxes.with_classes().classes, foxes.with_classes()[0].label) == (("fox",), 0)
    pets = dataset.with_columns(label=pl.when(pl.col("label") == "fox").then(pl.lit("wild")).otherwise(pl.lit("tame")))
    assert pets.classes == ("tame", "wild")
    assert [sample.label for sample in pets] == [int(sample.recipe.key.startswith("fox")) for sample in dataset]
    with pytest.raises(im.InputError, match=r"missing: \['fox'\]"):
        dataset.with_classes(["cat", "dog"])


def test_datasets_are_joined(photos: Path, stored: Path) -> None:
    one, two = open_dataset(photos), open_dataset(stored)
    both = one.filter(pl.col("label") == "cat").concat(two.filter(pl.col("label") != "cat"))
    assert len(both) == 30
    assert not both.is_prepared
    assert both[0].image.shape == (10, 12, 3)
    assert both[29].image.shape == (8, 8, 3)
    assert both[29].recipe.key == both.table["key"][29]
    with pytest.raises(im.InputError, match="twice"):
        one.concat(two)


def test_what_it_says(dataset: Dataset, stored: Path) -> None:
    said = repr(dataset)
    assert "30 images" in said
    assert "3: cat 10, dog 10, fox 10" in said
    page = dataset._repr_html_()
    assert page.count("data:image/") == page.count("<figcaption") == 12
    assert ("8 x 8 x 3 (yxc), uint8" in said) == dataset.is_prepared
    assert dataset.to_polars() is dataset.table


def test_a_bad_file_does_not_hide_the_table(tmp_path: Path, photos: Path) -> None:
    cut(photos / "cat/00.png", tmp_path / "x/<b>.png")
    page = open_dataset(tmp_path)._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;.png" in page


def test_arrays_of_a_part(stored: Path) -> None:
    dataset = open_dataset(stored)
    whole, labels = dataset.arrays()
    assert whole.shape == (30, 8, 8, 3)
    assert labels is not None
    for part in ("train", "val", "test"):
        images, some = dataset.arrays(part)
        assert some is not None
        chosen = dataset.subset(part)
        assert [dataset.classes[n] for n in some] == chosen.table["label"].to_list()
        np.testing.assert_array_equal(images, np.stack([s.image for s in chosen]))
    run = dataset.select(slice(3, 9))
    np.testing.assert_array_equal(run.images, whole[3:9])
    assert np.shares_memory(run.images, dataset[3].image)
    mixed, numbers = dataset.shuffle(1).arrays()
    np.testing.assert_array_equal(mixed[0], dataset.shuffle(1)[0].image)
    assert numbers is not None
    assert dataset.classes[numbers[0]] == dataset.shuffle(1).table["label"][0]
    with pytest.raises(im.InputError, match=r"dataset\.prepare"):
        open_dataset(stored.parent / "none").images if (stored.parent / "none").exists() else open_dataset(
            _one(stored.parent / "loose")
        ).arrays()


def _one(root: Path) -> Path:
    photo(root / "a.png")
    return root


def test_a_dataset_is_prepared_and_saved(tmp_path: Path, photos: Path) -> None:
    dataset = open_dataset(photos).filter(pl.col("label") != "fox").with_classes().split((0.5, 0.5), val=0)
    report = dataset.prepare(tmp_path / "a", size=6, split="keep")
    assert dict(report.counts) == {"train": 10, "test": 10}
    store = open_dataset(tmp_path / "a")
    assert store.classes == ("cat", "dog")
    saved = store.subset("test").with_columns(pl.lit("train").alias("split")).save(tmp_path / "b")
    assert dict(saved.table["split"].value_counts().iter_rows()) == {"train": 10}
    np.testing.assert_array_equal(saved.images, store.subset("test").images)
    assert saved.class_counts() == {"cat": 5, "dog": 5}


def test_one_hot_and_missing_labels(tmp_path: Path, photos: Path) -> None:
    prepare(photos, tmp_path / "hot", size=4, labels="one-hot")
    _, labels = open_dataset(tmp_path / "hot").arrays("test")
    assert labels is not None
    assert labels.sum(axis=0).tolist() == [2, 2, 2]
    assert open_dataset(tmp_path / "hot")[0].label.tolist() == [1, 0, 0]
    assert open_dataset(tmp_path / "hot").with_classes(("fox", "dog", "cat"))[0].label == 2
    some = open_dataset(photos).with_columns(pl.when(pl.col("label") != "fox").then("label").alias("label"))
    with pytest.raises(im.SourceError, match="label for every image"):
        some.prepare(tmp_path / "null", size=4)
    sparse = some.filter(pl.col("key").str.len_chars() > 0)
    sparse = Dataset(sparse.table, sparse.backings, sparse.places, ("cat", "dog"))
    sparse.prepare(tmp_path / "null", size=4, unlabeled="null")
    assert open_dataset(tmp_path / "null").arrays()[1] is None
    assert open_dataset(tmp_path / "null").class_counts() == {"cat": 10, "dog": 10}


def test_opening_sixty_thousand_is_quick(tmp_path: Path) -> None:
    from imagemill.data import Record, Source, Stored

    tiny = np.zeros((2, 2), np.uint8)
    records = tuple(Record(f"{n}", Stored("t", lambda: tiny, "yx"), label=f"c{n % 9}") for n in range(3000))
    prepare(Source(Path("m"), "arrays", records), tmp_path / "s", split=0, val=0)
    open_dataset(tmp_path / "s")  # imports what it needs
    assert lines_run(lambda: open_dataset(tmp_path / "s")) < 3000, "expected no line for each row"


def test_the_data_package_stays_light() -> None:
    code = "import sys, imagemill.data; print(sorted({'polars', 'pyarrow', 'datasets'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], env=environment(SRC), capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_nothing_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(im.SourceError, match="expected"):
        open_dataset(tmp_path / "none")
