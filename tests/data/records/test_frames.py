"""The frame in which annotations are meant, from every verb: boxes are found again in the pixels as they are seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
from typer.testing import CliRunner

import imagemill as im
from imagemill.app.cli import app
from imagemill.data import Instance, Record, Source, open_source
from imagemill.data.records.instances import RLE
from imagemill.data.records.orientation import Seen, objects_on
from imagemill.verbs.export.export import export

HEIGHT, WIDTH = 40, 24
BOX = (4, 6, 8, 20)  # as it is seen: left, top, width, height
# What undoes each orientation: Pillow's own table, the other way round (6 and 8 undo each other).
UNDO = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_90,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_270,
}
FLIP = im.Pipeline([im.Flip("x")], seed=1)


def scene(height: int = HEIGHT, width: int = WIDTH, box: tuple[int, int, int, int] = BOX) -> PIL.Image.Image:
    """A dark picture with one bright rectangle, as it is seen."""
    shown = np.full((height, width, 3), 20, np.uint8)
    x, y, w, h = box
    shown[y : y + h, x : x + w] = 230
    return PIL.Image.fromarray(shown)


def save(path: Path, shown: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """Write a picture so that EXIF turns it into what is seen; give it as it is stored."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = shown.transpose(UNDO[orientation]) if orientation > 1 else shown
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    stored.save(path, exif=exif, **({"quality": 98, "subsampling": 0} if path.suffix == ".jpg" else {}))
    seen = np.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(path)))
    assert seen.shape[:2] == shown.size[::-1]
    return stored


def bright(values: Any) -> list[int]:
    """Edges of what is bright: left, top, right, bottom."""
    array = np.asarray(values)
    rows, columns = np.nonzero((array[..., 0] if array.ndim == 3 else array) > 120)
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


