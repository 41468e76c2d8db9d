"""Profiles of networks whose limits are known by construction: the range that holds is the one planted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.evaluate import WorstGrid, profile
from imagemill.evaluate.inputs.changes import Change
from imagemill.evaluate.stressing.sweeps import read_sweeps

Array = np.ndarray[Any, Any]


def one_hot(called: Array, classes: int) -> Array:
    return np.eye(classes)[called]


def bright(images: Array) -> Array:
    """Calls an image 1 from a mean of 100 on."""
    return one_hot((images.mean(axis=(1, 2, 3)) >= 100).astype(int), 2)


def flat(count: int = 400) -> tuple[Array, Array]:
    """Images of 80 (class 0) and of 160 (class 1)."""
    y = np.arange(count) % 2
    return np.broadcast_to(np.where(y, 160, 80).astype(np.uint8)[:, None, None, None], (count, 6, 6, 1)).copy(), y


def test_a_threshold_on_the_mean_breaks_where_the_formula_says() -> None:
    x, y = flat()
    found = profile(bright, x, y, over=["brightness", "gamma"], refine=8)
    # 160 f < 99.5 calls class 1 dark; 80 f >= 99.5 calls class 0 bright. Pixels are rounded, hence the half.
    low, high = found["brightness"].range or (0, 0)
    assert low == pytest.approx(99.5 / 160, abs=0.004)
    assert high == pytest.approx(99.5 / 80, abs=0.004)
    # 255 (v / 255) ** g against 99.5.
    low, high = found["gamma"].range or (0, 0)
    assert low == pytest.approx(np.log(99.5 / 255) / np.log(80 / 255), abs=0.004)
    assert high == pytest.approx(np.log(99.5 / 255) / np.log(160 / 255), abs=0.008)
    assert found.clean.value == 1.0
    assert found["brightness"].neutral == found["gamma"].neutral == 1.0


def test_each_side_breaks_its_own_class() -> None:
    x, y = flat()
    found = profile(bright, x, y, over="brightness", classes=["dark", "light"])["brightness"]
    first = {one.name: one for one in found.first_classes}
    assert set(first) == {"dark", "light"}
    assert first["light"].magnitude < 1 < first["dark"].magnitude
    assert (first["light"].lost, first["light"].others, first["light"].called) == (1.0, 0.0, "dark")
    assert "lost most: light (100 %)" in repr(found)


def turned(images: Array) -> Array:
    """Calls an image by the quarter in which its bright spot is: right, top, left, bottom; far from all it says so."""
    rows, columns = np.mgrid[:33, :33] - 16.0
    weight = images[..., 0].astype(float)
    angle = np.degrees(np.arctan2(-(weight * rows).sum((1, 2)), (weight * columns).sum((1, 2))))
    return one_hot(np.round(angle / 90).astype(int) % 4, 4)


def spots(count: int = 80, spread: float = 0.0) -> tuple[Array, Array]:
    """One spot an image, 10 pixels from the centre, in the middle of its quarter or up to `spread` degrees off."""
    y = np.arange(count) % 4
    off = np.random.default_rng(3).uniform(-spread, spread, count)
    rows, columns = np.mgrid[:33, :33] - 16.0
    angle = np.radians(y * 90.0 + off)[:, None, None]
    distance = (columns - 10 * np.cos(angle)) ** 2 + (rows + 10 * np.sin(angle)) ** 2
    return (255 * np.exp(-distance / 8)).astype(np.uint8)[..., None], y


def test_turns_break_at_half_a_quarter_on_both_sides() -> None:
    found = profile(turned, *spots(), over="rotate:-80..80/9", refine=6)["rotate"]
    low, high = found.range or (0, 0)
    assert low == pytest.approx(-45, abs=0.5)
    assert high == pytest.approx(45, abs=0.5)
    assert found.below is not None
    assert found.below.last == -80


def test_a_range_that_comes_back_is_said_and_does_not_count() -> None:
    def even(images: Array) -> Array:  # right at every other hundred of grey
        return one_hot((images.mean(axis=(1, 2, 3)) // 50 % 2).astype(int), 2)

    x = np.full((100, 4, 4, 1), 20, np.uint8)
    x[1::2] = 70
    y = np.arange(100) % 2
    # 20 + 29.5 is rounded to 50, and so is 70 + 29.5 to 100: all wrong; at +100 all right again.
    found = profile(even, x, y, over="gain-offset.beta:0..100/11", refine=5)["gain-offset.beta"]
    assert found.above is not None
    assert found.above.value == pytest.approx(29.5, abs=0.2)
    assert found.above.again[-1] == 100
    assert "and again at" in found.sentence
    assert found.below is None


def test_a_network_that_looks_at_nothing_that_changes_holds_everywhere() -> None:
    x, y = flat()
    found = profile(bright, x, y, over=["rotate", "shift.x", "flip", "quarter-turn"])
    assert found["rotate"].range == (-90, 90)
    assert str(found["rotate"].above) == "beyond 90"
    assert found["rotate"].still  # a flat image turned is the same image
    marked = x.copy()
    marked[:, 0, 0] += 20
    found = profile(bright, marked, y, over=["rotate", "flip", "saturation"])
    assert not found["rotate"].still
    assert found["rotate"].first_classes == ()
    assert found["saturation"].sentence == "saturation: does nothing to these images"


def test_whole_pixels_end_at_whole_pixels() -> None:
    def column(images: Array) -> Array:  # bright column at 16 (class 1) or at 8, told within 3 pixels
        at = images[:, 0, :, 0].argmax(axis=1)
        return one_hot(np.where(abs(at - 16) <= 3, 1, np.where(abs(at - 8) <= 3, 0, 2)), 3)

    y = np.arange(90) % 2
    x = np.zeros((90, 5, 32, 1), np.uint8)
    x[np.arange(90), :, np.where(y, 16, 8)] = 255
    found = profile(column, x, y, over="shift.x", classes="abc", refine=4)["shift.x"]
    assert found.range == (-3, 3)
    assert all(float(point.magnitude or 0).is_integer() for point in found.points)


def test_intervals_of_an_end_narrow_with_images_and_hold_the_planted_one() -> None:
    # Off-centre spots break one by one: with s uniform in (-20, 20), at t degrees the share right is (65 - t) / 40,
    # so 95 % hold to 27 degrees.
    wide, narrow = (
        profile(turned, *spots(count, 20.0), over="rotate:0..80/17", refine=3)["rotate"].above for count in (80, 800)
    )
    assert wide is not None
    assert narrow is not None
    for end in (wide, narrow):
        assert end.near is not None
        assert end.far is not None
        assert end.near < 27 < end.far
    assert narrow.far - narrow.near < (wide.far - wide.near) / 2  # type: ignore[operator]
    assert narrow.value == pytest.approx(27, abs=1.5)


def test_all_points_are_of_the_same_images_and_differences_are_paired() -> None:
    found = profile(turned, *spots(400, 40.0), over="rotate:0..40/5", refine=0)["rotate"]
    clean, last = found.points[0], found.points[-1]
    assert clean.magnitude == 0
    assert (clean.difference.value, clean.difference.low < 0 < clean.difference.high) == (0.0, True)
    assert last.difference.value == pytest.approx(last.score.value - clean.score.value)
    # Nearly all images that are right when turned are right before: pairing makes the interval shorter.
    apart = (last.score.high - last.score.low + clean.score.high - clean.score.low) / 2
    assert (last.difference.high - last.difference.low) / 2 < apart


def test_the_worst_of_a_grid_is_taken_for_each_image() -> None:
    # Half of the images sit 30 degrees to the left of their middle, half to the right: turns of 20 break one half each.
    x, y = spots(80)
    half = np.arange(80) // 4 % 2 == 0
    rows, columns = np.mgrid[:33, :33] - 16.0
    angle = np.radians(y * 90.0 + np.where(half, 30, -30))[:, None, None]
    x = (255 * np.exp(-((columns - 10 * np.cos(angle)) ** 2 + (rows + 10 * np.sin(angle)) ** 2) / 8)).astype(np.uint8)
    found = profile(turned, x, y, over="rotate:20", worst=WorstGrid(20, 0, turns=3)).worst
    assert found is not None
    assert [place for place in found.places] == [(-20, 0, 0), (0, 0, 0), (20, 0, 0)]
    assert found.scores == (0.5, 1.0, 0.5)
    assert (found.score.value, found.best.value) == (0.0, 1.0)
    assert found.mean == pytest.approx(2 / 3)
    assert [share.value for share in found.by_class if share is not None] == [0.0, 0.0, 0.0, 0.0]
    assert found.clean.value == 1.0


def test_the_grid_goes_to_a_tenth_of_the_side_along_both_axes() -> None:
    places = WorstGrid(30, turns=3, shifts=3).places(20, 40)
    assert len(places) == 27
    assert {(down, right) for _, down, right in places} == {(y, x) for y in (-2, 0, 2) for x in (-4, 0, 4)}


def test_a_network_no_better_than_chance_is_said_to_be() -> None:
    x, y = flat()
    found = profile(
        lambda images: one_hot(images[:, 0, 0, 0] * 0, 3), x, y, over="rotate:10", classes=["dark", "light", "none"]
    )
    assert "no better than calling every image dark" in found.notes[0]
    assert "100 % of the images get the same answer" in found.notes[0]
    assert "no image of none" in found.notes[1]
    assert "note: clean accuracy" in repr(found)


def test_pipelines_files_and_changes_of_ones_own_are_swept(tmp_path: Any) -> None:
    x, y = flat()
    darker = im.Pipeline([im.Brightness(0.5)], seed=3)
    file = tmp_path / "dim.yaml"
    darker.to_yaml(file)
    own = Change("dimmer", lambda v: im.Pipeline([im.Brightness(1 - v)], seed=0), low=0, high=0.9, neutral=0)
    found = profile(bright, x, y, over={"half": darker, "file": str(file), "own": own}, refine=6)
    assert [one.name for one in found] == ["half", "file", "own"]
    assert found["half"].points[0].score == found["file"].points[0].score
    assert found["half"].points[0].score.value == 0.5
    assert found["own"].range == (0.0, pytest.approx(1 - 99.5 / 160, abs=0.005))
    with pytest.raises(im.ParameterError, match="expected a change of half, file, own, got 'rotate'"):
        found["rotate"]


def test_draws_belong_to_the_image_and_not_to_its_batch() -> None:
    seen: list[Array] = []

    def watch(images: Array) -> Array:
        seen.append(images)
        return bright(images)

    x = np.random.default_rng(0).integers(0, 255, (1500, 6, 6, 1)).astype(np.uint8)
    profile(watch, x, np.arange(1500) % 2, over="elastic:0.4", refine=0)
    whole = np.concatenate(seen)[3000 - 1500 :]
    expected = im.Pipeline([im.Elastic(0.4)], seed=0).batch(x, keys=range(1500), epoch=0).image
    np.testing.assert_array_equal(whole[-1500:], expected)


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ("rotatee", "did you mean 'rotate'"),
        ("rotate:fast", "expected an amount of rotate in numbers, such as rotate:15"),
        ("rotate:30..-30", "lower end first"),
        ("rotate:-30..30/1", "count of 2 or more"),
        ("zoom:0..2", "above 0"),
        ("rotate,rotate", "each change once"),
        ([], "expected a change to look at"),
        ([3], "expected the name of a change"),
        ("color-jitter", "write color-jitter:LOW..HIGH"),
        ("rotate:", "an amount behind the colon"),
        ({"all": "geometry"}, "expected one change for the name 'all'"),
        ("to-dtype:float32", "leave Rescale"),
    ],
)
def test_a_wrong_change_is_named_before_anything_is_asked(over: Any, words: str) -> None:
    x, y = flat(20)
    with pytest.raises(im.InputError, match=words):
        profile(bright, x, y, over=over)


@pytest.mark.parametrize(
    ("predict", "labels", "words"),
    [
        (lambda images: np.ones((len(images), 5)), None, "each of 2 classes, got 5 outputs"),
        (lambda images: np.full((len(images), 2), np.nan), None, "NaN or infinities for 20 of 20"),
        (lambda images: np.ones(len(images)), None, r"answers \[20, 2\]"),
        ("model.keras", None, "expected a function from images"),
        (bright, np.zeros(19, int), "a number from 0 for each image"),
        (bright, np.full(20, -1), "labels from 0 on"),
        (bright, np.full(20, 7), None),
    ],
)
def test_what_does_not_fit_is_named(predict: Any, labels: Array | None, words: str | None) -> None:
    x, y = flat(20)
    with pytest.raises(im.InputError, match=words or "each of 8 classes, got 2 outputs"):
        profile(predict, x, y if labels is None else labels, over="rotate:10")


def test_one_text_may_hold_several_changes_with_amounts() -> None:
    x, _ = flat(20)
    x[:, 0] = 7
    found = read_sweeps("rotate:0,5,10,zoom:0.5..2/3,shift.y,gamma:1.5", x)
    assert [(one.change.name, one.magnitudes) for one in found] == [
        ("rotate", (0.0, 5.0, 10.0)),
        ("zoom", (0.5, 1.0, 2.0)),
        ("shift.y", (-2.0, -1.0, 0.0, 1.0, 2.0)),
        ("gamma", (1.0, 1.5)),
    ]


def test_progress_ends_at_its_own_total() -> None:
    x, y = flat(20)
    told: list[tuple[int, int]] = []
    profile(
        bright, x, y, over=["brightness", "invert"], worst=WorstGrid(10, 1, 3, 3), progress=lambda *n: told.append(n)
    )
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
