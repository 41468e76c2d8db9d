"""Any number of loops over one loader at once, and none that ends early without a word."""

from __future__ import annotations

import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader
from imagemill.feed.workers import processes as feed_processes
from tests.clocks import until

X = np.random.default_rng(0).integers(0, 256, (30, 12, 10, 3), dtype=np.uint8)
Y = np.arange(30) % 5
PIPE = im.Pipeline([im.Flip("x", p=0.5), im.Shift(fraction=(-0.2, 0.2))], seed=3)
WORKERS = [0, 2, "process:1"]


def made(workers: Any, **how: Any) -> Loader:
    return Loader((X, Y), PIPE, **{"batch_size": 8, "workers": workers, **how})


def whole(batches: list[Any], epoch: int) -> bool:
    """Whether these are all batches of an epoch, with the pixels that its rows have in it."""
    keys = np.concatenate([np.asarray(batch.keys) for batch in batches])
    images = np.concatenate([batch.image for batch in batches])
    right = PIPE.batch(X[keys], keys=keys, epoch=epoch).image
    return sorted(keys.tolist()) == list(range(30)) and np.array_equal(images, right)


@pytest.mark.parametrize("workers", WORKERS)
def test_loops_within_a_loop_give_whole_epochs(workers: Any) -> None:
    with made(workers) as loader:
        outer, inner = [], []
        for batch in loader:
            outer.append(batch)
            inner.append(list(loader))
        assert [batches[0].epoch for batches in inner] == [1, 2, 3, 4]
        assert whole(outer, 0)
        assert all(whole(batches, number) for number, batches in enumerate(inner, 1))
        assert loader.epoch == 5


@pytest.mark.parametrize("workers", WORKERS)
def test_side_by_side(workers: Any) -> None:
    with made(workers) as loader:
        pairs = list(zip(loader, loader, strict=True))
    assert whole([first for first, _ in pairs], 0)
    assert whole([second for _, second in pairs], 1)


@pytest.mark.parametrize("workers", WORKERS)
def test_a_look_at_one_batch_shortens_nothing(workers: Any) -> None:
    with made(workers) as loader:
        running = iter(loader)
        first = next(running)
        looks = [next(iter(loader)) for _ in range(3)]
        rest = list(running)
    assert [look.epoch for look in looks] == [1, 2, 3]
    assert whole([first, *rest], 0)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("view", ["numpy", "torch"])
def test_the_same_of_views(view: str, workers: Any) -> None:
    if view == "torch":
        pytest.importorskip("torch", reason="PyTorch is not installed")
    with made(workers) as loader:
        batches = getattr(loader, view)()
        seen = []
        for one, other in zip(batches, batches, strict=True):
            next(iter(batches))
            seen.append((len(one["label"]), len(other["label"])))
    assert seen == [(8, 8), (8, 8), (8, 8), (6, 6)]