def coco(folder: Path, entries: list[tuple[str, tuple[int, int], dict[str, Any]]]) -> Path:
    """A COCO file of pictures with one annotation each: name, height and width, annotation."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "images": [
            {"id": n, "file_name": name, "height": size[0], "width": size[1]}
            for n, (name, size, _) in enumerate(entries, 1)
        ],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "iscrowd": 0, **one} for n, (*_, one) in enumerate(entries, 1)
        ],
        "categories": [{"id": 1, "name": "patch", "keypoints": ["corner"], "skeleton": []}],
    }
    (folder / "annotations.json").write_text(json.dumps(told))
    return folder


def annotation(pixels: Any) -> dict[str, Any]:
    """Box, outline and keypoint of what is bright in an array, in its own frame."""
    left, top, right, bottom = bright(pixels)
    return {
        "bbox": [left, top, right - left, bottom - top],
        "segmentation": [[left, top, right, top, right, bottom, left, bottom]],
        "keypoints": [left, top, 2],
        "num_keypoints": 1,
    }


def edges(boxes: Any, shape: Any) -> list[float]:
    (one,) = np.asarray(boxes.to("xyxy", tuple(shape)).array).tolist()
    return [round(value, 3) for value in one]


def from_open(source: Path | Source, _: Path, **how: Any) -> tuple[Any, list[float]]:
    sample = im.open(source, **how)[0]
    return sample.image, edges(sample.boxes, sample.image.shape[:2])


def from_loader(source: Path | Source, _: Path, **how: Any) -> tuple[Any, list[float]]:
    batch = next(iter(im.Loader(im.open(source, **how), batch_size=1, seed=1)))
    return batch.image[0], edges(batch.boxes[0], batch.image[0].shape[:2])


def from_augment(source: Path | Source, out: Path, **how: Any) -> tuple[Any, list[float]]:
    im.augment(source, out, FLIP, to="coco", format=".png", **how)
    return from_open(out, out)


def from_export(source: Path | Source, out: Path, **how: Any) -> tuple[Any, list[float]]:
    made = export(source, out, "csv", **how)
    assert made.problems == ()
    return from_open(out, out)


def from_prepare(source: Path | Source, out: Path, **how: Any) -> tuple[Any, list[float]]:
    im.prepare(source, out, split=0, val=0, **how)
    return from_open(out, out)


VERBS: dict[str, Callable[..., tuple[Any, list[float]]]] = {
    "open": from_open,
    "loader": from_loader,
    "augment": from_augment,
    "export": from_export,
    "prepare": from_prepare,
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("frame", ["stored", "shown"])
def test_boxes_lie_where_they_were_drawn(tmp_path: Path, frame: str, orientation: int, verb: str) -> None:
    stored = save(tmp_path / "in/a.jpg", scene(), orientation)
    meant = np.asarray(stored if frame == "stored" else scene())
    coco(tmp_path / "in", [("a.jpg", meant.shape[:2], annotation(meant))])  # type: ignore[list-item]
    # Half turns and mirrors have one size both ways: there the word of the user decides.
    source = open_source(tmp_path / "in", frame=frame if orientation in (2, 3, 4) else "auto")
    pixels, box = VERBS[verb](source, tmp_path / "out")
    assert box == bright(pixels)


def test_every_part_of_a_thing_is_turned(tmp_path: Path) -> None:
    stored = np.asarray(save(tmp_path / "a.png", scene(), 6))
    left, top, right, bottom = bright(stored)
    flat = np.flatnonzero(np.diff(np.concatenate([[0], (stored[..., 0] > 120).T.ravel(), [0]])))
    runs = RLE(*stored.shape[:2], tuple(np.diff([0, *flat, stored[..., 0].size]).tolist()))
    thing = Instance("patch", None, ((left, top, right, top, right, bottom),), runs, ((left, top, 2),))
    record = Record("a.png", tmp_path / "a.png", objects=(thing,), size=stored.shape[:2])  # type: ignore[arg-type]
    x, y, w, h = BOX
    (seen,), note = objects_on(record, Seen(stored.shape[:2], 6))  # type: ignore[arg-type]
    assert (min(seen.polygons[0][::2]), max(seen.polygons[0][1::2])) == (x, y + h)
    assert (seen.keypoints, note) == (((x + w - 1, y, 2),), "")
    assert seen.rle is not None
    mask = (np.repeat(np.arange(len(seen.rle.counts)) % 2, seen.rle.counts)).reshape(WIDTH, HEIGHT).T
    assert bright(mask * 230) == [x, y, x + w, y + h]
    # Read without turning, what was drawn on the picture as it is seen goes the other way.
    drawn = Record("a.png", tmp_path / "a.png", objects=(Instance("patch", BOX),), size=(HEIGHT, WIDTH))
    (back,), _ = objects_on(drawn, Seen(stored.shape[:2], 6, turned=False))  # type: ignore[arg-type]
    assert back.box == (left, top, right - left, bottom - top)


def test_masks_as_runs_go_by_their_own_size(tmp_path: Path) -> None:
    stored = save(tmp_path / "in/a.png", scene(), 8)
    flat = np.diff(np.flatnonzero(np.diff(np.concatenate([[1], np.asarray(stored)[..., 0].T.ravel() < 120, [2]]))))
    size = list(stored.size[::-1])
    said = {**annotation(scene()), "segmentation": {"size": size, "counts": [0, *flat.tolist()][: 1 + len(flat)]}}
    runs = np.asarray(stored)[..., 0].T.ravel() > 120
    changes = np.flatnonzero(np.diff(runs)) + 1
    said["segmentation"]["counts"] = np.diff([0, *changes, runs.size]).tolist()
    coco(tmp_path / "in", [("a.png", (HEIGHT, WIDTH), said)])
    made = export(tmp_path / "in", tmp_path / "out", "coco")
    assert made.problems == ()
    (record,) = open_source(tmp_path / "out")
    (thing,) = record.objects or ()
    assert thing.rle is not None
    assert (thing.rle.height, thing.rle.width) == (HEIGHT, WIDTH)
    mask = np.repeat(np.arange(len(thing.rle.counts)) % 2, thing.rle.counts).reshape(WIDTH, HEIGHT).T
    assert bright(mask * 230) == bright(scene())


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
@pytest.mark.parametrize("frame", ["auto", "stored"])
def test_yolo_belongs_to_the_picture_as_it_is_seen(tmp_path: Path, frame: str, orientation: int, verb: str) -> None:
    stored = save(tmp_path / "in/images/a.jpg", scene(), orientation)
    meant = np.asarray(stored if frame == "stored" else scene())
    left, top, right, bottom = bright(meant)
    height, width = meant.shape[:2]
    line = (0, (left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height)
    (tmp_path / "in/labels").mkdir()
    (tmp_path / "in/labels/a.txt").write_text(" ".join(map(str, line)) + "\n")
    (tmp_path / "in/data.yaml").write_text("names: [patch]\n")
    source = open_source(tmp_path / "in", frame=frame)
    pixels, box = VERBS[verb](source, tmp_path / "out")
    assert box == pytest.approx(bright(pixels), abs=1e-3)
    said = [note for note in source.notes if "EXIF" in note]
    assert len(said) == (orientation != 1)
    assert all(("as was asked" in note) == (frame == "stored") for note in said)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", ["voc", "csv"])
def test_other_layouts_that_state_a_size(tmp_path: Path, kind: str, verb: str) -> None:
    save(tmp_path / "in/JPEGImages/a.jpg", scene(), 8)
    x, y, w, h = BOX
    if kind == "voc":
        (tmp_path / "in/Annotations").mkdir()
        (tmp_path / "in/Annotations/a.xml").write_text(
            f"<annotation><size><width>{WIDTH}.0</width><height>{HEIGHT}</height></size><object><name>patch</name>"
            f"<bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin><xmax>{x + w}</xmax><ymax>{y + h}</ymax></bndbox>"
            "</object></annotation>"
        )
    else:
        boxes = json.dumps({"bbox": [[x, y, w, h]], "categories": ["patch"]}).replace('"', '""')
        text = f'image,height,width,objects\nJPEGImages/a.jpg,{HEIGHT},{WIDTH},"{boxes}"\n'
        (tmp_path / "in/labels.csv").write_text(text)
    pixels, box = VERBS[verb](open_source(tmp_path / "in", layout=kind), tmp_path / "out")
    assert box == bright(pixels)


# ------------------------------------------------------------------------------------------ sizes that fit both ways


def test_others_of_the_source_are_the_witnesses(tmp_path: Path) -> None:
    entries = []
    for orientation in (3, 6, 2):
        stored = np.asarray(save(tmp_path / f"in/{orientation}.png", scene(), orientation))
        entries.append((f"{orientation}.png", stored.shape[:2], annotation(stored)))
    source = open_source(coco(tmp_path / "in", entries))  # type: ignore[arg-type]
    for sample in im.open(source):
        assert edges(sample.boxes, sample.image.shape[:2]) == bright(sample.image)
    (note,) = (note for note in source.notes if "EXIF" in note)
    assert note.startswith(
        "2 annotated pictures are turned by EXIF and of a size that fits both ways up (2.png; 3.png)"
    )
    assert "as it is stored, like the annotations of the others" in note


def test_without_a_witness_it_is_as_seen_and_said_once(tmp_path: Path) -> None:
    square = scene(32, 32)
    for name in "ab":
        save(tmp_path / f"in/{name}.png", square, 6)
    entries = [(f"{name}.png", (32, 32), annotation(square)) for name in "ab"]
    source = open_source(coco(tmp_path / "in", entries))
    sample = im.open(source)[1]
    assert edges(sample.boxes, (32, 32)) == bright(sample.image) == bright(square)
    said = [note for note in source.notes if "EXIF" in note]
    assert len(said) == 1
    assert "2 annotated pictures" in said[0]
    assert "as it is seen; frame='stored' (--option frame=stored) says otherwise" in said[0]
    shown = CliRunner().invoke(app, ["scan", str(tmp_path / "in")])
    assert shown.output.count("fits both ways up") == 1
    assert open_source(tmp_path / "in", frame="shown").notes == ()


def test_the_frame_is_one_of_three_words(tmp_path: Path) -> None:
    save(tmp_path / "a.png", scene(), 1)
    with pytest.raises(im.InputError, match="expected frame to be 'auto', 'stored' or 'shown', got 'turned'"):
        open_source(tmp_path, frame="turned")


# ------------------------------------------------------------------------------------------ label maps


@pytest.mark.parametrize("verb", ["open", "loader", "augment", "export", "prepare"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("frame", ["stored", "shown"])
def test_label_maps_are_turned_by_their_size(tmp_path: Path, frame: str, orientation: int, verb: str) -> None:
    stored = save(tmp_path / "in/images/a.jpg", scene(), orientation)
    meant = np.asarray(stored if frame == "stored" else scene())[..., 0]
    (tmp_path / "in/masks").mkdir()
    PIL.Image.fromarray((meant > 120).astype(np.uint8)).save(tmp_path / "in/masks/a.png")
    said = frame if orientation in (2, 3, 4) else "auto"
    source = open_source(tmp_path / "in/images", tmp_path / "in/masks", frame=said)
    out = tmp_path / "out"
    if verb == "loader":
        batch = next(iter(im.Loader(im.open(source), batch_size=1, seed=1)))
        image, mask = batch.image[0], batch.mask[0]
    else:
        if verb == "augment":
            im.augment(source, out, FLIP)
            out, more = out / "images", {"masks": out / "masks"}
        elif verb == "export":
            export(source, out, "image-masks")
            more = {}
        elif verb == "prepare":
            im.prepare(source, out, split=0, val=0)
            more = {}
        sample = im.open(source if verb == "open" else open_source(out, **more) if verb != "prepare" else out)[0]
        image, mask = sample.image, sample.mask
    assert bright(np.asarray(mask) * 230) == bright(image)


def test_a_label_map_with_a_turn_of_its_own_is_not_turned_twice(tmp_path: Path) -> None:
    stored = save(tmp_path / "images/a.jpg", scene(), 3)
    exif = PIL.Image.Exif()
    exif[0x0112] = 3
    (tmp_path / "masks").mkdir()
    labels = (np.asarray(stored)[..., 0] > 120).astype(np.uint8)
    PIL.Image.fromarray(labels).save(tmp_path / "masks/a.png", exif=exif)
    sample = im.open(tmp_path / "images", masks=tmp_path / "masks", frame="stored")[0]
    assert bright(np.asarray(sample.mask) * 230) == bright(sample.image)


# ------------------------------------------------------------------------------------------ sizes that are not so


def wrong(folder: Path, size: tuple[int, int]) -> Path:
    """A COCO set of one good picture and one whose size is stated wrongly."""
    for name in "ab":
        save(folder / f"{name}.png", scene(), 1)
    good, bad = annotation(scene()), {"bbox": [8, 12, 16, 40]}
    return coco(folder, [("a.png", (HEIGHT, WIDTH), good), ("b.png", size, bad)])


@pytest.mark.parametrize("size", [(50, 24), (WIDTH, HEIGHT), (80, 48)])
def test_a_size_that_is_not_so_is_named_by_every_verb(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = wrong(tmp_path / "in", size)
    words = f"b.png: expected a picture of {size[0]} x {size[1]} pixels as its annotations say, got {HEIGHT} x {WIDTH}"
    assert any(
        f"b.png: {size[0]} x {size[1]} stated, {HEIGHT} x {WIDTH} found" in n for n in im.open_source(folder).notes
    )
    assert [problem.name for problem in im.scan(folder).unreadable] == ["b.png"]
    with pytest.raises(im.CodecError, match=words):
        im.open(folder)["b.png"]
    with pytest.raises(im.CodecError, match=words):
        list(im.Loader(folder, batch_size=2, seed=1, on_error="raise"))
    with pytest.raises(im.CodecError, match=words):
        im.augment(folder, tmp_path / "stopped", FLIP)
    assert [failure.key for failure in im.augment(folder, tmp_path / "aug", FLIP, on_error="skip").failed] == ["b.png"]
    made = export(folder, tmp_path / "csv", "csv")
    assert (made.count, [problem.name for problem in made.problems]) == (1, ["b.png"])
    with pytest.raises(im.CodecError, match=words):
        im.prepare(folder, tmp_path / "store", split=0, val=0)
    told = im.prepare(folder, tmp_path / "store", split=0, val=0, on_error="skip")
    assert [failure.key for failure in told.failed] == ["b.png"]
    shown = CliRunner().invoke(app, ["scan", str(folder)])
    assert (shown.exit_code, "--option rescale=yes" in shown.output) == (1, True)


def test_a_size_that_is_not_so_is_scaled_when_asked(tmp_path: Path) -> None:
    folder = wrong(tmp_path / "in", (2 * HEIGHT, 2 * WIDTH))
    source = open_source(folder, rescale=True)
    assert "1 annotation of 1 image scaled from the size that is stated to the one the picture has" in source.notes
    for verb in VERBS.values():
        pixels, box = verb(
            Source(source.root, "x", source.records[1:], categories=("patch",)), tmp_path / verb.__name__
        )
        assert box == bright(pixels)
    shown = CliRunner().invoke(app, ["scan", str(folder), "--option", "rescale=yes"])
    assert (shown.exit_code, "scaled from the size" in shown.output) == (0, True)


def test_scaling_takes_outlines_points_and_masks_along(tmp_path: Path) -> None:
    save(tmp_path / "a.png", scene(), 6)
    big = np.asarray(scene().resize((3 * WIDTH, 2 * HEIGHT), PIL.Image.Resampling.NEAREST))
    runs = big[..., 0].T.ravel() > 120
    counts = np.diff([0, *(np.flatnonzero(np.diff(runs)) + 1), runs.size]).tolist()
    said = {**annotation(big), "segmentation": {"size": list(big.shape[:2]), "counts": counts}}
    source = open_source(coco(tmp_path, [("a.png", big.shape[:2], said)]), rescale=True)  # type: ignore[list-item]
    (record,) = source
    (thing,) = objects_on(record, Seen((WIDTH, HEIGHT), 6))[0]
    x, y, w, h = BOX
    assert (thing.box, record.size) == ((x, y, w, h), (HEIGHT, WIDTH))
    # The corner's pixel is 3 wide and 2 high in the large picture, and its first pixel lies in the first of it.
    assert thing.keypoints == ((pytest.approx(x + 0.5 / 3 - 0.5), pytest.approx(y + 0.25 - 0.5), 2),)
    assert thing.rle is not None
    mask = np.repeat(np.arange(len(thing.rle.counts)) % 2, thing.rle.counts).reshape(WIDTH, HEIGHT).T
    assert bright(mask * 230) == [x, y, x + w, y + h]


def test_preview_goes_by_the_same_rule(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png", scene(), 6)
    folder = coco(tmp_path / "in", [("a.png", (HEIGHT, WIDTH), annotation(scene()))])
    (tmp_path / "flip.yaml").write_text(FLIP.to_yaml())
    pipe = str(tmp_path / "flip.yaml")
    words = ["preview", str(folder / "a.png"), "-o", str(tmp_path / "p.png"), "--seed", "1", "-p", pipe]
    words += ["--boxes", str(folder / "annotations.json"), "--grid", "1x1"]
    made = CliRunner().invoke(app, words)
    assert made.exit_code == 0, made.output
    coco(tmp_path / "in", [("a.png", (HEIGHT, HEIGHT), annotation(scene()))])
    made = CliRunner().invoke(app, words)
    assert made.exit_code != 0
    assert isinstance(made.exception, im.SourceError) or "as its annotations say" in made.output
    made = CliRunner().invoke(app, [*words[:1], str(folder), *words[2:8]])
    assert made.exit_code != 0


# ------------------------------------------------------------------------------------------ beyond the edge


@pytest.mark.parametrize("to", ["yolo", "yolo-polygons", "tfrecord"])
def test_no_place_over_1_is_written_and_what_is_cut_is_counted(tmp_path: Path, to: str) -> None:
    save(tmp_path / "in/a.png", scene(), 1)
    outline = (-4.0, 6.0, 12.0, 6.0, 12.0, 26.0, -4.0, 26.0)
    things = (
        Instance("out", (-4.0, 6.0, 16.0, 20.0), (outline,)),
        Instance("gone", (30.0, 6.0, 5.0, 5.0), ((30.0, 6.0, 35.0, 6.0, 35.0, 9.0),)),
        Instance("in", (0.0, 0.0, float(WIDTH), HEIGHT + 9e-7)),
    )
    source = Source(tmp_path / "in", "x", (Record("a.png", tmp_path / "in/a.png", objects=things),))
    made = export(source, tmp_path / "out", to)
    text = " ".join(made.lost)
    assert "1 boxes that stand out of their picture" in text
    assert "1 boxes that lie outside their picture" in text
    assert "cut at the edge" in text
    assert "left out" in text
    if to == "tfrecord":
        (record,) = open_source(tmp_path / "out")
        found = np.array([thing.box for thing in record.objects or ()])
        assert found == pytest.approx(np.array([(0, 6, 12, 20), (0, 0, WIDTH, HEIGHT)]))
        return
    lines = [line.split() for line in (tmp_path / "out/labels/a.txt").read_text().splitlines()]
    values = np.array([float(value) for line in lines for value in line[1:]])
    assert len(lines) == 2
    assert values.min() >= 0
    assert values.max() <= 1
    (record,) = open_source(tmp_path / "out")
    assert (record.objects or ())[0].box == pytest.approx((0, 6, 12, 20), abs=1e-6)


def test_layouts_that_hold_places_anywhere_say_what_lies_beyond(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png", scene(), 1)
    things = (Instance("out", (-4.0, 6.0, 16.0, 20.0)), Instance("in", (0.0, 0.0, 4.0, 4.0)))
    source = Source(tmp_path / "in", "x", (Record("a.png", tmp_path / "in/a.png", objects=things),))
    made = export(source, tmp_path / "out", "coco")
    assert made.lost == ("1 boxes that stand out of their picture: written as they are where the layout can",)
    (record,) = open_source(tmp_path / "out")
    assert [thing.box for thing in record.objects or ()] == [thing.box for thing in things]
