"""Exact moves are recognised and copied bit for bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill.core.coordinate_maps import Matrix, Window
from imagemill.engine.backends import reference
from imagemill.engine.backends.cpu.choose import choose, resample, resample_labels
from imagemill.engine.backends.cpu.resample.slices import exact_move, whole_moves
from tests.engine.backends.strategies import BORDERS, DTYPES, image, seeds, shapes2, shapes3


def move(rng, in_shape, out_shape):
    """Any signed permutation with a whole offset."""
    d = len(in_shape)
    perm, sign = rng.permutation(d), rng.choice([-1, 1], d)
    m = np.eye(d + 1)
    m[:d, :d] = 0.0
    m[range(d), perm] = sign
    m[:d, d] = [rng.integers(-4, 5) + (0 if s > 0 else out_shape[p] - 1) for p, s in zip(perm, sign, strict=True)]
    return Matrix(m)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seeds, st.one_of(st.tuples(shapes2, shapes2), st.tuples(shapes3, shapes3)), st.sampled_from(DTYPES),
    st.sampled_from(BORDERS), st.booleans(),
)  # fmt: skip
def test_moves_equal_the_reference_bit_for_bit(seed, shapes, dtype, border, windowed):
    in_shape, out_shape = shapes
    rng = np.random.default_rng(seed)
    stages = (move(rng, in_shape, out_shape),)
    if windowed:
        middle = tuple(int(n) for n in rng.integers(1, 12, len(in_shape)))
        stages = (
            move(rng, middle, out_shape), Window(middle, 5.0, 2),
            move(rng, in_shape, middle), Window(in_shape, 7.0, 3),
        )  # fmt: skip
    src = image(seed, (*in_shape, 2), dtype)
    assert exact_move(stages, in_shape, out_shape) is not None
    got = resample(src, stages, out_shape, order=1, border=border, fill=(3, 4))
    wanted = reference.resample(src, stages, out_shape, order=0, border=border, fill=(3, 4))
    np.testing.assert_array_equal(got, wanted.astype(dtype))
    labels = (src[..., 0] > 0).astype(np.int16) * 9
    np.testing.assert_array_equal(
        resample_labels(labels, stages, out_shape, border=border, fill=1),
        reference.resample_labels(labels, stages, out_shape, border=border, fill=1),
    )


@pytest.mark.parametrize("shape", [(6, 7), (7, 7), (1, 4)])
def test_flips_and_quarter_turns_are_numpy_views(shape):
    src = image(4, (*shape, 3), "uint8")
    h, w = shape
    for turns, flip in itertools.product(range(4), (False, True)):
        wanted = np.rot90(src, turns)
        angle = turns * np.pi / 2
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        if flip:
            wanted = wanted[:, ::-1]
            turn = turn @ np.diag([1.0, -1.0])
        out_shape = wanted.shape[:2]
        m = np.eye(3)
        m[:2, :2] = turn
        m[:2, 2] = np.array([h - 1, w - 1]) / 2 - turn @ ((np.array(out_shape) - 1) / 2)
        assert choose((Matrix(m),), shape, out_shape, "uint8", 3, 3, "constant").name == "slice"
        got = resample(src, (Matrix(m),), out_shape, order=3, border="constant")
        np.testing.assert_array_equal(got, wanted)


def test_the_rest_is_no_move():
    for m in (np.diag([1.0, 1.001, 1]), np.array([[1, 0, 0.5], [0, 1, 0], [0, 0, 1]]), np.diag([1.0, 1, 2])):
        assert exact_move((Matrix(m),), (100, 100), (100, 100)) is None
    assert exact_move((Matrix(np.array([[1, 0.01, 0], [0, 1, 0], [0, 0, 1]])),), (9, 9), (9, 9)) is None


def test_the_chosen_kernel_is_named():
    def name(m, in_shape=(60, 80), out_shape=(30, 40), dtype="uint8", channels=3, order=1, border="nearest", **more):
        return choose((Matrix(np.asarray(m, float)),), in_shape, out_shape, dtype, channels, order, border, **more).name

    half = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    turned = np.array([[1, 0.5, 0], [-0.5, 1, 9], [0, 0, 1]])
    assert name(half) == "cv2.resize"
    assert name(half, antialias=(2, 2)) == "cv2.resize.area"
    assert name(half, order=3) == "separable"
    assert name(half, channels=6) == "separable"
    assert name(np.add(half, [[0, 0, 0.3], [0, 0, 0], [0, 0, 0]])) == "numba.photo"
    assert name(turned) == "numba.photo"
    assert name(turned, channels=4) == "cv2.warpAffine"
    assert name(np.add(turned, [[0, 0, 0], [0, 0, 0], [0.001, 0, 0]]), channels=1) == "cv2.warpPerspective"
    assert name(turned, dtype="int16") == "numba.warp2d"
    assert name(turned, antialias=(2, 2)) == "gaussian+numba.warp2d"
    inplane, tilted = np.eye(4), np.eye(4)
    inplane[1:, 1:] = turned
    tilted[0, 1] = 0.2
    assert name(inplane, (9, 60, 80), (9, 30, 40)) == "numba.warp3d.inplane"
    assert name(tilted, (9, 60, 80), (9, 30, 40), labels=True) == "numba.warp3d"
    assert name(np.eye(3), labels=True) == "slice"


def test_moves_of_a_batch_are_those_of_its_samples() -> None:
    rng = np.random.default_rng(0)
    for d in (2, 3):
        found = np.zeros((40, d + 1, d + 1))
        for m in found:
            m[np.arange(d), rng.permutation(d)] = rng.choice([-1.0, 1.0], d)
            m[:d, d] = rng.integers(-9, 9, d)
            m[d, d] = 1
        found[::8, 0, d] += 0.25
        found[1::8, 0, d] += 1e-12
        found[2::8, 0, 0] += 0.5
        found[3::8, d, 0] = 0.01
        found[4, 0, d] = np.inf
        for m, move in zip(found, whole_moves(found), strict=True):
            finite = np.isfinite(m).all()
            alone = exact_move((Matrix(m),), (9,) * d, (9,) * d) if finite and not m[d, :d].any() else None
            assert move == alone
            # One for all is found in another way than many.
            assert whole_moves(np.broadcast_to(m, (3, d + 1, d + 1))) == [alone] * 3
        assert sum(move is not None for move in whole_moves(found)) in range(15, 30)


@pytest.mark.parametrize("border", ["nearest", "reflect", "mirror", "wrap"])
@pytest.mark.parametrize("pad", [(0, 2, 0), (2, 0, 0), (3, 2, 0), (0, 0, 2)])
def test_what_repeats_beside_a_flipped_volume_is_numpys(border: str, pad: tuple[int, ...]) -> None:
    # Rows that run backwards are copied by a kernel of their own, which knows one step from row to row.
    volume = np.random.default_rng(3).integers(1, 99, (4, 6, 5, 1), np.uint8)
    shape = tuple(n + 2 * room for n, room in zip(volume.shape[:3], pad, strict=True))
    m = np.eye(4)
    m[:3, 3] = -np.array(pad)
    m[2, 2], m[2, 3] = -1, volume.shape[2] - 1 + pad[2]
    out = np.full((*shape, 1), 77, np.uint8)
    choose((Matrix(m),), volume.shape[:3], shape, np.uint8, 1, 1, border).run(volume, out, 0)
    how = {"nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap"}[border]
    expected = np.pad(volume[:, :, ::-1, 0], [(n, n) for n in pad], how)  # type: ignore[call-overload]
    np.testing.assert_array_equal(out[..., 0], expected)
