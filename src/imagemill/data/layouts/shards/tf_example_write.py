"""Records as ``tf.train.Example`` messages."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from imagemill.data.codecs.base import problem
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.export_files import Export
from imagemill.data.layouts.shapes.clip_shapes import cut_box, share
from imagemill.data.layouts.shards.crc32c import masked_crc32c
from imagemill.data.layouts.shards.tf_example import encode_example
from imagemill.data.layouts.tables.columns.column_names import ATTRIBUTE, normal_split
from imagemill.data.layouts.tables.rows.write_rows import attribute_column, embedded
from imagemill.data.records.loading import load_picture
from imagemill.data.records.record import Record, split_suffix

__all__ = ["features_of", "framed", "note_losses"]

_BOX = "image/object/bbox/"


def framed(data: bytes) -> bytes:
    """One record of a file: length, checksum, data, checksum.

    Examples
    --------
    >>> len(framed(b"abc"))
    19
    """
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def features_of(record: Record, classes: Sequence[str], categories: Sequence[str], job: Export) -> bytes:
    """The message of one record.

    Raises
    ------
    CodecError
        When pixels cannot be read.
    """
    picture = embedded(record.image, "a", job.options)
    suffix = split_suffix(picture.name)[1].lower().removeprefix(".")
    features: dict[str, Sequence[Any]] = {
        "image/encoded": [picture.data],
        "image/format": [_utf8({"jpg": "jpeg"}.get(suffix, suffix))],
        "image/filename": [_utf8(record.key)],
    }
    if record.mask is not None:
        mask = embedded(record.mask, "a", job.options, labels=True)
        features["image/segmentation/class/encoded"] = [mask.data]
    features |= _labels(record, classes)
    size = record.size
    if size is None and record.objects:
        size = _size(picture.data, record)
    if size is not None:
        features["image/height"], features["image/width"] = [size[0]], [size[1]]
    if record.objects is not None:
        features |= _boxes(record, size or (1, 1), categories, job)
    return encode_example(features | _attributes(record))


def _labels(record: Record, classes: Sequence[str]) -> dict[str, Sequence[Any]]:
    """What the whole picture shows, by name and by number, and which part and group it is in."""
    features: dict[str, Sequence[Any]] = {}
    if record.label is not None and record.label.strip():
        features["image/class/text"] = [_utf8(record.label)]
        if record.label in classes:
            features["image/class/label"] = [classes.index(record.label)]
    if record.labels is not None:
        features["labels"] = [_utf8(name) for name in record.labels]
    for name, text in (("split", record.split), ("group", record.group)):
        if text is not None and text.strip():
            features[name] = [_utf8(text)]
    return features


def _attributes(record: Record) -> dict[str, Sequence[Any]]:
    """The further columns, under names that no other feature has."""
    features: dict[str, Sequence[Any]] = {}
    for name, value in record.attributes.items():
        column = attribute_column(name)
        if column.startswith("image/"):
            column = ATTRIBUTE + column
        features[column] = [_utf8(value) if isinstance(value, str) else value]
        if isinstance(value, bool):
            features[column] = [int(value)]
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise problem(record.key, f"{name!r} to fit 64 bits", str(value), "make it a text")
    return features


def _size(data: bytes, record: Record) -> tuple[int, int]:
    """Height and width of a picture that EXIF does not turn: of others the record says them."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.height, image.width
    except (OSError, ValueError, Image.DecompressionBombError):
        height, width = load_picture(record.image).spatial_shape[-2:]
        return height, width


def _boxes(record: Record, size: tuple[int, int], categories: Sequence[str], job: Export) -> dict[str, Sequence[Any]]:
    """Corners as parts of the picture's height and width."""
    given = [(one, cut_box(job, one.box, size)) for one in record.objects or () if one.box is not None]
    annotations = [(one, box) for one, box in given if box is not None]
    height, width = size
    sides = {
        "xmin": [share(x, width) for _, (x, _, _, _) in annotations],
        "xmax": [share(x + w, width) for _, (x, _, w, _) in annotations],
        "ymin": [share(y, height) for _, (_, y, _, _) in annotations],
        "ymax": [share(y + h, height) for _, (_, y, _, h) in annotations],
    }
    features: dict[str, Sequence[Any]] = {_BOX + side: values for side, values in sides.items()}
    features["image/object/class/text"] = [_utf8(one.category) for one, _ in annotations]
    features["image/object/class/label"] = [categories.index(one.category) for one, _ in annotations]
    features["image/object/is_crowd"] = [int(one.crowd) for one, _ in annotations]
    rounded = any(float(np.float32(value)) != value for values in sides.values() for value in values)
    job.lose("pictures with rounded boxes", "corners are parts of the size in single precision", int(rounded))
    return features


def note_losses(source: Source, job: Export) -> None:
    """Count what the messages cannot hold."""
    annotations = [one for record in source.records for one in record.objects or ()]
    why = "TFRecord holds boxes"
    job.lose("polygons", why, sum(bool(one.polygons) for one in annotations))
    job.lose("instance masks", why, sum(one.rle is not None for one in annotations))
    job.lose("sets of keypoints", why, sum(bool(one.keypoints) for one in annotations))
    job.lose("annotations without a box", why, sum(one.box is None for one in annotations))
    job.lose("attributes of annotations", why, sum(bool(one.attributes) for one in annotations))
    values = [value for record in source.records for value in record.attributes.values()]
    job.lose("truth values", "they come back as 0 and 1", sum(isinstance(value, bool) for value in values))
    floats = [value for value in values if isinstance(value, float)]
    changed = sum(float(np.float32(value)) != value for value in floats if abs(value) < 3e38)
    job.lose("attributes rounded", "numbers are kept in single precision", changed)
    strange = [r for r in source.records if r.split is not None and normal_split(r.split) != r.split]
    job.lose("splits", "only train, val and test are splits", len(strange))
