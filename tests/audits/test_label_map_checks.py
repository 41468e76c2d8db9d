"""Label maps: a set that breaks one rule gets that finding in that map, and a clean one gets none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest
from scipy import ndimage

import imagemill as im
from imagemill.audits import Audit
from imagemill.audits.label_map_facts import Pieces, holes_of, pieces_of
from tests.audits.made_up import Array, photo, write
from tests.audits.made_up_scans import GRID, Case, case, pairs, save

CHECKS = ["label-maps", "label-pieces"]
MIRRORED = np.array([[-1.5, 0, 0, 28.5], [0, 1.5, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]])
FIFTH = ("images/c04.nii",)


def by_rule(found: Audit) -> dict[str, im.Finding]:
    return {finding.rule: finding for finding in found.findings}


def drawn(*place: slice | int, value: int = 1) -> Callable[[Case], None]:
    def change(one: Case) -> None:
        one.label[place] = value

    return change


def moved(millimetres: float) -> Callable[[Case], None]:
    def change(one: Case) -> None:
        one.label_affine[0, 3] += millimetres

    return change


def no_number(one: Case) -> None:
    one.label = one.label.astype(np.float32)
    one.label[0, 0, 0] = np.nan


def cropped(one: Case) -> None:
    one.label = one.label[1:9, 4:20]
    one.label_affine[:3, 3] = 0, 4 * 1.5, 4.0


def smaller(one: Case) -> None:
    one.label, one.label_code, one.code = one.label[:, ::2], 0, 0


def without(one: Case) -> None:
    one.has_label = False


def apart(one: Case) -> None:
    one.label[:, 11:13] = 0


def shrunk(one: Case) -> None:
    one.label = ndimage.binary_erosion(one.label, iterations=2).astype(np.uint8)


FAULTS: dict[str, tuple[str, Callable[[Case], None]]] = {
    "label-grid": ("warning", moved(1.5)),
    "label-map-grid": ("error", moved(1000)),
    "label-map-unusable": ("error", no_number),
    "label-map-size": ("error", smaller),
    "label-map-missing": ("warning", without),
    "background-only": ("note", drawn(slice(None), value=0)),
    "label-islands": ("warning", drawn(1, 2, 2)),
    "label-parts": ("note", apart),
    "label-holes": ("note", drawn(4, 12, slice(8, 11), value=0)),
    "label-cut": ("note", drawn(4, 12, slice(0, 10))),
    "label-volume": ("warning", shrunk),
}


@pytest.mark.parametrize("rule", sorted(FAULTS))
def test_each_fault_of_a_label_map_is_found_in_that_map_alone(tmp_path: Path, rule: str) -> None:
    level, change = FAULTS[rule]
    found = im.audit(pairs(tmp_path, change), checks=[*CHECKS, "quality"])
    rules = by_rule(found)
    assert set(rules) == {rule}
    assert (rules[rule].level, rules[rule].places) == (level, FIFTH)
    assert len(found.survey.seen) == 12  # the image itself is looked at whatever its label map is


def test_a_clean_set_of_label_maps_has_no_finding(tmp_path: Path) -> None:
    assert im.audit(pairs(tmp_path), checks=CHECKS).findings == ()


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (moved(1.5), {"origin"}),
        (moved(0.1), set()),  # a fifteenth of a voxel is rounding
        # Over 24 voxels a thousandth and a half adds up to a thirtieth of one.
        (lambda one: setattr(one, "label_affine", np.diag([1.5, 1.50225, 4.0, 1.0])), set()),
        (cropped, {"shape", "origin"}),
        (lambda one: setattr(one, "label_affine", np.diag([1.5, 1.5, 4.4, 1.0])), {"spacing"}),
        (lambda one: setattr(one, "label_affine", MIRRORED), {"direction", "origin"}),
    ],
)  # fmt: skip
def test_what_of_the_grid_differs_is_said(tmp_path: Path, change: Callable[[Case], None], differs: set[str]) -> None:
    found = by_rule(im.audit(pairs(tmp_path, change), checks=["label-maps"]))
    numbers = dict(found["label-grid"].numbers) if differs else {"images": 1}
    assert numbers == {"images": 1, **dict.fromkeys(differs, 1)}
    assert set(found) == ({"label-grid"} if differs else set())


def test_volumes_are_cubic_millimetres_on_a_scale_of_ratios(tmp_path: Path) -> None:
    def half(one: Case) -> None:
        one.label[:6] = 0

    normal = sorted(int(case(n).label.sum()) for n in range(12))
    voxels = int(case(4).label[6:].sum())
    found = by_rule(im.audit(pairs(tmp_path, half), checks=["label-pieces"]))["label-volume"]
    others = sorted([*(int(case(n).label.sum()) for n in range(12) if n != 4), voxels])
    assert normal != others
    usual = (others[5] + others[6]) / 2 * 1.5 * 1.5 * 4
    assert f"label 1 {voxels * 9:,} mm3, usually {usual:,.0f}" in found.message
    assert found.numbers["times"] == pytest.approx(usual / (voxels * 9))


def test_a_corrupt_label_map_is_left_out_of_the_new_manifest(tmp_path: Path) -> None:
    found = im.audit(pairs(tmp_path / "set", no_number), checks=["label-maps"])
    assert dict(found.apply(["quarantine-corrupt"], tmp_path / "new.csv")) == {"quarantine-corrupt": 1}


def discs(folder: Path, change: Callable[[int, Array], Array] = lambda _, mask: mask, suffix: str = ".png") -> Path:
    """Photos with one disc each of class 1, and one of class 2 in every other."""
    for row in range(12):
        mask = np.zeros((60, 80), np.uint8)
        cv2.circle(mask, (25, 30), 12 + row % 3, 1, -1)
        if row % 2:
            cv2.circle(mask, (60, 30), 10, 2, -1)
        write(folder / "images" / f"{row:02d}.jpg", photo(row, 60, 80), 95)
        (folder / "masks").mkdir(exist_ok=True, parents=True)
        how = [cv2.IMWRITE_JPEG_QUALITY, 80] if suffix == ".jpg" else []
        assert cv2.imwrite(str(folder / "masks" / f"{row:02d}{suffix}"), change(row, mask), how)
    return folder


def coloured(row: int, mask: Array) -> Array:
    return np.array([[0, 0, 0], [0, 0, 200], [0, 200, 0]], np.uint8)[mask] if row == 4 else mask


def blended(row: int, mask: Array) -> Array:
    """As a mask that was resized with interpolation."""
    if row != 4:
        return mask * 100
    return cv2.resize(cv2.resize(mask * 100, (31, 23)), (80, 60), interpolation=cv2.INTER_CUBIC)


PHOTO_FAULTS: dict[str, tuple[str, Callable[[int, Array], Array], str]] = {
    "label-map-colours": ("error", coloured, ".png"),
    "label-map-strays": ("error", blended, ".png"),
    "label-map-scales": ("error", lambda row, mask: (mask > 0).astype(np.uint8) * (255 if row == 4 else 1), ".png"),
    "label-map-size": ("error", lambda row, mask: mask[::2, ::2] if row == 4 else mask, ".png"),
}


def as_map(folder: Path, **options: object) -> Audit:
    return im.audit(folder, layout="image-masks", checks=[*CHECKS, "quality"], **options)  # type: ignore[arg-type]


def test_clean_label_maps_of_photos_have_no_finding(tmp_path: Path) -> None:
    assert as_map(discs(tmp_path / "numbers")).findings == ()
    binary = discs(tmp_path / "binary", lambda _, mask: (mask > 0).astype(np.uint8) * 255)
    assert as_map(binary).findings == ()
    # 255 beside class numbers marks what is not to be learnt, also in a map that has nothing else.
    void = discs(tmp_path / "void", lambda row, mask: np.where(mask == 2, 255, mask * (row != 4)).astype(np.uint8))
    assert "label-map-scales" not in by_rule(as_map(void))


def test_small_classes_between_large_ones_are_no_strays(tmp_path: Path) -> None:
    def with_small(row: int, mask: Array) -> Array:
        mask = mask * 100
        for number in range(6):
            mask[2 : 4 + number % 2, 10 * number : 10 * number + 2] = 20 + 10 * number
        return mask

    assert set(by_rule(as_map(discs(tmp_path, with_small)))) <= {"label-islands", "label-parts"}


def test_holes_that_most_label_maps_have_are_meant(tmp_path: Path) -> None:
    def ring(_: int, mask: Array) -> Array:
        return mask * (cv2.erode(mask, np.ones((9, 9), np.uint8)) == 0).astype(np.uint8)

    found = as_map(discs(tmp_path, ring))
    assert found.survey.glances[0].label_map.holes > 50  # type: ignore[union-attr]
    assert found.findings == ()


@pytest.mark.parametrize("rule", sorted(PHOTO_FAULTS))
def test_each_fault_of_a_mask_file_is_found(tmp_path: Path, rule: str) -> None:
    level, change, suffix = PHOTO_FAULTS[rule]
    found = by_rule(as_map(discs(tmp_path, change, suffix)))
    assert set(found) == {rule}
    assert (found[rule].level, found[rule].places) == (level, ("images/04.jpg",))


def test_masks_stored_as_jpeg_are_an_error_where_values_changed(tmp_path: Path) -> None:
    found = by_rule(as_map(discs(tmp_path, lambda _, mask: (mask > 0).astype(np.uint8) * 255, ".jpg")))
    assert (found["label-map-lossy"].level, len(found["label-map-lossy"].places)) == ("error", 12)
    assert "label-map-strays" not in found


def test_a_value_that_one_map_alone_has_is_rare(tmp_path: Path) -> None:
    for row in range(24):
        one = case(row)
        if row == 3:
            one.label[4, 12, 8:12] = 7
        if row % 2:
            one.label[5, 12, 8:12] = 2
        save(tmp_path / "images" / f"c{row:02d}.nii", one.image, GRID)
        save(tmp_path / "labels" / f"c{row:02d}.nii", one.label, GRID)
    found = by_rule(im.audit(tmp_path, checks=["label-maps"]))
    assert {rule: one.places for rule, one in found.items()} == {"rare-value": ("images/c03.nii",)}


def test_label_maps_of_single_things_are_not_taken_apart(tmp_path: Path) -> None:
    def numbered(row: int, mask: Array) -> Array:
        return np.arange(mask.size, dtype=np.uint16).reshape(mask.shape) // 10 * (mask > 0)

    found = as_map(discs(tmp_path, numbered))
    assert {one.rule: one.because for one in found.not_asked}["label-pieces"].startswith("label maps hold more than 64")
    assert not {"label-islands", "label-parts"} & set(by_rule(found))


def test_no_label_map_that_can_be_used(tmp_path: Path) -> None:
    for row in range(3):
        one = case(row)
        no_number(one)
        save(tmp_path / "images" / f"c{row}.nii", one.image, GRID)
        save(tmp_path / "labels" / f"c{row}.nii", one.label, GRID)
    found = im.audit(tmp_path, mask_pattern="images/(.*)=>labels/\\1", checks=CHECKS)
    assert set(by_rule(found)) == {"label-map-unusable"}
    assert {one.rule for one in found.not_asked} == {"label-values", "label-pieces"}


def test_pieces_and_holes_by_another_way(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    for shape in ((20, 30), (8, 12, 10)):
        mask = (ndimage.gaussian_filter(draws.normal(size=shape), 1.2) > 0.25).astype(np.uint8) * 3
        named, count = ndimage.label(mask, np.ones((3,) * len(shape)))
        sizes = np.bincount(named.ravel())[1:]
        assert pieces_of(mask, [3]) == {3: Pieces(count, sizes.min(), sizes.max())}
        assert count > 2
        assert holes_of(mask) == ndimage.binary_fill_holes(mask).sum() - (mask > 0).sum()
    below = np.array([[-1, 0, 2], [-1, 0, 2]])
    assert pieces_of(below, [-1, 2]) == {-1: Pieces(1, 2, 2), 2: Pieces(1, 2, 2)}
    assert holes_of(np.zeros((3, 3), np.uint8)) == 0


def test_the_tables_of_dataset_json_name_labels(tmp_path: Path) -> None:
    for row in range(3):
        one = case(row)
        one.label[4, 12, 0] = 1
        save(tmp_path / "imagesTr" / f"c{row}_0000.nii", one.image, GRID)
        save(tmp_path / "labelsTr" / f"c{row}.nii", one.label, GRID)
    assert nibabel.load(tmp_path / "labelsTr" / "c0.nii").shape == (20, 24, 10)
    words = {"labels": {"background": 0, "heart": 1}, "channel_names": {"0": "T1"}, "file_ending": ".nii"}
    (tmp_path / "dataset.json").write_text(json.dumps(words))
    found = by_rule(im.audit(tmp_path, checks=["label-pieces"]))
    assert "label 1 (heart) in 3 of 3" in found["label-cut"].message
