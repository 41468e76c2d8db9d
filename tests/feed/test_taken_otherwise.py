"""What people ask a loader, a dataset or a batch for who come from another library is answered, or said how."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import imagemill as im

X, Y = np.arange(8 * 6 * 6 * 3, dtype=np.uint8).reshape(8, 6, 6, 3), np.arange(8) % 2
PIPE = im.Pipeline([im.Flip("x", p=0.5)], seed=1)


def a_loader() -> im.Loader:
    return im.Loader((X, Y), PIPE, batch_size=4, workers=0)


def a_dataset() -> im.Dataset:
    return im.open((X, Y))


def test_batches_and_rows_are_taken_apart_as_images_and_labels() -> None:
    for images, labels in a_loader():
        assert (images.shape, labels.dtype.kind) == ((4, 6, 6, 3), "i")
    image, label = a_dataset()[3]
    assert np.array_equal(image, X[3])
    assert label == 1
    assert [label for _, label in a_dataset()] == Y.tolist()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: next(a_loader()), r"next\(iter\(loader\)\)"),
        (lambda: a_loader()[0], r"loader\.batch\(0\)"),
        (lambda: np.asarray(a_loader()), r"model\.fit\(loader\.keras\(\)\)"),
        (lambda: np.asarray(a_dataset()), r"model\.fit\(imagemill\.Loader"),
        (lambda: a_dataset().map(PIPE), r"imagemill\.augmented\(dataset, pipeline\)"),
        (lambda: PIPE.batch(a_dataset()), r"imagemill\.Loader\(dataset, pipeline"),
        (lambda: im.Dataset("photos"), r"got 'photos'; imagemill\.open"),  # type: ignore[arg-type]
        (lambda: im.Loader(pl.DataFrame({"file": ["a.png"]})), r"images='DIR'"),
        (lambda: im.Loader([("a.png", 0)]), r"imagemill\.Record\(path, pathlib\.Path\(path\)"),
    ],
)
def test_what_is_refused_says_what_to_write(asked: Callable[[], Any], said: str) -> None:
    with pytest.raises(im.ImagemillError, match=said):
        asked()


@pytest.mark.parametrize(
    ("thing", "name", "said"),
    [
        (a_loader, "dataset", r"loader\.rows"),
        (a_loader, "num_workers", "did you mean 'workers'"),
        (a_loader, "shape", r"loader\.keras\(\)"),
        (a_dataset, "labels", r"dataset\.table\['label'\]"),
        (a_dataset, "key", r"dataset\.table\['key'\]"),
        (a_dataset, "shape", r"\.keras\(\)"),
        (a_dataset, "batch", r"imagemill\.Loader"),
        (a_dataset, "class_names", "did you mean 'classes'"),
    ],
)
def test_names_of_other_libraries_are_answered(thing: Callable[[], Any], name: str, said: str) -> None:
    with pytest.raises(AttributeError, match=said):
        getattr(thing(), name)


def test_what_answers_is_copied_and_pickled_as_before() -> None:
    for one in (a_loader(), a_dataset()):
        assert len(copy.copy(one)) == len(pickle.loads(pickle.dumps(one))) == len(one)
        assert not hasattr(one, "_anything")
    assert a_loader().batch_size == 4


def test_a_list_of_files_is_opened(tmp_path: Path) -> None:
    im.write_picture(tmp_path / "a.png", im.Picture(X[0], "yxc"))
    (images,) = next(iter(im.Loader([str(tmp_path / "a.png")], PIPE, workers=0)))
    assert images.shape == (1, 6, 6, 3)


def test_a_dataloader_puts_samples_together_as_it_does_tuples() -> None:
    torch = pytest.importorskip("torch")

    class Mine(torch.utils.data.Dataset):  # type: ignore[misc,name-defined]
        def __len__(self) -> int:
            return len(X)

        def __getitem__(self, i: int) -> im.Sample:
            return PIPE(image=X[i], label=int(Y[i]), key=i)

    for dataset in (Mine(), a_dataset(), im.augmented(a_dataset(), PIPE)):
        images, labels = next(iter(torch.utils.data.DataLoader(dataset, batch_size=8)))
        assert (tuple(images.shape), labels.tolist()) == ((8, 6, 6, 3), Y.tolist())


def test_tensors_by_name_are_not_taken_apart_into_names() -> None:
    pytest.importorskip("torch")
    batch = next(iter(a_loader().torch()))
    assert (list(batch), sorted(dict(batch)), sorted({**batch})) == (["image", "label"],) + (["image", "label"],) * 2
    assert [name for name in batch] == ["image", "label"]  # a loop is no unpacking
    with pytest.raises(im.InputError, match=r"batch\['image'\].*loader\.torch\(\('image', 'label'\)\)"):
        _images, _labels = batch
    with pytest.raises(im.InputError, match="taken apart"):
        _image, *_rest = batch
