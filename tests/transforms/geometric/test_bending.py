"""Perspective and elastic deformation: corners go where they are sent, and nothing folds."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.core import coordinate_maps as maps
from imagemill.core import geometry as geo
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Warp
from imagemill.engine.annotations.unbend import bend, unbend
from imagemill.transforms.geometric import D4, Elastic, GridDistortion, OpticalDistortion, Perspective, Transpose
from imagemill.transforms.geometric.elastic import STRONGEST
from imagemill.transforms.geometric.perspective import homography
from tests.transforms.geometric.support import displaced, draw, draws_for, frame_of


@given(st.integers(0, 10_000))
def test_a_homography_takes_its_points_to_their_places(seed: int) -> None:
    rng = np.random.default_rng(seed)
    square = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])
    source = square + rng.uniform(-0.4, 0.4, (3, 4, 2))
    target = square * 7 + rng.uniform(-2, 2, (3, 4, 2))
    for m, a, b in zip(homography(source, target), source, target, strict=True):
        np.testing.assert_allclose(geo.apply(m, a), b, atol=1e-9)


@pytest.mark.parametrize("shape", [(2, 2), (30, 50), (480, 640)])
@pytest.mark.parametrize("strength", [0.1, 0.33])
def test_corners_move_inwards_by_at_most_the_strength(shape: tuple[int, int], strength: float) -> None:
    op = draw(Perspective(strength), Frame.of(*shape, n=200))
    size = np.array(shape)
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * size - 0.5
    inwards = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    moved = np.array([(geo.apply(np.linalg.inv(m), corners) - corners) / size * inwards for m in op.matrix])
    assert moved.min() >= -1e-9
    assert moved.max() <= strength + 1e-9
    np.testing.assert_allclose(moved.mean(axis=0), strength / 2, atol=strength * 0.1)
    # Depth keeps its sign over the picture: the horizon stays outside.
    shown = np.array([geo.apply(np.linalg.inv(m), corners) for m in op.matrix])
    depth = np.einsum("nij,nj->ni", shown, op.matrix[:, 2, :2]) + op.matrix[:, 2, 2:]
    assert depth.min() > 0


def test_no_strength_is_exactly_nothing() -> None:
    np.testing.assert_array_equal(draw(Perspective(0), Frame.of(7, 9, n=2)).matrix, geo.identity(2, 2))


def test_perspective_is_for_pictures() -> None:
    with pytest.raises(ParameterError, match="pictures for Perspective, got axes zyx; use Affine or Elastic"):
        draw(Perspective(), Frame.of(4, 5, 6))


def test_only_the_strength_is_shown() -> None:
    for transform, frame in ((Perspective(), Frame.of(9, 9)), (Elastic(), Frame.of(9, 9))):
        draws = draws_for(transform, 1)
        transform.draw(draws, frame)
        assert list(draws.values) == ["strength"]


def jacobians(op: Any, shape: tuple[int, ...], row: int, step: int = 1) -> Any:
    """Determinants of the deformation by differences over a few pixels."""
    q = displaced(op, shape, row, step)
    d = len(shape)
    # Differences to the next point along each axis, cut to one common shape.
    kept = (slice(None, -1),) * d
    columns = [np.diff(np.moveaxis(q, 1 + a, 1), axis=1) for a in range(d)]
    slopes = [np.moveaxis(c, 1, 1 + a) for a, c in enumerate(columns)]
    common = [s[(slice(None), *(slice(None) if b == a else kept[b] for b in range(d)))] for a, s in enumerate(slopes)]
    return np.linalg.det(np.moveaxis(np.stack(common) / step, (0, 1), (-1, -2)))


def pushed(op: Warp, rows: int) -> Warp:
    """The first rows with every coefficient at its extreme, keeping its sign."""
    axes = tuple(range(2, op.grid.ndim))
    extreme = np.sign(op.grid) * np.abs(op.grid).max(axis=(0, *axes), keepdims=True)
    return Warp(np.concatenate([extreme[:rows], op.grid[rows:]]), op.sampling)


@pytest.mark.parametrize("cells", [1, 2, 5, (3, 8)])
def test_pictures_do_not_fold_at_the_largest_strength(cells: Any) -> None:
    shape = (96, 64)
    op = pushed(draw(Elastic(STRONGEST[2], cells=cells), Frame.of(*shape, n=60)), 30)
    smallest = min(jacobians(op, shape, row).min() for row in range(60))
    assert smallest > 0


def test_volumes_do_not_fold_at_the_largest_strength() -> None:
    shape = (24, 36, 30)
    op = pushed(draw(Elastic(STRONGEST[3], cells=3), Frame.of(*shape, n=16)), 8)
    assert min(jacobians(op, shape, row).min() for row in range(16)) > 0


def worst_slope(moving: int) -> float:
    """How much the divergence of a lattice with coefficients within +-1 can be, anywhere in a cell.

    Every coefficient takes the sign that counts against all the axes that move at once.
    """
    t = np.linspace(0, 1, 41)
    value = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
    slope = np.stack([-((1 - t) ** 2), 3 * t**2 - 4 * t, -3 * t**2 + 2 * t + 1, t**2]) / 2
    if moving == 1:
        return float(np.abs(slope).sum(axis=0).max())
    total = np.zeros((len(t),) * moving)
    for tap in np.ndindex(*(4,) * moving):
        gradient = np.zeros_like(total)
        for axis in range(moving):
            factors = [(slope if a == axis else value)[k] for a, k in enumerate(tap)]
            gradient += functools.reduce(np.multiply.outer, factors)
        total += np.abs(gradient)
    return float(total.max())


@pytest.mark.parametrize(("moving", "published"), [(2, 2.046392675), (3, 2.479472335)])
def test_bounds_are_those_of_choi_and_lee(moving: int, published: float) -> None:
    # The divergence, all axes pushed by one sign pattern, is their extreme case; a grid of 41 comes near it.
    assert worst_slope(moving) == pytest.approx(published, rel=2e-3)
    assert STRONGEST[moving] < 1 / published < STRONGEST[moving] * 1.02


def test_one_axis_alone_may_move_farther() -> None:
    assert worst_slope(1) == pytest.approx(1.5)
    assert STRONGEST[1] < 1 / 1.5
    with pytest.raises(ParameterError, match=r"0\.\.0\.66 lattice cells where 1 axes move, got 0.7"):
        Elastic(0.7, axes="x")


def test_displacements_are_in_cells_of_each_axis() -> None:
    frame = frame_of((40, 100), (80, 20))
    op = draw(Elastic(0.4, cells=(4, 5)), frame)
    assert op.grid.shape == (2, 2, 7, 8)
    reach = np.abs(op.grid).max(axis=(2, 3))
    np.testing.assert_array_less(reach, [[4, 8], [8, 1.6]])
    np.testing.assert_array_less([[3.5, 7], [7, 1.4]], reach)
    moved = displaced(op, (40, 100), 0) - np.indices((40, 100))
    assert np.abs(moved[0]).max() <= 4
    assert np.abs(moved[1]).max() <= 8
    assert abs(op.grid.mean()) < 1


def test_axes_that_stay_do_not_move() -> None:
    op = draw(Elastic(0.45, axes="yx"), Frame.of(6, 30, 30))
    assert op.grid.shape == (1, 3, 8, 8, 8)
    np.testing.assert_array_equal(op.grid[:, 0], 0)
    assert np.ptp(op.grid[:, 1]) > 1
    with pytest.raises(InputError, match="one of the axes y, x, got 'z'"):
        draw(Elastic(0.1, axes="zy"), Frame.of(9, 9))


def test_volumes_have_a_tighter_bound() -> None:
    with pytest.raises(ParameterError, match=r"within 0\.\.0\.4 lattice cells where 3 axes move, got 0.48; more"):
        draw(Elastic(0.48), Frame.of(6, 6, 6))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Perspective(-0.1), r"Perspective\(strength=...\) within 0..0.33 of the side, got -0.1"),
        (lambda: Perspective(0.34), "within 0..0.33 of the side, got 0.34"),
        (lambda: Elastic(-0.1), r"Elastic\(strength=...\) within 0..inf lattice cells, got -0.1"),
        (lambda: Elastic((0, 0.5)), "within 0..0.48 lattice cells where 2 axes move, got 0..0.5"),
        (lambda: Elastic(0.1, cells=0), "whole number of at least 1, got 0"),
        (lambda: Elastic(0.1, axes="xyzz"), "axes out of z, y, x"),
        (lambda: draw(Elastic(0.1, cells=(3, 4)), Frame.of(5, 5, 5)), "one number or 3 for axes zyx"),
    ],
)
def test_constructors_refuse(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


def test_a_lens_bends_by_the_radial_model_exactly() -> None:
    """Against the polynomial itself, at places between pixels as well."""
    op = draw(OpticalDistortion(0.35), Frame.of(40, 60))
    stage = maps.Displace(op.grid[0], (40, 60))
    places = np.random.default_rng(0).uniform([-0.5, -0.5], [39.5, 59.5], (200, 2))
    p = (places - [19.5, 29.5]) / [40, 60]
    wanted = p * (1 + 0.35 * (p**2).sum(axis=1, keepdims=True)) * [40, 60] + [19.5, 29.5]
    np.testing.assert_allclose(bend(stage, places), wanted, atol=1e-9)
    np.testing.assert_allclose(unbend(stage, wanted), places, atol=1e-6)


@given(st.integers(0, 2**32), st.floats(0, 0.9), st.integers(2, 9))
def test_a_distorted_grid_keeps_its_ends_and_never_folds(seed: int, strength: float, cells: int) -> None:
    op = draw(GridDistortion(strength, cells=cells), Frame.of(30, 50), seed=seed)
    stage = maps.Displace(op.grid[0], (30, 50))
    ends = np.array([[-0.5, -0.5], [29.5, 49.5]])
    np.testing.assert_allclose(bend(stage, ends), ends, atol=1e-9)
    line = np.stack([np.linspace(-0.5, 29.5, 400), np.linspace(-0.5, 49.5, 400)], axis=1)
    there = bend(stage, line)
    assert (np.diff(there, axis=0) > 0).all()
    assert stage.one_to_one
    np.testing.assert_allclose(unbend(stage, there), line, atol=1e-5)


def test_a_grid_of_equal_widths_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
    np.testing.assert_array_equal(im.Pipeline([GridDistortion(0.0)], seed=1)(image), image)


def test_the_symmetries_of_the_square_are_numpys() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    wanted = {np.rot90(one, k).tobytes() + bytes(np.rot90(one, k).shape) for one in (image, image.T) for k in range(4)}
    pipe = im.Pipeline([D4()], seed=3)
    made = [pipe(image, key=key) for key in range(200)]
    assert {one.tobytes() + bytes(one.shape) for one in made} == wanted
    np.testing.assert_array_equal(im.Pipeline([Transpose()], seed=0)(image), image.T)
    volume = np.arange(24).reshape(2, 3, 4).astype(np.int16)
    turned = im.Pipeline([Transpose()], seed=0)(volume, axes="zyx")
    np.testing.assert_array_equal(turned, volume.transpose(0, 2, 1))
