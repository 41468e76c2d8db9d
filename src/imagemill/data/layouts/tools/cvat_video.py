"""The tracks of CVAT's XML files for videos, as the annotations of frames that lie in a folder as pictures."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data.layouts.coco.coco_annotation import whole
from imagemill.data.layouts.tools.cvat_shapes import SHAPES, read_shape
from imagemill.data.layouts.tools.tool_source import Gathering, Said
from imagemill.data.records.instances import Instance

__all__ = ["read_tracks"]


def read_tracks(root: Any, path: Path, taking: Gathering, keypoints: Mapping[str, Sequence[str]]) -> Iterator[Said]:
    """What the tracks of a file say of each frame that is there as a picture.

    CVAT writes every frame of a track. Between two frames that are further apart, boxes are set by straight lines, as
    CVAT sets them, and other shapes are passed over.
    """
    tracks = root.findall("track")
    if not tracks:
        return
    tasks = {track.get("task_id") for track in tracks} - {None}
    if len(tasks) > 1:
        taking.problem(path.name, f"expected tracks of one video, got {len(tasks)} tasks; export each task by itself")
        return
    frames = _frames(taking, path)
    if not frames:
        taking.problem(path.name, "expected the frames of a video as pictures such as frame_000000.png, got none")
        return
    size = _size(root)
    name = (root.findtext("meta/task/name") or root.findtext("meta/project/name") or path.stem).strip()
    said = {n: Said(f"{path.name}: frame {n}", key, size, group=name) for n, key in frames.items()}
    gone: dict[int, None] = {}
    for number, track in enumerate(tracks):
        for frame, annotation in _track(
            track, f"{path.name}: track {track.get('id', number)}", size, taking, keypoints
        ):
            if frame not in said:
                gone[frame] = None
            elif annotation is None:
                said[frame].lost += 1
            else:
                objects = said[frame].objects
                assert objects is not None
                objects.append(annotation)
    if gone:
        taking.problem(
            path.name,
            f"expected a picture for each annotated frame, got none for {len(gone)} (first {min(gone)}); "
            "take all frames out of the video",
        )
    yield from said.values()


def _frames(taking: Gathering, path: Path) -> dict[int, str]:
    """Keys of pictures by the number of their frame: the last number in their name."""
    found: dict[int, str] = {}
    twice = False
    for key in taking.pictures.paths:
        numbers = re.findall(r"\d+", key.rpartition("/")[2].rpartition(".")[0])
        if numbers and len(numbers[-1]) < 12:
            twice |= int(numbers[-1]) in found
            found.setdefault(int(numbers[-1]), key)
    if twice:
        taking.problem(path.name, "expected the frames of one video, got pictures with the same number; give one video")
        return {}
    return found


def _size(root: Any) -> tuple[int, int] | None:
    sides = [whole((root.findtext(f".//original_size/{side}") or "").strip()) for side in ("height", "width")]
    return (sides[0] or 0, sides[1] or 0) if all(side and side > 0 for side in sides) else None


def _track(
    track: Any, where: str, size: tuple[int, int] | None, taking: Gathering, keypoints: Mapping[str, Sequence[str]]
) -> Iterator[tuple[int, Instance | None]]:
    """Frames of a track with its annotation; None where that could not be taken in."""
    shapes: dict[int, Any] = defaultdict(lambda: None)
    for shape in track:
        frame = whole(shape.get("frame"))
        if shape.tag in SHAPES and frame is not None and frame >= 0:
            shapes[frame] = shape
    before: tuple[int, Instance | None] = (-1, None)
    for frame in sorted(shapes):
        annotation = None
        if shapes[frame].get("outside") != "1":
            shapes[frame].set("label", track.get("label") or "")
            try:
                annotation = read_shape(shapes[frame], size, keypoints)
            except InputError as error:
                taking.problem(f"{where} frame {frame}", str(error))
            else:
                if annotation is None:
                    taking.left[f"{shapes[frame].tag} shapes passed over: lines enclose nothing"] += 1
            annotation = None if annotation is None else _numbered(annotation, track)
            yield from _between(before, (frame, annotation), taking)
            yield frame, annotation
        elif before[1] is not None:
            # An annotation that goes out of sight stays as it was until then.
            yield from _between(before, (frame, before[1]), taking)
        before = (frame, annotation)


def _numbered(annotation: Instance, track: Any) -> Instance:
    number = whole(track.get("id"))
    return (
        annotation if number is None else replace(annotation, attributes={**annotation.attributes, "track_id": number})
    )


def _between(
    first: tuple[int, Instance | None], last: tuple[int, Instance | None], taking: Gathering
) -> Iterator[tuple[int, Instance | None]]:
    start, end, a, b = first[0], last[0], first[1], last[1]
    if a is None or b is None or end - start < 2 or end - start > 1_000_000:
        return
    boxes = a.box is not None and b.box is not None and not (a.polygons or a.rle or a.keypoints)
    for frame in range(start + 1, end):
        if a is b:
            yield frame, a
        elif boxes and a.box is not None and b.box is not None:
            share = (frame - start) / (end - start)
            left, top, width, height = (p + share * (q - p) for p, q in zip(a.box, b.box, strict=True))
            taking.left["boxes between two keyframes, set by straight lines"] += 1
            yield frame, replace(a, box=(left, top, width, height))
        else:
            taking.left["shapes between two keyframes passed over: only boxes are set there"] += 1
            yield frame, None
