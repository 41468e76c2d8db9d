"""Predictions come back to where the source's pixels are: by hand, by scipy, and by the map of the pixels itself."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage as ndi

import imagemill as im
from imagemill.core import coordinate_maps as maps
from imagemill.core import geometry as geo
from imagemill.core.errors import InputError
from imagemill.engine.annotations.points import push
from imagemill.engine.annotations.unbend import bend
from imagemill.engine.inverse import inverted_lattice
from imagemill.testing import strategies
from tests.properties.test_targets_agree import EXACT, EXACT3

RNG = np.random.default_rng(11)


def labels(*shape: int) -> Any:
    return RNG.integers(1, 200, shape).astype(np.uint8)


def turn(degrees: float, height: int, width: int) -> Any:
    """Pull matrix of a counter-clockwise turn about the centre, written down anew."""
    angle = np.deg2rad(degrees)
    linear = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    centre = (np.array([height, width]) - 1) / 2
    return linear, centre - linear @ centre


# ------------------------------------------------------------------------------------------------ by hand


@pytest.mark.parametrize("transform", EXACT, ids=str)
@pytest.mark.parametrize("fuse", [True, False])
def test_whole_pixels_come_back_bit_for_bit(transform: Any, *, fuse: bool) -> None:
    source = labels(20, 25)
    sample = im.Pipeline([transform], seed=3, fuse=fuse)(image=source, mask=source, key=5)
    back, seen = sample.inverse(mask=sample.mask)["mask"], sample.seen()
    assert seen.any()
    assert np.array_equal(back, np.where(seen, source, 0))


@pytest.mark.parametrize("transform", EXACT3, ids=str)
def test_whole_voxels_come_back_bit_for_bit(transform: Any) -> None:
    source = labels(9, 12, 10)
    sample = im.Pipeline([transform], seed=3)(image=im.Image(source, "zyx"), mask=im.Mask(source, "zyx"), key=5)
    back = sample.inverse(mask=sample.mask)["mask"]
    assert np.array_equal(back, np.where(sample.seen(), source, 0))


def test_scores_come_back_as_scipy_has_it() -> None:
    shape = (31, 40)
    scores = ndi.gaussian_filter(RNG.random(shape), 1)
    sample = im.Pipeline([im.Rotate(25)], seed=0)(image=np.zeros(shape, np.uint8), mask=labels(*shape))
    found = sample.inverse(scores=scores, fill=-7)["scores"]
    back, forth = turn(-25, *shape), turn(25, *shape)
    # Corners of the sample show no pixel of the source, and no interpolated score takes anything from there.
    shown = ndi.affine_transform(np.ones(shape), *forth, order=0, mode="grid-constant")
    score, weight = (ndi.affine_transform(one, *back, order=1, mode="nearest") for one in (scores * shown, shown))
    assert np.array_equal(found == -7, ~sample.seen())
    certain = sample.seen() & (weight > 0.05)
    assert np.abs(found - score / weight)[certain].max() < 1e-5
    assert certain.sum() > 0.98 * sample.seen().sum()
    inside = ndi.affine_transform(np.ones(shape), *back, order=0, mode="grid-constant")
    assert np.count_nonzero((inside > 0) != sample.seen()) <= 2  # ties at half pixels


def test_no_score_takes_anything_from_padding() -> None:
    pipe = im.Pipeline([im.Resize((1, 3)), im.Pad((0, 1))], seed=0)
    sample = pipe(image=np.zeros((1, 4), np.uint8))
    scores = np.array([[99, 1, 2, 3, 99]], np.float32)
    # Pixels 0 to 3 lie at -1/8, 5/8, 11/8 and 17/8 between the three.
    assert np.allclose(sample.inverse(scores=scores)["scores"], [[1, 1.625, 2.375, 3]])


def test_what_stands_in_padding_is_no_prediction_about_the_source() -> None:
    pipe = im.Pipeline([im.Crop(box=(0, 0, 2, 3)), im.Pad((1, 1, 1, 1))], seed=0)
    sample = pipe(image=np.zeros((2, 5), np.uint8))
    predicted = np.arange(20, dtype=np.int64).reshape(4, 5)
    assert sample.inverse(mask=predicted, label=-1)["mask"].tolist() == [[6, 7, 8, -1, -1], [11, 12, 13, -1, -1]]
    assert sample.seen().tolist() == [[True, True, True, False, False]] * 2


def test_a_frame_that_was_read_by_itself_ends_where_it_ended() -> None:
    """Unfused, the crop's edge is repeated by the shift: those pixels show no other pixel of the source."""
    transforms = [im.Crop(box=(0, 1, 1, 4)), im.Shift(pixels={"x": -1})]
    image, predicted = np.zeros((1, 6), np.uint8), np.array([[1, 2, 3]])
    fused = im.Pipeline(transforms, seed=0)(image=image).inverse(mask=predicted)["mask"]
    assert fused.tolist() == [[0, 0, 1, 2, 3, 0]]
    unfused = im.Pipeline(transforms, seed=0, fuse=False)(image=image).inverse(mask=predicted)["mask"]
    assert unfused.tolist() == [[0, 0, 1, 2, 0, 0]]


