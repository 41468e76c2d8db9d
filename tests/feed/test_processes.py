"""Worker processes: the same samples as threads, errors that say where, and nothing left behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import WorkerError
from imagemill.data.layouts.tables.formats.columnar_read import ParquetParts
from imagemill.feed import Loader
from imagemill.feed.making.making import Maker
from imagemill.feed.workers import processes
from imagemill.feed.workers.sending import pack_maker, unpack_maker
from imagemill.feed.workers.shared_memory import Block
from imagemill.feed.workers.worker import Job, _Desk, read_made
from imagemill.jobs.sent_errors import RemoteTraceback, SentError
from tests.architecture.repository import SRC, environment
from tests.clocks import until
from tests.feed.makes import PIPELINE, jpegs
from tests.feed.test_same_pixels import boxed, mapped, stored

X = np.random.default_rng(0).integers(0, 200, (60, 40, 30, 3), dtype=np.uint8)


def open_blocks() -> int:
    """Shared blocks that this process holds open."""
    if not sys.platform.startswith("linux"):
        return 0
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found += "memfd:imagemill" in os.readlink(entry)
        except OSError:  # the listing's own
            continue
    return found


@pytest.fixture(autouse=True)
def _started_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes forked off one that has imported everything; the programs below start theirs as users do, by spawn."""
    multiprocessing.set_forkserver_preload(["imagemill.feed.workers.worker", "tests.feed.test_processes"])
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda allow_none: "forkserver")


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    gc.collect()
    before = open_blocks()
    yield
    gc.collect()
    assert not multiprocessing.active_children()
    assert open_blocks() == before


def pids(loader: Loader) -> list[int]:
    return [worker.process.pid for worker in loader._pool.team] if loader._pool else []


def broken(root: Path) -> Any:
    """Class folders with files that cannot be read: their rows are replaced."""
    folder = jpegs(root)
    (folder / "cat" / "003.jpg").write_bytes(b"")
    cut = folder / "dog" / "004.jpg"
    cut.write_bytes(cut.read_bytes()[:-300])
    return im.open(folder)


# ---------------------------------------------------------------------------------------------- the same samples


@pytest.mark.parametrize(("make", "count"), [(broken, 2), (boxed, 1), (mapped, 1), (stored, 2)])
def test_samples_epochs_and_stops_are_those_of_threads(make: Any, count: int, tmp_path: Path) -> None:
    dataset = make(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        one = Loader(dataset, PIPELINE, workers=0, batch_size=8)
        truth = [[rows_of(batch) for batch in one] for _ in range(2)]
        with Loader(dataset, PIPELINE, workers=f"process:{count}", batch_size=8) as loader:
            assert [rows_of(batch) for batch in loader] == truth[0]
            team = pids(loader)
            assert len(team) == count
            running = iter(loader)
            assert rows_of(next(running)) == truth[1][0]
            state = loader.state_dict()
            del running  # in the middle, with batches on their way
            loader.load_state_dict(state)
            assert [rows_of(batch) for batch in loader] == truth[1][1:]
            assert pids(loader) == team, "expected the same processes for every epoch"
            assert loader.problems == one.problems
            assert f"made by {count} process" in loader.explain()
            assert loader._meter.augmenting > 0


def rows_of(batch: Any) -> Any:
    """Everything that tells batches from each other."""
    found = {name: list(batch[name]) for name in batch.columns}
    values = {n: [getattr(v, "array", np.asarray(v)).tobytes() for v in column] for n, column in found.items()}
    recipes = [recipe.to_dict() for recipe in batch.recipe]
    applied = [str(batch.applied[row]) for row in range(len(batch))]
    facts = (batch.epoch, batch.number, batch.repeated, batch.replaced, batch.affine.tobytes())
    return values, list(map(str, batch.keys)), recipes, applied, facts


def test_classes_with_pipelines_of_their_own_and_draws_with_replacement(tmp_path: Path) -> None:
    invert = im.Pipeline([im.Resize((24, 24)), im.Invert()], seed=7)
    plain = im.Pipeline([im.Resize((24, 24)), im.Flip("x", p=0.5)], seed=7)
    how: dict[str, Any] = {"pipelines": {"cat": invert}, "balance": True, "batch_size": 8}
    folder = jpegs(tmp_path)
    truth = [rows_of(batch) for batch in Loader(folder, plain, workers=0, **how)]
    with Loader(folder, plain, workers="process:1", **how) as loader:
        assert [rows_of(batch) for batch in loader] == truth


PROGRAM = """
import sys, time
import numpy as np
import imagemill as im
from imagemill.feed import Loader

class Halve:
    def __call__(self, image):
        return image // 2

def slow(image):
    time.sleep(0.02)
    return image

x = np.random.default_rng(0).integers(0, 256, (400, 16, 16, 3), dtype=np.uint8)

def main(what):
    if what == "same":
        pipe = im.Pipeline([im.Apply(Halve()), im.Flip("x", p=0.5)], seed=0)
        one = list(Loader((x,), pipe, workers=0, batch_size=100))
        two = list(Loader((x,), pipe, workers="process:1", batch_size=100))
        assert all(np.array_equal(a.image, b.image) and a.recipe == b.recipe for a, b in zip(one, two, strict=True))
        print("same")
        return
    loader = Loader((x,), im.Pipeline([im.Apply(slow)], seed=0), workers=what, batch_size=10)
    try:
        for batch in loader:
            if batch.number == int(sys.argv[2]):
                print("batch", *[worker.process.pid for worker in loader._pool.team], flush=True)
                time.sleep(600)  # who waits for it never ends
    except KeyboardInterrupt:
        print("interrupted", flush=True)

"""
GUARD = 'if __name__ == "__main__":\n    main(sys.argv[1])\n'


def test_a_program_with_functions_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM + GUARD, encoding="utf-8")
    done = ran(tmp_path, "same")
    assert (done.stdout, done.stderr, done.returncode) == ("same\n", "", 0)


