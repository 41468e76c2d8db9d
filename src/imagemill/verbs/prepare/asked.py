"""What is asked of a preparation, and the form that all its pictures get."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from imagemill.core.errors import CodecError, InputError, MissingExtra, SourceError
from imagemill.core.finite import count_not_finite, filled, like_nodata
from imagemill.core.targets import Array, Mask
from imagemill.data.codecs.base import Channels, Picture, ReadOptions
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.walk import real_path
from imagemill.data.records.loading import (
    encoded,
    load_mask,
    load_picture,
    pair_note,
    pixels_digest,
    pixels_name,
    pixels_suffix,
)
from imagemill.data.records.orientation import Seen, objects_on
from imagemill.data.records.record import Blob, Frame, Pixels, Record, Stored
from imagemill.data.splits.duplicates import Contents, contents_of, straddling
from imagemill.data.splits.grouping import columns_of, divide, grouped, remarks_on
from imagemill.data.splits.split import read_shares
from imagemill.verbs.prepare import (
    class_numbers as labels,
)
from imagemill.verbs.prepare import (
    fitting as pixels,
)
from imagemill.verbs.prepare import (
    instances_moved as objects,
)
from imagemill.verbs.prepare import (
    statistics,
)
from imagemill.verbs.prepare.common_frame import check_fit, place, read_size

__all__ = [
    "Asked",
    "Form",
    "Made",
    "Split",
    "Taken",
    "decide_form",
    "entry_of",
    "groups_of",
    "make",
    "split_of",
    "take",
]

FORMAT = 1
"""Counted up when the same parameters come to mean other pixels: older entries are then made anew."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of `prepare` that decide what is in the store; see there."""

    size: int | tuple[int, ...] | None
    fit: str
    channels: Channels
    axes: str | None
    dtype: str | None
    normalize: str
    standardize: str
    split: Any
    val: float | None
    stratify: bool
    group: str | None
    labels: str | None
    unlabeled: str
    shuffle: bool
    seed: int
    exif: bool = True
    icc: Literal["ignore", "srgb"] = "ignore"
    background: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        lengths = () if self.size is None else (self.size,) if isinstance(self.size, int) else tuple(self.size)
        if any(isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1 for n in lengths) or (
            self.size is not None and len(lengths) not in (1, 2, 3)
        ):
            raise InputError(f"expected size as 1 to 3 whole numbers of at least 1, got {self.size!r}; write 224")
        if lengths:
            object.__setattr__(self, "size", lengths[0] if isinstance(self.size, int) else tuple(map(int, lengths)))
        check_fit(self.fit)
        statistics.check_standardize(self.standardize)
        if self.channels not in get_args(Channels):
            known = ", ".join(get_args(Channels))
            raise InputError(f"expected channels to be one of {known}, got {self.channels!r}; choose one")
        if self.icc not in ("ignore", "srgb"):
            raise InputError(f"expected icc to be one of ignore, srgb, got {self.icc!r}; choose one")
        if not isinstance(self.exif, bool):
            raise InputError(f"expected exif to be True or False, got {self.exif!r}; choose one")
        if self.background is not None:
            object.__setattr__(self, "background", _colour(self.background, self.channels))
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"expected a seed of at least 0, got {self.seed!r}; write 7")

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        found: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return found

    @property
    def read(self) -> ReadOptions:
        """How pictures are read."""
        return ReadOptions(self.channels, self.axes, background=self.background, exif=self.exif, icc=self.icc)


def _colour(background: Any, channels: str) -> tuple[float, ...]:
    """What lies under transparent pixels, as one or three finite numbers."""
    values = tuple(background) if isinstance(background, Sequence) else (background,)
    numbers = all(isinstance(v, Real) and math.isfinite(v) for v in values)
    if not numbers or len(values) not in (1, 3) or channels not in ("gray", "rgb"):
        raise InputError(
            f"expected a background of 1 or 3 numbers and channels='gray' or 'rgb', got {background!r} and "
            f"channels={channels!r}; write background=(255, 255, 255), channels='rgb'"
        )
    return tuple(map(float, values))


@dataclass(frozen=True, slots=True)
class Form:
    """What every picture of a dataset has in common.

    Parameters
    ----------
    shape : tuple of int
        With channels last, where there are any.
    axes : str
    values : Values
    masks, objects : bool
        Whether there are label maps and annotated things.
    """

    shape: tuple[int, ...]
    axes: str
    values: pixels.Values
    masks: bool
    objects: bool

    @property
    def spatial(self) -> tuple[int, ...]:
        """Lengths of the axes that are places."""
        return self.shape[: len(self.axes.removesuffix("c"))]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels."""
        return np.dtype(self.values.dtype)

    @property
    def image_bytes(self) -> int:
        """Of one picture."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    @property
    def mask_bytes(self) -> int:
        """Of one label map, in 32 bits until it is known how many are needed."""
        return int(np.prod(self.spatial)) * 4 if self.masks else 0

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        found: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A record whose bytes were read once: what its digests are, and where it can be decoded from."""

    record: Record
    sha256: str
    mask_sha256: str | None


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
    """

    image: Array
    mask: Array | None
    row: Mapping[str, Any]
    note: str


