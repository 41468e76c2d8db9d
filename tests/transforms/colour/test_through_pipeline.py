"""The whole way, as users go it: pixels in, pixels out, one pass or step by step."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im
from tests.transforms.colour.meaning import picture, run

BOTH = pytest.mark.parametrize("fuse", [True, False], ids=["fused", "step by step"])


def saturated(x, dtype=np.uint8):
    info = np.iinfo(dtype)
    return np.clip(np.rint(x), info.min, info.max)


SINGLE = [
    im.Brightness(1.37),
    im.GainOffset(1.31, -20.7),
    im.ChannelGain(each=[1.51, 0.77, 1]),
    im.ToneGain([85, 170], [1.57, 1, 0.61]),
    im.Contrast(1.63),
    im.Contrast(0.43, "middle"),
    im.Saturation(1.71),
    im.Hue(33),
    im.ColorJitter(1.13, 1.37, 0.59, -21),
    im.Lighting(0.41),
    im.Gamma(1.83),
    im.Invert(),
]


@BOTH
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("transform", SINGLE, ids=repr)
def test_an_integer_image_is_rounded_and_saturates(transform, channels, dtype, fuse):
    x = picture(channels, dtype=dtype, shape=(16, 17))
    out = im.Pipeline([transform], seed=5, fuse=fuse)(x)
    assert out.dtype == dtype
    # A value within float32's reach of a half may go either way, by one level.
    exact = run(transform, x)
    low, high = (saturated(exact + e, dtype) for e in (-0.02, 0.02))
    assert ((out >= low) & (out <= high)).all()


@BOTH
@pytest.mark.parametrize("transform", SINGLE, ids=repr)
def test_a_float_image_is_not_clipped(transform, fuse):
    x = picture(3, dtype=np.float32)
    out = im.Pipeline([transform], seed=5, fuse=fuse)(x)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, run(transform, x), rtol=2e-6, atol=2e-6 * np.abs(run(transform, x)).max())


@BOTH
@pytest.mark.parametrize(
    ("transform", "channels", "dtype"),
    [
        (im.Rescale(to=(-1, 1)), 3, np.float32),
        (im.Rescale("minmax"), 1, np.float32),
        (im.Rescale((20, 90)), 4, np.float32),
        (im.Normalize("imagenet"), 3, np.float32),
        (im.Standardize(per_channel=True), 3, np.float32),
        (im.ToDtype("float32"), 3, np.float32),
        (im.ToDtype("float64", scale=True), 3, np.float64),
        (im.ToDtype("uint16", scale=True), 3, np.uint16),
        (im.ToLayout("channels_first"), 3, np.uint8),
    ],
    ids=repr,
)
def test_values_change_their_range_and_type(transform, channels, dtype, fuse):
    x = picture(channels)
    out = im.Pipeline([transform], seed=5, fuse=fuse)(x)
    assert out.dtype == dtype
    np.testing.assert_allclose(out, run(transform, x), rtol=1e-5, atol=1e-5)


@BOTH
def test_white_stays_white_through_types_after_saturation(fuse):
    pipe = im.Pipeline(
        [im.Brightness(1.5), im.ToDtype("uint16", scale=True), im.ToDtype("float32", scale=True)], seed=0, fuse=fuse
    )
    out = pipe(np.array([[[0, 100, 255]]], np.uint8))
    np.testing.assert_allclose(out, [[[0, 150 / 255, 1]]], rtol=1e-6)


@BOTH
def test_apply_sees_the_image_as_it_is_there(fuse):
    seen = []

    def look(x):
        seen.append((x.shape, x.dtype, int(x.max())))
        return 255 - x

    out = im.Pipeline([im.Brightness(2), im.Apply(look), im.Brightness(0.5)], seed=0, fuse=fuse)(
        np.full((4, 5, 3), 200, np.uint8)
    )
    assert seen == [((4, 5, 3), np.uint8, 255)]
    np.testing.assert_array_equal(out, 0)
