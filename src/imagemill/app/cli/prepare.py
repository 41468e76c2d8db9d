"""`imagemill prepare`: any dataset in, a network-ready one out."""

from __future__ import annotations

import json as json_text
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from imagemill.app.cli.advice import option_names, said_as_options
from imagemill.app.cli.console import INTERRUPTED, err, facts, out, progress, stopped
from imagemill.app.cli.number_options import numbers
from imagemill.app.cli.source_options import OPTIONS_HELP, Channels, MaskPattern, On, OnError, source_options

__all__ = ["numbers", "prepare"]

SHOWN = 10


class Fit(StrEnum):
    """How pictures come to one size."""

    CROP = "crop"
    PAD = "pad"
    STRETCH = "stretch"


class DType(StrEnum):
    """Type of the stored pixels."""

    UINT8 = "uint8"
    UINT16 = "uint16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"


class Normalize(StrEnum):
    """Range of floating values."""

    NONE = "none"
    UNIT = "unit"
    SYMMETRIC = "symmetric"
    MINMAX = "minmax"


class Standardize(StrEnum):
    """Which mean and deviation to take out."""

    NONE = "none"
    PIXELS = "pixels"
    CHANNEL = "per-channel"
    LOCATION = "per-location"
    SAMPLE = "per-sample"
    ZCA = "zca"


class Icc(StrEnum):
    """What to do with embedded colour profiles."""

    IGNORE = "ignore"
    SRGB = "srgb"


class Unlabeled(StrEnum):
    """What to do with images without a label."""

    RAISE = "raise"
    NULL = "null"


