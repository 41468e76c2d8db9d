"""`imagemill screen`: which transforms are worth an arm of a comparison, by one network that is trained without any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from imagemill.app.cli.console import left_out, out, progress
from imagemill.app.cli.training import MODEL_HELP

if TYPE_CHECKING:
    from imagemill.evaluate import Screened, Screening

__all__ = ["screen", "screen_table"]


def screen(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A prepared dataset with a training and a test part.")],
    pipeline: Annotated[
        list[Path] | None,
        typer.Option("--pipeline", "-p", metavar="FILE", help="Its transforms, one by one; give several."),
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped/--no-shipped", help="Every transform that comes with imagemill too.")
    ] = True,
    to: Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT", help="For screen.json and screen.md")] = None,
    model: Annotated[str, typer.Option("--model", "-m", help=MODEL_HELP)] = "cnn",
    epochs: Annotated[int, typer.Option("--epochs", "-e", min=1, help="Of the one network, without any.")] = 10,
    tuning: Annotated[int, typer.Option("--tuning", min=0, help="Further epochs with each transform, for a gain.")] = 0,
    batch: Annotated[int, typer.Option("--batch", "-b", min=1, help="Images of a batch.")] = 32,
    rate: Annotated[float, typer.Option("--learning-rate", min=0.0, help="Of the optimizer.")] = 1e-3,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of weights, held-back images and draws.")] = 0,
    workers: Annotated[int, typer.Option("--workers", "-w", min=0, help="Threads that augment.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Rank transforms with one network before any arm is trained, and flag those that seem to change the label."""
    from imagemill import screen as screen_transforms  # PyTorch is loaded when it is needed, not for --help

    with progress("screening") as told:
        found = screen_transforms(
            src, [*(pipeline or ())], shipped=shipped, model=model, epochs=epochs, tuning=tuning, batch_size=batch,
            learning_rate=rate, seed=seed, workers=workers, out=to, progress=told,
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
        return
    out.print(screen_table(found))
    out.print()
    for one in found.ranked:
        if one.flag:
            out.print(Text(f"{one.name}: {one.flag}", style="red"), soft_wrap=True)
    if found.caution:
        out.print(Text(found.caution, style="yellow"), soft_wrap=True)
    left_out((), [f"{one.name}: {one.why}" for one in found.passed_over], shown=len(found.passed_over))
    out.print(Text(found.cost_sentence, style="bold"), soft_wrap=True)
    if to is not None:
        out.print(f"results in {to}: report.html, screen.json, screen.md", soft_wrap=True)


def screen_table(found: Screening) -> Table:
    """A row a transform, the most promising first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("transform")
    for name in ("affinity", "diversity", "gain"):
        table.add_column(name, justify="right")
    for one in found.ranked:
        table.add_row(*_cells(one), style="red" if one.flag else "")
    return table


def _cells(one: Screened) -> list[str]:
    gain = "-" if one.gain is None else f"{one.gain.mean * 100:+.1f}"
    affinity = f"{one.affinity.mean * 100:+.1f} [{one.affinity.low * 100:+.1f}, {one.affinity.high * 100:+.1f}]"
    return [one.name, affinity, f"{one.diversity.mean:+.3f}", gain]
