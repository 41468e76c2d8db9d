from __future__ import annotations

import gc
import warnings
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.fileset import FileSet
from pydicom.uid import BasicTextSRStorage

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Source, load_picture, write_picture
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.folders.dicom_folder import Dicom
from imagemill.data.layouts.registry import guesses, look_at
from tests.data.dicoms import dicom, item

RNG = np.random.default_rng(0)
VOXELS = RNG.integers(-900, 900, (6, 5, 4)).astype(np.int16)


def read(path: Path) -> Source:
    return Dicom().read(look_at(path), ReadSource())


def turned(angles: tuple[float, float, float]) -> np.ndarray[Any, Any]:
    """A rotation about x, y and z."""
    cosines, sines = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cosines[0], -sines[0]], [0, sines[0], cosines[0]]])
    about_y = np.array([[cosines[1], 0, sines[1]], [0, 1, 0], [-sines[1], 0, cosines[1]]])
    about_z = np.array([[cosines[2], -sines[2], 0], [sines[2], cosines[2], 0], [0, 0, 1]])
    return np.asarray(about_x @ about_y @ about_z)


def series(folder: Path, voxels: Any = VOXELS, *, step: Any = (0, 0, 3.0), turn: Any = None, **tags: Any) -> Path:
    """A series whose file names are in no order."""
    turn = np.eye(3) if turn is None else turn
    order = RNG.permutation(len(voxels))
    for name, k in enumerate(order):
        position = np.array([-10.0, 20.0, 30.0]) + k * (turn @ np.asarray(step))
        dicom(
            folder / f"IM{name:03d}",
            voxels[k],
            ImagePositionPatient=[f"{v:.6f}" for v in position],
            ImageOrientationPatient=[f"{v:.8f}" for v in (*turn[:, 0], *turn[:, 1])],
            PixelSpacing=[0.7, 0.5],
            SliceThickness=9,  # it lies: distances come from positions
            InstanceNumber=int(name + 1),
            **tags,
        )
    return folder


def test_an_oblique_series_lies_where_its_header_says(tmp_path: Path) -> None:
    turn = turned((0.3, -0.2, 0.5))
    source = read(series(tmp_path / "s", turn=turn))
    assert source.records[0].group == "P1"
    picture = load_picture(source.records[0].image)
    assert picture.axes == "zyx"
    np.testing.assert_array_equal(picture.array, VOXELS)
    assert picture.spacing == pytest.approx((3.0, 0.7, 0.5), abs=1e-5)
    # The standard: position + x * column spacing * row direction + y * row spacing * column direction.
    for z, y, x in [(0, 0, 0), (5, 4, 3), (2, 1, 3)]:
        left_back_head = np.array([-10, 20, 30]) + turn @ np.array([x * 0.5, y * 0.7, z * 3.0])
        expected = left_back_head * [-1, -1, 1]
        assert picture.affine is not None
        np.testing.assert_allclose((picture.affine @ [z, y, x, 1])[:3], expected, atol=1e-4)
    # The same place through NIfTI, which counts (i, j, k).
    write_picture(tmp_path / "v.nii", picture)
    image = nib.load(tmp_path / "v.nii")
    np.testing.assert_allclose((image.affine @ [3, 4, 5, 1]), picture.affine @ [5, 4, 3, 1], atol=1e-4)
    assert image.get_fdata()[3, 4, 5] == VOXELS[5, 4, 3]


def test_a_tilted_gantry_is_shear_and_slopes_are_per_slice(tmp_path: Path) -> None:
    source = read(series(tmp_path, step=(0, 0.6, 3.0), RescaleSlope=2, RescaleIntercept=-1024))
    picture = load_picture(source.records[0].image)
    assert not source.problems
    assert picture.affine is not None
    np.testing.assert_allclose(picture.affine[:3, 0], [0, -0.6, 3.0], atol=1e-6)
    np.testing.assert_array_equal(picture.array, VOXELS.astype(int) * 2 - 1024)
    assert picture.array.dtype == np.int16
    first = pydicom.dcmread(tmp_path / "IM000")
    first.RescaleSlope = 0.5
    first.save_as(tmp_path / "IM000")
    again = load_picture(read(tmp_path).records[0].image)
    assert again.array.dtype == np.float32
    changed = np.flatnonzero(np.any(again.array != picture.array, axis=(1, 2)))
    np.testing.assert_array_equal(again.array[changed[0]], VOXELS[changed[0]] * 0.5 - 1024)
    assert len(changed) == 1


def test_a_missing_slice_is_a_problem_and_a_far_one_no_volume(tmp_path: Path) -> None:
    series(tmp_path / "a")
    middle = min((tmp_path / "a").iterdir(), key=lambda p: abs(pydicom.dcmread(p).ImagePositionPatient[2] - 36))
    middle.unlink()
    source = read(tmp_path)
    assert len(source) == 1
    assert "3 to 6 mm apart: 1 missing where they are 3 mm apart" in str(source.problems[0])
    picture = load_picture(source.records[0].image)
    assert picture.spacing == pytest.approx((3.0, 0.7, 0.5))
    series(tmp_path / "b", VOXELS[:2], SeriesInstanceUID="1.2")
    dicom_at = pydicom.dcmread(tmp_path / "b/IM000")
    for number, height in enumerate((36, 300)):
        dicom_at.ImagePositionPatient = [-10, 20, height]
        dicom_at.save_as(tmp_path / f"b/far{number}")
    found = read(tmp_path / "b")
    assert [r.key for r in found] == ["IM000", "IM001", "far0", "far1"]


