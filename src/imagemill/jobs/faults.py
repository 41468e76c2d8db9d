"""Whose fault an error is, the error with a file's name in it, and what is kept of a file that was left out.

::

    OUT/quarantine/<name>          the encoded bytes of the file or member; an array as .npy
    OUT/quarantine/origins.jsonl   for each of them: key, where it came from, its copy, the error
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np

import imagemill.data.atomic as files
from imagemill.core.errors import DiskError, ImagemillError, MissingExtra, PlanError, SourceError, WorkerError
from imagemill.data.layouts.base import Problem
from imagemill.data.records.loading import encoded, held_array, pixels_name, pixels_suffix
from imagemill.data.records.output_names import MAX_NAME_BYTES, output_name
from imagemill.data.records.record import Pixels, Record, Stored

__all__ = ["ORIGINS", "is_of_file", "named", "quarantine", "refuse_missing"]

ORIGINS = "origins.jsonl"


def is_of_file(error: Exception) -> bool:
    """Whether an error is the fault of one file, so that leaving it out helps.

    Everything that is wrong with a file is an error of ours by the time it gets here. What is not one comes from a
    function or transform of the caller's, or is a mistake of ours; a missing package or a full disk meets the
    next file as well.

    Examples
    --------
    >>> from imagemill.core.errors import CodecError
    >>> is_of_file(CodecError("a.png: cut off")), is_of_file(ZeroDivisionError("in a function of the user's"))
    (True, False)
    """
    if not isinstance(error, ImagemillError) or error.of_caller:
        return False
    return not isinstance(error, DiskError | MissingExtra | PlanError | WorkerError)


def refuse_missing(problems: Iterable[Problem], instead: str) -> None:
    """Stop where a source speaks of pictures that are not there: for who asked to stop at errors.

    Parameters
    ----------
    problems : iterable of Problem
    instead : str
        What goes on without them, such as ``"on_error='skip' (--on-error skip)"``.

    Raises
    ------
    SourceError
    """
    missing = [problem for problem in problems if problem.missing]
    if missing:
        shown = "; ".join(problem.name for problem in missing[:3]) + ("; ..." if len(missing) > 3 else "")
        msg = f"expected every picture that is spoken of to be there, got none for {len(missing)} ({shown})"
        raise SourceError(f"{msg}: {missing[0]}; add them, or pass {instead} to go on without")


def named(name: str, error: Exception, doing: str) -> Exception:
    """The error with the name of a sample or its file in it: in the text of errors of ours, else in a note.

    Parameters
    ----------
    name : str
    error : Exception
    doing : str
        What went on, such as ``"augmenting"``.

    Examples
    --------
    >>> from imagemill.core.errors import CodecError
    >>> str(named("b.png", CodecError("expected pixels, got none"), "augmenting"))
    'b.png: expected pixels, got none'
    >>> named("b.png", ZeroDivisionError(), "augmenting").__notes__
    ['while augmenting b.png']
    """
    if isinstance(error, MissingExtra) or name in str(error):
        return error
    if type(error).__module__ == ImagemillError.__module__:  # of ours, so it can be made from a text
        found = type(error)(f"{name}: {error}")
        found.__dict__.update(error.__dict__)
        found.__cause__ = error
        return found
    error.add_note(f"while {doing} {name}")
    return error


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
