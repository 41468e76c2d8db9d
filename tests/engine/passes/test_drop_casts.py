"""Only what does nothing whatever was drawn is left out: a batch must not decide what becomes of a sample."""

from __future__ import annotations

import numpy as np

from tests.engine.plans import FLOAT32, cast, curved, frame, gained, planned, shifted, sources

ONLY = {"without": ("sink_colour", "fuse_geometry", "fuse_colour", "join")}


def test_a_cast_to_the_type_there_is_goes() -> None:
    assert sources(planned(cast(np.uint8), gained(), **ONLY)) == ["b"]
    assert sources(planned(cast(np.float32), first=frame(dtype=FLOAT32), **ONLY)) == []


def test_a_cast_that_changes_something_stays() -> None:
    assert sources(planned(cast(np.float32), cast(np.float32), cast(np.uint8), **ONLY)) == ["a", "c"]


def test_what_happens_to_do_nothing_for_this_batch_stays() -> None:
    idle = (shifted(0.0), gained(1.0), curved(where=np.zeros(2, bool)))
    assert sources(planned(*idle, **ONLY)) == ["a", "b", "c"]
