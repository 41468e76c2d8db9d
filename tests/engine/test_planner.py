"""Plans are values; passes keep shapes and dtypes; what explain() says and what comes out agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError, PlanError
from imagemill.core.ops import Layout
from imagemill.engine import planner
from imagemill.engine.plan import Call, Pass
from imagemill.testing import assert_same_plan, picture
from tests.engine.plans import (
    called,
    cast,
    curved,
    flipped,
    gained,
    planned,
    resized,
    shifted,
    sources,
    standardized,
)


def test_without_fusing_there_is_one_step_for_each_op() -> None:
    plan = planned(flipped(), gained(), shifted(1.0), called(), cast(np.float32), fuse=False)
    assert sources(plan) == ["a", "b", "c", "d", "e"]
    assert [type(s) for s in plan.steps] == [Pass, Pass, Pass, Call, Pass]


def test_with_all_passes_a_photo_chain_is_one_step() -> None:
    plan = planned(flipped(), gained(), shifted(1.0), curved(), resized(6, 8), gained(0.01, leaves_range=True))
    assert sources(plan) == ["acebdf"]
    assert (plan.shape[0].tolist(), plan.dtype, plan.in_dtype) == ([6, 8], np.float32, np.uint8)


def test_the_layout_belongs_to_the_plan() -> None:
    assert planned(Layout(True), flipped()).channels_first is True
    assert planned(Layout(True), Layout(False)).channels_first is False
    assert planned(flipped()).channels_first is None
    assert sources(planned(Layout(True), flipped())) == ["b"]


def test_equal_content_means_equal_plans_and_hashes() -> None:
    one, two = (planned(shifted(1.0), gained(), standardized()) for _ in range(2))
    assert one == two
    assert len({one, two, planned(shifted(1.0), gained(), standardized())}) == 1
    assert_same_plan(one, two)


OTHERS = [
    (shifted(1.5), gained()),
    (shifted(1.0), gained(1.6)),
    (shifted(1.0), gained(), flipped()),
    (shifted(1.0), gained(), Layout(True)),
    (shifted(1.0, n=2), gained(1.5, leaves_range=True)),
    (shifted(1.0), called(np.invert), gained()),
    (shifted(1.0), called(np.negative), gained()),
    (shifted(1.0), called(lambda a: a), gained()),
    (shifted(1.0), called(lambda a: a + 1), gained()),
]


def test_other_content_means_other_plans() -> None:
    plans = [planned(*ops) for ops in [(shifted(1.0), gained()), *OTHERS]]
    assert len({p.digest for p in plans}) == len(plans)
    assert plans[0] != "a plan"
    for other in plans[1:]:
        with pytest.raises(AssertionError, match="other"):
            assert_same_plan(plans[0], other)


def test_unknown_passes_are_named() -> None:
    with pytest.raises(InputError, match=r"expected passes of \['drop_casts', .*got \['fuse_everything'\]"):
        planned(flipped(), without=["fuse_everything"])


@pytest.mark.parametrize("name", list(planner.PASSES))
def test_each_pass_can_be_switched_off_alone(name: str) -> None:
    ops = (flipped(), gained(), cast(np.uint8), shifted(1.0), gained(2.0), curved(), gained(0.01, leaves_range=True))
    full, part = planned(*ops), planned(*ops, without=[name])
    assert len(part.steps) >= len(full.steps)
    if name == "drop_casts":
        # The cast stands between two runs of colour, where it would round what already is rounded.
        assert "c" not in "".join(sources(full))
    assert sources(full) != sources(part)


BREAKS: dict[str, tuple[Any, str]] = {
    "loses a resize": (lambda steps: steps[:-1], r"shapes and dtype .*\[6, 8\].*got .*\[12, 16\]"),
    "loses a cast": (lambda steps: steps[1:], "float32.*got .*uint8"),
    "invents a source": (
        lambda steps: (*steps, Pass(None, None, ("stranger",))),
        r"new sources \['stranger'\]",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_in_debug_mode_a_pass_that_breaks_its_promise_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, message = BREAKS[name]
    monkeypatch.setitem(planner.PASSES, "join", bad)
    with pytest.raises(PlanError, match=rf"the pass 'join' to keep.*{message}.*fault of imagemill"):
        planned(cast(np.float32), called(), resized(6, 8))


PHOTO = [
    im.Flip("x"),
    im.Brightness(1.2),
    im.Rotate(10),
    im.ToDtype("uint8"),
    im.Zoom(1.1),
    im.Gamma(1.2),
    im.Saturation(0.8),
    im.Resize((24, 24)),
    im.Normalize("imagenet"),
]


def lines(text: str) -> list[str]:
    """The line of each step's transforms in explain()."""
    return [line.split("from")[1].strip() for line in text.splitlines() if line.strip().startswith("from ")]


REWRITES = {
    "drop_casts": ("ToDtype", False),
    "fuse_geometry": ("Flip + Rotate + Zoom + Resize", True),
    "sink_colour": ("Flip + Rotate + Zoom + Resize", True),
    "fuse_colour": ("Brightness + Gamma + Saturation + Normalize", True),
    "join": ("Resize + Brightness", True),
}


@pytest.mark.parametrize("name", REWRITES)
def test_explain_shows_each_rewrite_and_the_pixels_stay(name: str) -> None:
    said, shown = REWRITES[name]
    full = im.Pipeline(PHOTO, seed=1, backend="reference")
    part = im.Pipeline(PHOTO, seed=1, backend="reference", without=[name])
    with_, without = (" | ".join(lines(p.explain(shape=(40, 50, 3)))) for p in (full, part))
    assert (said in with_) is shown
    assert (said in without) is not shown
    # Far from black and white: a run clips once, its steps each time, and that difference is meant.
    image = 70 + picture(3, (40, 50), 3) // 3
    a, b = full(image), part(image)
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    # In grey levels: each of up to seven roundings costs a quarter of one, times what gamma and the gain make of it.
    levels = np.abs(a - b) * 0.225 * 255
    assert levels.mean() < 2.0
    assert levels[4:-4, 4:-4].max() < 8.0


def test_notebooks_show_the_steps_with_their_transforms() -> None:
    shown = planned(flipped(), gained(), called(), shifted(1.0))._repr_html_()
    assert "pass: a, b\ncall: c\npass: d" in shown
