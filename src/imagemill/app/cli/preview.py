"""``imagemill preview``: look at what a pipeline does before running it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from imagemill.app.report.figure import Shown, caption, draws, pair_of, saved, shown, sheet_of, size_of
from imagemill.core.errors import InputError, SourceError
from imagemill.core.targets import Boxes, Image, Keypoints, Mask
from imagemill.data import Record, open_source
from imagemill.data.coco import CocoImage, read_coco
from imagemill.data.make import load
from imagemill.pipeline import Pipeline
from imagemill.transforms.presets import PRESETS, preset

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


def preview(
    source: Annotated[
        Path, typer.Argument(metavar="SRC", help="An image, a scan, a .txt list, or a folder (its first image).")
    ],
    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            "-p",
            metavar="FILE|PRESET",
            help=f"A pipeline file, or one of {', '.join(PRESETS)}. Left out: photo for pictures, scan for scans.",
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The figure to write.")] = Path("preview.png"),
    size: Annotated[int | None, typer.Option(help="Side of the results in pixels, for a preset.")] = None,
    grid_size: Annotated[str, typer.Option("--grid", metavar="ROWSxCOLUMNS", help="How many draws to show.")] = "3x3",
    masks: Annotated[Path | None, typer.Option(help="Label map: a file, or the folder it is in.")] = None,
    boxes: Annotated[Path | None, typer.Option(help="COCO JSON file with boxes.")] = None,
    keypoints: Annotated[Path | None, typer.Option(help="COCO JSON file with keypoints.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the pipeline file's seed.")] = None,
    key: Annotated[
        str | None, typer.Option(help="What the draws belong to; left out: the image's path in SRC, as augment uses.")
    ] = None,
    show_before: Annotated[
        bool, typer.Option("--before-after", help="One draw beside the image as it was, with its values.")
    ] = False,
) -> None:
    """Draw what a pipeline makes of one image: a grid of draws, or before and after.

    The draws are those that `augment` would make of the image with the same seed: copy 0, 1, 2 and so on.
    Label maps, boxes and keypoints are moved along and drawn. Of a scan one slice is shown.
    """
    rows, columns = _grid(grid_size)
    found = _read(source, masks, boxes, keypoints)
    pipe, named = _pipeline(pipeline, size, seed, volume="z" in (found.image.axes or ""))
    key = found.record.key if key is None else key
    before = shown(found.image, found.mask, found.boxes, found.keypoints)
    console = Console(highlight=False)
    _say(console, [*found.lines, ("pipeline", f"{named}, seed {pipe.seed}, key {key}")])
    title = f"{found.record.image.name}: {named}, seed {pipe.seed}"
    made = draws(pipe, before, key, range(1 if show_before else rows * columns))
    if show_before:
        rgb = pair_of(before, made[0], pipe, title, found.links)
    else:
        rgb = sheet_of(made, pipe, before, columns, title, found.links)
    saved(rgb, output)
    console.print(_drawn(made))
    _say(console, [("written", f"{output} ({rgb.shape[1]} × {rgb.shape[0]} pixels)")])


def _grid(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,2})[x×X](\d{1,2})", text.strip())
    if found is None or not (1 <= int(found[1]) <= 32 and 1 <= int(found[2]) <= 32):
        raise InputError(f"expected a grid as rows x columns of 1 to 32 each, got {text!r}; write --grid 2x4")
    return int(found[1]), int(found[2])


def _pipeline(name: str | None, size: int | None, seed: int | None, *, volume: bool) -> tuple[Pipeline, str]:
    """The pipeline of a file or preset, and its name."""
    name = name or ("scan" if volume else "photo")
    if name in PRESETS:
        return Pipeline(preset(name, size), seed=seed), f"preset {name}"
    if not Path(name).exists():
        raise InputError(f"expected a pipeline file or a preset of {', '.join(PRESETS)}, got {name!r}; check the name")
    if size is not None:
        raise InputError(f"expected --size together with a preset, got the file {name}; change the size in the file")
    pipe = Pipeline.load(name)
    return (pipe if seed is None else pipe.with_seed(seed)), Path(name).name


def _read(source: Path, masks: Path | None, boxes: Path | None, keypoints: Path | None) -> Input:
    """Read the first image of a source with what belongs to it."""
    opened = open_source(source, masks, allow_missing_masks=True)
    record = next(iter(opened))
    loaded = load(record)
    image = Image(loaded.picture.array, loaded.picture.axes, world=loaded.picture.world)
    lines = [("source", opened.describe())]
    if len(opened) > 1:
        lines.append(("image", f"the first of {len(opened)}: {record.key}"))
    note = loaded.picture.note
    lines.append(("read as", f"{size_of(image)}, axes {image.axes}" + (f" ({note})" if note else "")))
    mask = None if loaded.mask is None else Mask(loaded.mask.array, loaded.mask.axes)
    if mask is not None and record.mask is not None:
        lines.append(("label map", record.mask.name + (f" ({loaded.mask.note})" if loaded.mask.note else "")))
    elif masks is not None:
        lines.append(("label map", f"none for {record.key}"))
    place, people = (_entry(file, record.key, image) for file in (boxes, keypoints))
    found = Input(
        record,
        image,
        mask,
        None if place is None else place.boxes(),
        None if people is None else people.keypoints(),
        () if people is None else people.links(),
        (),
    )
    for file, what, target in ((boxes, "boxes", found.boxes), (keypoints, "keypoints", found.keypoints)):
        if file is not None:
            lines.append((what, f"{0 if target is None else len(target)} from {file.name}"))
    return Input(record, image, mask, found.boxes, found.keypoints, found.links, tuple(lines))


def _entry(file: Path | None, key: str, image: Image) -> CocoImage | None:
    """What a COCO file says about an image; a file that does not know it is a mistake."""
    if file is None:
        return None
    entry = read_coco(file).find(key)
    if entry is None:
        raise SourceError(f"{file}: expected an entry for {key!r}, got none; is it the file of these images?")
    shape = image.canonical().shape[:2]
    if entry.size != shape or "z" in (image.axes or ""):
        raise SourceError(
            f"{file}: expected {key!r} to be a picture of {' × '.join(map(str, entry.size))} pixels, as the file says, "
            f"got {size_of(image)}; is it the same picture?"
        )
    return entry


def _say(console: Console, lines: list[tuple[str, str]]) -> None:
    for name, words in lines:
        console.print(Text.assemble((f"{name:<11}", "bold"), words), soft_wrap=True)


def _drawn(made: list[Shown]) -> Table:
    """The applied transforms and their values, one row per draw."""
    table = Table("epoch", "applied, with the drawn values", box=None, padding=(0, 2, 0, 0))
    for epoch, one in enumerate(made):
        table.add_row(str(epoch), Text(caption(one.applied).replace("\u00a0", " ")))
    return table
