"""Calls without keys share draws; what each of them gives is what its key gives alone."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError
from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Opaque
from imagemill.core.randomness.rng import Draws
from imagemill.testing.derived import accepts
from imagemill.testing.each import SHIPPED, example_of

PICTURE = np.random.default_rng(3).integers(0, 256, (13, 19, 3), dtype=np.uint8)


@pytest.mark.parametrize("cls", SHIPPED, ids=lambda cls: cls.__name__)
def test_what_a_call_gives_does_not_depend_on_those_before(cls: type[im.Transform]) -> None:
    one = example_of(cls)
    if not accepts(one, PICTURE.shape[:2], 3):
        pytest.skip("not for pictures")
    listed = [im.Flip("x", p=0.5), im.Rotate((-20, 20)), one]
    pipe = im.Pipeline(listed, seed=5)
    try:
        im.Pipeline(listed, seed=5)(PICTURE, key=0)
    except InputError:
        pytest.skip("needs more than an image")
    for key in range(4):
        np.testing.assert_array_equal(pipe(PICTURE), im.Pipeline(listed, seed=5)(PICTURE, key=key, epoch=0))


@pytest.mark.parametrize("cls", SHIPPED, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("begins", ["flip", "crop"])
def test_images_of_many_shapes_get_what_each_gets_alone(cls: type[im.Transform], begins: str) -> None:
    one = example_of(cls)
    others = [PICTURE, PICTURE, PICTURE[:9], PICTURE[:, :14], PICTURE[2:, 3:], PICTURE, PICTURE[:11, :11], PICTURE[1:]]
    if not all(accepts(one, picture.shape[:2], 3) for picture in others):
        pytest.skip("not for pictures")
    first = im.Flip("x", p=0.5) if begins == "flip" else im.RandomResizedCrop((12, 13))
    listed = [first, im.Rotate((-20, 20), p=0.7), im.Brightness((0.5, 2)), one]
    pipe = im.Pipeline(listed, seed=5)
    try:
        im.Pipeline(listed, seed=5)(PICTURE, key=0)
    except InputError:
        pytest.skip("needs more than an image")
    for key, picture in enumerate(others):
        alone = im.Pipeline(listed, seed=5)
        if key % 2:
            np.testing.assert_array_equal(pipe(picture), alone(picture, key=key, epoch=0))
            continue
        made, same = pipe(image=picture, label=key), alone(image=picture, label=key, key=key, epoch=0)
        np.testing.assert_array_equal(made.image, same.image)
        np.testing.assert_array_equal(made.affine, same.affine)
        assert made.applied == same.applied
        if cls is not im.GridShuffle:  # what it takes apart has no one way back
            np.testing.assert_array_equal(made.seen(), same.seen())


def test_volumes_of_many_shapes_and_what_belongs_to_them() -> None:
    volume = np.random.default_rng(1).normal(size=(8, 13, 11)).astype(np.float32)
    listed = [
        im.Affine(degrees=(-20, 20), zoom=(0.8, 1.2)),
        im.Elastic(0.2, p=0.5),
        im.Crop((5, 8, 8), at="random"),
        im.Brightness((0.5, 2)),
        im.Flip("z", p=0.5),
        im.Erasing(p=0.5),
    ]
    pipe = im.Pipeline(listed, seed=5)
    for key, shape in enumerate([(8, 13, 11)] * 2 + [(7, 13, 11), (8, 12, 9), (8, 9, 10), (8, 13, 11), (6, 8, 8)]):
        here = volume[tuple(map(slice, shape))]
        targets = {
            "image": im.Image(here, axes="zyx"),
            "mask": im.Mask((here > 0).astype(np.uint8), axes="zyx"),
            "boxes": im.Boxes([[1.0, 1, 1, 4, 6, 7]], format="zyxzyx"),
            "keypoints": im.Keypoints([[2.0, 3, 4]], format="zyx"),
        }
        made = pipe(**targets)
        same = im.Pipeline(listed, seed=5)(**targets, key=key, epoch=0)
        for name in ("image", "mask"):
            np.testing.assert_array_equal(made[name], same[name])
        np.testing.assert_array_equal(made.boxes.array, same.boxes.array)
        np.testing.assert_array_equal(made.keypoints.array, same.keypoints.array)
        assert made.applied == same.applied


@dataclass(frozen=True, slots=True)
class _BySize(im.Transform):
    """A user's colour that goes by the size of the image."""

    def draw(self, draws: Draws, frame: Frame) -> ChannelMix:
        return ChannelMix.diagonal(np.repeat(frame.shape[:, :1] / 10.0, frame.channels, axis=1))


