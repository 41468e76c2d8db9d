"""The square keeps the segmentation in view, stays in the frame, and as near the centre as it may."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.transforms.geometric import SquareCrop
from tests.transforms.geometric.support import draw, frame_of, render, with_foreground


def starts(frame: Frame, margin: float = 0) -> Any:
    return draw(SquareCrop(margin), frame).matrix[:, :-1, -1].tolist()


def along_x(shape: tuple[int, int], low: float, high: float) -> Frame:
    """A frame whose foreground spans these edges along x, and one row."""
    return with_foreground(Frame.of(*shape), [[0.5, low]], [[1.5, high]])


@pytest.mark.parametrize(("shape", "start"), [((4, 10), [0, 3]), ((10, 4), [3, 0]), ((5, 8), [0, 1]), ((6, 6), [0, 0])])
def test_without_segmentation_the_square_is_centred(shape: tuple[int, int], start: list[int]) -> None:
    op = draw(SquareCrop(), Frame.of(*shape))
    assert op.shape.tolist() == [[min(shape)] * 2]
    assert op.matrix[0, :2, 2].tolist() == start
    empty = with_foreground(Frame.of(*shape), [[np.nan] * 2], [[np.nan] * 2])
    np.testing.assert_array_equal(draw(SquareCrop(), empty).matrix, op.matrix)


@pytest.mark.parametrize(
    ("low", "high", "margin", "start"),
    [
        (8.5, 11.5, 0, 5),  # pixels 9..11 are in the centred square 5..14
        (3.5, 6.5, 0, 4),  # pixels 4..6: one to the left is enough
        (3.5, 6.5, 2, 2),  # and two more for the margin
        (14.5, 16.5, 0, 7),  # pixels 15, 16: the square 7..16
        (14.5, 16.5, 2, 9),
        (-0.5, 1.5, 5, 0),  # at the left edge, where the margin ends
        (17.5, 19.5, 5, 10),  # at the right edge
        (
            -0.5,
            9.5,
            3,
            0,
        ),  # 0..9 with margin is longer than the side: its middle, as near as the frame allows
        (2.5, 15.5, 0, 5),  # pixels 3..15, longer than the side: middle at 9
        (5.5, 13.5, 2, 5),  # pixels 6..13 fit, the margin does not: equal parts of it on both sides
        (-0.5, 19.5, 5, 5),  # everything
        (-7.0, -3.0, 2, 5),  # turned out of the frame: nothing to keep in view
        (-7.0, 2.5, 0, 0),  # partly outside: what is visible counts
    ],
)
def test_where_the_window_slides(low: float, high: float, margin: float, start: int) -> None:
    assert starts(along_x((10, 20), low, high), margin) == [[0, start]]
    upright = with_foreground(Frame.of(20, 10), [[low, 0.5]], [[high, 1.5]])
    assert starts(upright, margin) == [[start, 0]]


@given(st.integers(1, 12), st.integers(0, 30), st.data(), st.sampled_from([0, 1, 2.5, 5]))
def test_foreground_and_margin_are_inside_whenever_they_can_be(
    side: int, more: int, data: st.DataObject, margin: float
) -> None:
    length = side + more
    first = data.draw(st.integers(0, length - 1))
    last = data.draw(st.integers(first, length - 1))
    ((_, start),) = starts(along_x((side, length), first - 0.5, last + 0.5), margin)
    assert start == round(start)
    assert 0 <= start <= more
    low, high = max(first - 0.5 - margin, -0.5), min(last + 0.5 + margin, length - 0.5)
    possible = [s for s in range(more + 1) if s - 0.5 <= low and s + side - 0.5 >= high]
    if possible:
        assert start == min(possible, key=lambda s: (abs(s - more // 2), s))
    elif last + 1 - first <= side:
        assert start <= first
        assert start + side > last


def test_rows_of_a_batch_are_cropped_each_by_its_own() -> None:
    nan = [np.nan, np.nan]
    frame = with_foreground(
        frame_of((4, 10), (10, 4), (6, 6), (3, 9)),
        [[0.5, -0.5], nan, [0.5, 0.5], [-0.5, 7.5]],
        [[1.5, 0.5], nan, [2.5, 2.5], [0.5, 8.5]],
    )
    op = draw(SquareCrop(0), frame)
    assert op.shape.tolist() == [[4, 4], [4, 4], [6, 6], [3, 3]]
    assert op.matrix[:, :2, 2].tolist() == [[0, 0], [3, 0], [0, 0], [0, 6]]


def test_volumes_keep_their_slices() -> None:
    frame = with_foreground(Frame.of(3, 4, 10), [[0.5, 0.5, 7.5]], [[1.5, 1.5, 9.5]])
    op = draw(SquareCrop(1), frame)
    assert op.shape.tolist() == [[3, 4, 4]]
    assert op.matrix[0, :3, 3].tolist() == [0, 0, 6]


def test_the_crop_is_a_slice_and_draws_its_margin() -> None:
    image = np.arange(60).reshape(5, 12)
    np.testing.assert_array_equal(render(draw(SquareCrop(), Frame.of(5, 12)), image), image[:, 3:8])
    frame = with_foreground(frame_of(*[(5, 40)] * 64), [[0.5, 25.5]] * 64, [[1.5, 26.5]] * 64)
    found = {s[1] for s in draw(SquareCrop({"choice": [0, 2]}), frame).matrix[:, :2, 2].tolist()}
    assert found == {22.0, 24.0}


def test_rounding_errors_of_mapped_edges_cost_no_pixel() -> None:
    assert starts(along_x((10, 20), 3.5 - 1e-9, 6.5), 0) == [[0, 4]]
    assert starts(along_x((10, 20), 12.5, 15.5 + 1e-9), 0) == [[0, 6]]
    assert starts(along_x((10, 20), 3.5 - 1e-5, 6.5), 0) == [[0, 3]]


def test_a_negative_margin_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"SquareCrop\(margin=...\) within 0..inf pixels, got -1"):
        SquareCrop(-1)
