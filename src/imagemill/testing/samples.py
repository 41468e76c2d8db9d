"""Small whole files of every format and datasets of every layout, to damage, to measure, or to try a reader on."""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.extras import require
from imagemill.data.codecs.base import Picture
from imagemill.data.codecs.registry import write_picture
from imagemill.data.layouts.base import Source
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Record
from imagemill.verbs.export.export import export

__all__ = ["sample_datasets", "sample_files"]

_PILLOW: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("photo.jpg", "RGB", "JPEG", {"quality": 80}),
    ("progressive.jpg", "RGB", "JPEG", {"progressive": True, "restart_marker_rows": 1}),
    ("ink.jpg", "CMYK", "JPEG", {}),
    ("alpha.png", "RGBA", "PNG", {}),
    ("palette.png", "P", "PNG", {"text": True}),
    ("bit.png", "1", "PNG", {}),
    ("photo.bmp", "RGB", "BMP", {}),
    ("palette.bmp", "P", "BMP", {}),
    ("film.gif", "P", "GIF", {"save_all": True, "frames": 3}),
    ("lossy.webp", "RGB", "WEBP", {"quality": 70}),
    ("exact.webp", "RGBA", "WEBP", {"lossless": True}),
    ("photo.ppm", "RGB", "PPM", {}),
    ("bit.pbm", "1", "PPM", {}),
    ("photo.jp2", "RGB", "JPEG2000", {}),
    ("photo.avif", "RGB", "AVIF", {}),
    ("photo.tga", "RGB", "TGA", {}),
    ("runs.tga", "P", "TGA", {"rle": True}),
    ("lzw.tif", "RGB", "TIFF", {"compression": "tiff_lzw"}),
    ("ink.tif", "CMYK", "TIFF", {"compression": "tiff_adobe_deflate"}),
)
_IN_LAYOUTS = (
    ("list", "photos"),
    ("class-folders", "photos"),
    ("class-tree", "photos"),
    ("image-masks", "photos"),
    ("coco", "photos"),
    ("yolo", "photos"),
    ("yolo-polygons", "photos"),
    ("voc", "photos"),
    ("csv", "photos"),
    ("tsv", "photos"),
    ("json", "photos"),
    ("jsonl", "photos"),
    ("parquet", "photos"),
    ("arrow", "photos"),
    ("huggingface", "photos"),
    ("webdataset", "photos"),
    ("tfrecord", "photos"),
    ("idx", "gray"),
    ("npz", "gray"),
    ("hdf5", "photos"),
    ("nnunet", "volumes"),
    ("tiff-stack", "volumes"),
)


def _waves(shape: tuple[int, ...], dtype: Any) -> Any:
    places = np.indices(shape)
    return np.ascontiguousarray((places.sum(axis=0) * 7 + places.prod(axis=0) ** 2 * 5) % 251, dtype)


def sample_files() -> dict[str, bytes]:
    """One small picture or volume in each encoding that can be read, by file name; some hundred bytes each.

    Raises
    ------
    MissingExtra
        Without the packages for TIFF and for medical files (``pip install 'imagemill[tiff,medical]'``).

    Examples
    --------
    >>> files = sample_files()
    >>> sorted(name for name in files if name.endswith(".jpg"))
    ['exif.jpg', 'ink.jpg', 'photo.jpg', 'progressive.jpg']
    """
    found = {name: _pillow(mode, kind, dict(more)) for name, mode, kind, more in _PILLOW}
    found["exif.jpg"] = _with_exif()
    for name, array, axes in (
        ("gray.png", _waves((12, 16), np.uint8), "yx"),
        ("deep.png", _waves((12, 16, 3), np.uint16) * 257, "yxc"),
        ("gray.npy", _waves((12, 16), np.float32), "yx"),
        ("scan.nii", _waves((4, 6, 8), np.int16), "zyx"),
        ("scan.nii.gz", _waves((4, 6, 8), np.uint8), "zyx"),
        ("scan.mha", _waves((4, 6, 8), np.int16), "zyx"),
        ("scan.nrrd", _waves((4, 6, 8), np.int16), "zyx"),
        ("stack.tif", _waves((3, 12, 16), np.float32), "zyx"),
    ):
        found[name] = _encoded(name, Picture(array, axes))
    digits = " ".join(str(value) for value in _waves((12, 16), np.uint8).ravel())
    found["digits.pgm"] = f"P2 # in digits\n16 12\n255\n{digits}\n".encode()
    tifffile = require("tifffile", extra="tiff")
    for name, more in (("plain.tif", {}), ("tiled.tif", {"tile": (16, 16), "compression": "zlib"})):
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, _waves((20, 24), np.uint16), **more)
        found[name] = buffer.getvalue()
    nibabel = require("nibabel", extra="medical")
    found["scan.mgh"] = bytes(nibabel.MGHImage(_waves((4, 6, 8), np.uint8), np.eye(4)).to_bytes())
    found["scan.mgz"] = gzip.compress(found["scan.mgh"], mtime=0)
    found["scan.dcm"] = _dicom(0, "ExplicitVRLittleEndian")
    found["implicit.dcm"] = _dicom(1, "ImplicitVRLittleEndian")
    found["runs.dcm"] = _dicom(2, "RLELossless")
    return found


