"""How `prepare` reads pictures: turned by EXIF or as stored, colours by their profile, what lies under transparency."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

import imagemill as im
from imagemill.data import Instance, Record, Source
from imagemill.data.dataset import open as open_dataset
from imagemill.verbs.prepare import prepare
from imagemill.verbs.prepare.one_record import entry_of, take
from imagemill.verbs.prepare.parameters import Parameters
from imagemill.verbs.prepare.parts import Places
from imagemill.verbs.prepare.picture_form import decide_form
from tests.data.pictures import digests

QUARTER = 6  # the stored picture is shown after a quarter turn clockwise


def _camera(root: Path, orientation: int = QUARTER) -> Source:
    """One photo as a camera stores it, with a label map and a box made on the stored pixels."""
    stored = np.full((24, 40, 3), 30, np.uint8)
    stored[0:8, 24:40] = 220  # the one bright thing, at the top right as stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    root.mkdir()
    Image.fromarray(stored).save(root / "a.jpg", quality=95, subsampling=0, exif=exif)
    Image.fromarray((stored[..., 0] > 100).astype(np.uint8)).save(root / "a.png", exif=exif)
    things = (Instance("lamp", (24.0, 0.0, 16.0, 8.0)),)
    record = Record("a.jpg", root / "a.jpg", root / "a.png", objects=things, size=(24, 40))
    return Source(root, "made", (record,))


@pytest.mark.parametrize(
    ("exif", "shape", "box"), [(True, (40, 24, 3), [16, 24, 8, 16]), (False, (24, 40, 3), [24, 0, 16, 8])]
)
def test_picture_label_map_and_box_turn_together_or_not_at_all(
    tmp_path: Path, exif: bool, shape: tuple[int, ...], box: list[float]
) -> None:
    source = _camera(tmp_path / "in")
    report = prepare(source, tmp_path / "out", exif=exif, split=0, val=0)
    assert report.shape == shape
    sample = open_dataset(tmp_path / "out")[0]
    assert sample.boxes.to("xywh", shape[:2]).array.tolist() == [box]
    inside = np.zeros(shape[:2], bool)
    inside[int(box[1]) : int(box[1] + box[3]), int(box[0]) : int(box[0] + box[2])] = True
    np.testing.assert_array_equal(sample.mask > 0, inside)
    np.testing.assert_array_equal(sample.image[..., 0] > 100, inside)


def test_a_folder_of_turned_photos_keeps_its_pixels_as_stored_when_asked(tmp_path: Path) -> None:
    _camera(tmp_path / "in")
    (tmp_path / "in/a.png").unlink()
    prepare(tmp_path / "in", tmp_path / "out", exif=False, split=0, val=0, unlabeled="null")
    wanted = im.read_picture(tmp_path / "in/a.jpg", exif=False).array
    np.testing.assert_array_equal(open_dataset(tmp_path / "out").images[0], wanted)


def _profile() -> bytes:
    """SRGB with red and green exchanged: the names of two entries change places."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def test_profiles_are_left_alone_or_converted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    stored = np.full((6, 8, 3), (200, 40, 40), np.uint8)
    Image.fromarray(stored).save(tmp_path / "in/a.png", icc_profile=_profile())
    prepare(tmp_path / "in", tmp_path / "out", split=0, val=0, unlabeled="null")
    np.testing.assert_array_equal(open_dataset(tmp_path / "out").images[0], stored)
    report = prepare(tmp_path / "in", tmp_path / "srgb", icc="srgb", split=0, val=0, unlabeled="null")
    found = open_dataset(tmp_path / "srgb").images[0]
    np.testing.assert_array_equal(found, im.read_picture(tmp_path / "in/a.png", icc="srgb").array)
    assert found[0, 0, 1] > 150 > found[0, 0, 0]  # what was red is green
    assert any("sRGB" in note for note in report.notes)


