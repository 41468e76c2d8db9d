"""The one function that makes a store."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from imagemill.core.errors import InputError, SourceError
from imagemill.data import store
from imagemill.data.codecs.base import Channels
from imagemill.data.layouts.base import Problem, Source
from imagemill.data.layouts.opening import open_source
from imagemill.data.natural_sort import natural
from imagemill.data.records.record import untellable
from imagemill.data.splits.split import PARTS
from imagemill.jobs.faults import refuse_missing
from imagemill.jobs.threads import OnError, Progress
from imagemill.verbs.augment.augment_report import Failure
from imagemill.verbs.prepare import asked as plan
from imagemill.verbs.prepare import assemble, statistics
from imagemill.verbs.prepare import class_numbers as labels
from imagemill.verbs.prepare.asked import Asked, Form
from imagemill.verbs.prepare.assemble import Files, Fitted, Line
from imagemill.verbs.prepare.prepare_report import PrepareReport
from imagemill.verbs.prepare.slots import QUARANTINE, Run
from imagemill.verbs.prepare.work import WORK, Work, begun_with

__all__ = ["prepare"]

_ELSE = "use another folder, or overwrite=True"
_OURS = frozenset((store.DESCRIPTION, store.MANIFEST, store.STATISTICS, WORK, QUARANTINE))


def prepare(
    source: Path | str | Source,
    out: Path | str,
    *,
    size: int | tuple[int, ...] | None = None,
    fit: str = "crop",
    channels: Channels = "keep",
    axes: str | None = None,
    dtype: str | None = None,
    normalize: str = "none",
    standardize: str = "none",
    split: Any = "auto",
    val: float | None = None,
    stratify: bool = True,
    group: str | None = None,
    labels: str | None = None,
    unlabeled: str = "raise",
    shuffle: bool = False,
    seed: int = 0,
    exif: bool = True,
    icc: Literal["ignore", "srgb"] = "ignore",
    background: float | Sequence[float] | None = None,
    workers: int = 1,
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
    source : Path, str or Source
        What `open_source` opens, or gave.
    out : Path or str
        The folder to fill.
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
        Threads, 1 or more. The bytes do not depend on it.
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
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputError(f"expected workers as a whole number of at least 1, got {workers!r}; give a larger one")
    if on_error not in ("raise", "skip", "quarantine"):
        raise InputError(f"expected on_error to be one of raise, skip, quarantine, got {on_error!r}; choose one")
    given = list(split) if isinstance(split, list | tuple) else split
    asked = Asked(
        size, fit, channels, axes, dtype, normalize, standardize, given, val, stratify, group, labels, unlabeled,
        shuffle, seed, exif, icc, background,  # type: ignore[arg-type]
    )  # fmt: skip
    found, out = _open(source, masks, allow_missing=allow_missing_masks, axes=axes, options=options), Path(out)
    _refuse_inside(source, found, out)
    if on_error == "raise":
        refuse_missing(found.problems, "on_error='skip' (--on-error skip)")
    return _Build(_tellable(found), out, asked, overwrite=overwrite).run(workers, on_error, progress, started)


def _tellable(source: Source) -> Source:
    """Leave out records with text that is none: a table holds UTF-8, and a file's name may be any bytes."""
    bad = {record.key: text for record in source if (text := untellable(record))}
    if not bad:
        return source
    problems = [
        Problem(key, f"{key!a}: expected text in UTF-8, got {text!a}; rename the file, or mend what says so")
        for key, text in bad.items()
    ]
    kept = tuple(record for record in source if record.key not in bad)
    return replace(source, records=kept, problems=(*source.problems, *problems))


def _open(source: Any, masks: Any, *, allow_missing: bool, axes: str | None, options: Mapping[str, Any]) -> Source:
    if isinstance(source, Source):
        if masks is not None or options:
            raise InputError("expected masks and options together with a path, got a source that is open")
        return source
    if not isinstance(source, str | Path):
        raise InputError(f"expected a path or a source, got {type(source).__name__}; give a file, list or folder")
    given = {name: value for name, value in options.items() if value is not None}
    return open_source(source, masks, allow_missing_masks=allow_missing, axes=axes, **given)


