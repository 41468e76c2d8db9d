"""Whole recommendations on drawn bars: what was done to the wild images is what is proposed, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import imagemill as im
from imagemill.evaluate import Data, Recommendation
from imagemill.evaluate.recommendations import closing
from imagemill.evaluate.recommendations.corrections import CORRECTIONS, Correction, Frame2d
from tests.evaluate.drawn import glyphs

Arrays = tuple[np.ndarray, np.ndarray]


def data(colours: int = 1, classes: int = 2) -> tuple[Arrays, Arrays]:
    train = glyphs(120, 0, classes=classes, colours=colours)
    return train, glyphs(20, 1, classes=classes, colours=colours)


def wild(*transforms: im.Transform, colours: int = 1, count: int = 100) -> Arrays:
    images, labels = glyphs(count, 2, colours=colours)
    made = (
        im.Pipeline(list(transforms), seed=3).batch(images, keys=range(count), epoch=0).image if transforms else images
    )
    return np.asarray(made), labels


def names(found: Recommendation) -> list[str]:
    return [type(one.transform).__name__ for one in found.proposed]


@pytest.mark.parametrize("labelled", [True, False])
def test_a_shift_is_found_by_itself_and_its_range_leads_there(labelled: bool) -> None:
    images, labels = wild(im.Shift(pixels={"x": 3}, whole=True))
    found = im.recommend(data(), (images, labels) if labelled else images)
    assert found.pipeline is not None
    assert found.pipeline.to_dict()["transforms"] == [
        {"Shift": {"pixels": {"x": {"choice": [0, 1, 2, 3]}}, "whole": True}}
    ]
    gap = found.gap("position x")
    assert gap.change * 16 == pytest.approx(3, abs=0.15)
    assert 0.1 / 16 < gap.high - gap.low < 0.4 / 16
    assert gap.outside > 0.95
    assert found.after["position x"] < 0.3
    assert found.gap("position y").verdict == "no difference seen"


@pytest.mark.parametrize(
    ("done", "name", "field", "true"),
    [
        (im.Zoom(0.7), "Zoom", "factor", (0.7, 1.0)),
        (im.Rotate(25), "Rotate", "degrees", (0.0, 25.0)),
        (im.Rotate((-30, 30)), "Rotate", "degrees", (-30.0, 30.0)),
        (im.Zoom((0.6, 1.0)), "Zoom", "factor", (0.6, 1.0)),
        (im.Brightness(0.5), "Brightness", "factor", (0.5, 1.0)),
        (im.Contrast(0.5), "Contrast", "factor", (0.5, 1.0)),
    ],
)
def test_what_was_done_is_proposed_in_the_range_that_leads_there(
    done: im.Transform, name: str, field: str, true: tuple[float, float]
) -> None:
    found = im.recommend(data(), wild(done))
    assert names(found) == [name], found
    bounds = getattr(found.proposed[0].transform, field).bounds
    room = 3.5 if name == "Rotate" else 0.06
    np.testing.assert_allclose(bounds, true, atol=room)


def test_an_inverted_set_gets_one_inversion_and_nothing_for_what_follows_from_it() -> None:
    found = im.recommend(data(), wild(im.Invert()))
    assert names(found) == ["Invert"]
    assert found.proposed[0].transform.p == 0.5
    assert {"brightness", "background"} <= set(found.follows)
    some = im.recommend(data(), wild(im.Invert(p=0.3)))
    assert some.proposed[0].transform.p == pytest.approx(0.3, abs=0.1)


def test_gaps_that_come_together_are_told_apart() -> None:
    done = (im.Invert(), im.Zoom(0.75), im.Shift(pixels={"y": -2}, whole=True))
    found = im.recommend(data(), wild(*done))
    assert names(found) == ["Invert", "Zoom", "Shift"], found
    assert found.proposed[1].transform.factor.bounds == pytest.approx((0.75, 1), abs=0.05)
    assert found.proposed[2].transform.pixels["y"].values == (-2, -1, 0)


def test_a_warm_light_is_told_from_a_dark_one_and_keeps_the_luma() -> None:
    images, labels = wild(colours=3)
    tinted = (images * [1.3, 1.0, 0.7]).clip(0, 255).astype(np.uint8)
    found = im.recommend(data(colours=3), (tinted, labels))
    assert names(found) == ["OneOf"], found
    half, full = (np.array(one.each) for one in found.proposed[0].transform.children())
    np.testing.assert_allclose(full / full[1], [1.3, 1, 0.7], rtol=0.05)
    np.testing.assert_allclose((half / half[1]) ** 2, full / full[1], rtol=0.01)
    assert full @ [0.299, 0.587, 0.114] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("balance", [0.5, 0.1])
def test_images_of_the_same_kind_get_no_proposal_whatever_their_classes(labelled: bool, balance: float) -> None:
    images, labels = wild(count=200)
    kept = np.concatenate(
        [np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[: int(100 * balance / (1 - balance))]]
    )
    found = im.recommend(data(), (images[kept], labels[kept]) if labelled else images[kept])
    assert found.pipeline is None, found
    assert "nothing to propose" in repr(found)
    assert not found.left
    with pytest.raises(im.InputError, match="expected a proposal to write, got none"):
        found.write("proposal.yaml")


def test_blurred_images_get_a_blur_coarse_ones_a_coarser_resolution_and_sharper_ones_nothing() -> None:
    images, labels = wild()
    soft = ndimage.gaussian_filter(images, (0, 0.7, 0.7, 0))
    found = im.recommend(data(), (soft, labels))
    assert names(found) == ["GaussianBlur"], found
    low, high = found.proposed[0].transform.sigma.bounds
    assert (low, high) == (0.0, pytest.approx(0.7, abs=0.11))
    assert {"stroke width", "contrast"} <= set(found.follows)
    assert found.after["sharpness"] < 0.2 < 0.9 < found.gap("sharpness").outside
    (x, y), test = data()
    blurred = ndimage.gaussian_filter(x, (0, 1.5, 1.5, 0))
    assert "sharpness" in im.recommend(((blurred, y), test), (images, labels)).left
    frame = Frame2d(16, 16, 255.0)
    gaps = {"sharpness": found.gap("sharpness")}
    tried = [
        correction
        for made in (make for of, make in CORRECTIONS if of == ("sharpness",))
        for correction in made(gaps, frame)
    ]
    half, full = tried[-1].proposed.children()
    shrunk, back = full.children()
    assert shrunk.factor.low * back.factor.low == pytest.approx(1, abs=0.01)
    assert 1 < half.children()[1].factor.low < back.factor.low <= 6


def test_noise_is_proposed_from_none_to_what_wild_images_have() -> None:
    (x, y), test = data()
    images, labels = wild()
    # On gray, where nothing is cut off.
    lifted, other = ((one * 0.5 + 60).astype(np.uint8) for one in (x, images))
    noisy = (other + np.random.default_rng(0).normal(0, 12, other.shape)).clip(0, 255).astype(np.uint8)
    found = im.recommend(((lifted, y), test), (noisy, labels))
    (one,) = (one.transform for one in found.proposed if isinstance(one.transform, im.GaussianNoise))
    assert one.std.bounds == (0.0, pytest.approx(12 / 255, rel=0.25))
    assert found.gap("noise").change == pytest.approx(12 / 255, rel=0.15)
    assert found.after["noise"] < 0.1
    # Nothing takes noise away.
    clean = im.recommend(((noisy, labels), test), (lifted, y))
    assert not any(isinstance(one.transform, im.GaussianNoise) for one in clean.proposed)
    assert "noise" in clean.left


def test_a_proposal_is_a_pipeline_file_with_its_evidence_and_loads_back(tmp_path: Path) -> None:
    found = im.recommend(data(), wild(im.Shift(pixels={"x": 3}, whole=True)))
    for name in ("proposal.yaml", "proposal.json"):
        found.write(tmp_path / name)
        assert im.Pipeline.load(tmp_path / name) == found.pipeline
    text = (tmp_path / "proposal.yaml").read_text()
    assert "# propose Shift(" in text
    assert "# " + repr(found).splitlines()[2] in text


def test_everything_is_plain_data_and_the_same_again() -> None:
    images, labels = wild(im.Rotate(20))
    first, second = (im.recommend(data(), (images, labels)) for _ in range(2))
    said = first.to_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said == second.to_dict()
    turn = next(gap for gap in said["gaps"] if gap["measure"] == "turn")
    assert set(turn["classes"]) == {"0", "1"}
    assert turn["classes"]["0"] == pytest.approx(20, abs=2)


def test_wild_images_of_another_size_are_compared_in_shares_of_the_frame() -> None:
    images, labels = wild(im.Shift(pixels={"x": 3}, whole=True))
    twice = np.repeat(np.repeat(images, 2, axis=1), 2, axis=2)
    found = im.recommend(data(), (twice, labels))
    assert found.gap("position x").change * 16 == pytest.approx(3, abs=0.2)
    assert {"sharpness", "noise"}.isdisjoint(gap.measure.name for gap in found.gaps)
    assert any("images of 16x16 and 32x32: lengths are compared as shares of the frame" in n for n in found.notes)


def test_what_the_network_takes_is_not_proposed_and_what_it_does_not_take_says_how_far_it_does(tmp_path: Path) -> None:
    set_aside = wild(im.Rotate(20))
    takes = im.recommend(data(), set_aside, profile={"rotate": (-40, 40)})
    assert takes.pipeline is None
    assert takes.taken == {"turn": "the network holds for rotate from -40 to 40"}
    written = {
        "profiles": [
            {"name": "rotate", "range": [-8.0, 9.5], "points": []},
            {"name": "invert", "range": None, "points": [{"magnitude": None, "margin": {"value": -0.4}}]},
        ]
    }
    (tmp_path / "results.json").write_text(json.dumps(written))
    fails = im.recommend(data(), set_aside, profile=tmp_path / "results.json")
    assert names(fails) == ["Rotate"]
    assert "the network holds for rotate from -8 to 9.5, which is less than this" in fails.proposed[0].evidence
    inverted = im.recommend(data(), wild(im.Invert()), profile=tmp_path)
    assert names(inverted) == ["Invert"]


def by_width(images: np.ndarray) -> np.ndarray:
    """A network that counts light pixels, wherever and however turned they are; any other light confuses it."""
    thick = (images > 100).sum(axis=(1, 2, 3)) > 20
    return np.stack([~thick, thick], axis=1).astype(float)


def test_a_network_is_asked_and_only_what_it_does_not_take_is_proposed() -> None:
    x, y = glyphs(40, 1)
    assert (by_width(x).argmax(axis=1) == y).mean() > 0.95
    train = glyphs(120, 0)
    done = (im.Shift(pixels={"x": 2}, whole=True), im.Invert())
    found = im.recommend((train, (x, y)), wild(*done), model=by_width)
    assert names(found) == ["Invert"]
    assert found.taken["position x"].startswith("the network holds for shift.x from -")
    with pytest.raises(im.ParameterError, match="expected a model or its profile, got both"):
        im.recommend((train, (x, y)), wild(*done), model=by_width, profile={})


def test_a_screen_and_far_turns_warn() -> None:
    found = im.recommend(data(), wild(im.Rotate(60)), screen={"Rotate": 0.31})
    (one,) = found.proposed
    assert "an axis does not say which end is up: digits (6, 9)" in one.warnings[0]
    assert one.warnings[1].startswith("the screen gives Rotate 31 % of clean accuracy")
    assert "  warning: turns by up to" in repr(found)
    assert im.recommend(data(), wild(im.Rotate(20)), screen={"Rotate": 0.9}).proposed[0].warnings == ()


def test_a_screen_that_was_written_is_read_and_names_the_classes_that_change(tmp_path: Path) -> None:
    ranked = [
        {
            "name": "Rotate",
            "call": "Rotate(180)",
            "affinity": {"mean": -0.1},
            "changed_classes": [{"name": "6", "taken_for": "9", "moved": {"mean": 0.41}}],
        },
        {"name": "Zoom", "call": "Zoom((0.9, 1.1))", "affinity": {"mean": -0.1}, "changed_classes": []},
        {"name": "Rotate of mine", "call": "Rotate(90)", "affinity": {"mean": -0.7}, "changed_classes": []},
    ]
    (tmp_path / "screen.json").write_text(json.dumps({"accuracy": 0.9, "ranked": ranked}))
    found = im.recommend(data(), wild(im.Rotate(20)), screen=tmp_path)
    assert found.proposed[0].warnings == (
        "the screen sees Rotate(180) change labels: 6 becomes 9 (41%)",
        "the screen gives Rotate(90) 22 % of clean accuracy: it changes labels, or nothing like it was trained on",
    )


def test_the_figure_has_a_panel_a_measure() -> None:
    pytest.importorskip("matplotlib")
    found = im.recommend(data(), wild(im.Rotate(20)))
    figure = found.plot()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == len(found.gaps)
    assert any(title.startswith("turn (degrees): gap, outside ") for title in titles)


def broken(**change: Any) -> np.ndarray:
    images, _ = wild()
    if "value" in change:
        images = images / 255.0
        images[3, 2, 2] = change["value"]
    return images


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((1, 16, 16), np.uint8), "expected 10 wild images or more, got 1"),
        (np.zeros((0, 16, 16), np.uint8), "expected 10 wild images or more, got 0"),
        (
            np.full((40, 16, 16), 7, np.uint8),
            "more that are not of one value throughout, got 0 of 40",
        ),
        (np.zeros((40, 16, 16, 3), np.uint8), "1 channels, uint8, as the dataset's, got 3, uint8"),
        (np.zeros((40, 16, 16), np.uint16), "1 channels, uint8, as the dataset's, got 1, uint16"),
        (np.zeros((40, 4, 16, 16, 1), np.uint8), r"expected images \[n, y, x, C\]"),
        ((broken(), np.zeros(3, int)), r"expected a label for each of 100 wild images, got \(3,\)"),
        ((broken(), np.full(100, 2)), "expected wild labels from 0 to 1, got int64 from 2 to 2"),
        ((broken(), np.zeros(100)), "expected wild labels from 0 to 1, got float64"),
        ((broken(), None, 1), "expected wild images, or .images, labels., got 3 things"),
    ],
)
def test_wild_images_that_cannot_be_compared_are_refused(given: Any, said: str) -> None:
    with pytest.raises(im.InputError, match=said):
        im.recommend(data(), given)


@pytest.mark.parametrize("value", [np.nan, np.inf, 200.0])
def test_values_that_are_no_shares_of_white_are_refused(value: float) -> None:
    (x, y), test = data()
    floats = ((x / 255.0, y), (test[0] / 255.0, test[1]))
    with pytest.raises(im.InputError, match="wild images"):
        im.recommend(floats, broken(value=value))
    with pytest.raises(im.InputError, match="training images"):
        im.recommend(((broken(value=value), wild()[1]), floats[1]), wild()[0] / 255.0)


def test_sets_that_are_not_prepared_and_unknown_classes_are_refused(tmp_path: Path) -> None:
    images, labels = wild()
    im.prepare(im.from_arrays(images, labels, classes=("a", "b")), tmp_path / "set", split=(0.6, 0.0, 0.4))
    im.prepare(im.from_arrays(images, labels, classes=("a", "c")), tmp_path / "other")
    with pytest.raises(im.InputError, match=r"expected wild images of the classes a, b, got \['c'\] too"):
        im.recommend(tmp_path / "set", tmp_path / "other")
    with pytest.raises(im.InputError, match="expected wild images that are prepared, all of one size"):
        im.recommend(tmp_path / "set", im.from_arrays(images, labels, classes=("a", "b")))
    with pytest.raises(im.InputError, match="expected a prepared dataset"):
        im.recommend(im.from_arrays(images, labels, classes=("a", "b")), images)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"images": 3}, "expected images of 10 or more, got 3"),
        ({"images": True}, "expected images of 10 or more, got True"),
        ({"level": 95}, "expected a level between 0 and 1"),
        ({"profile": 3}, "expected a profile of stress, its file, or ranges by name, got int"),
        ({"profile": {"rotate": 3}}, "expected a profile as stress writes it, or pairs by name"),
        ({"screen": 3}, "expected a screen, its file, or affinities by name, got int"),
        ({"screen": {"Rotate": "low"}}, "expected a screen as screen writes it, or affinities by name"),
        ({"screen": {"ranked": [1]}}, "expected a screen as screen writes it"),
        ({"screen": "missing"}, "expected what screen wrote, got missing"),
        ({"profile": "missing.json"}, "expected a profile that stress wrote, got missing.json"),
    ],
)
def test_arguments_are_checked_before_anything_is_measured(how: dict[str, Any], said: str) -> None:
    with pytest.raises(im.InputError, match=said):
        im.recommend(data(), wild(), **how)


def test_classes_without_a_training_image_and_constant_images_are_left_out_and_counted() -> None:
    images, labels = wild(im.Shift(pixels={"x": 3}, whole=True))
    images = images.copy()
    images[:7] = 50
    found = im.recommend(data(), (images, labels))
    assert names(found) == ["Shift"]
    assert found.gap("position x").missing == (0, 7)
    assert any("position x" in note and "up to 7 wild images have no value" in note for note in found.notes)


def test_a_level_nearer_to_1_takes_more_exchanges_and_finds_what_is_plain() -> None:
    found = im.recommend(data(), wild(im.Shift(pixels={"x": 3}, whole=True)), level=0.999)
    assert names(found) == ["Shift"]
    assert found.gap("position x").adjusted_p <= 0.001


def test_wild_images_of_a_class_without_a_training_image_are_left_out_and_counted() -> None:
    images, labels = wild(im.Shift(pixels={"x": 3}, whole=True))
    others = labels.copy()
    others[:9] = 2
    (x, y), _ = data()
    three = Data((x, y), (x, y), ("a", "b", "c"))
    found = im.recommend(three, (images, others))
    assert names(found) == ["Shift"]
    assert found.gap("position x").missing == (0, 9)


def test_the_polarity_says_which_of_both_sets_is_dark_on_light() -> None:
    said = im.recommend(data(), wild(im.Invert())).proposed[0].evidence[0]
    assert said.startswith("polarity: 0 % of training and 100 % of wild objects are darker than around")


def test_p_values_are_adjusted_for_the_number_of_measures() -> None:
    found = im.recommend(data(), wild(im.Shift(pixels={"x": 3}, whole=True)))
    gap = found.gap("position x")
    assert gap.adjusted_p == pytest.approx(gap.p * len(found.gaps))


def test_a_transform_that_does_not_close_its_gap_is_not_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    useless = Correction(im.Rotate((0, 1)), im.Rotate(0))
    monkeypatch.setattr(closing, "CORRECTIONS", ((("position x",), lambda *_: [useless]),))
    found = im.recommend(data(), wild(im.Shift(pixels={"x": 3}, whole=True)))
    assert found.pipeline is None
    assert found.left == {"position x": "the transform that changes it does not close it"}


def test_progress_ends_with_all_images() -> None:
    told: list[tuple[int, int]] = []
    im.recommend(data(), wild(), images=50, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (100, 100)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
