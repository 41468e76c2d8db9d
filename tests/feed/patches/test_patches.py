"""Where patches lie, by counting; what is read of a volume; predictions about patches, put together again."""

from __future__ import annotations

import itertools
import pickle
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.errors import InputError, ParameterError
from imagemill.feed.patches.patch_sampler import LabelCounts, WeightSums

RNG = np.random.default_rng(21)


class Watched:
    """An array that says how much of it was asked for at once."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.dtype, self.most = array, array.shape, array.dtype, 0

    def __getitem__(self, region: Any) -> Any:
        found = self.array[region]
        self.most = max(self.most, found.size)
        return found


def close_to(counts: Counter[Any], wanted: dict[Any, float]) -> bool:
    """Whether counts are what chances make likely: five deviations of each."""
    n = sum(counts.values())
    sure = {place for place, p in wanted.items() if p > 0}
    return set(counts) <= sure and all(
        abs(counts[place] - n * p) < 5 * np.sqrt(n * p * (1 - p)) + 1e-9 for place, p in wanted.items()
    )


# ------------------------------------------------------------------------------------------------ where


def test_places_are_uniform() -> None:
    starts = im.PatchSampler((2, 3), seed=1).starts((4, 5), 4000, key="a")
    places = list(itertools.product(range(3), range(3)))
    assert close_to(Counter(map(tuple, starts.tolist())), dict.fromkeys(places, 1 / 9))


def test_voxels_are_drawn_by_their_labels() -> None:
    mask = RNG.choice([0, 0, 0, 0, 1, 5], (3, 7, 6)).astype(np.int16)
    counts = LabelCounts.of(im.open_volume(mask))
    assert {label: int(n.sum()) for label, n in counts.counts.items()} == dict(Counter(mask.ravel().tolist()))
    # Patches of one voxel are the voxel; label 9 is not there.
    sampler = im.PatchSampler((1, 1, 1), labels={0: 1, 5: 3, 9: 4}, seed=2)
    starts = sampler.starts(mask.shape, 4000, key=0, labels=counts)
    wanted = {
        place: {0: 1 / 4, 1: 0, 5: 3 / 4}[int(label)] / (mask == label).sum() for place, label in np.ndenumerate(mask)
    }
    assert close_to(Counter(map(tuple, starts.tolist())), wanted)


def test_a_share_of_patches_lies_around_foreground() -> None:
    mask = np.zeros((4, 10, 10), np.uint8)
    mask[0, 2, 3], mask[3, :5, 5:] = 1, 2
    counts = LabelCounts.of(im.open_volume(mask))
    starts = im.PatchSampler((1, 1, 1), positive=0.6, seed=2).starts(mask.shape, 4000, key=0, labels=counts)
    found = Counter(int(mask[tuple(start)]) for start in starts)
    # A foreground voxel is met uniformly too: 1 and 25 of 400.
    wanted = {1: 0.3 + 0.4 / 400, 2: 0.3 + 0.4 * 25 / 400}
    assert close_to(found, {0: 1 - sum(wanted.values()), **wanted})
    empty = LabelCounts.of(im.open_volume(np.zeros((4, 10, 10), np.uint8)))
    plain = im.PatchSampler((1, 1, 1), seed=2).starts(mask.shape, 50, key=0)
    assert np.array_equal(
        im.PatchSampler((1, 1, 1), positive=1, seed=2).starts(mask.shape, 50, key=0, labels=empty), plain
    )


def test_voxels_are_drawn_by_their_weights() -> None:
    weights = np.round(RNG.random((2, 4, 5)), 2) * (RNG.random((2, 4, 5)) < 0.5)
    sums = WeightSums.of(im.open_volume(weights))
    starts = im.PatchSampler((1, 1, 1), seed=2).starts(weights.shape, 4000, key=0, weights=sums)
    wanted = {place: float(w / weights.sum()) for place, w in np.ndenumerate(weights)}
    assert close_to(Counter(map(tuple, starts.tolist())), wanted)
    for wrong in (-weights, weights * np.nan, weights * 0):
        with pytest.raises(InputError, match="weights"):
            WeightSums.of(im.open_volume(wrong))


def test_the_voxel_is_in_the_middle_or_the_patch_at_the_edge() -> None:
    mask = np.zeros((9, 9), np.uint8)
    for voxel, size, start in (((4, 5), (3, 4), (3, 3)), ((0, 8), (3, 4), (0, 5)), ((4, 4), (11, 9), (-1, 0))):
        mask[:] = 0
        mask[voxel] = 1
        counts = LabelCounts.of(im.open_volume(mask))
        found = im.PatchSampler(size, positive=1).starts((9, 9), 1, key=0, labels=counts)
        assert found.tolist() == [list(start)]


def test_draws_belong_to_seed_epoch_key_and_number() -> None:
    def drawn(seed: int = 0, n: int = 6, **how: Any) -> list[Any]:
        return im.PatchSampler((2, 2), seed=seed).starts((99, 99), n, **{"key": "a", **how}).tolist()

    assert drawn() == drawn() == drawn(n=9)[:6]
    assert drawn()[4:] == drawn(n=2, first=4)
    others = [drawn(), drawn(seed=1), drawn(epoch=1), drawn(key="b")]
    assert len({str(one) for one in others}) == 4
    assert len({str(start) for one in others for start in one}) == 24


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"size": 3}, "2 or 3 whole numbers"),
        ({"size": (3, 0)}, "2 or 3 whole numbers"),
        ({"size": (3, 3), "positive": 1.5}, "share"),
        ({"size": (3, 3), "positive": 0.5, "labels": {1: 1}}, "got both"),
        ({"size": (3, 3), "labels": {1: 0}}, "weights above 0"),
        ({"size": (3, 3), "labels": {1: -1, 2: 3}}, "weights above 0"),
    ],
)
def test_samplers_that_cannot_be(how: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        im.PatchSampler(**how)


def test_what_a_sampler_needs_is_said() -> None:
    with pytest.raises(InputError, match="give the mask"):
        im.PatchSampler((2, 2), positive=0.5).starts((9, 9), 1, key=0)
    with pytest.raises(InputError, match="2 axes"):
        im.PatchSampler((2, 2)).starts((9, 9, 9), 1, key=0)


# ------------------------------------------------------------------------------------------------ datasets


def scans(count: int = 3) -> tuple[list[Any], list[Any]]:
    images = [RNG.normal(size=(8, 12 + i, 11)).astype(np.float32) for i in range(count)]
    return images, [(image > 1.5).astype(np.uint8) for image in images]


def test_no_volume_is_read_whole() -> None:
    images, masks = scans(1)
    image, mask = Watched(images[0]), Watched(masks[0])
    data = im.PatchDataset([image], [mask], sampler=im.PatchSampler((3, 4, 5), positive=1, seed=1), per_volume=9)
    for item in data:
        assert item["image"].array.shape == (3, 4, 5)
        assert item["mask"].array.any()
    assert image.most == 3 * 4 * 5
    assert mask.most == 12 * 11  # one slice


def test_patches_are_parts_of_image_and_mask_and_know_their_place() -> None:
    image, mask = RNG.normal(size=(8, 9, 10)), RNG.integers(0, 3, (8, 9, 10))
    affine = np.array([[0, 0, -2.0, 30], [0, 1.5, 0, 7], [3, 0, 0, -1], [0, 0, 0, 1]])
    pair = ([im.Image(image, "zyx", affine=affine)], [im.Mask(mask, "zyx")])
    data = im.PatchDataset(*pair, sampler=im.PatchSampler((3, 3, 3), seed=4), per_volume=8)
    for item in data:
        patch, labels = item["image"], item["mask"]
        found = np.linalg.solve(affine, patch.affine)
        start = found[:3, 3].round().astype(int)
        assert np.allclose(found[:3, :3], np.eye(3))
        region = tuple(slice(a, a + 3) for a in start)
        assert np.array_equal(patch.array, image[region])
        assert np.array_equal(labels.array, mask[region])


def test_volumes_that_are_smaller_than_a_patch_are_padded() -> None:
    data = im.PatchDataset(
        [np.ones((2, 9))], [np.ones((2, 9), np.uint8)], sampler=im.PatchSampler((5, 4)), fill=-3, per_volume=1
    )
    item = data[0]
    assert item["image"].array.tolist() == [[-3.0] * 4, [1.0] * 4, [1.0] * 4, [-3.0] * 4, [-3.0] * 4]
    assert item["mask"].array[:, 0].tolist() == [0, 1, 1, 0, 0]


def test_loaders_of_any_kind_give_the_same_patches() -> None:
    images, masks = scans()
    data = im.PatchDataset(images, masks, sampler=im.PatchSampler((4, 5, 6), positive=0.5, seed=3), per_volume=2)
    pipe = im.Pipeline([im.Flip("x", p=0.5)], seed=1)

    def read(workers: int) -> list[Any]:
        loader = im.Loader(data, pipe, batch_size=2, shuffle=False, seed=1, workers=workers)
        return [np.concatenate([batch.image for batch in loader]) for _ in range(2)]

    alone, threads = read(0), read(2)
    assert all(np.array_equal(one, two) for one, two in zip(alone, threads, strict=True))
    assert alone[0].shape == (6, 4, 5, 6)
    assert not np.array_equal(alone[0], alone[1])
    for epoch in range(2):
        items = [data.item_at(i, epoch) for i in range(6)]
        wanted = [pipe(**item, key=i, epoch=epoch).image for i, item in enumerate(items)]
        assert np.array_equal(alone[epoch], np.stack(wanted))


def test_a_dataloader_counts_the_epochs() -> None:
    torch = pytest.importorskip("torch")
    images, _ = scans(2)
    data = im.PatchDataset(images, sampler=im.PatchSampler((4, 5, 6), seed=3), per_volume=2, keys=["a", "b"])

    def first(item: Any) -> Any:
        return torch.from_numpy(item[0]["image"].array)

    loader = torch.utils.data.DataLoader(data, batch_size=1, collate_fn=first)
    epochs = [torch.stack(list(loader)) for _ in range(2)]
    assert not torch.equal(*epochs)
    wanted = [np.stack([data.item_at(i, epoch)["image"].array for i in range(4)]) for epoch in range(2)]
    assert all(np.array_equal(one.numpy(), two) for one, two in zip(epochs, wanted, strict=True))
    sent = pickle.loads(pickle.dumps(data))
    assert np.array_equal(sent.item_at(3, 1)["image"].array, wanted[1][3])


def test_what_does_not_fit_is_said() -> None:
    images, masks = scans(2)
    sampler = im.PatchSampler((2, 2, 2))
    with pytest.raises(InputError, match="as many masks as images, 2, got 1"):
        im.PatchDataset(images, masks[:1], sampler=sampler)
    with pytest.raises(InputError, match="per_volume"):
        im.PatchDataset(images, sampler=sampler, per_volume=0)
    with pytest.raises(InputError, match="on the grid of its image"):
        im.PatchDataset(images, masks[::-1], sampler=sampler)[0]
    with pytest.raises(IndexError):
        im.PatchDataset(images, sampler=sampler)[2]


# ------------------------------------------------------------------------------------------------ put together


@given(
    st.sampled_from([2, 3]).flatmap(
        lambda d: st.tuples(st.tuples(*[st.integers(1, 12)] * d), st.tuples(*[st.integers(1, 9)] * d))
    ),
    st.sampled_from([0.0, 0.25, 0.5, 0.7]),
    st.sampled_from(["average", "crop", "hann"]),
)
def test_a_network_that_changes_nothing_gives_the_volume(sizes: Any, overlap: float, blend: Any) -> None:
    shape, size = sizes
    volume = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    grid = im.PatchGrid(shape, size, overlap)
    whole = grid.aggregator(blend)
    for start, patch in grid.patches(volume, fill=99):
        whole.add(patch[None], start[None])
    found = whole.merged()
    assert (found.dtype, found.shape) == (np.float32, shape)
    if blend == "hann":
        np.testing.assert_allclose(found, volume, rtol=0, atol=1e-6)
    else:
        assert np.array_equal(found, volume)


@given(st.integers(1, 60), st.integers(1, 20), st.sampled_from([0.0, 0.3, 0.5, 0.9]))
def test_grids_cover_evenly_and_overlap_enough(length: int, size: int, overlap: float) -> None:
    (places,) = im.PatchGrid((length, 1), (size, 1), overlap).along[:1]
    if length <= size:
        assert places.tolist() == [-((size - length) // 2)]
        return
    steps = np.diff(places)
    assert (places[0], places[-1]) == (0, length - size)
    assert np.ptp(steps) <= 1
    assert steps.min() >= 1
    assert steps.max() <= max(1, size * (1 - overlap) + 1e-6)


def test_average_crop_and_hann_by_hand() -> None:
    # Two patches of 4 over 6 voxels: they share 2 and 3. One says 0 and the other 1.
    grid = im.PatchGrid((1, 6), (1, 4), overlap=0.5)
    assert grid.starts.tolist() == [[0, 0], [0, 2]]
    said = np.array([np.zeros((1, 4)), np.ones((1, 4))])
    hann = np.sin(np.pi * np.array([0.5, 1.5, 2.5, 3.5]) / 4) ** 2
    shared = [hann[0] / (hann[0] + hann[2]), hann[1] / (hann[1] + hann[3])]
    wanted = {"average": [0, 0, 0.5, 0.5, 1, 1], "crop": [0, 0, 0, 1, 1, 1], "hann": [0, 0, *shared, 1, 1]}
    for blend, values in wanted.items():
        whole = grid.aggregator(blend)  # type: ignore[arg-type]
        whole.add(said, grid.starts)
        assert np.allclose(whole.merged(), [values]), blend


def test_channels_first_last_and_tensors() -> None:
    torch = pytest.importorskip("torch")
    volume = RNG.normal(size=(5, 7)).astype(np.float32)
    grid = im.PatchGrid((5, 7), (3, 4))
    first, last = grid.aggregator("hann", channels_first=True), grid.aggregator()
    for start, patch in grid.patches(volume):
        both = torch.from_numpy(np.stack([patch, -patch]))
        first.add(both[None].requires_grad_(), torch.from_numpy(start[None]))
        last.add(both.permute(1, 2, 0)[None], start[None])
    assert np.allclose(first.merged(), np.stack([volume, -volume]), atol=1e-6)
    assert np.array_equal(last.merged(), np.stack([volume, -volume], axis=-1))


def test_what_is_missing_is_said() -> None:
    grid = im.PatchGrid((1, 6), (1, 4))
    whole = grid.aggregator()
    with pytest.raises(InputError, match="all 2 patches"):
        whole.merged()
    whole.add(np.zeros((1, 1, 4)), grid.starts[:1])
    with pytest.raises(InputError, match="none about 2 voxels"):
        whole.merged()
    with pytest.raises(InputError, match="starts of the grid"):
        whole.add(np.zeros((1, 1, 4)), [[0, 1]])
    with pytest.raises(InputError, match="1 patches of"):
        whole.add(np.zeros((1, 4, 1)), grid.starts[:1])
    with pytest.raises(InputError, match="volume of shape"):
        list(grid.patches(np.zeros((2, 6))))
    with pytest.raises(ParameterError, match="average, crop, hann"):
        grid.aggregator("mean")  # type: ignore[arg-type]
    for wrong in ({"overlap": 1.0}, {"size": (3,)}, {"shape": (3, 3, 3)}):
        with pytest.raises(ParameterError, match="expected"):
            im.PatchGrid(**{"shape": (6, 6), "size": (3, 3), **wrong})  # type: ignore[arg-type]