def test_left_and_right_are_exchanged_again() -> None:
    points = im.Keypoints([[2, 5], [6, 5], [4, 1]], labels=["left_eye", "right_eye", "nose"])
    sample = im.Pipeline([im.Flip("x")], seed=1)(image=np.zeros((10, 10)), keypoints=points)
    assert sample.keypoints.array.tolist() == [[3, 5], [7, 5], [5, 1]]
    # A plain prediction has the order, and so the names, of the points that were given.
    found = sample.inverse(keypoints=[[3, 5], [7, 5], [5, 1]])["keypoints"]
    assert found.array.tolist() == [[2, 5], [6, 5], [4, 1]]
    assert found.labels == ["left_eye", "right_eye", "nose"]


def test_boxes_come_back_with_what_belongs_to_them() -> None:
    pipe = im.Pipeline([im.Crop(box=(20, 10, 50, 40)), im.Flip("x"), im.Resize((60, 60))], seed=0)
    sample = pipe(image=np.zeros((80, 90), np.uint8), boxes=im.Boxes([[12, 22, 20, 30]], labels=["cat"]))
    # In the crop 2..10 by 2..10, mirrored 20..28, twice as large 40..56 by 4..20.
    predicted = im.Boxes([[40, 4, 56, 20], [-9, -9, -2, -2]], labels=[7, 8], columns={"score": [0.9, 0.1]})
    found = sample.inverse(boxes=predicted)["boxes"]
    assert found.array.tolist() == [[12, 22, 20, 30]]
    assert (found.labels, found.columns, found.index.tolist()) == ([7], {"score": [0.9]}, [0])


# ------------------------------------------------------------------------------------------------ every map


def _ramps(shape: tuple[int, ...]) -> Any:
    return np.stack(np.meshgrid(*[np.arange(n, dtype=np.float64) for n in shape], indexing="ij"), axis=-1)


@given(
    st.sampled_from([2, 3]).flatmap(
        lambda d: st.tuples(strategies.pipelines("geometry", ndim=d, channels=1), st.just(d))
    )
)
def test_pixels_and_points_come_back_by_one_map(drawn: Any) -> None:
    """A prediction that says where each pixel is, brought back, says where each pixel of the source went."""
    pipe, d = drawn
    shape = (24, 30)[:d] if d == 2 else (9, 12, 11)
    axes = "yx" if d == 2 else "zyx"
    source = _ramps(shape).reshape(-1, d)
    points = im.Keypoints(source[:, ::-1] if d == 2 else source, "xy" if d == 2 else "zyx")
    sample = pipe(image=im.Image(np.zeros(shape, np.float32), axes), keypoints=points, key=1)
    size = sample.image.shape
    back = sample.inverse(keypoints=sample.keypoints, scores=_ramps(size), axes=axes + "c")
    # Points: as far as the map can be undone at all.
    went = sample.keypoints.array[:, ::-1] if d == 2 else sample.keypoints.array
    there = np.isfinite(went).all(axis=1) & (np.abs(went) < 1e4).all(axis=1)
    assert np.abs(back["keypoints"].array - points.array)[there].max(initial=0) < 1e-4
    # Pixels: where all that is interpolated between is of the source, or edges would pull.
    shows = sample.geometry.shows().astype(float)
    within = ndi.map_coordinates(shows, np.nan_to_num(went, posinf=-9, neginf=-9).T, order=1, mode="constant")
    inner = sample.seen().reshape(-1) & (within > 0.999) & sample.keypoints.visible
    stretch = _stretch(went.reshape(*shape, d))
    smooth = inner & (stretch.reshape(-1) < 1.9)  # where the inverse shrinks, pixels are averaged
    assert np.abs(back["scores"].reshape(-1, d) - went)[smooth].max(initial=0) < 0.25


