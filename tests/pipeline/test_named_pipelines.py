"""A preset is a pipeline, and a name or a file will do wherever a pipeline is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.pipeline import as_pipeline, named_pipeline

PHOTO = np.random.default_rng(0).integers(0, 256, (66, 100, 3), dtype=np.uint8)


def test_a_preset_is_a_pipeline_and_iterates_over_its_transforms() -> None:
    pipe = im.preset("photo", 32, seed=3)
    assert isinstance(pipe, im.Pipeline)
    assert pipe.seed == 3
    assert pipe(PHOTO).shape == (32, 32, 3)
    longer = im.Pipeline([*pipe, im.Normalize("imagenet")], seed=3)
    assert longer.transforms[:-1] == pipe.transforms == tuple(pipe)


def test_another_pipeline_gives_its_transforms_and_rules() -> None:
    rules = im.BoxRules(min_area=16)
    first = im.Pipeline([im.Flip("x")], seed=1, boxes=rules, swap=())
    assert im.Pipeline(first, seed=2) == first.with_seed(2)
    assert im.Pipeline(first, boxes=im.BoxRules(min_area=9)).boxes.min_area == 9


@pytest.mark.parametrize(
    ("name", "size", "shape"),
    [
        ("photo", None, (224, 224, 3)),
        ("photo", (24, 40), (24, 40, 3)),
        ("crops", (24, 40), (24, 40, 3)),
        ("gray", [16, 8], (16, 8, 3)),
        ("segmentation", (24, 24), (24, 24, 3)),
    ],
)
def test_sizes_of_pictures(name: str, size: Any, shape: tuple[int, ...]) -> None:
    assert im.preset(name, size, seed=1)(PHOTO).shape == shape


@pytest.mark.parametrize(("size", "shape"), [(16, (11, 16, 16)), ((5, 16, 16), (5, 16, 16)), ((9, 9), (11, 9, 9))])
def test_a_scan_keeps_its_slices_unless_asked(size: Any, shape: tuple[int, ...]) -> None:
    scan = np.random.default_rng(0).integers(0, 900, (11, 30, 34)).astype(np.int16)
    assert im.preset("scan", size, seed=1)(scan, axes="zyx").shape == shape


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("photo", (2, 3, 4), r"size of the preset photo as a side or \(y, x\), got \(2, 3, 4\); it has no z"),
        ("scan", (20, 30), r"one side for the preset scan, which cuts out squares, got \(20, 30\); write 20"),
        ("segmentation", (20, 30), "one side for the preset segmentation"),
        ("nnunet-3d", (20, 30), r"preset nnunet-3d as a side or \(z, y, x\)"),
        ("photo", "32", "a preset's size as a side"),
        ("photo", 0, "a preset's size as a side"),
        ("photo", True, "a preset's size as a side"),
        ("foto", None, r"a preset of photo, crops, .*got 'foto'; did you mean 'photo'\?"),
    ],
)
def test_sizes_and_names_that_it_cannot_have(name: str, size: Any, message: str) -> None:
    with pytest.raises(im.ParameterError, match=message):
        im.preset(name, size)


def test_photos_keep_their_proportions_and_end_in_a_mirror() -> None:
    lines = np.zeros((60, 120, 3), np.uint8)
    lines[:, 60:] = 255
    still = im.Pipeline([t for t in im.preset("photo", 60) if type(t).__name__ == "Resize"], seed=0)(lines)
    assert np.array_equal(still, lines[:, 30:90])
    moved = {type(t).__name__: t.border for t in im.preset("photo") if hasattr(t, "border")}
    assert moved == {"Rotate": "reflect", "Zoom": "reflect", "Shift": "reflect"}


def test_whatever_stands_for_a_pipeline_is_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    pipe = im.preset("gray", 8, seed=5)
    pipe.to_yaml(path)
    assert as_pipeline(pipe) is pipe
    assert as_pipeline(path) == as_pipeline(str(path)) == pipe
    assert as_pipeline("gray").digest == im.preset("gray").digest
    assert as_pipeline(im.Flip("x")).transforms == as_pipeline([im.Flip("x")]).transforms == (im.Flip("x"),)
    for wrong in (42, None):
        with pytest.raises(im.InputError, match="expected a Pipeline, the name of a preset or a pipeline file, got"):
            as_pipeline(wrong)


def test_loaders_verbs_and_figures_take_names(tmp_path: Path) -> None:
    labels = np.zeros(8, int)
    batch = next(iter(im.Loader((np.stack([PHOTO] * 8), labels), "photo", batch_size=4, seed=1)))
    assert batch.image.shape == (4, 224, 224, 3)
    assert len(im.augmented([PHOTO], "photo")) == 1
    assert im.grid("photo", PHOTO, rows=1, columns=2).ndim == 3
    im.write_picture(tmp_path / "in/a.png", im.Picture(PHOTO, "yxc"))
    assert im.augment(tmp_path / "in", tmp_path / "out", "photo").made == 1


def test_names_that_are_none_say_what_is_near(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("transforms: []", "utf-8")
    with pytest.raises(im.InputError, match=r"got 'Photos'; did you mean 'photo'\?"):
        named_pipeline("Photos")
    with pytest.raises(im.InputError, match=r"where there is none; did you mean '.*mine\.yaml'\?"):
        named_pipeline(tmp_path / "mnie.yaml")
    with pytest.raises(im.InputError, match=r"write one: imagemill explain -p photo --yaml > other\.yaml"):
        named_pipeline(tmp_path / "other.yaml")
    with pytest.raises(im.InputError, match="expected size with a preset"):
        named_pipeline(tmp_path / "mine.yaml", 32)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: im.Pipeline("photo"), r"that preset is the pipeline imagemill\.preset\('photo'\)"),  # type: ignore[arg-type]
        (lambda: im.Pipeline("my.yaml"), r"read a file with Pipeline\.load\('my\.yaml'\)"),  # type: ignore[arg-type]
        (lambda: im.Pipeline([im.Flip]), r"the class Flip as number 1; call it: Flip\(\.\.\.\)"),  # type: ignore[list-item]
        (lambda: im.Pipeline(["Flip"]), "the text 'Flip' as number 1"),  # type: ignore[list-item]
        (lambda: im.Pipeline([im.preset("photo")]), r"a Pipeline as number 1; put its transforms in: \[\*pipeline"),  # type: ignore[list-item]
        (lambda: im.Pipeline([len]), r"a builtins\.builtin_function_or_method as number 1; .*Apply"),  # type: ignore[list-item]
        (lambda: im.Pipeline(im.Flip("x"), im.Gray()), r"write Pipeline\(\[Flip\(\.\.\.\), Gray\(\.\.\.\)\]\)"),  # type: ignore[arg-type]
        (lambda: im.Pipeline(3), "got int"),  # type: ignore[arg-type]
        (lambda: im.Pipeline.from_yaml("my.yaml"), r"got the name 'my\.yaml'; read a file with Pipeline\.load"),
        (lambda: im.Pipeline.from_yaml(Path("my.yaml")), r"got the path 'my\.yaml'; read a file with Pipeline\.load"),  # type: ignore[arg-type]
        (lambda: im.Pipeline.from_json("my.json"), r"got the name 'my\.json'; read a file with"),
        (lambda: im.Pipeline.from_dict("photo"), r"that preset is the pipeline imagemill\.preset\('photo'\)"),
        (lambda: im.Pipeline.load("photo"), r"that preset is the pipeline imagemill\.preset\('photo'\)"),
        (lambda: im.Pipeline.load({"transforms": []}), r"got a mapping; read it with Pipeline\.from_dict"),  # type: ignore[arg-type]
        (lambda: im.Pipeline.load("seed: 3\ntransforms: []"), r"got text; read it with Pipeline\.from_yaml"),
    ],
)
def test_what_is_no_list_of_transforms_says_what_to_write(make: Any, message: str) -> None:
    with pytest.raises(im.InputError, match=message):
        make()
