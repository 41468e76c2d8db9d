"""Small DICOM files by the book, for the tests of what reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

SERIES = "1.2.826.0.1.3680043.8.498.1"


def dicom(path: Path, pixels: Any, **tags: Any) -> Path:
    """Write one file; tags by keyword, None leaves one out."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = tags.pop("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(entropy_srcs=[str(path)])
    meta.TransferSyntaxUID = tags.pop("TransferSyntaxUID", ExplicitVRLittleEndian)
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    words: dict[str, Any] = {"SeriesInstanceUID": SERIES, "Modality": "CT", "PatientID": "P1"}
    if pixels is not None:
        array = np.ascontiguousarray(pixels)
        colour = array.ndim >= 3 and array.shape[-1] == 3
        frames = array.ndim - colour == 3
        words |= {
            "Rows": array.shape[frames],
            "Columns": array.shape[1 + frames],
            "SamplesPerPixel": 3 if colour else 1,
            "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
            "BitsAllocated": 8 * array.dtype.itemsize,
            "BitsStored": 8 * array.dtype.itemsize,
            "HighBit": 8 * array.dtype.itemsize - 1,
            "PixelRepresentation": int(array.dtype.kind == "i"),
            "PixelData": array.tobytes() + bytes(array.nbytes % 2),
        }
        if colour:
            words["PlanarConfiguration"] = 0
        if frames:
            words["NumberOfFrames"] = len(array)
    for name, value in (words | tags).items():
        if value is not None:
            setattr(dataset, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def item(**tags: Any) -> Dataset:
    """An item of a sequence."""
    found = Dataset()
    for name, value in tags.items():
        setattr(found, name, value)
    return found
