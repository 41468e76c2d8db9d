"""What is left of boxes: shares and areas counted on finely drawn masks, columns that stay with their box."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.errors import InputError, ParameterError
from tests.beside import beside
from tests.engine.test_target_table import CASES

FRAME = (40, 60)
FINE = 8


def run(transforms: list[Any], boxes: Any, rules: im.BoxRules | None = None, **how: Any) -> Any:
    pipe = im.Pipeline(transforms, seed=3, **({} if rules is None else {"boxes": rules}), **how)
    return pipe(image=np.zeros(FRAME, np.uint8), boxes=boxes, key=0).boxes


def counted(turn: float, shift: tuple[float, float], box: list[float]) -> float:
    """Share of a turned and shifted box that lies in the frame, counted in a frame of three times the size."""
    high, wide = FRAME
    n = FINE
    y, x = (np.mgrid[: 3 * high * n, : 3 * wide * n] + 0.5) / n
    y, x = y - high - shift[0], x - wide - shift[1]
    angle = np.deg2rad(turn)
    cy, cx = high / 2, wide / 2
    # Positive angles turn counter-clockwise as seen, so the place is turned back clockwise.
    u = np.cos(angle) * (x - cx) - np.sin(angle) * (y - cy) + cx
    v = np.sin(angle) * (x - cx) + np.cos(angle) * (y - cy) + cy
    inside = (u >= box[0]) & (u <= box[2]) & (v >= box[1]) & (v <= box[3])
    return float(inside[high * n : 2 * high * n, wide * n : 2 * wide * n].sum() / inside.sum())


@pytest.mark.parametrize("turn", [0, 30, -75])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (9.5, 22.0), (-14.0, 3.0)])
@pytest.mark.parametrize("fuse", [True, False])
def test_the_share_is_that_of_the_moved_box(turn: float, shift: tuple[float, float], fuse: bool) -> None:
    box = [22.0, 12.0, 44.0, 27.0]
    moves = [im.Rotate(turn), im.Shift(pixels={"y": shift[0], "x": shift[1]})]
    found = run(moves, im.Boxes([box]), fuse=fuse)
    assert found.visibility[0] == pytest.approx(counted(turn, shift, box), abs=0.01)


def test_a_smaller_picture_takes_no_share() -> None:
    found = run([im.Resize((10, 15)), im.Flip("x")], im.Boxes([[0, 0, 40, 40], [-10, 0, 10, 8]]))
    assert found.visibility.tolist() == [1.0, 0.5]
    assert found.index.tolist() == [0, 1]


def test_a_bent_box_has_the_share_of_its_bent_outline() -> None:
    # Bent strongly and then cut in half: drawn as a mask beside it.
    boxes, mask = im.Boxes([[10, 5, 50, 35]]), np.zeros(FRAME, np.uint8)
    mask[5:35, 10:50] = 1
    pipe = im.Pipeline([im.Elastic(0.4, cells=2), im.Pad(40), im.Crop(box=(40, 40, 80, 70))], seed=3)
    whole = im.Pipeline([im.Elastic(0.4, cells=2), im.Pad(40)], seed=3)(image=mask, mask=mask, key=0)
    found = pipe(image=mask, mask=mask, boxes=boxes, key=0)
    assert found.boxes.visibility[0] == pytest.approx(found.mask.sum() / whole.mask.sum(), abs=0.02)


def test_a_window_cuts_what_juts_out_of_it_and_leaves_the_rest_turned() -> None:
    # Turned, padded and turned back: what never left the picture is the box it was.
    boxes = im.Boxes([[20, 10, 36, 30], [0, 0, 10, 40]])
    found = run([im.Rotate(30), im.Pad(60), im.Rotate(-30)], boxes)
    np.testing.assert_allclose(found.array[0], [80, 70, 96, 90], atol=1e-9)
    assert found.visibility[0] == 1.0
    assert found.visibility[1] == pytest.approx(counted(30, (0, 0), [0, 0, 10, 40]), abs=0.01)


@pytest.mark.parametrize("turn", [0, 40])
def test_in_a_volume_the_share_is_one_of_volume(turn: float) -> None:
    shape, box = (12, 24, 26), [2, 6, 5, 9, 20, 17]
    fine = np.mgrid[tuple(slice(0, n * 4) for n in (12, 72, 78))].reshape(3, -1).T / 4.0 + 0.125 - (0, 24, 26)
    place, angle = fine - (2.5, 7.0, 10.0), np.deg2rad(turn)
    y, x = place[:, 1] - 12, place[:, 2] - 13
    back = np.stack([place[:, 0], np.sin(angle) * x + np.cos(angle) * y, np.cos(angle) * x - np.sin(angle) * y], axis=1)
    back += (0, 12, 13)
    inside = ((back >= box[:3]) & (back <= box[3:])).all(axis=1)
    kept = inside & ((fine >= 0) & (fine <= shape)).all(axis=1)
    image = im.Image(np.zeros(shape, np.uint8), "zyx")
    pipe = im.Pipeline([im.Rotate(turn), im.Shift(pixels={"z": 2.5, "y": 7.0, "x": 10.0})], seed=1)
    found = pipe(image=image, boxes=im.Boxes([box], "zyxzyx"), key=0).boxes
    assert found.visibility[0] == pytest.approx(kept.sum() / inside.sum(), abs=0.02)


# ------------------------------------------------------------------------------------------------- the rules


def test_by_default_less_than_a_pixel_is_nothing() -> None:
    crop = im.Crop(box=(0, 0, 40, 30))
    given_ = [[29.999999, 0, 50, 20], [5, 5, 5, 9], [0, 0, 1, 1], [29.9, 0, 50, 9], [40, 0, 50, 9], [2, 2, 2.9, 3]]
    found = run([crop], im.Boxes(given_, labels=list("abcdef")))
    assert (found.labels, found.dropped.tolist()) == (["c"], [0, 1, 3, 4, 5])
    assert len(run([im.Flip("x"), im.Rotate(90), im.Zoom(1.5)], im.Boxes([[20, 20, 20.7, 20.7]]))) == 1


def test_thresholds_keep_what_just_meets_them() -> None:
    crop, boxes = im.Crop(box=(0, 0, 40, 30)), im.Boxes([[20, 0, 40, 10], [25, 0, 45, 10], [28, 0, 31, 3]])
    assert run([crop], boxes, im.BoxRules(min_visibility=0.5)).index.tolist() == [0, 2]
    assert run([crop], boxes, im.BoxRules(min_visibility=0.25)).index.tolist() == [0, 1, 2]
    assert run([crop], boxes, im.BoxRules(min_area=50)).index.tolist() == [0, 1]
    assert run([crop], boxes, im.BoxRules(min_area=50.1)).index.tolist() == [0]
    assert run([crop], boxes, im.BoxRules(min_area=6, min_visibility=0.6)).index.tolist() == [2]


def test_areas_are_those_of_the_frame_that_comes_out() -> None:
    boxes = im.Boxes([[0, 0, 10, 10]])
    assert len(run([im.Resize((20, 30))], boxes, im.BoxRules(min_area=25))) == 1
    assert len(run([im.Resize((20, 30))], boxes, im.BoxRules(min_area=26))) == 0
    assert len(run([im.Resize((80, 120))], boxes, im.BoxRules(min_area=400))) == 1


def test_no_area_at_all_is_kept_only_where_it_is_asked_for() -> None:
    boxes = im.Boxes([[5, 5, 5, 9], [7, 7, 7, 7], [0, 0, 1e-3, 1e-3], [-9, 0, -2, 9]])
    assert run([], boxes, im.BoxRules(min_area=0)).index.tolist() == [2]
    kept = run([im.Shift(pixels={"x": 2})], boxes, im.BoxRules(min_area=0, keep_empty=True))
    assert kept.array[:2].tolist() == [[7, 5, 7, 9], [9, 7, 9, 7]]
    assert kept.visibility.tolist() == [1, 1, 1, 0]


def test_empty_boxes_keep_their_rows() -> None:
    boxes = im.Boxes([[-20, 5, -10, 9], [5, 5, 9, 9], [58, 2, 70, 8]], labels=list("abc"), columns={"id": [7, 8, 9]})
    found = run([], boxes, im.BoxRules(min_visibility=0.5, keep_empty=True))
    assert found.array.tolist() == [[0, 5, 0, 5], [5, 5, 9, 9], [58, 2, 58, 2]]
    assert (found.visibility.tolist(), found.labels, found.columns["id"]) == ([0, 1, 0], list("abc"), [7, 8, 9])
    assert found.dropped.tolist() == []


def test_without_clipping_boxes_stand_out_of_the_frame() -> None:
    boxes = im.Boxes([[40, 10, 80, 20], [70, 0, 90, 9], [1, 1, 9, 9]])
    found = run([], boxes, im.BoxRules(clip=False))
    assert found.array.tolist() == [[40, 10, 80, 20], [1, 1, 9, 9]]
    assert found.visibility.tolist() == [0.5, 1.0]
    # A padding window hides what left the frame before it, and the box goes on whole.
    padded = run([im.Shift(pixels={"x": -10}), im.Pad(20)], im.Boxes([[0, 0, 20, 10]]), im.BoxRules(clip=False))
    assert (padded.array.tolist(), padded.visibility.tolist()) == ([[10, 20, 30, 30]], [0.5])


@given(st.lists(st.tuples(*[st.integers(-20, 80)] * 4), max_size=6), st.integers(0, 99), st.sampled_from([0, 0.3, 0.9]))
def test_what_is_left_is_found_by_its_index(corners: list[Any], key: int, least: float) -> None:
    edges = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners], float).reshape(-1, 4)
    ids = np.arange(len(edges)) * 10
    boxes = im.Boxes(edges, labels=list(map(str, ids)), columns={"id": ids, "name": [f"n{i}" for i in ids]})
    transforms = [im.Rotate((-30, 30)), im.Crop((20, 30), at="random"), im.Flip("x", p=0.5)]
    rules = im.BoxRules(min_visibility=least)
    image = np.zeros(FRAME, np.uint8)
    found = im.Pipeline(transforms, seed=5, boxes=rules)(image=image, boxes=boxes, key=key).boxes
    assert sorted([*found.index.tolist(), *found.dropped.tolist()]) == list(range(len(edges)))
    assert found.columns["id"].tolist() == ids[found.index].tolist()
    assert found.labels == [str(ids[i]) for i in found.index]
    assert found.columns["name"] == [f"n{ids[i]}" for i in found.index]
    assert ((found.visibility >= least) & (found.visibility > 0) & (found.visibility <= 1)).all()


def test_one_call_after_another_multiplies_shares_and_keeps_the_first_index() -> None:
    half = im.Pipeline([im.Crop(box=(0, 0, 40, 30))], seed=1)
    quarter = im.Pipeline([im.Crop(box=(0, 0, 40, 25))], seed=1)
    given_ = im.Boxes([[55, 0, 60, 5], [20, 0, 40, 10]])
    once = half(image=np.zeros(FRAME, np.uint8), boxes=given_, key=0)
    twice = quarter(image=once.image, boxes=once.boxes, key=0).boxes
    assert (twice.index.tolist(), twice.dropped.tolist(), twice.visibility.tolist()) == ([1], [0], [0.25])


@pytest.mark.parametrize("transform", [t for t, _ in CASES], ids=[type(t).__name__ for t, _ in CASES])
def test_every_transform_leaves_the_same_share_however_it_runs(transform: im.Transform) -> None:
    image = np.zeros((16, 20, 3), np.uint8)
    boxes = im.Boxes([[-4, 2, 8, 9], [4, 4, 14, 12], [15, 1, 19, 15]], labels=[*"abc"])
    pipe = im.Pipeline([transform, im.Shift(pixels=2), im.Flip("x", p=0.5)], seed=1, boxes=im.BoxRules(min_area=0))
    rest = {name: given for name, given in beside(transform, (16, 20)).items() if name != "boxes"}
    one = pipe(image=image, boxes=boxes, key=3, **rest).boxes
    assert sorted([*one.index.tolist(), *one.dropped.tolist()]) == [0, 1, 2]
    assert one.labels == ["abc"[i] for i in one.index]
    for other in (pipe.replace(fuse=False), pipe.replace(backend="reference")):
        found = other(image=image, boxes=boxes, key=3, **rest).boxes
        assert found.index.tolist() == one.index.tolist()
        np.testing.assert_allclose(found.visibility, one.visibility, atol=1e-6)
        np.testing.assert_allclose(found.array, one.array, atol=1e-6)


# ------------------------------------------------------------------------------------------------- every way in


def test_batches_replays_processes_and_files_go_by_the_same_rules() -> None:
    rules = im.BoxRules(min_area=30, min_visibility=0.7, clip=False)
    pipe = im.Pipeline([im.Shift(pixels=(-30, 30)), im.Rotate((-40, 40))], seed=4, boxes=rules)
    boxes = im.Boxes([[2, 3, 12, 13], [30, 20, 50, 38]], labels=[0, 1])
    image = np.zeros(FRAME, np.uint8)
    batch = pipe.batch([image] * 12, boxes=[boxes] * 12, keys=range(12))
    assert {len(b) for b in batch.boxes} >= {0, 1}
    for same in (pipe, pickle.loads(pickle.dumps(pipe)), im.Pipeline.from_yaml(pipe.to_yaml()), pipe.with_seed(4)):
        assert (same, same.digest, same.boxes) == (pipe, pipe.digest, rules)
        for key in range(12):
            one = same(image=image, boxes=boxes, key=key).boxes
            np.testing.assert_array_equal(one.array, batch.boxes[key].array)
            np.testing.assert_array_equal(one.visibility, batch.boxes[key].visibility)
            assert same.replay(batch.recipe[key], image=image, boxes=boxes).boxes.index.tolist() == one.index.tolist()
    reference = pipe.replace(backend="reference").batch([image] * 12, boxes=[boxes] * 12, keys=range(12))
    assert [b.index.tolist() for b in reference.boxes] == [b.index.tolist() for b in batch.boxes]


def test_rules_are_part_of_what_a_pipeline_is() -> None:
    plain, strict = (im.Pipeline([im.Flip("x")], seed=1, boxes=r) for r in (im.BoxRules(), im.BoxRules(min_area=4)))
    assert plain != strict
    assert plain.digest != strict.digest
    assert plain.digest == im.Pipeline([im.Flip("x")], seed=1).digest
    assert "boxes" not in plain.to_dict()
    assert strict.to_dict()["boxes"] == {"min_area": 4.0}
    assert "BoxRules(min_area=4.0" in repr(strict)
    assert "boxes that stay: at least 4 px² of the frame" in strict.explain()
    assert "boxes" not in plain.explain()


@pytest.mark.parametrize("workers", [1, "process:1"])
def test_a_loader_hands_out_what_the_rules_leave(tmp_path: Any, workers: Any) -> None:
    import json

    from imagemill.data.codecs.base import Picture

    im.write_picture(tmp_path / "images" / "a.png", Picture(np.zeros(FRAME, np.uint8), "yx"))
    things = [[0, 0, 10, 10], [45, 5, 15, 10], [20, 20, 0.5, 0.5]]
    listed = [{"id": i, "image_id": 1, "category_id": 1, "bbox": box} for i, box in enumerate(things)]
    (tmp_path / "coco.json").write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "images/a.png", "width": 60, "height": 40}],
                "annotations": listed,
                "categories": [{"id": 1, "name": "cat"}],
            }
        )
    )
    pipe = im.Pipeline([im.Crop(box=(0, 0, 40, 50))], seed=1, boxes=im.BoxRules(min_visibility=0.3))
    with im.Loader(im.open(tmp_path / "coco.json"), pipe, batch_size=1, seed=1, workers=workers) as loader:
        (batch,) = loader
    (boxes,) = batch.boxes
    assert (boxes.index.tolist(), boxes.labels, boxes.dropped.tolist()) == ([0, 1], ["cat", "cat"], [2])
    assert boxes.visibility.tolist() == pytest.approx([1.0, 1 / 3])


# ------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"min_area": -1}, "min_area as square pixels"),
        ({"min_area": "big"}, "min_area"),
        ({"min_area": float("inf")}, "min_area"),
        ({"min_visibility": 30}, "min_visibility as a share from 0 to 1, got 30"),
        ({"min_visibility": float("nan")}, "min_visibility"),
        ({"clip": 1}, "clip as True or False"),
        ({"keep_empty": "yes"}, "keep_empty"),
    ],
)
def test_rules_out_of_range_are_refused(wrong: Any, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        im.BoxRules(**wrong)


def test_rules_of_another_kind_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"boxes=BoxRules\(min_area=16\)"):
        im.Pipeline([], boxes={"min_area": 3})  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="min_area, min_visibility, clip, keep_empty, tight, got"):
        im.Pipeline.from_dict({"transforms": [], "boxes": {"minimum": 3}})


@pytest.mark.parametrize(
    ("array", "words"),
    [
        ([[0, 0, 1, 1], [0, 0, np.nan, 1]], "box 1"),
        ([[0, 0, 1, 1], [0, 0, 5, np.inf]], "box 1"),
        ([[0, 0, 1, 1], [5, 0, 2, 1]], "box 1"),
    ],
)
def test_boxes_that_are_none_are_named(array: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        run([], im.Boxes(array))


def test_columns_of_another_length_are_named() -> None:
    with pytest.raises(InputError, match="2 iscrowd, one per box, got 1"):
        im.Boxes([[0, 0, 1, 1]] * 2, columns={"iscrowd": [0]})
