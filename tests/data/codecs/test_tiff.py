from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from imagemill.core.errors import CodecError, InputError
from imagemill.data import Picture, read_mask, read_picture, write_picture


def test_pages_without_meaning_become_slices_and_the_note_says_so(tmp_path: Path) -> None:
    pages = np.arange(5 * 4 * 6, dtype=np.uint16).reshape(5, 4, 6)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack", metadata=None)
    picture = read_picture(tmp_path / "a.tif")
    assert picture.axes == "zyx"
    assert picture.note == '5 pages read as slices z; pass axes="cyx" to read them as channels'
    channels = read_picture(tmp_path / "a.tif", axes="cyx")
    assert (channels.axes, channels.array.shape) == ("yxc", (4, 6, 5))
    np.testing.assert_array_equal(channels.array, np.moveaxis(pages, 0, -1))


@pytest.mark.parametrize(
    ("stored", "axes", "shape"),
    [
        ("ZYX", "zyx", (2, 4, 5)),
        ("TYX", "zyx", (2, 4, 5)),
        ("CYX", "yxc", (4, 5, 2)),
        ("ZCYX", "zyxc", (2, 4, 5, 3)),
        ("TZYX", "zyxc", (3, 4, 5, 2)),
        ("TCYX", "zyxc", (2, 4, 5, 3)),
    ],
)
def test_named_axes_are_taken_from_the_file(tmp_path: Path, stored: str, axes: str, shape: tuple[int, ...]) -> None:
    sides = (*(2, 3)[: len(stored) - 2], 4, 5)
    array = np.arange(np.prod(sides), dtype=np.uint8).reshape(sides)
    tifffile.imwrite(tmp_path / "a.ome.tif", array, ome=True, metadata={"axes": stored}, photometric="minisblack")
    picture = read_picture(tmp_path / "a.ome.tif")
    assert (picture.axes, picture.array.shape) == (axes, shape)
    order = {"z": "Z" if "Z" in stored else "T", "c": "C" if "C" in stored else "T", "y": "Y", "x": "X"}
    expected = np.transpose(array, [stored.index(order[letter]) for letter in axes])
    np.testing.assert_array_equal(picture.array, expected)


def test_more_axes_than_there_are_names_for_is_an_error(tmp_path: Path) -> None:
    array = np.zeros((2, 3, 2, 4, 5), np.uint8)
    tifffile.imwrite(tmp_path / "a.ome.tif", array, ome=True, metadata={"axes": "TZCYX"}, photometric="minisblack")
    with pytest.raises(CodecError, match="got axes TZCYX; split the file"):
        read_picture(tmp_path / "a.ome.tif")


def test_planar_colour_and_alpha(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (3, 6, 7), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", planarconfig="separate", metadata=None)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").array, np.moveaxis(array, 0, -1))
    write_picture(tmp_path / "b.tif", Picture(np.zeros((3, 4, 4), np.uint8), "yxc"))
    with tifffile.TiffFile(tmp_path / "b.tif") as tif:
        assert tif.pages.first.photometric.name == "RGB"
        assert [sample.name for sample in tif.pages.first.extrasamples] == ["UNASSALPHA"]
        assert "DateTime" not in tif.pages.first.tags


def test_white_is_zero_is_turned_but_not_for_labels(tmp_path: Path) -> None:
    array = np.array([[0, 1], [2, 255]], np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="miniswhite", metadata=None)
    assert read_picture(tmp_path / "a.tif").array.tolist() == [[255, 254], [253, 0]]
    assert "inverted" in read_picture(tmp_path / "a.tif").note
    assert read_mask(tmp_path / "a.tif").array.tolist() == array.tolist()


def test_palettes_are_colours_for_images_and_indices_for_masks(tmp_path: Path) -> None:
    array = np.array([[0, 1], [2, 1]], np.uint8)
    table = np.zeros((3, 256), np.uint16)
    table[:, 1], table[:, 2] = [257 * 10, 257 * 20, 257 * 30], [65_535, 0, 0]
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="palette", colormap=table, metadata=None)
    assert read_picture(tmp_path / "a.tif").array.tolist() == [
        [[0] * 3, [10, 20, 30]],
        [[255, 0, 0], [10, 20, 30]],
    ]
    assert read_mask(tmp_path / "a.tif").array.tolist() == array.tolist()


def test_single_bits(tmp_path: Path) -> None:
    bits = np.array([[True, False, True]])
    tifffile.imwrite(tmp_path / "a.tif", bits, photometric="minisblack", metadata=None)
    assert read_picture(tmp_path / "a.tif").array.tolist() == [[255, 0, 255]]
    assert read_mask(tmp_path / "a.tif").array.tolist() == [[1, 0, 1]]


def test_big_endian_files_come_out_native(tmp_path: Path) -> None:
    array = np.arange(12, dtype=np.uint16).reshape(3, 4)
    tifffile.imwrite(tmp_path / "a.tif", array, byteorder=">", metadata=None)
    again = read_picture(tmp_path / "a.tif").array
    assert again.dtype.isnative
    np.testing.assert_array_equal(again, array)


def test_the_world_of_a_volume_is_kept(tmp_path: Path) -> None:
    affine = np.array([[0.1, 0.0, 2.0, -3.0], [0.0, 1.5, 0.0, 7.0], [4.0, 0.0, 0.2, 1 / 3], [0, 0, 0, 1]])
    write_picture(tmp_path / "a.tiff", Picture(np.zeros((2, 3, 4), np.float32), "zyx", affine))
    again = read_picture(tmp_path / "a.tiff").affine
    assert again is not None
    np.testing.assert_array_equal(again, affine)


def test_a_stack_that_lost_a_page_in_the_chain_is_an_error(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for shade in range(4):
            tif.write(np.full((6, 7), shade, np.uint8), metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif") as found:
        third = found.pages[2].offset
    data = (tmp_path / "a.tif").read_bytes()
    for cut in (third, third + 2, third + 40, len(data) - 1):
        (tmp_path / "b.tif").write_bytes(data[:cut])
        with pytest.raises(CodecError, match=r"b\.tif"):
            read_picture(tmp_path / "b.tif")


def test_a_file_cut_off_in_a_picture_that_is_not_read_is_an_error_too(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(np.ones((6, 7), np.uint8), metadata=None)
        tif.write(np.ones((3, 300), np.uint8), metadata=None)
    assert read_picture(tmp_path / "a.tif").note.startswith("first of 2 series")
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "b.tif").write_bytes(data[:-200])
    with pytest.raises(CodecError, match="a file cut off after"):
        read_picture(tmp_path / "b.tif")


def test_wrong_axes_are_named(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 3, 4), np.uint8), photometric="minisblack", metadata=None)
    with pytest.raises(CodecError, match="name every stored axis"):
        read_picture(tmp_path / "a.tif", axes="yx")
    for axes in ("zyq", "zyy", "zx", ""):
        with pytest.raises(InputError, match="axes made of the letters z, y, x and c"):
            read_picture(tmp_path / "a.tif", axes=axes)


def test_reading_and_writing_work_without_imagecodecs(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.tiff", Picture(np.arange(60, dtype=np.uint16).reshape(3, 4, 5), "zyx"))
    code = f"""
import sys
sys.modules["imagecodecs"] = None
from imagemill.data import read_picture, write_picture
picture = read_picture({str(tmp_path / "a.tiff")!r})
write_picture({str(tmp_path / "b.tiff")!r}, picture)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
    np.testing.assert_array_equal(read_picture(tmp_path / "b.tiff").array, read_picture(tmp_path / "a.tiff").array)
