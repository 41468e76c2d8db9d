"""Geometry next to geometry becomes one resample, unless their samplings contradict each other."""

from __future__ import annotations

import numpy as np
import pytest

from imagemill.core.ops import Sampling
from imagemill.engine.plan import Displacements, Matrices, Pass, Windows
from tests.engine.plans import bent, broken, flipped, gained, padded, planned, resized, shifted, sources

ONLY = {"without": ("drop_casts", "sink_colour", "fuse_colour", "join")}


def test_a_run_of_affine_maps_is_one_product() -> None:
    plan = planned(flipped(), shifted(3.0), resized(6, 8), **ONLY)
    assert sources(plan) == ["abc"]
    (step,) = plan.steps
    assert isinstance(step, Pass)
    assert step.resample is not None
    (link,) = step.resample.links
    assert isinstance(link, Matrices)
    # Output (0, 0) of the resize reads (0.5, 0.5); the shift adds 3 rows; the flip mirrors x.
    np.testing.assert_allclose(link.m[0] @ [0, 0, 1], [3.5, 14.5, 1])
    assert step.resample.in_shape.tolist() == [[12, 16]] * 2
    assert step.resample.shape.tolist() == [[6, 8]] * 2


def test_a_bend_keeps_its_place_between_matrices() -> None:
    plan = planned(flipped(), bent(), flipped(), shifted(1.0), **ONLY)
    (step,) = plan.steps
    assert isinstance(step, Pass)
    assert step.resample is not None
    assert [type(link) for link in step.resample.links] == [Matrices, Displacements, Matrices]


def test_padding_marks_a_window_and_fuses() -> None:
    plan = planned(shifted(1.0), padded(3), shifted(1.0), **ONLY)
    assert sources(plan) == ["abc"]
    (step,) = plan.steps
    assert isinstance(step, Pass)
    assert step.resample is not None
    assert [type(link) for link in step.resample.links] == [Matrices, Windows, Matrices]
    assert step.resample.sampling.border == "nearest"


CONFLICTS = [
    (Sampling(1, "nearest"), Sampling(3, "nearest"), "spline order 1 against 3"),
    (Sampling(1, "nearest"), Sampling(1, "reflect"), "border nearest against reflect"),
    (Sampling(1, "constant", 5.0), Sampling(1, "constant", 7.0), "fill 5 against 7"),
    (Sampling(1, "constant", 5.0, 1), Sampling(1, "constant", 5.0, 2), "label fill 1 against 2"),
]


@pytest.mark.parametrize(("one", "two", "why"), CONFLICTS, ids=[c[2] for c in CONFLICTS])
def test_samplings_that_contradict_each_other_stay_apart_and_say_why(one: Sampling, two: Sampling, why: str) -> None:
    plan = planned(shifted(1.0, one), shifted(1.0, two), **ONLY)
    assert sources(plan) == ["a", "b"]
    assert broken(plan)[0] == ""
    assert why in broken(plan)[1]


@pytest.mark.parametrize(
    "one", [Sampling(), Sampling(1), Sampling(None, "reflect"), Sampling(1, "reflect", antialias=True)]
)
def test_samplings_without_an_opinion_take_the_other_ones(one: Sampling) -> None:
    for pair in ((one, Sampling(1, "reflect")), (Sampling(1, "reflect"), one)):
        plan = planned(*(shifted(0.5, s) for s in pair), **ONLY)
        (step,) = plan.steps
        assert isinstance(step, Pass)
        assert step.resample is not None
        found = step.resample.sampling
        assert (found.order, found.border, found.antialias) == (1, "reflect", one.antialias)


def test_colour_in_between_keeps_them_apart() -> None:
    assert sources(planned(shifted(1.0), gained(), shifted(1.0), **ONLY)) == ["a", "b", "c"]


def test_the_order_of_a_third_op_is_checked_against_both() -> None:
    plan = planned(
        shifted(1, Sampling(None, "wrap")), shifted(1, Sampling(3)), shifted(1, Sampling(3, "mirror")), **ONLY
    )
    assert sources(plan) == ["ab", "c"]
    assert "border wrap against mirror" in broken(plan)[1]
