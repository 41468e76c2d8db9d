"""`imagemill augment` and `preview` on annotated sets: what they write, draw and say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.app.figures.annotated_figures import shown_annotations
from imagemill.app.figures.draw_annotations import label_colour
from imagemill.core.targets import Image
from imagemill.data import open_source
from imagemill.data.records.instances import Instance
from imagemill.data.records.moved_annotations import Annotations
from tests.app.terminal import imagemill
from tests.verbs.augment.test_augment_annotations import agrees, made_up


def test_augment_writes_the_layout_asked_for_and_counts(tmp_path: Path) -> None:
    source = made_up(tmp_path, "coco")
    said = imagemill("augment", source, "-o", tmp_path / "out", "-p", "photo", "-n", "2", "--seed", "3", "--to", "csv")
    assert said.code == 0, said.out + said.err
    assert "csv: images.csv" in (said.out + said.err)
    boxes = sum(len(r.objects or ()) for r in open_source(tmp_path / "out"))
    assert f"boxes          {boxes}" in (said.out + said.err)
    again = imagemill(
        "augment", source, "-o", tmp_path / "out", "-p", "photo", "-n", "2", "--seed", "3", "--to", "yolo"
    )
    assert again.code != 0
    assert "to ('csv' before, 'yolo' now)" in " ".join((again.out + again.err).split())


def test_augment_names_what_a_layout_has_no_place_for(tmp_path: Path) -> None:
    source = made_up(tmp_path, "coco")
    said = imagemill("augment", source, "-o", tmp_path / "out", "-p", "photo", "--to", "yolo", "--seed", "3")
    assert said.code == 0
    assert "not kept:" in (said.out + said.err)
    assert "annotations' keypoints: the layout 'yolo' has no place for them" in (said.out + said.err)


def test_augment_takes_words_about_its_source(tmp_path: Path) -> None:
    source = made_up(tmp_path, "yolo")
    (source / "labels").rename(source / "boxes")
    said = imagemill(
        *("augment", source, "-o", tmp_path / "out", "-p", "photo", "--seed", "3"),
        *("--layout", "yolo", "--option", "labels=boxes"),
    )
    assert said.code == 0, said.out + said.err
    assert agrees(open_source(tmp_path / "out"), within=99.0) > 0


@pytest.mark.parametrize("layout", ["coco", "yolo", "voc", "csv"])
def test_preview_draws_what_is_annotated(tmp_path: Path, layout: str) -> None:
    source = made_up(tmp_path, layout)
    pipeline = tmp_path / "flip.yaml"
    im.Pipeline([im.Flip("x")], seed=1).to_yaml(pipeline)
    said = imagemill("preview", source, "-p", pipeline, "--grid", "1x1", "-o", tmp_path / "figure.png")
    assert said.code == 0, said.out + said.err
    assert "1 red, 1 green, 1 blue" in (said.out + said.err)
    figure = im.read_picture(tmp_path / "figure.png").array[..., :3].astype(int)
    # The frame of each box, in the colours of the first, second and third class.
    for number in (1, 2, 3):
        assert (np.abs(figure - label_colour(number)).sum(axis=2) < 12).sum() > 60


def test_what_is_shown_are_the_things_themselves() -> None:
    corners = (1.0, 1.0, 5.0, 1.0, 5.0, 4.0)
    things = Annotations((Instance("cat", (1, 1, 4, 3), (corners,), keypoints=((2.0, 2.0, 2), (0.0, 0.0, 0))),), (8, 9))
    made = shown_annotations(Image(np.zeros((8, 9, 3), np.uint8)), None, things, [(0, 1)])
    assert made.boxes is not None
    assert made.boxes.labels == ["cat"]
    assert made.keypoints is not None
    assert made.keypoints.visible.tolist() == [True, False]
    assert made.links == ((0, 1),)
    # Outlines count from the corner of the picture, indices from the centre of its first pixel.
    assert made.outlines[0].corners.tolist() == [[0.5, 0.5], [0.5, 4.5], [3.5, 4.5]]


def test_rules_for_boxes_are_options_and_come_again(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    im.write_picture(tmp_path / "in/a.png", im.Picture(np.zeros((20, 20), np.uint8), "yx"))
    # Of the first box half is left by the crop, of the second a tenth, of the third nothing.
    rows = ["a.png,8,0,4,10,half", "a.png,9,0,10,10,tenth", "a.png,14,0,4,4,none"]
    (tmp_path / "in/t.csv").write_text("\n".join(["image,x,y,width,height,class", *rows]) + "\n")
    (tmp_path / "crop.yaml").write_text(im.Pipeline([im.Crop(box=(0, 0, 10, 10))], seed=1).to_yaml())
    words = ["augment", tmp_path / "in/t.csv", "-p", tmp_path / "crop.yaml", "--to", "coco"]

    def left(name: str, *rules: str) -> list[tuple[str, tuple[float, ...] | None]]:
        said = imagemill(*words, "-o", tmp_path / name, *rules)
        assert said.code == 0, said.out + said.err
        (record,) = open_source(tmp_path / name)
        return [(thing.category, thing.box) for thing in record.objects or ()]

    assert [name for name, _ in left("plain")] == ["half", "tenth"]
    assert [name for name, _ in left("share", "--min-visibility", "0.3")] == ["half"]
    assert [name for name, _ in left("area", "--min-area", "15")] == ["half"]
    assert left("out", "--no-clip")[0] == ("half", (8, 0, 4, 10))
    table, recipes = tmp_path / "in/t.csv", tmp_path / "share/recipes.jsonl"
    how = ("--layout", "csv", "--option", "column.image=image")
    said = imagemill("replay", recipes, "--all", "--source", table, "-o", tmp_path / "again", *how)
    assert said.code == 0, said.out + said.err
    wrong = imagemill(
        "replay", tmp_path / "share/recipes.jsonl", "--verify", "--source", tmp_path / "in/t.csv", "--layout", "coco"
    )
    assert wrong.code != 0
