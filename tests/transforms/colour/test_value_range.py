"""Formulas of the transforms that change what values mean: rescaling, normalising, types, layout."""

from __future__ import annotations

import numpy as np
import pytest

from imagemill.core.errors import ParameterError
from imagemill.core.ops import Cast, ChannelMix, Fit, Layout, Opaque
from imagemill.transforms.colour import Apply, GainOffset, Normalize, Rescale, Standardize, ToDtype, ToLayout
from imagemill.transforms.colour.normalize import PRESETS
from tests.transforms.colour.meaning import frame_of, ops_of, picture, run


def close(actual, expected, atol=1e-9):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_rescale_by_depth(dtype, white, channels):
    x = picture(channels, dtype=dtype)
    close(run(Rescale(), x), x / white, 1e-7)
    close(run(Rescale(to=(-1, 1)), x), 2 * (x / white) - 1, 1e-7)


@pytest.mark.parametrize(("to", "low", "high"), [((0, 1), 0, 1), ((-1, 1), -1, 1)])
def test_rescale_by_own_extremes(to, low, high):
    x = picture(1) // 3 + 20
    out = run(Rescale("minmax", to=to), x)
    assert (out.min(), out.max()) == (low, high)
    close(out, low + (high - low) * (x - float(x.min())) / (float(x.max()) - x.min()))
    np.testing.assert_array_equal(run(Rescale("minmax", to=to), np.full((4, 4, 1), 9, np.uint8)), float(low))


def test_rescale_by_a_pair_goes_beyond_outside_it():
    x = np.array([[-1000.0, -200, 0, 200, 1000]])[..., None]
    close(run(Rescale((-200, 200)), x)[0, :, 0], [-2, 0, 0.5, 1, 3])
    close(run(Rescale((-200, 200), to=(-1, 1)), x)[0, :, 0], [-5, -1, 0, 1, 5])


@pytest.mark.parametrize("channels", [3, 4])
def test_rescale_by_own_extremes_refuses_colour(channels):
    with pytest.raises(ParameterError, match=rf"gray images, got {channels} channels; write by='depth'"):
        ops_of(Rescale("minmax"), frame_of(1, channels))


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_normalize_on_a_scale_where_white_is_1(dtype, white):
    x = picture(3, dtype=dtype)
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    close(run(Normalize(mean, std), x), (x / white - np.array(mean)) / np.array(std), 1e-6)
    close(run(Normalize(mean, 0.5), x), (x / white - np.array(mean)) / 0.5, 1e-6)


def test_normalize_in_values_of_the_image():
    x = picture(2)
    close(run(Normalize([100, 50], [20, 30], "none"), x), (x - np.array([100, 50])) / np.array([20, 30]))


def test_normalize_of_rgba():
    x = picture(4)
    rgb = run(Normalize("imagenet"), x[..., :3])
    close(run(Normalize("imagenet"), x), np.concatenate([rgb, x[..., 3:] / 255], axis=-1))
    one = run(Normalize(0.5, 0.25), x)
    close(one[..., :3], (x[..., :3] / 255 - 0.5) / 0.25)
    close(one[..., 3], x[..., 3] / 255)
    close(run(Normalize([0.5] * 4, [0.25] * 4), x), (x / 255 - 0.5) / 0.25)


def test_presets_normalise_by_their_published_numbers():
    assert PRESETS["imagenet"] == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    x = picture(3)
    close(run(Normalize("imagenet"), x), run(Normalize(*PRESETS["imagenet"]), x))
    close(run(Normalize("mnist"), picture(1)), (picture(1) / 255 - 0.1307) / 0.3081)


@pytest.mark.parametrize(
    ("mean", "std", "channels", "name", "count"),
    [
        ([0.1, 0.2], 1, 3, "mean", 2),
        (0.5, [1, 1, 1], 1, "std", 3),
        ("imagenet", None, 1, "mean", 3),
        ([0.1] * 2, 1, 4, "mean", 2),
    ],
)
def test_normalize_needs_one_number_per_channel(mean, std, channels, name, count):
    message = rf"expected Normalize\({name}=\.\.\.\) to hold 1 number or {channels},.* got {count}; give as many"
    with pytest.raises(ParameterError, match=message):
        ops_of(Normalize(mean, std), frame_of(1, channels))


