"""Policies against the published tables and ranges, written down here as the papers have them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import ParameterError
from imagemill.core.ranges import Choice, Range


def first(policy: Any, pair: int) -> list[Any]:
    return list(policy.children()[pair].children())


def test_tables_have_25_pairs_of_known_transforms() -> None:
    for name in ("imagenet", "cifar10", "svhn"):
        policy = im.auto_augment(name)
        assert [len(pair.children()) for pair in policy.children()] == [2] * 25


def test_rows_of_the_tables_by_hand() -> None:
    """Of the appendix: ImageNet's first and 15th, CIFAR-10's fourth, SVHN's 19th pair."""
    posterize, rotate = first(im.auto_augment("imagenet"), 0)
    assert (posterize.p, posterize.bits.bounds) == (0.4, (4, 4))  # magnitude 8: 8 - round(4 * 8 / 9)
    assert rotate.p == 0.6
    assert rotate.degrees == Choice((-30.0, 30.0))
    color, contrast = first(im.auto_augment("imagenet"), 14)
    assert color.factor.values == pytest.approx((0.6, 1.4))
    assert (color.p, contrast.p) == (0.6, 1.0)
    shear, shift = first(im.auto_augment("cifar10"), 3)
    assert shear.degrees["y"].bounds[1] == pytest.approx(math.degrees(math.atan(0.3)) * 8 / 9)
    assert shift.fraction["y"].bounds[1] == pytest.approx(150 / 331)
    assert shift.p == 0.7
    shear, shift = first(im.auto_augment("svhn"), 18)
    assert (shear.p, shift.p) == (0.3, 0.9)
    assert shift.fraction["x"].bounds[1] == pytest.approx(150 / 331 * 3 / 9)


def test_solarize_turns_round_at_its_threshold() -> None:
    solarize, _ = first(im.auto_augment("imagenet"), 1)
    assert solarize.threshold.bounds == pytest.approx((4 / 9, 4 / 9))


def test_a_magnitude_of_nothing_changes_nothing_but_what_has_none() -> None:
    choice = im.rand_augment(1, 0).children()[0]
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    same = [type(one).__name__ for one in choice.children() if np.array_equal(im.Pipeline([one], seed=1)(image), image)]
    # Solarize at its threshold 1 turns white alone, which random pixels of 8 bits hold.
    assert len(same) >= 11
    assert {"Equalize"} <= {type(one).__name__ for one in choice.children()} - set(same)


def test_drawn_magnitudes_reach_the_wide_space() -> None:
    made = {type(one).__name__: one for one in im.trivial_augment().children()}
    assert made["Rotate"].degrees == Range(-135.0, 135.0)
    assert made["Posterize"].bits == Range(2, 8)
    assert made["Shift"].pixels["y"] == Range(-32.0, 32.0)
    assert made["Saturation"].factor.bounds == pytest.approx((0.01, 1.99))


@pytest.mark.parametrize("policy", [im.auto_augment("svhn"), im.rand_augment(), im.trivial_augment()])
def test_targets_go_along_and_files_give_it_back(policy: Any) -> None:
    pipe = im.Pipeline([policy], seed=4)
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    mask = (image[..., 0] > 128).astype(np.uint8)
    for key in range(12):
        out = pipe(image=image, mask=mask, boxes=[[5, 5, 30, 30]], key=key)
        assert out.image.shape == image.shape
        assert set(np.unique(out.mask)) <= {0, 1}
    assert im.Pipeline.from_yaml(pipe.to_yaml()) == pipe


def test_label_maps_move_with_the_image() -> None:
    policy = im.rand_augment(2, 30, order=0)
    ramp = np.tile(np.arange(40, dtype=np.uint8)[:, None] * 6, (1, 40))
    geometry = [one for one in policy.children()[0].children() if one.traits().moves]
    pipe = im.Pipeline(geometry, seed=2)
    for key in range(6):
        out = pipe(image=ramp, mask=ramp, key=key)
        np.testing.assert_array_equal(out.image, out.mask)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: im.auto_augment("mnist"), "expected policy"),
        (lambda: im.rand_augment(0), "expected count as a whole number of at least 1, got 0"),
        (lambda: im.rand_augment(2, 31), "expected magnitude from 0 to 30, got 31"),
        (lambda: im.auto_augment(border="sideways"), "border"),  # type: ignore[arg-type]
    ],
)
def test_bad_input(wrong: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        wrong()
