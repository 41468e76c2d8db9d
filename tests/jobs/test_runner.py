"""What every verb may rely on: whatever ends a run early, what was finished is noted, and nothing is left behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Record, Stored, read_jsonl
from imagemill.jobs.engines import Start, Threads
from imagemill.jobs.process_engine import Processes
from imagemill.jobs.quarantine import Quarantine
from imagemill.jobs.runner import Runner
from imagemill.jobs.shards import Note, Shard, ShardWork
from tests.architecture.repository import ROOT, SRC, environment
from tests.jobs.faulty import Counted, Dies, Faulty, Ledger, itself, record, records

COUNT = 12
BAD = im.CodecError("expected pixels, got none")
SOME: list[tuple[Start, int, int]] = [(Threads, 1, 1), (Threads, 1, 5), (Threads, 3, 1), (Threads, 3, 2)]
OTHER: list[tuple[Start, int, int]] = [*SOME, (Processes, 2, 3)]


def runner(work: Any, ledger: Ledger, **how: Any) -> Runner[Any, Any]:
    return Runner(**{"work": work, "note": ledger.note, "record": itself, "doing": "testing", **how})


def left_over() -> tuple[list[str], list[Any]]:
    """Threads and children of a run that is over."""
    threads = [one.name for one in threading.enumerate() if one.name.startswith("imagemill")]
    return threads, multiprocessing.active_children()


def whole(folder: Path) -> list[Any]:
    ledger = Ledger(folder / "whole.jsonl")
    runner(Faulty(), ledger).run(records(COUNT), COUNT)
    assert len(ledger.rows()) == 2 * COUNT
    return ledger.rows()


@pytest.mark.parametrize(("engine", "workers", "size"), OTHER)
def test_rows_and_notes_are_the_same_for_any_workers(tmp_path: Path, engine: Start, workers: int, size: int) -> None:
    ledger, told = Ledger(tmp_path / "rows.jsonl"), list[tuple[int, int]]()
    how: dict[str, Any] = {"engine": engine, "workers": workers, "size": size}
    late = Faulty(((3, BAD), (7, BAD)), seconds=((0, 0.05), (3, 0.02)))
    finished = runner(late, ledger, on_error="skip", progress=lambda *at: told.append(at), **how).run(
        iter(records(COUNT)), COUNT
    )
    assert [row for row in ledger.rows() if row["key"] not in ("003.png", "007.png")] == [
        row for row in whole(tmp_path) if row["key"] not in ("003.png", "007.png")
    ]
    assert finished.rows == len(ledger.rows()) == 2 * COUNT - 2  # what a record gave before its error counts
    assert finished.notes == ("even (6 files)", "odd (6 files)")
    assert [(place, one.key, one.kind) for place, one in sorted(finished.failed.items())] == [
        (3, "003.png", "CodecError"),
        (7, "007.png", "CodecError"),
    ]
    assert told[-1] == (COUNT, COUNT)
    assert told == sorted(told)
    assert left_over() == ([], [])


@pytest.mark.parametrize(("engine", "workers", "size"), OTHER)
def test_the_error_of_the_first_record_is_raised_and_all_that_was_finished_counts(
    tmp_path: Path, engine: Start, workers: int, size: int
) -> None:
    # The first one is slow, so that the other is met before it.
    work = Faulty(((4, im.CodecError("first")), (5, im.CodecError("second"))), seconds=((4, 0.1),))
    ledger = Ledger(tmp_path / "rows.jsonl")
    with pytest.raises(im.CodecError, match=r"^in.004\.png: first$"):
        runner(work, ledger, engine=engine, workers=workers, size=size).run(records(COUNT), COUNT)
    done = {row["key"] for row in ledger.rows() if row["part"] == 1}
    assert {one.key for one in records(4)} <= done
    assert left_over() == ([], [])
    runner(Faulty(), ledger, engine=engine, workers=workers).run(ledger.missing(records(COUNT)), COUNT)
    found = {(row["key"], row["part"]): row for row in ledger.rows()}
    assert list(found.values()) == whole(tmp_path)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("at", range(0, COUNT, 3))
@pytest.mark.parametrize("stop", ["progress", "worker", "note", "items"])
def test_stopped_anywhere_and_run_again_gives_the_same(tmp_path: Path, stop: str, at: int, workers: int) -> None:
    def progress(done: int, total: int) -> None:
        if stop == "progress" and done > at:
            raise KeyboardInterrupt

    def given() -> Iterator[Record]:
        for number, one in enumerate(records(COUNT)):
            if stop == "items" and number == at:
                raise OSError("the list is gone")
            yield one

    faults: Any = ((at, KeyboardInterrupt()),) if stop == "worker" else ()
    ledger = Ledger(tmp_path / "rows.jsonl", at if stop == "note" else 10**6)
    expected: Any = {"note": im.DiskError, "items": OSError}.get(stop, KeyboardInterrupt)
    with pytest.raises(expected):
        runner(Faulty(faults), ledger, progress=progress, workers=workers).run(given(), COUNT)
    assert left_over() == ([], [])
    if stop == "worker":  # what the record gave before it was stopped
        assert record(at).key in {row["key"] for row in ledger.rows()}
    if stop != "note":
        lost = 2 * workers  # at most what was in flight
        assert len(ledger.missing(records(COUNT))) <= COUNT - at + lost
    ledger.room = 10**6
    runner(Faulty(), ledger, workers=workers).run(ledger.missing(records(COUNT)), COUNT)
    assert list({(row["key"], row["part"]): row for row in ledger.rows()}.values()) == whole(tmp_path)


def test_what_was_in_flight_is_noted_when_another_shard_could_not_be(tmp_path: Path) -> None:
    ledger, refused, ended = Ledger(tmp_path / "rows.jsonl"), list[Any](), threading.Semaphore(0)

    def work(item: Record) -> Iterator[Any]:
        yield from Faulty()(item)
        ended.release()

    def note(rows: Any) -> None:
        if not refused:
            assert all(ended.acquire(timeout=600) for _ in range(4))  # two workers have four in flight
            refused.append(rows)
            raise im.DiskError("full for a moment")
        ledger.note(rows)

    with pytest.raises(im.DiskError, match="full for a moment"):
        runner(work, ledger, note=note, workers=2).run(records(COUNT), COUNT)
    assert not ledger.missing(records(4))  # those three, and the refused one once more


def test_a_process_that_is_killed_is_named_and_the_others_count(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "rows.jsonl")
    with pytest.raises(im.WorkerError, match="expected worker processes to go on, got the end of one"):
        runner(Dies(8), ledger, engine=Processes, workers=1).run(records(COUNT), COUNT)
    assert {row["key"] for row in ledger.rows()} >= {one.key for one in records(5)}
    assert left_over() == ([], [])


def test_what_cannot_be_sent_to_a_process_is_said(tmp_path: Path) -> None:
    with pytest.raises(im.InputError, match="expected work that can be sent to another process"):
        runner(lambda item: [], Ledger(tmp_path / "rows.jsonl"), engine=Processes).run(records(2), 2)
    assert left_over() == ([], [])


PARENT = """
import sys, time, multiprocessing
from pathlib import Path
from imagemill.jobs.process_engine import Processes
from imagemill.jobs.runner import Runner
from tests.jobs.faulty import Faulty, Ledger, itself, records

