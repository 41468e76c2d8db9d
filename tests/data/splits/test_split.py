"""Dividing records: shares, classes, groups, and what a new file moves."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.data.splits.split import PARTS, Shares, assign, largest_remainder, read_shares


def names(count: int) -> list[str]:
    return [f"photos/{n:05d}.jpg" for n in range(count)]


@pytest.mark.parametrize(("total", "test"), [(999, 0.2), (1_000, 0.1), (9_999, 0.1), (10_000, 0.05)])
def test_the_rule_for_the_test_part(total: int, test: float) -> None:
    assert read_shares("auto", 0, total) == Shares(1 - test, 0, test)
    with_val = read_shares("auto", None, total)
    assert with_val.val == pytest.approx(0.1 * (1 - test))


def test_numbers_as_fractions_and_as_counts() -> None:
    assert read_shares((0.5, 0.25, 0.25), 0.4, 8).counts(8) == (4, 2, 2)
    assert read_shares(20, 0, 100).counts(100) == (80, 0, 20)
    assert read_shares((80, 20), 0.25, 100).counts(100) == (60, 20, 20)
    assert read_shares(0, 0.5, 10).counts(10) == (5, 5, 0)


@pytest.mark.parametrize(
    "asked", ["most", 1.0, (0.5, 0.6), (0.5, 0.2, 0.2), -0.1, (1, 2, 3, 4), True, (0, 0.5, 0.5), 101]
)
def test_wrong_numbers_are_refused(asked: object) -> None:
    with pytest.raises(im.InputError, match="expected"):
        read_shares(asked, 0, 100).counts(100)


@pytest.mark.parametrize("val", [1, 1.5, -0.1, True, "a tenth"])
def test_a_wrong_share_for_validation_is_refused_by_its_name(val: object) -> None:
    with pytest.raises(im.InputError, match="expected val as a share of the training part from 0 to below 1"):
        read_shares("auto", val, 0)  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 50), min_size=1, max_size=9))
def test_largest_remainders_stay_within_one(quotas: list[float]) -> None:
    total = round(sum(quotas))
    found = largest_remainder(quotas, total)
    if abs(sum(quotas) - total) < 1e-9:
        assert sum(found) == total
        assert all(abs(f - q) < 1 + 1e-6 for f, q in zip(found, quotas, strict=True))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=300), st.integers(0, 9), st.sampled_from([0.0, 0.1, 0.25]))
def test_every_class_is_divided_like_the_whole(classes: list[int], seed: int, val: float) -> None:
    labels = [f"c{c}" for c in classes]
    shares = read_shares(0.2, val, len(labels))
    parts = assign(names(len(labels)), shares, labels=labels, seed=seed)
    assert Counter(parts) == Counter(dict(zip(PARTS, shares.counts(len(labels)), strict=True)))
    for name, size in Counter(labels).items():
        held = Counter(p for p, label in zip(parts, labels, strict=True) if label == name)
        assert abs(held["test"] - size * parts.count("test") / len(labels)) < 1
        assert abs(held["val"] - size * parts.count("val") / len(labels)) < 2


def test_the_order_of_the_records_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    keys = names(500)
    labels = [f"c{n % 7}" for n in range(500)]
    groups = [f"g{n % 90}" for n in range(500)]
    for given_groups in (None, groups):
        first = dict(
            zip(keys, assign(keys, read_shares("auto", 0.1, 500), labels=labels, groups=given_groups), strict=True)
        )
        order = rng.permutation(500)
        mixed = assign(
            [keys[i] for i in order],
            read_shares("auto", 0.1, 500),
            labels=[labels[i] for i in order],
            groups=None if given_groups is None else [groups[i] for i in order],
        )
        assert {keys[i]: part for i, part in zip(order, mixed, strict=True)} == first


def test_another_seed_is_another_split() -> None:
    shares = read_shares("auto", 0.1, 300)
    assert (
        assign(names(300), shares, seed=1) == assign(names(300), shares, seed=1) != assign(names(300), shares, seed=2)
    )


def test_no_group_is_on_two_sides_in_a_thousand_datasets() -> None:
    rng = np.random.default_rng(1)
    for _ in range(1000):
        count = int(rng.integers(4, 60))
        groups = [None if rng.random() < 0.1 else f"p{rng.integers(0, rng.integers(2, 25))}" for _ in range(count)]
        labels = [f"c{rng.integers(0, 3)}" for _ in range(count)]
        parts = assign(
            names(count), read_shares(0.2, 0.1, count), labels=labels, groups=groups, seed=int(rng.integers(99))
        )
        sides = defaultdict(set)
        for group, part in zip(groups, parts, strict=True):
            if group is not None:
                sides[group].add(part)
        assert all(len(side) == 1 for side in sides.values())


def test_groups_meet_the_shares_as_far_as_they_can() -> None:
    rng = np.random.default_rng(2)
    groups = [f"p{g}" for g in rng.integers(0, 200, 2000)]
    labels = [f"c{sum(map(ord, g)) % 5}" for g in groups]
    parts = assign(names(2000), read_shares(0.2, 0.1, 2000), labels=labels, groups=groups)
    assert abs(parts.count("test") - 400) <= 10
    for name in set(labels):
        inside = [p for p, label in zip(parts, labels, strict=True) if label == name]
        assert abs(inside.count("test") / len(inside) - 0.2) < 0.05
    assert set(assign(names(4), read_shares(0.2, 0, 4), groups=["a", "a", "b", "b"])) == {"train", "test"}


def test_large_groups_are_placed_before_small_ones_fill_up() -> None:
    for seed in range(20):
        groups = ["big"] * 50 + [f"p{n}" for n in range(50)]
        parts = assign(names(100), read_shares(0.5, 0, 100), groups=groups, seed=seed)
        assert parts.count("test") == 50


def test_a_group_and_a_key_of_one_name_are_two_things() -> None:
    parts = assign(["a", "b", "c", "d"], Shares(0.5, 0, 0.5), groups=["b", None, "b", None])
    assert parts[0] == parts[2]
    assert Counter(parts) == {"train": 2, "test": 2}


def test_several_labels_are_divided_alike() -> None:
    rng = np.random.default_rng(3)
    labels = [tuple(f"l{k}" for k in range(4) if rng.random() < 0.3) for _ in range(600)]
    parts = assign(names(600), read_shares(0.2, 0, 600), labels=labels)
    for k in range(4):
        inside = [p for p, label in zip(parts, labels, strict=True) if f"l{k}" in label]
        assert abs(inside.count("test") / len(inside) - 0.2) < 0.03


def test_a_new_file_moves_next_to_nothing() -> None:
    rng = np.random.default_rng(4)
    moved = []
    for _ in range(200):
        count = int(rng.integers(20, 400))
        keys = [f"{rng.integers(1 << 40)}.png" for _ in range(count + 1)]
        labels = [f"c{rng.integers(0, 5)}" for _ in range(count + 1)]
        before = assign(keys[:-1], read_shares(0.2, 0.1, count), labels=labels[:-1])
        after = assign(keys, read_shares(0.2, 0.1, count + 1), labels=labels)
        moved.append(sum(a != b for a, b in zip(before, after[:-1], strict=True)))
    assert max(moved) <= 6
    assert np.mean(moved) < 2


def test_keys_come_once_and_columns_fit() -> None:
    with pytest.raises(im.InputError, match="every key once"):
        assign(["a", "a"], Shares(1, 0, 0))
    with pytest.raises(im.InputError, match="one of labels per key"):
        assign(["a", "b"], Shares(1, 0, 0), labels=["x"])


def test_validation_is_taken_from_what_the_test_part_left() -> None:
    # Three classes of one record: the first goes to the test part, so that validation is owed to the second.
    parts = assign(["1", "2", "3"], Shares(1 / 3, 1 / 3, 1 / 3), labels=["a", "b", "c"])
    assert parts == ["test", "val", "train"]
