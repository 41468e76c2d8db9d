"""A store in many files: the same rows as in one, opened without a table of them, divided and fed by files."""

from __future__ import annotations

import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError, SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.store import Part
from tests.data.pictures import label_map, photos

COUNT, ROWS = 24, 5
NAMES = [f"{'cat' if n % 3 else 'dog'}/{n:02d}.png" for n in range(COUNT)]
PIPE = im.Pipeline([im.Flip("x", p=0.5), im.Rotate((-9, 9))], seed=2)


@pytest.fixture
def stores(tmp_path: Path) -> tuple[Path, Path]:
    """The same photos as a store of one file a part, and of five rows a file."""
    folder = photos(tmp_path / "in", *NAMES)
    for name, rows in (("one", None), ("many", ROWS)):
        im.prepare(folder, tmp_path / name, size=12, split=(0.75, 0.125, 0.125), shuffle=True, file_rows=rows, seed=4)
    return tmp_path / "one", tmp_path / "many"


def test_rows_are_those_of_a_store_in_one_file(stores: tuple[Path, Path]) -> None:
    one, many = im.open(stores[0]), im.LargeDataset.open(stores[1])
    assert len(many) == COUNT
    assert many.counts() == {"train": 18, "val": 3, "test": 3}
    assert sorted(path.name for path in stores[1].glob("*.arrow")) == [
        "test-00000.arrow", *(f"train-{n:05d}.arrow" for n in range(4)), "val-00000.arrow"
    ]  # fmt: skip
    for row in (0, 4, 5, 17, 18, 23, -1):
        assert np.array_equal(many[row].image, one[row].image)
        assert (many[row].recipe.key, many[row].label) == (one[row].recipe.key, one[row].label)
    assert many.class_counts() == one.class_counts()
    assert "24 images in 6 files" in repr(many)
    with pytest.raises(IndexError):
        many[COUNT]


def test_the_usual_dataset_opens_it_too_with_its_table(stores: tuple[Path, Path]) -> None:
    one, many = im.open(stores[0]), im.open(stores[1])
    assert many.table.equals(one.table)
    assert np.array_equal(many.images, one.images)
    assert np.array_equal(many.arrays("train")[1], one.arrays("train")[1])


def fed(dataset: Any, **how: Any) -> list[Any]:
    loader = im.Loader(dataset, PIPE, split="train", batch_size=4, seed=7, **{"workers": 0, **how})
    return [(b.image, b.label, list(b.keys)) for _ in range(2) for b in loader]


@pytest.mark.parametrize("how", [{}, {"shuffle": 8}, {"rank": 1, "world_size": 2}, {"workers": 2}], ids=str)
def test_batches_are_those_of_a_store_in_one_file(stores: tuple[Path, Path], how: dict[str, Any]) -> None:
    for one, other in zip(fed(stores[0], **how), fed(im.LargeDataset.open(stores[1]), **how), strict=True):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])
        assert one[2] == other[2]


def test_a_loader_continues_where_another_was(stores: tuple[Path, Path]) -> None:
    many = im.LargeDataset.open(stores[1])
    first, second = (im.Loader(many, PIPE, split="train", batch_size=4, seed=7) for _ in range(2))
    with first, second:
        made = iter(first)
        _ = next(made), next(made)
        second.load_state_dict(first.state_dict())
        assert np.array_equal(next(made).image, next(iter(second)).image)
    other = im.Loader(many.split(0.3, val=0), PIPE, split="train", batch_size=4, seed=7)
    with pytest.raises(InputError):
        other.load_state_dict(first.state_dict())


def test_it_is_divided_anew_by_whole_files(stores: tuple[Path, Path]) -> None:
    many = im.LargeDataset.open(stores[1])
    divided = many.split((0.6, 0.2, 0.2), seed=1)
    assert sum(divided.counts().values()) == COUNT
    assert set(divided.counts()) == {"train", "val", "test"}
    assert divided.parts == many.split((0.6, 0.2, 0.2), seed=1).parts
    assert len({many.split((0.6, 0.2, 0.2), seed=seed).parts[0] for seed in range(12)}) > 1
    keys = {part: {s.recipe.key for s in divided.subset(part)} for part in divided.counts()}
    assert sum(map(len, keys.values())) == len(set().union(*keys.values())) == COUNT
    with pytest.raises(InputError, match="file for each part"):
        many.subset("val").split((0.5, 0.25, 0.25))
    with pytest.raises(InputError, match="choose one of"):
        many.subset("nowhere")


def test_the_training_part_is_taken_and_said(stores: tuple[Path, Path]) -> None:
    with pytest.warns(UserWarning, match="train 18"):
        loader = im.Loader(im.LargeDataset.open(stores[1]), PIPE, batch_size=4)
    assert loader.rows == 18
    with pytest.raises(InputError, match="balance"):
        im.Loader(im.LargeDataset.open(stores[1]), PIPE, split="train", balance=True)


