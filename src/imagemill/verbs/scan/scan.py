"""What a dataset is: its layout and why, how many of what, and what could not be read."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError
from imagemill.core.short_repr import ShortRepr
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.layouts.base import Evidence, Problem, Source
from imagemill.data.layouts.guess.guess import Candidate
from imagemill.data.layouts.guess.unused_files import by_suffix
from imagemill.data.layouts.opening import open_weighed
from imagemill.data.layouts.registry import layout_named
from imagemill.data.records.record import Record
from imagemill.data.remote.remote_path import as_path
from imagemill.data.splits.duplicates import contents_of, straddling
from imagemill.data.splits.grouping import remarks_on
from imagemill.jobs.engines import Start
from imagemill.jobs.runner import Runner
from imagemill.jobs.threads import Progress
from imagemill.jobs.where_to_run import engine_for, seeing
from imagemill.verbs.scan.image_facts import Facts, FactsWork, Pixels, Tally
from imagemill.verbs.scan.licences import Licences, licences_of

__all__ = ["ENOUGH", "START", "Other", "Pixels", "ScanReport", "scan"]

START, ENOUGH = 100, 1000
"""Images per class to start with, and to be comfortable with."""


@dataclass(frozen=True, slots=True, repr=False)
class Other(ShortRepr):
    """Another layout that the path might have.

    Parameters
    ----------
    layout : str
    sure : float
        0 to 1.
    why : str
    """

    layout: str
    sure: float
    why: str


@dataclass(frozen=True, slots=True, repr=False)
class ScanReport(ShortRepr):
    """What was found at a path.

    Parameters
    ----------
    path : Path
    layout, title : str
        Name of the layout and what it is, in words.
    why : str
        Why this layout was taken.
    others : tuple of Other
        Layouts it might have instead, the likeliest first.
    images : int
        Records that were taken in.
    splits, classes, categories : mapping
        How many images each part and each class has, and how many annotations each category has.
    groups : int
        Patients, videos...: things that must not part.
    masks, annotated, unlabeled : int
        Images with a label map, images somebody annotated, images without any class.
    annotations : mapping
        How many ``instances``, ``boxes``, ``polygons``, ``masks``, ``with keypoints``, ``crowds``.
    pixels : Pixels
    unreadable : tuple of Problem
        What could not be taken in or opened.
    notes : tuple of str
        What the layout has to say.
    attributes : tuple of str
        Names of further columns.
    licences : Licences
        Images by licence, and how many have none or no source.
    evidence : tuple of Evidence
        What was seen, and what it speaks for.
    candidates : tuple of Candidate
        Layouts with what each would take and leave, the one that leaves least first.
    passed_over : mapping
        Files of the folder that were not taken in, by suffix.
    """

    path: Path
    layout: str
    title: str
    why: str
    others: tuple[Other, ...]
    images: int
    splits: Mapping[str, int]
    classes: Mapping[str, int]
    categories: Mapping[str, int]
    groups: int
    masks: int
    annotated: int
    unlabeled: int
    annotations: Mapping[str, int]
    pixels: Pixels
    unreadable: tuple[Problem, ...]
    notes: tuple[str, ...]
    attributes: tuple[str, ...]
    licences: Licences = field(default_factory=Licences)
    evidence: tuple[Evidence, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold, with the remarks."""
        plain = dataclasses.asdict(dataclasses.replace(self, candidates=()))
        candidates = [one.plain() for one in self.candidates]
        return {**plain, "path": str(self.path), "candidates": candidates, "remarks": self.remarks()}

    def remarks(self) -> list[str]:
        """What a newcomer should know of these counts, in sentences."""
        said = []
        few = [name for name, count in self.classes.items() if count < START]
        if few:
            said.append(f"{_listed(few)} with fewer than {START} images: too few to start with")
        short = [name for name, count in self.classes.items() if START <= count < ENOUGH]
        if short:
            said.append(f"{_listed(short)} with fewer than {ENOUGH:,} images: enough to start, not to be comfortable")
        if self.classes and self.unlabeled:
            said.append(f"{self.unlabeled} images have no class")
        if self.classes and not self.splits:
            said.append("no train or test part yet: imagemill split, or prepare, makes them")
        if len(self.pixels.kinds) > 1:
            kinds = len(self.pixels.kinds)
            said.append(f"{kinds} kinds of pixels are mixed: choose one with prepare --channels and --dtype")
        said += _counted(
            self.pixels.not_finite,
            "with values that are NaN or infinite",
            "statistics leave them out, interpolation reads them as finite ones",
        )
        said += _counted(
            self.pixels.like_nodata,
            "whose smallest value often means that nothing was measured, such as -9999",
            "every statistic counts it; replace it by NaN if it does",
        )
        return said + self.licences.remarks()


def _counted(images: Mapping[str, int], what: str, so: str) -> list[str]:
    """A sentence about images by name with so many values of some kind; none about none."""
    if not images:
        return []
    found = [f"{key}: {count:,}" for key, count in images.items()]
    shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    return [f"{len(found)} image{'' if len(found) == 1 else 's'} {what} ({shown}): {so}"]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{len(names)} class{'' if len(names) == 1 else 'es'} ({shown})"


