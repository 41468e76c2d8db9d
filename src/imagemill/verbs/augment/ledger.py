"""What a folder of outputs knows about the run that filled it: its parameters, and a line for every output.

::

    OUT/job.json               the parameters that decide the bytes; a rerun must have the same
    OUT/pipeline.yaml          the pipeline as it ran
    OUT/recipes.jsonl          one line per output, sorted by key and copy; written when a run has ended
    OUT/recipes.partial.jsonl  the lines of a run that goes on, or was stopped; a rerun continues from it
    OUT/errors.jsonl           one line per file that was left out in the last run
    OUT/quarantine/            copies of those files, where asked for

Where OUT is an address, the lines of a run that goes on are kept on this machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import imagemill.data.atomic as files
from imagemill.core.errors import CodecError, InputError, ParameterError
from imagemill.data.layouts.augment_files import ERRORS, JOB, PARTIAL, PIPELINE, RECIPES
from imagemill.data.remote.bounded_cache import unfinished_place
from imagemill.data.remote.remote_path import RemotePath
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Job", "Row", "Rows", "files_of", "notes_of", "pipeline_of", "read_parameters", "recorded"]

FORMAT = 1
# The names `atomic_path` gives; nobody else's files look like this.
_LEFTOVER = re.compile(r"^\..+\.[0-9a-f]+-[0-9a-f]{8}\.part$")
_ELSE = "use another folder, or overwrite=True"

Row = dict[str, Any]
Rows = dict[tuple[str, int], Row]


@dataclass(frozen=True, slots=True)
class Job:
    """A folder of outputs and the parameters they are made with.

    Parameters
    ----------
    out : Path
        The folder.
    pipeline : Pipeline
    parameters : mapping
        Plain values that decide the bytes, besides the pipeline.
    """

    out: Path
    pipeline: Pipeline
    parameters: Mapping[str, Any]

    def begin(self, *, overwrite: bool) -> Rows:
        """Make the folder ready and give the outputs that are recorded and there.

        Raises
        ------
        InputError
            When the folder was filled with other parameters, naming what differs.
        """
        if self.out.exists() and not self.out.is_dir():
            raise InputError(f"expected a folder to write to, got the file {self.out}; give another name")
        wanted = {**self.parameters, **_pipeline_parameters(self.pipeline)}
        if overwrite:
            self._clear()
        else:
            self._compare(wanted)
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CodecError(f"{self.out}: expected a folder to write to, got {error}; choose another") from error
        for leftover in [p for p in self.out.rglob(".*.part") if _LEFTOVER.match(p.name)]:
            leftover.unlink(missing_ok=True)
        if read_parameters(self.out) != wanted:
            _write_text(self.out / JOB, json.dumps({"imagemill": FORMAT, **wanted}, indent=2) + "\n")
            self._write_pipeline()
        return {place: row for place, row in recorded(self.out).items() if self._is_there(row)}

    def _write_pipeline(self) -> None:
        try:
            text = self.pipeline.to_yaml()
        except ParameterError:
            return  # a function of the user's stands in no file; replay then takes the pipeline itself
        _write_text(self.out / PIPELINE, text)

    def _compare(self, wanted: Mapping[str, Any]) -> None:
        found = read_parameters(self.out)
        if found is None:
            if (self.out / RECIPES).exists() or notes_of(self.out).exists():
                raise InputError(f"expected {JOB} beside the recipes in {self.out}, got none; {_ELSE}")
            return
        if not recorded(self.out):  # begun and stopped before anything was made: nothing to keep apart
            self._clear()
            return
        if _more(found.get("copies"), wanted.get("copies")):
            found = {**found, "copies": wanted["copies"]}  # the copies there are stay, and the others are made
        differs = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
        if differs:
            shown = ", ".join(f"{n} ({_shown(found.get(n))} before, {_shown(wanted.get(n))} now)" for n in differs)
            raise InputError(f"expected the parameters that {self.out} was begun with, got other {shown}; {_ELSE}")

    def _clear(self) -> None:
        """Remove what an earlier run left: the outputs it recorded and its own files, nothing else."""
        for row in recorded(self.out).values():
            for _, name, _ in files_of(row):
                if _is_inside(name):
                    (self.out / name).unlink(missing_ok=True)
        for name in (JOB, PIPELINE, RECIPES, ERRORS):
            (self.out / name).unlink(missing_ok=True)
        notes_of(self.out).unlink(missing_ok=True)

    def leave(self, *, new: bool) -> None:
        """After a run that failed before it made anything: take its marks away, and the folder where it is new."""
        if recorded(self.out):
            return
        self._clear()
        further = self.parameters.get("further", ())
        beside = [self.out / name for name in ("images", "masks", *further)]
        for folder in (*beside, *([self.out] if new else [])):
            with suppress(OSError):  # there is something in it, or it is not there
                folder.rmdir()

    def _is_there(self, row: Row) -> bool:
        return all((self.out / name).is_file() for _, name, _ in files_of(row))

    def record(self, rows: Iterable[Row]) -> None:
        """Note outputs that were just written, so that a rerun finds them."""
        files.append_jsonl(notes_of(self.out), rows)

    def finish(self, rows: Rows, errors: Iterable[Row]) -> None:
        """Replace the notes by one sorted list, equal for any order in which the outputs were made."""
        _write_lines(self.out / RECIPES, [rows[place] for place in sorted(rows)])
        notes_of(self.out).unlink(missing_ok=True)
        failed = list(errors)
        if failed:
            _write_lines(self.out / ERRORS, failed)
        else:
            (self.out / ERRORS).unlink(missing_ok=True)


def notes_of(out: Path) -> Path:
    """The lines of a run that goes on: in its folder, or on this machine where nothing can be appended there."""
    return (unfinished_place(str(out)) if isinstance(out, RemotePath) else out) / PARTIAL


def files_of(row: Row) -> list[tuple[str, str, str | None]]:
    """The files of an output, its image first: what each is, its name below the folder, and its sha256."""
    found = [("output", row["output"], row.get("sha256"))]
    found += [("mask", row["mask"], row.get("mask_sha256"))] if row.get("mask") else []
    return found + [(what, one["output"], one.get("sha256")) for what, one in row.get("further", {}).items()]


def _is_inside(name: str) -> bool:
    """Whether a recorded path stays in its folder: a list may have been edited by hand."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _more(before: Any, now: Any) -> bool:
    return isinstance(before, int) and isinstance(now, int) and now > before


