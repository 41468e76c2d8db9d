"""`imagemill scan`: what a dataset is."""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from imagemill.app.cli.console import facts, out, progress
from imagemill.app.cli.sources import OPTIONS_HELP, source_options
from imagemill.data.scan import ScanReport
from imagemill.data.scan import scan as scan_dataset

__all__ = ["scan"]

SHOWN = 12
FINDINGS = 1


def scan(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A file or folder in any layout.")],
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Where the guess is wrong.")] = None,
    masks: Annotated[Path | None, typer.Option("--masks", metavar="DIR", help="A folder of label maps.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Open every image, not 500 spread evenly.")] = False,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what a dataset is: layout and why, how many of what, sizes, classes, and what could not be read.

    Nothing is changed. Ends with exit status 1 when something could not be read.
    """
    with progress("opening") as report:
        found = scan_dataset(
            src, layout=layout, masks=masks, allow_missing_masks=masks is not None, opened=None if full else 500,
            progress=report, **source_options(option),
        )  # fmt: skip
    if json:
        typer.echo(json_text.dumps(found.to_dict(), indent=2))
    else:
        out.print(facts(*_rows(found)))
        _print_remarks(found)
    if found.unreadable:
        raise typer.Exit(FINDINGS)


def _rows(found: ScanReport) -> list[tuple[str, str | Text]]:
    rows: list[tuple[str, str | Text]] = [
        ("layout", Text.assemble((found.title, "bold"), f" ({found.layout})")),
        ("because", found.why),
        ("images", f"{found.images:,}" + _of(found.splits)),
    ]
    if found.classes:
        rows.append(("classes", f"{len(found.classes)}" + _of(found.classes)))
    if found.groups:
        rows.append(("groups", f"{found.groups:,}"))
    if found.masks:
        values = found.pixels.labels
        shown = ", ".join(map(str, values[:SHOWN])) + (", ..." if len(values) > SHOWN else "")
        rows.append(("label maps", f"{found.masks:,}" + (f"; values {shown}" if values else "")))
    if found.things:
        counted = ", ".join(f"{count:,} {what}" for what, count in found.things.items())
        rows.append(("annotations", f"{counted} in {found.annotated:,} images"))
        used = sum(count > 0 for count in found.categories.values())
        top = dict(sorted(found.categories.items(), key=lambda pair: -pair[1])[:SHOWN])
        rows.append(("categories", f"{len(found.categories)}, {used} of them used" + _of(top, len(found.categories))))
    if found.attributes:
        rows.append(("columns", ", ".join(found.attributes)))
    return rows + _pixel_rows(found)


def _pixel_rows(found: ScanReport) -> list[tuple[str, str | Text]]:
    pixels = found.pixels
    if not pixels.opened:
        return []
    share = "" if pixels.opened == found.images else f" (of {pixels.opened:,} opened, spread evenly; --full opens all)"
    rows: list[tuple[str, str | Text]] = [
        ("formats", _of(pixels.formats).strip(" :") + share),
        ("pixels", _of(pixels.kinds).strip(" :")),
    ]
    if len(pixels.sizes) == 1:
        rows.append(("size", next(iter(pixels.sizes))))
    elif pixels.smallest:
        low, middle, high = (" x ".join(map(str, size)) for size in (pixels.smallest, pixels.median, pixels.largest))
        rows.append(("sizes", f"{len(pixels.sizes)} different, {low} to {high}, median {middle}"))
    else:
        rows.append(("sizes", f"{len(pixels.sizes)} different" + _of(pixels.sizes)))
    if pixels.spacings:
        rows.append(("spacing", _of(pixels.spacings).strip(" :") + " mm"))
    if pixels.notes:
        rows.append(("read as", "; ".join(f"{note} ({count})" for note, count in list(pixels.notes.items())[:3])))
    return rows


def _of(counts: Mapping[str, int], total: int | None = None) -> str:
    """Names with their counts, the first of many."""
    if not counts:
        return ""
    shown = ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:SHOWN])
    more = (len(counts) if total is None else total) - min(SHOWN, len(counts))
    return f": {shown}" + (f" and {more:,} more" if more > 0 else "")


def _print_remarks(found: ScanReport) -> None:
    for note in found.notes:
        out.print(Text(f"note: {note}", style="dim"), soft_wrap=True)
    for remark in found.remarks():
        out.print(Text(remark, style="yellow"), soft_wrap=True)
    if found.others:
        named = "; ".join(f"{other.layout} ({other.why})" for other in found.others[:3])
        out.print(Text(f"it could also be: {named}; say so with --layout", style="dim"), soft_wrap=True)
    if found.unreadable:
        count = len(found.unreadable)
        out.print(Text(f"could not be read: {count}", style="bold red"))
        for trouble in found.unreadable[:20]:
            out.print(f"  {trouble}", markup=False, soft_wrap=True)
        if count > 20:
            out.print(f"  and {count - 20} more; --json lists all", markup=False)
