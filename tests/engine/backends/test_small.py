"""Whole batches of small pictures: what the reference means, and the same bytes alone and among others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill import Pipeline
from imagemill.core import geometry as geo
from imagemill.core.coordinate_maps import Matrix
from imagemill.core.ops import ChannelMix, Pointwise, Sampling
from imagemill.engine.backends import reference
from imagemill.engine.backends.cpu.backend import Cpu
from imagemill.engine.backends.cpu.batches import small
from imagemill.engine.backends.float64 import Reference
from imagemill.engine.plan import Colour, Displacements, Link, Matrices, Pass, Resample, Windows
from imagemill.testing import assert_backends_agree, picture, pipelines
from tests.engine.backends.strategies import BORDERS, affine, assert_close, far_from_ties, image, seeds

Array = np.ndarray[Any, Any]
UINT8, FLOAT32 = np.dtype(np.uint8), np.dtype(np.float32)
N = 5
COLOURS = ("none", "mix", "contrast", "clip and normalise", "all")

quick = settings(max_examples=6, deadline=None, derandomize=True)


def colour(kind: str, rng: np.random.Generator, channels: int, dtype: np.dtype[Any]) -> Colour | None:
    if kind == "none":
        return None
    peak = 255.0 if dtype == UINT8 else 1.0
    matrix = np.concatenate(
        [np.eye(channels) + rng.normal(0, 0.2, (N, channels, channels)), rng.normal(0, 0.1 * peak, (N, channels, 1))], 2
    )
    pivot = rng.normal(0, 0.2, (N, channels, channels))
    clip = Pointwise("clip", np.tile([0.1 * peak, 0.9 * peak], (N, 1)), channels, rng.random(N) < 0.5)
    normal = ChannelMix.diagonal(
        np.tile(rng.uniform(1, 5, channels) / peak, (N, 1)), rng.normal(0, 1, (N, channels)), leaves_range=True
    )
    stages: dict[str, tuple[Any, ...]] = {
        "mix": (ChannelMix(matrix),),
        "contrast": (ChannelMix(matrix, pivot),),
        "clip and normalise": (clip, normal),
        "all": (ChannelMix(matrix, pivot), clip, normal),
    }
    return Colour(stages[kind], dtype, FLOAT32 if kind in ("clip and normalise", "all") else dtype, peak)


def a_pass(
    m: Array, size: tuple[int, int], shape: tuple[int, int], sampling: Sampling, run: Colour | None = None
) -> Pass:
    sizes = [np.tile(np.array(s), (len(m), 1)) for s in (size, shape)]
    return Pass(Resample((Matrices(m),), sizes[0], sizes[1], sampling), run, ("a",))


def turns(rng: np.random.Generator, size: tuple[int, int], shape: tuple[int, int]) -> Array:
    return np.stack([affine(rng, size, shape).m for _ in range(N)])


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@quick
@given(seeds, st.sampled_from([1, 3, 4]), st.sampled_from(COLOURS), st.booleans())
def test_the_reference(border: str, order: int, dtype: str, seed: int, channels: int, kind: str, first: bool) -> None:
    rng = np.random.default_rng(seed)
    size, shape = (tuple(int(v) for v in rng.integers(1, 20, 2)) for _ in range(2))
    step = a_pass(
        turns(rng, size, shape),
        size,
        shape,
        Sampling(order, border, float(rng.integers(0, 100)) if border == "constant" else 0.0),
        colour(kind, rng, channels, np.dtype(dtype)),
    )
    src = image(seed, (N, *size, channels), dtype)
    before = src.copy()
    kept = np.dtype(dtype) if step.colour is None else step.colour.dtype
    out = np.empty((N, channels, *shape) if first else (N, *shape, channels), kept)
    out = out.transpose(0, 2, 3, 1) if first else out
    assert Cpu().images(step, slice(0, N), src, out) is out
    np.testing.assert_array_equal(src, before)
    for row in range(N):
        assert small.takes(step, row, size, np.dtype(dtype), channels)
        wanted = Reference().image(step, row, src[row])
        np.testing.assert_array_equal(Cpu().image(step, row, src[row]), out[row])
        got = out[row]
        assert got.dtype == wanted.dtype
        if order == 0:
            stage = Matrix(step.resample.matrix[row])  # type: ignore[union-attr]
            sure = far_from_ties(reference.coordinates((stage,), shape)[0])
            # The mean of a contrast counts every pixel.
            if kind in ("contrast", "all") and not sure.all():
                continue
            got, wanted = got[sure], wanted[sure]
        if got.size and got.dtype == UINT8:
            # Both are rounded, so they may differ by one where the exact value is next to a half.
            assert np.abs(got.astype(int) - wanted).max() <= 1
            assert np.mean(got != wanted) < 0.01 or got.size < 200
        elif got.size:
            assert_close(got, wanted, src[row] if kind == "none" else wanted, order)


def mixed_bag(rng: np.random.Generator, size: tuple[int, int], sampling: Sampling) -> Pass:
    """A pass some of whose samples are padded, bent, projected, shrunk or out of reach."""
    m = turns(rng, size, size)
    m = np.concatenate([m, m, m])
    n = len(m)
    m[0, 2, 0] = 0.01
    # One shrinks along y, another along x.
    m[1, 0, :2] *= 9.0
    m[5, 1, :2] *= 9.0
    m[2, 0, 2] = 2.0**31
    window, grid = np.arange(n) == 3, np.zeros((n, 2, 5, 5))
    grid[4] = rng.normal(0, 1, grid[4].shape)
    sizes = np.tile(np.array(size), (n, 1))
    # What stands between two matrices keeps them apart, even where it does nothing.
    links: tuple[Link, ...] = (
        Matrices(m),
        Windows(sizes, window, 7.0, 0),
        Displacements(grid, sizes),
        Matrices(geo.translation(rng.uniform(-4, 4, (n, 2)))),
    )
    run = ChannelMix.diagonal(rng.uniform(0.5, 1.5, (n, 3)), rng.normal(0, 9, (n, 3)))
    return Pass(Resample(links, sizes, sizes, sampling), Colour((run,), UINT8, UINT8, 255.0), ("a",))


@pytest.mark.parametrize("sampling", [Sampling(1, "reflect", antialias=True), Sampling(0, "constant", 30.0)])
def test_a_sample_does_not_depend_on_the_others(sampling: Sampling) -> None:
    rng = np.random.default_rng(3)
    step = mixed_bag(rng, (13, 17), sampling)
    n = len(step.resample.shape)  # type: ignore[union-attr]
    src = image(3, (n, 13, 17, 3), "uint8")
    whole = Cpu().images(step, slice(0, n), src)
    assert whole is not None
    left = small.images(step, slice(0, n), src, np.empty_like(src))
    shrunk = {1, 5} if sampling.antialias else set()
    assert left == sorted({0, 2, 3, 4} | shrunk)
    for size in (1, 4):
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            np.testing.assert_array_equal(Cpu().images(step, rows, src[rows]), whole[rows])
            np.testing.assert_array_equal(Cpu().images(step, rows, list(src[rows])), whole[rows])
    for row in range(n):
        np.testing.assert_array_equal(Cpu().image(step, row, src[row]), whole[row])
        wanted = Reference().image(step, row, src[row]).astype(int)
        assert np.mean(np.abs(whole[row] - wanted)) < 0.5, f"sample {row}"


MOVES: dict[str, tuple[Array, Any]] = {
    "identity": (np.eye(3), lambda a: a),
    "flip": (np.array([[1.0, 0, 0], [0, -1, 8], [0, 0, 1]]), lambda a: a[:, ::-1]),
    "half a turn": (np.array([[-1.0, 0, 8], [0, -1, 8], [0, 0, 1]]), lambda a: a[::-1, ::-1]),
    "a quarter": (np.array([[0.0, 1, 0], [-1, 0, 8], [0, 0, 1]]), lambda a: np.rot90(a, 1)),
    "a shift around": (np.array([[1.0, 0, -2], [0, 1, 3], [0, 0, 1]]), lambda a: np.roll(a, (2, -3), (0, 1))),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_exact_moves_are_exact(move: str, dtype: str, channels: int) -> None:
    src = image(1, (N, 9, 9, channels), dtype)
    if dtype == "float32":
        # What is not a number stays where it is: exact moves do not blend.
        src[:, 4, 4], src[:, 2, 3], src[:, 5, 5] = np.nan, np.inf, -0.0
    m, meant = MOVES[move]
    m = np.tile(m, (N, 1, 1))
    # Rounding in the products of matrices must not turn a move into a blend.
    m[1:, :2] += np.random.default_rng(1).uniform(-1e-14, 1e-14, (N - 1, 2, 3))
    for border in ("wrap", "nearest", "constant")[: 1 if "around" in move else 3]:
        found = Cpu().images(a_pass(m, (9, 9), (9, 9), Sampling(1, border)), slice(0, N), src)
        assert found is not None
        for row in range(N):
            np.testing.assert_array_equal(found[row], meant(src[row]))


@pytest.mark.parametrize("border", BORDERS)
def test_whole_shifts_beyond_the_edge_are_exact(border: str) -> None:
    src, m = image(2, (1, 4, 6, 1), "uint8"), np.eye(3)[None].copy()
    for n in (1, 4):
        for by in (*range(-11, 12), 10**8 + 3):
            m[0, 0, 2] = by
            step = a_pass(m, (n, 6), (n, 6), Sampling(1, border, 9.0))
            wanted = Reference().image(step, 0, src[0, :n])
            np.testing.assert_array_equal(Cpu().image(step, 0, src[0, :n]), wanted)


def test_buffers_and_sources_of_any_strides() -> None:
    rng = np.random.default_rng(4)
    step = a_pass(turns(rng, (8, 9), (7, 6)), (8, 9), (7, 6), Sampling(1, "mirror"))
    src = image(4, (N, 3, 8, 9), "uint8").transpose(0, 2, 3, 1)
    wanted = Cpu().images(step, slice(0, N), np.ascontiguousarray(src))
    src.flags.writeable = False
    for buffer in (
        np.zeros((N, 7, 6, 3), np.uint8),
        np.zeros((3, N, 7, 6), np.uint8).transpose(1, 2, 3, 0),
        np.zeros((N, 6, 7, 3), np.uint8).transpose(0, 2, 1, 3),
        np.zeros((N, 7, 3, 6), np.uint8).transpose(0, 1, 3, 2),
        np.zeros((7, N, 6, 3), np.uint8).transpose(1, 0, 2, 3),
        np.zeros((N, 7, 12, 4), np.uint8)[:, :, ::2, :3],
    ):
        assert Cpu().images(step, slice(0, N), src, buffer) is buffer
        np.testing.assert_array_equal(buffer, wanted)


def test_a_fill_beyond_the_range_stays_in_it() -> None:
    m = geo.translation(np.full((N, 2), 2.5))
    run = Colour((ChannelMix.diagonal(np.full((N, 1), 0.5)),), UINT8, FLOAT32, 255.0)
    step = a_pass(m, (6, 6), (6, 6), Sampling(1, "constant", 1000.0), run)
    src = np.full((N, 6, 6, 1), 200, np.uint8)
    found = Cpu().images(step, slice(0, N), src)
    assert found is not None
    np.testing.assert_array_equal(found[0], Reference().image(step, 0, src[0]))
    assert found.max() == 127.5


def test_values_that_are_no_numbers_round_to_nought() -> None:
    src = np.full((1, 4, 4, 1), np.nan, np.float32)
    src[0, 0] = 300.0
    step = a_pass(np.eye(3)[None], (4, 4), (4, 4), Sampling(1, "nearest"), Colour((), FLOAT32, UINT8, 255.0, True))
    np.testing.assert_array_equal(Cpu().image(step, 0, src[0])[:, 0, 0], [255, 0, 0, 0])


def test_what_does_not_fit_is_left_to_others() -> None:
    m, near = np.eye(3)[None], Sampling(1, "nearest")
    gamma = Colour((Pointwise("gamma", np.array([[255.0, 2.0]]), 1),), UINT8, UINT8, 255.0)
    late = ChannelMix(np.eye(1, 2)[None], np.ones((1, 1, 1)))
    clip = Pointwise("clip", np.array([[0.0, 255.0]]), 1)
    twice = Colour((clip, late), UINT8, UINT8, 255.0)
    small_one, big = np.zeros((1, 8, 8, 1), np.uint8), np.zeros((1, 65, 64, 1), np.uint8)
    assert Cpu().images(a_pass(m, (8, 8), (8, 8), near), slice(0, 1), small_one) is not None
    for step, src in (
        (a_pass(m, (65, 64), (8, 8), near), big),
        (a_pass(m, (8, 8), (65, 64), near), small_one),
        (a_pass(m, (8, 8), (8, 8), Sampling(3, "nearest")), small_one),
        (a_pass(m, (8, 8), (8, 8), near), small_one.astype(np.uint16)),
        (a_pass(m, (8, 8), (8, 8), near, gamma), small_one),
        (a_pass(m, (8, 8), (8, 8), near, twice), small_one),
        (Pass(None, gamma, ("a",)), small_one),
    ):
        assert Cpu().images(step, slice(0, 1), src) is None
        assert not small.takes(step, 0, src.shape[1:3], src.dtype, 1)
    assert "numba.small" in Cpu().kernels(a_pass(m, (8, 8), (8, 8), near), 0, (8, 8), UINT8, 1)


def test_outputs_of_different_sizes_are_not_run_together() -> None:
    step = a_pass(np.tile(np.eye(3), (2, 1, 1)), (8, 8), (8, 8), Sampling(1, "nearest"))
    assert step.resample is not None
    step.resample.shape[1] = 4
    assert Cpu().images(step, slice(0, 1), np.zeros((1, 8, 8, 1), np.uint8)) is None


@settings(max_examples=25)
@given(pipelines(), seeds)
def test_the_kernels_for_larger_pictures_agree_too(pipeline: Pipeline, seed: int) -> None:
    # Generated pictures are small, so without this the others would hardly be seen by such tests.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "LIMIT", 0)
        assert_backends_agree(pipeline, image=picture(seed % 1000, (15, 19), 3))
