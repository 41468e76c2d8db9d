"""Boxes and points through every format and back, axes words, and messages that say what to write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.errors import InputError
from imagemill.core.interop.annotations import BOX_FORMATS
from imagemill.core.targets import (
    Boxes,
    Image,
    Keypoints,
    Label,
    Mask,
    as_target,
    guess_axes,
    read_axes,
)

FLAT = tuple(f for f in BOX_FORMATS if f != "zyxzyx")
lengths = st.integers(1, 400)
shares = st.floats(0, 1)


@st.composite
def edges_in(draw: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Edges ``(k, 2d)`` of boxes within a frame."""
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        pairs = [sorted((draw(shares), draw(shares))) for _ in shape]
        rows.append(
            [a * n - 0.5 for (a, _), n in zip(pairs, shape, strict=True)]
            + [b * n - 0.5 for (_, b), n in zip(pairs, shape, strict=True)]
        )
    return np.array(rows, dtype=np.float64).reshape(-1, 2 * len(shape))


@given(st.data(), lengths, lengths, st.sampled_from(FLAT))
def test_flat_boxes_come_back_from_every_format(data: Any, height: int, width: int, form: str) -> None:
    edges = data.draw(edges_in((height, width)))
    every = np.arange(len(edges))
    written = Boxes(np.zeros((len(edges), 4)), form).like(edges, (height, width), every, np.ones(len(edges)))
    assert written.format == form
    np.testing.assert_allclose(written.edges((height, width)), edges, rtol=0, atol=1e-9)


@given(st.data(), lengths, lengths, lengths)
def test_solid_boxes_come_back(data: Any, depth: int, height: int, width: int) -> None:
    edges = data.draw(edges_in((depth, height, width)))
    every = np.arange(len(edges))
    given_ = Boxes(np.zeros((len(edges), 6)), "zyxzyx")
    boxes = given_.like(edges, (depth, height, width), every, np.ones(len(edges)))
    np.testing.assert_allclose(boxes.edges((depth, height, width)), edges, rtol=0, atol=1e-9)


WHOLE = {
    "xyxy": [0, 0, 60, 40],
    "xywh": [0, 0, 60, 40],
    "cxcywh": [30, 20, 60, 40],
    "yxyx": [0, 0, 40, 60],
    "xyxy_normalized": [0, 0, 1, 1],
    "xywh_normalized": [0, 0, 1, 1],
    "yolo": [0.5, 0.5, 1, 1],
}
PART = {
    "xyxy": [10, 5, 40, 25],
    "xywh": [10, 5, 30, 20],
    "cxcywh": [25, 15, 30, 20],
    "yxyx": [5, 10, 25, 40],
    "xyxy_normalized": [10 / 60, 5 / 40, 40 / 60, 25 / 40],
    "xywh_normalized": [10 / 60, 5 / 40, 30 / 60, 20 / 40],
    "yolo": [25 / 60, 15 / 40, 30 / 60, 20 / 40],
}


@pytest.mark.parametrize("form", FLAT)
def test_the_meaning_of_each_format_is_written_down(form: str) -> None:
    boxes = Boxes([WHOLE[form], PART[form]], form)
    np.testing.assert_allclose(boxes.edges((40, 60)), [[-0.5, -0.5, 39.5, 59.5], [4.5, 9.5, 24.5, 39.5]], atol=1e-12)


@pytest.mark.parametrize("source", FLAT)
@pytest.mark.parametrize("target", FLAT)
def test_to_converts_between_any_two_formats(source: str, target: str) -> None:
    found = Boxes([PART[source]], source, labels=["cat"]).to(target, (40, 60))
    np.testing.assert_allclose(found.array, [PART[target]], atol=1e-12)
    assert (found.format, found.labels) == (target, ["cat"])


def test_boxes_like_keeps_labels_and_says_which_they_were() -> None:
    boxes = Boxes([[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]], labels=["a", "b", "c"])
    once = boxes.like(boxes.edges((9, 9))[[0, 2]], (9, 9), np.array([0, 2]), np.array([0.5, 1.0]))
    assert (once.labels, once.index.tolist()) == (["a", "c"], [0, 2])
    twice = once.like(once.edges((9, 9))[[1]], (9, 9), np.array([1]), np.array([0.5]))
    assert (twice.labels, twice.index.tolist()) == (["c"], [2])
    assert (once.dropped.tolist(), twice.dropped.tolist()) == ([1], [1, 0])
    assert (once.visibility.tolist(), twice.visibility.tolist()) == ([0.5, 1.0], [0.5])
    arrays = Boxes([[0, 0, 1, 1], [0, 0, 2, 2]], labels=np.array([4, 5]))
    assert arrays.like(arrays.edges((9, 9))[[1]], (9, 9), np.array([1]), np.ones(1)).labels.tolist() == [5]