def test_phases_at_one_place_are_volumes_of_their_own(tmp_path: Path) -> None:
    series(tmp_path / "a", VOXELS, TemporalPositionIdentifier=1)
    series(tmp_path / "b", VOXELS + 1, TemporalPositionIdentifier=2)
    source = read(tmp_path)
    assert len(source) == 2
    np.testing.assert_array_equal(load_picture(source.records[0].image).array, VOXELS)
    np.testing.assert_array_equal(load_picture(source.records[1].image).array, VOXELS + 1)


def test_slices_without_positions_go_by_their_number(tmp_path: Path) -> None:
    for number in (3, 1, 2, 11):
        dicom(tmp_path / f"{number}.dcm", np.full((4, 5), number, np.uint8), InstanceNumber=number, Modality="MR")
    source = read(tmp_path)
    assert load_picture(source.records[0].image).array[:, 0, 0].tolist() == [1, 2, 3, 11]
    assert "no positions" in source.notes[0]
    for number in (3, 1):
        dicom(tmp_path / f"x/{number}.dcm", np.zeros((4, 5), np.uint8), Modality="CR", SeriesInstanceUID="1.9")
    assert {r.key for r in read(tmp_path)} >= {"x/1.dcm", "x/3.dcm"}


def test_what_is_no_image_says_what_it_is(tmp_path: Path) -> None:
    series(tmp_path)
    dicom(tmp_path / "report.dcm", None, SOPClassUID=BasicTextSRStorage, Modality="SR", SeriesInstanceUID="1.5")
    (tmp_path / "broken.dcm").write_bytes((tmp_path / "IM000").read_bytes()[:200])
    (tmp_path / "readme.txt").write_text("hello")
    assert guesses(look_at(tmp_path))[0][0].name == "dicom"
    source = read(tmp_path)
    assert len(source) == 1
    said = {p.name: str(p) for p in source.problems}
    assert set(said) == {"report.dcm", "broken.dcm"}
    assert "Basic Text SR Storage, which holds no pixels" in said["report.dcm"]
    assert "1 other files passed over" in source.notes


def test_a_lost_file_shows_when_pixels_are_read(tmp_path: Path) -> None:
    source = read(series(tmp_path))
    (tmp_path / "IM002").write_bytes((tmp_path / "IM002").read_bytes()[:-3])
    with pytest.raises(CodecError, match="IM002"):
        load_picture(source.records[0].image)


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_a_dicomdir_leads_nowhere_else(tmp_path: Path) -> None:
    files = FileSet()
    for number in range(2):
        path = dicom(
            tmp_path / f"in/{number}",
            VOXELS[number],
            PatientName="A",
            StudyInstanceUID="1.2.3",
            StudyID="1",
            StudyDate="20200101",
            StudyTime="120000",
            AccessionNumber="",
            SeriesNumber=1,
            InstanceNumber=number + 1,
        )
        files.add(str(path))
    root = tmp_path / "medium"
    files.write(str(root))
    with warnings.catch_warnings():  # its scratch folder is cleaned up when it goes, and says so
        warnings.simplefilter("ignore")
        del files
        gc.collect()
    assert len(read(root)) == 1
    dicom(root / "unlisted.dcm", VOXELS[0])
    assert "1 DICOM files that the DICOMDIR does not name passed over" in read(root / "").notes
    assert len(read(root / "DICOMDIR")) == 1
    dicom(tmp_path / "outside", VOXELS[0])
    index = pydicom.dcmread(root / "DICOMDIR")
    entries = [e for e in index.DirectoryRecordSequence if "ReferencedFileID" in e]
    entries[0].ReferencedFileID = ["..", "outside"]
    index.save_as(root / "DICOMDIR")
    source = read(root)
    assert len(source) == 1
    assert "leads out" in str(source.problems[0])
    assert not source.records[0].key.startswith("..")


def test_a_series_is_read_only_and_says_what_can_hold_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"read only; volumes go into image-masks .*nnunet, hdf5"):
        Dicom().write(read(series(tmp_path / "s")), tmp_path / "out", WriteTarget())
    assert "read only" in Dicom.title


def test_frames_with_places_are_sorted(tmp_path: Path) -> None:
    order = [2, 0, 1]
    dicom(
        tmp_path / "a.dcm",
        VOXELS[order],
        PerFrameFunctionalGroupsSequence=[
            item(PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 2.0 * k])]) for k in order
        ],
        SharedFunctionalGroupsSequence=[
            item(
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
                PixelMeasuresSequence=[item(PixelSpacing=[0.7, 0.5])],
                PixelValueTransformationSequence=[item(RescaleSlope=1, RescaleIntercept=10, RescaleType="HU")],
            )
        ],
    )
    picture = load_picture(read(tmp_path).records[0].image)
    np.testing.assert_array_equal(picture.array, VOXELS[:3] + 10)
    assert picture.spacing == pytest.approx((2.0, 0.7, 0.5))


def test_real_series(data_root: Path) -> None:
    source = read(data_root / "dicom/series")
    assert [r.key for r in source] == ["ct_head_phantom_5mm", *(f"mr_hippocrop_Study{n}" for n in (1, 2, 3))]
    pictures = [load_picture(r.image) for r in source]
    assert [p.array.shape[0] for p in pictures] == [28, 32, 35, 40]
    assert pictures[0].spacing == pytest.approx((5, 0.451171875, 0.451171875))
    assert {p.spacing for p in pictures[1:]} == {(1.0, 1.0, 1.0)}
    assert len(read(data_root / "dicom/single")) == 26
    assert len(read(data_root / "dicom/dicomdir")) == 27
