"""Shards on Ray: the same bytes as from one process, also where a worker or the driver is killed; clear refusals."""

from __future__ import annotations

import importlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError, MissingExtra, SourceError, WorkerError
from imagemill.data import Instance, Record, Source, Stored
from imagemill.evaluate.comparisons.kept_runs import KeptRuns
from imagemill.evaluate.comparisons.runs_elsewhere import TrainRun, check_elsewhere, train_elsewhere
from imagemill.evaluate.comparisons.time_budget import TimeBudget
from imagemill.evaluate.inputs.arms import Arm
from imagemill.evaluate.runners.recipe import Recipe, Trained
from imagemill.jobs.engines import Threads
from imagemill.jobs.ray import same_versions
from imagemill.jobs.ray.cluster import Cluster
from imagemill.jobs.runner import Runner
from imagemill.jobs.sent_outcomes import as_bytes, packed, unpacked
from imagemill.jobs.shards import Shard, ShardWork
from imagemill.jobs.where_to_run import engine_for, seeing
from tests.data.pictures import PIPELINE, digests, outputs, photos
from tests.jobs import small_runs
from tests.jobs.small_runs import record
from tests.ray_here import a_cluster

NAMES = [f"{label}/{n}.png" for n, label in enumerate(("cat", "dog") * 3)]
ray = pytest.importorskip("ray", reason="Ray has no wheel for this Python or system")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One cluster for the tests that do not ask for their own: starting one costs some seconds."""
    with a_cluster(2):
        yield


ran = partial(small_runs.ran, "ray")


def test_rows_notes_and_errors_come_as_from_threads(cluster: None) -> None:
    place = 3  # of the closure: functions of a program need no module

    def work(item: int) -> Iterator[Any]:
        yield item * place

    found, finished = ran(work, range(20), workers=1, size=3)
    assert found == {n: 3 * n for n in range(20)}
    assert finished.notes == ()

    def fails(item: int) -> Iterator[int]:
        if item in (7, 13):
            raise ZeroDivisionError(f"at {item}")
        yield item

    with pytest.raises(ZeroDivisionError, match="at 7") as raised:
        ran(fails, range(20), workers=2, size=3)
    assert "while testing" in raised.value.__notes__[0]


def test_a_killed_worker_is_replaced_and_the_report_says_so(cluster: None, tmp_path: Path) -> None:
    mark = tmp_path / "killed"

    def work(item: int) -> Iterator[int]:
        if item == 5 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield item

    found, finished = ran(work, range(12), workers=1, size=2)
    assert found == {n: n for n in range(12)}
    assert finished.notes == ("1 worker was lost on the way, and its shard made again by another",)


def test_a_shard_that_brings_down_every_worker_ends_the_run(cluster: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagemill.jobs.ray.ray_engine._LIVES", 2)

    def work(item: int) -> Iterator[int]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield item

    with pytest.raises(WorkerError, match="2 workers"):
        ran(work, range(2), workers=1, size=2)


class Sent(Threads):
    """Sends what actors are sent, and gives it back, in this process: a worker for each verb would take seconds."""

    def __init__(self, work: Any, workers: int, **_: Any) -> None:
        super().__init__(pickle.loads(as_bytes(work, "work", "", ray.cloudpickle.dumps)), workers)

    def submit(self, shard: Shard[Any]) -> Any:
        return super().submit(pickle.loads(as_bytes(shard, "records", "", ray.cloudpickle.dumps)))

    def outcomes(self, future: Any) -> list[Any]:
        return unpacked(packed(future.result(), ray.cloudpickle.dumps))

    def remarks(self) -> tuple[str, ...]:
        return ("1 worker was lost",)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("verbs.export.export", "verbs.scan.scan", "audits.survey"):
        monkeypatch.setattr(importlib.import_module(f"imagemill.{module}"), "engine_for", lambda on: partial(Sent))


def test_the_report_of_every_verb_says_that_a_worker_was_lost(sent: None, tmp_path: Path) -> None:
    image = Stored("made up", lambda: np.zeros((8, 8, 3), np.uint8), "yxc")
    box = Instance("cat", (1.0, 1.0, 4.0, 4.0))
    records = (Record("a.png", image, objects=(box,)),)
    source = Source(tmp_path / "nowhere", "made up", records, categories=("cat",))
    written = im.export(source, tmp_path / "out", "coco", on="ray")
    assert (written.count, written.notes) == (1, ("1 worker was lost",))
    assert "1 worker was lost" in str(im.audit(source, on="ray", workers=1).to_dict())


def test_a_slow_shard_holds_up_no_other(cluster: None, tmp_path: Path) -> None:
    others = tmp_path / "others are noted"

    def work(item: int) -> Iterator[int]:
        while item == 0 and not others.exists():
            time.sleep(0.05)
        yield item

    found: dict[int, Any] = {}

    def note(rows: Any) -> None:
        found.update(rows)
        if len(found) == 5:
            others.touch()

    Runner(work=work, note=note, record=record, doing="testing", engine=engine_for("ray"), workers=2).run(range(6), 6)
    assert list(found)[-1] == 0
    assert len(found) == 6


def test_nothing_is_begun_behind_the_last_and_what_was_begun_is_ended(
    cluster: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Any] = []
    ours = SimpleNamespace(end=ended.append, close=lambda: ended.append("cluster"))
    monkeypatch.setattr("imagemill.jobs.ray.ray_engine.connected", lambda *_: ours)
    engine = engine_for("ray")(ShardWork(lambda item: [item]), 2)
    engine.stop(0)
    shards = [engine.submit(Shard(number, number, (number,))) for number in (0, 1)]
    assert [[one.rows for one in engine.outcomes(future)] for future in shards] == [[[0]], []]
    engine.close()
    assert len(ended) == 3
    assert ended[-1] == "cluster"
    for actor in ended[:-1]:
        ray.kill(actor)


def test_a_cluster_of_ours_is_ended_with_its_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ended: list[str] = []
    monkeypatch.setattr(ray, "shutdown", lambda: ended.append("ray"))
    (tmp_path / "logs").mkdir()
    Cluster(is_ours=True, folder=str(tmp_path / "logs")).close()
    assert ended == ["ray"]
    assert not (tmp_path / "logs").exists()
    Cluster(is_ours=False).close()
    assert ended == ["ray"]


class _Trainer:
    """Stands in for a framework: answers are a function of arm and seed."""

    name, shares_batches = "made up", False

    def network(self, model: Any) -> Any:
        return model

    def train(self, arm: Any, network: Any, data: Any, asked: Any, classes: int, seed: int, recipe: Any) -> Trained:
        answers = np.full((2, classes), seed + len(arm.name), np.float32)
        return Trained(arm.name, seed, {"clean": answers}, predict=lambda images: images, network=network)


def test_runs_of_a_comparison_are_trained_there_and_kept(cluster: None, tmp_path: Path) -> None:
    kept = KeptRuns(tmp_path / "out", {"seeds": 2})
    arms = [Arm("none", None), Arm("flip", None)]
    kept.put(Trained("none", 0, {"clean": np.zeros((2, 3), np.float32)}))
    work = TrainRun(_by_value(_Trainer)(), "made up", (), (), 3, Recipe(1, 1, 0.1))
    assert train_elsewhere(work, arms, 2, kept, "ray", 1) == ()
    found = [kept.get(name, seed) for name, seed in (("none", 0), ("none", 1), ("flip", 0), ("flip", 1))]
    assert [one and one.probabilities["clean"][0, 0] for one in found] == [0, 5, 4, 5]


def _by_value(kind: type) -> type:
    """A class that is sent as it is: workers need not have this module."""
    return type(kind.__name__, kind.__bases__, {**vars(kind), "__module__": "__main__"})


def test_more_workers_than_cores_are_refused(cluster: None) -> None:
    with pytest.raises(InputError, match="3 cores, one for each worker, got 2; take 2"):
        ran(lambda item: [item], range(3), workers=3)


def test_what_cannot_be_sent_is_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = threading.Lock()
    monkeypatch.setattr("imagemill.jobs.ray.ray_engine.connected", lambda *_: pytest.fail("a cluster was started"))
    with pytest.raises(InputError, match="can be sent to another process"):
        ran(lambda item: [lock], range(2))


def test_work_of_a_module_that_workers_lack_is_refused(cluster: None, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "only_here.py").write_text("def work(item):\n    yield item\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here  # type: ignore[import-not-found]

    with pytest.raises(WorkerError, match="only_here"):
        ran(only_here.work, range(2))


def test_other_versions_and_paths_that_are_not_seen_are_refused(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same_versions.refuse_others([tmp_path])
    assert list(tmp_path.iterdir()) == []  # the mark is gone
    here = same_versions.versions()
    monkeypatch.setattr(same_versions, "versions", lambda: {**here, "numpy": "1.0"})
    with pytest.raises(InputError, match=r"numpy .* there and 1\.0 here.*other versions make other bytes"):
        same_versions.refuse_others([])
    monkeypatch.undo()
    assert same_versions._seen(_pickled([(tmp_path / "gone", None)]))[1] == [f"{tmp_path / 'gone'}: nothing is there"]
    (tmp_path / "a.png").write_bytes(b"abc")
    assert "another file" in same_versions._seen(_pickled([(tmp_path / "a.png", 4)]))[1][0]
    given: list[bytes] = []

    def dumps(value: Any) -> bytes:
        given.append(_pickled(value))
        return given[-1]

    with monkeypatch.context() as patched:
        patched.setattr(same_versions, "pickle", SimpleNamespace(dumps=dumps))
        same_versions.refuse_others([tmp_path])
    marks = [path for path, _ in pickle.loads(given[0]) if path.parent == tmp_path]
    assert len(marks) == 1  # a folder of the same name elsewhere does not have it
    monkeypatch.setattr(same_versions, "_mark", lambda folder: None)
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self, **how: self.name == "only-here" or real(self, **how))
    with pytest.raises(SourceError, match="only-here: nothing is there"):
        same_versions.refuse_others([tmp_path / "only-here"])


def _pickled(value: Any) -> bytes:
    return pickle.dumps(value)


def test_every_verb_gives_what_threads_give(cluster: None, sent: None, tmp_path: Path) -> None:
    folder = photos(tmp_path / "in", *NAMES)
    for name, on in (("here", None), ("there", "ray")):
        im.prepare(folder, tmp_path / name / "store", size=16, on=on, workers=1)
        im.augment(folder, tmp_path / name / "files", PIPELINE, copies=2, on=on, workers=1)
        im.export(folder, tmp_path / name / "coco", "coco", on=on)
    assert digests(tmp_path / "here") == digests(tmp_path / "there")
    assert im.scan(folder, opened=None, on="ray", workers=1).to_dict() == im.scan(folder, opened=None).to_dict()
    here, there = im.audit(folder), im.audit(folder, on="ray", workers=1)
    assert [str(finding) for finding in there.findings] == [str(finding) for finding in here.findings]
    assert len(outputs(tmp_path / "there" / "files")) == 12


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
pipe = im.Pipeline([im.Rotate((-20, 20)), im.Flip("x", p=0.5)], seed=5)
if __name__ == "__main__":
    im.augment(sys.argv[1], sys.argv[2], pipe, copies=2, on="ray", workers=1)
"""


