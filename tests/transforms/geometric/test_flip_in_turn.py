"""Flips that alternate: by the definition computed by hand, whatever the workers, batches and order of epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.randomness.rng import hash_key, philox4x32

SEED = 5
KEYS = ["a.png", "b.png", 7, 2**40 + 1, "c/d.png", 0]
ROW = np.arange(12, dtype=np.uint8).reshape(3, 4)


def by_hand(key: str | int, epoch: int, *, seed: int = SEED, place: int = 0, every: int = 1) -> bool:
    """The first word of epoch 0 at a place says whether a sample begins mirrored; then it is every other one."""
    number = hash_key(key)
    counter = np.array([number & 0xFFFFFFFF, number >> 32, 0, place << 12], np.uint32)
    begins = int(philox4x32(counter, (seed, 0))[0]) < 2**31
    return begins ^ bool(epoch // every % 2)


def alternating(*flips: Any, seed: int = SEED) -> im.Pipeline:
    return im.Pipeline(flips or [im.Flip("x", mode="alternate")], seed=seed)


@pytest.mark.parametrize("epoch", range(6))
def test_pixels_are_those_of_the_definition(epoch: int) -> None:
    batch = alternating().batch([ROW] * len(KEYS), keys=KEYS, epoch=epoch).image
    for key, found in zip(KEYS, batch, strict=True):
        wanted = ROW[:, ::-1] if by_hand(key, epoch) else ROW
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(alternating()(ROW, key=key, epoch=epoch), wanted)
    assert 0 < sum(by_hand(key, epoch) for key in KEYS) < len(KEYS)  # both forms are among them


@given(
    st.integers(0, 2**32 - 2),
    st.integers(0, 2**64 - 1),
    st.one_of(st.text(max_size=8), st.integers(0, 2**64 - 1)),
    st.sampled_from("yx"),
)
def test_any_two_epochs_in_a_row_show_both_forms(epoch: int, seed: int, key: str | int, axis: str) -> None:
    pipe = alternating(im.Flip(axis, mode="alternate"), seed=seed)
    seen = {pipe(ROW, key=key, epoch=number).tobytes() for number in (epoch, epoch + 1)}
    assert seen == {ROW.tobytes(), np.flip(ROW, "yx".index(axis)).tobytes()}


def test_it_begins_as_the_random_flip_and_half_of_many_begin_mirrored() -> None:
    keys = range(4000)
    pixels = np.broadcast_to(np.array([[0, 1]], np.uint8), (4000, 1, 2))
    in_turn = alternating().batch(pixels, keys=keys, epoch=0).image
    random = im.Pipeline([im.Flip("x", p=0.5)], seed=SEED).batch(pixels, keys=keys, epoch=0).image
    np.testing.assert_array_equal(in_turn, random)
    assert abs(int(in_turn[:, 0, 0].sum()) - 2000) < 130  # four deviations


def test_it_depends_on_its_place_and_not_on_what_stands_behind_it() -> None:
    second = alternating(im.Invert(p=0.0), im.Flip("x", mode="alternate"))
    longer = alternating(im.Flip("x", mode="alternate"), im.Rotate((0, 0)))
    for key in KEYS:
        for epoch in (0, 1):
            mirrored = second(ROW, key=key, epoch=epoch)[0, 0] != 0
            assert mirrored == by_hand(key, epoch, place=1)
            assert (longer(ROW, key=key, epoch=epoch)[0, 0] != 0) == by_hand(key, epoch)


def forms(pipe: im.Pipeline, key: str, epochs: range) -> list[bytes]:
    return [pipe(ROW, key=key, epoch=epoch).tobytes() for epoch in epochs]


def test_two_axes_show_all_four_forms_where_one_changes_half_as_often() -> None:
    in_step = alternating(im.Flip("x", mode="alternate"), im.Flip("y", mode="alternate"))
    apart = alternating(im.Flip("x", mode="alternate"), im.Flip("y", mode="alternate", every=2))
    for key in "abcdef":
        assert len(set(forms(in_step, key, range(8)))) == 2
        for first in range(5):
            assert len(set(forms(apart, key, range(first, first + 4)))) == 4
        for epoch in range(6):
            wanted = ROW[:, ::-1] if by_hand(key, epoch) else ROW
            wanted = wanted[::-1] if by_hand(key, epoch, place=1, every=2) else wanted
            np.testing.assert_array_equal(apart(ROW, key=key, epoch=epoch), wanted)
    (note,) = [one for one in in_step.lint() if one.rule == "flips-in-step"]
    assert "write every=2 for one of them" in note.message
    assert not [one for one in apart.lint() if one.rule == "flips-in-step"]


def test_scans_label_maps_boxes_and_points_go_along() -> None:
    scan = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    pipe = alternating(im.Flip("z", mode="alternate"))
    given_ = {"mask": (scan > 11).astype(np.uint8), "keypoints": [[0.0, 1.0, 2.0]]}
    for epoch in range(2):
        out = pipe(image=im.Image(scan, "zyx"), key="s", epoch=epoch, **given_)
        mirrored = by_hand("s", epoch)
        np.testing.assert_array_equal(out.image, scan[::-1] if mirrored else scan)
        np.testing.assert_array_equal(out.mask, given_["mask"][::-1] if mirrored else given_["mask"])
        assert out.keypoints.array.tolist() == [[1.0 if mirrored else 0.0, 1.0, 2.0]]
        assert [one.name for one in out.applied] == (["Flip"] if mirrored else [])
        np.testing.assert_array_equal(pipe.replay(out.recipe, im.Image(scan, "zyx")).image, out.image)


X = np.random.default_rng(3).integers(0, 256, (23, 4, 5, 1), np.uint8)


def seen(loader: Any, epochs: int) -> dict[tuple[int, int], bytes]:
    found = {}
    for epoch in range(epochs):
        for batch in loader:
            found |= {(epoch, int(row)): image.tobytes() for row, image in zip(batch.label, batch.image, strict=True)}
    return found


@pytest.mark.parametrize(("batch", "workers"), [(4, 0), (23, 2), (1, 3)])
def test_batches_and_workers_do_not_matter(batch: int, workers: int) -> None:
    with im.Loader((X, np.arange(23)), alternating(), batch_size=batch, workers=workers) as loader:
        found = seen(loader, 4)
    for (epoch, row), image in found.items():
        wanted = X[row][:, ::-1] if by_hand(row, epoch) else X[row]
        assert image == wanted.tobytes()
    assert len(found) == 4 * 23


def test_an_epoch_that_is_jumped_to_or_resumed_is_the_same() -> None:
    with im.Loader((X, np.arange(23)), alternating(), batch_size=5, workers=0, seed=1) as loader:
        for _ in loader:
            pass
        batches = iter(loader)
        next(batches)
        state = loader.state_dict()
        rest = [batch.image.tobytes() for batch in batches]
    with im.Loader((X, np.arange(23)), alternating(), batch_size=5, workers=0, seed=1) as again:
        again.load_state_dict(state)
        assert [batch.image.tobytes() for batch in again] == rest
    with im.Loader((X, np.arange(23)), alternating(), batch_size=5, workers=0) as jumped:
        jumped.set_epoch(9)
        for batch in jumped:
            for row, image in zip(batch.label, batch.image, strict=True):
                np.testing.assert_array_equal(image, X[row][:, ::-1] if by_hand(int(row), 9) else X[row])


def test_without_a_key_each_call_is_a_sample_of_its_own() -> None:
    pipe = alternating()
    found = [bool(pipe(ROW)[0, 0]) for _ in range(64)]
    assert found == [by_hand(number, 0) for number in range(64)]  # a coin for each call, in turn for none


def test_within_a_combination_it_stays_in_turn_where_it_is_chosen() -> None:
    pipe = alternating(im.Sequential([im.Flip("x", mode="alternate")], p=0.5))
    for epoch in range(12):
        out = pipe(image=ROW, key="k", epoch=epoch)
        assert bool(out.image[0, 0]) in (False, by_hand("k", epoch, place=1))


def test_it_is_written_read_and_described() -> None:
    pipe = alternating(im.Flip("y", mode="alternate", every=3))
    for again in (im.Pipeline.from_yaml(pipe.to_yaml()), im.Pipeline.from_json(pipe.to_json())):
        assert again == pipe
        assert again.digest == pipe.digest
    assert "- Flip: {axis: y, mode: alternate, every: 3}\n" in pipe.to_yaml()
    said = alternating().explain().splitlines()
    assert said[0].startswith("1 transform (1 random, 0 fixed)")
    assert said[1:3] == ["operations that run on each image: 0 to 1", "different images that can come of one: 2"]
    assert " ".join(said[-1].split()) == "1. Flip axis 'x', mode 'alternate' in turn: every other epoch"
    assert "random-evaluation" in {one.rule for one in alternating().lint(evaluation=True)}
    # Pipelines of before have the digest that they had.
    assert im.Flip("x", p=0.5).to_dict() == {"Flip": {"p": 0.5}}


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"mode": "alternate", "p": 0.5}, r"without p, as it mirrors in turn and not by chance, got p=0\.5"),
        ({"mode": "alternate", "p": 0}, "without p"),
        ({"mode": "alternating"}, "one of 'random', 'alternate', got 'alternating'; did you mean 'alternate'"),
        ({"mode": "alternate", "every": 0}, r"Flip\(every=\.\.\.\) to be a whole number of epochs, 1 or more, got 0"),
        ({"mode": "alternate", "every": 1.5}, "whole number of epochs"),
        ({"mode": "alternate", "every": True}, "whole number of epochs"),
        ({"every": 2}, "with mode='alternate' only"),
    ],
)
def test_what_does_not_go_together_is_refused(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(im.ParameterError, match=message):
        im.Flip("x", **given_)
