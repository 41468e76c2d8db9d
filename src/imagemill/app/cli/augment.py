"""`imagemill augment`: N copies of every image, as files."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

import imagemill as im
from imagemill.app.cli.console import INTERRUPTED, err, facts, json_out, left_out, out, progress, stopped
from imagemill.app.cli.pipelines import HELP, SIZE_HELP, Asked, read_pipeline
from imagemill.app.cli.source_options import OPTIONS_HELP, Channels, MaskPattern, On, OnError, source_options
from imagemill.data import ReadOptions, as_path, load_picture
from imagemill.verbs.augment import read_parameters, recorded

__all__ = ["augment"]

SHOWN_COPIES, SHOWN_FAILURES, SHOWN_NOTES, LOOKED_AT = 20, 10, 5, 5


def augment(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="An image, a scan, a folder, or a .txt list of paths.")],
    to: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder to fill.")],
    pipeline: Annotated[str | None, typer.Option("--pipeline", "-p", metavar="FILE|PRESET", help=HELP)] = None,
    copies: Annotated[int, typer.Option("--copies", "-n", min=1, help="Copies of each image.")] = 1,
    size: Annotated[str | None, typer.Option("--size", metavar="SIDE|Y,X|Z,Y,X", help=SIZE_HELP)] = None,
    masks: Annotated[
        Path | None,
        typer.Option("--masks", metavar="DIR", help="Label maps named like the images; they are moved along."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Same seed, same pixels. Made and shown when left out.")
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", metavar="SUFFIX", help="tif, png, jpg, nii.gz...; else the source's own.")
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="Put before every output's name.")] = "",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="One per core when left out. Pixels never differ.")
    ] = None,
    on: On = None,
    on_error: Annotated[
        OnError, typer.Option("--on-error", help="A bad file: stop, leave it out, or also copy it aside.")
    ] = OnError.RAISE,
    channels: Annotated[Channels, typer.Option("--channels", help="How to read colours.")] = Channels.KEEP,
    axes: Annotated[
        str | None, typer.Option("--axes", help="Names of the stored axes, such as cyx, where files do not say them.")
    ] = None,
    to_layout: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="LAYOUT", help="coco, yolo, csv...; else the source's own. Annotations move along."
        ),
    ] = None,
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Of the source.")] = None,
    mask_pattern: MaskPattern = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    allow_missing_masks: Annotated[
        bool, typer.Option("--allow-missing-masks", help="Images without a mask are fine.")
    ] = False,
    min_area: Annotated[
        float | None, typer.Option("--min-area", help="Fewest px² of the frame that a box has left; 1 when left out.")
    ] = None,
    min_visibility: Annotated[
        float | None, typer.Option("--min-visibility", help="Smallest share of a box, 0 to 1, that has to be left.")
    ] = None,
    clip: Annotated[bool | None, typer.Option("--clip/--no-clip", help="Cut boxes at the frame.")] = None,
    keep_empty: Annotated[
        bool | None, typer.Option("--keep-empty", help="Keep a row for boxes of which nothing is left.")
    ] = None,
    clips: Annotated[
        bool, typer.Option("--clips", help="Images of a group or folder are frames: one draw for all of a clip.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove the outputs an earlier run recorded in DIR, and begin anew.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Write N augmented copies of every image, with labels, boxes, masks and keypoints that moved along.

    Stopped, killed or run again: the same command makes what is missing and nothing twice. Every output's recipe
    stands in DIR/recipes.jsonl, and imagemill replay makes any of them again, bit for bit.
    """
    src, to = as_path(src), as_path(to)
    # A run that made nothing binds nobody to its seed.
    begun = (read_parameters(to) or {}).get("seed") if not overwrite and recorded(to) else None
    asked = read_pipeline(pipeline, size, seed, begun)
    rules = {"min_area": min_area, "min_visibility": min_visibility, "clip": clip, "keep_empty": keep_empty}
    asked = asked.with_boxes({name: value for name, value in rules.items() if value is not None})
    source = im.open_source(
        src,
        masks,
        allow_missing_masks=allow_missing_masks,
        layout=layout,
        axes=axes,
        **source_options(option, mask_pattern),
    )
    if src.is_file():
        # Not the folder around it: an archive may well be augmented beside itself.
        source = replace(source, root=src)
    if not as_json:
        _say_what_runs(source, asked, channels.value, axes)
    try:
        with progress("augmenting") as report_progress:
            report = im.augment(
                source,
                to,
                asked.pipeline,
                copies=copies,
                prefix=prefix,
                format=format,
                workers=workers or _cores(),
                on=on,
                on_error=on_error.value,
                channels=channels.value,
                axes=axes,
                progress=report_progress,
                overwrite=overwrite,
                to=to_layout,
                clips=clips,
            )
    except KeyboardInterrupt:
        again = "run the same command again" + ("" if seed is None else ", with the same --seed") + " to continue"
        err.print(stopped(to, again if recorded(to) else None), markup=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        json_out({**_plain(report), "pipeline": asked.name, "seed": asked.pipeline.seed, "copies": copies})
    else:
        if len(source) == 1:
            _say_what_was_drawn(to, next(iter(source)).key, copies)
        _say_what_was_made(report)
    if report.failed and not report.made + report.present:
        raise typer.Exit(1)


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _say_what_runs(source: Any, asked: Asked, channels: Any, axes: str | None) -> None:
    rows = [("source", source.describe())]
    for record in islice(source, LOOKED_AT):
        try:
            picture = load_picture(record.image, ReadOptions(channels, axes))
        except im.ImagemillError:
            continue  # the run meets it again, and does with it what was asked for
        size = " x ".join(map(str, picture.array.shape))
        names = ", ".join(_AXES[letter] for letter in picture.axes)
        note = f"; {picture.note}" if picture.note else ""
        what = f"{size} ({names}) of {picture.array.dtype}{note}"
        rows.append(("image", what) if len(source) == 1 else ("first", f"{record.key}, {what}"))
        break
    out.print(facts(*rows, ("pipeline", str(asked))))


_AXES = {"z": "slices", "y": "rows", "x": "columns", "c": "channels"}


def _say_what_was_drawn(to: Path, key: str, copies: int) -> None:
    """The transforms that ran on each copy of a single image, with their values."""
    rows = recorded(to)
    table = Table(title="what was applied", title_justify="left", pad_edge=False, box=None, header_style="bold")
    table.add_column("copy", justify="right")
    table.add_column("transforms and the values drawn", overflow="fold")
    for copy in range(min(copies, SHOWN_COPIES)):
        if (key, copy) in rows:
            applied = [im.Applied(a["name"], a["values"]) for a in rows[key, copy]["applied"]]
            table.add_row(str(copy), Text(", ".join(map(str, applied)) or "none"))
    out.print(table)
    if copies > SHOWN_COPIES:
        out.print(f"(and {copies - SHOWN_COPIES} more, in {to / 'recipes.jsonl'})", markup=False)


def _plain(report: im.AugmentReport) -> dict[str, Any]:
    return {
        "out": str(report.out),
        "made": report.made,
        "present": report.present,
        "others": report.others,
        "failed": [str(failure) for failure in report.failed],
        "notes": list(report.notes),
        "quarantine": None if report.quarantine is None else str(report.quarantine),
        "layout": report.layout,
        "lost": list(map(str, report.annotated.lost)),
        "problems": list(map(str, report.annotated.problems)),
        "seconds": report.seconds,
    }


def _say_what_was_made(report: im.AugmentReport) -> None:
    rate = f" in {report.seconds:.1f} s ({report.made / max(report.seconds, 1e-9):,.0f}/s)" if report.made else ""
    rows: list[tuple[str, str | Text]] = [("made", Text(f"{report.made}{rate}", style="green"))]
    rows.append(("already there", str(report.present)))
    failed = f"{len(report.failed)} file{'' if len(report.failed) == 1 else 's'}"
    rows.append(("failed", Text(failed, style="bold red" if report.failed else "")))
    if report.others:
        rows.append(("left", f"{report.others} outputs of files that are no longer in the source"))
    rows += [("read", note) for note in report.notes[:SHOWN_NOTES]]
    if len(report.notes) > SHOWN_NOTES:
        rows.append(("read", f"in {len(report.notes) - SHOWN_NOTES} other ways"))
    if report.quarantine is not None:
        rows.append(("quarantine", str(report.quarantine)))
    rows += report.annotated.rows(report.layout)
    out.print(facts(*rows, ("where", str(report.out))))
    left_out(report.annotated.lost, report.annotated.problems, SHOWN_FAILURES)
    for failure in report.failed[:SHOWN_FAILURES]:
        err.print(Text.assemble(("left out: ", "red"), str(failure)), soft_wrap=True)
    if len(report.failed) > SHOWN_FAILURES:
        rest = len(report.failed) - SHOWN_FAILURES
        err.print(f"... and {rest} more, in {report.out / 'errors.jsonl'}", markup=False, soft_wrap=True)
