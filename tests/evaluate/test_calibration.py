"""Comparisons of an arm with itself: how often they raise a false alarm."""

from __future__ import annotations

import numpy as np
import pytest

from imagemill.core.errors import ParameterError
from imagemill.evaluate.comparisons.calibration import Share, calibrate, calibrated
from imagemill.evaluate.runners.recipe import Recipe
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
    assert Share(0, 200).interval == (0.0, pytest.approx(1 - 0.025 ** (1 / 200)))
    assert str(Share(10, 200)).startswith("5.0% (10 of 200) [2.4%, 9.0%]")


def test_networks_are_trained_twice_for_every_pair() -> None:
    calls: list[tuple[int, int]] = []
    found = calibrate(
        sides(16, 8), comparisons=2, recipe=Recipe(1, 16, workers=0), progress=lambda *call: calls.append(call)
    )
    assert calls == [(n, 12) for n in range(1, 13)]
    assert (found.false_alarms.of, found.seeds) == (2, 3)
    with pytest.raises(ParameterError, match="expected 3 seeds or more"):
        calibrate(sides(16, 8), seeds=2)
