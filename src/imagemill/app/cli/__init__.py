"""The command `imagemill`: one file per verb, each a thin layer over the public Python functions."""

from __future__ import annotations

from typing import Annotated

import typer

from imagemill.app.cli.console import debugging
from imagemill.app.cli.lazy_verbs import MARKUP, Verbs

__all__ = ["app", "main"]

app = typer.Typer(
    name="imagemill",
    cls=Verbs,
    help="Photos and scans to augmented copies, repeatable down to the bit. Start with: imagemill demo",
    epilog="Exit status: 0 done, 1 done but with findings or nothing made, 2 an error, 130 stopped with Ctrl-C.",
    no_args_is_help=True,
    rich_markup_mode=MARKUP,
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


def main() -> None:
    """Run the command with the arguments of this process."""
    app()
