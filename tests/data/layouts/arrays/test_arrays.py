from __future__ import annotations

import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imagemill.core.errors import CodecError, InputError, SourceError
from imagemill.data import Source, load_mask, load_picture
from imagemill.data.as_source import source_of
from imagemill.data.layouts.arrays.in_memory import from_arrays
from imagemill.data.layouts.arrays.numpy_matlab import Npz
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.registry import guesses, look_at

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)


def read(path: Path, **extra: Any) -> Source:
    return Npz().read(look_at(path), ReadSource(extra=extra))


def save(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


# ------------------------------------------------------------------------------------------------------ in memory
def test_arrays_become_records_and_are_copied_when_read() -> None:
    images = IMAGES.copy()
    source = from_arrays(images, [0, 2, 10, 2, 0, -1])
    assert [r.key for r in source] == [f"row-{n}" for n in range(6)]
    assert source.classes == ("0", "2", "10")
    assert source.records[5].label is None
    got = load_picture(source.records[3].image)
    assert got.axes == "yxc"
    np.testing.assert_array_equal(got.array, IMAGES[3])
    got.array[:] = 0
    np.testing.assert_array_equal(images, IMAGES)


def test_labels_may_be_names_one_hot_or_several() -> None:
    assert [r.label for r in from_arrays(IMAGES[:2], ["b", "a"])] == ["b", "a"]
    hot = from_arrays(IMAGES[:3], np.eye(3)[[2, 0, 1]], classes=["x", "y", "z"])
    assert [r.label for r in hot] == ["z", "x", "y"]
    many = from_arrays(IMAGES[:3], [[1, 1, 0], [0, 0, 0], [0, 0, 1]], classes=["x", "y", "z"])
    assert [r.labels for r in many] == [("x", "y"), (), ("z",)]
    assert {r.label for r in many} == {None}
    with pytest.raises(InputError, match="rows that are not one-hot"):
        from_arrays(IMAGES[:2], [[1, 2], [0, 1]])


def test_a_mapping_says_the_splits() -> None:
    source = from_arrays({"train": (IMAGES[:4], [0, 1, 1, 0]), "test": (IMAGES[4:], [1, 1])})
    assert [(r.key, r.split, r.label) for r in source][3:5] == [("train/3", "train", "0"), ("test/0", "test", "1")]
    np.testing.assert_array_equal(load_picture(source.records[5].image).array, IMAGES[5])


def test_sizes_may_differ_and_masks_may_be_missing() -> None:
    sizes = [(4, 6), (7, 3), (2, 2)]
    source = from_arrays(
        [np.full(size, n, np.uint16) for n, size in enumerate(sizes)],
        masks=[np.ones((4, 6), np.uint8), None, np.zeros((2, 2, 1), np.uint8)],
        split=["train", None, "test"],
        keys=["a", "b", "c"],
    )
    assert [load_picture(r.image).spatial_shape for r in source] == sizes
    assert source.records[1].mask is None
    assert [load_mask(r.mask).array.shape for r in source if r.mask is not None] == [(4, 6), (2, 2)]
    volume = from_arrays(np.zeros((2, 3, 8, 9)), axes="cyx")
    assert load_picture(volume.records[0].image).array.shape == (8, 9, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [1]}, "expected 6 labels for 6 images, got 1"),
        ({"masks": [None]}, "expected 6 masks"),
        ({"split": "holdout"}, 'expected split to be "train"'),
        ({"keys": ["a"] * 6}, "6 different keys, got 6, 1 of them different"),
        ({"axes": "yx"}, "one letter of z, y, x and c"),
        ({"classes": ["a"], "labels": [0, 0, 0, 0, 0, 1]}, "labels from 0 to 0"),
        ({"masks": [np.zeros((4, 5))] * 6}, r"row-0: expected a mask of shape \(5, 4\)"),
        ({"labels": [0.5] * 6}, "whole numbers or text"),
    ],
)
def test_what_does_not_fit_is_said(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_arrays(IMAGES, **arguments)


# -------------------------------------------------------------------------------------------------------- archives
@pytest.mark.parametrize("plain", [False, True])
def test_an_archive_that_is_split_already(tmp_path: Path, plain: bool) -> None:
    (np.savez if plain else np.savez_compressed)(
        tmp_path / "a.npz",
        x_test=IMAGES[4:],
        y_test=np.array([1, 0]),
        x_train=IMAGES[:4],
        y_train=np.eye(2)[[0, 1, 1, 0]],
        classes=np.array(["cat", "dog"]),
    )
    assert guesses(look_at(tmp_path / "a.npz"))[0][0].name == "npz"
    source = read(tmp_path / "a.npz")
    assert source.classes == ("cat", "dog")
    assert [(r.key, r.label) for r in source][:2] == [("train/row-0", "cat"), ("train/row-1", "dog")]
    assert [r.split for r in source] == ["train"] * 4 + ["test"] * 2
    for number, record in enumerate(source):
        np.testing.assert_array_equal(load_picture(record.image).array, IMAGES[number])
    # What is sent to another process is opened there again.
    fetch = pickle.loads(pickle.dumps(source.records[1].image.fetch))  # type: ignore[union-attr]
    np.testing.assert_array_equal(fetch(), IMAGES[1])


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("images", "labels"), None),
        (("arr_0", "arr_1"), None),
        (("val_images", "val_labels"), "val"),
        (("X", "y"), None),
    ],
)
def test_other_usual_names(tmp_path: Path, names: tuple[str, str], split: str | None) -> None:
    source = read(save(tmp_path / "a.npz", **{names[0]: IMAGES, names[1]: np.arange(6)[:, None]}))
    assert [(r.label, r.split) for r in source] == [(str(n), split) for n in range(6)]
    assert not source.problems


