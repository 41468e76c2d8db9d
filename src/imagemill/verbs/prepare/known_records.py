"""What a run of `prepare` knows of its records: some bytes for each, so that millions of them fit.

Digests and pixels are on the disk, all else is in the lines of the work folder, and both are read again when they are
asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from imagemill.data.records.record import Record
from imagemill.data.splits.duplicates import Contents, alike_by_digest
from imagemill.data.splits.split import ordered_by_hash
from imagemill.jobs.runner import Failed, Finished
from imagemill.verbs.prepare.assemble import Line
from imagemill.verbs.prepare.class_numbers import LabelPlan
from imagemill.verbs.prepare.digests_on_disk import Digests
from imagemill.verbs.prepare.earlier_rows import EarlierRows, Found
from imagemill.verbs.prepare.one_record import Known
from imagemill.verbs.prepare.work_folder import WorkFolder

__all__ = ["KnownRecords", "Lines"]

_NOWHERE = np.iinfo(np.int64).min


class KnownRecords:
    """What a run knows so far; rows come in any order.

    Parameters
    ----------
    records : sequence of Record
    earlier : EarlierRows
        Of an earlier store.
    work : WorkFolder
        Takes the pixels; it may hold some of a run that was stopped.
    """

    def __init__(self, records: Sequence[Record], earlier: EarlierRows, work: WorkFolder) -> None:
        self.records, self.work, self.finished, self.made = records, work, Finished(), 0
        self._earlier = earlier
        # Where pixels lie that were there before: slots count from 0, rows of the earlier store from -1 down.
        self.before = dict(work.slots_of) | {entry: -1 - place for entry, place in earlier.places.items()}
        self._where = np.full(len(records), _NOWHERE, np.int64)
        self._digests = Digests(work.folder / "digests.bin")

    def note(self, rows: Sequence[tuple[int, Known]]) -> None:
        """Write pixels to the disk, and keep digests and places."""
        slot = self.work.count
        self.work.put([(row.entry, row.made) for _, row in rows if row.made is not None])
        self._digests.put(rows)
        for place, row in rows:
            if row.made is None:
                self._where[place] = self.before[row.entry]
            else:
                self._where[place] = slot
                slot += 1
                self.made += 1

    def usable(self) -> npt.NDArray[np.int64]:
        """Places of records that were not left out, in order."""
        return np.flatnonzero(self._where != _NOWHERE)

    def is_usable(self, place: int) -> bool:
        """Whether a record was not left out."""
        return bool(self._where[place] != _NOWHERE)

    def known(self, place: int) -> Known:
        """Digests of a record that was not left out."""
        return self._digests.at(place)

    def contents(self) -> Contents:
        """Which records have the same image."""
        heads = self._digests.heads(len(self.records))
        return alike_by_digest(heads, self.usable(), lambda place: self.known(place).sha256)

    def close(self) -> None:
        """Close what digests and rows are read from."""
        self._digests.close()
        self.work.close()

    def found(self, place: int) -> Found:
        """Where the pixels of a record lie."""
        where = int(self._where[place])
        return self.work.found(where) if where >= 0 else self._earlier.found(-1 - where)

    def files(self) -> set[Path]:
        """The files in which pixels lie."""
        used = self._where[self._where != _NOWHERE]
        found = {self.work.slots} if (used >= 0).any() else set()
        return found | {self._earlier.file(place) for place in (-1 - used[used < 0]).tolist()}

    def failed(self) -> list[Failed]:
        """Those that were left out, in order."""
        return [one for _, one in sorted(self.finished.failed.items())]


class Lines(Sequence[Line]):
    """The records of a part in their order; each line is made when it is asked for.

    Parameters
    ----------
    run : KnownRecords
    labels : LabelPlan
    places : array of int
        Of the records.
    """

    def __init__(self, run: KnownRecords, labels: LabelPlan, places: npt.NDArray[np.int64]) -> None:
        self._run, self._labels, self._places = run, labels, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, which: int) -> Line: ...
    @overload
    def __getitem__(self, which: slice) -> Lines: ...
    def __getitem__(self, which: int | slice) -> Line | Lines:
        if isinstance(which, slice):
            return Lines(self._run, self._labels, self._places[which])
        return self._line(int(self._places[which]))

    def __iter__(self) -> Iterator[Line]:
        return map(self._line, self._places.tolist())

    def _line(self, place: int) -> Line:
        record, run = self._run.records[place], self._run
        return Line(record.key, self._labels.value(record), run.known(place).entry, run.found(place))

    def shuffled(self, seed: int) -> Lines:
        """The same in the order of a hash of seed and key."""
        order = ordered_by_hash(seed, self._places, lambda place: self._run.records[place].key)
        return Lines(self._run, self._labels, order)
