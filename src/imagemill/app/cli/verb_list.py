"""The help that lists all verbs, drawn with the console that verbs talk through.

Typer draws help of any kind; for that it loads readers of Markdown and of source code, which take longer than the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.box import ROUNDED
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from imagemill.app.cli.console import out

__all__ = ["show"]


def show(ctx: Any, group: Any) -> None:
    """Print what the command is for, its options and its verbs.

    Parameters
    ----------
    ctx : context of the command
    group : group of verbs
    """
    usage = Text.assemble(
        (" Usage: ", "yellow"), (" ".join([ctx.command_path, *group.collect_usage_pieces(ctx)]), "bold")
    )
    options = [_option(one) for one in group.get_params(ctx) if not getattr(one, "hidden", False)]
    known = ((name, group.get_command(ctx, name)) for name in group.list_commands(ctx))
    verbs = [(Text(name, "bold cyan"), Text(_first(one.help))) for name, one in known]
    out.print(usage, "", Padding(Text(group.help), (0, 1)), "", sep="\n")
    out.print(_panel("Options", options), _panel("Commands", verbs), "", Padding(Text(group.epilog), (0, 1)), sep="\n")


def _option(one: Any) -> tuple[Text, ...]:
    long = [word for word in one.opts if word.startswith("--")]
    short = [word for word in one.opts if not word.startswith("--")]
    return Text(",".join(long), "bold cyan"), Text(",".join(short), "bold green"), Text(one.help or "")


def _first(words: str | None) -> str:
    """The first paragraph of a docstring as one line of plain words."""
    return " ".join((words or "").split("\n\n")[0].replace("`", "").split())


def _panel(title: str, rows: Sequence[tuple[Text, ...]]) -> Panel:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1), expand=True)
    for _ in rows[0][:-1]:
        table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for row in rows:
        table.add_row(*row)
    return Panel(table, title=title, title_align="left", border_style="dim", box=ROUNDED)
