"""Writing HDF5: a group per class, a dataset per image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError
from imagemill.core.extras import require
from imagemill.data.atomic import atomic_path
from imagemill.data.codecs.base import Picture, problem
from imagemill.data.layouts.arrays.containers import (
    class_numbers,
    not_written,
    nothing_written,
    what_is_lost,
    writing_file,
)
from imagemill.data.layouts.arrays.deferred_error_file import Sink
from imagemill.data.layouts.base import Problem, Source, WriteTarget, Written
from imagemill.data.records.loading import encoded, load_mask, load_picture
from imagemill.data.records.record import Record

__all__ = ["ASIDE", "SUFFIXES", "write_h5"]

SUFFIXES = (".h5", ".hdf5", ".hdf", ".he5", ".hd5")
"""What HDF5 files are called."""

ASIDE = "/@masks"
"""The group that masks are kept in; it is no class."""

_RESERVED = frozenset(("key", "axes", "world", "mask", "split", "group", "label", "class", "class_name", "label_name"))
_PACK = {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def write_h5(source: Source, out: Path, options: WriteTarget, holds: frozenset[str]) -> Written:
    """Write a source as one HDF5 file; see `Hdf5.write`.

    The label's levels are groups with attributes ``label`` and ``label_id``; images carry ``key``, ``axes``, ``world``,
    ``split``, ``group`` and their further columns as attributes, and the place of their mask. With
    ``options.embed`` the encoded bytes of pictures are kept instead of pixels.
    """
    h5py = require("h5py", extra="hdf5")
    with writing_file(out, "images.h5", SUFFIXES, "hdf5", options) as path:
        return _write(h5py, source, out, path, options, holds)


def _write(h5py: Any, source: Source, out: Path, path: Path, options: WriteTarget, holds: frozenset[str]) -> Written:
    lost = what_is_lost(source, holds, "HDF5")
    problems: list[Problem] = []
    numbers = class_numbers(source)
    count = 0
    with atomic_path(path) as part, Sink(part) as sink:
        try:
            with h5py.File(sink, "w", libver=("v110", "v110")) as file:
                if numbers:
                    file.attrs["classes"] = np.array(list(numbers), dtype=object)
                for label, number in numbers.items():
                    group = file.require_group(_group(label))
                    group.attrs["label"], group.attrs["label_id"] = label.rpartition("/")[2], number
                for index, record in enumerate(source.records):
                    try:
                        _write_record(file, index, record, options, lost)
                        count += 1
                    except CodecError as error:
                        problems.append(not_written(record, error))
                    sink.check()
                    if options.progress is not None:
                        options.progress(count)
            sink.check()
        except (OSError, ValueError, RuntimeError) as error:
            sink.check()  # what the disk said comes first: the rest follows from it
            if isinstance(error, CodecError):
                raise
            raise problem(out, "a place to write HDF5 to", str(error), "check space and permissions") from error
        if not count:
            raise nothing_written(problems)
    return Written(out, count, tuple(dict.fromkeys(lost)), tuple(problems))


def _group(label: str | None) -> str:
    """The group of a class; names that HDF5 reads as paths are kept from doing so."""
    if not label:
        return "/"
    return "/" + "/".join("_" + level if level in ("", ".", "..", ASIDE[1:]) else level for level in label.split("/"))


def _write_record(file: Any, index: int, record: Record, options: WriteTarget, lost: list[str]) -> None:
    group = file.require_group(_group(record.label))
    name = f"image-{index:07d}"
    while name in group:  # a class may be called so
        name += "_"
    # Both are read before anything is written: a record is whole or not there.
    data = encoded(record.image) if options.embed else None
    picture = load_picture(record.image) if data is None or record.mask is not None else None
    mask = None if record.mask is None else load_mask(record.mask, like=picture)
    if data is not None or picture is None:
        dataset = group.create_dataset(name, data=np.frombuffer(data or b"", np.uint8))
    else:
        dataset = _dataset(group, name, picture)
        extra = set(picture.meta.get("nifti", {})) - {
            "qform_code",
            "sform_code",
            "space_unit",
            "time_unit",
            "time_step",
        }
        if extra - {"intent_code", "intent_name"}:
            lost.append("voxel sizes that contradict the affine: HDF5 keeps the affine")
    dataset.attrs["key"] = record.key
    for attribute, value in (("split", record.split), ("group", record.group)):
        if value is not None:
            dataset.attrs[attribute] = value
    if record.label is None:
        pass
    elif "" in record.label.split("/"):
        dataset.attrs["label"] = record.label
    for attribute, scalar in record.attributes.items():
        if attribute in _RESERVED or len(str(scalar)) > 60_000:
            lost.append(f"column {attribute!r}: the name is taken, or a value too long for an attribute")
        else:
            dataset.attrs[attribute] = scalar
    if mask is not None:
        where = f"{ASIDE}/{index:07d}"
        _dataset(file, where, mask)
        dataset.attrs["mask"] = where


def _dataset(group: Any, name: str, picture: Picture) -> Any:
    array = picture.array
    dataset = group.create_dataset(name, data=array, chunks=array.shape if array.nbytes < 1 << 30 else True, **_PACK)
    dataset.attrs["axes"] = picture.axes
    if picture.affine is not None:
        dataset.attrs["world"] = picture.affine
    return dataset
