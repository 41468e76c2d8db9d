"""Getting the files of a dataset to a folder of the cache: once, checked, and never half."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.layouts.base import ReadSource
from imagemill.data.layouts.shards.tar_index import TarIndex, index_tar
from imagemill.data.web.fetch import default_cache, fetch
from imagemill.datasets.catalogue import Download, Loan

__all__ = ["RECORD", "Progress", "files_of"]

RECORD = ".imagemill-dataset.json"
"""The hidden file that lists what was unpacked where, once all of it is there."""

Progress = Callable[[int, int], None]
"""Called with the bytes that are here and the bytes there will be."""

_ARCHIVES = (".tar.gz", ".tgz")
_SLOWEST = 50_000  # bytes a second: less is taken for a server that hangs
_LEAST = 120.0


def files_of(loan: Loan, cache: Path | None = None, progress: Progress | None = None, *, private: bool = False) -> Path:
    """Give the folder with the files of a set, downloading what is not there.

    Each file is fetched, compared with its digests and then put in place as a whole; a run that was interrupted
    goes on with the next file. Archives are unpacked member by member, without their outermost folder, and are
    not kept.

    Parameters
    ----------
    loan : Loan
        The set.
    cache : Path or None
        Where fetched files are kept; None takes the user's cache folder.
    progress : callable or None
        Called with bytes done and bytes in all.
    private : bool
        Whether addresses of this machine and the local network may be asked.

    Returns
    -------
    Path
        ``<cache>/datasets/<name>``.

    Raises
    ------
    CodecError
        When a file cannot be had or is not what was published.
    SourceError
        When an archive holds what it must not.
    """
    folder = (default_cache() if cache is None else cache) / "datasets" / loan.name
    known = _recorded(folder)
    waiting = folder / ".download"
    done = 0
    for one in loan.downloads:
        if not _is_there(folder, known.get(one.name), one):
            at = done
            data = _fetched(one, waiting, lambda here, at=at: _tell(progress, at + here, loan.size), private=private)  # type: ignore[misc]
            known[one.name] = _entry(one, data, _placed(one, data, folder, waiting))
            del data
            _record(folder, loan, known)
        done += one.size
        _tell(progress, done, loan.size)
    if waiting.is_dir():  # what is unpacked need not be kept twice
        shutil.rmtree(waiting, ignore_errors=True)
    return folder


def is_downloaded(loan: Loan, cache: Path | None = None) -> bool:
    """Whether all files of a set are in the cache already, so that `files_of` would download nothing."""
    folder = (default_cache() if cache is None else cache) / "datasets" / loan.name
    known = _recorded(folder)
    return all(_is_there(folder, known.get(one.name), one) for one in loan.downloads)


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(min(done, total), total)


def _fetched(one: Download, waiting: Path, progress: Callable[[int], None], *, private: bool) -> bytes:
    """The bytes of a file, from the first address that has them."""
    failed: CodecError | None = None
    for url in one.urls:
        try:
            data = fetch(
                url,
                cache=waiting,
                private=private,
                limit=one.size if one.sha256 or one.md5 else 2 * one.size,
                timeout=max(_LEAST, one.size / _SLOWEST),
                sha256=one.sha256,
                progress=progress,
            )
        except CodecError as error:
            failed = failed or error
            continue
        if one.md5 is not None and (found := hashlib.md5(data, usedforsecurity=False).hexdigest()) != one.md5:
            shutil.rmtree(waiting, ignore_errors=True)  # the cache must not offer it again
            msg = f"{url}: expected content with md5 {one.md5}, got {found}; try again later"
            failed = failed or CodecError(msg)
            continue
        return data
    raise CodecError(f"{failed}; or get {one.name} by hand and name its folder (root)") from failed


def _placed(one: Download, data: bytes, folder: Path, waiting: Path) -> dict[str, int]:
    """As `_put`; what cannot be unpacked is not kept, or the next run would stumble over it again."""
    try:
        return _put(one, data, folder, waiting)
    except (CodecError, SourceError):
        shutil.rmtree(waiting, ignore_errors=True)
        raise
    except OSError as error:
        msg = f"expected a cache folder with room for {one.name}, got {error}"
        raise CodecError(f"{folder}: {msg}; make room, or choose another with cache=...") from error


def _put(one: Download, data: bytes, folder: Path, waiting: Path) -> dict[str, int]:
    """Write a file, or the members of an archive, and give their names and sizes."""
    if not one.name.lower().endswith(_ARCHIVES):
        with atomic_path(folder / one.name) as part:
            part.write_bytes(data)
        return {one.name: len(data)}
    archive = waiting / one.name
    with atomic_path(archive) as part:
        part.write_bytes(data)
    # An index reads the archive once and refuses links, devices and names that lead outside.
    index = index_tar(archive, ReadSource(extra={"max_bytes": one.unpacked}))
    inside = _names(one, index)
    files: dict[str, int] = {}
    for name, member in zip(inside, index.members, strict=True):
        with atomic_path(folder / name) as part:
            part.write_bytes(member.fetch())
        files[name] = member.size
    return files


def _names(one: Download, index: TarIndex) -> list[str]:
    """The names of an archive's members below its outermost folder."""
    if index.problems:
        raise SourceError(f"expected an archive of plain files in {one.name}, got: {index.problems[0]}")
    tops = {member.name.partition("/")[0] for member in index.members}
    names = [member.name.partition("/")[2] for member in index.members]
    once = len({name.casefold() for name in names}) == len(names)
    # A colon names a drive, or a stream within a file, on Windows.
    if len(tops) != 1 or not all(names) or not once or any(":" in name for name in names):
        msg = f"expected the files of {one.name} once each below one folder, got {len(names)} in {len(tops)}"
        raise SourceError(f"{msg}; get the file again, or by hand and pass root=...")
    return names


def _entry(one: Download, data: bytes, files: Mapping[str, int]) -> dict[str, Any]:
    known = [name for name in ("sha256", "md5") if getattr(one, name) is not None]
    said = f"compared with the published {' and '.join(known)}" if known else "none was published; this is the first"
    return {
        "urls": list(one.urls),
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "checksum": said,
        "files": dict(files),
    }


def _is_there(folder: Path, entry: Any, one: Download) -> bool:
    """Whether what was recorded of a file is of the same content and still in place."""
    if not isinstance(entry, dict) or not isinstance(entry.get("files"), dict) or not entry["files"]:
        return False
    if one.sha256 is not None and entry.get("sha256") != one.sha256:
        return False
    return all(_size(folder / name) == size for name, size in entry["files"].items())


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def _recorded(folder: Path) -> dict[str, Any]:
    """What the folder's record says; nothing where there is none or it cannot be read."""
    try:
        said = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    downloads = said.get("downloads") if isinstance(said, dict) else None
    return dict(downloads) if isinstance(downloads, dict) else {}


def _record(folder: Path, loan: Loan, known: Mapping[str, Any]) -> None:
    said = {
        "dataset": loan.name,
        "licence": loan.licence,
        "citation": loan.citation,
        "home": loan.home,
        "downloads": dict(known),
    }
    with atomic_path(folder / RECORD, durable=True) as part:
        part.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
