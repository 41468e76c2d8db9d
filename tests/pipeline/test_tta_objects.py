"""Objects found in several views come back to the image and are merged: boxes, rotated boxes, polygons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im

PHOTO = np.zeros((60, 90, 3), np.uint8)
BOXES = np.array([[10, 8, 30, 28], [50, 20, 85, 50]], float)
SHIP = np.array([[45, 30, 40, 12, 25]], float)
HOUSE = [(20, 15), (60, 15), (60, 45), (40, 25), (20, 45)]


def perfect(**targets: Any) -> Any:
    """A model that sees in each view just what is there: it is told by running the views itself."""
    pipes = [im.Pipeline([*view], seed=0) for view in VIEWS]
    told = [pipe(image=PHOTO, **targets, key=0) for pipe in pipes]
    by_shape: dict[tuple[int, ...], list[Any]] = {}
    for one in told:
        by_shape.setdefault(one.image.shape, []).append(one)

    def model(views: Any) -> list[dict[str, Any]]:
        found = [by_shape[views.shape[1:]].pop(0) for _ in views]
        return [{name: _given(one[name]) for name in targets} | extra(len(one[next(iter(targets))])) for one in found]

    return model


def extra(k: int) -> dict[str, Any]:
    return {"scores": np.linspace(0.9, 0.8, k), "labels": np.arange(k) + 7}


def _given(target: Any) -> Any:
    return [list(rings) for rings in target.rings] if isinstance(target, im.Polygons) else target.array


VIEWS: list[list[im.Transform]] = [[], [im.Flip("x")], [im.QuarterTurn(1)], [im.Flip("y"), im.QuarterTurn(3)]]


def test_boxes_of_four_views_are_the_boxes_of_the_image() -> None:
    merged = im.TTA(VIEWS)(perfect(boxes=im.Boxes(BOXES)), PHOTO)
    assert isinstance(merged, im.MergedObjects)
    np.testing.assert_allclose(merged.value.array, BOXES, atol=1e-9)
    assert merged.value.labels == [7, 8]
    np.testing.assert_allclose(merged.scores, [0.9, 0.8])
    assert merged.count.tolist() == merged.views.tolist() == [4, 4]


def test_rotated_boxes_are_those_of_the_image_whichever_side_is_first() -> None:
    merged = im.TTA(VIEWS)(perfect(rotated_boxes=im.RotatedBoxes(SHIP)), PHOTO)
    assert isinstance(merged.value, im.RotatedBoxes)
    np.testing.assert_allclose(
        merged.value.to("long_edge").array, im.RotatedBoxes(SHIP).to("long_edge").array, atol=1e-6
    )


def test_a_rotated_box_said_from_another_of_its_sides_is_the_same() -> None:
    ways = [[45, 30, 40, 12, 25], [45, 30, 12, 40, 115], [45, 30, 40, 12, -155], [45, 30, 12, 40, -65]]
    model = lambda _: [{"rotated_boxes": np.array([way], float), "scores": [0.5]} for way in ways]  # noqa: E731
    merged = im.TTA([[], [], [], []])(model, PHOTO)
    assert merged.count.tolist() == [4]
    np.testing.assert_allclose(merged.value.to("long_edge").array, SHIP, atol=1e-6)


def test_polygons_are_the_one_most_like_the_others() -> None:
    merged = im.TTA(VIEWS)(perfect(polygons=im.Polygons([HOUSE])), PHOTO)
    assert isinstance(merged.value, im.Polygons)
    assert merged.value.area[0] == pytest.approx(im.Polygons([HOUSE]).area[0])
    np.testing.assert_allclose(merged.value.bounds, im.Polygons([HOUSE]).bounds)


def said(*views: tuple[Any, Any, Any]) -> Any:
    def model(_: Any) -> list[dict[str, Any]]:
        return [{"boxes": np.reshape(b, (-1, 4)), "scores": np.array(s), "labels": np.array(c)} for b, s, c in views]

    return model


THREE: list[list[im.Transform]] = [[], [], []]


def test_means_are_weighted_and_what_few_views_found_is_less_sure() -> None:
    model = said(
        ([[10, 10, 20, 20], [60, 30, 70, 40]], [0.6, 0.9], [1, 1]),
        ([[12, 10, 22, 20]], [0.3], [1]),
        ([[10, 10, 20, 20]], [0.9], [2]),  # another label is another object
    )
    merged = im.TTA(THREE)(model, PHOTO)
    found = sorted(
        zip(merged.value.array.tolist(), merged.scores.round(6), merged.count, merged.value.labels, strict=True)
    )
    assert found[0] == ([10, 10, 20, 20], pytest.approx(0.3), 1, 2)
    np.testing.assert_allclose(found[1][0], [10 + 2 / 3, 10, 20 + 2 / 3, 20])
    assert found[1][1:] == (pytest.approx(0.3), 2, 1)
    assert found[2] == ([60, 30, 70, 40], pytest.approx(0.3), 1, 1)
    best = im.TTA(THREE, merge="max")(model, PHOTO)
    assert best.value.array[0].tolist() in ([60, 30, 70, 40], [10, 10, 20, 20])
    assert best.scores.max() == 0.9
    most = im.TTA(THREE, merge="vote")(model, PHOTO)
    assert most.count.tolist() == [2]


def test_two_boxes_of_one_view_are_never_one_object() -> None:
    merged = im.TTA([[]], overlap=0.1)(said(([[0, 0, 9, 9], [1, 1, 10, 10]], [0.5, 0.4], [0, 0])), PHOTO)
    assert len(merged.value) == 2


def test_views_that_do_not_show_a_box_do_not_speak_against_it() -> None:
    views: list[list[im.Transform]] = [[], [im.Crop(box=(0, 0, 60, 40))]]
    calls = iter([[{"boxes": [[60, 10, 80, 30]], "scores": [0.8]}], [{"boxes": np.zeros((0, 4)), "scores": []}]])
    merged = im.TTA(views)(lambda _: next(calls), PHOTO)
    assert (merged.scores.tolist(), merged.count.tolist(), merged.views.tolist()) == ([0.8], [1], [1])
    assert merged.value.labels is None


def test_tensors_of_a_detector_will_do() -> None:
    torch = pytest.importorskip("torch")
    model = said(([[10, 10, 20, 20]], [0.6], [1]))

    def tensors(views: Any) -> Any:
        return [{name: torch.as_tensor(value) for name, value in one.items()} for one in model(views)]

    assert im.TTA([[]])(tensors, PHOTO).value.labels == [1]


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({"lines": [], "scores": []}, r"lines have no overlap .* sample.inverse\(lines=...\)"),
        ({"boxes": np.zeros((1, 4)), "masks": [1], "scores": [1]}, r"sample.inverse\(masks=...\)"),
        ({"boxes": np.zeros((1, 4)), "polygons": []}, "expected objects of one kind"),
        ({"boxes": np.zeros((2, 4)), "scores": [1.0]}, "expected a value of scores for each of 2 boxes, got 1"),
        (3, "expected a mapping for each view"),
    ],
)
def test_what_cannot_be_merged_says_what_to_do(one: Any, message: str) -> None:
    with pytest.raises(im.TargetError, match=message):
        im.TTA([[]])(lambda _: [one], PHOTO)


def test_an_overlap_is_a_share() -> None:
    with pytest.raises(im.ParameterError, match="expected overlap as a share above 0 up to 1, got 0"):
        im.TTA(overlap=0)
