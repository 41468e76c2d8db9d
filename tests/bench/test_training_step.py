"""Steps a second beside a ceiling: the table says what was measured, without torch and its loaders."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import decoding, training_step
from bench.feed.contest import Result, Table


@pytest.fixture
def work(tmp_path: Path) -> training_step.Work:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    return training_step.Work("photos", "Made-up photos", 10, 24, "none", {"folder": str(tmp_path)})


def test_shares_of_the_ceiling_are_formed_within_rounds(work: training_step.Work) -> None:
    every = tuple(one for threads in training_step.THREADS for one in training_step._contestants(work, threads))
    assert len({one.name for one in every}) == len(every) == 2 * (1 + 3 + 3)
    assert all(one.given["classes"] == 3 for one in every)
    # The machine is half as fast in the second round, and twice as fast in the third.
    speeds = {one.name: [100.0, 50.0, 200.0] for one in every}
    half, lost = "imagemill, torch 2, workers 1", "DataLoader + Albumentations, torch 1, workers 2"
    speeds[half] = [100.0, 25.0, 100.0]
    del speeds[lost]
    said = training_step._part(Result(Table("photos", "", every, 24), speeds, {lost: "no torch"}), work)
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in said.splitlines() if line.startswith("| ")}
    assert rows["batches replayed"] == "| batches replayed | 10.0 | | 10.0 | |"
    assert (
        rows["imagemill, 1 thread"] == "| imagemill, 1 thread | 10.0 | 1.00 [1.00, 1.00] | 10.0 | 0.50 [0.50, 0.75] |"
    )
    assert "| absent: no torch | |" in rows["DataLoader + Albumentations, 2 processes"]
    assert {line.count("|") for line in rows.values()} == {6}
    assert "makes 1.00 [1.00, 1.00] times as many steps" in said


def test_a_stage_counts_its_own_time_and_leaves_the_function_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(decoding, "time", SimpleNamespace(thread_time=lambda: now[0]))

    def work(seconds: float) -> str:
        now[0] += seconds
        return "done"

    home = SimpleNamespace(work=work)
    with decoding._Stage(home, "work") as stage:
        assert [home.work(2.0), home.work(seconds=3.0)] == ["done", "done"]
        now[0] += 50.0
    assert stage.seconds == 5.0
    assert home.work is work


def test_a_page_of_a_busy_machine_says_that_its_figures_are_rough() -> None:
    assert training_step._quiet(2.4, 2) == ""
    assert "the figures are rough" in training_step._quiet(6.0, 2)
