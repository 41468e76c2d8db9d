"""Datasets on loan: from packages and from a local folder."""

from __future__ import annotations

import gzip
import hashlib
import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill import datasets
from imagemill.core.errors import InputError, SourceError
from imagemill.data import load_picture
from imagemill.datasets.catalogue import SOURCES, Loan
from imagemill.datasets.local import VARIABLE, find
from tests.made_up_sets import jpeg, packed, tiny_mnist


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("inner", ["", "fashion-mnist", "FashionMNIST/raw"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_folder_that_has_it_is_used(tmp_path: Path, inner: str, zipped: bool) -> None:
    files = tiny_mnist()
    if not zipped:
        files = {name.removesuffix(".gz"): gzip.decompress(data) for name, data in files.items()}
    written(tmp_path / inner, files)
    source = datasets.fashion_mnist(str(tmp_path))
    assert [r.label for r in source if r.split == "test"] == ["T-shirt or top", "Trouser", "Pullover", "Dress"]
    assert source.classes[9] == "Ankle boot"
    assert source.problems == ()


def test_both_forms_of_a_file_are_no_problem(tmp_path: Path) -> None:
    files = tiny_mnist()
    written(tmp_path, files | {name.removesuffix(".gz"): gzip.decompress(data) for name, data in files.items()})
    source = datasets.mnist(tmp_path)
    assert (len(source), source.problems) == (10, ())


def test_the_variable_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "mnist", tiny_mnist())
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert len(datasets.mnist()) == 10
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(SourceError, match="expected IMAGEMILL_DATA to name a folder"):
        datasets.mnist()


def test_the_variable_does_not_take_one_set_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(written(tmp_path, tiny_mnist())))
    assert find(SOURCES["fashion_mnist"], None) is None
    assert find(SOURCES["fashion_mnist"], tmp_path) is not None


def test_a_root_without_it_says_what_to_do(tmp_path: Path) -> None:
    files = tiny_mnist()
    written(tmp_path, {name: files[name] for name in sorted(files)[:3]})
    with pytest.raises(SourceError, match=r"folder of it named mnist.*; leave root out to download 12 MB"):
        datasets.mnist(tmp_path)


def test_cifar_of_parquet_and_of_tars(tmp_path: Path) -> None:
    import polars as pl

    tables = {"train": [2, 9], "test": [0]}
    for split, labels in tables.items():
        table = pl.DataFrame({"image": [jpeg(n) for n in labels], "label": labels})
        table.write_parquet(tmp_path / f"{split}.parquet")
    source = datasets.cifar10(tmp_path)
    assert sorted((r.split, r.label) for r in source) == [("test", "airplane"), ("train", "bird"), ("train", "truck")]
    assert any("JPEG copies" in note for note in source.notes)
    other = tmp_path / "cifar10"
    other.mkdir()
    (other / "a.tar").write_bytes(gzip.decompress(packed({"cat/1.jpg": jpeg(1), "dog/1.jpg": jpeg(2)}, "train")))
    assert [(r.split, r.label) for r in datasets.cifar10(tmp_path)] == [("train", "cat"), ("train", "dog")]


# ---------------------------------------------------------------------------------------------- what is shipped


def test_digits() -> None:
    source = datasets.digits()
    assert len(source) == SOURCES["digits"].count == 1797
    assert len({r.key for r in source}) == 1797
    pixels = load_picture(source.records[0].image).array
    assert pixels.dtype == np.uint8
    assert pixels.shape == (8, 8)
    assert {int(load_picture(r.image).array.max()) for r in source.records[:50]} == {239, 255}
    assert len(pickle.dumps(source.records[5])) < 2000
    pixels[:] = 7  # what is given is the reader's own
    assert load_picture(source.records[0].image).array.max() == 239


def test_cat_and_scan() -> None:
    assert load_picture(datasets.cat().records[0].image).array.shape == (300, 451, 3)
    source = datasets.sample_scan()
    picture = load_picture(source.records[0].image)
    assert (picture.array.shape, picture.axes) == ((24, 96, 128, 2), "zyxc")
    assert any("2 time points" in note for note in source.notes)


def test_a_missing_sample_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    with pytest.raises(SourceError, match="expected nibabel to bring"):
        datasets.sample_scan()


def test_a_shipped_set_opens_and_prepares(tmp_path: Path) -> None:
    source = datasets.digits()
    small = replace(source, records=source.records[:40])
    assert len(im.open(small)) == 40
    assert im.prepare(small, tmp_path / "store", split=0.2).out.is_dir()


def test_names_and_roots_that_make_no_sense() -> None:
    with pytest.raises(InputError, match="expected one of digits, cat"):
        datasets.load("imagenet")
    with pytest.raises(InputError, match="expected no root for digits"):
        datasets.load("digits", "somewhere")


# ------------------------------------------------------------------------------------------------- the table


@pytest.mark.parametrize("loan", SOURCES.values(), ids=list(SOURCES))
def test_the_table_is_whole(loan: Loan) -> None:
    assert callable(getattr(datasets, loan.name))
    assert loan.licence
    assert loan.citation
    assert loan.home.startswith("http")
    assert bool(loan.package) != bool(loan.downloads)
    assert not any("/" in name for name in loan.classes)
    assert len(loan.addresses) == len(loan.downloads)
    for one in loan.downloads:
        assert one.sha256 is not None
        assert len(one.sha256) == 64
        assert one.md5 is None or len(one.md5) == 32
        assert all(url.endswith(one.name) for url in one.urls)
        assert (one.unpacked > one.size) == (not one.name.endswith("ubyte.gz"))


# -------------------------------------------------------------------------------------------------- real data

TRAIN = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
TEST = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)


def test_the_real_mnist(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(data_root))
    source = datasets.mnist()
    assert len(source) == SOURCES["mnist"].count
    counts = Counter((r.split, r.label) for r in source)
    assert [counts["train", str(n)] for n in range(10)] == list(TRAIN)
    assert [counts["test", str(n)] for n in range(10)] == list(TEST)
    train = np.stack([load_picture(r.image).array for r in source if r.split == "train"]) / 255
    assert (round(train.mean(), 5), round(train.std(), 5)) == (0.13066, 0.30811)
    sums = {"train-images": "6bbc9ace898e44ae57da46a324031adb", "t10k-images": "2646ac647ad5339dbf082846283269ea"}
    for part, md5 in sums.items():
        data = gzip.decompress((data_root / "mnist" / f"{part}-idx3-ubyte.gz").read_bytes())
        assert hashlib.md5(data).hexdigest() == md5


def test_the_real_cifar10(data_root: Path) -> None:
    source = datasets.cifar10(data_root)
    assert len(source) == SOURCES["cifar10"].count
    counts = Counter((r.split, r.label) for r in source)
    names = SOURCES["cifar10"].classes
    assert source.classes == names
    assert counts == {
        **dict.fromkeys((("train", n) for n in names), 5000),
        **dict.fromkeys((("test", n) for n in names), 1000),
    }
    assert load_picture(source.records[17].image).array.shape == (32, 32, 3)
