"""The command `imagemill`: one file per verb, each a thin layer over the public Python functions."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any

import typer

from imagemill.app.cli.console import debugging, guarded

__all__ = ["app", "main"]

_VERBS = (
    *("demo", "scan", "audit", "prepare", "split", "export"),
    *("augment", "preview", "replay", "explain", "lint"),
    *("screen", "compare", "stress", "worth", "experiment", "recommend", "bench", "doctor", "warmup"),
)
"""Each in the module of its name, in the order in which they are listed."""
_FAMILIES = ("datasets",)
"""The same for verbs that have verbs of their own."""


def _show_version(asked: bool) -> None:
    if asked:
        import imagemill

        typer.echo(f"imagemill {imagemill.__version__}")
        raise typer.Exit


def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Keep what all verbs share."""
    debugging.set(debug)


def _with(names: Iterable[str]) -> typer.Typer:
    """The command with some of its verbs, whose modules are loaded."""
    made = typer.Typer(
        name="imagemill",
        help="Photos and scans to augmented copies, repeatable down to the bit. Start with: imagemill demo",
        epilog="Exit status: 0 done, 1 done but with findings or nothing made, 2 an error, 130 stopped with Ctrl-C.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(common)
    for name in names:
        verb = getattr(importlib.import_module(f"{__name__}.{name}"), name)
        if name in _FAMILIES:
            made.add_typer(verb, name=name)
        else:
            made.command(name)(guarded(verb))
    return made


@cache
def _whole() -> typer.Typer:
    return _with((*_VERBS, *_FAMILIES))


def __getattr__(name: str) -> Any:
    # Made when it is asked for: its verbs load half the package.
    if name == "app":
        return _whole()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """Run the command with the arguments of this process; of the verbs only the one that is asked for is loaded."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    if asked in (*_VERBS, *_FAMILIES):
        _with([asked])()
    elif sys.argv[1:] == ["--version"]:
        _with([])()
    else:
        _whole()()
