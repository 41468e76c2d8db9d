"""The picture that annotations are meant on: as its file stores it, or as EXIF turns it. Decided here and nowhere else.

Cameras store a photo as the sensor lies and write beside it how to turn it. Some tools annotate what is stored, most
what is seen. The size that the annotations state says which of the two, as long as both differ. Where it leaves the
question open (half turns, mirrors, squares, no size at all), the record's `frame` answers: what the layout or the user
says, or what other pictures of the source show. Without any of these the annotations are meant on the picture as it is
seen, as annotation tools show it and as most trainers read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from imagemill.core.errors import CodecError, InputError
from imagemill.data.codecs.base import Picture
from imagemill.data.codecs.orient_annotations import orient_instances
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Frame, Record

__all__ = ["INVERSE", "Seen", "frame_of", "objects_on", "stated_size"]

Size = tuple[int, int]

INVERSE = {6: 8, 8: 6}
"""Orientations whose undoing is another one; all others undo themselves."""

_MEND = "mend the annotations, or pass rescale=True (--option rescale=yes) to scale them"


@dataclass(frozen=True, slots=True)
class Seen:
    """How a picture lies in memory.

    Parameters
    ----------
    stored : tuple of int
        Height and width in its file.
    orientation : int
        1 to 8, as EXIF numbers them.
    turned : bool
        Whether the pixels were turned as EXIF asks.

    Examples
    --------
    >>> Seen((20, 10), 6).shown
    (10, 20)
    """

    stored: Size
    orientation: int = 1
    turned: bool = True

    @classmethod
    def of(cls, picture: Picture) -> Seen:
        """Of a picture as it was read; volumes are never turned."""
        height, width = picture.spatial_shape[-2:]
        if len(picture.spatial_shape) != 2:
            return cls((height, width))
        turned = picture.meta.get("exif_applied") is not False
        orientation = int(picture.meta.get("exif_orientation", 1) or 1)
        swapped = turned and orientation > 4
        return cls((width, height) if swapped else (height, width), orientation, turned)

    @property
    def shown(self) -> Size:
        """Height and width as EXIF turns it."""
        return self.stored[::-1] if self.orientation > 4 else self.stored

    def size(self, frame: Frame) -> Size:
        """Height and width in one of the two frames."""
        return self.stored if frame == "stored" else self.shown

    def turn(self, frame: Frame) -> int:
        """The orientation that brings what is meant on one of the frames onto the pixels in memory; 1 for none."""
        if frame == ("shown" if self.turned else "stored"):
            return 1
        return self.orientation if self.turned else INVERSE.get(self.orientation, self.orientation)


def stated_size(record: Record) -> Size | None:
    """Height and width that the annotations state: for the picture, or else for the first mask as runs in it."""
    if record.size is not None:
        return record.size
    runs = next((annotation.rle for annotation in record.objects or () if annotation.rle is not None), None)
    return None if runs is None else (runs.height, runs.width)


def frame_of(stated: Size | None, seen: Seen, assumed: Frame | None = None) -> tuple[Frame | None, bool]:
    """The frame that a stated size means, and whether that had to be assumed.

    Parameters
    ----------
    stated : tuple of int or None
        Height and width.
    seen : Seen
    assumed : {"stored", "shown"} or None
        What to assume where the size fits both; None stands for ``"shown"``.

    Returns
    -------
    frame : {"stored", "shown"} or None
        None where the size fits neither.
    open : bool
        Whether both fit and differ.

    Examples
    --------
    >>> frame_of((20, 10), Seen((20, 10), 6)), frame_of((10, 20), Seen((20, 10), 6)), frame_of((9, 9), Seen((20, 10)))
    (('stored', False), ('shown', False), (None, False))
    >>> frame_of((20, 10), Seen((20, 10), 3))
    ('shown', True)
    """
    if stated is not None and tuple(stated) not in (seen.stored, seen.shown):
        return None, False
    if stated is None or seen.stored == seen.shown:
        return assumed or "shown", seen.orientation in range(2, 9)
    return ("stored" if tuple(stated) == seen.stored else "shown"), False


def objects_on(record: Record, seen: Seen) -> tuple[tuple[Instance, ...], str]:
    """What is annotated in a record's picture, on its pixels as they lie in memory, and what to know about it.

    Parameters
    ----------
    record : Record
    seen : Seen

    Returns
    -------
    tuple of Instance
    note : str
        That the frame had to be assumed; empty otherwise.

    Raises
    ------
    CodecError
        When the annotations state a size that the picture has in neither frame.

    Examples
    --------
    >>> from pathlib import Path
    >>> cat = Instance("cat", (0.0, 0.0, 2.0, 1.0))
    >>> lying = Record("a.jpg", Path("a.jpg"), objects=(cat,), size=(10, 20))
    >>> objects_on(lying, Seen((10, 20), 6))[0][0].box
    (9.0, 0.0, 1.0, 2.0)
    >>> objects_on(lying, Seen((20, 10), 6))[0][0].box
    (0.0, 0.0, 2.0, 1.0)
    """
    objects = record.objects or ()
    if not objects:
        return objects, ""
    stated = stated_size(record)
    frame, is_open = frame_of(stated, seen, record.frame)
    if frame is None:
        assert stated is not None
        raise CodecError(_other_size(record.key, stated, seen))
    turn = seen.turn(frame)
    note = ""
    if is_open and record.frame is None:
        note = "EXIF turns it and nothing says on which side up it was annotated: taken as it is seen"
    try:
        moved = orient_instances(_without_others(objects, seen.size(frame)), turn, seen.size(frame))
        return _with_others(record.key, objects, moved, seen, frame), note
    except InputError as error:
        raise CodecError(f"{record.key}: {error}") from error


def _other_size(key: str, stated: Size, seen: Seen) -> str:
    """The error for a size that is not so."""
    got = f"{seen.stored[0]} x {seen.stored[1]}"
    got += f" ({seen.shown[0]} x {seen.shown[1]} as EXIF turns it)" if seen.shown != seen.stored else ""
    swapped = seen.shown == seen.stored == stated[::-1]
    do = f"have height and width changed places? {_MEND}" if swapped else _MEND
    return f"{key}: expected a picture of {stated[0]} x {stated[1]} pixels as its annotations say, got {got}; {do}"


def _without_others(objects: Sequence[Instance], size: Size) -> list[Instance]:
    """The annotations, without masks of another size than the frame's."""
    return [
        annotation
        if annotation.rle is None or (annotation.rle.height, annotation.rle.width) == size
        else replace(annotation, rle=None)
        for annotation in objects
    ]


def _with_others(
    key: str, objects: Sequence[Instance], moved: Sequence[Instance], seen: Seen, frame: Frame
) -> tuple[Instance, ...]:
    """The moved annotations with the masks that were left: each goes by its own size."""
    found = []
    for annotation, new in zip(objects, moved, strict=True):
        if annotation.rle is not None and new.rle is None:
            own = (annotation.rle.height, annotation.rle.width)
            of_runs, _ = frame_of(own, seen, frame)
            if of_runs is None:
                raise CodecError(_other_size(f"{key}, the mask of a {annotation.category}", own, seen))
            (alone,) = orient_instances([Instance(annotation.category, rle=annotation.rle)], seen.turn(of_runs), own)
            new = replace(new, rle=alone.rle)
        found.append(new)
    return tuple(found)
