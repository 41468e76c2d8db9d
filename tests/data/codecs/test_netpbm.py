"""Netpbm and PFM: against OpenCV's and Pillow's writers, and against bytes written by hand after the manual pages."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import imagemill as im

RNG = np.random.default_rng(3)
COLOUR = RNG.integers(0, 256, (9, 13, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 65_536, (9, 13, 3), dtype=np.uint16)


def _opencv(array: np.ndarray, suffix: str, *options: int) -> bytes:
    ok, data = cv2.imencode(suffix, array[..., ::-1] if array.ndim == 3 else array, list(options))
    assert ok
    return data.tobytes()


@pytest.mark.parametrize("binary", [0, 1])
@pytest.mark.parametrize("array", [COLOUR, COLOUR[..., 0], DEEP, DEEP[..., 0]], ids=["P6", "P5", "P6-16", "P5-16"])
def test_pixels_are_those_that_opencv_wrote(tmp_path: Path, array: np.ndarray, binary: int) -> None:
    suffix = ".ppm" if array.ndim == 3 else ".pgm"
    (tmp_path / f"a{suffix}").write_bytes(_opencv(array, suffix, cv2.IMWRITE_PXM_BINARY, binary))
    found = im.read_picture(tmp_path / f"a{suffix}")
    assert found.array.dtype == array.dtype
    np.testing.assert_array_equal(found.array, array)
    assert im.image_size(tmp_path / f"a{suffix}") == (9, 13)


@pytest.mark.parametrize("binary", [0, 1])
def test_black_and_white_is_shown_as_it_is_and_a_label_map_says_one_for_white(tmp_path: Path, binary: int) -> None:
    white = COLOUR[..., 0] > 128
    (tmp_path / "a.pbm").write_bytes(_opencv(white.astype(np.uint8) * 255, ".pbm", cv2.IMWRITE_PXM_BINARY, binary))
    np.testing.assert_array_equal(im.read_picture(tmp_path / "a.pbm").array, white * np.uint8(255))
    np.testing.assert_array_equal(im.read_mask(tmp_path / "a.pbm").array, white)


def test_white_is_what_the_file_says_and_labels_are_counts(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P2\n# four levels\n4 1\n3\n0 1 2 3\n")
    np.testing.assert_array_equal(im.read_picture(tmp_path / "a.pgm").array, [[0, 85, 170, 255]])
    np.testing.assert_array_equal(im.read_mask(tmp_path / "a.pgm").array, [[0, 1, 2, 3]])
    assert "0 to 3 spread over 0 to 255" in im.read_picture(tmp_path / "a.pgm").note
    (tmp_path / "b.pgm").write_bytes(b"P5 2 1 1000\n" + np.array([500, 1000], ">u2").tobytes())
    np.testing.assert_array_equal(im.read_picture(tmp_path / "b.pgm").array, [[32_768, 65_535]])
    np.testing.assert_array_equal(im.read_mask(tmp_path / "b.pgm").array, [[500, 1000]])
    (tmp_path / "c.pgm").write_bytes(b"P5 2 1 100\n" + bytes([100, 101]))
    with pytest.raises(im.CodecError, match=r"c\.pgm: expected samples of 0 to 100, as the header says, got 101"):
        im.read_picture(tmp_path / "c.pgm")


@pytest.mark.parametrize(("depth", "axes"), [(1, "yx"), (2, "yxc"), (3, "yxc"), (4, "yxc"), (7, "yxc")])
def test_pam_of_any_depth(tmp_path: Path, depth: int, axes: str) -> None:
    array = RNG.integers(0, 65_536, (4, 5, depth)).astype(">u2")
    head = f"P7\nHEIGHT 4\nWIDTH 5\n# why not\nDEPTH {depth}\nMAXVAL 65535\nTUPLTYPE ANY\nENDHDR\n"
    (tmp_path / "a.pam").write_bytes(head.encode() + array.tobytes())
    found = im.read_picture(tmp_path / "a.pam")
    assert (found.axes, found.array.dtype) == (axes, np.uint16)
    np.testing.assert_array_equal(found.array.reshape(4, 5, depth), array)


@pytest.mark.parametrize("array", [COLOUR / np.float32(7), COLOUR[..., 0] / np.float32(7)], ids=["PF", "Pf"])
def test_floats_are_those_that_opencv_wrote_with_rows_from_the_bottom(tmp_path: Path, array: np.ndarray) -> None:
    (tmp_path / "a.pfm").write_bytes(_opencv(array, ".pfm"))
    np.testing.assert_array_equal(im.read_picture(tmp_path / "a.pfm").array, array)
    (tmp_path / "b.pfm").write_bytes(b"Pf\n2 2\n1.0\n" + np.array([3, 4, 1, 2], ">f4").tobytes())
    np.testing.assert_array_equal(im.read_picture(tmp_path / "b.pfm").array, [[1, 2], [3, 4]])


def test_comments_and_digits_without_spaces(tmp_path: Path) -> None:
    (tmp_path / "a.pbm").write_bytes(b"P1#a\n3 #b\n2\n010\n1 1#c\n1\n")
    np.testing.assert_array_equal(im.read_mask(tmp_path / "a.pbm").array, [[1, 0, 1], [0, 0, 0]])
    (tmp_path / "a.ppm").write_bytes(b"P6 # a comment\n1 1 # another\n255\n" + bytes([1, 2, 3]))
    np.testing.assert_array_equal(im.read_picture(tmp_path / "a.ppm").array, [[[1, 2, 3]]])


def test_of_several_pictures_in_a_file_the_first_is_read_and_it_is_said(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(COLOUR).save(buffer, "PPM")
    (tmp_path / "a.ppm").write_bytes(buffer.getvalue() * 2)
    found = im.read_picture(tmp_path / "a.ppm")
    np.testing.assert_array_equal(found.array, COLOUR)
    assert found.note == "first of several pictures"


@pytest.mark.parametrize(
    "data",
    [
        b"P5 30000 30000 255\n" + bytes(50),
        b"P2 9000 9000 255\n1 2 3\n",
        b"P6 99999999999999999999999 1 255\n",
        b"P5 0 4 255\n",
        b"P5 4 4 70000\n" + bytes(40),
        b"P7\nWIDTH 4\nHEIGHT 4\nENDHDR\n",
        b"P2 2 2 255\n1 2 3 -4\n",
        b"P3 1 1 255\n1 2 999999\n",
        b"Pf\n2 2\nnan\n" + bytes(16),
    ],
)
def test_headers_that_promise_too_much_or_nothing_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.pnm").write_bytes(data)
    with pytest.raises(im.CodecError, match=r"a\.pnm: expected .*, got .*; "):
        im.read_picture(tmp_path / "a.pnm")
