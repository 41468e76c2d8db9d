"""Tiles and patches that change places, and shifts by deviations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im

SHAPE = (13, 21)
TILE = (4, 7)
PLACES = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1).astype(np.uint8)


def shuffled(seed: int = 1, **targets: Any) -> Any:
    return im.Pipeline([im.GridShuffle()], seed=seed, boxes=im.BoxRules(min_area=0))(key=0, **targets)


def tiles_of(found: np.ndarray) -> list[tuple[int, int]]:
    """The tile that stands in each place of a shuffled image of places; whole, or it fails."""
    came = []
    for y in range(0, 12, TILE[0]):
        for x in range(0, 21, TILE[1]):
            tile = found[y : y + TILE[0], x : x + TILE[1]].astype(int)
            first = tile[0, 0]
            assert np.array_equal(tile - first, PLACES[: TILE[0], : TILE[1]])
            came.append((int(first[0]) // TILE[0], int(first[1]) // TILE[1]))
    return came


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_tiles_are_whole_and_each_stands_in_one_place(backend: str) -> None:
    pipe = im.Pipeline([im.GridShuffle()], seed=1, backend=backend)
    image = im.Image(PLACES, "yxc")
    found = pipe(image=image, key=0).image
    assert sorted(tiles_of(found)) == [(y, x) for y in range(3) for x in range(3)]
    assert tiles_of(found) != sorted(tiles_of(found))
    assert np.array_equal(found[12], PLACES[12]), "the row that is over stays"


def test_all_that_has_a_place_goes_with_its_tile() -> None:
    mask = np.arange(13 * 21).reshape(SHAPE).astype(np.uint16)
    corner = [0, 0, 3, 4]
    found = shuffled(
        image=im.Image(PLACES, "yxc"), mask=mask, depth=im.Map(mask.astype(np.float32)),
        boxes=im.Boxes([corner, [6, 0, 9, 3]], labels=["whole", "torn"]),
        keypoints=im.Keypoints([[1.5, 2.5], [20.5, 12.5]], labels=["eye", "over"]),
        polygons=im.Polygons([[(0, 0), (3, 0), (3, 4)]], labels=["star"]),
    )  # fmt: skip
    at = tiles_of(found.image).index((0, 0))
    assert at != 0, "the seed moves the first tile"
    y, x = at // 3 * TILE[0], at % 3 * TILE[1]
    assert np.array_equal(found.mask, found.depth.astype(np.uint16))
    assert np.array_equal(found.mask, found.image[..., 0].astype(np.uint16) * 21 + found.image[..., 1])
    assert found.boxes.labels == ["whole"], "what two tiles share is gone"
    assert found.boxes.array.tolist() == [[x, y, x + 3, y + 4]]
    assert found.keypoints.array.tolist() == [[x + 1.5, y + 2.5], [20.5, 12.5]]
    assert found.polygons.parts[0].tolist() == [[x, y], [x + 3, y], [x + 3, y + 4]]
    middles = np.argwhere(np.ones((3, 3))) * TILE + (1, 2)
    points = shuffled(image=im.Image(PLACES, "yxc"), keypoints=im.Keypoints(middles, "yx")).keypoints.array.astype(int)
    assert np.array_equal(found.image[tuple(points.T)], middles), "each point lies on the pixel that it lay on"
    several = im.Mask(np.stack([mask] * 5, axis=-1), "yxc")
    apart = shuffled(image=PLACES[..., 0], mask=several, instances=im.Instances((mask < 3)[None], labels=["left"]))
    assert np.argwhere(apart.instances.array[0]).tolist() == [[y, x + i] for i in range(3)]
    assert all(np.array_equal(apart.mask[..., k], found.mask) for k in range(5)), "all of several label maps"


def test_orders_are_equally_likely_and_belong_to_the_sample() -> None:
    image = np.array([[0, 1, 2]], np.uint8)
    pipe = im.Pipeline([im.GridShuffle((1, 3))], seed=4)
    alone = [pipe(image, key=k) for k in range(1200)]
    _, counts = np.unique([tuple(one[0]) for one in alone], axis=0, return_counts=True)
    assert len(counts) == 6
    assert counts.min() > 150  # five deviations below 200
    assert np.array_equal(pipe.batch([image] * 20, keys=range(20)).image, np.stack(alone[:20]))


def test_volumes_images_smaller_than_the_grid_and_what_is_refused() -> None:
    volume = np.arange(4 * 4 * 4, dtype=np.float32).reshape(4, 4, 4)
    found = im.Pipeline([im.GridShuffle((2, 2, 2))], seed=1)(volume, key=0, axes="zyx")
    cubes = found.reshape(2, 2, 2, 2, 2, 2).transpose(0, 2, 4, 1, 3, 5).reshape(8, 8)
    assert (np.diff(cubes, axis=1) == np.diff(cubes[:1], axis=1)).all()
    assert np.array_equal(np.sort(found, axis=None), volume.ravel())
    small = im.Pipeline([im.GridShuffle((5, 5))], seed=1)(np.array([[1, 2], [3, 4]], np.uint8), key=0)
    assert sorted(small.ravel().tolist()) == [1, 2, 3, 4]
    with pytest.raises(im.ParameterError, match=r"64 tiles at most, got \(65,\)"):
        im.GridShuffle(65)
    with pytest.raises(im.InputError, match="one source"):
        shuffled(image=PLACES[..., 0]).inverse(mask=PLACES[..., 0])


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_patches_change_places_and_nothing_else_does(backend: str) -> None:
    image = np.arange(1, 401, dtype=np.uint16).reshape(20, 20)
    pipe = im.Pipeline([im.PatchSwap((4, 6), 1)], seed=2, backend=backend)
    for key in range(20):
        found = pipe(image=image, mask=image, key=key)
        assert np.array_equal(found.mask, image)
        moved = np.argwhere(found.image != image)
        assert len(moved) == 2 * 4 * 6
        assert np.array_equal(np.sort(found.image, axis=None), image.ravel())
        steps = np.unique(found.image.astype(int)[found.image != image] - image[found.image != image])
        assert len(steps) == 2, "both patches are moved as a whole, by opposite steps"
        assert steps.sum() == 0
    assert np.array_equal(im.Pipeline([im.PatchSwap(4, 0)], seed=1)(image), image)
    assert im.Pipeline([im.PatchSwap(50, 5)], seed=1)(image[:1, :1]).tolist() == [[1]]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("each", [False, True])
def test_a_shift_is_so_many_deviations_of_what_counts(backend: str, *, each: bool) -> None:
    image = np.random.default_rng(3).normal(10, 40, (12, 15, 3)).astype(np.float32)
    found = im.Pipeline([im.DeviationShift(0.5, per_channel=each)], seed=1, backend=backend)(image)
    spread = image.std(axis=(0, 1), dtype=np.float64) if each else image.std(dtype=np.float64)
    np.testing.assert_allclose(found - image, np.broadcast_to(0.5 * spread, image.shape), rtol=1e-4)
    above = im.Pipeline([im.DeviationShift(-1, above=0, per_channel=each)], seed=1, backend=backend)(image)
    assert np.array_equal(above[image <= 0], image[image <= 0])
    part = image[..., 1][image[..., 1] > 0] if each else image[image > 0]
    moved = (above - image)[..., 1] if each else above - image
    np.testing.assert_allclose(moved[(image[..., 1] if each else image) > 0], -part.std(dtype=np.float64), rtol=1e-4)