def ran(folder: Path, what: str) -> Any:
    command = [sys.executable, "program.py", what]
    return subprocess.run(command, cwd=folder, env=environment(SRC), capture_output=True, text=True, timeout=600)


# ---------------------------------------------------------------------------------------------- memory


def test_batches_that_are_kept_stay_and_memory_is_used_again() -> None:
    x = np.random.default_rng(0).integers(0, 256, (64, 96, 96, 3), dtype=np.uint8)
    pipe = im.Pipeline([im.Normalize((0.5,) * 3, (0.5,) * 3)], seed=0)
    truth = pipe.batch(x).image
    with Loader((x,), pipe, workers="process:1", batch_size=4, shuffle=False) as loader:
        kept = [batch.image[1] for batch in loader]
        worker = loader._pool.team[0] if loader._pool else None
        assert worker is not None
        assert all(np.array_equal(image, truth[4 * n + 1]) for n, image in enumerate(kept))
        assert kept[0].flags.writeable
        many = len(worker.slots)
        assert many >= 16, "expected a block for every batch of which something is kept"
        del kept
        places = set()
        for batch in loader:
            places.add(batch.image.ctypes.data)
        assert len(worker.slots) < 8, "expected blocks that nobody needs to be given back"
        assert len(places) < 8, "expected the same memory again"


def test_pipelines_write_into_the_memory_that_is_handed_over() -> None:
    maker, desk = maker_of((X, np.arange(60))), _Desk()
    assert maker.pipeline is not None
    maker.pipeline.buffers = desk
    job = Job(1, 0, 0, 0, slot=5, size=0, forget=())
    desk.begin(job)
    spans = desk.lay(job, maker.make(0, 0))
    assert desk.fresh
    assert desk._block is not None
    job = job._replace(size=desk._block.size)
    desk.begin(job)
    made = maker.make(0, 0)
    assert np.shares_memory(made.batch.image, desk._block.bytes)
    assert (desk.lay(job, made)[1][1], desk.fresh) == (spans[1][1], False)
    there = read_made(desk._block.bytes, desk.lay(job, made)).batch
    assert np.shares_memory(there.image, desk._block.bytes)
    assert np.array_equal(there.image, made.batch.image)
    assert not np.shares_memory(there.label, desk._block.bytes), "what is small must not keep a block from its next use"


