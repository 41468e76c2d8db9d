"""Saying what a layout could not hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from imagemill.data.layouts.base import Source
from imagemill.data.layouts.export_files import Export
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import FURTHER_KINDS, Record

__all__ = ["lose_the_rest"]

# What of a record or of an annotation each word of `CAN_HOLD` stands for, and its plural in reports.
_OF_RECORDS: tuple[tuple[str, str, Callable[[Record], bool]], ...] = (
    ("label", "labels", lambda r: r.label is not None),
    ("labels", "pictures' several labels", lambda r: r.labels is not None),
    ("mask", "label maps", lambda r: r.mask is not None),
    ("split", "pictures' splits", lambda r: r.split is not None),
    ("group", "pictures' groups", lambda r: r.group is not None),
)
_OF_ANNOTATIONS: tuple[tuple[str, str, Callable[[Instance], bool]], ...] = (
    ("boxes", "boxes", lambda o: o.box is not None),
    ("polygons", "polygons", lambda o: bool(o.polygons)),
    ("rle", "run-length masks", lambda o: o.rle is not None),
    ("keypoints", "annotations' keypoints", lambda o: bool(o.keypoints)),
)


def lose_the_rest(job: Export, source: Source, holds: Collection[str], title: str) -> None:
    """Count what a source has and a layout does not hold.

    Parameters
    ----------
    job : Export
        Where to count it.
    source : Source
    holds : collection of str
        Words of `CAN_HOLD`; also ``"crowd"`` and ``"annotation attributes"`` where the layout keeps those of an
        annotation, and ``"info"`` where it keeps facts of the whole set.
    title : str
        What the layout is called.
    """
    why = f"the layout '{title}' has no place for them"
    for word, plural, has in _OF_RECORDS:
        if word not in holds:
            job.lose(plural, why, sum(map(has, source)))
    for kind, plural in FURTHER_KINDS.items():
        job.lose(plural, why, sum(one.kind == kind for record in source for one in record.further.values()))
    annotations = [annotation for record in source for annotation in record.objects or ()]
    for word, plural, is_there in _OF_ANNOTATIONS:
        if word not in holds:
            job.lose(plural, why, sum(map(is_there, annotations)))
    if "boxes" in holds and "crowd" not in holds:
        job.lose("marks of a crowd", why, sum(annotation.crowd for annotation in annotations))
    if "attributes" not in holds:
        job.lose(*_attributes("pictures", (record.attributes for record in source), why))
    if "annotation attributes" not in holds:
        job.lose(*_attributes("annotations", (annotation.attributes for annotation in annotations), why))
    # Numbers of categories are no facts, names carry them; nor is what a table called its columns.
    facts = [name for name in source.info if name not in ("category_ids", "columns")]
    if facts and "info" not in holds:
        job.lose(f"facts of the whole set ({', '.join(facts[:5])})", why, len(facts))


def _attributes(of: str, found: Iterable[Collection[str]], why: str) -> tuple[str, str, int]:
    """What to call lost attributes, and on how many they were."""
    names: dict[str, None] = {}
    count = 0
    for attributes in found:
        names |= dict.fromkeys(attributes)
        count += bool(attributes)
    shown = ", ".join(list(names)[:5]) + (", ..." if len(names) > 5 else "")
    return f"{of} with attributes ({shown})", why, count
