"""Exactly N augmented copies of every image of a source, as files, with the recipe of each."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from imagemill.core.errors import InputError, SourceError
from imagemill.core.near_words import takes
from imagemill.data.codecs.base import Channels
from imagemill.data.codecs.registry import formats
from imagemill.data.layouts.augment_files import QUARANTINE
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.files_beside import drop_beside, listed_beside
from imagemill.data.layouts.further_rasters import left_out
from imagemill.data.layouts.opening import open_source
from imagemill.data.records.as_targets import keypoint_names_of
from imagemill.data.records.output_names import name_clashes, output_name
from imagemill.data.remote.remote_files import fresh
from imagemill.data.remote.remote_path import as_path
from imagemill.jobs.engines import Start
from imagemill.jobs.faults import Failure, refuse_missing
from imagemill.jobs.quarantine import Quarantine, refuse_elsewhere
from imagemill.jobs.runner import Finished, Runner
from imagemill.jobs.threads import OnError, Progress, check_run, one_opencv_thread
from imagemill.jobs.where_to_run import engine_for, seeing
from imagemill.pipeline.named_pipelines import PipelineGiven, as_pipeline
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import everyone
from imagemill.verbs.augment.augment_report import AugmentReport
from imagemill.verbs.augment.copy_annotations import AnnotationFiles, annotation_files, suffix_of
from imagemill.verbs.augment.copy_tasks import CopyTask, CopyWork, tasks_at_once, tasks_for, unchanged
from imagemill.verbs.augment.ledger import Job, Row, Rows, recorded

__all__ = ["AugmentReport", "augment"]


@takes
def augment(
    source: Any,
    out: Path | str,
    pipeline: PipelineGiven,
    *,
    copies: int = 1,
    masks: Path | str | None = None,
    prefix: str = "",
    format: str | None = None,
    workers: int = 1,
    on: str | None = None,
    on_error: OnError = "raise",
    channels: Channels = "keep",
    axes: str | None = None,
    allow_missing_masks: bool = False,
    progress: Progress | None = None,
    overwrite: bool = False,
    to: str | None = None,
    mask_pattern: str | None = None,
    clips: bool = False,
) -> AugmentReport:
    """Write `copies` augmented copies of every image of a source.

    A copy depends on the pipeline, its seed, the image's key (its path within the source) and the copy's
    number, and on nothing else: not on other files, workers, order, or on being resumed. Calling again with
    the same arguments makes what is missing, and nothing twice (a file whose size changed is made again).

    Parameters
    ----------
    source : Path, str, or what `open` takes
        An image or scan, a ``.txt`` list of paths, a folder, what `open_source` gave, a dataset, a data frame...
    out : Path or str
        The folder to fill, or an address such as ``s3://bucket/files``, to which each file is sent by whoever made it,
        when it is whole: images right inside, or with masks below ``images`` and ``masks``. Further images and maps
        of numbers that a source has, ``open_source(path, maps={"depth": "depth"})``, go into folders of their names.
    pipeline : Pipeline, name of a preset, or file
    copies : int
        Per image, 1 or more.
    masks : Path or str, optional
        Label maps, moved by the same draw as their image; see `open_source`.
    prefix : str
        Of every output's name.
    format : str, optional
        Suffix of the outputs (``"tif"``, ``"png"``, ``"nii.gz"``...); each source's own when left out.
    workers : int
        1 or more.
    on : str, optional
        What the workers are: ``"threads"`` when left out, ``"processes"``, ``"ray"`` for a Ray cluster of this machine
        that is ended with the call, ``"ray://HOST:PORT"``, or ``"daft"``. `out` is a
        folder that all of its machines see, or an address; the files do not depend on it.
    on_error : {"raise", "skip", "quarantine"}
        What to do with a file that cannot be used: stop, leave it out and say so, or also copy it aside.
    channels : {"keep", "gray", "rgb", "rgba"}
        How to read colours.
    axes : str, optional
        Names of the stored axes of every image, such as ``"cyx"``, for formats that do not say them.
    allow_missing_masks : bool
        Whether images without a mask are fine.
    progress : callable, optional
        Called with the number of outputs done and the number there are to do.
    overwrite : bool
        Remove the outputs an earlier run recorded in `out`, and begin anew.
    to : str, optional
        Layout to write, such as ``"coco"`` or ``"csv"``; the source's own when left out. Labels, boxes, polygons, masks
        and keypoints move with the pixels, and are written beside them when all images are made.
    mask_pattern : str, optional
        Where each image has its label map: an expression over keys, ``=>`` and the label map's key; see `ReadSource`.
    clips : bool
        Whether the images of a group (a patient, a video), or of a folder where there are no groups, are frames of one
        clip: each copy of a clip has one draw for all of its frames. Noise is then the same on each, and statistics
        are each frame's own; clips that are given as arrays, ``pipe(clip, axes="tyxc")``, have those of a clip. What
        goes by the content of an image, and would move frames apart, is refused.

    Returns
    -------
    AugmentReport

    Raises
    ------
    InputError
        For a wrong argument, or a folder that was begun with other parameters.
    SourceError
        When the source cannot be understood, or the layout cannot be written or hold it.
    CodecError
        When a file cannot be read (with ``on_error="raise"``), or the format cannot hold the results.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import imagemill as im
    >>> from imagemill.data import Picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     im.write_picture(f"{folder}/in/a.png", Picture(np.zeros((8, 8), np.uint8), "yx"))
    ...     pipe = im.Pipeline([im.Flip("x", p=0.5)], seed=1)
    ...     report = im.augment(f"{folder}/in", f"{folder}/out", pipe, copies=3)
    ...     report.made, sorted(p.name for p in Path(folder, "out").glob("*.png"))
    (3, ['a-29d6e224-000.png', 'a-29d6e224-001.png', 'a-29d6e224-002.png'])
    """
    pipeline = as_pipeline(pipeline)
    suffix = _check(copies, channels, format)
    check_run(workers, on_error)
    out, engine = as_path(out), engine_for(on)
    fresh(out)
    refuse_elsewhere(on_error, out)
    found = _open(source, masks, allow_missing=allow_missing_masks, pattern=mask_pattern)
    if on_error == "raise":
        refuse_missing(found.problems, "on_error='skip' (--on-error skip)")
    records = tuple(found)
    # One file is no folder that is searched: an archive may well be augmented beside itself.
    if not found.is_in_memory:
        _refuse_inside(as_path(source) if isinstance(source, str | os.PathLike) else found.root, found.layout, out)
    has_masks = masks is not None or any(record.mask is not None for record in records)
    read = {"channels": channels, "axes": axes}
    output_name("x", copies - 1, copies, prefix)  # refuses a wrong prefix before anything is made
    annotations = annotation_files(out, found, to, copies, prefix)
    further = sorted({name for record in records for name in record.further}) if annotations.further else []
    places = annotations.places(masks=has_masks or bool(further))
    asked: dict[str, Any] = {
        "copies": copies,
        "format": suffix,
        "prefix": prefix,
        **read,
        "masks": has_masks,
        "to": annotations.name,
    }
    asked |= {"further": further} if further else {}
    asked |= _of_clips(pipeline) if clips else {}
    job = Job(out, pipeline, asked)
    listed_beside(out)  # refuses the folder of an export before anything is made
    for first, second in name_clashes(record.key for record in records):
        raise SourceError(f"expected names that stay apart, got {first!r} and {second!r}; rename one of them")
    new = not out.exists()
    rows = annotations.current(unchanged(records, job.begin(overwrite=overwrite)), places)
    tasks = tasks_for(
        ((record, suffix_of(record, suffix, annotations.suffix_of_arrays)) for record in records), rows, copies, places
    )
    aside = Quarantine(out / QUARANTINE, "images" if has_masks else "") if on_error == "quarantine" else None
    started = time.perf_counter()
    try:
        annotations.begin()
        work = CopyWork(
            out, pipeline, channels, axes, _keypoint_names(found), annotations.name is not None, bool(further), clips
        )
        engine = seeing(engine, found, out)
        finished = _make(work, tasks, job, rows, on_error, aside, progress, workers, engine)
        return _end(job, annotations, rows, finished, aside, started)
    except BaseException:
        if not recorded(out):
            drop_beside(out)
            job.leave(new=new)
        raise


def _of_clips(pipeline: Pipeline) -> dict[str, Any]:
    """What the folder remembers of clips; what would move their frames apart is refused."""
    looking = sorted({type(one).__name__ for one in everyone(pipeline.transforms) if one.reads()})
    mixing = sorted({type(one).__name__ for one in everyone(pipeline.transforms) if one.traits().group > 1})
    if looking or mixing:
        raise InputError(
            f"expected transforms that do the same to all frames of a clip, got {', '.join(looking + mixing)}, which "
            "goes by what is in each or puts several together; leave it out, or clips (--clips)"
        )
    return {"clips": True}


def _keypoint_names(source: Source) -> Mapping[str, Sequence[str]]:
    """Names of the keypoints of every category that annotations are of."""
    seen = (*source.categories, *(one.category for record in source for one in record.objects or ()))
    return keypoint_names_of(dict.fromkeys(seen), source.keypoint_names, source.info)


def _make(
    work: CopyWork,
    tasks: Sequence[CopyTask],
    job: Job,
    rows: Rows,
    on_error: OnError,
    aside: Quarantine | None,
    progress: Progress | None,
    workers: int,
    engine: Start,
) -> Finished:
    """Make what is missing; its lines are noted in the folder, and come to the others in `rows`."""

    def note(made: Sequence[tuple[int, Row]]) -> None:
        job.record(row for _, row in made)
        rows.update({(row["key"], row["copy"]): row for _, row in made})

    runner: Runner[CopyTask, Row] = Runner(
        work=work,
        note=note,
        record=lambda task: task.record,
        doing="augmenting",
        on_error=on_error,
        quarantine=aside,
        progress=progress,
        weight=lambda task: len(task.copies),
        kind=lambda task: task.suffix,
        workers=workers,
        size=tasks_at_once(tasks, workers),
        engine=engine,
    )
    total = sum(len(task.copies) for task in tasks)
    with one_opencv_thread():
        if progress is not None:
            progress(0, total)
        return runner.run(tasks, total)


def _end(
    job: Job,
    annotations: AnnotationFiles,
    rows: Rows,
    finished: Finished,
    aside: Quarantine | None,
    started: float,
) -> AugmentReport:
    """Write what stands beside the images, and the list of all outputs in place of the notes."""
    source = annotations.source
    failed = {problem.name: ("SourceError", str(problem)) for problem in source.problems}
    for _, one in sorted(finished.failed.items()):
        failed.setdefault(one.key, (one.kind, one.message))
    job.finish(rows, [{"key": key, "error": kind, "message": text} for key, (kind, text) in sorted(failed.items())])
    told = annotations.end([rows[place] for place in sorted(rows)])
    keys = {record.key for record in source}
    ours = sum(key in keys for key, _ in rows)
    return AugmentReport(
        job.out,
        finished.rows,
        ours - finished.rows,
        tuple(Failure(key, text) for key, (_, text) in sorted(failed.items())),
        len(rows) - ours,
        time.perf_counter() - started,
        (*(() if annotations.further else left_out(source, f"augment into {annotations.name}")), *finished.notes),
        None if aside is None else aside.kept,
        annotations.name,
        told,
    )


def _check(copies: Any, channels: str, format: str | None) -> str | None:
    """Refuse wrong arguments; the suffix asked for, with its dot."""
    if isinstance(copies, bool) or not isinstance(copies, int) or copies < 1:
        raise InputError(f"expected copies as a whole number of at least 1, got {copies!r}; give a larger one")
    if channels not in get_args(Channels):
        known = ", ".join(get_args(Channels))
        raise InputError(f"expected channels to be one of {known}, got {channels!r}; choose one of these")
    if format is None:
        return None
    suffix = "." + format.lower().removeprefix(".")
    written = [row.suffix for row in formats() if row.writes]
    if suffix not in written:
        names = " ".join(s.removeprefix(".") for s in written)
        raise InputError(f"expected a format of {names}, got {format!r}; choose one of these")
    return suffix


def _open(source: Any, masks: Path | str | None, *, allow_missing: bool, pattern: str | None) -> Source:
    if isinstance(source, str | os.PathLike):
        return open_source(as_path(source), masks, allow_missing_masks=allow_missing, mask_pattern=pattern)
    if hasattr(source, "to_source"):  # a dataset, with the values of its table
        source = source.to_source()
    if not isinstance(source, Source):
        from imagemill.data.as_source import source_of  # the command gives paths, and starts without its libraries

        given = {"masks": masks, "allow_missing_masks": allow_missing or None, "mask_pattern": pattern}
        return source_of(source, **{name: value for name, value in given.items() if value is not None})
    if masks is not None or pattern is not None:
        raise InputError("expected masks together with a path, got a source that is open; open_source(path, masks)")
    return source


def _refuse_inside(searched: Path, layout: str, out: Path) -> None:
    """An output folder inside a searched folder would become its own source in the next run."""
    root, place = searched.resolve(), out.resolve()
    if layout not in ("file", "list") and (place == root or root in place.parents):
        raise InputError(f"expected an output folder outside the source {searched}, got {out}; choose another")
