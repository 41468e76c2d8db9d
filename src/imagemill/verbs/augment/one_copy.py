"""One output: read a record, draw and run a copy of it, write the files. `augment` and `replay` share it."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from imagemill.core.errors import CodecError
from imagemill.core.sample import Applied, Recipe, Sample
from imagemill.core.targets import Array, Image, Label, Mask, Target
from imagemill.data.codecs.base import Channels, Picture, ReadOptions
from imagemill.data.codecs.photos.photo import KIND_OF, PhotoCodec
from imagemill.data.codecs.registry import write_encoded
from imagemill.data.codecs.volumes.volume_header import DETACHED
from imagemill.data.records.further_targets import as_further, further_pictures
from imagemill.data.records.instances import Instance
from imagemill.data.records.loading import (
    load_mask,
    load_picture,
    pair_note,
    pixels_size,
    pixels_suffix,
    read_once,
)
from imagemill.data.records.moved_annotations import Annotations, annotations_of
from imagemill.data.records.record import Blob, Record
from imagemill.data.remote.remote_files import put
from imagemill.data.remote.remote_path import RemotePath
from imagemill.pipeline.pipeline import Pipeline

__all__ = [
    "Loaded",
    "Made",
    "further_suffix",
    "image_suffix",
    "load",
    "made_of",
    "make",
    "mask_suffix",
    "targets_of",
    "write",
]

_WRITTEN = PhotoCodec.writes
_HELD = 64 << 20
"""Bytes of the longest file that is held in memory while its picture is decoded."""
_LOSSY = ("jpeg", "webp", "avif", "jpeg2000")
# Formats that are read but not written, or that hold too little of what they are read as.
_INSTEAD = {
    **{suffix: ".jpg" if kind == "jpeg" else ".png" for suffix, kind in KIND_OF.items() if suffix not in _WRITTEN},
    **{".mgz": ".nii.gz", ".mgh": ".nii.gz", ".gif": ".png", ".pfm": ".tif", "": ".png"},
    **DETACHED,
}


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A record in memory.

    Parameters
    ----------
    picture : Picture
        The image.
    mask : Picture or None
        The label map.
    sha256 : str
        Of the image's file.
    bytes : int or None
        Its length, where it is a file of its own.
    annotations : Annotations or None
        What is annotated in it.
    note : str
        What there is to know about the way it was read.
    label : str or None
        Its class.
    further : mapping from str to Picture
        Further images and maps of numbers.
    record : Record or None
        What was read.
    """

    picture: Picture
    mask: Picture | None
    sha256: str
    bytes: int | None
    annotations: Annotations | None = None
    note: str = ""
    label: str | None = None
    further: Mapping[str, Picture] = field(default_factory=dict)
    record: Record | None = None

    def further_targets(self) -> dict[str, Target]:
        """Further images and maps as a pipeline takes them."""
        if self.record is None:
            return {}
        return {name: as_further(self.record, name, one, one.array) for name, one in self.further.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """One augmented copy, not yet written.

    Parameters
    ----------
    picture : Picture
    mask : Picture or None
    applied : tuple of Applied
        The transforms that ran, with their values.
    objects : tuple of Instance or None
        What is annotated in the copy; None where nobody looked.
    gone : Counter
        How many boxes, polygons, masks and keypoints are outside the copy.
    further : mapping from str to Picture
        Further images and maps of numbers, moved by the same draw.
    """

    picture: Picture
    mask: Picture | None
    applied: tuple[Applied, ...]
    objects: tuple[Instance, ...] | None = None
    gone: Counter[str] = field(default_factory=Counter)
    further: Mapping[str, Picture] = field(default_factory=dict)


def load(
    record: Record,
    channels: Channels = "keep",
    axes: str | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
) -> Loaded:
    """Read a record's image and mask, and turn what is annotated in it upright.

    `axes` names the image's stored axes where its file does not, `names` the keypoints of each category.

    Raises
    ------
    CodecError
        When one of them cannot be read.
    """
    digest, held = read_once(record.image, _HELD)
    picture = load_picture(held, ReadOptions(channels, axes))
    picture = replace(picture, array=_image_values(picture.array))
    flat = None if axes is None else axes.replace("c", "")
    mask = None if record.mask is None else load_mask(record.mask, ReadOptions(axes=flat), picture, record.frame)
    if mask is not None and not mask.axes.startswith("z"):
        mask = replace(mask, array=_label_values(mask.array))
    annotations, noted = annotations_of(record, picture, names)
    note = "; ".join(filter(None, (pair_note(picture, mask), noted)))
    further = {
        name: one if record.further[name].kind == "map" else replace(one, array=_image_values(one.array))
        for name, one in further_pictures(record, picture).items()
    }
    size = len(held.fetch()) if isinstance(held, Blob) and isinstance(record.image, Path) else pixels_size(record.image)
    return Loaded(picture, mask, digest, size, annotations, note, record.label, further, record)


def _image_values(array: Array) -> Array:
    """Values as one of the dtypes that images have, without changing any."""
    name = array.dtype.name
    if name == "bool":
        return array.astype(np.uint8) * np.uint8(255)
    if name == "int8":
        return array.astype(np.int16)
    if name in ("uint32", "int64", "uint64"):
        fits = array.size == 0 or (array.min() >= -(2**31) and array.max() < 2**31)
        return array.astype(np.int32 if fits else np.float64)
    return array


def _label_values(array: Array) -> Array:
    """Labels in 8 or 16 bits where they fit, so that a PNG can hold them; the values stay."""
    if array.dtype in (np.uint8, np.uint16) or array.min() < 0 or array.max() > 65_535:
        return array
    return array.astype(np.uint8 if array.max() <= 255 else np.uint16)


def make(pipeline: Pipeline, loaded: Loaded, recipe: Recipe) -> Made:
    """Draw and run one copy; mask, further images, maps and what is annotated are moved by the same draw.

    Raises
    ------
    ImagemillError
        When image, mask and pipeline do not fit together.
    """
    return made_of(loaded, pipeline.replay(recipe, **targets_of(pipeline, loaded)))


def targets_of(pipeline: Pipeline, loaded: Loaded) -> dict[str, Any]:
    """What a pipeline is given of a record."""
    picture, mask = loaded.picture, loaded.mask
    targets: dict[str, Any] = {"image": Image(picture.array, picture.axes, picture.spacing, picture.affine)}
    if mask is not None:
        targets["mask"] = Mask(mask.array, axes=mask.axes)
    targets |= loaded.further_targets()
    if loaded.annotations is not None:
        targets |= loaded.annotations.targets()
    if pipeline.chooses:
        targets["label"] = Label(loaded.label)
    return targets


def made_of(loaded: Loaded, sample: Sample) -> Made:
    """A copy of a record, of what a pipeline made of it.

    Raises
    ------
    ImagemillError
        When what is annotated does not fit it.
    """
    picture, mask = loaded.picture, loaded.mask
    affine = None if picture.affine is None else sample.affine
    moved = _as_picture(sample.targets["image"], picture, affine)
    moved_mask = None if mask is None else _as_picture(sample.targets["mask"], mask, affine)
    further = {name: _as_picture(sample.targets[name], one, affine) for name, one in loaded.further.items()}
    if loaded.annotations is None:
        return Made(moved, moved_mask, sample.applied, further=further)
    height, width = moved.spatial_shape
    targets = cast(dict[str, Target], dict(sample.targets))
    objects, gone = loaded.annotations.moved(targets, (height, width))
    return Made(moved, moved_mask, sample.applied, objects, gone, further)


def _as_picture(raster: Any, source: Picture, affine: Any) -> Picture:
    """A result as a picture: channels last, without a channel axis where the source had none."""
    array = raster.canonical()
    if source.channels is None and array.shape[-1] == 1:
        array = array[..., 0]
    spatial = source.axes.removesuffix("c")
    axes = spatial + ("c" if array.ndim > len(spatial) else "")
    return Picture(np.ascontiguousarray(array), axes, affine, source.meta)


def image_suffix(record: Record, format: str | None) -> str:
    """The suffix of a record's outputs: the one asked for, or its own where that can be written."""
    if format is not None:
        return format
    own = pixels_suffix(record.image)
    return _INSTEAD.get(own, own)


def mask_suffix(mask: Picture, image: str) -> str:
    """The suffix of a label map: PNG where it fits, the image's own for volumes."""
    if mask.axes.startswith("z"):
        return image
    return ".png" if mask.array.dtype in (np.uint8, np.uint16) else ".tif"


def further_suffix(record: Record, name: str, picture: Picture, image: str) -> str:
    """The suffix of a further image or map: its own, but none that changes numbers, and the image's for volumes."""
    if picture.axes.startswith("z"):
        return image
    own = pixels_suffix(record.further[name].pixels)
    own = _INSTEAD.get(own, own)
    lossy = KIND_OF.get(own) in _LOSSY and record.further[name].kind == "map"
    return mask_suffix(picture, image) if lossy else own


def write(path: Path, picture: Picture) -> str:
    """Write a result and give the sha256 of the file.

    Raises
    ------
    CodecError
        When the format cannot hold the picture: it says which can, and how to ask for it.
    """
    try:
        if isinstance(path, RemotePath):
            return _sent(path, picture)
        return hashlib.sha256(write_encoded(path, picture)).hexdigest()
    except CodecError as error:
        if "choose" in str(error) and error.__cause__ is None:
            raise CodecError(f"{error} (format=... in Python, --format on the command line)") from None
        raise


def _sent(path: RemotePath, picture: Picture) -> str:
    """The same for an address: what was written is not fetched again to be looked at."""
    with tempfile.TemporaryDirectory(prefix="imagemill-") as folder:
        here = Path(folder) / path.name
        data = write_encoded(here, picture)
        put(path, here)
    return hashlib.sha256(data).hexdigest()
