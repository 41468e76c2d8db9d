"""Statistics against plain numpy, and what is applied."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.verbs.prepare.statistics import EPSILON, Moments, Statistics, Whitening, applied


def fitted(
    images: np.ndarray[Any, Any], cuts: list[int], *, channels: bool = True, compiled: bool = False
) -> Statistics:
    moments = Moments(images.shape[1:], images.dtype, channels=channels, compiled=compiled)
    for block in np.split(images, sorted(cuts)):
        if len(block):
            moments.add(block)
    return moments.end()


def check(found: Statistics, images: np.ndarray[Any, Any]) -> None:
    wide = images.astype(np.float64).reshape(len(images), -1, images.shape[-1])
    flat = wide.transpose(2, 0, 1).reshape(images.shape[-1], -1)
    np.testing.assert_allclose(found.channel_mean, [math.fsum(c) / c.size for c in flat], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.channel_std, flat.std(axis=1), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.location_mean, images.mean(axis=0, dtype=np.float64), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.location_std, images.std(axis=0, dtype=np.float64), rtol=1e-10, atol=1e-10)
    assert found.mean == pytest.approx(flat.mean(), rel=1e-10, abs=1e-10)
    assert found.std == pytest.approx(flat.std(), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32"])
@given(st.integers(1, 30), st.lists(st.integers(0, 30), max_size=4), st.integers(0, 99))
def test_one_pass_is_numpy(dtype: str, count: int, cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    top = {"uint8": 256, "uint16": 65536}.get(dtype)
    shape = (count, 3, 5, 2)
    images = rng.integers(0, top, shape).astype(dtype) if top else (rng.normal(100, 3, shape)).astype(dtype)
    check(fitted(images, cuts), images)


def test_whole_numbers_do_not_depend_on_order_or_blocks() -> None:
    images = np.random.default_rng(0).integers(0, 65536, (40, 4, 4, 3)).astype(np.uint16)
    one, two = fitted(images, [7, 20]), fitted(images[::-1], [1, 2, 39])
    assert (one.mean, one.std) == (two.mean, two.std)
    assert one.location_std.tobytes() == two.location_std.tobytes()


def test_compiled_sums_of_bytes_are_the_same() -> None:
    # More places than one stretch of them, and a block that does not lie in order.
    images = np.random.default_rng(0).integers(0, 256, (9, 67, 41, 3), np.uint8)
    one, two = fitted(images[::2], [2]), fitted(images[::2], [2], compiled=True)
    check(two, images[::2])
    assert (one.mean, one.std) == (two.mean, two.std)
    assert one.location_mean.tobytes() == two.location_mean.tobytes()
    assert one.location_std.tobytes() == two.location_std.tobytes()


def test_channels_stay_apart_in_images_of_many_values() -> None:
    images = np.broadcast_to(np.array([1, 2, 250], np.uint8), (2, 200, 201, 3))
    found = fitted(images, [])
    assert found.channel_mean.tolist() == [1, 2, 250]
    assert found.channel_std.tolist() == [0, 0, 0]


def test_large_values_do_not_overflow() -> None:
    images = np.full((3, 300, 300, 1), 65535, np.uint16)
    found = fitted(images, [1])
    assert (found.mean, found.std) == (65535.0, 0.0)


@pytest.mark.parametrize(
    ("how", "axes"), [("pixels", None), ("per-channel", (0, 1, 2)), ("per-location", (0,)), ("per-sample", (1, 2, 3))]
)
def test_standardised_values_have_mean_0_and_deviation_1(how: str, axes: Any) -> None:
    images = np.random.default_rng(1).random((20, 4, 5, 3)).astype(np.float32)
    made = applied(images, how, fitted(images, [9]), None)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made.mean(axis=axes, dtype=float), 0, atol=1e-5)
    np.testing.assert_allclose(made.std(axis=axes, dtype=float), 1, atol=1e-4)
    flat = np.full_like(images, 3.0)
    assert not applied(flat, how, fitted(flat, []), None).any()


def test_whitened_values_are_uncorrelated() -> None:
    rng = np.random.default_rng(2)
    images = (rng.random((400, 12)) @ rng.random((12, 12))).reshape(400, 2, 2, 3).astype(np.float32)
    whitening = Whitening(12)
    for block in np.split(images, [50, 51, 300]):
        whitening.add(block)
    matrix = whitening.end()
    plain = images.reshape(400, 12).astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(plain.T, bias=True))
    np.testing.assert_allclose(
        matrix, vectors @ np.diag(1 / np.sqrt(values + EPSILON)) @ vectors.T, rtol=1e-6, atol=1e-6
    )
    made = applied(images, "zca", fitted(images, []), matrix).reshape(400, 12)
    np.testing.assert_allclose(np.cov(made.T, bias=True), np.eye(12), atol=2e-2)


def test_whitening_says_what_it_would_take() -> None:
    with pytest.raises(im.InputError, match=r"150,528, which would take 543\.8 GB"):
        Whitening(224 * 224 * 3)
    with pytest.raises(im.InputError, match="at least one training image"):
        Moments((2, 2), np.dtype(np.uint8), channels=False).end()


@given(st.integers(2, 12), st.lists(st.integers(0, 12), max_size=3), st.integers(0, 99))
def test_values_that_are_not_finite_are_no_values(count: int, cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = rng.normal(100, 3, (count, 3, 5, 2)).astype(np.float32)
    images[rng.random(images.shape) < 0.3] = np.nan
    images[0, :, :, 0] = 100  # no channel without a value
    images[0, :, :, 1] = 101
    found = fitted(images, cuts)
    wide = np.where(np.isfinite(images), images, np.nan).astype(np.float64)
    np.testing.assert_allclose(found.channel_mean, np.nanmean(wide, axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.channel_std, np.nanstd(wide, axis=(0, 1, 2)), rtol=1e-9)
    np.testing.assert_allclose(found.location_mean, np.nanmean(wide, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.location_std, np.nanstd(wide, axis=0), rtol=1e-9, atol=1e-9)
    assert found.mean == pytest.approx(np.nanmean(wide), rel=1e-12)
    assert found.std == pytest.approx(np.nanstd(wide), rel=1e-9)


def test_a_place_without_any_value_goes_by_its_channel() -> None:
    images = np.random.default_rng(0).normal(5, 2, (4, 2, 2, 1)).astype(np.float32)
    images[:, 0, 0] = np.nan
    found = fitted(images, [1, 3])
    assert found.location_mean[0, 0, 0] == found.channel_mean[0] == pytest.approx(np.nanmean(images, dtype=float))
    assert found.location_std[0, 0, 0] == found.channel_std[0]
    nothing = fitted(np.full((2, 2, 2, 1), np.nan, np.float32), [])
    assert (nothing.mean, nothing.std, float(nothing.location_std.max())) == (0, 0, 0)


@pytest.mark.parametrize("count", [1 << 20, 1 << 33])
def test_sums_of_very_many_images_do_not_overflow(count: int) -> None:
    moments = Moments((1, 2), np.dtype(np.uint8), channels=False)
    # Half of the images are white and the others black.
    moments.count = count
    moments.first[:] = count // 2 * 255
    moments.second[:] = count // 2 * 255**2
    found = moments.end()
    assert found.location_mean.tolist() == [[127.5, 127.5]]
    assert found.location_std.tolist() == [[127.5, 127.5]]
    assert (found.mean, found.std) == (127.5, 127.5)
