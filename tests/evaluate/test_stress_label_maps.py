"""How far images with label maps may change before a network fails: Dice by hand, label maps moved with images."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import imagemill as im
from imagemill.evaluate import WorstGrid, profile
from imagemill.evaluate.inputs.asked_images import AskedImages
from imagemill.evaluate.stressing.answered_label_maps import as_label_maps
from imagemill.evaluate.stressing.asking import asked_of
from imagemill.evaluate.stressing.preparing import prepared
from tests.evaluate.made_up_scans import blocks

Array = np.ndarray[Any, Any]


def bright(images: Array) -> Array:
    """Marks what is brighter than 100: exactly the block of `blocks`, wherever it is."""
    return (images[..., 0] > 100).astype(np.uint8)


def here(images: Array) -> Array:
    """Marks the left half of the frame, whatever is there."""
    found = np.zeros(images.shape[:-1], np.uint8)
    found[..., : images.shape[-2] // 2] = 1
    return found


def halves(count: int = 4) -> tuple[Array, Array]:
    """Images 8x10 whose left half is class 1, and dark elsewhere."""
    truth = np.zeros((count, 8, 10), np.uint8)
    truth[:, :, :5] = 1
    return np.where(truth == 1, 200, 20).astype(np.uint8), truth


def test_label_maps_move_with_their_images() -> None:
    x, y = blocks(2, 5).test
    found = profile(bright, x, y, over="shift.x:-3,0,3,flip:x,rotate:90", worst=False)
    assert found.measure.name == "Dice"
    # What follows the pixels is right wherever they go, were the label map not moved it would not be.
    for one in found:
        assert [point.score.value for point in one.points] == [1.0] * len(one.points), one.name
        assert not one.still


def test_dice_falls_as_it_is_counted_by_hand_and_the_range_ends_where_it_was_planted() -> None:
    # The left half moves right by s of 10 columns, and the answer stays: they share 5 - s of 5 columns on the one side,
    # and what the shift repeats at the border is the label of the border: s columns more.
    x, y = halves()
    found = profile(here, x, y, over="shift.x:-3..3/7", refine=0)["shift.x"]
    # To the right the border repeats class 1: 5 + s columns are true, 5 answered, 5 shared. To the left 5 - s.
    expected = {s: 2 * min(5, 5 + s) / (5 + 5 + s) for s in range(-3, 4)}
    assert {point.magnitude: point.score.value for point in found.points} == pytest.approx(expected)
    # Of clean Dice, 1, 95 % holds to neither side for a whole pixel: 10 / 11 is 0.91.
    assert found.range == (0.0, 0.0)
    wide = profile(here, x, y, over="shift.x:-3..3/7", refine=0, hold=0.8)["shift.x"]
    assert wide.range == (-1.0, 2.0)  # 8/9 holds, 3/4 does not; 10/12 holds, 10/13 does not


def planted(lost: Array) -> tuple[Any, Array, Array]:
    """A network of three classes that answers without some columns of class 1 where an image is dark.

    Of 20 columns 8 are of class 1 and 8 of class 2. Of the darkened image k it leaves out ``lost[k]`` of class 1.
    """
    truth = np.zeros((len(lost), 2, 20), np.uint8)
    truth[:, :, :8], truth[:, :, 8:16] = 1, 2
    images = np.full((len(lost), 2, 20), 200, np.uint8)
    images[:, 0, -1] = 20 * np.arange(len(lost))  # its number

    def predict(given: Array) -> Array:
        said = np.broadcast_to(truth[0], given.shape[:-1]).copy()
        for row, image in enumerate(given[..., 0]):
            if image[0, 0] < 150:
                number = round(float(image[0, -1]) * 10 / float(image[0, 0]))
                said[row, :, : lost[number]] = 0
        return said

    return predict, images, truth


def test_intervals_are_students_over_images_and_over_patients_where_there_are_some() -> None:
    lost = np.array([0, 2, 4, 6, 4, 2])
    predict, x, y = planted(lost)
    # Columns k of 8 left out: 2 (8 - k) / (16 - k) of class 1, all of class 2; the mean over both.
    of_first = 2 * (8 - lost) / (16 - lost)
    dices = (of_first + 1) / 2
    data = AskedImages(x[..., None], y, ("0", "1", "2"))

    def at_half(data: AskedImages) -> Any:
        asked = asked_of(predict, data)
        said, clean = asked.about("dark", im.Pipeline([im.Brightness(0.5)], seed=0)), asked.about("clean", None)
        return asked, said, asked.share(said.items), asked.less(said.items, clean.items, 0.95)

    asked, said, share, margin = at_half(data)
    np.testing.assert_allclose(said.items, dices)
    interval = stats.t.interval(0.95, 5, dices.mean(), stats.sem(dices))
    assert (share.value, share.low, share.high) == pytest.approx((dices.mean(), interval[0], min(interval[1], 1.0)))
    assert margin.value == pytest.approx((dices - 0.95).mean())
    assert margin.low == pytest.approx(interval[0] - 0.95)
    first, second = asked.by_class(said)
    assert (first.value, second.value) == (pytest.approx(of_first.mean()), 1.0)
    # Two images a patient: means of three patients are what is independent.
    _, _, of_patients, _ = at_half(replace(data, groups=np.array(["a", "a", "b", "b", "c", "c"])))
    means = dices.reshape(3, 2).mean(axis=1)
    interval = stats.t.interval(0.95, 2, means.mean(), stats.sem(means))
    expected = (dices.mean(), max(interval[0], 0.0), min(interval[1], 1.0))
    assert (of_patients.value, of_patients.low, of_patients.high) == pytest.approx(expected)


def test_the_class_that_loses_is_named_with_what_it_loses() -> None:
    predict, x, y = planted(np.array([4, 4, 6, 4, 6, 4]))
    found = profile(predict, x, y, over="brightness:0.5,1", classes=["none", "head", "tail"], refine=0)
    one = found["brightness"]
    losing = one.breaks[0]
    assert (losing.name, losing.right, losing.others) == ("head", 6, 0.0)
    # 4 and 6 of 8 columns left out: 8/12 and 4/10 of Dice remain.
    gone = 1 - np.array([8 / 12] * 4 + [4 / 10] * 2)
    assert losing.lost == pytest.approx(gone.mean())
    p = stats.ttest_1samp(gone, 0).pvalue
    assert losing.adjusted_p == pytest.approx(2 * p)  # Holm over the two classes, whose tests are one
    assert "head (42 points of Dice) at 0.5 (others 0 points of Dice)" in one.classes_sentence
    assert "(head 0.578, tail 1.000)" in one.sentence
    assert "adjusted p" in found.page()
    assert "most called" not in found.page()
    assert found.headline.startswith("model: 1.000 [1.000, 1.000] Dice over 6 images; by class head 1.000")
    held = found.to_dict()
    point = held["profiles"][0]["points"][0]
    assert point["dice"]["value"] == pytest.approx(1 - gone.mean() / 2)
    assert point["dice_by_class"][0]["value"] == pytest.approx(1 - gone.mean())
    assert (held["measure"], held["clean_dice_by_class"][1]["value"]) == ("Dice", 1.0)


def test_the_worst_case_takes_the_lowest_dice_of_each_image() -> None:
    # Image 0 has its block left, image 1 right; the answer is the left half in both.
    x, y = halves(2)
    x[1], y[1] = x[1, :, ::-1], y[1, :, ::-1]
    found = profile(here, x, y, over="invert", worst=WorstGrid(0, 2, shifts=3)).worst
    assert found is not None
    assert len(found.places) == 9
    # By hand for moves of -2, 0, 2 columns: image 0: 6/8, 1, 10/12; image 1 (5 right columns of 10, mirrored): moved
    # left 7 columns are true of which 2 are answered, 4/12; else 0.
    assert found.score.value == pytest.approx((6 / 8 + 0) / 2)
    assert found.best.value == pytest.approx((1 + 4 / 12) / 2)
    assert found.mean == pytest.approx(((6 / 8 + 1 + 10 / 12) + 4 / 12) / 6)
    assert "0.375 [0.000, 1.000] Dice" in found.sentence
    assert "by class 1 0.375" in found.sentence


@pytest.mark.parametrize("form", ["numbers", "first", "last", "logit", "chance", "channel"])
def test_answers_of_every_usual_form_are_the_same_label_maps(form: str) -> None:
    draws = np.random.default_rng(1)
    maps = draws.integers(0, 2, (3, 4, 5, 6))
    logits = np.where(maps == 1, 2.0, -2.0)
    said = {
        "numbers": maps,
        "first": np.stack([-logits, logits], 1),
        "last": np.stack([-logits, logits], -1),
        "logit": logits,
        "chance": 1 / (1 + np.exp(-logits)),
        "channel": logits[:, None],
    }[form]
    np.testing.assert_array_equal(as_label_maps(said, maps.shape, ["0", "1"]), maps)


class Unit(torch.nn.Module):
    """Marks what is over half of the scale of 0 to 1, of images or volumes: channels first."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([0.5 - x, x - 0.5], 1) * 40


