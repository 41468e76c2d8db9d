"""Turns, zooms, shears and shifts: directions, units, centres, and that all of them compose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.core import geometry as geo
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ranges import Choice
from imagemill.transforms.geometric import Affine, Rotate, Shear, Shift, Zoom
from tests.transforms.geometric.support import draw, draws_for, frame_of, render

ANGLE = st.floats(-180, 180)


def moved_to(op: Any, point: Any, row: int = 0) -> Any:
    """Where the output shows what the input has at ``point``."""
    return geo.apply(np.linalg.inv(op.matrix[row]), np.array([point], dtype=np.float64))[0]


def corners(shape: tuple[int, ...]) -> Any:
    ends = [(-0.5, n - 0.5) for n in shape]
    return np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, len(shape))


def test_positive_degrees_turn_counter_clockwise() -> None:
    # The point right of the centre goes up.
    np.testing.assert_allclose(moved_to(draw(Rotate(30), Frame.of(11, 11)), (5, 9)), [3, 5 + 4 * np.cos(np.pi / 6)])


@given(ANGLE, st.sampled_from(["yx", "zy", "zx", "all"]))
def test_turns_keep_distances_in_millimetres(degrees: float, plane: str) -> None:
    spacing = np.array([5.0, 0.7, 1.3])
    frame = Frame.of(8, 40, 30, spacing=tuple(spacing))
    matrix = draw(Rotate(degrees, plane=plane), frame).matrix[0]
    points = np.random.default_rng(0).uniform(0, 30, (6, 3))
    before, after = points * spacing, geo.apply(matrix, points) * spacing
    np.testing.assert_allclose(np.linalg.norm(after - after[0], axis=1), np.linalg.norm(before - before[0], axis=1))
    assert np.linalg.det(matrix) == pytest.approx(1.0)
    np.testing.assert_allclose(geo.apply(matrix, frame.centre), frame.centre)


def test_slices_turn_together_in_their_plane() -> None:
    matrix = draw(Rotate(20), Frame.of(5, 9, 9, spacing=(3, 1, 1))).matrix[0]
    np.testing.assert_allclose(matrix[0], [1, 0, 0, 0], atol=1e-15)
    np.testing.assert_allclose(matrix[:, 0], [1, 0, 0, 0], atol=1e-15)


def test_all_planes_turn_in_the_documented_order() -> None:
    frame = Frame.of(9, 9, 9, n=5)
    turn = Rotate((-40, 40), plane="all")
    draws = draws_for(turn, 5)
    together = turn.draw(draws, frame).matrix
    names = ["degrees.yx", "degrees.zx", "degrees.zy"]
    assert list(draws.values) == names
    columns = [draws.values[name] for name in names]
    assert len({tuple(c) for c in columns}) == 3
    for row in range(5):
        step_by_step = np.eye(4)
        for plane, column in zip(["yx", "zx", "zy"], columns, strict=True):
            step_by_step = step_by_step @ draw(Rotate(float(column[row]), plane=plane), Frame.of(9, 9, 9)).matrix[0]
        np.testing.assert_allclose(together[row], step_by_step, atol=1e-12)


def test_a_picture_has_one_plane() -> None:
    frame = Frame.of(9, 8, n=3)
    np.testing.assert_array_equal(draw(Rotate(plane="all"), frame).matrix, draw(Rotate(), frame).matrix)
    with pytest.raises(InputError, match="expected a plane of two of the axes y, x"):
        draw(Rotate(plane="zy"), frame)


@given(ANGLE, st.tuples(st.integers(2, 40), st.integers(2, 40)), st.floats(0.2, 5))
def test_fitted_corners_stay_inside_the_frame(degrees: float, shape: tuple[int, int], spacing: float) -> None:
    op = draw(Rotate(degrees, frame="fit"), Frame.of(*shape, spacing=(1.0, spacing)))
    shown = geo.apply(np.linalg.inv(op.matrix[0]), corners(shape))
    assert (shown >= -0.5 - 1e-9).all()
    assert (shown <= np.array(shape) - 0.5 + 1e-9).all()
    # Not smaller than need be: some corner touches an edge.
    touch = np.minimum(abs(shown + 0.5), abs(shown - np.array(shape) + 0.5))
    assert touch.min() < 1e-9


def test_fitting_a_turn_in_the_plane_leaves_slices_alone() -> None:
    matrix = draw(Rotate(45, frame="fit"), Frame.of(5, 9, 9)).matrix[0]
    np.testing.assert_allclose(matrix[0], [1, 0, 0, 0])
    assert matrix[1, 1] == pytest.approx(1.0)  # cos 45 times the square root of 2


@given(st.floats(-180, 180))
def test_fitted_corners_of_volumes_stay_inside_too(degrees: float) -> None:
    shape = (4, 9, 7)
    op = draw(Rotate((degrees, 180), plane="all", frame="fit"), Frame.of(*shape, spacing=(3, 1, 1)))
    shown = geo.apply(np.linalg.inv(op.matrix[0]), corners(shape))
    assert ((shown >= -0.5 - 1e-9) & (shown <= np.array(shape) - 0.5 + 1e-9)).all()


@given(st.floats(0.1, 8))
def test_zoom_magnifies_about_the_centre(factor: float) -> None:
    op = draw(Zoom(factor), Frame.of(11, 20))
    np.testing.assert_allclose(moved_to(op, (5 + 1, 9.5 - 2)), [5 + factor, 9.5 - 2 * factor])
    assert op.shape.tolist() == [[11, 20]]


def test_zoom_says_which_axes() -> None:
    frame = Frame.of(6, 8, 10, n=4)
    scales = [np.diagonal(m)[:3] for m in draw(Zoom((0.5, 2)), frame).matrix]
    assert all(np.ptp(s) == 0 for s in scales)
    assert len({float(s[0]) for s in scales}) == 4
    in_plane = draw(Zoom((0.5, 2), axes="yx"), frame).matrix
    np.testing.assert_array_equal(in_plane[:, 0, 0], 1.0)
    np.testing.assert_array_equal(in_plane[:, 1, 1], in_plane[:, 2, 2])
    mapped = draw(Zoom({"x": 2, "y": (0.5, 0.8)}), frame).matrix
    np.testing.assert_array_equal(mapped[:, 0, 0], 1.0)
    np.testing.assert_array_equal(mapped[:, 2, 2], 0.5)
    assert ((mapped[:, 1, 1] >= 1.25) & (mapped[:, 1, 1] <= 2)).all()
    with pytest.raises(InputError, match="expected one of the axes y, x, got 'z'"):
        draw(Zoom({"z": 2}), Frame.of(4, 4))


def test_a_mapping_is_drawn_in_the_order_of_the_axes() -> None:
    frame = Frame.of(6, 8, n=4)
    one, other = Zoom({"x": (1, 2), "y": (1, 2)}), Zoom({"y": (1, 2), "x": (1, 2)})
    np.testing.assert_array_equal(draw(one, frame).matrix, draw(other, frame).matrix)


def test_strong_shrinking_is_antialiased_unless_pixels_are_picked() -> None:
    assert draw(Zoom(0.3), Frame.of(9, 9)).sampling.antialias
    assert not draw(Zoom(0.3, order=0), Frame.of(9, 9)).sampling.antialias
    assert not draw(Zoom(0.3, antialias=False), Frame.of(9, 9)).sampling.antialias


def test_shifts_go_down_and_right_in_every_unit() -> None:
    frame = Frame.of(10, 20, spacing=(2.0, 0.5))
    for shift in (Shift(pixels={"y": 2, "x": 8}), Shift(fraction={"y": 0.2, "x": 0.4}), Shift(millimetres=4)):
        np.testing.assert_allclose(moved_to(draw(shift, frame), (3, 3)), [5, 11])


def test_each_axis_of_the_plane_gets_its_own_shift_and_slices_stay() -> None:
    shift = Shift(pixels=(-5, 5))
    frame = Frame.of(8, 30, 30, n=50)
    draws = draws_for(shift, 50)
    offset = -shift.draw(draws, frame).matrix[:, :3, 3]
    assert list(draws.values) == ["pixels.y", "pixels.x"]
    np.testing.assert_array_equal(offset[:, 0], 0)
    np.testing.assert_array_equal(offset[:, 1], draws.values["pixels.y"])
    assert abs(np.corrcoef(offset[:, 1], offset[:, 2])[0, 1]) < 0.5
    assert np.abs(offset).max() <= 5
    through = draw(Shift(pixels={"z": 3}), frame).matrix[:, :3, 3]
    np.testing.assert_array_equal(through, np.tile([-3.0, 0, 0], (50, 1)))


def test_fractions_are_of_each_images_own_size() -> None:
    op = draw(Shift(fraction=0.25), frame_of((8, 12), (4, 20)))
    np.testing.assert_allclose(op.matrix[:, :2, 2], [[-2, -3], [-1, -5]])


def test_a_constant_border_fills_the_empty_edge() -> None:
    image = np.arange(6.0).reshape(2, 3)
    op = draw(Shift(pixels={"x": 2}, border="constant", fill=-1), Frame.of(2, 3))
    np.testing.assert_array_equal(render(op, image), [[-1, -1, 0], [-1, -1, 3]])


def test_shear_slides_rows_right_below_the_centre() -> None:
    op = draw(Shear(45), Frame.of(9, 9))
    np.testing.assert_allclose(moved_to(op, (6, 4)), [6, 6])
    np.testing.assert_allclose(moved_to(op, (4, 7)), [4, 7])
    columns = draw(Shear({"y": 45}), Frame.of(9, 9))
    np.testing.assert_allclose(moved_to(columns, (4, 6)), [6, 6])


@given(st.floats(-80, 80), st.floats(-80, 80))
def test_shear_keeps_areas_and_moves_rows_before_columns(x: float, y: float) -> None:
    frame = Frame.of(9, 12, spacing=(2.0, 1.0))
    both = draw(Shear({"x": x, "y": y}), frame).matrix[0]
    assert np.linalg.det(both) == pytest.approx(1.0, abs=1e-9)
    one, other = (draw(Shear({a: v}), frame).matrix[0] for a, v in (("x", x), ("y", y)))
    np.testing.assert_allclose(both, one @ other, atol=1e-9)


def test_shear_is_an_angle_in_millimetres() -> None:
    # 3 rows of 2 mm below the centre is 6 mm, and so it moves 6 mm or 12 columns to the right.
    op = draw(Shear(45), Frame.of(9, 41, spacing=(2.0, 0.5)))
    np.testing.assert_allclose(moved_to(op, (7, 20)), [7, 32])


@pytest.mark.parametrize("shape", [(9, 14), (5, 9, 14)])
def test_affine_is_shear_turn_zoom_shift(shape: tuple[int, ...]) -> None:
    frame = Frame.of(*shape, spacing=(3.0, 2.0, 1.0)[-len(shape) :])
    zoom, shift = {"y": 1.2, "x": 0.7}, {"y": 0.1, "x": -0.2}
    chain = [Shear({"x": 12, "y": -5}), Rotate(33), Zoom(zoom), Shift(fraction=shift)]
    expected = np.eye(len(shape) + 1)
    for step in chain:
        expected = expected @ draw(step, frame).matrix[0]
    op = draw(Affine(33, zoom, shift, {"x": 12, "y": -5}), frame)
    np.testing.assert_allclose(op.matrix[0], expected, atol=1e-12)


def test_one_zoom_of_affine_is_for_the_plane() -> None:
    matrix = draw(Affine(zoom=2), Frame.of(4, 6, 8)).matrix[0]
    np.testing.assert_array_equal(np.diagonal(matrix), [1, 0.5, 0.5, 1])
    drawn = draw(Affine(zoom=(0.5, 2)), Frame.of(6, 8, n=4)).matrix
    np.testing.assert_array_equal(drawn[:, 0, 0], drawn[:, 1, 1])
    assert len(set(drawn[:, 0, 0])) == 4


def test_a_matrix_is_used_as_it_is() -> None:
    m = [[1, 0.2, 3], [0, 2, -1], [0, 0, 1]]
    op = draw(Affine(matrix=np.array(m)), Frame.of(4, 5, n=2))
    np.testing.assert_array_equal(op.matrix, [m, m])
    with pytest.raises(InputError, match=r"4 x 4 for axes zyx, got \(3, 3\)"):
        draw(Affine(matrix=m), Frame.of(4, 5, 6))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rotate(361), r"Rotate\(degrees=...\) within -360..360 degrees, got 361"),
        (lambda: Rotate((-400, 0)), "within -360..360 degrees, got -400..0"),
        (lambda: Rotate(plane="xy"), "one of 'yx', 'zy', 'zx', 'all', got 'xy'"),
        (lambda: Rotate(mask_fill=0.5), "whole number, got 0.5"),
        (lambda: Zoom(0), r"Zoom\(factor=...\) above 0, got 0"),
        (lambda: Zoom((-1, 2)), "above 0, got -1..2"),
        (lambda: Zoom({"y": 0}), "along y above 0, got 0"),
        (lambda: Zoom({"y": 1}, axes="x"), r"Zoom\(axes=...\) only with one factor"),
        (lambda: Zoom(axes="xx"), "to name axes out of z, y, x"),
        (lambda: Zoom(order=2), r"Zoom\(order=...\) to be one of 0, 1, 3, 5, got 2"),
        (lambda: Zoom(border="edge"), "to be one of 'nearest'"),
        (
            lambda: Shift(),
            r"exactly one of pixels, fraction, millimetres for Shift, got none of them; write Shift\(",
        ),
        (lambda: Shift(1, fraction=0.1), "got pixels and fraction"),
        (lambda: Shift(fraction=1.1), "within -1..1, got 1.1"),
        (lambda: Shift(fraction={"x": -2}), "along x within -1..1, got -2"),
        (lambda: Shift(1, whole=1), "one of False, True, got 1"),
        (lambda: Shear(81), "within -80..80 degrees, got 81"),
        (lambda: Shear((-90, 0)), "within -80..80 degrees, got -90..0"),
        (lambda: Shear({"z": 3}), "axes of the plane 'yx', got z; set plane"),
        (lambda: Affine(zoom=-1), "above 0"),
        (lambda: Affine(shift=2), "within -1..1"),
        (lambda: Affine(shear={"z": 2}), r"Affine\(shear=...\) to name axes of the plane 'yx'"),
        (lambda: Affine(3, matrix=np.eye(3)), "matrix=...\\) alone"),
        (lambda: Affine(matrix=np.eye(5)), "3 x 3 .pictures. or 4 x 4 .volumes."),
        (lambda: Affine(matrix=[[1, 0, 0], [0, 1, 0], [0, 1, 1]]), "last row .*; see Perspective"),
        (lambda: Affine(matrix=np.diag([1, 0, 1])), "invertible, got determinant 0"),
        (lambda: Affine(matrix="turn"), "a matrix of numbers"),
    ],
)
def test_constructors_refuse(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


def test_drawn_values_are_named_for_the_recipe() -> None:
    zoom = Zoom({"y": Choice((1, 2)), "x": 1.5})
    draws = draws_for(zoom, 3)
    zoom.draw(draws, Frame.of(5, 5, n=3))
    assert list(draws.values) == ["factor.y", "factor.x"]


def test_turns_are_rigid_in_pixels_without_a_spacing_and_in_millimetres_with_one() -> None:
    """By hand, of a picture squashed to half its width."""
    pipe = im.Pipeline([im.Resize((40, 20)), im.Rotate(90)], seed=1)
    ramp = np.tile(np.linspace(0, 1, 40, dtype=np.float32), (40, 1))
    unknown = pipe(image=ramp).affine
    known = pipe(image=im.Image(ramp, "yx", spacing=(1.0, 1.0))).affine
    # Steps down and to the right of the result, in pixels of the source.
    np.testing.assert_allclose(unknown[:2, :2], [[0, 1], [-2, 0]], atol=1e-12)
    np.testing.assert_allclose(known[:2, :2], [[0, 2], [-1, 0]], atol=1e-12)


def test_a_batch_may_hold_images_with_and_without_a_spacing() -> None:
    pipe = im.Pipeline([im.Resize((40, 20)), im.Rotate(90)], seed=1)
    ramp = np.zeros((40, 40), np.float32)
    batch = pipe.batch(image=[im.Image(ramp, "yx"), im.Image(ramp, "yx", spacing=(1.0, 1.0))], keys=[1, 2])
    np.testing.assert_allclose(batch.affine[:, 0, 1], [1, 2], atol=1e-12)
