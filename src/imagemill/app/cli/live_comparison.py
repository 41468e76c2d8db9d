"""What a comparison shows while it runs: a table and curves in a terminal, a line a run anywhere else, or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from imagemill.app.cli.braille_curve import braille

if TYPE_CHECKING:
    from imagemill.evaluate import Epoch, Step

__all__ = ["LiveComparison", "following"]

_BARE = "none"
_WIDTH = 34


@dataclass(slots=True)
class LiveComparison:
    """The state of a comparison as a terminal shows it; no word of a verdict, which is for the end.

    Parameters
    ----------
    letters : bool
        Whether the terminal can write braille patterns.
    """

    letters: bool = True
    right: dict[str, dict[int, Mapping[str, float]]] = field(default_factory=dict)
    curve: list[Epoch] = field(default_factory=list)
    last: Step | None = None

    def step(self, step: Step) -> None:
        """Take note of an epoch, or of a run that is done."""
        if self.last is None or (step.arm, step.seed) != (self.last.arm, self.last.seed):
            self.curve = []
        if step.said is not None:
            self.curve.append(step.said)
        runs = self.right.setdefault(step.arm, {})
        if step.right is not None:
            runs[step.seed] = step.right
        self.last = step

    def __rich__(self) -> RenderableType:
        """Draw it anew."""
        if self.last is None:
            return Text("getting ready")
        parts: list[RenderableType] = [self._head(self.last), self._table(self.last)]
        if self.letters and len(self.curve) > 1:
            parts.append(self._curves())
        parts.insert(2, Text("accuracy so far; points against none, on the seeds that both have", style="dim"))
        return Group(*parts)

    def _head(self, step: Step) -> RenderableType:
        done = step.number - 1 + step.epoch / step.epochs
        line = Table.grid(padding=(0, 1))
        line.add_row(
            ProgressBar(total=step.runs, completed=done, width=24),
            Text(f"run {step.number} of {step.runs}", style="bold"),
            Text(_left(step)),
        )
        return line

    def _table(self, step: Step) -> Table:
        populations = list(dict.fromkeys(name for runs in self.right.values() for r in runs.values() for name in r))
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("arm", no_wrap=True, max_width=32)
        table.add_column("seeds", justify="right")
        for name in populations:
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for arm, runs in self.right.items():
            known = {seed: right for seed, right in runs.items() if right}
            cells = [self._cell(arm, known, name) for name in populations]
            table.add_row(arm, str(len(known)), *cells, self._now(arm, step, len(runs) - len(known)))
        return table

    def _cell(self, arm: str, known: Mapping[int, Mapping[str, float]], population: str) -> str:
        """The mean so far, and the mean difference on the seeds that both have."""
        if not known:
            return "–"
        mean = sum(right[population] for right in known.values()) / len(known)
        bare = {seed: right for seed, right in self.right.get(_BARE, {}).items() if right}
        pairs = [known[seed][population] - bare[seed][population] for seed in known if seed in bare]
        if arm == _BARE or not pairs:
            return f"{mean:.3f}"
        return f"{mean:.3f} {sum(pairs) / len(pairs) * 100:+.1f}"

    def _now(self, arm: str, step: Step, lost: int) -> Text:
        said = [f"diverged {lost}x"] if lost else []
        if arm == step.arm and step.right is None:
            said.append(f"seed {step.seed}, epoch {step.epoch} of {step.epochs}")
        return Text(", ".join(said), style="red" if lost else "cyan")

    def _curves(self) -> Table:
        """Loss and accuracy on the validation images of the run that is going on, or on training images without."""
        checked = any(math.isfinite(epoch.validation_loss) for epoch in self.curve)
        losses = [epoch.validation_loss if checked else epoch.loss for epoch in self.curve]
        shares = [epoch.validation_accuracy if checked else epoch.accuracy for epoch in self.curve]
        kind = "validation" if checked else "training"
        grid = Table.grid(padding=(0, 3))
        grid.add_row(Text(f"{kind} loss {losses[-1]:.4f}"), Text(f"{kind} accuracy {shares[-1]:.3f}"))
        grid.add_row(*(Text(braille(values, _WIDTH), style="blue") for values in (losses, shares)))
        return grid


@contextmanager
def following(console: Console, *, quiet: bool = False) -> Iterator[Callable[[Step], None]]:
    """Follow a comparison: live in a terminal, a line a run elsewhere, silent when ``quiet``.

    Yields
    ------
    callable
        To be called with each `Step`.
    """
    if quiet:
        yield lambda _: None
    elif console.is_terminal and not console.is_dumb_terminal:
        shown = LiveComparison(letters=console.encoding.lower().startswith("utf"))
        with Live(shown, console=console, transient=True, refresh_per_second=8) as live:

            def step(one: Step) -> None:
                shown.step(one)
                if one.outlook:
                    live.console.print(f"{one.outlook}.", highlight=False, soft_wrap=True)

            yield step
    else:
        yield lambda step: _line(console, step)


def _line(console: Console, step: Step) -> None:
    """One line a run, and one for what fits into a budget."""
    if step.outlook:
        console.print(f"{step.outlook}.", highlight=False, markup=False, soft_wrap=True)
    if step.said is not None and step.epoch == step.epochs:
        right = step.said.validation_accuracy
        share = "" if math.isnan(right) else f", {right:.3f} of the validation images right"
        left = _left(step)
        words = f"{step.arm}, seed {step.seed}: loss {step.said.loss:.4f}{share}{f'; {left}' if left else ''}"
        console.print(words, highlight=False, markup=False, soft_wrap=True)
    if step.right == {}:
        console.print(f"{step.arm}, seed {step.seed}: diverged", highlight=False, markup=False, soft_wrap=True)


def _left(step: Step) -> str:
    from imagemill.evaluate import in_words

    return "" if step.left is None else f"{in_words(step.left)} left"