def test_a_killed_driver_leaves_no_process_and_is_continued_here(tmp_path: Path) -> None:
    folder = photos(tmp_path / "in", *NAMES)
    (tmp_path / "driver.py").write_text(_DRIVER)
    asked = [sys.executable, str(tmp_path / "driver.py"), str(folder), str(tmp_path / "out")]
    short = tempfile.mkdtemp(prefix="t", dir="/tmp")  # names of sockets in it have to fit
    env = {**os.environ, "TMPDIR": short, "PYTHONPATH": os.pathsep.join(["src", ".", *sys.path])}
    done = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    pipe = im.Pipeline([im.Rotate((-20, 20)), im.Flip("x", p=0.5)], seed=5)
    report = im.augment(folder, tmp_path / "out", pipe, copies=2)
    assert (report.present, report.made) == (6, 6)
    im.augment(folder, tmp_path / "plain", pipe, copies=2)
    assert digests(tmp_path / "out") == digests(tmp_path / "plain")
    (left,) = Path(short).glob("imagemill-ray-*")  # its folder; what ran in it ends with it
    wait_until(lambda: str(left) not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout)
    shutil.rmtree(short, ignore_errors=True)


def wait_until(is_so: Any, seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "expected the processes of a killed driver to end"
        time.sleep(0.2)


# ---------------------------------------------------------------------------------------------- without a cluster


@pytest.mark.parametrize("on", ["spark", "ray:/x", "", "ray://", "ray://host", "ray://host:x"])
def test_other_words_are_refused(on: str) -> None:
    with pytest.raises(InputError, match="expected"):
        engine_for(on)


def test_runs_are_not_trained_in_threads_nor_with_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    check_elsewhere(None, 0, TimeBudget(3))
    for on, at_once, minutes, match in (
        ("threads", 2, None, "processes, ray"),
        ("processes", 0, None, "at_once"),
        ("processes", 2, 3, "budget or on"),
    ):
        with pytest.raises(InputError, match=match):
            check_elsewhere(on, at_once, TimeBudget(minutes))
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="one process"):
        check_elsewhere("processes", 2, TimeBudget(None))


def test_a_cluster_where_nobody_listens_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ray://127\.0\.0\.1:9.*ray start"):
        im.prepare(tmp_path / "nowhere", tmp_path / "out", on="ray://127.0.0.1:9")


def test_without_ray_it_says_which_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"imagemill\[ray\]"):
        im.prepare(tmp_path / "nowhere", tmp_path / "out", on="ray")


def test_machines_have_to_see_the_source_and_where_files_go(tmp_path: Path) -> None:
    source = im.open_source(photos(tmp_path / "in", NAMES[0]))
    start: Any = seeing(engine_for("ray"), source, tmp_path)
    assert start.keywords["sees"] == (source.root, source.records[0].image, tmp_path)
    assert seeing(engine_for(None), source) is engine_for(None)
