"""`imagemill compare`: does an augmentation help, on this dataset and network, and how sure is that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.table import Table
from rich.text import Text

from imagemill import InputError
from imagemill.app.cli.ablated import say_parts, take_apart
from imagemill.app.cli.console import as_typed, err, out, progress
from imagemill.app.cli.live_comparison import following
from imagemill.app.cli.screened_first import screened_first
from imagemill.app.cli.training import MODEL_HELP, this_command

if TYPE_CHECKING:
    from imagemill.evaluate import Comparison

__all__ = ["compare"]


class Asked(NamedTuple):
    """How a network is trained."""

    epochs: int
    batch: int
    rate: float


def compare(
    context: typer.Context,
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A prepared dataset with a training and a test part.")],
    pipeline: Annotated[
        list[Path] | None, typer.Option("--pipeline", "-p", metavar="FILE", help="An arm; give several.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="OUT", help="Keeps runs and results; goes on from them.")
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help=MODEL_HELP)] = "cnn",
    seeds: Annotated[
        int | None, typer.Option("--seeds", "-s", min=1, help="Pairs of arms, 3 if left out; under 3 no verdict.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="MINUTES", help="End in time, with whole seeds.")
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", "-e", min=1, help="Of every run.")] = 10,
    batch: Annotated[int, typer.Option("--batch", "-b", min=1, help="Images of a batch.")] = 32,
    rate: Annotated[float, typer.Option("--learning-rate", help="Of the optimizer.")] = 1e-3,
    stress: Annotated[
        list[str] | None,
        typer.Option(
            "--stress", metavar="HOW", help="invert, shift:4px, rotate:15, corruption:fog:3, ... or a pipeline file."
        ),
    ] = None,
    wild: Annotated[
        Path | None, typer.Option("--wild", metavar="DIR", help="A prepared set of your own images.")
    ] = None,
    runner: Annotated[
        str, typer.Option("--runner", help="The framework that trains: torch, keras, keras-torch, keras-jax.")
    ] = "torch",
    workers: Annotated[int, typer.Option("--workers", "-w", min=0, help="Threads that augment.")] = 1,
    null: Annotated[
        int, typer.Option("--null", min=0, metavar="N", help="No arms: compare nothing with itself, N times.")
    ] = 0,
    log: Annotated[
        list[str] | None, typer.Option("--log", metavar="WHERE", help="tensorboard:DIR, mlflow or mlflow:URI.")
    ] = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="One pipeline: leave each of its transforms out, and use it alone.")
    ] = False,
    screen: Annotated[
        bool, typer.Option("--screen", help="First ask one network about each transform, and name what it flags.")
    ] = False,
    device: Annotated[
        str, typer.Option("--device", help="auto, cpu or cuda; auto takes a GPU where there is one.")
    ] = "auto",
    precision: Annotated[
        str, typer.Option("--precision", help="auto, float32, bfloat16 or float16; auto is mixed on GPUs alone.")
    ] = "auto",
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="Train each network in so many processes, or use torchrun.")
    ] = 1,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="processes|ray|ray://HOST:PORT", help="Who trains the runs, each a whole one."),
    ] = None,
    at_once: Annotated[int, typer.Option("--at-once", min=1, help="Runs side by side, with --on.")] = 2,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing while it runs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Train with and without augmentation, and say whether the difference is one."""
    if null:
        if pipeline or stress or wild or budget or log or ablate or screen or runner != "torch" or processes > 1:
            raise InputError(
                "expected --null with --model, --seeds, --epochs, --batch, --learning-rate and --out, got other options"
            )
        _null(src, null, model, seeds or 3, Asked(epochs, batch, rate), out_to=to, as_json=as_json)
        return
    if to is None:
        raise InputError("expected a folder for runs and results, got none; give --out OUT")
    from imagemill import compare as compare_arms  # PyTorch is loaded when it is needed, not for --help
    from imagemill.evaluate import is_first_process, several_processes, world_size

    _check_ways(ablate=ablate, screen=screen, processes=max(processes, world_size()))
    if ablate and on is not None:
        raise InputError(f"expected --ablate in this process, got --on {on} as well; compare single arms elsewhere")
    how: dict[str, Any] = {
        "model": model, "seeds": seeds, "budget": budget, "epochs": epochs, "batch_size": batch,
        "learning_rate": rate, "stress": stress or (), "wild": wild, "out": to, "workers": workers,
        "runner": runner, "log": log or (), "device": device, "precision": precision,
    }  # fmt: skip
    if screen:
        how |= screened_first(src, pipeline or (), say=not as_json, **how)
    with several_processes(processes, this_command()), following(err, quiet=quiet or not is_first_process()) as on_step:
        apart = take_apart(src, pipeline or (), progress=on_step, **how) if ablate else None
        found = (
            compare_arms(src, [*(pipeline or ())], progress=on_step, on=on, at_once=at_once, **how)
            if apart is None
            else apart.comparison
        )
    if not is_first_process():
        return
    found.save_html(to / "report.html", command=as_typed(context))
    if as_json:
        typer.echo(json.dumps((apart or found).to_dict(), indent=2, allow_nan=False))
        return
    out.print(Text(f"This design can detect {found.detectable_sentence()}.", style="bold"), soft_wrap=True)
    out.print()
    out.print(_table(found))
    out.print()
    _say_effects(found)
    if apart is not None:
        say_parts(apart)
    for arm, lost in found.diverged.items():
        out.print(Text(f"{arm}: diverged with seeds {', '.join(map(str, lost))}", style="red"), soft_wrap=True)
    if found.ended:
        out.print(Text(f"{found.ended[0].upper()}{found.ended[1:]}.", style="yellow"), soft_wrap=True)
    out.print(f"\nresults in {to}: report.html, results.json, table.md, timing.json", soft_wrap=True)


