from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from imagemill.data import Record, split_suffix


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [
        ("a.nii.gz", "a", ".nii.gz"),
        ("a.b.NII.GZ", "a.b", ".NII.GZ"),
        ("scan.v2.gz", "scan.v2", ".gz"),
        ("photo.tar.png", "photo.tar", ".png"),
        ("no_suffix", "no_suffix", ""),
        (".hidden", ".hidden", ""),
        ("folder.nii.gz/x.jpg", "x", ".jpg"),
        ("end.", "end.", ""),
    ],
)
def test_suffixes_are_split_whole(name: str, stem: str, suffix: str) -> None:
    assert split_suffix(name) == (stem, suffix)
    assert "".join(split_suffix(name)) == Path(name).name


def test_a_record_cannot_be_changed() -> None:
    record = Record("a.png", Path("a.png"))
    assert (record.mask, record.label) == (None, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.key = "b.png"  # type: ignore[misc]
