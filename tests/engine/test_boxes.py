from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core import geometry as geo
from imagemill.core import maps
from imagemill.engine.boxes import Outlines


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
    left = Outlines.of(edges[None], bends=False).pushed(chain).within(shape)[0]
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
    left = Outlines.of(box[None], bends=False).pushed(chain).within(shape)[0]
    np.testing.assert_allclose(left, sampled(chain, box, shape, per_pixel=6), atol=0.4)


def test_the_frames_corner_inside_a_box_counts() -> None:
    # A huge box turned by 45 degrees covers the frame: what is left of it is the frame.
    shape = (6, 6, 6)
    huge = Outlines.of(np.array([[-50.0, -50, -50, 50, 50, 50]]), bends=False).pushed((turned(45, shape),))
    np.testing.assert_allclose(huge.within(shape)[0], [-0.5] * 3 + [5.5] * 3)


def test_a_box_that_left_is_gone_and_stays_gone() -> None:
    away = maps.Matrix(geo.translation(np.array([[100.0, 0.0]]))[0])
    back = maps.Matrix(geo.translation(np.array([[-100.0, 0.0]]))[0])
    outlines = Outlines.of(np.array([[1.0, 1, 4, 4], [101, 1, 104, 4]]), bends=False)
    through = outlines.pushed((away, maps.Window((20, 20), 0.0, 0)))
    assert kept(through.within((20, 20))).tolist() == []
    assert kept(outlines.pushed((away,)).within((20, 20))).tolist() == [1]
    assert kept(outlines.pushed((away,)).pushed((back,)).within((20, 20))).tolist() == [0]


def test_a_box_without_extent_is_kept_while_it_is_inside() -> None:
    outlines = Outlines.of(np.array([[3.0, 3, 3, 3], [30, 3, 30, 3], [2, 2, 2, 9]]), bends=False)
    assert kept(outlines.within((8, 8))).tolist() == [0, 2]


def test_a_bent_box_is_followed_along_its_edges() -> None:
    rng = np.random.default_rng(5)
    bend = maps.Displace(rng.uniform(-2, 2, (2, 8, 8)), (40, 50))
    edges = np.array([[5.0, 6, 30, 41]])
    left = Outlines.of(edges, bends=True).pushed((bend,)).within((40, 50))[0]
    ring = np.concatenate(
        [np.stack([np.linspace(5, 30, 400), np.full(400, x)], 1) for x in (6, 41)]
        + [np.stack([np.full(400, y), np.linspace(6, 41, 400)], 1) for y in (5, 30)]
    )
    from imagemill.engine.points import push

    moved = push((bend,), ring)
    np.testing.assert_allclose(left, [*moved.min(axis=0), *moved.max(axis=0)], atol=0.05)