def _check_ways(*, ablate: bool, screen: bool, processes: int) -> None:
    """Refuse options that ask for two things at once."""
    if ablate and screen:
        raise InputError("expected --ablate or --screen, got both; taking a pipeline apart begins with a screen")
    if (ablate or screen) and processes > 1:
        given = "--ablate" if ablate else "--screen"
        raise InputError(f"expected {given} in one process, got several; compare single arms in several")


def _say_effects(found: Comparison) -> None:
    """A sentence an effect, and the classes that changed; and what a reader has to know of the data and the arms."""
    for effect in found.effects:
        colour = {"helps": "green", "harms": "red"}.get(effect.here.verdict, "")
        out.print(Text(effect.sentence, style=colour), soft_wrap=True)
        changed = [
            f"{c.name} {c.difference.mean * 100:+.1f}" for c in effect.classes if c.verdict in ("helps", "harms")
        ]
        if changed:
            points = f"  by class, points of {effect.measure.of_class} (Holm)"
            out.print(Text(f"{points}: {', '.join(changed)}"), soft_wrap=True)
    for said in found.notes:
        out.print(Text(f"{said[0].upper()}{said[1:]}.", style="yellow"), soft_wrap=True)


def _null(
    src: Path, comparisons: int, model: str, seeds: int, asked: Asked, *, out_to: Path | None, as_json: bool
) -> None:
    """How often arms are called different that are not."""
    from imagemill.evaluate import Recipe, calibrate

    recipe = Recipe(asked.epochs, asked.batch, asked.rate, workers=0)
    with progress("training") as told:
        found = calibrate(
            src, comparisons=comparisons, seeds=seeds, model=model, recipe=recipe, out=out_to, progress=told
        )
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
        return
    out.print(repr(found), soft_wrap=True)
    if out_to is not None:
        out.print(f"\nresults in {out_to}: results.json, table.md", soft_wrap=True)


def _table(found: Comparison) -> Table:
    """Every figure by arm and population: never accuracy without precision and recall, or Dice without distances."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("arm", "test images"):
        table.add_column(name)
    columns = next((seeds[0].columns for seeds in found.metrics.values() if seeds), {})
    for name in columns:
        table.add_column(name, justify="right")
    for (arm, population), seeds in found.metrics.items():
        plain = [one.to_dict() for one in seeds]
        cells = [_mean([p[name] for p in plain]) for name in columns.values()]
        table.add_row(arm, population, *cells)
    return table


def _mean(values: list[Any]) -> str:
    return f"{sum(float(value) for value in values) / len(values):.3f}" if values else "-"
