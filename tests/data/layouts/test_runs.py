"""Run-length masks: COCO's text form by hand and round trip, pixels, bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imagemill.core.errors import InputError
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_rle, joined, polygon_area
from imagemill.data.layouts.shapes.rle import (
    counts_from_text,
    mask_from_rle,
    rle_from_mask,
    text_from_counts,
)
from imagemill.data.records.instances import RLE

MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((0,), "0"),
        ((15,), "?"),  # 01111: fits five bits with its sign
        ((16,), "`0"),  # 10000 would be negative, so a group of zeros follows: 48 + 16 + 32, 48
        ((31, 1), "o01"),
        ((1000,), "Xo0"),  # 8 + 31 * 32: 48 + 8 + 32 = X, 48 + 31 + 32 = o, then 48
        ((5, 2, 2, 1), "522O"),  # the fourth is 1 - 2 = -1, five bits of ones: 48 + 31
        ((5, 2, 2, 40), "522V1"),  # 40 - 2 = 38 = 6 + 32: 48 + 6 + 32, 48 + 1
    ],
)
def test_the_text_is_what_the_description_says(counts: tuple[int, ...], text: str) -> None:
    assert text_from_counts(counts) == text
    assert counts_from_text(text) == counts


@given(st.lists(st.integers(0, 1 << 40), max_size=30))
def test_counts_come_back_from_their_text(counts: list[int]) -> None:
    assert counts_from_text(text_from_counts(tuple(counts))) == tuple(counts)


@pytest.mark.parametrize(("text", "says"), [("5 2", "got ' '"), ("52X", "ends within"), ("o" * 20, "expected runs")])
def test_text_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        counts_from_text(text)


def test_runs_go_down_the_columns() -> None:
    mask = np.array([[0, 1, 1], [1, 1, 0]], bool)
    assert rle_from_mask(mask) == RLE(2, 3, (1, 4, 1))
    assert rle_from_mask(~mask).counts == (0, 1, 4, 1)


@given(MASKS)
def test_masks_come_back_from_their_runs(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(mask_from_rle(rle_from_mask(mask)), mask)


@given(MASKS)
def test_bounds_are_those_of_the_pixels(mask: np.ndarray) -> None:
    found = bounds_of_rle(rle_from_mask(mask))
    rows, columns = np.nonzero(mask)
    if not len(rows):
        assert found is None
        return
    x, y, w, h = found
    assert (x, y, x + w - 1, y + h - 1) == (columns.min(), rows.min(), columns.max(), rows.max())


def test_bounds_of_a_huge_picture_take_no_memory() -> None:
    side = 1 << 20
    assert bounds_of_rle(RLE(side, side, (side + 5, 7, side * side - side - 12))) == (1.0, 5.0, 1.0, 7.0)


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100), st.floats(1, 20)), min_size=1, max_size=5))
def test_joining_parts_keeps_every_corner_and_the_area(triangles: list[tuple[float, float, float]]) -> None:
    # Moved apart, so that areas add up without overlap.
    parts = [(x + 500 * i, y, x + 500 * i + s, y, x + 500 * i, y + s) for i, (x, y, s) in enumerate(triangles)]
    whole = joined(parts)
    corners = set(zip(whole[0::2], whole[1::2], strict=True))
    assert all((part[i], part[i + 1]) in corners for part in parts for i in (0, 2, 4))
    assert len(whole) // 2 == sum(len(part) // 2 for part in parts) + 2 * (len(parts) - 1)
    assert polygon_area(whole) == pytest.approx(sum(map(polygon_area, parts)), rel=1e-9, abs=1e-6)
