"""Whose fault an error is: files are left out and kept aside, the caller's own functions are raised, the disk stops."""

from __future__ import annotations

import base64
import errno
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image as PillowImage

import imagemill as im
import imagemill.data.atomic as write
from imagemill.data import Record, Source, Stored, read_jsonl
from imagemill.data.layouts.base import Problem
from imagemill.jobs.faults import is_of_file, named
from imagemill.jobs.quarantine import quarantine
from imagemill.verbs.prepare import prepare
from tests.data.pictures import PIPELINE, digests, outputs, photo, photos

WHOLE, HALF = 2, 40
Make = Callable[[Path], Path]


def png(seed: int, length: int | None = None) -> bytes:
    """A picture as bytes, or its beginning."""
    file = io.BytesIO()
    values = np.random.default_rng(seed).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    PillowImage.fromarray(values).save(file, "PNG")
    return file.getvalue()[:length]


PICTURES = [png(0), png(1, HALF), png(2)]


def in_tar(folder: Path) -> Path:
    with tarfile.open(folder / "shard-000000.tar", "w") as tar:
        for k, data in enumerate(PICTURES):
            for name, content in ((f"a{k}.png", data), (f"a{k}.cls", b"0")):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return folder / "shard-000000.tar"


def in_parquet(folder: Path) -> Path:
    cells = [{"bytes": data, "path": f"a{k}.png"} for k, data in enumerate(PICTURES)]
    pl.DataFrame({"image": cells, "label": [0, 1, 0]}).write_parquet(folder / "train.parquet")
    return folder / "train.parquet"


def in_csv(folder: Path) -> Path:
    texts = [base64.b64encode(data).decode() for data in PICTURES]
    pl.DataFrame({"image": texts, "label": ["a", "b", "a"]}).write_csv(folder / "table.csv")
    return folder / "table.csv"


def in_hdf5(folder: Path) -> Path:
    with h5py.File(folder / "photos.h5", "w") as file:
        kind = h5py.vlen_dtype(np.uint8)
        images = file.create_dataset("images", (3,), dtype=kind)
        for k, data in enumerate(PICTURES):
            images[k] = np.frombuffer(data, np.uint8)
        file["labels"] = np.array([0, 1, 0])
    return folder / "photos.h5"


CONTAINERS = [in_tar, in_parquet, in_csv, in_hdf5]


