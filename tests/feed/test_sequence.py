"""A loader over anything that has a length and items by number."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import imagemill as im
from imagemill.feed import Loader
from imagemill.feed.making.sequence import labels_together
from tests.feed.makes import PIPELINE, hashes, jpegs

FLIP = im.Pipeline([im.Flip("x", p=0.5), im.Rescale("depth")], seed=3)


class Virtual:
    """As many rows as asked for, none of which is there before."""

    def __init__(self, count: int, make: Callable[[int], Any], **attributes: Any) -> None:
        self.count, self.make = count, make
        self.__dict__.update(attributes)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, row: int) -> Any:
        assert type(row) is int, "expected plain numbers, as lists take them"
        if not 0 <= row < self.count:
            raise IndexError(row)
        return self.make(row)


def picture(row: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(row).integers(0, 256, (12, 10, 3), dtype=np.uint8)


def pair(row: int) -> tuple[Any, int]:
    return Image.fromarray(picture(row)), row % 3


def named(row: int) -> dict[str, Any]:
    found = {"image": picture(row), "boxes": [[1, 2, 5 + row % 4, 9]] * (row % 3), "label": row % 5}
    return found | ({"mask": picture(row)[..., 0] > 99} if row % 2 else {})


@pytest.mark.parametrize("make", [picture, pair, named])
def test_items_become_what_arrays_of_them_do_under_any_workers(make: Callable[[int], Any]) -> None:
    items = [make(row) for row in range(40)]
    truth = FLIP.batch([picture(row) for row in range(40)], keys=range(40), epoch=0).image
    for workers, size in ((0, 8), (2, 16)):
        with Loader(items, FLIP, batch_size=size, workers=workers) as loader:
            batches = list(loader)
        rows = np.concatenate([batch.keys for batch in batches])
        assert sorted(rows.tolist()) == list(range(40))
        assert np.array_equal(np.concatenate([batch.image for batch in batches]), truth[rows])


def test_labels_come_with_their_items() -> None:
    batch = next(iter(Loader([pair(row) for row in range(9)], FLIP, batch_size=9, workers=0)))
    assert batch.label.dtype == np.int64
    assert np.array_equal(batch.label, np.asarray(batch.keys) % 3)
    assert list(next(iter(Loader([picture(0)] * 4, FLIP, workers=0))).columns) == ["image"]


def test_targets_that_some_lack_are_empty_there_and_move_along_where_they_are() -> None:
    flip = im.Pipeline([im.Flip("x")], seed=0)
    batch = Loader(Virtual(8, named), flip, batch_size=8, shuffle=False, workers=0).batch(0)
    assert sorted(batch.columns) == ["boxes", "image", "label", "mask"]
    for row in range(8):
        assert np.array_equal(batch.image[row], picture(row)[:, ::-1])
        assert np.array_equal(batch.mask[row], (picture(row)[:, ::-1, 0] > 99) if row % 2 else np.zeros((12, 10), bool))
        assert batch.boxes[row].array.tolist() == [[10 - (5 + row % 4), 2, 9, 9]] * (row % 3)


def test_names_of_classes_and_labels_beside_the_items() -> None:
    by_name = Virtual(6, lambda row: (picture(row), ("dog", "cat")[row % 2]), classes=["cat", "dog"])
    loader = Loader(by_name, FLIP, batch_size=6, shuffle=False, workers=0)
    assert loader.classes == ("cat", "dog")
    assert loader.batch(0).label.tolist() == [1, 0, 1, 0, 1, 0]
    beside = Virtual(12, lambda row: (picture(row), "unused"), targets=[0] * 10 + [1] * 2)
    balanced = Loader(beside, FLIP, batch_size=400, balance=True, workers=0, seed=1)
    labels = np.concatenate([balanced.places(range(12), epoch=epoch).label for epoch in range(60)])
    assert 0.4 < labels.mean() < 0.6


def test_records_are_read_like_those_of_a_source(tmp_path: Path) -> None:
    dataset = im.open(jpegs(tmp_path, 20))
    records: Sequence[im.Record] = dataset.backings[0].source.records  # type: ignore[attr-defined]
    truth = hashes(Loader(dataset, PIPELINE, batch_size=8, workers=0))
    with Loader(Virtual(20, records.__getitem__, classes=dataset.classes), PIPELINE, batch_size=5, workers=2) as loader:
        assert hashes(loader) == truth


def test_a_hundred_million_records_cost_what_a_thousand_do() -> None:
    def record(row: int) -> im.Record:
        return im.Record(f"{row:09}.png", im.Stored(f"{row}", lambda: picture(row % 7), "yxc"), label=f"{row % 2}")

    peaks = {}
    for count in (1_000, 100_000_000):
        tracemalloc.start()
        with Loader(Virtual(count, record, classes=["0", "1"]), FLIP, batch_size=16, workers=1) as loader:
            batch = next(iter(loader))
            assert batch.label.tolist() == [int(key[:9]) % 2 for key in map(str, batch.keys)]
            state = loader.state_dict()
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        with Loader(Virtual(count, record, classes=["0", "1"]), FLIP, batch_size=16, workers=0) as other:
            other.load_state_dict(state)
            assert next(iter(other)).number == 1
    assert peaks[100_000_000] < 2 * peaks[1_000] + 1_000_000


def test_images_by_number_are_not_all_asked_for_at_once() -> None:
    asked: list[int] = []

    def make(row: int) -> Any:
        asked.append(row)
        return picture(row)

    loader = Loader((Virtual(1000, make), np.arange(1000)), FLIP, batch_size=4, workers=0)
    assert np.array_equal(loader.batch(0).label, loader.batch(0).keys)
    assert len(asked) < 100


def test_other_processes_make_the_same() -> None:
    items = [(picture(row), row) for row in range(24)]
    truth = hashes(Loader(items, FLIP, batch_size=8, workers=0))
    with Loader(items, FLIP, batch_size=8, workers="process:1") as loader:
        assert hashes(loader) == truth


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "at least one item"),
        (("a.jpg",) * 4, "expected a Dataset, a Source, a path"),
        ([("a.jpg", 1)], r"item 0: expected \(image, label\), got the path 'a.jpg'; give records"),
        ([(1, 2, 3)], r"item 0: expected \(image, label\), got 3 values"),
        ([{"picture": picture(0)}], "item 0: expected an image and any of mask"),
        ([{"image": picture(0), "lable": 1}], "got the names image, lable"),
        ([(picture(0), "cat")], "expected a number for a label, got 'cat'; give the sequence an attribute `classes`"),
        ([(picture(0), [[1]])], "item 0: expected a label as a number"),
        ([im.Record("a", im.Stored("a", lambda: picture(0))), picture(0)], "some records and some others"),
    ],
)
def test_other_items_are_refused_at_once(items: list[Any], said: str) -> None:
    with pytest.raises(im.InputError, match=said):
        Loader(items, FLIP)


def test_a_target_that_nobody_expected_is_named() -> None:
    rows = Virtual(1000, lambda row: {"image": picture(row)} | ({"mask": picture(row)[..., 0]} if row == 17 else {}))
    loader = Loader(rows, FLIP, batch_size=1000, on_error="raise", workers=0)
    with pytest.raises(im.InputError, match=r"item 17: expected image, .* got mask too"):
        next(iter(loader))


def test_an_error_of_an_item_says_which_it_was() -> None:
    rows = Virtual(1000, lambda row: picture(row) if row != 17 else [][row])
    with Loader(rows, FLIP, batch_size=100, workers=2) as loader, pytest.raises(IndexError) as caught:
        list(loader)
    assert any("item 17" in note for note in caught.value.__notes__)


def test_labels_are_put_together() -> None:
    assert labels_together([None, None]) is None
    whole = labels_together([np.uint8(3), None, 5])
    assert whole is not None
    assert (whole.tolist(), whole.dtype) == ([3, -1, 5], np.int64)
    broken = labels_together([0.5, None])
    assert broken is not None
    assert broken[0] == 0.5
    assert np.isnan(broken[1])
    several = labels_together([np.array([0, 1], np.uint8)] * 3)
    assert several is not None
    assert (several.shape, several.dtype) == ((3, 2), np.uint8)
    with pytest.raises(im.InputError, match="one kind"):
        labels_together([1, np.array([0, 1])])


def test_images_of_several_types_are_each_what_they_are_alone() -> None:
    kinds = (np.uint8, np.float32, np.uint16)
    items = [(picture(row) / (255 if row % 3 == 1 else 1)).astype(kinds[row % 3]) for row in range(20)]
    pipe = im.Pipeline([im.Flip("x", p=0.5), im.Rotate((-20, 20)), im.Rescale("depth")], seed=3)
    alone = [pipe.batch([item], keys=[row], epoch=0).image[0] for row, item in enumerate(items)]
    for workers, size in ((0, 7), (2, 20)):
        with Loader(items, pipe, batch_size=size, workers=workers) as loader:
            for batch in loader:
                assert batch.image.dtype == np.float32
                np.testing.assert_array_equal(batch.image, [alone[key] for key in batch.keys])
                assert [recipe.key for recipe in batch.recipe] == list(batch.keys)
    flip = im.Pipeline([im.Flip("x")], seed=0)
    with pytest.raises(im.InputError, match=r"image of all rows in one size and type, got .*uint8.*; end every"):
        Loader(items, flip, batch_size=20, workers=0).batch(0)
    masks = [{"image": picture(0), "mask": np.zeros((12, 10), t)} for t in (np.uint8, np.uint16)]
    with pytest.raises(im.InputError, match=r"no channels \(yx\) of uint8 as others have, got .* of uint16"):
        Loader(masks, flip, shuffle=False, workers=0).batch(0)


def clip(row: int) -> dict[str, Any]:
    """A video of three frames with all that may belong to it."""
    frames = np.stack([picture(row + k) for k in range(3)])
    return {
        "image": im.Image(frames, "tyxc"),
        "depth": im.Map(frames[..., 0].astype(np.float32)),
        "nir": im.Image(frames[..., 0].astype(np.uint16), "tyx"),
        "boxes": [im.Boxes([[1, 2, 5 + k, 9]], labels=["cat"]) for k in range(3)],
        "label": row % 5,
    }


def beside(row: int) -> dict[str, Any]:
    """An image with a map and a second image beside it."""
    return {"image": picture(row), "depth": im.Map(picture(row)[..., 0].astype(np.float32)), "label": row % 5}


@pytest.mark.parametrize("make", [clip, beside])
def test_maps_further_images_and_videos_come_as_from_a_call(make: Callable[[int], Any]) -> None:
    with Loader([make(row) for row in range(8)], FLIP, batch_size=4, workers=2) as loader:
        for batch in loader:
            for i, row in enumerate(batch.keys):
                alone = FLIP(**make(int(row)), key=int(row), epoch=0)
                for name in ("image", "depth", "nir"):
                    if name in batch.columns:
                        np.testing.assert_array_equal(batch[name][i], alone[name])
                if make is clip:
                    for one, wanted in zip(batch.boxes[i], alone.boxes, strict=True):
                        np.testing.assert_array_equal(one.array, wanted.array)
    torch = pytest.importorskip("torch")
    with Loader([make(row) for row in range(4)], FLIP, batch_size=4, workers=0) as loader:
        (found,) = loader.torch()
    assert isinstance(found["depth"], torch.Tensor)
    if make is clip:
        assert found["image"].shape == (4, 3, 12, 10, 3)
        assert [len(one) for one in found["boxes"]] == [3] * 4
        assert [len(one) for one in found["box_label"][0]] == [1] * 3


def test_what_only_some_items_have_under_a_name_of_its_own_is_refused() -> None:
    items = [beside(0), *[{"image": picture(k)} for k in range(1, 4)]]
    with pytest.raises(im.InputError, match="expected depth, as other items have, got none"):
        list(Loader(items, FLIP, batch_size=4, workers=0, on_error="raise"))
    with pytest.raises(im.InputError, match=r"wrap what is under other names: depth=Map\(...\)"):
        Loader([{"image": picture(0), "depth": picture(0)[..., 0]}], FLIP, batch_size=1, workers=0)