def _encoded(name: str, picture: Picture) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_picture(Path(folder) / name, picture)
        return (Path(folder) / name).read_bytes()


def _pillow(mode: str, kind: str, more: dict[str, Any]) -> bytes:
    from PIL import Image, PngImagePlugin

    image = Image.fromarray(_waves((12, 16, 3), np.uint8)).convert(mode)
    if more.pop("text", False):
        more["pnginfo"] = PngImagePlugin.PngInfo()
        more["pnginfo"].add_text("Comment", "made by a test " * 8, zip=True)
    if frames := more.pop("frames", 0):
        more["append_images"] = [image.rotate(90 * n) for n in range(1, frames)]
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def _with_exif() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    buffer = io.BytesIO()
    Image.fromarray(_waves((12, 16, 3), np.uint8)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def _dicom(number: int, syntax: str) -> bytes:
    uid = require("pydicom.uid", extra="medical")
    dataset = require("pydicom.dataset", extra="medical")
    meta = dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = uid.CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.1.{number + 1}"
    meta.TransferSyntaxUID = getattr(uid, syntax if syntax != "RLELossless" else "ExplicitVRLittleEndian")
    dataset = dataset.FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    pixels = _waves((6, 8), np.int16)
    words: dict[str, Any] = {
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "SeriesInstanceUID": "1.2.826.0.1.3680043.8.498.1",
        "Modality": "CT",
        "PatientID": "P1",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "PixelSpacing": [0.5, 0.5],
        "ImagePositionPatient": [0, 0, 3 * number],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelData": pixels.tobytes(),
    }
    for name, value in words.items():
        setattr(dataset, name, value)
    if syntax == "RLELossless":
        dataset.compress(uid.RLELossless, generate_instance_uid=False)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def sample_datasets(folder: Path | str) -> dict[str, Path]:
    """Write a dataset of four pictures in every layout that can be written, and a DICOM series.

    Parameters
    ----------
    folder : Path or str
        A new or empty folder.

    Returns
    -------
    dict
        The folder of each layout, by the layout's name; tables with the pictures inside them as ``parquet-embedded``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = sample_datasets(folder)
    ...     (made["voc"] / "Annotations").is_dir(), len(made) > 20
    (True, True)
    """
    root = Path(folder)
    sources = {
        "photos": _source(root / ".photos", (12, 16, 3), "yxc", annotations=True, masks=True),
        "gray": _source(root / ".gray", (8, 8), "yx"),
        "volumes": _source(root / ".volumes", (4, 6, 8), "zyx", masks=True),
    }
    made: dict[str, Path] = {}

    def keep(name: str, layout: str, what: str, **more: Any) -> None:
        export(sources[what], root / name, layout, **more)
        made[name] = root / name

    for layout, what in _IN_LAYOUTS:
        keep(layout, layout, what)
    for layout in ("parquet", "arrow", "json", "jsonl"):
        keep(f"{layout}-embedded", layout, "photos", embed=True)
    made["dicom"] = root / "dicom"
    made["dicom"].mkdir()
    for number in range(3):
        (made["dicom"] / f"{number}.dcm").write_bytes(_dicom(number, "ExplicitVRLittleEndian"))
    return made


def _source(root: Path, shape: tuple[int, ...], axes: str, *, annotations: bool = False, masks: bool = False) -> Source:
    space, suffix = axes.removesuffix("c"), ".nii.gz" if axes.startswith("z") else ".png"
    annotation: Callable[[str], Instance] = lambda name: Instance(  # noqa: E731 - one value, made for two names
        name, box=(1.0, 1.0, 5.0, 6.0), polygons=((1.0, 1.0, 6.0, 1.0, 6.0, 7.0),)
    )
    records = []
    for number in range(4):
        name = ("cat", "dog")[number % 2]
        path, mask = root / "images" / name / f"{number}{suffix}", root / "masks" / f"{number}{suffix}"
        write_picture(path, Picture(_waves(shape, np.uint8) + np.uint8(number), axes))
        write_picture(mask, Picture(_waves(shape[: len(space)], np.uint8) % 3, space))
        records.append(
            Record(
                f"{name}/{number}{suffix}",
                path,
                mask=mask if masks else None,
                label=name,
                objects=(annotation(name),) if annotations else None,
                split=("train", "test")[number // 2],
                group=f"patient {number}",
                attributes={"age": 30 + number},
            )
        )
    categories = ("cat", "dog") if annotations else ()
    return Source(root / "images", "folder", tuple(records), classes=("cat", "dog"), categories=categories)
