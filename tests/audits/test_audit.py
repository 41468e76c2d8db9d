from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

import imagemill as im
from imagemill.audits import Audit
from imagemill.audits.probes import Told
from imagemill.core.errors import InputError, ParameterError
from tests.audits.made_up import Array, folder, photo, shot, write


def rules(found: Audit) -> set[str]:
    return {finding.rule for finding in found.findings}


def by_rule(found: Audit, rule: str) -> im.Finding:
    return next(finding for finding in found.findings if finding.rule == rule)


def test_a_clean_set_has_no_finding_but_its_size_and_licence(tmp_path: Path) -> None:
    found = im.audit(folder(tmp_path / "clean", 30))
    assert rules(found) == {"few", "licence"}
    assert found.verdict == "yes, once 1 warning is looked at"


def test_every_level_is_the_worst_first_and_can_be_asked_for(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 12)
    write(src / "dog" / "copy.png", photo(3))  # of cat003
    found = im.audit(src)
    levels = [finding.level for finding in found.findings]
    assert levels == sorted(levels, key=("error", "warning", "note").index)
    assert {f.rule for f in found.of_level("error")} == {"contradiction"}
    with pytest.raises(ParameterError, match="level of error, warning, note, got 'bad'"):
        found.of_level("bad")


def turned(rgb: Array, degrees: float) -> Array:
    """About the centre, on a larger square so that the turn of the squashed picture is one of the picture as well."""
    side = cv2.resize(rgb, (64, 64), interpolation=cv2.INTER_CUBIC)
    return cv2.warpAffine(side, cv2.getRotationMatrix2D((31.5, 31.5), degrees, 1.0), (64, 64), flags=cv2.INTER_CUBIC)


