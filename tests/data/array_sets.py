"""Sets of arrays as people keep them, made up: files of courses, papers and competitions, and what is right of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

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


# --------------------------------------------------------------------------------------- what lies around the arrays
@a_set
def groups_of_images_and_labels_with_the_same_names(root: Path) -> Want:
    made = pictures(4, 6, 7, 3)
    with h5py.File(root / "a.h5", "w") as file:
        for number, image in enumerate(made):
            file[f"images/{number}"], file[f"labels/{number}"] = image, number // 3
            file[f"masks/{number}"] = image[..., 0] // 128
    return Want(made, {"0": 3, "1": 1}, order=("0", "1"), masks=4)


@a_set
def groups_of_parts_in_groups_of_roles(root: Path) -> Want:
    made = [pictures(4, 6, 7), pictures(2, 6, 7)]
    with h5py.File(root / "a.h5", "w") as file:
        for part, images in zip(("train", "test"), made, strict=True):
            file[f"images/{part}"], file[f"labels/{part}"] = images, np.arange(len(images)) % 2
    return Want(np.concatenate(made), {"0": 3, "1": 3}, {"train": 4, "test": 2}, ("0", "1"), axes="yx")


@a_set
def a_file_for_each_class(root: Path) -> Want:
    made = [pictures(4, 6, 7, 3), pictures(3, 6, 7, 3)]
    for name, images in zip(("cat", "dog"), made, strict=True):
        with h5py.File(root / f"{name}.h5", "w") as file:
            file["images"] = images
    return Want(np.concatenate(made), {"cat": 4, "dog": 3}, order=("cat", "dog"), says="labels are the names of files")


@a_set
def slices_in_files_with_maps_of_several_channels(root: Path) -> Want:
    made = pictures(3, 6, 7, 4)
    for number, image in enumerate(made):
        with h5py.File(root / f"volume_1_slice_{number}.h5", "w") as file:
            file["image"], file["mask"] = image, image[..., :3] // 128
    return Want(made, says="mask (6 x 7 x 3) is not used, in 3 groups or files")


@a_set
def classes_and_other_arrays_beside_them(root: Path) -> Want:
    made = pictures(4, 6, 7, 3)
    arrays = {
        "images": made,
        "labels": np.arange(4) % 2,
        "means": np.zeros(3),
        "age": np.arange(4.0),
        "ids": np.arange(4),
    }
    for name, array in arrays.items():
        np.save(root / f"{name}.npy", array)
    (root / "classes.txt").write_text("owl\nbat\n")
    return Want(made, {"owl": 2, "bat": 2}, order=("owl", "bat"), layout="npz", says="means.npy (3) is not used")


@a_set
def pickled_labels_beside_npy_images(root: Path) -> Want:
    made = pictures(3, 6, 7, 3)
    np.save(root / "images.npy", made)
    np.save(root / "labels.npy", np.array(["a", 1, None], object), allow_pickle=True)
    return Want(made, {None: 3}, layout="npz", problem="Python objects")


@a_set
def shards_of_pairs(root: Path) -> Want:
    made = pictures(2, 3, 6, 7, 3)
    for number, images in enumerate(made):
        np.save(root / f"images_{number}.npy", images)
        np.save(root / f"labels_{number}.npy", np.arange(3) % 2)
    return Want(made.reshape(6, 6, 7, 3), {"0": 4, "1": 2}, order=("0", "1"), layout="npz")


@a_set
def two_arrays_without_names_that_speak(root: Path) -> Want:
    made = pictures(4, 6, 7, 3)
    np.savez(root / "a.npz", a=made, b=np.arange(4) % 2)
    return Want(made, {"0": 2, "1": 2}, order=("0", "1"), layout="npz", says="'b' is taken for the labels")


@a_set
def a_matlab_file_with_names_and_numbers_from_one(root: Path) -> Want:
    made = pictures(5, 8, 9, 3)
    names = np.array(["owl", "bat"], object)
    arrays = {"images": made.transpose(1, 2, 3, 0), "labels": [[1, 2, 2, 1, 2]], "classes": names, "meta": {"a": 1}}
    scipy.io.savemat(root / "a.mat", arrays)
    return Want(made, {"owl": 2, "bat": 3}, order=("owl", "bat"), layout="npz", problem="got a struct", says="from 1")


@a_set
def parts_in_a_group_around_them(root: Path) -> Want:
    made = pictures(4, 2, 6, 7, 3)
    with h5py.File(root / "a.h5", "w") as file:
        for number, place in enumerate(("train/cat", "train/dog", "test/cat", "test/dog")):
            file[f"pets/{place}/Dataset"] = made[number]
    splits = {"train": 4, "test": 4}
    return Want(made.reshape(8, 6, 7, 3), {"cat": 4, "dog": 4}, splits, ("cat", "dog"))


@a_set
def a_class_that_is_called_like_a_part(root: Path) -> Want:
    made = pictures(3, 2, 6, 7, 3)
    with h5py.File(root / "a.h5", "w") as file:
        for number, place in enumerate(("rail/train", "rail/tram", "road/car")):
            file[f"{place}/Dataset"] = made[number]
    labels = {"rail/train": 2, "rail/tram": 2, "road/car": 2}
    return Want(made.reshape(6, 6, 7, 3), labels, order=("rail/train", "rail/tram", "road/car"))


@a_set
def a_matlab_file_of_pictures_alone(root: Path) -> Want:
    made = pictures(5, 8, 9, 3)
    scipy.io.savemat(root / "a.mat", {"X": made.transpose(1, 2, 3, 0)})
    return Want(made, layout="npz", says="taken to count images")
