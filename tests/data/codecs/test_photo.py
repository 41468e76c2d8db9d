from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagemill.core.errors import CodecError, InputError
from imagemill.data import Picture, read_picture, write_picture
from imagemill.data.codecs.channels import orient
from imagemill.data.codecs.photos.exif import exif_orientation, jpeg_orientation

# What a viewer shows when the stored pixels are 1 2 3 / 4 5 6.
UPRIGHT = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[4, 1], [5, 2], [6, 3]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[3, 6], [2, 5], [1, 4]],
}


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "a maker before the tag that counts"
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_matches_the_drawing(orientation: int) -> None:
    stored = np.array(UPRIGHT[1])
    assert orient(stored, orientation).tolist() == UPRIGHT[orientation]
    assert stored.tolist() == UPRIGHT[1]
    volume = np.stack([stored, stored + 10])[..., np.newaxis]
    assert orient(volume, orientation, 1)[1, :, :, 0].tolist() == (np.array(UPRIGHT[orientation]) + 10).tolist()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_orientation_is_applied_once(tmp_path: Path, kind: str, orientation: int) -> None:
    stored = (np.array(UPRIGHT[1], np.uint8) * 40)[..., np.newaxis].repeat(3, axis=2)
    options: dict[str, Any] = {"lossless": True, "exact": True} if kind == "webp" else {}
    Image.fromarray(stored).save(tmp_path / f"a.{kind}", exif=_exif(orientation), **options)
    picture = read_picture(tmp_path / f"a.{kind}")
    assert (picture.array[..., 1] // 40).tolist() == UPRIGHT[orientation]
    assert picture.meta["exif_orientation"] == orientation
    write_picture(tmp_path / f"b.{kind}", picture)
    np.testing.assert_array_equal(read_picture(tmp_path / f"b.{kind}").array, picture.array)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_orientation_is_applied_once(tmp_path: Path, orientation: int) -> None:
    blocks = np.kron(np.array(UPRIGHT[1], np.uint8) * 40, np.ones((8, 8), np.uint8))
    Image.fromarray(blocks).save(tmp_path / "a.jpg", quality=95, exif=_exif(orientation))
    assert jpeg_orientation((tmp_path / "a.jpg").read_bytes()) == orientation
    picture = read_picture(tmp_path / "a.jpg")
    assert np.rint(picture.array[4::8, 4::8] / 40).tolist() == UPRIGHT[orientation]
    assert picture.meta["exif_orientation"] == orientation
    write_picture(tmp_path / "b.jpg", picture)
    again = read_picture(tmp_path / "b.jpg")
    assert again.meta["exif_orientation"] == 1
    assert np.rint(again.array[4::8, 4::8] / 40).tolist() == UPRIGHT[orientation]


@given(st.binary(max_size=60), st.integers(0, 40))
def test_broken_exif_is_no_orientation_and_no_error(noise: bytes, cut: int) -> None:
    assert exif_orientation(noise) in range(1, 9)
    assert jpeg_orientation(noise) in range(1, 9)
    assert jpeg_orientation(b"\xff\xd8\xff\xe1" + noise) in range(1, 9)
    good = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHH", 8, 1, 0x0112, 3, 1, 6, 0)
    assert exif_orientation(good) == 6
    assert exif_orientation(good[:cut]) in (1, 6)
    wild = b"II*\0" + struct.pack("<IHHHIHH", 8, 1, 0x0112, 3, 1, 99, 0)
    assert exif_orientation(wild) == 1


def test_jpeg_pixels_equal_pillow(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    array = cv2.GaussianBlur(rng.integers(0, 256, (61, 83, 3), dtype=np.uint8), (0, 0), 2)
    for name, options in {
        "a": {"subsampling": 2},
        "b": {"progressive": True},
        "c": {"subsampling": 0},
    }.items():
        Image.fromarray(array).save(tmp_path / f"{name}.jpg", **options)
        with Image.open(tmp_path / f"{name}.jpg") as image:
            expected = np.asarray(image)
        np.testing.assert_array_equal(read_picture(tmp_path / f"{name}.jpg").array, expected)
    Image.fromarray(array[..., 0]).save(tmp_path / "g.jpg")
    assert read_picture(tmp_path / "g.jpg").axes == "yx"


def test_ink_colours_become_rgb(tmp_path: Path) -> None:
    inks = Image.new("CMYK", (8, 8), (255, 0, 0, 0))  # cyan ink only; Pillow stores it inverted, as Adobe does
    inks.save(tmp_path / "a.jpg", quality=100)
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.meta["mode"] == "CMYK"
    assert np.abs(picture.array[4, 4].astype(int) - [0, 255, 255]).max() <= 3
    assert "ink" in picture.note


def test_sixteen_bit_colour_survives_and_equals_opencv(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    for count, order in ((3, [2, 1, 0]), (4, [2, 1, 0, 3])):
        array = rng.integers(0, 65_536, (7, 9, count)).astype(np.uint16)
        cv2.imwrite(str(tmp_path / "cv.png"), array[..., order])
        np.testing.assert_array_equal(read_picture(tmp_path / "cv.png").array, array)
        write_picture(tmp_path / "own.png", Picture(array, "yxc"))
        found = cv2.imread(str(tmp_path / "own.png"), cv2.IMREAD_UNCHANGED)
        assert found is not None
        np.testing.assert_array_equal(found[..., order], array)
    assert read_picture(tmp_path / "own.png").meta["bit_depth"] == 16


def test_palette_with_and_without_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "p.png")
    assert read_picture(tmp_path / "p.png").array[1].tolist() == [[70, 80, 90], [40, 50, 60]]
    image.save(tmp_path / "t.png", transparency=b"\xff\x00\x80")
    clear = read_picture(tmp_path / "t.png").array
    assert clear[..., 3].tolist() == [[255, 0], [128, 0]]
    assert read_picture(tmp_path / "t.png", "rgb").array.tolist() == clear[..., :3].tolist()
    white = read_picture(tmp_path / "t.png", "rgb", background=(255, 255, 255)).array
    assert white[0].tolist() == [[10, 20, 30], [255, 255, 255]]
    assert white[1, 0].tolist() == [162, 167, 172]  # 70 * 128/255 + 255 * 127/255, and so on


def test_single_bits_are_black_and_white(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(np.eye(3, dtype=bool), "yx"))
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "1"
    assert read_picture(tmp_path / "a.png").array.tolist() == (np.eye(3) * 255).tolist()


def test_first_frame_of_animations(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((4, 5, 3), shade, np.uint8)) for shade in (30, 200)]
    for kind in ("gif", "webp", "png"):
        options: dict[str, Any] = {"lossless": True} if kind == "webp" else {}
        frames[0].save(tmp_path / f"a.{kind}", save_all=True, append_images=frames[1:], **options)
        picture = read_picture(tmp_path / f"a.{kind}", "rgb")
        assert picture.array.tolist() == np.full((4, 5, 3), 30).tolist()
    assert read_picture(tmp_path / "a.gif").note == "first of 2 frames"


def test_a_broken_animation_gives_its_first_picture_without_a_warning(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((3, 3), 9, np.uint8)).save(buffer, "PNG")
    data = buffer.getvalue()
    body = b"acTL" + struct.pack(">II", 0, 0)  # no frames: Pillow warns about it
    chunk = struct.pack(">I", 8) + body + struct.pack(">I", zlib.crc32(body))
    (tmp_path / "a.png").write_bytes(data[:33] + chunk + data[33:])
    assert read_picture(tmp_path / "a.png").array.tolist() == [[9] * 3] * 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_channels_are_turned_into_the_ones_asked_for(tmp_path: Path, dtype: type[Any]) -> None:
    white = 1.0 if dtype is np.float32 else float(np.iinfo(dtype).max)
    array = np.zeros((2, 2, 4), dtype)
    array[0, 0], array[1, 1] = [white, 0, 0, white], [0, white, 0, 0]
    write_picture(tmp_path / "a.tiff", Picture(array, "yxc"))
    read = {kind: read_picture(tmp_path / "a.tiff", kind) for kind in ("gray", "rgb", "rgba")}  # type: ignore[arg-type]
    assert {kind: picture.axes for kind, picture in read.items()} == {
        "gray": "yx",
        "rgb": "yxc",
        "rgba": "yxc",
    }
    np.testing.assert_array_equal(read["rgb"].array, array[..., :3])
    np.testing.assert_array_equal(read["rgba"].array, array)
    np.testing.assert_allclose(read["gray"].array / white, [[0.299, 0], [0, 0.587]], atol=0.002)
    assert all(picture.array.dtype == dtype for picture in read.values())
    write_picture(tmp_path / "g.tiff", Picture(array[..., 0], "yx"))
    full = read_picture(tmp_path / "g.tiff", "rgba").array
    assert full[0, 0].tolist() == [white] * 4
    over = read_picture(tmp_path / "a.tiff", "gray", background=(white,)).array
    assert over[1, 1] == white


def test_gray_of_colour_equals_pillow(tmp_path: Path) -> None:
    array = np.random.default_rng(5).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(array).save(tmp_path / "a.png")
    expected = np.asarray(Image.fromarray(array).convert("L"))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png", "gray").array, expected)


def test_gray_survives_webp_by_way_of_three_equal_channels(tmp_path: Path) -> None:
    array = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_picture(tmp_path / "a.webp", Picture(array, "yx"))
    assert read_picture(tmp_path / "a.webp").array.shape == (16, 16, 3)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.webp", "gray").array, array)
    clear = np.random.default_rng(6).integers(0, 256, (5, 5, 4), dtype=np.uint8)
    clear[0, 0, 3] = 0
    write_picture(tmp_path / "c.webp", Picture(clear, "yxc"))
    np.testing.assert_array_equal(read_picture(tmp_path / "c.webp").array, clear)


def test_bad_choices_are_named(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(np.zeros((2, 3), np.uint8), "yx"))
    write_picture(tmp_path / "five.tiff", Picture(np.zeros((2, 3, 5), np.uint8), "yxc"))
    with pytest.raises(InputError, match="expected channels to be one of"):
        read_picture(tmp_path / "a.png", "cmyk")  # type: ignore[arg-type]
    with pytest.raises(CodecError, match='5 channels; read it with channels="keep"'):
        read_picture(tmp_path / "five.tiff", "rgb")
    with pytest.raises(CodecError, match="leave axes out"):
        read_picture(tmp_path / "a.png", axes="zyx")
    write_picture(tmp_path / "c.png", Picture(np.zeros((2, 3, 4), np.uint8), "yxc"))
    with pytest.raises(InputError, match="1 or 3 values"):
        read_picture(tmp_path / "c.png", "rgb", background=(1, 2))
    for far in (256, -1):
        with pytest.raises(InputError, match="within 0 and 255 for uint8"):
            read_picture(tmp_path / "c.png", "rgb", background=(far,))
