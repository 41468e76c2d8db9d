"""`imagemill compare --screen`: what one network says of the arms' transforms, before any arm is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from imagemill.app.cli.console import err, left_out, progress
from imagemill.app.cli.screen import screen_table

__all__ = ["screened_first"]

_SHARED = ("model", "epochs", "batch_size", "learning_rate", "workers", "runner", "device", "precision")


def screened_first(
    src: Path, pipelines: Sequence[Path], *, out: Path, budget: float | None, say: bool, **how: Any
) -> dict[str, Any]:
    """Screen the transforms of the arms, say what was found, and give what the comparison takes of it.

    What the screen takes is part of the budget.
    """
    from imagemill import screen
    from imagemill.evaluate import TimeBudget

    time = TimeBudget(budget)
    shared = {name: how[name] for name in _SHARED}
    with progress("screening") as told:
        found = screen(src, [*pipelines], shipped=False, out=out / "screen", progress=told, **shared)
    if say:
        err.print(screen_table(found))
        for one in (one for one in found.ranked if one.flag):
            err.print(Text(f"{one.name}: {one.flag}", style="red"), soft_wrap=True)
        if found.caution:
            err.print(Text(found.caution, style="yellow"), soft_wrap=True)
        left_out((), [f"{one.name}: {one.why}" for one in found.passed_over], shown=len(found.passed_over))
    return {"screen": found, "budget": time}
