"""How `prepare` runs: what is there already, threads for the rest, and what becomes of errors."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.layouts.augment_files import QUARANTINE
from imagemill.data.records.loading import pixels_name
from imagemill.data.records.record import Record
from imagemill.data.splits.split import PARTS
from imagemill.data.store import Part, Region, open_part
from imagemill.jobs.faults import is_of_file, named, quarantine
from imagemill.jobs.threads import OnError, Progress, one_opencv_thread
from imagemill.verbs.prepare import asked as plan
from imagemill.verbs.prepare.asked import Asked, Form, Made
from imagemill.verbs.prepare.work import Work

__all__ = ["QUARANTINE", "Found", "Run", "earlier"]

_KEPT = ("height", "width", "depth", "world", "objects", "filled")
_TASK_BYTES, _TASK_RECORDS = 2 << 20, 64


@dataclass(frozen=True, slots=True)
class Found:
    """Where a prepared record lies, and what else is known of it.

    Parameters
    ----------
    image : Region
    mask : Region or None
    number : int
        Of the row in both.
    row : callable
        Gives size, world and objects, and where values stand that were not finite.
    gaps : bool
        Whether there may be such values.
    """

    image: Region
    mask: Region | None
    number: int
    row: Callable[[], Mapping[str, Any]]
    gaps: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one record."""

    index: int
    sha256: str = ""
    mask_sha256: str | None = None
    entry: str = ""
    made: Made | None = None
    error: Exception | None = None


def earlier(out: Path, form: Form) -> dict[str, Found]:
    """Rows of an earlier store, by entry; none of one that holds other pixels."""
    found: dict[str, Found] = {}
    for name in PARTS:
        path = out / f"{name}.arrow"
        if not path.is_file():
            continue
        try:
            part = open_part(path)
        except SourceError:
            continue  # it is written anew, and nothing of it used
        if part.meta.get("form") != form.plain() or not part.meta.get("reusable"):
            continue
        masks = part.table["mask"].is_valid().to_pylist() if form.masks else [False] * len(part)
        for number, entry in enumerate(part.table["entry"].to_pylist()):
            mask = part.regions["mask"] if masks[number] else None
            gaps = "filled" in part.table.column_names
            found[entry] = Found(part.regions["image"], mask, number, _row_of(part, number), gaps)
    return found


def _row_of(part: Part, number: int) -> Callable[[], Mapping[str, Any]]:
    def row() -> Mapping[str, Any]:
        names = [name for name in _KEPT if name in part.table.column_names]
        cells = {name: part.table[name][number].as_py() for name in names}
        size = [cells[name] for name in ("depth", "height", "width") if cells.get(name) is not None]
        return {"size": size, **{name: cells[name] for name in ("world", "objects", "filled") if name in cells}}

    return row


class Run:
    """The state of one run; only the calling thread changes it."""

    def __init__(
        self,
        records: Sequence[Record],
        asked: Asked,
        form: Form,
        categories: Sequence[str],
        work: Work,
        out: Path,
        on_error: OnError,
        progress: Progress | None,
    ) -> None:
        self.records, self.asked, self.form, self.work, self.out = records, asked, form, work, out
        self.on_error, self.progress = on_error, progress
        self.categories = categories
        self.numbers = {name: number for number, name in enumerate(categories)}
        self.known: dict[str, Found] = earlier(out, form)
        for entry, row in work.rows.items():
            self.known.setdefault(entry, self._slot(row))
        self.before = frozenset(self.known)
        self.outcomes: list[Outcome] = []
        self.failed: dict[str, Exception] = {}
        self.notes: Counter[str] = Counter()
        self.made = 0
        self.stop = threading.Event()

    def _slot(self, row: Mapping[str, Any]) -> Found:
        mask = self.work.region("mask") if row.get("mask") is not None else None
        return Found(self.work.region("image"), mask, int(row["slot"]), lambda: row, "filled" in row)

    # ---------------------------------------------------------------------------------- in the workers

    def task(self, indices: range) -> list[Outcome]:
        """Make what is missing of some records; errors come back as values."""
        outcomes: list[Outcome] = []
        for index in indices:
            if self.stop.is_set():
                break
            outcomes.append(self._one(index))
        return outcomes

    def _one(self, index: int) -> Outcome:
        try:
            taken = plan.take(self.records[index])
            entry = plan.entry_of(taken, self.asked, self.form, self.categories)
            made = None if entry in self.before else plan.make(taken, self.asked, self.form, self.numbers)
        except Exception as error:  # a bad file must not end the run by surprise: the caller decides
            return Outcome(index, error=error)
        return Outcome(index, taken.sha256, taken.mask_sha256, entry, made)

    # ----------------------------------------------------------------------------- in the calling thread

    def all(self, workers: int) -> None:
        """Take every record, a few tasks in flight at a time, in order."""
        tasks = self._tasks()
        flying: deque[Future[list[Outcome]]] = deque()
        with one_opencv_thread(), ThreadPoolExecutor(workers, thread_name_prefix="imagemill") as pool:
            try:
                for indices in tasks:
                    flying.append(pool.submit(self.task, indices))
                    if len(flying) > workers + 1:
                        self._keep(flying.popleft().result())
                while flying:
                    self._keep(flying.popleft().result())
            except BaseException:
                self.stop.set()
                pool.shutdown(cancel_futures=True)
                # What was finished meanwhile counts, so that the next run need not make it again.
                for future in flying:
                    if not future.cancelled():
                        self._put(future.result())
                raise

    def _tasks(self) -> Iterator[range]:
        each = self.form.image_bytes + self.form.mask_bytes
        step = max(1, min(_TASK_RECORDS, _TASK_BYTES // max(each, 1)))
        for at in range(0, len(self.records), step):
            yield range(at, min(at + step, len(self.records)))

    def _put(self, outcomes: Sequence[Outcome]) -> None:
        self.work.put([(outcome.entry, outcome.made) for outcome in outcomes if outcome.made is not None])

    def _keep(self, outcomes: Sequence[Outcome]) -> None:
        self._put(outcomes)
        for outcome in outcomes:
            if outcome.made is not None:
                self.made += 1
                self.known[outcome.entry] = self._slot(self.work.rows[outcome.entry])
                for note in filter(None, outcome.made.note.split("; ")):
                    # Files that differ in a number only (slices, rows of a table) are one note.
                    self.notes[re.sub(r"\d+", "N", note)] += 1
            if outcome.error is not None:
                self._fail(self.records[outcome.index], outcome.error)
            # Without its pixels: they are on disk, and a large dataset must not pile up here.
            kept = Outcome(outcome.index, outcome.sha256, outcome.mask_sha256, outcome.entry, None, outcome.error)
            self.outcomes.append(kept)
        if self.progress is not None:
            self.progress(len(self.outcomes), len(self.records))

    def _fail(self, record: Record, error: Exception) -> None:
        if self.on_error == "raise" or not is_of_file(error):
            raise named(pixels_name(record.image), error, "preparing")
        if self.on_error == "quarantine":
            quarantine(record, self.out / QUARANTINE, error, "images")
        self.failed[record.key] = error
