"""The page of a comparison: the verdict first, nothing that the figures do not carry, and readable by everybody."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import ParameterError
from imagemill.evaluate.comparisons.comparison_page import as_page
from imagemill.evaluate.comparisons.differing_images import differing
from tests.evaluate.made_up_runs import comparison
from tests.pages.reading import flaws, read

EVERY = tuple(range(0, 60, 5))
BARE = [EVERY, EVERY[1:], EVERY, EVERY[:-1]]
"""Wrong rows of four seeds without augmentation: 12, 11, 12, 11 of 60."""
BETTER = [(0, 5), (5,), (0, 5), (0,)]
WORSE = [range(30), range(28), range(31), range(30)]
FOUND = comparison({"none": BARE, "good": BETTER, "bad": WORSE}, populations=("clean", "invert"))


def section(text: str, title: str) -> str:
    reader = read(text)
    [said] = [said for _, said in reader.all("section") if said.startswith(title)]
    return said


def test_the_page_can_be_read_by_everybody_and_offline() -> None:
    text = as_page(FOUND)
    assert flaws(text) == []
    assert "http" not in text.split("</head>")[1]
    assert [said for _, said in read(text).all("h2")] == [
        "The verdict",
        "What could have been seen",
        "The effects",
        "How good each arm is",
        "What changed by class",
        "Confusion before and after",
        "Test images that one of them alone gets right",
        "Training",
        "Time",
        "The arms",
        "To do the same again",
    ]


def test_the_verdict_comes_first_with_both_claims_and_the_figures_of_the_comparison() -> None:
    text = as_page(FOUND)
    head = read(text).all("header")[0][1]
    good, bad = FOUND.effect("good"), FOUND.effect("bad")
    assert good.here.verdict == "helps"
    assert f"good helps ({good.here.mean * 100:+.1f} points); bad harms ({bad.here.mean * 100:+.1f} points)" in head
    # Neither the clean test images nor the others are told alone.
    assert all(f"On {name} test images: " in head for name in dict.fromkeys(e.population for e in FOUND.effects))
    assert len({effect.population for effect in FOUND.effects}) > 1
    said = section(text, "The verdict")
    assert "on these test images" in said
    assert "on new images of this kind" in said
    for effect in FOUND.effects:
        for change in (effect.here, effect.anywhere):
            assert f"{change.mean * 100:+.1f} [{change.low * 100:+.1f}, {change.high * 100:+.1f}]" in said


def test_a_claim_that_only_these_images_carry_is_not_shown_for_new_ones() -> None:
    # Two images of 60 that are always gained: sure for these images, and chance among images.
    found = comparison({"none": [(0, 1, 2)] * 4, "arm": [(2,)] * 4})
    effect = found.effect("arm")
    assert (effect.here.verdict, effect.anywhere.verdict) == ("helps", "no difference seen")
    assert "– not shown" in section(as_page(found), "The verdict")


def test_under_three_seeds_no_word_of_a_verdict_is_on_the_page() -> None:
    text = as_page(comparison({"none": BARE[:1], "good": BETTER[:1]}))
    assert flaws(text) == []
    assert "No verdict: that takes 3 seeds or more." in text
    said = section(text, "The verdict")
    assert "no verdict +16.7 so far" in said
    words = said.partition("On these test images")[0]
    assert not any(word in words for word in ("helps", "harms", "difference seen", "nan", "inf"))
    assert "[" not in words.partition("brackets")[2]


def test_what_diverged_is_named_and_the_others_stay() -> None:
    found = comparison({"none": BARE, "good": BETTER, "wild": BARE}, diverged={"wild": range(4), "good": (1,)})
    text = as_page(found)
    assert flaws(text) == []
    said = section(text, "The verdict")
    assert "wild: diverged with seeds 0, 1, 2, 3" in said
    assert "good: diverged with seeds 1" in said
    assert "helps" in said.partition("On these")[0]
    assert "diverged" in section(text, "The effects")
    assert "nan" not in text


def test_nothing_that_was_trained_to_the_end_says_so() -> None:
    text = as_page(comparison({"none": BARE, "wild": BARE}, diverged={"none": range(4), "wild": range(4)}))
    assert flaws(text) == []
    assert "No verdict: no seed trained both" in text


def test_accuracy_is_never_without_precision_recall_f1_and_ece() -> None:
    said = section(as_page(FOUND), "How good each arm is")
    for (arm, population), seeds in FOUND.metrics.items():
        plain = [one.to_dict() for one in seeds]
        assert arm in said
        assert population in said
        for name in ("accuracy", "precision", "recall", "f1", "calibration_error"):
            values = [float(str(p[name])) for p in plain]
            assert f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" in said


def test_images_that_an_arm_alone_gets_right_are_counted_and_shown() -> None:
    assert FOUND.material is not None
    split = differing(FOUND.runs, "good", FOUND.material.asked[0])
    assert split is not None
    # Of the 12 that are wrong without (with three seeds of four or more), rows 0 and 5 are also wrong with most seeds.
    right = {row: sum(row not in rows for rows in BETTER) for row in range(60)}
    bare = {row: sum(row not in rows for rows in BARE) for row in range(60)}
    assert set(split.gained.tolist()) == {row for row in range(60) if right[row] > 2 >= bare[row]}
    assert split.lost.tolist() == []
    text = as_page(FOUND)
    said = section(text, "Test images that one")
    assert f"{len(split.gained)} images right with good alone; 8 of them" in said
    assert "0 images right without augmentation alone." in said
    first = split.gained[0]
    truth = "abc"[first % 3]
    wrong = "abc"[(first + 1) % 3]
    assert f"{truth}; with: {truth}, without: {wrong} (image {first})" in said


@pytest.mark.parametrize(
    "pixels",
    [
        np.random.default_rng(0).random((60, 200, 120, 3)).astype(np.float32),
        np.random.default_rng(0).integers(0, 4000, (60, 6, 9, 1)).astype(np.uint16),
        np.full((60, 5, 5, 2), np.nan, np.float32),
    ],
    ids=["large-float", "uint16", "nan"],
)
def test_pictures_are_of_bounded_size_whatever_the_images(pixels: np.ndarray) -> None:
    text = as_page(comparison({"none": BARE, "good": BETTER}, pixels=pixels))
    sizes = [(int(a["width"]), int(a["height"])) for a, _ in read(text).all("img")]
    assert len(sizes) == 8
    assert max(max(size) for size in sizes) <= 96
    assert len(text) < 700_000


def test_everything_to_do_it_again_is_there() -> None:
    text = as_page(FOUND, "imagemill compare 'my set' -p good.yaml")
    said = section(text, "To do the same again")
    assert "imagemill compare 'my set' -p good.yaml" in said
    assert json.dumps(dict(FOUND.design), indent=1) in said
    assert im.__version__ in said
    arms = section(text, "The arms")
    assert FOUND.material is not None
    pipeline = FOUND.material.arms[1].pipeline
    assert pipeline is not None
    assert pipeline.with_seed(0).to_yaml() in arms
    assert pipeline.with_seed(0).explain((8, 8, 1), axes="yxc", dtype="uint8") in arms
    assert 'im.Pipeline.load("good.yaml")' in section(as_page(FOUND), "To do the same again")


def test_without_the_images_the_page_says_so() -> None:
    text = as_page(comparison({"none": BARE, "good": BETTER}, material=False))
    assert flaws(text) == []
    assert "The images are not at hand" in text
    assert "Pipelines are not at hand" in text


def test_a_hundred_classes_and_ten_arms_with_long_names_stay_readable() -> None:
    names = [f"a class with a rather long name, number {n}" for n in range(100)]
    arms = {f"an arm with a name that is far too long for any column {n}": [(n,), (n, 5), (n,)] for n in range(10)}
    found = comparison({"none": [EVERY[:3], EVERY[:4], EVERY[:3]], **arms}, classes=names, images=400)
    text = as_page(found)
    assert flaws(text) == []
    assert len(text) < 3_000_000
    assert read(text).all("header")[0][1].count("an arm with") == 0
    assert ": 10 arms." in read(text).all("header")[0][1]
    assert "The 26 of 100 classes that changed most; all are in results.json." in text


def test_what_classes_and_arms_are_called_is_escaped() -> None:
    evil = "<script>alert(1)</script>"
    text = as_page(comparison({"none": BARE, evil: BETTER}, classes=[evil, "b & c", '"d"']), evil)
    assert flaws(text) == []
    assert evil not in text


def test_it_is_written_beside_the_figures_and_on_its_own(tmp_path: Path) -> None:
    FOUND.write(tmp_path / "out")
    assert (tmp_path / "out" / "report.html").read_text("utf-8") == as_page(FOUND)
    FOUND.save_html(tmp_path / "a" / "page.html", command="imagemill compare x")
    assert "imagemill compare x" in (tmp_path / "a" / "page.html").read_text("utf-8")


def test_results_know_nothing_of_the_images() -> None:
    bare = comparison({"none": BARE, "good": BETTER}, material=False)
    assert bare.to_dict() == comparison({"none": BARE, "good": BETTER}).to_dict()


def test_a_notebook_shows_the_verdict() -> None:
    text = FOUND._repr_html_()
    assert text.startswith('<div class="im"><style>')
    assert "good helps" in text
    assert "This design can detect" in text
    assert "<svg" in text
    assert comparison({"none": BARE, "w": BARE}, diverged={"w": range(4)})._repr_html_()


def test_a_plot_is_a_figure_with_the_effects() -> None:
    figure = FOUND.plot("invert")
    [axes] = figure.axes
    assert [label.get_text().split("\n")[0] for label in axes.get_yticklabels()] == ["good", "bad"]
    here = FOUND.effect("good", "invert").here
    ends = [tuple(np.round(line.get_xdata(), 6)) for line in axes.lines]
    assert (round(here.low * 100, 6), round(here.high * 100, 6)) in ends
    with pytest.raises(ParameterError, match="expected a population of clean, invert, got 'dark'"):
        FOUND.plot("dark")
