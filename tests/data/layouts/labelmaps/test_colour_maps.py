"""Label maps of colours, with the tables that tools write beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import open_source
from imagemill.data.layouts.labelmaps.colour_table import read_table
from imagemill.data.records.loading import load_mask

COLOURS = np.array([(128, 128, 128), (128, 0, 0), (64, 0, 128)], np.uint8)
NAMES = ("Sky", "Building", "Car")
NUMBERS = np.random.default_rng(5).integers(0, 3, (4, 5)).repeat(16, 0).repeat(16, 1)

TABLES = {
    "class_dict.csv": "name,r,g,b\nSky,128,128,128\nBuilding,128,0,0\nCar,64,0,128\n",
    "label_colors.txt": "128 128 128\tSky\n128 0 0\tBuilding\n64 0 128\tCar\n",
    "labelmap.txt": "# label:color_rgb:parts:actions\nSky:128,128,128::\nBuilding:128,0,0::\nCar:64,0,128::\n",
    "colors.json": '{"Sky": [128, 128, 128], "Building": "#800000", "Car": [64, 0, 128]}',
    "config.json": '{"labels": [{"name": "sky", "readable": "Sky", "color": [128, 128, 128]}, {"readable": "Building", '
    '"color": [128, 0, 0]}, {"readable": "Car", "color": [64, 0, 128]}]}',
    "colormap.csv": "Sky;128;128;128\nBuilding;128;0;0\nCar;64;0;128\n",
}


def made(root: Path, suffix: str = ".png", colours: np.ndarray = COLOURS) -> Path:
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    noise = np.random.default_rng(6).integers(0, 256, (64, 80, 3), np.uint8)
    for n in range(2):
        Image.fromarray(noise).save(root / "images" / f"{n}.png")
        Image.fromarray(colours[np.roll(NUMBERS, 16 * n, 1)]).save(root / "labels" / f"{n}_L{suffix}", quality=95)
    return root


@pytest.mark.parametrize("name", TABLES)
def test_a_table_beside_them_is_found(tmp_path: Path, name: str) -> None:
    made(tmp_path).joinpath(name).write_text(TABLES[name])
    source = open_source(tmp_path)
    for n, record in enumerate(source):
        assert np.array_equal(load_mask(record.mask).array, np.roll(NUMBERS, 16 * n, 1))
    assert source.info["mask_labels"] == {str(n): word for n, word in enumerate(NAMES)}
    assert tmp_path / name in source.also_read
    assert source.passed_over == ()


def test_a_table_may_be_given_and_without_one_it_is_said(tmp_path: Path) -> None:
    made(tmp_path / "set")
    (tmp_path / "mine.txt").write_text(TABLES["label_colors.txt"])
    source = open_source(tmp_path / "set", extra={"colours": str(tmp_path / "mine.txt")})
    assert np.array_equal(load_mask(source.records[0].mask).array, NUMBERS)
    bare = open_source(tmp_path / "set")
    assert "--option colours=FILE" in str(bare.problems[0])
    with pytest.raises(CodecError, match="give the table of colours by extra="):
        load_mask(bare.records[0].mask)
    with pytest.raises(SourceError, match="where there is no file"):
        open_source(tmp_path / "set", extra={"colours": "none.txt"})


def test_unknown_colours_are_counted_and_named(tmp_path: Path) -> None:
    made(tmp_path).joinpath("class_dict.csv").write_text("name,r,g,b\nSky,128,128,128\nCar,64,0,128\n")
    count = int((NUMBERS == 1).sum())
    with pytest.raises(CodecError, match=rf"got 1 other in {count:,} pixels \(128 0 0 in {count:,} pixels\); add them"):
        load_mask(open_source(tmp_path).records[0].mask)


def test_jpeg_takes_the_nearest_colour_and_says_so(tmp_path: Path) -> None:
    made(tmp_path, ".jpg").joinpath("class_dict.csv").write_text(TABLES["class_dict.csv"])
    mask = load_mask(open_source(tmp_path).records[0].mask)
    assert (mask.array == NUMBERS).mean() > 0.97
    assert "JPEG is lossy" in mask.note


def test_palettes_and_class_numbers_stay_as_they_are_beside_a_table(tmp_path: Path) -> None:
    made(tmp_path).joinpath("class_dict.csv").write_text(TABLES["class_dict.csv"])
    for n in range(2):
        palette = Image.fromarray(NUMBERS.astype(np.uint8), "P")
        palette.putpalette(COLOURS.ravel().tolist())
        palette.save(tmp_path / "labels" / f"{n}_L.png")
    source = open_source(tmp_path)
    assert source.records[0].mask == tmp_path / "labels" / "0_L.png"
    assert np.array_equal(load_mask(source.records[0].mask).array, NUMBERS)


def test_known_sets_need_no_file() -> None:
    assert dict(read_table("cityscapes").numbers)[(0, 0, 142)] == 26
    assert read_table("cityscapes").names[7] == "road"
    voc = dict(read_table("voc").numbers)  # as the development kit's VOClabelcolormap gives them
    assert (voc[(128, 0, 0)], voc[(0, 64, 128)], voc[(224, 224, 192)]) == (1, 20, 255)


def test_one_colour_for_two_classes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("name,r,g,b\na,1,2,3\nb,1,2,3\n")
    with pytest.raises(SourceError, match=r"got \(1, 2, 3\) for 'a' and 'b'"):
        read_table(tmp_path / "t.csv")
