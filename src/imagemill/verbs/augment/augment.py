"""Exactly N augmented copies of every image of a source, as files, with the recipe of each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.data.codecs.base import Channels
from imagemill.data.codecs.registry import formats
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.export_files import drop_beside, listed_beside
from imagemill.data.layouts.opening import open_source
from imagemill.data.records.output_names import name_clashes, output_name
from imagemill.jobs.faults import refuse_missing
from imagemill.jobs.threads import OnError, Progress, one_opencv_thread
from imagemill.pipeline.pipeline import Pipeline
from imagemill.verbs.augment.augment_report import AugmentReport, Failure
from imagemill.verbs.augment.beside import beside
from imagemill.verbs.augment.copying import Run, tasks_for, unchanged
from imagemill.verbs.augment.ledger import Job, recorded

__all__ = ["AugmentReport", "Failure", "augment"]


def augment(
    source: Path | str | Source,
    out: Path | str,
    pipeline: Pipeline,
    *,
    copies: int = 1,
    masks: Path | str | None = None,
    prefix: str = "",
    format: str | None = None,
    workers: int = 1,
    on_error: OnError = "raise",
    channels: Channels = "keep",
    axes: str | None = None,
    allow_missing_masks: bool = False,
    progress: Progress | None = None,
    overwrite: bool = False,
    to: str | None = None,
    mask_pattern: str | None = None,
) -> AugmentReport:
    """Write `copies` augmented copies of every image of a source.

    A copy depends on the pipeline, its seed, the image's key (its path within the source) and the copy's
    number, and on nothing else: not on other files, workers, order, or on being resumed. Calling again with
    the same arguments makes what is missing, and nothing twice (a file whose size changed is made again).

    Parameters
    ----------
    source : Path, str or Source
        An image or scan, a ``.txt`` list of paths, a folder, or what `open_source` gave.
    out : Path or str
        The folder to fill: images right inside, or with masks below ``images`` and ``masks``.
    pipeline : Pipeline
    copies : int
        Per image, 1 or more.
    masks : Path or str, optional
        Label maps, moved by the same draw as their image; see `open_source`.
    prefix : str
        Of every output's name.
    format : str, optional
        Suffix of the outputs (``"tif"``, ``"png"``, ``"nii.gz"``...); each source's own when left out.
    workers : int
        Threads, 1 or more.
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
        Layout to write, such as ``"coco"`` or ``"csv"``; the source's own when left out. Labels, boxes, outlines, masks
        and keypoints move with the pixels, and are written beside them when all images are made.
    mask_pattern : str, optional
        Where each image has its label map: an expression over keys, ``=>`` and the label map's key; see `ReadSource`.

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
    suffix = _check(pipeline, copies, workers, on_error, channels, format)
    found, out = _open(source, masks, allow_missing=allow_missing_masks, pattern=mask_pattern), Path(out)
    if on_error == "raise":
        refuse_missing(found.problems, "on_error='skip' (--on-error skip)")
    records = tuple(found)
    # One file is no folder that is searched: an archive may well be augmented beside itself.
    _refuse_inside(found.root if isinstance(source, Source) else Path(source), found.layout, out)
    has_masks = masks is not None or any(record.mask is not None for record in records)
    read = {"channels": channels, "axes": axes}
    output_name("x", copies - 1, copies, prefix)  # refuses a wrong prefix before anything is made
    plan = beside(out, found, to, copies, prefix)
    places = plan.places(masks=has_masks)
    asked = {"copies": copies, "format": suffix, "prefix": prefix, **read, "masks": has_masks, "to": plan.name}
    job = Job(out, pipeline, asked)
    listed_beside(out)  # refuses the folder of an export before anything is made
    for first, second in name_clashes(record.key for record in records):
        raise SourceError(f"expected names that stay apart, got {first!r} and {second!r}; rename one of them")
    new = not out.exists()
    rows = plan.current(unchanged(records, job.begin(overwrite=overwrite)), places)
    run = Run(job, rows, {record.key for record in records}, on_error, progress, plan, places)
    run.failed.update((problem.name, SourceError(str(problem))) for problem in found.problems)
    try:
        plan.begin()
        with one_opencv_thread():
            run.all(list(tasks_for(records, run.rows, copies)), workers)
        return run.end()
    except BaseException:
        if not recorded(out):
            drop_beside(out)
            job.leave(new=new)
        raise


def _check(pipeline: Any, copies: Any, workers: Any, on_error: str, channels: str, format: str | None) -> str | None:
    """Refuse wrong arguments; the suffix asked for, with its dot."""
    if not isinstance(pipeline, Pipeline):
        raise InputError(f"expected a Pipeline, got {type(pipeline).__name__}; write Pipeline([...], seed=7)")
    for name, value in (("copies", copies), ("workers", workers)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"expected {name} as a whole number of at least 1, got {value!r}; give a larger one")
    known = (("on_error", on_error, ("raise", "skip", "quarantine")), ("channels", channels, _CHANNELS))
    for name, word, words in known:
        if word not in words:
            raise InputError(f"expected {name} to be one of {', '.join(words)}, got {word!r}; choose one of these")
    if format is None:
        return None
    suffix = "." + format.lower().removeprefix(".")
    written = [row.suffix for row in formats() if row.writes]
    if suffix not in written:
        names = " ".join(s.removeprefix(".") for s in written)
        raise InputError(f"expected a format of {names}, got {format!r}; choose one of these")
    return suffix


_CHANNELS = ("keep", "gray", "rgb", "rgba")


def _open(source: Path | str | Source, masks: Path | str | None, *, allow_missing: bool, pattern: str | None) -> Source:
    if isinstance(source, str | os.PathLike):
        return open_source(source, masks, allow_missing_masks=allow_missing, mask_pattern=pattern)
    if not isinstance(source, Source):
        raise InputError(f"expected a path or a source, got {type(source).__name__}; give a file, list or folder")
    if masks is not None or pattern is not None:
        raise InputError("expected masks together with a path, got a source that is open; open_source(path, masks)")
    return source


def _refuse_inside(searched: Path, layout: str, out: Path) -> None:
    """An output folder inside a searched folder would become its own source in the next run."""
    root, place = searched.resolve(), out.resolve()
    if layout not in ("file", "list") and (place == root or root in place.parents):
        raise InputError(f"expected an output folder outside the source {searched}, got {out}; choose another")