def test_colour_that_goes_by_the_size_is_not_taken_from_another_image() -> None:
    pipe = im.Pipeline([_BySize(), im.Flip("x", p=0.5)], seed=1)
    for key, picture in enumerate([PICTURE, PICTURE[:5], PICTURE[:10], PICTURE]):
        np.testing.assert_array_equal(
            pipe(picture), im.Pipeline([_BySize(), im.Flip("x", p=0.5)], seed=1)(picture, key=key, epoch=0)
        )


def test_small_batches_and_masks_share_draws_and_are_what_their_keys_say() -> None:
    listed = [im.Rotate((-20, 20)), im.Crop((6, 8), at="random"), im.GaussianNoise(0.1), im.Flip("x", p=0.5)]
    pipe, alone = im.Pipeline(listed, seed=4), im.Pipeline(listed, seed=4)
    mask = (PICTURE[..., 0] > 99).astype(np.uint8)
    next_key = 0
    for count in (3, 3, 1, 5, 2, 4, 4):
        images = [np.roll(PICTURE, i, axis=0) for i in range(count)]
        masks = [np.roll(mask, i, axis=0) for i in range(count)]
        points = [im.Keypoints([[4.0, 5.0 + i]]) for i in range(count)]
        made = pipe.batch(images, mask=masks, keypoints=points)
        keys = list(range(next_key, next_key + count))
        same = alone.batch(images, mask=masks, keypoints=points, keys=keys, epoch=0)
        next_key += count
        assert made.recipe == same.recipe
        assert [made.applied[i] for i in range(count)] == [same.applied[i] for i in range(count)]
        for name in ("image", "mask"):
            np.testing.assert_array_equal(made[name], same[name])
        np.testing.assert_array_equal(made.affine, same.affine)
        for one, other in zip(made.keypoints, same.keypoints, strict=True):
            np.testing.assert_array_equal(one.array, other.array)
        sent = pickle.loads(pickle.dumps(made))
        for back, seen in zip(sent.inverse(mask=made.mask)["mask"], same.inverse(mask=same.mask)["mask"], strict=True):
            np.testing.assert_array_equal(back, seen)
        one = pipe(image=PICTURE, mask=mask)
        np.testing.assert_array_equal(one.mask, alone(image=PICTURE, mask=mask, key=next_key, epoch=0).mask)
        next_key += 1


def test_kinds_epochs_batches_and_keys_in_between() -> None:
    listed = [im.Shift(fraction=(-0.3, 0.3)), im.GaussianNoise(0.2)]
    pipe, alone = im.Pipeline(listed, seed=2), im.Pipeline(listed, seed=2)
    small, gray = PICTURE[:7], PICTURE[..., 0]
    turn = iter(range(100))

    def same(image: Any, epoch: int) -> None:
        np.testing.assert_array_equal(pipe(image), alone(image, key=next(turn), epoch=epoch))

    for image in (PICTURE, PICTURE, PICTURE, small, PICTURE, PICTURE, gray, gray, gray.astype(np.float32), gray):
        same(image, 0)
    np.testing.assert_array_equal(pipe(gray, key="a"), alone(gray, key="a"))
    same(gray, 0)
    keys = [next(turn), next(turn)]
    np.testing.assert_array_equal(pipe.batch([gray, gray]).image, alone.batch([gray, gray], keys=keys, epoch=0).image)
    same(gray, 0)
    pipe.set_epoch(3)
    for image in (gray, gray, PICTURE, PICTURE):
        same(image, 3)


def test_a_sample_and_its_recipe_replay_the_row_that_was_drawn_ahead() -> None:
    pipe = im.Pipeline([im.Rotate((-20, 20)), im.Crop((6, 8), at="random"), im.Gamma((0.5, 2))], seed=9)
    targets = {"boxes": im.Boxes([[2.0, 3.0, 9.0, 8.0]]), "keypoints": im.Keypoints([[4.0, 5.0]]), "label": 7}
    for _ in range(5):
        sample = pipe(image=PICTURE, **targets)
        again = pipe.replay(sample.recipe, image=PICTURE, **targets)
        assert sample.label == 7
        assert sample.applied == again.applied
        np.testing.assert_array_equal(sample.image, again.image)
        np.testing.assert_array_equal(sample.affine, again.affine)
        np.testing.assert_array_equal(sample.boxes.array, again.boxes.array)
        np.testing.assert_array_equal(sample.keypoints.array, again.keypoints.array)
        np.testing.assert_array_equal(sample.seen(), again.seen())


