"""What of a source is still there after it was written and read again, in the words of `CAN_HOLD`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from imagemill.data import Record, Source
from imagemill.data.records.instances import Instance
from imagemill.data.records.loading import load_mask, load_picture

# How each word is called where a layout says that it could not keep it.
SAID = {
    "label": r"\blabels?\b|class name",
    "hierarchy": r"levels of",
    "labels": r"several labels",
    "mask": r"label map|\bmasks?\b",
    "boxes": r"\bboxes|annotations|crowds",
    "polygons": r"polygons",
    "rle": r"run-length|instance masks",
    "keypoints": r"keypoints",
    "split": r"split",
    "group": r"groups?\b",
    "attributes": r"attributes|columns?\b|types in",
    "affine": r"places? in the world|voxel sizes",
}


def pixels_of(record: Record) -> str:
    """Decoded pixels as one word, so that pictures are found again under other names."""
    picture = load_picture(record.image)
    # A lone slice or channel axis says nothing that the pixels do not.
    head = f"{picture.axes}{picture.array.shape}{picture.array.dtype.str}"
    return hashlib.sha256(head.encode() + np.ascontiguousarray(picture.array).tobytes()).hexdigest()


def _mask(record: Record) -> Any:
    if record.mask is None:
        return None
    array = load_mask(record.mask).array
    return array.shape, hashlib.sha256(array.astype(np.int64).tobytes()).hexdigest()


def _affine(record: Record) -> Any:
    affine = load_picture(record.image).affine
    return None if affine is None else tuple(np.round(affine, 3).ravel().tolist())


def _near(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(v), 2) for v in values)


def _annotations(of: Callable[[Instance], Any]) -> Callable[[Record], Any]:
    """Of each annotation that has some; None where no annotation has."""
    return lambda record: tuple(filter(None, (of(annotation) for annotation in record.objects or ()))) or None


SEEN: dict[str, Callable[[Record], Any]] = {
    "label": lambda r: None if r.label is None else r.label.replace("/", "-"),
    "hierarchy": lambda r: r.label if "/" in (r.label or "") else None,
    "labels": lambda r: r.labels,
    "mask": _mask,
    "boxes": _annotations(lambda o: None if o.box is None else (o.category, _near(o.box), o.crowd)),
    "polygons": _annotations(lambda o: tuple(_near(part) for part in o.polygons)),
    "rle": _annotations(lambda o: o.rle),
    "keypoints": _annotations(lambda o: tuple((*_near(keypoint[:2]), keypoint[2]) for keypoint in o.keypoints)),
    "split": lambda r: r.split,
    "group": lambda r: r.group,
    "attributes": lambda r: dict(r.attributes),
    "affine": _affine,
}


def _same(before: Any, after: Any) -> bool:
    return before.items() <= after.items() if isinstance(before, dict) else bool(before == after)


def has(source: Source, word: str) -> bool:
    """Whether there is anything of the word in a source."""
    return any(map(SEEN[word], source))


def changed(before: Source, after: Source) -> dict[str, str]:
    """Words of which something differs, with the first difference; ``image`` for pixels."""
    there = {pixels_of(record): record for record in after}
    pairs = [(record, there.get(pixels_of(record))) for record in before]
    lost = [record.key for record, again in pairs if again is None]
    found = {"image": f"{len(lost)} of {len(before)}: {lost[0]}"} if lost else {}
    if len(after) > len(before):
        found["image"] = f"{len(before)} became {len(after)}"
    for word, see in SEEN.items():
        for record, again in pairs:
            # A layout may add what it counts and places annotations by, to pictures that had none of it.
            if again is not None and see(record) and not _same(see(record), see(again)):
                found[word] = f"{record.key}: {see(record)!r:.150} became {see(again)!r:.150}"
                break
    return found


def said(lost: Iterable[str], word: str) -> bool:
    """Whether a layout named the word among what it could not keep."""
    return any(re.search(SAID[word], text) for text in lost)