def _pipeline_parameters(pipeline: Pipeline) -> dict[str, Any]:
    how = {"fuse": pipeline.fuse, "backend": pipeline.backend.name, "without": list(pipeline.without)}
    return {"pipeline": pipeline.digest, "seed": pipeline.seed, **how}


def _shown(value: Any) -> str:
    return "left out" if value is None else repr(value)


def read_parameters(out: Path) -> dict[str, Any] | None:
    """The parameters a folder was begun with, or None when no run was there.

    Raises
    ------
    InputError
        When its job file cannot be understood.
    """
    path = out / JOB
    try:
        found = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"expected {path} to hold the parameters of a run, got {error}; {_ELSE}") from None
    if not isinstance(found, dict) or found.pop("imagemill", None) != FORMAT:
        raise InputError(f"expected {path} in format {FORMAT}, got another; {_ELSE}")
    return found


def pipeline_of(out: Path) -> Pipeline:
    """The pipeline a folder was filled with, as it ran.

    Raises
    ------
    InputError
        When the folder does not hold one.
    """
    parameters = read_parameters(out)
    if parameters is None or not (out / PIPELINE).is_file():
        raise InputError(f"expected {JOB} and {PIPELINE} in {out}, got no such files; pass the pipeline it ran with")
    how = {name: parameters[name] for name in ("fuse", "backend", "without") if name in parameters}
    return Pipeline.load(out / PIPELINE).replace(**how)


def recorded(out: Path) -> Rows:
    """Every output a folder has a line for, of finished runs and of one that was stopped.

    Raises
    ------
    CodecError, InputError
        When a line cannot be understood.
    """
    rows: Rows = {}
    for path in (out / RECIPES, notes_of(out)):
        if not path.is_file():
            continue
        for row in files.read_jsonl(path).rows:
            try:
                rows[str(row["key"]), int(row["copy"])] = row
            except (KeyError, TypeError, ValueError):
                raise InputError(f"expected key and copy in every line of {path}, got {row}; {_ELSE}") from None
    return rows


def _write_text(path: Path, text: str) -> None:
    with files.atomic_path(path) as part:
        part.write_text(text, "utf-8")


def _write_lines(path: Path, rows: list[Row]) -> None:
    with files.atomic_path(path) as part:
        part.touch()
        files.append_jsonl(part, rows)
