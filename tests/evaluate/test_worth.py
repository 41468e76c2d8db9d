"""What a pipeline is worth, on curves that are known: verdicts, words, resuming, a budget, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.evaluate import ExchangeRates
from imagemill.evaluate.comparisons.rounds import Step
from imagemill.evaluate.comparisons.time_budget import TimeBudget
from imagemill.evaluate.inputs.experiment_data import Data, read_data
from tests.evaluate.known_curves import Known
from tests.evaluate.made_up import sides
from tests.evaluate.test_run_logs import Recorded

SHIFT = im.Pipeline([im.Shift(pixels={"y": (-1, 1)}, whole=True)], seed=0)
ARMS = {"helpful": SHIFT, "idle": SHIFT, "harmful": SHIFT}
SIZES = (100, 300, 900)
FACTOR = {"none": 1.0, "helpful": 2.5, "idle": 1.0, "harmful": 0.5, "huge": 100.0, "ruinous": 0.1}
"""As many images as an arm makes of one."""


def known(arm: str, count: int, seed: int) -> float:
    """A power law, with chance that is larger than the rounding of 2,000 test images."""
    chance = np.random.default_rng([seed, count, sorted(FACTOR).index(arm)]).standard_normal()
    return 1 - 2 * (FACTOR[arm] * count) ** -0.5 * (1 + 0.01 * chance)


DATA = sides(1000, 2000)


def found_of(arms: dict[str, Any] = ARMS, seeds: int = 5, **options: Any) -> ExchangeRates:
    options = {"sizes": SIZES, "epochs": 1, "runner": Known(known), "model": "any", **options}
    return im.worth(DATA, arms, seeds=seeds, **options)


def test_a_known_worth_is_found_with_an_interval_around_it() -> None:
    found = found_of()
    for size in (100, 300):
        helpful = found.rate("helpful", size)
        assert helpful.verdict == "helps", helpful.sentence
        assert helpful.worth == pytest.approx(1.5 * size, rel=0.1)
        assert helpful.here.low < 2.5 * size < helpful.here.high
        assert helpful.anywhere.low <= helpful.here.low * (1 + 1e-9)
        assert helpful.anywhere.high >= helpful.here.high * (1 - 1e-9)
    harmful = found.rate("harmful", 300)
    assert harmful.verdict == "harms"
    assert harmful.worth == pytest.approx(-150, rel=0.1)
    assert harmful.here.low < 150 < harmful.here.high < 300
    idle = found.rate("idle", 300)
    assert idle.verdict == "no difference seen", idle.sentence
    assert idle.here.low < 300 < idle.here.high


def test_a_log_is_told_of_every_run_and_of_what_pipelines_are_worth() -> None:
    log = Recorded()
    found = found_of(seeds=3, log=log)
    assert log.told == ["begin", *["step"] * 27, "end", "close failed=False"]  # 3 seeds of 9 runs of an epoch
    assert log.design["sizes"] == list(SIZES)
    assert {step.arm for step in log.steps} == {
        *(f"{arm}@{size}" for arm in ARMS for size in (100, 300)),
        *(f"none@{size}" for size in SIZES),
    }
    assert log.found is found
    told = {(one.arm, one.population): one for one in found.logged()}
    rate, one = found.rate("helpful", 300), told["helpful@300", "clean"]
    ends = {"worth": rate.images - 300, "low": rate.here.low - 300, "high": rate.here.high - 300}
    assert (one.figures, one.seeds) == (ends, 3)
    # What is beyond what was measured is no figure.
    open_ended = next(one for one in found_of({"huge": SHIFT}, seeds=3).logged() if one.arm == "huge@300")
    assert "high" not in open_ended.finite
    assert "worth" not in open_ended.finite
    assert "low" not in next(one for one in found_of({"ruinous": SHIFT}, seeds=3).logged()).finite


def test_the_sentences_say_worth_or_cost_and_the_interval() -> None:
    found = found_of()
    start = "helpful on clean test images, with 300 training images: worth "
    assert found.rate("helpful", 300).sentence.startswith(start)
    assert " more images [+" in found.rate("helpful", 300).sentence
    assert ": costs " in found.rate("harmful", 300).sentence
    assert "; for new images of this kind " in found.rate("harmful", 300).sentence
    idle = found.rate("idle", 300).sentence
    assert ": no difference seen, " in idle
    assert "; it would have seen " in idle
    # At the smallest size there is nothing below to look up.
    smallest = found.rate("harmful", 100)
    assert (smallest.verdict, smallest.worth) == ("harms", -math.inf)
    assert "harms; it costs images, and how many, no size below 100 shows" in smallest.sentence
    lines = repr(found).splitlines()
    assert lines[0] == "any, 5 seeds, the same 1 epochs at 100, 300, 900 training images"
    assert lines[1].startswith("can detect, four times of five: with 100 images, ")
    assert len(lines) == 2 + 6


def test_beyond_the_largest_size_nothing_is_extrapolated() -> None:
    found = found_of({"huge": SHIFT, "ruinous": SHIFT})
    huge = found.rate("huge", 300)
    assert (huge.verdict, huge.worth, huge.here.low, huge.here.high) == ("helps", math.inf, 900, math.inf)
    assert "worth at least 600 more images; how many, 900 images do not show" in huge.sentence
    ruinous = found.rate("ruinous", 300)
    assert (ruinous.verdict, ruinous.here.low, ruinous.here.high) == ("harms", 0.0, 100)
    assert "costs at least 200 images; how many, no size below 100 shows" in ruinous.sentence
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["rates"][1]["worth"] is None
    assert plain["rates"][1]["these_images"] == {"low": 600, "high": None}
    assert "| outside [+600, +600 or more] |" in found.table()


@pytest.mark.parametrize("seeds", [1, 2])
def test_under_three_seeds_there_is_no_interval_and_no_verdict(seeds: int) -> None:
    rate = found_of(seeds=seeds).rate("helpful", 300)
    assert rate.verdict == "too few seeds"
    assert (rate.here.low, rate.here.high) == (0.0, math.inf)
    assert "no verdict under 3 seeds (+4" in rate.sentence  # 450 images, to two digits
    assert math.isinf(rate.detectable)


def test_networks_of_a_size_share_images_and_steps_and_the_largest_is_for_the_reference() -> None:
    runner = Known(known)
    found_of(seeds=2, runner=runner, epochs=None, steps=280)
    held: dict[tuple[int, int], set[tuple[int, ...]]] = {}
    for _, size, seed, _, images in runner.trained:
        held.setdefault((size, seed), set()).add(images)
    assert {len(images) for images in held.values()} == {1}
    assert next(iter(held[300, 0])) != next(iter(held[300, 1]))
    assert {arm for arm, size, *_ in runner.trained if size == 900} == {"none"}
    assert {arm for arm, size, *_ in runner.trained if size == 300} == {"none", *ARMS}
    # 32 a batch: 4, 10 and 29 steps an epoch.
    assert {(size, epochs) for _, size, _, epochs, _ in runner.trained} == {(100, 70), (300, 28), (900, 10)}


def test_ten_epochs_of_the_largest_size_are_the_steps_where_nothing_is_said() -> None:
    assert found_of(seeds=1, epochs=None).design["same"] == {"steps": 290, "epochs": None}


def test_populations_have_a_worth_each() -> None:
    found = found_of(stress=["invert"], seeds=3)
    assert {one.population for one in found.rates} == {"clean", "invert"}
    assert found.rate("helpful", 300, "invert").verdict == "helps"
    with pytest.raises(im.ParameterError, match="expected an arm, a size below the largest and a population of"):
        found.rate("helpful", 900)


class _Stopped(BaseException):
    pass


@pytest.mark.parametrize("after", [1, 9, 17])
def test_what_was_stopped_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, after: int) -> None:
    found_of(seeds=2, out=tmp_path / "whole")
    calls: list[Step] = []

    def stop(step: Step) -> None:
        calls.append(step)
        if len(calls) == after:
            raise _Stopped

    with pytest.raises(_Stopped):
        found_of(seeds=2, out=tmp_path / "twice", progress=stop)
    again = Known(known)
    found_of(seeds=2, out=tmp_path / "twice", runner=again)
    assert len(again.trained) == 18 - after
    results = [(tmp_path / name / "results.json").read_bytes() for name in ("whole", "twice")]
    assert results[0] == results[1]
    assert {path.name for path in (tmp_path / "whole").iterdir()} == {
        "curves.html", "design.json", "results.json", "runs", "table.md"
    }  # fmt: skip


def test_more_seeds_and_more_sizes_only_add_runs_and_another_design_is_refused(tmp_path: Path) -> None:
    found_of(out=tmp_path, seeds=1)
    more = Known(known)
    found_of(out=tmp_path, seeds=2, sizes=(100, 300, 600, 900), runner=more)
    assert sorted((arm, size, seed) for arm, size, seed, *_ in more.trained if seed == 0) == [
        (arm, 600, 0) for arm in ("harmful", "helpful", "idle", "none")
    ]
    with pytest.raises(im.InputError, match="got another same"):
        found_of(out=tmp_path, seeds=2, epochs=2)


def test_a_budget_leaves_seeds_out_and_says_so(tmp_path: Path) -> None:
    now = [0.0]

    class Slow(Known):
        def train(self, *arguments: Any, **named: Any) -> Any:
            now[0] += 60.0
            return super().train(*arguments, **named)

    def minutes(count: float) -> TimeBudget:
        return TimeBudget(count, clock=lambda: now[0])

    # Nine networks a seed take nine minutes, so that three seeds fit.
    found = found_of(budget=minutes(30), runner=Slow(known), out=tmp_path)
    assert found.design["seeds"] == 3
    assert found.rate("helpful", 300).difference.pairs == 3
    assert "the budget of 30 minutes ended it with 3 seeds of 5 done" in repr(found)
    rest = Known(known)
    assert found_of(runner=rest, out=tmp_path).design["seeds"] == 5
    assert {seed for _, _, seed, *_ in rest.trained} == {3, 4}
    with pytest.raises(im.InputError, match="expected a budget in which one seed of 9 arms can be trained"):
        found_of(budget=minutes(5), runner=Slow(known))


def test_what_diverges_is_named_and_the_other_seeds_go_on() -> None:
    def sometimes(arm: str, count: int, seed: int) -> float:
        lost = (arm == "helpful" and count == 300 and seed == 1) or (arm == "none" and count == 900 and seed == 2)
        return math.nan if lost else known(arm, count, seed)

    found = found_of(runner=Known(sometimes))
    assert found.diverged == {"helpful with 300 images": (1,), "none with 900 images": (2,)}
    assert found.rate("helpful", 300).difference.pairs == 3
    assert found.rate("idle", 300).difference.pairs == 4
    assert "helpful with 300 images: diverged with seeds 1" in repr(found)
    never = found_of(runner=Known(lambda arm, count, seed: math.nan if arm == "none" else 0.9))
    assert never.rates == ()
    assert "nothing: no seed trained both" in repr(never)
    assert never.plot().rows()


def test_the_plot_has_every_curve_and_its_interval() -> None:
    plot = found_of(seeds=3).plot()
    assert [curve.name for curve in plot.curves] == ["no augmentation", *ARMS]
    assert plot.curves[0].x == [100, 300, 900]
    assert plot.curves[1].x == [100, 300]
    first = plot.curves[0]
    assert all(low < mean < high for low, mean, high in zip(first.low, first.y, first.high, strict=True))
    assert found_of(seeds=1).plot().curves[0].low == ()
    with pytest.raises(im.ParameterError, match=r"expected a population of \['clean'\], got 'wild'"):
        found_of(seeds=1).plot("wild")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sizes": (300, 2000)}, "expected sizes up to the 1,000 training images, got 2,000"),
        ({"sizes": (1, 300)}, "expected an image of every class among 1, got none of"),
        ({"sizes": (300,)}, "expected two different sizes or more"),
        ({"steps": 10, "epochs": 2}, "expected steps or epochs, got 10 and 2"),
        ({"steps": 0, "epochs": None}, "expected steps of 1 or more, got 0"),
        ({"epochs": 0}, "expected epochs of 1 or more, got 0"),
        ({"seeds": 0}, "expected seeds of 1 or more, got 0"),
        ({"arms": {}}, "expected a pipeline"),
        ({"level": 1.5}, "expected a level between 0 and 1"),
        ({"stress": ["blur"]}, "got 'blur'"),
        ({"model": "maps"}, "expected a network for classes, got 'maps', which is for segmentation"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_trained(options: dict[str, Any], words: str) -> None:
    runner = Known(known)
    with pytest.raises(im.ImagemillError, match=words):
        found_of(**{"runner": runner, **options})
    assert runner.trained == []


def test_groups_of_a_prepared_dataset_are_kept_whole(tmp_path: Path) -> None:
    source = im.from_arrays(*sides(90, 1).train, classes=("left", "right"))
    made = im.open(source).map(lambda row: {"group": f"p{int(''.join(filter(str.isdigit, row['key']))) // 3}"})
    made.prepare(tmp_path / "set", split=(0.7, 0.1, 0.2))
    data = read_data(tmp_path / "set")
    assert data.groups is not None
    assert len(data.groups) == len(data.train[1])
    assert len(set(data.groups)) < len(data.groups)
    assert read_data(sides()).groups is None


def test_other_groups_are_another_design(tmp_path: Path) -> None:
    def grouped(by: int) -> Data:
        return Data(DATA.train, DATA.test, DATA.classes, np.array([f"g{row // by}" for row in range(1000)]))

    options: dict[str, Any] = {"sizes": SIZES, "epochs": 1, "runner": Known(known), "model": "any", "seeds": 1}
    im.worth(grouped(2), {"helpful": SHIFT}, out=tmp_path, **options)
    with pytest.raises(im.InputError, match="got another groups"):
        im.worth(grouped(4), {"helpful": SHIFT}, out=tmp_path, **options)
