"""A stress test whose changes are asked about by others gives the figures of one process."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError
from imagemill.evaluate.inputs.changes import change_named
from imagemill.evaluate.stressing import sweeps_elsewhere
from imagemill.jobs.engines import Threads
from imagemill.jobs.sent_outcomes import packed, unpacked
from imagemill.jobs.shards import Shard

OVER = ["shift:-4..4", "invert"]


def bright(images: Any) -> Any:
    over = images.mean(axis=(1, 2, 3)) >= 100
    return np.stack([~over, over], axis=1).astype(float)


def given() -> tuple[Any, Any]:
    images = np.full((40, 8, 8, 1), 80, np.uint8)
    images[20:] = 160
    return images, np.arange(40) // 20


class Sent(Threads):
    """Sends what other processes are sent, and says that one was lost."""

    def __init__(self, work: Any, workers: int) -> None:
        super().__init__(pickle.loads(pickle.dumps(work)), workers)

    def submit(self, shard: Shard[Any]) -> Any:
        return super().submit(pickle.loads(pickle.dumps(shard)))

    def outcomes(self, future: Any) -> list[Any]:
        return unpacked(packed(future.result()))

    def remarks(self) -> tuple[str, ...]:
        return ("1 worker was lost",)


def test_figures_are_those_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[int, int]] = []
    here = im.stress(bright, given(), OVER, worst=False, refine=2)
    monkeypatch.setattr(sweeps_elsewhere, "engine_for", lambda on: partial(Sent))
    there = im.stress(
        bright, given(), OVER, worst=False, refine=2, on="ray", at_once=1, progress=lambda *told: steps.append(told)
    )
    plain, other = here.to_dict(), there.to_dict()
    assert other.pop("notes") == [*plain.pop("notes"), "1 worker was lost"]
    assert other == plain
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1][0] <= steps[-1][1]
    assert len(steps) == 3


@pytest.mark.parametrize("on", ["threads", "daft", "spark"])
def test_who_shares_a_process_is_refused(on: str) -> None:
    with pytest.raises(InputError, match="expected on as"):
        im.stress(bright, given(), OVER, on=on)


def test_what_cannot_be_sent_is_said() -> None:
    with pytest.raises(InputError, match="can be sent"):
        im.stress(lambda images: bright(images), given(), OVER, worst=False, on="processes")


def test_changes_of_every_kind_are_sent() -> None:
    for name in ("corruption:fog", "brightness", "shift.y", "flip"):
        change = change_named(name)[0]
        sent = pickle.loads(pickle.dumps(change))
        amount = 2 if change.counted else None
        assert sent.make(amount).digest == change.make(amount).digest
