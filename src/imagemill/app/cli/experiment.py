"""`imagemill experiment`: a known experiment, or one's own, from its file to a table beside published figures."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from imagemill import InputError
from imagemill.app.cli.console import as_typed, err, out, progress
from imagemill.app.cli.live_comparison import following

if TYPE_CHECKING:
    from imagemill.evaluate import Step

__all__ = ["experiment"]


class _Followed(ExitStack):
    """Follows one network after the other, as `compare` follows one."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__()
        self.quiet = quiet
        self.study = ""

    def step(self, study: str, step: Step) -> None:
        """Take note of an epoch."""
        if study != self.study:
            self.close()
            self.study = study
            if not self.quiet:
                err.print(f"{study}:", style="bold", markup=False)
            self.told = self.enter_context(following(err, quiet=self.quiet))
        self.told(step)


def experiment(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="digits, cifar-flip, elastic-digits, demo, or FILE.yaml.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", "-d", metavar="DIR", help="Where the images are, prepared or in any form.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="OUT", help="Keeps runs and results; goes on from them."),
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", "-s", min=1, help="Pairs of arms.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", "-e", min=1, help="Of every run.")] = None,
    batch: Annotated[int | None, typer.Option("--batch", "-b", min=1, help="Images of a batch.")] = None,
    images: Annotated[int | None, typer.Option("--images", min=1, help="Training images, drawn once.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Another network in place of the experiment's.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="STUDY", help="Of the networks; give several.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="MINUTES", help="End in time, each network with whole seeds.")
    ] = None,
    runner: Annotated[str, typer.Option("--runner", help="The framework that trains: torch or keras.")] = "torch",
    workers: Annotated[int, typer.Option("--workers", "-w", min=0, help="Threads that augment.")] = 1,
    download: Annotated[bool, typer.Option("--download", help="Get the images when they are nowhere.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing while it runs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Run an experiment that is written in a file, and put its figures beside the published ones.

    Without a name, lists those that are known. Options change what the file says, and the results say so.
    """
    if name is None:
        _list()
        return
    if to is None:
        raise InputError("expected a folder for runs and results, got none; give --out OUT")
    from imagemill import run_experiment

    with progress("preparing") as prepared, _Followed(quiet=quiet) as followed:
        found = run_experiment(
            name, data=data, out=to, seeds=seeds, epochs=epochs, batch_size=batch, model=model, images=images,
            only=only or (), download=download, workers=workers, runner=runner, budget=budget,
            preparing=prepared, progress=followed.step,
        )  # fmt: skip
    for study, comparison in found.comparisons.items():
        comparison.save_html(to / study / "report.html", command=as_typed(context))
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
        return
    out.print(Markdown(found.text()))
    out.print(f"\nresults in {to}: results.json, table.md, and a folder a network with its report.html", soft_wrap=True)


def _list() -> None:
    """The known experiments, with what each is made on."""
    from imagemill.evaluate import known_experiments, read_experiment

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for one in map(read_experiment, known_experiments()):
        # Below each other: beside each other, six columns leave none of them wide enough for a sentence.
        networks = ", ".join(study.name for study in one.studies)
        on = f"on {one.data} with {networks}; {one.seeds} seeds, {one.epochs} epochs"
        table.add_row(one.name, Text.assemble(f"{one.title}\n", (on, "dim")))
    out.print(table)
    out.print("run one: imagemill experiment NAME -o OUT", markup=False)
