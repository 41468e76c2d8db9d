"""Each rule of lint fires on its example, and is silent on the same thing mended."""

from __future__ import annotations

from typing import Any

import pytest

import imagemill as im
from imagemill.lint import LEVELS, RULES, Finding

# rule, level, places, what is wrong, what is right
EXAMPLES: list[tuple[str, str, tuple[int, ...], list[im.Transform], list[im.Transform]]] = [
    (
        "intensity-undone",
        "warning",
        (1, 2),
        [im.Brightness((0.5, 1.5)), im.Standardize()],
        [im.Standardize(), im.Rotate((-5, 5))],
    ),
    (
        "intensity-undone",
        "warning",
        (1, 2),
        [im.Contrast(), im.Rescale("minmax")],
        [im.Contrast(), im.Rescale("depth")],
    ),
    (
        "intensity-undone",
        "warning",
        (1, 2),
        [im.ChannelGain(), im.Standardize(True)],
        [im.ChannelGain(), im.Standardize()],
    ),
    (
        "intensity-undone",
        "warning",
        (1, 2),
        [im.ColorJitter(contrast=(0.5, 1.5)), im.Standardize()],
        [im.ColorJitter(saturation=(0.5, 1.5)), im.Standardize()],
    ),
    (
        "resample-after-intensity",
        "warning",
        (1, 2, 3),
        [im.Brightness(), im.Resample((8, 8)), im.Standardize()],
        [im.Resample((8, 8)), im.Standardize()],
    ),
    (
        "colour-after-normalising",
        "warning",
        (1, 2),
        [im.Normalize("imagenet"), im.Saturation()],
        [im.Saturation(), im.Normalize("imagenet")],
    ),
    (
        "integers-after-normalising",
        "error",
        (1, 2),
        [im.Normalize("imagenet"), im.ToDtype("uint8")],
        [im.Normalize("imagenet"), im.ToDtype("float16")],
    ),
    (
        "integers-after-normalising",
        "error",
        (1, 2),
        [im.Rescale(), im.ToDtype("uint8")],
        [im.Rescale(), im.ToDtype("uint8", scale=True)],
    ),
    ("turn", "note", (1,), [im.Rotate((-20, 10))], [im.Rotate((-15, 15))]),
    (
        "far-turn",
        "note",
        (2,),
        [im.Flip("x"), im.Affine(degrees=(-31, 5))],
        [im.Flip("x"), im.Affine(degrees=(-15, 5))],
    ),
    ("vertical-flip", "note", (1,), [im.Flip("y", p=0.5)], [im.Flip("x", p=0.5)]),
    ("far-shift", "warning", (1,), [im.Shift(fraction=(-0.3, 0.1))], [im.Shift(fraction=(-0.2, 0.2))]),
    ("far-shift", "warning", (1,), [im.Shift(fraction={"x": 0.5}, border="wrap")], [im.Shift(fraction={"x": 0.1})]),
    (
        "two-interpolations",
        "note",
        (1, 2),
        [im.Rotate((-5, 5), order=3), im.Resize((8, 8))],
        [im.Rotate((-5, 5), order=3), im.Resize((8, 8), order=3)],
    ),
    (
        "layout-not-last",
        "note",
        (1,),
        [im.ToLayout("channels_first"), im.Flip("x")],
        [im.Flip("x"), im.ToLayout("channels_first")],
    ),
    ("never", "warning", (1,), [im.Flip("x", p=0)], [im.Flip("x", p=0.01)]),
    (
        "small-then-large",
        "warning",
        (1, 2),
        [im.Resize((8, 8)), im.Resize((16, 16))],
        [im.Resize((16, 16)), im.Resize((8, 8))],
    ),
]


