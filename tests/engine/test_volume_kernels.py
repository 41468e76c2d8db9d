"""What volumes run through on the CPU, piece by piece, against numpy and scipy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage as ndi

import imagemill as im
from imagemill.core.image_ops import Erase, Noise
from imagemill.core.ops import ChannelMix, Fit, Pointwise
from imagemill.engine import colour_values as values
from imagemill.engine.altering.altered import altered
from imagemill.engine.backends.cpu import value_statistics as statistics
from imagemill.engine.backends.cpu.altering import line_filter
from imagemill.engine.backends.cpu.altering.alter import alter
from imagemill.engine.backends.cpu.colour import runs
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.halves import halved, single
from imagemill.engine.backends.cpu.powers import exponential, power
from imagemill.engine.plan import Alter, Colour
from imagemill.testing import picture

SINGLE, HALF = np.dtype(np.float32), np.dtype(np.float16)


@compiled
def each_power(x, exponent, out):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        out[i] = power(x[i], exponent)  # type: ignore[no-untyped-call]


@compiled
def each_exponential(x, out):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        out[i] = exponential(x[i])  # type: ignore[no-untyped-call]


EACH_POWER: Any = each_power
EACH_EXPONENTIAL: Any = each_exponential


@pytest.mark.parametrize("exponent", [0.1, 0.7, 1.0, 1.5, 3.0])
def test_powers_are_near_to_those_of_double_precision(exponent: float) -> None:
    x = np.concatenate([np.linspace(0, 1, 4001), np.geomspace(1e-2, 1e2, 4001)]).astype(np.float32)
    found, wanted = np.empty_like(x), x.astype(np.float64) ** np.float32(exponent)
    EACH_POWER(x, np.float32(exponent), found)
    np.testing.assert_allclose(found, wanted, rtol=4e-6, atol=1e-9)


def test_a_power_of_nothing_is_nothing_and_a_large_one_is_infinite() -> None:
    found = np.empty(3, np.float32)
    EACH_POWER(np.array([0, -2, 1e30], np.float32), np.float32(2.5), found)
    assert found.tolist() == [0.0, 0.0, np.inf]


def test_exponentials_are_near_to_those_of_double_precision() -> None:
    x = np.linspace(-20, 20, 4001, dtype=np.float32)
    found = np.empty_like(x)
    EACH_EXPONENTIAL(x, found)
    np.testing.assert_allclose(found, np.exp(x.astype(np.float64)), rtol=3e-6)


def test_every_half_is_read_and_values_are_rounded_to_the_nearest() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    np.testing.assert_array_equal(single(every), every.astype(np.float32))
    x = np.random.default_rng(0).normal(size=5000).astype(np.float32) * np.float32(1e4)
    x[:4] = np.nan, np.inf, -np.inf, 65535
    found = np.empty(x.shape, np.float16)
    halved(x, found)
    np.testing.assert_array_equal(found, values.to_dtype(x, np.float16))


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_are_numpys(channels: int, together: bool) -> None:
    x = np.random.default_rng(1).normal(1000, 2, (5, 7, 9, channels)).astype(np.float32)
    axes = None if together else (0, 1, 2)
    mean = statistics.means(x, together=together)
    np.testing.assert_allclose(mean, np.atleast_1d(x.mean(axis=axes, dtype=np.float64)), rtol=1e-12)
    spread = statistics.deviations(x, mean, together=together)
    np.testing.assert_allclose(spread, np.atleast_1d(x.std(axis=axes, dtype=np.float64)), rtol=1e-12)
    low, high = statistics.extremes(x, together=together)
    assert (low.tolist(), high.tolist()) == tuple(np.atleast_1d(f(x, axis=axes)).tolist() for f in (np.min, np.max))


@pytest.mark.parametrize("taps", [1, 3, 5, 9, 31])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_line_filter_is_scipys(axis: int, taps: int, channels: int) -> None:
    rng = np.random.default_rng(taps)
    x, weights = rng.normal(size=(6, 11, 13, channels)).astype(np.float32), rng.normal(size=taps)
    before = x.copy()
    wanted = ndi.correlate1d(x.astype(np.float64), weights, axis=axis, mode="mirror")
    np.testing.assert_allclose(line_filter.along(x, axis, weights), wanted, atol=2e-6 * np.abs(weights).sum() * 4)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("taps", [(1, 3, 5), (9, 5, 3), (3, 9, 7), (5, 1, 9)])
@pytest.mark.parametrize("shape", [(6, 11, 13, 1), (2, 3, 4, 2), (1, 1, 1, 1), (12, 30, 70, 1)])
def test_three_line_filters_at_once_are_scipys_one_by_one(shape: tuple[int, ...], taps: tuple[int, ...]) -> None:
    rng = np.random.default_rng(taps)
    x, kernels = rng.normal(size=shape).astype(np.float32), [rng.normal(size=n) for n in taps]
    wanted = x.astype(np.float64)
    for axis, weights in enumerate(kernels):
        wanted = ndi.correlate1d(wanted, weights, axis=axis, mode="mirror")
    total = np.prod([np.abs(weights).sum() for weights in kernels])
    np.testing.assert_allclose(line_filter.along_all(x, kernels), wanted, atol=1e-5 * total)


@pytest.mark.parametrize("size", [1, 7, 5000, 9001])
def test_a_summary_is_numpys(size: int) -> None:
    x = np.random.default_rng(size).normal(-3, 200, size).astype(np.float32)
    low, high, total, squares = statistics.summary(x, 2.5)
    assert (low, high) == (x.min(), x.max())
    away = x.astype(np.float64) - 2.5
    np.testing.assert_allclose((total, squares), (away.sum(), (away**2).sum()), rtol=1e-9)


@pytest.mark.parametrize("axes", ["x", "zx", "yx", "zyx", "zy"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_volumes_that_run_backwards_are_copied_as_numpy_does(dtype: str, axes: str) -> None:
    scan = picture(3, (5, 6, 17), None, dtype, noise=True)
    pipe = im.Pipeline([im.Flip(axis) for axis in axes] + [im.Crop((3, 4, 9))], seed=0)
    wanted = np.flip(scan, ["zyx".index(axis) for axis in axes])[1:4, 1:5, 4:13]
    np.testing.assert_array_equal(pipe(im.Image(scan, "zyx")), wanted)
    if dtype[0] != "f":
        made = pipe(image=im.Image(scan, "zyx"), mask=im.Mask(scan, "zyx"))
        np.testing.assert_array_equal(made.mask, wanted)


def _gain(*gains: float) -> ChannelMix:
    matrix = np.zeros((1, len(gains), len(gains) + 1))
    matrix[0, :, :-1] = np.diag(gains)
    matrix[0, :, -1] = np.arange(len(gains)) + 0.5
    return ChannelMix(matrix, None, leaves_range=True)


CHAINS: dict[str, Any] = {
    "statistics behind gains that differ": (_gain(0.5, 2.0), Fit("zscore")),
    "a gain that mirrors": (_gain(-1.5, -0.5), Fit("minmax", per_channel=True)),
    "limits between": (Fit("minmax"), Pointwise("clip", np.array([[0.2, 0.7]]), 2), _gain(3.0, 1.0)),
    "powers of a channel": (Pointwise("gamma", np.array([[2.0, 1.7]]), 1), Fit("zscore", per_channel=True)),
    "twice": (Fit("zscore"), Pointwise("gamma", np.array([[3.0, 0.6]]), 2), Fit("minmax")),
}


@pytest.mark.parametrize("out", ["float32", "float16", "int16"])
@pytest.mark.parametrize("src", ["float32", "float16", "uint16"])
@pytest.mark.parametrize("name", CHAINS)
def test_chains_of_colour_are_what_their_stages_mean(name: str, src: str, out: str) -> None:
    image = picture(3, (4, 9, 11), 2, src, noise=True)
    colour = Colour(CHAINS[name], image.dtype, np.dtype(out), 1.0)
    assert runs.way(colour, 0, image.dtype) == "chain"
    wanted = values.apply_colour(colour, 0, image.astype(np.float64), image.dtype)
    found = runs.run(colour, 0, image)
    assert found.dtype == wanted.dtype
    apart = np.abs(found.astype(np.float64) - wanted.astype(np.float64)).max()
    size = max(1.0, float(np.abs(wanted.astype(np.float64)).max()))
    assert apart <= (1.0 if out == "int16" else size * (1e-3 if out == "float16" else 2e-5))


def test_values_far_from_zero_keep_their_digits() -> None:
    image = (1e4 + picture(1, (6, 8, 10), 1, "float32", noise=True)).astype(np.float32)
    colour = Colour((Fit("zscore"),), SINGLE, SINGLE, 1.0)
    wanted = values.apply_colour(colour, 0, image.astype(np.float64), image.dtype)
    np.testing.assert_allclose(runs.run(colour, 0, image), wanted, atol=3e-4)
    assert abs(float(runs.run(colour, 0, image).mean(dtype=np.float64))) < 1e-3


@pytest.mark.parametrize("shape", [(9, 14), (5, 9, 11)])
def test_noise_in_boxes_is_that_of_the_whole_image(shape: tuple[int, ...]) -> None:
    boxes = np.array([[[[1, 4]] + [[2, n - 1] for n in shape[1:]], [[0, 2]] + [[-3, 5] for _ in shape[1:]]]])
    op = Erase(boxes, 2, "noise", stream=np.array([[7, 9]], np.uint32))
    step = Alter(op, 1.0, ("CoarseDropout",), "")
    image = np.zeros((*shape, 3), np.float32)
    np.testing.assert_array_equal(alter(step, 0, image), altered(step, 0, image))
    assert 0.2 < (alter(step, 0, image) != 0).mean() < 0.7


def test_noise_is_counted_by_voxel_however_many_there_are() -> None:
    op = Noise("normal", np.array([[0.25, 0.0, 0.0, 0.0]]), np.array([[7, 9]], np.uint32), 1)
    step = Alter(op, 1.0, ("GaussianNoise",), "")
    image = picture(1, (13, 20, 27), 1, "float32", noise=True)
    np.testing.assert_allclose(alter(step, 0, image), altered(step, 0, image), atol=1e-6)


def test_batches_of_volumes_are_their_volumes_one_by_one() -> None:
    scans = np.stack([picture(k, (12, 20, 24), None, "float32", noise=True) for k in range(3)])
    listed = [im.Standardize(), im.GaussianNoise(0.1), im.GaussianBlur(1.0), im.LowResolution((1.2, 2))]
    pipe = im.Pipeline([*listed, im.Gamma((0.7, 1.5), within="range", keep=True), im.BiasField(0.3)], seed=2)
    together = pipe.batch(scans, axes="zyx", keys=range(3), workers=2).image
    for k in range(3):
        np.testing.assert_array_equal(together[k], pipe(scans[k], axes="zyx", key=k))