def _stretch(went: Any) -> Any:
    """How far the map may stretch at each pixel in any direction: the root of the summed squares of its steps."""
    found = np.zeros(went.shape[:-1])
    for axis in range(went.ndim - 1):
        step = np.linalg.norm(np.diff(went, axis=axis, prepend=np.take(went, [0], axis)), axis=-1)
        found += np.maximum(step, np.roll(step, -1, axis)) ** 2
    return np.sqrt(found)


@pytest.mark.parametrize(
    ("shape", "cells", "strength"), [((90, 120), 5, 0.45), ((300, 400), 3, 0.45), ((20, 24, 28), 3, 0.35)]
)
def test_a_fitted_lattice_is_the_inverse(shape: Any, cells: int, strength: float) -> None:
    d = len(shape)
    reach = strength * np.array(shape) / cells
    stage = maps.Displace(RNG.uniform(-1, 1, (d, *[cells + 3] * d)) * reach.reshape(d, *[1] * d), shape)
    margin = tuple(np.ceil(reach).astype(int).tolist())
    undone = inverted_lattice(stage, margin)
    out = np.stack([RNG.uniform(0, n - 1, 2000) for n in shape], axis=1)
    into = bend(stage, out)  # forward, by the spline's definition; no solving involved
    assert np.abs(bend(undone, into + margin) - margin - out).max() < 0.1
    # Points do not go through the fit at all.
    assert np.abs(push((undone,), out + margin) - margin - into).max() < 1e-12


def test_inverses_of_matrices_keep_whole_numbers() -> None:
    third = np.array([[0.0, -1, 6], [1, 0, 0], [0, 0, 1]])
    found = geo.inverse(np.stack([third, np.diag([3.0, 3, 1])]))
    assert found[0].tolist() == [[0, 1, 0], [-1, 0, 6], [0, 0, 1]]
    # Solved for, the offsets are 7.000000000000001 and -5.
    fifth = np.array([[0.2, 0.0, -1.4000000000000001], [0.0, 1 / 6, 5 / 6], [0.0, 0.0, 1.0]])
    assert geo.inverse(fifth).tolist() == [[5, 0, 7], [0, 6, -5], [0, 0, 1]]
    assert np.allclose(found[1] @ np.diag([3.0, 3, 1]), np.eye(3), atol=1e-15)
    with pytest.raises(InputError, match="singular"):
        geo.inverse(np.diag([0.0, 1, 1]))


# ------------------------------------------------------------------------------------------------ what is given


def test_batches_of_sources_of_any_size() -> None:
    photos = [labels(12, 15), labels(20, 9)]
    batch = im.Pipeline([im.Flip("x"), im.Resize((8, 8))], seed=0).batch(photos, mask=photos)
    back = batch.inverse(mask=batch.mask, boxes=[[[0, 0, 8, 8]], []])
    assert [one.shape for one in back["mask"]] == [(12, 15), (20, 9)]
    assert back["boxes"][0].array.tolist() == [[0, 0, 15, 12]]
    assert len(back["boxes"][1]) == 0
    assert all(one.all() for one in batch.seen())


@pytest.mark.parametrize(
    ("shape", "axes", "kept"),
    [
        ((6, 8), None, (4, 5)),
        ((3, 6, 8), None, (3, 4, 5)),
        ((6, 8, 3), None, (4, 5, 3)),
        ((8, 6), "xy", (5, 4)),
        ((6, 6, 8), "cyx", (6, 4, 5)),
        ((6, 8, 8), "yxc", (4, 5, 8)),
    ],
)
def test_axes_are_told_by_the_shape_or_said(shape: Any, axes: str | None, kept: Any) -> None:
    sample = im.Pipeline([im.Resize((6, 8))], seed=0)(image=np.zeros((4, 5), np.uint8))
    found = sample.inverse(scores=np.ones(shape, np.float32), mask=np.ones(shape, np.int64), axes=axes)
    assert found["scores"].shape == found["mask"].shape == kept
    assert (found["scores"].dtype, found["mask"].dtype) == (np.float32, np.int64)
    assert (found["scores"] == 1).all()


