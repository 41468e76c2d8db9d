"""What comes out of a loader, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import imagemill as im
from imagemill.feed import Loader
from tests.feed.makes import PIPELINE, coco, jpegs, masked

X = np.random.default_rng(0).integers(0, 256, (50, 12, 10, 3), dtype=np.uint8)
Y = np.arange(50) % 5
FLIP = im.Pipeline([im.Flip("x", p=0.5), im.Rescale("depth")], seed=3)


def test_arrays_come_as_the_pipeline_makes_them() -> None:
    with Loader((X, Y), FLIP, batch_size=8, workers=2) as loader:
        batches = list(loader)
    assert [len(batch) for batch in batches] == [8] * 6 + [2]
    assert len(loader) == 7
    seen = np.concatenate([batch.keys for batch in batches])
    assert sorted(seen.tolist()) == list(range(50))
    for batch in batches:
        rows = np.asarray(batch.keys)
        assert np.array_equal(batch.label, Y[rows])
        alone = FLIP.batch(X[rows], keys=rows, epoch=0).image
        assert np.array_equal(batch.image, alone)
        assert (batch.epoch, batch.repeated, batch.replaced) == (0, False, ())


def test_recipes_make_samples_again() -> None:
    batch = next(iter(Loader((X, Y), FLIP, batch_size=8, workers=0)))
    row = int(batch.keys[3])
    assert np.array_equal(FLIP.replay(batch.recipe[3], X[row]).image, batch.image[3])


def test_without_a_pipeline_rows_come_as_they_are() -> None:
    loader = Loader((X, Y), batch_size=8, shuffle=False, workers=0)
    assert np.array_equal(next(iter(loader)).image, X[:8])
    assert next(iter(loader)).image.flags.writeable
    assert [np.shares_memory(batch.image, X) for batch in loader] == [False] * 7


def test_one_array_without_labels_and_slices_of_arrays() -> None:
    batch = next(iter(Loader(X[:, ::2], FLIP, batch_size=8, shuffle=False, workers=0)))
    assert list(batch.columns) == ["image"]
    assert np.array_equal(batch.image, FLIP.batch(X[:8, ::2], keys=range(8)).image)


def test_pictures_of_several_sizes_in_a_list() -> None:
    pictures = [X[i, : 8 + i % 4] for i in range(20)]
    pipe = im.Pipeline([im.Resize((6, 6))], seed=0)
    assert [b.image.shape for b in Loader((pictures,), pipe, batch_size=16, workers=0)] == [(16, 6, 6, 3), (4, 6, 6, 3)]
    with pytest.raises(im.InputError, match="one output size"):
        next(iter(Loader((pictures,), batch_size=16, workers=0)))


def test_volumes_say_their_axes() -> None:
    volumes = np.zeros((4, 5, 6, 7), np.float32)
    pipe = im.Pipeline([im.Flip("z")], seed=0)
    assert next(iter(Loader((volumes,), pipe, axes="zyx", batch_size=4, workers=0))).image.shape == (4, 5, 6, 7)


def test_epochs_follow_each_other_and_can_be_set() -> None:
    loader = Loader((X, Y), FLIP, batch_size=25, workers=1)
    assert [batch.epoch for batch in loader] == [0, 0]
    assert loader.epoch == 1
    for _ in loader:
        break
    assert [batch.epoch for batch in loader] == [2, 2], "an epoch that was left early is over"
    loader.set_epoch(7)
    assert (loader.epoch, [batch.epoch for batch in loader]) == (7, [7, 7])
    orders = [tuple(np.concatenate([b.keys for b in loader]).tolist()) for _ in range(3)]
    assert len(set(orders)) == 3


def test_the_seed_rules_order_and_pixels() -> None:
    def image(**how: Any) -> Any:
        batch = Loader((X, Y), FLIP, batch_size=50, workers=0, **how).batch(0)
        return batch.image[np.argsort(batch.keys)], np.asarray(batch.keys).tolist()

    same, other = image(seed=3), image(seed=4)
    assert np.array_equal(image()[0], same[0])
    assert image()[1] == same[1], "without a seed, the pipeline's"
    assert same[1] != other[1]
    assert not np.array_equal(same[0], other[0])


def test_class_folders_with_labels(tmp_path: Path) -> None:
    loader = Loader(jpegs(tmp_path), PIPELINE, batch_size=10, workers=2)
    assert loader.classes == ("cat", "dog", "owl")
    for batch in loader:
        assert batch.image.shape == (len(batch), 3, 24, 24)
        assert batch.label.dtype == np.int64
        assert [loader.classes[label] for label in batch.label] == [key.split("/")[0] for key in batch.keys]
    loader.close()


def test_a_dataset_may_be_filtered_first(tmp_path: Path) -> None:
    photos = im.open(jpegs(tmp_path)).filter(lambda row: row["label"] == "dog")
    batches = list(Loader(photos, PIPELINE, batch_size=5, workers=0))
    assert {label for batch in batches for label in batch.label.tolist()} == {1}
    assert sum(map(len, batches)) == len(photos)


def test_boxes_follow_and_rows_without_have_none(tmp_path: Path) -> None:
    dataset = im.open(coco(tmp_path))
    pipe = im.Pipeline([im.Flip("x"), im.Resize((40, 40))], seed=0)
    batch = next(iter(Loader(dataset, pipe, batch_size=21, shuffle=False, workers=0)))
    sample = dataset[2]
    alone = pipe(**sample.targets, key=sample.recipe.key)
    assert np.allclose(batch.boxes[2].array, alone.boxes.array)
    assert list(batch.boxes[2].labels) == ["cat", "dog"]
    assert len(batch.boxes[0]) == 0


def test_masks_follow_and_missing_ones_are_empty(tmp_path: Path) -> None:
    root = masked(tmp_path, 6)
    (root / "masks" / "003.png").unlink()
    source = im.open_source(root / "images", masks=root / "masks", allow_missing_masks=True)
    pipe = im.Pipeline([im.Resize((32, 32), order=1)], seed=0)
    with pytest.warns(UserWarning, match="1 of 6 rows have no label map"):
        loader = Loader(source, pipe, batch_size=6, shuffle=False, workers=0)
    batch = next(iter(loader))
    assert batch.mask.shape == (6, 32, 32)
    assert [bool(batch.mask[i].any()) for i in range(6)] == [True, True, True, False, True, True]


@pytest.mark.parametrize("parts", [None, "train"])
def test_a_store_gives_what_its_rows_give(tmp_path: Path, parts: str | None) -> None:
    im.prepare(jpegs(tmp_path / "in", 60), tmp_path / "store", size=(40, 40))
    dataset = im.open(tmp_path / "store")
    dataset = dataset if parts is None else dataset.subset(parts)
    pipe = im.Pipeline([im.Flip("x", p=0.5)], seed=5)
    found = {}
    for batch in Loader(dataset, pipe, split="all", batch_size=16, workers=2):
        found |= {key: (image, label) for key, image, label in zip(batch.keys, batch.image, batch.label, strict=True)}
    assert len(found) == len(dataset)
    for sample in dataset:
        image, label = found[sample.recipe.key]
        assert np.array_equal(image, pipe(sample.image, key=sample.recipe.key))
        assert label == sample.label


def test_a_store_with_masks_and_boxes(tmp_path: Path) -> None:
    im.prepare(im.open(coco(tmp_path / "in")).to_source(), tmp_path / "boxes", size=(48, 48))
    boxed = im.open(tmp_path / "boxes")
    batch = next(
        iter(Loader(boxed, im.Pipeline([im.Flip("x")], seed=0), split="all", batch_size=8, shuffle=False, workers=0))
    )
    sample = boxed[2]
    assert np.allclose(batch.boxes[2].array[:, [0, 2]], 48 - sample.boxes.array[:, [2, 0]])
    root = masked(tmp_path / "m", 8)
    im.prepare(root / "images", tmp_path / "masks", masks=root / "masks", size=(32, 32))
    stored = im.open(tmp_path / "masks")
    batch = next(iter(Loader(stored, split="all", batch_size=8, shuffle=False, workers=0)))
    assert np.array_equal(batch.mask, stored.masks)
    assert np.array_equal(batch.image, stored.images)


def test_large_rows_of_a_store_are_not_copied_first(tmp_path: Path) -> None:
    im.prepare(jpegs(tmp_path / "in", 6), tmp_path / "store", size=(200, 200))
    rows = Loader(tmp_path / "store", PIPELINE, split="all", batch_size=3, workers=0)._maker.rows
    gathered = rows.gather(np.array([0, 1]), stacked=False)
    assert gathered is not None
    assert all(not image.flags.owndata and not image.flags.writeable for image in gathered["image"])


def test_two_stores_together(tmp_path: Path) -> None:
    im.prepare(jpegs(tmp_path / "in", 30), tmp_path / "store", size=(32, 32))
    stored = im.open(tmp_path / "store")
    parts = stored.subset("train").concat(
        im.open(tmp_path / "in").filter(lambda row: row["label"] == "owl").with_columns(key=pl.col("key") + "!")
    )
    loader = Loader(parts, PIPELINE, split="all", batch_size=8, workers=0)
    batches = list(loader)
    assert sum(map(len, batches)) == len(parts)
    for batch in batches:
        assert [loader.classes[label] for label in batch.label] == [key.split("/")[0] for key in batch.keys]


def test_balancing_draws_classes_alike_and_repeats_get_pixels_of_their_own() -> None:
    labels = np.array([0] * 45 + [1] * 5)
    noise = im.Pipeline([im.Shift(fraction=(-0.3, 0.3))], seed=1)
    loader = Loader((X, labels), noise, batch_size=25, balance=True, workers=0)
    drawn, again = [], 0
    for _ in range(20):
        for batch in loader:
            drawn += batch.label.tolist()
            for row, key in enumerate(np.asarray(batch.keys).tolist()):
                twin = [i for i in range(row) if batch.keys[i] == key]
                again += len(twin)
                assert all(not np.array_equal(batch.image[row], batch.image[i]) for i in twin)
                assert batch.recipe[row].key != batch.recipe[row - 1].key
                assert np.array_equal(noise.replay(batch.recipe[row], X[key]).image, batch.image[row])
    assert again > 50
    assert abs(np.mean(drawn) - 0.5) < 0.06


def test_classes_may_have_pipelines_of_their_own(tmp_path: Path) -> None:
    photos = im.open(jpegs(tmp_path))
    dark = im.Pipeline([im.Resize((20, 20)), im.Brightness(1e-9)], seed=0)
    plain = im.Pipeline([im.Resize((20, 20))], seed=0)
    for batch in Loader(photos, plain, pipelines={"dog": dark}, batch_size=12, workers=1, drop_last=True):
        assert (batch.image.reshape(len(batch), -1).max(axis=1) == 0).tolist() == (batch.label == 1).tolist()
        row = int(np.flatnonzero(batch.label == 1)[0])
        assert batch.recipe[row].pipeline == dark.digest
        assert [applied.name for applied in batch.applied[row]] == ["Resize", "Brightness"]
    other = im.Pipeline([im.Resize((10, 10))], seed=0)
    with pytest.raises(im.InputError, match="one size and type"):
        Loader(photos, plain, pipelines={"dog": other}, batch_size=37, workers=0).batch(0)


def test_labels_of_several_classes_are_rows_of_ones(tmp_path: Path) -> None:
    for n in range(4):
        im.write_picture(tmp_path / f"{n}.png", im.Picture(X[n], "yxc"))
    records = [
        im.Record(f"{n}.png", tmp_path / f"{n}.png", labels=("a", "b")[: n % 3 if n % 3 < 2 else 2]) for n in range(4)
    ]
    source = im.Source(tmp_path, "list", tuple(records))
    batch = Loader(source, FLIP, batch_size=4, shuffle=False, workers=0).batch(0)
    assert batch.label.tolist() == [[0, 0], [1, 0], [1, 1], [0, 0]]


def test_rows_without_a_label_have_minus_one(tmp_path: Path) -> None:
    for n in range(2):
        im.write_picture(tmp_path / f"{n}.png", im.Picture(X[n], "yxc"))
    records = (im.Record("0.png", tmp_path / "0.png", label="a"), im.Record("1.png", tmp_path / "1.png"))
    batch = Loader(im.Source(tmp_path, "list", records), FLIP, batch_size=2, shuffle=False, workers=0).batch(0)
    assert batch.label.tolist() == [0, -1]


def test_pictures_that_differ_are_named_and_the_remedy_works(tmp_path: Path) -> None:
    jpegs(tmp_path, 5)
    im.write_picture(tmp_path / "cat" / "gray.png", im.Picture(X[0, ..., 0], "yx"))
    pipe = im.Pipeline([im.Resize((16, 16))], seed=0)
    with pytest.raises(im.InputError, match=r"gray\.png|channels='rgb'"):
        list(Loader(tmp_path, pipe, workers=0))
    assert next(iter(Loader(tmp_path, pipe, workers=0, channels="rgb"))).image.shape == (6, 16, 16, 3)
    assert next(iter(Loader(tmp_path, pipe, workers=0, channels="gray"))).image.shape == (6, 16, 16)


def test_ranks_share_an_epoch() -> None:
    parts = [list(Loader((X, Y), FLIP, batch_size=6, rank=rank, world_size=4, workers=0)) for rank in range(4)]
    assert [len(part) for part in parts] == [3] * 4
    assert [len(part[-1]) for part in parts] == [1, 1, 1, 1]
    assert [part[-1].repeated for part in parts] == [False, False, True, True]
    seen = [key for part in parts for batch in part if not batch.repeated for key in np.asarray(batch.keys).tolist()]
    assert sorted(seen) == list(range(50))


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ("workers", {"workers": "processes"}),
        ("workers", {"workers": -1}),
        ("prefetch", {"prefetch": -1}),
        ("batch_size", {"batch_size": 0}),
        ("seed", {"seed": -1}),
        ("seed", {"seed": 1 << 64}),
        ("on_error", {"on_error": "skip"}),
        ("decode", {"decode": "slow"}),
        ("channels", {"channels": "bgr"}),
        ("weights", {"weights": [1, 2]}),
        ("both", {"weights": np.ones(50), "balance": True}),
        ("names of classes", {"pipelines": {"cat": FLIP}}),
        ("rank", {"rank": 1}),
        ("shuffle", {"shuffle": 0}),
    ],
)
def test_impossible_options_are_refused(words: str, how: dict[str, Any]) -> None:
    with pytest.raises(im.InputError, match=words):
        Loader((X, Y), FLIP, **how)


def test_impossible_datasets_are_refused() -> None:
    with pytest.raises(im.InputError, match="Dataset, a Source"):
        Loader(42, FLIP)
    with pytest.raises(im.InputError, match="50 labels"):
        Loader((X, Y[:3]), FLIP)
    with pytest.raises(im.InputError, match="at least one row"):
        Loader((X[:0], Y[:0]), FLIP)
    with pytest.raises(im.InputError, match="expected a Pipeline, the name of a preset or a pipeline file, got int"):
        Loader((X, Y), 42)  # type: ignore[arg-type]
    with pytest.raises(im.InputError, match="label for every row"):
        Loader((X,), FLIP, balance=True)
    with pytest.raises(im.SourceError, match="nothing"):
        Loader("no/such/folder", FLIP)
