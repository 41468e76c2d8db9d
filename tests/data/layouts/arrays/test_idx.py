from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Source, load_picture
from imagemill.data.layouts.arrays.idx import Idx
from imagemill.data.layouts.arrays.in_memory import from_arrays
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.registry import guesses, look_at


def idx(code: int, array: Any) -> bytes:
    """An IDX file by the book."""
    values = np.ascontiguousarray(array)
    return bytes((0, 0, code, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def digits(folder: Path, *, zipped: bool = False) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(0)
    train = rng.integers(0, 256, (12, 5, 4), dtype=np.uint8)
    end = ".gz" if zipped else ""
    for name, data in {
        "train-images-idx3-ubyte": idx(8, train),
        "train-labels-idx1-ubyte": idx(8, np.arange(12, dtype=np.uint8) % 3 * 5),
        "t10k-images-idx3-ubyte": idx(8, train[:2] // 2),
        "t10k-labels-idx1-ubyte": idx(8, np.array([10, 5], np.uint8)),
    }.items():
        (folder / f"{name}{end}").write_bytes(gzip.compress(data) if zipped else data)
    return train


def read(path: Path, **extra: Any) -> Source:
    return Idx().read(look_at(path), ReadSource(extra=extra))


@pytest.mark.parametrize("zipped", [False, True])
def test_the_four_files_are_two_splits_with_labels(tmp_path: Path, zipped: bool) -> None:
    train = digits(tmp_path, zipped=zipped)
    assert guesses(look_at(tmp_path))[0][0].name == "idx"
    source = read(tmp_path)
    assert [r.key for r in source.records[:3]] == ["t10k/0", "t10k/1", "train/00"]
    assert [r.split for r in source].count("train") == 12
    assert source.classes == ("0", "5", "10")
    assert [r.label for r in source.records[:4]] == ["10", "5", "0", "5"]
    for number in range(12):
        picture = load_picture(source.records[2 + number].image)
        assert (picture.axes, picture.array.dtype) == ("yx", np.uint8)
        np.testing.assert_array_equal(picture.array, train[number])


def test_one_file_finds_the_labels_beside_it(tmp_path: Path) -> None:
    digits(tmp_path)
    source = read(tmp_path / "train-images-idx3-ubyte")
    assert len(source) == 12
    assert source.records[1].label == "5"


def test_big_endian_values_and_dots_in_names(tmp_path: Path) -> None:
    values = np.arange(24, dtype=">i2").reshape(2, 3, 4) * 300 - 500
    (tmp_path / "train-images.idx3-short").write_bytes(idx(0x0B, values.astype(">i2")))
    picture = load_picture(read(tmp_path).records[1].image)
    assert picture.array.dtype == np.int16
    np.testing.assert_array_equal(picture.array, values[1])


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_cut_off_is_named(tmp_path: Path, zipped: bool) -> None:
    digits(tmp_path, zipped=zipped)
    file = tmp_path / ("train-images-idx3-ubyte" + (".gz" if zipped else ""))
    file.write_bytes(file.read_bytes()[:-9])
    if zipped:  # only the end of a compressed file shows it
        many = np.random.default_rng(1).integers(0, 256, (200, 5, 4), dtype=np.uint8)
        file.write_bytes(gzip.compress(idx(8, many))[:-9])
        (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
        record = next(r for r in read(tmp_path) if r.split == "train")
        with pytest.raises(CodecError, match=r"train-images.*expected"):
            load_picture(record.image)
    else:
        source = read(tmp_path)
        assert [r.split for r in source] == ["test"] * 2
        assert "the file is cut off" in str(source.problems[0])


def test_a_header_that_promises_gigabytes_is_refused(tmp_path: Path) -> None:
    data = bytes((0, 0, 8, 3)) + struct.pack(">3I", 40_000_000, 10, 10) + bytes(100)
    (tmp_path / "a-images-idx3-ubyte.gz").write_bytes(gzip.compress(data))
    with pytest.raises(SourceError, match="declares 4,000,000,016"):
        read(tmp_path)


def test_labels_that_do_not_fit_and_labels_alone_are_named(tmp_path: Path) -> None:
    digits(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(8, np.zeros(3, np.uint8)))
    (tmp_path / "val-labels-idx1-ubyte").write_bytes(idx(8, np.zeros(3, np.uint8)))
    (tmp_path / "junk-idx3-ubyte").write_bytes(b"hello")
    said = " ".join(str(p) for p in read(tmp_path).problems)
    assert "expected 2 labels for t10k-images-idx3-ubyte, got 3" in said
    assert "expected images beside val-labels-idx1-ubyte" in said
    assert "junk-idx3-ubyte" in said


@given(
    hnp.arrays(st.sampled_from([np.uint8, np.int16, np.float32]), (5, 3, 2), elements=st.integers(0, 100)),
    st.lists(st.sampled_from(["cat", "dog", "9"]), min_size=5, max_size=5),
    st.booleans(),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, array: Any, labels: list[str], zipped: bool
) -> None:
    out = tmp_path_factory.mktemp("idx")
    split = ["train", "train", "test", "val", "train"]
    source = from_arrays(array, labels, split=split)
    written = Idx().write(source, out, WriteTarget(format=".gz" if zipped else None))
    assert written.count == 5
    assert written.lost == ("keys: IDX counts its images",)
    again = read(out)
    assert not again.problems
    expected = {(s, y, a.tobytes(), a.dtype) for s, y, a in zip(split, labels, array, strict=True)}
    found = [(r.split, r.label, load_picture(r.image).array) for r in again]
    assert {(s, y, a.tobytes(), a.dtype) for s, y, a in found} == expected


def test_what_idx_cannot_hold_is_said(tmp_path: Path) -> None:
    images = [np.zeros((3, 2), np.uint8), np.zeros((3, 3), np.uint8), np.zeros((3, 2), np.uint64)]
    source = from_arrays(images, masks=[np.zeros((3, 2), np.uint8), None, None])
    written = Idx().write(source, tmp_path / "out", WriteTarget())
    assert written.count == 1
    assert "1 masks: IDX holds none" in written.lost
    assert [p.name for p in written.problems] == ["row-1", "row-2"]
    with pytest.raises(SourceError, match="earlier export"):
        Idx().write(source, tmp_path / "out", WriteTarget())
    with pytest.raises(SourceError, match="for every image or for none"):
        Idx().write(from_arrays(images[:1] * 2, ["a", None]), tmp_path / "more", WriteTarget())


def test_all_seventy_thousand_digits(data_root: Path) -> None:
    source = read(data_root / "mnist")
    counts = {
        "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    }
    for split, expected in counts.items():
        labels = [r.label for r in source if r.split == split]
        assert [labels.count(str(n)) for n in range(10)] == expected
    train = np.stack([load_picture(r.image).array for r in source if r.split == "train"])
    assert train.mean() / 255 == pytest.approx(0.13066, abs=1e-5)
    assert train.std() / 255 == pytest.approx(0.30811, abs=1e-5)
