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


def _gappy(folder: Path) -> np.ndarray:
    """Six float pictures with a tenth of NaN, far from 0, so that filling with the value next to 0 would show."""
    rng = np.random.default_rng(3)
    pictures = rng.normal(1000, 50, (6, 6, 8)).astype(np.float32)
    pictures[rng.random(pictures.shape) < 0.1] = np.nan
    pictures[:, 0, 0] = np.nan
    folder.mkdir()
    for number, one in enumerate(pictures):
        tifffile.imwrite(folder / f"{number}.tif", one)
    return pictures


@pytest.mark.parametrize("workers", [1, 2])
def test_statistics_of_a_set_leave_out_what_was_filled_in(tmp_path: Path, workers: int) -> None:
    pictures = _gappy(tmp_path / "in").astype(np.float64)
    every = {"dtype": "float32", "split": (1.0, 0.0, 0.0), "workers": workers}
    im.prepare(tmp_path / "in", tmp_path / "plain", **every)
    stored = np.asarray(im.open(tmp_path / "plain").images)
    order = [int(key[0]) for key in im.open(tmp_path / "plain").table["key"]]
    known = pictures[order]
    good = np.isfinite(known)
    np.testing.assert_array_equal(stored[good], known[good])
    assert np.isfinite(stored).all()
    mean, std = np.nanmean(known), np.nanstd(known)
    for again in (False, True):  # made anew, and from the rows of an earlier store
        out = tmp_path / ("plain" if again else "pixels")
        im.prepare(tmp_path / "in", out, standardize="pixels", overwrite=True, **every)
        found = np.asarray(im.open(out).images)
        np.testing.assert_allclose(found[good], ((known - mean) / std)[good], atol=1e-5)
        assert np.isfinite(found).all()
    im.prepare(tmp_path / "in", tmp_path / "places", standardize="per-location", **every)
    found = np.asarray(im.open(tmp_path / "places").images)
    places = known.copy()
    places[:, 0, 0] = [0, 1, 2, 3, 4, 5]  # a place without any value, which is compared below
    wanted = (known - np.nanmean(places, axis=0)) / np.nanstd(places, axis=0)
    np.testing.assert_allclose(found[good], wanted[good], atol=1e-4)
    assert np.abs(found).max() < 50
    im.prepare(tmp_path / "in", tmp_path / "each", standardize="per-sample", **every)
    found = np.asarray(im.open(tmp_path / "each").images)
    wanted = (known - np.nanmean(known, axis=(1, 2), keepdims=True)) / np.nanstd(known, axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found[good], wanted[good], atol=1e-5)


def test_whitening_takes_a_gap_for_the_mean_of_its_place(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    pictures = rng.normal(1000, 50, (30, 2, 2)).astype(np.float32)
    pictures[rng.random(pictures.shape) < 0.1] = np.nan
    (tmp_path / "in").mkdir()
    for number, one in enumerate(pictures):
        tifffile.imwrite(tmp_path / "in" / f"{number:02d}.tif", one)
    im.prepare(tmp_path / "in", tmp_path / "z", dtype="float32", split=(1.0, 0.0, 0.0), standardize="zca")
    with np.load(next((tmp_path / "z").glob("*.npz"))) as kept:
        matrix, mean = kept["zca"], kept["location_mean"]
    wide = pictures.astype(np.float64)
    np.testing.assert_allclose(mean, np.nanmean(wide, axis=0), rtol=1e-12)
    flat = np.where(np.isfinite(wide), wide, mean).reshape(30, 4)
    values, vectors = np.linalg.eigh(np.cov(flat.T, bias=True))
    np.testing.assert_allclose(matrix, (vectors / np.sqrt(values + 1e-7)) @ vectors.T, rtol=1e-6, atol=1e-9)


def test_gaps_follow_their_pixels_into_the_frame() -> None:
    from imagemill.verbs.prepare.common_frame import place
    from imagemill.verbs.prepare.fitting import gaps_in

    picture = np.zeros((4, 6), np.float32)
    picture[1, 2] = np.inf
    for size, fit, wanted in (((4, 6), "stretch", [(1, 2)]), ((2, 3), "stretch", [(0, 1)]), ((4, 4), "crop", [(1, 1)])):
        found = gaps_in(picture, place((4, 6), size, fit))
        assert [tuple(p) for p in np.argwhere(found).tolist()] == wanted
    grown = gaps_in(picture, place((4, 6), (8, 12), "stretch"))
    assert [tuple(p) for p in np.argwhere(grown).tolist()] == [(2, 4), (2, 5), (3, 4), (3, 5)]
