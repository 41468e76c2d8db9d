"""`imagemill compare --ablate`: a pipeline taken apart, and what is said of its transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from imagemill import InputError
from imagemill.app.cli.console import left_out, out

if TYPE_CHECKING:
    from imagemill.evaluate import Ablation, Step

__all__ = ["say_parts", "take_apart"]


def take_apart(src: Path, pipelines: Sequence[Path], *, progress: Callable[[Step], None], **how: Any) -> Ablation:
    """Screen the transforms of one pipeline, and train the arms."""
    from imagemill import ablate

    if len(pipelines) != 1:
        raise InputError(f"expected one pipeline to take apart, got {len(pipelines)}; give a --pipeline with --ablate")
    return ablate(src, pipelines[0], progress=progress, **how)


def say_parts(found: Ablation) -> None:
    """What each transform does, in words, and what was not trained."""
    out.print()
    for one in found.contributions:
        colour = {"helps": "green", "harms": "red"}.get(one.verdict, "")
        out.print(Text(one.sentence, style=colour), soft_wrap=True)
    for screened in found.screening.flagged:
        out.print(Text(f"{screened.name}: {screened.flag}", style="red"), soft_wrap=True)
    left_out((), [f"{one.name}: {one.why}" for one in found.passed_over], shown=len(found.passed_over))
    if found.untrained:
        out.print(Text(f"no time for: {', '.join(found.untrained)}", style="yellow"), soft_wrap=True)
