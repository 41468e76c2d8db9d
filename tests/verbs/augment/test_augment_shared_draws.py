"""Copies of several records are drawn for at once; each is what its key gives alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Picture
from imagemill.verbs.augment import copy_tasks
from tests.data.pictures import digests, outputs

PIPELINE = im.Pipeline(
    [
        im.Flip("x", p=0.5),
        im.Rotate((-20, 20), p=0.7),
        im.RandomResizedCrop((12, 13)),
        im.ColorJitter(contrast=(0.5, 1.5)),
        im.GaussianNoise(p=0.5),
    ],
    seed=5,
)
SHAPES = [(20, 30, 3), (31, 18, 3), (20, 30, 3), (24, 24), (17, 40, 3), (33, 21)]


def folder(at: Path, n: int = 24) -> Path:
    """Pictures of many sizes, some of them gray."""
    for number in range(n):
        array = np.random.default_rng(number).integers(0, 256, SHAPES[number % len(SHAPES)], dtype=np.uint8)
        im.write_picture(at / f"{number:02d}.png", Picture(array, "yxc"[: array.ndim]))
    return at


def alone(source: Path, out: Path, monkeypatch: pytest.MonkeyPatch, **how: Any) -> dict[str, str]:
    """What comes out where each record is a shard of its own."""
    with monkeypatch.context() as patched:
        patched.setattr(copy_tasks, "_TOGETHER", 1)
        im.augment(source, out, PIPELINE, **how)
    return digests(out)


@pytest.mark.parametrize("copies", [1, 3, 10])
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_drawn_together_is_what_each_gets_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: list[int], copies: int, workers: int
) -> None:
    source = folder(tmp_path / "in")
    same = alone(source, tmp_path / "alone", monkeypatch, copies=copies)
    assert drawn == [1] * 24 * copies
    drawn.clear()
    im.augment(source, tmp_path / "out", PIPELINE, copies=copies, workers=workers)
    assert digests(tmp_path / "out") == same
    # Of more than eight copies a shard is one record.
    assert (len(drawn) < 14 * copies) == (copies < 9)
    assert im.verify(tmp_path / "out", source=source).ok


def test_what_is_left_of_a_run_is_drawn_together_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder(tmp_path / "in")
    same = alone(source, tmp_path / "alone", monkeypatch, copies=2)
    out = tmp_path / "out"
    im.augment(source, out, PIPELINE, copies=2)
    for name in sorted(outputs(out))[::3]:
        (out / name).unlink()
    im.augment(source, out, PIPELINE, copies=2)
    assert digests(out) == same


def test_a_file_that_cannot_be_read_leaves_out_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder(tmp_path / "in")
    for number in (0, 7, 8, 23):
        (source / f"{number:02d}.png").write_bytes(b"no picture")
    same = alone(source, tmp_path / "alone", monkeypatch, on_error="skip")
    report = im.augment(source, tmp_path / "out", PIPELINE, on_error="skip")
    assert (report.made, [one.key for one in report.failed]) == (20, ["00.png", "07.png", "08.png", "23.png"])
    assert digests(tmp_path / "out") == same


def test_a_record_that_cannot_be_drawn_for_leaves_out_itself_alone(tmp_path: Path) -> None:
    source = folder(tmp_path / "in")
    im.write_picture(source / "05.png", Picture(np.zeros((4, 40, 3), np.uint8), "yxc"))
    narrow = im.Pipeline([im.Flip("x", p=0.5), im.Crop((12, 13), at="random")], seed=5)
    report = im.augment(source, tmp_path / "out", narrow, on_error="skip")
    assert (report.made, [one.key for one in report.failed]) == (23, ["05.png"])


def test_as_many_records_are_in_memory_as_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, most, now = folder(tmp_path / "in"), 0, 0
    copies, load = copy_tasks.CopyWork.copies, copy_tasks.CopyWork.load

    def loaded(self: Any, record: Any) -> Any:
        nonlocal most, now
        now += 1
        most = max(most, now)
        return load(self, record)

    def made(self: Any, *given: Any) -> Any:
        nonlocal now
        yield from copies(self, *given)
        now -= 1

    monkeypatch.setattr(copy_tasks.CopyWork, "load", loaded)
    monkeypatch.setattr(copy_tasks.CopyWork, "copies", made)
    im.augment(source, tmp_path / "all", PIPELINE)
    assert (most, now) == (6, 0)
    most = 0
    monkeypatch.setattr(copy_tasks, "_PIXELS", 2000)  # the third picture is the one too many
    im.augment(source, tmp_path / "few", PIPELINE)
    assert (most, now) == (2, 0)
    assert digests(tmp_path / "few") == digests(tmp_path / "all")


def test_shards_are_of_one_record_where_files_are_long_or_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = im.open_source(folder(tmp_path / "in"))
    made = copy_tasks.tasks_for(
        ((record, ".png") for record in source),
        {},
        1,
        {(one.key, 0): copy_tasks.Place(one.key, None) for one in source},
    )
    assert copy_tasks.tasks_at_once(made, 1) == 6
    assert copy_tasks.tasks_at_once(made, 2) == 3
    assert copy_tasks.tasks_at_once(made, 8) == 1
    monkeypatch.setattr(copy_tasks, "_FILES", 3000)
    assert copy_tasks.tasks_at_once(made, 1) == 1
