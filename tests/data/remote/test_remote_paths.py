"""Addresses as paths: opened, scanned, listed and read as folders of this machine are, with the same records."""

from __future__ import annotations

import os
import pickle
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import imagemill as im
from imagemill.core.errors import CodecError, InputError, MissingExtra, SourceError
from imagemill.data import Picture, as_path, load_picture, write_picture
from imagemill.data.layouts.walk import walk
from imagemill.data.remote import bounded_cache, file_system, remote_arrow, remote_files
from imagemill.data.remote.remote_path import RemotePath, relative
from imagemill.data.store import Raster, open_part, write_part

COUNT = 12


def photos(folder: Path, count: int = COUNT, size: tuple[int, int] = (8, 6)) -> Path:
    """Class folders of small noise, each picture another."""
    for n in range(count):
        values = np.random.default_rng(n).integers(0, 256, (*size, 3), np.uint8)
        write_picture(folder / ("cat" if n % 2 else "dog") / f"{n:02d}.png", Picture(values, "yxc"))
    return folder


def sent(fs: Any, folder: Path, place: str) -> str:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            fs.pipe_file(f"/{place}/{path.relative_to(folder).as_posix()}", path.read_bytes())
    return f"memory://{place}"


def as_read(source: Any) -> list[Any]:
    return [(r.key, r.label, r.split, r.objects, load_picture(r.image).array.tolist()) for r in source]


# ------------------------------------------------------------------------------------------------------- addresses


def test_an_address_is_told_from_a_path_and_keeps_its_slashes_through_a_path() -> None:
    assert isinstance(as_path("s3://bucket/a"), RemotePath)
    assert str(as_path(Path("s3://bucket/a b/c.png"))) == "s3://bucket/a b/c.png"
    assert type(as_path("photos/a.png")) is type(Path()) is type(as_path("unknown://a/b"))
    assert as_path("file:///data/a%20b.png") == Path("/data/a b.png")


def test_names_of_an_address_are_those_of_a_path() -> None:
    path = as_path("s3://bucket/sets") / "cat" / "1.nii.gz"
    assert (path.name, path.suffix, str(path.parent), str(path.with_name("2.png"))) == (
        "1.nii.gz",
        ".gz",
        "s3://bucket/sets/cat",
        "s3://bucket/sets/cat/2.png",
    )
    assert path.relative_to(as_path("s3://bucket/sets")).as_posix() == "cat/1.nii.gz"
    assert path.resolve() is path
    assert path.is_absolute()
    assert relative(path, as_path("s3://bucket/lists")) == "../sets/cat/1.nii.gz"
    assert path == as_path(str(path))
    assert hash(path) == hash(as_path(str(path)))


@pytest.mark.parametrize("address", ["s3://key:secret@bucket/a", "abfs://c/a?sig=abc", "s3://b/a?X-Amz-Signature=1"])
def test_an_address_with_a_key_in_it_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(InputError, match="without a") as refused:
        as_path(address)
    assert not any(word in str(refused.value) for word in ("secret", "abc", "=1"))


# -------------------------------------------------------------------------------------------------- reading folders


def make_table(folder: Path) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    pl.DataFrame({"file": names, "label": [name.split("/")[0] for name in names]}).write_csv(folder / "table.csv")


def make_list(folder: Path) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    (folder / "list.txt").write_text("\n".join(names))


def export_as(layout: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        moved = folder.with_name("plain")
        folder.rename(moved)
        im.export(moved, folder, layout)

    return make


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda folder: None, ""),
        (make_table, "table.csv"),
        (make_list, "list.txt"),
        (export_as("webdataset"), ""),
        (export_as("parquet"), ""),
        (export_as("csv"), ""),
    ],
    ids=["folders", "table", "list", "webdataset", "parquet", "csv"],
)
def test_a_layout_elsewhere_is_read_as_the_same_records(tmp_path: Path, memory: Any, make: Any, what: str) -> None:
    folder = photos(tmp_path / "in", 6)
    make(folder)
    place = sent(memory, folder, "sets/in")
    here, there = im.open_source(folder / what), im.open_source(f"{place}/{what}".rstrip("/"))
    assert there.layout == here.layout
    assert as_read(there) == as_read(here)
    assert there.problems == here.problems
    assert "memory://" not in str([record.key for record in there])


def test_patterns_scan_and_duplicates_work_there(tmp_path: Path, memory: Any) -> None:
    place = sent(memory, photos(tmp_path / "in"), "sets/in")
    assert len(im.open(f"{place}/cat/*.png")) == COUNT // 2
    assert len(im.open(f"{place}/**/*1.png")) == 2
    found, here = im.scan(place), im.scan(tmp_path / "in")
    assert (found.images, found.classes, found.pixels) == (here.images, here.classes, here.pixels)


