"""The same questions of every way to keep scans: MetaImage, NRRD, TIFF stacks, DICOM, the Decathlon's folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.audits import Audit
from tests.audits.made_up_scans import GRID, Array, Case, case, save, series

CHECKS = ["scans", "scan-set", "label-maps", "label-pieces"]


def by_rule(found: Audit) -> dict[str, im.Finding]:
    return {finding.rule: finding for finding in found.findings}


def as_mha(path: Path, array: Array, origin: float) -> None:
    kind = {"int16": "MET_SHORT", "uint8": "MET_UCHAR"}[array.dtype.name]
    words = {
        "ObjectType": "Image",
        "NDims": 3,
        "BinaryData": True,
        "BinaryDataByteOrderMSB": False,
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": f"{origin} 0 0",
        "ElementSpacing": "1.5 1.5 4",
        "DimSize": " ".join(map(str, array.shape[::-1])),
        "ElementType": kind,
        "ElementDataFile": "LOCAL",
    }
    text = "".join(f"{name} = {value}\n" for name, value in words.items())
    path.write_bytes(text.encode() + array.tobytes())


def as_nrrd(path: Path, array: Array, origin: float) -> None:
    text = f"""NRRD0004
type: {array.dtype.name}
dimension: 3
space: left-posterior-superior
sizes: {" ".join(map(str, array.shape[::-1]))}
space directions: (1.5,0,0) (0,1.5,0) (0,0,4)
space origin: ({origin},0,0)
endian: little
encoding: raw

"""
    path.write_bytes(text.encode() + array.tobytes())


@pytest.mark.parametrize(("suffix", "write"), [(".mha", as_mha), (".nrrd", as_nrrd)])
def test_metaimage_and_nrrd_are_asked_as_nifti_is(
    tmp_path: Path, suffix: str, write: Callable[[Path, Array, float], None]
) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for number in range(12):
        one = case(number)
        if number == 4:
            one.image[5] = 0
        write(tmp_path / "images" / f"c{number:02d}{suffix}", one.image, 0.0)
        write(tmp_path / "labels" / f"c{number:02d}{suffix}", one.label, 3.0 if number == 7 else 0.0)
    found = by_rule(im.audit(tmp_path, checks=CHECKS))
    assert {rule: one.places for rule, one in found.items()} == {
        "slices-blank": (f"images/c04{suffix}",),
        "label-grid": (f"images/c07{suffix}",),
    }
    assert dict(found["label-grid"].numbers) == {"images": 1, "origin": 1}


def test_tiff_stacks_have_no_place_and_are_asked_for_the_rest(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    for number in range(3):
        volume = case(number).image
        if number == 1:
            volume[3] = volume[2]
        tifffile.imwrite(tmp_path / f"{number}.tif", volume, photometric="minisblack", metadata={"axes": "ZYX"})
    found = im.audit(tmp_path, checks=CHECKS)
    assert {rule: one.places for rule, one in by_rule(found).items()} == {"slices-twice": ("1.tif",)}
    assert "scan-outliers" in {one.rule for one in found.not_asked}


def test_volumes_without_a_place_are_measured_in_voxels(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for number in range(12):
        one = case(number)
        if number == 4:
            one.label[:7] = 0
        for name, array in (("images", one.image), ("masks", one.label)):
            path = tmp_path / name / f"{number:02d}.tif"
            tifffile.imwrite(path, array, photometric="minisblack", metadata={"axes": "ZYX"})
    found = by_rule(im.audit(tmp_path, checks=["label-pieces"]))
    assert set(found) == {"label-volume"}
    assert f"label 1 {int(case(4).label[7:].sum())} voxels, usually" in found["label-volume"].message


def test_the_decathlon_names_cases_without_channels_and_labels_by_number(tmp_path: Path) -> None:
    for number in range(3):
        one = case(number)
        save(tmp_path / "imagesTr" / f"organ_{number:03d}.nii.gz", one.image, GRID)
        save(tmp_path / "labelsTr" / f"organ_{number:03d}.nii.gz", one.label, GRID)
    words = {"labels": {"0": "background", "1": "organ", "2": "tumour"}, "modality": {"0": "MRI"}, "numTraining": 4}
    (tmp_path / "dataset.json").write_text(json.dumps(words))
    found = by_rule(im.audit(tmp_path, checks=CHECKS))
    assert set(found) == {"case-count", "label-unused"}
    assert "label 2 (tumour)" in found["label-unused"].message


def test_channels_of_a_case_that_are_missing_or_lie_elsewhere_are_told(tmp_path: Path) -> None:
    for number in range(3):
        one = case(number)
        save(tmp_path / "imagesTr" / f"c{number}_0000.nii", one.image, GRID)
        if number:
            away = GRID + np.outer([1, 0, 0, 0], [0, 0, 0, 6.0 * (number == 2)])
            save(tmp_path / "imagesTr" / f"c{number}_0001.nii", one.image[::-1], away)
        save(tmp_path / "labelsTr" / f"c{number}.nii", one.label, GRID)
    words = {"labels": {"background": 0, "organ": 1}, "channel_names": {"0": "T1", "1": "T2"}, "file_ending": ".nii"}
    (tmp_path / "dataset.json").write_text(json.dumps(words))
    found = by_rule(im.audit(tmp_path, checks=[*CHECKS, "quality"]))
    assert {rule: one.places for rule, one in found.items()} == {
        "channel-count": ("imagesTr/c0",),
        "unreadable": ("imagesTr/c2",),
    }
    assert "on the grid of the first image" in found["unreadable"].message


def test_a_ct_series_whose_intercept_was_lost_is_no_hounsfield_scan(tmp_path: Path) -> None:
    series(tmp_path, "good")
    series(tmp_path, "lost", 1, RescaleIntercept=1000)
    found = by_rule(im.audit(tmp_path, checks=["scans"]))
    assert found["not-hounsfield"].places == ("lost",)
    assert "as values are stored before the intercept is added" in found["not-hounsfield"].message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: np.clip(one.image // 5, 0, 255).astype(np.uint8), "was cut to 8 bits"),
        (lambda one: (one.image / 1000).clip(0, 1).astype(np.float32), "was scaled to 0 to 1"),
    ],
)
def test_what_a_ct_without_hounsfield_units_was_made_of_is_said(
    tmp_path: Path, change: Callable[[Case], Array], said: str
) -> None:
    for number in range(2):
        one = case(number)
        save(tmp_path / "imagesTr" / f"c{number}_0000.nii", change(one), GRID)
        save(tmp_path / "labelsTr" / f"c{number}.nii", one.label, GRID)
    words = {"labels": {"background": 0, "organ": 1}, "channel_names": {"0": "CT"}, "file_ending": ".nii"}
    (tmp_path / "dataset.json").write_text(json.dumps(words))
    assert said in by_rule(im.audit(tmp_path, checks=["scans"]))["not-hounsfield"].message
