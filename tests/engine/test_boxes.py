from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import NdBSpline

from imagemill.core import coordinate_maps as maps
from imagemill.core import geometry as geo
from imagemill.engine.annotations.boxes import Outlines, grouped
from imagemill.engine.annotations.points import push


def turned(degrees: float, shape: tuple[int, ...]) -> maps.Matrix:
    linear = geo.rotation(np.array([degrees]), (len(shape) - 2, len(shape) - 1), len(shape))
    return maps.Matrix(geo.about(linear, (np.array([shape]) - 1) / 2.0)[0])


def kept(edges: np.ndarray) -> np.ndarray:
    return np.flatnonzero(~np.isnan(edges).any(axis=1))


def sampled(stages: tuple[maps.Stage, ...], edges: np.ndarray, shape: tuple[int, ...], per_pixel: int) -> np.ndarray:
    """Independent truth: which of a fine lattice of output places show the inside of the box."""
    d = len(shape)
    ticks = [(np.arange(n * per_pixel) + 0.5) / per_pixel - 0.5 for n in shape]
    places = np.array(np.meshgrid(*ticks, indexing="ij")).reshape(d, -1).T
    seen = places
    for stage in stages:
        assert isinstance(stage, maps.Matrix)
        seen = geo.apply(stage.m, seen)
    inside = places[((seen >= edges[:d]) & (seen <= edges[d:])).all(axis=1)]
    return np.concatenate([inside.min(axis=0), inside.max(axis=0)]) if len(inside) else np.full(2 * d, np.nan)


@given(
    st.floats(-180, 180), st.tuples(st.floats(0, 15), st.floats(0, 15)), st.tuples(st.floats(3, 14), st.floats(3, 14))
)
def test_a_turned_box_hugs_what_is_left_of_it_in_the_frame(degrees, low, size) -> None:
    shape, chain = (20, 25), (turned(degrees, (20, 25)),)
    edges = np.array([*low, low[0] + size[0], low[1] + size[1]])
    left = Outlines.of(edges[None]).pushed(chain).within(shape)[0]
    truth = sampled(chain, edges, shape, per_pixel=10)
    if np.isnan(truth).any():
        assert np.isnan(left).any() or (left[2:] - left[:2]).min() < 0.3  # a sliver between the sampled places
    else:
        # Tips of corners reach at most a lattice step and a half beyond the last sampled place.
        np.testing.assert_allclose(left, truth, atol=0.3)


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 133])
@pytest.mark.parametrize("edges", [(1, 1, 1, 5, 9, 9), (-0.5, -0.5, -0.5, 6.5, 13.5, 14.5), (2, -0.5, 4, 3, 4, 14.5)])
def test_in_a_volume_too(degrees: float, edges: tuple[float, ...]) -> None:
    shape, chain = (7, 14, 15), (turned(degrees, (7, 14, 15)),)
    box = np.array(edges)
    left = Outlines.of(box[None]).pushed(chain).within(shape)[0]
    np.testing.assert_allclose(left, sampled(chain, box, shape, per_pixel=6), atol=0.4)


def test_the_frames_corner_inside_a_box_counts() -> None:
    # A huge box turned by 45 degrees covers the frame: what is left of it is the frame.
    shape = (6, 6, 6)
    huge = Outlines.of(np.array([[-50.0, -50, -50, 50, 50, 50]])).pushed((turned(45, shape),))
    np.testing.assert_allclose(huge.within(shape)[0], [-0.5] * 3 + [5.5] * 3)


def test_a_box_that_left_is_gone_and_stays_gone() -> None:
    away = maps.Matrix(geo.translation(np.array([[100.0, 0.0]]))[0])
    back = maps.Matrix(geo.translation(np.array([[-100.0, 0.0]]))[0])
    outlines = Outlines.of(np.array([[1.0, 1, 4, 4], [101, 1, 104, 4]]))
    through = outlines.pushed((away, maps.Window((20, 20), 0.0, 0)))
    assert kept(through.within((20, 20))).tolist() == []
    assert kept(outlines.pushed((away,)).within((20, 20))).tolist() == [1]
    assert kept(outlines.pushed((away,)).pushed((back,)).within((20, 20))).tolist() == [0]


def test_a_box_without_extent_is_kept_while_it_is_inside() -> None:
    outlines = Outlines.of(np.array([[3.0, 3, 3, 3], [30, 3, 30, 3], [2, 2, 2, 9]]))
    assert kept(outlines.within((8, 8))).tolist() == [0, 2]


def test_a_bent_box_is_followed_along_its_edges() -> None:
    rng = np.random.default_rng(5)
    bend = maps.Displace(rng.uniform(-2, 2, (2, 8, 8)), (40, 50))
    edges = np.array([[5.0, 6, 30, 41]])
    left = Outlines.of(edges, pieces=32).pushed((bend,)).within((40, 50))[0]
    ring = np.concatenate(
        [np.stack([np.linspace(5, 30, 400), np.full(400, x)], 1) for x in (6, 41)]
        + [np.stack([np.full(400, y), np.linspace(6, 41, 400)], 1) for y in (5, 30)]
    )
    moved = push((bend,), ring)
    np.testing.assert_allclose(left, [*moved.min(axis=0), *moved.max(axis=0)], atol=0.05)


