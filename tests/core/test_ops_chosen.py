"""An op of which only some samples are chosen is the identity, window and all, for the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Cast, ChannelMix, Fit, Layout, Op, Opaque, Pointwise, Sampling, Warp
from imagemill.engine.backends import get_backend
from imagemill.engine.planner import make_plan
from imagemill.engine.target_table import rule
from imagemill.testing import picture

FRAME = Frame.of(4, 6, channels=2, dtype="float64", n=3)
CHOSEN = np.array([True, False, True])
SOME = np.random.default_rng(1)
# For each row other numbers, so that one row's are not taken for another's.
OPS: list[Op] = [
    Affine(geo.translation(np.array([[1.0, 0], [0, 1], [1, 1]])), FRAME.shape - 1, Sampling(1)),
    Affine(
        geo.translation(-np.ones((3, 2))), FRAME.shape + 2, Sampling(fill=7.0), window=np.array([True, True, False])
    ),
    Warp(SOME.uniform(0.2, 0.4, (3, 2, 5, 5)), Sampling(1, "nearest")),
    ChannelMix(SOME.uniform(1, 2, (3, 2, 3)), SOME.uniform(1, 2, (3, 2, 2))),
    ChannelMix(SOME.uniform(1, 2, (3, 2, 3))),
    Pointwise("gamma", np.array([[1.0, 2.0], [1, 3], [1, 4]]), 2),
    Pointwise("clip", np.array([[0.0, 0.1], [0, 0.2], [0, 0.3]]), 2, where=np.array([True, True, False])),
    Fit("minmax"),
    Fit("zscore", per_channel=True, where=np.array([False, True, True])),
    Opaque(lambda values: values + 1, "more"),
    Opaque(lambda values: values * 2, "twice", where=np.array([True, True, False])),
]


def made(op: Op, row: int, frame: Frame) -> Any:
    """One row of an op on a picture, by the backend that says what it means."""
    plan = make_plan([("op", op)], [frame, op.after(frame)])
    image = picture(row, (4, 6), 2, "float64")
    for step in plan.steps:
        image = rule(step, "image")(step, row, image, get_backend("reference"), None)
    return image


@pytest.mark.parametrize("op", OPS, ids=lambda op: type(op).__name__)
def test_rows_that_are_not_chosen_stay_and_the_others_are_what_they_were(op: Any) -> None:
    chosen = op.chosen(CHOSEN, FRAME)
    for row, runs in enumerate(CHOSEN):
        wanted = made(op, row, FRAME) if runs else picture(row, (4, 6), 2, "float64")
        np.testing.assert_array_equal(made(chosen, row, FRAME), wanted)
    # It does something at all.
    assert not np.array_equal(made(chosen, 0, FRAME), picture(0, (4, 6), 2, "float64")) or isinstance(op, Fit)


@pytest.mark.parametrize("op", [Cast(np.dtype(np.float32)), Layout(True)])
def test_what_a_batch_has_but_one_of_is_not_chosen_for_some(op: Any) -> None:
    with pytest.raises(ParameterError, match="expected p=1 for a change of"):
        op.chosen(CHOSEN, FRAME)


def test_a_window_opens_only_where_the_op_runs() -> None:
    frame = Frame.of(4, 6, n=3)
    op = Affine(geo.identity(3, 2), frame.shape, Sampling(), window=np.array([True, True, False]))
    found = op.chosen(np.array([True, False, True]), frame)
    assert found.window is not None
    assert found.window.tolist() == [True, False, False]
