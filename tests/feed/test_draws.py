"""Draws never repeat, whoever runs the loop: a DataLoader with any workers, a pool, joblib, copies."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.randomness import dataloader as loops
from imagemill.core.randomness.default_keys import Lineage
from tests.architecture.repository import ROOT, SRC, environment
from tests.feed.draws import (
    ONE,
    WAYS,
    N,
    Raw,
    dataset,
    distinct,
    draw_one,
    faults,
    iterate,
    iterate_together,
    loader,
    pipeline,
)

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
torch_data = pytest.importorskip("torch.utils.data")

# PyTorch advises against more workers than cores.
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    return iterate_together(0)


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_forked_workers_draw_what_none_would(alone: dict[str, Any], workers: int, persistent: bool) -> None:
    assert faults(alone, alone, quiet, "0") == []
    assert faults(iterate_together(workers, "fork", persistent=persistent), alone, quiet, "fork") == []


# Starting a worker takes seconds, so that four of them serve all ways; and a pipeline that is no part of the dataset,
# but of the program, which each worker runs again.
PROGRAM = """
import multiprocessing, sys
from tests.feed.draws import ONE, Together, faults, iterate_together, pipeline

pipe = pipeline()

class Data(Together):
    def __getitem__(self, i):
        own = {"image": pipe(ONE, key=i) if i % 2 else pipe(ONE), "label": i}
        return {**super().__getitem__(i), "own": own}

if __name__ == "__main__":
    method = sys.argv[1]
    multiprocessing.set_forkserver_preload(["torch", "imagemill.feed"])
    alone = iterate_together(0)
    found = faults(iterate_together(2, method, persistent=True, data=Data()), alone, print, method)
    found += faults(iterate_together(1, method, epochs=2, data=Data()), alone, print, method)
    sys.exit("\\n".join(found) or 0)
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_workers_draw_what_none_would(tmp_path: Path, method: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), method]
    run = subprocess.run(command, env=environment(SRC, ROOT), cwd=tmp_path, capture_output=True, text=True, timeout=500)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("36 |    36 |") == run.stdout.count("24 |    24 |") == len(WAYS) + 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("workers", [0, 2])
def test_each_way_with_a_data_loader_of_its_own(way: str, workers: int) -> None:
    made = iterate(loader(way, workers, "fork"))
    assert distinct(made) == 36
    assert [sorted(label for label, _ in epoch) for epoch in made] == [list(range(N))] * 3


# ----------------------------------------------------------------------------------------------- loops of others


