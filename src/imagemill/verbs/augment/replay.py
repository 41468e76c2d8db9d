"""Making an output again from its recipe, and checking that outputs are what was written."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from imagemill.core.errors import InputError
from imagemill.core.near_paths import near_path
from imagemill.core.sample import Recipe
from imagemill.core.short_repr import ShortRepr
from imagemill.data.atomic import atomic_path
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.opening import open_source
from imagemill.data.records.loading import pixels_digest
from imagemill.data.records.record import Record, split_suffix
from imagemill.data.remote.remote_path import as_path
from imagemill.pipeline.pipeline import Pipeline
from imagemill.verbs.augment import one_copy
from imagemill.verbs.augment.ledger import Row, files_of, notes_of, pipeline_of, read_parameters, recorded

__all__ = ["Verification", "replay", "replay_all", "verify"]


@dataclass(frozen=True, slots=True, repr=False)
class Verification(ShortRepr):
    """What `verify` found.

    Parameters
    ----------
    checked : int
        Outputs looked at.
    changed : tuple of str
        Outputs whose bytes are not the recorded ones.
    missing : tuple of str
        Outputs that are not there.
    """

    checked: int
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every output is there and as it was written."""
        return not self.changed and not self.missing


@overload
def replay(
    recipes: Path | str,
    output: str | int,
    source: Path | str | Source,
    *,
    masks: Path | str | None = None,
    out: None = None,
    pipeline: Pipeline | None = None,
) -> bytes: ...
@overload
def replay(
    recipes: Path | str,
    output: str | int,
    source: Path | str | Source,
    *,
    masks: Path | str | None = None,
    out: Path | str,
    pipeline: Pipeline | None = None,
) -> Path: ...
def replay(
    recipes: Path | str,
    output: str | int,
    source: Path | str | Source,
    *,
    masks: Path | str | None = None,
    out: Path | str | None = None,
    pipeline: Pipeline | None = None,
) -> bytes | Path:
    """Make one output of `augment` again, bit for bit.

    Parameters
    ----------
    recipes : Path or str
        The ``recipes.jsonl`` of the folder it was written to (or the folder), with its ``job.json`` and
        ``pipeline.yaml`` beside it.
    output : str or int
        Its name as in the recipes (the last part is enough where it is the only one), or its line, from 0.
        The name of a mask makes the mask.
    source, masks : Path or str
        Where the images and masks are now: the same file, list or folder; or a source that is open.
    out : Path or str, optional
        The file to write; the bytes are returned when left out.
    pipeline : Pipeline, optional
        For pipelines that no file can hold.

    Returns
    -------
    bytes or Path

    Raises
    ------
    InputError
        When there is no such output, its source is not there or has changed, or other bytes came out.
    """
    folder, rows = _read(recipes)
    row = _find(rows, output)
    remade = _Remaker(folder, source, masks, pipeline)
    what = next((what for what, name, _ in files_of(row)[1:] if _is_name(name, output)), "output")
    data = remade(row, what)
    if out is None:
        return data
    wanted = split_suffix(row["output"])[1]
    if what == "output" and split_suffix(out)[1].lower() != wanted.lower():
        raise InputError(f"expected a file name that ends in {wanted}, as the output did, got {out}; rename it")
    with atomic_path(out) as part:
        part.write_bytes(data)
    return Path(out)