def progress(done, total):
    if done >= 2:
        print(*[one.pid for one in multiprocessing.active_children()], flush=True)
        time.sleep(600)

if __name__ == "__main__":
    ledger = Ledger(Path(sys.argv[1]))
    Runner(work=Faulty(), note=ledger.note, record=itself, doing="testing", progress=progress,
           engine=Processes, workers=2).run(records(12), 12)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a POSIX signal")
def test_processes_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    command = [sys.executable, str(tmp_path / "parent.py"), str(tmp_path / "rows.jsonl")]
    with subprocess.Popen(command, env=environment(ROOT, SRC), cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        children = [int(pid) for pid in process.stdout.readline().split()]
        assert children
        process.send_signal(signal.SIGKILL)
        assert process.stdout.read() == b""  # ends when the last of those that hold the other end is gone
    ledger = Ledger(tmp_path / "rows.jsonl")
    runner(Faulty(), ledger).run(ledger.missing(records(COUNT)), COUNT)
    assert list({(row["key"], row["part"]): row for row in ledger.rows()}.values()) == whole(tmp_path)


@pytest.mark.parametrize(("workers", "size"), [(1, 1), (3, 1), (2, 4)])
def test_what_is_in_memory_does_not_grow_with_the_items(workers: int, size: int) -> None:
    Counted.most = 0

    def work(item: Counted) -> Iterator[Any]:
        yield item

    runner: Runner[Counted, Counted] = Runner(
        work=work, note=len, record=lambda item: item.record, doing="", workers=workers, size=size
    )
    assert runner.run((Counted(number) for number in range(300)), 300).rows == 300
    assert Counted.most <= (2 * workers + 2) * size


def test_errors_of_files_that_are_left_out_hold_no_pixels() -> None:
    pixels: weakref.WeakSet[Any] = weakref.WeakSet()
    most = [0]

    class Picture:
        pass

    def work(item: Record) -> Iterator[Any]:
        picture = Picture()
        pixels.add(picture)
        most[0] = max(most[0], len(pixels))
        yield Note("read")
        raise im.CodecError("cut off")

    gc.disable()
    try:
        how: Any = {"work": work, "note": len, "record": itself, "doing": "", "on_error": "skip"}
        finished = Runner[Any, Any].run(Runner(**how), records(100), 100)
    finally:
        gc.enable()
    assert len(finished.failed) == 100
    assert most[0] <= 6


def test_a_note_counts_files_and_not_how_often_one_says_it() -> None:
    def work(item: Record) -> Iterator[Any]:
        yield Note("slice N")
        yield Note("slice N")

    how: Any = {"work": work, "note": len, "record": itself, "doing": ""}
    assert Runner(**how).run(records(2), 2).notes == ("slice N (2 files)",)


@pytest.mark.parametrize("workers", [1, 3])
def test_quarantine_is_the_same_for_any_workers_and_after_another_run(tmp_path: Path, workers: int) -> None:
    def image(number: int) -> Record:
        return Record(f"{number}", Stored(f"{number}", lambda: np.full((2, 2), number)))

    def work(item: Record) -> Iterator[Any]:
        yield from Faulty(seconds=((0, 0.05),))(record(int(item.key)))
        raise im.CodecError(f"bad {item.key}")

    for _ in range(2):
        how: Any = {"work": work, "note": len, "record": itself, "doing": "", "workers": workers}
        aside = Quarantine(tmp_path / "q")
        Runner(**how, on_error="quarantine", quarantine=aside).run([image(number) for number in range(4)], 4)
        rows = read_jsonl(tmp_path / "q/origins.jsonl").rows
        assert [(row["key"], row["error"]) for row in rows] == [(f"{n}", f"bad {n}") for n in range(4)]
    assert np.load(tmp_path / "q" / rows[3]["file"]).tolist() == [[3, 3], [3, 3]]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_several_errors_of_a_record_quarantine_names_the_first_whichever_came_first(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    one, aside = Record("a", Stored("a", lambda: np.zeros((2, 2)))), Quarantine(tmp_path / "q")
    for place in order:
        aside.keep(one, im.CodecError(f"error {place}"), place)
    aside.end()
    (row,) = read_jsonl(tmp_path / "q/origins.jsonl").rows
    assert row["error"] == "error 0"


def test_errors_that_no_file_is_at_fault_for_are_raised_whatever_was_asked(tmp_path: Path) -> None:
    for error in (ZeroDivisionError("mine"), im.DiskError("full"), im.MissingExtra("h5py")):
        ledger = Ledger(tmp_path / f"{type(error).__name__}.jsonl")
        with pytest.raises(type(error)):
            runner(Faulty(((5, error),)), ledger, on_error="skip").run(records(COUNT), COUNT)
        assert len(ledger.missing(records(COUNT))) <= COUNT - 5


def test_the_first_of_each_kind_goes_first_and_stops_the_run_where_its_output_fails(tmp_path: Path) -> None:
    here, output = list[str](), im.CodecError("no such format")
    output.of_output = True

    def work(item: Record) -> Iterator[Any]:
        if threading.current_thread() is threading.main_thread():
            here.append(item.key)
        yield from Faulty(((0, BAD), (1, output)))(item)

    ledger = Ledger(tmp_path / "rows.jsonl")
    how: Any = {"on_error": "skip", "kind": lambda item: "png", "workers": 2}
    with pytest.raises(im.CodecError, match="no such format"):
        runner(work, ledger, **how).run(records(COUNT), COUNT)
    assert here == ["000.png", "001.png"]  # the first is a bad file, which says nothing of the kind
    here.clear()
    finished = runner(work, ledger, **how).run(records(COUNT)[2:], COUNT)
    assert here == ["002.png"]
    assert not finished.failed


def test_a_shard_and_its_function_can_be_sent_anywhere() -> None:
    work = ShardWork(Faulty(((1, BAD),)))
    shard = Shard(0, 0, tuple(records(3)))
    there, given = pickle.loads(pickle.dumps((work, shard)))
    assert [one.rows for one in there(given)] == [one.rows for one in work(shard)]
    assert [type(one.error) for one in there(given)] == [type(None), im.CodecError, type(None)]
