"""Pipelines taken apart: which transform it was, in which order arms are trained, and what a budget leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import imagemill as im
from imagemill.evaluate import Ablation, TimeBudget, ablate
from imagemill.evaluate.statistics.intervals import adjusted
from tests.evaluate.made_up import sides

MIXED = im.Pipeline([im.Shift(pixels={"y": (-1, 1)}, whole=True), im.Flip("x", p=0.5), im.Flip("y", p=0.5)], seed=0)
QUICK: dict[str, Any] = {"model": "dense", "epochs": 2, "batch_size": 16, "workers": 0}


@pytest.fixture(scope="module")
def taken_apart(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ablation, Path]:
    out = tmp_path_factory.mktemp("ablated") / "out"
    return ablate(sides(160), {"mixed": MIXED}, seeds=8, out=out, **QUICK), out


def test_the_transform_that_does_the_harm_is_named_and_the_others_are_not(taken_apart: tuple[Ablation, Path]) -> None:
    found, _ = taken_apart
    verdicts = {(one.transform, one.how): one.verdict for one in found.contributions}
    assert verdicts["Flip", "within"] == verdicts["Flip", "alone"] == "harms"
    assert [key for key, said in verdicts.items() if said == "harms"] == [("Flip", "within"), ("Flip", "alone")]
    assert "Flip within on clean test images: harms, -" in repr(found)
    assert "seems to change the label" in found.table()


def test_arms_stand_in_the_order_of_the_screen_the_farthest_first(taken_apart: tuple[Ablation, Path]) -> None:
    found, _ = taken_apart
    assert list(found.comparison.design["arms"])[:4] == ["none", "mixed", "mixed without Flip", "only Flip"]
    assert len(found.comparison.design["arms"]) == 8
    assert (found.passed_over, found.untrained) == ((), ())


def test_contributions_are_paired_by_seed_and_adjusted_over_all_transforms(
    taken_apart: tuple[Ablation, Path],
) -> None:
    found, _ = taken_apart

    def accuracy(arm: str) -> np.ndarray:
        return np.array([one.score for one in found.comparison.metrics[arm, "clean"]])

    within = accuracy("mixed") - accuracy("mixed without Flip")
    said = found.contribution("Flip").difference
    low, high = stats.t.interval(0.95, 7, within.mean(), stats.sem(within))
    assert (said.mean, said.low, said.high) == pytest.approx((within.mean(), low, high))
    alone = accuracy("only Flip") - accuracy("none")
    assert found.contribution("Flip", "alone").difference.mean == pytest.approx(alone.mean())
    raw = [one.difference.p for one in found.contributions]
    assert [one.adjusted_p for one in found.contributions] == adjusted(raw)
    assert len(raw) == 6


def test_what_is_written_and_shown_and_that_it_goes_on(taken_apart: tuple[Ablation, Path]) -> None:
    found, out = taken_apart
    held = json.loads((out / "ablation.json").read_text())
    assert held == json.loads(json.dumps(found.to_dict()))
    assert (out / "results.json").is_file()
    assert "| Flip | -" in (out / "ablation.md").read_text()
    assert len(found.plot().axes[0].get_yticklabels()) == 6
    assert "Flip alone" in found._repr_html_()
    steps: list[Any] = []
    again = ablate(sides(160), {"mixed": MIXED}, seeds=8, out=out, progress=steps.append, **QUICK)
    assert all(step.said is None for step in steps)  # every run was there
    assert again.to_dict() == found.to_dict()


class Clock:
    """Seconds that pass as work is told to be done."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_leaves_out_the_last_arms_of_the_screen_and_goes_on_with_the_same(tmp_path: Path) -> None:
    clock = Clock()

    def screened(done: int, total: int) -> None:
        clock.now += 1.0  # 6 seconds for a screen of 3 transforms

    def trained(step: Any) -> None:
        clock.now += 2.0 if step.said is not None else 0.0  # 4 seconds a run

    how: dict[str, Any] = {"out": tmp_path / "out", "screened": screened, "progress": trained, **QUICK}
    found = ablate(sides(64), {"mixed": MIXED}, budget=TimeBudget(1.1, clock=clock), **how)
    arms = list(found.comparison.design["arms"])
    assert 3 <= len(arms) < 8
    assert arms[:3] == ["none", "mixed", "mixed without Flip"]
    assert len(found.untrained) == 8 - len(arms)
    assert f"no time for {8 - len(arms)} arms: " in repr(found)
    assert found.comparison.design["seeds"] >= 1
    assert clock.now <= 70
    more = ablate(sides(64), {"mixed": MIXED}, budget=TimeBudget(60, clock=clock), seeds=4, **how)
    assert list(more.comparison.design["arms"]) == arms
    assert more.comparison.design["seeds"] == 4


def test_parts_that_cannot_stand_alone_are_named() -> None:
    cut = im.Pipeline([im.Crop(6), im.Resize(8), im.Flip("y", p=0.5)], seed=0)
    found = ablate(sides(40), {"cut": cut}, seeds=1, **QUICK)
    lost = {one.name: one.why.split(";")[0] for one in found.passed_over}
    assert lost == {
        "cut without Resize": "expected arm 'cut without Resize' to keep images of 8x8x1, got 6x6x1",
        "only Crop": "expected arm 'only Crop' to keep images of 8x8x1, got 6x6x1",
        "only Resize": "changes no pixel of these images",
    }
    assert list(found.comparison.design["arms"]) == [
        *("none", "cut", "cut without Flip", "only Flip", "cut without Crop")
    ]
    assert "only Crop: not trained, expected arm" in repr(found)
    assert found.contribution("Flip").verdict == "too few seeds"


def test_what_cannot_be_taken_apart_is_refused_before_anything_is_trained() -> None:
    def never(*args: Any) -> None:
        raise AssertionError(args)

    wrong: list[tuple[Any, str]] = [
        (im.Pipeline([im.Flip("x")]), "expected a pipeline of two transforms or more, got 1"),
        ({"a": MIXED, "b": MIXED}, "expected one pipeline to take apart, got 2"),
        (im.Pipeline([im.Flip("x"), im.Resize(4)]), "to keep images of 8x8x1, got 4x4x1"),
    ]
    for pipeline, words in wrong:
        with pytest.raises(im.InputError) as error:
            ablate(sides(), pipeline, screened=never, progress=never, **QUICK)
        assert words in str(error.value)
