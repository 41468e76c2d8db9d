"""Arrays as people keep them: HDF5, .npz, .npy and MATLAB files of courses, papers and competitions."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io

import imagemill as im
from imagemill.core.errors import SourceError
from imagemill.data import load_mask, load_picture
from imagemill.data.scan import scan
from imagemill.data.sources.files import open_source

RNG = np.random.default_rng(11)


def pictures(*shape: int) -> Any:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


@dataclass
class Want:
    """What is right: class counts, splits and pixels of a set, as the test that made it knows them."""

    images: Iterable[Any]
    labels: Mapping[Any, int] = field(default_factory=dict)
    splits: Mapping[str, int] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    layout: str = "hdf5"
    masks: int = 0
    says: str = ""
    problem: str = ""
    open: str = ""
    axes: str = "yxc"


Build = Callable[[Path], Want]
SETS: dict[str, Build] = {}


def a_set(build: Build) -> Build:
    SETS[build.__name__] = build
    return build


# ---------------------------------------------------------------------------------------------------------- HDF5
def labelled(path: Path, name: str, *, shape: tuple[int, ...] = (6, 7, 3), **how: Any) -> list[Any]:
    """Groups with attributes ``name`` and ``label``, the number against the alphabet, one dataset in each."""
    made = []
    with h5py.File(path, "w") as file:
        for number, (title, count) in enumerate((("dogs", 4), ("cats", 3))):
            group = file.create_group(f"group{number}")
            group.attrs["name"], group.attrs["label"] = title, number
            made.append(pictures(count, *shape))
            group.create_dataset(name, data=made[-1], **how)
    return made


PETS: dict[str, Any] = {"labels": {"dogs": 4, "cats": 3}, "order": ("dogs", "cats")}


@a_set
def a_group_with_one_stack(root: Path) -> Want:
    made = labelled(root / "pets.h5", "Dataset")
    return Want(np.concatenate(made), **PETS, says="taken to count images")


@a_set
def a_group_with_one_gray_stack_under_an_odd_name(root: Path) -> Want:
    made = labelled(root / "pets.hdf5", "q", shape=(6, 7))
    return Want(np.concatenate(made), **PETS, axes="yx", says="pages='volume'")


@a_set
def a_group_with_subgroup_image_packed(root: Path) -> Want:
    made = labelled(root / "pets.he5", "image/Dataset", chunks=(1, 6, 7, 3), compression="gzip")
    return Want(np.concatenate(made), **PETS)


@a_set
def a_dataset_for_each_image_in_a_subgroup_images(root: Path) -> Want:
    made = pictures(5, 6, 7, 3)
    with h5py.File(root / "pets.hdf", "w") as file:
        for number, image in enumerate(made):
            file[f"{'cat' if number < 2 else 'dog'}/images/photo_{number}"] = image
    return Want(made, {"cat": 2, "dog": 3}, order=("cat", "dog"))


@a_set
def classes_in_classes(root: Path) -> Want:
    made = pictures(3, 2, 6, 7, 3)
    with h5py.File(root / "pets.h5", "w") as file:
        for number, (place, name) in enumerate((("d/p", "pug"), ("d/b", "beagle"), ("c/m", "manx"))):
            file[f"{place}/Dataset"] = made[number]
            file[place].attrs["name"], file[place].attrs["label"] = name, number
        file["d"].attrs["name"], file["c"].attrs["name"], file["d"].attrs["label"] = "dog", "cat", 0
    order = ("dog/pug", "dog/beagle", "cat/manx")
    return Want(made.reshape(6, 6, 7, 3), dict.fromkeys(order, 2), order=order)


@a_set
def images_whose_own_numbers_their_groups_do_not_tell(root: Path) -> Want:
    made = pictures(4, 6, 7, 3)
    with h5py.File(root / "cases.h5", "w") as file:
        for number, image in enumerate(made):
            file.create_dataset(f"patient{number // 2}/{number}", data=image).attrs["label"] = number % 2
    return Want(made, {"0": 2, "1": 2}, order=("0", "1"), says="class numbers of their own")


def patches(root: Path) -> dict[str, Any]:
    made = {part: pictures(count, 8, 8, 3) for part, count in (("train", 5), ("valid", 2), ("test", 3))}
    for part, images in made.items():
        name = f"camelyonpatch_level_2_split_{part}"
        labels = (np.arange(len(images)) % 2).astype(np.uint8).reshape(-1, 1, 1, 1)
        for role, array in (("x", images), ("y", labels), ("mask", images[..., :1] // 128)):
            with h5py.File(root / f"{name}_{role}.h5", "w") as file:
                file[role] = array
    return made


@a_set
def images_labels_and_masks_in_three_files_a_part(root: Path) -> Want:
    made = patches(root)
    splits = {"train": 5, "val": 2, "test": 3}
    return Want(np.concatenate(list(made.values())), {"0": 6, "1": 4}, splits, ("0", "1"), masks=10)


@a_set
def one_file_of_images_finds_its_labels_beside_it(root: Path) -> Want:
    made = patches(root)["valid"]
    name = "camelyonpatch_level_2_split_valid_x.h5"
    return Want(made, {"0": 1, "1": 1}, {"val": 2}, ("0", "1"), masks=2, open=name, says="lies beside it")


@a_set
def the_role_in_the_name_of_the_file(root: Path) -> Want:
    made = [pictures(4, 8, 8), pictures(2, 8, 8)]
    for part, images in zip(("train", "test"), made, strict=True):
        for role, array in (("X", images), ("y", np.arange(len(images)) % 2)):
            with h5py.File(root / f"{role}_{part}.h5", "w") as file:
                file["data"] = array
    return Want(np.concatenate(made), {"0": 3, "1": 3}, {"train": 4, "test": 2}, ("0", "1"), axes="yx")


@a_set
def cats_and_others_of_a_course(root: Path) -> Want:
    made = pictures(6, 8, 8, 3)
    with h5py.File(root / "train_catvnoncat.h5", "w") as file:
        file["train_set_x"], file["train_set_y"] = made, [0, 1, 1, 0, 1, 1]
        file["list_classes"] = np.array([b"non-cat", b"cat"])
    return Want(made, {"non-cat": 2, "cat": 4}, {"train": 6}, ("non-cat", "cat"))


@a_set
def signs_of_a_course(root: Path) -> Want:
    made = [pictures(4, 8, 8, 3), pictures(2, 8, 8, 3)]
    for part, images in zip(("train", "test"), made, strict=True):
        with h5py.File(root / f"{part}_signs.h5", "w") as file:
            file[f"{part}_set_x"], file[f"{part}_set_y"] = images, np.arange(len(images))[None].T % 3
            file["list_classes"] = np.arange(3)
    labels = {"0": 3, "1": 2, "2": 1}
    return Want(np.concatenate(made), labels, {"train": 4, "test": 2}, ("0", "1", "2"))


@a_set
def labels_that_stand_for_names(root: Path) -> Want:
    made = pictures(4, 8, 8, 3)
    kind = h5py.enum_dtype({"owl": 1, "bat": 0}, basetype="i")
    with h5py.File(root / "a.h5", "w") as file:
        file["images"] = made
        file.create_dataset("labels", data=np.array([1, 0, 1, 1]), dtype=kind)
    return Want(made, {"bat": 1, "owl": 3}, order=("bat", "owl"))


@a_set
def labels_as_an_attribute_of_the_stack(root: Path) -> Want:
    made = pictures(4, 8, 8, 3)
    with h5py.File(root / "a.h5", "w") as file:
        stack = file.create_dataset("images", data=made)
        stack.attrs["labels"], stack.attrs["classes"] = [1, 0, 1, 1], ["bat", "owl"]
    return Want(made, {"bat": 1, "owl": 3}, order=("bat", "owl"))


@a_set
def stacks_named_like_classes(root: Path) -> Want:
    made = [pictures(4, 8, 8, 3), pictures(3, 8, 8, 3)]
    with h5py.File(root / "a.h5", "w") as file:
        file["cat"], file["dog"] = made
    return Want(np.concatenate(made), {"cat": 4, "dog": 3}, order=("cat", "dog"), says="a class of its own name")


@a_set
def matlab_keeps_its_axes_the_other_way_round(root: Path) -> Want:
    made, maps = pictures(3, 8, 10, 3), pictures(3, 8, 10) // 64
    with h5py.File(root / "rooms.mat", "w", userblock_size=512) as file:
        for name, array, order in (("images", made, (0, 3, 2, 1)), ("labels", maps, (0, 2, 1))):
            file.create_dataset(name, data=array.transpose(order)).attrs["MATLAB_class"] = np.bytes_("uint8")
        file["#refs#/a"] = np.zeros((3, 1), np.uint16)
    return Want(made, masks=3, says="from MATLAB")


# -------------------------------------------------------------------------------------------------- NumPy, MATLAB
@a_set
def two_npy_files(root: Path) -> Want:
    made = pictures(5, 8, 9, 3)
    np.save(root / "images.npy", made)
    np.save(root / "labels.npy", np.array([True, False, True, True, False]))
    return Want(made, {"0": 2, "1": 3}, order=("0", "1"), layout="npz")


@a_set
def four_npy_files(root: Path) -> Want:
    made = [pictures(4, 8, 9), pictures(2, 8, 9)]
    for name, array in zip(("X_train", "x_test"), made, strict=True):
        np.save(root / f"{name}.npy", array)
        np.save(root / f"{name.lower().replace('x', 'y')}.npy", np.arange(len(array), dtype=np.float32) % 2)
    return Want(np.concatenate(made), {"0": 3, "1": 3}, {"train": 4, "test": 2}, ("0", "1"), layout="npz", axes="yx")


@a_set
def npy_files_in_a_folder_a_part(root: Path) -> Want:
    made = [pictures(4, 8, 9, 3), pictures(2, 8, 9, 3)]
    for part, array in zip(("train", "val"), made, strict=True):
        (root / part).mkdir()
        np.save(root / part / "x.npy", array)
        np.save(root / part / "y.npy", np.array(["owl", "bat"] * 2)[: len(array)])
    return Want(np.concatenate(made), {"owl": 3, "bat": 3}, {"train": 4, "val": 2}, ("bat", "owl"), layout="npz")


@a_set
def one_npy_file_of_pictures(root: Path) -> Want:
    made = pictures(5, 8, 9, 3)
    np.save(root / "images.npy", made)
    return Want(made, layout="npz", open="images.npy", says="pages='volume'")


@a_set
def one_npy_file_of_slices(root: Path) -> Want:
    made = pictures(5, 8, 9)
    np.save(root / "head.npy", made)
    return Want([made], layout="file", open="head.npy", axes="zyx")


@a_set
def a_volume_in_each_npy_file(root: Path) -> Want:
    made = pictures(3, 5, 8, 9)
    for number, volume in enumerate(made):
        np.save(root / f"case_{number}.npy", volume)
    return Want(made, layout="folder", axes="zyx")


@a_set
def npy_masks_beside_npy_images(root: Path) -> Want:
    made = pictures(4, 8, 9)
    np.save(root / "imgs_train.npy", made)
    np.save(root / "imgs_mask_train.npy", made // 128)
    return Want(made, splits={"train": 4}, layout="npz", masks=4, axes="yx")


def medical(root: Path, shape: tuple[int, ...], labels: Any) -> Any:
    made = {part: pictures(count, *shape) for part, count in (("train", 4), ("val", 2), ("test", 3))}
    arrays = {f"{part}_images": images for part, images in made.items()}
    arrays |= {f"{part}_labels": labels(len(images)) for part, images in made.items()}
    np.savez(root / "medical.npz", **arrays)
    return made


PARTS = {"train": 4, "val": 2, "test": 3}


@a_set
def medical_pictures_in_one_archive(root: Path) -> Want:
    made = medical(root, (28, 28, 3), lambda n: (np.arange(n) % 2).astype(np.uint8)[:, None])
    images = np.concatenate(list(made.values()))
    return Want(images, {"0": 5, "1": 4}, PARTS, ("0", "1"), layout="npz")


@a_set
def medical_volumes_in_one_archive(root: Path) -> Want:
    made = medical(root, (28, 28, 28), lambda n: (np.arange(n) % 2).astype(np.uint8)[:, None])
    images = np.concatenate(list(made.values()))
    return Want(images, {"0": 5, "1": 4}, PARTS, ("0", "1"), layout="npz", axes="zyx")


@a_set
def several_labels_an_image(root: Path) -> Want:
    flags = np.array([[0, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 1]], np.uint8)
    made = medical(root, (8, 8), lambda n: flags[:n])
    images = np.concatenate(list(made.values()))
    labels = {("1", "2"): 3, (): 3, ("0", "1", "2"): 2, ("2",): 1}
    return Want(images, labels, PARTS, ("0", "1", "2"), layout="npz", axes="yx", says="several labels an image")


@a_set
def rows_of_numbers_that_are_square(root: Path) -> Want:
    made = pictures(5, 64)
    np.savez(root / "digits.npz", x_train=made, y_train=np.arange(5) % 2)
    return Want(
        made.reshape(5, 8, 8), {"0": 3, "1": 2}, {"train": 5}, ("0", "1"), layout="npz", axes="yx", says="8 x 8"
    )


@a_set
def labels_of_minus_one(root: Path) -> Want:
    made = pictures(5, 8, 8, 3)
    np.savez(root / "a.npz", images=made, labels=[0, -1, 1, -1, 2])
    labels = {"0": 1, "1": 1, "2": 1, None: 2}
    return Want(made, labels, order=("0", "1", "2"), layout="npz", says="2 of 5 labels are -1: read as no label")


@a_set
def numbers_that_are_no_classes(root: Path) -> Want:
    made = pictures(4, 8, 8, 3)
    np.savez(root / "a.npz", images=made, y=[0.5, 1.25, 3, 4])
    return Want(made, {None: 4}, layout="npz", says="not as classes")


@a_set
def labels_that_are_pickled(root: Path) -> Want:
    made = pictures(2, 8, 8, 3)
    np.savez(root / "a.npz", images=made, labels=np.array(["a", 3], object), allow_pickle=True)
    return Want(made, {None: 2}, layout="npz", problem="numpy.array(labels, dtype=str)")


@a_set
def an_archive_for_each_image_with_its_label(root: Path) -> Want:
    made = pictures(3, 8, 8, 3)
    for number, image in enumerate(made):
        np.savez(root / f"{number}.npz", image=image, label=number % 2)
    return Want(made, {"0": 2, "1": 1}, order=("0", "1"), layout="npz")


@a_set
def house_numbers(root: Path) -> Want:
    made, digits = pictures(12, 32, 32, 3), np.arange(12) % 10 + 1
    scipy.io.savemat(root / "train_32x32.mat", {"X": made.transpose(1, 2, 3, 0), "y": digits[:, None].astype(np.uint8)})
    order = tuple(str(n) for n in range(1, 11))
    labels = {**dict.fromkeys(order, 1), "1": 2, "2": 2}
    return Want(made, labels, {"train": 12}, order, layout="npz", says="class 10 is the digit 0")


@a_set
def channels_first(root: Path) -> Want:
    made = pictures(4, 8, 9, 3).astype(np.float32) / 255
    np.savez(root / "a.npz", x=made.transpose(0, 3, 1, 2), y=[0, 1, 0, 1])
    return Want(made, {"0": 2, "1": 2}, order=("0", "1"), layout="npz", says="first axis of 3 is read as channels")


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
    batch = next(iter(im.Loader(tmp_path / "set", batch_size=2, seed=0)))
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
