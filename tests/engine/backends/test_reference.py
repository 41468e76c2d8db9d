"""The reference against scipy, OpenCV and hand-made arrays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import scipy.ndimage as ndi

from imagemill.core.coordinate_maps import Displace, Matrix, Window
from imagemill.core.errors import InputError
from imagemill.engine.backends import reference
from imagemill.engine.chains import SCIPY_MODES
from tests.engine.backends.strategies import BORDERS, affine, image


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("order", [1, 3, 5])
@pytest.mark.parametrize("shape", [(13, 18), (7, 8, 9)])
def test_affine_equals_scipy(shape, order, border):
    src = image(1, shape, "float64")
    out_shape = tuple(n + 2 for n in shape)
    stage = affine(np.random.default_rng(2), shape, out_shape)
    wanted = ndi.affine_transform(src, stage.m, output_shape=out_shape, order=order, mode=SCIPY_MODES[border], cval=0.7)
    got = reference.resample(src[..., None], (stage,), out_shape, order=order, border=border, fill=0.7)[..., 0]
    np.testing.assert_allclose(got, wanted, atol=1e-9)


@pytest.mark.parametrize("order", [1, 3, 5])
def test_shift_and_zoom_equal_scipy(order):
    src = image(3, (12, 17), "float64")
    shift = Matrix(np.array([[1.0, 0, -1.3], [0, 1, 0.4], [0, 0, 1]]))
    got = reference.resample(src[..., None], (shift,), src.shape, order=order, border="mirror")[..., 0]
    np.testing.assert_allclose(got, ndi.shift(src, (1.3, -0.4), order=order, mode="mirror"), atol=1e-9)
    zoom = Matrix(np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]]))
    got = reference.resample(src[..., None], (zoom,), (24, 34), order=order, border="reflect")[..., 0]
    np.testing.assert_allclose(got, ndi.zoom(src, 2, order=order, mode="reflect", grid_mode=True), atol=1e-9)


def test_order_zero_rounds_halves_up():
    ramp = np.arange(6.0).reshape(1, 6, 1)
    half = Matrix(np.array([[1.0, 0, 0], [0, 1, 0.5], [0, 0, 1]]))
    got = reference.resample(ramp, (half,), (1, 5), order=0, border="nearest")
    np.testing.assert_array_equal(got[0, :, 0], [1, 2, 3, 4, 5])


def test_displacement_reproduces_straight_lines():
    # A cubic B-spline whose coefficients lie on a line is that line, whatever the lattice.
    shape, cells = (9, 14), (3, 5)
    knots = np.arange(cells[0] + 3) - 1.0
    grid = np.zeros((2, cells[0] + 3, cells[1] + 3))
    grid[0] = 2.0 * knots[:, None]
    coords, outside = reference.coordinates((Displace(grid, shape),), shape)
    assert outside is None
    y = np.arange(9)
    np.testing.assert_allclose(coords[0][:, 3], y + 2.0 * (y + 0.5) / 9 * 3, atol=1e-12)
    np.testing.assert_array_equal(coords[1][4], np.arange(14))


def test_window_nearest_to_the_output_wins():
    src = np.full((4, 4, 1), 9.0)
    outer, inner = Window((3, 4), fill=1.0, mask_fill=3), Window((4, 2), fill=2.0, mask_fill=4)
    got = reference.resample(src, (outer, inner), (4, 4), order=1, border="nearest")[..., 0]
    wanted = [[9, 9, 2, 2]] * 3 + [[1, 1, 1, 1]]
    np.testing.assert_array_equal(got, wanted)
    labels = reference.resample_labels(np.full((4, 4), 7, np.uint8), (outer, inner), (4, 4), border="nearest")
    np.testing.assert_array_equal(labels, [[7, 7, 4, 4]] * 3 + [[3, 3, 3, 3]])


def test_labels_beyond_float64_survive():
    labels = np.array([[2**53 + 1, 2**62 + 1, -(2**63)]])
    flip = Matrix(np.array([[1.0, 0, 0], [0, -1, 2], [0, 0, 1]]))
    got = reference.resample_labels(labels, (flip,), (1, 3), border="nearest")
    np.testing.assert_array_equal(got, labels[:, ::-1])
    assert got.dtype == np.int64


@pytest.mark.parametrize("out_shape", [(10, 7), (9, 20), (1, 1), (23, 31)])
def test_area_equals_opencv(out_shape):
    src = image(5, (23, 31, 1), "float32")
    wanted = cv2.resize(src[..., 0], out_shape[::-1], interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(reference.resize_area(src, out_shape)[..., 0], wanted, atol=1e-5)
    scale = np.array([23 / out_shape[0], 31 / out_shape[1]])
    m = np.diag([*scale, 1.0])
    m[:2, 2] = (scale - 1) / 2
    got = reference.resample(src, (Matrix(m),), out_shape, order=1, border="nearest", antialias=tuple(scale.tolist()))
    np.testing.assert_allclose(got, reference.resize_area(src, out_shape), atol=1e-12)


def test_turned_shrinking_is_smoothed_first():
    src = image(6, (30, 30, 2), "float64")
    stage = affine(np.random.default_rng(4), (30, 30), (9, 9))
    got = reference.resample(src, (stage,), (9, 9), order=1, border="reflect", antialias=(3.0, 2.0))
    smooth = ndi.gaussian_filter(src, (1.0, 0.5, 0.0), mode="reflect")
    wanted = reference.resample(smooth, (stage,), (9, 9), order=1, border="reflect")
    np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_a_horizon_stays_finite():
    m = np.eye(3)
    m[2, 1] = -0.25
    for border in BORDERS:
        src = image(7, (8, 8, 1), "float64")
        got = reference.resample(src, (Matrix(m),), (8, 8), order=1, border=border, fill=0.5)
        assert np.isfinite(got).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"border": "edge"}, "expected a border out of nearest"),
        ({"order": 2}, "expected a spline order"),
        ({"fill": [1, 2, 3]}, "expected one fill value or one per channel"),
        ({"antialias": (2.0,)}, "expected one antialias factor per axis"),
    ],
)
def test_wrong_options_say_what_to_do(change, words):
    options = {"order": 1, "border": "nearest", "fill": 0.0, **change}
    with pytest.raises(InputError, match=words):
        reference.resample(np.zeros((4, 4, 2)), (), (4, 4), **options)


def test_wrong_stages_are_refused():
    for stage in (Matrix(np.eye(4)), Matrix(np.full((3, 3), np.nan)), Window((4, 4, 4))):
        with pytest.raises(InputError, match="expected every stage"):
            reference.resample(np.zeros((4, 4, 1)), (stage,), (4, 4), order=1, border="nearest")
    with pytest.raises(InputError, match="area weights only shrink"):
        reference.resize_area(np.zeros((4, 4, 1)), (5, 4))
