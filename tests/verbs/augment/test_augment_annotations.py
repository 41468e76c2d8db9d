"""`augment` on annotated sets: the same layout comes out, and what is annotated is where the pixels are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.testing as npt
import PIL.Image
import pytest

import imagemill as im
from imagemill.data import Picture, Source, open_source, read_jsonl
from imagemill.data.layouts.registry import known_layouts
from imagemill.data.layouts.shapes.rle import mask_from_rle, rle_from_mask
from imagemill.data.records.instances import Instance
from imagemill.data.records.loading import load_mask, load_picture
from imagemill.data.records.record import Record
from imagemill.verbs.augment.copy_annotations import IN_FILES
from tests.data.pictures import digests, outputs

COLOURS = {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250)}
HEIGHT, WIDTH = 60, 80
PIPELINE = im.Pipeline(
    [im.Flip("x", p=0.5), im.Flip("y", p=0.5), im.QuarterTurn(im.Choice((0, 1, 2, 3))), im.Crop((52, 52))], seed=3
)
SMOOTH = im.Pipeline([im.Zoom((0.8, 1.3)), im.Shift(pixels=(-9, 9)), im.Flip("x", p=0.5)], seed=5)


def scene(seed: int) -> tuple[np.ndarray, tuple[Instance, ...]]:
    """A black picture with a filled rectangle of each colour, and its annotations: by hand, from the numbers drawn."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    things = []
    for number, (name, colour) in enumerate(COLOURS.items()):
        # Each in a third of the picture, so that none covers another.
        left = 27 * number + int(rng.integers(0, 6))
        top, wide, high = int(rng.integers(0, 25)), int(rng.integers(8, 18)), int(rng.integers(8, 30))
        pixels[top : top + high, left : left + wide] = colour
        right, bottom = left + wide, top + high
        outline = ((left, top, right, top, right, bottom, left, bottom),) if number != 2 else ()
        keypoints = ((float(left), float(top), 2), (float(right - 1), float(bottom - 1), 1))
        things.append(
            Instance(name, (left, top, wide, high), tuple(tuple(map(float, p)) for p in outline), keypoints=keypoints)
        )
    return pixels, tuple(things)


def made_up(folder: Path, layout: str, count: int = 3, **changed: Any) -> Path:
    """A set in a layout, written by its own writer."""
    records = []
    for number in range(count):
        pixels, things = scene(number)
        path = folder / "pictures" / f"{number}.png"
        im.write_picture(path, Picture(pixels, "yxc"))
        mask = folder / "maps" / f"{number}.png"
        im.write_picture(mask, Picture(labels_of(pixels), "yx"))
        split = ("train", "val")[number % 2]
        records.append(
            Record(
                f"{number}.png", path, mask, "scene", None, things, split, f"g{number}", (HEIGHT, WIDTH), {"n": number}
            )
        )
    facts: dict[str, Any] = {"categories": tuple(COLOURS), "keypoint_names": ("first", "last"), "links": ((0, 1),)}
    facts["info"] = {"licenses": [{"id": 1, "name": "CC BY 4.0"}]}
    source = replace(Source(folder / "pictures", "made up", tuple(records), **facts), **changed)
    im.export(source, folder / layout, layout)
    return folder / layout


def labels_of(pixels: np.ndarray) -> np.ndarray:
    found = np.zeros(pixels.shape[:2], np.uint8)
    for number, colour in enumerate(COLOURS.values(), 1):
        found[(np.abs(pixels.astype(int) - colour).sum(axis=2) < 250)] = number
    return found


def extent(pixels: np.ndarray, name: str) -> tuple[float, float, float, float] | None:
    """Edges of what is in a picture of a colour: pixels that are nearer to it than to black."""
    rows, columns = np.nonzero(np.abs(pixels.astype(int) - COLOURS[name]).sum(axis=2) < 125)
    if not len(rows):
        return None
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


def agrees(source: Source, within: float) -> int:
    """Check every box of every picture against its pixels; how many were checked."""
    checked = 0
    for record in source:
        pixels = load_picture(record.image).array
        boxes = {thing.category: thing.box for thing in record.objects or ()}
        for name in COLOURS:
            seen, box = extent(pixels, name), boxes.get(name)
            if seen is None:
                # A sliver of less than half a pixel shows in no pixel.
                assert box is None or min(box[2:]) <= 0.5, (record.key, name, box)
                continue
            assert box is not None, (record.key, name, seen)
            x, y, w, h = box
            npt.assert_allclose((x, y, x + w, y + h), seen, atol=within, err_msg=f"{record.key} {name}")
            checked += 1
    return checked


