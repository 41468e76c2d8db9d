"""Evidence that a transform changes the label: what counts, and over how many questions it is adjusted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from imagemill.evaluate.screening.label_changes import (
    ClassEvidence,
    class_evidence,
    is_unclear,
    label_changes,
    over_images,
    sure_from,
    surely,
)


def test_an_image_is_surely_something_only_above_the_limit() -> None:
    said = np.array([[0.9, 0.1], [0.2, 0.8], [0.55, 0.45]])
    assert surely(said, 0.8).tolist() == [0, 1, -1]


def test_a_network_is_sure_where_19_of_20_answers_are_right() -> None:
    confidence = np.linspace(0.99, 0.6, 40)
    said, labels = np.stack([confidence, 1 - confidence], axis=1), np.zeros(40, np.int64)
    labels[[5, 30, 35]] = 1  # wrong: of the first 30 one is, of 31 two, and three of the last 40
    few = said[:1], labels[:1]  # the quantile of these is out of the way
    assert sure_from(said, labels, said[-1:], labels[-1:]) == pytest.approx(confidence[29])
    assert sure_from(said, labels, *few) == 0.99
    labels[[10, 15]] = 1
    assert sure_from(said, labels, said[-1:], labels[-1:]) == pytest.approx(confidence[4])
    labels[0] = 1
    assert sure_from(said, labels, *few) == np.inf


def test_shares_are_beyond_those_of_the_images_as_they_are_and_their_interval_is_students() -> None:
    labels = np.repeat([0, 1], [40, 3])
    plain, made = np.repeat([0, 1], [40, 3]), np.repeat([0, 1], [40, 3])
    plain[:4] = 2  # four are taken for 2 as they are
    made[:14] = 2  # and ten more with the transform
    made[14:18] = 1
    (found,) = class_evidence(plain, made, labels, "abc")  # of the second class there are too few
    assert (found.name, found.taken_for) == ("a", "c")
    change = np.repeat([0.0, 1.0, 0.0], [4, 10, 26])
    low, high = stats.t.interval(0.95, 39, change.mean(), stats.sem(change))
    assert (found.moved.mean, found.moved.low, found.moved.high) == pytest.approx((0.25, low, high))
    assert found.moved.p == pytest.approx(stats.ttest_1samp(change, 0).pvalue)


def _moved(count: int, of: int = 40) -> np.ndarray:
    made = np.zeros(of, np.int64)
    made[:count] = 1
    return made


def test_a_flag_takes_a_tenth_of_the_images_and_holds_over_all_questions() -> None:
    zeros = np.zeros(40, np.int64)

    def asked(count: int, others: int) -> tuple[str, ...]:
        one = class_evidence(zeros, _moved(count), zeros, "ab")
        rest = [class_evidence(zeros, _moved(0), zeros, "ab")] * others
        return tuple(evidence.taken_for for evidence in label_changes([one, *rest])[0])

    # Six of 40: p is 0.012, which four questions leave under 0.05 and five do not.
    p = class_evidence(zeros, _moved(6), zeros, "ab")[0].moved.p
    assert 4 * p < 0.05 < 5 * p
    assert asked(6, 3) == ("b",)
    assert asked(6, 4) == ()
    many = np.zeros(4000, np.int64)
    small = class_evidence(many, _moved(380, 4000), many, "ab")
    assert small[0].moved.p < 1e-12
    assert label_changes([small]) == [()]  # sure, and too few to matter
    assert label_changes([class_evidence(many, _moved(400, 4000), many, "ab")])[0][0].moved.mean == 0.1


def test_the_class_that_moves_most_comes_first() -> None:
    labels = np.repeat([0, 1], 40)
    made = np.concatenate([_moved(20), 1 - _moved(30)])
    (found,) = label_changes([class_evidence(labels, made, labels, "ab")])
    assert [(one.name, one.moved.mean) for one in found] == [("b", 0.75), ("a", 0.5)]


def test_many_classes_that_become_one_are_no_evidence() -> None:
    said = over_images(np.full(20, 1.0), 0.95)

    def unclear(pairs: str, classes: int) -> bool:
        return is_unclear([ClassEvidence(pair[0], pair[1], said, 0.0) for pair in pairs.split()], classes)

    assert not unclear("", 10)
    assert not unclear("69 96 35 53", 10)  # half a turn
    assert not unclear("69 79 35 25", 10)  # two and two
    assert unclear("04 34 74 12", 10)
    assert not unclear("01 21", 4)
    assert unclear("01 21", 3)
    assert not unclear("01 10", 2)
    assert not unclear("01", 2)
