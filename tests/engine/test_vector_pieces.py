"""Pieces of kernels that are spelled out as vector instructions, beside plain sums and each other."""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imagemill.engine.backends.cpu.batches.photo_colours import each_alone, paint, tint
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.four_voxels import bilinear_four, trilinear_four
from imagemill.engine.backends.cpu.vector_places import as_place

Array = np.ndarray[Any, Any]


@compiled
def _places(values, out):  # type: ignore[no-untyped-def]
    for k in range(len(values)):
        out[k] = as_place(values[k])


@compiled
def _eight_neighbours(src, index, line, plane, wz, wy, wx, out):  # type: ignore[no-untyped-def]
    for x in range(np.uintp(0), np.uintp(len(index)), np.uintp(4)):
        trilinear_four(src, index, x, np.uintp(line), np.uintp(plane), wz, wy, wx, out)


@compiled
def _four_neighbours(src, index, line, wy, wx, out):  # type: ignore[no-untyped-def]
    for x in range(np.uintp(0), np.uintp(len(index)), np.uintp(4)):
        bilinear_four(src, index, x, np.uintp(line), np.uintp(line), wy, wy, wx, out)


@compiled
def _tinted(fours, count, p, numbers, out):  # type: ignore[no-untyped-def]
    alone = each_alone(p, numbers, out)
    if alone:
        tint(fours, count, numbers, out, 1, 2)
    return alone


@compiled
def _painted(red, green, blue, p, count, out):  # type: ignore[no-untyped-def]
    paint(red, green, blue, p, count, out, 1, 2)


def test_whole_numbers_become_places_up_to_the_last_bit() -> None:
    values = [0, 1, 2, 3, 255, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**51 + 3, 2**52 - 1]
    out = np.empty(len(values), np.int64)
    _places(np.array(values, np.float64), out)
    assert out.tolist() == values


@pytest.mark.parametrize(("dtype", "real"), [("u1", "f4"), ("i2", "f8"), ("f4", "f4"), ("f8", "f8")])
def test_four_samples_at_once_are_the_weighted_sums_of_their_neighbours(dtype: str, real: str) -> None:
    rng, (d, h, v), n = np.random.default_rng(3), (5, 6, 7), 12
    volume = (rng.random((d, h, v)) * 100).astype(dtype)
    z, y, x = (rng.integers(0, size - 1, n) for size in (d, h, v))
    wz, wy, wx = (rng.random(n).astype(real) for _ in range(3))
    index = (z * h + y) * v + x
    out = np.empty(n, real)
    _eight_neighbours(volume.reshape(-1), index, v, h * v, wz, wy, wx, out)
    wanted = sum(
        (wz if a else 1 - wz) * (wy if b else 1 - wy) * (wx if c else 1 - wx) * volume[z + a, y + b, x + c]
        for a in (0, 1) for b in (0, 1) for c in (0, 1)
    )  # fmt: skip
    np.testing.assert_allclose(out, wanted, rtol=2e-6)
    _four_neighbours(volume.reshape(-1), index, v, wy, wx, out)
    flat = sum(
        (wy if b else 1 - wy) * (wx if c else 1 - wx) * volume[z, y + b, x + c] for b in (0, 1) for c in (0, 1)
    )  # fmt: skip
    np.testing.assert_allclose(out, flat, rtol=2e-6)


def _numbers(dtype: str) -> Array:
    """As packed numbers: each channel by itself, a clip, a second factor and offset, and the range."""
    first, second = [1.5, 0, 0, 0, 0.75, 0, 0, 0, 2.0, -3.0, 5.0, 0.5, 10.0, 240.0], [1.25, 0.5, 1.0, 2.0, -4.0, 0.25]
    return np.array([*first, *second, *((0, 255) if dtype == "u1" else (-np.inf, np.inf))], np.float32)


@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize("count", [1, 2, 7, 32])
def test_channels_by_themselves_get_the_colours_that_planes_get(dtype: str, count: int) -> None:
    fours = (np.random.default_rng(5).random(4 * count) * 255).astype(np.float32)
    p, numbers = _numbers(dtype), np.empty(32, np.float32)
    made, wanted = (np.full((3, 3 * (count + 3)), 77, dtype) for _ in range(2))
    assert _tinted(fours, count, p, numbers, made)
    red, green, blue = (fours[c::4].copy() for c in range(3))
    _painted(red, green, blue, p, count, wanted)
    np.testing.assert_array_equal(made, wanted)  # and nothing beside them was written to


def test_what_mixes_channels_or_lies_in_planes_is_left_to_paint() -> None:
    fours, numbers = np.zeros(32, np.float32), np.empty(32, np.float32)
    mixing = _numbers("f4")
    mixing[1] = 0.1
    assert not _tinted(fours, 8, mixing, numbers, np.zeros((3, 33), np.float32))
    assert not _tinted(fours, 8, _numbers("f4"), numbers, np.zeros((3, 3, 11), np.float32))
