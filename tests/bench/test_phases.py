"""Where the time of a call goes: every phase is run as a call runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench import phases


def test_every_phase_of_every_call_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Callable[[], Any]] = []

    def once(work: Callable[[], Any]) -> float:
        ran.append(work)
        work()
        return 1.0

    monkeypatch.setattr(phases, "_time", once)
    lines = phases.section().splitlines()
    calls = list(phases._calls())
    assert len(ran) == 5 * len(calls)
    rows = [line for line in lines if line.startswith("| ")][1:]
    assert len(rows) == len(calls)
    assert all(row.endswith("| 200% |") for row in rows)
