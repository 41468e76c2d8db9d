"""What `prepare` refuses before it makes anything: sources it cannot take, and folders that hold something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.data import store
from imagemill.data.layouts.augment_files import QUARANTINE
from imagemill.data.layouts.base import Problem, Source
from imagemill.data.layouts.opening import open_source
from imagemill.data.records.record import untellable
from imagemill.data.remote.remote_path import as_path
from imagemill.verbs.prepare.parameters import Parameters
from imagemill.verbs.prepare.work_folder import WORK, begun_with, work_place

__all__ = ["check_out", "opened", "refuse_inside", "tellable"]

_ELSE = "use another folder, or overwrite=True"
_OURS = frozenset((store.DESCRIPTION, store.MANIFEST, store.STATISTICS, WORK, QUARANTINE))


def tellable(source: Source) -> Source:
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


def opened(source: Any, masks: Any, *, allow_missing: bool, axes: str | None, options: Mapping[str, Any]) -> Source:
    """The source that was given, or the one at a path, or of whatever a dataset can be opened of."""
    if isinstance(source, Source):
        if masks is not None or options:
            raise InputError("expected masks and options together with a path, got a source that is open")
        return source
    given = {name: value for name, value in options.items() if value is not None}
    if hasattr(source, "to_source"):  # a dataset, with the values of its table
        return opened(source.to_source(), masks, allow_missing=allow_missing, axes=axes, options=given)
    if not isinstance(source, str | Path):
        from imagemill.data.as_source import source_of  # the command gives paths, and starts without its libraries

        if masks is not None:
            given |= {"masks": masks, "allow_missing_masks": allow_missing}
        return source_of(source, **given, **({} if axes is None else {"axes": axes}))
    return open_source(source, masks, allow_missing_masks=allow_missing, axes=axes, **given)


def refuse_inside(source: Any, found: Source, out: Path) -> None:
    """A store inside a searched folder would become part of its own source in the next run."""
    searched = as_path(source) if isinstance(source, str | Path) else found.root
    given = not isinstance(source, str | Path)
    if found.is_in_memory or (given and found.layout in ("file", "list")):
        return
    root, place = searched.resolve(), out.resolve()
    if searched.is_dir() and (place == root or root in place.parents):
        raise InputError(f"expected an output folder outside the source {searched}, got {out}; choose another")


def check_out(out: Path, asked: Parameters, *, overwrite: bool) -> None:
    """Refuse a folder that is no store, or one that was filled with other parameters."""
    if out.exists() and not out.is_dir():
        raise InputError(f"expected a folder to write to, got the file {out}; give another name")
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    before = begun_with(work_place(out))
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
    differs = [name for name in {**before, **wanted} if before.get(name) != wanted.get(name)]
    if differs:
        shown = ", ".join(f"{name} ({before.get(name)!r} before, {wanted.get(name)!r} now)" for name in differs)
        raise InputError(f"expected the parameters that {out} was made with, got other {shown}; {_ELSE}")
