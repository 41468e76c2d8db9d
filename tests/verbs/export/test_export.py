"""Export: what goes along, what is refused, and that nothing half-made looks whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

import imagemill as im
from imagemill.core.errors import InputError, SourceError
from imagemill.data import Record, Source, open_source
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.codecs.channels import orient
from imagemill.data.layouts.base import WriteTarget
from imagemill.data.layouts.export_files import MARKER, is_unfinished
from imagemill.data.layouts.registry import layout_named
from imagemill.data.records.instances import RLE, Instance
from imagemill.data.records.loading import encoded, load_picture
from imagemill.data.records.record import Blob
from imagemill.verbs.export.export import export
from tests.data.pictures import digests, photos

HEIGHT, WIDTH = 24, 40
BOX = (6.0, 4.0, 12.0, 5.0)
"""Of a bright thing in the stored pixels: left, top, width, height."""


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    return photos(tmp_path / "in", "cat/1.png", "cat/2.jpg", "dog/1.png")


# ----------------------------------------------------------------------------------------------- what goes along


def test_bytes_are_copied_and_linked(classes: Path, tmp_path: Path) -> None:
    before = digests(classes)
    export(classes, tmp_path / "copied", "csv")
    export(classes, tmp_path / "linked", "csv", files="link")
    for name, digest in before.items():
        assert digests(tmp_path / "copied")[f"images/{name}"] == digest
        assert not os.path.samefile(classes / name, tmp_path / "copied/images" / name)
        assert os.path.samefile(classes / name, tmp_path / "linked/images" / name)
    assert digests(classes) == before


def test_a_format_is_asked_for(classes: Path, tmp_path: Path) -> None:
    made = export(classes, tmp_path / "out", "class-folders", format="tif")
    assert sorted(r.key for r in open_source(tmp_path / "out")) == ["cat/1.tif", "cat/2.tif", "dog/1.tif"]
    assert (made.count, made.lost, made.problems) == (3, (), ())


def test_pictures_are_embedded(classes: Path, tmp_path: Path) -> None:
    export(classes, tmp_path / "out", "parquet", embed=True)
    assert [p.name for p in (tmp_path / "out").iterdir() if p.name != MARKER] == ["images.parquet"]
    assert all(isinstance(r.image, Blob) for r in open_source(tmp_path / "out"))


def test_progress_counts_records(classes: Path, tmp_path: Path) -> None:
    told: list[int] = []
    export(classes, tmp_path / "out", "hdf5", progress=told.append)
    assert told == [1, 2, 3]


@pytest.mark.parametrize(("to", "name"), [("npz", "images.npz"), ("hdf5", "images.h5")])
def test_one_file_may_be_named_or_put_into_a_folder(tmp_path: Path, to: str, name: str) -> None:
    source = photos(tmp_path / "in", "cat/1.png", "dog/2.png")
    named = tmp_path / f"mine{Path(name).suffix}"
    assert export(source, named, to).out == named
    assert len(open_source(named)) == 2
    export(source, tmp_path / "folder", to)
    assert (tmp_path / "folder" / name).is_file()
    assert open_source(tmp_path / "folder").layout == to
    with pytest.raises(SourceError, match="allow to overwrite"):
        export(source, named, to)
    export(source, named, to, overwrite=True)


def test_a_table_may_be_exported_beside_itself(classes: Path, tmp_path: Path) -> None:
    export(classes, tmp_path / "tar", "webdataset")
    shard = tmp_path / "tar/images-000000.tar"
    assert export(shard, tmp_path / "tar/unpacked", "class-folders").count == 3


# ----------------------------------------------------------------------------------------------- what is refused


def test_a_folder_in_use_is_refused(classes: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    for to in ("csv", "idx", "nnunet", "npz", "coco"):
        for overwrite in (False, True):
            with pytest.raises(SourceError, match=r"with thesis\.txt; choose another folder"):
                export(_boxed(classes), tmp_path / "out", to, overwrite=overwrite)
    assert (tmp_path / "out/thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("to", ["csv", "class-folders", "idx", "nnunet", "npz", "webdataset"])
def test_only_our_own_is_overwritten(tmp_path: Path, to: str) -> None:
    out = tmp_path / "out"
    export(photos(tmp_path / "in", "cat/1.png", "cat/3.png", "dog/1.png"), out, to)
    less = photos(tmp_path / "less", "cat/1.png")
    with pytest.raises(SourceError, match="earlier export"):
        export(less, out, to)
    export(less, out, to, overwrite=True)
    assert len(open_source(out, layout=to)) == 1
    (out / "more.txt").write_text("added later")
    with pytest.raises(SourceError, match=r"with more\.txt"):
        export(less, out, to, overwrite=True)


def test_a_place_in_the_source_is_refused(classes: Path, tmp_path: Path) -> None:
    for out in (classes, classes / "out", classes / "cat/../deep/out"):
        for source in (classes, open_source(classes)):
            with pytest.raises(SourceError, match="expected a place outside the source"):
                export(source, out, "csv")
    os.symlink(classes, tmp_path / "alias")
    with pytest.raises(SourceError, match="expected a place outside the source"):
        export(classes, tmp_path / "alias/out", "csv")
    assert sorted(p.name for p in classes.iterdir()) == ["cat", "dog"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"to": "cvs"}, "expected the name of a layout, got 'cvs'"),
        ({"to": "dicom"}, "read only"),
        ({"to": "csv", "format": ".xyz"}, "expected a format of"),
        ({"to": "csv", "files": "move"}, "expected files to be 'copy' or 'link', got 'move'"),
        ({"to": "csv", "speed": 3}, "expected options of"),
        ({"to": "split-folders"}, "expected a source with splits"),
        ({"to": "image-masks"}, "expected a source with label maps"),
        ({"to": "yolo"}, "expected a source with boxes"),
        ({"to": "voc"}, "expected a source with boxes or label maps"),
        ({"to": "tiff-stack"}, "expected a volume"),
    ],
)
def test_what_cannot_be_is_said_and_leaves_nothing(
    classes: Path, tmp_path: Path, words: dict[str, str], error: str
) -> None:
    with pytest.raises((SourceError, InputError), match=error):
        export(classes, tmp_path / "out", **words)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_labels_are_needed_for_class_folders(tmp_path: Path) -> None:
    plain = photos(tmp_path / "in", "1.png", "2.png")
    for to in ("class-folders", "class-tree"):
        with pytest.raises(SourceError, match="expected a source with labels"):
            export(plain, tmp_path / "out", to)


# ----------------------------------------------------------------------------------------------- what is not kept


def _boxed(folder: Path) -> Source:
    source = open_source(folder)
    things = (Instance("cat", (2.0, 3.0, 4.0, 5.0)),)
    return replace(source, records=tuple(replace(r, objects=things, group="g", split="train") for r in source))


def test_what_is_lost_is_named(classes: Path, tmp_path: Path) -> None:
    lost = export(_boxed(classes), tmp_path / "out", "class-folders").lost
    assert [text.partition(":")[0] for text in lost] == ["3 boxes", "3 pictures' groups", "3 pictures' splits"]
    assert export(_boxed(classes), tmp_path / "table", "jsonl").lost == ()


@pytest.mark.parametrize("to", ["class-folders", "csv", "parquet", "webdataset", "npz", "hdf5", "nnunet"])
def test_what_cannot_be_written_is_named(classes: Path, tmp_path: Path, to: str) -> None:
    (classes / "cat/1.png").write_bytes(b"no picture")
    made = export(classes, tmp_path / "out", to, format=".tif")  # else bytes are copied as they are
    assert [problem.name for problem in made.problems] == ["cat/1.png"]
    assert len(open_source(tmp_path / "out", layout=to)) == made.count == 2


def test_nothing_that_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    folder = photos(tmp_path / "in", "cat/1.png")
    (folder / "cat/1.png").write_bytes(b"no picture")
    for to in ("class-folders", "csv", "webdataset", "npz", "nnunet"):
        with pytest.raises(SourceError, match=r"got none[;:] "):
            export(folder, tmp_path / "out", to, format=".jpg" if to != "nnunet" else ".png")
        assert not (tmp_path / "out").exists()


# ----------------------------------------------------------------------------------------------- stopped in between


@pytest.mark.parametrize("to", ["class-folders", "csv", "webdataset", "idx", "npz", "nnunet"])
def test_an_export_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    folder = photos(tmp_path / "in", "cat/1.png", "cat/2.png", "dog/1.png")

    def full(done: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(folder, tmp_path / "out", to, progress=full)
    assert not (tmp_path / "out").exists()


def test_an_export_that_was_killed_does_not_look_whole(classes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = f"""
import time
from imagemill.verbs.export.export import export
def wait(done):
    if done == 2:
        print("here", flush=True)
        time.sleep(60)
