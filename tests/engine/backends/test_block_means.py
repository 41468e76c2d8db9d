from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.coordinate_maps import Matrix
from imagemill.engine.backends.cpu.choose import resample
from imagemill.engine.backends.cpu.resample.block_means import block_means, takes_blocks
from imagemill.engine.sampling import Request, averaged, whole_blocks
from tests.engine.backends.strategies import BORDERS, image, seeds

Array = np.ndarray[Any, Any]
CHANNELS = (1, 3, 4)


def _asked(factors: tuple[int, int], border: str, fill: Any) -> Request:
    return Request((), factors, 1, border, fill, 0, reduce=factors)


def _means(src: Array, asked: Request) -> Array:
    """By their definition, halves to even."""
    return np.rint(averaged(src, asked)).astype(np.uint8)


@pytest.mark.parametrize("channels", CHANNELS)
@given(
    seeds, st.tuples(st.integers(1, 23), st.integers(1, 41)), st.tuples(st.integers(1, 19), st.integers(1, 19)),
    st.sampled_from(BORDERS),
)  # fmt: skip
def test_blocks_are_averaged_as_their_meaning_says(
    channels: int, seed: int, shape: tuple[int, int], factors: tuple[int, int], border: str
) -> None:
    src, fill = image(seed, (*shape, channels), "uint8"), tuple(40.6 * k - 60 for k in range(channels))
    asked = _asked(factors, border, fill)
    # A half may go either way, but for those of blocks whose shares are exact.
    room = 0.0 if np.log2(factors[0] * factors[1]) % 1 == 0 else 1e-6
    got, wanted = block_means(src, factors, border=border, fill=fill), averaged(src, asked)
    assert (np.abs(got - wanted) <= 0.5 + room).all()
    if room == 0.0:
        np.testing.assert_array_equal(got, np.rint(wanted))


@pytest.mark.parametrize("channels", CHANNELS)
@given(seeds, st.tuples(st.integers(1, 40), st.integers(1, 40)), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_blocks_are_the_same_bytes_as_from_opencv(
    channels: int, seed: int, shape: tuple[int, int], factors: tuple[int, int]
) -> None:
    if not takes_blocks(np.dtype(np.uint8), channels, factors):
        assert factors == (2, 2)  # where OpenCV rounds halves up
        return
    src = image(seed, (*shape, channels), "uint8")
    got = block_means(src, factors)
    whole = whole_blocks(src, _asked(factors, "nearest", 0))
    np.testing.assert_array_equal(
        got, cv2.resize(whole, got.shape[1::-1], interpolation=cv2.INTER_AREA).reshape(got.shape)
    )


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("factors", [(16, 16), (17, 16), (300, 218)])
def test_sums_of_large_blocks_of_white_have_room(channels: int, factors: tuple[int, int]) -> None:
    src = np.full((factors[0], 2 * factors[1], channels), 255, np.uint8)
    src[:, factors[1] :] = 254
    assert block_means(src, factors)[0].tolist() == [[255] * channels, [254] * channels]


@pytest.mark.parametrize("channels", CHANNELS)
def test_blocks_are_read_where_they_lie_and_nothing_else_is_written(channels: int) -> None:
    whole = image(3, (40, 50, channels), "uint8")
    for part in (whole[3:27, 5:37], whole[::-1], whole[:, ::-1], whole.transpose(1, 0, 2), whole[:, ::2]):
        room = np.full((1 + -(-part.shape[0] // 4) * -(-part.shape[1] // 3)) * channels, 77, np.uint8)
        out = room[:-channels].reshape(-(-part.shape[0] // 4), -(-part.shape[1] // 3), channels)
        assert block_means(part, (4, 3), out) is out
        np.testing.assert_array_equal(out, _means(part, _asked((4, 3), "nearest", 0)))
        assert (room[-channels:] == 77).all()
    before = whole.copy()
    before.flags.writeable = False
    np.testing.assert_array_equal(block_means(before, (2, 3)), block_means(whole, (2, 3)))


@pytest.mark.parametrize("channels", [*CHANNELS, 2])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_crop_of_whole_blocks_is_their_means(dtype: str, channels: int) -> None:
    src = image(5, (60, 70, channels), dtype)
    stage = Matrix(np.array([[3.0, 0, 7], [0, 5.0, 12], [0, 0, 1]]))
    got = resample(src, (stage,), (10, 9), order=1, border="nearest", antialias=(3.0, 5.0))
    wanted = averaged(src[6:36, 10:55], _asked((3, 5), "nearest", 0))
    if dtype == "float32":
        np.testing.assert_allclose(got, wanted, atol=1e-6)
    else:
        np.testing.assert_array_equal(got, np.rint(wanted).astype(dtype))
