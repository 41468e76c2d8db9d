"""Photos of 8 bits in one call: what the reference means, in any layout, alone and among others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.ops import ChannelMix, Pointwise, Sampling
from imagemill.engine.backends.cpu.batches import photos as rgb
from imagemill.engine.backends.float64 import Reference
from imagemill.engine.plan import Colour, Pass
from imagemill.testing import picture
from tests.engine.backends.strategies import BORDERS, assert_close, image, seeds
from tests.engine.backends.test_small import FLOAT32, UINT8, N, a_pass, colour, turns

Array = np.ndarray[Any, Any]
KINDS = ("none", "mix", "contrast", "all", "alike", "apart")
quick = settings(max_examples=16, deadline=None, derandomize=True)


def levels(rng: np.random.Generator, size: tuple[int, int], shape: tuple[int, int]) -> Array:
    """Maps that scale, flip and shift, so that they begin and end within, at and beyond the edge."""
    m = np.tile(np.eye(3), (N, 1, 1))
    for axis in range(2):
        scale = rng.uniform(0.3, 1.9, N) * rng.choice([-1, 1], N)
        beyond = rng.choice([-2.0, -0.4, 0.0, 0.3, 0.8, 5.0], N)
        first = np.where(scale > 0, -beyond, size[axis] - 1 + beyond)
        m[:, axis, axis], m[:, axis, 2] = scale, first
    return m


def mixed(kind: str, rng: np.random.Generator) -> Colour | None:
    """A run of colour whose clip holds for all samples, or for none: others are not one formula."""
    if kind in ("alike", "apart"):
        # Gain and offset before and after a clip, the same for all channels or not; none is made of another.
        count = 1 if kind == "alike" else 3
        gain, offset = (np.tile(rng.uniform(*ends, (N, count)), 3 // count) for ends in ((0.3, 2), (-99, 99)))
        clip = Pointwise("clip", np.tile([0.0, 255.0], (N, 1)), 3)
        late = ChannelMix.diagonal(gain / 255, offset / 255, leaves_range=True)
        return Colour((ChannelMix.diagonal(gain, offset), clip, late), UINT8, FLOAT32, 255.0)
    run = colour(kind, rng, 3, UINT8)
    if run is None:
        return None
    return replace(run, stages=tuple(replace(s, where=None) if isinstance(s, Pointwise) else s for s in run.stages))


def made(step: Pass, row: int, src: Array, *, first: bool) -> Array:
    kept = UINT8 if step.colour is None else step.colour.dtype
    assert step.resample is not None
    shape = step.resample.shape[row].tolist()
    out = np.full((3, *shape) if first else (*shape, 3), 99, kept)
    room = out.transpose(1, 2, 0) if first else out
    assert rgb.image(step, row, src, room)
    return out.transpose(1, 2, 0) if first else out


def assert_meant(step: Pass, row: int, src: Array, *, first: bool, halves: float = 0.01) -> None:
    """That a photo goes this way and comes out as the reference means it; ``halves`` are next to a half at most."""
    assert rgb.takes(step, row, src.shape[:2], UINT8, 3)
    got, wanted = made(step, row, src, first=first), Reference().image(step, row, src)
    assert got.dtype == wanted.dtype
    if got.dtype == FLOAT32:
        assert_close(got, wanted, wanted, 1)
    else:
        # Both are rounded, so they may differ by one where the exact value is next to a half.
        assert np.abs(got.astype(int) - wanted).max() <= 1
        assert np.mean(got != wanted) < halves or got.size < 200


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("maps", [turns, levels])
@quick
@given(seeds, st.sampled_from(KINDS), st.booleans())
def test_the_reference(border: str, maps: Any, seed: int, kind: str, first: bool) -> None:
    rng = np.random.default_rng(seed)
    size, shape = (int(v) for v in rng.integers(4, 90, 2)), (int(v) for v in rng.integers(1, 90, 2))
    size, shape = tuple(size), tuple(shape)
    fill = float(rng.integers(-50, 300)) if border == "constant" else 0.0
    step = a_pass(maps(rng, size, shape), size, shape, Sampling(1, border, fill), mixed(kind, rng))
    src = image(seed, (*size, 3), "uint8")
    for row in range(N):
        assert_meant(step, row, src, first=first)


@pytest.mark.parametrize("border", BORDERS)
@quick
@given(seeds)
def test_many_are_each_alone(border: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size, shape = (30, 31), (17, 40)
    m = turns(rng, size, shape)
    m[1, 0, :2] *= 9.0  # shrunk by more than 2: not for this kernel
    step = a_pass(m, size, shape, Sampling(1, border, antialias=True), mixed("all", rng))
    src = image(seed, (N, *size, 3), "uint8")
    out = np.full((N, *shape, 3), np.nan, np.float32)
    left = rgb.images(step, slice(0, N), src, out)
    assert left is not None
    assert 1 in left
    for row in set(range(N)) - set(left):
        np.testing.assert_array_equal(out[row], made(step, row, src[row], first=False))
    assert np.isnan(out[left]).all()


@pytest.mark.parametrize("border", BORDERS)
@quick
@given(seeds, st.sampled_from(KINDS), st.booleans())
def test_what_shrinks_by_more_than_2_is_averaged_as_the_reference_does(
    border: str, seed: int, kind: str, first: bool
) -> None:
    rng = np.random.default_rng(seed)
    size = (int(rng.integers(30, 90)), int(rng.integers(30, 90)))
    shape = (int(rng.integers(2, 14)), int(rng.integers(2, 14)))
    m = np.tile(np.eye(3), (N, 1, 1))
    for axis in range(2):
        # From a tenth of a pixel to the whole axis, so that some shrink along one axis only.
        span = rng.uniform(0.3, 1.0, N) * size[axis]
        scale, low = span / shape[axis], rng.uniform(0.0, 1.0, N) * (size[axis] - span)
        turned = rng.choice([False, True], N)
        m[:, axis, axis] = np.where(turned, -scale, scale)
        m[:, axis, 2] = np.where(turned, low + span, low) + np.where(turned, -0.5, 0.5) * scale - 0.5
    step = a_pass(m, size, shape, Sampling(1, border, antialias=True), mixed(kind, rng))
    src = image(seed, (*size, 3), "uint8")
    for row in range(N):
        assert_meant(step, row, src, first=first)


@pytest.mark.parametrize("border", BORDERS)
def test_averages_that_reach_beyond_the_edge_are_left_to_others_unless_the_edge_is_repeated(border: str) -> None:
    m = np.array([[[3.0, 0, -2], [0, 3, 1], [0, 0, 1]], [[3.0, 0.5, 4], [0, 3, 1], [0, 0, 1]]])
    step = a_pass(m, (40, 40), (10, 10), Sampling(1, border, antialias=True))
    assert rgb.takes(step, 0, (40, 40), UINT8, 3) == (border == "nearest")
    assert not rgb.takes(step, 1, (40, 40), UINT8, 3)
    if border == "nearest":
        src = image(3, (40, 40, 3), "uint8")
        wanted = Reference().image(step, 0, src)
        assert np.abs(made(step, 0, src, first=False).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("around", [0, 255])
@pytest.mark.parametrize("maps", [turns, levels])
def test_nothing_around_the_photo_is_seen(maps: Any, around: int) -> None:
    rng = np.random.default_rng(7)
    for size in ((4, 4), (5, 9), (33, 20)):
        step = a_pass(maps(rng, size, size), size, size, Sampling(1, "nearest"))
        src = image(1, (*size, 3), "uint8")
        memory = np.full(src.size + 64, around, np.uint8)
        inside = memory[32:-32].reshape(src.shape)
        inside[...] = src
        for row in range(N):
            np.testing.assert_array_equal(made(step, row, inside, first=False), made(step, row, src, first=False))


def test_moves_of_whole_pixels_are_exact_here_and_left_to_slices_where_photos_are_large() -> None:
    src = picture(0, (40, 50), 3)
    m = np.array([[[1.0, 0, 3], [0, -1, 49], [0, 0, 1]]])
    step = a_pass(m, (40, 50), (40, 50), Sampling(1, "nearest"))
    assert rgb.takes(step, 0, (40, 50), UINT8, 3)
    np.testing.assert_array_equal(made(step, 0, src, first=False), src[np.minimum(np.arange(40) + 3, 39)][:, ::-1])
    large = a_pass(m, (400, 500), (40, 50), Sampling(1, "nearest"))
    assert not rgb.takes(large, 0, (400, 500), UINT8, 3)


def test_what_it_does_not_do_is_left_to_others() -> None:
    rng = np.random.default_rng(0)
    m, size = turns(rng, (30, 30), (30, 30)), (30, 30)
    step = a_pass(m, size, size, Sampling(1, "nearest"))
    assert not rgb.takes(step, 0, size, FLOAT32, 3)
    assert not rgb.takes(step, 0, size, UINT8, 4)
    assert not rgb.takes(step, 0, (3, 30), UINT8, 3)
    assert not rgb.takes(a_pass(m, size, size, Sampling(3, "nearest")), 0, size, UINT8, 3)
    tilted = m.copy()
    tilted[:, 2, 0] = 1e-3
    assert not rgb.takes(a_pass(tilted, size, size, Sampling(1, "nearest")), 0, size, UINT8, 3)
    src, strided = image(0, (*size, 3), "uint8"), np.empty((30, 60, 3), np.uint8)[:, ::2]
    assert not rgb.image(step, 0, src, strided)
    assert rgb.images(step, slice(0, 1), [src], strided[None]) is None
    # The pipeline finds another way.
    pipe = im.Pipeline([im.Rotate(20)], seed=0)
    half = pipe(src)
    assert half.shape == src.shape


def test_explain_names_it() -> None:
    pipe = im.Pipeline([im.RandomResizedCrop(64), im.Brightness((0.5, 1.5)), im.Normalize("imagenet")], seed=0)
    assert "numba.rgb + colour in it" in pipe.explain(shape=(120, 160, 3), key=1)


def test_photos_may_lie_anywhere_and_have_any_size() -> None:
    rng = np.random.default_rng(3)
    size, shape = (30, 31), (17, 40)
    step = a_pass(turns(rng, size, shape), size, shape, Sampling(1, "reflect"), mixed("contrast", rng))
    every = image(5, (2 * N, 30, 62, 3), "uint8")
    each = [made(step, row, np.ascontiguousarray(every[2 * row, :, :31]), first=False) for row in range(N)]
    packed = np.ascontiguousarray(every[:, :, :31])
    read_only = every[:, :, :31].copy()[::2]
    read_only.flags.writeable = False
    listed = [every[2 * row, :, :31] for row in range(N)]
    for src in (packed[::2], read_only, every[::2, :, :31], listed, [np.asfortranarray(one) for one in listed]):
        out = np.full((N, *shape, 3), 99, np.uint8)
        assert rgb.images(step, slice(0, N), src, out) == []
        np.testing.assert_array_equal(out, each)
    sizes = [np.ascontiguousarray(every[row, : 20 + row % 10, : 40 + row]) for row in range(N)]
    out = np.full((N, *shape, 3), 99, np.uint8)
    assert rgb.images(step, slice(0, N), sizes, out) == []
    for row in range(N):
        np.testing.assert_array_equal(out[row], made(step, row, sizes[row], first=False))
    few = [sizes[0], sizes[1][:3], sizes[2]]  # a photo of three rows has no two lines of eight bytes behind it
    assert rgb.images(step, slice(0, 3), few, out[:3]) == [1]


def test_memory_that_is_something_else_is_not_read_or_written() -> None:
    rng = np.random.default_rng(0)
    size = (20, 20)
    step = a_pass(turns(rng, size, size), size, size, Sampling(1, "nearest"))
    photos = [image(n, (*size, 3), "uint8") for n in range(N)]
    out = np.empty((N, *size, 3), np.uint8)
    for strange in (photos[1].astype(np.float32), photos[1][..., :1], photos[1][..., 0]):
        with pytest.raises(im.InputError, match=r"photos \(y, x, 3\) of uint8 only"):
            rgb.images(step, slice(0, N), [photos[0], strange, *photos[2:]], out)
    with pytest.raises(im.InputError, match="room for"):
        rgb.images(step, slice(0, N), photos, out[1:])


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("antialias", [False, True])
def test_one_map_for_all_samples_goes_the_way_it_goes_among_others(border: str, antialias: bool) -> None:
    rng = np.random.default_rng(11)
    size, shape = (90, 120), (20, 30)
    m = np.concatenate([levels(rng, size, shape), levels(rng, size, shape), turns(rng, size, shape)])
    for k in range(N):  # whole pictures, those that are averaged and begin within, at and beyond the edge, and moves
        m[k] = np.diag([90 / 20, 4.0, 1.0])
        m[k, :2, 2] = m[k, (0, 1), (0, 1)] / 2 - 0.5 + rng.choice([-0.4, 0.0, 0.0, 0.2])
    m[N : N + 4, 0, :] = [0.0, 1.0, 2.0]
    m[N : N + 4, 1, :] = [-1.0, 0.0, 19.0]
    step = a_pass(m, size, shape, Sampling(1, border, antialias=antialias))
    ways = [rgb.takes(step, row, size, UINT8, 3) for row in range(len(m))]
    for row, way in enumerate(ways):
        alone = a_pass(np.broadcast_to(m[row], m.shape), size, shape, Sampling(1, border, antialias=antialias))
        assert rgb.takes(alone, 2, size, UINT8, 3) == way
    assert {True, False} == set(ways)
