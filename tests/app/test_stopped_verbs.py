"""Verbs that write, stopped by Ctrl-C and by a disk that takes no more: nothing half-written, nothing in the way."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.audits.glance import GlanceWork
from imagemill.testing import picture
from tests.app.terminal import imagemill

VERBS: dict[str, Callable[[Path, Path, Path], list[Any]]] = {
    "split": lambda src, made, out: ["split", src, "-o", out / "parts.csv"],
    "split-parquet": lambda src, made, out: ["split", src, "-o", out / "parts.parquet"],
    "preview": lambda src, made, out: [
        "preview",
        src,
        "-p",
        "photo",
        "--size",
        "8",
        "--seed",
        "1",
        "-o",
        out / "a.png",
    ],
    "replay": lambda src, made, out: ["replay", made, first_of(made), "--source", src, "-o", out / "a.png"],
    "replay-all": lambda src, made, out: ["replay", made, "--all", "--source", src, "-o", out / "all"],
    "export": lambda src, made, out: ["export", src, "--to", "csv", "-o", out / "csv"],
    "export-hdf5": lambda src, made, out: ["export", src, "--to", "hdf5", "-o", out / "h5"],
    "export-parquet": lambda src, made, out: ["export", src, "--to", "parquet", "--embed", "-o", out / "pq"],
    "prepare": lambda src, made, out: ["prepare", src, "--size", "8", "-o", out / "store"],
    "augment": lambda src, made, out: [
        *("augment", src, "-p", "photo", "--size", "8", "--seed", "1", "--workers", "1", "-o", out / "more")
    ],
    "audit": lambda src, made, out: [
        *("audit", src, "--check", "counts", "--fail-on", "never", "--json", out / "audit.json"),
        *("-o", out / "audit.html", "--apply", "regroup", "--manifest", out / "kept.csv"),
    ],
}


def first_of(recipes: Path) -> str:
    return min(path.name for path in recipes.parent.rglob("*.png"))


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of pictures, and the recipes of copies that were made of it."""
    folder = tmp_path_factory.mktemp("given")
    for n in range(4):
        image = picture(n, (10, 12), 3, noise=True)
        im.write_picture(folder / "src" / "ab"[n % 2] / f"{n}.png", im.Picture(image, "yxc"))
    said = imagemill("augment", folder / "src", "-p", "photo", "--size", "8", "--seed", "1", "-o", folder / "made")
    assert said.code == 0, said.err
    return folder / "src", folder / "made/recipes.jsonl"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@contextmanager
def ctrl_c(at: int) -> Iterator[None]:
    """Ctrl-C as the file with this number is given its name: it meets the calling thread only."""
    real, calls = os.replace, iter(range(10**9))

    def replace(source: Any, target: Any, **options: Any) -> None:
        if threading.current_thread() is threading.main_thread() and next(calls) == at:
            raise KeyboardInterrupt
        real(source, target, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", replace)
        yield


@contextmanager
def largest_file(count: int) -> Iterator[None]:
    """A real refusal by the system: no file may be larger than so many bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_was_stopped_leaves_nothing_half_and_nothing_in_the_way(
    verb: str, given: tuple[Path, Path], tmp_path: Path
) -> None:
    whole, folders = tmp_path / "whole", [tmp_path / name for name in ("first", "later", "full")]
    for folder in (whole, *folders):
        folder.mkdir()
    assert imagemill(*VERBS[verb](*given, whole)).code == 0
    wanted = tree(whole)
    several = verb in ("replay-all", "export", "prepare", "augment", "audit")
    stops: list[tuple[Any, int]] = [(ctrl_c(0), 130), (ctrl_c(2 if several else 0), 130), (largest_file(64), 2)]
    for folder, (stop, code) in zip(folders, stops, strict=True):
        with stop:
            said = imagemill(*VERBS[verb](*given, folder))
        assert said.code == code, said.err
        left = tree(folder)
        assert not [name for name in left if name.endswith(".part")]
        if code == 2:
            assert "File too large" in said.err
            assert "make room" in said.err
            assert "Traceback" not in said.err
        assert ("what was made is kept" in said.err) <= bool(left)
        again = imagemill(*VERBS[verb](*given, folder))
        assert again.code == 0, again.err
        assert tree(folder) == wanted


@pytest.mark.parametrize("verb", ["prepare", "augment"])
def test_ctrl_c_before_anything_was_made_says_so(verb: str, given: tuple[Path, Path], tmp_path: Path) -> None:
    with ctrl_c(0):
        said = imagemill(*VERBS[verb](*given, tmp_path))
    assert said.err.startswith("stopped before anything was made in ")
    with ctrl_c(3):
        said = imagemill(*VERBS[verb](*given, tmp_path))
    assert said.err.startswith("stopped; what was made is kept in ")
    assert "run the same command again" in said.err


def test_an_audit_stopped_while_it_looks_writes_nothing_and_the_same_command_ends_it(
    given: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = GlanceWork.__call__

    def stopped(work: GlanceWork, record: im.Record) -> Any:
        looked.append(record.key)
        if len(looked) == 3:
            raise KeyboardInterrupt
        return real(work, record)

    monkeypatch.setattr(GlanceWork, "__call__", stopped)
    said = imagemill(*VERBS["audit"](*given, tmp_path))
    assert (said.code, tree(tmp_path)) == (130, {})
    assert "Traceback" not in said.err
    again = imagemill(*VERBS["audit"](*given, tmp_path))
    assert again.code == 0, again.err
    assert set(tree(tmp_path)) == {"audit.json", "audit.html", "kept.csv"}


def test_an_hdf5_file_is_whole_or_not_there_wherever_the_disk_ends(given: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    im.export(given[0], tmp_path / "whole", "hdf5")
    whole = (tmp_path / "whole/images.h5").stat().st_size
    for number, size in enumerate(np.linspace(50, whole - 1, 6).astype(int).tolist()):
        with largest_file(size), pytest.raises(im.DiskError, match="expected a disk that takes the file"):
            im.export(given[0], tmp_path / str(number), "hdf5")
        assert not (tmp_path / str(number) / "images.h5").exists()
