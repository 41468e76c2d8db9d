"""Pascal VOC: an XML file per picture with boxes, lists of splits, and label maps.

Format: Everingham et al. (2010), "The Pascal Visual Object Classes Challenge", and its development kit. Boxes count
pixels from 1 and include both ends: ``xmin`` 1 and ``xmax`` 1 is the first pixel column alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # only to write; what others wrote is read by defusedxml

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from imagemill.core.errors import CodecError, InputError, SourceError
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.layouts.folder_names import is_image_role, place_of, safe_stems, split_named
from imagemill.data.layouts.folders.split_lists import with_lists
from imagemill.data.layouts.labelmaps.labelmaps import attached, label_maps
from imagemill.data.layouts.plain_folders import nothing_there, readable, with_masks
from imagemill.data.layouts.shapes.image_lookup import marked
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_polygons, bounds_of_rle
from imagemill.data.layouts.shapes.stored_size import size_of
from imagemill.data.layouts.unwritten import lose_the_rest
from imagemill.data.records.instances import Instance, Scalar
from imagemill.data.records.record import Record, split_suffix

__all__ = ["Voc"]

_FLAGS = ("truncated", "difficult", "occluded")
_MASKS = "segmentationclass"
_NO_IMAGES = ("segmentationclass", "segmentationobject", "annotations", "imagesets")


class Voc(Layout):
    """Pictures in ``JPEGImages``, boxes in ``Annotations``, splits in ``ImageSets/Main``."""

    name = "voc"
    title = "Pascal VOC (JPEGImages/, Annotations/*.xml, ImageSets/)"
    holds = frozenset(("image", "uint16", "float", "channels", "boxes", "mask", "split"))
    place = 120
    writes = True
    recognised = "XML files of annotations with pictures named like them."
    written = (
        "`JPEGImages/`, `Annotations/`, `SegmentationClass/`, `ImageSets/Main/`. Boxes are rounded to whole "
        "pixels; crowds become difficult boxes. Pictures keep their format, whatever the folder is called."
    )

    def guess(self, look: Look) -> Guess | None:
        """Say whether there are such XML files, and pictures."""
        if not look.is_folder:
            return None
        files = [path for _, path in look.ending(".xml")]
        if not files or not readable(look):
            return None
        try:
            with files[0].open("rb") as file:
                start = file.read(4096)
        except OSError:
            return None
        own = re.search(rb"<annotation[\s>]", start) is not None  # CVAT writes <annotations>
        return Guess(0.9, f"{len(files)} XML files of annotations") if own else None

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read pictures with their boxes as edges, label maps of classes, and splits.

        A picture without an XML file has not been looked at. Body parts of annotations are left out and counted.
        """
        if not look.is_folder:
            raise SourceError(f"expected a folder for the layout 'voc', got {look.path}; give the folder of the set")
        images = [(k, p) for k, p in readable(look) if not {part.lower() for part in k.split("/")} & {*_NO_IMAGES}]
        if not images:
            raise nothing_there(look)
        masks = {_slot(k): p for k, p in readable(look) if _MASKS in k.lower().split("/")}
        xml = {_slot(key): (key, path) for key, path in look.files if key.lower().endswith(".xml")}
        splits, problems = _splits(look)
        records, parts = [], 0
        read = [path for key, path in look.ending(".txt") if "imagesets" in key.lower().split("/")[:-1]]
        if not {_slot(key) for key, _ in images} & set(xml):  # annotations/xmls/a.xml beside images/a.jpg
            xml = {slot.rpartition("/")[2]: found for slot, found in xml.items()}
        for key, path in images:
            slot = _slot(key)
            split = splits.get(slot) or splits.get(slot.rpartition("/")[2]) or _of_folder(key)
            objects, size = None, None
            if slot in xml:
                name, file = xml.pop(slot)
                read.append(file)
                try:
                    objects, size, found = _read_xml(name, file, problems)
                    parts += found
                except InputError as error:
                    problems.append(Problem(name, str(error)))
            records.append(Record(key, path, masks.get(slot), objects=objects, split=split, size=size))
        for key, _ in xml.values():
            problems.append(
                Problem(key, f"expected a picture for {key}, got none of that name; add or remove one", missing=True)
            )
        bare = sum(record.objects is None for record in records)
        notes = [f"{bare} pictures have no readable XML file: nobody annotated them"] if bare else []
        notes += [f"{parts} parts of annotations passed over"] if parts else []
        names = tuple(sorted({annotation.category for record in records for annotation in record.objects or ()}))
        missing = tuple(r.key for r in records if r.mask is None) if masks else ()
        source = Source(
            look.path, self.name, marked(records), missing, tuple(notes), categories=names, also_read=tuple(read)
        )
        source = with_masks(replace(source, problems=tuple(problems)), options)
        maps = label_maps(look, options)
        return with_lists(source if maps is None or masks else attached(source, maps, options), look)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``JPEGImages/<name>``, ``Annotations/<name>.xml``, ``SegmentationClass/<name>``, ``ImageSets/Main``.

        Boxes are rounded to whole pixels. Pictures keep their format, whatever the folder is called.
        """
        if all(record.objects is None and record.mask is None for record in source):
            raise SourceError("expected a source with boxes or label maps for VOC, got none; choose class-folders")
        with exporting(out, self.name, options) as job:
            stems = safe_stems({record.key: place_of(record.key).bare for record in source})
            lists: dict[str, list[str]] = {}
            for record in source:
                stem = stems[record.key]
                try:
                    size = size_of(record) if record.objects is not None else None
                except CodecError as error:
                    job.problem(record.key, str(error))
                    continue
                written = job.image(record, f"JPEGImages/{stem}")
                if written is None:
                    continue
                job.mask(record, f"SegmentationClass/{stem}")
                if record.split is not None:
                    lists.setdefault(record.split, []).append(stem)
                if size is not None:
                    job.text(f"Annotations/{stem}.xml", _xml(job, record, written, size))
            for split, names in lists.items():
                job.text(f"ImageSets/Main/{split}.txt", "".join(f"{name}\n" for name in names))
            _lose(job, source)
            lose_the_rest(job, source, self.holds | {"crowd", "annotation attributes"}, self.name)
        return job.written()


def _slot(key: str) -> str:
    """A file's place apart from its role."""
    *folders, name = key.split("/")
    role = next((i for i, f in enumerate(folders) if is_image_role(f) or f.lower() in _NO_IMAGES), None)
    if role is not None:
        del folders[role]
    return "/".join((*folders, split_suffix(name)[0]))


