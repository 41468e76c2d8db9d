"""JPEG 2000, AVIF, TGA, HEIC and the other names of JPEG and BMP: pixels, depths, turns, damage."""

from __future__ import annotations

import base64
import io
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import imagemill as im

RNG = np.random.default_rng(5)
COLOUR = RNG.integers(0, 256, (13, 17, 4), dtype=np.uint8)
SMOOTH = np.stack([np.add.outer(np.arange(24) * 4, np.arange(32) * k) for k in (1, 2, 3)], -1).astype(np.uint8)


def _saved(mode: str, kind: str, array: Any = COLOUR, **more: Any) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(array[..., :3] if mode != "RGBA" else array)
    image.convert(mode).save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", [".jp2", ".j2k", ".jpx", ".tga", "runs.tga"])
def test_pixels_without_loss(tmp_path: Path, suffix: str, mode: str) -> None:
    kind = "TGA" if suffix.endswith(".tga") else "JPEG2000"
    more: dict[str, Any] = {"rle": True} if suffix == "runs.tga" else {}
    if suffix == ".j2k":
        more["no_jp2"] = True
    file = tmp_path / f"a{suffix}"
    file.write_bytes(_saved(mode, kind, **more))
    image = Image.fromarray(COLOUR if mode == "RGBA" else COLOUR[..., :3])
    found = im.read_picture(file)
    np.testing.assert_array_equal(found.array, np.asarray(image.convert(mode)))
    assert im.image_size(file) == im.image_size(file.read_bytes()) == (13, 17)


@pytest.mark.parametrize(
    "array",
    [
        (COLOUR[..., :3].astype(np.uint16) * 257) ^ 3,
        (COLOUR.astype(np.uint16) * 257) ^ 3,
        COLOUR[..., 0].astype(np.uint16) * 257,
        COLOUR[..., 0].astype(np.int16) * 100 - 9000,
        np.concatenate([COLOUR, COLOUR], axis=2),
    ],
    ids=["rgb16", "rgba16", "gray16", "signed", "eight"],
)
def test_deep_and_signed_and_many_channels_of_jpeg_2000(tmp_path: Path, array: np.ndarray) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(array, level=0, reversible=True))
    found = im.read_picture(tmp_path / "a.jp2")
    assert found.array.dtype == array.dtype
    np.testing.assert_array_equal(found.array, array)


def test_twelve_bits_of_jpeg_2000_stay_the_numbers_that_they_are(tmp_path: Path) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    array = (np.arange(20 * 30).reshape(20, 30) * 6).astype(np.uint16)
    (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(array, level=0, reversible=True, bitspersample=12))
    found = im.read_picture(tmp_path / "a.jp2")
    np.testing.assert_array_equal(found.array, array)
    assert found.note == "12 bits a sample, as they are stored"


def test_deep_colour_without_imagecodecs_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    data = imagecodecs.jpeg2k_encode(COLOUR[..., :3].astype(np.uint16), level=0, reversible=True)
    (tmp_path / "a.jp2").write_bytes(data)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(im.MissingExtra, match=r"pip install 'imagemill\[tiff\]'"):
        im.read_picture(tmp_path / "a.jp2")


@pytest.mark.parametrize("more", [{}, {"tile_size": (32, 32)}, {"quality_layers": [40, 20, 10], "irreversible": True}])
def test_jpeg_2000_that_is_cut_off_is_not_taken_for_whole(tmp_path: Path, more: dict[str, Any]) -> None:
    # Of a smooth picture the end of the file is a small part of what is seen: decoders show it all the same.
    smooth = np.repeat(np.add.outer(np.arange(90), np.arange(80))[..., None], 3, axis=2).astype(np.uint8)
    data = _saved("RGB", "JPEG2000", smooth, **more)
    for length in range(0, len(data) - 2, 2 if len(data) < 700 else 6):
        (tmp_path / "a.jp2").write_bytes(data[:length])
        with pytest.raises(im.CodecError, match=r"a\.jp2"):
            im.read_picture(tmp_path / "a.jp2")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_avif_is_near_and_turned_as_it_asks(tmp_path: Path, mode: str) -> None:
    exif = Image.Exif()
    exif[274] = 6
    array = SMOOTH if mode != "RGBA" else np.dstack([SMOOTH, np.full((24, 32), 200, np.uint8)])
    chroma = {} if mode == "L" else {"subsampling": "4:4:4"}
    (tmp_path / "a.avif").write_bytes(_saved(mode, "AVIF", array, quality=100, exif=exif, **chroma))
    found = im.read_picture(tmp_path / "a.avif")
    wanted = np.rot90(np.asarray(Image.fromarray(array).convert(mode)), -1)
    assert found.array.shape == wanted.shape
    assert np.abs(found.array.astype(int) - wanted).max() <= 4
    assert (im.image_size(tmp_path / "a.avif"), im.image_size(tmp_path / "a.avif", exif=True)) == ((24, 32), (32, 24))


