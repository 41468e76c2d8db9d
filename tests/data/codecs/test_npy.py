from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imagemill.core.errors import CodecError
from imagemill.data import read_picture


@pytest.mark.parametrize(
    ("shape", "axes", "note"),
    [
        ((4, 5), "yx", "two axes read as gray"),
        ((4, 5, 3), "yxc", "third axis of 3 read as RGB"),
        ((4, 5, 4), "yxc", "third axis of 4 read as RGBA"),
        ((4, 5, 1), "yxc", "third axis of 1 read as gray"),
        ((24, 5, 6), "zyx", "read as 24 slices: a third axis of 6 is not 1, 3 or 4 channels"),
        ((3, 5, 6), "zyx", "read as 3 slices: a third axis of 6 is not 1, 3 or 4 channels"),
        ((4, 5, 2), "zyx", "read as 4 slices: a third axis of 2 is not 1, 3 or 4 channels"),
        ((7, 5, 6, 2), "zyxc", "read as 7 slices with 2 channels"),
    ],
)
def test_the_rank_decides_and_the_note_says_so(tmp_path: Path, shape: tuple[int, ...], axes: str, note: str) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape, np.float32))
    picture = read_picture(tmp_path / "a.npy")
    assert (picture.axes, picture.array.shape, picture.note) == (axes, shape, note)


def test_axes_that_are_said_win(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.int64).reshape(2, 4, 3)
    np.save(tmp_path / "a.npy", array)
    assert read_picture(tmp_path / "a.npy", axes="zyx").axes == "zyx"
    swapped = read_picture(tmp_path / "a.npy", axes="cxy")
    np.testing.assert_array_equal(swapped.array, np.transpose(array, (2, 1, 0)))
    assert (swapped.axes, swapped.note) == ("yxc", "axes 'cxy' as asked")


def test_odd_memory_comes_out_native_and_in_order(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(12, dtype=">f8").reshape(3, 4))
    np.save(tmp_path / "a.npy", array)
    again = read_picture(tmp_path / "a.npy").array
    assert again.dtype == np.float64
    assert again.dtype.isnative
    assert again.flags.c_contiguous
    assert again.flags.writeable
    np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(5), "2, 3 or 4 axes, got shape"),
        (np.zeros((2, 2, 2, 2, 2)), "one image or volume per file"),
        (np.zeros((2, 2), complex), "integers, floats or booleans"),
        (np.zeros((2, 2), [("a", "u1")]), "save the real part or one field"),
        (np.array([["a"]]), "dtype <U1"),
        (np.zeros((0, 3)), "an empty array"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(CodecError, match=message):
        read_picture(tmp_path / "a.npy")


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{"any": "object"}]]), allow_pickle=True)
    with pytest.raises(CodecError, match=r"a whole \.npy file of numbers"):
        read_picture(tmp_path / "a.npy")
