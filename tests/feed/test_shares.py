"""Who gets which rows of an epoch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.feed.order.batches import Shares


@given(n=st.integers(1, 200), size=st.integers(1, 20), world_size=st.integers(1, 9))
def test_ranks_together_have_every_place_once(n: int, size: int, world_size: int) -> None:
    ranks = [Shares(n, size, rank, world_size) for rank in range(world_size)]
    assert len({len(shares) for shares in ranks}) == 1, "a rank with fewer batches would leave the others waiting"
    for batch in range(len(ranks[0])):
        shares = [rank.of(batch) for rank in ranks]
        places = [place for share in shares if not share.repeated for place in share.places]
        assert places == list(range(batch * size * world_size, min(n, (batch + 1) * size * world_size)))
        assert all(len(share.places) >= 1 for share in shares)
        counts = [0 if share.repeated else len(share.places) for share in shares]
        assert max(counts) - min(counts) <= 1
        assert all(list(share.places) == places[:1] for share in shares if share.repeated)


@given(n=st.integers(8, 200), world_size=st.sampled_from([1, 2, 4, 8]))
def test_the_same_places_for_any_world_of_the_same_batch(n: int, world_size: int) -> None:
    batches = []
    for batch in range(len(Shares(n, 8))):
        shares = [Shares(n, 8 // world_size, rank, world_size).of(batch) for rank in range(world_size)]
        batches.append([place for share in shares if not share.repeated for place in share.places])
    assert batches == [list(Shares(n, 8).of(batch).places) for batch in range(len(batches))]


def test_a_short_batch_can_be_left_out() -> None:
    shares = Shares(10, 4, drop_last=True)
    assert [list(shares.of(batch).places) for batch in range(len(shares))] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(IndexError, match="from 0 to 1"):
        shares.of(2)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("batch_size", {"batch_size": 0}),
        ("batch_size", {"batch_size": 2.5}),
        ("world_size", {"batch_size": 2, "world_size": 0}),
        ("rank from 0 to 1", {"batch_size": 2, "world_size": 2, "rank": 2}),
        ("one whole batch", {"batch_size": 20, "drop_last": True}),
    ],
)
def test_impossible_shares_are_refused(words: str, given: dict[str, int]) -> None:
    with pytest.raises(im.InputError, match=words):
        Shares(10, **given)