BOXED = ("coco", "yolo", "yolo-polygons", "voc", "csv", "tsv", "json", "jsonl", "parquet", "arrow", "huggingface",
         "webdataset", "tfrecord")  # fmt: skip


@pytest.mark.parametrize("layout", BOXED)
def test_boxes_are_where_the_pixels_are_in_every_layout_that_has_them(tmp_path: Path, layout: str) -> None:
    source = made_up(tmp_path, layout)
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=3, workers=2)
    again = open_source(tmp_path / "out")
    assert (report.made, len(again), again.problems) == (9, 9, ())
    assert again.layout == open_source(source).layout
    assert agrees(again, within=0.01) == report.annotated.kept["boxes"] > 15
    assert report.annotated.kept["boxes"] + report.annotated.gone["boxes"] == 27


@pytest.mark.parametrize("layout", ["coco", "yolo", "voc", "csv"])
def test_boxes_agree_within_half_a_pixel_where_pixels_are_interpolated(tmp_path: Path, layout: str) -> None:
    report = im.augment(made_up(tmp_path, layout), tmp_path / "out", SMOOTH, copies=4)
    # VOC rounds each edge to a whole pixel on top.
    assert agrees(open_source(tmp_path / "out"), within=1.0 if layout == "voc" else 0.5) > 20
    assert any("rounded" in text for text in report.lost) == (layout == "voc")


@pytest.mark.parametrize("to", ["coco", "yolo", "csv", "parquet"])
def test_another_layout_may_be_asked_for(tmp_path: Path, to: str) -> None:
    source = made_up(tmp_path, "coco")
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=2, to=to)
    again = open_source(tmp_path / "out")
    assert (report.layout, again.layout) == (to, to)
    assert agrees(again, within=0.01) > 10
    assert any("polygons" in text for text in report.lost) == (to == "yolo")
    assert any("keypoints" in text for text in report.lost) == (to == "yolo")


def test_everything_else_of_a_record_goes_along(tmp_path: Path) -> None:
    im.augment(made_up(tmp_path, "coco"), tmp_path / "out", PIPELINE, copies=2)
    again = open_source(tmp_path / "out")
    assert again.categories == tuple(COLOURS)
    assert again.keypoint_names == ("first", "last")
    assert again.links == ((0, 1),)
    assert again.info["licenses"] == [{"id": 1, "name": "CC BY 4.0"}]
    said = {(r.split, r.group, r.label, r.attributes["n"]) for r in again}
    assert said == {("train", "g0", "scene", 0), ("val", "g1", "scene", 1), ("train", "g2", "scene", 2)}
    for record in again:
        height, width = load_picture(record.image).array.shape[:2]
        assert record.size == (height, width)
        for thing in record.objects or ():
            assert thing.box is not None
            x, y, w, h = thing.box
            # An outline is cut at the frame as its box is; a point stays in its corner pixel, or is not there.
            for part in thing.polygons:
                corners = np.reshape(part, (-1, 2))
                npt.assert_allclose((*corners.min(axis=0), *corners.max(axis=0)), (x, y, x + w, y + h), atol=1e-6)
            for px, py, seen in thing.keypoints:
                assert seen in (0, 1, 2)
                ends = {x, x + w - 1, y, y + h - 1}
                assert (px, py) == (0, 0) if seen == 0 else {round(px), round(py)} <= {round(e) for e in ends}


@pytest.mark.parametrize("layout", ["csv", "voc", "image-masks"])
def test_masks_show_the_same_as_their_picture(tmp_path: Path, layout: str) -> None:
    im.augment(made_up(tmp_path, layout), tmp_path / "out", PIPELINE, copies=2)
    again = open_source(tmp_path / "out")
    assert len(again) == 6
    assert again.layout == layout
    for record in again:
        assert record.mask is not None
        npt.assert_array_equal(load_mask(record.mask).array, labels_of(load_picture(record.image).array))


def test_masks_of_things_move_as_label_maps(tmp_path: Path) -> None:
    def with_runs(record: Record) -> Record:
        labels = labels_of(load_picture(record.image).array)
        things = record.objects or ()
        moved = [replace(t, polygons=(), rle=rle_from_mask(labels == n), crowd=n == 3) for n, t in enumerate(things, 1)]
        return replace(record, objects=tuple(moved))

    source = open_source(made_up(tmp_path, "coco"))
    source = replace(source, records=tuple(map(with_runs, source)))
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    again = open_source(tmp_path / "out")
    checked = 0
    for record in again:
        labels = labels_of(load_picture(record.image).array)
        for thing in record.objects or ():
            number = list(COLOURS).index(thing.category) + 1
            assert thing.rle is not None
            npt.assert_array_equal(mask_from_rle(thing.rle), labels == number)
            assert thing.crowd == (number == 3)
            checked += 1
    assert checked == report.annotated.kept["instance masks"] > 10


