"""YOLO: a text file per picture, with boxes or polygons relative to its size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.layouts.folder_names import place_of, safe_stems
from imagemill.data.layouts.plain_folders import nothing_there, with_masks
from imagemill.data.layouts.shapes.clip_shapes import cut_box, cut_polygon, share
from imagemill.data.layouts.shapes.image_lookup import marked
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_polygons, bounds_of_rle, joined
from imagemill.data.layouts.shapes.source_orientation import read_frame
from imagemill.data.layouts.shapes.stored_size import seen_of, size_of
from imagemill.data.layouts.unwritten import lose_the_rest
from imagemill.data.layouts.yolo.yolo_folder import (
    Found,
    class_names,
    label_folder,
    opened,
    splits_of,
    told_by,
)
from imagemill.data.layouts.yolo.yolo_read import Reading, flip_of
from imagemill.data.layouts.yolo.yolo_text import line_of, looks_like_yolo
from imagemill.data.records.as_targets import keypoint_names_of
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Record

__all__ = ["Yolo", "yolo_polygons", "yolo_pose"]

_HOLDS = frozenset(("image", "uint16", "float", "channels", "boxes", "split"))


@dataclass(frozen=True, slots=True)
class Yolo(Layout):
    """Pictures in ``images``, a text file for each in ``labels``; `form` says what is written."""

    name: str = "yolo"
    title: str = "YOLO boxes (images/, labels/*.txt, data.yaml)"
    holds: frozenset[str] = _HOLDS
    form: Literal["boxes", "polygons", "points"] = "boxes"
    place: int = 90
    writes: bool = True
    recognised: str = (
        "Text files named like the pictures, with lines of a class number and 4 numbers from 0 to 1, in `labels`, "
        "another folder (`--option labels=NAME`) or beside them, with a `data.yaml`, Darknet's `obj.data`, or a list "
        "of class names. Reads polygons, turned boxes (as polygons of 4 points) and keypoints as well (`kpt_shape`, or "
        "`--option kpt_shape=17,3`). An empty text file is a background; a picture without one is not annotated "
        "(`--option missing=background` takes it for empty)."
    )
    written: str = "`images/`, `labels/` and `data.yaml`. Crowds are left out, since there is no mark for them."

    def guess(self, look: Look) -> Guess | None:
        """Say whether text files named like the pictures hold such lines."""
        if self.form != "boxes":  # read alike; one guess is enough
            return None
        if not look.is_folder:
            told = told_by(look.path).values if look.path.suffix.lower() in (".yaml", ".yml", ".data") else {}
            known = {"names", "nc", "names file"} & set(told)
            return Guess(0.9, f"a {look.path.name} with class names and splits") if known else None
        if not look.ending(".txt"):
            return None
        found = Found.of(look)
        folders = found.folders()
        if not folders:
            return None
        folder = "labels" if "labels" in folders else folders.most_common(1)[0][0]
        texts = [path for path in found.matched(folder).values() if path is not None]
        said = {looks_like_yolo(path) for path in texts[:8]}
        if False in said or said == {None}:
            return None
        return Guess(
            0.85, f"{len(texts)} text files in {folder or 'the same folder'} hold boxes or polygons of pictures"
        )

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read boxes, polygons and keypoints, in pixels.

        ``extra={"labels": NAME}`` chooses the folder of text files, ``extra={"names": PATH}`` the class names,
        ``extra={"kpt_shape": "17,3"}`` how many keypoints there are. An empty text file is a background: somebody
        looked and found nothing. A picture without one has not been looked at; ``extra={"missing": "background"}``
        says that it has. Coordinates belong to the picture as EXIF turns it, as YOLO's
        trainers read it; ``frame="stored"`` takes the picture as it is stored.
        """
        look, told = opened(look, options)
        found = Found.of(look)
        if not found.images:
            raise nothing_there(look)
        folder = label_folder(found, options)
        names, notes, also = class_names(look, options, folder, told)
        splits, split_notes, lists = splits_of(look, found.images, told)
        reading = Reading(names, told, options.extra)
        frame, turned = read_frame(options) or "shown", 0
        texts = found.matched(folder)
        reading.find_points(path for path in texts.values() if path is not None)
        records: list[Record] = []
        for key, path in found.images:
            try:
                seen = seen_of(path)
            except CodecError as error:
                reading.problems.append(Problem(key, str(error)))
                continue
            size, meant = seen.size(frame), frame if seen.orientation != 1 else None
            objects = reading.objects(texts[key], size)
            turned += bool(objects) and meant is not None
            records.append(Record(key, path, objects=objects, split=splits.get(key), size=size, frame=meant))
        problems = [Problem(told.path.name, told.fault)] if told.path is not None and told.fault else []
        problems += reading.problems
        if not records:
            raise SourceError(f"expected pictures that can be read below {look.path}, got none; {problems[0]}")
        for key in found.unused(folder):
            problems.append(
                Problem(key, f"expected a picture for {key}, got none of that name; add or remove one", missing=True)
            )
        also += [told.path] if told.path is not None else []
        also += [*lists, *(text for text in texts.values() if text is not None)]
        if turned:
            how = "seen, as YOLO's trainers do; frame='stored' (--option frame=stored) says otherwise"
            how = how if frame == "shown" else "stored, as was asked"
            notes.append(
                f"{turned} annotated pictures are turned by EXIF: annotations are taken for them as they are {how}"
            )
        facts = reading.facts(records)
        source = Source(
            *(look.path, "yolo", marked(records)),
            notes=(*notes, *split_notes, *reading.notes()),
            problems=tuple(problems),
            also_read=tuple(dict.fromkeys(also)),
            **facts,
        )
        return with_masks(source, options)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``images/[<split>/]<name>``, ``labels/[<split>/]<name>.txt`` and ``data.yaml``.

        Classes are numbered from 0 in the order of the source's categories. Polygons in parts become one, joined by
        seams without area.
        """
        if all(record.objects is None for record in source):
            raise SourceError(
                f"expected a source with boxes for the layout {self.name!r}, got none; choose class-folders"
            )
        wanted = {r.key: f"images/{f'{r.split}/' if r.split else ''}{place_of(r.key).bare}" for r in source}
        names = list(dict.fromkeys(source.categories))
        names += sorted({o.category for r in source for o in r.objects or ()} - set(names))
        keypoints = _keypoints(source, names) if self.form == "points" else []
        with exporting(out, self.name, options) as job:
            stems = safe_stems(wanted)
            for record in source:
                try:
                    size = size_of(record) if record.objects else (1, 1)
                except CodecError as error:
                    job.problem(record.key, str(error))
                    continue
                if job.image(record, stems[record.key]) is None:
                    continue
                if record.objects is None:
                    job.lose("pictures nobody annotated", "have no text file, and trainers take them for backgrounds")
                    continue
                count = len(keypoints[0]) if keypoints else 0
                told = [
                    self._line(job, annotation, names.index(annotation.category), size, count)
                    for annotation in record.objects
                ]
                lines = [f"{line}\n" for line in told if line is not None]
                if told and not lines:
                    job.lose("pictures of which everything was left out", "have no text file: they are not empty")
                    continue
                job.text(stems[record.key].replace("images/", "labels/", 1) + ".txt", "".join(lines))
            job.text("data.yaml", _data_yaml(source, names, keypoints))
            lose_the_rest(job, source, self.holds | {"crowd"}, self.name)
        return job.written()

    def _line(self, job: Export, annotation: Instance, number: int, size: tuple[int, int], points: int) -> str | None:
        """One annotation as a line; None where it cannot be one."""
        height, width = size
        if annotation.crowd:
            # As an ordinary box it would teach that a crowd is one object.
            job.lose("crowds", "left out: YOLO has no mark for them")
            return None
        around = bounds_of_polygons(annotation.polygons)
        if self.form == "polygons" and around is not None:
            if len(annotation.polygons) > 1:
                job.lose("polygons in parts", "joined into one by seams without area")
            if annotation.box is not None and any(
                abs(a - b) > 0.01 for a, b in zip(annotation.box, around, strict=True)
            ):
                job.lose("boxes that differ from their polygon", "a polygon's box is the one around it")
            parts = [part for whole in annotation.polygons for part in cut_polygon(job, whole, size)]
            if not parts:
                return None
            return line_of(number, [share(value, size[not place % 2]) for place, value in enumerate(joined(parts))])
        box = annotation.box or around or (bounds_of_rle(annotation.rle) if annotation.rle is not None else None)
        if box is None and points and annotation.keypoints:
            box = bounds_of_polygons([[v for keypoint in annotation.keypoints if keypoint[2] for v in keypoint[:2]]])
            job.lose("boxes of annotations with keypoints alone", "made: the one around their keypoints")
        if box is None or min(box[2:]) <= 0:
            job.lose("annotations without box, polygon or mask", "left out: YOLO has no place for them")
            return None
        cut = cut_box(job, box, size)
        if cut is None:
            return None
        x, y, w, h = cut
        values = [share(x + w / 2, width), share(y + h / 2, height), share(w, width), share(h, height)]
        for place in range(points):
            jx, jy, seen = annotation.keypoints[place] if place < len(annotation.keypoints) else (0.0, 0.0, 0)
            if seen and not (-0.5 <= jx <= width - 0.5 and -0.5 <= jy <= height - 0.5):
                job.lose("keypoints outside their picture", "written as not labelled: trainers refuse places over 1")
                seen = 0
            values += [share(jx, width), share(jy, height), seen] if seen else [0, 0, 0]
        return line_of(number, values)


def yolo_polygons() -> Yolo:
    """The layout that writes polygons; it reads the same files."""
    title = "YOLO polygons (images/, labels/*.txt, data.yaml)"
    return Yolo(
        *("yolo-polygons", title, _HOLDS | {"polygons"}, "polygons", 100),
        recognised="Read as `yolo`.",
        written="As `yolo`, with polygons; those in several parts become one, joined by seams without area.",
    )


def yolo_pose() -> Yolo:
    """The layout that writes keypoints behind boxes; it reads the same files."""
    title = "YOLO boxes with keypoints (images/, labels/*.txt, data.yaml)"
    return Yolo(
        *("yolo-pose", title, _HOLDS | {"keypoints"}, "points", 110),
        recognised="Read as `yolo`. Keypoints have the names that `kpt_names` gives, and those that `flip_idx` "
        "exchanges in a mirror are called left and right.",
        written="As `yolo`, with keypoints behind the boxes; `kpt_shape`, `flip_idx` and `kpt_names` in `data.yaml`.",
    )


def _keypoints(source: Source, names: list[str]) -> list[list[str]]:
    """Names of the keypoints of each class, as many for all; empty where nothing has keypoints."""
    seen: dict[str, int] = {}
    for annotation in (o for r in source for o in r.objects or ()):
        seen[annotation.category] = max(seen.get(annotation.category, 0), len(annotation.keypoints))
    count = max(seen.values(), default=0)
    known = keypoint_names_of(names, source.keypoint_names, source.info)
    # Classes without keypoints of their own have as many places, under the same names.
    fits = [known[name] if len(known[name]) == (seen.get(name, 0) or count) else [] for name in names]
    return [[*own, *(str(place) for place in range(len(own), count))] for own in fits] if count else []


def _data_yaml(source: Source, names: list[str], keypoints: list[list[str]]) -> str:
    import yaml

    splits = sorted({record.split for record in source if record.split is not None})
    told: dict[str, Any] = {"path": ".", **{split: f"images/{split}" for split in splits}}
    if not splits:
        told |= {"train": "images", "val": "images"}
    if keypoints:
        told |= {"kpt_shape": [len(keypoints[0]), 3], "flip_idx": flip_of(max(keypoints, key=lambda own: flip_of(own)))}
        told |= {"kpt_names": dict(enumerate(keypoints))}
    return yaml.safe_dump({**told, "names": dict(enumerate(names))}, sort_keys=False, allow_unicode=True)


LAYOUTS: tuple[Layout, ...] = (Yolo(), yolo_polygons(), yolo_pose())
