"""What fuzzing found, each as a small file made by code: an error that names it, where there was something else."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import tifffile

import imagemill as im
from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Picture, read_mask, read_picture
from imagemill.data.codecs.header_size import image_size
from imagemill.data.codecs.photos.exif import without_exif, without_fill
from imagemill.data.dataset import open as open_dataset
from imagemill.testing.bombs import hostile_files
from imagemill.testing.samples import sample_datasets, sample_files
from imagemill.verbs.prepare import prepare
from imagemill.verbs.scan.scan import scan
from tests.data.hostile.room import good, run
from tests.steps import lines_run

FILES = sample_files()


def test_offsets_in_an_arrow_file_that_lead_out_of_it(tmp_path: Path) -> None:
    # Followed, they end the process.
    table = pa.record_batch([pa.array(["a.png", "b.png"]), pa.array([b"x", b"y"])], names=["key", "image"])
    with pa.OSFile(str(tmp_path / "images.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_batch(table)
    data, offsets = (tmp_path / "images.arrow").read_bytes(), struct.pack("<3i", 0, 5, 10)
    assert data.count(offsets) == 1
    (tmp_path / "images.arrow").write_bytes(data.replace(offsets, struct.pack("<3i", 0, 1 << 29, 1 << 30)))
    (found,) = run(tmp_path, [("scan", tmp_path / "images.arrow", {})])
    assert found["outcome"] == "SourceError"
    assert "column 'key'" in found["message"]


def test_headers_of_npy_files_that_are_no_python(tmp_path: Path) -> None:
    data = FILES["gray.npy"]
    (tmp_path / "a.npy").write_bytes(data.replace(b"}", b"(", 1))
    for reader in (read_picture, read_mask, image_size):
        with pytest.raises(CodecError, match=r"a\.npy"):
            reader(tmp_path / "a.npy")


def test_npy_files_within_others_that_declare_gigabytes() -> None:
    from imagemill.data.codecs.npy import load_npy

    with pytest.raises(CodecError, match="declares 10,000,000,000"):
        load_npy(Path("a.npy"), hostile_files()["size.npy"])


@pytest.mark.parametrize("name", ["circle.tif", "tags.tif"])
def test_directories_of_tiff_files_that_take_for_ever(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(hostile_files()[name])
    with pytest.raises(CodecError, match="one directory after another"):
        read_picture(tmp_path / name)


def test_tiff_files_of_many_pages_pass(tmp_path: Path) -> None:
    for more in ({}, {"bigtiff": True}, {"byteorder": ">"}):
        tifffile.imwrite(tmp_path / "a.tif", np.ones((40, 5, 6), np.uint16), photometric="minisblack", **more)
        assert read_picture(tmp_path / "a.tif").array.shape == (40, 5, 6)


def test_pictures_without_pixels(tmp_path: Path) -> None:
    data = bytearray(FILES["ink.tif"])
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        at = tif.pages[0].tags["ImageWidth"].valueoffset
    data[at : at + 2] = bytes(2)
    (tmp_path / "a.tif").write_bytes(data)
    for reader in (read_picture, read_mask):
        with pytest.raises(CodecError, match=r"a\.tif"):
            reader(tmp_path / "a.tif")


def test_affines_and_units_of_volumes_that_are_none(tmp_path: Path) -> None:
    for name, at, value in (("a.nii", 123, b"\x27"), ("b.mgh", 30, struct.pack(">f", np.nan))):
        data = bytearray(FILES["scan" + name[1:]])
        data[at : at + len(value)] = value
        (tmp_path / name).write_bytes(data)
        with pytest.raises(CodecError, match=name):  # warnings are errors here: nothing may say "invalid value"
            read_picture(tmp_path / name)


def test_what_lies_behind_a_volume_is_not_read_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(hostile_files()["inflates.nii.gz"])
    with pytest.raises(CodecError, match="behind it"):
        read_picture(tmp_path / "a.nii.gz")
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(FILES["scan.nii"] + bytes(1000), mtime=0))
    assert read_picture(tmp_path / "b.nii.gz").array.shape == (4, 6, 8)


def test_damaged_exif_is_no_warning(tmp_path: Path) -> None:
    # Ink colours are left to Pillow, which reads the resolution from EXIF and warns; warnings are errors here.
    data, block = (
        FILES["ink.jpg"],
        b"Exif\0\0" + struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 9999) + bytes(5),
    )
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    (tmp_path / "a.jpg").write_bytes(data)
    assert read_picture(tmp_path / "a.jpg").array.shape == (12, 16, 3)
    assert b"Exif" not in without_exif(data)
    assert len(without_exif(data)) == len(data)


def test_fill_bytes_are_passed_over_at_once(tmp_path: Path) -> None:
    for name in ("fill.jpg", "only-fill.jpg"):
        (tmp_path / name).write_bytes(hostile_files()[name])
    whole = tmp_path / "whole.jpg"
    whole.write_bytes(FILES["photo.jpg"])
    np.testing.assert_array_equal(read_picture(tmp_path / "fill.jpg").array, read_picture(whole).array)
    assert image_size(tmp_path / "fill.jpg") == (12, 16)
    with pytest.raises(CodecError, match="only-fill"):
        read_picture(tmp_path / "only-fill.jpg")
    assert without_fill(b"\xff" * 60_000) == b"\xff" * 60_000
    assert lines_run(lambda: without_fill(b"\xff" * 60_000)) < 100, "expected no line for each byte"


@pytest.mark.filterwarnings("ignore:Expected explicit VR:UserWarning")
def test_millions_of_empty_elements_of_a_dicom_file(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(hostile_files()["deflated.dcm"])
    with pytest.raises(CodecError, match="more than 20,000 elements"):
        read_picture(tmp_path / "a.dcm")


def test_values_of_a_dicom_file_that_cannot_be_taken_apart(tmp_path: Path) -> None:
    tag = b"\x28\x00\x11\x00US\x02\x00"
    (tmp_path / "a.dcm").write_bytes(FILES["scan.dcm"].replace(tag, b"\x28\x00\x11\x00US\x03\x00"))
    with pytest.raises(CodecError, match=r"a\.dcm"):
        image_size(tmp_path / "a.dcm")


def test_a_header_with_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"image,label\na.png,x\n')
    with pytest.raises(SourceError, match="never closed"):
        scan(tmp_path / "a.csv", layout="csv")


def test_names_within_an_arrow_type_that_are_no_text(tmp_path: Path) -> None:
    root = sample_datasets(tmp_path)["arrow-embedded"]
    data = (root / "images.arrow").read_bytes()
    (root / "images.arrow").write_bytes(data.replace(b"bytes\0", b"b\xfftes\0"))
    with pytest.raises(SourceError, match="Arrow file"):
        scan(root, layout="arrow")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [x]\nb: &b [*a, *a]\nnames: *b\n", "an alias"),
        ("names: " + "[" * 5000, "nested 5,000 deep"),
        ("names: [" + "x, " * 400_000 + "]", "characters"),
        ("names: !!python/name:os.system", "could not determine a constructor"),
    ],
)
def test_yaml_that_is_more_than_it_seems(tmp_path: Path, text: str, message: str) -> None:
    good(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "data.yaml").write_text(text)
    found = scan(tmp_path, layout="yolo")
    assert found.images == 1
    assert any(one.name == "data.yaml" and message in one.message for one in found.unreadable), found.unreadable


def test_a_thing_whose_category_is_not_listed(tmp_path: Path) -> None:
    root = sample_datasets(tmp_path)["jsonl"]
    text = (root / "images.jsonl").read_text().splitlines()
    row = json.loads(text[1])
    row["objects"]["categories"] = [None for _ in row["objects"]["categories"]]
    (root / "images.jsonl").write_text("\n".join([text[0], json.dumps(row), *text[2:]]) + "\n")
    found = prepare(root, tmp_path / "store", layout="jsonl", on_error="skip", size=8)
    assert sum(found.counts.values()) + len(found.failed) == 4


def test_an_outline_with_half_a_corner(tmp_path: Path) -> None:
    root = sample_datasets(tmp_path)["jsonl"]
    lines = (root / "images.jsonl").read_text().splitlines()
    row = json.loads(lines[1])
    row["objects"]["polygons"][0][0].pop()
    (root / "images.jsonl").write_text("\n".join([lines[0], json.dumps(row), *lines[2:]]) + "\n")
    found = prepare(root, tmp_path / "store", layout="jsonl", on_error="skip", size=8)
    assert sum(found.counts.values()) == 3
    assert "x and a y" in str(found.failed[0]) or "corner" in str(found.failed[0])


def test_names_within_a_parquet_file_that_are_no_text(tmp_path: Path) -> None:
    root = sample_datasets(tmp_path)["parquet-embedded"]
    data = (root / "images.parquet").read_bytes()
    told: list[str] = []
    for place in [n for n in range(len(data)) if data[n : n + 5] == b"bytes"]:
        (root / "images.parquet").write_bytes(data[:place] + b"b\xfftes" + data[place + 5 :])
        try:
            scan(root, layout="parquet")
        except SourceError as error:
            told.append(str(error))
    # Some of the places are within values, where any byte may stand.
    assert any("utf-8" in one for one in told), told


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for number in range(4):
        good(tmp_path / "in" / ("cat", "dog")[number % 2] / f"{number}.png", number)
    prepare(tmp_path / "in", tmp_path / "store", size=8)
    return tmp_path / "store"


@pytest.mark.parametrize(
    ("word", "value"), [("parts", []), ("parts", {"train": {}}), ("image", None), ("classes", "cat"), ("categories", 1)]
)
def test_a_store_that_describes_itself_wrongly(store: Path, word: str, value: object) -> None:
    said = json.loads((store / "dataset.json").read_text())
    (store / "dataset.json").write_text(json.dumps(said | {word: value}))
    with pytest.raises(SourceError, match="prepare it again"):
        open_dataset(store)


def test_a_store_whose_table_lacks_columns(store: Path) -> None:
    table = pl.read_parquet(store / "manifest.parquet")
    table.drop("entry").write_parquet(store / "manifest.parquet")
    with pytest.raises(SourceError, match="prepare the dataset again"):
        open_dataset(store)
    (store / "manifest.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(SourceError, match="prepare the dataset again"):
        open_dataset(store)


def test_a_store_with_other_columns(store: Path) -> None:
    with pa.ipc.open_stream(store / "train.arrow") as reader:
        batch, schema = reader.read_next_batch(), reader.schema
    names = ["other" if name == "key" else name for name in schema.names]
    renamed = pa.RecordBatch.from_arrays(batch.columns, schema=pa.schema(
        [field.with_name(name) for field, name in zip(schema, names, strict=True)], schema.metadata))  # fmt: skip
    with pa.ipc.new_stream(store / "train.arrow", renamed.schema) as file:
        file.write_batch(renamed)
    with pytest.raises(SourceError, match="a column of keys"):
        open_dataset(store)


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes on POSIX alone")
def test_names_that_are_no_utf8_are_left_out_and_told(tmp_path: Path) -> None:
    good(tmp_path / "in" / "a.png")
    odd = os.fsdecode(b"b\xff.png")
    good(tmp_path / "in" / odd, 1)
    found = prepare(tmp_path / "in", tmp_path / "store", size=8)
    assert sum(found.counts.values()) == 1
    assert [failure.key for failure in found.failed] == [odd]
    assert pl.read_parquet(tmp_path / "store" / "manifest.parquet")["key"].to_list() == ["a.png", "b\\udcff.png"]
    with pytest.raises(SourceError, match="UTF-8"):
        open_dataset(tmp_path / "in")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    good(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    found = scan(tmp_path)
    assert {one.name for one in found.unreadable} == {"pipe.png", "zero.png"}
    for name in ("pipe.png", "zero.png"):
        for read in (read_picture, read_mask):
            with pytest.raises(CodecError, match="a pipe, socket or device"):
                read(tmp_path / name)


@pytest.mark.skipif(os.name != "posix", reason="links in circles are a matter of POSIX")
def test_links_in_circles_are_named(tmp_path: Path) -> None:
    good(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").symlink_to("b.png")
    found = prepare(tmp_path / "in", tmp_path / "store", size=8, on_error="skip")
    assert [failure.key for failure in found.failed] == ["b.png"]
    good(tmp_path / "masks" / "a.png")
    assert scan(tmp_path / "in", masks=tmp_path / "masks", allow_missing_masks=True).masks == 1


def test_heaps_of_hdf5_files_that_keep_the_library_busy(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"] = np.zeros((4, 8, 8), np.uint8)
        file.attrs["classes"] = ["cat", "dog"]
    assert scan(tmp_path / "a.h5").images == 4
    data = bytearray((tmp_path / "a.h5").read_bytes())
    heap = data.index(b"GCOL")
    data[heap + 16 : heap + 18] = bytes(2)  # the first object is free space
    data[heap + 24 : heap + 32] = bytes(8)  # of no size
    (tmp_path / "a.h5").write_bytes(data)
    (found,) = run(tmp_path, [("scan", tmp_path / "a.h5", {"layout": "hdf5"})])
    assert found["outcome"] == "SourceError"
    assert "damaged heap" in found["message"]


def test_pictures_of_any_kind_have_pixels(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
        assert isinstance(im.read_picture(tmp_path / name), Picture)
