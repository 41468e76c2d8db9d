"""What a preparation has made and not yet assembled: pixels in slots, and a line for each.

::

    STORE/.work/job.json     the form of the pictures; slots of another form are of no use
    STORE/.work/slots.bin    pixels, slot after slot, all of one size
    STORE/.work/made.jsonl   one line per slot: its entry, a checksum of its bytes, and all that is no pixel
    STORE/.work/failed       the run ended in an error, so that other parameters may take its place

A run that is killed leaves whole slots and at most one torn one, which has no line or a wrong checksum.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from imagemill.core.targets import Array
from imagemill.data.atomic import append_jsonl, atomic_path, writing
from imagemill.data.remote.bounded_cache import unfinished_place
from imagemill.data.remote.remote_path import RemotePath
from imagemill.data.store import DESCRIPTION, Region
from imagemill.verbs.prepare.earlier_rows import Found
from imagemill.verbs.prepare.one_record import Made
from imagemill.verbs.prepare.picture_form import Form

__all__ = ["WORK", "WorkFolder", "anything_kept", "begun_with", "work_place"]

WORK, FAILED, LINES = ".work", "failed", "made.jsonl"


class WorkFolder:
    """The slots of one store.

    Parameters
    ----------
    folder : Path
        Made when missing; emptied when its slots are of another form.
    form : Form
    parameters : mapping
        Kept beside the form, so that another run sees what was begun.
    """

    def __init__(self, folder: Path, form: Form, parameters: dict[str, Any]) -> None:
        self.folder, self.form = folder, form
        self.slot_bytes = form.slot_bytes
        self.slots, self.lines = folder / "slots.bin", folder / LINES
        self.slots_of: dict[str, int] = {}
        self._starts, self._has_mask, self._gaps = array("q"), bytearray(), bytearray()
        self._read_again: Any = None
        told = {"form": form.plain(), "parameters": parameters}
        (folder / FAILED).unlink(missing_ok=True)
        if _job(folder) != told:
            shutil.rmtree(folder, ignore_errors=True)
            with atomic_path(folder / "job.json") as part:
                part.write_text(json.dumps(told), "utf-8")
        self.count = self._read()

    def _read(self) -> int:
        """Find the whole slots an earlier run left; the number of the next one."""
        if not self.slots.is_file() or not self.lines.is_file():
            return 0
        with self.slots.open("rb") as slots, self.lines.open("rb") as lines:
            start = 0
            for number, line in enumerate(lines):
                row, data = _row(line), slots.read(self.slot_bytes)
                if row.get("slot") != number or len(data) != self.slot_bytes or row.get("crc") != zlib.crc32(data):
                    break
                self._learn(row, start)
                self.slots_of[str(row["entry"])] = number
                start += len(line)
        if start < self.lines.stat().st_size:  # keep the whole ones only
            os.truncate(self.lines, start)
        return len(self._starts)

    def _learn(self, row: Mapping[str, Any], start: int) -> None:
        self._starts.append(start)
        self._has_mask.append(row.get("mask") is not None)
        self._gaps.append("filled" in row)

    def put(self, made: Sequence[tuple[str, Made]]) -> None:
        """Add slots; their lines come last, so that a line always has its pixels."""
        if not made:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = []
        with writing(self.slots), self.slots.open("r+b" if self.slots.exists() else "w+b") as file:
            file.seek(self.count * self.slot_bytes)
            for number, (entry, one) in enumerate(made, start=self.count):
                data = self._bytes(one)
                file.write(data)
                given = None if one.mask is None else [int(one.mask.min()), int(one.mask.max())]
                rows.append({"entry": entry, "slot": number, "crc": zlib.crc32(data), "mask": given, **one.row})
        start = self.lines.stat().st_size if self.lines.exists() else 0
        append_jsonl(self.lines, rows)
        # Lines are written and read again, so that what is in memory does not grow with what is known of a record.
        with self.lines.open("rb") as file:
            file.seek(start)
            for row in rows:
                self._learn(row, file.tell())
                file.readline()
        self.count += len(rows)

    def _bytes(self, made: Made) -> bytes:
        mask = bytes(self.form.mask_bytes) if made.mask is None else made.mask.tobytes()
        image: Array = made.image
        maps = [made.maps[name].tobytes() for name in self.form.maps]
        return b"".join([image.tobytes(), *([mask] if self.form.masks else []), *maps])

    def region(self, name: str) -> Region:
        """Where the images, the masks, or the maps of a name, of the slots lie."""
        form = self.form
        if name in form.maps:
            first = form.image_bytes + form.mask_bytes + form.maps.index(name) * form.map_bytes
            return Region(self.slots, first, self.slot_bytes)
        return Region(self.slots, 0 if name == "image" else form.image_bytes, self.slot_bytes)

    def found(self, slot: int) -> Found:
        """Where the pixels of a slot lie."""
        mask = self._masks if self._has_mask[slot] else None
        return Found(self._images, mask, slot, partial(self._row, slot), bool(self._gaps[slot]), self._maps)

    @cached_property
    def _images(self) -> Region:
        return self.region("image")

    @cached_property
    def _masks(self) -> Region:
        return self.region("mask")

    @cached_property
    def _maps(self) -> Mapping[str, Region]:
        return {name: self.region(name) for name in self.form.maps}

    def _row(self, slot: int) -> Mapping[str, Any]:
        if self._read_again is None:
            self._read_again = self.lines.open("rb")
        self._read_again.seek(self._starts[slot])
        return _row(self._read_again.readline())

    def close(self) -> None:
        """Close what rows are read from."""
        if self._read_again is not None:
            self._read_again.close()
            self._read_again = None

    def fail(self) -> None:
        """Say that the run ended in an error: the same parameters go on from the slots, others begin anew."""
        self.close()
        if not self.count:
            self.remove()
            return
        with suppress(OSError):  # where the disk is full, the error says so
            (self.folder / FAILED).touch()

    def remove(self) -> None:
        """Nothing is left to assemble."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _row(line: bytes) -> dict[str, Any]:
    """What a line says; nothing where it is torn."""
    try:
        found = json.loads(line.decode("utf-8", "surrogatepass"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) and line.endswith(b"\n") else {}


def work_place(out: Path) -> Path:
    """Where what is not yet assembled is kept: in the store's folder, or on this machine where that is elsewhere."""
    if not isinstance(out, RemotePath):
        return out / WORK
    return unfinished_place(str(out))


def begun_with(folder: Path) -> dict[str, Any] | None:
    """The parameters of a run that goes on or was stopped; None where there is none, or it ended in an error."""
    if (folder / FAILED).exists() or not (folder / LINES).exists():
        return None
    told = _job(folder)
    found = told.get("parameters") if isinstance(told, dict) else None
    return found if isinstance(found, dict) else None


def anything_kept(out: Path) -> bool:
    """Whether a store, or a run that was stopped, has something that the next run need not make.

    Examples
    --------
    >>> anything_kept(Path("no-such-store"))
    False
    """
    return (work_place(out) / LINES).exists() or (out / DESCRIPTION).exists()


def _job(folder: Path) -> Any:
    try:
        return json.loads((folder / "job.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