@pytest.mark.parametrize(("form", "given_", "indices"), [("xy", [[7, 3]], [[3, 7]]), ("yx", [[3, 7]], [[3, 7]])])
def test_keypoints_are_indices(form: str, given_: Any, indices: Any) -> None:
    points = Keypoints(given_, form, labels=["nose"])
    np.testing.assert_array_equal(points.indices(2), indices)
    again = points.like(points.indices(2), np.array([False]), np.array([False]), points.labels)
    np.testing.assert_array_equal(again.array, given_)
    assert (again.format, again.visible.tolist(), again.labels) == (form, [False], ["nose"])


def test_results_share_no_memory_with_what_they_were_made_from() -> None:
    given_ = np.array([[1.0, 2.0, 3.0]])
    points = Keypoints(given_, "zyx")
    again = points.like(points.indices(3), points.visible, points.visible, None)
    assert not np.shares_memory(again.array, given_)


AXES = {
    "yx": (4, 5),
    "yxc": (4, 5, 3),
    "cyx": (3, 4, 5),
    "zyx": (2, 4, 5),
    "yxz": (4, 5, 2),
    "xyz": (5, 4, 2),
    "zyxc": (2, 4, 5, 3),
    "czyx": (3, 2, 4, 5),
    "yxzc": (4, 5, 2, 3),
}


@pytest.mark.parametrize("axes", AXES)
def test_axes_words_lead_to_one_canonical_order(axes: str) -> None:
    array = np.arange(np.prod(AXES[axes]), dtype=np.float32).reshape(AXES[axes])
    spatial = "zyx" if "z" in axes else "yx"
    sizes = {"z": 2, "y": 4, "x": 5, "c": 3}
    found = Image(array, axes).canonical()
    assert found.shape == (*[sizes[a] for a in spatial], 3 if "c" in axes else 1)
    assert np.shares_memory(found, array)
    # One value, looked up by name in both.
    at = {"z": 1, "y": 3, "x": 2, "c": 2}
    assert found[tuple(at[a] for a in spatial)][2 if "c" in axes else 0] == array[tuple(at[a] for a in axes)]


@pytest.mark.parametrize("axes", ["xx", "yxq", "y", "zyxcc", "", "yxcz"])
def test_words_that_are_no_axes_of_the_array_are_refused(axes: str) -> None:
    with pytest.raises(InputError, match=r"to name the 3 axes of an array of shape \(2, 4, 5\).*such as 'yx'"):
        read_axes(axes, np.zeros((2, 4, 5)), "image")