@pytest.mark.parametrize("per_channel", [False, True])
def test_standardize(per_channel):
    x = picture(3) * np.array([1.0, 0.5, 0.1])
    axes = (0, 1) if per_channel else None
    mean, std = x.mean(axis=axes), x.std(axis=axes)
    close(run(Standardize(per_channel), x), (x - mean) / (std + 1e-7))
    close(run(Standardize(per_channel, scale=False), x), x - mean)
    close(run(Standardize(per_channel, centre=False, epsilon=0.5), x), x / (std + 0.5))
    assert ops_of(Standardize(per_channel), frame_of())[0].per_channel is per_channel


def test_standardize_of_a_constant_is_0():
    np.testing.assert_array_equal(run(Standardize(), np.full((3, 3, 1), 8, np.uint8)), 0.0)


def test_to_dtype_keeps_values_unless_asked():
    (op,) = ops_of(ToDtype(np.float32), frame_of())
    assert isinstance(op, Cast)
    assert op.dtype == np.float32
    np.testing.assert_array_equal(run(ToDtype("uint8"), np.array([[[-3.0, 0.5, 1.5, 300]]])), [[[0, 0, 2, 255]]])


@pytest.mark.parametrize(("old", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
@pytest.mark.parametrize(("new", "new_white"), [("uint8", 255), ("uint16", 65535), ("float32", 1), ("float64", 1)])
def test_to_dtype_keeps_white_when_asked(old, white, new, new_white):
    x = picture(4, dtype=old)
    exact = x.astype(float) * new_white / white
    tolerance = 0.5 + 1e-6 if new.startswith("u") else 1e-6
    close(run(ToDtype(new, scale=True), x), exact, tolerance)
    ends = np.array([[[0, white]]], old)
    np.testing.assert_array_equal(run(ToDtype(new, scale=True), ends), [[[0, new_white]]])


def test_a_photo_in_floats_keeps_its_white_until_scaled():
    frame = frame_of(1, 3, np.uint8)
    (cast,) = ops_of(ToDtype("float32"), frame)
    behind = cast.after(frame)
    assert (behind.dtype, behind.peak) == (np.float32, 255)
    x = picture(3).astype(np.float32)
    close(run(ToDtype("float32", scale=True), x, frame=behind), x / 255.0, 1e-6)


@pytest.mark.parametrize(
    ("transform", "leaves"),
    [
        (Rescale(), True),
        (Rescale((0, 9)), True),
        (Normalize("imagenet"), True),
        (ToDtype("float32", scale=True), True),
        (ToDtype("uint16", scale=True), True),
        (GainOffset(2, 1), False),
    ],
)
def test_what_leaves_the_range_of_a_picture(transform, leaves):
    op = ops_of(transform, frame_of(2))[0]
    assert isinstance(op, ChannelMix)
    assert op.leaves_range is leaves
    assert len(op.matrix) == 2


def test_rescale_by_own_extremes_is_a_fit_and_leaves_the_range():
    fit, affine = ops_of(Rescale("minmax"), frame_of(1, 1))
    assert isinstance(fit, Fit)
    assert affine.leaves_range


def test_to_layout():
    x = picture(3)
    np.testing.assert_array_equal(run(ToLayout("channels_first"), x), np.transpose(x, (2, 0, 1)))
    (first,), (last,) = (ops_of(ToLayout(w), frame_of()) for w in ("channels_first", "channels_last"))
    assert isinstance(first, Layout)
    assert (first.channels_first, last.channels_first) == (True, False)


def halve(x):
    return x // 2


def test_apply_calls_the_function():
    x = picture(3)
    (op,) = ops_of(Apply(halve), frame_of())
    assert isinstance(op, Opaque)
    assert op.name == "halve"
    assert ops_of(Apply(halve, "half as bright"), frame_of())[0].name == "half as bright"
    np.testing.assert_array_equal(run(Apply(halve), x), x // 2)
    assert Apply(halve, p=0.5).variants() == 2


def test_apply_cannot_be_written_to_a_file():
    with pytest.raises(
        ParameterError, match=r"got Apply\(halve\); define a class: a frozen dataclass derived from Transform"
    ):
        Apply(halve).to_dict()
