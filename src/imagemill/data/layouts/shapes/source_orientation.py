"""What a source as a whole says about the frame of its annotations: looked at once when it is opened.

Each picture is decided when it is read (`imagemill.data.records.orientation`), by the size that its annotations state.
Half turns, mirrors and squares leave that open; then others of the same source, which the same tool wrote, are the
best witness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from imagemill.core.errors import CodecError, InputError
from imagemill.data.layouts.base import ReadSource, Source
from imagemill.data.layouts.shapes.rle import mask_from_rle, rle_from_mask
from imagemill.data.layouts.shapes.stored_size import seen_of
from imagemill.data.records.instances import RLE, Instance
from imagemill.data.records.orientation import Seen, frame_of, stated_size
from imagemill.data.records.record import Frame, Record

__all__ = ["framed", "read_frame"]

_LOOKED_AT = 256
"""Headers that are read at most, spread evenly: a source of any size opens without a wait."""


def read_frame(options: ReadSource) -> Frame | None:
    """The frame that was asked for; None for what the annotations say.

    Raises
    ------
    InputError
        For another word.
    """
    if options.frame not in ("auto", "stored", "shown"):
        raise InputError(f"expected frame to be 'auto', 'stored' or 'shown', got {options.frame!r}; choose one of them")
    return None if options.frame == "auto" else options.frame  # type: ignore[return-value]


def framed(source: Source, options: ReadSource) -> Source:
    """The source with the frame of its annotations said for each record, as far as it is known, and notes about it.

    Annotations that state another size than the picture has are scaled where that was asked for; else they are noted,
    and refused when their picture is read.
    """
    asked = read_frame(options)
    if asked is not None:
        annotated = (bool(r.objects) or r.mask is not None for r in source.records)
        source = _with_frame(
            source, [said and r.frame is None for r, said in zip(source, annotated, strict=True)], asked
        )
    if options.rescale:
        source = _rescaled(source)
    rows = [n for n, record in enumerate(source.records) if record.objects and isinstance(record.image, Path)]
    looked = rows if len(rows) <= _LOOKED_AT else [rows[n * len(rows) // _LOOKED_AT] for n in range(_LOOKED_AT)]
    found = _Found()
    for row in looked:
        found.look_at(source.records[row])
    if len(found.witnesses) == 1:
        source = _with_frame(source, [r.objects is not None and r.frame is None for r in source], *found.witnesses)
    notes = found.notes(is_sample=len(looked) < len(rows))
    return replace(source, notes=(*source.notes, *notes)) if notes else source


def _with_frame(source: Source, which: Sequence[bool], frame: Frame) -> Source:
    records = tuple(replace(r, frame=frame) if said else r for r, said in zip(source, which, strict=True))
    return replace(source, records=records)


@dataclass(slots=True)
class _Found:
    """What the headers of some pictures say beside their annotations."""

    witnesses: set[Frame] = field(default_factory=set)
    open: list[str] = field(default_factory=list)
    unstated: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def look_at(self, record: Record) -> None:
        """Take one record's header; one that cannot be read is met again when the picture is."""
        try:
            seen = seen_of(record.image)
        except CodecError:
            return
        stated = stated_size(record)
        frame, is_open = frame_of(stated, seen, record.frame)
        if frame is None:
            assert stated is not None
            size, got = (f"{height} x {width}" for height, width in (stated, seen.shown))
            self.others.append(f"{record.key}: {size} stated, {got} found")
        elif is_open and record.frame is None:
            self.open.append(record.key)
        elif seen.orientation != 1 and not is_open and record.frame is None:
            self.witnesses.add(frame)

    def notes(self, *, is_sample: bool) -> list[str]:
        """What there is to say of them, in sentences."""
        of = f" of {_LOOKED_AT} looked at" if is_sample else ""
        said = []
        if self.open:
            count = _counted(len(self.open), "annotated picture is", "annotated pictures are")
            how = "taken as made on the picture as it is seen; frame='stored' (--option frame=stored) says otherwise"
            if len(self.witnesses) == 1:
                (frame,) = self.witnesses
                word = "stored" if frame == "stored" else "seen"
                how = f"taken as made on the picture as it is {word}, like the annotations of the others"
            which = f"{count}{of} turned by EXIF and of a size that fits both ways up ({_first(self.open)})"
            said.append(f"{which}: annotations are {how}")
        if len(self.witnesses) == 2:
            said.append("some annotations were made on pictures as they are stored, some on pictures as they are seen")
        if self.others:
            count = _counted(len(self.others), "picture is", "pictures are")
            do = "they are refused when they are read; rescale=True (--option rescale=yes) scales the annotations"
            said.append(f"{count}{of} of another size than their annotations say ({_first(self.others)}): {do}")
        return said


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _first(names: Sequence[str]) -> str:
    return "; ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _rescaled(source: Source) -> Source:
    """Annotations of another size scaled to that of their picture, each axis by itself, and how many there were."""
    records, scaled, annotations = [], 0, 0
    for record in source.records:
        new = _rescaled_record(record) if record.objects and stated_size(record) is not None else record
        scaled += new is not record
        annotations += len(new.objects or ()) if new is not record else 0
        records.append(new)
    if not scaled:
        return source
    note = f"{_counted(annotations, 'annotation', 'annotations')} of {_counted(scaled, 'image', 'images')} scaled"
    said = f"{note} from the size that is stated to the one the picture has"
    return replace(source, records=tuple(records), notes=(*source.notes, said))


