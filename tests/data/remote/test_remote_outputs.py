"""What `augment` and `export` write at an address: the bytes of a folder of this machine, whole, and continued."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import CodecError, InputError, SourceError
from imagemill.data import Instance, Picture, Record, Source, write_picture
from imagemill.data.remote import remote_files
from imagemill.data.remote.bounded_cache import unfinished_place
from imagemill.verbs.augment.replay import verify
from tests.data.pictures import PIPELINE, digests

OUT = "memory://sets/out"


def source(folder: Path, count: int = 6) -> Source:
    """Pictures with a box each."""
    records = []
    for n in range(count):
        values = np.random.default_rng(n).integers(0, 256, (20, 16, 3), np.uint8)
        write_picture(folder / f"{n}.png", Picture(values, "yxc"))
        box = Instance("cell", (2.0, 3.0, 5.0 + n % 3, 6.0))
        records.append(Record(f"{n}.png", folder / f"{n}.png", objects=(box,)))
    return Source(folder, "made up", tuple(records), categories=("cell",))


def fetched(fs: Any, folder: Path) -> Path:
    """What is at the address, as a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, file in fs.store.items():
        assert name.startswith("/sets/out/")
        place = folder / name.removeprefix("/sets/out/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.getvalue())
    return folder


def failing(monkeypatch: pytest.MonkeyPatch, after: int, error: BaseException) -> Callable[[], None]:
    """Let so many files be sent, and then none."""
    plain, sent, lock = remote_files._put, [0], threading.Lock()

    def put(url: str, file: Path) -> None:
        with lock:
            sent[0] += 1
            if sent[0] > after:
                raise error
        plain(url, file)

    monkeypatch.setattr(remote_files, "_put", put)
    return lambda: monkeypatch.setattr(remote_files, "_put", plain)


@pytest.mark.parametrize("to", [None, "coco", "tfrecord"])
def test_augmented_files_are_those_of_a_folder(tmp_path: Path, memory: Any, to: str | None) -> None:
    given = source(tmp_path / "in")
    report = im.augment(given, OUT, PIPELINE, copies=2, to=to)
    im.augment(given, tmp_path / "here", PIPELINE, copies=2, to=to)
    assert (report.made, str(report.out)) == (12, OUT)
    assert digests(fetched(memory, tmp_path / "there")) == digests(tmp_path / "here")
    again = im.augment(given, OUT, PIPELINE, copies=3, to=to)
    assert (again.made, again.present) == (6, 12)
    im.augment(given, tmp_path / "here", PIPELINE, copies=3, to=to)
    assert digests(fetched(memory, tmp_path / "there")) == digests(tmp_path / "here")
    found = verify(OUT)
    assert (found.changed, found.missing) == ((), ())
    del memory.store[next(name for name in sorted(memory.store) if name.endswith((".png", ".tif")))]  # by somebody else
    assert im.augment(given, OUT, PIPELINE, copies=3, to=to).made == 1
    assert not list((tmp_path / "cache").rglob("recipes.partial.jsonl"))


def test_augmenting_goes_on_where_it_was_stopped(tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given = source(tmp_path / "in")
    mend = failing(monkeypatch, 5, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        im.augment(given, OUT, PIPELINE, copies=2)
    mend()
    before = set(memory.store)
    assert "/sets/out/recipes.jsonl" not in before
    report = im.augment(given, OUT, PIPELINE, copies=2)
    assert report.present >= 1
    assert report.made + report.present == 12
    im.augment(given, tmp_path / "here", PIPELINE, copies=2)
    assert digests(fetched(memory, tmp_path / "there")) == digests(tmp_path / "here")


def test_a_bucket_that_refuses_ends_the_run_and_leaves_no_marks(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, 2, PermissionError("Forbidden"))
    with pytest.raises(CodecError, match="credentials"):
        im.augment(source(tmp_path / "in"), OUT, PIPELINE, copies=2)
    assert list(memory.store) == []


@pytest.mark.parametrize("to", ["coco", "yolo", "csv", "parquet", "webdataset", "split-folders"])
def test_an_export_is_that_of_a_folder(tmp_path: Path, memory: Any, to: str) -> None:
    given = source(tmp_path / "in")
    if to == "split-folders":
        records = tuple(
            Record(r.key, r.image, label="ab"[n % 2], split=("train", "test")[n % 2]) for n, r in enumerate(given)
        )
        given = Source(given.root, "made up", records)
    there, here = im.export(given, OUT, to), im.export(given, tmp_path / "here", to)
    assert (str(there.out), there.count, there.lost) == (OUT, here.count, here.lost)
    assert digests(fetched(memory, tmp_path / "there")) == digests(tmp_path / "here")
    assert len(im.open_source(OUT)) == len(im.open_source(tmp_path / "here"))
    assert not unfinished_place(f"{OUT} exported").exists()


def test_an_export_to_one_file_and_over_another(tmp_path: Path, memory: Any) -> None:
    given = source(tmp_path / "in")
    im.export(given, f"{OUT}.npz", "npz")
    im.export(given, tmp_path / "here.npz", "npz")
    assert memory.store["/sets/out.npz"].getvalue() == (tmp_path / "here.npz").read_bytes()
    with pytest.raises(SourceError, match="overwrite"):
        im.export(given, f"{OUT}.npz", "npz")
    del memory.store["/sets/out.npz"]
    im.export(given, OUT, "coco")
    with pytest.raises(SourceError, match="earlier export"):
        im.export(given, OUT, "csv")
    im.export(given, OUT, "csv", overwrite=True)
    im.export(given, tmp_path / "here", "csv")
    assert digests(fetched(memory, tmp_path / "there")) == digests(tmp_path / "here")
    memory.pipe_file("/sets/out/thesis.txt", b"mine")
    with pytest.raises(SourceError, match=r"thesis\.txt"):
        im.export(given, OUT, "csv", overwrite=True)


@pytest.mark.parametrize("after", [1, 4])
def test_an_export_that_was_stopped_is_known_as_one_and_sends_what_is_missing(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    given = source(tmp_path / "in")
    mend = failing(monkeypatch, after, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        im.export(given, OUT, "coco")
    mend()
    with contextlib.suppress(SourceError):  # there is no picture yet
        assert ".imagemill-export.jsonl" in {problem.name for problem in im.open_source(OUT).problems}
    sent: list[str] = []
    plain = remote_files._put
    monkeypatch.setattr(remote_files, "_put", lambda url, file: (sent.append(url), plain(url, file)))
    im.export(given, OUT, "coco")
    im.export(given, tmp_path / "here", "coco")
    assert digests(fetched(memory, tmp_path / "there")) == digests(tmp_path / "here")
    files = len([path for path in (tmp_path / "here").rglob("*") if path.is_file()])
    assert len(sent) == files + 2 - after  # the list goes at both ends, what was there not at all


def test_a_source_that_holds_the_place_is_refused(tmp_path: Path, memory: Any) -> None:
    for path in source(tmp_path / "in"):
        memory.pipe_file(f"/sets/in/{path.key}", Path(str(path.image)).read_bytes())
    with pytest.raises(InputError, match="outside the source"):
        im.augment("memory://sets/in", "memory://sets/in/out", PIPELINE)
    with pytest.raises(SourceError, match="outside the source"):
        im.export("memory://sets/in", "memory://sets/in/out", "csv")
