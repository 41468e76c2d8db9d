"""CVAT: one XML file of annotations for images or for a video, and the pictures beside it.

Format: "XML annotation format" of CVAT's documentation (https://docs.cvat.ai), version 1.1. Coordinates count from the
picture's outer corner.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError  # only the error; what others wrote is read by defusedxml

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.coco.coco_annotation import whole
from imagemill.data.layouts.folder_names import split_named
from imagemill.data.layouts.guess.annotation_files import is_cvat
from imagemill.data.layouts.tools.cvat_shapes import SHAPES, attributes_of, read_shape
from imagemill.data.layouts.tools.cvat_video import read_tracks
from imagemill.data.layouts.tools.tool_source import TOOLS_HOLD, Gathering, Said, read_only
from imagemill.data.records.instances import Instance

__all__ = ["Cvat"]


class Cvat(Layout):
    """CVAT's XML files, for images and for videos."""

    name = "cvat"
    title = "CVAT XML with its images (read only)"
    holds = TOOLS_HOLD
    place = 140
    recognised = (
        "XML files that begin with `<annotations>`, for images or for a video whose frames lie there as pictures "
        "(`frame_000000.png`). What is turned becomes a polygon, a cuboid the box around it, tags are classes of "
        "the picture, a video is a group. Polylines are passed over and counted."
    )

    def guess(self, look: Look) -> Guess | None:
        """Say whether there is an XML file of CVAT."""
        found = _files(look)
        if not found:
            return None
        names = ", ".join(path.name for path in found[:3]) + (", ..." if len(found) > 3 else "")
        return Guess(0.97, f"{names}: XML with annotations, as CVAT has it")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read shapes as annotations, tags as classes of pictures, and tracks as the annotations of their frames.

        Polylines are passed over and counted: they enclose nothing. ``extra={"images": FOLDER}`` says where the
        pictures are.
        """
        taking = Gathering(self.name, look, options)
        labels = _Labels()
        for path in _files(look) or [look.path]:
            try:
                root = fromstring(path.read_bytes(), forbid_dtd=True)
            except (OSError, ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
                raise SourceError(f"{path}: expected an XML file of CVAT, got {error}; export it again") from error
            if root.tag != "annotations":
                raise SourceError(f"{path}: expected annotations of CVAT, got <{root.tag}>; give CVAT's XML file")
            taking.also_read.append(path)
            labels.add(root)
            for number, node in enumerate(root.iter("image")):
                said = _image(node, f"{path.name}: image {node.get('name', number)}", taking, labels)
                if said is not None:
                    taking.add(said, taking.key_of(path))
            for said in read_tracks(root, path, taking, labels.keypoints):
                taking.add(said, taking.key_of(path))
        return taking.source(labels.categories, labels.keypoints, labels.links)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Refuse: it is only read."""
        read_only(self.name)


def _files(look: Look) -> list[Path]:
    paths = [path for key, path in look.ending(".xml") if key.count("/") <= 3]
    return [path for path in paths[:64] if is_cvat(path)]


class _Labels:
    """What the head of the files says of labels: their order, and the points of skeletons."""

    def __init__(self) -> None:
        self.categories: list[str] = []
        self.keypoints: dict[str, list[str]] = {}
        self.links: list[tuple[int, int]] = []

    def add(self, root: Any) -> None:
        """Take in the head of a file."""
        below: dict[str, list[str]] = defaultdict(list)
        for label in root.iter("label"):
            name, parent = (label.findtext("name") or "").strip(), (label.findtext("parent") or "").strip()
            if not name:
                continue
            if parent:
                below[parent].append(name)
            elif label.findtext("type") != "tag" and name not in self.categories:
                self.categories.append(name)
            svg = label.findtext("svg") or ""
            ends = re.findall(r'data-node-from="(\d+)"[^>]*data-node-to="(\d+)"', svg)[:1000]
            if ends and not self.links:
                self.links = [(int(a) - 1, int(b) - 1) for a, b in ends]
        for parent, names in below.items():
            self.keypoints.setdefault(parent, list(dict.fromkeys(names)))
        if self.keypoints:
            count = len(next(iter(self.keypoints.values())))
            self.links = [link for link in self.links if min(link) >= 0 and max(link) < count]
        # Files cut out of larger ones have no head: points are named as they come.
        for skeleton in root.iter("skeleton"):
            known = self.keypoints.setdefault(skeleton.get("label", ""), [])
            if skeleton.get("label", "") not in below:
                known += [n for p in skeleton.findall("points") if (n := p.get("label", "")) and n not in known]


def _image(node: Any, where: str, taking: Gathering, labels: _Labels) -> Said | None:
    name = node.get("name")
    if not name:
        taking.problem(where, "expected an image with a name, got none; add it")
        return None
    sides = [whole(node.get(side)) for side in ("height", "width")]
    size = (sides[0] or 0, sides[1] or 0) if all(side and side > 0 for side in sides) else None
    subset = (node.get("subset") or "").strip()
    # Exports have a folder for each subset, and pictures of two subsets may have one name.
    within = f"{subset}/{name}" if subset else name
    said = Said(where, within, size, split=split_named(subset) if subset else None)
    tags = [tag for tag in node.findall("tag") if tag.get("label")]
    said.classes = tuple(dict.fromkeys(tag.get("label") for tag in tags))
    for tag in tags:
        said.attributes |= attributes_of(tag, plain=True)
    said.objects = list(_annotations(node, said, taking, labels))
    if tags and not said.objects and not said.lost:
        said.objects = None  # it was sorted, not drawn upon
    if subset and subset.casefold() not in ("default", "train", "val", "validation", "test"):
        said.attributes["subset"] = subset
    return said


def _annotations(node: Any, said: Said, taking: Gathering, labels: _Labels) -> Iterable[Instance]:
    for number, shape in enumerate(node):
        if shape.tag == "tag" or shape.tag not in SHAPES:
            continue
        try:
            annotation = read_shape(shape, said.size, labels.keypoints)
        except InputError as error:
            said.lost += 1
            taking.problem(f"{said.where} shape {number}", str(error))
            continue
        if annotation is None:
            said.lost += 1
            taking.left[f"{shape.tag} shapes passed over: lines enclose nothing"] += 1
            continue
        taking.left["cuboids read as the boxes around them"] += shape.tag == "cuboid"
        yield annotation


LAYOUTS: tuple[Layout, ...] = (Cvat(),)
