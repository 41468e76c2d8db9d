"""Each docstring's formula against plain numpy, for the transforms that are one colour matrix or curve."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from imagemill.core.errors import ParameterError
from imagemill.core.ops import ChannelMix, Pointwise
from imagemill.core.ranges import Choice
from imagemill.transforms.colour import (
    Brightness,
    ChannelGain,
    ColorJitter,
    Contrast,
    GainOffset,
    Gamma,
    Gray,
    Hue,
    Invert,
    Lighting,
    Saturation,
    ToneGain,
)
from imagemill.transforms.colour.hue import hues
from imagemill.transforms.colour.lighting import IMAGENET_EIGENVALUES, IMAGENET_EIGENVECTORS
from tests.transforms.colour.meaning import draws_of, evaluate, frame_of, ops_of, picture, run

LUMA = np.array([0.299, 0.587, 0.114])


def close(actual, expected, atol=1e-9):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_brightness_and_gain_with_offset(channels):
    x = picture(channels)
    close(run(Brightness(1.3), x), 1.3 * x.astype(float))
    close(run(GainOffset(0.7, -12.5), x), 0.7 * x - 12.5)


def test_gain_per_channel_is_fixed_by_each():
    x = picture(3)
    close(run(ChannelGain(each=[0.5, 1, 2]), x), x * np.array([0.5, 1, 2]))


def test_gain_per_channel_is_drawn_independently():
    (op,) = ops_of(ChannelGain((0.5, 1.5)), frame_of(400, 3))
    gains = op.matrix[:, [0, 1, 2], [0, 1, 2]]
    assert gains.min() > 0.5
    assert gains.max() < 1.5
    # 400 independent pairs correlate by 0.05 on average; equal columns would by 1.
    assert np.abs(np.corrcoef(gains.T) - np.eye(3)).max() < 0.2
    assert ChannelGain(Choice([1, 2])).variants() == 8
    assert ChannelGain(each=[1, 2, 3]).variants() == 1


def test_tone_gain_is_piecewise_with_edges_in_the_upper_range():
    x = np.array([0.0, 84.9, 85, 100, 169.9, 170, 255])[None, :, None]
    gains = np.array([2, 2, 1, 1, 1, 0.5, 0.5])[None, :, None]
    close(run(ToneGain([85, 170], [2, 1, 0.5]), x), x * gains)


def test_tone_gains_are_drawn_one_by_one():
    t = ToneGain([100], [(0.5, 1.0), Choice([1, 2])])
    draws = draws_of(t, range(300))
    op = t.draw(draws, frame_of(300))
    assert op.params.shape == (300, 3)
    assert set(draws.values) == {"gains.0", "gains.1"}
    np.testing.assert_array_equal(op.params[:, 0], 100)
    np.testing.assert_array_equal(op.params[:, 1], draws.values["gains.0"])
    assert set(op.params[:, 2]) == {1, 2}
    assert t.variants() == np.inf
    assert ToneGain([100], [1, Choice([1, 2])]).variants() == 2
    assert [name for name, _, _ in t.distributions()] == ["gains.0", "gains.1"]


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_contrast_about_the_mean(channels):
    x = picture(channels).astype(float)
    weights = LUMA if channels == 3 else np.full(channels, 1 / channels)
    mean = (x @ weights).mean()
    close(run(Contrast(1.7), x.astype(np.uint8)), 1.7 * x - 0.7 * mean)


@pytest.mark.parametrize(("dtype", "middle"), [(np.uint8, 127.5), (np.uint16, 32767.5), (np.float32, 0.5)])
def test_contrast_about_a_given_value(dtype, middle):
    x = picture(3, dtype=dtype)
    close(run(Contrast(0.4, "middle"), x), 0.4 * x.astype(float) + 0.6 * middle)
    close(run(Contrast(0.4, 30), x), 0.4 * x.astype(float) + 0.6 * 30)


def test_saturation_moves_from_luma():
    x = picture(3).astype(float)
    luma = (x @ LUMA)[..., None]
    close(run(Saturation(1.8), x.astype(np.uint8)), 1.8 * x - 0.8 * luma)
    close(run(Saturation(0), x.astype(np.uint8)), np.broadcast_to(luma, x.shape))


def test_hue_keeps_luma_and_grays_and_is_the_identity_at_0():
    degrees = np.linspace(-180, 180, 25)
    matrices = hues(degrees)
    close(matrices[:, :, :3].transpose(0, 2, 1) @ LUMA, np.broadcast_to(LUMA, (25, 3)), 1e-14)
    close(matrices[:, :, :3].sum(axis=2), 1.0, 1e-14)
    np.testing.assert_array_equal(hues(np.zeros(1))[0], np.eye(3))


def test_hue_turns_add_up():
    a, b, ab = hues(np.array([20.0, 50.0, 70.0]))
    close(a @ b, ab, 1e-13)
    close(np.linalg.matrix_power(hues(np.array([120.0]))[0], 3), np.eye(3), 1e-13)


def test_positive_hue_turns_red_towards_yellow():
    red, green, blue = run(Hue(20), np.array([[[150, 90, 90]]], np.uint8))[0, 0]
    assert green > blue + 10
    assert red > green


def test_color_jitter_is_its_four_parts_in_order():
    x = picture(3)
    expected = x.astype(float)
    for part in (Brightness(1.2), Contrast(0.7), Saturation(1.4), Hue(25)):
        (op,) = ops_of(part, frame_of(1, 3))
        expected = evaluate(op, expected)
    jitter = ColorJitter(brightness=1.2, contrast=0.7, saturation=1.4, hue=25)
    assert len(ops_of(jitter, frame_of(1, 3))) == 1
    close(run(jitter, x), expected)


def test_the_parts_of_color_jitter_commute():
    x = picture(3).astype(float)
    parts = [ops_of(t, frame_of(1, 3))[0] for t in (Brightness(1.2), Contrast(0.7), Saturation(1.4), Hue(25))]
    jitter = run(ColorJitter(brightness=1.2, contrast=0.7, saturation=1.4, hue=25), x.astype(np.uint8))
    for order in itertools.permutations(parts):
        out = x
        for part in order:
            out = evaluate(part, out)
        close(out, jitter)


def test_color_jitter_of_single_parts():
    x = picture(3)
    close(run(ColorJitter(hue=25), x), run(Hue(25), x))
    close(run(ColorJitter(saturation=0.3), x), run(Saturation(0.3), x))
    gray = picture(1)
    close(run(ColorJitter(1.2, 0.7), gray), 0.7 * 1.2 * gray + 0.3 * 1.2 * gray.mean())


def test_color_jitter_names_its_draws():
    t = ColorJitter(brightness=(0.5, 1.5), hue=(-10, 10))
    draws = draws_of(t, range(4))
    t.draw(draws, frame_of(4))
    assert list(draws.values) == ["brightness", "hue"]


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_lighting_shifts_along_the_eigenvectors(dtype, white):
    t, frame = Lighting(), frame_of(50, 3, dtype)
    draws = draws_of(t, range(50))
    op = t.draw(draws, frame)
    strengths = np.stack([draws.values[f"strength.{i}"] for i in range(3)], axis=1)
    assert np.abs(np.corrcoef(strengths.T) - np.eye(3)).max() < 0.6
    for row, alpha in enumerate(strengths):
        shift = sum(
            a * value * np.array([r[i] for r in IMAGENET_EIGENVECTORS])
            for i, (a, value) in enumerate(zip(alpha, IMAGENET_EIGENVALUES, strict=True))
        )
        close(op.matrix[row], np.column_stack([np.eye(3), white * shift]), 1e-12 * white)


def test_lighting_of_an_own_basis():
    x = picture(2)
    t = Lighting(0.5, basis=([0.2, 0.1], [[0, 1], [1, 0]]))
    close(run(t, x), x + 255 * np.array([0.5 * 0.1, 0.5 * 0.2]))
    assert Lighting(Choice([-1, 1])).variants() == 8


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_gamma_keeps_black_and_white(dtype, white):
    x = picture(3, dtype=dtype)
    close(run(Gamma(2.2), x), white * (x / white) ** 2.2, 1e-6 * white)
    ends = np.array([[[0, white]]], dtype)
    np.testing.assert_array_equal(run(Gamma(0.3), ends), ends)


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_invert(dtype, white):
    x = picture(3, dtype=dtype)
    close(run(Invert(), x), white - x.astype(float))


EVERY_COLOUR = [
    Brightness(1.3),
    GainOffset(0.7, 9),
    ChannelGain((0.5, 0.9)),
    ToneGain([100], [0.5, 2]),
    Contrast(0.5),
    Contrast(0.5, "middle"),
    Saturation(0.5),
    Hue(40),
    ColorJitter(1.1, 0.8, 0.5, 30),
    Lighting(0.3),
    Gamma(0.5),
    Invert(),
]


@pytest.mark.parametrize("transform", EVERY_COLOUR, ids=repr)
def test_alpha_is_left_alone_and_has_no_share(transform):
    x = picture(4)
    out = run(transform, x)
    np.testing.assert_array_equal(out[..., 3], x[..., 3])
    close(out[..., :3], run(transform, x[..., :3]))
    assert np.abs(out[..., :3] - x[..., :3]).max() > 1


@pytest.mark.parametrize("transform", EVERY_COLOUR, ids=repr)
def test_not_chosen_means_identity(transform):
    frame = frame_of(2, 4)
    where = np.array([False, True])
    x = picture(4).astype(float)
    for op in ops_of(transform, frame):
        assert isinstance(op, ChannelMix | Pointwise)
        chosen = op.chosen(where, frame)
        np.testing.assert_array_equal(evaluate(chosen, x, 0), x)
        np.testing.assert_array_equal(evaluate(chosen, x, 1), evaluate(op, x, 1))


@pytest.mark.parametrize("transform", [Saturation(), Hue(), Gray(), Lighting()])
@pytest.mark.parametrize("channels", [2, 5])
def test_colour_needs_three_channels(transform, channels):
    name = type(transform).__name__
    message = rf"expected {name} to get 3 colour channels \(RGB.*got {channels}; leave it out or read .* as RGB"
    with pytest.raises(ParameterError, match=message):
        ops_of(transform, frame_of(1, channels))


@pytest.mark.parametrize("part", ["saturation", "hue"])
def test_color_jitter_of_two_channels_refuses_saturation_and_hue(part):
    with pytest.raises(ParameterError, match=rf"expected ColorJitter\({part}=\.\.\.\) to get 3 colour channels"):
        ops_of(ColorJitter(**{part: 1}), frame_of(1, 2))
