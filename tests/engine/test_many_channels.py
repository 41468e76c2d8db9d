"""Colour on many channels that do not mix: the values, and that no channel looks at another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imagemill.core.ops import CURVES, ChannelMix, Pointwise
from imagemill.engine.backends.cpu.colour import mix
from imagemill.engine.colour_values import apply_stage
from imagemill.engine.plan import Colour


def run(stages: tuple[Any, ...], src: Any, dtype: Any) -> Any:
    found = mix.mixing(Colour(stages, src.dtype, np.dtype(dtype), 255.0))
    assert found is not None
    assert found.apart[0]
    out = np.empty(src.shape, dtype)
    mix.run(found, 0, src, out)
    return out


@pytest.mark.parametrize("channels", [2, 5, 40])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("clipped", [False, True])
def test_gains_and_offsets_are_those_of_numpy(channels: int, dtype: Any, clipped: bool) -> None:
    rng = np.random.default_rng(channels)
    src = rng.integers(0, 256, (6, 7, channels)).astype(np.uint8)
    g1, g2 = rng.uniform(0.5, 1.5, (2, 1, channels))
    o1, o2 = rng.uniform(-30, 30, (2, 1, channels))
    clip = (Pointwise("clip", np.array([[0.0, 200.0]]), channels),) if clipped else ()
    found = run((ChannelMix.diagonal(g1, o1), *clip, ChannelMix.diagonal(g2, o2)), src, dtype)
    wanted = src * g1 + o1
    wanted = (np.clip(wanted, 0, 200) if clipped else wanted) * g2 + o2
    if dtype == np.uint8:
        assert np.abs(found.astype(float) - np.clip(np.rint(wanted), 0, 255)).max() <= 1
        assert (found == np.clip(np.rint(wanted), 0, 255)).mean() > 0.99
    else:
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_what_is_not_finite_stays_in_its_channel() -> None:
    src = np.ones((3, 3, 6), np.float32)
    src[1, 1, 2] = np.nan
    found = run((ChannelMix.diagonal(np.full((1, 6), 2.0)),), src, np.float32)
    np.testing.assert_array_equal(found, src * 2)


def test_one_channel_into_another_is_no_diagonal() -> None:
    matrix = np.tile(np.eye(6, 7), (2, 1, 1))
    matrix[1, 0, 5] = 0.5
    found = mix.mixing(Colour((ChannelMix(matrix),), np.dtype(np.uint8), np.dtype(np.float32), 255.0))
    assert found is not None
    assert found.apart.tolist() == [True, False]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_whichever_channel_goes_into_whichever_it_is_seen(channels: int) -> None:
    matrix = np.tile(np.eye(channels, channels + 1), (channels**2, 1, 1))
    for i in range(channels**2):
        matrix[i, i // channels, i % channels] += 0.5
    found = mix.mixing(Colour((ChannelMix(matrix),), np.dtype(np.uint8), np.dtype(np.float32), 255.0))
    assert found is not None
    assert found.apart.tolist() == [i // channels == i % channels for i in range(channels**2)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stage_by_stage_a_channel_reads_no_other(dtype: type) -> None:
    x = np.linspace(0.1, 0.9, 2 * 3 * 40, dtype=dtype).reshape(2, 3, 40)
    x[0, 0, 7] = np.nan  # would reach every channel of its pixel through a product with zeros
    gain, offset = np.linspace(0.5, 2.0, 40), np.linspace(-1.0, 1.0, 40)
    out = apply_stage(ChannelMix.diagonal(gain[None], offset[None]), 0, x, np.dtype(dtype))
    np.testing.assert_allclose(out, x * gain + offset, rtol=1e-6, atol=1e-6)
    assert out.dtype == dtype
    assert np.isnan(out).sum() == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("curve", "params", "wanted"),
    [
        ("gamma", [1.0, 0.5], [0.5, 0.0, 0.0, 2.0]),
        ("tones", [0.2, 3.0, 2.0], [0.5, 0.0, -3.0, 8.0]),
        ("clip", [0.0, 1.0], [0.25, 0.0, 0.0, 1.0]),
    ],
)
def test_a_curve_keeps_the_floating_dtype_it_is_given(
    curve: str, params: list[float], wanted: list[float], dtype: type
) -> None:
    out = CURVES[curve].meaning(np.array([0.25, 0.0, -1.0, 4.0], dtype), np.array(params, dtype))
    assert out.dtype == dtype
    np.testing.assert_allclose(out, wanted, rtol=1e-6)