def test_an_outline_is_cut_where_a_crop_cut_it_even_if_a_frame_is_put_around(tmp_path: Path) -> None:
    # Of 8 x 8 at 4, 4 a crop of the first 8 columns and rows leaves 4 x 4; padding puts it 3 further.
    pixels = np.zeros((20, 20, 3), np.uint8)
    im.write_picture(tmp_path / "in/in.png", Picture(pixels, "yxc"))
    outline = (4.0, 4.0, 12.0, 4.0, 12.0, 12.0, 4.0, 12.0)
    thing = Instance("red", (4, 4, 8, 8), (outline,), attributes={"area": 64})
    source = Source(
        tmp_path / "in", "coco", (Record("in.png", tmp_path / "in/in.png", objects=(thing,), size=(20, 20)),)
    )
    pipe = im.Pipeline([im.Crop(box=(0, 0, 8, 8)), im.Pad((3, 3))], seed=1)
    im.augment(source, tmp_path / "out", pipe, to="coco")
    (record,) = open_source(tmp_path / "out")
    (moved,) = record.objects or ()
    assert moved.box == (7, 7, 4, 4)
    assert moved.attributes["area"] == 16
    corners = np.reshape(moved.polygons[0], (-1, 2))
    assert {tuple(c) for c in corners.tolist()} == {(7, 7), (11, 7), (11, 11), (7, 11)}


def test_a_turned_outline_has_the_box_around_it_and_not_around_its_turned_box(tmp_path: Path) -> None:
    # A disc of radius 20 stays one: its box is 40 wide after any turn, where the turned box's would be 40 * sqrt(2).
    im.write_picture(tmp_path / "in/in.png", Picture(np.zeros((100, 100, 3), np.uint8), "yxc"))
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    disc = tuple((50 + 20 * np.stack([np.cos(angle), np.sin(angle)], axis=1)).ravel().tolist())
    record = Record("in.png", tmp_path / "in/in.png", objects=(Instance("red", (30, 30, 40, 40), (disc,)),))
    source = Source(tmp_path / "in", "coco", (record,))
    im.augment(source, tmp_path / "out", im.Pipeline([im.Rotate(45)], seed=1), to="csv")
    (again,) = open_source(tmp_path / "out")
    assert again.objects is not None
    assert again.objects[0].box is not None
    npt.assert_allclose(again.objects[0].box, (30, 30, 40, 40), atol=0.02)


def test_a_run_that_was_stopped_writes_the_same_annotations_in_the_end(tmp_path: Path) -> None:
    source = made_up(tmp_path, "coco", count=6)

    def stop(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    for name, workers in (("whole", 1), ("two", 2), ("stopped", 1)):
        out = tmp_path / name
        if name == "stopped":
            with pytest.raises(KeyboardInterrupt):
                im.augment(source, out, PIPELINE, copies=2, progress=stop)
            assert not (out / "annotations").exists()
            # What is there is no whole set, and says so.
            assert "stopped before its end" in str(open_source(out).problems)
        im.augment(source, out, PIPELINE, copies=2, workers=workers)
    assert digests(tmp_path / "whole") == digests(tmp_path / "two") == digests(tmp_path / "stopped")
    assert open_source(tmp_path / "stopped").problems == ()


def test_an_annotation_that_changed_is_made_anew_and_others_are_not(tmp_path: Path) -> None:
    source = made_up(tmp_path, "coco")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    path = source / "annotations/instances_val.json"
    told = json.loads(path.read_text("utf-8"))
    told["annotations"] = told["annotations"][:1]
    path.write_text(json.dumps(told), "utf-8")
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    assert (report.made, report.present) == (2, 4)
    assert all(len(r.objects or ()) <= 1 for r in open_source(tmp_path / "out") if r.split == "val")


def test_overwriting_leaves_nothing_of_the_layout_before(tmp_path: Path) -> None:
    source = made_up(tmp_path, "coco")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    with pytest.raises(im.InputError, match=r"to \('coco' before, 'csv' now\)"):
        im.augment(source, tmp_path / "out", PIPELINE, copies=2, to="csv")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2, to="csv", overwrite=True)
    assert not (tmp_path / "out/annotations").exists()
    assert open_source(tmp_path / "out").layout == "csv"
    assert len(outputs(tmp_path / "out")) == 6


