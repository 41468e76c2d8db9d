"""Stopped, killed, run again, with more files: the same bytes in the end, and nothing made twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import imagemill as im
from tests.architecture.repository import ROOT, SRC, environment
from tests.data.pictures import PIPELINE, cut, digests, outputs, photo, photos


def times(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in outputs(folder)}


def test_a_rerun_makes_nothing(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=3)
    before, written = digests(tmp_path / "out"), times(tmp_path / "out")
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=3)
    assert (report.made, report.present) == (0, 6)
    assert digests(tmp_path / "out") == before
    assert times(tmp_path / "out") == written


def test_what_is_missing_is_made_again(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=3)
    before = digests(tmp_path / "out")
    for name in list(outputs(tmp_path / "out"))[1:3]:
        (tmp_path / "out" / name).unlink()
    assert im.augment(source, tmp_path / "out", PIPELINE, copies=3).made == 2
    assert digests(tmp_path / "out") == before


def test_files_added_later_change_no_other_output(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "b.png", "d.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    before, written = outputs(tmp_path / "out"), times(tmp_path / "out")
    photo(source / "a.png", 7)
    photo(source / "c.png", 8)
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    assert (report.made, report.present) == (4, 4)
    assert before.items() <= outputs(tmp_path / "out").items()
    assert written.items() <= times(tmp_path / "out").items()
    # And the folder is the one that a run over all of them would have made.
    im.augment(source, tmp_path / "whole", PIPELINE, copies=2)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_a_file_that_was_replaced_is_made_again(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    photo(source / "b.png", 5, (33, 44, 3))
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    assert (report.made, report.present) == (2, 2)
    assert im.verify(tmp_path / "out", source=source).ok


def test_outputs_of_removed_files_stay_and_are_counted(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    before = digests(tmp_path / "out")
    (source / "a.png").unlink()
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    assert (report.made, report.present, report.others) == (0, 2, 2)
    assert digests(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"copies": 1}, r"copies \(2 before, 1 now\)"),
        ({"format": "tif"}, r"format \(left out before, '\.tif' now\)"),
        ({"prefix": "x"}, r"prefix \('' before, 'x' now\)"),
        ({"channels": "gray"}, r"channels \('keep' before, 'gray' now\)"),
        ({"pipeline": PIPELINE.with_seed(12)}, r"seed \(11 before, 12 now\)"),
        ({"pipeline": im.Pipeline([im.Flip("x")], seed=11)}, r"pipeline \('[0-9a-f]{16}' before"),
        ({"pipeline": im.Pipeline(PIPELINE.transforms, seed=11, fuse=False)}, r"fuse \(True before, False now\)"),
    ],
)
def test_other_parameters_are_refused_by_name(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    source = photos(tmp_path / "in", "a.png")
    given: dict[str, Any] = {"source": source, "out": tmp_path / "out", "pipeline": PIPELINE, "copies": 2}
    im.augment(**given)
    before = digests(tmp_path / "out")
    with pytest.raises(im.InputError, match=rf"{message}.*use another folder, or overwrite=True$"):
        im.augment(**{**given, **change})
    assert digests(tmp_path / "out") == before


def test_overwrite_removes_what_was_recorded_and_nothing_else(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=4)
    (tmp_path / "out/mine.png").write_bytes(b"kept")
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=1, format="tif", overwrite=True)
    assert report.made == 2
    assert sorted(Path(name).suffix for name in outputs(tmp_path / "out")) == [".png", ".tif", ".tif"]
    assert (tmp_path / "out/mine.png").read_bytes() == b"kept"


def test_overwrite_follows_no_path_out_of_the_folder(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png")
    im.augment(source, tmp_path / "out", PIPELINE)
    (tmp_path / "precious.png").write_bytes(b"kept")
    with (tmp_path / "out/recipes.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"key": "z", "copy": 0, "output": "../precious.png"}\n')
    im.augment(source, tmp_path / "out", PIPELINE, overwrite=True)
    assert (tmp_path / "precious.png").read_bytes() == b"kept"


def test_a_job_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png")
    im.augment(source, tmp_path / "out", PIPELINE)
    (tmp_path / "out/job.json").write_text("{")
    with pytest.raises(im.InputError, match=r"job\.json to hold the parameters of a run"):
        im.augment(source, tmp_path / "out", PIPELINE)
    (tmp_path / "out/job.json").unlink()
    with pytest.raises(im.InputError, match=r"expected job\.json beside the recipes"):
        im.augment(source, tmp_path / "out", PIPELINE)


def test_ctrl_c_keeps_what_was_made(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"{n}.png" for n in range(12)))

    def stop(done: int, total: int) -> None:
        if done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        im.augment(source, tmp_path / "out", PIPELINE, workers=2, progress=stop)
    made = len(outputs(tmp_path / "out"))
    assert 5 <= made < 12
    report = im.augment(source, tmp_path / "out", PIPELINE, workers=2)
    assert (report.made, report.present) == (12 - made, made)
    im.augment(source, tmp_path / "whole", PIPELINE)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_an_error_in_the_middle_keeps_what_was_made(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"{n}.png" for n in range(6)))
    cut(source / "0.png", source / "9.png")
    with pytest.raises(im.CodecError, match=r"9\.png"):
        im.augment(source, tmp_path / "out", PIPELINE, copies=2, workers=2)
    made = len(outputs(tmp_path / "out"))
    assert made >= 6  # the others were at hand or done; one that was at hand may have stopped between copies
    (source / "9.png").unlink()
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    assert (report.made, report.present) == (12 - made, made)


KILLED = """
import sys, time
import imagemill as im
from tests.data.pictures import PIPELINE

def progress(done, total):
    if done >= 40:
        print("here", flush=True)
        time.sleep(600)

im.augment(sys.argv[1], sys.argv[2], PIPELINE, copies=4, workers=2, progress=progress)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a POSIX signal")
def test_killed_in_the_middle_and_resumed_equals_an_unbroken_run(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"{n:02}.png" for n in range(30)))
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(source), str(out)]
    with subprocess.Popen(command, env=environment(ROOT, SRC), cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)
    made = len(outputs(out))
    assert 40 <= made < 120
    # What a kill can leave besides: an unfinished file and half a line.
    (out / ".00-x.png.1f-0123abcd.part").write_bytes(b"half")
    (out / ".mine.part").write_bytes(b"not ours")
    with (out / "recipes.partial.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"key": "29.pn')
    report = im.augment(source, out, PIPELINE, copies=4)
    assert report.made + report.present == 120
    # Made again: at most what the four shards that were in flight hold, three photos of four copies each.
    assert report.present >= made - 4 * 3 * 4
    assert report.present > 0
    im.augment(source, tmp_path / "whole", PIPELINE, copies=4)
    assert digests(out).pop(".mine.part")
    (out / ".mine.part").unlink()
    assert digests(out) == digests(tmp_path / "whole")