COPIES = {
    "as it is": lambda rgb: rgb,
    "half the size": lambda rgb: cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "squashed": lambda rgb: cv2.resize(rgb, (48, 48), interpolation=cv2.INTER_AREA),
    "mirrored": lambda rgb: rgb[:, ::-1],
    "upside down": lambda rgb: rgb[::-1],
    "a quarter turn": lambda rgb: np.rot90(rgb),
    "three quarter turns": lambda rgb: np.rot90(rgb, 3),
    "cropped to 70 %": lambda rgb: rgb[8:41, 12:57],
    "a corner of 75 %": lambda rgb: rgb[:36, 16:][:, ::-1],
    "turned by 7 degrees": lambda rgb: turned(rgb, 7),
    "turned by -20 degrees": lambda rgb: turned(rgb, -20),
    "turned by 25 degrees": lambda rgb: turned(rgb, 25),
    "a gain for each channel": lambda rgb: np.clip(rgb * (1.3, 0.8, 0.6), 0, 255).astype(np.uint8),
    "without colours": lambda rgb: cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "in a letterbox": lambda rgb: np.pad(rgb, ((9, 9), (0, 0), (0, 0))),
    "in a white frame": lambda rgb: np.pad(rgb, ((5, 5), (7, 7), (0, 0)), constant_values=255),
    "brighter": lambda rgb: np.clip(rgb.astype(float) * 1.2 + 10, 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("how", sorted(COPIES))
def test_a_copy_in_the_test_part_is_a_leak_however_it_was_saved(tmp_path: Path, how: str) -> None:
    for row in range(20):
        write(tmp_path / "train" / "cat" / f"{row}.png", photo(row))
        write(tmp_path / "test" / "cat" / f"{row}.png", photo(500 + row))
    write(tmp_path / "test" / "cat" / "copy.jpg", np.ascontiguousarray(COPIES[how](photo(7))), 85)
    leak = by_rule(im.audit(tmp_path), "leak")
    assert (leak.level, set(leak.places)) == ("error", {"train/cat/7.png", "test/cat/copy.jpg"})


def test_pictures_that_merely_resemble_each_other_are_no_copies(tmp_path: Path) -> None:
    # The same blob everywhere, with detail of its own in each: as digits are.
    base = photo(0).astype(float)
    for row in range(40):
        mixed = 0.75 * base + 0.25 * photo(100 + row)
        write(tmp_path / "one" / f"{row}.png", mixed.astype(np.uint8))
    assert "copies" not in rules(im.audit(tmp_path))


def test_the_same_bytes_are_copies_even_where_nothing_is_to_be_seen(tmp_path: Path) -> None:
    for row in range(6):
        write(tmp_path / "a" / f"{row}.png", photo(row))
    for name in ("x", "y"):
        write(tmp_path / "a" / f"{name}.png", np.full((20, 20, 3), 7, np.uint8))
    copies = by_rule(im.audit(tmp_path), "copies")
    assert set(copies.places) == {"a/x.png", "a/y.png"}
    assert "the same bytes" in copies.message


def test_the_largest_of_a_cluster_is_the_one_to_keep(tmp_path: Path) -> None:
    for row in range(10):
        write(tmp_path / "a" / f"{row}.png", photo(row))
    write(tmp_path / "a" / "z-large.png", cv2.resize(photo(4), (128, 96), interpolation=cv2.INTER_CUBIC))
    found = im.audit(tmp_path)
    assert [found.survey.keys(cluster.rows) for cluster in found.survey.clusters] == [("a/z-large.png", "a/4.png")]


FAULTS = {
    "flat": np.full((48, 64, 3), 120, np.uint8),
    "dark": (photo(1) * 0.25).astype(np.uint8),
    "light": (243 + photo(1) // 24).astype(np.uint8),
    "blurred": cv2.GaussianBlur(photo(1, 200, 260), (0, 0), 12),
    "noisy": np.clip(photo(1) + np.random.default_rng(0).normal(0, 40, (48, 64, 3)), 0, 255).astype(np.uint8),
    "aspect": photo(1, 16, 128),
    "border": np.pad(photo(1), ((0, 0), (20, 20), (0, 0))),
    "cut-off": np.concatenate([photo(1)[:36], np.full((12, 64, 3), 128, np.uint8)]),
    "odd-size": photo(1, 300, 400),
    "clipped-white": np.where(photo(1) > 115, 255, photo(1)).astype(np.uint8),
}


@pytest.mark.parametrize("rule", sorted(FAULTS))
def test_each_fault_of_an_image_is_found_in_that_image_alone(tmp_path: Path, rule: str) -> None:
    src = folder(tmp_path / "set", 20)
    write(src / "cat" / "fault.png", FAULTS[rule])
    assert by_rule(im.audit(src, checks=["quality"]), rule).places == ("cat/fault.png",)


@pytest.mark.parametrize(("count", "level"), [(10, "warning"), (11, "error")])
def test_images_of_one_colour_are_an_error_where_they_are_most(tmp_path: Path, count: int, level: str) -> None:
    for row in range(20):
        rgb = np.full((48, 64, 3), 10 * row + 20, np.uint8) if row < count else photo(row)
        write(tmp_path / "a" / f"{row}.png", rgb)
    assert by_rule(im.audit(tmp_path, checks=["quality"]), "flat").level == level


def test_a_file_that_cannot_be_read_is_an_error_and_the_others_are_looked_at(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 12)
    (src / "cat" / "broken.png").write_bytes((src / "cat" / "cat001.png").read_bytes()[:200])
    found = im.audit(src)
    assert by_rule(found, "unreadable").level == "error"
    assert (len(found.survey.seen), len(found.survey.records)) == (24, 25)


def test_classes_that_are_few_small_or_missing_in_a_part(tmp_path: Path) -> None:
    for name, count in (("cat", 60), ("dog", 5)):
        for row in range(count):
            write(tmp_path / "train" / name / f"{name}{row}.png", photo(row + 100 * len(name), 8, 8))
    write(tmp_path / "test" / "cat" / "c.png", photo(999, 8, 8))
    found = im.audit(tmp_path, checks=["counts"])
    assert {"few", "unbalanced", "class-missing"} <= rules(found)
    assert "dog (5)" in by_rule(found, "unbalanced").message
    assert by_rule(found, "class-missing").message == "no image of dog in the test part"
    assert "few" not in rules(im.audit(tmp_path, checks=["counts"], settings={"start": 5}))


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("width", lambda rgb, label: (rgb[:, : 50 - 10 * label], None)),
        ("JPEG quality", lambda rgb, label: (rgb, 95 - 40 * label)),
        ("border", lambda rgb, label: (np.where(abs(np.arange(64) - 31.5)[:, None] > 32 - 12 * label, 0, rgb), None)),
    ],
)
def test_what_gives_a_class_away_is_named(tmp_path: Path, name: str, spoil) -> None:  # type: ignore[no-untyped-def]
    for label in (0, 1):
        for row in range(25):
            rgb, quality = spoil(photo(1000 * label + row), label)
            suffix = "png" if quality is None else "jpg"
            write(tmp_path / "ab"[label] / f"{row}.{suffix}", np.ascontiguousarray(rgb), quality)
    said = [f.message for f in im.audit(tmp_path, checks=["shortcuts"]).findings if f.rule == "shortcut"]
    assert any(f"the class can be told from the {name} alone: 100% right" in message for message in said)


def test_a_background_of_its_own_is_a_finding_and_chance_is_the_commonest_class(tmp_path: Path) -> None:
    for row in range(60):
        rgb = photo(row)
        if row >= 40:
            rgb[:8], rgb[-8:] = rgb[:8] // 2 + 120, rgb[-8:] // 2 + 120
        write(tmp_path / ("snow" if row >= 40 else "wood") / f"{row}.png", rgb)
    found = by_rule(im.audit(tmp_path, checks=["shortcuts"]), "background")
    assert found.numbers["chance"] == pytest.approx(2 / 3)
    assert found.numbers["accuracy"] > 0.9


def test_boxes_and_points_that_cannot_be_meant(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", photo(1, 40, 60))
    boxes = {
        "in": (5, 5, 10, 10),
        "cut": (50, 5, 20, 10),
        "out": (70, 5, 5, 5),
        "flat": (5, 5, 0, 4),
        "dot": (9, 9, 1, 1),
    }
    things = [im.Instance("cell", tuple(map(float, box))) for box in (*boxes.values(), boxes["in"])]
    things.append(im.Instance("cell", keypoints=((3.0, 3.0, 2), (80.0, 3.0, 2), (-1.0, -1.0, 0))))
    found = im.audit(im.open([im.Record("a.png", path, objects=tuple(things))]), checks=["annotations"])
    counts = {f.rule: f.numbers["annotations"] for f in found.findings}
    once = ("box-empty", "box-outside", "box-cut", "box-tiny", "box-twice", "point-outside")
    assert counts == dict.fromkeys(once, 1)


def test_what_a_layout_could_not_take_in_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path / "a.png", photo(1, 40, 60))
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "height": 40, "width": 60}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [{"id": 7, "image_id": 1, "category_id": 1, "bbox": [5, 5, 0, 4], "area": 1, "iscrowd": 0}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    assert by_rule(im.audit(tmp_path), "left-out").places == ("coco.json: annotation 7",)


def test_what_cannot_be_asked_is_said_and_why(tmp_path: Path) -> None:
    write(tmp_path / "1.png", photo(1))
    found = im.audit(tmp_path)
    because = {one.rule: one.because for one in found.not_asked}
    assert because["copies"] == "there are not two images that can be read"
    assert because["odd"].startswith("there are fewer than 20 images")
    assert {"counts", "shortcuts", "annotations", "label-maps", "order"} <= set(because)


def test_a_new_manifest_leaves_out_copies_and_corrupt_files_and_opens_again(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 12)
    write(src / "cat" / "zcopy.jpg", photo(5), 90)
    (src / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = im.audit(src)
    told = found.apply(["drop-duplicates", "quarantine-corrupt"], tmp_path / "new.csv")
    assert dict(told) == {"drop-duplicates": 1, "quarantine-corrupt": 1}
    opened = im.open(tmp_path / "new.csv")
    assert len(opened) == 24
    assert dict(opened.class_counts()) == {"cat": 12, "dog": 12}
    found.apply(["regroup"], tmp_path / "grouped.parquet")
    groups = pl.read_parquet(tmp_path / "grouped.parquet").drop_nulls("group")
    assert {Path(p).name for p in groups["path"]} == {"cat005.png", "zcopy.jpg"}
    assert groups["group"].n_unique() == 1
    with pytest.raises(ParameterError, match="actions of drop-duplicates"):
        found.apply(["drop"], tmp_path / "x.csv")
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        found.apply(["regroup"], tmp_path / "x.txt")


@pytest.mark.parametrize("wrong", [{"drak": 0.1}, {"dark": 2.0}, {"dark": -0.1}, {"start": True}])
def test_settings_that_are_none_are_refused(tmp_path: Path, wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="expected"):
        im.audit(folder(tmp_path / "set", 1), settings=wrong)


def test_the_result_does_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 12)
    write(src / "dog" / "copy.png", photo(3)[:, ::-1])
    one, four = (im.audit(src, workers=workers).to_dict() for workers in (1, 4))
    assert one == four
    assert json.loads(json.dumps(one, allow_nan=False)) == one


def test_a_floor_of_mid_gray_is_no_file_that_was_cut_off(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 20)
    write(src / "cat" / "floor.png", np.concatenate([photo(1)[:45], np.full((3, 64, 3), 128, np.uint8)]))
    assert "cut-off" not in rules(im.audit(src, checks=["quality"]))


def test_brightness_that_drifts_with_the_numbers_of_files_and_classes_that_come_in_runs(tmp_path: Path) -> None:
    lines = ["path,label"]
    for row in range(60):
        # Not padded: 10 comes behind 9.
        write(tmp_path / f"shot{row}.png", (photo(row) * (0.4 + 0.01 * row)).astype(np.uint8))
        lines.append(f"shot{row}.png,{'ab'[row // 20 % 2]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    found = im.audit(tmp_path, checks=["order"])
    assert rules(found) == {"drift", "runs"}
    assert by_rule(found, "drift").numbers["correlation"] > 0.8
    assert by_rule(found, "runs").numbers["changes"] == 2


def test_names_that_hold_words_say_nothing_of_an_order(tmp_path: Path) -> None:
    for row in range(60):
        write(tmp_path / "set" / f"{'abcdef'[row % 6]}{'uvwxyz'[row % 5]}_{row}.png", photo(row))
    found = im.audit(tmp_path / "set", checks=["order"])
    assert (rules(found), [one.because for one in found.not_asked]) == (
        set(),
        ["fewer than 50 images have names that differ in their numbers alone"],
    )


def test_checks_are_asked_again_of_what_was_seen_without_reading_an_image(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 20)
    write(src / "cat" / "dim.png", (photo(1) * 0.62).astype(np.uint8))
    found = im.audit(src, checks="quality")
    assert "dark" not in rules(found)
    for path in src.rglob("*.png"):
        path.unlink()
    again = found.again(checks=["quality"], settings={"dark": 0.6})
    assert by_rule(again, "dark").places == ("cat/dim.png",)
    assert found.again(checks="quality").to_dict() == found.to_dict()
    with pytest.raises(ParameterError, match="expected checks of quality"):
        found.again(checks="qualty")


def test_findings_are_a_table_and_a_long_list_says_how_many_more(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 12)
    write(src / "dog" / "copy.png", photo(3))
    found = im.audit(src)
    table = found.to_frame()
    assert table.columns == ["level", "rule", "check", "message", "images", "places", "advice"]
    assert table["rule"].to_list() == [finding.rule for finding in found.findings]
    row = table.row(0, named=True)
    assert (row["check"], row["images"], row["places"]) == ("copies", 2, ["cat/cat003.png", "dog/copy.png"])
    assert found.again(checks=[]).to_frame().shape == (0, 7)
    many = replace(found, findings=found.findings[:1] * 33)
    assert repr(many).splitlines()[-2] == "and 13 more: to_frame() has all"


def test_a_table_in_memory_is_read_as_its_file(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 3)
    paths = sorted(str(path) for path in src.glob("*/*.png"))
    table = pl.DataFrame({"file": paths, "kind": [Path(path).parent.name for path in paths]})
    table.write_csv(src / "table.csv")
    of_frame, of_file = im.audit(table), im.audit(src / "table.csv")
    assert of_frame.to_frame().equals(of_file.to_frame())


def test_an_image_one_stop_and_a_half_under_the_rest_is_dark_and_none_in_a_dark_set(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 20)
    write(src / "cat" / "under.png", (photo(77) * 0.45).astype(np.uint8))
    assert by_rule(im.audit(src, checks=["quality"]), "dark").places == ("cat/under.png",)
    assert "dark" not in rules(im.audit(src, checks=["quality"], settings={"darker": 0.3}))
    for row in range(24):
        write(tmp_path / "night" / f"{row}.png", (photo(row) * 0.45).astype(np.uint8))
    assert "dark" not in rules(im.audit(tmp_path / "night", checks=["quality"]))


def test_a_soft_background_is_not_blurred_and_a_photo_out_of_focus_is(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 20)
    sharp, soft = photo(50), cv2.GaussianBlur(photo(50), (0, 0), 4)
    soft[12:36, 20:44] = sharp[12:36, 20:44]
    write(src / "cat" / "portrait.png", soft)
    assert "blurred" not in rules(im.audit(src, checks=["quality"]))
    write(src / "cat" / "soft.png", cv2.GaussianBlur(photo(51), (0, 0), 4))
    assert by_rule(im.audit(src, checks=["quality"]), "blurred").places == ("cat/soft.png",)


def test_a_drawing_among_photos_is_a_note_and_drawings_among_drawings_are_not(tmp_path: Path) -> None:
    drawing = np.full((48, 64, 3), 250, np.uint8)
    drawing[10:30, 10:40], drawing[20:40, 30:60] = (20, 60, 200), (220, 40, 40)
    src = folder(tmp_path / "set", 20)
    write(src / "cat" / "drawing.png", drawing)
    assert by_rule(im.audit(src, checks=["quality"]), "graphic").places == ("cat/drawing.png",)
    for row in range(24):
        write(tmp_path / "drawings" / f"{row}.png", np.roll(drawing, row, axis=1))
    assert "graphic" not in rules(im.audit(tmp_path / "drawings", checks=["quality"]))


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({"orientation": 6, "across": 48, "down": 64}, True),  # stored 64 wide: somebody turned it and left the flag
        ({"orientation": 6, "across": 64, "down": 48}, False),
        ({"orientation": 1, "across": 48, "down": 64}, False),
        ({"orientation": 6}, False),
    ],
)
def test_an_orientation_that_turns_what_was_turned_is_found_by_the_size_that_exif_says(
    tmp_path: Path, tags: dict[str, int], found: bool
) -> None:
    shot(tmp_path / "a.jpg", photo(1), **tags)
    assert ("turned-twice" in rules(im.audit(tmp_path, checks=["quality"]))) == found


