"""`imagemill export`: a dataset in another layout."""

from __future__ import annotations

import json as json_text
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from imagemill import InputError, open_source
from imagemill.app.cli.console import facts, left_out, out, progress
from imagemill.app.cli.source_options import OPTIONS_HELP, MaskPattern, On, source_options
from imagemill.data import as_path, known_layouts
from imagemill.verbs.export import export as export_dataset

__all__ = ["export"]

LEFT_OUT = 1
SHOWN = 20


class Files(StrEnum):
    """How files come to their new place."""

    COPY = "copy"
    LINK = "link"


def export(
    src: Annotated[Path | None, typer.Argument(metavar="SRC", help="A file or folder in any layout.")] = None,
    to_folder: Annotated[Path | None, typer.Option("--out", "-o", metavar="DST", help="A new folder.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="LAYOUT", help="Its layout; --list shows all.")] = None,
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Of the source.")] = None,
    masks: Annotated[Path | None, typer.Option("--masks", metavar="DIR", help="A folder of label maps.")] = None,
    format: Annotated[str | None, typer.Option("--format", metavar="SUFFIX", help="Of images: .png, .jpg...")] = None,
    files: Annotated[Files, typer.Option("--files", help="Copy them, or make hard links.")] = Files.COPY,
    embed: Annotated[bool, typer.Option("--embed", help="For tables: pictures into the table itself.")] = False,
    mask_pattern: MaskPattern = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    on: On = None,
    list_layouts: Annotated[bool, typer.Option("--list", help="Show all layouts and what they hold.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Write a dataset in another layout; what the layout cannot hold is named.

    Ends with exit status 1 when something could not be read or written.
    """
    if list_layouts:
        out.print(_table())
        return
    if src is None or to_folder is None or to is None:
        raise InputError("expected a source, a folder and a layout; write: imagemill export SRC -o DST --to LAYOUT")
    src = as_path(src)
    paired = masks is not None or mask_pattern is not None
    source = open_source(src, masks, allow_missing_masks=paired, layout=layout, **source_options(option, mask_pattern))
    if src.is_file():
        # Not the folder around it: an archive or a table may well be exported beside itself.
        source = replace(source, root=src)
    with progress("writing") as report:
        made = export_dataset(
            source, to_folder, to, format=format, files=files.value, embed=embed, overwrite=overwrite, on=on,
            progress=lambda done: report(done, len(source)),
        )  # fmt: skip
    if json:
        told = {
            "out": str(made.out),
            "images": made.count,
            "lost": list(made.lost),
            "notes": list(made.notes),
            "problems": [str(p) for p in (*source.problems, *made.problems)],
        }
        typer.echo(json_text.dumps(told, indent=2))
    else:
        images = f"{made.count:,} image{'' if made.count == 1 else 's'}"
        out.print(facts(("read", source.describe()), ("written", f"{images} as {to} to {made.out}")))
        for note in made.notes:
            out.print(note, style="dim", markup=False, soft_wrap=True)
        left_out(made.lost, (*source.problems, *made.problems), SHOWN, "; --json lists all")
    if source.problems or made.problems:
        raise typer.Exit(LEFT_OUT)


def _table() -> Table:
    """What each layout is and holds."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("layout", "what it is", "holds"):
        table.add_column(title, overflow="fold")
    for each in known_layouts():
        holds = ", ".join(word for word in ("label", "hierarchy", "labels", "mask", "boxes", "polygons", "rle",
            "keypoints", "split", "group", "attributes", "volume") if word in each.holds)  # fmt: skip
        table.add_row(each.name, each.title, holds or "images")
    return table