export({str(classes)!r}, {str(out)!r}, "class-folders", progress=wait)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)
    assert is_unfinished(out)
    source = open_source(out)
    assert "stopped before its end" in str(source.problems[0])
    assert any("stopped before its end" in str(p) for p in im.scan(out).unreadable)
    export(classes, out, "csv", overwrite=True)
    assert not is_unfinished(out)
    assert (open_source(out).layout, open_source(out).problems, len(open_source(out))) == ("csv", (), 3)


# ----------------------------------------------------------------------------------------------- turned by EXIF


def _turned(folder: Path, orientation: int) -> Source:
    """A JPEG that EXIF turns, with a bright thing, and COCO's annotations of the stored pixels."""
    folder.mkdir()
    stored = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y, w, h = map(int, BOX)
    stored[y : y + h, x : x + w] = 250
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    PIL.Image.fromarray(stored).save(folder / "a.jpg", quality=100, exif=exif)
    outline = (BOX[0], BOX[1], BOX[0] + BOX[2], BOX[1], BOX[0] + BOX[2], BOX[1] + BOX[3], BOX[0], BOX[1] + BOX[3])
    flat = np.flatnonzero(np.diff(np.concatenate([[0], (stored > 0).T.ravel(), [0]])))
    runs = RLE(HEIGHT, WIDTH, tuple(np.diff([0, *flat, stored.size]).tolist()))
    things = (
        Instance("light", BOX, polygons=(outline,)),
        Instance("light", BOX, rle=runs),
        Instance("light", BOX, keypoints=((BOX[0], BOX[1], 2),)),
    )
    record = Record("a.jpg", folder / "a.jpg", objects=things, size=(HEIGHT, WIDTH), frame="stored")
    return Source(folder, "made-up", (record,), categories=("light",), keypoint_names=("corner",))