@pytest.mark.parametrize(
    ("licences", "sources", "expected"),
    [
        ((None, None), (None, None), ["no licence and no source is recorded for 2 images"]),
        ((None, None), ("me", "me"), ["no licence is recorded for 2 images"]),
        (("MIT", "MIT"), (None, None), ["no source is recorded for 2 images"]),
        (("MIT", "MIT"), ("me", "me"), []),
        (("MIT", None), ("me", "me"), ["1 image of 2 without a licence, while others have one"]),
        (("MIT", "MIT"), ("me", None), ["1 image of 2 without a source, while others have one"]),
    ],
)
def test_gaps_of_licence_and_source(tmp_path: Path, licences: Any, sources: Any, expected: list[str]) -> None:
    rows = {
        write(tmp_path / f"{row}.png", photo(row, 8, 8)).name: {
            k: v for k, v in (("licence", licences[row]), ("source", sources[row])) if v
        }
        for row in range(2)
    }
    found = im.audit(tmp_path, attributes=rows, checks=["licences"])
    assert [finding.message for finding in found.findings] == expected


@pytest.mark.parametrize(("count", "rule"), [(99, "few"), (100, "short"), (999, "short"), (1000, None)])
def test_a_hundred_images_are_a_start_and_a_thousand_comfortable(tmp_path: Path, count: int, rule: str | None) -> None:
    path = write(tmp_path / "a.png", photo(1, 8, 8))
    records = [im.Record(f"{row}.png", path, label="cat") for row in range(count)]
    assert rules(im.audit(im.open(records), checks=["counts"])) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("counts", "small"),
    [
        # A fifth of the mean: (10 + 50 + 90) / 3 = 50.
        ({"a": 10, "b": 50, "c": 90}, []),
        ({"a": 9, "b": 51, "c": 90}, ["a"]),
        # A tenth of the largest, where the mean is small.
        ({"a": 10, "b": 10, "c": 10, "d": 100}, []),
        ({"a": 10, "b": 10, "c": 9, "d": 100}, ["c"]),
    ],
)
def test_a_class_at_a_fifth_of_the_mean_or_a_tenth_of_the_largest_is_large_enough(
    tmp_path: Path, counts: dict[str, int], small: list[str]
) -> None:
    path = write(tmp_path / "a.png", photo(1, 8, 8))
    records = [im.Record(f"{name}{row}.png", path, label=name) for name, n in counts.items() for row in range(n)]
    found = im.audit(im.open(records), checks=["counts"], settings={"start": 1, "enough": 1})
    named = [name for name in counts if any(f"{name} ({counts[name]})" in f.message for f in found.findings)]
    assert (named, rules(found)) == (small, {"unbalanced"} if small else set())