def test_avif_of_ten_bits_says_that_eight_are_left(tmp_path: Path) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    (tmp_path / "a.avif").write_bytes(imagecodecs.avif_encode(SMOOTH.astype(np.uint16) * 4, bitspersample=10))
    found = im.read_picture(tmp_path / "a.avif")
    assert (found.note, found.meta["bit_depth"]) == ("10 bits a sample read as 8", 10)
    assert np.abs(found.array.astype(int) - SMOOTH).max() <= 12


def _tga(kind: int, depth: int, flags: int, body: bytes, width: int = 2, height: int = 2, name: bytes = b"") -> bytes:
    return struct.pack("<BBBHHBHHHHBB", len(name), 0, kind, 0, 0, 0, 0, 0, width, height, depth, flags) + name + body


def test_rows_and_columns_of_tga_from_every_corner(tmp_path: Path) -> None:
    wanted = np.array([[1, 2], [3, 4]], np.uint8)
    for flags, stored in ((0x20, wanted), (0, wanted[::-1]), (0x30, wanted[:, ::-1]), (0x10, wanted[::-1, ::-1])):
        (tmp_path / "a.tga").write_bytes(_tga(3, 8, flags, stored.tobytes(), name=b"made by hand"))
        np.testing.assert_array_equal(im.read_picture(tmp_path / "a.tga").array, wanted)


def test_tga_of_five_bits_a_colour(tmp_path: Path) -> None:
    values = np.array([[31 << 10, 31 << 5], [31, 0x7FFF]], "<u2")
    (tmp_path / "a.tga").write_bytes(_tga(2, 16, 0x20, values.tobytes()))
    wanted = [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]]
    assert im.read_picture(tmp_path / "a.tga").array.tolist() == wanted


def test_a_tga_that_promises_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    for kind in (2, 10):
        (tmp_path / "a.tga").write_bytes(_tga(kind, 24, 0x20, bytes(200), 14_000, 14_000))
        with pytest.raises(im.CodecError, match=r"a\.tga: .*declares"):
            im.read_picture(tmp_path / "a.tga")


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".jif", ".mpo", ".JFIF"])
def test_other_names_of_jpeg(tmp_path: Path, suffix: str) -> None:
    data = _saved("RGB", "MPO" if suffix == ".mpo" else "JPEG", SMOOTH)
    (tmp_path / f"a{suffix}").write_bytes(data)
    (tmp_path / "a.jpg").write_bytes(data)
    found = im.read_picture(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(found.array, im.read_picture(tmp_path / "a.jpg").array)
    assert found.note == ""


@pytest.mark.parametrize("kind", ["DIB", "BMP"])
def test_bitmaps_without_the_header_of_a_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.dib").write_bytes(_saved("RGB", kind, SMOOTH))
    found = im.read_picture(tmp_path / "a.dib")
    np.testing.assert_array_equal(found.array, SMOOTH)
    assert (found.note, im.image_size(tmp_path / "a.dib")) == ("", (24, 32))


# 40 x 64 pixels of HEVC in HEIF at quality 90, chroma 4:4:4, as pillow-heif 1.8.1 with x265 wrote them from RAMPS.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAX5tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9j"
    "AAAAAERAAAEAAQAAAAABogABAAAAAAAAAgUAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/mlw"
    "cnAAAADeaXBjbwAAAHdodmNDAQQIAAAAnjgAAAAAHvAA/P/4+AAADwNgAAEAF0ABDAH//wQIAAADAJ44AAADAAAeugJAYQABACpCAQEECAAA"
    "AwCeOAAAAwAAHpAEECCy3VyU1zcBDQYEAAADAGQAAAMABCBiAAEACEQBwXMYMAiQAAAAE2NvbHJuY2x4AAEADQAGgAAAABRpc3BlAAAAAAAA"
    "AEAAAABAAAAAKGNsYXAAAABAAAAAAQAAACgAAAABAAAAAAAAAAL////oAAAAAgAAABBwaXhpAAAAAAMICAgAAAAYaXBtYQAAAAAAAAABAAEF"
    "gQIDBYQAAAINbWRhdAAAAgEoAa8GOIkRLi6rU0/xiesVuTCMtdYRkUWX5R9RZRv8yWLWjvggm5jxU7uNybv4J9v+a08j6+X8e/bA/HWcf+zb"
    "z3Ib1tIZZTABQAxl6+5f5HyHFlgIOHpZhns3UkgCCHa4bltdGiZjmzFVljE0Q44sDTPuDChSy44aboJMzRkNF1bjmb+4aYkUri9vp5MC34T7"
    "cv2q9k/9MAhwQsCh1WZa9Ccdjqq7ASspVRSqfTWniF7q0vd4Wjjhe4LNRnE1/l3wjOZZFhlpMgqxM+84TWFNKN7ju9CcgooO5PA3dkI2Io7D"
    "QRhFEdMW53vmCRJk79QucDszAU49u9ezQTn9/3EtLXOc3uHg1KSf/JIAFrJTCHzn/k5zk4GtLrNa00RZbZPlmWrMEO+/IP/QuVqOr3PqmfMN"
    "/nZUKxZtyJmhkBSWnAXZemb+3J1HKLfXWHRKsuHa/DKpRt1+JP9QlGtQIi9qcz05iLqHVlbbrGLfuxkJA2iOIKesZSJq34zFicmT/Axafc1z"
    "61ajkS9m22Nbhue4ri6Hy6n4mNCKsG959zp8k5RQj4BhgnLYDox3OW1JGWtxaAVFVr9EC7lnZfiGWZUYP8OU1Fc21+KNcf5AkriwnOphvYGc"
    "ChIb3qNGBZROCoQXA3ORK/WOL87vwfIT/hwUj2wWSX4Cg9tbD6ktt0ZbKs4="
)
_Y, _X = np.mgrid[:40, :64]
RAMPS = np.stack([_Y * 6, _X * 4, 255 - _X * 2 - _Y], -1).astype(np.uint8)


