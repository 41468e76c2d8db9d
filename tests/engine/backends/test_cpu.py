"""Every CPU kernel against the reference, on generated chains."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from imagemill.core.coordinate_maps import Displace, Matrix
from imagemill.core.errors import InputError
from imagemill.engine.backends import reference
from imagemill.engine.backends.cpu.choose import choose, resample, resample_labels
from imagemill.engine.backends.cpu.flat import flatten
from imagemill.engine.backends.cpu.resample.axis_aligned import spline_weights
from imagemill.engine.backends.cpu.resample.lines import AFFINE, ALONG, PIECES, TAPS, scratch, trace_row
from imagemill.engine.backends.cpu.resample.splines import coefficients
from imagemill.engine.chains import SCIPY_MODES, integer_index
from tests.engine.backends.strategies import (
    BORDERS,
    DTYPES,
    KINDS,
    ORDERS,
    affine,
    assert_close,
    chain,
    far_from_ties,
    image,
    projective,
    seeds,
    shapes2,
    shapes3,
)

quick = settings(max_examples=60, deadline=None, derandomize=True)


def compare(seed, in_shape, out_shape, kind, dtype, channels, order, border, out_dtype=None):
    rng = np.random.default_rng(seed)
    src = image(seed, (*in_shape, channels), dtype)
    before = src.copy()
    stages = chain(kind, rng, in_shape, out_shape)
    fill = rng.integers(0, 100, channels).astype(float)
    got = resample(src, stages, out_shape, order=order, border=border, fill=fill, out_dtype=out_dtype)
    wanted = reference.resample(src, stages, out_shape, order=order, border=border, fill=fill)
    np.testing.assert_array_equal(src, before)
    assert got.dtype == (out_dtype or dtype)
    if order == 0:
        sure = far_from_ties(reference.coordinates(stages, out_shape)[0])
        got, wanted = got[sure], wanted[sure]
        if not sure.any():
            return
    assert_close(got, wanted, src, order)


@pytest.mark.parametrize("kind", KINDS)
@quick
@given(
    seeds,
    shapes2,
    shapes2,
    st.sampled_from(DTYPES),
    st.integers(1, 6),
    st.sampled_from(ORDERS),
    st.sampled_from(BORDERS),
)
def test_images(kind, seed, in_shape, out_shape, dtype, channels, order, border):
    compare(seed, in_shape, out_shape, kind, dtype, channels, order, border)


@pytest.mark.parametrize("kind", KINDS)
@quick
@given(
    seeds, shapes3, shapes3, st.sampled_from(["uint8", "int16", "float32"]), st.integers(1, 2),
    st.sampled_from(ORDERS), st.sampled_from(BORDERS),
)  # fmt: skip
def test_volumes(kind, seed, in_shape, out_shape, dtype, channels, order, border):
    compare(seed, in_shape, out_shape, kind, dtype, channels, order, border)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", [(37, 52), (14, 15, 16)])
def test_every_border_and_order_on_larger_arrays(shape, order, border):
    for kind in ("affine", "elastic", "scaled"):
        compare(11, shape, tuple(n + 3 for n in shape), kind, "float32", 1, order, border)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_warps_hold_the_tolerance_on_photos(dtype, channels, border):
    shape, out_shape = (375, 500), (224, 224)
    rng = np.random.default_rng(3)
    ours = dtype == "uint8" and channels == 3
    for kind, name in (("affine", "cv2.warpAffine"), ("projective", "cv2.warpPerspective")):
        stages = chain(kind, rng, shape, out_shape)
        name = "numba.photo" if ours else name
        assert choose(stages, shape, out_shape, dtype, channels, 1, border).name == name
        src = image(9, (*shape, channels), dtype)
        got = resample(src, stages, out_shape, order=1, border=border, fill=40)
        wanted = reference.resample(src, stages, out_shape, order=1, border=border, fill=40)
        assert_close(got, wanted, src, 1)


@pytest.mark.parametrize("out_dtype", ["float32", "float64"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["affine", "scaled", "everything"])
@pytest.mark.parametrize("order", [1, 3])
def test_float_results_are_not_rounded(order, kind, dtype, out_dtype):
    compare(5, (21, 17), (18, 19), kind, dtype, 3, order, "constant", out_dtype)


def scaling(in_shape, out_shape, low, high, flip=()):
    """Matrix showing the window ``low .. high`` (in edge coordinates) of the input."""
    scale = (np.array(high) - low) / np.array(out_shape)
    m = np.diag([*scale, 1.0])
    m[:-1, -1] = np.array(low) + scale / 2 - 0.5
    for axis in flip:
        m[axis, -1] += m[axis, axis] * (out_shape[axis] - 1)
        m[axis, axis] *= -1
    return Matrix(m)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 3, 4, 5])
@pytest.mark.parametrize(
    ("low", "high", "out_shape"),
    [
        ((0, 0), (60, 80), (31, 33)),
        ((5, 9), (45, 70), (20, 30)),
        ((0, 0), (60, 80), (90, 81)),
        ((4, 4), (24, 24), (40, 40)),
    ],
)
def test_resizes_of_whole_windows(low, high, out_shape, channels, dtype):
    src = image(8, (60, 80, channels), dtype)
    for border in ("reflect", "constant", "mirror"):
        stages = (scaling((60, 80), out_shape, low, high),)
        got = resample(src, stages, out_shape, order=1, border=border, fill=3)
        assert_close(got, reference.resample(src, stages, out_shape, order=1, border=border, fill=3), src, 1)


@pytest.mark.parametrize("shape", [(40, 51), (12, 13, 14)])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("border", BORDERS)
def test_area_where_axes_shrink(border, order, dtype, shape):
    src = image(8, (*shape, 2), dtype)
    d = len(shape)
    out_shape = tuple(n // 3 for n in shape)
    for low, high in (((0,) * d, shape), ((-2.3,) * d, tuple(n - 4.1 for n in shape))):
        stage = scaling(shape, out_shape, low, high, flip=(1,))
        factors = tuple(np.abs(np.diag(stage.m))[:d].tolist())
        for chosen in (factors, (*factors[:-1], 1.0)):
            options = {"order": order, "border": border, "fill": 2.0, "antialias": chosen}
            got = resample(src, (stage,), out_shape, **options)
            assert_close(got, reference.resample(src, (stage,), out_shape, **options), src, order)


@pytest.mark.parametrize("shape", [(40, 51), (12, 13, 14)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("border", BORDERS)
def test_gaussian_where_a_turn_shrinks(border, dtype, shape):
    src = image(8, (*shape, 3), dtype)
    out_shape = tuple(n // 2 for n in shape)
    stages = (affine(np.random.default_rng(1), shape, out_shape),)
    options = {"order": 1, "border": border, "fill": [9.0, 5.0, 1.0], "antialias": (2.2,) * len(shape)}
    got = resample(src, stages, out_shape, **options)
    assert_close(got, reference.resample(src, stages, out_shape, **options), src, 1)
    assert choose(stages, shape, out_shape, dtype, 3, 1, border, antialias=(2.2,) * len(shape)).name.startswith(
        "gaussian+"
    )


@pytest.mark.parametrize("kind", KINDS)
@quick
@given(
    seeds, st.one_of(st.tuples(shapes2, shapes2), st.tuples(shapes3, shapes3)),
    st.sampled_from(["bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]),
    st.sampled_from(BORDERS),
)  # fmt: skip
def test_labels(kind, seed, shapes, dtype, border):
    in_shape, out_shape = shapes
    rng = np.random.default_rng(seed)
    stages = chain(kind, rng, in_shape, out_shape)
    src = rng.integers(0, 2 if dtype == "bool" else 100, in_shape).astype(dtype)
    got = resample_labels(src, stages, out_shape, border=border, fill=1)
    wanted = reference.resample_labels(src, stages, out_shape, border=border, fill=1)
    sure = far_from_ties(reference.coordinates(stages, out_shape)[0])
    np.testing.assert_array_equal(got[sure], wanted[sure])
    fills = {1, *(stage.mask_fill for stage in stages if hasattr(stage, "mask_fill"))}
    assert set(np.unique(got).tolist()) <= set(np.unique(src).tolist()) | {
        np.array(f).astype(dtype).item() for f in fills
    }


def test_large_label_ids_survive():
    src = np.array([[2**53 + 1, 2**62 + 1], [5, 2**63 - 1]])
    turned = affine(np.random.default_rng(0), (2, 2), (6, 6))
    assert set(np.unique(resample_labels(src, (turned,), (6, 6), border="nearest")).tolist()) <= set(
        src.ravel().tolist()
    )


def test_results_land_in_the_buffer_given():
    src = image(1, (12, 13, 3), "uint8")
    stages = (affine(np.random.default_rng(1), (12, 13), (9, 9)),)
    batch = np.zeros((2, 9, 9, 3), np.uint8)
    out = resample(src, stages, (9, 9), order=1, border="nearest", out=batch[1])
    assert np.shares_memory(out, batch)
    np.testing.assert_array_equal(batch[1], resample(src, stages, (9, 9), order=1, border="nearest"))
    assert not batch[0].any()


def test_strided_and_read_only_sources_are_taken():
    whole = image(2, (20, 24, 4), "uint8")
    view = whole[::2, ::-1, 1:]
    frozen = view.copy()
    frozen.flags.writeable = False
    for kind in KINDS:
        for order in (0, 1, 3):
            stages = chain(kind, np.random.default_rng(5), (10, 24), (9, 11))
            wanted = resample(view.copy(), stages, (9, 11), order=order, border="reflect")
            for src in (view, frozen):
                np.testing.assert_array_equal(resample(src, stages, (9, 11), order=order, border="reflect"), wanted)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda a: resample(a.astype(np.complex64), (), (4, 4), order=1, border="nearest"),
            "expected an image of uint8",
        ),
        (lambda a: resample(a, (), (4, 4), order=2, border="nearest"), "expected a spline order"),
        (
            lambda a: resample(a, (), (4, 4), order=1, border="nearest", out=np.empty((4, 5, 1), a.dtype)),
            "C-contiguous out",
        ),
        (
            lambda a: resample_labels(a[..., 0].astype(float), (), (4, 4), border="nearest"),
            "expected a label map",
        ),
        (
            lambda a: resample_labels(a[..., 0], (), (4, 5), border="constant", fill=300),
            "expected a fill label",
        ),
    ],
)
def test_wrong_calls_say_what_to_do(call, words):
    with pytest.raises(InputError, match=words):
        call(np.zeros((4, 4, 1), np.uint8))


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_volumes_moved_within_planes_equal_their_slices(sign, order, border):
    flat = affine(np.random.default_rng(2), (14, 15), (12, 16))
    m = np.eye(4)
    m[1:, 1:] = flat.m
    m[0] = [sign, 0, 0, 5.0 if sign < 0 else -1.0]
    src = image(3, (4, 14, 15, 2), "float32")
    name = choose((Matrix(m),), (4, 14, 15), (6, 12, 16), "float32", 2, order, border).name
    assert name == "numba.warp3d.inplane"
    got = resample(src, (Matrix(m),), (6, 12, 16), order=order, border=border, fill=0.5)
    for z in range(6):
        k = int(integer_index(np.array([int(sign * z + m[0, 3])]), 4, border)[0])
        plane = src[k] if k >= 0 else np.full_like(src[0], 0.5)
        wanted = reference.resample(plane, (flat,), (12, 16), order=order, border=border, fill=0.5)
        assert_close(got[z], wanted, src, order)


def test_threads_share_nothing():
    src = image(4, (40, 50, 2), "float32")
    chains = [chain("everything", np.random.default_rng(n), (40, 50), (33, 31)) for n in range(8)]

    def work(stages):
        return resample(src, stages, (33, 31), order=1, border="mirror")

    alone = [work(stages) for stages in chains]
    with ThreadPoolExecutor(4) as pool:
        for together, single in zip(pool.map(work, chains * 4), alone * 4, strict=True):
            np.testing.assert_array_equal(together, single)


UNCOMPILED = """
from tests.engine.backends.test_cpu import compare
from tests.engine.backends.strategies import KINDS
for number, kind in enumerate(KINDS):
    for order in (0, 1, 3, 5):
        compare(number, (6, 7), (5, 6), kind, "uint8", 2, order, "reflect")
    compare(number, (4, 5, 4), (3, 4, 5), kind, "float32", 1, 1, "constant")
