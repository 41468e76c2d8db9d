"""One row as it is read: its targets, or a photo that waits until it is known how large it has to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from imagemill.core.colours import Channels
from imagemill.core.errors import CodecError
from imagemill.core.targets import Boxes, Image, Instances, Keypoints, Mask, Polygons, RotatedBoxes, Target
from imagemill.data.backing import targets_of
from imagemill.data.codecs.base import Picture, ReadOptions
from imagemill.data.codecs.channels import convert
from imagemill.data.codecs.photos.exif import without_fill
from imagemill.data.codecs.photos.jpeg_header import JpegHeader, jpeg_header
from imagemill.data.codecs.photos.photo import KIND_OF
from imagemill.data.codecs.registry import decode_jpeg
from imagemill.data.records.further_targets import further_of
from imagemill.data.records.loading import encoded, load_mask, load_picture, pixels_name, pixels_suffix
from imagemill.data.records.orientation import Seen, objects_on
from imagemill.data.records.record import Blob, Pixels, Record
from imagemill.feed.making.carried_annotations import Annotations, annotations_of

__all__ = ["Item", "Photo", "complete", "read_record"]

_COUNT = {"gray": None, "rgb": 3, "rgba": 4}
_JPEG = b"\xff\xd8\xff"
_BYTE = np.dtype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A JPEG file that was read and not decoded.

    Parameters
    ----------
    path : Path
        What errors call it.
    data : bytes
    header : JpegHeader
    channels : int or None
    options : ReadOptions
    size : tuple of int
        Height and width as its pixels will lie.
    """

    path: Path
    data: bytes
    header: JpegHeader
    channels: int | None
    options: ReadOptions
    size: tuple[int, int]

    @property
    def axes(self) -> str:
        """Of its array."""
        return "yx" if self.channels is None else "yxc"

    @property
    def placeholder(self) -> Image:
        """An image of its size, without memory of its own."""
        return _placeholder(self.size, self.channels)

    @property
    def picture(self) -> Picture:
        """A picture of its size, without memory of its own, that says how it is turned."""
        said = {"exif_orientation": self.header.orientation, "exif_applied": self.options.exif}
        return Picture(self.placeholder.array, self.axes, None, said)

    def at(self, factor: int, rows: int | None = None) -> Image:
        """The pixels, each of them for a block of ``factor`` by ``factor``.

        Parameters
        ----------
        factor : int
            1, 2, 4 or 8.
        rows : int, optional
            So many of the photo's rows are enough, counted from the top; the others may be black.

        Raises
        ------
        CodecError
            When the file is damaged.
        """
        least = None if factor == 1 else self.over(factor)
        options = self.options
        if least is not None or rows is not None:
            options = replace(options, at_least=least, rows=rows)
        picture = convert(self.path, decode_jpeg(self.path, self.data, options, self.header), options)
        size = self.size if least is None else least
        if picture.axes != self.axes or picture.spatial_shape != size:
            said = f"a picture of {size}, axes {self.axes}, as its header says"
            got = f"{picture.spatial_shape}, axes {picture.axes}"
            raise CodecError(f"{self.path}: expected {said}, got {got}; pass reduced=False")
        return Image(picture.array, picture.axes)

    def over(self, factor: int) -> tuple[int, int]:
        """Height and width of a picture of which each pixel stands for a block of the photo."""
        return -(-self.size[0] // factor), -(-self.size[1] // factor)


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """The targets of one row; ``photo`` is set where the image is only a placeholder yet.

    ``label`` is a number, or one number for each class, where only the row itself says it.
    """

    targets: Mapping[str, Target]
    photo: Photo | None = None
    label: Any = None

    def with_channels(self, channels: Channels) -> Item:
        """The item with its image in the channels asked for; files were read so."""
        image = self.targets["image"]
        if channels == "keep" or self.photo is not None or not isinstance(image, Image):
            return self
        made = image.with_channels(channels)
        return self if made is image else replace(self, targets={**self.targets, "image": made})


def read_record(
    record: Record,
    options: ReadOptions,
    *,
    reduced: bool,
    names: Mapping[str, Sequence[str]] = MappingProxyType({}),
    number: int | None = None,
    masks: bool = False,
) -> Item:
    """Read a record, but leave a JPEG file encoded where it may be decoded smaller.

    ``names`` are those of each category's keypoints; ``number`` asks for the annotations themselves, and is the
    picture's; ``masks`` for their masks.

    Raises
    ------
    CodecError
        When it cannot be read.
    """
    photo = _photo(record.image, options) if reduced else None
    bare = record.mask is None and record.objects is None and not record.further and number is None
    if photo is not None and bare:
        return Item({"image": photo.placeholder}, photo)
    picture = load_picture(record.image, options) if photo is None else photo.picture
    image = Image(picture.array, picture.axes, picture.spacing, picture.affine) if photo is None else photo.placeholder
    targets: dict[str, Target] = {"image": image}
    if record.mask is not None:
        mask = load_mask(record.mask, like=picture, frame=record.frame)
        targets["mask"] = Mask(mask.array, mask.axes)
    targets |= further_of(record, picture)
    is_flat = len(picture.spatial_shape) == 2
    objects = objects_on(record, Seen.of(picture))[0] if is_flat else ()
    if is_flat and record.objects is not None:
        targets |= targets_of(objects, picture.spatial_shape, names)
    if number is not None:
        height, width = picture.spatial_shape[-2:]
        targets |= annotations_of(Annotations(number, objects), (height, width), masks=masks)
    return Item(targets, photo)


def _photo(where: Pixels, options: ReadOptions) -> Photo | None:
    """A photo that can be decoded at a reduced size; None for everything else."""
    if (suffix := pixels_suffix(where)) and KIND_OF.get(suffix) != "jpeg":
        return None
    data = encoded(where, suffix)
    if data is None or not data.startswith(_JPEG) or len(data) > options.max_bytes:
        return None
    data = without_fill(data)
    try:
        header = jpeg_header(data)
    except ValueError:
        return None  # read in full, which gives the error its words
    if header.space not in ("Gray", "YCbCr", "RGB"):
        return None
    kept = None if header.space == "Gray" else 3
    channels = kept if options.channels == "keep" else _COUNT[options.channels]
    seen = Seen(header.size, header.orientation, options.exif)
    return Photo(_path(where), data, header, channels, options, seen.size("shown" if options.exif else "stored"))


@lru_cache(256)
def _placeholder(size: tuple[int, int], channels: int | None) -> Image:
    shape = size if channels is None else (*size, channels)
    return Image(np.broadcast_to(np.zeros((), np.uint8), shape), "yx" if channels is None else "yxc")


def _path(where: Pixels) -> Path:
    """What errors call it, with the suffix that the codec goes by."""
    if isinstance(where, Path):
        return where
    name = pixels_name(where)
    return Path(
        name + where.suffix if isinstance(where, Blob) and not name.lower().endswith(where.suffix.lower()) else name
    )


def complete(item: Item, names: tuple[str, ...], labels: np.dtype[Any] = _BYTE) -> Item:
    """The item with an empty target under every name it lacks: all rows of a batch have the same columns.

    ``labels`` is the type of an empty label map.
    """
    missing: dict[str, Any] = {}
    image = item.targets["image"]
    assert isinstance(image, Image)
    for name in names:
        if name in item.targets:
            continue
        if name == "mask":
            axes = image.named()
            shape = [n for n, axis in zip(image.array.shape, axes, strict=True) if axis != "c"]
            missing[name] = Mask(np.zeros(shape, labels), axes.replace("c", ""))
        elif name == "boxes":
            missing[name] = Boxes(np.zeros((0, 4)), "xyxy", [])
        elif name == "polygons":
            missing[name] = Polygons([], labels=[], index=np.zeros(0, np.int64))
        elif name == "lines":
            missing[name] = Polygons([], closed=False)
        elif name == "rotated_boxes":
            missing[name] = RotatedBoxes(np.zeros((0, 5)), labels=[])
        elif name == "instances":
            shape = [n for n, axis in zip(image.array.shape, image.named(), strict=True) if axis != "c"]
            missing[name] = Instances(np.zeros((0, *shape), bool), labels=[], index=np.zeros(0, np.int64))
        elif name == "keypoints":
            missing[name] = Keypoints(np.zeros((0, 2)), "xy", labels=[], instance=[])
    return replace(item, targets={**item.targets, **missing}) if missing else item