def test_heic_where_its_decoder_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    (tmp_path / "a.heic").write_bytes(HEIC)
    found = im.read_picture(tmp_path / "a.heic")
    assert found.array.shape == RAMPS.shape
    assert np.abs(found.array.astype(int) - RAMPS).max() <= 4
    assert im.image_size(tmp_path / "a.heic") == (40, 64)
    for length in range(0, len(HEIC), len(HEIC) // 20):
        (tmp_path / "b.heic").write_bytes(HEIC[:length])
        with pytest.raises(im.CodecError, match=r"b\.heic: expected"):
            im.read_picture(tmp_path / "b.heic")


def test_heic_without_its_decoder_says_what_to_install_and_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.fromarray(SMOOTH).save(tmp_path / name / "a.jpg")
    (tmp_path / "cat" / "b.heic").write_bytes(HEIC)
    do = r"a HEIF image.*pip install 'imagemill\[heif\]', or convert it to JPEG or PNG first"
    for read in (im.read_picture, im.image_size):
        with pytest.raises(im.CodecError, match=do):
            read(tmp_path / "cat" / "b.heic")
    report = im.scan(tmp_path)
    assert (report.images, [one.name for one in report.unreadable]) == (3, ["cat/b.heic"])


def test_the_thumbnail_of_a_raw_photo_is_not_taken_for_it(tmp_path: Path) -> None:
    Image.fromarray(SMOOTH).save(tmp_path / "a.tif")
    for name in ("a.nef", "a.CR2", "a.dng"):
        (tmp_path / name).write_bytes((tmp_path / "a.tif").read_bytes())
        with pytest.raises(im.CodecError, match=r"got a camera's raw photo; develop it into TIFF"):
            im.read_picture(tmp_path / name)


def test_pictures_and_videos_that_are_not_read_are_counted_by_name(tmp_path: Path) -> None:
    Image.fromarray(SMOOTH).save(tmp_path / "a.png")
    for name in ("1.mp4", "2.mp4", "x.cr2", "y.svs", "readme.txt"):
        (tmp_path / name).write_bytes(b"\0" * 40)
    said = " ".join(im.scan(tmp_path).notes)
    assert "2 files of suffix .mp4 are not read: a video; take its frames out" in said
    assert "1 file of suffix .cr2 is not read: a camera's raw photo" in said
    assert "1 file of suffix .svs is not read: a whole-slide image" in said
    assert ".txt is not read" not in said
    (tmp_path / "a.png").unlink()
    with pytest.raises(im.SourceError, match=r"2 of suffix \.mp4 \(a video, which is not read: take its frames"):
        im.open(tmp_path)


def test_a_class_in_another_format_is_a_class(tmp_path: Path) -> None:
    for name, kind, suffix in (("a", "JPEG", "jpg"), ("b", "PPM", "ppm"), ("c", "JPEG", "jfif"), ("d", "TGA", "tga")):
        (tmp_path / name).mkdir()
        for number in range(2):
            (tmp_path / name / f"{number}.{suffix}").write_bytes(_saved("RGB", kind))
    report = im.scan(tmp_path)
    assert (report.images, report.unreadable) == (8, ())
    assert sorted(im.open(tmp_path).classes) == ["a", "b", "c", "d"]