@pytest.mark.parametrize(
    ("shape", "said"),
    [((4, 5, 2), r"'zyx' \(slices first\)"), ((2, 4, 5, 3), "'zyxc', 'czyx', or 'tyxc'"), ((7,), "'yx', 'yxc'")],
)
def test_arrays_that_could_be_anything_must_say_their_axes(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(InputError, match=rf"got shape \({shape[0]}.*say its axes.*{said}"):
        guess_axes(np.zeros(shape), "image")


def test_pictures_need_not_say_their_axes() -> None:
    assert [guess_axes(np.zeros(s), "image") for s in ((4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4))] == [
        "yx",
        "yxc",
        "yxc",
        "yxc",
    ]


def test_a_mask_inherits_the_axes_of_its_image() -> None:
    assert Mask(np.zeros((2, 4, 5), int)).named("zyxc") == "zyx"
    assert Mask(np.zeros((4, 5), int)).named("cyx") == "yx"
    assert Mask(np.zeros((4, 5, 3), int)).named("yx") == "yxc"


def test_spacing_and_world_lead_to_the_same_matrix() -> None:
    volume = np.zeros((2, 4, 5), np.float32)
    affine = np.diag([3.0, 2.0, 1.0, 1.0])
    np.testing.assert_array_equal(Image(volume, "zyx", spacing=(3, 2, 1)).affine_matrix("zyx"), affine)
    np.testing.assert_array_equal(Image(volume, "zyx", affine=affine).affine_matrix("zyx"), affine)
    np.testing.assert_array_equal(Image(volume, "zyx").affine_matrix("zyx"), np.eye(4))


REFUSED = [
    (lambda: Image(np.zeros((0, 4))), r"expected the image to hold pixels, got an empty array of shape \(0, 4\)"),
    (lambda: Image(np.zeros((3, 4), complex)), "expected image values of uint8.*got complex128; .*astype"),
    (lambda: Image(np.zeros((3, 4), int)), "got int64; .*array.astype"),
    (lambda: Mask(np.zeros((3, 4))), "mask of integers or bool, got float64; .*soft masks as Map"),
    (lambda: Image(np.zeros((3, 4)), "yx", spacing=(1, 2, 3)), r"expected 2 spacings above 0 in the order yx, got \(1"),
    (lambda: Image(np.zeros((3, 4)), "yx", spacing=(1, 0)), "expected 2 spacings above 0"),
    (
        lambda: Image(np.zeros((3, 4)), "yx", affine=np.eye(4)),
        r"expected an affine of shape \(3, 3\), got shape \(4, 4\)",
    ),
    (lambda: Boxes([[0, 0, 1, 1]], "xxyy"), "box format of xyxy, .*got 'xxyy'"),
    (lambda: Boxes([[0, 0, 1]]), r"expected boxes \(xyxy\) as \(k, 4\), got shape \(1, 3\)"),
    (lambda: Boxes([[0, 0, 1, np.nan]]), "expected finite box coordinates"),
    (lambda: Boxes([[0, 0, 1, 1]], labels=[1, 2]), "expected 1 labels, one per box, got 2"),
    (lambda: Boxes([[5, 0, 1, 1]]).edges((9, 9)), r"upper edges.*got box 0: \[5.0, .*is the format right"),
    (lambda: Boxes([[0, 0, 1, 1]]).edges((9, 9, 9)), "expected boxes in 'zyxzyx' with a volume, got 'xyxy'"),
    (lambda: Boxes(np.zeros((1, 6)), "zyxzyx").edges((9, 9)), "boxes for a frame of 2 axes, got format 'zyxzyx'"),
    (lambda: Keypoints([[0, 1]], "yxz"), "keypoint format of 'xy', 'yx' or 'zyx', got 'yxz'"),
    (lambda: Keypoints([[0, 1]], "zyx"), r"expected keypoints \(zyx\) as \(k, 3\), got shape \(1, 2\)"),
    (lambda: Keypoints([[0, 1]], visible=[True, False]), "expected 1 visibilities, one per point"),
    (lambda: Keypoints([[0, 1]], labels=[]), "expected 1 labels, one per point, got 0"),
    (lambda: Keypoints([[0, 1]]).indices(3), "expected keypoints of 3 coordinates, got format 'xy'"),
    (lambda: as_target("bboxes", [[0, 0, 1, 1]]), r"did you mean boxes=\?"),
    (lambda: as_target("Masks", np.zeros((3, 4))), r"did you mean mask=\?"),
    (lambda: as_target("labels", ["cat"]), r"boxes=Boxes\(array, labels=labels\)"),
    (lambda: as_target("logits", np.zeros((3, 4))), "or use one of the names image, mask"),
    *(
        (
            (lambda name=name: as_target(name, None)),
            rf"{name} as an array or a list, got None; leave .* for none",
        )
        for name in ("boxes", "rotated_boxes", "polygons", "lines", "instances", "keypoints")
    ),
    (lambda: as_target("photo", np.zeros((3, 4))), r"'photo' to be wrapped.*photo=Image\(...\)"),
]


def test_the_advice_for_none_of_them_works() -> None:
    given = {name: as_target(name, []) for name in ("boxes", "rotated_boxes", "polygons", "lines", "keypoints")}
    given["instances"] = as_target("instances", np.zeros((0, 4, 5), bool))
    sample = im.Pipeline([im.Flip("x")], seed=1)(image=np.zeros((4, 5), np.uint8), **given)
    assert [len(sample[name]) for name in given] == [0] * 6


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_fit_is_refused_in_words(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_plain_values_are_wrapped_by_their_name() -> None:
    assert as_target("boxes", [[0, 0, 0, 1, 1, 1]]).format == "zyxzyx"
    assert as_target("keypoints", [[0, 0, 0]]).format == "zyx"
    assert isinstance(as_target("label", "cat"), Label)
    assert as_target("label", "cat").value == "cat"
    assert [type(as_target(n, v)) for n, v in (("boxes", []), ("keypoints", []))] == [Boxes, Keypoints]
    given_ = Mask(np.zeros((2, 2), int))
    assert as_target("anything", given_) is given_


def test_arrays_are_never_written_to() -> None:
    boxes, points = np.array([[1.0, 1, 4, 4]]), np.array([[2.0, 3]])
    for array in (boxes, points):
        array.setflags(write=False)
    Boxes(boxes).to("yolo", (9, 9)).edges((9, 9))
    Keypoints(points).like(Keypoints(points).indices(2), np.array([True]), np.array([True]), None)
    copied = np.asarray(Boxes(boxes), dtype=np.float32)
    assert copied.dtype == np.float32


@pytest.mark.parametrize("shape", [(3, 40, 60), (1, 40, 60), (4, 9, 5)])
def test_channels_first_are_told_and_said_how_to_give(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"looks like channels first; say its axes: Image\(array, axes='cyx'\)"):
        Image(np.zeros(shape, np.uint8)).named()
    assert Image(np.zeros(shape, np.uint8), "cyx").canonical().shape == (*shape[1:], shape[0])
