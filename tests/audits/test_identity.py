"""Columns that identify the sample, and what drifts along the order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.audits import Audit
from tests.audits.made_up import photo, write


def set_of(
    path: Path, cells: Callable[[int], dict[str, Any]], split: Callable[[int], str | None] = lambda row: None
) -> Audit:
    records = []
    for row in range(24):
        image = write(path / f"{row}.png", photo(row, 8, 8))
        records.append(im.Record(image.name, image, label="ab"[row % 2], split=split(row), attributes=cells(row)))
    return im.audit(im.open(records), checks=["identity"])


def rules(found: Audit) -> list[str]:
    return [finding.rule for finding in found.findings]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (lambda row: {"patient_id": f"p{row}"}, ["identifier"]),
        (lambda row: {"patient_id": f"p{row // 3}"}, ["identity"]),
        (lambda row: {"slideId": row // 2}, ["identity"]),
        (lambda row: {"patient_id": "p"}, []),
        (lambda row: {"caption": f"photo {row}"}, []),
        (lambda row: {"case": row + 0.5}, []),  # a measurement
        (lambda row: {"source_id": "x", "colour": "red"}, []),
    ],
)
def test_a_column_that_says_who_or_which_is_named(tmp_path: Path, cells: Any, expected: list[str]) -> None:
    assert rules(set_of(tmp_path, cells)) == expected


def test_a_patient_in_both_parts_is_an_error(tmp_path: Path) -> None:
    found = set_of(tmp_path, lambda row: {"patient": row // 3}, lambda row: "train" if row < 16 else "test")
    (finding,) = found.findings
    assert (finding.rule, finding.level, finding.numbers["values"]) == ("identity-leak", "error", 1)
    assert set(finding.places) == {"15.png", "16.png", "17.png"}


def test_a_patient_with_one_class_is_counted(tmp_path: Path) -> None:
    (finding,) = set_of(tmp_path, lambda row: {"patient": row % 6}).findings
    assert "keeps 24 images together under 6 values of" not in finding.message
    assert "24 images together under 6 values; 6 of the 6 with several images have them in one class" in finding.message


def test_without_columns_it_is_not_asked(tmp_path: Path) -> None:
    found = set_of(tmp_path, lambda row: {})
    assert [one.because for one in found.not_asked] == ["there are no columns besides image and class"]


@pytest.mark.parametrize("drifts", [False, True])
def test_drift_within_each_folder_is_told_from_classes_that_are_brighter(tmp_path: Path, drifts: bool) -> None:
    for number, name in enumerate(("cat", "dog")):
        for row in range(30):
            light = 0.4 + 0.3 * number + (0.01 * row if drifts else 0)
            write(
                tmp_path / name / f"{name}_{30 * number + row}.png",
                (photo(100 * number + row) * light).astype(np.uint8),
            )
    found = im.audit(tmp_path, checks=["order"])
    assert rules(found) == (["drift"] if drifts else [])
    assert found.not_asked == ()
