"""What `prepare` makes of one record: its pixels in the common form, and what else there is to know of it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError
from imagemill.core.finite import count_not_finite, filled, like_nodata
from imagemill.core.targets import Array, Map, Mask
from imagemill.data.codecs.base import Picture, ReadOptions
from imagemill.data.records.further_targets import further_pictures
from imagemill.data.records.loading import (
    load_mask,
    load_picture,
    pair_note,
    pixels_name,
    read_once,
)
from imagemill.data.records.orientation import Seen, objects_on
from imagemill.data.records.record import Frame, Pixels, Record
from imagemill.jobs.shards import Note
from imagemill.verbs.prepare.annotations_in_frame import moved
from imagemill.verbs.prepare.common_frame import Placing, place
from imagemill.verbs.prepare.fitting import gaps_in, resized, same_form
from imagemill.verbs.prepare.parameters import Parameters
from imagemill.verbs.prepare.picture_form import Form, check_form
from imagemill.verbs.prepare.statistics import runs_of

__all__ = ["Known", "Made", "RecordWork", "Taken", "entry_of", "make", "take"]

FORMAT = 2
"""Counted up when the same parameters come to mean other pixels: older entries are then made anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A record whose bytes were read once: what its digests are, and where it can be decoded from."""

    record: Record
    sha256: str
    mask_sha256: str | None
    maps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """One prepared record.

    Parameters
    ----------
    image : array
    mask : array of int32 or None
    row : mapping
        What else there is to know, as JSON holds it: size, world, objects, lost, filled.
    note : str
        How the axes were decided.
    maps : mapping from str to array of float32
    """

    image: Array
    mask: Array | None
    row: Mapping[str, Any]
    note: str
    maps: Mapping[str, Array] = field(default_factory=dict)


def take(record: Record, maps: Sequence[str] = ()) -> Taken:
    """Read a record's bytes, and those of its maps of these names.

    Raises
    ------
    CodecError
        When they cannot be read.
    """
    sha256, image = read_once(record.image)
    known, held = dict[str, str](), dict(record.further)
    for name in maps:
        known[name], pixels = read_once(held[name].pixels)
        held[name] = replace(held[name], pixels=pixels)
    record = replace(record, image=image, further=held)
    if record.mask is None:
        return Taken(record, sha256, None, known)
    mask_sha256, mask = read_once(record.mask)
    return Taken(replace(record, mask=mask), sha256, mask_sha256, known)


def entry_of(taken: Taken, asked: Parameters, form: Form, categories: Sequence[str]) -> str:
    """What a prepared record is known by: a digest of its content and of all that decides its pixels.

    Neither its key, nor its label, nor its part is in it: a file that is renamed or moved is not made again.
    """
    record = taken.record
    objects = None if record.objects is None else [dataclasses.asdict(one) for one in record.objects]
    told = {
        "format": FORMAT,
        **_alike(form, asked.size, asked.fit, asked.read),
        "content": [
            taken.sha256,
            taken.mask_sha256,
            objects,
            record.size,
            *([record.frame or "shown"] if objects else []),
            *([taken.maps] if taken.maps else []),
        ],
        "categories": list(categories) if objects else None,
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@lru_cache(maxsize=16)
def _alike(form: Form, size: Any, fit: str, read: ReadOptions) -> dict[str, Any]:
    """What is the same for all records of a run."""
    return {"form": form.plain(), "asked": [size, fit, dataclasses.asdict(read)]}


def make(taken: Taken, asked: Parameters, form: Form, numbers: Mapping[str, int], *, compiled: bool = False) -> Made:
    """Decode a record and bring it into the form; `compiled` is for :func:`~imagemill.verbs.prepare.fitting.resized`.

    Raises
    ------
    CodecError
        When it cannot be read, or does not fit the form.
    """
    record = taken.record
    picture = same_form(load_picture(record.image, asked.read))
    check_form(picture, asked, form)
    placing = place(picture.spatial_shape, form.spatial, asked.fit)
    as_read = picture.array
    row: dict[str, Any] = {"size": list(picture.spatial_shape)}
    gaps = count_not_finite(as_read)
    if gaps:
        picture = replace(picture, array=filled(picture.array))
        row["filled"] = runs_of(gaps_in(as_read, placing))
    image = form.values.of(resized(picture, placing, compiled=compiled), picture.axes)
    row["world"] = None if picture.affine is None else (picture.affine @ placing.pull()).ravel().tolist()
    given = None if record.mask is None else _mask(record.mask, picture, asked, record.frame)
    mask = None if given is None else _smallest(given.array, record.mask)
    if mask is not None:
        spatial = form.axes.removesuffix("c")
        there = placing.pipeline(picture.spatial_shape)(mask=Mask(mask, axes=spatial), key=0).mask
        mask = there.astype(np.int32)
    assumed = ""
    if record.objects is not None and form.objects:
        objects, assumed = objects_on(record, Seen.of(picture))
        row["objects"] = moved(objects, numbers, placing, picture.spatial_shape)  # type: ignore[arg-type]
    notes = [note for note in (pair_note(picture, given), assumed) if note]
    if gaps:
        notes.append(f"{gaps} values that are NaN or infinite, stored as the nearest finite ones")
    if (nothing := like_nodata(as_read)) is not None:
        notes.append(
            f"{nothing[1]} values of {nothing[0]:g}, which often means that nothing was measured, counted as any other"
        )
    maps = _maps(record, picture, placing, form) if form.maps else {}
    return Made(image, mask, row, "; ".join(notes), maps)


def _maps(record: Record, picture: Picture, placing: Placing, form: Form) -> dict[str, Array]:
    """Maps of numbers in the frame, in single precision: interpolated as an image is, 0 beyond it."""
    wanted = replace(record, further={name: record.further[name] for name in form.maps})
    spatial = form.axes.removesuffix("c")
    given: dict[str, Any] = {}
    for name, one in further_pictures(wanted, picture).items():
        if one.channels is not None:
            what = f"a map of one number a pixel for {name}"
            raise CodecError(f"expected {what}, got {one.channels} channels; name it as an image")
        given[name] = Map(one.array.astype(np.float32), axes=spatial)
    found = placing.pipeline(picture.spatial_shape)(**given, key=0)
    return {name: np.ascontiguousarray(found[name], np.float32) for name in form.maps}


def _mask(where: Pixels, picture: Picture, asked: Parameters, frame: Frame | None) -> Picture:
    flat = None if asked.axes is None else asked.axes.replace("c", "")
    mask = load_mask(where, ReadOptions(axes=flat, exif=asked.exif), picture, frame)
    if mask.spatial_shape != picture.spatial_shape:
        shown, got = (" x ".join(map(str, shape)) for shape in (picture.spatial_shape, mask.spatial_shape))
        raise CodecError(f"{pixels_name(where)}: expected a mask of the image's size {shown}, got {got}; mend it")
    return mask


def _smallest(array: Array, where: Pixels | None) -> Array:
    """Labels in bytes where they suffice, else in 32 bits."""
    low, high = int(array.min()), int(array.max())
    if low < -(2**31) or high >= 2**31:
        got = f"{low} to {high}"
        name = "" if where is None else pixels_name(where)
        raise CodecError(f"{name}: expected labels within 32 bits, got {got}; renumber them")
    # Bytes where they suffice: the kernels for them are the quickest, and compiled already.
    return array.astype(np.uint8 if low >= 0 and high < 256 else np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What a run knows of a record that can be used.

    Parameters
    ----------
    sha256 : str
        Of its image's bytes.
    mask_sha256 : str or None
    entry : str
        What its prepared pixels are known by.
    made : Made or None
        The pixels, where they were not there before; they go to the disk and are not kept.
    """

    sha256: str
    mask_sha256: str | None
    entry: str
    made: Made | None


@dataclass(frozen=True, slots=True)
class RecordWork:
    """Prepares a record whose entry is not there yet.

    Parameters
    ----------
    asked : Parameters
    form : Form
    numbers : mapping
        Number of each category, in their order.
    before : frozenset of str
        Entries that an earlier run made.
    compiled : bool
        Whether there are so many records that loading compiled code pays.
    """

    asked: Parameters
    form: Form
    numbers: Mapping[str, int]
    before: frozenset[str]
    compiled: bool

    def __call__(self, record: Record) -> Iterator[Known | Note]:
        """The one row of a record, and notes on how its files were read."""
        taken = take(record, self.form.maps)
        entry = entry_of(taken, self.asked, self.form, tuple(self.numbers))
        made = None
        if entry not in self.before:
            made = make(taken, self.asked, self.form, self.numbers, compiled=self.compiled)
            for note in filter(None, made.note.split("; ")):
                # Files that differ in a number only (slices, rows of a table) are one note.
                yield Note(re.sub(r"\d+", "N", note))
        yield Known(taken.sha256, taken.mask_sha256, entry, made)
