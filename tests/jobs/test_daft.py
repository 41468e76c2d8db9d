"""Shards on Daft: the same bytes as from threads, also where the driver is killed; errors as from threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import imagemill as im
from imagemill.core.errors import InputError, MissingExtra, WorkerError
from imagemill.evaluate.comparisons.runs_elsewhere import check_elsewhere
from imagemill.evaluate.comparisons.time_budget import TimeBudget
from imagemill.jobs.shards import Shard, ShardWork
from imagemill.jobs.where_to_run import engine_for
from tests.data.pictures import PIPELINE, digests, photos
from tests.jobs import small_runs

NAMES = [f"{label}/{n}.png" for n, label in enumerate(("cat", "dog") * 3)]


def test_without_daft_it_says_which_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "daft", None)
    with pytest.raises(MissingExtra, match=r"imagemill\[daft\]"):
        im.prepare(tmp_path / "nowhere", tmp_path / "out", on="daft")


def test_runs_of_a_comparison_do_not_share_a_process() -> None:
    with pytest.raises(InputError, match="processes, ray"):
        check_elsewhere("daft", 2, TimeBudget(None))


@pytest.fixture(scope="module")
def daft() -> Any:
    os.environ["DAFT_ANALYTICS_ENABLED"] = "0"
    return pytest.importorskip("daft", reason="Daft is not installed: the extra daft, which holds pyarrow back")


ran = partial(small_runs.ran, "daft")


def test_rows_and_errors_come_as_from_threads(daft: Any) -> None:
    place = 3

    def work(item: int) -> Iterator[Any]:
        yield item * place

    found, finished = ran(work, range(20), workers=2, size=3)
    assert found == {n: 3 * n for n in range(20)}
    assert finished.notes == ()

    def fails(item: int) -> Iterator[int]:
        if item in (7, 13):
            raise ZeroDivisionError(f"at {item}")
        yield item

    with pytest.raises(ZeroDivisionError, match="at 7"):
        ran(fails, range(20), workers=2, size=3)


def test_nothing_is_begun_behind_the_last(daft: Any) -> None:
    engine = engine_for("daft")(ShardWork(lambda item: [item]), 2)
    engine.stop(0)
    shards = [engine.submit(Shard(number, number, (number,))) for number in (0, 1)]
    assert [[one.rows for one in engine.outcomes(future)] for future in shards] == [[[0]], []]
    engine.close()


def test_what_cannot_be_sent_or_read_is_refused(daft: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = threading.Lock()
    with pytest.raises(InputError, match="can be sent to another process"):
        ran(lambda item: [lock], range(2))
    (tmp_path / "only_then.py").write_text("def work(item):\n    yield item\n")
    with monkeypatch.context() as patched:
        patched.syspath_prepend(str(tmp_path))
        import only_then  # type: ignore[import-not-found]

        engine = engine_for("daft")(ShardWork(only_then.work), 1)
    del sys.modules["only_then"]
    with pytest.raises(WorkerError, match=r"only_then.*run again"):
        engine.outcomes(engine.submit(Shard(0, 0, (1,))))
    engine.close()


_DRIVER = """
import os, signal, sys
import imagemill as im
from imagemill.jobs.runner import _Run
plain, rows = _Run._note, [0]
def note(self, outcomes):
    plain(self, outcomes)
    rows[0] += sum(len(one.rows) for one in outcomes)
    if rows[0] >= 6:
        os.kill(os.getpid(), signal.SIGKILL)
_Run._note = note
from tests.data.pictures import PIPELINE
if __name__ == "__main__":
    im.augment(sys.argv[1], sys.argv[2], PIPELINE, copies=2, on="daft", workers=1)
"""


def test_bytes_are_those_of_threads_also_where_the_driver_was_killed(daft: Any, tmp_path: Path) -> None:
    folder = photos(tmp_path / "in", *NAMES)
    (tmp_path / "driver.py").write_text(_DRIVER)
    asked = [sys.executable, str(tmp_path / "driver.py"), str(folder), str(tmp_path / "there" / "files")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", ".", *sys.path])}
    done = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    for name, on in (("here", None), ("there", "daft")):
        im.prepare(folder, tmp_path / name / "store", size=16, on=on, workers=2)
        report = im.augment(folder, tmp_path / name / "files", PIPELINE, copies=2, on=on, workers=1)
    assert (report.present, report.made) == (6, 6)
    assert digests(tmp_path / "here") == digests(tmp_path / "there")
