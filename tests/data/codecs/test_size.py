from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagemill.core.errors import CodecError
from imagemill.data import Picture, read_picture, write_picture
from imagemill.data.codecs.header_size import image_size
from tests.data.dicoms import dicom

PHOTOS = [".jpg", ".png", ".webp", ".bmp", ".gif", ".tiff", ".npy"]


@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from(PHOTOS))
def test_the_header_says_the_size(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, suffix: str
) -> None:
    shape = (height, width) if suffix in (".gif", ".npy") else (height, width, 3)
    file = tmp_path_factory.mktemp("size") / f"a{suffix}"
    write_picture(file, Picture(np.zeros(shape, np.uint8), "yxc"[: len(shape)]))
    assert image_size(file) == (height, width)
    assert image_size(file.read_bytes()) == (height, width)


@pytest.mark.parametrize("lossless", [False, True])
def test_other_kinds_of_webp_and_jpeg(lossless: bool) -> None:
    for mode, kind, more in (
        ("RGB", "WEBP", {"lossless": lossless}),
        ("RGBA", "WEBP", {"lossless": lossless}),
        ("L", "JPEG", {"progressive": lossless}),
        ("P", "BMP", {}),
    ):
        buffer = io.BytesIO()
        Image.new(mode, (37, 21)).save(buffer, kind, **more)
        assert image_size(buffer.getvalue()) == (21, 37)


def test_volumes_and_scans(tmp_path: Path) -> None:
    for suffix in (".nii", ".nii.gz", ".tiff"):
        write_picture(tmp_path / f"a{suffix}", Picture(np.zeros((3, 4, 5), np.uint8), "zyx"))
        assert image_size(tmp_path / f"a{suffix}") == (4, 5)
    assert image_size(dicom(tmp_path / "a.dcm", np.zeros((6, 7), np.int16))) == (6, 7)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff"])
def test_exif_turns_the_size(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    file = tmp_path / f"a{suffix}"
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, exif=exif)
    assert image_size(file) == (20, 30)
    assert image_size(file, exif=True) == read_picture(file).array.shape[:2]
    stored = read_picture(file, exif=False)
    assert stored.array.shape == (20, 30, 3)
    if suffix in (".png", ".tiff"):
        np.testing.assert_array_equal(stored.array, pixels)
    assert stored.meta["exif_orientation"] == orientation
    assert stored.meta["exif_applied"] is False


def test_only_the_header_is_needed(tmp_path: Path) -> None:
    for suffix in PHOTOS[:5]:
        noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
        array: Any = noise[..., 0] if suffix == ".gif" else noise
        write_picture(tmp_path / f"a{suffix}", Picture(array, "yxc"[: array.ndim]))
        (tmp_path / f"b{suffix}").write_bytes((tmp_path / f"a{suffix}").read_bytes()[:1000])
        assert image_size(tmp_path / f"b{suffix}") == (300, 300)


def test_what_has_no_header_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10")
    (tmp_path / "b.txt").write_text("hello")
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "d.tif").write_bytes(b"II*\0\x08\0\0\0")
    (tmp_path / "e.npy").write_bytes(b"\x93NUMPY\x01\x00")
    for name in ("a.jpg", "b.txt", "c.png", "d.tif", "e.npy", "none.png"):
        with pytest.raises(CodecError, match=name.replace(".", r"\.")):
            image_size(tmp_path / name)
