"""Runs of made-up items on an engine, for the tests of each of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.data.records.record import Record, Stored
from imagemill.jobs.runner import Runner
from imagemill.jobs.where_to_run import engine_for

__all__ = ["ran", "record"]


def record(item: Any) -> Record:
    """A record for an item."""
    return Record(str(item), Stored("made up", lambda: np.zeros(1)))


def ran(on: str, work: Any, items: Any, **how: Any) -> tuple[dict[int, Any], Any]:
    """What was noted of the items, and how the run ended."""
    found: dict[int, Any] = {}
    runner = Runner(work=work, note=found.update, record=record, doing="testing", engine=engine_for(on), **how)
    return found, runner.run(items, len(items))
