"""``imagemill preview``: look at what a pipeline does before running it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from imagemill import (
    Boxes,
    CodecError,
    Image,
    InputError,
    Instance,
    Keypoints,
    Mask,
    Picture,
    Record,
    Source,
    SourceError,
    open_source,
)
from imagemill.app.cli.console import facts, out
from imagemill.app.cli.pipelines import HELP, SIZE_HELP, read_pipeline
from imagemill.app.cli.source_options import OPTIONS_HELP, MaskPattern, source_options
from imagemill.app.figures.annotated_figures import shown_annotations, shown_draws
from imagemill.app.figures.figure import Shown, caption, draws, pair_of, saved, sheet_of, shown, size_of
from imagemill.data import (
    KEYPOINTS,
    Annotations,
    CocoFile,
    Seen,
    boxes_of,
    counts_of,
    keypoint_names_of,
    keypoints_of,
    links_of,
    objects_on,
    pixels_name,
    read_coco,
)
from imagemill.verbs.augment import load_record

__all__ = ["preview"]


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One image with all that moves along, and what to tell about it."""

    record: Record
    image: Image
    mask: Mask | None
    boxes: Boxes | None
    keypoints: Keypoints | None
    links: tuple[tuple[int, int], ...]
    lines: tuple[tuple[str, str], ...]
    annotations: Annotations | None = None
    skeleton: tuple[tuple[int, int], ...] = ()


def preview(
    src: Annotated[
        Path, typer.Argument(metavar="SRC", help="An image, a scan, a .txt list, or a folder (its first image).")
    ],
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
    boxes: Annotated[
        Path | None, typer.Option("--boxes", metavar="FILE", help="COCO JSON with boxes; the image is found by name.")
    ] = None,
    keypoints: Annotated[
        Path | None, typer.Option("--keypoints", metavar="FILE", help="COCO JSON with keypoints; the same.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Same seed, same pixels. Made and shown when left out.")
    ] = None,
    axes: Annotated[
        str | None, typer.Option("--axes", help="Names of the stored axes, such as cyx, where files do not say them.")
    ] = None,
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
    found = _read(opened, masks, boxes, keypoints, axes)
    asked = read_pipeline(pipeline or _usual(found.image), size, seed)
    pipe, key = asked.pipeline, found.record.key if key is None else key
    before = shown(found.image, found.mask, found.boxes, found.keypoints)
    out.print(facts(*found.lines, ("pipeline", str(asked)), ("key", key)))
    count = 1 if show_before else rows * columns
    shown_copies = "copy 0" if count == 1 else f"copies 0 to {count - 1}"
    title = f"{Path(pixels_name(found.record.image)).name}: {Path(asked.name).name}, seed {pipe.seed}, {shown_copies}"
    # A copy of augment's is an epoch of the same key.
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
    out.print(_drawn(made))
    out.print(facts(("written", f"{to} ({rgb.shape[1]} × {rgb.shape[0]} pixels)")))


def _usual(image: Image) -> str:
    """The preset for images of this kind."""
    *shape, channels = image.canonical().shape
    # The preset for photos changes saturation, which takes colours.
    return "scan" if len(shape) == 3 else "photo" if channels in (3, 4) else "segmentation"


def _grid(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,2})[x×X](\d{1,2})", text.strip())
    if found is None or not (1 <= int(found[1]) <= 32 and 1 <= int(found[2]) <= 32):
        raise InputError(f"expected a grid as rows x columns of 1 to 32 each, got {text!r}; write --grid 2x4")
    return int(found[1]), int(found[2])


def _read(opened: Source, masks: Path | None, boxes: Path | None, keypoints: Path | None, axes: str | None) -> Input:
    """Read the first image of a source with what belongs to it, and say how."""
    told = boxes is None and keypoints is None
    annotated = next((record for record in opened if told and record.objects), None)
    record = annotated or next(iter(opened))
    seen = dict.fromkeys(annotation.category for annotation in record.objects or ())
    loaded = load_record(record, axes=axes, names=keypoint_names_of(seen, opened.keypoint_names, opened.info))
    image = Image(loaded.picture.array, loaded.picture.axes, loaded.picture.spacing, loaded.picture.affine)
    lines = [("source", opened.describe())]
    if len(opened) > 1:
        which = "the first" if annotated is None else "the first with something in it,"
        lines.append(("image", f"{which} of {len(opened)}: {record.key}"))
    lines.append(("read as", f"{size_of(image)}, axes {image.axes}{_noted(loaded.picture.note)}"))
    mask = None
    if record.mask is not None and loaded.mask is not None:
        mask = Mask(loaded.mask.array, loaded.mask.axes)
        lines.append(("label map", Path(pixels_name(record.mask)).name + _noted(loaded.mask.note)))
    elif masks is not None:
        lines.append(("label map", f"none for {record.key}"))
    placed, points = None, None
    links: tuple[tuple[int, int], ...] = ()
    if boxes is not None:
        read = read_coco(boxes)
        placed = boxes_of(_objects(read, record, loaded.picture))
        lines.append(("boxes", f"{0 if placed is None else len(placed)} from {boxes.name}{_left_out(read)}"))
    if keypoints is not None:
        read = read_coco(keypoints)
        names, skeleton = read.keypoints()
        objects = _objects(read, record, loaded.picture)
        points, links = keypoints_of(objects, names), links_of(objects, skeleton)
        lines.append(("keypoints", f"{0 if points is None else len(points)} from {keypoints.name}{_left_out(read)}"))
    annotations = loaded.annotations if annotated is not None else None
    if annotations is not None:
        named = Counter(annotation.category for annotation in annotations.objects)
        lines.append(("in it", ", ".join(f"{count} {name}" for name, count in named.most_common())))
        count = counts_of(annotations.objects)[KEYPOINTS]
        lines += [("keypoints", str(count))] if count else []
    return Input(record, image, mask, placed, points, links, tuple(lines), annotations, opened.links)


def _noted(note: str) -> str:
    return f" ({note})" if note else ""


def _left_out(file: CocoFile) -> str:
    """How many entries of a file could not be taken in, and the first reason."""
    if not file.problems:
        return ""
    return f"; {len(file.problems)} entries could not be taken in, the first: {file.problems[0]}"


def _objects(file: CocoFile, record: Record, picture: Picture) -> tuple[Instance, ...]:
    """What a COCO file says about a picture, on its pixels; a file that does not know it is a mistake."""
    entry = file.find(record.key)
    if entry is None:
        raise SourceError(
            f"{file.path}: expected an entry for {record.key!r}, got none; is it the file of these images?"
        )
    if len(picture.spatial_shape) != 2:
        raise SourceError(f"{file.path}: expected {record.key!r} to be a picture, got a volume; leave the file out")
    said = replace(record, objects=entry.objects or (), size=entry.size)
    try:
        return objects_on(said, Seen.of(picture))[0]
    except CodecError as error:
        raise SourceError(f"{file.path}: {error}") from error


def _drawn(made: list[Shown]) -> Table:
    """The applied transforms and their values, one row per draw."""
    table = Table("copy", "applied, with the drawn values", box=None, padding=(0, 2, 0, 0))
    for copy, one in enumerate(made):
        table.add_row(str(copy), Text(caption(one.applied).replace("\u00a0", " ")))
    return table