def scan(
    src: Path | str,
    *,
    layout: str | None = None,
    opened: int | None = 500,
    axes: str | None = None,
    why: bool = False,
    workers: int = 2,
    on: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> ScanReport:
    """Find out what a dataset is.

    Parameters
    ----------
    src : Path or str
        A file or folder.
    layout : str, optional
        Its layout, where the guess is wrong.
    opened : int or None
        How many images are decoded, spread evenly; None decodes all, and so finds every unreadable one.
    axes : str, optional
        Names of the images' axes, such as ``"cyx"``, where the files do not say them.
    why : bool
        Whether every layout is asked what it would take and leave, for `ScanReport.candidates`.
    workers : int
        How many decode.
    on : str, optional
        What the workers are: ``"threads"`` when left out, ``"processes"``, ``"ray"`` for a Ray cluster of this machine
        that is ended with the call, ``"ray://HOST:PORT"``, or ``"daft"``.
    progress : callable, optional
        Called with how many images were opened and how many will be.
    **options
        As for :func:`~imagemill.data.layouts.opening.open_source`.

    Returns
    -------
    ScanReport

    Raises
    ------
    SourceError
        When nothing can be made of the path.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from imagemill.data import Picture, write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat/1.png", "dog/1.png", "dog/2.png"):
    ...         write_picture(Path(folder) / name, Picture(np.zeros((4, 6), np.uint8), "yx"))
    ...     found = scan(folder)
    >>> found.layout, dict(found.classes), dict(found.pixels.sizes)
    ('class-folders', {'cat': 1, 'dog': 2}, {'4 x 6': 3})
    """
    if opened is not None and opened < 0:
        raise InputError(f"expected a number of images to open of 0 or more, got {opened}; None opens all")
    if not isinstance(src, str | os.PathLike):
        do = "imagemill.open makes a dataset of it, which says what it holds, and imagemill.audit looks into it"
        raise InputError(f"expected the path of a file or folder, got a {type(src).__name__}; {do}")
    engine, path = engine_for(on), as_path(src)
    source, weighed = open_weighed(src, layout=layout, every=why or layout is not None, axes=axes, **options)
    found = [(one.guess.sure, one.layout.name, one.guess.why) for one in weighed.candidates]
    asked = "you said so" if layout is not None else ""
    because = asked or next((text for _, name, text in found if name == source.layout), "nothing else fits")
    others = tuple(Other(name, sure, text) for sure, name, text in found if name != source.layout)
    pixels, failed, said = _open(
        _spread(source.records, opened), ReadOptions(axes=axes), workers, seeing(engine, source), progress
    )
    return ScanReport(
        path,
        source.layout,
        layout_named(source.layout).title,
        because,
        others,
        len(source),
        **_counts(source),
        pixels=pixels,
        unreadable=(*source.problems, *failed),
        notes=(*source.notes, *_about_parts(source), *said),
        licences=licences_of(source, path),
        evidence=weighed.evidence,
        candidates=tuple(weighed.candidates),
        passed_over=by_suffix(source.passed_over),
    )


def _about_parts(source: Source) -> list[str]:
    """What there is to say about parts that the source says: pictures on two sides, classes that cannot be learned."""
    parts = [record.split for record in source.records]
    if len(set(parts) - {None}) < 2:
        return []
    keys = [record.key for record in source.records]
    labels = [r.labels if r.labels is not None else r.label for r in source.records]
    return [*filter(None, [straddling(keys, parts, contents_of(source.records))]), *remarks_on(parts, labels)]


def _spread(records: Sequence[Record], count: int | None) -> list[Record]:
    """So many records, evenly from first to last."""
    if count is None or count >= len(records):
        return list(records)
    return [records[i * len(records) // count] for i in range(count)]


def _counts(source: Source) -> dict[str, Any]:
    labels: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    annotations: Counter[str] = Counter()
    labels.update(r.label for r in source if r.labels is None and r.label is not None)
    labels.update(label for r in source for label in r.labels or ())
    for record in source:
        for annotation in record.objects or ():
            categories[annotation.category] += 1
            annotations["instances"] += 1
            for what, there in (
                ("boxes", annotation.box is not None),
                ("polygons", bool(annotation.polygons)),
                ("masks", annotation.rle is not None),
                ("with keypoints", bool(annotation.keypoints)),
                ("crowds", annotation.crowd),
            ):
                annotations[what] += there
    splits = Counter(record.split for record in source if record.split is not None)
    return {
        "splits": {part: splits[part] for part in sorted(splits, key=_part_order)},
        "classes": _ordered(labels, source.classes),
        "categories": _ordered(categories, source.categories),
        "groups": len({record.group for record in source if record.group is not None}),
        "masks": sum(record.mask is not None for record in source),
        "annotated": sum(record.objects is not None for record in source),
        "unlabeled": sum(record.label is None and not record.labels for record in source),
        "annotations": {what: count for what, count in annotations.items() if count},
        "attributes": tuple(sorted({name for record in source if record.attributes for name in record.attributes})),
    }


def _part_order(part: str) -> tuple[int, str]:
    known = ("train", "val", "test")
    return (known.index(part) if part in known else len(known), part)


def _ordered(counts: Counter[str], names: Sequence[str]) -> dict[str, int]:
    """In the source's own order, names without any image included; the rest by name."""
    return {name: counts[name] for name in (*names, *sorted(set(counts) - set(names)))}


def _open(
    records: Sequence[Record], options: ReadOptions, workers: int, engine: Start, progress: Progress | None
) -> tuple[Pixels, list[Problem], tuple[str, ...]]:
    """Decode some images and gather what they are made of; one at a time is kept per thread."""
    tally = Tally()
    failed: dict[int, Problem] = {}

    def note(rows: Sequence[tuple[int, Facts | str]]) -> None:
        for place, row in rows:
            if isinstance(row, Facts):
                tally.add(place, row)
            else:
                failed[place] = Problem(records[place].key, row)

    runner: Runner[Record, Facts | str] = Runner(
        work=FactsWork(options),
        note=note,
        record=lambda record: record,
        doing="opening",
        progress=progress,
        workers=max(1, workers),
        engine=engine,
    )
    said = runner.run(records, len(records)).remarks
    return tally.pixels(), [failed[place] for place in sorted(failed)], said
