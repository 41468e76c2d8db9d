"""Arrays as people keep them: HDF5, .npz, .npy and MATLAB files of courses, papers and competitions."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import SourceError
from imagemill.data import load_mask, load_picture
from imagemill.data.layouts.opening import open_source
from imagemill.verbs.scan.scan import scan
from tests.data.array_sets import SETS, labelled, patches, pictures


@pytest.mark.parametrize("name", SETS)
def test_images_labels_and_parts_come_out_right(tmp_path: Path, name: str) -> None:
    want = SETS[name](tmp_path)
    place = tmp_path / want.open
    found = scan(place, opened=0)
    assert found.layout == want.layout
    assert dict(found.splits) == dict(want.splits)
    assert found.masks == want.masks
    assert want.says in " ".join(found.notes)
    assert bool(found.unreadable) == bool(want.problem)
    assert want.problem in " ".join(map(str, found.unreadable))
    source = open_source(place)
    labels = Counter(record.labels if record.labels is not None else record.label for record in source)
    assert labels == (want.labels or {None: len(source)})
    assert im.open(place).classes == want.order
    assert len({record.key for record in source}) == len(source)
    assert not any({"label_id", "label", "name"} & set(record.attributes) for record in source)
    read = [load_picture(record.image) for record in source]
    assert {picture.axes for picture in read} == {want.axes}
    expected = {np.ascontiguousarray(image).tobytes(): n for n, image in enumerate(want.images)}
    assert Counter(picture.array.tobytes() for picture in read) == Counter(dict.fromkeys(expected, 1))
    for record in source:
        assert record.mask is None or load_mask(record.mask).array.shape == load_picture(record.image).spatial_shape


@pytest.mark.parametrize(
    "name", ["a_group_with_one_stack", "images_labels_and_masks_in_three_files_a_part", "several_labels_an_image"]
)
def test_they_are_prepared_and_loaded(tmp_path: Path, name: str) -> None:
    (tmp_path / "set").mkdir()
    want = SETS[name](tmp_path / "set")
    report = im.prepare(tmp_path / "set", tmp_path / "store", size=(8, 8))
    assert len(im.open(tmp_path / "set")) == report.made == sum(want.labels.values())
    store = im.open(tmp_path / "store")
    assert store.classes == want.order
    assert sum(store.class_counts().values()) == sum(
        count * (len(names) if isinstance(names, tuple) else 1) for names, count in want.labels.items()
    )
    batch = next(iter(im.Loader(tmp_path / "set", split="all", batch_size=2, seed=0)))
    assert batch.image.shape[0] == 2


def test_an_image_that_a_mask_and_a_label_belong_to_keeps_both(tmp_path: Path) -> None:
    patches(tmp_path)
    source = open_source(tmp_path)
    record = next(r for r in source if r.split == "train" and r.label == "1")
    image = load_picture(record.image).array
    np.testing.assert_array_equal(load_mask(record.mask).array, image[..., 0] // 128)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": (4, 8, 8, 3), "labels": (3,)}, "as many labels as images, got 'images' of 4 x .* 'labels' of 3"),
        ({"x_train": (4, 8, 8, 3), "masks_train": (4, 9)}, "a mask for each image"),
        ({"x": (4, 6), "y": (4,)}, "rows of 6 numbers; reshape them"),
    ],
)
def test_arrays_that_do_not_fit_are_named_both(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    made: dict[str, Any] = {name: np.zeros(shape, np.uint8) for name, shape in arrays.items()}
    np.savez(tmp_path / "a.npz", **made)
    with pytest.raises(SourceError, match=message):
        open_source(tmp_path / "a.npz")


def test_labels_of_other_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    for name, shape in (("images", (4, 8, 8, 3)), ("labels", (5,))):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file[name] = np.zeros(shape, np.uint8)
    with pytest.raises(SourceError, match="'images/images' of 4 x 8 x 8 x 3 and 'labels/labels' of 5"):
        open_source(tmp_path)


def test_the_first_axis_is_what_the_user_says(tmp_path: Path) -> None:
    np.save(tmp_path / "head.npy", pictures(5, 8, 9))
    assert len(open_source(tmp_path / "head.npy", extra={"pages": "images"}, layout="npz")) == 5
    np.save(tmp_path / "images.npy", pictures(5, 8, 9, 3))
    (volume,) = open_source(tmp_path / "images.npy", extra={"pages": "volume"})
    assert load_picture(volume.image).axes == "zyxc"
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cat/Dataset"] = pictures(5, 8, 9, 3)
    assert len(open_source(tmp_path / "a.h5")) == 5
    for extra in ({"pages": "volume"}, {"axes": "zyxc"}):
        (volume,) = open_source(tmp_path / "a.h5", extra=extra)
        assert (volume.label, load_picture(volume.image).array.shape) == ("cat", (5, 8, 9, 3))
    with pytest.raises(SourceError, match="expected pages as images or volume, got 'slices'"):
        open_source(tmp_path / "a.h5", extra={"pages": "slices"})


def test_pickles_are_refused_with_a_way_out(tmp_path: Path) -> None:
    for name in ("data_batch_1", "data_batch_2", "batches.meta"):
        (tmp_path / name).write_bytes(pickle.dumps({b"data": 1}, protocol=2))
    with pytest.raises(SourceError, match=r"got 2 pickles \(data_batch_1, data_batch_2\); .*numpy\.savez\(file"):
        open_source(tmp_path)
    with pytest.raises(SourceError, match="pickles can run any code and are never loaded"):
        open_source(tmp_path / "data_batch_1")


def test_axes_of_one_image_are_what_the_user_says(tmp_path: Path) -> None:
    images = pictures(4, 3, 8, 9)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(4) % 2)
    for axes, kind in ((None, "RGB uint8"), ("cyx", "RGB uint8"), ("zyx", "volume uint8")):
        assert dict(scan(tmp_path / "a.npz", axes=axes).pixels.kinds) == {kind: 4}
        assert im.open(tmp_path / "a.npz", axes=axes)[0].image.shape == ((3, 8, 9) if axes == "zyx" else (8, 9, 3))
    assert im.prepare(tmp_path / "a.npz", tmp_path / "out", axes="zyx").shape == (3, 8, 9)


def test_the_weights_of_a_network_are_no_images(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file["model_weights/dense/kernel"] = np.zeros((12, 10))
    with pytest.raises(SourceError, match="the weights of a network"):
        open_source(tmp_path)
    labelled(tmp_path / "pets.h5", "Dataset")
    source = open_source(tmp_path)
    assert (len(source), [problem.name for problem in source.problems]) == (7, ["model.h5"])


def test_an_array_given_alone_is_not_stopped_by_what_lies_beside_it(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", pictures(4, 6, 7, 3))
    np.save(tmp_path / "y.npy", np.arange(9))
    source = open_source(tmp_path / "x.npy")
    assert [record.label for record in source] == [None] * 4
    assert "what lies beside x.npy does not fit and was left out" in source.describe()
