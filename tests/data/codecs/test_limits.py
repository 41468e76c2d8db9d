"""Headers that promise more than their bytes can become, and files cut off at any length."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from imagemill.core.errors import CodecError
from imagemill.data import Picture, ReadOptions, read_picture, write_picture
from imagemill.data.codecs.limits import gunzip
from imagemill.data.codecs.registry import decode

RNG = np.random.default_rng(0)
SMALL = RNG.integers(0, 256, (9, 11, 3), dtype=np.uint8)


def _png(path: Path) -> None:
    header = struct.pack(">IIBBBBB", 14_000, 14_000, 16, 6, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(90_000))), (b"IEND", b"")]
    body = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(body))


def _tiff(path: Path) -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((16, 16), np.float64), compression="zlib", rowsperstrip=16)
    data = bytearray(buffer.getvalue())
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            tag = tif.pages[0].tags[name]
            data[tag.valueoffset : tag.valueoffset + 2] = struct.pack("<H", 14_000)
    path.write_bytes(data)


def _nifti(path: Path) -> None:
    write_picture(path.with_name("whole.nii"), Picture(np.zeros((4, 4, 4), np.float64), "zyx"))
    data = bytearray(path.with_name("whole.nii").read_bytes())
    data[40:56] = struct.pack("<8h", 3, 580, 580, 580, 1, 1, 1, 1)
    path.write_bytes(gzip.compress(data))


def _bmp(path: Path) -> None:
    Image.new("RGB", (10, 10)).save(path)
    data = bytearray(path.read_bytes())
    data[18:26] = struct.pack("<ii", 14_000, 14_000)
    path.write_bytes(data)


@pytest.mark.parametrize(("suffix", "make"), [(".png", _png), (".tif", _tiff), (".nii.gz", _nifti), (".bmp", _bmp)])
def test_small_files_that_promise_gigabytes_take_no_memory(
    tmp_path: Path, suffix: str, make: Callable[[Path], None]
) -> None:
    # All of them stay below the limit of pixels: what refuses them is that so few bytes cannot hold so many.
    file = tmp_path / f"bomb{suffix}"
    make(file)
    assert file.stat().st_size < 2000
    tracemalloc.start()
    with pytest.raises(CodecError, match=r"bomb.*declares [\d,]{9,}"):
        read_picture(file)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def _encoded(folder: Path) -> dict[str, bytes]:
    found = {}
    for suffix in (".jpg", ".png", ".webp", ".bmp", ".tiff", ".npy"):
        write_picture(folder / f"a{suffix}", Picture(SMALL, "yxc"))
        found[suffix] = (folder / f"a{suffix}").read_bytes()
    for suffix in (".nii", ".nii.gz"):
        write_picture(folder / f"a{suffix}", Picture(RNG.integers(0, 255, (3, 4, 5), dtype=np.uint8), "zyx"))
        found[suffix] = (folder / f"a{suffix}").read_bytes()
    for name, mode, kind, more in (
        ("progressive.jpg", "RGB", "JPEG", {"progressive": True}),
        ("ink.jpg", "CMYK", "JPEG", {}),
        ("lossy.webp", "RGB", "WEBP", {"quality": 70}),
        ("palette.bmp", "P", "BMP", {}),
        ("one.gif", "P", "GIF", {}),
        ("lzw.tiff", "RGB", "TIFF", {"compression": "tiff_lzw"}),
        ("plain.tiff", "RGB", "TIFF", {}),
    ):
        buffer = io.BytesIO()
        Image.fromarray(SMALL).convert(mode).save(buffer, kind, **more)
        found[name] = buffer.getvalue()
    buffer = io.BytesIO()
    frames = [Image.fromarray(SMALL).rotate(n * 90) for n in range(3)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    found["film.gif"] = buffer.getvalue()
    return found


def test_files_cut_off_at_any_length_are_errors(tmp_path: Path) -> None:
    for name, data in _encoded(tmp_path).items():
        suffix = name[name.index(".") :]
        for length in range(0, len(data), 1 if len(data) < 1200 else 5):
            with pytest.raises(CodecError, match="cut"):
                decode(Path(f"cut{suffix}"), ReadOptions(), data[:length])
        assert decode(Path(f"whole{suffix}"), ReadOptions(), data).array.size


def test_frames_are_counted_without_decoding_them(tmp_path: Path) -> None:
    data = _encoded(tmp_path)["film.gif"]
    assert decode(Path("film.gif"), ReadOptions(), data).note == "first of 3 frames"


def test_files_that_are_too_long_are_not_read(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", Picture(SMALL, "yxc"))
    size = (tmp_path / "a.png").stat().st_size
    assert decode(tmp_path / "a.png", ReadOptions(max_bytes=size)).array.shape == SMALL.shape
    with pytest.raises(CodecError, match="pass a larger max_bytes"):
        decode(tmp_path / "a.png", ReadOptions(max_bytes=size - 1))


def test_gunzip_takes_what_it_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "a.gz"
    file.write_bytes(gzip.compress(bytes(1000)))
    assert gunzip(file, 1000) == bytes(1000)
    assert gunzip(file, 10, exact=False) == bytes(10)
    for wanted, message in ((999, "got more"), (1001, "got only 1,000"), (10**9, "declares 1,000,000,000")):
        with pytest.raises(CodecError, match=message):
            gunzip(file, wanted)
    file.write_bytes(gzip.compress(bytes(1000))[:-3])
    with pytest.raises(CodecError, match="a whole gzip file"):
        gunzip(file, 1000)
