"""The store from end to end: what is in it, who can read it, what a second run does, what a kill leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import imagemill as im
from imagemill.data import Instance, Picture, Record, Source, Stored
from imagemill.data.dataset import open as open_dataset
from imagemill.data.store import open_part
from imagemill.verbs.prepare import prepare
from tests.architecture.repository import SRC, environment
from tests.data.pictures import cut, digests, photo


def photos(root: Path, count: int = 20, shape: tuple[int, ...] = (12, 16, 3)) -> Path:
    for n in range(count):
        photo(root / ("cat", "dog")[n % 2] / f"{n:02d}.png", n, shape)
    return root


def memory(count: int = 12, **each: Any) -> Source:
    """Pictures in memory."""
    rng = np.random.default_rng(0)
    records = []
    for n in range(count):
        array = rng.integers(0, 256, (10, 8, 3), dtype=np.uint8)
        records.append(Record(f"{n}.png", Stored(f"{n}", lambda array=array: array, "yxc"), **each))
    return Source(Path("made"), "arrays", tuple(records))


def test_what_is_in_a_store(tmp_path: Path) -> None:
    report = prepare(photos(tmp_path / "in"), tmp_path / "out", size=8, fit="stretch", val=0.25, workers=2)
    assert (report.made, report.reused, report.unchanged, report.failed) == (20, 0, False, ())
    assert dict(report.counts) == {"train": 12, "val": 4, "test": 4}
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"train.arrow", "val.arrow", "test.arrow", "manifest.parquet", "dataset.json", "statistics.npz"}
    manifest = pl.read_parquet(tmp_path / "out/manifest.parquet")
    assert manifest["key"].to_list() == sorted(manifest["key"].to_list())
    assert manifest["where"][0] == "cat/00.png"
    assert str(tmp_path) not in (tmp_path / "out/dataset.json").read_text() + str(manifest.rows())
    part = open_part(tmp_path / "out/train.arrow")
    for row, key in enumerate(part.table["key"].to_pylist()):
        wanted = im.Pipeline([im.Resize(8)], seed=0)(im.read_picture(tmp_path / "in" / key).array)
        assert np.abs(part.arrays["image"][row].astype(int) - wanted).mean() < 30
        assert part.table["label"][row].as_py() == key.startswith("dog")


def test_others_read_the_store(tmp_path: Path) -> None:
    prepare(photos(tmp_path / "in"), tmp_path / "out", size=(6, 8))
    path = tmp_path / "out/train.arrow"
    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as reader:
        table = reader.read_all()
    mine = open_part(path).arrays["image"]
    assert table["image"].type.list_size == 6
    np.testing.assert_array_equal(np.array(table["image"].to_pylist()), mine)
    frame = pl.read_ipc_stream(path)
    assert frame.schema["image"] == pl.Array(pl.UInt8, (6, 8, 3))
    np.testing.assert_array_equal(frame["image"].to_numpy(), mine)
    datasets = pytest.importorskip("datasets")
    found = datasets.Dataset.from_file(str(path)).with_format("numpy")
    np.testing.assert_array_equal(found[3]["image"], mine[3])
    named = open_dataset(tmp_path / "out").subset("test").to_hf()
    assert named.features["label"].names == ["cat", "dog"]
    assert len(named) == 4


def test_images_are_one_view_into_the_file(tmp_path: Path) -> None:
    prepare(photos(tmp_path / "in"), tmp_path / "out", size=8)
    dataset = open_dataset(tmp_path / "out")
    part = dataset.backings[0].part("train")  # type: ignore[attr-defined]
    images, labels = dataset.arrays("train")
    assert images.ctypes.data == part.arrays["image"].ctypes.data
    assert np.shares_memory(images, dataset.subset("train")[3].image)
    assert images.flags["C_CONTIGUOUS"]
    assert not images.flags["WRITEABLE"]
    assert labels is not None
    assert labels.dtype == np.uint8
    buffer = part.table["image"].chunk(0).values.values.values.buffers()[1]
    assert buffer.address == images.ctypes.data


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32"])
def test_the_same_pixels_in_every_type(tmp_path: Path, dtype: str) -> None:
    source = photos(tmp_path / "in", 4)
    prepare(source, tmp_path / "bytes", size=5)
    prepare(source, tmp_path / "out", size=5, dtype=dtype)
    before, after = (open_dataset(tmp_path / name).images for name in ("bytes", "out"))
    assert after.dtype == dtype
    np.testing.assert_array_equal(after, before.astype(dtype) * (257 if dtype == "uint16" else 1))


def test_a_second_run_does_nothing_and_a_new_file_is_one_file(tmp_path: Path) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    prepare(source, out, size=8)
    before = digests(out)
    again = prepare(source, out, size=8, workers=2)
    assert (again.made, again.reused, again.unchanged) == (0, 20, True)
    assert digests(out) == before
    photo(source / "dog/99.png", 99)
    (source / "cat/00.png").rename(source / "cat/moved.png")
    more = prepare(source, out, size=8)
    assert (more.made, more.reused, more.unchanged) == (1, 20, False)
    prepare(source, tmp_path / "fresh", size=8)
    assert digests(out) == digests(tmp_path / "fresh")


def test_another_content_under_the_same_name_is_made_again(tmp_path: Path) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    prepare(source, out, size=8)
    photo(source / "cat/00.png", 1234, (12, 16, 3))
    assert prepare(source, out, size=8).made == 1
    prepare(source, tmp_path / "fresh", size=8)
    assert digests(out) == digests(tmp_path / "fresh")


def test_other_parameters_are_refused_or_begin_anew(tmp_path: Path) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    prepare(source, out, size=8)
    with pytest.raises(im.InputError, match=r"other size \(8 before, 9 now\).*overwrite"):
        prepare(source, out, size=9)
    assert prepare(source, out, size=9, overwrite=True).made == 20
    moved = prepare(source, out, size=9, split=0.5, overwrite=True)
    assert (moved.made, moved.counts["test"]) == (0, 10)
    prepare(source, tmp_path / "fresh", size=9, split=0.5)
    assert digests(out) == digests(tmp_path / "fresh")
    strange = tmp_path / "strange"
    (strange / "sub").mkdir(parents=True)
    with pytest.raises(im.InputError, match="an empty folder or a store"):
        prepare(source, strange, size=8, overwrite=True)
    with pytest.raises(im.InputError, match="outside the source"):
        prepare(source, source / "out", size=8)


def test_masks_boxes_and_world_move_along(tmp_path: Path) -> None:
    array = np.zeros((20, 30), np.uint8)
    array[4:14, 10:20] = 200
    thing = Instance("cell", (10.0, 4.0, 10.0, 10.0), keypoints=((12.0, 7.0, 2),), attributes={"difficult": True})
    made = lambda a, axes: Stored("x", lambda: a, axes)  # noqa: E731
    first = Record("a", made(array, "yx"), made((array > 0) * np.uint16(300), "yx"), objects=(thing,), size=(20, 30))
    second = replace(first, key="b", mask=None, objects=())
    prepare(Source(Path("m"), "arrays", (first, second)), tmp_path / "o", size=(10, 15), split=0, val=0)
    dataset = open_dataset(tmp_path / "o")
    sample = dataset[0]
    assert sample.mask.dtype == np.uint16
    np.testing.assert_array_equal(sample.mask > 0, sample.image > 100)
    assert sample.boxes.to("xywh", (10, 15)).array.tolist() == [[5.0, 2.0, 5.0, 5.0]]
    assert sample.boxes.labels == ["cell"]
    np.testing.assert_allclose(sample.keypoints.array, [[5.75, 3.25]])
    assert "mask" not in dataset[1]
    assert len(dataset[1].boxes) == 0
    record = dataset.to_source().records[0]
    assert record.objects is not None
    assert record.objects[0].attributes == {"difficult": True}
    assert not dataset.masks[1].any()
    volume = replace(first, image=Stored("v", lambda: np.zeros((4, 20, 30), np.int16), "zyx", np.diag([5.0, 1, 2, 1])))
    volume = replace(volume, mask=None, objects=None, size=None)
    prepare(Source(Path("m"), "arrays", (volume,)), tmp_path / "v", size=(2, 10, 10), fit="stretch", split=0, val=0)
    sample = open_dataset(tmp_path / "v")[0]
    assert sample.image.dtype == np.float32
    np.testing.assert_allclose(sample.affine @ [0, 0, 0, 1], [2.5, 0.5, 2.0, 1])


def test_statistics_know_the_training_part_only(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", 30)
    prepare(source, tmp_path / "one", size=8)
    said = json.loads((tmp_path / "one/dataset.json").read_text())["statistics"]
    dataset = open_dataset(tmp_path / "one")
    train = dataset.subset("train").images.astype(np.float64)
    np.testing.assert_allclose(said["channel_mean"], train.mean(axis=(0, 1, 2)), rtol=1e-10)
    np.testing.assert_allclose(dataset.statistics["location_std"], train.std(axis=0), rtol=1e-10)
    mean, std = dataset.mean_std
    normal = im.Pipeline([im.Normalize(mean, std)], seed=0).batch(dataset.subset("train").images).image
    np.testing.assert_allclose([normal.mean(), normal.std()], [0, 1], atol=1e-3)
    for n, key in enumerate(dataset.subset("test").table["key"]):  # poison; no two alike, for those stay together
        im.write_picture(source / key, Picture(np.full((12, 16, 3), 255 - n, np.uint8), "yxc"))
    prepare(source, tmp_path / "two", size=8)
    assert json.loads((tmp_path / "two/dataset.json").read_text())["statistics"] == said
    assert (open_dataset(tmp_path / "two").subset("test").images > 240).all()


@pytest.mark.parametrize("how", ["pixels", "per-channel", "per-location", "per-sample", "zca"])
def test_standardised_stores(tmp_path: Path, how: str) -> None:
    source = photos(tmp_path / "in", 40)
    prepare(source, tmp_path / "out", size=3, dtype="float32", normalize="unit", standardize=how)
    dataset = open_dataset(tmp_path / "out")
    train = dataset.subset("train").images.astype(np.float64)
    assert abs(train.mean()) < 1e-4
    if how != "zca":
        assert abs(train.std() - 1) < 1e-2
    with pytest.raises(im.InputError, match="standardised by"):
        _ = dataset.mean_std
    photo(source / "cat/new.png", 77)
    assert prepare(source, tmp_path / "out", size=3, dtype="float32", normalize="unit", standardize=how).made == 41
    with pytest.raises(im.InputError, match="floating dtype for standardize"):
        prepare(source, tmp_path / "x", size=3, dtype="uint8", standardize=how)


@pytest.mark.parametrize("on_error", ["skip", "quarantine"])
def test_bad_files_are_named_and_left_out(tmp_path: Path, on_error: Any) -> None:
    source = photos(tmp_path / "in", 6)
    cut(source / "cat/00.png", source / "cat/bad.png")
    with pytest.raises(im.CodecError, match=r"bad\.png"):
        prepare(source, tmp_path / "out", size=8)
    report = prepare(source, tmp_path / "out", size=8, on_error=on_error)
    assert [failure.key for failure in report.failed] == ["cat/bad.png"]
    assert sum(report.counts.values()) == 6
    manifest = pl.read_parquet(tmp_path / "out/manifest.parquet")
    problem = manifest.filter(pl.col("key") == "cat/bad.png")["problem"][0]
    assert "bad.png" in problem
    assert str(tmp_path) not in problem
    kept = tmp_path / "out/quarantine/images/cat/bad.png"
    assert kept.exists() == (on_error == "quarantine")
    assert prepare(source, tmp_path / "out", size=8, on_error="skip").unchanged


def test_pictures_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", 4)
    photo(source / "dog/gray.png", 5, (12, 16))
    with pytest.raises(im.CodecError, match=r"gray\.png: expected axes 'yxc'.*channels='rgb' \(or 'gray'\)"):
        prepare(source, tmp_path / "out", size=8)
    photo(source / "dog/gray.png", 5, (13, 16, 3))
    with pytest.raises(im.CodecError, match="expected 12 x 16 pixels like the first picture, got 13 x 16; give a size"):
        prepare(source, tmp_path / "other")
    with pytest.raises(im.CodecError, match=r"such as size=\(12, 16\) \(--size 12,16\)"):
        prepare(source, tmp_path / "other")
    assert sum(prepare(source, tmp_path / "out", size=8, overwrite=True).counts.values()) == 5


def test_things_that_were_cut_off_are_said(tmp_path: Path) -> None:
    things = (Instance("left", (0.0, 0.0, 4.0, 4.0)), Instance("middle", (12.0, 4.0, 4.0, 4.0)))
    image = Stored("x", lambda: np.zeros((10, 30), np.uint8), "yx")
    source = Source(Path("m"), "arrays", (Record("a", image, objects=things, size=(10, 30)),))
    said = prepare(source, tmp_path / "crop", size=10, fit="crop", split=0, val=0).notes
    assert any("1 annotation is outside" in note and "--fit pad" in note for note in said)
    assert prepare(source, tmp_path / "pad", size=10, fit="pad", split=0, val=0).notes == ()


def test_splits_and_groups_of_the_source(tmp_path: Path) -> None:
    source = memory(12)
    with pytest.raises(im.InputError, match="says train, val or test of every image"):
        prepare(source, tmp_path / "x", split="keep")
    own = replace(source, records=tuple(replace(r, split="test" if n < 3 else "train") for n, r in enumerate(source)))
    assert dict(prepare(own, tmp_path / "keep").counts) == {"train": 9, "test": 3}
    assert dict(prepare(own, tmp_path / "val", split="keep", val=1 / 3).counts) == {"train": 6, "val": 3, "test": 3}
    only = replace(source, records=tuple(replace(r, split="train") for r in source))
    assert set(prepare(only, tmp_path / "only").counts) == {"train", "val", "test"}
    patients = replace(source, records=tuple(replace(r, attributes={"patient": n // 3}) for n, r in enumerate(source)))
    prepare(patients, tmp_path / "group", split=0.25, val=0, group="patient")
    table = open_dataset(tmp_path / "group").table
    assert table.group_by("patient").agg(pl.col("split").n_unique())["split"].to_list() == [1] * 4
    with pytest.raises(im.InputError, match="name of a column for group"):
        prepare(patients, tmp_path / "y", group="nobody")


KILL = """
import os, signal, sys
from pathlib import Path
import imagemill.verbs.prepare.assemble as assemble, imagemill.verbs.prepare.work_folder as work
import imagemill.verbs.prepare.store_files as store_files
import imagemill.verbs.prepare.build as run
from imagemill.verbs.prepare import prepare
import imagemill.data.store as store
run._SHARD_RECORDS = 3
place, left = sys.argv[3], int(sys.argv[4])
module, name = {"put": (work, "append_jsonl"), "rows": (store, "_write"), "json": (assemble, "write_json"),
                "manifest": (store_files, "write_manifest")}[place]
