"""Comparisons of an arm with itself: how often they raise a false alarm."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from imagemill.core.errors import InputError, ParameterError
from imagemill.evaluate.comparisons.calibration import Calibration, Count, calibrate, calibrated
from imagemill.evaluate.runners.recipe import Recipe
from imagemill.evaluate.statistics.intervals import paired
from tests.evaluate.made_up import sides


def test_false_alarms_are_as_rare_as_promised_and_those_of_a_bootstrap_are_not() -> None:
    draws = np.random.default_rng(8)
    skill = draws.normal(0.85, 0.01, (600, 3, 2, 1))  # networks differ by chance
    found = calibrated((draws.random((600, 3, 2, 400)) < skill).astype(float), [0.0, 0.04, 0.1])
    assert found.false_alarms.interval[0] <= 0.05
    assert found.bootstrap.interval[0] > 0.15
    # Nothing planted is a null again; what is planted is seen more often the larger it is.
    shares = [share.count / share.of for share in found.power.values()]
    assert shares[0] == found.false_alarms.count / 600
    assert shares[0] < 0.1 < shares[1] < shares[2]


def test_the_share_has_the_exact_interval() -> None:
    # Clopper and Pearson's interval of 0 of 200 ends at 1 - 0.025 ** (1 / 200).
    assert Count(0, 200).interval == (0.0, pytest.approx(1 - 0.025 ** (1 / 200)))
    assert str(Count(10, 200)).startswith("5.0% (10 of 200) [2.4%, 9.0%]")


def test_networks_are_trained_twice_for_every_pair() -> None:
    calls: list[tuple[int, int]] = []
    found = calibrate(
        sides(16, 8), comparisons=2, recipe=Recipe(1, 16, workers=0), progress=lambda *call: calls.append(call)
    )
    assert calls == [(n, 12) for n in range(1, 13)]
    assert (found.false_alarms.of, found.seeds) == (2, 3)
    assert [row["what"] for row in found.to_dict()["rows"]][:1] == ["false alarms, Student's t over pairs"]
    with pytest.raises(ParameterError, match="expected 3 seeds or more"):
        calibrate(sides(16, 8), seeds=2)


def test_another_level_has_its_own_share_of_false_alarms() -> None:
    draws = np.random.default_rng(8)
    right = (draws.random((500, 5, 2, 200)) < draws.normal(0.85, 0.01, (500, 5, 2, 1))).astype(float)
    found = {level: calibrated(right, level=level) for level in (0.8, 0.99)}
    for level, one in found.items():
        low, high = one.false_alarms.interval
        assert low <= 1 - level <= high, one
        assert one.bootstrap.count > one.false_alarms.count
    assert found[0.8].level == 0.8


@pytest.mark.parametrize("images", [1, 2, 5, 20])
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_a_class_with_few_test_images_raises_no_more_false_alarms(seeds: int, images: int) -> None:
    draws = np.random.default_rng([seeds, images])
    for accuracy in (0.5, 0.9):
        right = draws.binomial(images, accuracy, (1500, seeds, 2)) / images
        found = [paired(row, step=1 / images).verdict for row in right[:, :, 0] - right[:, :, 1]]
        # 5 % and four standard deviations of a share of 1,500.
        assert found.count("no difference seen") >= 1500 * (0.95 - 4 * (0.05 * 0.95 / 1500) ** 0.5)


def test_networks_that_say_the_same_of_every_image_are_not_called_different() -> None:
    same = np.broadcast_to(np.random.default_rng(0).random((20, 4, 1, 50)) < 0.8, (20, 4, 2, 50)).astype(float)
    assert calibrated(same).false_alarms.count == 0


def test_differences_that_cannot_be_planted_are_refused_or_left_out() -> None:
    with pytest.raises(
        ParameterError, match=r"expected planted differences of accuracy from 0 to below 1, got \[-0.1\]"
    ):
        calibrate(sides(16, 8), planted=[-0.1, 0.1])
    with pytest.raises(ParameterError, match="expected a level between 0 and 1"):
        calibrate(sides(16, 8), level=95)
    with pytest.raises(InputError, match="expected a network for classes, whose right answers can be counted, got 'un"):
        calibrate(sides(16, 8), model="unet")
    weak = (np.random.default_rng(1).random((10, 3, 2, 40)) < 0.3).astype(float)
    assert list(calibrated(weak, [0.1, 0.6]).power) == [0.1]


def skilled(comparisons: int, seeds: int, images: int, apart: float = 0.15) -> np.ndarray:
    """Networks whose skill differs by chance, on images some of which are hard for all of them."""
    draws = np.random.default_rng(8)
    hard = draws.normal(0, 1.0, images)
    skill = draws.normal(2.2, apart, (comparisons, seeds, 2, 1))
    return (draws.random((comparisons, seeds, 2, images)) < 1 / (1 + np.exp(hard - skill))).astype(float)


def test_a_family_of_classes_raises_a_false_alarm_as_rarely_as_one_question() -> None:
    labels = np.arange(300) % 5
    found = calibrated(skilled(200, 4, 300), [0.02, 0.1], labels=labels)
    assert found.families.interval[0] <= 0.05
    shares = [share.count / 200 for share in found.class_power.values()]
    assert list(found.class_power) == [0.1, 0.5]
    assert shares[0] < shares[1]
    assert shares[1] > 0.9


def test_intervals_for_new_images_hold_what_was_planted_in_the_population_and_those_for_these_do_not() -> None:
    found = calibrated(skilled(200, 8, 600, 0.01), [0.05])
    assert found.held_new.interval[1] >= 0.95
    assert found.held_here.count < found.held_new.count - 10
    # By the definition of the second: the effect of the images at hand is another one than that of the population.
    assert found.held_here.interval[1] < 0.95


def test_what_networks_called_is_kept_and_serves_other_numbers_of_seeds(tmp_path: Path) -> None:
    recipe, calls = Recipe(1, 16, workers=0), list[tuple[int, int]]()

    def stop(done: int, total: int) -> None:
        calls.append((done, total))
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(sides(16, 8), comparisons=2, recipe=recipe, out=tmp_path / "a", progress=stop)
    trained = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a" / "runs").iterdir()}
    assert len(trained) == 7
    calibrate(sides(16, 8), comparisons=2, recipe=recipe, out=tmp_path / "a")
    assert {name: (tmp_path / "a" / "runs" / name).stat().st_mtime_ns for name in trained} == trained
    whole = calibrate(sides(16, 8), comparisons=2, recipe=recipe, out=tmp_path / "b")
    for name in ("results.json", "table.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert json.loads((tmp_path / "a" / "results.json").read_text()) == whole.to_dict()
    assert len((tmp_path / "a" / "table.md").read_text().splitlines()) == 2 + len(whole.rows())
    # Twelve networks: two comparisons of three pairs, or one of six.
    again = calibrate(sides(16, 8), comparisons=1, seeds=6, recipe=recipe, out=tmp_path / "a")
    assert (again.seeds, len(list((tmp_path / "a" / "runs").iterdir()))) == (6, 12)
    with pytest.raises(InputError, match="got another recipe"):
        calibrate(sides(16, 8), comparisons=1, recipe=Recipe(2, 16, workers=0), out=tmp_path / "a")


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "are not more frequent"), (10, "are not shown to be more frequent"), (25, "are more frequent")],
)
def test_a_rate_is_judged_by_its_interval(count: int, said: str) -> None:
    nothing = Count(0, 200)
    found = Calibration(3, Count(count, 200), nothing, {}, nothing, {}, nothing, nothing)
    assert found.sentence.startswith(f"false alarms {said} than 5 %: ")
    assert found.sentence in repr(found)