def replay_all(
    recipes: Path | str,
    source: Path | str | Source,
    out: Path | str,
    *,
    masks: Path | str | None = None,
    pipeline: Pipeline | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Make every output of `augment` again in another folder, bit for bit and under the same names.

    Parameters
    ----------
    recipes, source, masks, pipeline
        As for `replay`.
    out : Path or str
        The folder to fill.
    progress : callable, optional
        Called with the number of files made and of all.

    Returns
    -------
    int
        How many files were made, masks included.

    Raises
    ------
    InputError
        As `replay`; also when `out` is the folder of the recipes.
    """
    folder, rows = _read(recipes)
    if Path(out).resolve() == folder.resolve():
        raise InputError(f"expected another folder than the one with the outputs, got {out}; choose a new one")
    remade = _Remaker(folder, source, masks, pipeline)
    wanted = [(row, what, name) for row in rows for what, name, _ in files_of(row)]
    for number, (row, what, name) in enumerate(wanted, 1):
        with atomic_path(Path(out) / name) as part:
            part.write_bytes(remade(row, what))
        if progress is not None:
            progress(number, len(wanted))
    return len(wanted)


def verify(
    recipes: Path | str,
    *,
    source: Path | str | Source | None = None,
    masks: Path | str | None = None,
    pipeline: Pipeline | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Check every output's bytes against its recorded sha256; with a source, also make each one again.

    Parameters
    ----------
    recipes : Path or str
        As for `replay`.
    source, masks : Path or str, optional
        Where the images and masks are now.
    pipeline : Pipeline, optional
        For pipelines that no file can hold.
    progress : callable, optional
        Called with the number of outputs checked and of all.

    Returns
    -------
    Verification
    """
    folder, rows = _read(recipes)
    remade = None if source is None else _Remaker(folder, source, masks, pipeline)
    changed, missing = [], []
    for number, row in enumerate(rows, 1):
        for what, name, digest in files_of(row):
            path = folder / name
            if not path.is_file():
                missing.append(name)
            elif pixels_digest(path) != digest:
                changed.append(name)
            elif remade is not None:
                remade(row, what)
        if progress is not None:
            progress(number, len(rows))
    return Verification(len(rows), tuple(changed), tuple(missing))


def _read(recipes: Path | str) -> tuple[Path, list[Row]]:
    path = as_path(recipes)
    folder = path if path.is_dir() else path.parent
    if not path.exists() and not notes_of(folder).exists():
        raise InputError(
            f"expected a recipes.jsonl or the folder it is in, got {path}, where there is nothing; {near_path(path)}"
        )
    rows = recorded(folder)
    if not rows:
        raise InputError(f"expected recipes in {folder}, got none; give the recipes.jsonl that augment wrote")
    return folder, [rows[place] for place in sorted(rows)]


def _is_name(recorded_name: str, asked: str | int) -> bool:
    asked = Path(asked).as_posix() if isinstance(asked, str) else ""
    return bool(asked) and (recorded_name == asked or recorded_name.rpartition("/")[2] == asked)


def _find(rows: list[Row], output: str | int) -> Row:
    if isinstance(output, int):
        if not -len(rows) <= output < len(rows):
            raise InputError(f"expected a line from 0 to {len(rows) - 1}, got {output}; count from 0")
        return rows[output]
    exact = [row for row in rows if any(output == name for _, name, _ in files_of(row))]
    found = exact or [row for row in rows if any(_is_name(name, output) for _, name, _ in files_of(row))]
    if len(found) != 1:
        got = "none" if not found else f"{len(found)} in different folders"
        example = rows[0]["output"]
        raise InputError(f"expected one output named {output!r}, got {got}; write its path, such as {example!r}")
    return found[0]


class _Remaker:
    """Makes outputs again; keeps the last record in memory, since its copies follow each other."""

    def __init__(
        self, folder: Path, source: Path | str | Source, masks: Path | str | None, pipeline: Pipeline | None
    ) -> None:
        parameters = read_parameters(folder) or {}
        self.pipeline = pipeline or pipeline_of(folder)
        self.channels, self.axes = parameters.get("channels", "keep"), parameters.get("axes")
        opened = source if isinstance(source, Source) else open_source(source, masks, allow_missing_masks=True)
        if parameters.get("masks") and not any(record.mask is not None for record in opened):
            raise InputError(f"expected masks, since {folder} was made with masks; say where they are (masks=...)")
        self.root, self.records = opened.root, {record.key: record for record in opened}
        self.loaded: tuple[str, one_copy.Loaded] | None = None

    def __call__(self, row: Row, what: str) -> bytes:
        """The bytes of a row's ``output``, ``mask``, or of a further image or map by its name.

        Raises
        ------
        InputError
        """
        loaded = self._load(row)
        made = one_copy.make(self.pipeline, loaded, Recipe.from_dict(row["recipe"]))
        name, digest = next((name, digest) for each, name, digest in files_of(row) if each == what)
        picture = made.picture if what == "output" else made.mask if what == "mask" else made.further.get(what)
        if picture is None:
            do = "give the masks' folder" if what == "mask" else f"open_source(..., maps={{{what!r}: ...}}) or views="
            raise InputError(f"expected a {what} for {row['key']}, got none at this place; {do}")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ("made" + split_suffix(name)[1])
            if one_copy.write(path, picture) != digest:
                raise InputError(
                    f"expected the recorded bytes of {name}, got others from the same source; a library, a mask or "
                    "another file of this image has changed since"
                )
            return path.read_bytes()

    def _load(self, row: Row) -> one_copy.Loaded:
        key = row["key"]
        if self.loaded is None or self.loaded[0] != key:
            record = self.records.get(key) or self._elsewhere(key)
            self.loaded = key, one_copy.load(record, self.channels, self.axes)
        loaded = self.loaded[1]
        if loaded.sha256 != row["source_sha256"]:
            raise InputError(f"expected {key} as it was when augmented, got a changed file; restore it first")
        return loaded

    def _elsewhere(self, key: str) -> Record:
        """A record a list named twice, or outside its folder."""
        for name in (key, re.sub(r"#\d+$", "", key)):
            if name in self.records:
                return self.records[name]
            if (self.root / name).is_file():
                return Record(key, self.root / name)
        raise InputError(f"expected {key} below {self.root}, got nothing there; give the source it was made from")