real = getattr(module, name)
def fatal(*given, **named):
    global left
    left -= 1
    if left < 0:
        if place == "put":  # half a line, as a kill within a write leaves it
            with open(given[0], "ab") as file:
                file.write(b'{"entry": "torn')
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given, **named)
setattr(module, name, fatal)
prepare(sys.argv[1], sys.argv[2], size=8, workers=2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(tmp_path: Path) -> None:
    source = photos(tmp_path / "in")
    prepare(source, tmp_path / "whole", size=8)
    whole = digests(tmp_path / "whole")
    for place, left in (("put", 2), ("rows", 0), ("rows", 2), ("manifest", 0), ("json", 0)):
        out = tmp_path / f"{place}{left}"
        command = [sys.executable, "-c", KILL, str(source), str(out), place, str(left)]
        run = subprocess.run(command, env=environment(SRC), capture_output=True, timeout=600)
        assert run.returncode == -signal.SIGKILL, run.stderr
        with pytest.raises(im.SourceError, match="to finish it"):
            open_dataset(out)
        report = prepare(source, out, size=8)
        assert report.made == (14 if place == "put" else 0)
        left_over = {name: digest for name, digest in digests(out).items() if not name.endswith(".part")}
        assert left_over == whole


def test_a_fault_while_replacing_a_store_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import imagemill.data.store as store

    source, out = photos(tmp_path / "in"), tmp_path / "out"
    prepare(source, out, size=8)
    photo(source / "dog/99.png", 99)
    prepare(source, tmp_path / "whole", size=8)
    real, calls = store.write_part, []

    def fails(path: Path, *rest: Any) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(path, *rest)

    monkeypatch.setattr(store, "write_part", fails)
    with pytest.raises(OSError, match="No space"):
        prepare(source, out, size=8)
    monkeypatch.undo()
    with pytest.raises(im.SourceError, match="to finish it"):
        open_dataset(out)
    report = prepare(source, out, size=8)
    assert report.made <= 4  # at most what changed its part
    assert digests(out) == digests(tmp_path / "whole")


def test_what_an_entry_is_known_by() -> None:
    from imagemill.verbs.prepare.one_record import entry_of, take
    from imagemill.verbs.prepare.parameters import Parameters
    from imagemill.verbs.prepare.picture_form import decide_form

    taken = take(memory(1).records[0])
    asked = Parameters(8, "crop", "keep", None, None, "none", "none", "auto", None, True, None, None, "raise", False, 0)
    form = decide_form(memory(1), asked)
    entries = {
        entry_of(taken, asked, form, ()),
        entry_of(taken, replace(asked, fit="pad"), form, ()),
        entry_of(taken, asked, replace(form, values=replace(form.values, dtype="float32")), ()),
        entry_of(replace(taken, sha256="other"), asked, form, ()),
        entry_of(replace(taken, record=replace(taken.record, objects=(Instance("a"),))), asked, form, ("a",)),
    }
    assert len(entries) == 5
    other = replace(taken, record=replace(taken.record, key="moved", label="x", split="test"))
    assert entry_of(other, replace(asked, seed=5, split=0.5), form, ()) in entries


def test_damaged_slots_are_made_again(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", 70)
    cut(source / "cat/00.png", source / "dog/zz.png")
    out = tmp_path / "out"
    with pytest.raises(im.CodecError):
        prepare(source, out, size=8)
    slots = out / ".work/slots.bin"
    data = bytearray(slots.read_bytes())
    data[10 * 192] ^= 1
    slots.write_bytes(data)
    assert prepare(source, out, size=8, on_error="skip").made == 60
    prepare(source, tmp_path / "whole", size=8, on_error="skip")
    assert digests(out) == digests(tmp_path / "whole")


@pytest.mark.parametrize("name", ["train.arrow", "manifest.parquet", "dataset.json"])
def test_a_damaged_store_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    prepare(photos(tmp_path / "in"), tmp_path / "out", size=8)
    path = tmp_path / "out" / name
    whole = path.read_bytes()
    for length in (0, 5, len(whole) // 3, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(im.SourceError, match="expected"):
            open_dataset(tmp_path / "out")
    path.write_bytes(b"\xff" * len(whole))
    with pytest.raises(im.SourceError, match="expected"):
        open_dataset(tmp_path / "out")


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0}, {"size": (1, 2, 3, 4)}, {"size": True}, {"fit": "squeeze"}, {"channels": "cmyk"},
        {"dtype": "int8"}, {"normalize": "most"}, {"standardize": "most"}, {"seed": -1}, {"workers": 0},
        {"on_error": "shrug"}, {"labels": "most"}, {"unlabeled": "drop"}, {"val": 1}, {"split": "most"},
        {"dtype": "uint8", "normalize": "unit"},
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_before_anything_is_written(tmp_path: Path, wrong: dict[str, Any]) -> None:
    source = photos(tmp_path / "in", 4)
    with pytest.raises(im.InputError, match="expected"):
        prepare(source, tmp_path / "out", **{"size": 8, **wrong})
    assert not (tmp_path / "out").exists()
