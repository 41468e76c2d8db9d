"""Colour gets out of the way of geometry, and never colours a fill or jumps over a statistic."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im
from imagemill.core.ops import CURVES, Op, Sampling
from tests.engine.plans import (
    broken,
    called,
    cast,
    curved,
    flipped,
    gained,
    jumping,
    padded,
    planned,
    shifted,
    sources,
    standardized,
)

ONLY = ("drop_casts", "fuse_geometry", "fuse_colour", "join")
FILL = Sampling(1, "constant", 9.0)


def order(*ops: Op) -> str:
    return "".join(sources(planned(*ops, without=ONLY)))


def test_colour_goes_behind_a_run_and_keeps_its_own_order() -> None:
    assert order(gained(), shifted(1.0), curved(), flipped(), gained(2.0)) == "bdace"


@pytest.mark.parametrize("filling", [shifted(1.0, FILL), padded(2), padded(2, where=False)])
def test_a_fill_is_not_coloured_by_what_was_declared_before_it(filling: Op) -> None:
    assert order(flipped(), gained(), filling) == "bac"
    assert order(filling, gained(), flipped()) == "acb"


def test_colour_between_two_fills_stays_between_them() -> None:
    assert order(shifted(1.0, FILL), gained(), shifted(1.0, FILL)) == "abc"
    assert order(gained(), shifted(1.0, FILL), curved(), padded(1), gained(2.0), flipped()) == "abcdfe"


def test_statistics_casts_and_functions_stay_where_they_are() -> None:
    for barrier in (standardized(), cast(np.float32), called()):
        assert order(gained(), shifted(1.0), barrier, gained(), shifted(1.0)) == "bac" + "ed"


def test_a_curve_that_jumps_changes_places_with_whole_pixels_only() -> None:
    assert order(jumping(), flipped(), gained()) == "bac"
    assert order(shifted(1.0), jumping(), flipped()) == "acb"
    assert order(jumping(), shifted(1.0, Sampling(0, "nearest"))) == "ba"
    assert order(gained(), jumping(), gained(), shifted(1.0), gained()) == "abdce"
    assert order(shifted(1.0), jumping(), shifted(1.0), jumping(), flipped()) == "abced"
    # In front of a fill it would have to go in front of the shift as well.
    assert order(shifted(1.0), jumping(), padded(1)) == "abc"
    assert order(flipped(), jumping(), padded(1)) == "bac"


def test_limits_stay_in_front_of_what_averages_over_them() -> None:
    """A window on bone and fat, then half the size: the mean of what the window shows, not a window on the mean."""
    scan = np.array([[1500.0, -100.0] * 4] * 8, np.float32)
    pipe = im.Pipeline([im.Window(40, 400), im.Resize(4, antialias=True)], seed=0)
    np.testing.assert_allclose(pipe(scan)[1:-1, 1:-1], (1.0 + 0.15) / 2, atol=1e-6)
    assert f"{CURVES['clip'].breaks}, before it" in str(pipe.explain((8, 8), dtype=np.float32))


def test_the_reason_stands_at_the_geometry_behind_it() -> None:
    plan = planned(jumping(), gained(), shifted(1.0), without=ONLY)
    assert sources(plan) == ["a", "c", "b"]
    assert broken(plan) == ["", f"{CURVES['tones'].breaks}, before it", ""]
