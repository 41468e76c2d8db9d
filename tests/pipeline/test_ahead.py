"""Calls without keys share draws; what each of them gives is what its key gives alone."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Opaque
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


def test_so_many_calls_share_one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    plan = im.Pipeline.plan

    def counting(self: im.Pipeline, draft: Any) -> Any:
        drawn.append(1)
        return plan(self, draft)

    monkeypatch.setattr(im.Pipeline, "plan", counting)
    pipe = im.Pipeline([im.Flip("x")], seed=1)
    for _ in range(1 + 4 + 16 + 64):
        pipe(PICTURE)
    assert len(drawn) == 4
