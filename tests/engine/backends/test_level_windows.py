"""Photos that were padded on their way to another size, by the photo kernel: what the reference means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.ops import Sampling
from imagemill.engine.backends.cpu.batches.level_windows import boxed
from imagemill.engine.backends.cpu.batches.small import LIMIT
from imagemill.engine.chains import axis_aligned
from imagemill.engine.plan import Matrices, Pass, Resample, Windows, for_all
from tests.engine.backends.strategies import image, seeds
from tests.engine.backends.test_rgb import KINDS, assert_meant, mixed
from tests.engine.backends.test_small import N

Array = np.ndarray[Any, Any]
SIZE = (70, 90)
assert SIZE[0] * SIZE[1] > LIMIT

quick = settings(max_examples=24, deadline=None, derandomize=True)


def padded(rng: np.random.Generator) -> tuple[Resample, Array]:
    """A photo that is scaled, shown by a window, and cut, padded, flipped or scaled once more."""
    window, shape = rng.integers(10, 60, (N, 2)), rng.integers(5, 60, 2)
    early, late = np.tile(np.eye(3), (N, 1, 1)), np.tile(np.eye(3), (N, 1, 1))
    for axis in range(2):
        scale = SIZE[axis] / window[:, axis]
        early[:, axis, axis], early[:, axis, 2] = scale, scale / 2 - 0.5
        turn = rng.choice([-1.0, 1.0], N) * rng.choice([1.0, 1.0, 0.6, 1.7], N)
        late[:, axis, axis] = turn
        late[:, axis, 2] = np.where(turn > 0, rng.integers(-20, 20, N), window[:, axis] + rng.integers(-9, 9, N))
    where = rng.random(N) < 0.8
    fill = (float(rng.integers(-20, 300)), 7.0, 99.5)
    links = (Matrices(late), Windows(window, where, fill, 3), Matrices(early))
    sizes = np.tile(np.array(SIZE), (N, 1)), np.tile(shape, (N, 1))
    return Resample(links, *sizes, Sampling(1, None, antialias=bool(rng.integers(2)))), window


@quick
@given(seeds, st.sampled_from(KINDS), st.booleans())
def test_the_reference(seed: int, kind: str, first: bool) -> None:
    rng = np.random.default_rng(seed)
    step = Pass(padded(rng)[0], mixed(kind, rng), ("a",))
    src = image(seed, (*SIZE, 3), "uint8")
    for row in range(N):
        # Factors like 7/2 put many values on a half, to which the products of the reference come from either side.
        assert_meant(step, row, src, first=first, halves=0.1)


@quick
@given(seeds)
def test_boxes_are_those_of_each_chain_alone_and_one_for_all_is_that_of_many(seed: int) -> None:
    step = padded(np.random.default_rng(seed))[0]
    found = boxed(step, 1e6)
    assert found is not None
    late, windows, early = step.links
    assert isinstance(late, Matrices)
    assert isinstance(windows, Windows)
    assert isinstance(early, Matrices)
    for row in range(N):
        shape = tuple(step.shape[row].tolist())
        alone = axis_aligned(step.chain(row), shape)
        assert alone is not None
        low, high = ((0, 0), shape) if not alone.boxes else alone.boxes[0][:2]
        if all(a < b for a, b in zip(low, high, strict=True)):
            assert found.boxes[row].tolist() == [low[0], high[0], low[1], high[1]]
        else:
            top, bottom, left, right = found.boxes[row].tolist()
            assert top == bottom or left == right
        np.testing.assert_allclose(found.pull[row, :, 2], alone.offset, atol=1e-12)

        def of_all(array: Array, row: int = row) -> Array:
            found: Array = for_all(array[row : row + 1].copy(), N)
            return found

        links = (
            Matrices(of_all(late.m)),
            Windows(of_all(windows.shape), of_all(windows.where), windows.fill, 3),
            Matrices(of_all(early.m)),
        )
        one = boxed(Resample(links, of_all(step.in_shape), of_all(step.shape), step.sampling), 1e6)
        assert (one is not None) == bool(found.taken[row])
        if one is not None:
            np.testing.assert_array_equal(one.boxes, found.boxes[[row] * N])
            np.testing.assert_array_equal(one.pull, found.pull[[row] * N])


@pytest.mark.parametrize(
    "colour", [[], [im.Normalize((0.5, 0.4, 0.3), (0.2, 0.2, 0.3)), im.ToLayout("channels_first")]]
)
def test_photos_of_many_sizes_are_the_same_alone_together_and_by_the_reference(colour: list[Any]) -> None:
    rng = np.random.default_rng(5)
    photos = [
        rng.integers(0, 256, (*size, 3), np.uint8) for size in ((90, 60), (64, 200), (300, 100), (90, 61), (70, 70))
    ]
    listed = [im.LongestSide(64), im.CropOrPad((64, 64), fill=100), im.Flip("x", p=0.5), *colour]
    pipe = im.Pipeline(listed, seed=3)
    together = pipe.batch(photos, keys=list("abcde")).image
    meant = im.Pipeline(listed, seed=3, backend="reference").batch(photos, keys=list("abcde")).image
    for i, photo in enumerate(photos):
        np.testing.assert_array_equal(pipe(photo, key="abcde"[i]), together[i])
    assert np.abs(together.astype(np.float64) - meant).max() <= (1 if not colour else 0.02)
    if not colour:
        assert (together[1][:20] == 100).all()  # 20 rows of 64, as 64 of 200 columns keep their share
        assert not (together[1][22:42] == 100).all()
