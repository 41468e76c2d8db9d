"""New manifests: what is kept says all that the source said, in whatever layout; what is left out is counted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

import imagemill as im
from imagemill.core.errors import InputError, ParameterError
from tests.audits.made_up import folder, photo, write


def coco(root: Path) -> Path:
    """Two photos with boxes, polygons and keypoints, and a third that is a copy of the first."""
    names = ("a.png", "b.png", "c.png")
    for number, name in enumerate(names):
        write(root / "images" / name, photo(number % 2, 40, 60))
    shape = {"segmentation": [[5, 5, 15, 5, 15, 20, 5, 20]], "iscrowd": 0, "area": 150}
    annotations = [
        {"id": number + 1, "image_id": number, "category_id": 7, "bbox": [5, 5, 10, 15], **shape} for number in range(3)
    ]
    annotations.append(
        {"id": 9, "image_id": 1, "category_id": 8, "bbox": [1.5, 2.5, 30, 20], "iscrowd": 0, "area": 600}
    )
    (root / "instances.json").write_text(
        json.dumps(
            {
                "images": [
                    {"id": number, "file_name": f"images/{name}", "height": 40, "width": 60}
                    for number, name in enumerate(names)
                ],
                "categories": [{"id": 7, "name": "cell"}, {"id": 8, "name": "blob"}],
                "annotations": annotations,
            }
        )
    )
    return root


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_boxes_and_polygons_of_a_coco_folder_are_in_the_manifest(tmp_path: Path, suffix: str) -> None:
    src = coco(tmp_path / "set")
    to = tmp_path / f"new.{suffix}"
    assert im.audit(src, checks=["copies"]).apply(["drop-duplicates"], to) == {"drop-duplicates": 1}
    paths = (pl.read_csv(to) if suffix == "csv" else pl.read_parquet(to))["path"]
    assert set(paths) == {"set/images/a.png", "set/images/b.png"}
    before = {record.key: record for record in im.open(src).to_source()}
    after = {record.key: record for record in im.open(to).to_source()}
    assert len(after) == 2
    for key, record in after.items():
        assert record.objects is not None
        told = [(one.category, one.box, one.polygons) for one in before[key].objects or ()]
        assert [(one.category, one.box, one.polygons) for one in record.objects] == told
        assert record.size == before[key].size


def with_keypoints(root: Path) -> Path:
    """The same photos with two keypoints each, joined by a line."""
    coco(root)
    whole = json.loads((root / "instances.json").read_text())
    whole["categories"][0] |= {"keypoints": ["left ear", "right ear"], "skeleton": [[1, 2]]}
    for one in whole["annotations"][:3]:
        one |= {"keypoints": [6, 7, 2, 12, 8, 1], "num_keypoints": 2}
    (root / "instances.json").write_text(json.dumps(whole))
    return root


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_names_of_keypoints_and_what_joins_them_come_along(tmp_path: Path, suffix: str) -> None:
    to = tmp_path / f"new.{suffix}"
    im.audit(with_keypoints(tmp_path / "set"), checks=["copies"]).apply(["drop-duplicates"], to)
    again = im.open(to).to_source()
    assert (again.keypoint_names, again.links) == (("left ear", "right ear"), ((0, 1),))
    points = {tuple(point) for record in again for one in record.objects or () for point in one.keypoints}
    assert points == {(6, 7, 2), (12, 8, 1)}


def test_names_of_other_keypoints_beside_a_table_are_not_written_over(tmp_path: Path) -> None:
    found = im.audit(with_keypoints(tmp_path / "set"), checks=["copies"])
    (tmp_path / "source.json").write_text('{"imagemill": 1, "joint_names": ["nose"]}')
    with pytest.raises(InputError, match=r"of another dataset beside the manifest.*write the manifest as \.parquet"):
        found.apply(["drop-duplicates"], tmp_path / "new.csv")
    assert not (tmp_path / "new.csv").exists()
    found.apply(["drop-duplicates"], tmp_path / "new.parquet")
    assert im.open(tmp_path / "new.parquet").to_source().keypoint_names == ("left ear", "right ear")


def test_label_maps_of_a_folder_of_scans_as_nnunet_has_it_are_in_the_manifest(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    draws = np.random.default_rng(0)
    for number in range(3):
        for where, values in (
            (f"imagesTr/case_{number:03d}_0000.nii.gz", draws.normal(size=(9, 8, 7)).astype(np.float32)),
            (f"labelsTr/case_{number:03d}.nii.gz", draws.integers(0, 3, (9, 8, 7)).astype(np.uint8)),
        ):
            (tmp_path / where).parent.mkdir(exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(values, np.diag([1, 1, 2, 1.0])), tmp_path / where)
    (tmp_path / "dataset.json").write_text(
        json.dumps(
            {"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": 1, "b": 2}, "numTraining": 3,
             "file_ending": ".nii.gz"}
        )
    )  # fmt: skip
    found = im.audit(tmp_path, checks=["quality"])
    found.apply(["quarantine-corrupt"], tmp_path / "elsewhere" / "new.csv")
    again = im.open(tmp_path / "elsewhere" / "new.csv", outside=True)
    before = im.open(tmp_path)
    assert len(again) == len(before) == 3
    for row in range(3):
        mask = again[row].mask
        assert mask is not None
        assert np.array_equal(np.asarray(mask), np.asarray(before[row].mask))


def test_parts_groups_labels_and_columns_come_along(tmp_path: Path) -> None:
    lines = ["path,label,split,group,camera,year"]
    for row in range(6):
        write(tmp_path / f"{row}.png", photo(row))
        lines.append(
            f"{row}.png,{'cat' if row % 2 else 'dog'},{'train' if row < 4 else 'test'},p{row // 2},c{row},20{row:02d}"
        )
    (tmp_path / "list.csv").write_text("\n".join(lines))
    shutil.copy(tmp_path / "0.png", tmp_path / "5.png")
    for suffix in ("csv", "parquet"):
        im.audit(tmp_path / "list.csv").apply(["drop-duplicates"], tmp_path / f"new.{suffix}")
        kept = list(im.open(tmp_path / f"new.{suffix}").to_source())
        before = list(im.open(tmp_path / "list.csv").to_source())[:5]
        told = [(r.key, r.label, r.split, r.group, dict(r.attributes)) for r in before]
        assert [(r.key, r.label, r.split, r.group, dict(r.attributes)) for r in kept] == told


def test_several_labels_of_an_image_stay_several(tmp_path: Path) -> None:
    records = [
        im.Record(f"{n}.png", write(tmp_path / f"{n}.png", photo(n)), labels=("a", "b, c")[: n + 1]) for n in (0, 1)
    ]
    im.audit(im.open(records), checks=[]).apply(["drop-duplicates"], tmp_path / "new.csv")
    assert [record.labels for record in im.open(tmp_path / "new.csv").to_source()] == [("a",), ("a", "b, c")]


def test_what_a_rule_of_quality_names_can_be_left_out(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 20)
    write(src / "cat" / "dark.png", (photo(1) * 0.2).astype(np.uint8))
    write(src / "cat" / "soft.png", cv2.GaussianBlur(photo(2, 200, 260), (0, 0), 12))
    found = im.audit(src, checks=["quality"])
    told = found.apply(["quarantine-dark", "quarantine-blurred", "quarantine-light"], tmp_path / "new.csv")
    assert told == {"quarantine-dark": 1, "quarantine-blurred": 1, "quarantine-light": 0}
    assert len(im.open(tmp_path / "new.csv")) == 40


def test_a_list_for_people_names_the_rules_and_the_image_with_most_of_them_first(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 20)
    write(src / "cat" / "dark.png", (photo(1, 16, 128) * 0.2).astype(np.uint8))
    write(src / "cat" / "long.png", photo(9, 16, 128))
    found = im.audit(src, checks=["quality"])
    assert found.apply(["review"], tmp_path / "look.csv") == {"review": 2}
    table = pl.read_csv(tmp_path / "look.csv")
    assert table["key"].to_list() == ["cat/dark.png", "cat/long.png"]
    assert set(table["findings"][0].split(", ")) >= {"dark", "aspect"}
    assert table["findings"][1] == "aspect"
    with pytest.raises(ParameterError, match="expected review alone, got review, regroup"):
        found.apply(["review", "regroup"], tmp_path / "x.csv")
    with pytest.raises(InputError, match="nothing to review"):
        im.audit(folder(tmp_path / "clean", 20), checks=["quality"]).apply(["review"], tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def test_images_inside_another_file_have_no_path_to_name(tmp_path: Path) -> None:
    found = im.audit(np.stack([photo(row) for row in range(3)]), checks=["copies"])
    with pytest.raises(InputError, match="files of their own, got row-0 inside another file; do: imagemill export"):
        found.apply(["regroup"], tmp_path / "x.csv")
