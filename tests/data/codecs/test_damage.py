"""Files that are not what they should be: an error that helps, never a gray picture and never a warning."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imagemill.core.errors import CodecError, InputError
from imagemill.data import Picture, read_mask, read_picture, write_picture

SUFFIXES = [".jpg", ".png", ".webp", ".bmp", ".gif", ".tiff", ".npy", ".nii", ".nii.gz"]


def _sample(suffix: str, folder: Path) -> Path:
    rng = np.random.default_rng(1)
    volume = suffix.startswith(".nii")
    shape: tuple[int, ...] = (5, 24, 30) if volume else (48, 60) if suffix == ".gif" else (48, 60, 3)
    array = rng.integers(0, 256, shape, dtype=np.uint8)
    write_picture(folder / f"whole{suffix}", Picture(array, "zyx" if volume else "yxc"[: len(shape)]))
    return folder / f"whole{suffix}"


@pytest.mark.parametrize("fraction", [0.003, 0.02, 0.2, 0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("suffix", [*SUFFIXES, "16.png", "stack.tiff", "flat.tiff"])
def test_files_cut_off_anywhere_are_errors(tmp_path: Path, suffix: str, fraction: float) -> None:
    rng = np.random.default_rng(2)
    if suffix == "16.png":
        write_picture(tmp_path / "w.png", Picture(rng.integers(0, 65_536, (40, 40, 3)).astype(np.uint16), "yxc"))
        data, suffix = (tmp_path / "w.png").read_bytes(), ".png"
    elif suffix == "stack.tiff":
        write_picture(tmp_path / "w.tiff", Picture(rng.random((6, 20, 20)), "zyx"))
        data, suffix = (tmp_path / "w.tiff").read_bytes(), ".tiff"
    elif suffix == "flat.tiff":  # strips without compression, where missing bytes are easily overlooked
        Image.fromarray(rng.integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(tmp_path / "w.tiff")
        data, suffix = (tmp_path / "w.tiff").read_bytes(), ".tiff"
    else:
        data = _sample(suffix, tmp_path).read_bytes()
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(data[: max(1, int(len(data) * fraction))])
    with pytest.raises(CodecError, match=r"cut.*expected .*; "):
        read_picture(cut)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_cut_jpeg_with_a_forged_end_is_an_error(tmp_path: Path, progressive: bool) -> None:
    rng = np.random.default_rng(3)
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(tmp_path / "a.jpg", progressive=progressive)
    data = (tmp_path / "a.jpg").read_bytes()
    for fraction in (0.3, 0.6, 0.9):
        (tmp_path / "b.jpg").write_bytes(data[: int(len(data) * fraction)] + b"\xff\xd9")
        with pytest.raises(CodecError, match=r"b\.jpg"):
            read_picture(tmp_path / "b.jpg")


def test_bytes_after_the_end_are_no_damage(tmp_path: Path) -> None:
    for suffix in (".jpg", ".png", ".nii"):
        whole = _sample(suffix, tmp_path)
        (tmp_path / f"more{suffix}").write_bytes(whole.read_bytes() + b"left over")
        np.testing.assert_array_equal(read_picture(tmp_path / f"more{suffix}").array, read_picture(whole).array)


@pytest.mark.parametrize("suffix", [".png", "16.png", ".nii.gz"])
def test_changed_bytes_are_noticed_by_checksums(tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    if suffix == "16.png":
        suffix = ".png"
        write_picture(tmp_path / "whole.png", Picture(np.arange(900, dtype=np.uint16).reshape(15, 20, 3), "yxc"))
        whole = tmp_path / "whole.png"
    else:
        whole = _sample(suffix, tmp_path)
    data = bytearray(whole.read_bytes())
    data[len(data) // 2] ^= 0x55
    (tmp_path / f"bad{suffix}").write_bytes(data)
    with pytest.raises(CodecError, match="bad"):
        read_picture(tmp_path / f"bad{suffix}")
    assert capfd.readouterr() == ("", "")  # libraries below print to the terminal unless they are kept from it


def test_a_damaged_jpeg_is_an_error_and_stray_bytes_are_not(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(64) * 2, np.arange(64)).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "a.jpg", restart_marker_rows=1)
    data = (tmp_path / "a.jpg").read_bytes()
    one, two = data.index(b"\xff\xd1"), data.index(b"\xff\xd2")
    (tmp_path / "b.jpg").write_bytes(data[:one] + data[two:])  # a row of blocks is gone; Pillow shows the rest
    with pytest.raises(CodecError, match=r"an undamaged JPEG file, got Corrupt JPEG data"):
        read_picture(tmp_path / "b.jpg")
    frame = data.index(b"\xff\xc0")
    (tmp_path / "c.jpg").write_bytes(data[:frame] + b"\1\2" + data[frame:])
    picture = read_picture(tmp_path / "c.jpg")
    np.testing.assert_array_equal(picture.array, read_picture(tmp_path / "a.jpg").array)
    assert "2 extraneous bytes" in picture.note


@pytest.mark.parametrize("reader", [read_picture, read_mask])
def test_what_is_no_picture_is_named(tmp_path: Path, reader: Any) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("these are not pixels")
    (tmp_path / "text.nii.gz").write_text("these are not voxels")
    (tmp_path / "what.xyz").write_text("hello")
    (tmp_path / "a.dcm").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "page.jpg").write_text("<!DOCTYPE html><html>404</html>")
    for name, message in {
        "empty.png": "got an empty file",
        "text.png": "expected a JPEG, PNG, WebP or other photo, got bytes b'these ar'",
        "text.nii.gz": "expected a NIfTI or MGH file",
        "what.xyz": r"got suffix '\.xyz'; convert",
        "a.dcm": "expected a DICOM file with pixels, got an object of unknown kind, which holds no pixels",
        "page.jpg": "a web page, often the error page",
        "missing.png": "nothing at this path; check the spelling",
        ".": "got a folder; open it as a dataset: imagemill",
    }.items():
        with pytest.raises(CodecError, match=message) as caught:
            reader(tmp_path / name)
        assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("kind", SUFFIXES)
@pytest.mark.parametrize("name", ["wrong.png", "wrong.jpg", "wrong.tif", "wrong.nii", "wrong.npy", "wrong"])
def test_a_wrong_suffix_is_overruled_by_the_content_and_noted(tmp_path: Path, kind: str, name: str) -> None:
    whole = _sample(kind, tmp_path)
    (tmp_path / name).write_bytes(whole.read_bytes())
    picture = read_picture(tmp_path / name)
    np.testing.assert_array_equal(picture.array, read_picture(whole).array)
    told = {".tiff": ".tif", ".nii.gz": ".nii"}.get(kind, kind)
    assert ("by content" in picture.note) == (not name.endswith(told))


def test_large_pictures_are_refused_before_decoding(tmp_path: Path) -> None:
    # Headers that promise gigabytes; there is nothing behind them to decode.
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(CodecError, match=r"at most 200,000,000 pixels, got 60000 x 60000 = 3,600,000,000"):
        read_picture(tmp_path / "bomb.png")
    for suffix in SUFFIXES:
        whole = _sample(suffix, tmp_path)
        count = int(np.prod(read_picture(whole).spatial_shape))
        read_picture(whole, max_pixels=count)
        with pytest.raises(CodecError, match="pass a larger max_pixels"):
            read_picture(whole, max_pixels=count - 1)
        with pytest.raises(CodecError, match="pass a larger max_pixels"):
            read_mask(whole, max_pixels=count - 1)
    with pytest.raises(InputError, match="at least 1"):
        read_picture(whole, max_pixels=0)


def test_pictures_that_pillow_would_warn_about_are_read_quietly(tmp_path: Path) -> None:
    # 100 million pixels: above Pillow's own limit for a warning, below ours.
    Image.new("1", (10_000, 10_000)).save(tmp_path / "large.png")
    assert read_picture(tmp_path / "large.png").array.shape == (10_000, 10_000)


def test_the_cause_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_sample(".png", tmp_path).read_bytes()[:-20] + bytes(20))
    with pytest.raises(CodecError) as caught:
        read_picture(tmp_path / "a.png")
    assert isinstance(caught.value, OSError)
    with pytest.raises(CodecError) as caught:
        read_picture(tmp_path / "none.png")
    assert isinstance(caught.value.__cause__, FileNotFoundError)
