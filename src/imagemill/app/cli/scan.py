"""`imagemill scan`: what a dataset is."""

from __future__ import annotations

import json as json_text
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from imagemill import ScanReport
from imagemill.app.cli.advice import option_names, said_as_options
from imagemill.app.cli.console import facts, out, progress
from imagemill.app.cli.source_options import OPTIONS_HELP, MaskPattern, On, source_options
from imagemill.data import Problem
from imagemill.verbs.scan import Licences
from imagemill.verbs.scan import scan as scan_dataset

__all__ = ["scan"]

SHOWN = 12
OPENED = 500
_TIED = "\u00a0"
FINDINGS = 1


def scan(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A file or folder in any layout.")],
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Where the guess is wrong.")] = None,
    masks: Annotated[Path | None, typer.Option("--masks", metavar="DIR", help="A folder of label maps.")] = None,
    axes: Annotated[str | None, typer.Option("--axes", metavar="NAMES", help="Of the images, such as cyx.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Open every image, not 500 spread evenly.")] = False,
    mask_pattern: MaskPattern = None,
    why: Annotated[
        bool, typer.Option("--why", help="Show what was seen, and what each layout would take and leave.")
    ] = False,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    on: On = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what a dataset is: layout and why, how many of what, sizes, classes, and what could not be read.

    Nothing is changed. Ends with exit status 1 when something could not be read.
    """
    with progress("opening") as report:
        found = scan_dataset(
            src, layout=layout, masks=masks, opened=None if full else OPENED,
            allow_missing_masks=masks is not None or mask_pattern is not None,
            axes=axes, why=why, on=on, progress=report, **source_options(option, mask_pattern),
        )  # fmt: skip
    if json:
        typer.echo(json_text.dumps(found.to_dict(), indent=2))
    else:
        out.print(facts(*_rows(found, opened=found.images if full else min(OPENED, found.images))))
        if why:
            out.print(_evidence(found), _ways(found), sep="\n")
        _print_remarks(found)
    if found.unreadable:
        raise typer.Exit(FINDINGS)


def _rows(found: ScanReport, opened: int) -> list[tuple[str, str | Text]]:
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
        share = f"{found.masks:,}" + ("" if found.masks == found.images else f" of {found.images:,} images")
        rows.append(("label maps", share + (f"; values {shown}" if values else "")))
    if found.annotations:
        counted = ", ".join(_many(count, what) for what, count in found.annotations.items())
        rows.append(("annotations", f"{counted}; in {_many(found.annotated, 'images')}"))
        used = sum(count > 0 for count in found.categories.values())
        top = dict(sorted(found.categories.items(), key=lambda pair: -pair[1])[:SHOWN])
        rows.append(("categories", f"{len(found.categories)}, {used} of them used" + _of(top, len(found.categories))))
    if found.attributes:
        rows.append(("columns", ", ".join(found.attributes)))
    rows += _licence_rows(found.licences)
    rows += _pixel_rows(found, opened)
    width = out.width - max(len(name) for name, _ in rows) - 2
    return [(name, _wrapped(value, width) if isinstance(value, str) else value) for name, value in rows]


def _licence_rows(found: Licences) -> list[tuple[str, str | Text]]:
    said = [] if not found.counts else [_list(found.counts, always=True)]
    if found.without:
        said.append(f"none recorded for {_many(found.without, 'images')}" if said else "none recorded")
    if found.whole:
        said.append(f"{found.whole} as {found.said_in} says")
    others = [name for name in found.files if name != found.said_in]
    if others:
        said.append(f"read {', '.join(others)}")
    rows: list[tuple[str, str | Text]] = [("licences", "; ".join(said))]
    if found.sourced:
        rows.append(("sources", f"of {_many(found.sourced, 'images')}, in {', '.join(found.source_columns)}"))
    return rows


def _pixel_rows(found: ScanReport, opened: int) -> list[tuple[str, str | Text]]:
    pixels = found.pixels
    if not pixels.opened:
        return []
    rows: list[tuple[str, str | Text]] = []
    if opened < found.images:
        rows.append(("opened", f"{opened:,} of them, spread evenly; --full opens all"))
    rows += [("formats", _list(pixels.formats)), ("pixels", _list(pixels.kinds))]
    if len(pixels.sizes) == 1:
        rows.append(("size", next(iter(pixels.sizes))))
    elif pixels.smallest:
        low, middle, high = (" x ".join(map(str, size)) for size in (pixels.smallest, pixels.median, pixels.largest))
        rows.append(("sizes", f"{len(pixels.sizes)} different, {low} to {high}, median {middle}"))
    else:
        rows.append(("sizes", f"{len(pixels.sizes)} different" + _of(pixels.sizes)))
    if pixels.spacings:
        rows.append(("spacing", _list({f"{spacing} mm": count for spacing, count in pixels.spacings.items()})))
    if pixels.notes:
        rows.append(("read as", "; ".join(_alike(pixels.notes))))
    return rows


def _many(count: int, what: str) -> str:
    """A count with its word, which is in the plural."""
    return f"{count:,} {what.removesuffix('s') if count == 1 else what}"


def _of(counts: Mapping[str, int], total: int | None = None) -> str:
    """Names with their counts behind a colon, the first of many; nothing where there is none."""
    return f": {_list(counts, total, always=True)}" if counts else ""


def _list(counts: Mapping[str, int], total: int | None = None, *, always: bool = False) -> str:
    """Names with their counts, the first of many; a name alone needs no count unless it is one `always`."""
    if len(counts) == 1 and not always:
        return next(iter(counts))
    # A name may end in a number, so its count stands apart from it, and on the same line.
    shown = ", ".join(f"{name} ({count:,})".replace(" ", _TIED) for name, count in list(counts.items())[:SHOWN])
    more = (len(counts) if total is None else total) - min(SHOWN, len(counts))
    return shown + (f" and {more:,} more" if more > 0 else "")


def _wrapped(value: str, width: int) -> str:
    """The value in lines that break between names and not within them."""
    lines = textwrap.wrap(value, max(width, 20), break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(_TIED, " ")


def _alike(notes: Mapping[str, int]) -> list[str]:
    """The commonest notes; those that differ in numbers alone count as one, with N for each number."""
    groups: dict[str, list[str]] = {}
    for note in notes:
        groups.setdefault(re.sub(r"\d+(\.\d+)?", "N", note), []).append(note)
    counted = {
        (alike[0] if len(alike) == 1 else template).removeprefix("read as "): sum(notes[note] for note in alike)
        for template, alike in groups.items()
    }
    common = sorted(counted.items(), key=lambda pair: -pair[1])[:3]
    return [f"{note} ({count:,})" for note, count in common]


def _evidence(found: ScanReport) -> Table:
    """What was seen, and how strongly it speaks for what."""
    table = Table(box=None, pad_edge=False, title="what was seen", title_justify="left")
    for column in ("seen", "speaks for", "strength"):
        table.add_column(column, overflow="fold", justify="right" if column == "strength" else "left")
    for piece in found.evidence:
        speaks = ", ".join(piece.layouts) or f"whatever keeps the {piece.carries}"
        table.add_row(Text(piece.seen), Text(speaks), f"{piece.strength:.2f}")
    return table


def _ways(found: ScanReport) -> Table:
    """What each layout would take and leave."""
    table = Table(box=None, pad_edge=False, title="what layouts make of it", title_justify="left")
    for column in ("layout", "takes", "leaves", "keeps", "unexplained"):
        table.add_column(column, overflow="fold", justify="right" if column == "unexplained" else "left")
    for one in found.candidates:
        if one.takes is None:
            said = "not asked" if one.fault is None else f"cannot be read: {one.fault}"
            table.add_row(one.layout.name, Text(said), "", "", "")
            continue
        left = ", ".join(f"{count:,} {suffix}" for suffix, count in one.left.most_common(3)) or "no image"
        kept = ", ".join(sorted(one.carries)) or "images alone"
        table.add_row(one.layout.name, _many(len(one.takes), "files"), left, kept, f"{one.unexplained:.2f}")
    return table


def _print_remarks(found: ScanReport) -> None:
    options = option_names(scan)
    for note in found.notes:
        out.print(Text(f"note: {said_as_options(note, options)}", style="dim"), soft_wrap=True)
    for remark in found.remarks():
        out.print(Text(remark, style="yellow"), soft_wrap=True)
    if found.others:
        named = "; ".join(f"{other.layout} ({other.why})" for other in found.others[:3])
        out.print(Text(f"it could also be: {named}; say so with --layout", style="dim"), soft_wrap=True)
    if found.unreadable:
        count = len(found.unreadable)
        out.print(Text(f"could not be read: {count:,}", style="bold red"))
        said = _once(found.unreadable)
        for words in said[:20]:
            out.print(Text(f"  {said_as_options(words, options)}"), soft_wrap=True)
        if len(said) > 20:
            out.print(Text(f"  and {len(said) - 20:,} more; --json lists all"))


def _once(troubles: Sequence[Problem]) -> list[str]:
    """Each trouble in words; what is the same for several files, such as a package that is not there, once."""
    of: dict[str, list[Problem]] = {}
    for trouble in troubles:
        of.setdefault(trouble.message, []).append(trouble)
    said = []
    for message, alike in of.items():
        names = ", ".join(one.name for one in alike[:3]) + (", ..." if len(alike) > 3 else "")
        said.append(str(alike[0]) if len(alike) == 1 else f"{len(alike):,} files ({names}): {message}")
    return said
