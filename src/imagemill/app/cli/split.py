"""`imagemill split`: which image goes into which part, without touching a pixel."""

from __future__ import annotations

import json as json_text
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

import imagemill as im
from imagemill.app.cli.console import out
from imagemill.app.cli.number_options import numbers
from imagemill.app.cli.source_options import OPTIONS_HELP, MaskPattern, source_options

__all__ = ["split"]

SHOWN = 20


def split(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A dataset in any layout, or a prepared one.")],
    to: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="A .csv or .parquet of key, split and label.")
    ] = None,
    split: Annotated[
        str, typer.Option("--split", metavar="auto|NUMBERS", help="0.2 is the test part; or train,val,test.")
    ] = "auto",
    val: Annotated[
        float | None, typer.Option("--val", help="Validation part, as a share of the training part.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            "--group", metavar="COLUMN|PATTERN", help="What must not part (a patient, a video); or a pattern over keys."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same split.")] = 0,
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Of the source.")] = None,
    mask_pattern: MaskPattern = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Divide a dataset into train, val and test: stratified by label, groups kept whole, the same on any machine."""
    from imagemill import open as open_dataset

    options = source_options(option, mask_pattern) | ({} if layout is None else {"layout": layout})
    asked = split if split == "auto" else numbers("split", split, float)
    opened = open_dataset(src, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they are among the notes
        dataset = opened.split(asked, val=val, group=group, seed=seed)
    if to is not None:
        _write(dataset.table, to)
    counts = _counts(dataset)
    if json:
        out.print(json_text.dumps(counts, indent=2), markup=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class")
    for part in ("train", "val", "test"):
        table.add_column(part, justify="right")
    for name, parts in list(counts.items())[:SHOWN]:
        table.add_row(name, *(str(parts.get(part, 0)) for part in ("train", "val", "test")))
    out.print(table)
    for note in dataset.remarks:
        out.print(f"note: {note}", style="yellow", markup=False, soft_wrap=True)
    if len(counts) > SHOWN:
        out.print(f"(and {len(counts) - SHOWN} more)", markup=False)
    if to is not None:
        out.print(f"written to {to}", markup=False, soft_wrap=True)


def _counts(dataset: Any) -> dict[str, dict[str, int]]:
    """Images per class and part, and of all classes together."""
    counts: dict[str, dict[str, int]] = {name: {} for name in (*dataset.classes, "all")}
    for part in ("train", "val", "test"):
        if part in dataset.table["split"]:
            chosen = dataset.subset(part)
            counts["all"][part] = len(chosen)
            for name, count in chosen.class_counts().items():
                counts[name][part] = count
    return counts


def _write(table: Any, to: Path) -> None:
    from imagemill.data import atomic_path

    columns = [name for name in ("key", "split", "label", "group") if name in table.columns]
    if to.suffix.lower() not in (".csv", ".parquet"):
        raise im.InputError(f"expected a .csv or .parquet file, got {str(to)!r}; give one of these")
    with atomic_path(to) as part:
        chosen = table.select(columns)
        if to.suffix.lower() == ".csv":
            chosen.write_csv(part)
        else:
            chosen.write_parquet(part)
