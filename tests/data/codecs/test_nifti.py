from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagemill.core.errors import CodecError
from imagemill.data import Picture, read_mask, read_picture, write_picture

OBLIQUE = np.array([[1.9, 0.3, -0.2, -40.0], [-0.4, 2.1, 0.5, 12.0], [0.3, -0.4, 3.0, 7.5], [0, 0, 0, 1]])
SHEARED = np.array([[1.0, 0.4, 0.0, -4.0], [0.0, 2.0, 0.1, 12.0], [0.0, 0.0, 3.0, 7.5], [0, 0, 0, 1]])


def _rigid() -> npt.NDArray[np.float64]:
    """A rotation about an odd axis times spacing, left-handed."""
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    tip = np.array([[1, 0, 0], [0, np.cos(1.1), -np.sin(1.1)], [0, np.sin(1.1), np.cos(1.1)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ tip @ np.diag([-0.9, 1.2, 5.0])
    affine[:3, 3] = [3.0, -20.0, 11.0]
    return affine


def _affine_of(array: Any, picture: Picture, affine: Any, index: tuple[int, int, int]) -> None:
    """The voxel (i, j, k) of nibabel and (k, j, i) of the picture: one value at one place."""
    i, j, k = index
    assert picture.affine is not None
    assert picture.array[k, j, i] == array[i, j, k]
    np.testing.assert_allclose(picture.affine @ [k, j, i, 1], np.asarray(affine) @ [i, j, k, 1], atol=1e-5)


@pytest.mark.parametrize("affine", [np.eye(4), OBLIQUE, SHEARED, _rigid()], ids=["eye", "oblique", "shear", "rigid"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_voxels_stay_at_their_place_in_the_world(tmp_path: Path, affine: Any, suffix: str) -> None:
    array = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
    nib.save(nib.Nifti1Image(array, affine), tmp_path / f"a{suffix}")
    picture = read_picture(tmp_path / f"a{suffix}")
    assert (picture.axes, picture.array.shape, picture.array.dtype) == ("zyx", (4, 3, 2), np.int16)
    _affine_of(array, picture, affine, (1, 2, 3))
    write_picture(tmp_path / f"b{suffix}", picture)
    again = nib.load(tmp_path / f"b{suffix}")
    np.testing.assert_allclose(again.affine, affine, atol=1e-5)
    np.testing.assert_array_equal(np.asanyarray(again.dataobj), array)
    _affine_of(array, read_picture(tmp_path / f"b{suffix}"), affine, (1, 0, 2))


def test_codes_units_and_shear(tmp_path: Path) -> None:
    for name, affine, sheared in (("r", _rigid(), False), ("s", SHEARED, True)):
        image = nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), affine)
        image.header.set_xyzt_units("micron", "msec")
        image.header["intent_code"] = 1002
        image.set_sform(affine, code=4)
        image.set_qform(affine, code=3, strip_shears=True)
        nib.save(image, tmp_path / f"{name}.nii.gz")
        picture = read_picture(tmp_path / f"{name}.nii.gz")
        assert picture.meta["nifti"]["sform_code"] == 4
        write_picture(tmp_path / "out.nii.gz", picture)
        header = nib.load(tmp_path / "out.nii.gz").header
        assert int(header["sform_code"]) == 4
        assert int(header["qform_code"]) == (0 if sheared else 3)
        assert header.get_xyzt_units() == ("micron", "msec")
        assert int(header["intent_code"]) == 1002
        np.testing.assert_allclose(header.get_sform(), affine, atol=1e-5)
        np.testing.assert_allclose(header.get_zooms(), np.linalg.norm(affine[:3, :3], axis=0), rtol=1e-5)
        if not sheared:
            np.testing.assert_allclose(header.get_qform(), affine, atol=1e-5)


@example(1)
@example(712)
@example(390575239)
@given(st.integers(0, 2**32 - 1))
def test_any_rotation_and_spacing_survives_in_both_forms(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * rng.uniform(0.3, 6.0, 3)
    affine[:3, 3] = rng.uniform(-200, 200, 3)
    file = tmp_path_factory.mktemp("q") / "a.nii"
    write_picture(file, Picture(np.zeros((2, 2, 2), np.uint8), "zyx", affine))
    header = nib.load(file).header
    # Near half a turn a NIfTI quaternion is too coarse (712 is such a seed): then the sform stands alone.
    assert int(header["sform_code"]) == 1
    assert {1: 1, 712: 0}.get(seed, int(header["qform_code"])) == int(header["qform_code"])
    if int(header["qform_code"]):
        lengths = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
        assert np.max(np.abs(header.get_qform() - header.get_sform())[:3, :3] / lengths) < 2e-4
    found = read_picture(file).affine
    assert found is not None
    np.testing.assert_allclose(found, affine, atol=1e-4)


def test_time_becomes_channels_and_keeps_its_step(tmp_path: Path) -> None:
    array = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    image = nib.Nifti1Image(array, OBLIQUE)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 2.5
    nib.save(image, tmp_path / "a.nii.gz")
    picture = read_picture(tmp_path / "a.nii.gz")
    assert (picture.axes, picture.array.shape) == ("zyxc", (4, 3, 2, 5))
    assert picture.note == "read as 4 slices with 5 time points as channels"
    np.testing.assert_array_equal(picture.array, np.transpose(array, (2, 1, 0, 3)))
    write_picture(tmp_path / "b.nii.gz", picture)
    again = nib.load(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(again.dataobj), array)
    assert float(again.header["pixdim"][4]) == 2.5
    assert again.header.get_xyzt_units() == ("mm", "sec")


@pytest.mark.parametrize("shape", [(3, 4, 5, 1), (3, 4, 5, 1, 1)])
def test_trailing_axes_of_one_are_dropped(tmp_path: Path, shape: tuple[int, ...]) -> None:
    nib.save(nib.Nifti1Image(np.zeros(shape, np.uint8), np.eye(4)), tmp_path / "a.nii")
    assert read_picture(tmp_path / "a.nii").array.shape == (5, 4, 3)


def test_vectors_and_single_slices(tmp_path: Path) -> None:
    field = np.arange(2 * 3 * 4 * 3, dtype=np.float32).reshape(2, 3, 4, 1, 3)
    nib.save(nib.Nifti1Image(field, np.eye(4)), tmp_path / "v.nii")
    picture = read_picture(tmp_path / "v.nii")
    assert (picture.array.shape, picture.note) == ((4, 3, 2, 3), "3 components read as channels")
    nib.save(nib.Nifti1Image(np.zeros((2, 3), np.uint8), np.eye(4)), tmp_path / "s.nii")
    assert read_picture(tmp_path / "s.nii").array.shape == (1, 3, 2)


def test_stored_integers_are_kept_unless_a_scaling_changes_them(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    image = nib.Nifti1Image(array, np.eye(4))
    image.header.set_slope_inter(0.5, -3.0)
    nib.save(image, tmp_path / "a.nii")
    stored = np.asanyarray(nib.load(tmp_path / "a.nii").dataobj.get_unscaled())
    scaled = read_picture(tmp_path / "a.nii")
    assert scaled.array.dtype == np.float32
    np.testing.assert_allclose(scaled.array.T, stored * 0.5 - 3.0)
    assert "scaled by 0.5 and shifted by -3" in scaled.note
    image.header.set_slope_inter(1.0, 0.0)
    nib.save(image, tmp_path / "b.nii")
    assert read_picture(tmp_path / "b.nii").array.dtype == np.int16
    wide = nib.Nifti1Image(np.full((2, 2, 2), 16_777_217, np.int32), np.eye(4))
    wide.header.set_slope_inter(1.0, 1.0)
    nib.save(wide, tmp_path / "c.nii")
    assert read_picture(tmp_path / "c.nii").array.dtype == np.float64


def test_big_endian_and_second_version(tmp_path: Path) -> None:
    array = np.arange(24, dtype=">i2").reshape(2, 3, 4)
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    nib.save(nib.Nifti1Image(array, OBLIQUE, header), tmp_path / "a.nii")
    assert (tmp_path / "a.nii").read_bytes()[:4] == b"\0\0\x01\x5c"
    picture = read_picture(tmp_path / "a.nii")
    assert picture.array.dtype == np.int16
    assert picture.array.dtype.isnative
    _affine_of(array, picture, OBLIQUE, (1, 2, 3))
    nib.save(nib.Nifti2Image(array.astype(np.float32), OBLIQUE), tmp_path / "b.nii.gz")
    _affine_of(array, read_picture(tmp_path / "b.nii.gz"), OBLIQUE, (0, 2, 1))


@pytest.mark.parametrize("suffix", [".mgz", ".mgh"])
def test_freesurfer_volumes(tmp_path: Path, suffix: str) -> None:
    array = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    nib.save(nib.MGHImage(array, _rigid()), tmp_path / f"a{suffix}")
    picture = read_picture(tmp_path / f"a{suffix}")
    assert (picture.meta["format"], picture.array.dtype) == ("mgh", np.int32)
    assert picture.array.dtype.isnative
    _affine_of(array, picture, _rigid(), (1, 2, 3))
    write_picture(tmp_path / "b.nii.gz", picture)
    _affine_of(array, read_picture(tmp_path / "b.nii.gz"), _rigid(), (1, 1, 1))


def test_colour_volumes_and_pairs_are_refused_with_advice(tmp_path: Path) -> None:
    colour = np.zeros((2, 3, 4), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    nib.save(nib.Nifti1Image(colour, np.eye(4)), tmp_path / "rgb.nii")
    with pytest.raises(CodecError, match=r"colour or complex.*one volume per channel"):
        read_picture(tmp_path / "rgb.nii")
    nib.save(nib.Nifti1Image(np.zeros((2, 3, 4), np.complex64), np.eye(4)), tmp_path / "c.nii")
    with pytest.raises(CodecError, match="colour or complex"):
        read_picture(tmp_path / "c.nii")
    nib.save(nib.Nifti1Pair(np.zeros((2, 3, 4), np.uint8), np.eye(4)), tmp_path / "p.hdr")
    with pytest.raises(CodecError, match=r"convert the pair to \.nii\.gz"):
        read_picture(tmp_path / "p.hdr")
    nib.save(nib.Nifti1Image(np.zeros((2, 3, 4, 2, 2), np.uint8), np.eye(4)), tmp_path / "5.nii")
    with pytest.raises(CodecError, match="3 axes, or 4 with time"):
        read_picture(tmp_path / "5.nii")
    with pytest.raises(CodecError, match="leave axes out"):
        read_picture(_plain(tmp_path), axes="zyxc")


def _plain(folder: Path) -> Path:
    nib.save(nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), np.eye(4)), folder / "plain.nii")
    return folder / "plain.nii"


def test_an_affine_that_flattens_the_volume_is_an_error(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), np.eye(4))
    image.set_sform(np.diag([1.0, 1.0, 0.0, 1.0]), code=2)
    nib.save(image, tmp_path / "a.nii")
    with pytest.raises(CodecError, match=r"affine that can be inverted.*mend its sform"):
        read_picture(tmp_path / "a.nii")


def test_voxel_sizes_that_contradict_the_affine_are_kept_and_win_as_spacing(tmp_path: Path) -> None:
    # As the ACDC files are: an sform of ones, and the true sizes in pixdim only.
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), np.diag([-1.0, -1.0, 1.0, 1.0]))
    image.header["pixdim"][1:4] = [1.5, 1.25, 10.0]
    image.header["sform_code"], image.header["qform_code"] = 2, 0
    nib.save(image, tmp_path / "a.nii.gz")
    first = read_picture(tmp_path / "a.nii.gz")
    write_picture(tmp_path / "b.nii.gz", first)
    for picture in (first, read_picture(tmp_path / "b.nii.gz")):
        assert picture.spacing == (10.0, 1.25, 1.5)
        assert picture.affine is not None
        np.testing.assert_array_equal(picture.affine[:3, :3], [[0, 0, -1], [0, -1, 0], [1, 0, 0]])
        assert "(10 x 1.25 x 1.5) contradict the affine" in picture.note
    header = nib.load(tmp_path / "b.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (2, 0)
    assert header.get_zooms() == (1.5, 1.25, 10.0)
    agreed = Picture(first.array, "zyx", np.diag([3.0, 2.0, 1.0, 1.0]))
    assert agreed.spacing == (3.0, 2.0, 1.0)
    assert Picture(first.array, "zyx").spacing is None


def test_a_volume_without_orientation_says_so(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.nii", Picture(np.zeros((2, 3, 4), np.uint8), "zyx"))
    picture = read_picture(tmp_path / "a.nii")
    assert "says no orientation" in picture.note
    assert picture.meta["nifti"]["sform_code"] == 0


def test_compressed_files_carry_no_date_and_no_name(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.nii.gz", Picture(np.zeros((2, 3, 4), np.uint8), "zyx"))
    data = (tmp_path / "a.nii.gz").read_bytes()
    assert data[3] == 0  # no flags: no name, no comment
    assert data[4:8] == b"\0\0\0\0"  # no date
    assert gzip.decompress(data)[344:348] == b"n+1\0"


def test_the_checksum_at_the_end_of_gzip_counts(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.nii.gz", Picture(np.zeros((2, 3, 4), np.uint8), "zyx"))
    data = (tmp_path / "a.nii.gz").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(data[:-8] + b"\1\2\3\4" + data[-4:])
    with pytest.raises(CodecError, match="CRC check failed"):
        read_mask(tmp_path / "b.nii.gz")


def _printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What nibabel's own logger, which writes to the terminal, is given from now on."""
    said: list[str] = []

    class Logger:
        def log(self, level: int, message: str) -> None:
            said.extend([message] if level >= 30 else [])

    monkeypatch.setattr("nibabel.imageglobals.logger", Logger())
    return said


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (0, b"\x11", "sizeof_hdr should be 348"),
        (80, np.float32(-1.5).tobytes(), "pixdim"),
        (252, b"\x63\x00", "qform_code 99 not valid"),
    ],
)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_what_nibabel_mends_in_a_header_is_said_and_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, at: int, value: bytes, words: str
) -> None:
    printed = _printed(monkeypatch)
    voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    write_picture(tmp_path / "a.nii", Picture(voxels, "zyx", np.diag([3.0, 2.0, 1.5, 1.0])))
    data = bytearray((tmp_path / "a.nii").read_bytes())
    data[at : at + len(value)] = value
    (tmp_path / f"b{suffix}").write_bytes(gzip.compress(data) if suffix == ".nii.gz" else data)
    found = read_picture(tmp_path / f"b{suffix}")
    np.testing.assert_array_equal(found.array, voxels)
    assert "header mended: " in found.note
    assert words in found.note
    assert printed == []


def test_a_header_that_cannot_be_mended_is_an_error_and_nothing_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = _printed(monkeypatch)
    write_picture(tmp_path / "a.nii", Picture(np.zeros((2, 3, 4), np.int16), "zyx"))
    data = bytearray((tmp_path / "a.nii").read_bytes())
    data[70:72] = b"\x05\x00"  # a type of voxels that there is not
    (tmp_path / "b.nii").write_bytes(data)
    with pytest.raises(CodecError, match=r"b\.nii: expected a whole, readable NIfTI.*data code 5 not recognized"):
        read_picture(tmp_path / "b.nii")
    assert printed == []