def test_scans_with_a_label_map_of_their_size(tmp_path: Path) -> None:
    for case in ("a", "b"):
        save(tmp_path / f"{case}.npz", image=IMAGES[0, ..., 0].astype(np.float32), label=IMAGES[0, ..., 1])
    source = read(tmp_path)
    assert [r.key for r in source] == ["a", "b"]
    assert source.records[1].mask is not None
    np.testing.assert_array_equal(load_mask(source.records[1].mask).array, IMAGES[0, ..., 1])


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    class Bad:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("a pickle was loaded",))

    np.savez(tmp_path / "a.npz", images=IMAGES, labels=np.array([Bad()] * 6, object), allow_pickle=True)
    source = read(tmp_path / "a.npz")
    assert len(source) == 6
    assert "pickled objects, which are never loaded" in str(source.problems[0])


def _bomb(path: Path, declared: int, content: bytes) -> None:
    head = b"\x93NUMPY\x01\x00"
    text = (
        f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({declared // 100}, 10, 10), }}".encode().ljust(117)
        + b"\n"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", head + struct.pack("<H", len(text)) + text + content)


def test_archives_that_promise_more_than_they_hold(tmp_path: Path) -> None:
    _bomb(tmp_path / "a.npz", 4_000_000_000, bytes(1000))
    with pytest.raises(SourceError, match=r"expected 4,000,000,1\d\d bytes for shape"):
        read(tmp_path / "a.npz")
    _bomb(tmp_path / "b.npz", 280_000_000, bytes(280_000_000))
    with pytest.raises(SourceError, match="at most 200 times the stored bytes"):
        read(tmp_path / "b.npz")


def test_archives_cut_off_anywhere_are_errors(tmp_path: Path) -> None:
    data = save(tmp_path / "a.npz", images=IMAGES[:2], labels=np.arange(2)).read_bytes()
    for length in range(0, len(data), 7):
        (tmp_path / "cut.npz").write_bytes(data[:length])
        with pytest.raises(SourceError, match="cut"):
            read(tmp_path / "cut.npz")
    damaged = bytearray(data)
    damaged[len(data) // 4] ^= 0x55
    (tmp_path / "bad.npz").write_bytes(damaged)
    with pytest.raises((SourceError, CodecError), match="bad"):
        load_picture(read(tmp_path / "bad.npz").records[0].image)


@given(st.data())
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(["bool", "uint8", "int16", "float32", "float64"]))
    array = data.draw(hnp.arrays(dtype, (4, 3, 5, 3), elements=st.integers(0, 1)))
    labels = data.draw(st.lists(st.sampled_from(["a", "b/c", None]), min_size=4, max_size=4))
    source = from_arrays(array, labels, masks=array[..., 0].astype(np.uint8), split=["train", "test", None, "train"])
    out = tmp_path_factory.mktemp("npz") / "a.npz"
    written = Npz().write(source, out, WriteTarget())
    assert (written.count, written.lost, written.problems) == (4, (), ())
    again = {r.key: r for r in read(out)}
    for record in source:
        other = again[record.key]
        assert (other.label, other.split) == (record.label, record.split)
        np.testing.assert_array_equal(load_picture(other.image).array, load_picture(record.image).array)
        assert load_picture(other.image).array.dtype == dtype
        np.testing.assert_array_equal(load_mask(other.mask).array, load_mask(record.mask).array)


def test_slices_as_narrow_as_colours_stay_slices(tmp_path: Path) -> None:
    source = from_arrays(np.zeros((2, 6, 5, 3), np.uint8), masks=np.ones((2, 6, 5, 3), np.uint8), axes="zyx")
    Npz().write(source, tmp_path / "a.npz", WriteTarget())
    record = read(tmp_path / "a.npz").records[0]
    assert load_picture(record.image).axes == "zyx"
    assert load_mask(record.mask).array.shape == (6, 5, 3)  # type: ignore[arg-type]


def test_images_of_pil_come_in_a_list_with_labels_or_in_pairs() -> None:
    from PIL import Image

    draws = np.random.default_rng(0)
    arrays = [draws.integers(0, 256, (6, 4 + n, 3), np.uint8) for n in range(4)]
    images = [Image.fromarray(array) for array in arrays]
    names = ["a", "b", "b", "a"]
    for what, labels in (
        (images, [None] * 4),
        ((images, names), names),
        ((arrays, names), names),
        (list(zip(images, names, strict=True)), names),
        ([(array, np.int64(n % 2)) for n, array in enumerate(arrays)], ["0", "1", "0", "1"]),
    ):
        source = source_of(what)
        assert [record.label for record in source.records] == labels
        for record, array in zip(source.records, arrays, strict=True):
            np.testing.assert_array_equal(load_picture(record.image).array, array)


def test_a_train_and_a_test_part_are_no_images_with_labels() -> None:
    x, y = np.zeros((5, 4, 4), np.uint8), np.arange(5) % 2
    assert [record.split for record in source_of(((x, y), (x[:2], y[:2]))).records] == ["train"] * 5 + ["test"] * 2


def test_a_dataset_of_another_library_is_told_how_to_be_given() -> None:
    class Data:
        def __len__(self) -> int:
            return 3

        def __getitem__(self, n: int) -> tuple[np.ndarray, int]:
            if n > 2:
                raise IndexError
            return np.full((4, 5, 3), n, np.uint8), n

    data = Data()
    with pytest.raises(SourceError, match=r"\[data\[i\] for i in range\(len\(data\)\)\]"):
        source_of(data)
    assert len(source_of([data[i] for i in range(len(data))])) == 3
