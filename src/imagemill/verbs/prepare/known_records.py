"""What a run of `prepare` knows of its records: some bytes for each, so that millions of them fit.

Digests are kept as bytes in arrays, pixels on the disk, and all else in the lines of the work folder, which are read
again when they are asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from imagemill.data.records.record import Record
from imagemill.jobs.runner import Failed, Finished
from imagemill.verbs.prepare.assemble import Line
from imagemill.verbs.prepare.class_numbers import LabelPlan
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
        count = len(records)
        self._where = np.full(count, _NOWHERE, np.int64)
        self._sha256, self._entry = np.zeros((count, 32), np.uint8), np.zeros((count, 16), np.uint8)
        self._mask_sha256: npt.NDArray[np.uint8] | None = None
        self._has_mask = np.zeros(count, bool)

    def note(self, rows: Sequence[tuple[int, Known]]) -> None:
        """Write pixels to the disk, and keep digests and places."""
        slot = self.work.count
        self.work.put([(row.entry, row.made) for _, row in rows if row.made is not None])
        for place, row in rows:
            if row.made is None:
                self._where[place] = self.before[row.entry]
            else:
                self._where[place] = slot
                slot += 1
                self.made += 1
            self._sha256[place] = np.frombuffer(bytes.fromhex(row.sha256), np.uint8)
            self._entry[place] = np.frombuffer(bytes.fromhex(row.entry), np.uint8)
            if row.mask_sha256 is not None:
                if self._mask_sha256 is None:
                    self._mask_sha256 = np.zeros_like(self._sha256)
                self._mask_sha256[place] = np.frombuffer(bytes.fromhex(row.mask_sha256), np.uint8)
                self._has_mask[place] = True

    def usable(self) -> npt.NDArray[np.int64]:
        """Places of records that were not left out, in order."""
        return np.flatnonzero(self._where != _NOWHERE)

    def is_usable(self, place: int) -> bool:
        """Whether a record was not left out."""
        return bool(self._where[place] != _NOWHERE)

    def known(self, place: int) -> Known:
        """Digests of a record that was not left out."""
        mask = self._mask_sha256[place].tobytes().hex() if self._mask_sha256 is not None else None
        return Known(
            self._sha256[place].tobytes().hex(),
            mask if self._has_mask[place] else None,
            self._entry[place].tobytes().hex(),
            None,
        )

    def digests(self) -> list[bytes | None]:
        """Of the image of every record, None of those that were left out."""
        return [self._sha256[place].tobytes() if self.is_usable(place) else None for place in range(len(self.records))]

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
        key = str(seed).encode()
        hashes = [
            hashlib.blake2b(self._run.records[place].key.encode(), digest_size=16, key=key).digest()
            for place in self._places.tolist()
        ]
        numbers = np.frombuffer(b"".join(hashes), ">u8").reshape(-1, 2)
        return Lines(self._run, self._labels, self._places[np.lexsort((numbers[:, 1], numbers[:, 0]))])
