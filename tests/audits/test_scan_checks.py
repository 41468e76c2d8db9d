"""Scans: a set that breaks one rule gets that finding in that scan, and a clean one gets none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

import imagemill as im
from imagemill.audits import Audit
from imagemill.audits.robust_outliers import far_from_rest
from imagemill.audits.scan_facts import orientation_code, scan_facts
from imagemill.audits.scan_view import scan_view
from imagemill.data import Picture
from tests.audits.made_up import photo, write
from tests.audits.made_up_scans import GRID, Case, case, nnunet, pairs, save, series

CHECKS = ["scans", "scan-set", "label-maps", "label-pieces", "groups"]
FIFTH = ("images/c04.nii",)


def by_rule(found: Audit) -> dict[str, im.Finding]:
    return {finding.rule: finding for finding in found.findings}


def set_to(name: str, make: Callable[[Case], object]) -> Callable[[Case], None]:
    def change(one: Case) -> None:
        setattr(one, name, make(one))

    return change


def sliced(one: Case, rows: slice, value: float) -> np.ndarray:
    changed = one.image.copy()
    changed[rows] = value
    return changed


def both(one: Case, affine: np.ndarray) -> None:
    one.affine = one.label_affine = affine


def larger(one: Case) -> None:
    other = case(99, (30, 24, 20))
    one.image, one.label = other.image, np.pad(one.label, ((10, 10), (0, 0), (0, 0)))


def turned(one: Case) -> None:
    both(one, np.diag([-1.5, 1.5, 4.0, 1.0]))


def repeated(one: Case) -> np.ndarray:
    changed = one.image.copy()
    changed[7] = changed[6]
    return changed


FAULTS: dict[str, tuple[str, Callable[[Case], object]]] = {
    "slices-blank": ("warning", set_to("image", lambda one: sliced(one, slice(5, 6), 0))),
    "slices-twice": ("warning", set_to("image", repeated)),
    "slices-padded": ("note", set_to("image", lambda one: sliced(one, slice(0, 2), 0))),
    "nodata": ("warning", set_to("image", lambda one: np.where(one.image < 300, np.float32(-9999), one.image))),
    "no-place": ("warning", set_to("code", lambda _: 0)),
    "header": ("warning", set_to("qform", lambda _: GRID + np.outer([1, 0, 0, 0], [0, 0, 0, 9.0]))),
    "eight-bit": ("warning", set_to("image", lambda one: (one.image // 5).astype(np.uint8))),
    "range-odd": ("warning", set_to("image", lambda one: one.image.astype(np.float32) * 100)),
    "units-mixed": ("warning", set_to("image", lambda one: np.where(one.image < 450, np.int16(-1000), one.image))),
    "spacing-odd": ("warning", lambda one: both(one, np.diag([1.5, 1.5, 9.0, 1.0]))),
    "size-odd": ("note", larger),
    "orientation-codes": ("warning", turned),
}
# What goes with a fault, and is true as well.
BESIDE = {"spacing-odd": {"spacings"}, "nodata": {"units-mixed", "range-odd"}}


def test_a_clean_set_of_scans_has_no_finding(tmp_path: Path) -> None:
    found = im.audit(pairs(tmp_path), checks=CHECKS)
    assert (found.findings, len(found.survey.seen)) == ((), 12)
    assert [str(one) for one in found.not_asked] == ["group-leak: not asked, because there are not two parts"]


@pytest.mark.parametrize("rule", sorted(FAULTS))
def test_each_fault_of_a_scan_is_found_in_that_scan_alone(tmp_path: Path, rule: str) -> None:
    level, change = FAULTS[rule]
    found = by_rule(im.audit(pairs(tmp_path, change), checks=["scans", "scan-set"]))  # type: ignore[arg-type]
    assert set(found) - BESIDE.get(rule, set()) == {rule}
    assert (found[rule].level, found[rule].places) == (level, FIFTH)


def test_values_that_are_not_finite_are_found_in_every_slice(tmp_path: Path) -> None:
    def spoil(one: Case) -> None:
        one.image = one.image.astype(np.float32)
        one.image[0, 3, 4], one.image[9, 0, 0] = np.nan, np.inf

    found = by_rule(im.audit(pairs(tmp_path, spoil), checks=["quality"]))
    assert found["not-finite"].places == FIFTH


def test_scans_that_are_all_of_eight_bits_are_of_one_kind(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.nii", (case(number).image // 5).astype(np.uint8), GRID)
    assert im.audit(tmp_path, checks=["scan-set"]).findings == ()


def test_voxel_sizes_that_differ_are_said_with_their_range(tmp_path: Path) -> None:
    wider = np.diag([1.5, 1.5, 5.0, 1.0])
    found = by_rule(im.audit(pairs(tmp_path, lambda one: both(one, wider)), checks=["scan-set"]))
    assert set(found) == {"spacings"}  # 5 mm beside 4 mm is another spacing, and not an odd one
    assert "slices 4 to 5, rows 1.5, columns 1.5" in found["spacings"].message


DESCRIBED = {
    "channel-count": {"channel_names": {"0": "T1", "1": "T2"}},
    "case-count": {"numTraining": 5},
    "label-unused": {"labels": {"background": 0, "organ": 1, "tumour": 2}},
    "label-numbers": {"labels": {"background": 0, "organ": 1, "tumour": 3}},
    "not-hounsfield": {"channel_names": {"0": "CT"}},
}


@pytest.mark.parametrize("rule", sorted(DESCRIBED))
def test_what_dataset_json_says_is_compared_with_what_is_there(tmp_path: Path, rule: str) -> None:
    found = by_rule(im.audit(nnunet(tmp_path, DESCRIBED[rule]), checks=CHECKS))
    assert set(found) - ({"label-unused"} if rule == "label-numbers" else set()) == {rule}


def test_what_dataset_json_says_rightly_is_no_finding(tmp_path: Path) -> None:
    def in_hounsfield(one: Case) -> None:
        one.image = one.image - 1000

    assert im.audit(nnunet(tmp_path / "t1"), checks=CHECKS).findings == ()
    # Version 1, as the Decathlon writes it; and a CT that goes below 0.
    told = {"labels": {"0": "background", "1": "organ"}, "modality": {"0": "MRI"}}
    assert im.audit(nnunet(tmp_path / "old", told), checks=CHECKS).findings == ()
    said = by_rule(im.audit(nnunet(tmp_path / "ct", DESCRIBED["not-hounsfield"], in_hounsfield), checks=["scans"]))
    assert said["not-hounsfield"].places == ("imagesTr/case0", "imagesTr/case2")


def test_values_that_nobody_declared_are_an_error_with_their_voxels(tmp_path: Path) -> None:
    def spoil(one: Case) -> None:
        one.label[4, 12, 8:12] = 3

    found = by_rule(im.audit(nnunet(tmp_path, change=spoil), checks=["label-maps"]))
    assert set(found) == {"label-unexpected"}
    assert (found["label-unexpected"].places, found["label-unexpected"].numbers["voxels"]) == (("imagesTr/case1",), 4)
    # A region is made of values, each of which is declared by it.
    (tmp_path / "dataset.json").write_text(
        json.dumps({"labels": {"background": 0, "whole": [1, 3], "core": 3}, "channel_names": {"0": "T1"}})
    )
    assert set(by_rule(im.audit(tmp_path, checks=["label-maps"]))) == {"label-numbers"}


def test_a_series_with_a_gap_is_an_error_and_an_even_one_none(tmp_path: Path) -> None:
    series(tmp_path / "even", "p1")
    assert im.audit(series(tmp_path / "even", "p2", 1), checks=CHECKS).findings == ()
    series(tmp_path / "torn", "p1")
    found = by_rule(im.audit(series(tmp_path / "torn", "p2", 1, gone=(4, 5)), checks=[*CHECKS, "quality"]))
    assert "2 missing where they are 2 mm apart" in found["slices-missing"].message
    assert (found["slices-missing"].level, found["slices-missing"].places) == ("error", ("p2",))


@pytest.mark.parametrize(
    ("rule", "tags", "said"),
    [
        ("scanners", {"Manufacturer": "Acme", "ManufacturerModelName": "ONE"}, "Acme ONE (1), Acme TWO (1)"),
        ("reconstruction-kernels", {"ConvolutionKernel": "ONE"}, "ONE (1), TWO (1)"),
        ("sequences", {"ScanningSequence": "ONE"}, "ONE (1), TWO (1)"),
        ("modalities", {"Modality": "ONE"}, "ONE (1), TWO (1)"),
    ],
)
def test_scans_that_were_taken_in_several_ways_are_counted(
    tmp_path: Path, rule: str, tags: dict[str, str], said: str
) -> None:
    series(tmp_path, "p1", **tags)
    series(tmp_path, "p2", 1, **{tag: value.replace("ONE", "TWO") for tag, value in tags.items()})
    found = by_rule(im.audit(tmp_path, checks=["scan-set"]))
    assert set(found) == {rule}
    assert said in found[rule].message


def test_scans_are_compared_with_those_of_their_modality(tmp_path: Path) -> None:
    lines = ["path,label,modality"]
    for number in range(13):
        one = case(number)
        other = number == 4
        save(tmp_path / f"{number}.nii", one.image.astype(np.float32) * (500 if other else 1), GRID)
        lines.append(f"{number}.nii,a,{'PT' if other else 'MR'}")
    (tmp_path / "set.csv").write_text("\n".join(lines))
    assert set(by_rule(im.audit(tmp_path / "set.csv", checks=["scan-set"]))) == {"modalities"}
    (tmp_path / "set.csv").write_text("\n".join(lines).replace("PT", "MR"))
    assert set(by_rule(im.audit(tmp_path / "set.csv", checks=["scan-set"]))) == {"range-odd"}
    (tmp_path / "set.csv").write_text("\n".join(lines[:8]).replace("PT", "CT"))
    because = im.audit(tmp_path / "set.csv", checks=["scan-set"]).not_asked[0].because
    assert because.startswith("there are fewer than 10 volumes of the commonest modality (MR)")


def test_cases_without_labels_are_missing_in_the_training_part_alone(tmp_path: Path) -> None:
    nnunet(tmp_path)
    save(tmp_path / "imagesTs" / "case9_0000.nii", case(9).image, GRID)
    assert im.audit(tmp_path, checks=CHECKS).findings == ()
    (tmp_path / "labelsTr" / "case1.nii").unlink()
    (tmp_path / "imagesTr" / "case2_0000.nii").unlink()
    found = by_rule(im.audit(tmp_path, checks=[*CHECKS, "quality"]))
    assert {rule: one.places for rule, one in found.items()} == {
        "label-map-missing": ("imagesTr/case1",),
        "case-count": (),
        "left-out": ("labelsTr/case2.nii",),
    }


def test_a_patient_in_two_parts_is_a_leak(tmp_path: Path) -> None:
    lines = ["path,split,group"]
    for number, (split, group) in enumerate([("train", "ann"), ("train", "ben"), ("test", "ben"), ("test", "eve")]):
        write(tmp_path / f"{number}.png", photo(number))
        lines.append(f"{number}.png,{split},{group}")
    (tmp_path / "set.csv").write_text("\n".join(lines))
    found = by_rule(im.audit(tmp_path / "set.csv", checks=["groups"]))
    assert found["group-leak"].places == ("1.png", "2.png")
    (tmp_path / "set.csv").write_text("\n".join(lines).replace("test,ben", "train,ben"))
    assert im.audit(tmp_path / "set.csv", checks=["groups"]).findings == ()


def test_photos_and_one_scan_beside_them_are_not_asked_and_it_is_said_why(tmp_path: Path) -> None:
    for row in range(12):
        write(tmp_path / f"{row}.png", photo(row))
    because = {one.rule: one.because for one in im.audit(tmp_path, checks=CHECKS).not_asked}
    assert because["scans"] == "no image is a volume or a DICOM file"
    assert (because["scan-set"], because["label-maps"]) == ("there are not two volumes", "no image has a label map")
    save(tmp_path / "scan.nii", case(0).image, GRID)
    found = im.audit(tmp_path, checks=CHECKS)
    because = {one.rule: one.because for one in found.not_asked}
    assert (found.findings, because["scan-set"]) == ((), "there are not two volumes")
    assert "scans" not in because


def test_few_scans_have_no_outlier(tmp_path: Path) -> None:
    found = im.audit(pairs(tmp_path, FAULTS["size-odd"][1], 9), checks=["scan-set", "label-pieces"])  # type: ignore[arg-type]
    assert found.findings == ()
    assert {one.rule for one in found.not_asked} == {"scan-outliers", "label-pieces"}


def test_orientation_codes_are_those_of_nibabel() -> None:
    draws = np.random.default_rng(3)
    for _ in range(50):
        affine = np.eye(4)
        affine[:3, :3] = draws.normal(size=(3, 3))
        assert orientation_code(affine[:, [2, 1, 0, 3]]) == "".join(nibabel.aff2axcodes(affine))


def test_facts_of_a_volume_by_hand() -> None:
    volume = np.zeros((5, 4, 4), np.float32)
    volume[1, 0], volume[2, 1], volume[4, 0] = 2, [1, 2, 3, 4.5], 2
    volume[2, 0, 0] = np.nan
    found = scan_facts(Picture(volume, "zyx", np.diag([1.0, 2, 3, 1])[:, [2, 1, 0, 3]]))
    assert found is not None
    assert (found.blank, found.blank_inside, found.twice, found.clearest) == ((0, 3), (3,), 1, 2)
    assert (found.levels[0][0], found.levels[0][4], found.not_finite, found.whole) == (0, 4.5, 1, False)
    assert (found.spacing, found.orientation) == ((3.0, 2.0, 1.0), "RAS")
    assert scan_facts(Picture(np.zeros((4, 4), np.uint8), "yx")) is None
    volume[4], volume[3, 0], volume[0, 0, 0] = 0, [0, 0, 3, 6], np.inf
    volume[0, 1, :2] = [-8, -2]
    found = scan_facts(Picture(volume, "zyx"))
    assert found is not None
    assert (found.blank, found.blank_inside, found.levels[0][0], found.levels[0][4]) == ((4,), (), -8, 6)
    even = np.zeros((6, 1, 2), np.uint8)
    even[[0, 3, 5], 0, 0] = 9
    found = scan_facts(Picture(even, "zyx"))
    assert found is not None
    assert (found.clearest, found.spacing, found.orientation) == (3, None, "")
    nothing = scan_facts(Picture(np.full((2, 2, 2), np.nan), "zyx"))
    assert nothing is not None
    assert np.isnan(nothing.levels[0]).all()


def test_far_from_rest_by_hand() -> None:
    # The median is 10, the median absolute deviation in logarithms that of 11: 0.0953 / 0.6745 = 0.141 a deviation.
    values = np.array([9.09, 10, 11, 9.09, 10, 11, 9.09, 10, 11, 10, 14, 16, 30.0])
    assert far_from_rest(values, 3.5, 1.2).nonzero()[0].tolist() == [12]
    assert far_from_rest(values, 3.0, 1.2).nonzero()[0].tolist() == [11, 12]
    assert not far_from_rest(values, 3.5, 4.0).any()
    assert not far_from_rest(np.array([1.0] * 9 + [100]), 3.5, 20)[:9].any()
    assert not far_from_rest(np.array([1.0] * 8 + [100]), 3.5, 2).any()  # nine are too few
    assert not far_from_rest(np.array([1.0] * 9 + [100] * 3), 3.5, 2).any()  # a quarter is another kind
    assert far_from_rest(np.array([1.0] * 12 + [np.nan, 100]), 3.5, 2).nonzero()[0].tolist() == [13]


def test_a_view_shows_the_slice_with_most_labels_as_radiologists_look_at_it() -> None:
    volume, labels = np.zeros((3, 8, 4), np.int16), np.zeros((3, 8, 4), np.uint8)
    volume[0] = np.arange(4)
    volume[1, 0], volume[1, :, 0] = 50, 100
    labels[1, 6:, 3] = labels[1, 6, 0] = 1
    # Rows lead to the front and columns to the right, each pixel is 1 mm high and 2 mm wide.
    shown = scan_view(Picture(volume, "zyx", np.diag([2.0, 1.0, 5.0, 1.0])[:, [2, 1, 0, 3]]), labels, 0)
    assert shown.shape == (144, 144, 3)
    assert shown[100, 140].tolist() == [255, 255, 255]  # what was on the left is on the right
    assert shown[140, 20].tolist() == [127, 127, 127]  # and what was above is below
    assert shown[20, 18].tolist() == [92, 64, 0]  # the label, orange over black
    assert shown[27, 140].tolist() == [245, 217, 153]  # and over white
    assert shown[60, 18].tolist() == [0, 0, 0]
    plain = scan_view(Picture(volume, "zyx"), None, 0)
    assert plain.shape == (144, 72, 3)
    assert plain[0, 0, 0] < plain[0, 71, 0]


def test_scans_are_not_called_odd_by_what_photos_are_measured_by(tmp_path: Path) -> None:
    """Padding, black air and another matrix size are no faults of a scan; one value in every voxel is."""
    for number in range(24):
        volume = case(number, (4, 24, 20)).image
        if number == 3:
            volume[:, 6:] = 0
        if number == 5:
            volume = np.tile(case(number, (4, 24, 20)).image, (1, 1, 8))
        if number == 7:
            volume[:] = 40
        if number == 9:
            volume[:] = 0
            volume[1, 3, 3] = 9
        save(tmp_path / f"{number:02d}.nii", volume, GRID)
    found = im.audit(tmp_path, checks=["quality"])
    assert {rule: one.places for rule, one in by_rule(found).items()} == {"flat": ("07.nii",)}
    assert [str(one) for one in found.not_asked] == [
        "odd: not asked, because there are fewer than 20 photos, so that none is odd beside the others"
    ]


def test_label_maps_that_were_taken_for_scans_are_told_and_compared_with_none(tmp_path: Path) -> None:
    for number in range(12):
        one = case(number)
        label = one.label * 3
        if number < 2:
            label[6] = label[5]  # a region that goes on
            label[4] = 0
            save(tmp_path / f"x{number}.nii", label, one.affine)
        save(tmp_path / f"{number:02d}.nii", one.image, one.affine)
    found = by_rule(im.audit(tmp_path, checks=["scans", "scan-set"]))
    assert {rule: one.places for rule, one in found.items()} == {"like-label-maps": ("x0.nii", "x1.nii")}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda one: one.label, True),
        (lambda one: one.label.astype(np.float32) * 7, True),
        (lambda one: one.label * 0, False),
        (lambda one: np.where(one.label, one.image, 0), False),  # a scan that was cut out
        (lambda one: one.label + 0.5, False),
        (lambda one: one.image // 5, False),
        (lambda one: one.label.astype(np.int16) * 900 - 1000, False),
    ],
)  # fmt: skip
def test_what_is_like_a_label_map(make: Callable[[Case], np.ndarray], *, told: bool) -> None:
    found = scan_facts(Picture(make(case(0)), "zyx", GRID))
    assert found is not None
    assert found.like_label_map is told
