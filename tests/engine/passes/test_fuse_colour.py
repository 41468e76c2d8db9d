"""Colour next to colour becomes one run, with one clip before values change their type or their meaning."""

from __future__ import annotations

import numpy as np

from imagemill.core.ops import ChannelMix, Fit, Op, Pointwise
from imagemill.engine.plan import Colour, Pass, Plan
from tests.engine.plans import (
    FLOAT32,
    UINT8,
    broken,
    called,
    cast,
    curved,
    frame,
    gained,
    planned,
    shifted,
    sources,
    standardized,
)

ONLY = ("drop_casts", "sink_colour", "fuse_geometry", "join")


def fused(*ops: Op, dtype: object = UINT8) -> Plan:
    return planned(*ops, first=frame(dtype=dtype), without=ONLY)


def colour(plan: Plan, step: int = 0) -> Colour:
    found = plan.steps[step]
    assert isinstance(found, Pass)
    assert found.colour is not None
    return found.colour


def kinds(plan: Plan, step: int = 0) -> list[str]:
    return [s.curve if isinstance(s, Pointwise) else type(s).__name__ for s in colour(plan, step).stages]


def test_matrices_multiply_and_curves_stay_in_order() -> None:
    plan = fused(gained(2.0), gained(3.0, offset=1.0), curved(), gained(0.5))
    assert sources(plan) == ["abcd"]
    assert kinds(plan) == ["ChannelMix", "gamma", "ChannelMix"]
    first = colour(plan).stages[0]
    assert isinstance(first, ChannelMix)
    np.testing.assert_array_equal(first.matrix[0], np.eye(3, 4) * 6 + np.eye(4)[3] * 1)


def test_one_clip_stands_before_values_stop_being_a_picture() -> None:
    plan = fused(gained(2.0), gained(2.0), gained(1 / 255, leaves_range=True))
    assert kinds(plan) == ["ChannelMix", "clip", "ChannelMix"]
    clip = colour(plan).stages[1]
    assert isinstance(clip, Pointwise)
    assert clip.params.tolist() == [[0.0, 255.0]] * 2
    assert (colour(plan).in_dtype, colour(plan).dtype) == (UINT8, FLOAT32)


def test_a_statistic_sees_clipped_values() -> None:
    plan = fused(gained(2.0), standardized())
    assert kinds(plan) == ["ChannelMix", "clip", "Fit"]


def test_floating_point_is_never_clipped() -> None:
    plan = fused(gained(2.0), standardized(), gained(3.0), dtype=FLOAT32)
    assert kinds(plan) == ["ChannelMix", "Fit", "ChannelMix"]
    assert isinstance(colour(plan).stages[1], Fit)


def test_integers_that_were_asked_for_round_here() -> None:
    plan = fused(gained(0.1, leaves_range=True), cast(np.uint8), gained(10.0))
    assert sources(plan) == ["ab", "c"]
    assert broken(plan)[1] == "values were asked for as uint8 before it"
    assert colour(plan).dtype == UINT8


def test_they_round_even_if_the_run_began_with_the_same_type() -> None:
    # uint8 in, uint8 out, floating point in between: the ends alike say nothing.
    assert sources(fused(gained(1 / 255, leaves_range=True), gained(25.5), cast(np.uint8), gained(10.0)))[0] == "abc"


def test_floating_point_that_was_asked_for_does_not_break_a_run() -> None:
    plan = fused(cast(np.float32), gained(10.0), cast(np.float64))
    assert sources(plan) == ["abc"]
    assert colour(plan).dtype == np.float64


def test_geometry_and_functions_end_a_run() -> None:
    assert sources(fused(gained(), shifted(1.0), gained())) == ["a", "b", "c"]
    plan = fused(gained(), called(), gained())
    assert sources(plan) == ["a", "b", "c"]
    assert broken(plan)[1] == "a user's function is not taken apart"