def test_arrays_lie_in_shared_memory_and_files_are_opened_again(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    lists = [np.full((200, 200, 3), 7, np.uint8), np.zeros((4, 4, 3), np.uint8)]
    for x, inside in ((X, True), (X[:, ::-1], True), (on_disk[10:50, 3:], False), (np.asarray(on_disk), False)):
        maker = maker_of((x, np.arange(len(x))))
        block = pack_maker(maker)
        found: Any = unpack_maker(block)
        assert np.array_equal(found.rows.x, x)
        assert np.shares_memory(found.rows.x, block.bytes) == inside
        assert inside or block.size < 1 << 16, "expected the file's path instead of its content"
    found = unpack_maker(pack_maker(maker_of((lists,))))
    assert [np.array_equal(a, b) for a, b in zip(found.rows.x, lists, strict=True)] == [True, True]
    rows: Any = unpack_maker(pack_maker(maker_of(stored(tmp_path / "a")))).rows
    assert not rows._store.parts, "expected nothing of the store but where it is"
    assert rows.gather(np.array([3]), stacked=True)["image"].shape == (1, 40, 40, 3)
    im.export(tmp_path / "a" / "in", tmp_path / "t.parquet", "parquet", embed=True)
    rows = unpack_maker(pack_maker(maker_of(im.open(tmp_path / "t.parquet")))).rows
    assert isinstance(rows.dataset.backings[0].source.records[0].image.fetch.args[0], ParquetParts)


def maker_of(dataset: Any) -> Maker:
    return Loader(dataset, PIPELINE, split="all", workers=0)._maker


def test_blocks_without_names_of_their_own_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    for absent in (False, True):
        if absent:
            monkeypatch.delattr(os, "memfd_create", raising=False)
        block = Block.new(5000)
        block.bytes[4999] = 3
        here, there = multiprocessing.Pipe()
        with here, there:
            block.send(here)
            same = Block.receive(there)
            block.send(here)
            private = Block.receive(there, private=True)
        private.bytes[0] = 9
        same.bytes[1] = 8
        assert (block.bytes[:2].tolist(), int(same.bytes[4999])) == ([0, 8], 3)
        assert block.holds(block.bytes[40:].data) == 40
        assert block.holds(same.bytes[40:].data) is None


# ---------------------------------------------------------------------------------------------- errors


def fails_on_bright(image: Any) -> Any:
    if image.max() == 255:
        raise ZeroDivisionError("my own mistake")
    return image


def test_errors_of_own_functions_name_the_sample_and_the_line(tmp_path: Path) -> None:
    x = X.copy()
    x[13] = 255
    pipe = im.Pipeline([im.Apply(fails_on_bright)], seed=0)
    with Loader((x, np.arange(60)), pipe, workers="process:1", batch_size=5, shuffle=False) as loader:
        before: list[int] = []
        for _ in range(2):  # the processes live on
            running = iter(loader)
            assert [next(running).number for _ in range(2)] == [0, 1]
            with pytest.raises(ZeroDivisionError, match="my own mistake") as caught:
                next(running)
            assert caught.value.__notes__ == ["in the function 'fails_on_bright'", "while augmenting 13"]
            assert isinstance(caught.value.__cause__, RemoteTraceback)
            assert 'raise ZeroDivisionError("my own mistake")' in str(caught.value.__cause__)
            assert before in ([], pids(loader))
            before = pids(loader)


def stops(image: Any) -> Any:
    raise StopIteration


@pytest.mark.parametrize("workers", [0, 1, "process:1"])
def test_a_function_that_stops_an_iteration_does_not_end_the_epoch_silently(workers: Any) -> None:
    with (
        Loader((X,), im.Pipeline([im.Apply(stops)], seed=0), workers=workers) as loader,
        pytest.raises(RuntimeError, match="a function of the pipeline raised StopIteration"),
    ):
        list(loader)


class AwkwardError(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")


def test_errors_that_cannot_be_sent_are_described() -> None:
    error = AwkwardError(7, "no")
    error.add_note("while augmenting 3")
    there = pickle.loads(pickle.dumps(SentError.of(error))).raised()
    assert isinstance(there, RuntimeError)
    assert (str(there), there.__notes__) == ("AwkwardError: 7: no", ["while augmenting 3"])
    assert "AwkwardError" in str(there.__cause__)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_dies_is_noticed_and_the_batch_is_named(number: signal.Signals, tmp_path: Path) -> None:
    pipe = im.Pipeline([im.Apply(SleepsOnZero(tmp_path / "asleep"))], seed=0)
    x = X.copy()
    x[30] = 0
    with Loader((x,), pipe, workers="process:1", batch_size=10, shuffle=False, prefetch=1) as loader:
        running = iter(loader)
        assert [next(running).number for _ in range(3)] == [0, 1, 2]
        (pid,) = pids(loader)
        os.kill(pid, number)
        with pytest.raises(WorkerError, match=rf"{pid} to make batch 3 of epoch 0, .* \({number.name}\)"):
            next(running)
        assert not multiprocessing.active_children()
        if number == signal.SIGKILL:
            assert next(iter(loader)).epoch == 1, "expected new processes"


class SleepsOnZero:
    """Makes a file when it does so."""

    def __init__(self, asleep: Path) -> None:
        self.asleep = asleep

    def __call__(self, image: Any) -> Any:
        if image.max() == 0:
            self.asleep.touch()
            time.sleep(600)  # who waits for it never ends
        return image


def test_what_cannot_be_sent_is_refused_when_the_loader_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for function in (lambda image: image, lambda image, much=1: image):
        with pytest.raises(im.InputError, match=r"got Apply\(.*<lambda>.*top of a module.*workers=2"):
            Loader((X,), im.Pipeline([im.Flip("x"), im.Apply(function)], seed=0), workers="process")
    monkeypatch.setattr(fails_on_bright, "__module__", "__main__")
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    with pytest.raises(im.InputError, match=r"fails_on_bright was typed into a session that has no file"):
        Loader((X,), im.Pipeline([im.Apply(fails_on_bright)], seed=0), workers="process")


def test_a_dataset_that_cannot_be_sent_is_refused() -> None:
    from imagemill.data.layouts.base import Source
    from imagemill.data.records.record import Record, Stored

    source = Source(Path("memory"), "own", (Record("a", Stored("a", lambda: X[0], "yxc")),))
    with (
        Loader(source, PIPELINE, workers="process:1") as loader,
        pytest.raises(im.InputError, match=r"dataset that other processes can open, got.*prepare it"),
    ):
        next(iter(loader))


def test_a_module_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("nowhere_else")
    exec("def same(image):\n    return image\n", vars(module))
    monkeypatch.setitem(sys.modules, "nowhere_else", module)
    pipe = im.Pipeline([im.Apply(module.same)], seed=0)
    with (
        Loader((X,), pipe, workers="process:1") as loader,
        pytest.raises(im.InputError, match=r"can import, got: No module named 'nowhere_else'; put your functions"),
    ):
        next(iter(loader))


@pytest.mark.parametrize("workers", ["processes", "process:", "process:0", "process:two", "4", "process:-1"])
def test_other_words_are_refused(workers: str) -> None:
    with pytest.raises(im.InputError, match="a number of threads, 'process' or 'process:4'"):
        Loader((X,), workers=workers)


def test_the_number_of_processes() -> None:
    loader = Loader((X,), workers="process:3")
    assert (loader.workers, loader.processes) == (3, True)
    assert "workers='process:3'" in repr(loader)
    assert Loader((X,), workers="process").workers == Loader((X,)).workers
    assert not Loader((X,), workers=2).processes


# ---------------------------------------------------------------------------------------------- the end


def test_a_program_without_a_guard_is_told(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM + "main(sys.argv[1])\n", encoding="utf-8")
    done = ran(tmp_path, "process:1")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "InputError: expected worker process" in last
    assert 'if __name__ == "__main__":' in last


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("number", [pytest.param(0, id="at work"), pytest.param(39, id="waiting for work")])
def test_ctrl_c_for_all_processes_ends_them_quietly(tmp_path: Path, number: int) -> None:
    (tmp_path / "program.py").write_text(PROGRAM + GUARD, encoding="utf-8")
    command = [sys.executable, "program.py", "process:2", str(number)]
    how: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment(SRC), cwd=tmp_path, start_new_session=True, **how) as running:
        words = running.stdout.readline().split()
        assert words[:1] == ["batch"], running.stderr.read()
        os.killpg(running.pid, signal.SIGINT)
        said, complaints = running.communicate(timeout=600)
    assert "interrupted" in said
    assert (running.returncode, complaints) == (0, "")
    assert not [pid for pid in words[1:] if Path("/proc", pid).exists()]


def test_ctrl_c_while_a_batch_is_waited_for_ends_them_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = Loader((X,), PIPELINE, workers="process:1")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    running = iter(loader)
    with monkeypatch.context() as changed:
        changed.setattr(processes, "lines", SimpleNamespace(wait=interrupted))
        with pytest.raises(KeyboardInterrupt):
            next(running)
    assert not multiprocessing.active_children()
    assert len(list(loader)) == 2, "expected new processes"
    loader.close()


def test_a_process_whose_parent_is_killed_ends(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM + GUARD, encoding="utf-8")
    command = [sys.executable, "program.py", "process:1", "0"]
    with subprocess.Popen(command, env=environment(SRC), cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        words = running.stdout.readline().split()
        running.kill()
    assert len(words) == 2, words
    until(lambda: not is_alive(int(words[1])), "the end of a process whose parent is gone")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # a process that ended and that nobody waits for is none
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_leaving_closing_and_collecting_leave_nothing(tmp_path: Path) -> None:
    loader = Loader((X,), PIPELINE, workers="process:2", batch_size=4)
    for _ in loader:
        break
    assert len(multiprocessing.active_children()) == 2, "expected them to wait for the next epoch"
    running = iter(loader)
    next(running)
    loader.close()
    assert not multiprocessing.active_children()
    with pytest.raises(im.InputError, match="closed in the middle"):
        next(running)
    x = X.copy()
    x[4:] = 0
    pipe = im.Pipeline([im.Apply(SleepsOnZero(tmp_path / "asleep"))], seed=0)
    loader = Loader((x,), pipe, workers="process:2", batch_size=4, shuffle=False)
    running = iter(loader)
    next(running)
    until((tmp_path / "asleep").exists, "a function that takes long")
    del loader, running
    gc.collect()
    assert not multiprocessing.active_children()
