"""What all verbs share in talking to the terminal: colours, progress, and errors without a traceback."""

from __future__ import annotations

import functools
import json
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from imagemill import ImagemillError
from imagemill.app.cli.advice import option_names, said_as_options

if TYPE_CHECKING:
    from imagemill.app.cli.progress_bar import Told

__all__ = ["as_typed", "debugging", "err", "facts", "guarded", "json_out", "left_out", "out", "progress", "stopped"]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

ERROR, INTERRUPTED = 2, 130

debugging: ContextVar[bool] = ContextVar("debugging", default=False)
"""Whether errors show their whole traceback."""


def guarded(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a verb so that an error is one red line on stderr, and Ctrl-C a quiet end."""

    @functools.wraps(verb)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return verb(*args, **kwargs)
        except ImagemillError as error:
            if debugging.get():
                raise
            said = said_as_options(str(error), option_names(verb))
            err.print(Text.assemble(("error: ", "bold red"), said), soft_wrap=True)
            raise typer.Exit(ERROR) from None
        except KeyboardInterrupt:
            err.print("stopped")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # the reader of a pipe (head, say) has seen enough
            sys.stderr.close()
            raise typer.Exit from None

    return run


@contextmanager
def progress(what: str) -> Iterator[Told]:
    """A bar on stderr with rate and time to go; silent when stderr is no terminal.

    Parameters
    ----------
    what : str
        What is going on, such as ``"augmenting"``.

    Yields
    ------
    Told
        To be called with the number done and the number there are to do.
    """
    from imagemill.app.cli.progress_bar import Told, bar_on  # help shows none

    with bar_on(err) as bar:
        yield Told(bar, what)


def facts(*rows: tuple[str, str | Text], title: str | None = None) -> Table:
    """Names and values side by side."""
    table = Table(box=None, show_header=False, pad_edge=False, title=title, title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value if isinstance(value, Text) else Text(value))
    return table


def json_out(value: Any) -> None:
    """What a verb found, for programs: JSON, and nothing else on the output."""
    out.print(json.dumps(value, indent=2, ensure_ascii=False), markup=False, soft_wrap=True)


def stopped(to: Path, again: str | None) -> str:
    """What Ctrl-C left, in words: nothing, or something that ``again`` says how to go on from."""
    return (
        f"stopped before anything was made in {to}"
        if again is None
        else f"stopped; what was made is kept in {to}: {again}"
    )


def as_typed(context: typer.Context) -> str:
    """A command line that asks for what this one asked for: options that were given, and arguments.

    Parameters
    ----------
    context : typer.Context

    Returns
    -------
    str
        For a shell.
    """
    words = ["imagemill", *context.command_path.split()[1:]]
    for one in context.command.params:
        source = context.get_parameter_source(one.name or "")
        if source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[one.name or ""]
        values = value if isinstance(value, list | tuple) else [value]
        if one.param_type_name == "argument":
            words += [str(each) for each in values]
        elif isinstance(value, bool):
            words.append(max(one.opts if value else one.secondary_opts, key=len))
        else:
            words += [word for each in values for word in (max(one.opts, key=len), str(each))]
    return shlex.join(words)


def left_out(lost: Iterable[str], troubles: Sequence[object], shown: int, more: str = "") -> None:
    """Say what a new layout could not keep, and the first things that could not be written at all.

    Parameters
    ----------
    lost : iterable of str
    troubles : sequence
        What has a message as its text.
    shown : int
        How many troubles are named.
    more : str
        Where to read of the others.
    """
    for words in lost:
        out.print(Text(f"not kept: {words}", style="yellow"), soft_wrap=True)
    for trouble in troubles[:shown]:
        out.print(Text(f"left out: {trouble}", style="red"), soft_wrap=True)
    if len(troubles) > shown:
        out.print(Text(f"and {len(troubles) - shown:,} more{more}", style="red"))
