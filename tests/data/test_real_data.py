"""Counts and figures that the README of the real data states; skipped where the data is not there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from imagemill.data import (
    Record,
    Source,
    name_clashes,
    open_source,
    output_name,
    read_mask,
    read_picture,
    write_picture,
)


def test_pets_are_sixty_photos_in_each_of_five_classes(data_root: Path) -> None:
    source = open_source(data_root / "pets")
    assert source.layout == "class-folders"
    assert Counter(record.label for record in source) == dict.fromkeys(
        ["American_Bulldog", "German_Shorthaired", "Havanese", "Maine_Coon", "Pomeranian"], 60
    )
    shapes = {read_picture(record.image).array.shape for record in source}
    assert len(shapes) == 106
    assert {shape[2] for shape in shapes} == {3}
    keys = [record.key for record in source]
    assert name_clashes(keys) == []
    assert len({output_name(key, copy, 4) for key in keys for copy in range(4)}) == 1200


def test_semantic_masks_fit_their_photos(data_root: Path) -> None:
    folder = data_root / "coco_sample"
    source = open_source(folder / "images", masks=folder / "semantic_masks")
    assert len(source) == 48
    seen: set[int] = set()
    gray = 0
    for record in source:
        assert record.mask is not None
        image, mask = read_picture(record.image), read_mask(record.mask)
        assert image.spatial_shape == mask.array.shape
        assert mask.array.dtype == np.uint8
        gray += image.axes == "yx"
        seen |= set(np.unique(mask.array).tolist())
    assert gray == 1
    assert {0} < seen <= set(range(201))


def test_acdc_pairs_lie_in_one_folder_and_share_their_world(data_root: Path) -> None:
    folder = data_root / "volumes" / "acdc"
    source = open_source(folder, masks=folder, allow_missing_masks=True)
    assert isinstance(source, Source)
    assert len(source) == 31
    assert source.missing_masks == ("training/patient090/patient090_4d.nii.gz",)
    labels: set[int] = set()
    for record in list(source)[::5]:
        if record.mask is None:
            continue
        image, mask = read_picture(record.image), read_mask(record.mask)
        assert image.axes == mask.axes == "zyx"
        assert image.array.shape == mask.array.shape
        assert image.affine is not None
        assert mask.affine is not None
        np.testing.assert_allclose(image.affine, mask.affine)
        assert image.spacing is not None
        assert image.spacing[0] == (5.0 if "patient081" in record.key else 10.0)
        assert 1.36 < image.spacing[1] < 1.8
        labels |= set(np.unique(mask.array).tolist())
    assert labels == {0, 1, 2, 3}


def test_the_frames_of_the_cine_are_its_channels(data_root: Path) -> None:
    folder = data_root / "volumes" / "acdc" / "training" / "patient090"
    cine = read_picture(folder / "patient090_4d.nii.gz")
    assert (cine.axes, cine.array.shape) == ("zyxc", (7, 224, 154, 12))
    for frame in (4, 11):
        one = read_picture(folder / f"patient090_frame{frame:02d}.nii.gz")
        np.testing.assert_array_equal(cine.array[..., frame - 1], one.array)


def test_hippocampus_labels_are_integers_even_where_stored_as_floats(data_root: Path) -> None:
    folder = data_root / "volumes" / "hippocampus"
    source = open_source(folder / "images", masks=folder / "labels")
    assert len(source) == 48
    for record in source:
        assert record.mask is not None
        mask = read_mask(record.mask)
        assert mask.array.dtype == np.uint8
        assert set(np.unique(mask.array).tolist()) <= {0, 1, 2}
        assert mask.array.shape == read_picture(record.image).array.shape


GEOMETRY = {
    "AIL.nii.gz": (79, 67, 64),
    "AIL_draw.nii.gz": (79, 67, 64),
    "CT_pitch.nii.gz": (175, 248, 58),
    "someones_anatomy.nii.gz": (57, 67, 56),
    "someones_epi.nii.gz": (53, 61, 33),
    "example4d.nii.gz": (128, 96, 24, 2),
    "anatomical_bigendian.nii": (33, 41, 25),
    "shear.nii.gz": (306, 422, 54),
}


@pytest.mark.parametrize("name", sorted(GEOMETRY))
def test_odd_geometry_survives_a_round_trip(data_root: Path, tmp_path: Path, name: str) -> None:
    file = data_root / "volumes" / "geometry" / name
    picture = read_picture(file)
    stored = nib.load(file)
    assert picture.spatial_shape == GEOMETRY[name][2::-1]
    write_picture(tmp_path / "a.nii.gz", picture)
    again = nib.load(tmp_path / "a.nii.gz")
    assert again.shape == stored.shape == GEOMETRY[name]
    np.testing.assert_allclose(again.affine, stored.affine, atol=1e-4)
    np.testing.assert_allclose(np.asanyarray(again.dataobj), np.asanyarray(stored.dataobj), rtol=1e-6, atol=1e-4)
    assert again.header.get_xyzt_units()[0] == stored.header.get_xyzt_units()[0]
    assert int(again.header["qform_code"]) == 0 or not name.startswith("shear")


def test_freesurfer_labels_keep_far_apart_ids(data_root: Path) -> None:
    mask = read_mask(data_root / "volumes" / "freesurfer" / "aparc.a2009s+aseg.mgz")
    assert mask.array.shape == (256, 256, 256)
    labels = np.unique(mask.array[mask.array != 0])
    assert (len(labels), int(labels.max())) == (188, 12_175)


@pytest.mark.parametrize(
    ("name", "axes", "shape", "dtype"),
    [
        ("L7_ETMs_6band_uint8.tif", "yxc", (352, 349, 6), "uint8"),
        ("landsat_2020_4band_uint8.tif", "yxc", (377, 697, 4), "uint8"),
        ("dsm_float32.tif", "yx", (259, 283), "float32"),
        ("calcium_imaging_1000page_uint16.tif", "zyx", (1000, 30, 40), "uint16"),
        ("fluorescence_uint16.tif", "yx", (463, 461), "uint16"),
        ("imc/E34_imc.tiff", "zyx", (5, 100, 100), "float32"),
    ],
)
def test_tiff_of_every_kind_survives_a_round_trip(
    data_root: Path, tmp_path: Path, name: str, axes: str, shape: tuple[int, ...], dtype: str
) -> None:
    picture = read_picture(data_root / "tiff" / name)
    assert (picture.axes, picture.array.shape, picture.array.dtype.name) == (axes, shape, dtype)
    assert picture.note
    write_picture(tmp_path / "a.tiff", picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tiff").array, picture.array)


def test_cell_masks_and_channels_of_mass_cytometry(data_root: Path) -> None:
    folder = data_root / "tiff" / "imc"
    records = [Record(f"{name}_imc.tiff", folder / f"{name}_imc.tiff") for name in ("E34", "G01", "J02")]
    largest = max(int(read_mask(folder / f"{r.key[:3]}_mask.tiff").array.max()) for r in records)
    assert largest == 4209
    assert read_picture(records[0].image, axes="cyx").array.shape == (100, 100, 5)


def test_sixteen_bit_depth_keeps_its_millimetres(data_root: Path, tmp_path: Path) -> None:
    depth = read_picture(data_root / "png16" / "depth_uint16.png")
    assert (depth.axes, depth.array.shape, depth.array.dtype) == ("yx", (480, 640), np.uint16)
    assert depth.array.max() > 255
    write_picture(tmp_path / "a.png", depth)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").array, depth.array)
    assert read_picture(data_root / "png16" / "rgb_uint8.png").array.shape == (480, 640, 3)
