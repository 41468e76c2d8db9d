"""An export at an address: made on this machine, then sent file by file.

The list of its files goes first, unfinished, and comes last, finished: so nobody takes a part of it for the whole.
What was sent is noted on this machine, with its digest; stopped or killed, the same call makes the export again and
sends what is not noted, or was noted with other bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

import imagemill.data.atomic as files
from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Layout, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import MARKER, files_listed, refuse_mixing
from imagemill.data.remote.bounded_cache import unfinished_place
from imagemill.data.remote.remote_files import put
from imagemill.data.remote.remote_path import RemotePath

__all__ = ["written_elsewhere"]

_AT_ONCE = 8


def written_elsewhere(writer: Layout, source: Source, out: RemotePath, options: WriteTarget) -> Written:
    """Write a dataset to an address.

    Raises
    ------
    SourceError
        As a folder of this machine, when something else is there.
    CodecError
        When the server refuses a file for good.
    """
    work = unfinished_place(f"{out} exported")
    noted, stage = work / "sent.jsonl", work / out.name
    begun = noted.exists()
    sent = {str(row["name"]): str(row["sha256"]) for row in files.read_jsonl(noted).rows} if begun else {}
    if not out.is_file():
        refuse_mixing(out, replace(options, overwrite=options.overwrite or begun), remove=False)
    elif not options.overwrite:
        raise SourceError(f"expected a new place, got the file {out}; use another, or overwrite=True")
    shutil.rmtree(stage, ignore_errors=True)
    try:
        written = writer.write(source, stage, replace(options, overwrite=False))
    except BaseException:
        shutil.rmtree(stage if begun else work, ignore_errors=True)
        raise
    if stage.is_file():
        put(out, stage)
    else:
        _send(stage, out, sent, noted)
    shutil.rmtree(work, ignore_errors=True)
    return replace(written, out=out)


def _send(stage: Path, out: RemotePath, sent: Mapping[str, str], noted: Path) -> None:
    """Send all files that are not there, and take away what an earlier export left."""
    new, old = files_listed(stage / MARKER), files_listed(out / MARKER)
    first = (stage / MARKER).read_text("utf-8", "surrogateescape").partition("\n")[0]
    noted.touch()
    with files.atomic_path(out / MARKER) as part:
        lines = [first, *map(json.dumps, sorted(new | old))]
        part.write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogateescape")
    error: BaseException | None = None
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="imagemill-send") as pool:
        sending = [pool.submit(_sent, stage / name, out / name, name, sent) for name in sorted(new)]
        for done in as_completed(sending):
            if done.cancelled():
                continue
            if done.exception() is not None:
                error = error or done.exception()
                for one in sending:  # by hand: those that a pool cancels for itself are never seen to be done
                    one.cancel()
            elif (row := done.result()) is not None:
                files.append_jsonl(noted, [row])
    if error is not None:
        raise error
    for name in sorted(old - new):
        (out / name).unlink(missing_ok=True)
    put(out / MARKER, stage / MARKER)


def _sent(file: Path, target: RemotePath, name: str, sent: Mapping[str, str]) -> dict[str, str] | None:
    """Send one file, unless those bytes were; the line of it."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if sent.get(name) == digest and target.is_file():
        return None
    put(target, file)
    return {"name": name, "sha256": digest}
