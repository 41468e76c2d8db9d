"""``imagemill explore``: a pipeline live in the browser, on an image of one's own."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from imagemill import Image, open_source
from imagemill.app.cli.console import err, facts, json_out, out
from imagemill.app.cli.first_input import BoxesFile, FirstOf, KeypointsFile, Seed, StoredAxes, read_first
from imagemill.app.cli.pipelines import HELP, SIZE_HELP, read_pipeline
from imagemill.app.cli.source_options import OPTIONS_HELP, MaskPattern, source_options
from imagemill.app.explorer.exploring import opened_of, written
from imagemill.app.figures.figure import shown
from imagemill.data import boxes_of, keypoints_of

__all__ = ["explore"]


def explore(
    src: FirstOf,
    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            "-p",
            metavar="FILE|PRESET",
            help=f"{HELP} Left out: photo for colour pictures, segmentation for others.",
        ),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the page there, and do not open it.")
    ] = None,
    size: Annotated[str | None, typer.Option("--size", metavar="SIDE|Y,X|Z,Y,X", help=SIZE_HELP)] = None,
    masks: Annotated[
        Path | None,
        typer.Option("--masks", metavar="DIR|FILE", help="Of a scan: the label map that says which slice is shown."),
    ] = None,
    boxes: BoxesFile = None,
    keypoints: KeypointsFile = None,
    seed: Seed = None,
    axes: StoredAxes = None,
    layout: Annotated[str | None, typer.Option("--layout", metavar="NAME", help="Of SRC.")] = None,
    mask_pattern: MaskPattern = None,
    option: Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help=OPTIONS_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Draw a pipeline live in the browser: sliders, many copies at once, boxes and points, the pipeline file to copy.

    The page is one file: no server, no network, and photos opened in it do not leave the browser.
    Copy 0, 1, 2 and so on are the pictures that `augment` makes of the image with the same seed. Filters, noise, bent
    maps, what hides parts and what mixes images are not drawn there, and the page says so: `preview` draws everything.
    """
    opened = open_source(
        src, masks, allow_missing_masks=True, layout=layout, axes=axes, **source_options(option, mask_pattern)
    )
    found = read_first(opened, masks, boxes, keypoints, axes)
    asked = read_pipeline(pipeline or _usual(found.image), size, seed)
    objects = () if found.annotations is None else found.annotations.objects
    seen = shown(found.image, found.mask, found.boxes or boxes_of(objects), found.keypoints or keypoints_of(objects))
    file = found.record.image if isinstance(found.record.image, Path) else None
    page = opened_of(seen, found.record.key, found.record.key, file)
    with warnings.catch_warnings(record=True, category=UserWarning) as said:
        warnings.simplefilter("always")
        where = written(page, asked.pipeline, to)
    if as_json:
        json_out({"image": str(found.record.key), "pipeline": str(asked), "written": str(where)})
    else:
        out.print(facts(*found.lines, ("pipeline", str(asked)), ("written", str(where))))
    for one in said:
        err.print(str(one.message), soft_wrap=True)


def _usual(image: Image) -> str:
    """The preset to begin with; that for scans is mostly of what the page does not draw."""
    return "photo" if image.canonical().shape[-1] in (3, 4) else "segmentation"
