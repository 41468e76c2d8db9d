"""Compiled loops of the search for copies, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from imagemill.audits.alignment import warped
from imagemill.audits.evidence import _filtered
from imagemill.audits.neighbours import _by_cell, _largest
from imagemill.audits.plain_borders import plain_borders
from tests.audits.made_up import Array, photo


@pytest.mark.parametrize("sigma", [0.8, 1.5, 2.0, 4.0])
def test_a_filter_is_a_gaussian_whose_ends_are_repeated(sigma: float) -> None:
    plane = np.ascontiguousarray(photo(1, 32, 32)[..., 0], np.float32)
    found, radius = np.empty_like(plane), max(1, int(2.5 * sigma + 0.5))
    _filtered(plane, sigma, found)
    want = ndimage.gaussian_filter(plane.astype(float), sigma, mode="nearest", radius=radius)
    np.testing.assert_allclose(found, want, atol=1e-3)


@pytest.mark.parametrize(
    "move", [(0.0, 0, 1, 0, 0, 1), (0.1, -0.2, 0.7, 0.2, -0.3, 0.8), (0, 0, 0, 1, -1, 0), (0.9, 0, 1, 0, 0, 1)]
)
def test_a_move_pulls_each_pixel_from_its_place(move: tuple[float, ...]) -> None:
    planes = np.ascontiguousarray(photo(2, 32, 32).transpose(2, 0, 1), np.float32)
    out, inside = np.empty_like(planes), np.empty((32, 32), np.float32)
    frame = np.array([0.0, 1.0, 0.25, 1.0])
    reached = warped(planes, np.array(move, float), frame, out, inside)
    half = 15.5
    u, v = np.meshgrid(*2 * [(np.arange(32) - half) / half], indexing="ij")
    y = half + half * (move[0] + move[2] * u + move[3] * v)
    x = half + half * (move[1] + move[4] * u + move[5] * v)
    # Right on the edge of the frame rounding decides.
    clear = np.min([np.abs(y + 0.5), np.abs(y - 31.5), np.abs(x - 7.5), np.abs(x - 31.5)], axis=0) > 1e-3
    within = (y >= -0.5) & (y <= 31.5) & (x >= 7.5) & (x <= 31.5)
    assert (inside[clear] == within[clear]).all()
    assert reached == inside.sum()
    for plane, found in zip(planes, out, strict=True):
        want = ndimage.map_coordinates(plane.astype(float), [y.clip(0, 31), x.clip(0, 31)], order=1)
        np.testing.assert_allclose(found, want, atol=2e-2)


def _bordered(top: int, right: int) -> Array:
    picture = photo(3, 32, 32)
    picture[:top], picture[:, 32 - right :] = 250, 250
    return picture


def test_borders_are_counted_on_each_side_alone() -> None:
    found = plain_borders(np.stack([photo(3, 32, 32), _bordered(6, 0), _bordered(0, 3), _bordered(4, 5)]))
    np.testing.assert_allclose(found * 32, [[0, 0, 0, 0], [6, 0, 0, 0], [0, 0, 0, 3], [4, 0, 0, 5]], atol=0.9)
    assert found[2, 0] == 0


def test_a_picture_of_one_colour_has_no_border() -> None:
    assert not plain_borders(np.full((1, 32, 32, 3), 9, np.uint8)).any()


def test_the_largest_scores_of_each_row_come_first() -> None:
    scores = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    found = np.zeros((50, 6), np.int64)
    _largest(scores, found)
    np.testing.assert_array_equal(found, np.argsort(-scores, axis=1)[:, :6])


def test_queries_are_gathered_by_the_cells_that_they_probe() -> None:
    probed = np.array([[2, 0], [0, 3], [2, 3]])
    queries, ends = np.empty(6, np.int64), np.empty(6, np.int64)
    _by_cell(probed, queries, ends)
    assert ends.tolist() == [0, 2, 2, 4, 6, 6]
    assert queries.tolist() == [0, 1, 0, 2, 1, 2]
