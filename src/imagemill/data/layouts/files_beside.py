"""Files of a layout beside pictures that somebody else wrote: listed, moved into place, and taken away again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.layouts.export_files import FINISHED, MARKER, files_listed, remove_listed
from imagemill.data.remote.remote_files import put
from imagemill.data.remote.remote_path import RemotePath

__all__ = ["begin_beside", "drop_beside", "end_beside", "listed_beside"]


def begin_beside(out: Path, layout: str) -> None:
    """Say of a folder that what belongs beside its pictures is still to come; what is there stays in the list.

    Raises
    ------
    SourceError
        When it cannot be written, or an export filled the folder.
    """
    _list_beside(out, layout, sorted(listed_beside(out)), None)


def end_beside(stage: Path, out: Path, layout: str, count: int) -> tuple[str, ...]:
    """Move what an export wrote into `stage` to `out`, in place of what an earlier one left there.

    Stopped at any point, the same call with the same export brings it to its end.

    Returns
    -------
    tuple of str
        The files, below `out`.

    Raises
    ------
    SourceError
        When it cannot be written.
    """
    new, old = sorted(files_listed(stage / MARKER)), listed_beside(out)
    _list_beside(out, layout, sorted({*new, *old}), None)
    try:
        for name in new:
            if isinstance(out, RemotePath):
                put(out / name, stage / name)
                continue
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / name).replace(out / name)
    except OSError as error:
        raise SourceError(f"expected to write to {out}, got {error}; check space and permissions") from error
    drop_beside(out, keep=new)
    _list_beside(out, layout, new, count)
    return tuple(new)


def drop_beside(out: Path, keep: Iterable[str] = ()) -> None:
    """Remove what `end_beside` wrote into a folder, but some, and the list of it.

    Raises
    ------
    SourceError
        When an export filled the folder: its files are not ours to remove.
    """
    if (out / MARKER).is_file():
        remove_listed(out, out / MARKER, listed_beside(out) - set(keep))


def listed_beside(out: Path) -> set[str]:
    """The files that the list of a folder names, where it is one of `begin_beside`; empty without a list.

    Raises
    ------
    SourceError
        When an export filled the folder.
    """
    try:
        first = json.loads((out / MARKER).read_text("utf-8", "surrogateescape").partition("\n")[0])
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except (OSError, ValueError):
        first = None
    if not isinstance(first, dict) or not first.get("beside"):
        raise SourceError(f"expected a folder of its own for the outputs, got the export in {out}; choose another")
    return files_listed(out / MARKER)


def _list_beside(out: Path, layout: str, names: Iterable[str], count: int | None) -> None:
    lines = [json.dumps({"layout": layout, "beside": True}), *map(json.dumps, names)]
    lines += [] if count is None else [f"{FINISHED}{count}}}"]
    try:
        with atomic_path(out / MARKER) as part:
            part.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    except OSError as error:
        raise SourceError(f"expected to write to {out}, got {error}; check space and permissions") from error
