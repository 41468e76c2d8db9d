"""A bar on the terminal: how much is done of how much, how fast, and what goes on now."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

__all__ = ["Told", "bar_on"]

_NOTICED = 0.5
"""Seconds that kernels may take to be loaded from the disk before anything is said."""


class _Rate(ProgressColumn):
    """Outputs per second."""

    def render(self, task: Task) -> Text:
        """The rate, or nothing while it is not known."""
        return Text("" if task.speed is None else f"{task.speed:,.1f}/s", style="cyan")


class _Doing(TextColumn):
    """What goes on, or that kernels are being compiled: work waits for them, and the bar stands still."""

    def render(self, task: Task) -> Text:
        """The words."""
        return Text("compiling, once") if _compiles() else super().render(task)


def _compiles() -> bool:
    if "numba.core.event" not in sys.modules:  # nothing here is compiled
        return False
    from imagemill.engine import held_up, notice_seen

    waits = held_up() > _NOTICED
    if waits:
        notice_seen()
    return waits


class Told:
    """What a bar is told: how much is done of how much, and what goes on now."""

    def __init__(self, bar: Progress, what: str) -> None:
        self._bar = bar
        self._task = bar.add_task(what, total=None)

    def __call__(self, done: int, total: int) -> None:
        """So much is done of so much."""
        self._bar.update(self._task, completed=done, total=total)

    def now(self, what: str) -> None:
        """Something else goes on, whose length is not known."""
        self._bar.reset(self._task, description=what, total=None)


def bar_on(console: Console) -> Progress:
    """A bar that goes when it is done, and is not shown where the console is no terminal."""
    columns = (_Doing("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