def test_what_lies_under_transparent_pixels(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    stored = np.zeros((1, 3, 4), np.uint8)
    stored[0, :, :3], stored[0, :, 3] = (100, 0, 0), (255, 0, 51)
    Image.fromarray(stored).save(tmp_path / "in/a.png")
    given: dict[str, Any] = {"split": 0, "val": 0, "unlabeled": "null"}
    for name, channels, background, wanted in (
        ("dropped", "rgb", None, [[100, 0, 0]] * 3),
        ("white", "rgb", 255, [[100, 0, 0], [255, 255, 255], [224, 204, 204]]),
        ("blue", "rgb", (0, 0, 250), [[100, 0, 0], [0, 0, 250], [20, 0, 200]]),
        ("gray", "gray", [255], [30, 255, 210]),
    ):
        prepare(tmp_path / "in", tmp_path / name, **given, channels=channels, background=background)  # type: ignore[arg-type]
        assert open_dataset(tmp_path / name).images[0, 0].tolist() == wanted
    with pytest.raises(im.InputError, match="within 0 and 255"):
        prepare(tmp_path / "in", tmp_path / "far", channels="rgb", background=300, **given)


@pytest.mark.parametrize(
    "wrong",
    [
        {"exif": "no"}, {"exif": 0}, {"icc": "adobe"}, {"icc": None},
        {"background": 255}, {"background": 255, "channels": "rgba"},
        {"background": (1, 2), "channels": "rgb"}, {"background": "red", "channels": "rgb"},
        {"background": float("nan"), "channels": "rgb"}, {"background": (), "channels": "gray"},
    ],
)  # fmt: skip
def test_wrong_ways_of_reading_are_refused_before_anything_is_written(tmp_path: Path, wrong: dict[str, Any]) -> None:
    source = _camera(tmp_path / "in")
    with pytest.raises(im.InputError, match="expected"):
        prepare(source, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_another_way_of_reading_makes_the_pictures_anew(tmp_path: Path) -> None:
    source, out = _camera(tmp_path / "in", orientation=3), tmp_path / "out"
    prepare(source, out, split=0, val=0)
    before = open_dataset(out).images[0].copy()
    with pytest.raises(im.InputError, match=r"other exif \(True before, False now\).*overwrite"):
        prepare(source, out, split=0, val=0, exif=False)
    again = prepare(source, out, split=0, val=0, exif=False, overwrite=True)
    assert (again.made, again.reused) == (1, 0)
    np.testing.assert_array_equal(open_dataset(out).images[0], before[::-1, ::-1])
    prepare(source, tmp_path / "fresh", split=0, val=0, exif=False)
    assert digests(out) == digests(tmp_path / "fresh")


def test_the_way_of_reading_is_part_of_what_an_entry_is_known_by(tmp_path: Path) -> None:
    source = _camera(tmp_path / "in")
    taken = take(source.records[0])
    asked = Parameters(8, "crop", "rgb", None, None, "none", "none", 0, 0, True, None, None, "null", False, 0)
    form = decide_form(source, asked)
    ways: list[dict[str, Any]] = [{}, {"exif": False}, {"icc": "srgb"}, {"background": 0}, {"background": (0, 0, 9)}]
    assert len({entry_of(taken, replace(asked, **way), form, ()) for way in ways}) == len(ways)


def test_where_pixels_are_follows_links_of_files_and_folders(tmp_path: Path) -> None:
    for name in ("root/cat", "elsewhere", "root/real"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("root/cat/a.png", "root/b.png", "elsewhere/c.png", "root/real/d.png"):
        (tmp_path / name).touch()
    (tmp_path / "root/cat/link.png").symlink_to(tmp_path / "elsewhere/c.png")
    (tmp_path / "root/cat/near.png").symlink_to(tmp_path / "root/b.png")
    (tmp_path / "root/linked").symlink_to(tmp_path / "root/real", target_is_directory=True)
    (tmp_path / "door").symlink_to(tmp_path / "root", target_is_directory=True)
    for root in ("root", "door"):
        where_of = Places(SimpleNamespace(root=tmp_path / root))  # type: ignore[arg-type]
        said = {
            name: where_of(tmp_path / root / name)
            for name in ("cat/a.png", "b.png", "cat/link.png", "cat/near.png", "linked/d.png")
        }
        assert said == {
            "cat/a.png": "cat/a.png",
            "b.png": "b.png",
            "cat/link.png": "link.png",
            "cat/near.png": "b.png",
            "linked/d.png": "real/d.png",
        }
        assert where_of(tmp_path / "elsewhere/c.png") == "c.png"
