"""`imagemill datasets`: list the ready-made datasets, and download one into a folder."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from imagemill.app.cli.console import err, facts, guarded, left_out, out, progress
from imagemill.datasets import SOURCES, Loan

__all__ = ["datasets"]

LEFT_OUT = 1
SHOWN = 20

datasets = typer.Typer(
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@datasets.callback(invoke_without_command=True)
@guarded
def list_datasets(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the datasets that courses and papers train on; `get` writes one to a folder."""
    if context.invoked_subcommand is not None:
        return
    if json:
        typer.echo(json_text.dumps([_plain(loan) for loan in SOURCES.values()], indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "what it is", "images", "comes", "licence"):
        table.add_column(title, justify="right" if title == "images" else "left", no_wrap=title == "name")
    for loan in SOURCES.values():
        comes = f"in {loan.size / 1e6:,.0f} MB" if loan.downloads else f"with {loan.package}"
        table.add_row(loan.name, *(Text(cell) for cell in (loan.title, f"{loan.count:,}", comes, loan.licence)))
    out.print(table)
    out.print("get one: imagemill datasets get NAME -o DIR", markup=False)


@datasets.command("get")
@guarded
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a dataset; imagemill datasets lists them.")],
    to: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="A new folder.")],
    layout: Annotated[
        str | None,
        typer.Option("--layout", metavar="NAME", help="How it is written; class or split folders by default."),
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--root", metavar="DIR", help="A folder that has it already, instead of a download.")
    ] = None,
    cache: Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Where downloads are kept.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier call wrote.")] = False,
) -> None:
    """Write a dataset to a folder, downloading it once; checksums are compared.

    Ends with exit status 1 when something could not be read or written.
    """
    from imagemill.datasets import load
    from imagemill.verbs.export import export

    with _downloading(name) as here:
        source = load(name, root, cache=cache, progress=here)
    loan = SOURCES[name]
    chosen = layout or loan.layout
    with progress("writing") as report:
        made = export(source, to, chosen, overwrite=overwrite, progress=lambda done: report(done, len(source)))
    out.print(
        facts(
            ("got", source.describe()),
            ("written", f"{made.count:,} image{'' if made.count == 1 else 's'} as {chosen} to {made.out}"),
            ("licence", loan.licence),
            ("please cite", loan.citation),
            ("from", loan.home),
        )
    )
    left_out(made.lost, (*source.problems, *made.problems), SHOWN)
    if source.problems or made.problems:
        raise typer.Exit(LEFT_OUT)


@contextmanager
def _downloading(name: str) -> Iterator[Any]:
    """A bar of bytes on stderr; silent when stderr is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(f"getting {name}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain(loan: Loan) -> dict[str, Any]:
    """A set as values that JSON can hold."""
    return {
        "name": loan.name,
        "title": loan.title,
        "classes": list(loan.classes),
        "images": dict(loan.images),
        "pixels": loan.pixels,
        "bytes": loan.size,
        "licence": loan.licence,
        "citation": loan.citation,
        "home": loan.home,
        "package": loan.package or None,
        "downloads": [
            {"name": d.name, "urls": list(d.urls), "bytes": d.size, "sha256": d.sha256, "md5": d.md5}
            for d in loan.downloads
        ],
    }
