"""Facts about a part of a plan are worked out once, live as long as it does, and are no part of it."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.geometry import Frame
from imagemill.engine import execute
from imagemill.engine.plan import Colour, Pass, Plan, Resample, kept
from imagemill.testing import picture


def planned(n: int = 2) -> tuple[im.Pipeline, Plan]:
    pipe = im.Pipeline([im.Rotate((-20, 20)), im.Contrast((0.5, 1.5)), im.Normalize([0.5] * 3, [0.2] * 3)], seed=1)
    return pipe, pipe.plan(pipe.draw(Frame.of(30, 40, channels=3, n=n), range(n)))


def run(pipe: im.Pipeline, plan: Plan) -> Any:
    images = np.stack([picture(i, (30, 40), 3) for i in range(plan.n)])
    return execute.run(plan, {"image": execute.Column("image", "yxc", images)}, pipe.backend)["image"]


def parts(plan: Plan) -> tuple[Resample, Colour]:
    (step,) = plan.steps
    assert isinstance(step, Pass)
    assert step.resample is not None
    assert step.colour is not None
    return step.resample, step.colour


def test_a_fact_is_worked_out_once_for_each_part() -> None:
    asked: list[int] = []

    @kept
    def size(plan: Plan) -> None:
        asked.append(plan.n)

    one, other = planned(2)[1], planned(3)[1]
    # None is a fact too.
    assert [size(one), size(one), size(other), size(one)] == [None] * 4  # type: ignore[func-returns-value]
    assert asked == [2, 3]


def test_two_facts_of_one_part_are_told_apart() -> None:
    @kept
    def n(plan: Plan) -> int:
        return plan.n

    @kept
    def axes(plan: Plan) -> str:
        return plan.axes

    plan = planned()[1]
    assert (n(plan), axes(plan), n(plan)) == (2, "yx", 2)


def test_threads_that_ask_at_once_are_told_the_same() -> None:
    gate, found = threading.Barrier(8, timeout=300), []

    @kept
    def own(plan: Plan) -> object:
        gate.wait()
        return object()

    plan = planned()[1]
    threads = [threading.Thread(target=lambda: found.append(own(plan))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


@pytest.mark.parametrize("again", [lambda part: pickle.loads(pickle.dumps(part)), copy.copy, copy.deepcopy, replace])
def test_copies_and_pickles_do_not_take_it_along(again: Any) -> None:
    pipe, plan = planned()
    before = [len(pickle.dumps(part)) for part in (plan, *parts(plan))]
    wanted, digest = run(pipe, plan), plan.digest
    known = [set(vars(part)) for part in parts(plan)]
    assert all(len(vars(part)) > len(vars(again(part))) for part in (plan, *parts(plan)))
    assert [len(pickle.dumps(part)) for part in (plan, *parts(plan))] == before
    other = again(plan)
    assert other == plan
    assert other.digest == digest
    np.testing.assert_array_equal(run(pipe, other), wanted)
    assert [set(vars(part)) for part in parts(plan)] == known


def test_it_goes_with_its_part() -> None:
    pipe, plan = planned()
    run(pipe, plan)
    resample, colour = parts(plan)
    gone = [weakref.ref(resample), weakref.ref(colour)]
    del plan, resample, colour
    gc.collect()
    assert [one() for one in gone] == [None, None]
