"""The comparison of loaders times in turns, refuses other work, and reckons rightly, without any of the peers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.feed import child, contest, data, growth, hashes, marked, page, tables
from bench.feed.contest import Contestant, Result, Table
from tests.architecture.repository import ROOT, SRC, environment
from tests.clocks import Hand, until

pytest.importorskip("fcntl", reason="processes are stopped by signals that only Unix has")
STOPPED = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
HERE = "tests.bench.test_feed"
PEERS = ("torch", "torchvision", "albumentations", "tensorflow", "keras", "grain")


# ------------------------------------------------------------------------------------------- contestants of processes


def sleeper(pause: float, side: int = 4, dtype: str = "float32") -> Iterator[Any]:
    while True:
        time.sleep(pause)
        yield np.zeros((8, side, side, 3), dtype)


def paced(seconds: float) -> Iterator[Any]:
    """So many seconds a batch by the clock of the process, which is set by hand."""
    hand = Hand()
    sys.modules["__main__"].time = hand  # type: ignore[attr-defined]
    for batch in sleeper(0):
        hand.time += seconds
        yield batch


def counter(log: str) -> Iterator[Any]:
    """Writes down when it works, from a thread that works ahead."""
    import threading

    def work() -> None:
        while True:
            with Path(log).open("a", encoding="ascii") as file:
                file.write("at work\n")
            time.sleep(0.01)

    threading.Thread(target=work, daemon=True).start()
    yield from sleeper(0.01)


def breaks() -> Iterator[Any]:
    raise ValueError("no such thing\nand more")


def dies() -> Iterator[Any]:
    print("this is not an answer")
    os._exit(3)


def breaks_later() -> Iterator[Any]:
    for _, batch in zip(range(40), sleeper(0.001), strict=False):
        yield batch
    raise ValueError("used up")


def contestant(name: str, maker: str, **given: Any) -> Contestant:
    return Contestant(name, f"{HERE}:{maker}", given)


def table(*contestants: Contestant) -> Table:
    return Table("t", "T", contestants, 4)


@pytest.fixture
def found() -> Result:
    ours = Contestant("ours", "", {}, ours=True)
    fast = Contestant("fast", "", {}, aims={"ours": 2.0}, note="skips a step")
    slow = Contestant("slow", "", {}, aims={"ours": 2.0})
    gone = Contestant("gone", "", {}, aims={"ours": 2.0})
    # The machine is half as fast in the second round.
    rates = {"ours": [800.0, 400.0, 800.0], "fast": [500.0, 250.0, 500.0], "slow": [100.0, 50.0, 100.0]}
    return Result(table(ours, fast, slow, gone), rates, {"gone": "LookupError: not there"})


# ------------------------------------------------------------------------------------------- tests


def test_rates_are_those_of_the_contestants_and_breaking_costs_nobody_else_a_turn() -> None:
    said: list[str] = []
    result = contest.measure(
        table(
            contestant("slow", "paced", seconds=0.25),
            contestant("broken", "breaks"),
            contestant("dead", "dies"),
            contestant("bytes", "sleeper", pause=0.01, dtype="uint8"),
            contestant("large", "sleeper", pause=0.01, side=5),
            contestant("used up", "breaks_later"),
        ),
        rounds=2,
        seconds=0.5,
        log=said.append,
    )
    assert list(result.rates) == ["slow"]
    assert result.rates["slow"] == [32.0, 32.0]
    assert result.absent["broken"] == "ValueError: no such thing"
    assert result.absent["dead"] == "its process ended with 3: this is not an answer"
    assert "not the same work" in result.absent["bytes"]
    assert "not the same work" in result.absent["large"]
    assert "used up" in result.absent["used up"]
    assert any("broken" in line and "left out" in line for line in said)


def test_who_is_not_asked_stands_still_with_his_threads(tmp_path: Path) -> None:
    log = tmp_path / "log"
    player = contest.Player(contestant("counter", "counter", log=str(log)))
    try:
        player.ask(ask="batch")
        until(lambda: os.waitid(os.P_PID, player._process.pid, STOPPED), "a process that is stopped")
        before = log.read_text("ascii")
        player.ask(ask="slice", images=8)
        until(lambda: len(log.read_text("ascii")) > len(before), "a thread that goes on")
    finally:
        player.close()


def test_a_slice_is_so_many_images_or_so_many_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "time", Hand(0.25))
    assert child.timed(sleeper(0), images=20) == {"images": 24, "seconds": 0.75}
    assert child.timed(sleeper(0), seconds=1.0) == {"images": 32, "seconds": 1.0}


def test_what_a_batch_is() -> None:
    good = child.described(np.zeros((2, 3, 4, 4), np.float32))
    assert good == {"shape": [2, 3, 4, 4], "dtype": "float32", "finite": True, "contiguous": True}
    assert contest._fits(good, 4)
    assert not contest._fits(child.described(np.zeros((2, 4, 4, 3), np.float32).transpose(0, 3, 1, 2)), 4)
    assert not contest._fits(child.described(np.full((2, 4, 4, 3), np.nan, np.float32)), 4)


def test_ratios_are_formed_within_each_round(found: Result) -> None:
    assert found.ratio("fast", "ours") == (1.6, 1.6, 1.6)
    assert found.ratio("slow", "ours") == (8.0, 8.0, 8.0)


def test_every_aim_stands_beside_its_figure(found: Result) -> None:
    said = page.aims([found])
    assert "1 of 2 met." in said
    assert "| T | ours | fast | at least 2 | 1.60 | **missed** |" in said
    assert "| T | ours | slow | at least 2 | 8.00 | met |" in said
    assert "| T | ours | gone | at least 2 | absent | |" in said
    rows = page.table(found)
    assert "| fast | 500 | 1.60 [1.60, 1.60] | at least 2 | **missed** |" in rows
    assert "| gone | absent: LookupError: not there | | | |" in rows
    assert page.notes([found, found]).count("* fast: skips a step.") == 1
    widths = {line.count("|") for line in rows.splitlines() if line.startswith("|")}
    assert len(widths) == 1, "expected as many cells in every row"


def test_tables_name_makers_that_exist_and_take_what_they_are_given() -> None:
    import importlib
    import inspect

    everything = tables.every(tables.Inputs(*[Path("x")] * 6, 10, 10))
    assert len(everything) == 10
    for one in everything:
        names = [c.name for c in one.contestants]
        assert len(set(names)) == len(names), one.title
        assert one.contestants[0].ours
        for c in one.contestants:
            module, name = c.maker.split(":")
            inspect.signature(getattr(importlib.import_module(module), name)).bind(**c.given)
            assert set(c.aims) <= {other.name for other in one.contestants if other.ours}


def test_inputs_are_made_up_where_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGEMILL_DATA", raising=False)
    made = tables.inputs(tmp_path, 10, 40)
    assert len(data.listed(made.photos)[0]) == 10
    assert len(set(data.listed(made.small)[1])) == 10
    assert np.load(made.small_arrays / "x.npy").shape == (40, 32, 32, 3)
    assert np.load(made.photos_arrays / "x.npy").shape == (10, 256, 256, 3)
    assert np.bincount(np.load(made.small_arrays / "y.npy")).tolist() == [4] * 10
    assert tables.inputs(tmp_path, 10, 40) == made


@pytest.mark.parametrize("kind", ["array", "sequence"])
def test_growth_of_virtual_rows(kind: str) -> None:
    many = growth._one(kind, 10**8)
    assert (many["rows"], many["memory"] < 64) == (10**8, True), "expected nothing that grows with the rows"


def test_growth_of_records() -> None:
    assert growth._one("records", 1000)["rows"] == 1000


@pytest.mark.parametrize(
    ("first", "memory", "word"), [(1.2, 0.9, "met"), (1.3, 0.0, "**missed**"), (1.0, 1.1, "**missed**")]
)
def test_flat_means_neither_time_nor_memory(first: float, memory: float, word: str) -> None:
    start = {"rows": 1000.0, "first": 0.1, "memory": 0.5}
    end = {"rows": 1e8, "first": 0.1 * first, "memory": 0.5 + memory}
    assert growth.flat([start, end]).endswith(f"{word}.")


def test_the_table_of_values_counts_the_different_ones_in_each_column() -> None:
    def row(ours: str, first: str, second: str) -> list[hashes.Hashes]:
        return [hashes.Hashes(*cells.split()) for cells in (ours, first, second)]

    rows = [
        ("a", row("1 2 3 4", "1 1 1 1", "5 5 5 5")),
        ("b", row("1 2 3 4", "2 1 1 1", "- - - -")),
        ("c", row("1 2 0 4", "3 1 2 1", "6 6 6 5")),
    ]
    lines = hashes.printed(rows).splitlines()
    assert lines[-1] == "| **different values** | 1 | 1 | 2 | 1 | 3 | 1 | 2 | 1 | 2 | 2 | 2 | 1 |"
    assert len({line.count("|") for line in lines}) == 1, "expected as many cells in every row"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("IMAGEMILL_DATA", raising=False)
    return marked.marked(tmp_path, 20)


def test_made_up_photos_have_everything_and_are_the_same_again(photos: Any, tmp_path: Path) -> None:
    assert len({record.key for record in photos}) == 20
    assert {"nothing"} < {record.label for record in photos} <= {"nothing", *marked.NAMES}
    assert {len(record.objects) for record in photos} == {0, 1, 2, 3}
    assert marked.marked(tmp_path, 20) == photos


def test_ours_gives_one_value_in_each_column(photos: Any) -> None:
    truth = hashes.ours(photos, workers=0, batch_size=32)
    assert len(truth) == 40
    assert len({every.image for every in truth.values()}) == 40, "expected other pixels in each epoch and key"
    others = [hashes.ours(photos, workers=2, batch_size=16), hashes.ours_resumed(photos), hashes.ours_ranks(photos, 2)]
    assert [hashes.values(found) for found in others] == [hashes.values(truth)] * 3


def test_ours_gives_the_same_after_a_kill(photos: Any, tmp_path: Path) -> None:
    assert hashes.in_processes(tmp_path, 20, kill=3) == hashes.ours(photos, workers=0)


@pytest.mark.parametrize(
    ("broken", "changed"),
    [
        (lambda image, mask, edges, names, label: (image + 1, mask, edges, names, label), "image"),
        (lambda image, mask, edges, names, label: (image, mask + 1, edges, names, label), "mask"),
        (lambda image, mask, edges, names, label: (image, mask, edges + 1, names, label), "boxes"),
        (lambda image, mask, edges, names, label: (image, mask, edges, names[::-1], label), "boxes"),
        (lambda image, mask, edges, names, label: (image, mask, edges, names, label + 1), "label"),
    ],
)
def test_each_column_sees_what_is_its_own(broken: Any, changed: str) -> None:
    sample = (np.zeros((3, 4, 4), np.float32), np.zeros((4, 4), np.uint8), np.zeros((2, 4)), ["cat", "dog"], 1)
    before, after = (hashes.values({(0, "a"): hashes.hashes(*given)}) for given in (sample, broken(*sample)))
    assert [name for name in before._fields if getattr(before, name) != getattr(after, name)] == [changed]


def test_modules_load_without_peers() -> None:
    modules = (
        "run",
        "contest",
        "child",
        "page",
        "tables",
        "peers",
        "ours",
        "growth",
        "hashes",
        "marked",
        "soak",
        "data",
    )
    code = (
        f"import sys, importlib; [importlib.import_module('bench.feed.' + m) for m in {modules}];"
        f"print(sorted(set({PEERS}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(ROOT, SRC), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
