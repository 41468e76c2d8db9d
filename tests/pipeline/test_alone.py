"""A plain array by itself takes a short way, and comes out as it does in company."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError
from imagemill.pipeline.ahead import Kind
from imagemill.pipeline.inputs import plain

Array = np.ndarray[Any, Any]


def _array(shape: tuple[int, ...], dtype: str) -> Array:
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


CHAINS: dict[str, list[im.Transform]] = {
    "geometry": [im.Rotate((-9, 9)), im.Flip("x", p=0.5)],
    "colour": [im.Brightness((0.5, 1.5)), im.Gamma((0.5, 2))],
    "steps": [im.GaussianNoise(0.1), im.Crop((8, 9), at="random"), im.GaussianBlur(1)],
    "a layout": [im.Zoom(1.3), im.ToDtype("float32", scale=True), im.ToLayout("channels_first")],
    "a function last": [im.Flip("x"), im.Apply(np.negative)],
    "nothing": [],
}
INPUTS: dict[str, tuple[tuple[int, ...], str, str | None]] = {
    "colour": ((20, 30, 3), "uint8", None),
    "gray": ((20, 30), "uint16", None),
    "one channel": ((20, 30, 1), "float32", None),
    "channels first": ((3, 20, 30), "uint8", "cyx"),
    "columns first": ((30, 20), "float64", "xy"),
}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("given", INPUTS)
def test_alone_as_in_company(chain: str, given: str) -> None:
    shape, dtype, axes = INPUTS[given]
    image = _array(shape, dtype) if dtype[0] == "u" else _array(shape, dtype) / 255
    alone, beside = (im.Pipeline(CHAINS[chain], seed=4) for _ in range(2))
    for _ in range(5):
        made = alone(image, axes=axes)
        expected = beside(image=image, axes=axes).image
        assert made.dtype == expected.dtype
        assert made.flags.c_contiguous
        assert not np.may_share_memory(made, image)
        np.testing.assert_array_equal(made, expected)


def test_what_was_wrong_is_said_and_costs_no_key() -> None:
    pipe = im.Pipeline([im.GaussianNoise(0.1)], seed=1)
    for wrong in (np.zeros((4, 5, 7), np.uint8), np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(InputError, match="expected the image"):
            pipe(wrong)
    image = _array((8, 9, 3), "uint8")
    np.testing.assert_array_equal(pipe(image), im.Pipeline([im.GaussianNoise(0.1)], seed=1)(image, key=0))


def test_a_white_that_does_not_fit_is_told_once() -> None:
    pipe = im.Pipeline([im.Gamma(2)], seed=1)
    image = _array((8, 9, 3), "float32")
    with pytest.warns(UserWarning, match="Gamma takes 1 for white"):
        pipe(image)
    pipe(image)  # a second warning would be an error


def test_values_that_are_not_finite_and_other_byte_orders() -> None:
    image = _array((8, 9, 3), "float32") / 255
    swapped = image.astype(image.dtype.newbyteorder())
    np.testing.assert_array_equal(im.Pipeline([im.Flip("x")], seed=1)(swapped), image[:, ::-1])
    image[2, 3] = np.nan
    with pytest.warns(UserWarning, match="NaN or infinite"):
        made = im.Pipeline([im.Zoom(1.5)], seed=1)(image)
    assert np.isfinite(made).all()


def test_a_frame_of_time_and_transposed_axes_are_looked_at() -> None:
    kind = Kind((4, 5), 3, np.dtype("u1"))
    assert plain((4, 5, 3), np.dtype("u1"), None) == plain((4, 5, 3), np.dtype("u1"), "yxc") == (kind, "yxc")
    assert plain((4, 5), np.dtype("u1"), "yxc") == (Kind((4, 5), 1, np.dtype("u1")), "yx")
    for shape, axes in (((2, 4, 5, 3), "tyxc"), ((3, 4, 5), "cyx"), ((4, 5), "xy")):
        assert plain(shape, np.dtype("u1"), axes) is None


def test_large_frames_share_fewer_draws(drawn: list[int]) -> None:
    for side, most in ((64, 256), (640, 81), (2048, 32)):
        drawn.clear()
        image, pipe = np.zeros((side, side), np.uint8), im.Pipeline([im.Crop(2)], seed=1)
        for _ in range(300):
            pipe(image)
        assert max(drawn) == most
