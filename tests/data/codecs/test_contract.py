"""What every format promises, whichever codec is behind it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imagemill.core.errors import CodecError, InputError, MissingExtra
from imagemill.data import Picture, formats, is_readable_name, read_picture, write_picture

LOSSLESS = {
    ".png": [(dtype, axes) for dtype in ("uint8", "uint16") for axes in ("yx", "yxc2", "yxc3", "yxc4")],
    ".bmp": [("uint8", "yx"), ("uint8", "yxc3")],
    ".gif": [("uint8", "yx")],
    ".webp": [("uint8", "yxc3")],
    ".tiff": [
        (dtype, axes)
        for dtype in ("uint8", "int16", "uint16", "uint32", "int64", "float16", "float32", "float64")
        for axes in ("yx", "yxc1", "yxc3", "yxc4", "yxc7", "zyx", "zyxc1", "zyxc2", "zyxc3")
    ],
    ".npy": [(dtype, axes) for dtype in ("bool", "int8", "uint16", "float16", "float64") for axes in ("yx", "yxc3")],
    ".nii": [(d, a) for d in ("uint8", "int16", "int64", "uint32", "float32", "float64") for a in ("zyx", "zyxc2")],
    ".mha": [(d, a) for d in ("uint8", "int16", "int64", "float32") for a in ("yx", "yxc3", "zyx", "zyxc2")],
    ".nrrd": [(d, a) for d in ("int8", "uint16", "uint64", "float64") for a in ("yx", "yxc3", "zyx", "zyxc2")],
    ".nii.gz": [("int8", "zyx"), ("uint16", "zyxc3"), ("uint64", "zyx"), ("float32", "zyx")],
}
CASES = [(suffix, dtype, axes) for suffix, kinds in LOSSLESS.items() for dtype, axes in kinds]


def arrays(dtype: str, axes: str) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    count = int(axes[-1]) if axes[-1].isdigit() else None
    places = len(axes.rstrip("0123456789").removesuffix("c"))
    shape = hnp.array_shapes(min_dims=places, max_dims=places, max_side=6)
    if count is not None:
        shape = shape.map(lambda sides: (*sides, count))
    wanted: dict[str, Any] = {"allow_nan": False} if dtype.startswith("float") else {}
    return hnp.arrays(dtype, shape, elements=hnp.from_dtype(np.dtype(dtype), **wanted))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contract")


@given(st.data())
@pytest.mark.parametrize("suffix", sorted(LOSSLESS))
def test_what_is_written_is_read_back(folder: Path, suffix: str, data: st.DataObject) -> None:
    dtype, axes = data.draw(st.sampled_from(LOSSLESS[suffix]))
    array = data.draw(arrays(dtype, axes))
    names = axes.rstrip("0123456789")
    placed = suffix.startswith(".nii") or (suffix in (".mha", ".nrrd") and names.startswith("z"))
    affine = np.array([[0, 0, -1.5, 4], [0, 2.0, 0, -5], [3.0, 0, 0, 6], [0, 0, 0, 1]]) if placed else None
    before = array.copy()
    file = folder / f"a{suffix}"
    write_picture(file, Picture(array, names, affine))
    np.testing.assert_array_equal(array, before)
    again = read_picture(file)
    assert (again.axes, again.array.dtype) == (names, array.dtype)
    np.testing.assert_array_equal(again.array, array)
    assert again.array.flags.c_contiguous
    if affine is not None:
        assert again.affine is not None
        np.testing.assert_allclose(again.affine, affine)


@pytest.mark.parametrize(("suffix", "dtype", "axes"), [*CASES, (".jpg", "uint8", "yxc3"), (".jpg", "uint8", "yx")])
def test_equal_pictures_give_equal_bytes(tmp_path: Path, suffix: str, dtype: str, axes: str) -> None:
    shape = (2, 3, 4)[3 - len(axes.rstrip("0123456789").removesuffix("c")) :]
    shape += (int(axes[-1]),) if axes[-1].isdigit() else ()
    array = (np.arange(np.prod(shape)).reshape(shape) % 97).astype(dtype)
    picture = Picture(array, axes.rstrip("0123456789"))
    write_picture(tmp_path / f"one{suffix}", picture)
    # Another name and a view of other strides must not show in the file.
    write_picture(tmp_path / "b" / f"two{suffix}", Picture(np.asfortranarray(array), picture.axes))
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / "b" / f"two{suffix}").read_bytes()


def test_jpeg_is_close_and_keeps_full_chroma(tmp_path: Path) -> None:
    yy, xx = np.mgrid[:32, :48]
    array = np.stack([yy * 5, xx * 4, 255 - xx * 3], axis=-1).astype(np.uint8)
    write_picture(tmp_path / "a.jpg", Picture(array, "yxc"))
    again = read_picture(tmp_path / "a.jpg").array
    assert np.abs(again.astype(int) - array).max() <= 6
    # Red and blue columns one pixel wide: halved chroma would smear them into each other.
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::2, 0], stripes[:, 1::2, 2] = 255, 255
    write_picture(tmp_path / "s.jpg", Picture(stripes, "yxc"))
    assert np.abs(read_picture(tmp_path / "s.jpg").array.astype(int) - stripes).mean() < 12


@pytest.mark.parametrize(
    ("suffix", "shape", "dtype", "instead"),
    [
        (".jpg", (4, 4, 5), "uint8", r"\.tiff"),
        (".jpg", (4, 4, 4), "uint8", r"\.png or \.webp"),
        (".jpg", (4, 4), "uint16", r"\.png or \.tiff"),
        (".png", (4, 4), "float32", r"\.tiff or \.npy"),
        (".png", (4, 4, 7), "uint8", r"\.tiff"),
        (".webp", (4, 4), "uint16", r"\.png"),
        (".gif", (4, 4, 3), "uint8", r"\.png or \.tiff"),
        (".bmp", (4, 4, 4), "uint8", r"\.png"),
        (".webp", (1, 16_384), "uint8", r"\.tiff"),
        (".nii.gz", (4, 4), "uint8", r"\.tiff or \.png"),
        (".mgz", (4, 4), "uint8", r"\.nii\.gz"),
        (".tiff", (4, 4), "bool", "uint8"),
        (".png", (0, 4), "uint8", "without pixels"),
    ],
)
def test_a_format_that_cannot_hold_the_picture_says_which_can(
    tmp_path: Path, suffix: str, shape: tuple[int, ...], dtype: str, instead: str
) -> None:
    file = tmp_path / f"a{suffix}"
    picture = Picture(np.zeros(shape, dtype), "yxc"[: len(shape)])
    with pytest.raises(CodecError, match=instead):
        write_picture(file, picture)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".gif"])
def test_volumes_do_not_go_into_photos(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(CodecError, match=r"holds no volumes; choose \.nii\.gz or \.tiff"):
        write_picture(tmp_path / f"a{suffix}", Picture(np.zeros((2, 3, 4), np.uint8), "zyx"))


def test_float16_and_bool_volumes_are_refused_by_nifti(tmp_path: Path) -> None:
    for dtype in ("float16", "bool"):
        with pytest.raises(CodecError, match=r"convert to uint8 or float32"):
            write_picture(tmp_path / "a.nii.gz", Picture(np.zeros((2, 3, 4), dtype), "zyx"))


def test_unknown_suffixes_are_refused_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match=r"expected one of \.jpg .*\.npy, got suffix '\.xyz'"):
        write_picture(tmp_path / "a.xyz", Picture(np.zeros((2, 3)), "yx"))


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_picture(tmp_path / "a.png", Picture(np.zeros((2, 3), np.uint8), "yx"))
    old = (tmp_path / "a.png").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imagemill.data.atomic.os.replace", full)
    with pytest.raises(CodecError, match="No space left"):
        write_picture(tmp_path / "a.png", Picture(np.ones((2, 3), np.uint8), "yx"))
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == old


def test_the_table_of_formats_tells_the_truth(tmp_path: Path) -> None:
    rows = {row.suffix: row for row in formats()}
    read_only = {".mgz", ".mgh", ".dcm", ".dicom", ".ima", ".mhd", ".nhdr", ".avif", ".tga", ".dib"}
    read_only |= set(
        [".jfif", ".jpe", ".jif", ".mpo", ".pbm", ".pgm", ".ppm", ".pnm", ".pam", ".pfm", ".heic", ".heif", ".hif"]
    )
    read_only |= {".jp2", ".j2k", ".jpx", ".jpf", ".jpc", ".j2c"}
    assert set(LOSSLESS) | {".jpg", ".jpeg", ".tif"} | read_only == set(rows)
    assert rows[".dcm"].extra == "medical"
    assert rows[".nii.gz"].package == "nibabel"
    assert rows[".nii.gz"].extra == "medical"
    assert rows[".png"].package is None
    for suffix, row in rows.items():
        assert row.available or row.extra == "heif"
        assert is_readable_name(f"a{suffix.upper()}")
        axes = "zyx" if suffix in (".nii", ".nii.gz", ".mgz", ".mgh", ".mha") else "yx"
        picture = Picture(np.zeros((2, 3, 4)[: len(axes)], np.uint8), axes)
        if row.writes:
            write_picture(tmp_path / f"a{suffix}", picture)
        else:
            with pytest.raises(CodecError, match="read only"):
                write_picture(tmp_path / f"a{suffix}", picture)


@pytest.mark.parametrize(
    ("array", "axes", "affine", "message"),
    [
        (np.zeros((2, 3)), "xy", None, "channels last"),
        (np.zeros((2, 3, 3)), "yx", None, "one letter per axis"),
        (np.zeros((2, 3)), "yx", np.eye(4), r"shape \(3, 3\)"),
        (np.zeros((2, 3, 4)), "zyx", np.eye(3), r"shape \(4, 4\)"),
    ],
)
def test_pictures_check_their_parts(array: Any, axes: str, affine: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Picture(array, axes, affine)


@pytest.mark.parametrize(("suffix", "package", "extra"), [(".tif", "tifffile", "tiff"), (".nii", "nibabel", "medical")])
def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, package: str, extra: str
) -> None:
    picture = Picture(np.zeros((2, 3, 4), np.uint8), "zyx")
    write_picture(tmp_path / f"a{suffix}", picture)
    monkeypatch.setitem(sys.modules, package, None)
    assert {row.suffix for row in formats() if not row.available} >= {suffix}
    assert next(row for row in formats() if row.suffix == ".png").available
    for action in (
        lambda: read_picture(tmp_path / f"a{suffix}"),
        lambda: write_picture(tmp_path / f"b{suffix}", picture),
    ):
        with pytest.raises(MissingExtra, match=rf"pip install 'imagemill\[{extra}\]'"):
            action()
    assert not (tmp_path / f"b{suffix}").exists()


def test_reading_in_threads_gives_the_same_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    files = []
    for suffix in (".png", ".jpg", ".webp", ".gif", ".tiff", ".npy"):
        array = rng.integers(0, 256, (40, 50), dtype=np.uint8)
        write_picture(tmp_path / f"a{suffix}", Picture(array, "yx"))
        files += [tmp_path / f"a{suffix}"] * 8
    expected = [read_picture(file).array for file in files]
    with ThreadPoolExecutor(4) as pool:
        for found, pixels in zip(pool.map(read_picture, files), expected, strict=True):
            np.testing.assert_array_equal(found.array, pixels)