@pytest.mark.parametrize("workers", [2, "process:1"])
def test_loops_in_threads(workers: Any) -> None:
    with made(workers) as loader:
        found: list[list[Any]] = []
        threads = [threading.Thread(target=lambda: found.append(list(loader))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
    assert sorted(batches[0].epoch for batches in found) == [0, 1, 2]
    assert all(whole(batches, batches[0].epoch) for batches in found)


def test_a_loop_takes_its_epoch_with_its_first_batch() -> None:
    loader = made(2)
    early = iter(loader)
    loader.set_epoch(4)
    assert next(early).epoch == 4
    assert next(iter(loader)).epoch == 5


@pytest.mark.parametrize("workers", WORKERS)
def test_a_loop_that_was_cut_says_so(workers: Any) -> None:
    loader = made(workers)
    running = iter(loader)
    next(running)
    loader.close()
    for _ in range(2):
        with pytest.raises(im.InputError, match=r"batch 1 of 4 of epoch 0, got a loader that was closed.*with block"):
            next(running)
    assert next(iter(loader)).epoch == 1, "expected the loader to go on"
    loader.close()
    with made(workers) as other:
        left = iter(other)
        next(left)
    with pytest.raises(im.InputError, match="with block"):
        next(left)


def test_closing_in_another_thread_is_no_end_of_the_epoch() -> None:
    gate = threading.Event()

    def slow(image: Any) -> Any:
        gate.wait(300)
        return image

    loader = Loader((X,), im.Pipeline([im.Apply(slow)], seed=0), batch_size=8, workers=1)
    running, said = iter(loader), []

    def ask() -> None:
        try:
            next(running)
        except BaseException as error:
            said.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: loader._track._running, "a loop that runs")
    loader.close()
    gate.set()
    asking.join(300)
    assert [type(error) for error in said] == [im.InputError]


def test_an_error_in_one_loop_of_threads_leaves_the_others() -> None:
    def picky(image: Any) -> Any:
        if image.max() == 0:
            raise ZeroDivisionError
        return image

    x = X.copy()
    x[29] = 0
    loader = Loader((x,), im.Pipeline([im.Apply(picky)], seed=0), batch_size=8, workers=2, shuffle=False)
    one, other = iter(loader), iter(loader)
    assert [next(one).number for _ in range(3)] == [next(other).number for _ in range(3)] == [0, 1, 2]
    for running in (one, other):
        with pytest.raises(ZeroDivisionError):
            next(running)


def test_more_loops_of_processes_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_processes, "LOOPS", 2)
    with made("process:1") as loader:
        running = [iter(loader), iter(loader)]
        for loop in running:
            next(loop)
        with pytest.raises(im.InputError, match="at most 2 loops over one loader at once"):
            next(iter(loader))
        assert len(list(running.pop())) == 3
        assert whole(list(loader), 2), "expected the place of a loop that ended, and the epoch that none had"


def test_the_state_is_that_of_the_loop_that_got_a_batch_last() -> None:
    loader = made(0)

    def state() -> tuple[int, int]:
        said = loader.state_dict()
        return said["epoch"], said["batch"]

    outer = iter(loader)
    next(outer)
    assert state() == (0, 1)
    inner = iter(loader)
    next(inner)
    assert (state(), loader.epoch) == ((1, 1), 1)
    list(inner)
    assert (state(), loader.epoch) == ((0, 1), 0), "expected that of the loop around the one that ended"
    next(iter(loader))
    assert state() == (0, 1), "expected a look to leave nothing"
    next(outer)
    assert state() == (0, 2)
    list(outer)
    assert state() == (3, 0)
    for _ in loader:
        break
    assert state() == (3, 1), "expected an epoch that was left early to be gone on with elsewhere"
    assert next(iter(loader)).epoch == 4


def test_a_copy_begins_where_the_loader_is() -> None:
    loader = made(0)
    list(loader)
    next(iter(loader))
    copy = pickle.loads(pickle.dumps(loader._track))
    assert (copy.place, copy.epoch, len(copy._running)) == ((1, 1), 2, 0)


# ---------------------------------------------------------------------------------------------- loaded states


def loaded(batches: int) -> tuple[Loader, dict[str, Any], list[Any]]:
    """A loader with a state loaded, the state, and the batches that come next."""
    before, after = made(0), made(0)
    before.set_epoch(3)
    running = iter(before)
    for _ in range(batches):
        next(running)
    state = before.state_dict()
    after.load_state_dict(state)
    return after, state, [before.batch(n, epoch=3).image for n in range(batches, 4)]


