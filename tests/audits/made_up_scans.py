"""Sets of made-up scans, written by nibabel and pydicom: smooth noise with an ellipsoid that is labelled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SHAPE = 10, 24, 20
GRID = np.diag([1.5, 1.5, 4.0, 1.0])
"""Index x, y, z to millimetres."""


@dataclass
class Case:
    """One pair; arrays are ``[z, y, x]``, matrices of x, y, z."""

    image: Array
    label: Array
    affine: Array
    label_affine: Array
    code: int = 1
    label_code: int = 1
    qform: Array | None = None
    has_label: bool = True


def case(seed: int, shape: tuple[int, int, int] = SHAPE) -> Case:
    """A scan of values from about 100 to 1000, and an ellipsoid of about 350 voxels."""
    draws = np.random.default_rng(seed)
    coarse = draws.normal(0, 100, (shape[0], 6, 5)).astype(np.float32)
    image = np.stack([cv2.resize(plane, shape[:0:-1], interpolation=cv2.INTER_CUBIC) for plane in coarse])
    image = image + draws.normal(0, 15, shape) + 500
    z, y, x = (np.arange(n) - (n - 1) / 2 for n in shape)
    radius = draws.uniform(0.95, 1.05)
    inside = (z[:, None, None] / 3) ** 2 + (y[:, None] / 6) ** 2 + (x / 5) ** 2 < radius**2
    image[inside] += 200
    return Case(image.clip(1).astype(np.int16), inside.astype(np.uint8), GRID.copy(), GRID.copy())


def save(path: Path, array: Array, affine: Array, code: int = 1, qform: Array | None = None) -> None:
    """As NIfTI."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(np.ascontiguousarray(array.T), affine)
    image.set_sform(affine, code=code)
    image.set_qform(affine if qform is None else qform, code=code)
    if qform is not None:
        image.set_sform(affine, code=code)
    nibabel.save(image, path)


def pairs(folder: Path, change: Callable[[Case], None] | None = None, count: int = 12) -> Path:
    """``images`` and ``labels``; the fifth case is changed."""
    for number in range(count):
        one = case(number)
        if number == 4 and change is not None:
            change(one)
        save(folder / "images" / f"c{number:02d}.nii", one.image, one.affine, one.code, one.qform)
        if one.has_label:
            save(folder / "labels" / f"c{number:02d}.nii", one.label, one.label_affine, one.label_code)
    return folder


def nnunet(
    folder: Path, described: Mapping[str, Any] | None = None, change: Callable[[Case], None] | None = None
) -> Path:
    """A raw dataset of nnU-Net with three cases, whose ``dataset.json`` has some words replaced."""
    for number in range(3):
        one = case(number)
        if number == 1 and change is not None:
            change(one)
        save(folder / "imagesTr" / f"case{number}_0000.nii", one.image, one.affine)
        save(folder / "labelsTr" / f"case{number}.nii", one.label, one.label_affine)
    words = {
        "channel_names": {"0": "T1"},
        "labels": {"background": 0, "organ": 1},
        "numTraining": 3,
        "file_ending": ".nii",
    }
    (folder / "dataset.json").write_text(json.dumps({**words, **(described or {})}))
    return folder


def series(folder: Path, name: str, seed: int = 0, gone: tuple[int, ...] = (), **tags: Any) -> Path:
    """A DICOM series of CT slices, 2 mm apart, in Hounsfield units; `gone` are left out."""
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    volume = case(seed).image.astype(np.int32) - 500
    uid = generate_uid(entropy_srcs=[name, "series"])
    for number, plane in enumerate(volume):
        if number in gone:
            continue
        data = pydicom.Dataset()
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(entropy_srcs=[name, str(number)])
        data.SeriesInstanceUID, data.PatientID, data.Modality = uid, name, "CT"
        data.Rows, data.Columns = plane.shape
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.ImagePositionPatient = [0.0, 0.0, 2.0 * number]
        data.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        data.PixelSpacing = [1.0, 1.0]
        data.RescaleSlope, data.RescaleIntercept = 1, 0
        for tag, value in tags.items():
            setattr(data, tag, value)
        data.PixelData = plane.astype("<i2").tobytes()
        path = folder / name / f"{number:03d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        pydicom.dcmwrite(path, data, enforce_file_format=True)
    return folder
