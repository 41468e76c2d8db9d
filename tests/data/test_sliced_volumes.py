"""Parts of volumes are the parts of what is read whole, whatever the format, and no more is read than is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import CodecError, InputError

RNG = np.random.default_rng(2)
VOLUME = RNG.integers(-900, 900, (7, 9, 8)).astype(np.int16)
REGIONS = [((0, 0, 0), (7, 9, 8)), ((2, 3, 1), (3, 4, 5)), ((6, 8, 7), (1, 1, 1)), ((-2, 5, 4), (4, 9, 9))]


def check(path: Path, how: str) -> im.SlicedVolume:
    whole, opened = im.read_picture(path), im.open_volume(path)
    assert (opened.how, opened.shape, opened.axes, opened.dtype) == (
        how,
        whole.array.shape,
        whole.axes,
        whole.array.dtype,
    )
    assert (opened.affine is None) == (whole.affine is None)
    if whole.affine is not None:
        assert np.array_equal(opened.affine, whole.affine)
    for start, size in REGIONS:
        found = opened.read(start, size, fill=5)
        padded = np.pad(whole.array, [(9, 9)] * 3, constant_values=5)
        region = tuple(slice(9 + a, 9 + a + n) for a, n in zip(start, size, strict=True))
        assert found.dtype == whole.array.dtype
        assert np.array_equal(found, padded[region])
    return opened


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "f4", "u1"])
def test_npy_is_mapped(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "a.npy", VOLUME.astype(dtype))
    check(tmp_path / "a.npy", "mapped")


@pytest.mark.parametrize("scaling", [None, (0.5, -3.0)])
@pytest.mark.parametrize("dtype", [">i2", "<i2", "<f4", "<i4"])
def test_nifti_is_mapped_where_it_is_not_compressed(tmp_path: Path, dtype: str, scaling: Any) -> None:
    nib = pytest.importorskip("nibabel")
    affine = np.array([[-2.0, 0, 0, 9], [0, 1, 0.2, 3], [0, 0, 4, 1], [0, 0, 0, 1]])
    header = nib.Nifti1Header(endianness=dtype[0])
    header.set_data_dtype(np.dtype(dtype))
    image = nib.Nifti1Image(VOLUME.transpose(2, 1, 0).astype(dtype), affine, header)
    if scaling is not None:
        image.header.set_slope_inter(*scaling)
    for name, how in (("a.nii", "mapped"), ("a.nii.gz", "whole")):
        nib.save(image, tmp_path / name)
        check(tmp_path / name, how)


def test_of_tiff_pages_are_read(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tiff", VOLUME.astype(np.uint16), photometric="minisblack", compression="zlib")
    check(tmp_path / "a.tiff", "pages")


def test_datasets_of_hdf5_are_asked_for_parts(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["scan"] = VOLUME
        file["pair"] = np.stack([VOLUME, -VOLUME], axis=-1)
    with h5py.File(tmp_path / "a.h5") as file:
        opened = im.open_volume(file["scan"])
        assert (opened.how, opened.axes) == ("array", "zyx")
        assert np.array_equal(opened.read((2, 3, 1), (3, 4, 5)), VOLUME[2:5, 3:7, 1:6])
        pair = im.open_volume(file["pair"])
        assert np.array_equal(pair.read((2, 3, 1), (3, 4, 5))[..., 1], -VOLUME[2:5, 3:7, 1:6])


def test_images_whose_axes_stand_otherwise() -> None:
    opened = im.open_volume(im.Image(VOLUME.transpose(1, 2, 0), "yxz", spacing=(3, 1, 2)))
    assert opened.affine is not None
    assert (opened.shape, opened.affine.diagonal().tolist()) == (VOLUME.shape, [3, 1, 2, 1])
    assert np.array_equal(opened.read((2, 3, 1), (3, 4, 5)), VOLUME[2:5, 3:7, 1:6])


def test_parts_that_are_read_may_be_written_to() -> None:
    volume = VOLUME.copy()
    im.open_volume(volume).read((0, 0, 0), (7, 9, 8))[:] = 0
    assert np.array_equal(volume, VOLUME)
    assert im.open_volume(volume).read((20, 0, 0), (1, 1, 2), fill=4).tolist() == [[[4, 4]]]


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="path or something with parts"):
        im.open_volume(3)
    with pytest.raises(InputError, match="Image"):
        im.open_volume(VOLUME, "xyz")
    with pytest.raises(InputError, match="3 numbers"):
        im.open_volume(VOLUME).read((0, 0), (1, 1))
    (tmp_path / "a.nii").write_bytes(b"no scan")
    (tmp_path / "a.npy").write_bytes(b"no array")
    for name in ("a.nii", "a.npy", "none.nii"):
        with pytest.raises(CodecError):
            im.open_volume(tmp_path / name)
