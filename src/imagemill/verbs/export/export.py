"""From any layout to any other, with what it can hold kept and the rest named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from imagemill.core.errors import CodecError, InputError, MissingExtra, SourceError
from imagemill.core.near_words import takes
from imagemill.data.layouts.base import Problem, Source, WriteTarget, Written
from imagemill.data.layouts.opening import open_source
from imagemill.data.layouts.registry import layout_named
from imagemill.data.layouts.shapes.stored_size import seen_of
from imagemill.data.records.instances import Instance
from imagemill.data.records.loading import load_mask, load_picture, pixels_name
from imagemill.data.records.orientation import Seen, frame_of, objects_on
from imagemill.data.records.record import Frame, Pixels, Record, Stored
from imagemill.data.remote.remote_files import fresh
from imagemill.data.remote.remote_path import RemotePath, as_path
from imagemill.jobs.engines import Start
from imagemill.jobs.runner import Runner
from imagemill.jobs.where_to_run import engine_for, seeing
from imagemill.verbs.export.export_elsewhere import written_elsewhere

__all__ = ["export"]

Size = tuple[int, int]
"""Height and width."""

_WORKERS, _AT_ONCE = 2, 64
"""Threads that look at headers, and how many headers each looks at before it says what it found."""

_ROUNDING = 1e-6
_BEYOND, _OUTSIDE = "stand out of", "lie outside"


@takes
def export(
    src: Path | str | Source,
    out: Path | str,
    to: str,
    *,
    layout: str | None = None,
    format: str | None = None,
    files: Literal["copy", "link"] = "copy",
    embed: bool = False,
    overwrite: bool = False,
    on: str | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Written:
    """Write a dataset in another layout.

    Encoded pictures are copied byte for byte unless a format is asked for; labels, boxes, polygons, masks, splits,
    groups and attributes go along where the layout holds them. Annotations are written for the picture as it is seen,
    turned as its EXIF data asks; one that is encoded anew is turned so itself. Annotations that state another size than
    their picture has are a problem, and their record is left out.

    Parameters
    ----------
    src : Path, str or Source
        A file or folder in any layout, or a source that is open.
    out : Path or str
        A new or empty folder outside the source, or one that an earlier export filled, with `overwrite`. For
        ``"npz"`` and ``"hdf5"`` also a file, by its suffix. Or an address such as ``s3://bucket/folder``: the export is
        then made on this machine and sent. Stopped on the way, the same call sends what is missing.
    to : str
        Name of the layout to write, such as ``"coco"`` or ``"parquet"``.
    layout : str, optional
        Of the source, where the guess is wrong.
    format : str, optional
        Suffix of written images; their own by default.
    files : {"copy", "link"}
        ``"link"`` makes hard links where it can.
    embed : bool
        For tables: pictures go into the table itself.
    overwrite : bool
    on : str, optional
        What the workers are that look at annotated pictures: ``"threads"`` when left out, ``"processes"``,
        ``"ray"`` for a Ray cluster of this machine that is ended with the call, ``"ray://HOST:PORT"``, or ``"daft"``.
    progress : callable, optional
        Called with the number of images written so far.
    **options
        As for :func:`~imagemill.data.layouts.opening.open_source`.

    Returns
    -------
    Written
        ``count``, and in words what was lost and what could not be written.

    Raises
    ------
    SourceError
        When the source cannot be understood, there is no such layout, it can hold none of the images, or the folder
        holds something else.
    InputError
        When `files` or one of the options is not known.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from imagemill.data import Picture, write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a/cat/1.png", "a/dog/1.png"):
    ...         write_picture(Path(folder) / name, Picture(np.zeros((4, 6), np.uint8), "yx"))
    ...     made = export(f"{folder}/a", f"{folder}/b", "csv")
    ...     [(r.key, r.label) for r in open_source(f"{folder}/b")]
    [('cat/1.png', 'cat'), ('dog/1.png', 'dog')]
    """
    if files not in ("copy", "link"):
        raise InputError(f"expected files to be 'copy' or 'link', got {files!r}; choose one of them")
    writer, target, engine = layout_named(to), as_path(out), engine_for(on)
    fresh(target)
    source = src if isinstance(src, Source) else open_source(src, layout=layout, **options)
    if not len(source):
        raise SourceError(f"expected images to write, got none in {source.root}; scan it to see why")
    if not source.is_in_memory:
        _stay_outside(source.root if isinstance(src, Source) else as_path(src), target)
    seen, problems, said, remarks = _as_seen(source, engine)
    if not len(seen):
        raise SourceError(f"expected annotations that fit their pictures, got none; {problems[0]}")
    how = WriteTarget(format, files, embed, overwrite, progress)
    if isinstance(target, RemotePath):
        written = written_elsewhere(writer, seen, target, how)
    else:
        written = writer.write(seen, target, how)
    return replace(
        written,
        lost=(*written.lost, *said),
        problems=(*problems, *written.problems),
        notes=(*written.notes, *remarks),
    )


def _stay_outside(root: Path, target: Path) -> None:
    """Refuse a folder of the source: what was written would be read as part of it the next time.

    Where the source is a single file (a table, an archive), folders beside it are no part of it.
    """
    inside, place = root.resolve(), target.resolve()
    if place == inside or (root.is_dir() and inside in place.parents):
        raise SourceError(f"expected a place outside the source {root}, got {target}; choose another")


def _as_seen(source: Source, engine: Start) -> tuple[Source, tuple[Problem, ...], tuple[str, ...], tuple[str, ...]]:
    """The source with its annotations on the pictures as they are seen, in which frame layouts are written.

    Also what could not be, and is left out, in words what lies beyond its picture, and remarks on the run. A
    picture that cannot be read stays as it is; writing it says why.
    """
    found: dict[int, tuple[Record, Size | None]] = {}
    runner: Runner[Record, tuple[Record, Size | None]] = Runner(
        work=_seen_work,
        note=found.update,
        record=lambda record: record,
        doing="exporting",
        on_error="skip",
        workers=_WORKERS,
        size=_AT_ONCE,
        engine=seeing(engine, source),
    )
    finished = runner.run(source.records, len(source))
    failed = sorted(finished.failed.items())
    counts: Counter[str] = Counter()
    for new, size in found.values():
        if size is not None:
            counts.update(_beyond(one, size) for one in new.objects or ())
    said = tuple(
        f"{counts[where]} boxes that {where} their picture: written as they are where the layout can"
        for where in (_BEYOND, _OUTSIDE)
        if counts[where]
    )
    problems = tuple(Problem(one.key, one.message) for _, one in failed)
    records = tuple(found[place][0] for place in sorted(found))
    return replace(source, records=records), problems, said, finished.remarks


def _seen_work(record: Record) -> Iterator[tuple[Record, Size | None]]:
    yield _record_as_seen(record)


def _record_as_seen(record: Record) -> tuple[Record, Size | None]:
    """One record, and its size where it was looked at; CodecError where its annotations are of another picture."""
    if not record.objects and record.mask is None:
        return record, None
    try:
        seen = seen_of(record.image)
    except (CodecError, MissingExtra):
        return record, None
    is_turned = seen.orientation != 1
    mask = record.mask
    if mask is not None and is_turned and _is_stored(mask, seen, record.frame):
        turned = Stored(pixels_name(mask), partial(_turned_mask, mask, record.image), "yx")
        record = replace(record, mask=turned)
    if not record.objects:
        return (replace(record, frame="shown") if is_turned else record), None
    objects, _ = objects_on(record, seen)
    if is_turned:
        record = replace(record, objects=objects, size=seen.shown, frame="shown")
    return record, seen.shown


def _is_stored(mask: Pixels, seen: Seen, assumed: Frame | None) -> bool:
    """Whether a label map lies as its picture is stored."""
    try:
        own = seen_of(mask)
    except (CodecError, MissingExtra):
        return False
    return own.orientation == 1 and frame_of(own.stored, seen, assumed)[0] == "stored"


def _turned_mask(mask: Pixels, image: Pixels) -> np.ndarray[Any, Any]:
    return load_mask(mask, like=load_picture(image), frame="stored").array


def _beyond(one: Instance, size: Size) -> str:
    """Where a box is that is not within its picture."""
    if one.box is None:
        return ""
    (x, y, w, h), (height, width) = one.box, size
    outside = x >= width or y >= height or x + w <= 0 or y + h <= 0
    inside = min(x, y) >= -_ROUNDING and x + w <= width + _ROUNDING and y + h <= height + _ROUNDING
    return "" if inside else _OUTSIDE if outside else _BEYOND
