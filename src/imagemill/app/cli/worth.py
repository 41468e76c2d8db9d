"""`imagemill worth`: how many more real images would do what a pipeline does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from imagemill import InputError
from imagemill.app.cli.console import err, out, progress
from imagemill.app.cli.training import MODEL_HELP, this_command

if TYPE_CHECKING:
    from imagemill.evaluate import ExchangeRates, Step

__all__ = ["worth"]

_PARTS = 1000
"""Of one run, for the bar: runs of different sizes have different numbers of epochs."""


def worth(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A prepared dataset with a training and a test part.")],
    pipeline: Annotated[
        list[Path] | None, typer.Option("--pipeline", "-p", metavar="FILE", help="What is worth something; several.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="OUT", help="Keeps runs and results; goes on from them.")
    ] = None,
    sizes: Annotated[
        str, typer.Option("--sizes", metavar="N,N,...", help="Numbers of training images; all, a third, a ninth.")
    ] = "",
    model: Annotated[str, typer.Option("--model", "-m", help=MODEL_HELP)] = "cnn",
    seeds: Annotated[
        int | None, typer.Option("--seeds", "-s", min=1, help="Of every run, 3 if left out; under 3 no verdict.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="The same at every size; 10 epochs of the largest.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", "-e", min=1, help="Instead of --steps: the same at every size.")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", "-b", min=1, help="Images of a batch.")] = 32,
    rate: Annotated[float, typer.Option("--learning-rate", min=0.0, help="Of the optimizer.")] = 1e-3,
    stress: Annotated[
        list[str] | None, typer.Option("--stress", metavar="HOW", help="invert, shift:4px or a pipeline file.")
    ] = None,
    wild: Annotated[
        Path | None, typer.Option("--wild", metavar="DIR", help="A prepared set of your own images.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="MINUTES", help="End in time, with whole seeds.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-w", min=0, help="Threads that augment.")] = 1,
    device: Annotated[
        str, typer.Option("--device", help="auto, cpu or cuda; auto takes a GPU where there is one.")
    ] = "auto",
    precision: Annotated[
        str, typer.Option("--precision", help="auto, float32, bfloat16 or float16; auto is mixed on GPUs alone.")
    ] = "auto",
    log: Annotated[
        list[str] | None, typer.Option("--log", metavar="WHERE", help="tensorboard:DIR, mlflow or mlflow:URI.")
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="Train each network in so many processes, or use torchrun.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say how many more real images would do what a pipeline does."""
    if to is None:
        raise InputError("expected a folder for runs and results, got none; give --out OUT")
    from imagemill import worth as worth_of  # PyTorch is loaded when it is needed, not for --help
    from imagemill.evaluate import in_words, is_first_process, several_processes

    with several_processes(processes, this_command()), progress("training") as told:

        def on_step(step: Step) -> None:
            done = (step.number - 1) * _PARTS + _PARTS * step.epoch // step.epochs
            told(done, step.runs * _PARTS)
            if step.outlook:
                err.print(f"{step.outlook}.", highlight=False, soft_wrap=True)
            if step.said is not None and step.epoch == step.epochs:
                left = "" if step.left is None else f"; {in_words(step.left)} left"
                err.print(f"{step.arm}, seed {step.seed}: loss {step.said.loss:.4f}{left}", highlight=False)

        found = worth_of(
            src, [*(pipeline or ())], sizes=_numbers(sizes), model=model, seeds=seeds, steps=steps, epochs=epochs,
            batch_size=batch, learning_rate=rate, stress=stress or (), wild=wild, budget=budget, out=to,
            workers=workers, device=device, precision=precision, log=log or (), progress=on_step,
        )  # fmt: skip
    if not is_first_process():
        return
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
        return
    out.print(Text(f"This design can detect: {found.detectable_sentence()}.", style="bold"), soft_wrap=True)
    out.print()
    out.print(_table(found))
    out.print()
    for one in found.rates:
        out.print(Text(one.sentence, style={"helps": "green", "harms": "red"}.get(one.verdict, "")), soft_wrap=True)
    for words in found.left_out():
        out.print(Text(words, style="red"), soft_wrap=True)
    out.print(f"\nresults in {to}: results.json, table.md, curves.html", soft_wrap=True)


def _numbers(sizes: str) -> list[int] | None:
    try:
        return [int(one) for one in sizes.split(",")] if sizes else None
    except ValueError:
        raise InputError(f"expected sizes as numbers with commas, such as 300,1000,3000, got {sizes!r}") from None


def _table(found: ExchangeRates) -> Table:
    """Mean accuracy by arm and population, a column a size."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    sizes = list(dict.fromkeys(one.size for one in found.reached))
    for name in ("accuracy of", "test images"):
        table.add_column(name)
    for size in sizes:
        table.add_column(f"{size:,.0f}", justify="right")
    for arm, population in dict.fromkeys((one.arm, one.population) for one in found.reached):
        held = {one.size: one.mean for one in found.reached if (one.arm, one.population) == (arm, population)}
        table.add_row(arm, population, *("" if held.get(size) is None else f"{held[size]:.3f}" for size in sizes))
    return table