def test_what_systems_leave_behind_is_passed_over_as_in_folders_here(tmp_path: Path, memory: Any) -> None:
    for name in ("a.png", ".hidden.png", "__MACOSX/a.png", "Thumbs.db", "b/.x/c.png", "b/d.png.part", "b/e.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    here, there = walk(tmp_path / "in"), walk(as_path(sent(memory, tmp_path / "in", "sets/in")))
    assert [key for key, _ in there.files] == [key for key, _ in here.files]
    assert there.skipped == here.skipped


def test_a_dataset_is_listed_once_and_each_picture_fetched_once(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = sent(memory, photos(tmp_path / "in"), "sets/in")
    asked: list[str] = []
    plain = file_system.called

    def counted(url: str, name: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(name)
        return plain(url, name, *args, **kwargs)

    monkeypatch.setattr(remote_files, "called", counted)
    dataset = im.open(place)
    for _ in range(2):
        assert [sample.image.shape for sample in dataset] == [(8, 6, 3)] * COUNT
    assert (asked.count("find"), asked.count("cat_file")) == (1, COUNT)


def test_a_path_that_was_sent_to_another_process_needs_no_look(tmp_path: Path, memory: Any) -> None:
    place = sent(memory, photos(tmp_path / "in", 2), "sets/in")
    record = im.open_source(place).records[0]
    data = pickle.dumps(record)
    remote_files.fresh(as_path("memory://sets"))
    again = pickle.loads(data)
    assert str(again.image) == str(record.image)
    assert remote_files.known(str(again.image)) is not None


# ---------------------------------------------------------------------------------------------------------- stores


def same_files(memory: Any, here: Path, there: str) -> bool:
    names = sorted(path.name for path in here.iterdir())
    listed = sorted(Path(name).name for name in memory.find(f"/{there}"))
    return names == listed and all((here / n).read_bytes() == memory.cat_file(f"/{there}/{n}") for n in names)


def test_a_store_elsewhere_has_the_same_bytes_and_gives_the_same_batches(tmp_path: Path, memory: Any) -> None:
    place = sent(memory, photos(tmp_path / "in"), "sets/in")
    im.prepare(tmp_path / "in", tmp_path / "store", size=(8, 6), seed=3)
    report = im.prepare(place, "memory://sets/store", size=(8, 6), seed=3)
    assert report.made == COUNT
    assert same_files(memory, tmp_path / "store", "sets/store")
    here, there = im.open(tmp_path / "store"), im.open("memory://sets/store")
    assert there.table.equals(here.table)
    assert np.array_equal(there.images, here.images)
    for one, other in zip(batches(here), batches(there), strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.label, other.label)


def batches(dataset: Any) -> Any:
    return im.Loader(dataset, im.Pipeline([im.Flip("x", p=0.5)], seed=1), split="all", batch_size=5, workers=1)


def test_a_store_elsewhere_is_continued_and_left_alone_where_nothing_is_new(tmp_path: Path, memory: Any) -> None:
    folder = photos(tmp_path / "in")
    place, out = sent(memory, folder, "sets/in"), "memory://sets/store"
    im.prepare(place, out, size=(8, 6))
    assert im.prepare(place, out, size=(8, 6)).unchanged
    write_picture(folder / "cat/new.png", Picture(np.full((8, 6, 3), 9, np.uint8), "yxc"))
    sent(memory, folder, "sets/in")
    again = im.prepare(place, out, size=(8, 6))
    assert (again.made, again.reused) == (1, COUNT)
    im.prepare(folder, tmp_path / "store", size=(8, 6))
    assert same_files(memory, tmp_path / "store", "sets/store")
    with pytest.raises(InputError, match="other size"):
        im.prepare(place, out, size=(4, 4))


def test_rows_of_a_store_are_fetched_by_blocks_and_no_more(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagemill.data.remote.remote_arrow._BLOCK", 4 * 192 * 192 * 3)
    im.prepare(photos(tmp_path / "in", 16, (192, 192)), tmp_path / "store", size=(192, 192), split=(1.0, 0.0, 0.0))
    dataset = im.open(sent(memory, tmp_path / "store", "sets/store"))
    fetched: list[int] = []
    plain = remote_files.called

    def counted(url: str, name: str, *args: Any, **kwargs: Any) -> Any:
        found = plain(url, name, *args, **kwargs)
        if name == "cat_file":
            fetched.append(len(found))
        return found

    monkeypatch.setattr(remote_files, "called", counted)
    assert np.array_equal(dataset[5].image, im.open(tmp_path / "store")[5].image)
    assert fetched == [4 * 192 * 192 * 3]
    _ = dataset[7].image, dataset[4].image  # of the same block
    assert len(fetched) == 1
    loader = im.Loader(dataset, split="all", batch_size=8, shuffle=False, workers=0, rank=1, world_size=2)
    assert next(iter(loader)).image.shape == (8, 192, 192, 3)
    assert len(fetched) == 3  # rank 1 has rows 8 to 15, two blocks, and none of the others


def test_what_is_no_pixel_is_fetched_in_as_few_requests_as_lie_apart(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(count: int) -> np.ndarray:
        return np.zeros((count, 64, 64), np.uint8)

    some = np.arange(40) % 2 == 0  # so that a bitmap lies between the pixels of images and those of masks
    rasters = [
        Raster("image", (64, 64), np.dtype(np.uint8), lambda: iter([rows(40)])),
        Raster("mask", (64, 64), np.dtype(np.uint8), lambda: iter([rows(40)]), some),
    ]
    columns = {name: pa.array(range(40)) for name in ("label", "height", "width")}
    write_part(tmp_path / "in" / "train.arrow", rasters, columns, 40, {"rasters": ["image", "mask"]})
    place = sent(memory, tmp_path / "in", "sets/in")
    asked: list[tuple[int, int]] = []
    plain = remote_arrow.read_ranges
    monkeypatch.setattr(remote_arrow, "read_ranges", lambda url, ranges: (asked.extend(ranges), plain(url, ranges))[1])
    found = open_part(as_path(place) / "train.arrow")
    assert found.table["width"].to_pylist() == list(range(40))
    assert found.table["mask"].null_count == 20
    assert len(asked) == 2  # the bitmap, and all columns together
    assert sum(last - first for first, last in asked) < 40 * 64 * 64


def test_files_are_copied_aside_on_this_machine_alone(tmp_path: Path, memory: Any) -> None:
    folder = photos(tmp_path / "in", 2)
    with pytest.raises(InputError, match="skip"):
        im.prepare(folder, "memory://sets/store", size=4, on_error="quarantine")
    with pytest.raises(InputError, match="skip"):
        im.augment(folder, "memory://sets/out", im.Pipeline([im.Flip("x")]), on_error="quarantine")


# ----------------------------------------------------------------------------------------------- what goes wrong


class Unsteady:
    """Stands in for a file system: fails so often before it answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.asked = list(failures), 0

    def __call__(self) -> str:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return "well"


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(file_system.time, "sleep", waited.append)
    return waited


def test_what_may_pass_is_asked_again_with_longer_pauses(no_pause: list[float]) -> None:
    unsteady = Unsteady(OSError("busy"), ConnectionError("lost"), RuntimeError("odd"))
    assert file_system.asked("s3://b/a", unsteady) == "well"
    assert no_pause == [0.25, 0.5, 1.0]
    gone = Unsteady(*[OSError("busy")] * 9)
    with pytest.raises(CodecError, match="busy"):
        file_system.asked("s3://b/a", gone)
    assert gone.asked == 4


@pytest.mark.parametrize("final", [PermissionError("Forbidden"), type("NoCredentialsError", (Exception,), {})("none")])
def test_what_stays_is_asked_once_and_says_what_to_set(final: Exception, no_pause: list[float]) -> None:
    refused = Unsteady(final)
    with pytest.raises(CodecError, match="credentials that may do this"):
        file_system.asked("s3://b/a", refused)
    assert (refused.asked, no_pause) == (1, [])


def test_no_key_is_in_an_error_its_cause_or_its_notes(monkeypatch: pytest.MonkeyPatch, no_pause: list[float]) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG")
    text = "signed by wJalrXUtnFEMI/K7MDENG: GET /a?X-Amz-Signature=0123abcd&b=1 {'token': 'tttttt'}"
    with pytest.raises(CodecError) as failed:
        file_system.asked("s3://b/a", Unsteady(*[OSError(text)] * 4))
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
    assert not any(word in str(failed.value) for word in ("wJalr", "0123abcd", "tttttt"))
    assert "GET /a" in str(failed.value)


def test_a_list_that_does_not_end_is_given_up(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.asyn import AsyncFileSystem

    class Endless(AsyncFileSystem):
        protocol = "oci"  # a known scheme, for which no package is installed

        async def _find(self, path: str, **_: Any) -> Any:
            import asyncio

            while True:
                await asyncio.sleep(0.01)

        async def _info(self, path: str, **_: Any) -> Any:
            return {"name": path, "size": 0, "type": "directory"}

    fsspec.register_implementation("oci", Endless, clobber=True)
    monkeypatch.setattr(remote_files, "LISTING_TIME", 0.2)
    with pytest.raises(CodecError, match="time limit"):
        im.open_source("oci://bucket/endless")


def test_nor_is_one_waited_for_that_knows_no_limit_of_time(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    class Silent(fsspec.AbstractFileSystem):
        protocol = "oci"

        def find(self, path: str, **_: Any) -> Any:
            answered.wait()
            return {}

        def info(self, path: str, **_: Any) -> Any:
            return {"name": path, "size": 0, "type": "directory"}

    fsspec.register_implementation("oci", Silent, clobber=True)
    monkeypatch.setattr(remote_files, "LISTING_TIME", 0.2)
    with pytest.raises(CodecError, match="time limit"):
        im.open_source("oci://bucket/silent")
    answered.set()


def test_a_scheme_without_its_package_says_what_to_install() -> None:
    with pytest.raises(MissingExtra, match="pip install ossfs"):
        im.open("oss://bucket/a")


def test_nothing_there_is_said_so(memory: Any) -> None:
    with pytest.raises(SourceError, match="there is nothing"):
        im.open("memory://sets/nowhere")


def test_a_file_that_is_gone_or_cut_off_is_one_bad_file(tmp_path: Path, memory: Any, no_pause: list[float]) -> None:
    place = sent(memory, photos(tmp_path / "in", 4), "sets/in")
    dataset = im.open_source(place)
    memory.rm_file("/sets/in/cat/01.png")
    other = photos(tmp_path / "other", 1, (30, 30)) / "dog/00.png"  # whole, and not what was listed
    memory.pipe_file("/sets/in/dog/02.png", other.read_bytes())
    report = im.prepare(dataset, tmp_path / "store", size=4, on_error="skip", split=(1.0, 0.0, 0.0))
    assert report.made == 2
    assert sorted(one.key for one in report.failed) == ["cat/01.png", "dog/02.png"]


# ------------------------------------------------------------------------------------------------------- the cache


def test_the_cache_stays_within_its_limit_and_forgets_what_was_used_longest_ago(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEMILL_CACHE_BYTES", "4000")
    for n in range(10):
        memory.pipe_file(f"/sets/{n}.bin", bytes(1000))
    old = time.time() - 10_000
    for n in range(10):
        copy = os.fspath(as_path(f"memory://sets/{n}.bin"))
        os.utime(copy, (old + n, old + n))
    kept = sorted(p.name[-5:] for p in bounded_cache.remote_cache().rglob("*.bin"))
    assert kept == ["6.bin", "7.bin", "8.bin", "9.bin"]
    memory.pipe_file("/sets/large.bin", bytes(5000))
    with pytest.raises(CodecError, match="IMAGEMILL_CACHE_BYTES"):
        os.fspath(as_path("memory://sets/large.bin"))


def test_copies_that_are_used_again_or_just_came_stay(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEMILL_CACHE_BYTES", "2000")
    for n in range(4):
        memory.pipe_file(f"/sets/{n}.bin", bytes(1000))
    paths = [as_path(f"memory://sets/{n}.bin") for n in range(4)]
    old = time.time() - 10_000
    for n in range(2):
        os.utime(os.fspath(paths[n]), (old + n, old + n))
    for n in (0, 2, 3):  # the first is read again, and somebody may be about to open the others
        os.fspath(paths[n])
    assert sorted(p.name[-5:] for p in bounded_cache.remote_cache().rglob("*.bin")) == ["0.bin", "2.bin", "3.bin"]


def test_a_copy_is_fetched_anew_where_the_file_changed_or_the_copy_is_damaged(memory: Any) -> None:
    memory.pipe_file("/sets/a.bin", b"one")
    path = as_path("memory://sets/a.bin")
    first = Path(os.fspath(path))
    first.write_bytes(b"on")
    assert path.read_bytes() == b"one"
    memory.pipe_file("/sets/a.bin", b"two")
    remote_files.fresh(path)
    assert path.read_bytes() == b"two"
    assert path.read_text() == "two"
    shutil.rmtree(bounded_cache.remote_cache())
    assert path.read_bytes() == b"two"


def test_large_files_are_read_by_stretches(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_files, "SMALL", 10)
    data = bytes(range(256)) * 8
    memory.pipe_file("/sets/a.bin", data)
    with as_path("memory://sets/a.bin").open("rb") as file:
        file.seek(300)
        assert file.read(5) == data[300:305]
        file.seek(-4, os.SEEK_END)
        assert file.read() == data[-4:]
    with pytest.raises(OSError, match="files there are written whole"):
        as_path("memory://sets/a.bin").open("wb")


@pytest.mark.parametrize("text", ["s3://", "gs:///", "hf://"])
def test_an_address_without_a_bucket_is_refused_before_anything_is_asked(text: str) -> None:
    with pytest.raises(InputError, match=rf"bucket in '{text}'; write {text[:2]}://BUCKET/FOLDER"):
        im.open(text)
