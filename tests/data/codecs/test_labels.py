from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagemill.core.errors import CodecError
from imagemill.data import Picture, read_mask, write_picture
from imagemill.data.codecs.label_values import smallest_integers

LABELS = np.array([[0, 1, 2], [3, 2, 1]], np.uint8)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_masks_are_their_indices(tmp_path: Path, bits: int) -> None:
    labels = LABELS % min(4, 2**bits)
    image = Image.fromarray(labels)
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0])
    image.save(tmp_path / "a.png", bits=bits, transparency=0)
    mask = read_mask(tmp_path / "a.png")
    assert (mask.axes, mask.array.dtype) == ("yx", np.uint8)
    np.testing.assert_array_equal(mask.array, labels)


def test_palette_masks_in_other_formats(tmp_path: Path) -> None:
    image = Image.fromarray(LABELS)
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0])
    for suffix in (".bmp", ".gif"):
        image.save(tmp_path / f"a{suffix}", **({"optimize": False} if suffix == ".gif" else {}))
        np.testing.assert_array_equal(read_mask(tmp_path / f"a{suffix}").array, LABELS)


@pytest.mark.parametrize("depth", [2, 4])
def test_small_depths_are_counts_not_brightness(tmp_path: Path, depth: int) -> None:
    import struct
    import zlib

    rows = LABELS if depth == 4 else LABELS % 4
    packed = b""
    for row in rows:
        bits = "".join(f"{value:0{depth}b}" for value in row).ljust(16, "0")
        packed += b"\0" + int(bits, 2).to_bytes(2, "big")[: -(-3 * depth // 8)]
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 3, 2, depth, 0, 0, 0, 0)), (b"IDAT", zlib.compress(packed))]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in [*parts, (b"IEND", b"")]
    )
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png").array, rows)


def test_single_bits_are_zero_and_one(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(LABELS > 1, "yx"))
    assert read_mask(tmp_path / "a.png").array.tolist() == [[0, 0, 1], [1, 1, 0]]
    write_picture(tmp_path / "a.npy", Picture(LABELS > 1, "yx"))
    assert read_mask(tmp_path / "a.npy").array.dtype == np.uint8


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_equal_channels_become_one(tmp_path: Path, count: int) -> None:
    array = np.repeat(LABELS[..., np.newaxis], count, axis=2)
    if count in (2, 4):
        array[..., -1] = 255
    write_picture(tmp_path / "a.png", Picture(array, "yxc"))
    mask = read_mask(tmp_path / "a.png")
    assert mask.axes == "yx"
    np.testing.assert_array_equal(mask.array, LABELS)


def test_colours_and_varying_alpha_are_refused(tmp_path: Path) -> None:
    colours = np.zeros((2, 3, 3), np.uint8)
    colours[0, 0] = [255, 0, 0]
    write_picture(tmp_path / "a.png", Picture(colours, "yxc"))
    with pytest.raises(CodecError, match="3 channels that differ; store class numbers, or give the table"):
        read_mask(tmp_path / "a.png")
    clear = np.zeros((2, 3, 4), np.uint8)
    clear[0, 0, 3] = 7
    write_picture(tmp_path / "b.png", Picture(clear, "yxc"))
    with pytest.raises(CodecError, match="alpha that varies"):
        read_mask(tmp_path / "b.png")


def test_whole_floats_become_the_smallest_integers(tmp_path: Path) -> None:
    volume = np.zeros((2, 3, 4), np.float32)
    volume[1, 2, 3] = 12_175
    nib.save(nib.Nifti1Image(volume, np.diag([2.0, 2.0, 3.0, 1.0])), tmp_path / "a.nii.gz")
    mask = read_mask(tmp_path / "a.nii.gz")
    assert (mask.array.dtype, mask.array[3, 2, 1]) == (np.uint16, 12_175)
    assert mask.affine is not None


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=6))
def test_no_label_changes_on_the_way_to_integers(values: list[int]) -> None:
    array = np.array(values, np.float64)
    found = smallest_integers(Path("m"), array)
    assert found.tolist() == values
    for smaller in (np.uint8, np.int8, np.uint16, np.int16):
        if np.dtype(smaller).itemsize < found.dtype.itemsize:
            info = np.iinfo(smaller)
            assert min(values) < info.min or max(values) > info.max


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.0, 0.5]], "1 others, such as 0.5; threshold it"),
        ([[0.0, np.nan]], "NaN"),
        ([[0.0, 1e30]], "renumber"),
    ],
)
def test_values_that_are_no_labels_are_refused(tmp_path: Path, values: Any, message: str) -> None:
    np.save(tmp_path / "a.npy", np.array(values))
    with pytest.raises(CodecError, match=message):
        read_mask(tmp_path / "a.npy")


def test_masks_with_time_are_refused(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((2, 3, 4, 2), np.uint8), np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(CodecError, match="2 time points or channels"):
        read_mask(tmp_path / "a.nii")


def test_a_lossy_mask_says_so(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.jpg", Picture(LABELS, "yx"))
    assert "JPEG is lossy" in read_mask(tmp_path / "a.jpg").note
