"""Training images of several numbers: nested, balanced, by seed, with whole groups; and how long to train on them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from imagemill.core.errors import InputError, ParameterError
from imagemill.evaluate.exchange.training_subsets import Training, default_sizes, read_sizes, subset
from imagemill.evaluate.inputs.experiment_data import Data

LABELS = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [60, 30, 10]))


def data(labels: np.ndarray = LABELS, groups: np.ndarray | None = None) -> Data:
    x = np.zeros((len(labels), 4, 4, 1), np.uint8)
    test = np.zeros((3, 4, 4, 1), np.uint8), np.arange(3)
    return Data((x, labels), test, ("a", "b", "c"), groups)


@pytest.mark.parametrize("seed", range(4))
def test_smaller_sets_lie_within_larger_ones_and_each_class_has_its_share(seed: int) -> None:
    sets = [subset(LABELS, None, size, seed) for size in (10, 20, 50, 73, 100)]
    for small, large in pairwise(sets):
        assert set(small) < set(large)
    assert [len(rows) for rows in sets] == [10, 20, 50, 73, 100]
    assert [np.bincount(LABELS[rows]).tolist() for rows in sets[:3]] == [[6, 3, 1], [12, 6, 2], [30, 15, 5]]
    assert len(set(sets[3])) == 73


def test_a_set_does_not_depend_on_which_other_sizes_there_are_and_seeds_draw_others() -> None:
    sets = [tuple(subset(LABELS, None, 20, seed)) for seed in range(5)]
    assert len(set(sets)) == 5
    assert tuple(subset(LABELS, None, 20, 0)) == sets[0]
    assert set(np.concatenate(sets)) > set(sets[0])


def test_groups_come_together_or_not_at_all() -> None:
    groups = np.array([f"patient {row % 37}" for row in range(100)])
    for seed in range(4):
        small, large = (subset(LABELS, groups, size, seed) for size in (20, 60))
        for rows in (small, large):
            assert not set(groups[rows]) & set(np.delete(groups, rows))
        assert set(small) < set(large)
        assert abs(len(small) - 20) <= 1
        assert abs(len(large) - 60) <= 1


def test_sizes_of_a_users_and_sizes_that_are_found() -> None:
    assert read_sizes([50, 20], data(), 3) == (20, 50)
    assert read_sizes(None, data(), 3) == (11, 33, 100)
    assert default_sizes(30, 10) == (30,)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([50], r"expected two different sizes or more, got \[50\]"),
        ([50, 50], "expected two different sizes or more"),
        ([50, 20, 50], "expected two different sizes or more"),
        ([50, 101], "expected sizes up to the 100 training images, got 101"),
        ([50, 0], r"expected sizes that are numbers of images, got \[0\]"),
        ([50, True], r"got \[True\]"),
        ([50, 20.5], r"got \[20.5\]"),
        ([50, "20"], r"got \['20'\]"),
    ],
)
def test_sizes_that_make_no_curve_are_refused(sizes: list[int], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        read_sizes(sizes, data(), 2)


def test_a_size_that_leaves_a_class_out_is_refused_and_the_class_is_named() -> None:
    with pytest.raises(InputError, match=r"expected an image of every class among 4, got none of \['c'\] with seed 0"):
        read_sizes([4, 50], data(), 2)


def test_groups_that_are_large_beside_a_size_are_refused() -> None:
    groups = np.array([f"video {row % 6}" for row in range(100)])
    with pytest.raises(InputError, match="expected whole groups that make about 25 images, got"):
        read_sizes([25, 100], data(groups=groups), 1)


def test_a_group_is_needed_for_every_training_image() -> None:
    with pytest.raises(InputError, match=r"expected a group for each of the 100 training images, got \(3,\)"):
        data(groups=np.array(["a", "b", "c"]))


def test_the_same_steps_are_as_many_epochs_as_give_them() -> None:
    same = Training(steps=1000, epochs=None, batch_size=32)
    assert [same.epochs_for(n) for n in (300, 1000, 3000, 10000)] == [100, 31, 11, 3]
    assert [same.epochs_for(n) * same.batches(n) for n in (300, 1000, 3000, 10000)] == [1000, 992, 1034, 939]
    same.check([300, 1000, 3000, 10000])
    assert [Training(None, 7, 32).epochs_for(n) for n in (10, 10000)] == [7, 7]
    Training(None, 1, 32).check([10, 10000])


def test_steps_that_whole_epochs_cannot_give_are_refused_with_a_number_that_they_can() -> None:
    with pytest.raises(ParameterError, match=r"got 1,000: with 20,000 images an epoch is 625 steps; take 1,250 steps"):
        Training(1000, None, 32).check([300, 20000])
