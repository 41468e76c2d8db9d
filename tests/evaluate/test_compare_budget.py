"""Comparisons that a budget ends: whole seeds, what is said, and going on. The clock is turned by the steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.evaluate.comparisons.compare import Step, compare
from imagemill.evaluate.comparisons.kept_runs import KeptRuns
from imagemill.evaluate.comparisons.rounds import Rounds
from imagemill.evaluate.comparisons.time_budget import TimeBudget
from imagemill.evaluate.inputs.arms import Arm
from imagemill.evaluate.runners.recipe import Trained
from tests.evaluate.made_up import sides

FLIP = im.Pipeline([im.Flip("x", p=0.5)], seed=0)
QUICK: dict[str, Any] = {"model": "dense", "epochs": 2, "batch_size": 16, "workers": 0}


class Clock:
    """An epoch takes 15 seconds, so that a seed of two arms and two epochs takes a minute."""

    def __init__(self, epoch: float = 15.0) -> None:
        self.now, self.epoch, self.steps = 0.0, epoch, list[Step]()

    def __call__(self) -> float:
        return self.now

    def step(self, step: Step) -> None:
        self.steps.append(step)


def budgeted(minutes: float, clock: Clock, monkeypatch: pytest.MonkeyPatch, **more: Any) -> im.Comparison:
    """A comparison in which every epoch that is trained takes the same time."""
    from imagemill.evaluate.runners import torch_runner

    trained = torch_runner.TorchRunner.train

    def slowly(self: Any, *args: Any, on_epoch: Any, **rest: Any) -> Any:
        def told(epoch: int, said: Any) -> None:
            clock.now += clock.epoch
            on_epoch(epoch, said)

        return trained(self, *args, on_epoch=told, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(torch_runner.TorchRunner, "train", slowly)
        time = TimeBudget(minutes, clock=clock)
        return compare(sides(32, 10), [FLIP], budget=time, **{"progress": clock.step, **QUICK, **more})


def test_a_budget_ends_with_whole_seeds_that_are_those_of_an_unbroken_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    found = budgeted(4.5, clock, monkeypatch, out=tmp_path / "short")
    assert (found.design["seeds"], clock.now) == (4, 240.0)  # the fifth would have ended after the budget
    assert found.ended.startswith("the budget of 4.5 minutes ended it with 4 seeds done; the same with a larger budget")
    assert found.ended in repr(found)
    compare(sides(32, 10), [FLIP], seeds=4, out=tmp_path / "whole", **QUICK)
    results = [(tmp_path / name / "results.json").read_bytes() for name in ("short", "whole")]
    assert results[0] == results[1]
    # More minutes go on: what is there costs no time.
    again = Clock()
    more = budgeted(2.2, again, monkeypatch, out=tmp_path / "short", seeds=6)
    assert (more.design["seeds"], more.ended, again.now) == (6, "", 120.0)
    compare(sides(32, 10), [FLIP], seeds=6, out=tmp_path / "whole", **QUICK)
    results = [(tmp_path / name / "results.json").read_bytes() for name in ("short", "whole")]
    assert results[0] == results[1]


def test_after_the_first_seed_it_is_said_how_many_fit_and_what_they_could_show(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    budgeted(4.5, clock, monkeypatch)
    said = [(step.number, step.outlook) for step in clock.steps if step.outlook]
    ((number, outlook),) = said
    assert number == 3  # with the first epoch behind the first seed
    assert outlook.startswith("about 4 seeds in all will be done within the budget of 4.5 minutes")
    lefts = [step.left for step in clock.steps]
    assert [step.runs for step in clock.steps if step.number > 2] == [8] * 12
    assert lefts[4:8] == [165.0, 150.0, 135.0, 120.0]
    assert lefts[-1] == 0.0
    few = Clock()
    budgeted(2.0, few, monkeypatch)
    (outlook,) = [step.outlook for step in few.steps if step.outlook]
    assert "about 2 seeds in all" in outlook
    assert "under 3 there is no verdict; give more minutes, or fewer epochs" in outlook


def test_what_the_seeds_could_show_follows_from_the_images_on_which_the_first_pair_disagrees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from scipy import stats

    clock = Clock()
    mirrored = {"out": None, "seeds": 5}
    found = budgeted(60, clock, monkeypatch, **mirrored)
    (outlook,) = [step.outlook for step in clock.steps if step.outlook]
    bare, arm = (run.probabilities["clean"].argmax(1) for run in found.runs[:2])
    deviation = ((bare != arm).sum()) ** 0.5 / 10
    shown = float(outlook.rpartition("about ")[2].split()[0]) / 100
    # The noncentral t of scipy: a difference of that size is called one four times of five.
    power = stats.nct.sf(stats.t.ppf(0.975, 4), 4, shown / deviation * 5**0.5)
    assert power == pytest.approx(0.8, abs=0.01)
    assert found.ended == ""


def test_a_budget_that_does_not_last_for_one_seed_is_an_error_as_soon_as_it_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    message = r"one seed of 2 arms can be trained, which takes about 60 seconds, got 0\.9 minutes; .*kept in"
    with pytest.raises(im.InputError, match=message):
        budgeted(0.9, clock, monkeypatch, out=tmp_path)
    assert clock.now == 30.0  # after the first arm
    assert not (tmp_path / "results.json").exists()
    assert budgeted(0.6, Clock(), monkeypatch, out=tmp_path, seeds=1).design["seeds"] == 1
    with pytest.raises(im.InputError, match=r"got 0\.1 minutes"):
        budgeted(0.1, Clock(), monkeypatch)


def test_a_seed_that_turns_out_too_slow_is_given_up_and_its_runs_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()

    def slower(step: Step) -> None:
        clock.step(step)
        if step.seed == 3:
            clock.epoch = 40.0

    found = budgeted(4.5, clock, monkeypatch, out=tmp_path, seeds=9, progress=slower)
    assert found.design["seeds"] == 3
    assert "with 3 seeds of 9 done" in found.ended
    assert sorted(path.stem for path in (tmp_path / "runs").iterdir() if path.stem.endswith("-3")) == ["none-3"]
    assert json.loads((tmp_path / "results.json").read_text())["design"]["seeds"] == 3


def test_a_budget_is_refused_before_anything_is_read() -> None:
    with pytest.raises(im.InputError, match="expected a budget of minutes above 0, got -3"):
        compare("nowhere", [FLIP], budget=-3)


def test_what_kept_runs_took_says_what_the_next_will_take() -> None:
    arms = [Arm("none"), Arm("mirrored", FLIP)]
    kept = KeptRuns(None, {})
    for arm in arms:
        kept.put(Trained(arm.name, 0, {"clean": np.eye(2, dtype=np.float32)}, seconds=60.0))

    def never(*_: Any) -> Trained:
        raise AssertionError("two runs of a minute do not fit into a minute and a half")

    rounds = Rounds(arms, kept, never, 2, 3, TimeBudget(1.5, clock=Clock()), {"clean": np.arange(2)})
    assert [(run.arm, run.seed) for run in rounds.run()] == [("none", 0), ("mirrored", 0)]
    assert "1 seed of 3 done" in rounds.ended
