"""Colour matrices compose: one after the other is one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import InputError
from imagemill.core.ops import ChannelMix


@st.composite
def mixes(draw, count, channels=None):
    """``count`` mixes of one batch, with and without pivot."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 3))
    c = channels or draw(st.integers(1, 4))
    return [
        ChannelMix(
            rng.normal(size=(n, c, c + 1)),
            rng.normal(size=(n, c, c)) if draw(st.booleans()) else None,
            draw(st.booleans()),
        )
        for _ in range(count)
    ]


def apply(mix, x):
    """The docstring's ``A x + b + K mean(x)`` for pixels ``[n, pixels, C]``."""
    c = mix.channels
    out = np.einsum("nij,npj->npi", mix.matrix[:, :, :c], x) + mix.matrix[:, None, :, c]
    if mix.pivot is not None:
        out = out + np.einsum("nij,nj->ni", mix.pivot, x.mean(axis=1))[:, None, :]
    return out


def same(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@given(mixes(2))
def test_composed_equals_one_after_the_other(pair):
    first, later = pair
    n, c = first.matrix.shape[:2]
    x = np.random.default_rng(1).normal(size=(n, 11, c))
    both = first.then(later)
    same(apply(both, x), apply(later, apply(first, x)))
    assert (both.pivot is None) == (first.pivot is None and later.pivot is None)
    assert both.leaves_range == (first.leaves_range or later.leaves_range)


@given(mixes(3))
def test_composition_is_associative(three):
    a, b, c = three
    left, right = a.then(b).then(c), a.then(b.then(c))
    same(left.matrix, right.matrix)
    same(0.0 if left.pivot is None else left.pivot, 0.0 if right.pivot is None else right.pivot)


@given(mixes(1))
def test_the_identity_changes_nothing(one):
    (mix,) = one
    n, c = mix.matrix.shape[:2]
    same_colours = ChannelMix.diagonal(np.ones((n, c)))
    for both in (mix.then(same_colours), same_colours.then(mix)):
        np.testing.assert_array_equal(both.matrix, mix.matrix)
        np.testing.assert_array_equal(
            both.pivot if both.pivot is not None else 0, mix.pivot if mix.pivot is not None else 0
        )


@given(mixes(2))
def test_a_row_composes_the_same_alone_bit_for_bit(pair):
    first, later = pair
    both = first.then(later)
    for row in range(len(both.matrix)):
        alone = _row(first, row).then(_row(later, row))
        np.testing.assert_array_equal(alone.matrix[0], both.matrix[row])
        if both.pivot is not None:
            np.testing.assert_array_equal(alone.pivot[0], both.pivot[row])


def _row(mix, row):
    pivot = None if mix.pivot is None else mix.pivot[row : row + 1]
    return ChannelMix(mix.matrix[row : row + 1], pivot, mix.leaves_range)


def test_mixes_of_other_batches_or_channels_are_refused():
    one = ChannelMix.diagonal(np.ones((1, 3)))
    for other in (ChannelMix.diagonal(np.ones((2, 3))), ChannelMix.diagonal(np.ones((1, 1)))):
        with pytest.raises(InputError, match="expected mixes of one batch and as many channels"):
            one.then(other)