def test_label_maps_come_along_and_annotations_are_refused(tmp_path: Path) -> None:
    for n in range(6):
        photos(tmp_path / "in", f"{n}.png")
        label_map(tmp_path / "masks" / f"{n}.png", n)
    for name, rows in (("one", None), ("many", 4)):
        im.prepare(tmp_path / "in", tmp_path / name, masks=tmp_path / "masks", split=(1.0, 0.0, 0.0), file_rows=rows)
    made = [next(iter(im.Loader(d, PIPE, batch_size=6, workers=0, seed=1, split="all")))
            for d in (im.open(tmp_path / "one"), im.LargeDataset.open(tmp_path / "many"))]  # fmt: skip
    assert np.array_equal(made[0].mask, made[1].mask)
    assert made[0].mask.any()


def test_one_form_of_store_becomes_the_other_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    folder = photos(tmp_path / "in", *NAMES)
    im.prepare(folder, tmp_path / "store", size=12)
    with pytest.raises(InputError, match="file_rows"):
        im.prepare(folder, tmp_path / "store", size=12, file_rows=ROWS)
    report = im.prepare(folder, tmp_path / "store", size=12, file_rows=ROWS, overwrite=True)
    assert (report.made, report.reused) == (0, COUNT)
    assert not (tmp_path / "store/train.arrow").exists()
    assert im.prepare(folder, tmp_path / "store", size=12, file_rows=ROWS).unchanged
    (tmp_path / "store/train-00000.arrow").unlink()
    assert not im.prepare(folder, tmp_path / "store", size=12, file_rows=ROWS).unchanged
    im.prepare(folder, tmp_path / "store", size=12, overwrite=True)
    assert sorted(p.name for p in (tmp_path / "store").glob("*.arrow")) == ["test.arrow", "train.arrow", "val.arrow"]


@pytest.mark.parametrize("rows", [0, True, 2.5])
def test_rows_of_a_file_are_counted(tmp_path: Path, rows: Any) -> None:
    with pytest.raises(InputError, match="file_rows"):
        im.prepare(photos(tmp_path / "in", "a.png"), tmp_path / "out", file_rows=rows)


def test_a_damaged_file_is_named_when_it_is_read(stores: tuple[Path, Path]) -> None:
    (stores[1] / "train-00001.arrow").write_bytes(b"no")
    many = im.LargeDataset.open(stores[1])
    assert many[0].image.shape == (12, 12, 3)
    with pytest.raises(SourceError, match=r"train-00001\.arrow"):
        many[ROWS]


def virtual(folder: Path, files: int, rows: int) -> im.LargeDataset:
    """A store of as many rows as one likes: every file is the same one, by links."""
    import json

    from imagemill.data.store import Raster, write_part

    folder.mkdir()
    import pyarrow as pa

    pixels = np.arange(rows * 4, dtype=np.uint8).reshape(rows, 2, 2)
    columns = {"key": pa.array([str(n) for n in range(rows)]), "label": pa.array(np.arange(rows, dtype=np.uint8) % 3)}
    raster = Raster("image", (2, 2), np.dtype(np.uint8), lambda: iter([pixels]))
    write_part(folder / "train-00000.arrow", [raster], columns, rows, {"rasters": ["image"]})
    for n in range(1, files):
        (folder / f"train-{n:05d}.arrow").hardlink_to(folder / "train-00000.arrow")
    said = {
        "format": 1, "parts": {"train": {"count": files * rows, "file_rows": rows}}, "classes": list("abc"),
        "categories": [], "image": {"shape": [2, 2], "axes": "yx", "dtype": "uint8"}, "label": {"form": "index"},
        "fingerprint": "virtual",
    }  # fmt: skip
    with atomic_path(folder / "dataset.json") as part:
        part.write_text(json.dumps(said))
    return im.LargeDataset.open(folder)


def test_memory_of_opening_dividing_and_a_batch_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    peaks = []
    for files in (10, 1000):
        dataset = virtual(tmp_path / str(files), files, 1000)
        tracemalloc.start()
        dataset = im.LargeDataset.open(tmp_path / str(files)).split((0.8, 0.1, 0.1))
        loader = im.Loader(dataset, split="train", batch_size=32, workers=0, seed=1)
        assert next(iter(loader)).image.shape == (32, 2, 2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert all(isinstance(dataset.file(n), Part) for n in range(len(dataset.files)))
        assert len(dataset.backing.parts) <= 64
    assert peaks[1] < peaks[0] + 2_000_000  # a million rows: two bytes each would be too many


def test_no_warning_is_raised_on_the_way(stores: tuple[Path, Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(im.LargeDataset.open(stores[1]).subset("val"))) == 3
