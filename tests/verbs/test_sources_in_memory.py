"""Arrays and records that were given in memory lie in no folder, not even in the one the program runs in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Record, Stored
from imagemill.data.as_source import source_of
from imagemill.verbs.export.export import export
from imagemill.verbs.scan.licences import licences_of
from tests.data.pictures import PIPELINE, photo


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is in memory, while a LICENSE lies where the program runs, beside the files, and in a folder "memory"."""
    monkeypatch.chdir(tmp_path)
    for folder in ("", "memory", "images"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "LICENSE").write_text("Apache License")
    photo(tmp_path / "images/1.png")
    file = Record("1", tmp_path / "images/1.png")
    memory = Record("2", Stored("2", lambda: np.zeros((4, 4), np.uint8), "yx"))
    return {"files": [file], "pixels": [memory], "both": [file, memory], "arrays": np.zeros((2, 4, 4), np.uint8)}


KINDS = ("files", "pixels", "both", "arrays")


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_beside_the_program_says_a_licence(given: dict[str, Any], kind: str) -> None:
    found = licences_of(source_of(given[kind]))
    assert (dict(found.counts), found.whole, found.files) == ({}, "", ())
    assert licences_of(source_of("images")).whole == "Apache-2.0"  # read from the folder they have its own


@pytest.mark.parametrize(
    "make",
    [
        lambda source: im.augment(source, "memory/out", PIPELINE),
        lambda source: im.prepare(source, "memory/out", size=8, split=0.0, channels="rgb"),
        lambda source: export(source, "memory/out", "folder"),
    ],
    ids=["augment", "prepare", "export"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_results_may_go_anywhere(given: dict[str, Any], make: Callable[[Any], Any], kind: str, tmp_path: Path) -> None:
    make(source_of(given[kind]))
    assert any(path.is_file() for path in (tmp_path / "memory/out").rglob("*"))