def test_overwriting_by_a_set_without_annotations_takes_the_old_ones_away(tmp_path: Path) -> None:
    im.augment(made_up(tmp_path, "coco"), tmp_path / "out", PIPELINE)
    im.augment(made_up(tmp_path, "class-folders"), tmp_path / "out", PIPELINE, overwrite=True)
    again = open_source(tmp_path / "out")
    assert (again.layout, again.problems) == ("class-folders", ())
    assert not (tmp_path / "out/annotations").exists()


def test_what_is_not_annotated_any_more_leaves_no_file_behind(tmp_path: Path) -> None:
    source = made_up(tmp_path, "voc")
    im.augment(source, tmp_path / "out", PIPELINE)
    (source / "Annotations/1.xml").unlink()
    report = im.augment(source, tmp_path / "out", PIPELINE)
    assert (report.made, report.present) == (1, 2)
    assert len(list((tmp_path / "out/Annotations").iterdir())) == 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_annotations_turn_as_exif_turns_their_picture(tmp_path: Path, orientation: int) -> None:
    # Marked on the stored pixels; what comes out is upright, and so are they.
    pixels, things = scene(1)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "in").mkdir()
    PIL.Image.fromarray(pixels).save(tmp_path / "in/a.png", exif=exif)
    record = Record("a.png", tmp_path / "in/a.png", objects=things, size=(HEIGHT, WIDTH), frame="stored")
    source = Source(tmp_path / "in", "coco", (record,), categories=tuple(COLOURS))
    im.augment(source, tmp_path / "out", im.Pipeline([im.Flip("y")], seed=1), to="coco")
    assert agrees(open_source(tmp_path / "out"), within=0.01) == 3