def test_classes_of_annotations_and_of_several_labels_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", photo(1, 8, 8))
    box = (1.0, 1.0, 4.0, 4.0)
    things = [("cup", "cup", "jug"), ("cup",), ()]
    records = [
        im.Record(f"{row}.png", path, objects=tuple(im.Instance(name, box) for name in names))
        for row, names in enumerate(things)
    ]
    few = by_rule(im.audit(im.open(records), checks=["counts"]), "few")
    assert "cup (2), jug (1)" in few.message
    labelled = [
        im.Record(f"{row}.png", path, labels=names) for row, names in enumerate([("a", "b"), ("a",), ("b", "a")])
    ]
    assert "a (3), b (2)" in by_rule(im.audit(im.open(labelled), checks=["counts"]), "few").message


def test_the_background_is_claimed_by_the_lower_end_of_what_it_tells() -> None:
    """By hand: of 100 images 40 were told, 20 would be by chance; Clopper and Pearson begin at 30.3 %."""
    right = np.repeat([True, False], [40, 60])
    told = Told(0.4, 0.2, 0.303, 0.503, 1e-5, 100, right)
    assert told.skill == pytest.approx(0.25)
    assert told.least_skill == pytest.approx((0.303 - 0.2) / 0.8)


def test_images_without_classes_are_counted_together_and_volumes_are_not(tmp_path: Path) -> None:
    found = im.audit(folder(tmp_path / "set", 12, classes=("",)), checks=["counts"])
    assert [(one.rule, one.level, one.numbers["images"]) for one in found.findings] == [("few", "warning", 12)]
    assert "12 images in all, fewer than 100" in found.findings[0].message
    enough = found.again(checks=["counts"], settings={"start": 12, "enough": 13})
    assert [(one.rule, one.level) for one in enough.findings] == [("short", "note")]
    assert not found.again(checks=["counts"], settings={"start": 1, "enough": 12}).findings
    volumes = im.audit(np.zeros((3, 9, 16, 16), np.int16), axes="zyx", checks=["counts"])
    assert not volumes.findings


def test_classes_of_copies_of_one_image_are_left_out_of_shortcuts_and_named() -> None:
    image = photo(0, 32, 32)
    equal = im.audit((np.stack([image] * 40), ["a", "b"] * 20))
    because = [one.because for one in equal.not_asked if one.rule == "shortcuts"]
    assert because == ["all images of a, b are of one group, or copies of one image"]
    # The other two are still asked about: one is brighter than the other.
    others = [photo(n, 32, 32) // (1 + n % 2) for n in range(1, 81)]
    images, labels = np.stack([image] * 20 + others), ["a"] * 20 + ["c", "b"] * 40
    three = im.audit((images, labels), checks=["shortcuts"])
    assert [one.because for one in three.not_asked if one.rule == "shortcuts"] == [
        "all images of a are of one group, or copies of one image"
    ]
    assert any("brightness" in one.message for one in three.findings)


def test_what_was_not_asked_is_counted_where_findings_are_printed(tmp_path: Path) -> None:
    found = im.audit(folder(tmp_path, 4), checks=["annotations", "labels"])
    assert str(found).endswith("2 questions not asked: not_asked says why")