@pytest.mark.parametrize("way", ["key=i", "torch_dataset()", "wrapped"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_made_anew_for_each_epoch_goes_on(way: str, workers: int) -> None:
    expected = iterate(loader(way, 0))
    one = dataset(way)
    made = [
        [
            (int(label), float(image[0, 0, 0]))
            for batch in torch_data.DataLoader(one, batch_size=4, num_workers=workers)
            for label, image in zip(batch["label"], batch["image"], strict=True)
        ]
        for _ in range(3)
    ]
    assert made == expected


@pytest.mark.parametrize("workers", [0, 2])
def test_a_dataset_made_anew_for_each_epoch_goes_on(workers: int) -> None:
    pipe = pipeline()
    made = [
        [pair for pair in iterate(torch_data.DataLoader(Raw(pipe, keyed=True), 4, num_workers=workers), 1)[0]]
        for _ in range(3)
    ]
    assert made == iterate(loader("key=i", 0))


@pytest.mark.parametrize("keyed", [False, True])
def test_the_same_seed_of_torch_before_each_epoch_does_not_repeat_draws(keyed: bool) -> None:
    ours = torch_data.DataLoader(Raw(pipeline(), keyed=keyed), 4, num_workers=2)
    made = []
    for _ in range(3):
        torch.manual_seed(0)
        made += iterate(ours, 1)
    assert distinct(made) == 36


@pytest.mark.parametrize("workers", [0, 2])
def test_a_look_at_the_first_batch_is_an_iteration_too(workers: int) -> None:
    ours = loader("key=i", workers)
    next(iter(ours))
    assert iterate(ours, 2) == iterate(loader("key=i", 0))[1:]


@pytest.mark.parametrize("workers", [0, 2])
def test_two_loaders_of_one_pipeline_do_not_repeat_each_other(workers: int) -> None:
    pipe = pipeline()
    first, second = (torch_data.DataLoader(Raw(pipe, keyed=True), 4, num_workers=workers) for _ in range(2))
    made = [iterate(ours, 1)[0] for _ in range(2) for ours in (first, second)]
    assert distinct(made) == 4 * N
    pairs = [[*batches] for batches in zip(first, second, strict=True)]
    assert len({float(b["image"][i, 0, 0, 0]) for both in pairs for b in both for i in range(4)}) == 2 * N


@pytest.mark.parametrize("way", ["key=i", "torch_dataset()", "wrapped"])
@pytest.mark.parametrize("persistent", [False, True])
def test_set_epoch_reaches_workers_that_are_running(way: str, persistent: bool) -> None:
    expected = iterate(loader(way, 0), 5)
    ours = loader(way, 2, "fork", persistent=persistent)
    iterate(ours, 1)
    told = ours.dataset.pipe if way == "key=i" else ours.dataset
    told.set_epoch(3)
    assert iterate(ours, 2) == expected[3:]
    told.set_epoch(1)
    assert iterate(ours, 1) == expected[1:2]


@pytest.mark.parametrize("way", ["torch_dataset()", "wrapped"])
def test_places_may_be_shuffled_by_torch(way: str) -> None:
    torch.manual_seed(1)
    made = iterate(loader(way, 2, "fork", shuffle=True))
    expected = iterate(loader(way, 0))
    assert [sorted(epoch) for epoch in made] == [sorted(epoch) for epoch in expected]
    assert made != expected


class Stream(torch_data.IterableDataset):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        self.pipe = pipeline()

    def __iter__(self) -> Any:
        info = torch_data.get_worker_info()
        for i in range(0 if info is None else info.id, N, 1 if info is None else info.num_workers):
            yield {"image": self.pipe(ONE, key=i), "label": i}


@pytest.mark.parametrize("persistent", [False, True])
def test_streams_of_samples_count_epochs_too(persistent: bool) -> None:
    expected = [sorted(epoch) for epoch in iterate(torch_data.DataLoader(Stream(), 4))]
    ours = torch_data.DataLoader(Stream(), 4, num_workers=2, persistent_workers=persistent)
    assert [sorted(epoch) for epoch in iterate(ours)] == expected == [sorted(e) for e in iterate(loader("key=i", 0))]


class Threaded(Raw):
    def __getitems__(self, places: list[int]) -> list[Any]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(self.__getitem__, places))


@pytest.mark.parametrize("keyed", [False, True])
def test_threads_of_a_worker_draw_for_its_epoch(keyed: bool) -> None:
    made = iterate(torch_data.DataLoader(Threaded(pipeline(), keyed=keyed), 4, num_workers=2))
    assert distinct(made) == 36


def test_outside_of_a_loop_a_key_means_the_same_pixels_twice() -> None:
    pipe = pipeline()
    iterate(torch_data.DataLoader(Raw(pipe, keyed=True), 4), 1)
    assert np.array_equal(pipe(ONE, key="a"), pipe(ONE, key="a"))
    assert np.array_equal(pipe(ONE, key="a"), pipeline()(ONE, key="a", epoch=0))
    pipe.set_epoch(2)
    assert np.array_equal(pipe(ONE, key="a"), pipeline()(ONE, key="a", epoch=2))
    assert np.array_equal(pipe.batch([ONE], keys=["a"]).image[0], pipeline()(ONE, key="a", epoch=2))


def test_an_epoch_that_is_said_stands_in_a_data_loader() -> None:
    class Fixed(Raw):
        def __getitem__(self, i: int) -> Any:
            assert self.pipe is not None
            return {"image": self.pipe(ONE, key=i, epoch=5), "label": i}

    first, second = iterate(torch_data.DataLoader(Fixed(pipeline(), keyed=True), 4), 2)
    assert first == second == iterate(loader("key=i", 0), 6)[5]


@pytest.mark.parametrize("wrong", [-1, 1 << 32, "3", True, 1.5])
def test_epochs_are_whole_numbers(wrong: Any) -> None:
    with pytest.raises(im.InputError, match="expected an epoch"):
        pipeline().set_epoch(wrong)


# ----------------------------------------------------------------------------------------------- replaying


class Recipes(Raw):
    def __getitem__(self, i: int) -> Any:
        assert self.pipe is not None
        made = self.pipe(image=ONE)
        return {"image": made.image, "label": i, "recipe": made.recipe.to_dict()}


def test_what_was_drawn_without_a_key_can_be_made_again() -> None:
    pipe = pipeline()
    for row in torch_data.DataLoader(Recipes(pipe, keyed=False), None, num_workers=2):
        assert np.array_equal(pipe.replay(row["recipe"], ONE).image, row["image"])


def test_without_keys_a_program_draws_the_same_when_it_is_run_again() -> None:
    first, second = (iterate(loader("no key", 2, "fork")) for _ in range(2))
    assert first == second


# ----------------------------------------------------------------------------------------------- ranks


@pytest.mark.parametrize("workers", [0, 2])
def test_ranks_draw_apart_and_the_same_in_every_run(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    def ranks() -> list[list[tuple[int, float]]]:
        found = []
        for rank in range(3):
            monkeypatch.setattr(loops, "rank", lambda rank=rank: rank)
            found += iterate(loader("no key", workers, "fork"), 2)
        return found

    made = ranks()
    assert distinct(made) == 3 * 2 * N
    assert ranks() == made


def test_pipelines_that_workers_make_for_themselves_draw_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def keys(rank: int, worker: int) -> list[int]:
        # Every rank may have given PyTorch the same seed.
        monkeypatch.setattr(loops, "rank", lambda: rank)
        monkeypatch.setattr(loops, "worker", lambda: SimpleNamespace(seed=5 + worker, id=worker))
        return Lineage().keys(3)

    made = [key for rank in range(2) for worker in range(2) for key in keys(rank, worker)]
    assert len(set(made)) == 12
    assert keys(1, 1) == made[-3:]


# ----------------------------------------------------------------------------------------------- pools and copies


def test_deep_copies_draw_apart_and_the_same_in_every_run() -> None:
    def values() -> list[float]:
        pipe = pipeline()
        copies = [pipe, copy.deepcopy(pipe), copy.deepcopy(pipe), copy.copy(pipe)]
        copies.append(copy.deepcopy(copies[1]))
        return [draw_one(each, None) for each in copies for _ in range(4)]

    assert len(set(values())) == 20
    assert values() == values()


def test_pickled_pipelines_draw_apart() -> None:
    said = pickle.dumps(pipeline())
    copies = [pipeline(), *(pickle.loads(said) for _ in range(4))]
    assert len({draw_one(each, None) for each in copies for _ in range(4)}) == 20
    assert {draw_one(each, 3) for each in copies} == {draw_one(pipeline(), 3)}


def test_a_pickle_carries_the_epoch_that_was_set() -> None:
    pipe = pipeline()
    pipe.set_epoch(4)
    assert draw_one(pickle.loads(pickle.dumps(pipe)), 1) == float(pipeline()(ONE, key=1, epoch=4)[0, 0, 0])


def test_an_epoch_set_on_a_copy_leaves_the_original() -> None:
    pipe = pipeline()
    other = copy.deepcopy(pipe)
    pipe.set_epoch(2)
    assert draw_one(other, 0) == draw_one(pipe, 0)
    other.set_epoch(7)
    assert draw_one(pipe, 0) == float(pipeline()(ONE, key=0, epoch=2)[0, 0, 0])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_processes_of_a_pool_draw_apart(method: str) -> None:
    with multiprocessing.get_context(method).Pool(2) as pool:
        made = pool.map(partial(draw_one, pipeline()), [None] * 40, chunksize=3)
        keyed = pool.map(partial(draw_one, pipeline()), range(20), chunksize=3)
    assert len(set(made)) == 40
    pipe = pipeline()
    assert keyed == [draw_one(pipe, key) for key in range(20)]


def test_forks_of_a_process_draw_apart_from_a_pipeline_that_they_have() -> None:
    made = [draw_own(None) for _ in range(5)]
    for _ in range(2):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            made += pool.map(draw_own, range(5))
    assert len(set(made)) == 15


OWN = pipeline()


def draw_own(_: Any) -> float:
    return draw_one(OWN, None)


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_the_workers_of_joblib_draw_apart(backend: str) -> None:
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    pipe = pipeline()
    made = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(draw_one)(pipe, None) for _ in range(40))
    if backend == "loky":
        joblib.externals.loky.get_reusable_executor().shutdown(wait=True)  # it keeps its processes otherwise
    assert len(set(made)) == 40


def test_threads_share_one_count() -> None:
    pipe = pipeline()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(partial(draw_one, pipe), [None] * 200))
    other = pipeline()
    assert sorted(made) == sorted(draw_one(other, None) for _ in range(200))
