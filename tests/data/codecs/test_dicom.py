"""One DICOM file as a picture: decoded by hand-made truth, compressed and not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, SegmentationStorage, UltrasoundImageStorage

from imagemill.core.errors import CodecError
from imagemill.data import Picture, read_mask, read_picture, write_picture
from tests.data.dicoms import dicom, item

RNG = np.random.default_rng(0)
SIGNED = RNG.integers(-2000, 2000, (20, 24)).astype(np.int16)


def test_hounsfield_units_are_whole_numbers(tmp_path: Path) -> None:
    stored = RNG.integers(0, 4096, (6, 7)).astype(np.uint16)
    file = dicom(tmp_path / "a.dcm", stored, BitsStored=12, HighBit=11, RescaleSlope=1, RescaleIntercept=-1024)
    picture = read_picture(file)
    assert (picture.axes, picture.array.dtype) == ("yx", np.int16)
    np.testing.assert_array_equal(picture.array, stored.astype(int) - 1024)
    assert "scaled by 1 and shifted by -1024" in picture.note
    assert picture.meta["dicom"] == {"modality": "CT"}
    half = dicom(tmp_path / "b.dcm", stored, RescaleSlope=0.5, RescaleIntercept=0)
    np.testing.assert_array_equal(read_picture(half).array, stored.astype(np.float32) / 2)
    np.testing.assert_array_equal(read_mask(half).array, stored)  # labels are stored numbers


def test_white_is_zero_is_inverted_and_said(tmp_path: Path) -> None:
    stored = np.array([[0, 1, 4095]], np.uint16)
    file = dicom(tmp_path / "a.dcm", stored, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    picture = read_picture(file)
    assert picture.array.tolist() == [[4095, 4094, 0]]
    assert "white is zero: inverted" in picture.note


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (JPEGLSLossless, lambda a: imagecodecs.jpegls_encode(a.view(np.uint16))),
        (JPEGLosslessSV1, lambda a: imagecodecs.ljpeg_encode(a.view(np.uint16))),
        (JPEG2000Lossless, lambda a: imagecodecs.jpeg2k_encode(a, level=0, codecformat="j2k", reversible=True)),
    ],
)
def test_compressed_without_loss_keeps_the_sign(tmp_path: Path, syntax: Any, encode: Any) -> None:
    file = dicom(tmp_path / "a.dcm", SIGNED)
    dataset = pydicom.dcmread(file)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([encode(SIGNED)])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(file)
    picture = read_picture(file)
    assert picture.array.dtype == np.int16
    np.testing.assert_array_equal(picture.array, SIGNED)


def test_colours(tmp_path: Path) -> None:
    rgb = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_picture(dicom(tmp_path / "a.dcm", rgb)).array, rgb)
    gray = np.stack([rgb[..., 0], np.full((6, 8), 128), np.full((6, 8), 128)], axis=-1).astype(np.uint8)
    ybr = read_picture(dicom(tmp_path / "b.dcm", gray, PhotometricInterpretation="YBR_FULL"))
    assert np.abs(ybr.array.astype(int) - rgb[..., :1]).max() <= 1
    table = np.arange(256, dtype=np.uint16) * 256
    words: dict[str, Any] = {}
    for number, name in enumerate(("Red", "Green", "Blue")):
        words[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        words[f"{name}PaletteColorLookupTableData"] = np.roll(table, number).tobytes()
    file = dicom(tmp_path / "c.dcm", rgb[..., 0], PhotometricInterpretation="PALETTE COLOR", **words)
    coloured = read_picture(file).array
    assert coloured.dtype == np.uint8  # only the upper half of 16 bits says something
    np.testing.assert_array_equal(coloured, rgb[..., :1] - np.arange(3, dtype=np.uint8))
    np.testing.assert_array_equal(read_mask(file).array, rgb[..., 0])


def test_a_film_has_its_frames_as_slices(tmp_path: Path) -> None:
    film = RNG.integers(0, 256, (3, 6, 8, 3), dtype=np.uint8)
    picture = read_picture(dicom(tmp_path / "a.dcm", film, SOPClassUID=UltrasoundImageStorage))
    assert picture.axes == "zyxc"
    assert picture.affine is None
    assert "3 frames without places read as slices z" in picture.note
    np.testing.assert_array_equal(picture.array, film)


def test_a_dose_grid_has_its_place_and_unit(tmp_path: Path) -> None:
    dose = RNG.integers(0, 9, (3, 4, 5)).astype(np.uint32)
    file = dicom(
        tmp_path / "a.dcm",
        dose,
        ImagePositionPatient=[1, 2, 3],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        PixelSpacing=[2, 2.5],
        FrameIncrementPointer=0x3004000C,
        GridFrameOffsetVector=[0, 4, 8],
        DoseGridScaling="0.25",
    )
    picture = read_picture(file)
    np.testing.assert_array_equal(picture.array, dose * 0.25)
    assert picture.affine is not None
    np.testing.assert_allclose(picture.affine @ [1, 1, 1, 1], [-3.5, -4, 7, 1])


def test_segments_become_labels(tmp_path: Path) -> None:
    frames = np.zeros((4, 8, 8), np.uint8)
    frames[0, 0], frames[1, 1], frames[2, 2], frames[3, 0] = 1, 1, 1, 1
    where = [(1, 0.0), (1, 2.0), (7, 0.0), (7, 2.0)]
    file = dicom(
        tmp_path / "a.dcm",
        frames,
        SOPClassUID=SegmentationStorage,
        SegmentationType="BINARY",
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=np.packbits(frames.ravel(), bitorder="little").tobytes(),
        SegmentSequence=[item(SegmentNumber=1, SegmentLabel="liver"), item(SegmentNumber=7, SegmentLabel="tumour")],
        PerFrameFunctionalGroupsSequence=[
            item(
                PlanePositionSequence=[item(ImagePositionPatient=[0, 0, z])],
                SegmentIdentificationSequence=[item(ReferencedSegmentNumber=number)],
            )
            for number, z in where
        ],
        SharedFunctionalGroupsSequence=[
            item(
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
                PixelMeasuresSequence=[item(PixelSpacing=[1, 1])],
            )
        ],
    )
    picture = read_mask(file)
    assert picture.array.shape == (2, 8, 8)
    assert picture.array[0, :3, 0].tolist() == [1, 0, 7]
    assert picture.array[1, :3, 0].tolist() == [7, 1, 0]
    assert picture.spacing == pytest.approx((2, 1, 1))
    assert "segments as labels: 1 liver, 7 tumour" in picture.note


def test_names_without_suffix_and_data_sets_without_a_preamble(tmp_path: Path) -> None:
    whole = dicom(tmp_path / "IM0001", SIGNED)
    assert read_picture(whole).note == ""
    bare = whole.read_bytes()[132:]
    (tmp_path / "bare.dcm").write_bytes(bare)
    np.testing.assert_array_equal(read_picture(tmp_path / "bare.dcm").array, SIGNED)


def test_a_file_cut_off_anywhere_is_an_error(tmp_path: Path) -> None:
    data = dicom(tmp_path / "a.dcm", SIGNED[:5, :6], DataSetTrailingPadding=bytes(40)).read_bytes()
    padding = len(data) - 52
    # Eight bytes and the start of the padding's length carry no mark of what is missing, and no pixels.
    for length in [*range(1, padding), *range(padding + 12, len(data))]:
        (tmp_path / "cut.dcm").write_bytes(data[:length])
        with pytest.raises(CodecError, match=r"cut\.dcm: expected .*; "):
            read_picture(tmp_path / "cut.dcm")


def test_large_and_hostile_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = dicom(tmp_path / "a.dcm", SIGNED, Rows=60_000, Columns=60_000)
    with pytest.raises(CodecError, match="at most 200,000,000 pixels"):
        read_picture(file)
    monkeypatch.setattr("imagemill.data.codecs.volumes.dicom._INFLATED", 1 << 20)
    bomb = dicom(tmp_path / "b.dcm", np.zeros((2000, 1000), np.uint8))
    dataset = pydicom.dcmread(bomb)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    dataset.save_as(bomb)
    assert len(bomb.read_bytes()) < 5000
    with pytest.raises(CodecError, match="1,048,576 bytes when inflated"):
        read_picture(bomb)
    monkeypatch.undo()
    assert read_picture(bomb).array.shape == (2000, 1000)


def test_dicom_is_read_only_and_says_what_is_not(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match=r"\.dcm is read only; choose \.png or \.tiff"):
        write_picture(tmp_path / "a.dcm", Picture(SIGNED, "yx"))


def test_real_files_agree_whatever_their_compression(data_root: Path) -> None:
    folder = data_root / "dicom/single"
    for name, others in {
        "MR_small": ("RLE", "bigendian", "implicit", "jp2klossless", "jpeg_ls_lossless"),
        "SC_rgb_16bit": (),
    }.items():
        truth = read_picture(folder / f"{name}.dcm").array
        for other in others:
            np.testing.assert_array_equal(read_picture(folder / f"{name}_{other}.dcm").array, truth)
    for one, two in (("693_UNCR", "693_J2KR"), ("emri_small", "emri_small_RLE"), ("SC_rgb_16bit", "SC_rgb_rle_16bit")):
        np.testing.assert_array_equal(
            read_picture(folder / f"{one}.dcm").array, read_picture(folder / f"{two}.dcm").array
        )
    for file in sorted(folder.iterdir()):
        read_picture(file)
