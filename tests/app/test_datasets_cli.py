from __future__ import annotations

import gzip
import json
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from imagemill.data import load_picture, open_source
from imagemill.datasets import SOURCES
from tests.app.terminal import imagemill


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGEMILL_DATA", raising=False)


def tiny_mnist(folder: Path) -> Path:
    folder.mkdir()
    for part, count in (("train", 4), ("t10k", 2)):
        images = np.arange(count * 9, dtype=np.uint8).reshape(count, 3, 3)
        for what, array in (("images-idx3", images), ("labels-idx1", np.arange(count, dtype=np.uint8))):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{part}-{what}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))
    return folder


def test_the_list() -> None:
    said = imagemill("datasets")
    assert said.code == 0
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(SOURCES)
    (mnist,) = [line for line in lines if line.startswith("mnist")]
    for word in ("70,000", "handwritten digits (MNIST)", "in 12 MB", "not stated"):
        assert word in mnist


def test_the_list_for_programs() -> None:
    found = {row["name"]: row for row in json.loads(imagemill("datasets", "--json").out)}
    assert list(found) == list(SOURCES)
    assert found["cifar10"]["downloads"][0]["md5"] == "c32a1d4ab5d03f1284b67883e8d87530"
    assert found["digits"]["package"] == "scikit-learn"


def test_a_set_becomes_a_folder(tmp_path: Path) -> None:
    said = imagemill("datasets", "get", "digits", "-o", tmp_path / "digits")
    assert said.code == 0, said.err
    assert "1,797 images as class-folders" in said.out
    assert "CC BY 4.0" in said.out
    assert "Alpaydin" in said.out
    source = open_source(tmp_path / "digits")
    assert Counter(r.label for r in source)["0"] == 178
    assert load_picture(source.records[0].image).array.shape == (8, 8)
    again = imagemill("datasets", "get", "digits", "-o", tmp_path / "digits")
    assert again.code == 2
    assert again.err.startswith("error: expected")


def test_a_set_from_a_folder_in_another_layout(tmp_path: Path) -> None:
    root = tiny_mnist(tmp_path / "mnist")
    said = imagemill("datasets", "get", "mnist", "-o", tmp_path / "a", "--root", tmp_path)
    assert said.code == 0, said.err
    assert "the published set has 70,000 images" in said.out
    assert sorted(p.relative_to(tmp_path / "a").parts[:2] for p in (tmp_path / "a").rglob("*.png")) == [
        *(("test", str(n)) for n in range(2)),
        *(("train", str(n)) for n in range(4)),
    ]
    said = imagemill("datasets", "get", "mnist", "-o", tmp_path / "b", "--root", root, "--layout", "parquet")
    assert said.code == 0, said.err
    source = open_source(tmp_path / "b")
    assert source.layout == "parquet"
    assert sorted((r.split, r.label) for r in source) == [
        *(("test", str(n)) for n in range(2)),
        *(("train", str(n)) for n in range(4)),
    ]


def test_what_could_not_be_read_is_said(tmp_path: Path) -> None:
    row, root = bytes(3073), tmp_path / "cifar10"
    root.mkdir()
    for name in (*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"):
        (root / name).write_bytes(row)
    (root / "data_batch_3.bin").write_bytes(row[:-1])
    said = imagemill("datasets", "get", "cifar10", "--root", tmp_path, "-o", tmp_path / "out")
    assert said.code == 1
    assert "left out: data_batch_3.bin: expected whole rows" in said.out


def test_errors_are_one_line(tmp_path: Path) -> None:
    said = imagemill("datasets", "get", "imagenet", "-o", tmp_path / "x")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert said.err.startswith("error: expected one of digits, cat, ")
    said = imagemill("datasets", "get", "mnist", "--root", tmp_path, "-o", tmp_path / "x")
    assert said.code == 2
    assert "leave root out to download" in said.err
    assert not (tmp_path / "x").exists()


def test_help_names_both() -> None:
    assert "get" in imagemill("datasets", "--help").out
    assert "--layout" in imagemill("datasets", "get", "--help").out
