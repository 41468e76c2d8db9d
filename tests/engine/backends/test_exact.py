"""The kernel that is scipy's to the last bits: all modes, by linear interpolation and by the nearest pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from imagemill.engine.backends.cpu.batches import exact
from imagemill.engine.backends.cpu.batches.exact import MODES, Moves

Array = np.ndarray[Any, Any]
SIZES = ((7, 9), (1, 6), (5, 1), (2, 2))


def matrices(n: int, seed: int = 0) -> Array:
    """Maps that turn, scale and shift by a few pixels; some shifts are halves of pixels and whole ones."""
    rng = np.random.default_rng(seed)
    found = np.tile(np.eye(3), (n, 1, 1))
    found[:, :2, :2] += rng.uniform(-0.6, 0.6, (n, 2, 2))
    found[:, :2, 2] = rng.uniform(-8, 8, (n, 2))
    found[: n // 4, :2, :2] = np.eye(2)
    found[: n // 4, :2, 2] = np.round(found[: n // 4, :2, 2] * 2) / 2
    return found


def by_scipy(images: Array, moves: Moves, order: Any) -> Array:
    mode: Any = moves.mode
    made = np.empty_like(images)
    for i, (image, m) in enumerate(zip(images, moves.matrix, strict=True)):
        for c in range(image.shape[-1]):
            made[i, ..., c] = ndimage.affine_transform(
                image[..., c], m[:2, :2], m[:2, 2], order=order, mode=mode, cval=moves.fill
            )
        made[i] = made[i, :: -1 if moves.flip_y[i] else 1, :: -1 if moves.flip_x[i] else 1]
    return made


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_linear_interpolation_is_that_of_scipy(mode: str, size: tuple[int, int], channels: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 255, (24, *size, channels)).astype(np.float32)
    moves = Moves(matrices(24), rng.random(24) < 0.5, rng.random(24) < 0.5, mode, 9.0)
    made = exact.run(x, None, moves, None, None)
    np.testing.assert_allclose(made, by_scipy(x.astype(np.float64), moves, 1), atol=2e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float64", "bool"])
def test_the_nearest_pixel_is_that_of_scipy(mode: str, size: tuple[int, int], dtype: str) -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2 if dtype == "bool" else 200, (24, *size, 1)).astype(dtype)
    no = np.zeros(24, bool)
    matrix = matrices(24)
    # Half a pixel beyond the end of "mirror", scipy rounds first and folds then.
    matrix[:, :2, 2] += 0.125 if mode == "mirror" else 0.0
    moves = Moves(matrix, no, no, mode, 1.0)
    made = exact.pick(x, moves)
    assert made.dtype == x.dtype
    np.testing.assert_array_equal(made, by_scipy(x.astype(np.float64), moves, 0).astype(dtype))


def test_labels_of_any_size_stay_whole() -> None:
    labels = np.array([2**40 + 1, 2**53 + 1, 7]).reshape(1, 1, 3, 1)
    no = np.zeros(1, bool)
    assert exact.pick(labels, Moves(np.eye(3)[None], no, ~no, "constant")).ravel().tolist() == [7, 2**53 + 1, 2**40 + 1]


def test_large_pictures_that_32_bits_cannot_place_are_left_to_others() -> None:
    assert exact.fits(20_000, 30_000, 3)
    assert not exact.fits(30_000, 30_000, 3)
    assert not exact.fits(0, 3, 1)