def _once(where: Pixels) -> tuple[str, Pixels]:
    """The digest of pixels, and the same pixels in memory, so that a file is read once."""
    data = encoded(where)
    if data is not None:
        name, held = pixels_name(where), data
        return hashlib.sha256(held).hexdigest(), Blob(name, pixels_suffix(where), lambda: held)
    assert isinstance(where, Stored)
    array = where.fetch()
    held_array = replace(where, fetch=lambda: array)
    return pixels_digest(held_array), held_array


def take(record: Record) -> Taken:
    """Read a record's bytes.

    Raises
    ------
    CodecError
        When they cannot be read.
    """
    sha256, image = _once(record.image)
    if record.mask is None:
        return Taken(replace(record, image=image), sha256, None)
    mask_sha256, mask = _once(record.mask)
    return Taken(replace(record, image=image, mask=mask), sha256, mask_sha256)


def entry_of(taken: Taken, asked: Asked, form: Form, categories: Sequence[str]) -> str:
    """What a prepared record is known by: a digest of its content and of all that decides its pixels.

    Neither its key, nor its label, nor its part is in it: a file that is renamed or moved is not made again.
    """
    record = taken.record
    things = None if record.objects is None else [dataclasses.asdict(thing) for thing in record.objects]
    told = {
        "format": FORMAT,
        "form": form.plain(),
        "asked": [asked.size, asked.fit, dataclasses.asdict(asked.read)],
        "content": [
            taken.sha256,
            taken.mask_sha256,
            things,
            record.size,
            *([record.frame or "shown"] if things else []),
        ],
        "categories": list(categories) if things else None,
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def decide_form(source: Source, asked: Asked) -> Form:
    """Look at the first picture that can be read: it says what all of them are to be.

    Raises
    ------
    SourceError
        When none can be read.
    InputError
        When what is asked does not fit it.
    """
    problem: Exception | None = None
    for record in source:
        try:
            picture = pixels.same_form(load_picture(record.image, asked.read))
        except MissingExtra:
            raise
        except CodecError as error:  # it is met again in the run, which does with it what was asked for
            problem = problem or error
            continue
        values = pixels.value_plan(
            asked.dtype, asked.normalize, standardized=asked.standardize != "none", first=picture
        )
        if asked.standardize != "none" and values.dtype.startswith("u"):
            msg = f"expected a floating dtype for standardize={asked.standardize!r}, got {values.dtype!r}"
            raise InputError(f"{msg}; choose dtype='float32', or leave it out and use the statistics when loading")
        spatial = read_size(asked.size, picture.spatial_shape)
        channels = () if picture.channels is None else (picture.channels,)
        masks = any(r.mask is not None for r in source)
        things = any(r.objects is not None for r in source)
        return Form((*spatial, *channels), picture.axes, values, masks, things and len(spatial) == 2)
    raise SourceError(f"expected an image that can be read in {source.root}, got none of {len(source)}: {problem}")


def make(taken: Taken, asked: Asked, form: Form, numbers: Mapping[str, int]) -> Made:
    """Decode a record and bring it into the form.

    Raises
    ------
    CodecError
        When it cannot be read, or does not fit the form.
    """
    record = taken.record
    picture = pixels.same_form(load_picture(record.image, asked.read))
    _check_form(picture, asked, form)
    placing = place(picture.spatial_shape, form.spatial, asked.fit)  # type: ignore[arg-type]
    as_read = picture.array
    row: dict[str, Any] = {"size": list(picture.spatial_shape)}
    gaps = count_not_finite(as_read)
    if gaps:
        picture = replace(picture, array=filled(picture.array))
        row["filled"] = statistics.runs_of(pixels.gaps_in(as_read, placing))
    image = form.values.of(pixels.resized(picture, placing), picture.axes)
    row["world"] = None if picture.affine is None else (picture.affine @ placing.pull()).ravel().tolist()
    given = None if record.mask is None else _mask(record.mask, picture, asked, record.frame)
    mask = None if given is None else _smallest(given.array, record.mask)
    if mask is not None:
        spatial = form.axes.removesuffix("c")
        there = placing.pipeline(picture.spatial_shape)(mask=Mask(mask, axes=spatial), key=0).mask
        mask = there.astype(np.int32)
    assumed = ""
    if record.objects is not None and form.objects:
        things, assumed = objects_on(record, Seen.of(picture))
        row["objects"] = objects.moved(things, numbers, placing, picture.spatial_shape)  # type: ignore[arg-type]
    notes = [note for note in (pair_note(picture, given), assumed) if note]
    if gaps:
        notes.append(f"{gaps} values that are NaN or infinite, stored as the nearest finite ones")
    if (nothing := like_nodata(as_read)) is not None:
        notes.append(
            f"{nothing[1]} values of {nothing[0]:g}, which often means that nothing was measured, counted as any other"
        )
    return Made(image, mask, row, "; ".join(notes))


def _check_form(picture: Picture, asked: Asked, form: Form) -> None:
    if picture.axes != form.axes:
        do = "pass channels='rgb' (or 'gray')" if picture.axes[0] == form.axes[0] else "prepare them apart"
        raise CodecError(f"expected axes {form.axes!r} like the first picture, got {picture.axes!r}; {do}")
    channels = form.shape[len(form.spatial) :]
    if channels and picture.channels != channels[0]:
        msg = f"expected {channels[0]} channels like the first picture, got {picture.channels}"
        raise CodecError(f"{msg}; pass channels='rgb' (or 'rgba', 'gray')")
    wanted = read_size(asked.size, picture.spatial_shape)
    if wanted != form.spatial:
        shown, got = (" x ".join(map(str, shape)) for shape in (form.spatial, wanted))
        raise CodecError(
            f"expected {shown} pixels like the first picture, got {got}; give a size for all axes, {_sized(form)}"
        )
    deeper = asked.dtype is None and form.values.dtype == "uint8" and picture.array.dtype.name not in ("uint8", "bool")
    if deeper:
        msg = f"expected 8 bits like the first picture, got {picture.array.dtype}"
        raise CodecError(f"{msg}; pass dtype='uint8' (or 'uint16', 'float32') for all")


def _sized(form: Form) -> str:
    lengths = ", ".join(map(str, form.spatial))
    return f"such as size=({lengths}) (--size {lengths.replace(' ', '')})"


def _mask(where: Pixels, picture: Picture, asked: Asked, frame: Frame | None) -> Picture:
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


def groups_of(source: Source, asked: Asked) -> list[str | None]:
    """The group of every record, as it was asked for."""
    return grouped(columns_of(source.records), asked.group, source.info.get("columns"))


@dataclass(frozen=True, slots=True)
class Split:
    """The part of every record, in words how it came about, and what there is to say about it."""

    parts: list[str]
    how: str
    notes: tuple[str, ...] = ()


def split_of(
    source: Source, plan: labels.LabelPlan, asked: Asked, digests: Sequence[str | None] | None = None
) -> Split:
    """Divide the records; those of the same content go to one part, by their digests where they are known.

    Raises
    ------
    InputError
        When the source's own split is asked for, and it has none.
    """
    records = source.records
    own = [record.split for record in records]
    said = {part for part in own if part is not None}
    alone = own.count(None)
    keep = asked.split == "keep" or (asked.split == "auto" and {"train"} < said and 2 * alone <= len(own))
    groups = groups_of(source, asked)
    if keep and asked.split == "auto" and alone:
        # A few images in no part are no reason to mix training and test images anew.
        own = [part or "train" for part in own]
        records = tuple(record if record.split else replace(record, split="train") for record in records)
    keys = [record.key for record in records]
    contents = Contents((None,) * len(records)) if digests is None else contents_of(records, digests)
    several = plan.form == "multi"
    names = [plan.names(record) for record in records]
    classes: list[Any] = [n if several else (n[0] if n else None) for n in names]
    notes: tuple[str, ...] = ()
    if keep:
        bare = [record.key for record in records if record.split not in ("train", "val", "test")]
        if bare:
            msg = f"expected a source that says train, val or test of every image, got none for {len(bare)}: {bare[0]}"
            raise InputError(f"{msg}; choose split='auto'")
        parts = [str(part) for part in own]
        remarks = (straddling(keys, own, contents), *remarks_on(own, classes, ("train",)))
        notes = tuple(note for note in remarks if note)
        rest = f", {alone} in no part are for training" if alone else ""
        if not asked.val or "val" in parts:
            return Split(parts, f"the source's own{rest}", notes)
        inside = [i for i, part in enumerate(parts) if part == "train"]
        shares = read_shares(0, asked.val, len(inside))
    else:
        parts, inside = ["train"] * len(records), list(range(len(records)))
        shares = read_shares(asked.split, asked.val, len(records))
    stratify = asked.stratify and plan.form != "none"
    made = divide(
        [keys[i] for i in inside],
        shares,
        [classes[i] for i in inside] if stratify else None,
        [groups[i] for i in inside],
        Contents(tuple(contents.ids[i] for i in inside)),
        asked.seed,
    )
    for i, part in zip(inside, made.parts, strict=True):
        parts[i] = part
    how = "stratified by label" if stratify else "by key alone"
    whole = f"{how}, groups kept whole" if made.is_grouped else how
    told = f"the source's own{rest}, validation drawn: {whole}" if keep else whole
    if said and not keep and asked.split == "auto":
        told = f"{whole}, in place of the source's own: {', '.join(sorted(said))}"
    return Split(parts, told, (*notes, *made.notes, *made.warnings))


def where_of(source: Source, where: Pixels) -> str:
    """Where pixels are, relative to the source: a store names no folder of a machine."""
    root = source.root
    if isinstance(where, Path):
        try:
            return real_path(where).relative_to(real_path(root)).as_posix()
        except ValueError:
            return where.name
    return pixels_name(where).replace(f"{root}/", "").replace(str(root), root.name)
