"""Bytes through tables and into histograms, of sizes about those that go through at a time."""

from __future__ import annotations

import numpy as np
import pytest

from imagemill.engine.backends.cpu.byte_tables import histogram, look_up

SIZES = (1, 2, 63, 64, 65, 127, 191, 192, 193, 500)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_each_channel_goes_through_its_own_row(channels: int, alike: bool, dtype: str) -> None:
    rng = np.random.default_rng(channels)
    table = rng.integers(0, 256, (channels, 256)).astype(dtype)
    if alike:
        table[:] = table[0]
    for size in SIZES:
        src = rng.integers(0, 256, (size, channels), dtype=np.uint8)
        out = np.empty(src.shape, dtype)
        look_up(src, table, out)
        np.testing.assert_array_equal(out, np.stack([table[c][src[:, c]] for c in range(channels)], axis=-1))
        look_up(src, table[:1], out)
        np.testing.assert_array_equal(out, table[0][src])


@pytest.mark.parametrize("kinds", ["d", "dd", "ddd", "uzu", "zuu", "uuw", "zzz", "udu", "uwzu"])
def test_negatives_and_channels_that_stay_or_have_one_value(kinds: str) -> None:
    up = np.arange(256, dtype=np.uint8)
    rows = {"u": up, "d": up[::-1], "z": up * 0, "w": up * 0 + 77}
    table = np.stack([rows[kind] for kind in kinds])
    for size in (4095, 4096, 9000):
        src = np.random.default_rng(size).integers(0, 256, (size, len(kinds)), dtype=np.uint8)
        out = np.empty_like(src)
        look_up(src, table, out)
        np.testing.assert_array_equal(out, np.stack([table[c][src[:, c]] for c in range(len(kinds))], axis=-1))


def test_tables_with_other_strides() -> None:
    src = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    table = np.arange(768).reshape(256, 3).astype(np.uint8).T
    out = np.empty_like(src)
    look_up(src, table, out)
    np.testing.assert_array_equal(out, np.stack([table[c][src[..., c]] for c in range(3)], axis=-1))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_histograms_count_every_pixel(channels: int) -> None:
    rng = np.random.default_rng(0)
    for size in SIZES:
        src = rng.integers(0, 7, (size, 3, channels), dtype=np.uint8)
        counted = [np.bincount(src[..., c].ravel(), minlength=256) for c in range(channels)]
        np.testing.assert_array_equal(histogram(src), counted)
        np.testing.assert_array_equal(histogram(src[:, ::-1]), counted)