def _of_folder(key: str) -> str | None:
    return next((split for part in key.split("/")[:-1] if (split := split_named(part)) is not None), None)


def _splits(look: Look) -> tuple[dict[str, str], list[Problem]]:
    """The split of each name in ImageSets; ``trainval`` counts only where a name is in no other list."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    lists = {key: path for key, path in look.files if "imagesets" in key.lower().split("/")[:-1]}
    chosen = [key for key in lists if key.lower().endswith(".txt")]
    main = [key for key in chosen if "/main/" in key.lower()] or chosen
    for key in sorted(main, key=lambda k: (k.lower().endswith("trainval.txt"), k)):
        stem = key.rpartition("/")[2][:-4].lower()
        split = "train" if stem == "trainval" else split_named(stem)
        if split is None:  # the lists of single classes (cat_train.txt) repeat what the plain ones say
            continue
        try:
            lines = lists[key].read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(key, f"{key}: expected a list of names, got {error}; save it as UTF-8"))
            continue
        for line in lines:
            if line.strip():
                found.setdefault(line.split()[0] if line.split()[-1] in ("1", "-1", "0") else line.strip(), split)
    return found, problems


def _read_xml(
    key: str, path: Path, problems: list[Problem]
) -> tuple[tuple[Instance, ...], tuple[int, int] | None, int]:
    """Annotations, size as height and width, and how many parts were passed over."""
    try:
        root = fromstring(path.read_bytes(), forbid_dtd=True)
    except (OSError, ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise InputError(f"{key}: expected an XML file of annotations, got {error}; mend it") from error
    annotations, parts = [], 0
    for number, node in enumerate(root.iter("object"), start=1):
        parts += len(node.findall("part"))
        try:
            annotations.append(_annotation(node))
        except InputError as error:
            problems.append(Problem(f"{key} object {number}", str(error)))
    try:
        size = (int(float(root.findtext("size/height") or 0)), int(float(root.findtext("size/width") or 0)))
    except (ValueError, OverflowError):
        size = (0, 0)
    return tuple(annotations), size if min(size) > 0 else None, parts


def _annotation(node: Any) -> Instance:
    name = (node.findtext("name") or "").strip()
    if not name:
        raise InputError("expected an object with a name, got none; add it")
    box = None
    if node.find("bndbox") is not None:
        ends = [node.findtext(f"bndbox/{end}") for end in ("xmin", "ymin", "xmax", "ymax")]
        try:
            left, top, right, bottom = (float(end) for end in ends)
        except (TypeError, ValueError):
            raise InputError(f"expected xmin, ymin, xmax and ymax as numbers, got {ends}; mend that box") from None
        if not (math.isfinite(left + top + right + bottom) and right >= left - 1 and bottom >= top - 1):
            raise InputError(f"expected a box whose ends follow its starts, got {ends}; mend that box")
        box = (left - 1, top - 1, right - left + 1, bottom - top + 1)
    attributes: dict[str, Scalar] = {}
    for flag in _FLAGS:
        text = (node.findtext(flag) or "").strip()
        if text:
            attributes[flag] = int(text) if text in ("0", "1") else text
    pose = (node.findtext("pose") or "").strip()
    return Instance(name, box, attributes={**attributes, "pose": pose} if pose else attributes)


def _xml(job: Export, record: Record, written: str, size: tuple[int, int]) -> str:
    root = ElementTree.Element("annotation")
    _add(root, {"folder": "JPEGImages", "filename": written.removeprefix("JPEGImages/")})
    _add(ElementTree.SubElement(root, "size"), {"width": size[1], "height": size[0], "depth": 3})
    _add(root, {"segmented": int(record.mask is not None)})
    for annotation in record.objects or ():
        box = (
            annotation.box
            or bounds_of_polygons(annotation.polygons)
            or (bounds_of_rle(annotation.rle) if annotation.rle else None)
        )
        if box is None:
            job.lose("annotations without box, polygon or mask", "left out: VOC has no place for them")
            continue
        node = ElementTree.SubElement(root, "object")
        kept = {name: annotation.attributes[name] for name in ("pose", *_FLAGS) if name in annotation.attributes}
        _add(node, {"name": annotation.category, **kept, **({"difficult": 1} if annotation.crowd else {})})
        ends = _pixels(box)
        back = (ends["xmin"] - 1, ends["ymin"] - 1, ends["xmax"] - ends["xmin"] + 1, ends["ymax"] - ends["ymin"] + 1)
        job.lose("boxes", "rounded to whole pixels", int(any(a != b for a, b in zip(back, box, strict=True))))
        _add(ElementTree.SubElement(node, "bndbox"), ends)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _pixels(box: tuple[float, float, float, float]) -> dict[str, int]:
    """A box's ends, counted from 1 and included; at least one pixel."""
    x, y, w, h = box
    left, top = math.floor(x + 0.5) + 1, math.floor(y + 0.5) + 1
    right, bottom = math.floor(x + w + 0.5), math.floor(y + h + 0.5)
    return {"xmin": left, "ymin": top, "xmax": max(left, right), "ymax": max(top, bottom)}


def _add(node: ElementTree.Element, texts: Mapping[str, Any]) -> None:
    for name, value in texts.items():
        ElementTree.SubElement(node, name).text = str(value)


def _lose(job: Export, source: Source) -> None:
    annotations = [annotation for record in source for annotation in record.objects or ()]
    job.lose(
        "crowds",
        "written as difficult boxes: VOC has no mark for them",
        sum(annotation.crowd for annotation in annotations),
    )
    seen = {annotation.category for annotation in annotations}
    job.lose("categories without an annotation", "VOC names only what it shows", len(set(source.categories) - seen))
    others = sorted({name for annotation in annotations for name in annotation.attributes} - {"pose", *_FLAGS})
    if others:
        count = sum(any(name in others for name in annotation.attributes) for annotation in annotations)
        job.lose(f"annotations with attributes ({', '.join(others[:5])})", "VOC has no place for them", count)


LAYOUTS: tuple[Layout, ...] = (Voc(),)