def test_modules_and_files_are_asked_with_the_scale_that_gives_the_highest_dice(tmp_path: Path) -> None:
    for frame in ((16, 12), (3, 16, 12)):
        data = blocks(3, 8, frame=frame)
        found = im.stress(Unit(), data, "gamma:0.5,1,2", worst=False, refine=0)
        expected = profile(lambda x: x[..., 0] > 127.5, *data.test, over="gamma:0.5,1,2", refine=0)
        assert "images come as 0..1, channels first, by the Dice of 8 images" in found.notes[0]
        scores = [[point.score for point in one["gamma"].points] for one in (found, expected)]
        assert scores[0] == scores[1]
        batch = {0: torch.export.Dim("batch")}
        example = torch.zeros(2, 1, *frame)
        torch.export.save(torch.export.export(Unit(), (example,), dynamic_shapes=(batch,)), tmp_path / "unit.pt2")
        again = im.stress(tmp_path / "unit.pt2", data, "gamma:0.5,1,2", worst=False, refine=0)
        assert again.to_dict()["profiles"] == found.to_dict()["profiles"]


def test_an_onnx_file_of_volumes_gives_the_same_figures(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    data = blocks(3, 5, frame=(3, 16, 12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the exporter that needs no further package
        torch.onnx.export(Unit(), (torch.zeros(1, 1, 3, 16, 12),), tmp_path / "unit.onnx", dynamo=False)
    found = im.stress(tmp_path / "unit.onnx", data, "gamma:0.5,1,2", worst=False, refine=0)
    expected = im.stress(Unit(), data, "gamma:0.5,1,2", worst=False, refine=0)
    assert found.to_dict()["profiles"] == expected.to_dict()["profiles"]
    with pytest.raises(im.InputError, match=r"got 16x12x1 \(height, width, channels\)"):
        im.stress(tmp_path / "unit.onnx", blocks(3, 5), "gamma")


def test_a_trained_network_is_asked_as_it_is(tmp_path: Path) -> None:
    data = blocks(12, 6)
    flips = im.Pipeline([im.Flip("x", p=0.5)], seed=0)
    compared = im.compare(data, [flips], model="unet", seeds=1, epochs=4, batch_size=4, workers=0, learning_rate=0.01)
    run = compared.runs[0]
    found = im.stress(run, data, "rotate:0,20,noise:0,0.3", worst=WorstGrid(10, 1, 3, 3), refine=0, out=tmp_path)
    assert found.clean.value == pytest.approx(compared.metrics[run.arm, "clean"][0].score)
    page = (tmp_path / "page.html").read_text()
    assert "Magnitudes that hold 95 % of clean Dice" in page
    assert "accuracy" not in page.split("<main")[-1].lower()
    assert json.loads((tmp_path / "results.json").read_text()) == found.to_dict()
    assert "lowest Dice" in (tmp_path / "table.md").read_text()


def test_a_prepared_dataset_is_asked_with_its_patients_and_the_values_of_all_parts(tmp_path: Path) -> None:
    images, maps = blocks(24, 2).train
    maps = np.where(maps == 1, 255, 0).astype(np.uint8)
    maps[0, 0, 0] = 7  # a class that one image alone has
    for row, (image, label_map) in enumerate(zip(images, maps, strict=True)):
        name = f"patient{row % 8}_{row}.png"
        for folder, array in (("images", image[..., 0]), ("masks", label_map)):
            (tmp_path / "raw" / folder).mkdir(parents=True, exist_ok=True)
            im.data.write_picture(tmp_path / "raw" / folder / name, im.data.Picture(array, "yx"))
    im.prepare(tmp_path / "raw", tmp_path / "set", split=0.4, group=r"(patient\d+)")

    def predict(given: Array) -> Array:
        return (given[..., 0] > 100).astype(np.uint8) * 2

    found = im.stress(predict, tmp_path / "set", "invert", part="all", worst=False)
    assert (found.classes, found.scored) == (("0", "7", "255"), ("7", "255"))
    assert "24 images of 8 groups: intervals are over groups" in found.notes
    assert "of 24 label maps 23 without 7: there Dice is 1 where the answer has none, else 0" in found.notes
    first, second = found.clean_by_class
    assert first is not None
    assert second is not None
    assert first.value == pytest.approx(23 / 24)
    assert second.value > 0.99
    one_part = im.stress(predict, tmp_path / "set", "invert", worst=False)
    assert one_part.classes == ("0", "7", "255")
    with pytest.raises(im.InputError, match="expected one label an image, or a label map"):
        im.stress(predict, tmp_path / "set", "invert", task="classification")


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        (lambda x: np.zeros((len(x), 2)), r"a number for each of 2 classes \(0, 1\) and each of 8x10 pixels.*\[4, 2\]"),
        (lambda x: np.full(x.shape[:3], 255), "class numbers from 0 to 1, for the values 0, 1, got 255 to 255"),
        (lambda x: np.full(x.shape[:3], np.nan), "NaN or infinities for 4 of 4"),
        (lambda x: np.zeros((len(x), 3, *x.shape[1:3])), r"got answers \[4, 3, 8, 10\]"),
        (lambda x: np.full(x.shape[:3], "a"), "expected numbers for 2 classes"),
    ],
)
def test_answers_that_are_no_label_maps_are_named(predict: Any, words: str) -> None:
    with pytest.raises(im.InputError, match=words):
        profile(predict, *halves(), over="invert")


def test_what_cannot_be_asked_says_so() -> None:
    x, y = halves()
    with pytest.raises(im.InputError, match="label maps of two classes or more"):
        im.stress(here, (x, y * 0), "invert")
    with pytest.raises(im.InputError, match="got images with label maps; leave the task out"):
        im.stress(here, (x, y), "invert", task="classification")
    with pytest.raises(im.ParameterError, match="a task of classification or segmentation, got 'boxes'"):
        im.stress(here, (x, y), "invert", task="boxes")
    found = im.stress(here, (x, y), "corruption:fog", worst=False, refine=0)
    with pytest.raises(im.InputError, match="mean corruption error, which is of classifiers, got Dice"):
        found.corruption_error(found)
    lost = profile(lambda given: np.zeros(given.shape[:3], np.uint8), x, y, over="invert")
    assert "is no better than calling every pixel 1 (0.667): ranges mean nothing" in lost.notes[0]
    with pytest.raises(im.InputError, match="none better than chance"):
        prepared_of_nothing(x, y)


def prepared_of_nothing(x: Array, y: Array) -> None:
    from imagemill.evaluate.stressing.open_model import opened

    class Nothing(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x * 0 + 1, x * 0], 1)

    prepared(opened(Nothing()), AskedImages(x[..., None], y, ("0", "1")))
