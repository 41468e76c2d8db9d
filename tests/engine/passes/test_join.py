"""A resample and the colour right behind it share one trip over the pixels."""

from __future__ import annotations

from imagemill.engine.plan import Pass
from tests.engine.plans import called, curved, gained, planned, shifted, sources, standardized

ONLY = {"without": ("drop_casts", "sink_colour", "fuse_geometry", "fuse_colour")}


def test_resample_and_colour_make_one_pass() -> None:
    plan = planned(shifted(1.0), gained(), **ONLY)
    assert sources(plan) == ["ab"]
    (step,) = plan.steps
    assert isinstance(step, Pass)
    assert step.resample is not None
    assert step.colour is not None


def test_only_one_colour_and_only_behind() -> None:
    assert sources(planned(gained(), shifted(1.0), **ONLY)) == ["a", "b"]
    assert sources(planned(shifted(1.0), gained(), curved(), **ONLY)) == ["ab", "c"]
    assert sources(planned(shifted(1.0), called(), gained(), **ONLY)) == ["a", "b", "c"]


def test_a_statistic_joins_too_since_it_reads_what_was_resampled() -> None:
    assert sources(planned(shifted(1.0), standardized(), **ONLY)) == ["ab"]
