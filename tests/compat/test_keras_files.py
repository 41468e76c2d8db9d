"""Pictures from files: read as Pillow and Keras read them, from folders and from tables."""

from __future__ import annotations

import io
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from imagemill.compat.keras import (
    DataFrameIterator,
    DirectoryIterator,
    ImageDataGenerator,
    array_to_img,
    img_to_array,
    list_pictures,
    load_img,
    save_img,
    validate_filename,
)
from tests.compat.keras_legacy import keras, legacy

RNG = np.random.default_rng(0)
PLAIN = ImageDataGenerator(validation_split=0.5)


def write(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(array).save(path)
    return path


def photo(high: int = 12, wide: int = 18) -> np.ndarray:
    return RNG.integers(0, 256, (high, wide, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pets")
    for name, count in (("cat", 4), ("dog", 3), ("emu", 2)):
        for i in range(count):
            write(root / name / ("old" if i == 1 else "") / f"{name}{i}.png", photo())
    (root / "cat" / "notes.txt").write_text("no picture", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def maps(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("maps")
    for path in sorted(folder.rglob("*.png")):
        with PillowImage.open(path) as image:
            red = np.asarray(image)[..., 0]
        write(root / path.relative_to(folder).with_suffix(".tif"), np.where(red > 128, 3, 0).astype(np.uint8))
    return root


# ------------------------------------------------------------------------------------------------- one file


@pytest.mark.parametrize("keep_aspect_ratio", [False, True])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"])
@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
def test_reading_is_that_of_keras(tmp_path: Path, color_mode: str, interpolation: str, keep_aspect_ratio: bool) -> None:
    theirs = keras().utils.load_img
    for array in (
        photo(),
        photo()[..., 0],
        (photo()[..., 0].astype(np.uint16) * 200),
        np.dstack([photo(), photo()])[..., :4],
    ):
        path = write(tmp_path / "x.png", array)
        options: dict[str, Any] = {"color_mode": color_mode, "target_size": (7, 5), "interpolation": interpolation}
        expected = img_to_array(theirs(path, keep_aspect_ratio=keep_aspect_ratio, **options), "channels_last")
        deep = array.dtype == np.uint16 and color_mode != "grayscale"
        with pytest.warns(UserWarning, match="above 255 becomes white") if deep else nullcontext():
            made = img_to_array(load_img(path, keep_aspect_ratio=keep_aspect_ratio, **options), "channels_last")
        np.testing.assert_array_equal(made, expected)


def test_deep_grays_keep_their_values(tmp_path: Path) -> None:
    deep = np.array([[0, 300], [40000, 65535]], np.uint16)
    np.testing.assert_array_equal(np.asarray(load_img(write(tmp_path / "a.png", deep), "grayscale")), deep)
    wide = np.array([[0, 70000]], np.int32)
    np.testing.assert_array_equal(np.asarray(load_img(write(tmp_path / "b.tif", wide), "grayscale")), wide)
    PillowImage.frombytes("I;16B", (2, 1), b"\x01\x00\xff\xff").save(tmp_path / "c.tif")
    np.testing.assert_array_equal(np.asarray(load_img(tmp_path / "c.tif", "grayscale")), [[256, 65535]])


def test_a_photo_is_turned_upright_when_asked(tmp_path: Path) -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    PillowImage.fromarray(photo(4, 9)).save(tmp_path / "x.png", exif=exif)
    assert load_img(tmp_path / "x.png").size == (9, 4)
    assert load_img(tmp_path / "x.png", upright=True).size == (4, 9)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.png", photo(200, 200))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(OSError, match=r"read whole at .*x\.png"):
        load_img(path)
    (tmp_path / "y.png").write_text("no picture", encoding="utf-8")
    with pytest.raises(OSError, match=r"y\.png"):
        load_img(tmp_path / "y.png")
    with pytest.raises(OSError, match=r"z\.png"):
        load_img(tmp_path / "z.png")
    with pytest.raises(TypeError, match="a path or a BytesIO"):
        load_img(3)
    with pytest.raises(ValueError, match="color mode: 'cmyk'"):
        load_img(path, color_mode="cmyk")
    good = write(tmp_path / "g.png", photo())
    with pytest.raises(ValueError, match="interpolation"):
        load_img(good, target_size=(3, 3), interpolation="cubic")
    assert load_img(str(good).encode()).size == (18, 12)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [True, False])
def test_arrays_and_images_are_those_of_keras(channels: int, scale: bool) -> None:
    x = RNG.uniform(0, 255, (6, 5, channels)).astype(np.float32)
    theirs = keras().utils.array_to_img(x, scale=scale, data_format="channels_last")
    ours = array_to_img(x, "channels_last", scale=scale)
    assert ours.mode == theirs.mode
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    first = array_to_img(np.moveaxis(x, -1, 0), "channels_first", scale=scale)
    np.testing.assert_array_equal(np.asarray(first), np.asarray(ours))


def test_deep_arrays_become_deep_images() -> None:
    image = array_to_img(np.array([[[0.0], [70000.0]]]), "channels_last", scale=False)
    assert (image.mode, np.asarray(image).max()) == ("I", 70000)
    for wrong in (np.zeros((4, 4)), np.zeros((4, 4, 2))):
        with pytest.raises(ValueError, match=r"rank 3|channels"):
            array_to_img(wrong, "channels_last")
    with pytest.raises(ValueError, match="rank 2 or 3"):
        img_to_array(np.zeros((1, 2, 3, 4)))


def test_saving(tmp_path: Path) -> None:
    x = photo()
    save_img(tmp_path / "a.png", x, scale=False)
    np.testing.assert_array_equal(np.asarray(load_img(tmp_path / "a.png")), x)
    with pytest.warns(UserWarning, match="no alpha"):
        save_img(tmp_path / "b.jpg", np.dstack([x, x])[..., :4])
    assert load_img(tmp_path / "b.jpg").mode == "RGB"
    buffer = io.BytesIO()
    save_img(buffer, x, file_format="png")
    assert load_img(buffer).size == (18, 12)
    with pytest.raises(OSError, match="choose another format"):
        save_img(tmp_path / "c.nonsense", x)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.jpg"]


def test_listing(folder: Path) -> None:
    assert len(list_pictures(folder)) == 9
    assert list_pictures(folder, "txt") == [str(folder / "cat" / "notes.txt")]
    assert validate_filename(folder / "cat" / "cat0.png", {"png"})
    assert not validate_filename(folder / "cat" / "notes.txt", ("png",))


# ------------------------------------------------------------------------------------------------- folders


def test_a_folder_as_keras_sees_it(folder: Path) -> None:
    theirs = legacy().ImageDataGenerator(validation_split=0.5)
    for options in (
        {},
        {"subset": "training"},
        {"subset": "validation"},
        {"classes": ["emu", "cat"], "class_mode": "sparse"},
        {"color_mode": "grayscale", "target_size": (9, 4), "interpolation": "bilinear", "class_mode": "input"},
        {"color_mode": "rgba", "keep_aspect_ratio": True, "class_mode": None},
    ):
        settings: dict[str, Any] = {"target_size": (8, 8), "batch_size": 4, "shuffle": False, **options}
        expected = theirs.flow_from_directory(str(folder), **settings)
        made = PLAIN.flow_from_directory(folder, **settings)
        assert made.filenames == expected.filenames
        assert made.class_indices == expected.class_indices
        assert (made.samples, made.num_classes, made.image_shape) == (
            expected.samples,
            expected.num_classes,
            expected.image_shape,
        )
        np.testing.assert_array_equal(made.classes, expected.classes)
        for i in range(len(expected)):
            for a, b in zip(_parts(made[i]), _parts(expected[i]), strict=True):
                assert a.dtype == b.dtype
                np.testing.assert_array_equal(a, b)


def _parts(batch: Any) -> tuple[np.ndarray, ...]:
    return batch if isinstance(batch, tuple) else (batch,)


def test_each_class_is_split_and_the_validation_part_comes_first(folder: Path) -> None:
    found = {s: PLAIN.flow_from_directory(folder, subset=s) for s in ("validation", "training")}
    assert {s: np.bincount(part.classes).tolist() for s, part in found.items()} == {
        "validation": [2, 1, 1],
        "training": [2, 2, 1],
    }
    assert found["validation"].filenames == ["cat/cat0.png", "cat/cat2.png", "dog/dog0.png", "emu/emu0.png"]
    assert found["training"].class_indices == {"cat": 0, "dog": 1, "emu": 2}


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_nothing(folder: Path, workers: int) -> None:
    generator = ImageDataGenerator(rotation_range=30, data_format="channels_first")
    one = generator.flow_from_directory(folder, (16, 16), seed=2, batch_size=9)
    many = generator.flow_from_directory(folder, (16, 16), seed=2, batch_size=4, workers=workers)
    x, y = one[0]
    parts = [many[i] for i in range(3)]
    np.testing.assert_array_equal(np.concatenate([p[0] for p in parts]), x)
    np.testing.assert_array_equal(np.concatenate([p[1] for p in parts]), y)
    assert x.shape == (9, 3, 16, 16)


def test_label_maps_follow_the_pictures(folder: Path, maps: Path) -> None:
    generator = ImageDataGenerator(
        rotation_range=30, zoom_range=0.3, horizontal_flip=True, interpolation_order=0, fill_mode="reflect"
    )
    for options in ({}, {"keep_aspect_ratio": True}):
        flow = generator.flow_from_directory(
            folder, (20, 20), class_mode=None, mask_directory=maps, seed=1, workers=2, **options
        )
        x, masks = flow[0]
        assert masks.shape == (9, 20, 20)
        np.testing.assert_array_equal(masks, np.where(x[..., 0] > 128, 3, 0))
    x, (y, masks) = generator.flow_from_directory(folder, (20, 20), mask_directory=maps)[0]
    assert (y.shape, masks.dtype) == ((9, 3), np.uint8)


def test_label_maps_that_are_missing_or_doubled_are_named(folder: Path, maps: Path, tmp_path: Path) -> None:
    write(tmp_path / "cat" / "cat0.png", photo()[..., 0])
    with pytest.raises(ValueError, match=r"none for 8 of them: cat/cat2\.png"):
        PLAIN.flow_from_directory(folder, mask_directory=tmp_path)
    write(tmp_path / "cat" / "cat0.tif", photo()[..., 0])
    with pytest.raises(ValueError, match=r"one label map for cat/cat0\.png"):
        PLAIN.flow_from_directory(folder, mask_directory=tmp_path)
    with pytest.raises(ValueError, match="mask_directory"):
        PLAIN.flow_from_directory(folder, mask_directory=tmp_path / "absent")


def test_keys_by_name_survive_another_file(folder: Path, tmp_path: Path) -> None:
    for path in folder.rglob("*.png"):
        write(tmp_path / path.relative_to(folder), np.asarray(load_img(path)))
    generator = ImageDataGenerator(rotation_range=90)
    options: dict[str, Any] = {"target_size": (8, 8), "class_mode": None, "seed": 3, "key_by": "name", "shuffle": False}
    before = generator.flow_from_directory(tmp_path, **options)[0]
    write(tmp_path / "cat" / "a.png", photo())
    np.testing.assert_array_equal(generator.flow_from_directory(tmp_path, **options)[0][1:], before)


def test_no_generator_gives_the_pictures_as_they_are(folder: Path) -> None:
    x, _ = DirectoryIterator(folder, None, (12, 18), shuffle=False)[0]
    np.testing.assert_array_equal(x[0], np.asarray(load_img(folder / "cat" / "cat0.png")))
    with pytest.raises(ValueError, match="generator with a validation_split"):
        DirectoryIterator(folder, None, subset="training")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class_mode": "raw"}, "class_mode"),
        ({"color_mode": "cmyk"}, "color mode: 'cmyk'"),
        ({"target_size": (0, 4)}, "target_size"),
        ({"subset": "test"}, "subset"),
        ({"key_by": "hash"}, "key_by"),
    ],
)
def test_wrong_options_are_refused(folder: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PLAIN.flow_from_directory(folder, **options)


def test_a_folder_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    for kind in (FileNotFoundError, ValueError):
        with pytest.raises(kind, match="a folder per class"):
            PLAIN.flow_from_directory(tmp_path / "absent")
    with pytest.warns(UserWarning, match="class 'gnu'"):
        flow = PLAIN.flow_from_directory(folder, classes=["cat", "gnu"])
    assert flow.samples == 4


def test_a_bad_file_is_named_when_its_batch_comes(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "a" / "good.png", photo())
    (tmp_path / "a" / "bad.png").write_bytes(b"\x89PNG not really")
    flow = PLAIN.flow_from_directory(tmp_path, batch_size=1, shuffle=False, workers=2)
    with pytest.raises(OSError, match=r"bad\.png"):
        flow[0]
    assert flow[1][0].shape == (1, 256, 256, 3)


def test_links_are_followed_when_asked_and_never_for_ever(tmp_path: Path) -> None:
    write(tmp_path / "all" / "a" / "x.png", photo())
    write(tmp_path / "more" / "y.png", photo())
    (tmp_path / "all" / "a" / "more").symlink_to(tmp_path / "more")
    (tmp_path / "all" / "a" / "round").symlink_to(tmp_path / "all" / "a")
    counts = [PLAIN.flow_from_directory(tmp_path / "all", follow_links=follow).samples for follow in (False, True)]
    assert counts == [1, 2]


def test_tiff_is_warned_of(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.tiff", photo())
    with pytest.warns(UserWarning, match="several bands"):
        assert PLAIN.flow_from_directory(tmp_path).samples == 1


def test_deep_grays_reach_the_batch(tmp_path: Path) -> None:
    deep = np.array([[0, 300], [40000, 65535]], np.uint16)
    write(tmp_path / "a" / "x.png", deep)
    x = PLAIN.flow_from_directory(tmp_path, (2, 2), "grayscale", class_mode=None)[0]
    np.testing.assert_array_equal(x[0, ..., 0], deep)


# ------------------------------------------------------------------------------------------------- tables


@pytest.fixture(params=["pandas", "polars", "columns"])
def frame(request: pytest.FixtureRequest) -> Any:
    if request.param == "columns":
        return dict
    return pytest.importorskip(request.param).DataFrame


def table(**more: Any) -> dict[str, list[Any]]:
    names = ["cat/cat0.png", "dog/dog0.png", "cat/cat2.png", "emu/emu0.png"]
    return {"filename": names, "class": ["cat", "dog", "cat", "emu"], "age": [1.5, 2.5, 3.5, 4.5], **more}


def flow(frame: Any, folder: Path, columns: dict[str, list[Any]] | None = None, **options: Any) -> DataFrameIterator:
    settings: dict[str, Any] = {"target_size": (6, 6), "shuffle": False, "batch_size": 4, **options}
    return PLAIN.flow_from_dataframe(frame(columns or table()), folder, **settings)


def test_class_modes_of_a_table(frame: Any, folder: Path) -> None:
    x, y = flow(frame, folder)[0]
    assert x.shape == (4, 6, 6, 3)
    np.testing.assert_array_equal(y, np.eye(3)[[0, 1, 0, 2]])
    np.testing.assert_array_equal(flow(frame, folder, class_mode="sparse")[0][1], [0, 1, 0, 2])
    np.testing.assert_array_equal(flow(frame, folder, class_mode="raw", y_col="age")[0][1], [1.5, 2.5, 3.5, 4.5])
    both = flow(frame, folder, class_mode="raw", y_col=["age", "age"])[0][1]
    assert both.shape == (4, 2)
    many = flow(frame, folder, class_mode="multi_output", y_col=["age", "class"])[0][1]
    assert [column.tolist() for column in many] == [[1.5, 2.5, 3.5, 4.5], ["cat", "dog", "cat", "emu"]]
    x, y = flow(frame, folder, class_mode="input")[0]
    np.testing.assert_array_equal(x, y)
    assert isinstance(flow(frame, folder, class_mode=None)[0], np.ndarray)


def test_chosen_classes_lists_of_labels_and_weights(frame: Any, folder: Path) -> None:
    found = flow(frame, folder, classes=["dog", "cat"])
    assert (found.class_indices, found.filenames) == (
        {"dog": 0, "cat": 1},
        ["cat/cat0.png", "dog/dog0.png", "cat/cat2.png"],
    )
    many = flow(frame, folder, table(tags=[["a", "b"], ["c"], ["b"], ["a"]]), y_col="tags")
    np.testing.assert_array_equal(many[0][1], [[1, 1, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]])
    few = flow(frame, folder, table(tags=[["a", "b"], ["c"], ["b"], ["a"]]), y_col="tags", classes=["a", "b"])
    np.testing.assert_array_equal(few[0][1], [[1, 1], [0, 1], [1, 0]])
    _, _, weights = flow(frame, folder, weight_col="age")[0]
    np.testing.assert_array_equal(weights, [1.5, 2.5, 3.5, 4.5])
    two = flow(frame, folder, classes=["cat", "dog"], class_mode="binary")
    np.testing.assert_array_equal(two[0][1], [0, 1, 0])


def test_subsets_and_missing_files_of_a_table(frame: Any, folder: Path) -> None:
    assert flow(frame, folder, subset="validation").filenames == ["cat/cat0.png", "dog/dog0.png"]
    assert flow(frame, folder, subset="training").filenames == ["cat/cat2.png", "emu/emu0.png"]
    names = ["cat/cat0.png", "gone.png", "cat/notes.txt", "emu/emu0.png"]
    with pytest.warns(UserWarning, match=r"2 file names .* 'gone\.png'"):
        assert flow(frame, folder, table(filename=names)).filenames == ["cat/cat0.png", "emu/emu0.png"]
    unchecked = flow(frame, folder, table(filename=names), validate_filenames=False, batch_size=1)
    assert unchecked.samples == 4
    with pytest.raises(OSError, match=r"gone\.png"):
        unchecked[1]


@pytest.mark.parametrize(
    ("columns", "options", "kind", "words"),
    [
        ({}, {"class_mode": "many"}, ValueError, "class_mode"),
        ({}, {"class_mode": "multi_output"}, TypeError, "list of columns"),
        ({"filename": [1, 2, 3, 4]}, {}, TypeError, "must be strings"),
        ({"class": [1, 2, 1, 2]}, {}, TypeError, "labels as text"),
        ({"class": [1, 2, 1, 2]}, {"class_mode": "sparse"}, TypeError, "labels as text"),
        ({}, {"class_mode": "binary"}, ValueError, "must be 2 classes, got 3"),
        ({}, {"class_mode": "binary", "classes": ["cat"]}, ValueError, "must be 2 classes, got 1"),
        ({}, {"weight_col": "class"}, TypeError, "must be numeric"),
        ({}, {"x_col": "path"}, ValueError, "'path'"),
    ],
)
def test_wrong_tables_are_refused(
    frame: Any, folder: Path, columns: dict[str, Any], options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        flow(frame, folder, table(**columns), **options)


def test_words_of_long_ago_are_told(folder: Path) -> None:
    for old in ({"has_ext": True}, {"sort": False}, {"drop_duplicates": True}, {"class_mode": "other"}):
        with pytest.warns(DeprecationWarning, match=r"no effect|called"):
            flow(dict, folder, y_col="age", **{"class_mode": "raw", **old})
    with pytest.warns(UserWarning, match="of no use"):
        flow(dict, folder, class_mode=None, classes=["cat"])
    with pytest.raises(ValueError, match="further arguments"):
        flow(dict, folder, colour="red")
    with pytest.raises(TypeError, match="data frame"):
        PLAIN.flow_from_dataframe([1, 2])


def test_a_file_listed_twice_has_two_keys(folder: Path) -> None:
    generator = ImageDataGenerator(rotation_range=90)
    columns = {"filename": ["cat/cat0.png"] * 2}
    found = generator.flow_from_dataframe(columns, folder, class_mode=None, key_by="name", target_size=(8, 8), seed=1)
    x = found[0]
    assert not np.array_equal(x[0], x[1])
