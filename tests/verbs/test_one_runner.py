"""Verbs on the one runner: in processes as in threads, and stopped without doing the rest first."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import imagemill as im
from imagemill.data import read_jsonl
from imagemill.jobs.process_engine import Processes
from imagemill.jobs.runner import Runner
from imagemill.verbs.scan import image_facts
from tests.data.pictures import PIPELINE, cut, digests, photos


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every run in other processes, whatever the verb says."""
    run = Runner.run

    def elsewhere(self: Any, items: Any, total: int) -> Any:
        return run(replace(self, engine=Processes), items, total)

    return lambda: monkeypatch.setattr(Runner, "run", elsewhere)


def test_augment_and_prepare_write_the_same_bytes_in_processes(tmp_path: Path, in_processes: Any) -> None:
    source = photos(tmp_path / "in", *(f"{'ab'[n % 2]}/{n}.png" for n in range(6)))
    cut(source / "a/0.png", source / "a/9.png")
    made = {}
    for where in ("threads", "processes"):
        if where == "processes":
            in_processes()
        out = tmp_path / where
        im.augment(source, out / "copies", PIPELINE, copies=2, workers=2, on_error="quarantine")
        im.prepare(source, out / "store", size=8, workers=2, on_error="quarantine")
        scanned = im.scan(source, opened=None).to_dict()
        made[where] = digests(out), scanned["pixels"], scanned["unreadable"]
    assert made["processes"] == made["threads"]


def test_scan_that_is_stopped_opens_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, facts = list[str](), image_facts._facts

    def counted(record: Any, options: Any) -> Any:
        opened.append(record.key)
        return facts(record, options)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(image_facts, "_facts", counted)
    with pytest.raises(KeyboardInterrupt):
        im.scan(photos(tmp_path, *(f"{n:02}.png" for n in range(40))), workers=1, progress=stop)
    assert len(opened) <= 3


def test_a_full_disk_is_no_fault_of_the_images_that_scan_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any) -> Any:
        raise im.DiskError("no room to unpack")

    monkeypatch.setattr(image_facts, "load_picture", full)
    with pytest.raises(im.DiskError, match="no room to unpack"):
        im.scan(photos(tmp_path, "a.png"))


def test_a_full_disk_is_no_fault_of_the_records_that_export_looks_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(record: Any) -> Any:
        raise im.DiskError("no room to unpack")

    module = importlib.import_module("imagemill.verbs.export.export")  # its room has a function of that name
    monkeypatch.setattr(module, "_record_as_seen", full)
    with pytest.raises(im.DiskError, match="no room to unpack"):
        im.export(photos(tmp_path / "in", "a.png"), tmp_path / "out", "csv")


@pytest.mark.parametrize("workers", [1, 4])
def test_the_error_that_is_raised_does_not_depend_on_workers(tmp_path: Path, workers: int) -> None:
    source = photos(tmp_path / "in", *(f"{n}.png" for n in range(8)))
    for name in ("2.png", "3.png", "4.png"):
        cut(source / name, source / name)
    with pytest.raises(im.CodecError, match=r"2\.png"):
        im.augment(source, tmp_path / "out", PIPELINE, workers=workers)
    with pytest.raises(im.CodecError, match=r"2\.png"):
        im.prepare(source, tmp_path / "store", size=8, workers=workers)


def test_a_second_run_adds_no_line_to_the_list_of_what_is_in_quarantine(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"{n}.png" for n in range(4)))
    for name in ("1.png", "2.png"):
        cut(source / name, source / name)
    for verb in (
        lambda out: im.augment(source, out, PIPELINE, workers=2, on_error="quarantine"),
        lambda out: im.prepare(source, out, size=8, workers=2, on_error="quarantine"),
    ):
        out = tmp_path / str(id(verb))
        for _ in range(2):
            verb(out)
            rows = read_jsonl(out / "quarantine/origins.jsonl").rows
            assert [row["key"] for row in rows] == ["1.png", "2.png"]
