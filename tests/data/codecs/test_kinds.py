"""Rare kinds of JPEG and formats that are not read: decoded right, or refused for the true reason."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import imagemill as im
from imagemill.data.codecs.photos.jpeg_header import unusual_kind
from imagemill.data.codecs.sniff import sniff

imagecodecs = pytest.importorskip("imagecodecs", reason="needs imagecodecs to make rare kinds of JPEG")


def _sampled(horizontal: int, vertical: int) -> bytes:
    """A photo whose chroma is stored at 1/horizontal by 1/vertical; the coded blocks are those of 4:2:0."""
    blocks = np.random.default_rng(4).integers(0, 256, (8, 10, 3))
    array = np.kron(blocks, np.ones((8, 8, 1))).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", subsampling="4:2:0")
    data = bytearray(buffer.getvalue())
    data[data.index(b"\xff\xc0") + 11] = horizontal << 4 | vertical
    return bytes(data)


@pytest.mark.parametrize("sampling", [(1, 4), (2, 4), (4, 2), (3, 1), (1, 3)])
def test_chroma_sampled_in_a_rare_way_is_decoded(tmp_path: Path, sampling: tuple[int, int]) -> None:
    data = _sampled(*sampling)
    (tmp_path / "a.jpg").write_bytes(data)
    wanted = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    picture = im.read_picture(tmp_path / "a.jpg")
    assert (picture.axes, picture.array.shape) == ("yxc", (64, 80, 3))
    assert np.abs(picture.array.astype(int) - wanted).max() <= 2
    assert "decoded by Pillow" in picture.note
    assert im.image_size(tmp_path / "a.jpg") == (64, 80)


def test_scan_and_loader_take_a_photo_of_a_rare_kind(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(_sampled(1, 4))
    report = im.scan(tmp_path)
    assert (report.images, report.unreadable) == (1, ())
    batch = next(iter(im.Loader(im.open(tmp_path), im.Pipeline([im.Resize((16, 16))], seed=1), batch_size=1)))
    assert batch.image.shape == (1, 16, 16, 3)


GRAY = (np.arange(64 * 64).reshape(64, 64) % 251).astype(np.uint8)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: imagecodecs.jpeg_encode(GRAY.astype(np.uint16) * 16, bitspersample=12), "a JPEG of 12 bits a sample"),
        (lambda: imagecodecs.jpegls_encode(GRAY), "a JPEG-LS image"),
        (lambda: imagecodecs.jpegls_encode(GRAY.astype(np.uint16) * 256), "a JPEG-LS image of 16 bits a sample"),
        (lambda: imagecodecs.ljpeg_encode(GRAY.astype(np.uint16) * 200), "a lossless JPEG of 16 bits a sample"),
    ],
)
def test_jpegs_that_are_not_decoded_say_why(tmp_path: Path, make: object, reason: str) -> None:
    (tmp_path / "a.jpg").write_bytes(make())  # type: ignore[operator]
    with pytest.raises(im.CodecError, match=rf"got {reason} \(.*convert it to PNG, TIFF or plain JPEG first"):
        im.read_picture(tmp_path / "a.jpg")


def test_lossless_jpeg_of_eight_bits_is_exact(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(imagecodecs.ljpeg_encode(GRAY))
    np.testing.assert_array_equal(im.read_picture(tmp_path / "a.jpg").array, GRAY)


@pytest.mark.parametrize(
    ("marker", "kind"),
    [
        (0xC0, ""),
        (0xC2, ""),
        (0xC9, "a JPEG in arithmetic coding"),
        (0xC5, "a hierarchical JPEG"),
        (0xC3, "a lossless JPEG"),
    ],
)
def test_the_kind_of_a_jpeg_is_that_of_its_frame(marker: int, kind: str) -> None:
    assert unusual_kind(bytes.fromhex(f"ffd8ffe00004aabbff{marker:02x}000b080010001001011100")) == kind


def _box(brand: bytes, *more: bytes) -> bytes:
    body = brand + bytes(4) + b"".join(more)
    return (8 + len(body)).to_bytes(4, "big") + b"ftyp" + body + bytes(64)


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (_box(b"heic", b"mif1", b"heic"), "heif", "a HEIF image"),
        (_box(b"mif1", b"heic"), "heif", "a HEIF image"),
        (_box(b"msf1", b"hevc"), "heif", "a HEIF image"),
        (_box(b"heix"), "heif", "a HEIF image"),
        (_box(b"isom", b"mp42"), "video", "a video"),
        (_box(b"qt  "), "video", "a video"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(90), "jpegxl", "a JPEG XL image"),
        (b"8BPS\0\1" + bytes(90), "photoshop", "a Photoshop document"),
        (b'<?xml version="1.0"?>\n<svg width="3"/>' + bytes(90), "svg", "a drawing in SVG"),
    ],
)
@pytest.mark.parametrize("name", ["a.jpg", "a.heic", "a"])
def test_formats_that_are_not_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, kind: str, words: str, name: str
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)  # an extra that may be there
    assert sniff(data) == kind
    (tmp_path / name).write_bytes(data)
    for read in (im.read_picture, im.read_mask, im.image_size):
        with pytest.raises(im.CodecError, match=f"got {words}.*; .*first"):
            read(tmp_path / name)
