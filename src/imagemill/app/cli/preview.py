"""``imagemill preview``: look at what a pipeline does before running it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from imagemill import (
    InputError,
    open_source,
)
from imagemill.app.cli.console import facts, json_out, out, progress
from imagemill.app.cli.first_input import BoxesFile, FirstOf, KeypointsFile, Seed, StoredAxes, read_first, usual_preset
from imagemill.app.cli.pipelines import HELP, SIZE_HELP, read_pipeline
from imagemill.app.cli.source_options import OPTIONS_HELP, MaskPattern, source_options
from imagemill.app.figures.annotated_figures import shown_annotations, shown_draws
from imagemill.app.figures.figure import Shown, caption, draws, pair_of, saved, sheet_of, shown
from imagemill.data import (
    pixels_name,
)

__all__ = ["preview"]


def preview(
    src: FirstOf,
    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            "-p",
            metavar="FILE|PRESET",
            help=f"{HELP} Left out: photo for colour pictures, scan for scans, segmentation for others.",
        ),
    ] = None,
    to: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The figure to write.")] = Path("preview.png"),
    size: Annotated[str | None, typer.Option("--size", metavar="SIDE|Y,X|Z,Y,X", help=SIZE_HELP)] = None,
    grid_size: Annotated[str, typer.Option("--grid", metavar="ROWSxCOLUMNS", help="How many copies to show.")] = "3x3",
    masks: Annotated[
        Path | None, typer.Option("--masks", metavar="DIR|FILE", help="The label map, or the folder it is in.")
    ] = None,
    boxes: BoxesFile = None,
    keypoints: KeypointsFile = None,
    seed: Seed = None,
    axes: StoredAxes = None,
    key: Annotated[
        str | None,
        typer.Option("--key", help="What the draws belong to; left out: the image's path in SRC, as augment has it."),
    ] = None,
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Of SRC.")] = None,
    mask_pattern: MaskPattern = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    show_before: Annotated[
        bool, typer.Option("--before-after", help="Copy 0 beside the image as it was, with its values.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Draw what a pipeline makes of one image: a grid of copies, or before and after.

    Copy 0, 1, 2 and so on are the pictures that `augment` makes of the image with the same seed.
    What is annotated in SRC (boxes with their classes, polygons, keypoints) and label maps are moved along and drawn:
    of an annotated set the first image with something in it. Of a scan one slice is shown.
    """
    rows, columns = _grid(grid_size)
    opened = open_source(
        src, masks, allow_missing_masks=True, layout=layout, axes=axes, **source_options(option, mask_pattern)
    )
    found = read_first(opened, masks, boxes, keypoints, axes)
    asked = read_pipeline(pipeline or usual_preset(found.image), size, seed)
    pipe, key = asked.pipeline, found.record.key if key is None else key
    before = shown(found.image, found.mask, found.boxes, found.keypoints)
    if not as_json:
        out.print(facts(*found.lines, ("pipeline", str(asked)), ("key", key)))
    count = 1 if show_before else rows * columns
    shown_copies = "copy 0" if count == 1 else f"copies 0 to {count - 1}"
    title = f"{Path(pixels_name(found.record.image)).name}: {Path(asked.name).name}, seed {pipe.seed}, {shown_copies}"
    # A copy of augment's is an epoch of the same key.
    with progress("drawing"):  # which says when kernels are compiled, so that nobody wonders at the first run
        if found.annotations is None:
            made = draws(pipe, before, key, range(count))
        else:
            before = shown_annotations(before.image, before.mask, found.annotations, found.skeleton)
            made = shown_draws(pipe, before, found.annotations, found.skeleton, key, range(count))
    if show_before:
        rgb = pair_of(before, made[0], pipe, title, found.links)
    else:
        rgb = sheet_of(made, pipe, before, columns, title, found.links)
    saved(rgb, to)
    if as_json:
        drawn = [[{"name": each.name, "values": each.values} for each in one.applied] for one in made]
        size_yx = {"height": rgb.shape[0], "width": rgb.shape[1]}
        json_out(
            {"written": str(to), **size_yx, "pipeline": asked.name, "seed": pipe.seed, "key": key, "copies": drawn}
        )
        return
    out.print(_drawn(made))
    out.print(facts(("written", f"{to} ({rgb.shape[1]} × {rgb.shape[0]} pixels)")))


def _grid(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,2})[x×X](\d{1,2})", text.strip())
    if found is None or not (1 <= int(found[1]) <= 32 and 1 <= int(found[2]) <= 32):
        raise InputError(f"expected a grid as rows x columns of 1 to 32 each, got {text!r}; write --grid 2x4")
    return int(found[1]), int(found[2])


def _drawn(made: list[Shown]) -> Table:
    """The applied transforms and their values, one row per draw."""
    table = Table("copy", "applied, with the drawn values", box=None, padding=(0, 2, 0, 0))
    for copy, one in enumerate(made):
        table.add_row(str(copy), Text(caption(one.applied).replace("\u00a0", " ")))
    return table
