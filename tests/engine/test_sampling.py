from __future__ import annotations

import numpy as np
import pytest

import imagemill as im
from imagemill.core.ops import Sampling
from imagemill.engine import sampling
from imagemill.engine.plan import Matrices, Resample, for_all
from imagemill.engine.sampling import Request, averaged, needed, request


def _blocks(factors: tuple[int, ...], border: str = "nearest", fill: float = 0.0) -> Request:
    return Request((), factors, 1, border, fill, 0, reduce=factors)


@pytest.mark.parametrize(
    ("border", "last"), [("nearest", 4.0), ("constant", 12.0), ("reflect", 4.0), ("mirror", 3.5), ("wrap", 2.0)]
)
def test_blocks_are_averaged_and_the_border_fills_up_the_last_one(border: str, last: float) -> None:
    ramp = np.arange(5.0).reshape(1, 5, 1)
    assert averaged(ramp, _blocks((1, 2), border, 20.0))[0, :, 0].tolist() == [0.5, 2.5, last]


def test_blocks_are_averaged_channel_by_channel() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 9, 2), dtype=np.uint8)
    expected = [[image[y : y + 2, x : x + 3].reshape(-1, 2).mean(axis=0) for x in (0, 3, 6)] for y in (0, 2, 4)]
    np.testing.assert_allclose(averaged(image, _blocks((2, 3))), expected)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("factor", [0.14, 0.18, 0.3])
def test_a_pixel_of_what_was_turned_and_shrunk_lies_where_it_came_from(backend: str, factor: float) -> None:
    # Sizes that blocks of 7, 5 and 3 do not fit. The last channel is 1 where no border came in.
    where = np.stack([*np.meshgrid(np.arange(36.0), np.arange(43.0), indexing="ij"), np.ones((36, 43))], axis=-1)
    pipe = im.Pipeline([im.Rotate(10, border="constant"), im.Zoom(factor, border="constant")], seed=0, backend=backend)
    sample = pipe(image=im.Image(where, "yxc"), keypoints=im.Keypoints(np.zeros((1, 2)), "yx"), key=0)
    inside = np.argwhere(np.abs(sample.image[..., 2] - 1) < 1e-9)
    assert len(inside) > 10
    came = sample.inverse(keypoints=im.Keypoints(inside.astype(float), "yx"))["keypoints"].array
    np.testing.assert_allclose(sample.image[tuple(inside.T)][:, :2], came, atol=1e-6)


@pytest.mark.parametrize("shape", [(400, 600), (401, 599), (97, 641)])
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.int16])
def test_a_turned_picture_that_shrinks_agrees_with_the_reference(shape, channels, dtype) -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 200, (*shape, channels)).astype(dtype)
    transforms = [im.Rotate((-20, 20)), im.Resize((64, 48))]
    image = im.Image(values, axes="yxc")
    fast = im.Pipeline(transforms, seed=2)(image=image, key=1).image.astype(float)
    slow = im.Pipeline(transforms, seed=2, backend="reference")(image=image, key=1).image.astype(float)
    # An integer source is rounded once after averaging and once after interpolating.
    assert np.abs(fast - slow).max() <= (1.01 if dtype != np.float32 else 0.02)


def test_shrinking_keeps_a_fine_pattern_gray() -> None:
    board = (np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pipe = im.Pipeline([im.Rotate(7), im.Resize((100, 100))], seed=0)
    inner = pipe(board)[10:-10, 10:-10].astype(float)
    assert abs(inner.mean() - 127.5) < 2
    assert inner.std() < 12


def test_the_part_that_is_read_gives_the_same_picture_as_the_whole() -> None:
    image = np.random.default_rng(3).integers(0, 256, (900, 1100, 3), dtype=np.uint8)
    m = np.array([[[2.6, 0.5, 300.0], [-0.5, 2.7, 410.0], [0, 0, 1]]])
    step = Resample(
        (Matrices(m),), np.array([[900, 1100]]), np.array([[60, 70]]), Sampling(1, "nearest", antialias=True)
    )
    asked = request(step, 0)
    assert asked.reduce == (2, 2)
    found = needed(asked, (900, 1100))
    assert found is not None
    block, moved = found
    assert all(s.start % 2 == 0 for s in block)
    part, whole = averaged(image[block], moved), averaged(image, asked)
    from imagemill.engine.backends.reference import resample

    a = resample(part, moved.on_reduced().stages, (60, 70), order=1, border="nearest")
    b = resample(whole, asked.on_reduced().stages, (60, 70), order=1, border="nearest")
    np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize("d", [2, 3])
def test_facts_of_one_matrix_are_those_it_has_among_many(d: int) -> None:
    rng = np.random.default_rng(0)
    m = np.zeros((300, d + 1, d + 1))
    for one in m:
        axes = rng.permutation(d) if rng.random() < 0.8 else rng.integers(0, d, d)
        one[np.arange(d), axes] = rng.choice([-1.0, 1.0, 0.5, 2.0, 1 + 1e-12], d)
        one[:d, d] = rng.choice([0.0, 3.0, 0.5, 1e-12], d, p=[0.5, 0.2, 0.2, 0.1])
        one[d, d] = 1
        if rng.random() < 0.1:
            one[0, 1] += 0.3
    m[:20] = np.eye(d + 1)
    size = np.full((len(m), d), 5)
    among = sampling._facts(Resample((Matrices(m),), size, size, Sampling(1)))
    assert among is not None
    for row, one in enumerate(m):
        alone = sampling._facts(Resample((Matrices(for_all(one[None], 4)),), size[:4], size[:4], Sampling(1)))
        assert alone is not None
        for name in ("same", "aligned", "whole"):
            assert getattr(alone, name) == [getattr(among, name)[row]] * 4
        np.testing.assert_allclose(alone.factors[2], among.factors[row], rtol=1e-15)
    assert {*among.same} == {*among.aligned} == {*among.whole} == {True, False}
    projects = np.eye(d + 1)
    projects[d, 0] = 0.01
    assert sampling._facts(Resample((Matrices(for_all(projects[None], 4)),), size[:4], size[:4], Sampling(1))) is None
