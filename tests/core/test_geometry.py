"""The coordinate convention, held by numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core import geometry as geo
from imagemill.core.errors import InputError
from imagemill.core.geometry import Frame


def close(actual, expected, atol=1e-12):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def read(array, matrix):
    """The array seen through a pull matrix that hits whole pixels."""
    out = np.empty_like(array)
    for p in np.ndindex(array.shape):
        q = geo.apply(matrix, np.array([p], dtype=float))[0]
        whole = np.rint(q).astype(int)
        assert np.abs(q - whole).max() < 1e-12
        out[p] = array[tuple(whole)]
    return out


def turned(degrees, size, spacing=None, plane=(0, 1)):
    d = len(size)
    centre = (np.array([size]) - 1) / 2.0
    return geo.about(geo.rotation(np.array([float(degrees)]), plane, d), centre, spacing)[0]


@pytest.mark.parametrize("quarters", [-5, -1, 0, 1, 2, 3, 4, 7])
@pytest.mark.parametrize("size", [3, 4])
def test_positive_degrees_turn_counter_clockwise_on_screen(quarters, size):
    picture = np.arange(size * size).reshape(size, size)
    # numpy's rot90 turns from the first axis towards the second: counter-clockwise with y pointing down.
    np.testing.assert_array_equal(read(picture, turned(90 * quarters, (size, size))), np.rot90(picture, quarters))


@pytest.mark.parametrize("plane", [(0, 1), (0, 2), (1, 2)])
def test_turns_of_a_volume_stay_in_their_plane(plane):
    volume = np.arange(27).reshape(3, 3, 3)
    np.testing.assert_array_equal(read(volume, turned(90, (3, 3, 3), plane=plane)), np.rot90(volume, 1, plane))


@given(st.floats(-720, 720), st.floats(-720, 720))
def test_turns_add_up_and_keep_lengths(a, b):
    first, second, both = geo.rotation(np.array([a, b, a + b]), (0, 1), 2)
    close(first @ second, both, 1e-11)
    close(first @ first.T, np.eye(2))


def test_cosine_and_sine_are_exact_at_quarter_turns():
    cos, sin = geo.cos_sin(np.arange(-8, 9) * 90.0)
    np.testing.assert_array_equal(cos, np.tile([1, 0, -1, 0], 5)[:17])
    np.testing.assert_array_equal(sin, np.tile([0, 1, 0, -1], 5)[:17])
    # No negative zeros: they would make equal matrices differ in their bytes.
    assert not np.signbit(cos[cos == 0]).any()
    assert not np.signbit(sin[sin == 0]).any()


@given(st.floats(-1000, 1000))
def test_cosine_and_sine_are_numpys_elsewhere(degrees):
    cos, sin = geo.cos_sin(np.array([degrees]))
    close(cos, np.cos(np.deg2rad(degrees)))
    close(sin, np.sin(np.deg2rad(degrees)))


def test_a_map_about_a_centre_keeps_the_centre():
    rng = np.random.default_rng(0)
    linear, centre = rng.normal(size=(5, 3, 3)), rng.normal(size=(5, 3)) * 20
    for m, c in zip(geo.about(linear, centre), centre, strict=True):
        close(geo.apply(m, c[None])[0], c, 1e-10)


def test_a_turn_with_spacing_is_rigid_in_millimetres():
    spacing = np.array([[3.0, 0.5]])
    m = turned(30, (20, 90), spacing)
    points = np.array([[4.0, 10.0], [9.0, 70.0]])
    moved = geo.apply(m, points)
    before, after = (np.linalg.norm((p[1] - p[0]) * spacing) for p in (points, moved))
    close(after, before)
    # In pixels the same turn is not rigid: the spacing was taken into account.
    assert abs(np.linalg.norm(moved[1] - moved[0]) - np.linalg.norm(points[1] - points[0])) > 1


def test_equal_spacings_change_no_bit():
    linear = geo.rotation(np.array([33.0]), (0, 1), 2)
    centre = np.array([[4.5, 7.0]])
    np.testing.assert_array_equal(geo.about(linear, centre, np.full((1, 2), 0.7)), geo.about(linear, centre))


def test_spacing_conjugates_as_the_docstring_says():
    linear = np.random.default_rng(1).normal(size=(1, 3, 3))
    spacing = np.array([[2.0, 1.0, 0.25]])
    s = np.diag(spacing[0])
    close(geo.about(linear, np.zeros((1, 3)), spacing)[0, :3, :3], np.linalg.inv(s) @ linear[0] @ s)


@pytest.mark.parametrize("size", [5, 6])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_flip_mirrors_pixels_and_edges_for_both_parities(size, axis):
    shape = np.array([[size, size + 1]])
    m = geo.flip(shape, axis)[0]
    picture = np.arange(size * (size + 1)).reshape(size, size + 1)
    np.testing.assert_array_equal(read(picture, m), np.flip(picture, axis))
    n = shape[0, axis]
    low, high = np.full((1, 2), -0.5), np.full((1, 2), n - 0.5)
    assert geo.apply(m, low)[0, axis] == n - 0.5
    assert geo.apply(m, high)[0, axis] == -0.5
    np.testing.assert_array_equal(m @ m, np.eye(3))


@given(st.tuples(st.integers(1, 500), st.integers(1, 500)), st.tuples(st.integers(1, 500), st.integers(1, 500)))
def test_resizing_keeps_the_outer_edges(size, out):
    m = geo.resize(np.array([size]), np.array([out]))[0]
    edges = geo.apply(m, np.array([[-0.5, -0.5], [out[0] - 0.5, out[1] - 0.5]]))
    close(edges, [[-0.5, -0.5], [size[0] - 0.5, size[1] - 0.5]], 1e-9)


def test_resizing_to_the_same_size_is_the_identity():
    shape = np.array([[7, 11, 3]])
    np.testing.assert_array_equal(geo.resize(shape, shape)[0], np.eye(4))


def test_translation_and_scaling():
    close(geo.apply(geo.translation(np.array([[2.0, -3.0]]))[0], np.array([[1.0, 1.0]])), [[3, -2]])
    close(geo.apply(geo.scaling(np.array([[2.0, -3.0]]))[0], np.array([[1.0, 1.0]])), [[2, -3]])


def test_a_projective_matrix_divides():
    m = np.eye(3)
    m[2, 1] = 0.5
    assert not geo.affine_rows(m[None])
    assert geo.affine_rows(np.eye(3)[None])
    close(geo.apply(m, np.array([[3.0, 4.0]])), [[1.0, 4 / 3]])


def test_rows_do_not_depend_on_the_batch_bit_for_bit():
    rng = np.random.default_rng(2)
    degrees, centre, spacing = rng.uniform(-180, 180, 9), rng.normal(size=(9, 3)), rng.uniform(0.5, 3, (9, 3))
    whole = geo.about(geo.rotation(degrees, (0, 2), 3), centre, spacing)
    for row in range(9):
        one = slice(row, row + 1)
        alone = geo.about(geo.rotation(degrees[one], (0, 2), 3), centre[one], spacing[one])
        np.testing.assert_array_equal(alone[0], whole[row])


@pytest.mark.parametrize(
    ("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1), (np.float64, 1), (np.bool_, 1)]
)
def test_white(dtype, white):
    assert geo.peak_of(dtype) == white
    assert Frame.of(4, 5, dtype=dtype).peak == white


def test_a_frame_tells_its_centre_spacing_and_axes():
    frame = Frame.of(4, 6, 9, spacing=(3.0, 0.5, 0.7), n=2, channels=2)
    assert (frame.n, frame.ndim, frame.axes, frame.channels, frame.in_plane) == (2, 3, "zyx", 2, (1, 2))
    close(frame.centre, [[1.5, 2.5, 4]] * 2)
    close(frame.spacing, [[3, 0.5, 0.7]] * 2)
    assert frame.axis("y") == 1
    assert frame.plane("zx") == (0, 2)
    assert frame.foreground() is None
    assert Frame.of(4, 6).in_plane == (0, 1)


def test_a_moved_frame_knows_its_spacing_and_place():
    frame = Frame.of(10, 20, spacing=(2.0, 0.5))
    out = np.array([[5, 40]])
    moved = frame.moved(geo.resize(frame.shape, out), out)
    close(moved.spacing, [[4, 0.25]])
    np.testing.assert_array_equal(moved.shape, out)
    # The middle of the frame is the same place in the world before and after.
    for f in (frame, moved):
        close(geo.apply(f.affine[0], f.centre)[0], [4.5 * 2, 9.5 * 0.5])


def test_a_foreground_is_asked_of_the_mask():
    extent = (np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    content: Any = SimpleNamespace(extent=lambda: extent)
    frame = Frame("yx", np.array([[9, 9]]), geo.identity(1, 2), content=content)
    assert frame.foreground() is extent


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: Frame.of(4), r"a shape of 2 or 3 lengths, got \(4,\)"),
        (lambda: Frame.of(1, 2, 3, 4), r"a shape of 2 or 3 lengths"),
        (lambda: Frame.of(4, 5).axis("z"), r"one of the axes y, x, got 'z'"),
        (lambda: Frame.of(4, 5).axis("yx"), r"one of the axes y, x, got 'yx'"),
        (lambda: Frame.of(4, 5).plane("yy"), r"a plane of two of the axes y, x, such as 'yx', got 'yy'"),
        (lambda: Frame.of(4, 5).plane("zx"), r"a plane of two of the axes y, x, such as 'yx', got 'zx'"),
        (lambda: Frame.of(4, 5).plane("y"), r"a plane of two of the axes"),
    ],
)
def test_what_a_frame_does_not_have_is_refused(ask, message):
    with pytest.raises(InputError, match=message):
        ask()