def prepare(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="A dataset in any layout: imagemill scan SRC says which.")],
    to: Annotated[Path, typer.Option("--out", "-o", metavar="STORE", help="The folder to fill.")],
    size: Annotated[
        str | None, typer.Option("--size", metavar="N|Y,X|Z,Y,X", help="Pixels; left out, all must have one size.")
    ] = None,
    fit: Annotated[
        Fit, typer.Option("--fit", help="Cut off what juts out, fill up, or let proportions go.")
    ] = Fit.CROP,
    channels: Annotated[Channels, typer.Option("--channels", help="How to read colours.")] = Channels.KEEP,
    axes: Annotated[
        str | None, typer.Option("--axes", help="Names of the stored axes, such as cyx, where files do not say them.")
    ] = None,
    dtype: Annotated[DType | None, typer.Option("--dtype", help="The images' own, or float32, when left out.")] = None,
    normalize: Annotated[
        Normalize, typer.Option("--normalize", help="Range of floating values, by bit depth or by each scan's own.")
    ] = Normalize.NONE,
    standardize: Annotated[
        Standardize, typer.Option("--standardize", help="Take out mean and deviation of the training part.")
    ] = Standardize.NONE,
    split: Annotated[
        str, typer.Option("--split", metavar="auto|keep|NUMBERS", help="0.2 is the test part; or train,val,test.")
    ] = "auto",
    val: Annotated[
        float | None, typer.Option("--val", help="Validation part, as a share of the training part.")
    ] = None,
    stratify: Annotated[bool, typer.Option("--stratify/--no-stratify", help="Divide each class alike.")] = True,
    group: Annotated[
        str | None,
        typer.Option(
            "--group", metavar="COLUMN|PATTERN", help="What must not part (a patient, a video); or a pattern over keys."
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels", metavar="index|one-hot|multi|level:N", help="How labels are written; levels count from 1."
        ),
    ] = None,
    unlabeled: Annotated[
        Unlabeled, typer.Option("--unlabeled", help="Images without a label among others: stop, or leave it empty.")
    ] = Unlabeled.RAISE,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Mix the order of each part, by the seed.")] = False,
    file_rows: Annotated[
        int | None,
        typer.Option("--file-rows", min=1, metavar="N", help="Rows of a file: many files, for stores of millions."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the split and the order.")] = 0,
    exif: Annotated[
        bool, typer.Option("--exif/--no-exif", help="Turn pictures the way EXIF asks for, or take them as stored.")
    ] = True,
    icc: Annotated[Icc, typer.Option("--icc", help="Colour profiles: leave alone, or convert to sRGB.")] = Icc.IGNORE,
    background: Annotated[
        str | None,
        typer.Option("--background", metavar="V|R,G,B", help="Under transparent pixels; left out, alpha is dropped."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="One per core when left out. Bytes never differ.")
    ] = None,
    on: On = None,
    on_error: Annotated[
        OnError, typer.Option("--on-error", help="A bad file: stop, leave it out, or also copy it aside.")
    ] = OnError.RAISE,
    masks: Annotated[Path | None, typer.Option("--masks", metavar="DIR", help="Label maps named like images.")] = None,
    allow_missing_masks: Annotated[
        bool, typer.Option("--allow-missing-masks", help="Images without a mask are fine.")
    ] = False,
    layout: Annotated[
        str | None, typer.Option("--layout", metavar="NAME", help="Of the source; found out when left out.")
    ] = None,
    mask_pattern: MaskPattern = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a store that was made with other parameters.")
    ] = False,
) -> None:
    """Make a network-ready dataset: one size, one type, labels as numbers, split into parts, statistics.

    Run again, it makes what is new and nothing twice; stopped or killed, it goes on where it was.
    """
    # Not from the package's front: the function is loaded with what it needs, when it is needed.
    from imagemill.data import as_path
    from imagemill.verbs.prepare import anything_kept
    from imagemill.verbs.prepare import prepare as make

    src, to = as_path(src), as_path(to)

    try:
        with progress("preparing") as report_progress:
            report = make(
                src,
                to,
                size=None if size is None else numbers("size", size, int),
                fit=fit.value,
                channels=channels.value,
                axes=axes,
                dtype=None if dtype is None else dtype.value,
                normalize=normalize.value,
                standardize=standardize.value,
                split=split if split in ("auto", "keep") else numbers("split", split, float),
                val=val,
                stratify=stratify,
                group=group,
                labels=labels,
                unlabeled=unlabeled.value,
                shuffle=shuffle,
                file_rows=file_rows,
                seed=seed,
                exif=exif,
                icc=icc.value,
                background=None if background is None else _colour(background),
                workers=workers or _cores(),
                on=on,
                on_error=on_error.value,
                masks=masks,
                allow_missing_masks=allow_missing_masks,
                overwrite=overwrite,
                progress=report_progress,
                layout=layout,
                **source_options(option, mask_pattern),
            )
    except KeyboardInterrupt:
        again = "run the same command again to continue"
        err.print(stopped(to, again if anything_kept(to) else None), markup=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    if json:
        out.print(json_text.dumps(report.plain(), indent=2), markup=False, soft_wrap=True)
    else:
        _say(report)


def _colour(text: str) -> tuple[float, ...]:
    found = numbers("background", text, float)
    return found if isinstance(found, tuple) else (found,)


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _say(report: Any) -> None:
    made = "nothing to do" if report.unchanged else f"{report.made} in {report.seconds:.1f} s"
    rate = f" ({report.made / max(report.seconds, 1e-9):,.0f}/s)" if report.made else ""
    parts = ", ".join(f"{name} {count}" for name, count in report.counts.items())
    rows: list[tuple[str, str | Text]] = [
        ("made", Text(made + rate, style="green")),
        ("already there", str(report.reused)),
        ("failed", Text(str(len(report.failed)), style="bold red" if report.failed else "")),
        ("images", f"{' x '.join(map(str, report.shape))} ({report.axes}), {report.dtype}"),
        ("parts", f"{parts} ({report.how_split})"),
    ]
    if report.classes:
        more = ", ..." if len(report.classes) > SHOWN else ""
        rows.append(("classes", f"{len(report.classes)}: {', '.join(report.classes[:SHOWN])}{more}"))
    options = option_names(prepare)
    rows += [("note", said_as_options(note, options)) for note in report.notes[:SHOWN]]
    if report.quarantine is not None:
        rows.append(("quarantine", str(report.quarantine)))
    out.print(facts(*rows, ("where", str(report.out))))
    for failure in report.failed[:SHOWN]:
        err.print(Text.assemble(("left out: ", "red"), said_as_options(str(failure), options)), soft_wrap=True)
    if len(report.failed) > SHOWN:
        err.print(f"... and {len(report.failed) - SHOWN} more, in {report.out / 'manifest.parquet'}", markup=False)
