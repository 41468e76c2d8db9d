"""An op of which only some samples are chosen is the identity, window and all, for the others."""

from __future__ import annotations

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Sampling


def test_a_window_opens_only_where_the_op_runs() -> None:
    frame = Frame.of(4, 6, n=3)
    op = Affine(geo.identity(3, 2), frame.shape, Sampling(), window=np.array([True, True, False]))
    found = op.chosen(np.array([True, False, True]), frame)
    assert found.window is not None
    assert found.window.tolist() == [True, False, False]
