"""Which sampling serves two ops at once, written out: orders, borders, what empty edges show."""

from __future__ import annotations

import pytest

from imagemill.core.ops import Sampling


def constant(fill: float = 0.0, mask_fill: int = 0, order: int | None = None) -> Sampling:
    return Sampling(order, "constant", fill, mask_fill)


FREE = Sampling()
BOTH: list[tuple[Sampling, Sampling, Sampling]] = [
    (FREE, FREE, FREE),
    (FREE, Sampling(3), Sampling(3)),
    (Sampling(1), Sampling(1), Sampling(1)),
    (Sampling(1), Sampling(None, "wrap"), Sampling(1, "wrap")),
    (Sampling(1, "wrap"), Sampling(1, "wrap"), Sampling(1, "wrap")),
    (FREE, constant(5.0, 2, 3), constant(5.0, 2, 3)),
    (Sampling(3), constant(5.0, 2), constant(5.0, 2, 3)),
    (constant(5.0, 2), constant(5.0, 2), constant(5.0, 2)),
    # Other borders show no fill, so none of theirs contradicts.
    (Sampling(1, "wrap", 5.0), Sampling(1, "wrap", 5.0), Sampling(1, "wrap", 5.0)),
    (Sampling(1, antialias=True), Sampling(1), Sampling(1, antialias=True)),
    (Sampling(1, antialias=True), Sampling(1, antialias=True), Sampling(1, antialias=True)),
]
APART: list[tuple[Sampling, Sampling, str]] = [
    (Sampling(1), Sampling(3), "spline order 1 against 3"),
    (Sampling(0), Sampling(1), "spline order 0 against 1"),
    (Sampling(1, "wrap"), Sampling(1, "nearest"), "border wrap against nearest"),
    (constant(5.0), Sampling(None, "nearest"), "border constant against nearest"),
    (constant(5.0), constant(6.0), "fill 5 against 6"),
    (constant(5.0, 1), constant(5.0, 2), "label fill 1 against 2"),
]


@pytest.mark.parametrize(("one", "other", "wanted"), BOTH)
def test_what_one_leaves_open_the_other_says(one: Sampling, other: Sampling, wanted: Sampling) -> None:
    assert one.merge(other) == wanted
    assert other.merge(one) == wanted


@pytest.mark.parametrize(("one", "other", "why"), APART)
def test_what_contradicts_is_said(one: Sampling, other: Sampling, why: str) -> None:
    assert one.merge(other) == why
    assert isinstance(other.merge(one), str)


def test_fills_count_with_a_constant_border_alone() -> None:
    found = Sampling(1, "wrap", 5.0, 1).merge(Sampling(1, "wrap", 6.0, 2))
    assert isinstance(found, Sampling)
    assert (found.order, found.border) == (1, "wrap")
