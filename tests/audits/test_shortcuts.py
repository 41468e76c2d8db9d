"""What gives a class away (row B9): each planted in one class of three, and none where all are made alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.audits import Audit
from imagemill.audits.checks.shortcuts import _Answer, _claimed
from imagemill.audits.probes import Told, folds_of, probabilities_by_bins, told_of
from tests.audits.made_up import Array, photo, shot, write

NAMES = ("ant", "bee", "fly")
EACH = 20


def write_all(path: Path, change: Callable[[Path, Array, int], Any]) -> Path:
    """Sixty photos in three folders, numbered at random; ``change`` writes those of the last class."""
    numbers = iter(np.random.default_rng(0).permutation(60).tolist())
    for label, name in enumerate(NAMES):
        for row in range(EACH):
            rgb, to = photo(1000 * label + row), path / name / f"{next(numbers):03d}.jpg"
            if label == 2:
                change(to, rgb, row)
            else:
                plain(to, rgb, row)
    return path


def plain(path: Path, rgb: Array, row: int, **tags: Any) -> Path:
    taken = f"2022:{1 + row % 12:02d}:{1 + row:02d} {9 + row % 8:02d}:00:01"
    return shot(path, rgb, **({"camera": "XY"[row % 2], "taken": taken} | tags))


def wider(path: Path, rgb: Array, row: int) -> None:
    plain(path, np.ascontiguousarray(rgb[:, :56]), row)


def framed(path: Path, rgb: Array, row: int) -> None:
    rgb[:8], rgb[-8:], rgb[:, :8], rgb[:, -8:] = 0, 0, 0, 0
    plain(path, rgb, row)


def tinted(path: Path, rgb: Array, row: int) -> None:
    inside = rgb[12:36, 16:48].copy()
    rgb[...] = rgb // 2 + np.array([10, 110, 20], np.uint8)
    rgb[12:36, 16:48] = inside
    plain(path, rgb, row)


def marked(path: Path, rgb: Array, row: int) -> None:
    rgb[-9:-1, -12:-1] = (250, 250, 0)
    plain(path, rgb, row)


PLANTED: dict[str, tuple[Callable[[Path, Array, int], Any], str, str]] = {
    "JPEG quality": (lambda p, rgb, row: write(p, rgb, 40), "shortcut", "error"),
    "format": (lambda p, rgb, row: write(p.with_suffix(".png"), rgb), "shortcut", "error"),
    "width": (wider, "shortcut", "error"),
    "border": (framed, "shortcut", "error"),
    "border of the image": (tinted, "background", "error"),
    "bottom right corner": (marked, "corner", "error"),
    "brightness": (lambda p, rgb, row: plain(p, rgb // 3, row), "shortcut", "warning"),
    "camera": (lambda p, rgb, row: plain(p, rgb, row, camera="Z"), "shortcut", "warning"),
    "date": (
        lambda p, rgb, row: plain(p, rgb, row, taken=f"2024:03:{1 + row:02d} {9 + row % 8:02d}:00:01"),
        "shortcut",
        "warning",
    ),
    "number in the file name": (
        lambda p, rgb, row: plain(p.with_name(f"{500 + row}.jpg"), rgb, row),
        "shortcut",
        "note",
    ),
}


def asked(path: Any, **options: Any) -> Audit:
    return im.audit(path, checks=["shortcuts"], **options)


def test_classes_that_were_made_alike_have_none(tmp_path: Path) -> None:
    assert asked(write_all(tmp_path, plain)).findings == ()


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_what_one_class_of_three_alone_has_is_named_with_the_class(tmp_path: Path, name: str) -> None:
    change, rule, level = PLANTED[name]
    found = asked(write_all(tmp_path, change)).findings
    (finding,) = [one for one in found if one.rule == rule and f"the {name}" in one.message]
    assert finding.level == level
    assert finding.message.startswith("whether it is fly can be told from")
    assert (finding.numbers["accuracy"] > 0.9, round(finding.numbers["chance"], 2)) == (True, 0.67)
    assert all(place.startswith("fly/") for place in finding.places)


def rows_of(path: Path, cells: Callable[[int, int], dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"key": f"{name}/{row}.png", **cells(label, row)} for label, name in enumerate(NAMES) for row in range(EACH)
    ]


def tiny(path: Path) -> Path:
    for label, name in enumerate(NAMES):
        for row in range(EACH):
            write(path / name / f"{row}.png", np.random.default_rng([label, row]).integers(0, 256, (8, 8, 3), np.uint8))
    return path


def test_an_attribute_that_tells_the_class_is_named_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    rows = rows_of(
        tmp_path, lambda label, row: {"hospital": "North" if label == 1 else f"S{row % 3}", "age": 20 + row * 3 % 50}
    )
    (finding,) = asked(tiny(tmp_path), attributes=rows).findings
    assert "from the column hospital alone" in finding.message
    assert "column age" not in finding.message
    assert finding.level == "warning"


def test_numbers_in_identifiers_that_follow_the_class_are_named(tmp_path: Path) -> None:
    follow = rows_of(tmp_path, lambda label, row: {"patient": f"P-{100 * label + row:04d}"})
    (finding,) = asked(tiny(tmp_path), attributes=follow).findings
    assert "from the number in column patient alone" in finding.message
    mixed = rows_of(tmp_path, lambda label, row: {"patient": f"P-{3 * row + label:04d}"})
    assert asked(tmp_path, attributes=mixed).findings == ()


def test_a_table_sorted_by_class_is_a_note(tmp_path: Path) -> None:
    lines = ["path,label"]
    for number in range(60):
        write(tmp_path / f"{'xyz'[number % 3]}{number * 37 % 60}.png", photo(number, 12, 12))
        lines.append(f"{'xyz'[number % 3]}{number * 37 % 60}.png,{'ab'[number // 30]}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    found = [one for one in asked(tmp_path / "labels.csv").findings if "place in the order" in one.message]
    assert [one.level for one in found] == ["note"]


def test_of_one_class_chance_is_what_saying_no_gives() -> None:
    labels = np.repeat([0, 1, 2, 3], 25)
    folds = folds_of(labels, 5)
    told = told_of(probabilities_by_bins((labels == 3) * 1.0, labels, folds), labels, folds, number=3)
    assert (told.accuracy, told.chance, told.skill) == (1.0, 0.75, 1.0)
    alike = told_of(probabilities_by_bins(np.zeros(100), labels, folds), labels, folds, number=3)
    assert (alike.accuracy, alike.skill) == (0.75, 0.0)
    assert alike.p > 0.4


@pytest.mark.parametrize("seed", range(5))
def test_copies_and_groups_are_never_on_both_sides(tmp_path: Path, seed: int) -> None:
    # Each patient has one camera and one class: a camera that was never seen says nothing.
    rows = []
    for number in range(12):
        for shot_number in range(5):
            path = write(tmp_path / f"{number}-{shot_number}.png", photo(100 * seed + 5 * number + shot_number, 12, 12))
            tags = {"scanner": f"s{number}"}
            rows.append(im.Record(path.name, path, label="ab"[number % 2], group=f"p{number}", attributes=tags))
    assert not [one for one in asked(im.open(rows)).findings if "scanner" in one.message]


def test_what_cannot_be_asked_is_said_and_why(tmp_path: Path) -> None:
    for number in range(30):
        for row in range(2):
            write(tmp_path / f"c{number}" / f"{row}.png", photo(10 * number + row, 12, 12))
    found = asked(tmp_path)
    assert (found.findings, [str(one) for one in found.not_asked]) == (
        (),
        ["shortcuts: not asked, because there are not two classes with 10 images or more"],
    )


@pytest.mark.parametrize("kind", ["content", "piece"])
def test_what_is_in_the_pixels_is_claimed_where_chance_would_not_have_it_so_good(kind: str) -> None:
    labels, folds = np.arange(300) % 5, np.arange(300) // 5 % 5

    def told(right: int) -> Told:
        said = np.where(np.arange(300) < right, labels, (labels + 1) % 5)
        return told_of(np.eye(5)[said], labels, folds)

    beside = (({None: told(140)}, 0.8),)
    # 0.45 of 300 is 0.31 of the way; the whole image goes a third of it, of which four fifths are 0.27.
    assert _claimed([_Answer("x", kind, {None: told(135)}, beside)], 0.95) == []
    assert _claimed([_Answer("x", "seen", {None: told(135)}, beside)], 0.95)[0].claimed == (None,)
    assert _claimed([_Answer("x", kind, {None: told(250)}, beside)], 0.95)[0].claimed == (None,)
