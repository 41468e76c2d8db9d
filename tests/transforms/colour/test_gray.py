from __future__ import annotations

import numpy as np
import pytest

import imagemill as im

PICTURE = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("weights", "row"),
    [
        ("bt601", (0.299, 0.587, 0.114)),
        ("bt709", (0.2126, 0.7152, 0.0722)),
        ("mean", (1 / 3, 1 / 3, 1 / 3)),
        ((0.5, 0.25, 0.25), (0.5, 0.25, 0.25)),
    ],
)
def test_every_channel_is_the_weighted_sum(weights: object, row: tuple[float, ...]) -> None:
    made = im.Pipeline([im.Gray(weights)], seed=0)(PICTURE.astype(np.float64))
    expected = np.repeat((PICTURE @ np.array(row))[..., None], 3, axis=-1)
    np.testing.assert_allclose(made, expected, atol=1e-9)


def test_bytes_are_those_of_no_saturation() -> None:
    gray, dull = (im.Pipeline([t], seed=0)(PICTURE) for t in (im.Gray(), im.Saturation(0)))
    np.testing.assert_array_equal(gray, dull)


def test_alpha_and_the_samples_not_chosen_stay() -> None:
    rgba = np.dstack([PICTURE, PICTURE[..., 0]])
    made = im.Pipeline([im.Gray()], seed=0)(rgba)
    np.testing.assert_array_equal(made[..., 3], rgba[..., 3])
    assert (made[..., 0] == made[..., 1]).all()
    batch = im.Pipeline([im.Gray(p=0.5)], seed=0).batch([PICTURE] * 40).image
    left = [np.array_equal(x, PICTURE) for x in batch]
    assert 5 < sum(left) < 35


def test_it_survives_a_file() -> None:
    pipe = im.Pipeline([im.Gray((0.5, 0.25, 0.25), p=0.2)], seed=1)
    assert im.Pipeline.from_yaml(pipe.to_yaml()) == pipe


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("bt2020", "expected .* one of"),
        ((0.5, 0.5), "three weights"),
        ((1, 1, 1), "add up to 1"),
        ((-1, 1, 1), "at least"),
    ],
)
def test_wrong_weights_are_refused(weights: object, words: str) -> None:
    with pytest.raises(im.ParameterError, match=words):
        im.Gray(weights)


def test_two_channels_are_refused() -> None:
    with pytest.raises(im.ParameterError, match="3 colour channels"):
        im.Pipeline([im.Gray()], seed=0)(im.Image(np.zeros((8, 9, 2), np.uint8), "yxc"))