@pytest.mark.parametrize("make", CONTAINERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("verb", ["augment", "prepare"])
def test_half_a_member_is_kept_aside_by_its_bytes(tmp_path: Path, make: Make, verb: str) -> None:
    (tmp_path / "in").mkdir()
    file, out = make(tmp_path / "in"), tmp_path / "out"
    source = im.open_source(file)
    pipe = im.Pipeline([im.Flip("x")], seed=1)
    report: Any
    if verb == "augment":
        report = im.augment(source, out, pipe, on_error="quarantine")
    else:
        report = prepare(source, out, size=8, on_error="quarantine", split=(1.0, 0.0, 0.0))
    assert (report.made, len(report.failed)) == (WHOLE, 1)
    assert report.quarantine == out / "quarantine"
    (origin,) = read_jsonl(out / "quarantine/origins.jsonl").rows
    assert (out / "quarantine" / origin["file"]).read_bytes() == PICTURES[1]
    assert origin["key"] == report.failed[0].key
    assert file.name in origin["from"]
    assert "not_copied" not in origin


@pytest.mark.parametrize("key", ["../../x.png", "/etc/x.png", "C:\\x.png", "a" * 300 + ".png", "a\n.png", "a", "x.png"])
def test_names_in_quarantine_stay_inside_and_arrays_are_kept(tmp_path: Path, key: str) -> None:
    values = np.arange(12).reshape(3, 4)
    quarantine(Record(key, Stored("made up", lambda: values)), tmp_path / "q", im.CodecError("no"), "images")
    (row,) = read_jsonl(tmp_path / "q/origins.jsonl").rows
    kept = (tmp_path / "q" / row["file"]).resolve()
    assert kept.is_relative_to(tmp_path / "q/images")
    assert np.array_equal(np.load(kept), values)


def test_what_cannot_be_read_at_all_leaves_a_note(tmp_path: Path) -> None:
    def gone() -> Any:
        raise im.CodecError("the server is gone")

    quarantine(Record("a", Stored("made up", gone)), tmp_path, im.CodecError("no"))
    (row,) = read_jsonl(tmp_path / "origins.jsonl").rows
    assert (row["file"], row["not_copied"], row["from"]) == (None, "the server is gone", "made up")


# ----------------------------------------------------------------------------- functions of the caller's own


def divides(image: Any) -> Any:
    raise ZeroDivisionError("my own mistake")


def reads(image: Any) -> Any:
    im.read_picture("no-such-overlay.png")


def shrinks(image: Any) -> Any:
    return image[1:]


class Wrong(im.Transform):
    def draw(self, draws: Any, frame: Any) -> Any:
        raise im.CodecError("a table of mine is missing")


OWN = [
    (im.Apply(divides), ZeroDivisionError, "my own mistake"),
    (im.Apply(reads), im.CodecError, "no-such-overlay"),
    (im.Apply(shrinks), im.TargetError, "to return shape"),
    (Wrong(), im.CodecError, "a table of mine"),
]


@pytest.mark.parametrize(("transform", "kind", "message"), OWN)
@pytest.mark.parametrize("on_error", ["skip", "quarantine"])
def test_an_error_of_the_callers_function_is_raised_and_no_file_is_to_blame(
    tmp_path: Path, transform: Any, kind: type[Exception], message: str, on_error: Any
) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    with pytest.raises(kind, match=message) as caught:
        im.augment(source, tmp_path / "out", im.Pipeline([transform], seed=1), on_error=on_error)
    assert any(name in str(caught.value) + str(caught.value.__notes__) for name in ("a.png", "b.png"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("transform", "kind", "message"), OWN)
@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_puts_no_other_row_for_an_error_of_the_callers_function(
    tmp_path: Path, transform: Any, kind: type[Exception], message: str, workers: int
) -> None:
    source = photos(tmp_path / "in", "x/a.png", "y/b.png")
    loader = im.Loader(
        im.open(source), im.Pipeline([transform], seed=1), batch_size=2, on_error="replace", workers=workers
    )
    with pytest.raises(kind, match=message) as caught:
        list(loader)
    assert any(name in str(caught.value) + str(caught.value.__notes__) for name in ("a.png", "b.png"))
    assert not loader.problems
    loader.close()


def test_whose_fault_it_is() -> None:
    own = im.CodecError("palette.png: cut off")
    own.of_caller = True
    assert is_of_file(im.CodecError("a.png: cut off"))
    assert is_of_file(im.InputError("smaller than the crop"))
    for error in (own, im.DiskError("full"), im.MissingExtra("h5py"), im.PlanError("ours"), ValueError("his")):
        assert not is_of_file(error)
    again = named("a.png", own, "augmenting")
    assert (str(again), again.of_caller) == ("a.png: palette.png: cut off", True)  # type: ignore[attr-defined]


# ----------------------------------------------------------------------------------------------- a full disk


def fill(monkeypatch: pytest.MonkeyPatch, name: str, after: int, number: int = errno.ENOSPC) -> None:
    """Let the disk take so many files whose name holds a word, and half of the next."""
    taken: list[Path] = []
    whole = Path.write_bytes

    def write_bytes(self: Path, data: Any) -> int:
        if name in self.name:
            taken.append(self)
            if len(taken) > after:
                whole(self, bytes(data)[: len(data) // 2])
                raise OSError(number, "No space left on device")
        return whole(self, data)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)


@pytest.mark.parametrize("on_error", ["raise", "skip", "quarantine"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EROFS])
def test_augment_on_a_full_disk_stops_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_error: Any, number: int
) -> None:
    source = photos(tmp_path / "in", *(f"{n}.png" for n in range(6)))
    with monkeypatch.context() as full:
        fill(full, ".png", 3, number)
        with pytest.raises(im.DiskError, match=r"a disk that takes the file, got .*No space left.*run again"):
            im.augment(source, tmp_path / "out", PIPELINE, on_error=on_error)
    assert len(outputs(tmp_path / "out")) == 3
    assert not [name for name in digests(tmp_path / "out") if name.endswith(".part")]
    report = im.augment(source, tmp_path / "out", PIPELINE, on_error=on_error)
    assert (report.made, report.present, report.failed) == (3, 3, ())
    im.augment(source, tmp_path / "whole", PIPELINE)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_a_disk_that_is_full_for_the_list_of_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = photos(tmp_path / "in", *(f"{n}.png" for n in range(4)))
    appended, count = write.append_jsonl, iter(range(100))

    def append(path: Any, rows: Any, **how: Any) -> int:
        if next(count) >= 2:
            raise im.DiskError(f"{path}: full")
        return appended(path, rows, **how)

    with monkeypatch.context() as full:
        full.setattr(write, "append_jsonl", append)
        with pytest.raises(im.DiskError):
            im.augment(source, tmp_path / "out", PIPELINE, on_error="skip")
    im.augment(source, tmp_path / "out", PIPELINE)
    im.augment(source, tmp_path / "whole", PIPELINE)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_a_mask_goes_with_the_image_that_found_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo(tmp_path / "in/a.jpg", shape=(30, 40, 3))
    photo(tmp_path / "masks/a.png", shape=(30, 40))
    fill(monkeypatch, ".jpg", 0)
    with pytest.raises(im.DiskError):
        im.augment(tmp_path / "in", tmp_path / "out", PIPELINE, masks=tmp_path / "masks")
    assert not (tmp_path / "out").exists()


def test_prepare_on_a_full_disk_stops_and_goes_on_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = photos(tmp_path / "in", *(f"{k}/{n}.png" for k in "ab" for n in range(10)))
    for module, name in (
        ("work_folder", "append_jsonl"),
        ("store_files", "write_manifest"),
        ("assemble", "write_json"),
    ):
        out = tmp_path / f"out-{name}"

        def full(*given: Any, **how: Any) -> Any:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as disk:
            place = f"imagemill.verbs.prepare.{module}.{name}"
            disk.setattr(place, full)
            with pytest.raises(OSError, match="No space left"):
                prepare(source, out, size=8, on_error="skip")
        assert not [name for name in digests(out) if name.endswith(".part")] if out.exists() else True
        report = prepare(source, out, size=8)
        assert not report.failed
        prepare(source, tmp_path / f"whole-{name}", size=8)
        assert digests(out) == digests(tmp_path / f"whole-{name}")


@pytest.mark.parametrize("to", ["folder", "coco", "csv", "webdataset", "class-folders"])
def test_export_on_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    source = photos(tmp_path / "in", *(f"{k}/{n}.png" for k in "ab" for n in range(3)))
    copied, count = write.os.replace, iter(range(100))

    def replace(src: Any, dst: Any) -> None:
        if next(count) >= (to != "webdataset") * 2:  # which is a single file
            raise OSError(errno.ENOSPC, "No space left on device")
        copied(src, dst)

    with monkeypatch.context() as full:
        full.setattr("imagemill.data.atomic.os.replace", replace)
        with pytest.raises(im.ImagemillError, match="No space left"):
            im.export(source, tmp_path / "out", to)
    assert not (tmp_path / "out").exists()
    assert im.export(source, tmp_path / "out", to).count == 6


# --------------------------------------------------------------------------------------- folders and lists


def test_more_copies_are_made_beside_those_that_are_there(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").glob("*.png")}
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=5)
    assert (report.made, report.present) == (6, 4)
    assert times.items() <= {p: p.stat().st_mtime_ns for p in (tmp_path / "out").glob("*.png")}.items()
    im.augment(source, tmp_path / "whole", PIPELINE, copies=5)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")
    assert json.loads((tmp_path / "out/job.json").read_text())["copies"] == 5


def test_an_augmentation_that_made_nothing_binds_nobody(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png")
    floats = im.Pipeline([im.Rescale(), im.Resize((8, 8))], seed=1)
    with pytest.raises(im.ImagemillError):
        im.augment(source, tmp_path / "out", floats)
    assert not (tmp_path / "out").exists()
    (tmp_path / "own").mkdir()
    with pytest.raises(im.ImagemillError):
        im.augment(source, tmp_path / "own", floats)
    assert digests(tmp_path / "own") == {}
    assert im.augment(source, tmp_path / "out", PIPELINE.replace(seed=5)).made == 1


def test_a_preparation_that_failed_on_its_parameters_binds_nobody(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"a/{n:03}.png" for n in range(70)))
    photo(source / "a/zzz.png", shape=(20, 20, 3))  # after the first slots were made
    with pytest.raises(im.ImagemillError, match="size"):
        prepare(source, tmp_path / "out")
    assert prepare(source, tmp_path / "out", size=8).made == 71
    # What was stopped by a person is still kept from other parameters.
    with pytest.raises(KeyboardInterrupt):
        prepare(source, tmp_path / "stopped", size=8, progress=_stop)
    with pytest.raises(im.InputError, match=r"size \(8 before, 9 now\)"):
        prepare(source, tmp_path / "stopped", size=9)


def _stop(done: int, total: int) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("on_error", ["skip", "quarantine"])
def test_a_list_with_a_missing_path_goes_on_or_names_it(tmp_path: Path, on_error: Any) -> None:
    photos(tmp_path / "in", "a.png", "b.png")
    (tmp_path / "list.txt").write_text("in/a.png\nin/gone.png\nin/b.png\n")
    report = im.augment(tmp_path / "list.txt", tmp_path / "out", PIPELINE, on_error=on_error)
    assert (report.made, [failure.key for failure in report.failed]) == (2, ["in/gone.png"])
    made = prepare(tmp_path / "list.txt", tmp_path / "store", size=8, on_error=on_error)
    assert (made.made, [failure.key for failure in made.failed]) == (2, ["in/gone.png"])
    with pytest.raises(im.CodecError, match=r"gone\.png"):
        im.augment(tmp_path / "list.txt", tmp_path / "raised", PIPELINE)
    with pytest.raises(im.CodecError, match=r"gone\.png"):
        prepare(tmp_path / "list.txt", tmp_path / "raised-store", size=8)


def test_what_a_source_could_not_take_in_is_counted(tmp_path: Path) -> None:
    source = im.open_source(photos(tmp_path / "in", "a.png"))
    some: Source = replace(source, problems=(Problem("b.png", "b.png: expected a row, got none"),))
    report = im.augment(some, tmp_path / "out", PIPELINE, on_error="quarantine")
    assert [failure.key for failure in report.failed] == ["b.png"]
    assert report.quarantine is None  # nothing was there to copy, and none is promised


def test_whatever_writes_through_a_temporary_name_says_that_the_disk_is_full(tmp_path: Path) -> None:
    def full() -> None:
        with write.atomic_path(tmp_path / "a.bin") as part:
            part.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(im.DiskError, match=r"a\.bin: expected a disk that takes the file, got .*No space left"):
        full()
    assert list(tmp_path.iterdir()) == []
