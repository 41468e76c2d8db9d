"""The ways colour takes on the CPU against its definition in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.geometry import Frame, peak_of
from imagemill.core.ops import ChannelMix, Fit, Pointwise
from imagemill.engine import colour_values as values
from imagemill.engine.backends.cpu.colour import runs as cpu
from imagemill.engine.plan import Colour, Pass
from imagemill.testing import picture

UINT8 = np.dtype(np.uint8)


def mix(rng: np.random.Generator, channels: int, kind: str, *, leaves_range: bool = False) -> ChannelMix:
    """A mix of about unit gain: a diagonal, a full matrix, or one with a share of the means."""
    matrix = np.zeros((1, channels, channels + 1))
    matrix[0, :, :channels] = np.diag(rng.uniform(0.5, 1.5, channels))
    if kind != "diagonal":
        matrix[0, :, :channels] += rng.uniform(-0.2, 0.2, (channels, channels))
    matrix[0, :, channels] = rng.uniform(-20, 20, channels)
    pivot = rng.uniform(-0.3, 0.3, (1, channels, channels)) if kind == "pivot" else None
    return ChannelMix(matrix, pivot, leaves_range)


def clip(low: float, high: float, channels: int) -> Pointwise:
    return Pointwise("clip", np.array([[low, high]]), channels)


def check(colour: Colour, src: Any, way: str | None = None, out: Any = None) -> Any:
    """Run both and compare: integers within one unit of rounding, floats within the precision of their source."""
    before = src.copy()
    if way is not None:
        assert cpu.way(colour, 0, src.dtype) == way
    wanted = values.apply_colour(colour, 0, src.astype(np.float64), src.dtype)
    found = cpu.run(colour, 0, src, out)
    assert (found.shape, found.dtype) == (wanted.shape, colour.dtype)
    np.testing.assert_array_equal(src, before)
    spread = max(float(np.abs(src.astype(np.float64)).max()), float(np.abs(wanted.astype(np.float64)).max()), 1e-6)
    if colour.dtype.kind in "iu":
        apart = np.abs(found.astype(np.float64) - wanted)
        # float32 may see a half from the other side; beyond 24 bits it is float64's turn.
        assert apart.max() <= 1
        assert apart.mean() <= 0.02
    else:
        limit = {"float16": 2e-3, "float32": 4e-6, "float64": 1e-12 if src.dtype.itemsize > 4 else 4e-6}
        np.testing.assert_allclose(found, wanted, rtol=0, atol=limit[colour.dtype.name] * spread)
    return found


dtypes = st.sampled_from(("uint8", "uint16", "int16", "float16", "float32", "float64"))
outs = st.sampled_from(("uint8", "uint16", "int16", "float16", "float32", "float64"))


@settings(max_examples=60)
@given(st.integers(0, 999), dtypes, outs, st.sampled_from((1, 3, 4, 6)), st.data())
def test_any_run_is_what_it_means(seed: int, src: str, out: str, channels: int, data: Any) -> None:
    rng = np.random.default_rng(seed)
    white = peak_of(src)
    makers = {
        "diagonal": lambda: mix(rng, channels, "diagonal"),
        "full": lambda: mix(rng, channels, "full"),
        "pivot": lambda: mix(rng, channels, "pivot"),
        "clip": lambda: clip(0.1 * white, 0.9 * white, channels),
        "gamma": lambda: Pointwise("gamma", np.array([[white, rng.uniform(0.5, 2)]]), min(channels, 3)),
        # Edges that no value stands on: on which side of an edge a value falls is not a matter of rounding.
        "tones": lambda: Pointwise("tones", np.array([[0.3017 * white, 0.7 * white, 0.5, 1.5, 1.0]]), min(channels, 3)),
        "off": lambda: Pointwise("clip", np.array([[0.0, 1.0]]), channels, np.array([False])),
    }
    names = data.draw(st.lists(st.sampled_from(list(makers)), max_size=4))
    if "tones" in names[1:]:
        # Behind another stage a value may come to stand within rounding of an edge, where the curve jumps.
        names = [n for n in names if n != "tones"]
    image = picture(seed, (9, 11), channels, src, noise=True)
    check(Colour(tuple(makers[n]() for n in names), image.dtype, np.dtype(out), white), image)


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
@pytest.mark.parametrize("src", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("kind", ["diagonal", "full", "pivot"])
def test_mix_clip_mix_takes_one_pass(channels: int, src: str, kind: str) -> None:
    rng = np.random.default_rng(channels)
    image = picture(5, (9, 11), channels, src)
    info = (0.0, 1.0) if src == "float32" else (float(np.iinfo(src).min), float(np.iinfo(src).max))
    stages = (mix(rng, channels, kind), clip(*info, channels), mix(rng, channels, "diagonal", leaves_range=True))
    check(Colour(stages, image.dtype, np.dtype(np.float32), info[1]), image, "matrix")


FITS = [
    Fit("minmax"),
    Fit("minmax", per_channel=True),
    Fit("zscore", epsilon=1e-7),
    Fit("zscore", True, 0.1),
    Fit("zscore", centre=False),
    Fit("zscore", True, scale=False),
]


@pytest.mark.parametrize("fit", FITS, ids=range(len(FITS)))
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("src", ["uint8", "uint16", "float32"])
def test_statistics_over_a_histogram_are_those_over_the_pixels(fit: Fit, channels: int, src: str) -> None:
    image = picture(7, (13, 9), channels, src, noise=True)
    stages = (mix(np.random.default_rng(1), channels, "diagonal"), fit)
    if src == "float32":
        stages = (fit,)
    colour = Colour(stages, image.dtype, np.dtype(np.float32), peak_of(src))
    assert cpu.way(colour, 0, image.dtype) == ("table" if src == "uint8" else "chain")
    wanted = values.apply_colour(colour, 0, image.astype(np.float64), image.dtype)
    np.testing.assert_allclose(cpu.run(colour, 0, image), wanted, rtol=0, atol=1e-5 * max(1, np.abs(wanted).max()))


def test_a_constant_picture_has_nothing_to_stretch() -> None:
    image = np.full((4, 4, 1), 7, np.uint8)
    for fit in (Fit("minmax"), Fit("zscore", epsilon=1e-7)):
        found = cpu.run(Colour((fit,), UINT8, np.dtype(np.float32), 255.0), 0, image)
        np.testing.assert_allclose(found, 0, atol=1e-5)


def test_values_beyond_the_range_saturate_and_round_to_even() -> None:
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    half = Colour((ChannelMix.diagonal(np.array([[0.5]])),), UINT8, UINT8, 255.0)
    assert cpu.run(half, 0, image).ravel()[:8].tolist() == [0, 0, 1, 2, 2, 2, 3, 4]
    triple = Colour((ChannelMix.diagonal(np.array([[3.0]]), np.array([[-30.0]])),), UINT8, UINT8, 255.0)
    found = cpu.run(triple, 0, image).ravel()
    assert (found[0], found[-1]) == (0, 255)
    wide = np.array([[[-5.0], [np.nan], [70000.0]]], np.float32)
    cast = Colour((), wide.dtype, np.dtype(np.uint16), 1.0)
    assert values.apply_colour(cast, 0, wide, wide.dtype).ravel().tolist() == [0, 0, 65535]
    assert cpu.run(cast, 0, wide[:, [0, 2]]).ravel().tolist() == [0, 65535]


def test_half_precision_saturates_instead_of_becoming_infinite() -> None:
    image = np.array([[[0], [65504], [65535]]], np.uint16)
    cast = Colour((), image.dtype, np.dtype(np.float16), 65535.0)
    for found in (cpu.run(cast, 0, image), values.apply_colour(cast, 0, image.astype(np.float64), image.dtype)):
        assert found.ravel().tolist() == [0, 65504, 65504]
    kept = values.to_dtype(np.array([np.nan, -1e9]), np.float16)
    assert np.isnan(kept[0])
    assert kept[1] == -65504


def test_alpha_is_left_alone_by_curves_and_clips() -> None:
    image = picture(1, (8, 8), 4)
    gamma = Pointwise("gamma", np.array([[255.0, 2.0]]), 3)
    found = check(Colour((gamma,), UINT8, UINT8, 255.0), image, "table")
    np.testing.assert_array_equal(found[..., 3], image[..., 3])
    bright = im.Pipeline([im.Brightness(3), im.Normalize(0.5, 0.5)], seed=1)(image)
    np.testing.assert_allclose(bright[..., 3], image[..., 3] / 255, atol=1e-6)
    assert bright[..., :3].max() <= 1.0 + 1e-6


@pytest.mark.parametrize(("src", "out"), [("uint8", "float16"), ("float16", "float32"), ("float16", "uint8")])
def test_half_precision_is_read_and_written(src: str, out: str) -> None:
    image = picture(1, (8, 8), 3, src)
    for stages in ((), (ChannelMix.diagonal(np.full((1, 3), 0.3)),), (Fit("zscore"),)):
        check(Colour(stages, image.dtype, np.dtype(out), 255.0), image)


@pytest.mark.parametrize("shape", [(9, 11), (5, 9, 11)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("kind", ["diagonal", "full", "copy", "gamma"])
def test_outputs_of_any_strides_are_written(shape: tuple[int, ...], channels: int, dtype: str, kind: str) -> None:
    image = picture(2, shape, channels)
    rng = np.random.default_rng(0)
    stages: tuple[Any, ...] = {
        "copy": (),
        "gamma": (Pointwise("gamma", np.array([[255.0, 1.3]]), channels),),
    }.get(kind) or ((mix(rng, channels, kind),) if kind != "copy" else ())
    colour = Colour(stages, UINT8, np.dtype(dtype), 255.0)
    plain = cpu.run(colour, 0, image)
    # Channels first seen as channels last, every second pixel, reversed rows; and a source that is no block either.
    first = np.moveaxis(np.zeros((channels, *shape), dtype), 0, -1)
    spaced = np.zeros((*shape[:-1], shape[-1] * 2, channels), dtype)[..., ::2, :]
    upside_down = np.zeros((*shape, channels), dtype)[::-1]
    for out in (first, spaced, upside_down):
        found = cpu.run(colour, 0, image, out)
        assert found is out
        np.testing.assert_array_equal(out, plain)
    turned = np.ascontiguousarray(np.swapaxes(image, 0, 1)).swapaxes(0, 1)
    np.testing.assert_array_equal(cpu.run(colour, 0, turned), plain)
    np.testing.assert_array_equal(cpu.run(colour, 0, np.repeat(image, 2, axis=0)[::2]), plain)


def test_a_matrix_that_changes_nothing_is_no_pass() -> None:
    image = picture(1, (6, 7, 8), 1, "float32", noise=True)
    matrix = np.array([[[1.0, 0.0]], [[1.0, 0.25]], [[1.0, 0.0]]])
    pivot = np.array([[[0.0]], [[0.0]], [[-0.5]]])
    colour = Colour((ChannelMix(matrix, pivot),), image.dtype, image.dtype, 1.0)
    assert [cpu.way(colour, row, image.dtype) for row in range(3)] == ["copy", "matrix", "matrix"]
    assert cpu.run(colour, 0, image) is image


def test_rows_that_were_not_chosen_are_copied() -> None:
    where = np.array([False, True])
    colour = Colour(
        (Pointwise("gamma", np.full((2, 2), 2.0), 1, where), Fit("minmax", where=where)), UINT8, UINT8, 255.0
    )
    assert [cpu.way(colour, row, UINT8) for row in (0, 1)] == ["copy", "table"]
    image = picture(1, (5, 5), 1)
    assert cpu.run(colour, 0, image) is image


JITTER = im.ColorJitter((0.8, 1.2), (0.8, 1.2), (0.8, 1.2), (-10, 10))
PIPES = [
    [im.Normalize("imagenet"), im.ToLayout("channels_first")],
    [
        im.ColorJitter((0.8, 1.2), (0.8, 1.2), (0.8, 1.2), (-10, 10)),
        im.Normalize("imagenet"),
        im.ToLayout("channels_first"),
    ],
    [im.Gamma((0.5, 2)), im.Lighting(0.1), im.ToDtype("float32", scale=True)],
    [im.Standardize(per_channel=True), im.ToDtype("float16")],
]


@pytest.mark.parametrize("listed", PIPES, ids=range(len(PIPES)))
def test_whole_pipelines_of_colour(listed: list[im.Transform]) -> None:
    images = [picture(i, (20, 24), 3) for i in range(3)]
    quick, slow = (im.Pipeline(listed, seed=2, backend=b).batch(images).image for b in ("cpu", "reference"))
    assert (quick.shape, quick.dtype, quick.flags.c_contiguous) == (slow.shape, slow.dtype, True)
    np.testing.assert_allclose(quick, slow, rtol=2e-3 if quick.dtype == np.float16 else 0, atol=3e-5)


def test_one_pass_means_one_colour() -> None:
    pipe = im.Pipeline(PIPES[1], seed=2)
    (step,) = pipe.plan(pipe.draw(Frame.of(8, 8, channels=3), [0])).steps
    assert isinstance(step, Pass)
    assert step.colour is not None
    assert cpu.way(step.colour, 0, UINT8) == "matrix"


def test_channels_that_share_their_numbers_come_out_as_by_a_matrix_to_the_last_bit() -> None:
    rng = np.random.default_rng(4)
    src = np.tile(np.arange(256, dtype=np.uint8)[:, None], (5, 3))
    for gain, offset in [(1.2, 10.0), (0.1, 0.5), (-1.0, 255.0), *rng.uniform(-2, 2, (8, 2))]:
        matrix = np.concatenate([np.eye(3) * gain, np.full((3, 1), offset * 8)], axis=1)[None]
        # A second matrix that scales one channel takes the way of numbers that differ.
        for more in (1.0, 1.0 + 1e-12):
            last = np.concatenate([np.diag([1.0, 1.0, more]), np.zeros((3, 1))], axis=1)[None]
            for dtype in ("uint8", "float32"):
                stages = (ChannelMix(matrix), Pointwise("clip", np.array([[0.0, 255.0]]), 3), ChannelMix(last))
                colour = Colour(stages, np.dtype(np.uint8), np.dtype(dtype), 255.0)
                found = cpu.run(colour, 0, src[None])
                planes = np.empty((3, 1, len(src)), dtype).transpose(1, 2, 0)
                np.testing.assert_array_equal(found, cpu.run(colour, 0, src[None], planes))
