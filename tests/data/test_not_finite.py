"""Files with values that are NaN, infinite or declared as missing: found, counted, and no harm to the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im

nib = pytest.importorskip("nibabel", reason="writes the scans")
tifffile = pytest.importorskip("tifffile", reason="writes the pictures")


@pytest.fixture
def scans(tmp_path: Path) -> tuple[Path, list[Any]]:
    rng = np.random.default_rng(5)
    folder, made = tmp_path / "scans", []
    folder.mkdir()
    for k, bad in enumerate((np.nan, np.inf, None)):
        volume = rng.normal(100, 20, (8, 16, 16)).astype("f4")
        if bad is not None:
            volume[0, 0, 0] = bad
        nib.save(nib.Nifti1Image(volume.T, np.diag([1, 1, 2, 1])), folder / f"scan{k}.nii.gz")
        made.append(volume)
    return folder, made


def test_scan_counts_and_names_them(scans: tuple[Path, list[Any]]) -> None:
    found = im.scan(scans[0])
    assert dict(found.pixels.not_finite) == {"scan0.nii.gz": 1, "scan1.nii.gz": 1}
    (said,) = [remark for remark in found.remarks() if "NaN" in remark]
    assert said.startswith("2 images with values")
    assert "scan0.nii.gz: 1, scan1.nii.gz: 1" in said
    assert found.to_dict()["pixels"]["not_finite"] == {"scan0.nii.gz": 1, "scan1.nii.gz": 1}


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [({"normalize": "minmax"}, 0, 1), ({"standardize": "per-sample"}, -5, 5), ({"standardize": "pixels"}, -5, 5)],
)
def test_prepare_keeps_the_other_voxels(
    scans: tuple[Path, list[Any]], tmp_path: Path, options: dict[str, Any], low: float, high: float
) -> None:
    folder, volumes = scans
    report = im.prepare(folder, tmp_path / "store", dtype="float32", split=(1.0, 0.0, 0.0), **options)
    (said,) = [note for note in report.notes if "NaN" in note]
    assert said.endswith("(2 files)")
    made = im.open(tmp_path / "store")
    images = np.asarray(made.images)
    assert np.isfinite(images).all()
    for image, volume in zip(images, volumes, strict=True):
        good = np.isfinite(volume)
        assert low <= image.min() < image.max() <= high
        # An affine map of the voxels: their correlation is 1.
        assert np.corrcoef(image[good], volume[good])[0, 1] == pytest.approx(1, abs=1e-6)


def test_what_a_tiff_declares_as_missing_is_no_measurement(tmp_path: Path) -> None:
    heights = np.random.default_rng(0).uniform(200, 300, (20, 30)).astype(np.float32)
    heights[3:6, 4:9] = -9999
    path = tmp_path / "dsm.tif"
    tifffile.imwrite(path, heights, extratags=[(42113, "s", 6, "-9999", True)])
    picture = im.read_picture(path)
    assert np.isnan(picture.array[3:6, 4:9]).all()
    assert "15 values of -9999" in picture.note
    with pytest.warns(UserWarning, match="15 of 600 values"):
        made = im.Pipeline([im.Rescale("minmax")], seed=0)(picture.array)
    good = heights > 0
    np.testing.assert_allclose(made[good], (heights[good] - heights[good].min()) / np.ptp(heights[good]), atol=1e-6)
    assert dict(im.scan(path).pixels.not_finite) == {"dsm.tif": 15}
    # Whole numbers cannot be NaN, and a tag that is no number means nothing.
    tifffile.imwrite(path, heights.astype(np.int16), extratags=[(42113, "s", 6, "-9999", True)])
    assert im.read_picture(path).array.min() == -9999
    assert not im.scan(path).pixels.like_nodata
    tifffile.imwrite(path, heights, extratags=[(42113, "s", 5, "none", True)])
    assert im.read_picture(path).array.min() == -9999


def test_a_number_that_often_means_missing_is_a_finding(tmp_path: Path) -> None:
    heights = np.random.default_rng(0).uniform(200, 300, (20, 30)).astype(np.float32)
    heights[3:6, 4:9] = -9999
    tifffile.imwrite(tmp_path / "dsm.tif", heights)
    found = im.scan(tmp_path / "dsm.tif")
    assert dict(found.pixels.like_nodata) == {"dsm.tif": 15}
    assert any("-9999 (dsm.tif: 15): every statistic counts it" in remark for remark in found.remarks())
    report = im.prepare(tmp_path / "dsm.tif", tmp_path / "store", dtype="float32", split=(1.0, 0.0, 0.0))
    assert any("often means that nothing was measured" in note for note in report.notes)


def test_labels_that_are_not_numbers_are_refused_by_name(tmp_path: Path) -> None:
    labels = np.zeros((4, 5, 6), np.float32)
    labels[1, 1, 1] = np.nan
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "labels.nii.gz")
    with pytest.raises(im.ImagemillError, match=r"labels\.nii\.gz.*(whole|NaN|nan|integer)"):
        im.read_mask(tmp_path / "labels.nii.gz")


def test_a_scan_that_is_constant_but_for_rounding_is_stored_as_zeros(tmp_path: Path) -> None:
    volume = np.full((9, 10, 11), 0.1, np.float32)
    volume[::2] = np.nextafter(np.float32(0.1), np.float32(1))
    nib.save(nib.Nifti1Image(volume, np.eye(4)), tmp_path / "flat.nii.gz")
    for k, options in enumerate(({"normalize": "minmax"}, {"standardize": "per-sample"})):
        im.prepare(
            tmp_path / "flat.nii.gz",
            tmp_path / f"s{k}",
            dtype="float32",
            size=(7, 8, 9),
            split=(1.0, 0.0, 0.0),
            **options,
        )
        assert not np.asarray(im.open(tmp_path / f"s{k}").images).any()