def _bright(values: np.ndarray) -> tuple[float, float, float, float]:  # type: ignore[type-arg]
    rows, columns = np.nonzero(values > 120)
    return columns.min(), rows.min(), columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min()


@pytest.mark.parametrize("to", ["coco", "csv", "webdataset", "yolo", "voc", "tfrecord"])
@pytest.mark.parametrize("orientation", [1, 2, 6, 7, 8])
def test_annotations_turn_with_their_picture(tmp_path: Path, orientation: int, to: str) -> None:
    source = _turned(tmp_path / "in", orientation)
    made = export(source, tmp_path / "out", to, format=".png")
    assert made.problems == ()
    (record,) = open_source(tmp_path / "out")
    pixels = load_picture(record.image, ReadOptions(exif=False)).array
    assert pixels.shape == ((WIDTH, HEIGHT) if orientation > 4 else (HEIGHT, WIDTH))
    assert np.abs(pixels.astype(int) - load_picture(source.records[0].image).array).max() <= 1
    for thing in record.objects or ():
        assert thing.box == pytest.approx(_bright(pixels), abs=1e-3)
        for flat in thing.polygons:
            assert (min(flat[::2]), min(flat[1::2])) == pytest.approx(_bright(pixels)[:2])
        if thing.rle is not None:
            values = np.repeat(np.arange(len(thing.rle.counts)) % 2, thing.rle.counts)
            assert _bright(values.reshape(thing.rle.width, thing.rle.height).T * 250) == _bright(pixels)
        for x, y, _ in thing.keypoints:
            assert pixels[int(y), int(x)] > 120


@pytest.mark.parametrize("to", ["coco", "csv", "yolo", "voc", "tfrecord", "parquet"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_bytes_stay_and_annotations_are_written_for_the_picture_as_it_is_seen(
    tmp_path: Path, orientation: int, to: str
) -> None:
    source = _turned(tmp_path / "in", orientation)
    export(source, tmp_path / "out", to, embed=to == "parquet")
    (record,) = open_source(tmp_path / "out")
    assert encoded(record.image) == (tmp_path / "in/a.jpg").read_bytes()
    upright = np.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(tmp_path / "in/a.jpg")))
    (wanted, *_) = [thing.box for thing in record.objects or ()]
    assert wanted == pytest.approx(_bright(upright), abs=1e-3)
    x, y, w, h = _bright(upright)
    found = im.open(tmp_path / "out")[0].boxes.to("xyxy", upright.shape).array
    assert found == pytest.approx(np.array([[x, y, x + w, y + h]] * len(found)), abs=1e-3)


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_prepared_pictures_and_boxes_agree(tmp_path: Path, orientation: int) -> None:
    export(_turned(tmp_path / "in", orientation), tmp_path / "coco", "coco")
    export(_turned(tmp_path / "in2", orientation), tmp_path / "png", "coco", format=".png")
    shape = (WIDTH, HEIGHT) if orientation > 4 else (HEIGHT, WIDTH)
    for name in ("coco", "png"):
        im.prepare(tmp_path / name, tmp_path / f"{name}-made", size=shape)
        sample = im.open(tmp_path / f"{name}-made")[0]
        pixels = np.asarray(sample.image)
        assert pixels.shape == shape
        x, y, w, h = _bright(pixels)
        assert np.asarray(sample.boxes.to("xyxy", shape))[0] == pytest.approx([x, y, x + w, y + h], abs=1e-3)


def test_a_layout_alone_refuses_to_leave_annotations_behind(tmp_path: Path) -> None:
    source = _turned(tmp_path / "in", 6)
    for to, embed in (("coco", False), ("parquet", True)):
        with pytest.raises(SourceError, match="use export, which turns both"):
            layout_named(to).write(source, tmp_path / "out", WriteTarget(".png", embed=embed))
    assert orient(np.zeros((2, 3)), 6).shape == (3, 2)


def test_pictures_of_a_folder_images_are_not_written_into_a_second_one(tmp_path: Path) -> None:
    _turned(tmp_path / "in", 1)
    things = (Instance("x", (0.0, 0.0, 2.0, 2.0)),)
    records = tuple(Record(key, tmp_path / "in/a.jpg", objects=things) for key in ("images/a.jpg", "a.jpg"))
    export(Source(tmp_path / "in", "x", records), tmp_path / "out", "csv")
    back = open_source(tmp_path / "out")
    assert sorted(record.key for record in back) == ["a.jpg", "images/a.jpg"]
    assert not (tmp_path / "out/images/images").exists()
    assert len(list((tmp_path / "out/images").iterdir())) == 2
