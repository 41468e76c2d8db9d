"""How `augment` runs: tasks, threads, and what becomes of errors."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

from imagemill.core.errors import DiskError
from imagemill.core.sample import Recipe
from imagemill.data.layouts.augment_files import QUARANTINE
from imagemill.data.records.as_targets import keypoint_names_of
from imagemill.data.records.loading import pixels_name, pixels_size
from imagemill.data.records.record import Record
from imagemill.jobs.faults import is_of_file, named
from imagemill.jobs.threads import OnError, Progress
from imagemill.verbs.augment import copies as make
from imagemill.verbs.augment.augment_report import AugmentReport, Failure
from imagemill.verbs.augment.beside import Beside, Place, row_of, suffix_of
from imagemill.verbs.augment.ledger import Job, Row, Rows

__all__ = ["Run", "tasks_for", "unchanged"]

COPIES_PER_TASK = 8
"""What a worker makes of one decoded image before it notes what it made."""


@dataclass(frozen=True, slots=True)
class Task:
    """Copies of one record that one worker makes."""

    record: Record
    copies: tuple[int, ...]


def unchanged(records: Sequence[Record], rows: Rows) -> Rows:
    """The outputs whose source still has the size it had.

    A look at the size costs nothing and finds most files that were replaced; `verify` with the source reads them
    and finds all.
    """
    made = {key for key, _ in rows}
    sizes = {record.key: pixels_size(record.image) for record in records if record.key in made}
    return {place: row for place, row in rows.items() if sizes.get(place[0]) in (None, row.get("source_bytes"))}


def tasks_for(records: Sequence[Record], done: Rows, copies: int) -> Iterator[Task]:
    """Cut what is missing into tasks, in the order of the records."""
    for record in records:
        missing = [copy for copy in range(copies) if (record.key, copy) not in done]
        for at in range(0, len(missing), COPIES_PER_TASK):
            yield Task(record, tuple(missing[at : at + COPIES_PER_TASK]))


@dataclass(slots=True)
class Outcome:
    """What became of a task: lines for what was written, and the error that ended it early."""

    task: Task
    rows: list[Row]
    note: str = ""
    error: Exception | None = None
    writing: bool = False


class Run:
    """The state of one run; only the calling thread changes it."""

    def __init__(
        self,
        job: Job,
        rows: Rows,
        keys: set[str],
        on_error: OnError,
        progress: Progress | None,
        beside: Beside,
        places: Mapping[tuple[str, int], Place],
    ) -> None:
        self.job, self.rows, self.keys, self.on_error, self.progress = job, rows, keys, on_error, progress
        self.beside, self.places = beside, places
        source = beside.source
        seen = (*source.categories, *(thing.category for record in source for thing in record.objects or ()))
        self.keypoints = keypoint_names_of(dict.fromkeys(seen), source.keypoint_names, source.info)
        self.present = sum(key in keys for key, _ in rows)
        self.others = len(rows) - self.present
        self.made = self.done = self.total = 0
        self.failed: dict[str, Exception] = {}
        self.notes: Counter[str] = Counter()
        self.noted: set[str] = set()
        self.stop = threading.Event()
        self.started = time.perf_counter()

    # ---------------------------------------------------------------------------------- in the workers

    def work(self, task: Task) -> Outcome:
        """Make a task's copies; errors come back as values."""
        outcome = Outcome(task, [])
        try:
            given = self.job.parameters
            loaded = make.load(task.record, given["channels"], given["axes"], self.keypoints)
            outcome.note = loaded.note
            for copy in task.copies:
                if self.stop.is_set():
                    break
                outcome.writing = False
                recipe = Recipe(self.job.pipeline.seed, copy, task.record.key, self.job.pipeline.digest)
                made = make.make(self.job.pipeline, loaded, recipe)
                outcome.writing = True
                outcome.rows.append(self._write(task.record, recipe, loaded, made))
        except Exception as error:  # a bad file must not end the run by surprise: the caller decides
            outcome.error = error
        except BaseException:  # Ctrl-C, where the first tasks run in the calling thread
            self.job.record(outcome.rows)
            raise
        return outcome

    def _write(self, record: Record, recipe: Recipe, loaded: make.Loaded, made: make.Made) -> Row:
        suffix = self._suffix(record)
        copy, place = recipe.epoch, self.places[record.key, recipe.epoch]
        image = place.image + suffix
        row: Row = {"key": record.key, "copy": copy, "output": image, "mask": None, "recipe": recipe.to_dict()}
        row["applied"] = [{"name": a.name, "values": dict(a.values)} for a in made.applied]
        if made.mask is not None and place.mask is not None:  # first: what has an image has its mask
            row["mask"] = place.mask + make.mask_suffix(made.mask, suffix)
            row["mask_sha256"] = make.write(self.job.out / row["mask"], made.mask)
        try:
            row["sha256"] = make.write(self.job.out / image, made.picture)
        except BaseException:
            if row["mask"] is not None:  # nothing is left of half a copy
                (self.job.out / row["mask"]).unlink(missing_ok=True)
            raise
        row |= {"source_bytes": loaded.bytes, "source_sha256": loaded.sha256}
        return row if self.beside.layout is None else row | row_of(record, made)

    def _suffix(self, record: Record) -> str:
        return suffix_of(record, self.job.parameters["format"], self.beside.suffix_of_arrays)

    # ----------------------------------------------------------------------------- in the calling thread

    def all(self, tasks: list[Task], workers: int) -> None:
        """Run every task, a few in flight at a time."""
        self.total = sum(len(task.copies) for task in tasks)
        self._say()
        rest = self._one_of_each(tasks)
        flying: set[Future[Outcome]] = set()
        with ThreadPoolExecutor(workers, thread_name_prefix="imagemill") as pool:
            try:
                for task in rest:
                    flying.add(pool.submit(self.work, task))
                    if len(flying) >= 2 * workers:
                        flying = self._take(flying)
                while flying:
                    flying = self._take(flying)
            except BaseException:
                self.stop.set()
                pool.shutdown(cancel_futures=True)
                # What was finished meanwhile counts, so that the next run need not make it again.
                with suppress(DiskError):  # the disk is full: what has no line is made again
                    self.job.record([row for f in flying if not f.cancelled() for row in f.result().rows])
                raise

    def _one_of_each(self, tasks: list[Task]) -> list[Task]:
        """Make one task per kind of output first: a format that cannot hold the results shows at once."""
        seen, rest = set(), []
        for task in tasks:
            suffix = self._suffix(task.record)
            if suffix in seen:
                rest.append(task)
                continue
            outcome = self.work(task)
            if outcome.error is not None and outcome.writing:
                self.job.record(outcome.rows)
                raise outcome.error
            self._keep(outcome)
            if outcome.error is None:
                seen.add(suffix)
        return rest

    def _take(self, flying: set[Future[Outcome]]) -> set[Future[Outcome]]:
        finished, waiting = wait(flying, return_when=FIRST_COMPLETED)
        self.job.record([row for future in finished for row in future.result().rows])
        for future in finished:
            self._keep(future.result(), recorded=True)
        return waiting

    def _keep(self, outcome: Outcome, *, recorded: bool = False) -> None:
        if not recorded:
            self.job.record(outcome.rows)
        self.rows.update({(row["key"], row["copy"]): row for row in outcome.rows})
        self.made += len(outcome.rows)
        self.done += len(outcome.task.copies)
        key = outcome.task.record.key
        if outcome.note and key not in self.noted:
            self.noted.add(key)
            self.notes[outcome.note] += 1
        if outcome.error is not None:
            self._fail(outcome, outcome.error)
        self._say()

    def _fail(self, outcome: Outcome, error: Exception) -> None:
        record = outcome.task.record
        if self.on_error == "raise" or not is_of_file(error):
            raise named(pixels_name(record.image), error, "augmenting")
        if record.key not in self.failed and self.on_error == "quarantine":
            self.job.quarantine(record, error)
        self.failed.setdefault(record.key, error)

    def _say(self) -> None:
        if self.progress is not None:
            self.progress(self.done, self.total)

    def end(self) -> AugmentReport:
        """Close the books."""
        failed = sorted(self.failed.items())
        # Commonest first, then by text: the order in which threads met them must not show.
        noted = sorted(self.notes.items(), key=lambda item: (-item[1], item[0]))
        errors = [{"key": key, "error": type(e).__name__, "message": str(e)} for key, e in failed]
        self.job.finish(self.rows, errors)
        told = self.beside.end([self.rows[place] for place in sorted(self.rows)])
        kept = self.job.out / QUARANTINE
        notes = tuple(f"{note} ({n} file{'s' if n > 1 else ''})" for note, n in noted)
        return AugmentReport(
            self.job.out,
            self.made,
            self.present,
            tuple(Failure(key, str(error)) for key, error in failed),
            self.others,
            time.perf_counter() - self.started,
            notes,
            kept if self.on_error == "quarantine" and kept.is_dir() else None,
            self.beside.name,
            told,
        )