@pytest.mark.parametrize(("rule", "level", "places", "wrong", "right"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_each_rule_fires_where_it_should_and_nowhere_else(
    rule: str, level: str, places: tuple[int, ...], wrong: Any, right: Any
) -> None:
    (finding,) = [f for f in im.Pipeline(wrong, seed=1).lint() if f.rule == rule]
    assert (finding.level, finding.places) == (level, places)
    assert len(finding.message) > 40
    assert rule not in {f.rule for f in im.Pipeline(right, seed=1).lint()}


def test_no_rule_is_without_an_example() -> None:
    assert {e[0] for e in EXAMPLES} == {
        "intensity-undone",
        "resample-after-intensity",
        "colour-after-normalising",
        "integers-after-normalising",
        "turn",
        "far-turn",
        "vertical-flip",
        "far-shift",
        "two-interpolations",
        "layout-not-last",
        "never",
        "small-then-large",
    }
    # Turns are two rules of one function; shifts and randomness are asked with more than the transforms.
    assert len(RULES) == 10


@pytest.mark.parametrize("colour", [im.Gamma(), im.Invert(), im.Saturation(), im.Hue(), im.ToneGain([9], [1, 2])])
def test_what_a_rescale_does_not_undo_is_not_said_to_be_undone(colour: im.Transform) -> None:
    assert "intensity-undone" not in {f.rule for f in im.Pipeline([colour, im.Standardize()], seed=1).lint()}


def test_shifts_in_pixels_are_judged_by_the_shape() -> None:
    pipe = im.Pipeline([im.Shift(pixels=(-30, 30))], seed=1)
    assert pipe.lint() == []
    assert pipe.lint(shape=(200, 300, 3)) == []
    (finding,) = pipe.lint(shape=(300, 100, 3))
    assert "moves by up to 30%" in finding.message
    assert [f.rule for f in pipe.lint(shape=(50, 100, 120))] == ["far-shift"]


def test_wrapping_shifts_are_said_to_break_the_picture() -> None:
    (finding,) = im.Pipeline([im.Shift(fraction=0.5, border="wrap")], seed=1).lint()
    assert "breaks in two" in finding.message
    (finding,) = im.Pipeline([im.Shift(fraction=0.5)], seed=1).lint()
    assert "leaves the frame" in finding.message


def test_random_evaluation_is_an_error() -> None:
    pipe = im.Pipeline([im.Resize((8, 8)), im.Flip("x", p=0.5), im.Rotate((-5, 5)), im.Rotate(5)], seed=1)
    assert pipe.lint() == []
    found = pipe.lint(evaluation=True)
    assert [(f.rule, f.level, f.places) for f in found] == [
        ("random-evaluation", "error", (2,)),
        ("random-evaluation", "error", (3,)),
    ]


def test_choosing_among_fixed_transforms_is_random_too() -> None:
    pipe = im.Pipeline([im.OneOf([im.Flip("x"), im.Flip("x"), im.Invert()])], seed=1)
    assert [f.rule for f in pipe.lint(evaluation=True)] == ["random-evaluation"]


def test_combinations_are_looked_into() -> None:
    pipe = im.Pipeline([im.OneOf([im.Sequential([im.Brightness(), im.Standardize()]), im.Flip("x")])], seed=1)
    assert [(f.rule, f.places) for f in pipe.lint()] == [("intensity-undone", (1, 2))]


def test_the_worst_comes_first_and_reads_as_one_line() -> None:
    pipe = im.Pipeline([im.Rotate((-45, 45)), im.Flip("x", p=0), im.Rescale(), im.ToDtype("uint8")], seed=1)
    found = pipe.lint()
    assert [f.level for f in found] == sorted((f.level for f in found), key=LEVELS.index)
    assert str(found[0]).startswith("error: ToDtype turns")
    assert str(found[0]).endswith("(transform 3, 4) [integers-after-normalising]")
    assert str(Finding("r", "note", "m")) == "note: m [r]"


def test_the_presets_are_clean() -> None:
    for name in im.PRESETS:
        found = im.Pipeline(im.preset(name), seed=1).lint(shape=(300, 400, 3))
        assert [f for f in found if f.level != "note"] == []
