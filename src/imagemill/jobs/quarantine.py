"""What is kept of files that were left out, so that they can be looked at.

::

    OUT/quarantine/<name>          the encoded bytes of the file or member; an array as .npy
    OUT/quarantine/origins.jsonl   for each of them: key, where it came from, its copy, the error
"""

from __future__ import annotations

import io
import re
from pathlib import Path, PurePosixPath

import numpy as np

import imagemill.data.atomic as files
from imagemill.core.errors import InputError
from imagemill.data.records.loading import encoded, held_array, pixels_name, pixels_suffix
from imagemill.data.records.output_names import MAX_NAME_BYTES, output_name
from imagemill.data.records.record import Pixels, Record, Stored
from imagemill.data.remote.remote_path import RemotePath

__all__ = ["ORIGINS", "Quarantine", "quarantine", "refuse_elsewhere"]

ORIGINS = "origins.jsonl"


class Quarantine:
    """The folder of files that a run leaves out.

    Parameters
    ----------
    folder : Path
        Made when there is something to keep.
    images : str
        Folder for images within it; masks go to ``masks``.
    """

    def __init__(self, folder: Path, images: str = "") -> None:
        self.folder, self.images = folder, images
        self._errors: dict[str, tuple[int, str]] = {}

    @property
    def kept(self) -> Path | None:
        """The folder, where there is one."""
        return self.folder if self.folder.is_dir() else None

    def keep(self, record: Record, error: Exception, place: int) -> None:
        """Keep what a record was read from, once; of several errors the one of the first place counts."""
        before = self._errors.get(record.key)
        if before is None:
            quarantine(record, self.folder, error, self.images)
        if before is None or place < before[0]:
            self._errors[record.key] = place, str(error)

    def end(self) -> None:
        """Write one sorted line for each place, whatever the order in which they were met and however often."""
        if not self._errors:
            return
        rows = {(row["key"], row["from"]): row for row in files.read_jsonl(self.folder / ORIGINS).rows}
        for (key, _), row in rows.items():
            row["error"] = self._errors[key][1] if key in self._errors else row["error"]
        with files.atomic_path(self.folder / ORIGINS) as part:
            files.append_jsonl(part, [rows[which] for which in sorted(rows)])


def refuse_elsewhere(on_error: str, out: Path) -> None:
    """Refuse to copy files aside into an address.

    Raises
    ------
    InputError
    """
    if on_error == "quarantine" and isinstance(out, RemotePath):
        raise InputError(f"expected a folder of this machine to copy files aside to, got {out}; choose on_error='skip'")


def quarantine(record: Record, folder: Path, error: Exception, images: str = "") -> None:
    """Copy what a record was read from, as far as it can be read, to where it can be looked at.

    Files are copied under their key. Members of archives and tables have their encoded bytes written, under a name that
    stays in the folder; arrays become ``.npy``. A line in ``origins.jsonl`` says where each came from.

    Parameters
    ----------
    record : Record
    folder : Path
    error : Exception
        Why it was left out.
    images : str
        Folder for images within it; masks go to ``masks``.
    """
    for where, below in ((record.image, images), (record.mask, "masks")):
        if where is None:
            continue
        row = {"key": record.key, "from": pixels_name(where), "file": None, "error": str(error)}
        try:
            data = _bytes(where)
        except Exception as unread:  # what cannot be read is why it is here; the note says so
            row["not_copied"] = str(unread)
        else:
            suffix = ".npy" if isinstance(where, Stored) else pixels_suffix(where)
            name = str(PurePosixPath(below) / _name(record.key, suffix))
            row["file"] = name
            with files.atomic_path(folder / name) as part:
                part.write_bytes(data)
        files.append_jsonl(folder / ORIGINS, [row])


def _bytes(where: Pixels) -> bytes:
    """A file as it is, the encoded bytes of a member, an array as ``.npy``."""
    if not isinstance(where, Stored):
        return encoded(where) or b""
    kept = io.BytesIO()
    np.save(kept, held_array(where), allow_pickle=False)
    return kept.getvalue()


def _name(key: str, suffix: str) -> str:
    """The key where it is a plain path of that suffix; else a name made from it, which no other key has."""
    path = PurePosixPath(key)
    plain = not path.is_absolute() and ".." not in path.parts and key.isprintable() and "\\" not in key
    short = plain and all(len(name.encode()) <= MAX_NAME_BYTES for name in path.parts)
    if short and suffix and path.suffix.lower() == PurePosixPath("x" + suffix).suffix:
        return key
    return output_name(key, suffix=suffix if re.fullmatch(r"(\.[A-Za-z0-9]+){1,2}", suffix) else ".bin")
