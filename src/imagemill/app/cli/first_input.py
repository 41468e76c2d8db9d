"""The first image of a source with all that belongs to it, for verbs that show one image."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from imagemill import (
    Boxes,
    CodecError,
    Image,
    Instance,
    Keypoints,
    Mask,
    Picture,
    Record,
    Source,
    SourceError,
)
from imagemill.app.figures.figure import size_of
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

__all__ = ["BoxesFile", "FirstOf", "Input", "KeypointsFile", "Seed", "StoredAxes", "read_first", "usual_preset"]

FirstOf = Annotated[
    Path, typer.Argument(metavar="SRC", help="An image, a scan, a .txt list, or a folder (its first image).")
]
BoxesFile = Annotated[
    Path | None, typer.Option("--boxes", metavar="FILE", help="COCO JSON with boxes; the image is found by name.")
]
KeypointsFile = Annotated[
    Path | None, typer.Option("--keypoints", metavar="FILE", help="COCO JSON with keypoints; the same.")
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Same seed, same pixels. Made and shown when left out.")
]
StoredAxes = Annotated[
    str | None, typer.Option("--axes", help="Names of the stored axes, such as cyx, where files do not say them.")
]
"""What verbs that show one image are told about it."""


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


def read_first(
    opened: Source, masks: Path | None, boxes: Path | None, keypoints: Path | None, axes: str | None
) -> Input:
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


def usual_preset(image: Image) -> str:
    """The preset for images of this kind."""
    *shape, channels = image.canonical().shape
    # The preset for photos changes saturation, which takes colours.
    return "scan" if len(shape) == 3 else "photo" if channels in (3, 4) else "segmentation"
