"""TIFF whose samples are no RGB: the right values, against Pillow and against numbers worked out by hand."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

import imagemill as im

tifffile = pytest.importorskip("tifffile", reason="needs tifffile")

RNG = np.random.default_rng(12)
SMOOTH = np.kron(RNG.integers(0, 256, (5, 6, 3)), np.ones((8, 8, 1))).astype(np.uint8)
PHOTO = Image.fromarray(SMOOTH)
INK = RNG.integers(0, 256, (24, 32, 4), dtype=np.uint8)


def _by_hand(ink: Any, peak: float) -> Any:
    return np.rint((peak - ink[..., :3].astype(float)) * (peak - ink[..., 3:4].astype(float)) / peak)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "P", "1", "L", "RGBA", "LA"])
def test_what_pillow_writes_is_read_as_pillow_shows_it(tmp_path: Path, mode: str, compression: str | None) -> None:
    if compression == "jpeg" and mode in ("P", "1", "LA", "RGBA"):
        pytest.skip("JPEG in TIFF holds no palettes, bits and alpha")
    file = tmp_path / "a.tif"
    PHOTO.convert(mode).save(file, **({"compression": compression} if compression else {}))
    with Image.open(file) as opened:
        shown = opened.convert({"1": "L", "CMYK": "RGB", "YCbCr": "RGB", "P": "RGB"}.get(mode, mode))
    picture = im.read_picture(file)
    assert picture.array.dtype == np.uint8
    off = np.abs(picture.array.astype(int) - np.asarray(shown))
    assert off.max() <= (mode == "YCbCr")  # Pillow cuts fractions off there
    assert im.read_picture(file, "rgb").array.shape == (40, 48, 3)


def test_lab_is_what_a_profile_makes_of_it(tmp_path: Path) -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    inner = Image.fromarray(SMOOTH // 3 + 90)
    image = ImageCms.applyTransform(inner, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    assert image is not None
    back = np.asarray(ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")))
    image.save(tmp_path / "cie.tif")
    stored = tifffile.imread(tmp_path / "cie.tif")
    moved = stored ^ np.array([0, 128, 128], np.uint8)  # ICCLAB has the zero of a and b in the middle
    tifffile.imwrite(tmp_path / "icc.tif", moved, photometric="icclab", planarconfig="contig")
    wide = np.stack([stored[..., 0].astype(int) * 65_280 // 255, moved[..., 1] * 256.0, moved[..., 2] * 256.0], axis=-1)
    wide = wide.astype(np.uint16)
    tifffile.imwrite(tmp_path / "wide.tif", wide, photometric="icclab", planarconfig="contig")
    for name, peak in (("cie.tif", 255), ("icc.tif", 255), ("wide.tif", 65_535)):
        found = im.read_picture(tmp_path / name).array
        assert np.abs(found / peak * 255 - back).max() <= 1.5, name  # of eight bits, which `back` is rounded to
    _tiff(tmp_path / "l.tif", bytes([0, 128, 255]), (1, 3), t258=(8,), t262=(8,))
    # L* 50.2 is a luminance of 0.1856 (CIE), which is 119 in sRGB.
    assert im.read_picture(tmp_path / "l.tif").array.tolist() == [[0, 119, 255]]
    image.save(tmp_path / "jpeg.tif", compression="jpeg")
    with pytest.raises(im.CodecError, match=r"got JPEG, which mixes its planes; convert it to RGB first"):
        im.read_picture(tmp_path / "jpeg.tif")


@pytest.mark.parametrize("how", ["contig", "separate", "tiled"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_inks_in_planes_tiles_and_sixteen_bits(tmp_path: Path, how: str, dtype: str) -> None:
    peak = np.iinfo(dtype).max
    ink = (INK.astype(np.uint32) * (peak // 255)).astype(dtype)
    wanted = _by_hand(ink, peak)
    stored, plan = (np.moveaxis(ink, -1, 0), "separate") if how == "separate" else (ink, "contig")
    options: dict[str, Any] = {"tile": (16, 16), "compression": "zlib"} if how == "tiled" else {}
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="separated", planarconfig=plan, **options)
    picture = im.read_picture(tmp_path / "a.tif")
    assert (picture.axes, picture.array.dtype) == ("yxc", np.dtype(dtype))
    np.testing.assert_array_equal(picture.array, wanted)
    assert "CMYK read as RGB" in picture.note


def test_inks_with_alpha_and_other_inks(tmp_path: Path) -> None:
    five = np.dstack([INK, INK[..., 0]])
    write = {"photometric": "separated", "planarconfig": "contig", "metadata": None}
    tifffile.imwrite(tmp_path / "alpha.tif", five, extrasamples=[2], **write)
    found = im.read_picture(tmp_path / "alpha.tif").array
    np.testing.assert_array_equal(found, np.dstack([_by_hand(INK, 255), INK[..., 0]]))
    tifffile.imwrite(tmp_path / "other.tif", INK, extratags=[(332, 3, 1, 2, True)], **write)
    with pytest.raises(im.CodecError, match=r"yellow and black, got 4 other ink channels; convert"):
        im.read_picture(tmp_path / "other.tif")
    np.testing.assert_array_equal(im.read_picture(tmp_path / "alpha.tif", "rgb").array, found[..., :3])


def test_palettes_of_sixteen_bits_and_of_each_page(tmp_path: Path) -> None:
    index = RNG.integers(0, 65_536, (12, 14)).astype(np.uint16)
    table = RNG.integers(0, 65_536, (3, 65_536)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "wide.tif", index, photometric="palette", colormap=table)
    np.testing.assert_array_equal(
        im.read_picture(tmp_path / "wide.tif").array, np.moveaxis(table[:, index] >> 8, 0, -1)
    )
    np.testing.assert_array_equal(im.read_mask(tmp_path / "wide.tif").array, index)
    pages = RNG.integers(0, 256, (2, 12, 14)).astype(np.uint8)
    tables = RNG.integers(256, 65_536, (2, 3, 256)).astype(np.uint16)
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        for page, one in zip(pages, tables, strict=True):
            file.write(page, photometric="palette", colormap=one, metadata=None)
    picture = im.read_picture(tmp_path / "pages.tif")
    wanted = np.stack([np.moveaxis(one[:, page] >> 8, 0, -1) for page, one in zip(pages, tables, strict=True)])
    assert picture.axes == "zyxc"
    np.testing.assert_array_equal(picture.array, wanted)
    source = im.open_source(tmp_path / "pages.tif", layout="tiff-stack", extra={"pages": "images"})
    for record, one in zip(source.records, wanted, strict=True):
        np.testing.assert_array_equal(im.open(source)[int(record.key[-1])].image, one)
    low = np.array([[9, 0], [0, 200], [7, 7]], np.uint16).repeat([1, 255], axis=1)  # a table of 8 bits, not of 16
    tifffile.imwrite(tmp_path / "low.tif", np.array([[0, 1]], np.uint8), photometric="palette", colormap=low)
    assert im.read_picture(tmp_path / "low.tif").array.tolist() == [[[9, 0, 7], [0, 200, 7]]]


def test_alpha_that_was_multiplied_in_is_divided_out(tmp_path: Path) -> None:
    values = np.array([[[50, 100, 0, 128], [255, 0, 9, 255], [0, 0, 0, 0]]], np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extrasamples=["assocalpha"])
    # By hand: 50 * 255 / 128 = 99.6, 100 * 255 / 128 = 199.2.
    wanted = [[[100, 199, 0, 128], [255, 0, 9, 255], [0, 0, 0, 0]]]
    assert im.read_picture(tmp_path / "a.tif").array.tolist() == wanted
    tifffile.imwrite(tmp_path / "b.tif", values, photometric="rgb", extrasamples=["unassalpha"])
    assert im.read_picture(tmp_path / "b.tif").array.tolist() == values.tolist()


def _tiff(path: Path, data: bytes, size: tuple[int, int], **tags: tuple[int, ...]) -> Path:
    """A TIFF file by hand: one strip without compression; tags by their number, written as short numbers."""
    every: dict[str, tuple[int, ...]] = {
        "t256": (size[1],),
        "t257": (size[0],),
        "t259": (1,),
        "t273": (8,),
        "t278": (size[0],),
    }
    every |= {"t279": (len(data),), "t277": (1,)} | tags
    body, start = b"", 8 + len(data) + len(data) % 2
    entries, extra = b"", start + 2 + 12 * len(every) + 4
    for code, values in sorted((int(name[1:]), found) for name, found in every.items()):
        packed = struct.pack(f"<{len(values)}H", *values)
        if len(packed) > 4:
            entries += struct.pack("<HHII", code, 3, len(values), extra + len(body))
            body += packed + bytes(len(packed) % 2)
        else:
            entries += struct.pack("<HHI", code, 3, len(values)) + packed.ljust(4, b"\0")
    directory = struct.pack("<H", len(every)) + entries + bytes(4) + body
    path.write_bytes(struct.pack("<2sHI", b"II", 42, start) + data + bytes(len(data) % 2) + directory)
    return path


def test_small_and_odd_depths(tmp_path: Path) -> None:
    four = _tiff(tmp_path / "4.tif", b"\x0f\x3c", (1, 4), t258=(4,), t262=(1,))
    assert im.read_picture(four).array.tolist() == [[0, 255, 51, 204]]
    with Image.open(four) as opened:
        assert np.asarray(opened).tolist() == [[0, 255, 51, 204]]
    assert im.read_mask(four).array.tolist() == [[0, 15, 3, 12]]
    white = _tiff(tmp_path / "w4.tif", b"\x0f\x3c", (1, 4), t258=(4,), t262=(0,))
    assert im.read_picture(white).array.tolist() == [[255, 0, 204, 51]]
    bits = _tiff(tmp_path / "w1.tif", b"\xa0", (1, 4), t258=(1,), t262=(0,))
    assert im.read_picture(bits).array.tolist() == [[0, 255, 0, 255]]
    assert im.read_mask(bits).array.tolist() == [[1, 0, 1, 0]]
    table = (0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000)
    palette = _tiff(tmp_path / "p1.tif", b"\xa0", (1, 4), t258=(1,), t262=(3,), t320=table)
    one, two = [0x20, 0x40, 0x60], [0x10, 0x30, 0x50]
    assert im.read_picture(palette).array.tolist() == [[one, two, one, two]]
    tifffile.imwrite(tmp_path / "w16.tif", np.array([[0, 1000, 65_535]], np.uint16), photometric="miniswhite")
    assert im.read_picture(tmp_path / "w16.tif").array.tolist() == [[65_535, 64_535, 0]]
    tifffile.imwrite(tmp_path / "wf.tif", np.array([[0.25, 1.5]], np.float32), photometric="miniswhite")
    picture = im.read_picture(tmp_path / "wf.tif")
    assert picture.array.tolist() == [[0.25, 1.5]]
    assert "not inverted" in picture.note


def test_ycbcr_in_studio_range_and_with_sampled_chroma(tmp_path: Path) -> None:
    data = bytes([235, 128, 128, 16, 128, 128])
    full = (0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1)
    made = _tiff(tmp_path / "y.tif", data, (1, 2), t258=(8, 8, 8), t262=(6,), t277=(3,), t530=(1, 1), t532=full)
    assert im.read_picture(made).array.tolist() == [[[235] * 3, [16] * 3]]
    studio = (16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1)
    made = _tiff(tmp_path / "s.tif", data, (1, 2), t258=(8, 8, 8), t262=(6,), t277=(3,), t530=(1, 1), t532=studio)
    assert im.read_picture(made).array.tolist() == [[[255] * 3, [0] * 3]]
    sampled = _tiff(tmp_path / "q.tif", data, (2, 2), t258=(8, 8, 8), t262=(6,), t277=(3,), t530=(2, 2))
    with pytest.raises(im.CodecError, match=r"chroma at 1/2 by 1/2; convert it to RGB first"):
        im.read_picture(sampled)
    assert im.image_size(sampled) == (2, 2)
