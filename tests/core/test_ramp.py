"""Ranges that change from epoch to epoch, and what they are in between."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

import imagemill as im
from imagemill.core.ramp import by_epoch, in_epoch
from imagemill.core.ranges import as_distribution, to_plain
from imagemill.transforms.base import REGISTRY

GROWS = im.Ramp({0: 0, 10: (-20, 40)})
U = np.linspace(0.05, 0.95, 7)


@pytest.mark.parametrize(
    ("epoch", "low", "high"), [(0, 0, 0), (1, -2, 4), (5, -10, 20), (10, -20, 40), (11, -20, 40), (10**6, -20, 40)]
)
def test_a_pair_grows_in_equal_steps_and_stays(epoch: int, low: float, high: float) -> None:
    assert GROWS.at(epoch).bounds == (low, high)


def test_before_the_first_epoch_it_is_what_it_is_there() -> None:
    ramp = im.Ramp({7: (1, 2), 3: 5})
    assert list(ramp.steps) == [3, 7]
    assert ramp.at(0) == im.Range(5, 5)
    assert ramp.at(7) == im.Range(1, 2)
    assert ramp.at(4).bounds == (4, 4.25)


def test_other_distributions_go_over_into_each_other_value_by_value() -> None:
    first, last = im.Normal(1, 0.1), im.LogUniform(0.5, 2)
    between = im.Ramp({0: first, 4: last}).at(1)
    np.testing.assert_allclose(between.sample(U), 0.75 * first.sample(U) + 0.25 * last.sample(U))
    assert between.bounds == pytest.approx((0.75 * 0.7 + 0.125, 0.75 * 1.3 + 0.5))
    assert between.count == np.inf


def test_bounds_and_count_are_those_of_all_epochs() -> None:
    assert GROWS.bounds == (-20, 40)
    assert GROWS.count == np.inf
    assert im.Ramp({0: 3, 9: 3}).count == 1
    assert im.Ramp({4: im.Choice([1, 2])}).count == 2
    with pytest.raises(im.ParameterError, match=r"expected Rotate\(degrees=...\)|expected Brightness\(factor=...\)"):
        im.Brightness(im.Ramp({0: 1, 5: -3}))


def test_draws_go_by_the_epoch_and_the_key_alone() -> None:
    pipe = im.Pipeline([im.Brightness(im.Ramp({0: 1, 4: (0.2, 1.8)}))], seed=3)
    plain = im.Pipeline([im.Brightness((0.6, 1.4))], seed=3)
    photo = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    many, keys = [photo] * 5, ["a", "b", "c", "d", "e"]
    assert (pipe.batch(many, keys=keys, epoch=0).image == photo).all()
    assert (pipe.batch(many, keys=keys, epoch=2).image == plain.batch(many, keys=keys, epoch=2).image).all()
    alone = [pipe(photo, key=key, epoch=2) for key in keys]
    assert (np.stack(alone) == pipe.batch(many, keys=keys, epoch=2).image).all()
    pipe.set_epoch(4)
    assert (pipe(photo, key="a") == pipe(photo, key="a", epoch=4)).all()


def _ramped(transform: im.Transform) -> im.Transform | None:
    """The same transform with a ramp between equal ends for each number it draws."""
    changed = {}
    for f in dataclasses.fields(transform):
        value = getattr(transform, f.name)
        if f.metadata.get("kind") != "param" or value is None or f.metadata["whole"] == "odd":
            continue
        if isinstance(value, dict):
            changed[f.name] = {axis: im.Ramp({0: one, 8: one}) for axis, one in value.items()}
        elif not (f.metadata["whole"] and isinstance(value, im.Choice)):
            changed[f.name] = im.Ramp({0: value, 8: value})
    return dataclasses.replace(transform, **changed) if changed else None


def _everything() -> list[im.Transform]:
    made = []
    for cls in REGISTRY.values():
        if cls.__module__.startswith("imagemill.") and cls is not im.QuarterTurn:
            try:
                made.append(cls())
            except im.ParameterError:
                continue
    return made


@pytest.mark.parametrize("transform", _everything(), ids=lambda t: type(t).__name__)
def test_a_ramp_between_equal_ends_changes_nothing_whatever_the_transform(transform: im.Transform) -> None:
    ramped = _ramped(transform)
    if ramped is None:
        return
    photo = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    given = {
        "image": im.Image(photo, "yxc"),
        "mask": im.Mask((photo[..., 0] > 128).astype(np.uint8), "yx"),
        "boxes": im.Boxes([[4, 4, 14, 12]], "xyxy", labels=["a"]),
    }
    try:
        one = im.Pipeline([transform], seed=5)(**given, key=1, epoch=3)
    except im.ImagemillError:  # of volumes alone
        return
    other = im.Pipeline([ramped], seed=5)(**given, key=1, epoch=3)
    assert (one.image == other.image).all()
    assert (one.mask == other.mask).all()
    assert im.Pipeline.from_yaml(im.Pipeline([ramped], seed=5).to_yaml()).digest == im.Pipeline([ramped], seed=5).digest


def test_the_number_of_some_follows_the_epoch() -> None:
    photo = np.full((4, 4, 3), 100, np.uint8)
    several = im.SomeOf([im.Invert(), im.Brightness(1.5), im.Flip("x")], count=im.Ramp({0: 1, 4: (2, 3)}))
    pipe = im.Pipeline([several], seed=2)
    assert [{len(pipe(image=photo, key=k, epoch=e).applied) for k in range(40)} for e in (0, 2, 4)] == [
        {1},
        {2},
        {2, 3},
    ]
    assert "so many of these run: (1 in epoch 0, 2..3 in epoch 4)" in pipe.explain()


def test_crops_and_whole_numbers_follow_the_epoch() -> None:
    photo = np.full((100, 100, 3), 200, np.uint8)
    holes = im.Pipeline([im.CoarseDropout(im.Ramp({0: 0, 4: (2, 4)}), size=0.1)], seed=2)
    counts = [
        {a.values["holes"] for k in range(60) for a in holes(image=photo, key=k, epoch=e).applied} for e in (0, 1, 4)
    ]
    assert counts == [{0}, {1}, {2, 3, 4}]
    crop = im.Pipeline(
        [im.RandomResizedCrop(32, area=im.Ramp({0: 1, 9: 0.1}), aspect=im.Ramp({0: 1, 9: (0.5, 2)}))], seed=2
    )
    areas = [crop(image=photo, key=1, epoch=e).applied[0].values["area"] for e in (0, 9)]
    assert areas[0] == 1
    assert areas[1] == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("ramp", [GROWS, im.Ramp({3: im.Choice([1, 2]), 5: im.Normal(0, 1), 8: im.LogUniform(1, 2)})])
def test_files_hold_it(ramp: im.Ramp) -> None:
    assert as_distribution(to_plain(ramp)) == ramp
    assert hash(as_distribution(to_plain(ramp))) == hash(ramp)
    pipe = im.Pipeline([im.Shift(pixels={"y": ramp})], seed=1)
    for text, read in ((pipe.to_yaml(), im.Pipeline.from_yaml), (pipe.to_json(), im.Pipeline.from_json)):
        assert read(text).transforms == pipe.transforms
    assert "ramp:" in pipe.to_yaml()


def test_explain_says_each_epoch() -> None:
    said = im.Pipeline([im.Rotate(GROWS)], seed=1).explain()
    assert "degrees (0 in epoch 0, -20..40 in epoch 10)" in said


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({}, "expected Ramp to say a range for one epoch at least"),
        ([0, 1], "expected Ramp to say a range for one epoch at least"),
        ({-1: 0}, "expected Ramp to count epochs from 0 on, in whole numbers, got -1"),
        ({1.5: 0}, "in whole numbers, got 1.5"),
        ({1: 0, "1": 2}, "expected Ramp to say each epoch once, got 1 twice"),
        ({0: "much"}, "expected Ramp for epoch 0 to be a number"),
        ({0: (3, 1)}, "Ramp for epoch 0"),
        ({0: GROWS}, "got another Ramp"),
    ],
)
def test_what_is_no_ramp_is_refused(steps: object, said: str) -> None:
    with pytest.raises(im.ParameterError, match=re.escape(said)):
        im.Ramp(steps)  # type: ignore[arg-type]


def test_odd_numbers_and_choices_of_whole_ones_do_not_grow() -> None:
    for build in (
        lambda: im.MedianBlur(im.Ramp({0: 3, 5: 7})),
        lambda: im.CoarseDropout(im.Ramp({0: im.Choice([1, 2])})),
        lambda: im.CoarseDropout(im.Ramp({0: 1, 3: 2.5})),
        lambda: im.SomeOf([im.Invert(), im.Flip("x")], count=im.Ramp({0: 1, 3: 1.5})),
        lambda: im.SomeOf([im.Invert(), im.Flip("x")], count=im.Ramp({0: 1, 3: 3})),
        lambda: im.QuarterTurn(im.Ramp({0: 1, 3: 2})),
    ):
        with pytest.raises(im.ParameterError, match="whole number"):
            build()


def test_without_an_epoch_it_says_so() -> None:
    with pytest.raises(TypeError, match="expected the epoch of a Ramp"):
        GROWS.sample(U)
    assert in_epoch(im.Range(1, 2), 3) == im.Range(1, 2)
    assert by_epoch("it", {"2": 5, 1: 4}, lambda _, v: v) == {
        1: 4,
        2: 5,
    }