def test_as_many_classes_as_pixels_are_where_the_images_have_their_channels() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    scores = np.arange(64, dtype=np.float32).reshape(4, 4, 4)
    last = im.Pipeline([im.Flip("x")], seed=0)(image=image).inverse(scores=scores)["scores"]
    assert np.array_equal(last, scores[:, ::-1])
    first = im.Pipeline([im.Flip("x"), im.ToLayout("channels_first")], seed=0)(image=image).inverse(scores=scores)
    assert np.array_equal(first["scores"], scores[:, :, ::-1])


def test_slices_last_stay_last() -> None:
    volume = labels(6, 7, 5)
    sample = im.Pipeline([im.Flip("z")], seed=0)(image=im.Image(volume, "yxz"), mask=im.Mask(volume, "yxz"))
    assert np.array_equal(sample.inverse(mask=sample.mask)["mask"], volume)


def test_tensors_come_back_as_tensors() -> None:
    torch = pytest.importorskip("torch")
    batch = im.Pipeline([im.Flip("x"), im.ToLayout("channels_first")], seed=0).batch(np.zeros((2, 4, 5, 3), np.uint8))
    scores = torch.rand(2, 7, 4, 5, requires_grad=True)
    found = batch.inverse(scores=scores, mask=scores.argmax(1))
    assert torch.equal(torch.stack(found["scores"]), scores.detach().flip(-1))
    assert torch.equal(torch.stack(found["mask"]), scores.argmax(1).flip(-1))
    half = batch.inverse(scores=scores.bfloat16())["scores"]
    assert half[0].dtype == torch.bfloat16
    assert torch.equal(torch.stack(half), scores.detach().bfloat16().flip(-1))


def test_the_way_back_can_be_sent_to_another_process() -> None:
    transforms = [im.Elastic(0.3), im.Rotate((-20, 20)), im.Apply(lambda x: x)]
    sample = im.Pipeline(transforms, seed=0)(image=labels(20, 20))
    scores = RNG.random((20, 20))
    wanted = sample.inverse(scores=scores)["scores"]
    way = pickle.loads(pickle.dumps(sample.geometry))
    again = way.inverse({"scores": scores}, {}, axes=None, order=1, fill=0.0, label=0)["scores"]
    assert np.array_equal(again, wanted)


def test_batches_of_a_loader_know_their_way_back() -> None:
    photos = [labels(12 + i, 15) for i in range(4)]
    data = im.from_arrays(photos, masks=photos, labels=["a", "b", "a", "b"])
    mirrored, other = (im.Pipeline([im.Flip(axis), im.Pad(multiple_of=16)], seed=1) for axis in "xy")
    for how in ({"pipeline": mirrored}, {"pipeline": mirrored, "pipelines": {"b": other}}):
        for batch in im.Loader(data, batch_size=2, shuffle=False, seed=0, **how):
            back = batch.inverse(mask=batch.mask)["mask"]
            for key, one in zip(batch.keys, back, strict=True):
                assert any(np.array_equal(one, photo) for photo in photos), key


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"scores": np.zeros((5, 7))}, r"as large as the sample, \(4, 5\)"),
        ({"mask": np.zeros((4, 5))}, "integers or bool"),
        ({"scores": np.zeros((4, 5), bool)}, "image values"),
        ({"logits": np.zeros((4, 5))}, "'logits' to be wrapped"),
        ({"scores": im.Image(np.zeros((9, 9)), "yx")}, "image of shape"),
    ],
)
def test_what_does_not_fit_is_said(how: Any, message: str) -> None:
    sample = im.Pipeline([im.Flip("x")], seed=0)(image=np.zeros((4, 5), np.uint8))
    with pytest.raises(InputError, match=message):
        sample.inverse(**how)


def test_one_prediction_for_each_sample() -> None:
    batch = im.Pipeline([im.Flip("x")], seed=0).batch(np.zeros((2, 4, 5), np.uint8))
    with pytest.raises(InputError, match="expected 2 mask"):
        batch.inverse(mask=np.zeros((3, 4, 5), np.int64))
    with pytest.raises(InputError, match="before it is taken apart"):
        im.Sample({}, batch.recipe[0]).seen()