def solved(bend: maps.Displace, q: np.ndarray, steps: int = 400) -> np.ndarray:
    """Independent truth: fixed-point iteration on SciPy's B-splines."""
    d = q.shape[1]
    knots = [np.arange(-3, cells + 4) for cells in bend.cells]
    splines = [NdBSpline(tuple(k.astype(float) for k in knots), grid, 3) for grid in bend.grid]
    per_cell = np.array(bend.cells) / bend.shape

    def moved(p: np.ndarray) -> np.ndarray:
        at = np.clip((p + 0.5) * per_cell, 0, bend.cells)
        return np.stack([spline(at) for spline in splines], axis=1)

    assert d == len(bend.shape)
    p = q
    for _ in range(steps):
        p, before = q - moved(p), p
        if np.abs(p - before).max() < 1e-11:
            break
    return p


def bent(rng: np.random.Generator, shape: tuple[int, ...], cells: tuple[int, ...], strength: float) -> maps.Displace:
    d = len(shape)
    grid = rng.uniform(-strength, strength, (d, *[c + 3 for c in cells]))
    return maps.Displace(grid * (np.array(shape) / cells).reshape(d, *[1] * d), shape)


BENDS = [
    ((40, 50), (5, 5), 0.25),
    ((512, 300), (5, 4), 0.48),
    ((30, 20), (15, 3), 0.3),
    ((24, 30, 28), (3, 4, 2), 0.25),
    ((9, 40, 50), (2, 3, 5), 0.4),
]


@pytest.mark.parametrize(("shape", "cells", "strength"), BENDS)
def test_points_are_where_the_map_takes_them_from(shape, cells, strength) -> None:
    rng = np.random.default_rng(len(shape))
    bend = bent(rng, shape, cells, strength)
    # Some beyond the frame, where the displacement at its edge goes on, some on its edges and on those of cells.
    q = rng.uniform(-0.3, 1.3, (200, len(shape))) * shape
    q[:20] = rng.integers(0, 3, (20, len(shape))) / 2 * np.array(shape) - 0.5
    np.testing.assert_allclose(push((bend,), q), solved(bend, q), atol=1e-6)


def test_a_lattice_that_may_fold_is_iterated_as_ever() -> None:
    # Twice what is known not to fold, but only at one place far from the points, and where nothing folds.
    rng = np.random.default_rng(1)
    bend = bent(rng, (60, 60), (6, 6), 0.2)
    bend.grid[:, 0, 0] = 10.0
    assert not bend.one_to_one
    q = rng.uniform(0, 59, (50, 2))
    np.testing.assert_allclose(push((bend,), q), solved(bend, q), atol=1e-6)


def test_what_is_nowhere_stays_nowhere() -> None:
    bend = bent(np.random.default_rng(1), (60, 60), (6, 6), 0.2)
    found = push((bend,), np.array([[np.nan, 3.0], [np.inf, 2.0], [5.0, 5.0]]))
    assert np.isnan(found).any(axis=1).tolist() == [True, True, False]
    assert push((bend,), np.empty((0, 2))).shape == (0, 2)


def surface(edges: np.ndarray, per_edge: int) -> np.ndarray:
    d = len(edges) // 2
    ticks = np.array(np.meshgrid(*[np.linspace(0, 1, per_edge)] * (d - 1), indexing="ij")).reshape(d - 1, -1).T
    faces = [np.insert(ticks, axis, side, axis=1) for axis in range(d) for side in (0.0, 1.0)]
    points: np.ndarray = edges[:d] + np.concatenate(faces) * (edges[d:] - edges[:d])
    return points


@pytest.mark.parametrize(("shape", "cells", "strength"), BENDS)
@pytest.mark.parametrize("first", [1.0, 3.0])
def test_bent_boxes_have_the_bounds_of_dense_outlines(shape, cells, strength, first) -> None:
    # Perhaps magnified before it is bent: then a box crosses more cells than its size says.
    rng = np.random.default_rng(7)
    d = len(shape)
    bend, zoom = bent(rng, shape, cells, strength), maps.Matrix(np.diag([*[1 / first] * d, 1.0]))
    low = rng.uniform(0, 0.7, (12 // d - 1, d))
    boxes = np.concatenate([low, low + rng.uniform(0.02, 0.3, low.shape)], axis=1) * np.tile(shape, 2) / first
    chain = (bend, zoom)
    found = np.empty_like(boxes)
    for pieces, index in grouped([chain], boxes):
        found[index] = Outlines.of(boxes[index], pieces=pieces).pushed(chain).whole()
    for box, edges in zip(boxes, found, strict=True):
        moved = solved(bend, surface(box, 400 if d == 2 else 40) * first)
        np.testing.assert_allclose(edges, [*moved.min(axis=0), *moved.max(axis=0)], atol=0.02)


def test_boxes_are_cut_into_as_many_pieces_as_they_are_bent() -> None:
    bend = bent(np.random.default_rng(3), (500, 500), (5, 5), 0.25)
    boxes = np.array([[10.0, 10, 14, 14], [10, 10, 60, 60], [0, 0, 499, 499], [200, 200, 204, 204]])
    groups = grouped([(bend,)], boxes)
    assert groups[0][0] < 3
    assert [index.tolist() for _, index in groups] == [[0, 3], [1], [2]]
    straight = grouped([(maps.Window((9, 9)), turned(30, (500, 500)))], boxes)
    assert [(pieces, index.tolist()) for pieces, index in straight] == [(1, [0, 1, 2, 3])]
