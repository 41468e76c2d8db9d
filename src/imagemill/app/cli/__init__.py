"""The command `imagemill`: one file per verb, each a thin layer over the public Python functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from imagemill.app.cli.audit import audit
from imagemill.app.cli.augment import augment
from imagemill.app.cli.bench import bench
from imagemill.app.cli.compare import compare
from imagemill.app.cli.console import debugging, guarded
from imagemill.app.cli.datasets import datasets
from imagemill.app.cli.demo import demo
from imagemill.app.cli.doctor import doctor
from imagemill.app.cli.experiment import experiment
from imagemill.app.cli.explain import explain
from imagemill.app.cli.export import export
from imagemill.app.cli.lint import lint
from imagemill.app.cli.prepare import prepare
from imagemill.app.cli.preview import preview
from imagemill.app.cli.recommend import recommend
from imagemill.app.cli.replay import replay
from imagemill.app.cli.scan import scan
from imagemill.app.cli.screen import screen
from imagemill.app.cli.split import split
from imagemill.app.cli.stress import stress
from imagemill.app.cli.warmup import warmup
from imagemill.app.cli.worth import worth

__all__ = ["app", "main"]

app = typer.Typer(
    name="imagemill",
    help="Photos and scans to augmented copies, repeatable down to the bit. Start with: imagemill demo",
    epilog="Exit status: 0 done, 1 done but with findings or nothing made, 2 an error, 130 stopped with Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        import imagemill

        typer.echo(f"imagemill {imagemill.__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Keep what all verbs share."""
    debugging.set(debug)


_VERBS: tuple[Callable[..., Any], ...] = (
    *(demo, scan, audit, prepare, split, export),
    *(augment, preview, replay, explain, lint),
    *(screen, compare, stress, worth, experiment, recommend, bench, doctor, warmup),
)
for _verb in _VERBS:
    app.command(_verb.__name__)(guarded(_verb))
app.add_typer(datasets, name="datasets")


def main() -> None:
    """Run the command with the arguments of this process."""
    app()