def test_set_epoch_after_a_state_goes_on_inside_the_epoch() -> None:
    loader, state, rest = loaded(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for epoch in range(state["epoch"], 6):
            loader.set_epoch(epoch)
            batches = list(loader)
            if epoch == 3:
                assert [np.array_equal(b.image, right) for b, right in zip(batches, rest, strict=True)] == [True, True]
            else:
                assert whole(batches, epoch)


def test_the_state_after_the_last_batch_names_the_next_epoch() -> None:
    loader, state, _ = loaded(4)
    assert (state["epoch"], state["batch"]) == (4, 0)
    loader.set_epoch(state["epoch"])
    assert whole(list(loader), 4)


@pytest.mark.parametrize(("batches", "epoch"), [(2, 4), (2, 2), (4, 3)])
def test_setting_another_epoch_says_what_it_drops(batches: int, epoch: int) -> None:
    loader, _, _ = loaded(batches)
    with pytest.warns(UserWarning, match=rf"the loaded state says epoch [34].* set_epoch\({epoch}\) begins .* anew"):
        loader.set_epoch(epoch)
    assert whole(list(loader), epoch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loader.set_epoch(epoch)
        assert whole(list(loader), epoch), "expected no word once the state was used"


@pytest.mark.parametrize("view", ["numpy", "torch"])
def test_views_go_on_inside_the_epoch(view: str) -> None:
    if view == "torch":
        pytest.importorskip("torch", reason="PyTorch is not installed")
    loader, state, rest = loaded(1)
    batches = getattr(loader, view)(("image",))
    batches.load_state_dict(state)
    batches.set_epoch(state["epoch"])
    found = [np.asarray(image) for (image,) in batches]
    assert [np.array_equal(a, b) for a, b in zip(found, rest, strict=True)] == [True] * 3


# ---------------------------------------------------------------------------------------------- seeds


def test_the_advice_for_a_seed_that_nobody_gave_works() -> None:
    seedless = im.Pipeline([im.Flip("x", p=0.5)])
    for pipe, again in ((None, None), (seedless, im.Pipeline([im.Flip("x", p=0.5)]))):
        before = Loader((X, Y), pipe, batch_size=8, workers=0)
        next(iter(before))
        state = before.state_dict()
        with pytest.raises(im.InputError, match=r'another seed; .*build it with seed=state\["seed"\]$'):
            Loader((X, Y), again, batch_size=8, workers=0).load_state_dict(state)
        after = Loader((X, Y), again, batch_size=8, workers=0, seed=state["seed"])
        after.load_state_dict(state)
        assert np.array_equal(next(iter(after)).image, before.batch(1, epoch=0).image)
    with pytest.raises(im.InputError, match=r'another seed, order .*seed=state\["seed"\], and all else as it was'):
        Loader((X, Y), SEEDLESS, batch_size=8, workers=0, shuffle=False).load_state_dict(state)
    with pytest.raises(im.InputError, match="another seed; build it as it was"):
        made(0).load_state_dict(state | {"pipeline": made(0).state_dict()["pipeline"]})


SEEDLESS = im.Pipeline([im.Flip("x", p=0.5)])


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"pipeline": SEEDLESS},
        {"pipeline": pickle.loads(pickle.dumps(SEEDLESS))},
        {"shuffle": 4},
        {"balance": True, "shuffle": False},
    ],
)
def test_ranks_without_a_shared_seed_are_refused_and_the_advice_works(how: dict[str, Any]) -> None:
    for rank in range(2):
        with pytest.raises(im.InputError, match=rf"a seed that all ranks share, got none for rank {rank} of 2.*seed=0"):
            Loader((X, Y), rank=rank, world_size=2, workers=0, **how)
    every = [Loader((X, Y), rank=rank, world_size=2, batch_size=4, workers=0, seed=0, **how) for rank in range(2)]
    assert all(len(loader) == 4 for loader in every)
    if "balance" not in how:
        keys = [int(key) for loader in every for batch in loader if not batch.repeated for key in batch.keys]
        assert sorted(keys) == list(range(30))


@pytest.mark.parametrize(
    "how", [{"pipeline": PIPE}, {"seed": 1}, {"shuffle": False}, {"seed": 1, "pipeline": SEEDLESS}]
)
def test_ranks_that_agree_see_every_row_once(how: dict[str, Any]) -> None:
    every = [Loader((X, Y), rank=rank, world_size=3, batch_size=4, workers=0, **how) for rank in range(3)]
    keys = [int(key) for loader in every for batch in loader if not batch.repeated for key in batch.keys]
    assert sorted(keys) == list(range(30))