def test_copies_draw_ahead_for_themselves() -> None:
    pipe = im.Pipeline([im.GaussianNoise(0.2)], seed=1)
    first = [pipe(PICTURE) for _ in range(3)]
    other = copy.deepcopy(pipe)
    copied = [other(PICTURE) for _ in range(3)]
    made = [*first, *copied, pipe(PICTURE)]
    assert len({one.tobytes() for one in made}) == 7


@dataclass(frozen=True, slots=True)
class _Refuses(im.Transform):
    """Draws for one sample at a time alone."""

    def draw(self, draws: Draws, frame: Frame) -> Opaque:
        seen.append(frame.n)
        if frame.n > 1:
            raise InputError("expected fewer, got too many; pass fewer")
        return Opaque(np.negative, "negative")


seen: list[int] = []


@pytest.fixture
def counted() -> list[int]:
    seen.clear()
    return seen


def test_a_sample_that_cannot_be_drawn_costs_no_call_before_it(counted: list[int]) -> None:
    pipe = im.Pipeline([_Refuses()], seed=1)
    for _ in range(3):
        np.testing.assert_array_equal(pipe(PICTURE), np.negative(PICTURE))
    assert counted == [1, 4, 1, 4, 1]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For how many samples it was drawn, each time."""
    drawn: list[int] = []
    plan = im.Pipeline.plan

    def counting(self: im.Pipeline, draft: Any) -> Any:
        made = plan(self, draft)
        drawn.append(made.n)
        return made

    monkeypatch.setattr(im.Pipeline, "plan", counting)
    return drawn


def test_batches_share_draws_for_whole_batches(drawn: list[int]) -> None:
    listed = [im.Rotate((-20, 20)), im.Flip("x", p=0.5)]
    pipe, alone = im.Pipeline(listed, seed=4), im.Pipeline(listed, seed=4)
    images = np.random.default_rng(1).integers(0, 256, (100, 6, 7, 3), dtype=np.uint8)
    made = [pipe.batch(images) for _ in range(1 + 4 + 8 + 1)]
    assert drawn == [100, 400, 800, 800]
    for i in (0, 4, 5, 12):
        same = alone.batch(images, keys=range(100 * i, 100 * i + 100), epoch=0)
        np.testing.assert_array_equal(made[i].image, same.image)
        assert made[i].recipe == same.recipe
        assert made[i].applied[99] == same.applied[99]
        assert len(made[i].geometry) == 100
        assert len(made[i].geometry[98:]) == 2
        back = made[i].inverse(mask=made[i].image[..., 0])["mask"]
        np.testing.assert_array_equal(back[99], same.inverse(mask=same.image[..., 0])["mask"][99])


def test_a_batch_that_is_sent_takes_its_own_samples_along_and_no_others() -> None:
    images = np.random.default_rng(1).integers(0, 256, (30, 9, 8, 3), dtype=np.uint8)
    for listed in (
        [im.Elastic(), im.Flip("x", p=0.5)],
        [im.Shift(pixels={"x": 2}, border="constant"), im.Rotate((0, 9))],
    ):
        pipe, alone = im.Pipeline(listed, seed=4), im.Pipeline(listed, seed=4)
        made = [pipe.batch(images) for _ in range(1 + 4 + 8)]
        for i in (3, 12):
            same = alone.batch(images, keys=range(30 * i, 30 * i + 30), epoch=0)
            sent, plain = pickle.dumps(made[i]), pickle.dumps(same)
            assert len(sent) < 1.25 * len(plain)
            given = {"mask": same.image[..., 0]}
            back = pickle.loads(sent).inverse(**given)["mask"]
            for one, other in zip(back, same.inverse(**given)["mask"], strict=True):
                np.testing.assert_array_equal(one, other)
        part = pickle.loads(pickle.dumps(made[12].geometry[5:9]))
        assert len(part) == 4
        np.testing.assert_array_equal(
            part[0].seen(), alone.batch(images, keys=range(360, 390), epoch=0).geometry[5].seen()
        )


@pytest.mark.parametrize("sizes", [1, 3])
def test_so_many_calls_share_one_draw(drawn: list[int], sizes: int) -> None:
    pipe = im.Pipeline([im.Flip("x")], seed=1)
    for number in range(1 + 4 + 16 + 64):
        pipe(PICTURE[number % sizes :])
    assert len(drawn) == 4