def _rescaled_record(record: Record) -> Record:
    stated = stated_size(record)
    assert stated is not None
    try:
        seen = seen_of(record.image)
    except CodecError:
        return record
    if frame_of(stated, seen, record.frame)[0] is not None:
        return record
    frame = _nearer(stated, seen, record.frame or "shown")
    size = seen.size(frame)
    factors = (size[1] / stated[1], size[0] / stated[0])
    objects = tuple(_scaled(annotation, factors) for annotation in record.objects or ())
    return replace(record, objects=objects, size=size, frame=frame)


def _nearer(stated: tuple[int, int], seen: Seen, assumed: Frame) -> Frame:
    """The frame whose proportions are nearer to those of the stated size."""

    def off(frame: Frame) -> float:
        height, width = seen.size(frame)
        return abs(math.log(width / height) - math.log(stated[1] / stated[0]))

    frames: tuple[Frame, ...] = ("stored", "shown")
    best = min(frames, key=off)
    return best if abs(off("stored") - off("shown")) > 1e-9 else assumed


def _scaled(annotation: Instance, factors: tuple[float, float]) -> Instance:
    """An annotation in another size."""
    across, down = factors
    box = annotation.box
    if box is not None:
        box = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    polygons = tuple(
        tuple(value * (down if place % 2 else across) for place, value in enumerate(flat))
        for flat in annotation.polygons
    )
    # Keypoints are indices of pixel centres, half a pixel in from the edges that scale.
    keypoints = tuple(((x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5, seen) if seen else (x, y, seen)
                   for x, y, seen in annotation.keypoints)  # fmt: skip
    runs = None if annotation.rle is None else _scaled_rle(annotation.rle, factors)
    return replace(annotation, box=box, polygons=polygons, keypoints=keypoints, rle=runs)


def _scaled_rle(runs: RLE, factors: tuple[float, float]) -> RLE:
    """A mask in another size: each new pixel is the old one that its centre lies in."""
    mask = mask_from_rle(runs)
    places = [
        ((np.arange(round(old * factor)) + 0.5) / factor).astype(np.int64).clip(0, old - 1)
        for old, factor in zip(mask.shape, factors[::-1], strict=True)
    ]
    return rle_from_mask(mask[np.ix_(*places)])
