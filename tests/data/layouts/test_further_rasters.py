"""Maps and further images in folders of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import imagemill as im
from imagemill.core.errors import CodecError, InputError, SourceError

DRAWS = np.random.default_rng(5)


def photo(path: Path, size: tuple[int, int] = (24, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(DRAWS.integers(0, 255, (*size, 3), dtype=np.uint8)).save(path)


def numbers(path: Path, value: float, size: tuple[int, int] = (24, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.full(size, value)
    if path.suffix == ".npy":
        np.save(path, array.astype(np.float32))
    else:
        Image.fromarray(array.astype(np.uint16)).save(path)


def rooms(root: Path, image: str, depth: str, count: int = 4) -> None:
    for at in range(count):
        photo(root / image.format(at))
        numbers(root / depth.format(at), 500 + at)


@pytest.mark.parametrize(
    ("image", "depth"),
    [
        ("rgb/{}.png", "depth/{}.png"),
        ("rgb/{}.jpg", "depth/{}.npy"),
        ("train/rgb/{}.png", "train/depth/{}.png"),
        ("images/{}_rgb.png", "Depth/{}_depth.png"),
        ("{}.png", "disparity/{}.png"),
    ],
)
def test_depth_beside_photos_is_a_map_of_each(tmp_path: Path, image: str, depth: str) -> None:
    rooms(tmp_path, image, depth)
    dataset = im.open(tmp_path)
    name = "disparity" if "disparity" in depth else "depth"
    assert len(dataset) == 4
    for row in range(4):
        targets = dataset[row].targets
        number = int(Path(dataset.table["key"][row]).stem.split("_")[0])
        assert isinstance(targets[name], im.Map)
        assert (targets[name].array == 500 + number).all()
    assert dataset.classes == ()


def test_batches_have_them_moved_and_not_recoloured(tmp_path: Path) -> None:
    rooms(tmp_path, "rgb/{}.jpg", "depth/{}.npy")
    for at in range(4):
        np.save(tmp_path / f"depth/{at}.npy", np.tile(np.arange(30, dtype=np.float32), (24, 1)))
    pipe = im.Pipeline([im.Flip("x"), im.Brightness(0.5), im.Resize((12, 15))], seed=1)
    for how in ({}, {"reduced": False}):
        (batch,) = list(im.Loader(im.open(tmp_path), pipe, batch_size=4, workers=0, **how))  # type: ignore[arg-type]
        assert batch.depth.shape == (4, 12, 15)
        np.testing.assert_allclose(batch.depth[0, 0], np.arange(28.5, -1, -2), atol=1e-4)


def test_views_are_images_of_their_own(tmp_path: Path) -> None:
    for at in range(3):
        numbers(tmp_path / f"t1/p{at}.png", 100 + at)
        numbers(tmp_path / f"t2/p{at}.png", 200 + at)
    dataset = im.open(tmp_path, views={"t2": "t2"})
    pipe = im.Pipeline([im.GainOffset(2, 0, images="t2")], seed=1)
    (batch,) = list(im.Loader(dataset, pipe, batch_size=3, shuffle=False, workers=0))
    assert batch.image[:, 0, 0].tolist() == [100, 101, 102]
    assert batch.t2[:, 0, 0].tolist() == [400, 402, 404]
    assert isinstance(dataset[0].targets["t2"], im.Image)


def test_a_folder_elsewhere(tmp_path: Path) -> None:
    rooms(tmp_path / "a", "{}.png", "../b/{}.png")
    dataset = im.open(tmp_path / "a", maps={"height": tmp_path / "b"})
    assert [int(dataset[row].targets["height"].array[0, 0]) for row in range(4)] == [500, 501, 502, 503]


def test_what_has_other_names_stays_what_it_was(tmp_path: Path) -> None:
    for at in range(3):
        photo(tmp_path / f"rgb/{at}.png")
        photo(tmp_path / f"depth/other{at}.png")
    assert im.open(tmp_path).classes == ("depth", "rgb")


def test_a_folder_that_is_a_class_can_be_said_to_be_one(tmp_path: Path) -> None:
    for at in range(3):
        photo(tmp_path / f"rgb/{at}.png")
        photo(tmp_path / f"depth/{at}.png")
    assert im.open(tmp_path).classes == ()
    assert im.open(tmp_path, layout="class-folders").classes == ("depth", "rgb")


def broken(change: Callable[[Path], Any], how: dict[str, Any], error: type[Exception], said: str) -> Any:
    return pytest.param(change, how, error, said, id=said[:20])


@pytest.mark.parametrize(
    ("change", "how", "error", "said"),
    [
        broken(lambda root: (root / "depth/3.png").unlink(), {}, SourceError, "got none for rgb/3.png"),
        broken(lambda root: None, {"maps": {"depth": "deep"}}, SourceError, "there are depth, rgb"),
        broken(lambda root: None, {"maps": {"mask": "depth"}}, InputError, "expected a name of its own"),
        broken(
            lambda root: None, {"maps": {"d": "depth"}, "views": {"d": "depth"}}, InputError, "to be a map or a view"
        ),
        broken(
            lambda root: numbers(root / "depth/3.npy", 1), {"maps": {"d": "depth"}}, SourceError, "expected one file"
        ),
        broken(lambda root: numbers(root / "depth/0.png", 1, (5, 5)), {}, CodecError, "depth of 24 x 30"),
    ],
)
def test_what_does_not_fit_is_said(
    tmp_path: Path, change: Callable[[Path], Any], how: dict[str, Any], error: type[Exception], said: str
) -> None:
    rooms(tmp_path, "rgb/{}.png", "depth/{}.png")
    change(tmp_path)
    with pytest.raises(error, match=said):
        _ = im.open(tmp_path, **how)[0]


def test_verbs_that_leave_them_out_say_so(tmp_path: Path) -> None:
    rooms(tmp_path / "in", "rgb/{}.png", "depth/{}.png")
    source = im.open_source(tmp_path / "in" / "rgb", views={"nir": tmp_path / "in" / "depth"})
    reports = [
        im.prepare(source, tmp_path / "prepared", size=(24, 30)).notes,
        im.export(tmp_path / "in", tmp_path / "exported", to="folder").lost,
    ]
    for notes in reports:
        assert any("nir: further images" in note or "4 maps of numbers" in note for note in notes)


def test_folders_of_modalities_that_are_read_as_classes_are_told_apart_from_classes(tmp_path: Path) -> None:
    for word in ("t1", "t2"):
        for at in range(3):
            numbers(tmp_path / f"mr/{word}/p{at}.png", at)
            numbers(tmp_path / f"classes/{word}er/p{at}.png", at)
            numbers(tmp_path / f"others/{word}/{word}{at}{word}.png", at)
    said = "views={'t2': 't2'} makes samples of them"
    assert any(said in note for note in im.open_source(tmp_path / "mr").notes)
    for other in ("classes", "others"):
        assert not any("makes samples" in note for note in im.open_source(tmp_path / other).notes)
    assert not any("makes samples" in note for note in im.open_source(tmp_path / "mr", views={"t2": "t2"}).notes)
