"""The one function that makes a store."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from imagemill.core.errors import InputError, SourceError
from imagemill.core.near_words import takes
from imagemill.data import store
from imagemill.data.codecs.base import Channels
from imagemill.data.layouts.augment_files import QUARANTINE
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.further_rasters import left_out
from imagemill.data.natural_sort import natural
from imagemill.data.records.record import Record
from imagemill.data.remote.remote_files import fresh
from imagemill.data.remote.remote_path import as_path
from imagemill.data.splits.split import PARTS
from imagemill.jobs.engines import Start
from imagemill.jobs.faults import Failure, refuse_missing
from imagemill.jobs.quarantine import Quarantine, refuse_elsewhere
from imagemill.jobs.runner import Runner
from imagemill.jobs.threads import OnError, Progress, check_run
from imagemill.jobs.where_to_run import engine_for, seeing
from imagemill.verbs.prepare import assemble, statistics
from imagemill.verbs.prepare import class_numbers as labels
from imagemill.verbs.prepare.class_numbers import Unlabeled
from imagemill.verbs.prepare.common_frame import Fit
from imagemill.verbs.prepare.earlier_rows import EarlierRows
from imagemill.verbs.prepare.fitting import DType, Normalize
from imagemill.verbs.prepare.known_records import KnownRecords, Lines
from imagemill.verbs.prepare.manifest_rows import ManifestRows
from imagemill.verbs.prepare.one_record import Known, RecordWork
from imagemill.verbs.prepare.parameters import Parameters
from imagemill.verbs.prepare.parts import groups_of, split_of
from imagemill.verbs.prepare.picture_form import decide_form
from imagemill.verbs.prepare.prepare_report import PrepareReport
from imagemill.verbs.prepare.refusals import check_out, opened, refuse_inside, tellable
from imagemill.verbs.prepare.statistics import Standardize
from imagemill.verbs.prepare.store_files import StoreFiles
from imagemill.verbs.prepare.work_folder import WorkFolder, work_place

__all__ = ["prepare"]

_SHARD_BYTES, _SHARD_RECORDS = 2 << 20, 64
_MANY = 100
"""As many photos are averaged without compiled code in the time that the compiler takes to load."""
"""Records that a worker prepares before they are noted: so many pixels, or so many records."""


@takes
def prepare(
    source: Any,
    out: Path | str,
    *,
    size: int | tuple[int, ...] | None = None,
    fit: Fit = "crop",
    channels: Channels = "keep",
    axes: str | None = None,
    dtype: DType | None = None,
    normalize: Normalize = "none",
    standardize: Standardize = "none",
    split: Any = "auto",
    val: float | None = None,
    stratify: bool = True,
    group: str | None = None,
    labels: str | None = None,
    unlabeled: Unlabeled = "raise",
    shuffle: bool = False,
    file_rows: int | None = None,
    seed: int = 0,
    exif: bool = True,
    icc: Literal["ignore", "srgb"] = "ignore",
    background: float | Sequence[float] | None = None,
    workers: int = 1,
    on: str | None = None,
    on_error: OnError = "raise",
    masks: Path | str | None = None,
    allow_missing_masks: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> PrepareReport:
    """Make a network-ready store of any source: pixels of one size and type, labels as numbers, split into parts.

    Calling again makes what is missing: nothing when nothing changed, one image when one file is new. What was
    prepared is known by its content and the parameters that decide its pixels, never by its name or date. A run
    that was stopped or killed is continued, and ends in the same bytes.

    Parameters
    ----------
    source : Path, str, or what `open` takes
        A path that `open_source` opens, what it gave, a dataset, a data frame, arrays.
    out : Path or str
        The folder to fill, or an address such as ``s3://bucket/store``: pixels are then gathered on this machine, and
        the files of the store sent when they are whole.
    size : int or tuple of int, pixels
        One length for a square, ``(y, x)``, or ``(z, y, x)`` for volumes. Left out, all must have one size.
    fit : {"crop", "pad", "stretch"}
        Cover the frame and cut off what juts out; fit all in and fill with zeros; or let the proportions go.
        Shrinking averages areas, enlarging takes cubic splines, label maps take the nearest label.
        The first two scale all axes that `size` names by one factor, slices too: thick slices want "stretch".
    channels : {"keep", "gray", "rgb", "rgba"}
    axes : str, optional
        Names of the stored axes of every image, for formats that do not say them.
    dtype : {"uint8", "uint16", "float16", "float32"}, optional
        Left out: the images' own where it is 8 or 16 bits without sign and nothing is normalised; else float32.
        From one bit depth to the other, white stays white.
    normalize : {"none", "unit", "symmetric", "minmax"}
        For floating dtypes: values as they are; 0 to 1 or -1 to 1 by bit depth (255 or 65,535); or 0 to 1 by each
        scan's own smallest and largest value.
    standardize : {"none", "pixels", "per-channel", "per-location", "per-sample", "zca"}
        For floating dtypes: subtract the mean and divide by the deviation of all training pixels, of each channel,
        of each place, of each image by itself; or whiten. The statistics of the training part stand in
        the store in any case, and speak of the values before this step.
    split : "auto", "keep", or numbers
        ``"keep"`` is the source's own. ``"auto"`` too where it names a training and another part, else a test part
        of 20 % below 1,000 images, 10 % below 10,000, 5 % above. Numbers: see `read_shares`.
    val : float, optional
        Validation part as a share of the training part; 0.1, or none beside the source's own split.
    stratify : bool
        Divide each class alike.
    group : str, optional
        Column of what must not part (a patient, a video); the source's own groups when left out.
    labels : {"index", "one-hot", "multi", "level:N"}, optional
        See `plan_labels`.
    unlabeled : {"raise", "null"}
    shuffle : bool
        Order each part by a hash of seed and key instead of the source's order.
    file_rows : int, optional
        Rows of one file: each part is then many files, which `LargeDataset.open` opens without a table of all rows, so
        that start and memory do not grow with them. Take `shuffle` with it. One file a part when left out.
    seed : int
        Of the split and the order.
    exif : bool
        Turn pictures, and what is annotated in them, the way EXIF asks for; False takes them as they are stored.
    icc : {"ignore", "srgb"}
        Leave embedded colour profiles alone, or convert 8-bit colours to sRGB.
    background : float or 3 floats, optional
        What lies under transparent pixels when alpha goes (``channels="gray"`` or ``"rgb"``), in the picture's own
        values; left out, alpha is dropped and the colours stay as stored.
    workers : int
        1 or more. The bytes do not depend on it.
    on : str, optional
        What the workers are: ``"threads"`` when left out, ``"processes"``, ``"ray"`` for a Ray cluster of this machine
        that is ended with the call, ``"ray://HOST:PORT"``, or ``"daft"``. Nor on that.
    on_error : {"raise", "skip", "quarantine"}
        What to do with a file that cannot be used or is not there: stop, leave it out and say so, or copy it aside too.
    masks, allow_missing_masks
        As for `open_source`.
    overwrite : bool
        Whether a store made with other parameters may be replaced.
    progress : callable, optional
        Called with the number of images done and the number there are to do.
    **options
        Handed to `open_source`.

    Returns
    -------
    PrepareReport

    Raises
    ------
    InputError
        For a wrong argument, or a folder that was filled with other parameters.
    SourceError
        When the source cannot be understood.
    CodecError
        When a file cannot be used (with ``on_error="raise"``).

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from imagemill.data import Picture, write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for n in range(10):
    ...         picture = Picture(np.full((8, 6, 3), n, np.uint8), "yxc")
    ...         write_picture(f"{folder}/in/{'cat' if n % 2 else 'dog'}/{n}.png", picture)
    ...     report = prepare(f"{folder}/in", f"{folder}/out", size=4)
    ...     again = prepare(f"{folder}/in", f"{folder}/out", size=4)
    ...     report.made, dict(report.counts), report.shape, again.unchanged
    (10, {'train': 7, 'val': 1, 'test': 2}, (4, 4, 3), True)
    """
    started = time.perf_counter()
    check_run(workers, on_error)
    engine = engine_for(on)
    given = list(split) if isinstance(split, list | tuple) else split
    asked = Parameters(
        size, fit, channels, axes, dtype, normalize, standardize, given, val, stratify, group, labels, unlabeled,
        shuffle, seed, exif, icc, background, file_rows,  # type: ignore[arg-type]
    )  # fmt: skip
    found, out = opened(source, masks, allow_missing=allow_missing_masks, axes=axes, options=options), as_path(out)
    fresh(out)
    refuse_inside(source, found, out)
    refuse_elsewhere(on_error, out)
    if on_error == "raise":
        refuse_missing(found.problems, "on_error='skip' (--on-error skip)")
    return _Build(tellable(found), out, asked, overwrite=overwrite).run(workers, engine, on_error, progress, started)


class _Build:
    """One call of `prepare`."""

    def __init__(self, source: Source, out: Path, asked: Parameters, *, overwrite: bool) -> None:
        if not len(source):
            raise SourceError(f"expected images in {source.root}, got none; check the path")
        self.source, self.out, self.asked = source, out, asked
        self.records = source.records
        self.labels = labels.plan_labels(self.records, source.classes, asked.labels, asked.unlabeled)
        self.split = split_of(self.source, self.labels, asked)  # at once, for what cannot be divided so
        self.categories = source.categories or tuple(
            sorted({one.category for record in self.records for one in record.objects or ()}, key=natural)
        )
        check_out(out, asked, overwrite=overwrite)
        self.form = decide_form(source, asked)
        if asked.standardize == "zca":
            statistics.check_whitening(self.form.shape)

    def run(self, workers: int, engine: Start, on_error: OnError, progress: Any, started: float) -> PrepareReport:
        new = not self.out.exists()
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"expected a folder to write to, got {error}; choose another") from error
        work = WorkFolder(work_place(self.out), self.form, self.asked.plain())
        run = KnownRecords(self.records, EarlierRows(self.out, self.form), work)
        aside = Quarantine(self.out / QUARANTINE, "images") if on_error == "quarantine" else None
        try:
            run.finished = self._runner(run, on_error, aside, progress, workers, engine).run(
                self.records, len(self.records)
            )
            # Again, now that the content of every picture is known: the same content goes to one part.
            self.split = split_of(self.source, self.labels, self.asked, run.contents())
            rows = ManifestRows(self.source, run, self.labels, self.split, groups_of(self.source, self.asked))
            fingerprint = self._fingerprint(rows)
            unchanged = not run.made and self._is_there(fingerprint)
            if not unchanged:
                self._write(run, rows, fingerprint)
        except BaseException as error:
            run.close()
            if isinstance(error, Exception) or not work.count:  # stopped in the middle, it is to go on
                work.fail()
            if new:
                with suppress(OSError):  # there is something in it
                    self.out.rmdir()
            raise
        kept = None if aside is None else aside.kept
        report = self._report(run, unchanged=unchanged, kept=kept, seconds=time.perf_counter() - started)
        run.close()
        work.remove()  # last, for what is known of records is read there
        return report

    def _runner(
        self,
        run: KnownRecords,
        on_error: OnError,
        aside: Quarantine | None,
        progress: Progress | None,
        workers: int,
        engine: Start,
    ) -> Runner[Record, Known]:
        numbers = {name: number for number, name in enumerate(self.categories)}
        each = max(self.form.slot_bytes, 1)
        return Runner(
            work=RecordWork(self.asked, self.form, numbers, frozenset(run.before), len(self.records) >= _MANY),
            note=run.note,
            record=lambda record: record,
            doing="preparing",
            on_error=on_error,
            quarantine=aside,
            progress=progress,
            workers=workers,
            size=max(1, min(_SHARD_RECORDS, _SHARD_BYTES // each)),
            engine=seeing(engine, self.source),
        )

    def _is_there(self, fingerprint: str) -> bool:
        """Whether the store is whole and says the same."""
        if not store.is_store(self.out):
            return False
        said = store.read_description(self.out)
        files = [f"{one.name}.arrow" for one in store.files_of(said)] + [store.MANIFEST]
        return said["fingerprint"] == fingerprint and all((self.out / name).is_file() for name in files)

    def _fingerprint(self, rows: Iterable[Mapping[str, Any]]) -> str:
        """Stands for content and parameters."""
        digest = hashlib.sha256()
        said = [store.FORMAT, self.asked.plain(), self.form.plain(), self._said()]
        for value in chain([said], rows):
            text = json.dumps(value, sort_keys=True, default=str)
            digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
        return digest.hexdigest()

    def _said(self) -> dict[str, Any]:
        source = self.source
        return {
            "classes": list(self.labels.classes),
            "categories": list(self.categories),
            "joint_names": list(source.keypoint_names),
            "links": [list(pair) for pair in source.links],
            "source": {"name": source.root.name, "layout": source.layout, "info": dict(source.info)},
        }

    def _lines(self, run: KnownRecords) -> dict[str, Lines]:
        usable, parts = run.usable(), np.array(self.split.parts)
        found = {part: usable[parts[usable] == part] for part in PARTS}
        lines = {part: Lines(run, self.labels, places) for part, places in found.items() if len(places)}
        if self.asked.shuffle:
            return {part: some.shuffled(self.asked.seed) for part, some in lines.items()}
        return lines

    def _write(self, run: KnownRecords, rows: ManifestRows, fingerprint: str) -> None:
        lines = self._lines(run)
        if not lines:
            raise SourceError(f"expected an image that can be used in {self.source.root}, got none of {len(rows)}")
        with assemble.opened(run.files()) as files:
            said = {
                **self._said(),
                "split": self.split.how,
                "parameters": self.asked.plain(),
                "fingerprint": fingerprint,
            }
            StoreFiles(self.out, self.form, self.labels, self.asked).write(lines, files, rows, said)

    def _report(self, run: KnownRecords, *, unchanged: bool, kept: Path | None, seconds: float) -> PrepareReport:
        failed = [Failure(one.key, one.message) for one in run.failed()]
        failed += [Failure(problem.name, str(problem)) for problem in self.source.problems]
        parts = Counter(self.split.parts[place] for place in run.usable().tolist())
        counts = {part: parts[part] for part in PARTS if parts[part]}
        notes = [*self.split.notes, *run.finished.notes]
        dropped = self._dropped(run)
        if dropped:
            annotations = "1 annotation is" if dropped == 1 else f"{dropped} annotations are"
            cut = "; fit='pad' (--fit pad) keeps them in view" if self.asked.fit == "crop" else ""
            notes.append(f"{annotations} outside the prepared pictures and left out{cut}")
        if any(r.objects for r in self.records) and not self.form.objects:
            notes.append("annotations of volumes were left out: the store holds those of pictures")
        notes += [*left_out(self.source, "prepare", self.form.maps), *self.source.notes]
        return PrepareReport(
            self.out,
            run.made,
            sum(counts.values()) - run.made,
            unchanged,
            tuple(failed),
            counts,
            self.form.shape,
            self.form.axes,
            self.form.dtype.name,
            self.labels.classes,
            self.split.how,
            seconds,
            tuple(notes),
            kept,
        )

    def _dropped(self, run: KnownRecords) -> int:
        if not self.form.objects:
            return 0
        return sum(
            len(self.records[place].objects or ()) - len(run.found(place).row().get("objects") or ())
            for place in run.usable().tolist()
        )
