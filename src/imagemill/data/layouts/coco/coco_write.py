"""Writing COCO."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError
from imagemill.data.layouts.base import Source, WriteTarget, Written
from imagemill.data.layouts.export_files import exporting
from imagemill.data.layouts.folder_names import place_of, safe_stems
from imagemill.data.layouts.shapes.image_lookup import ANNOTATED
from imagemill.data.layouts.shapes.polygon_bounds import area_of, bounds_of_polygons, bounds_of_rle
from imagemill.data.layouts.shapes.stored_size import size_of
from imagemill.data.layouts.unwritten import lose_the_rest
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Record

__all__ = ["category_numbers", "write_coco"]


def write_coco(source: Source, out: Path, options: WriteTarget, name: str, holds: Collection[str]) -> Written:
    """Write ``annotations/instances[_<split>].json`` and ``images/[<split>/]<name>``.

    Numbers of categories, images and annotations are kept where the source has them. What COCO wants and a source may
    lack is made: ``area``, ``bbox`` from the polygon or mask, ``num_keypoints``. Label, labels (joined by ``|``) and
    group become further fields of an image.

    Raises
    ------
    SourceError
        When `out` holds something else.
    """
    wanted = {r.key: f"images/{f'{r.split}/' if r.split else ''}{place_of(r.key).bare}" for r in source}
    with exporting(out, name, options) as job:
        stems = safe_stems(wanted, apart=options.format is not None)
        categories = category_numbers(source)
        image_ids = _numbers(source.records, [record.attributes.get("id") for record in source])
        annotations = [annotation for record in source for annotation in record.objects or ()]
        annotation_ids = iter(_numbers(annotations, [annotation.attributes.get("id") for annotation in annotations]))
        files: dict[str | None, dict[str, list[Any]]] = {}
        for record, image_id in zip(source, image_ids, strict=True):
            of_record = [next(annotation_ids) for _ in record.objects or ()]
            try:
                size = size_of(record)
            except CodecError as error:
                job.problem(record.key, str(error))
                continue
            written = job.image(record, stems[record.key])
            if written is None:
                continue
            first = f"images/{record.split}/" if record.split else "images/"
            part = files.setdefault(record.split, {"images": [], "annotations": []})
            part["images"].append(_image(record, image_id, written.removeprefix(first), size))
            for annotation, annotation_id in zip(record.objects or (), of_record, strict=True):
                entry = _annotation(annotation, annotation_id, image_id, categories[annotation.category])
                if not annotation.keypoints and annotation.category in _with_keypoints(source):
                    entry |= {
                        "keypoints": [0] * 3 * len(_with_keypoints(source)[annotation.category][0]),
                        "num_keypoints": 0,
                    }
                part["annotations"].append(entry)
            if record.objects is None:
                job.lose("pictures nobody annotated", "COCO has no mark for them: other tools take them for empty")
        for split, part in files.items():
            text = json.dumps({**_head(source), **part, "categories": _categories(source, categories)}, indent=None)
            job.text(f"annotations/instances{f'_{split}' if split else ''}.json", text)
        lose_the_rest(job, source, holds, name)
    return job.written()


def category_numbers(source: Source) -> dict[str, int]:
    """A number for each category: the source's own where it has one, else free ones from 1.

    Examples
    --------
    >>> category_numbers(Source(Path(), "coco", (), categories=("a", "b"), info={"category_ids": {"b": 1}}))
    {'a': 2, 'b': 1}
    """
    known = source.info.get("category_ids")
    known = known if isinstance(known, Mapping) else {}
    names = dict.fromkeys(source.categories)
    names |= dict.fromkeys(sorted({o.category for r in source for o in r.objects or ()} - set(names)))
    numbers: dict[str, int] = {}
    taken = {number for name, number in known.items() if name in names and type(number) is int}
    free = 1
    for name in names:
        number = known.get(name)
        if type(number) is not int or number in numbers.values():
            while free in taken:
                free += 1
            number = free
        taken.add(number)
        numbers[name] = number
    return numbers


def _numbers(annotations: Sequence[object], known: Sequence[object]) -> list[int]:
    """The numbers that annotations have, where all are whole and differ; else 1, 2, 3..."""
    if len(set(map(str, known))) == len(annotations) and all(type(number) is int for number in known):
        return [int(str(number)) for number in known]
    return list(range(1, len(annotations) + 1))


def _head(source: Source) -> dict[str, Any]:
    return {name: source.info[name] for name in ("info", "licenses") if name in source.info}


def _with_keypoints(source: Source) -> dict[str, tuple[tuple[str, ...], tuple[tuple[int, int], ...]]]:
    """Keypoint names and skeleton of each category that has some."""
    told = source.info.get("keypoints")
    if isinstance(told, Mapping):
        return {
            str(name): (tuple(one["names"]), tuple((int(a), int(b)) for a, b in one["links"]))
            for name, one in told.items()
        }
    named = {o.category for r in source for o in r.objects or () if o.keypoints}
    return dict.fromkeys(sorted(named), (source.keypoint_names, source.links)) if source.keypoint_names else {}


def _categories(source: Source, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    extra = source.info.get("categories")
    jointed = _with_keypoints(source)
    listed = []
    for name, number in sorted(numbers.items(), key=lambda pair: pair[1]):
        entry: dict[str, Any] = {"id": number, "name": name}
        if isinstance(extra, Mapping):
            entry |= extra.get(name, {})
        if name in jointed:
            names, links = jointed[name]
            entry |= {"keypoints": list(names), "skeleton": [[a + 1, b + 1] for a, b in links]}
        listed.append(entry)
    return listed


def _image(record: Record, number: int, file_name: str, size: tuple[int, int]) -> dict[str, Any]:
    entry: dict[str, Any] = {**record.attributes, "id": number, "file_name": file_name}
    entry |= {"height": size[0], "width": size[1]}
    if record.objects is None:
        entry[ANNOTATED] = False
    for name, value in (("label", record.label), ("group", record.group)):
        if value is not None:
            entry[name] = value
    if record.labels is not None:
        entry["labels"] = "|".join(record.labels)
    return entry


def _annotation(annotation: Instance, number: int, image: int, category: int) -> dict[str, Any]:
    entry: dict[str, Any] = {**annotation.attributes, "id": number, "image_id": image, "category_id": category}
    box = (
        annotation.box
        or bounds_of_polygons(annotation.polygons)
        or (bounds_of_rle(annotation.rle) if annotation.rle else None)
    )
    if box is not None:
        entry["bbox"] = _tidy(box)
    if annotation.rle is not None:
        entry["segmentation"] = {
            "size": [annotation.rle.height, annotation.rle.width],
            "counts": list(annotation.rle.counts),
        }
    elif annotation.polygons:
        entry["segmentation"] = [_tidy(part) for part in annotation.polygons]
    if "area" not in annotation.attributes:
        entry["area"] = area_of(replace(annotation, box=box))
    entry["iscrowd"] = int(annotation.crowd)
    if annotation.keypoints:
        entry["keypoints"] = _tidy(value for keypoint in annotation.keypoints for value in keypoint)
        entry["num_keypoints"] = sum(keypoint[2] > 0 for keypoint in annotation.keypoints)
    return entry


def _tidy(values: Iterable[float]) -> list[float]:
    """Whole numbers without a point, as annotation tools write them."""
    return [int(value) if float(value).is_integer() else float(value) for value in values]
