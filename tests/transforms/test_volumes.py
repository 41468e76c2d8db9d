"""Scans: orientation as nibabel has it, percentiles as numpy has them, Nyul's landmarks by hand."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError, ParameterError

RNG = np.random.default_rng(8)
CODES = ["".join(code) for axes in itertools.permutations(("RL", "AP", "SI")) for code in itertools.product(*axes)]


def oblique(degrees: float) -> Any:
    angle = np.deg2rad(degrees)
    about_z = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return about_z @ about_x


@pytest.mark.parametrize("code", CODES)
def test_orientations_are_those_of_nibabel(code: str) -> None:
    nib = pytest.importorskip("nibabel")
    affine = np.eye(4)
    # Stored axes of any order and direction, tilted, of unequal spacing, somewhere in the world.
    affine[:3, :3] = oblique(20) @ np.array([[0, 0, -3.0], [1.5, 0, 0], [0, 2, 0]])
    affine[:3, 3] = [-40, 17, 5]
    array = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
    scan = nib.Nifti1Image(array, affine)
    target = nib.orientations.axcodes2ornt(code)
    wanted = scan.as_reoriented(nib.orientations.ornt_transform(nib.io_orientation(affine), target))
    sample = im.Pipeline([im.Orient(code)], seed=0)(image=im.Image(scan), mask=im.Mask(scan))
    assert np.array_equal(sample.image, wanted.get_fdata())
    assert np.array_equal(sample.mask, wanted.get_fdata())
    assert np.allclose(sample.affine[:, [2, 1, 0, 3]], wanted.affine)
    assert "".join(nib.aff2axcodes(sample.affine[:, [2, 1, 0, 3]])) == code
    assert np.array_equal(sample.inverse(mask=sample.mask)["mask"], array)


SCANS = ("AIL.nii.gz", "CT_pitch.nii.gz", "shear.nii.gz", "someones_epi.nii.gz", "anatomical_bigendian.nii")


@pytest.mark.skipif("IMAGEMILL_DATA" not in os.environ, reason="needs the data sets that IMAGEMILL_DATA names")
@pytest.mark.parametrize("name", SCANS)
def test_scans_as_they_are_stored_come_out_canonical(name: str) -> None:
    nib = pytest.importorskip("nibabel")
    scan = nib.load(Path(os.environ["IMAGEMILL_DATA"]) / "volumes" / "geometry" / name)
    image = im.Image(scan)
    part = tuple(slice(0, 9 + k) for k in range(3))  # of a corner all can be told, and it is quick
    made = im.Pipeline([im.Orient("RAS")], seed=0)(image=im.Image(image.array[part], "xyz", affine=image.affine))
    wanted = nib.as_closest_canonical(nib.Nifti1Image(np.asarray(image.array[part]), scan.affine))
    assert np.array_equal(made.image, np.asarray(wanted.dataobj))
    assert np.allclose(made.affine[:, [2, 1, 0, 3]], wanted.affine, atol=1e-4)


def test_a_volume_without_affine_counts_as_ras() -> None:
    volume = im.Image(RNG.random((3, 4, 5)), "zyx", spacing=(3, 1, 2))
    assert np.array_equal(im.Pipeline([im.Orient("RAS")], seed=0)(image=volume).image, volume.array)
    turned = im.Pipeline([im.Orient("LPS")], seed=0)(image=volume)
    assert np.array_equal(turned.image, volume.array[:, ::-1, ::-1])
    swapped = im.Pipeline([im.Orient("SAR"), im.Resample(spacing=1)], seed=0)(image=volume)
    assert swapped.image.shape == (10, 4, 9)  # x and z changed places, and their spacings with them


@pytest.mark.parametrize("code", ["RA", "RAR", "RAX", "ras", 3])
def test_orientations_that_are_none(code: Any) -> None:
    with pytest.raises(ParameterError, match="RAS"):
        im.Orient(code)


def test_pictures_have_no_orientation() -> None:
    with pytest.raises(ParameterError, match="pictures"):
        im.Pipeline([im.Orient()], seed=0)(np.zeros((4, 5), np.uint8))


@pytest.mark.parametrize("shape", [(5, 8), (4, 9), (7, 7), (2, 3)])
@pytest.mark.parametrize("size", [(5, 8), (6, 6), (3, 11)])
def test_crop_or_pad_is_a_crop_and_a_pad(shape: Any, size: Any) -> None:
    image = RNG.integers(10, 255, shape, np.uint8)
    wanted = np.full(size, 9, np.uint8)
    # By hand: what is cut is cut evenly, the odd pixel at the end; padding the same.
    into, out = [], []
    for n, m in zip(shape, size, strict=True):
        lost, new = max(n - m, 0) // 2, max(m - n, 0) // 2
        out.append(slice(lost, lost + min(n, m)))
        into.append(slice(new, new + min(n, m)))
    wanted[tuple(into)] = image[tuple(out)]
    sample = im.Pipeline([im.CropOrPad(size, fill=9, mask_fill=3)], seed=0)(image=image, mask=image)
    assert np.array_equal(sample.image, wanted)
    assert np.array_equal(sample.mask, np.where(wanted == 9, 3, wanted))
    assert np.array_equal(sample.inverse(mask=sample.mask)["mask"], np.where(sample.seen(), image, 0))


def test_crop_or_pad_at_random_stays_within() -> None:
    image = np.arange(1, 61, dtype=np.uint8).reshape(6, 10)
    pipe = im.Pipeline([im.CropOrPad((8, 4), at="random")], seed=2)
    starts = set()
    for key in range(60):
        made = pipe(image, key=key)
        rows, columns = np.flatnonzero(made.any(axis=1)), np.flatnonzero(made.any(axis=0))
        assert (len(rows), len(columns)) == (6, 4)
        starts.add((rows[0], made[rows[0], 0]))
    assert {row for row, _ in starts} == {0, 1, 2}
    assert {value for _, value in starts} == set(range(1, 8))


def test_windows_of_hounsfield_units() -> None:
    ct = RNG.integers(-1024, 3000, (4, 5, 6)).astype(np.int16)
    made = im.Pipeline([im.Window(40, 400, to=(-1, 1))], seed=0)(ct, axes="zyx")
    assert made.dtype == np.float32
    assert np.abs(made - np.clip((ct + 160.0) / 200 - 1, -1, 1)).max() < 1e-5
    assert (made.min(), made.max()) == (-1, 1)
    drawn = im.Pipeline([im.Window((0, 80), (300, 500))], seed=0)
    one, two = (drawn(image=im.Image(ct, "zyx"), key=key) for key in (0, 1))
    assert one.applied != two.applied
    values = dict(one.applied[0].values)
    low = values["level"] - values["width"] / 2
    assert np.abs(one.image - np.clip((ct - low) / values["width"], 0, 1)).max() < 1e-5
    with pytest.raises(ParameterError, match="above 0"):
        im.Window(40, 0)
    with pytest.raises(ParameterError, match="another unit"):
        im.Window(p=0.5)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_percentiles_are_numpys(dtype: Any) -> None:
    scan = np.maximum(RNG.normal(0, 300, (6, 7, 8)), 0).astype(dtype)
    made = im.Pipeline([im.ClipPercentiles(5, 90)], seed=0)(scan, axes="zyx")
    low, high = np.percentile(scan, [5, 90])
    assert made.dtype == dtype
    assert np.abs(made - np.clip(scan, low, high)).max() < (1 if dtype == np.int16 else 1e-3)
    bright = im.Pipeline([im.ClipPercentiles(5, 90, above=0)], seed=0)(scan, axes="zyx")
    low, high = np.percentile(scan[scan > 0], [5, 90])
    assert np.abs(bright - np.clip(scan, low, high)).max() < (1 if dtype == np.int16 else 1e-3)
    with pytest.raises(ParameterError, match="low below high"):
        im.ClipPercentiles(50, 50)


def test_standardized_within_the_foreground() -> None:
    scan = np.where(RNG.random((6, 7, 8)) < 0.5, 0, RNG.normal(500, 40, (6, 7, 8))).astype(np.float32)
    inside = scan > 0
    made = im.Pipeline([im.Standardize(above=0)], seed=0)(scan, axes="zyx")
    assert np.abs(made - (scan - scan[inside].mean()) / scan[inside].std()).max() < 1e-4
    mean = im.Pipeline([im.Standardize(above="mean", scale=False)], seed=0)(scan, axes="zyx")
    assert np.abs(mean - (scan - scan[scan > scan.mean()].mean())).max() < 1e-3
    whole = im.Pipeline([im.Standardize(above=0)], seed=0)(scan.astype(np.int16), axes="zyx")
    assert (whole.dtype, bool(np.abs(whole - made).max() < 0.1)) == (np.float32, True)
    # Nothing above: all counts; a constant image becomes 0.
    assert not im.Pipeline([im.Standardize(above=9)], seed=0)(np.full((2, 3), 7.0)).any()
    with pytest.raises(ParameterError, match="per_channel"):
        im.Standardize(per_channel=True, above=0)


def test_landmarks_by_hand() -> None:
    """Percentiles 0, 50, 100 of two images: 0, 5, 10 and 0, 60, 100 become 0, 50, 100 and 0, 60, 100: 0, 55, 100."""
    one, other = np.array([[0.0, 5, 10]]), np.array([[0.0, 60, 100]])
    found = im.MatchLandmarks.fit([one, im.Image(other)], percentiles=(0, 50, 100), above=None)
    assert found.landmarks == pytest.approx((0, 55, 100))
    pipe = im.Pipeline([found], seed=0)
    assert pipe(one).tolist() == [[0, 55, 100]]
    assert pipe(other).tolist() == [[0, 55, 100]]
    # 2 lies at 2/5 of the first piece, 8 at 3/5 of the second.
    assert pipe(np.array([[0.0, 2, 5, 8, 10]])).round(6).tolist() == [[0, 22, 55, 82, 100]]
    assert im.Pipeline.from_yaml(pipe.to_yaml()).transforms == pipe.transforms


def test_landmarks_go_on_beyond_their_ends_and_leave_the_background_out() -> None:
    scan = np.array([[0.0, 0, 0, 0, 0, 0, 10, 20, 30]])
    found = im.MatchLandmarks((0, 10, 40), (0, 50, 100), above="mean")
    # The mean is 6.67: 10, 20, 30 become 0, 10, 40, and 0 lies one step before 10.
    made = im.Pipeline([found], seed=0)(scan)
    assert made.tolist() == [[-10] * 6 + [0, 10, 40]]
    assert im.Pipeline([found], seed=0)(np.full((2, 2), 7.0)).tolist() == [[10, 10], [10, 10]]
    with pytest.raises(InputError, match="none whose values differ"):
        im.MatchLandmarks.fit([np.ones((2, 2))])
    for wrong in ({"landmarks": (1, 1)}, {"landmarks": (1, 2)}, {"percentiles": (0, 101), "landmarks": (0, 1)}):
        with pytest.raises(ParameterError, match="expected"):
            im.MatchLandmarks(**wrong)


def test_one_scale_for_scans_of_any() -> None:
    """Scans of one anatomy under other gains, offsets and gammas come out alike, and closer than they came."""
    head = RNG.gamma(4, 20, (12, 14, 10))
    scans = [gain * head**gamma + offset for gain, gamma, offset in ((1, 1, 0), (3, 1.1, 20), (0.4, 0.9, -5))]
    pipe = im.Pipeline([im.MatchLandmarks.fit(scans, above=None)], seed=0)
    made = [pipe(scan, axes="zyx") for scan in scans]
    inner = (head > np.percentile(head, 2)) & (head < np.percentile(head, 98))
    apart = max(np.abs(one - made[0])[inner].max() for one in made)
    assert apart < 2.0  # of 100
    assert np.corrcoef(made[0].ravel(), head.ravel())[0, 1] > 0.95
