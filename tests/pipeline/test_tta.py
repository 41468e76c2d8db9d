"""Views of one image, merged: by hand for flips, and by what an equivariant model must say for every view."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError, ParameterError, TargetError

RNG = np.random.default_rng(4)
IMAGE = RNG.integers(0, 255, (6, 9), np.uint8)


def brightness(views: Any) -> Any:
    return views.astype(np.float32)


def ramp(views: Any) -> Any:
    """Says the same of every view, whatever it shows: the place in the view."""
    return np.broadcast_to(np.arange(views.shape[2], dtype=np.float32), views.shape)


@pytest.mark.parametrize(("views", "count"), [("flip", 2), ("flips", 4), ("d4", 8)])
def test_a_model_that_follows_its_image_says_the_same_of_every_view(views: Any, count: int) -> None:
    shown = []

    def model(batch: Any) -> Any:
        shown.extend(one.tobytes() + bytes(one.shape) for one in batch)
        return brightness(batch)

    merged = im.TTA(views)(model, IMAGE)
    assert len(set(shown)) == count
    assert np.array_equal(merged.value, IMAGE)
    assert not merged.spread.any()
    assert merged.count.tolist() == [[count] * 9] * 6


def test_volumes_are_mirrored_along_three_axes() -> None:
    volume = RNG.random((4, 5, 6))
    merged = im.TTA("flips")(lambda views: views, volume, axes="zyx")
    assert merged.count.max() == 8
    assert np.array_equal(merged.value, volume)


def test_mean_spread_and_maximum_by_hand() -> None:
    mean = im.TTA("flip")(ramp, IMAGE)
    # What is said at x is x, and of the mirrored view 8 - x.
    x = np.arange(9)
    assert mean.value.tolist() == [[4.0] * 9] * 6
    assert np.allclose(mean.spread, np.abs(x - 4.0))
    assert np.allclose(im.TTA("flip", merge="max")(ramp, IMAGE).value, np.maximum(x, 8 - x))


def test_votes_by_hand() -> None:
    left = np.array([[0, 0, 0, 0, 0, 0, 1, 1, 1]] * 6)  # of views as they come; the lowest of ties
    merged = im.TTA([[], [], [im.Flip("x")]], merge="vote")(lambda views: np.stack([left] * len(views)), IMAGE)
    assert merged.value.tolist() == left.tolist()
    assert np.allclose(merged.spread[0], [1 / 3] * 3 + [0] * 3 + [1 / 3] * 3)
    scores = np.eye(2)[left].transpose(2, 0, 1)
    again = im.TTA([[], [], [im.Flip("x")]], merge="vote")(lambda views: np.stack([scores] * len(views)), IMAGE)
    assert np.array_equal(again.value, merged.value)
    tied = im.TTA("flip", merge="vote")(lambda views: np.stack([left] * len(views)), IMAGE)
    assert not tied.value.any()


def test_only_views_that_show_a_pixel_say_something_of_it() -> None:
    merged = im.TTA([[], [im.Shift(pixels={"x": 3}), im.Brightness(0.5)]], then=[im.ToDtype("float64")])(
        lambda views: views, IMAGE.astype(np.float32)
    )
    assert merged.count.tolist() == [[2] * 6 + [1] * 3] * 6
    assert np.array_equal(merged.value[:, 6:], IMAGE[:, 6:])
    assert np.allclose(merged.value[:, :6], IMAGE[:, :6] * 0.75)
    nobody = im.TTA([[im.Shift(pixels={"x": 3})]], merge="max")(brightness, IMAGE)
    assert nobody.count.tolist() == [[1] * 6 + [0] * 3] * 6
    assert not nobody.value[:, 6:].any()


def test_what_stands_behind_every_view_is_undone_as_well() -> None:
    seen = set()

    def model(views: Any) -> Any:
        seen.add(views.shape[1:])
        return np.stack([views[:, 0], 1 - views[:, 0]], axis=1)

    image = np.tile(np.linspace(0, 250, 40).astype(np.uint8)[:, None, None], (1, 30, 3))
    then = [im.Pad(multiple_of=16), im.Rescale(), im.ToLayout("channels_first")]
    merged = im.TTA("scales", then=then)(model, image)
    assert seen == {(3, 32, 32), (3, 48, 32), (3, 64, 48)}
    assert merged.value.shape == (2, 40, 30)
    assert np.abs(merged.value[0] - image[..., 0] / 255).max() < 0.01
    assert np.allclose(merged.value.sum(axis=0), 1)


def test_classes_are_averaged() -> None:
    def model(views: Any) -> Any:
        return np.stack([views[:, 0, 0], views[:, 0, -1]], axis=1).astype(np.float64)

    a, b = int(IMAGE[0, 0]), int(IMAGE[0, -1])
    merged = im.TTA("flip")(model, IMAGE)
    assert merged.value.tolist() == [(a + b) / 2] * 2
    assert merged.spread.tolist() == [abs(a - b) / 2] * 2
    vote = im.TTA([[], [], [im.Flip("x")]], merge="vote")(model, IMAGE)
    assert vote.value.tolist() == [int(b > a)]
    assert np.allclose(vote.spread, [1 / 3])


def test_points_are_brought_back_with_their_names() -> None:
    def model(views: Any) -> Any:
        return {"keypoints": np.array([[[2.0, 1.0], [6.0, 1.0]]] * len(views)), "scores": brightness(views)}

    found = im.TTA("flip", keypoint_names=["left_eye", "right_eye"])(model, IMAGE)
    # Mirrored, 2 and 6 are 6 and 2; exchanged, 2 and 6 again.
    assert found["keypoints"].value.tolist() == [[2, 1], [6, 1]]
    assert found["keypoints"].spread.tolist() == [0, 0]
    assert np.array_equal(found["scores"].value, IMAGE)
    nameless = im.TTA("flip")(model, IMAGE)
    assert nameless["keypoints"].value.tolist() == [[4, 1], [4, 1]]
    assert nameless["keypoints"].spread.tolist() == [2, 2]


def test_draws_of_a_pipeline_belong_to_the_key() -> None:
    pipeline = im.Pipeline([im.Rotate((-30, 30)), im.Flip("x", p=0.5)], seed=3)
    shown: dict[Any, list[Any]] = {}
    for key in ("a", "a", "b"):
        shown.setdefault(key, []).append([])

        def model(views: Any, into: list[Any] = shown[key][-1]) -> Any:
            into.append(views.copy())
            return views.astype(float)

        merged = im.TTA(pipeline, n=5, batch_size=2)(model, IMAGE, key=key)
        assert [len(part) for part in shown[key][-1]] == [2, 2, 1]
        assert merged.count.max() == 5
    again, other = shown["a"], shown["b"][0]
    assert all(np.array_equal(one, two) for one, two in zip(*again, strict=True))
    assert not np.array_equal(again[0][0], other[0])
    assert len(np.unique(np.concatenate(again[0]), axis=0)) == 5


def test_a_module_of_pytorch_gets_tensors() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Conv2d(1, 2, 1)
    with pytest.raises(ParameterError, match=r"call model\.eval"):
        im.TTA("d4")(torch.nn.Sequential(module), IMAGE)
    image = IMAGE[..., None]
    then = [im.Rescale(), im.ToLayout("channels_first")]
    merged = im.TTA("d4", then=then)(torch.nn.Sequential(module).eval(), image)
    with torch.no_grad():
        wanted = module(torch.from_numpy(IMAGE / np.float32(255))[None, None])[0].numpy()
    assert np.abs(merged.value - wanted).max() < 1e-5
    assert merged.spread.max() < 1e-5


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"views": "mirror"}, "flip, flips, d4, scales, got 'mirror'"),
        ({"views": [im.Flip("x")]}, "lists of transforms"),
        ({"views": []}, "lists of transforms"),
        ({"merge": "median"}, "mean, max, vote"),
        ({"n": 0}, "n as a whole number"),
        ({"batch_size": True}, "batch_size as a whole number"),
    ],
)
def test_what_cannot_be_is_said(how: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        im.TTA(**how)


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        (lambda views: [[0, 0, 4, 4]] * len(views), TargetError, "sample.inverse"),
        (lambda views: views[:1].astype(float), TargetError, "one row for each of 2 views"),
        (lambda views: views, ParameterError, "merge='vote'"),
        (lambda views: {"keypoints": np.zeros((len(views), 3, 2))}, InputError, "expected 2 keypoints"),
        (lambda views: np.zeros((len(views), 3, 4, 5)), InputError, "as large as the sample"),
    ],
)
def test_what_a_model_must_not_say_is_said(said: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        im.TTA("flip", keypoint_names=["a", "b"])(said, IMAGE)


@pytest.mark.parametrize(
    ("views", "said"),
    [
        (lambda views: views, r"the model with the image.*write TTA\('flips'\)\(model, image\)"),
        (8, "expected views as one of flip, flips, d4, scales, a pipeline, or lists of transforms, got 8"),
    ],
)
def test_what_is_no_view_is_refused_with_what_to_write(views: Any, said: str) -> None:
    with pytest.raises(im.ParameterError, match=said):
        im.TTA(views)
