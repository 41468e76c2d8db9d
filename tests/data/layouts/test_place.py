"""Pixels reach their place unchanged where they can, and an export stays apart from everything else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import imagemill as im
from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Instance, Picture, Record, Source, open_source
from imagemill.data.layouts.base import WriteTarget
from imagemill.data.layouts.export_files import MARKER, exporting, place_image, place_mask, refuse_mixing
from imagemill.data.layouts.folders.image_folders import Folder
from imagemill.data.layouts.shapes.stored_size import seen_of
from imagemill.data.records.orientation import Seen
from imagemill.data.records.record import Blob, Stored
from tests.data.pictures import digests, label_map, photo


def test_bytes_are_copied_with_their_suffix(tmp_path: Path) -> None:
    original = photo(tmp_path / "a.PNG")
    assert place_image(original, tmp_path / "out" / "b.v2", WriteTarget()).name == "b.v2.PNG"
    blob = Blob("x.tar: a", "", original.read_bytes)
    placed = place_image(blob, tmp_path / "out" / "c", WriteTarget(format="png"))
    assert (placed.name, placed.read_bytes()) == ("c.png", original.read_bytes())
    linked = place_image(original, tmp_path / "out" / "d", WriteTarget(files="link"))
    assert linked.stat().st_ino == original.stat().st_ino


@pytest.mark.parametrize(
    ("array", "axes", "suffix"),
    [
        (np.zeros((4, 6), np.uint16), "yx", ".png"),
        (np.zeros((4, 6, 3), np.uint8), "yxc", ".png"),
        (np.zeros((4, 6, 5), np.uint8), "yxc", ".tif"),
        (np.zeros((4, 6), np.float32), "yx", ".tif"),
        (np.zeros((2, 4, 6), np.int16), "zyx", ".nii.gz"),
    ],
)
def test_arrays_are_written_without_loss(tmp_path: Path, array: np.ndarray, axes: str, suffix: str) -> None:
    array = (np.arange(array.size).reshape(array.shape) % 251).astype(array.dtype)
    path = place_image(Stored("a", lambda: array, axes), tmp_path / "a", WriteTarget())
    assert path.name == f"a{suffix}"
    np.testing.assert_array_equal(im.read_picture(path).array, array)


def test_masks_never_become_jpeg(tmp_path: Path) -> None:
    mask = label_map(tmp_path / "m.png")
    assert place_mask(mask, tmp_path / "out" / "m", WriteTarget(format=".jpg")).suffix == ".png"
    labels = np.full((4, 6), 3, np.int64)
    path = place_mask(Stored("a", lambda: labels, "yx"), tmp_path / "out" / "n", WriteTarget(format="jpg"))
    np.testing.assert_array_equal(im.read_mask(path).array, labels)
    assert place_image(mask, tmp_path / "out" / "i", WriteTarget(format="jpg")).suffix == ".jpg"


def test_a_format_nobody_writes_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    source = Source(tmp_path, "folder", (Record("a.png", photo(tmp_path / "a.png")),))
    with pytest.raises(SourceError, match=r"expected a format of .*\.png.* got 'mgz'; choose one"):
        Folder().write(source, tmp_path / "out", WriteTarget(format="mgz"))
    assert not (tmp_path / "out").exists()


def test_one_bad_picture_is_named_and_the_others_are_written(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    rows = (("a.png", photo(tmp_path / "a.png")), ("b.png", tmp_path / "bad.png"), ("c.png", tmp_path / "gone.png"))
    source = Source(tmp_path, "folder", tuple(Record(key, path) for key, path in rows))
    written = Folder().write(source, tmp_path / "out", WriteTarget(format="tif"))
    assert (written.count, [problem.name for problem in written.problems]) == (1, ["b.png", "c.png"])
    assert sorted(path.name for path in (tmp_path / "out").glob("*.tif")) == ["a.tif"]


def test_foreign_folders_are_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(SourceError, match=r"with thesis\.txt; choose another folder"):
            refuse_mixing(tmp_path, WriteTarget(overwrite=overwrite))
    with pytest.raises(SourceError, match="got the file"):
        refuse_mixing(tmp_path / "thesis.txt", WriteTarget())
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_an_earlier_export_is_replaced_only_when_asked(tmp_path: Path) -> None:
    records = [Record(f"s/{n}.png", photo(tmp_path / f"{n}.png", n)) for n in range(3)]
    out = tmp_path / "out"
    Folder().write(Source(tmp_path, "folder", tuple(records)), out, WriteTarget())
    smaller = Source(tmp_path, "folder", (Record("t/0.png", records[0].image),))
    with pytest.raises(SourceError, match=r"with an earlier export; use another folder, or overwrite=True$"):
        Folder().write(smaller, out, WriteTarget())
    assert len(open_source(out)) == 3
    Folder().write(smaller, out, WriteTarget(overwrite=True))
    assert set(digests(out)) == {MARKER, "t/0.png"}
    assert not (out / "s").exists()
    (out / "mine.txt").write_text("x")
    with pytest.raises(SourceError, match=r"with mine\.txt"):
        Folder().write(smaller, out, WriteTarget(overwrite=True))
    assert (out / "t" / "0.png").is_file()


def test_a_forged_list_removes_nothing_outside(tmp_path: Path) -> None:
    victim = photo(tmp_path / "victim.png")
    out = tmp_path / "out"
    out.mkdir()
    (out / "link").symlink_to(tmp_path)
    lines = [{"layout": "folder"}, "../victim.png", str(victim), "link/victim.png", "link"]
    (out / MARKER).write_text("".join(json.dumps(line) + "\n" for line in lines))
    refuse_mixing(out, WriteTarget(overwrite=True))
    assert victim.is_file()


def test_a_stopped_export_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    records = tuple(Record(f"{n}.png", photo(tmp_path / f"{n}.png", n)) for n in range(4))

    def stop(count: int) -> None:
        if count == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Folder().write(Source(tmp_path, "folder", records), tmp_path / "out", WriteTarget(progress=stop))
    assert not (tmp_path / "out").exists()
    again = Folder().write(Source(tmp_path, "folder", records), tmp_path / "out", WriteTarget())
    assert again.count == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process that can be killed without cleaning up")
def test_a_killed_export_says_so_and_can_be_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with exporting(out, "folder", WriteTarget()) as job:
        job.image(Record("a.png", photo(tmp_path / "a.png")), "a")
    # As a kill leaves it: no last line, a torn one, and half a file under its temporary name.
    lines = (out / MARKER).read_text().splitlines()[:-1]
    (out / MARKER).write_text("\n".join([*lines, '"b.p']))
    (out / ".b.png.1-2.part").write_bytes(b"half")
    source = open_source(out)
    assert "stopped before its end" in str(source.problems[0])
    Folder().write(Source(tmp_path, "folder", (Record("c.png", tmp_path / "a.png"),)), out, WriteTarget(overwrite=True))
    assert open_source(out).problems == ()
    assert [record.key for record in open_source(out)] == ["c.png"]


def test_a_turned_picture_with_annotations_keeps_its_bytes_or_is_refused(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(np.zeros((10, 20, 3), np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert seen_of(tmp_path / "a.jpg") == Seen((10, 20), 6)
    record = Record("a.jpg", tmp_path / "a.jpg", objects=(Instance("x", (1.0, 1.0, 2.0, 2.0)),))
    with exporting(tmp_path / "out", "x", WriteTarget()) as job:
        assert job.image(record, "a") == "a.jpg"
    with pytest.raises(SourceError, match="EXIF data turns"), exporting(tmp_path / "b", "x", WriteTarget("png")) as job:
        job.image(record, "a")


def test_sizes_of_what_is_no_picture(tmp_path: Path) -> None:
    im.write_picture(tmp_path / "v.nii.gz", Picture(np.zeros((2, 3, 4), np.uint8), "zyx"))
    with pytest.raises(CodecError, match="expected a picture, got a volume"):
        seen_of(tmp_path / "v.nii.gz")
    (tmp_path / "cut.png").write_bytes(photo(tmp_path / "a.png").read_bytes()[:20])
    with pytest.raises(CodecError, match=r"cut\.png"):
        seen_of(tmp_path / "cut.png")
    assert seen_of(Blob("a", ".png", (tmp_path / "a.png").read_bytes)) == Seen((30, 40))