def test_stopped_while_annotations_are_written_the_next_run_writes_them(tmp_path: Path, monkeypatch: Any) -> None:
    source = made_up(tmp_path, "voc", count=4)
    im.augment(source, tmp_path / "whole", PIPELINE)
    moved: list[str] = []
    replace_file = Path.replace

    def full(self: Path, target: Any) -> Any:
        if ".annotations-" in str(self):
            moved.append(self.name)
            if len(moved) == 2:
                raise OSError(28, "No space left on device")
        return replace_file(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(im.SourceError, match="No space left"):
            im.augment(source, tmp_path / "out", PIPELINE)
    assert "stopped before its end" in str(open_source(tmp_path / "out").problems)
    report = im.augment(source, tmp_path / "out", PIPELINE)
    assert (report.made, report.present) == (0, 4)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


@pytest.mark.parametrize("layout", ["coco", "class-folders"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_the_files_of_an_export_are_not_touched(tmp_path: Path, layout: str, overwrite: bool) -> None:
    before = digests(made_up(tmp_path / "other", "voc"))
    with pytest.raises(im.SourceError, match="got the export in"):
        im.augment(made_up(tmp_path, layout), tmp_path / "other/voc", PIPELINE, overwrite=overwrite)
    assert digests(tmp_path / "other/voc") == before


def test_what_cannot_be_written_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    source = made_up(tmp_path, "class-folders")
    for to, match in (("yolo", "with boxes"), ("dicom", "only read"), ("foo", "name of a layout")):
        with pytest.raises(im.SourceError, match=match):
            im.augment(source, tmp_path / "out", PIPELINE, to=to)
        assert not (tmp_path / "out").exists()


def test_label_maps_that_a_layout_has_no_place_for_are_written_and_named(tmp_path: Path) -> None:
    source = made_up(tmp_path, "yolo")
    for number, split in enumerate(("train", "val", "train")):
        im.write_picture(tmp_path / f"masks/{split}/{number}.png", Picture(labels_of(scene(number)[0]), "yx"))
    report = im.augment(source, tmp_path / "out", PIPELINE, masks=tmp_path / "masks")
    assert any(text.startswith("3 label maps: written to masks/") for text in report.lost)
    assert open_source(tmp_path / "out").layout == "yolo"
    assert sum(r.mask is not None for r in open_source(tmp_path / "out", tmp_path / "out/masks")) == 3


@pytest.mark.parametrize("layout", ["coco", "voc", "image-masks"])
def test_outputs_can_be_remade_and_checked(tmp_path: Path, layout: str) -> None:
    source = made_up(tmp_path, layout)
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    assert im.verify(tmp_path / "out", source=source).ok
    row = read_jsonl(tmp_path / "out/recipes.jsonl").rows[0]
    assert im.replay(tmp_path / "out", row["output"], source) == (tmp_path / "out" / row["output"]).read_bytes()


@pytest.mark.parametrize("layout", [each.name for each in known_layouts() if each.writes])
def test_every_layout_either_says_where_images_go_or_keeps_their_pixels(tmp_path: Path, layout: str) -> None:
    alone = 1 if layout == "file" else 3
    records = []
    for number in range(alone):
        pixels, things = scene(number)
        shape = "zyx" if layout == "tiff-stack" else "yxc"
        array = np.moveaxis(pixels, -1, 0).copy() if layout == "tiff-stack" else pixels
        path = tmp_path / "in" / f"{number}.tif"
        im.write_picture(path, Picture(array, shape))
        mask = None
        if layout != "tiff-stack":
            mask = tmp_path / "maps" / f"{number}.png"
            im.write_picture(mask, Picture(labels_of(pixels), "yx"))
        split = ("train", "test")[number % 2]
        things = () if layout == "tiff-stack" else things
        records.append(Record(f"{number}.tif", path, mask, "a/scene", None, things, split))
    source = Source(tmp_path / "in", "made up", tuple(records), categories=tuple(COLOURS))
    report = im.augment(source, tmp_path / "out", im.Pipeline([im.Flip("x")], seed=1), copies=1, to=layout)
    assert any((tmp_path / "out").glob(".pictures/**/*.tif")) == (layout in IN_FILES)
    again = open_source(tmp_path / "out", layout="image-masks" if layout == "file" else layout)
    assert len(again) == report.made == alone
    for record in again:
        array = load_picture(record.image).array
        flipped = [np.moveaxis(scene(n)[0], -1, 0)[:, :, ::-1] if layout == "tiff-stack" else scene(n)[0][:, ::-1]
                   for n in range(alone)]  # fmt: skip
        assert any(np.array_equal(array, one) for one in flipped)


def test_lists_on_disk_keep_their_keys_and_reports_say_polygons(tmp_path: Path) -> None:
    source = made_up(tmp_path, "coco")
    report = im.augment(source, tmp_path / "out", PIPELINE, copies=3)
    assert report.annotated.gone["polygons"] > 0
    assert "outlines" not in report.annotated.gone
    lists = [p.read_text(encoding="utf-8") for p in (tmp_path / "out").rglob("*.jsonl")]
    assert any('"outlines":' in text for text in lists)
    assert im.augment(source, tmp_path / "out", PIPELINE, copies=3).annotated == report.annotated


def test_what_the_pipeline_asks_of_boxes_holds_for_written_ones(tmp_path: Path) -> None:
    im.write_picture(tmp_path / "in/in.png", Picture(np.zeros((20, 20, 3), np.uint8), "yxc"))
    things = [Instance("red", (x, 0.0, 10.0, 4.0), attributes={"truncated": 0}) for x in (0.0, 6.0, 3.0)]
    source = Source(tmp_path / "in", "coco", (Record("in.png", tmp_path / "in/in.png", objects=tuple(things)),))
    pipe = im.Pipeline([im.Crop(box=(0, 0, 20, 10))], boxes=im.BoxRules(min_visibility=0.5), seed=1)
    report = im.augment(source, tmp_path / "out", pipe, to="voc")
    (record,) = open_source(tmp_path / "out")
    assert [t.box for t in record.objects or ()] == [(0, 0, 10, 4), (3, 0, 7, 4)]
    # A box that was cut does not hold all of its thing any more.
    assert [t.attributes["truncated"] for t in record.objects or ()] == [0, 1]
    assert (report.annotated.kept["boxes"], report.annotated.gone["boxes"]) == (2, 1)
    assert im.verify(tmp_path / "out", source=tmp_path / "in").ok


def test_left_and_right_change_places_in_a_mirror_and_hidden_stays_with_its_point(tmp_path: Path) -> None:
    im.write_picture(tmp_path / "in/in.png", Picture(np.zeros((20, 30, 3), np.uint8), "yxc"))
    face = Instance("face", (2.0, 2.0, 20.0, 10.0), keypoints=((10.0, 5.0, 2), (4.0, 3.0, 1), (18.0, 4.0, 2)))
    records = (Record("in.png", tmp_path / "in/in.png", objects=(face,)),)
    source = Source(tmp_path / "in", "coco", records, keypoint_names=("nose", "left_eye", "right_eye"))
    im.augment(source, tmp_path / "out", im.Pipeline([im.Flip("x")], seed=1), to="coco")
    (record,) = open_source(tmp_path / "out")
    # x becomes 29 - x; what stands first of the two is the left eye of the face in the mirror: hidden no more.
    assert record.objects is not None
    assert record.objects[0].keypoints == ((19, 5, 2), (11, 4, 2), (25, 3, 1))
