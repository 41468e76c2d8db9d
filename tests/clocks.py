"""Clocks that tests set by hand, and waiting that no clock decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType

import pytest

__all__ = ["Hand", "set_by_hand", "until"]

_PAUSE = 0.01
_PAUSES = 12_000
"""Two minutes and more: they end a test that hangs, and are no limit for one that works on a busy machine."""


class Hand:
    """A clock that goes on only when it is told to, or by so many seconds with each look at it.

    Stands in for a function that gives the time, and for the module `time` where only ``perf_counter`` is used.
    """

    def __init__(self, each: float = 0.0) -> None:
        self.time, self._each = 0.0, each

    def __call__(self) -> float:
        self.time += self._each
        return self.time

    perf_counter = __call__


def set_by_hand(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType, each: float = 0.0) -> Hand:
    """A clock for modules of the feed; what the compiler takes, which has one of its own, is left out."""
    from imagemill.feed.making import augmenting

    hand = Hand(each)
    for module in (augmenting, *modules):
        monkeypatch.setattr(module, "time", hand)
    monkeypatch.setattr(augmenting.compiling, "seconds", lambda: 0.0)
    return hand


def until(came: Callable[[], object], what: str) -> None:
    """Wait for something outside this process that announces itself by no event."""
    for _ in range(_PAUSES):
        if came():
            return
        threading.Event().wait(_PAUSE)
    raise AssertionError(f"expected {what}, got nothing")
