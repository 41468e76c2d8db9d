"""From files to records and pictures, and back to files."""

from __future__ import annotations

from imagemill.data.atomic import JsonLines, append_jsonl, atomic_path, read_jsonl
from imagemill.data.codecs.base import MAX_PIXELS, Codec, Picture, ReadOptions
from imagemill.data.codecs.header_size import image_size
from imagemill.data.codecs.orient_annotations import orient_instances
from imagemill.data.codecs.registry import (
    Format,
    formats,
    is_readable_name,
    read_mask,
    read_picture,
    register_codec,
    write_picture,
)
from imagemill.data.layouts.arrays.in_memory import from_arrays
from imagemill.data.layouts.base import (
    Guess,
    Layout,
    Look,
    Problem,
    ReadSource,
    Source,
    WriteTarget,
    Written,
)
from imagemill.data.layouts.coco.coco_json import CocoFile, read_coco
from imagemill.data.layouts.export_files import exporting
from imagemill.data.layouts.labelmaps.masks import Pairing, pair_masks
from imagemill.data.layouts.opening import open_source
from imagemill.data.layouts.registry import layouts as known_layouts
from imagemill.data.layouts.registry import register_layout
from imagemill.data.layouts.shapes.rle import mask_from_rle
from imagemill.data.records.as_targets import boxes_of, keypoint_labels, keypoint_names_of, keypoints_of, links_of
from imagemill.data.records.instances import RLE, Instance
from imagemill.data.records.loading import load_mask, load_picture, pixels_name
from imagemill.data.records.moved_annotations import KEYPOINTS, Annotations, counts_of
from imagemill.data.records.orientation import Seen, objects_on
from imagemill.data.records.output_names import name_clashes, output_name
from imagemill.data.records.record import Blob, Pixels, Record, Stored, split_suffix
from imagemill.data.remote.remote_path import as_path

__all__ = [
    "KEYPOINTS",
    "MAX_PIXELS",
    "RLE",
    "Annotations",
    "Blob",
    "CocoFile",
    "Codec",
    "Format",
    "Guess",
    "Instance",
    "JsonLines",
    "Layout",
    "Look",
    "Pairing",
    "Picture",
    "Pixels",
    "Problem",
    "ReadOptions",
    "ReadSource",
    "Record",
    "Seen",
    "Source",
    "Stored",
    "WriteTarget",
    "Written",
    "append_jsonl",
    "as_path",
    "atomic_path",
    "boxes_of",
    "counts_of",
    "exporting",
    "formats",
    "from_arrays",
    "image_size",
    "is_readable_name",
    "keypoint_labels",
    "keypoint_names_of",
    "keypoints_of",
    "known_layouts",
    "links_of",
    "load_mask",
    "load_picture",
    "mask_from_rle",
    "name_clashes",
    "objects_on",
    "open_source",
    "orient_instances",
    "output_name",
    "pair_masks",
    "pixels_name",
    "read_coco",
    "read_jsonl",
    "read_mask",
    "read_picture",
    "register_codec",
    "register_layout",
    "split_suffix",
    "write_picture",
]
