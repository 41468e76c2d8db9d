"""Photos that are decoded from the top down to the last row that is needed."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagemill.core.errors import CodecError
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.codecs.photos.jpeg import read_jpeg
from imagemill.data.codecs.photos.jpeg_header import jpeg_header
from imagemill.data.codecs.photos.jpeg_rows import top_rows

HEIGHT, WIDTH = 133, 90


def picture(seed: int = 0) -> np.ndarray[Any, Any]:
    """Smooth shapes with strong colours, whose chroma is interpolated everywhere, and some noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (17, 12, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(int)
    return np.clip(smooth + rng.integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8)


@lru_cache
def coded(subsampling: str) -> bytes:
    if subsampling == "Gray":
        gray = np.ascontiguousarray(picture()[..., :1])
        return bytes(simplejpeg.encode_jpeg(gray, colorspace="GRAY", colorsubsampling="Gray"))
    return bytes(simplejpeg.encode_jpeg(picture(), quality=90, colorsubsampling=subsampling))


def pillow(**how: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, "jpeg", quality=90, **how)
    return file.getvalue()


@given(
    subsampling=st.sampled_from(["444", "422", "420", "440", "411", "Gray"]),
    factor=st.sampled_from([1, 2, 4, 8]),
    rows=st.integers(1, HEIGHT),
    fast=st.booleans(),
)
def test_rows_are_those_of_the_whole_photo(subsampling: str, factor: int, rows: int, fast: bool) -> None:
    data = coded(subsampling)
    how = {"colorspace": "GRAY" if subsampling == "Gray" else "RGB", "fastdct": fast, "fastupsample": fast}
    found = top_rows(data, jpeg_header(data), rows, factor, **how)
    size = -(-HEIGHT // factor), -(-WIDTH // factor)
    whole = simplejpeg.decode_jpeg(data, min_height=size[0], min_width=size[1], **how)
    if found is None:
        # Nothing saved: the rows reach into the last block, or the one before it.
        assert rows > HEIGHT - 33
        return
    assert found.shape == whole.shape
    sure = -(-rows // factor)
    assert np.array_equal(found[:sure], whole[:sure])
    assert not found[-1].any()


@pytest.mark.parametrize(
    "data",
    [pillow(progressive=True), pillow(restart_marker_blocks=4), pillow() + b"\0", pillow()[:-200]],
    ids=["progressive", "restarts", "something after it", "cut off"],
)
def test_other_files_are_decoded_whole(data: bytes) -> None:
    assert top_rows(data, jpeg_header(data), 20, 1, colorspace="RGB") is None
    # The same picture in the plain kind of file is one that would be shortened.
    assert top_rows(pillow(), jpeg_header(pillow()), 20, 1, colorspace="RGB") is not None


def test_damage_among_the_rows_is_told_and_what_comes_after_them_is_not_looked_at() -> None:
    data = coded("420")
    start = data.index(b"\xff\xda") + 14
    broken = data[: start + (len(data) - start) // 2] + b"\xff\xd9"
    assert top_rows(broken, jpeg_header(broken), 100, 1, colorspace="RGB") is None
    with pytest.raises(CodecError, match=r"photo\.jpg: expected a whole JPEG file, got a file cut off"):
        read_jpeg(Path("photo.jpg"), broken, ReadOptions(rows=100))
    found = read_jpeg(Path("photo.jpg"), broken, ReadOptions(rows=30)).array
    assert np.array_equal(found[:30], read_jpeg(Path("photo.jpg"), data, ReadOptions()).array[:30])


@pytest.mark.parametrize("least", [None, (67, 45), (34, 23), (17, 12)])
def test_reading_keeps_the_size_and_its_facts(least: tuple[int, int] | None) -> None:
    whole = read_jpeg(Path("photo.jpg"), coded("420"), ReadOptions(at_least=least))
    found = read_jpeg(Path("photo.jpg"), coded("420"), ReadOptions(at_least=least, rows=40))
    assert (found.spatial_shape, found.meta, found.note) == (whole.spatial_shape, whole.meta, whole.note)
    sure = 40 * whole.spatial_shape[0] // HEIGHT
    assert np.array_equal(found.array[:sure], whole.array[:sure])
    assert not np.array_equal(found.array, whole.array)


def test_turned_photos_are_read_whole() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = pillow(exif=exif)
    whole, found = (read_jpeg(Path("a.jpg"), data, ReadOptions(rows=rows)) for rows in (None, 20))
    assert np.array_equal(whole.array, found.array)
    stored, top = (read_jpeg(Path("a.jpg"), data, ReadOptions(rows=rows, exif=False)) for rows in (None, 20))
    assert not np.array_equal(stored.array, top.array)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_header_says_what_the_pixels_will_be(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    header = jpeg_header(pillow(exif=exif))
    assert (header.size, header.space, header.orientation) == ((HEIGHT, WIDTH), "YCbCr", orientation)
    assert header.frame is not None
    assert header.frame.block == 16
    assert jpeg_header(coded("444")).orientation == 1
    assert jpeg_header(coded("Gray")).space == "Gray"


@given(cut=st.integers(2, 700), at=st.integers(2, 600), value=st.integers(0, 255))
def test_headers_that_are_cut_or_changed_are_read_or_refused(cut: int, at: int, value: int) -> None:
    data = bytearray(pillow())
    data[at] = value
    for one in (bytes(data), bytes(data[:cut])):
        try:
            header = jpeg_header(one)
        except ValueError:
            continue
        assert 1 <= header.orientation <= 8
        assert header.frame is None or one[header.frame.at : header.frame.at + 2] == header.size[0].to_bytes(2, "big")