def _refuse_inside(source: Any, found: Source, out: Path) -> None:
    """A store inside a searched folder would become part of its own source in the next run."""
    searched = Path(source) if isinstance(source, str | Path) else found.root
    if isinstance(source, Source) and found.layout in ("file", "list"):
        return
    root, place = searched.resolve(), out.resolve()
    if searched.is_dir() and (place == root or root in place.parents):
        raise InputError(f"expected an output folder outside the source {searched}, got {out}; choose another")


class _Build:
    """One call of `prepare`."""

    def __init__(self, source: Source, out: Path, asked: Asked, *, overwrite: bool) -> None:
        if not len(source):
            raise SourceError(f"expected images in {source.root}, got none; check the path")
        self.source, self.out, self.asked = source, out, asked
        self.records = source.records
        self.labels = labels.plan_labels(self.records, source.classes, asked.labels, asked.unlabeled)
        self.split = plan.split_of(self.source, self.labels, asked)  # at once, for what cannot be divided so
        self.categories = source.categories or tuple(
            sorted({t.category for r in self.records for t in r.objects or ()}, key=natural)
        )
        _check_out(out, asked, overwrite=overwrite)
        self.form = plan.decide_form(source, asked)
        if asked.standardize == "zca":
            statistics.check_whitening(self.form.shape)

    def run(self, workers: int, on_error: OnError, progress: Any, started: float) -> PrepareReport:
        new = not self.out.exists()
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"expected a folder to write to, got {error}; choose another") from error
        work = Work(self.out / WORK, self.form, self.asked.plain())
        run = Run(
            self.records, self.asked, self.form, self.categories, work, self.out, on_error, progress
        )  # fmt: skip
        try:
            run.all(workers)
            self._divide(run)
            rows = self._manifest(run)
            fingerprint = self._fingerprint(rows)
            unchanged = not run.made and self._is_there(fingerprint)
            if not unchanged:
                self._write(run, rows, fingerprint)
        except BaseException as error:
            if isinstance(error, Exception) or not work.count:  # stopped in the middle, it is to go on
                work.fail()
            if new:
                with suppress(OSError):  # there is something in it
                    self.out.rmdir()
            raise
        work.remove()
        return self._report(run, unchanged=unchanged, on_error=on_error, seconds=time.perf_counter() - started)

    def _divide(self, run: Run) -> None:
        """Divide once the content of every picture is known: the same content goes to one part."""
        digests: list[str | None] = [None] * len(self.records)
        for outcome in run.outcomes:
            digests[outcome.index] = outcome.sha256 or None
        self.split = plan.split_of(self.source, self.labels, self.asked, digests)

    def _is_there(self, fingerprint: str) -> bool:
        """Whether the store is whole and says the same."""
        if not store.is_store(self.out):
            return False
        said = store.read_description(self.out)
        files = [part["file"] for part in said["parts"].values()] + [store.MANIFEST]
        return said["fingerprint"] == fingerprint and all((self.out / name).is_file() for name in files)

    def _manifest(self, run: Run) -> list[dict[str, Any]]:
        """One row per record of the source, and one for each thing it could not take in."""
        groups = plan.groups_of(self.source, self.asked)
        rows = []
        for outcome in run.outcomes:
            record = self.records[outcome.index]
            error = run.failed.get(record.key)
            size = () if error else tuple(run.known[outcome.entry].row()["size"])
            names = self.labels.names(record)
            rows.append(
                {
                    "key": record.key,
                    "split": None if error else self.split.parts[outcome.index],
                    "label": names[0] if names and self.labels.form != "multi" else None,
                    "labels": list(names) if self.labels.form == "multi" else None,
                    "group": groups[outcome.index],
                    "where": plan.where_of(self.source, record.image),
                    "checksum": outcome.sha256 or None,
                    "mask_checksum": outcome.mask_sha256,
                    "entry": None if error else outcome.entry,
                    "height": size[-2] if size else None,
                    "width": size[-1] if size else None,
                    "problem": _without_root(str(error), self.source) if error else None,
                    "attributes": dict(record.attributes),
                }
            )
        for problem in self.source.problems:
            said = _without_root(str(problem), self.source)
            rows.append({"key": problem.name, "problem": said, "attributes": {}})
        return rows

    def _fingerprint(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Stands for content and parameters."""
        digest = hashlib.sha256()
        said = [store.FORMAT, self.asked.plain(), self.form.plain(), self._said()]
        for value in (said, *rows):
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

    def _lines(self, run: Run) -> dict[str, list[Line]]:
        lines: dict[str, list[Line]] = {part: [] for part in PARTS}
        for outcome in run.outcomes:
            record = self.records[outcome.index]
            if record.key not in run.failed:
                line = Line(record.key, self.labels.value(record), outcome.entry, run.known[outcome.entry])
                lines[self.split.parts[outcome.index]].append(line)
        if self.asked.shuffle:
            seed = str(self.asked.seed).encode()
            for part in lines.values():
                part.sort(key=lambda line: hashlib.blake2b(line.key.encode(), digest_size=16, key=seed).digest())
        return {part: found for part, found in lines.items() if found}

    def _write(self, run: Run, rows: Sequence[Mapping[str, Any]], fingerprint: str) -> None:
        """Write all files; the description goes first and comes back last, so that a torn store is known as one."""
        lines = self._lines(run)
        if not lines:
            raise SourceError(f"expected an image that can be used in {self.source.root}, got none of {len(rows)}")
        with assemble.opened(line for part in lines.values() for line in part) as files:
            self._write_files(lines, files, rows, fingerprint)

    def _write_files(
        self, lines: dict[str, list[Line]], files: Files, rows: Sequence[Mapping[str, Any]], fingerprint: str
    ) -> None:
        how = self.asked.standardize
        fitted = assemble.fit_statistics(lines.get("train", ()), files, self.form, whiten=how == "zca")
        if fitted is None and how != "none":
            raise InputError("expected training images to fit statistics on, got none; change the split")
        every = [line for part in lines.values() for line in part]
        mask_dtype = assemble.mask_type(every, files, self.form) if self.form.masks else None
        (self.out / store.DESCRIPTION).unlink(missing_ok=True)
        applied = fitted if how != "none" else None
        for part in PARTS:
            path = self.out / f"{part}.arrow"
            if part in lines:
                assemble.write_rows(path, lines[part], files, self.form, self.labels, mask_dtype, how, applied)
            else:
                path.unlink(missing_ok=True)
        assemble.write_manifest(self.out / store.MANIFEST, rows, _MANIFEST)
        if fitted is not None:
            assemble.write_statistics(self.out / store.STATISTICS, fitted)
        else:
            (self.out / store.STATISTICS).unlink(missing_ok=True)
        described = self._description(lines, fitted, mask_dtype, fingerprint)
        assemble.write_json(self.out / store.DESCRIPTION, described)

    def _description(
        self, lines: Mapping[str, Sequence[Line]], fitted: Fitted | None, mask_dtype: Any, fingerprint: str
    ) -> dict[str, Any]:
        import pyarrow as pa

        form = self.form
        parts = {part: {"file": f"{part}.arrow", "count": len(found)} for part, found in lines.items()}
        mask = None if mask_dtype is None else {"shape": list(form.spatial), "dtype": mask_dtype.name}
        return {
            "format": store.FORMAT,
            "parts": parts,
            "image": {"shape": list(form.shape), "axes": form.axes, "dtype": form.dtype.name},
            "mask": mask,
            "label": {"form": self.labels.form, "dtype": self.labels.dtype, "level": self.labels.level},
            **self._said(),
            "statistics": None if fitted is None else _plain(fitted, form),
            "standardized": self.asked.standardize,
            "split": self.split.how,
            "parameters": self.asked.plain(),
            "fingerprint": fingerprint,
            "versions": {"imagemill": _version(), "pyarrow": pa.__version__, "polars": pl.__version__},
        }

    def _report(self, run: Run, *, unchanged: bool, on_error: str, seconds: float) -> PrepareReport:
        failed = [Failure(key, str(error)) for key, error in run.failed.items()]
        failed += [Failure(problem.name, str(problem)) for problem in self.source.problems]
        counts = {part: len(found) for part, found in self._lines(run).items()}
        noted = sorted(run.notes.items(), key=lambda item: (-item[1], item[0]))
        notes = [f"{note} ({n} file{'s' if n > 1 else ''})" for note, n in noted]
        notes = [*self.split.notes, *notes]
        dropped = self._dropped(run)
        if dropped:
            things = "1 annotated thing is" if dropped == 1 else f"{dropped} annotated things are"
            cut = "; fit='pad' (--fit pad) keeps them in view" if self.asked.fit == "crop" else ""
            notes.append(f"{things} outside the prepared pictures and left out{cut}")
        if any(r.objects for r in self.records) and not self.form.objects:
            notes.append("annotated things of volumes were left out: the store holds those of pictures")
        notes += self.source.notes
        kept = self.out / QUARANTINE if on_error == "quarantine" and (self.out / QUARANTINE).is_dir() else None
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

    def _dropped(self, run: Run) -> int:
        if not self.form.objects:
            return 0
        given = [(self.records[o.index], o) for o in run.outcomes if o.error is None]
        return sum(len(r.objects or ()) - len(run.known[o.entry].row().get("objects") or ()) for r, o in given)


_MANIFEST = {
    "key": pl.String,
    "split": pl.String,
    "label": pl.String,
    "labels": pl.List(pl.String),
    "group": pl.String,
    "where": pl.String,
    "checksum": pl.String,
    "mask_checksum": pl.String,
    "entry": pl.String,
    "height": pl.Int32,
    "width": pl.Int32,
    "problem": pl.String,
}


def _version() -> str:
    # The package around this module; importing it by name here would reach up past every room.
    return str(getattr(sys.modules[__name__.partition(".")[0]], "__version__", ""))


def _without_root(text: str, source: Source) -> str:
    """A message without the machine's own folders, since it goes into the store."""
    return text.replace(f"{source.root}/", "").replace(str(source.root.resolve()), source.root.name)


def _plain(fitted: Fitted, form: Form) -> dict[str, Any]:
    found = fitted.statistics
    return {
        "of": "train",
        "count": found.count,
        "mean": found.mean,
        "std": found.std,
        "channel_mean": found.channel_mean.tolist(),
        "channel_std": found.channel_std.tolist(),
        "white": {"uint8": 255, "uint16": 65535}.get(form.dtype.name, 1),
        "epsilon": statistics.EPSILON,
        "file": store.STATISTICS,
    }


def _check_out(out: Path, asked: Asked, *, overwrite: bool) -> None:
    """Refuse a folder that is no store, or one that was filled with other parameters."""
    if out.exists() and not out.is_dir():
        raise InputError(f"expected a folder to write to, got the file {out}; give another name")
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    before = begun_with(out / WORK)
    if store.DESCRIPTION in names:
        try:
            before = store.read_description(out).get("parameters")
        except SourceError:
            if not overwrite:
                raise
            before = None
    elif (strange := sorted(names - _OURS)) and WORK not in names:
        raise InputError(f"expected an empty folder or a store, got {out} with {strange[:3]}; choose another folder")
    wanted = asked.plain()
    if before is None or overwrite:
        return
    differs = [name for name in wanted if before.get(name) != wanted[name]]
    if differs:
        shown = ", ".join(f"{name} ({before.get(name)!r} before, {wanted[name]!r} now)" for name in differs)
        raise InputError(f"expected the parameters that {out} was made with, got other {shown}; {_ELSE}")