"""


def test_kernels_are_right_without_a_compiler():
    root = Path(__file__).parents[3]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", UNCOMPILED], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def lattice(rng, shape, cells):
    """Knots of given number, two pixels strong."""
    return Displace(rng.normal(0.0, 2.0, (len(shape), *(n + 3 for n in cells))), shape)


@pytest.mark.parametrize(
    ("shape", "cells"),
    [((40, 67), (3, 5)), ((40, 67), (20, 33)), ((12, 20, 41), (2, 3, 4)), ((12, 20, 41), (6, 10, 20))],
)
@pytest.mark.parametrize("first", ["lattice", "scale", "turn", "slide", "projective"])
def test_lattices_coarse_and_fine_wherever_they_stand(first, shape, cells):
    rng = np.random.default_rng(23)
    d = len(shape)
    bend, turn = lattice(rng, shape, cells), affine(rng, shape, shape)
    scale = np.diag([*rng.uniform(0.8, 1.2, d), 1.0])
    # Turned within planes: z keeps to itself, so a row stays at one depth.
    slide = np.eye(d + 1)
    slide[-3:, -3:] = affine(rng, shape[-2:], shape[-2:]).m
    before = {
        "lattice": (), "scale": (Matrix(scale),), "turn": (turn,), "slide": (Matrix(slide),),
        "projective": (projective(rng, shape, shape),),
    }[first]  # fmt: skip
    stages = (*before, bend, Matrix(scale), bend)
    wanted, _ = reference.coordinates(stages, shape)
    got = traced(stages, shape)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-9)


def traced(stages, shape):
    """Every coordinate as the compiled trace computes it, ``(d, *shape)``."""
    chained = flatten(stages, shape)
    deep = (1,) * (3 - len(shape)) + shape
    room = scratch(shape[-1], chained[0], chained[3], shape[-1])
    found = np.empty((3, *deep))
    for z in range(deep[0]):
        for y in range(deep[1]):
            trace_row(z, y, shape[-1], chained, room)
            found[:, z, y] = room[0]
    return found[3 - len(shape) :].reshape(len(shape), *shape)


def test_lattices_take_the_way_meant_for_them():
    rng = np.random.default_rng(1)
    coarse, fine = lattice(rng, (40, 67), (3, 5)), lattice(rng, (40, 67), (20, 33))
    turn = affine(rng, (40, 67), (40, 67))
    assert flatten((coarse, turn), (40, 67))[0].tolist() == [ALONG, AFFINE]
    assert flatten((turn, coarse), (40, 67))[0].tolist() == [AFFINE, PIECES]
    assert flatten((turn, fine), (40, 67))[0].tolist() == [AFFINE, TAPS]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 3, 1), (1, 7, 3), (90, 31, 3), (4, 5, 70, 1), (2, 70, 66, 2)])
@pytest.mark.parametrize("order", [3, 5])
@pytest.mark.parametrize("border", BORDERS)
def test_coefficients_equal_those_of_scipy(border, order, shape, dtype):
    src = image(6, shape, dtype)
    axes = tuple(range(len(shape) - 1))
    got, pad = coefficients(src, order, border, axes, np.full(shape[-1], 0.5))
    widths = [(pad, pad)] * len(axes) + [(0, 0)]
    wanted = np.pad(src, widths, constant_values=0.5) if border == "constant" else np.pad(src, widths, mode="edge")
    for axis in axes:
        if wanted.shape[axis] > 1:
            wanted = ndi.spline_filter1d(wanted, order, axis, output=src.dtype, mode=SCIPY_MODES[border])
    small = 1e-6 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(got, wanted, rtol=0, atol=small * np.abs(wanted).max())


@pytest.mark.parametrize("order", [1, 3, 5])
def test_weights_of_splines_are_those_of_scipy(order):
    fraction = np.append(np.random.default_rng(0).random(50), [0.0, np.nextafter(1.0, 0.0)])
    basis = BSpline.basis_element(np.arange(order + 2.0), extrapolate=False)
    wanted = np.nan_to_num(basis(fraction[:, None] + (order - np.arange(order + 1))))
    np.testing.assert_allclose(spline_weights(fraction, order), wanted, rtol=0, atol=1e-15)


def test_whole_blocks_are_averaged_as_such_and_other_areas_are_not():
    def name(in_shape, factors):
        stage = scaling(in_shape, (16, 20), (0, 0), in_shape)
        return choose((stage,), in_shape, (16, 20), "uint8", 3, 1, "nearest", antialias=factors).name

    assert name((48, 60), (3.0, 3.0)) == "numba.means"
    assert name((32, 40), (2.0, 2.0)) == "cv2.resize.area"
    assert name((40, 50), (2.5, 2.5)) == "separable"


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", [(11, 14), (7, 9, 8)])
def test_axes_scaled_and_exchanged(shape, order, border):
    src = image(8, (*shape, 2), "float32")
    d = len(shape)
    m = np.eye(d + 1)
    m[:d, :d] = np.roll(np.diag([1.3, -0.8, 0.9][:d]), 1, axis=0)
    m[:d, d] = [1.2, 8.3, 0.4][:d]
    out_shape = (12, 9, 10)[:d]
    got = resample(src, (Matrix(m),), out_shape, order=order, border=border, fill=2.0)
    wanted = reference.resample(src, (Matrix(m),), out_shape, order=order, border=border, fill=2.0)
    assert_close(got, wanted, src, order)


@pytest.mark.parametrize("border", ["nearest", "constant", "reflect", "mirror", "wrap"])
@pytest.mark.parametrize("tiny", [-1e-158, -1e-17, -1e-13])
def test_a_rounding_error_below_the_first_pixel_still_shows_it(border: str, tiny: float) -> None:
    image = np.arange(60, dtype=np.float32).reshape(6, 10, 1) + 100
    grid = np.full((2, 5, 5), tiny)
    found = resample(image, (Displace(grid, (6, 10)),), (6, 10), order=1, border=border)
    np.testing.assert_allclose(found, image, atol=1e-3)
