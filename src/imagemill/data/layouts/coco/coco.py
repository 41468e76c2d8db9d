"""COCO: one JSON file per split, and the pictures in a folder beside it.

Format: Lin et al. (2014), "Microsoft COCO: Common Objects in Context", and the data format page of the set. How the
numbers are meant is said in `imagemill.data.layouts.coco.coco_json`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.coco.coco_images import Taking, common_folder, folder_of, split_of, words_of
from imagemill.data.layouts.coco.coco_json import CocoFile, read_coco
from imagemill.data.layouts.coco.coco_write import write_coco
from imagemill.data.layouts.folder_names import split_named
from imagemill.data.layouts.guess.annotation_files import coco_content
from imagemill.data.layouts.plain_folders import with_masks
from imagemill.data.layouts.shapes.image_lookup import marked
from imagemill.data.records.instances import Scalar

__all__ = ["Coco"]


class Coco(Layout):
    """COCO JSON with boxes, polygons, run-length masks and keypoints."""

    name = "coco"
    title = "COCO JSON with its images"
    holds = frozenset(
        (
            *("image", "uint16", "float", "channels", "label", "hierarchy", "labels", "boxes", "polygons", "rle"),
            *("keypoints", "split", "group", "attributes"),
        )
    )
    place = 80
    writes = True
    recognised = (
        "A JSON file with `images`, `annotations` and `categories`, alone or in a folder. `--option "
        "annotations=NAME` chooses among several, `--option images=FOLDER` says where the pictures are. Pictures "
        "are also found by the end of their path, as it was on another machine. The root category that Roboflow "
        "writes is no class; annotations without a place are classes of pictures; captions are a column; panoptic "
        "segments are not read. A picture of which nothing that was annotated could be taken in counts as not "
        "annotated."
    )
    written = (
        "`annotations/instances[_<split>].json` and `images/`. Label, labels and group become fields of an image; "
        "numbers of images come back as a column `id`. An image that nobody annotated reads back so (`annotated`); "
        "other tools take it for an empty one."
    )

    def guess(self, look: Look) -> Guess | None:
        """Say whether there is a COCO JSON file."""
        found = _candidates(look)
        if not found:
            return None
        names = ", ".join(path.name for path in list(found)[:3]) + (", ..." if len(found) > 3 else "")
        if "annotations" not in found.values():
            return Guess(0.9, f"{names}: JSON with {' and '.join(sorted(set(found.values())))}, as COCO has it")
        return Guess(0.97, f"{names}: JSON with images, annotations and categories, as COCO has it")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the records of one file, or of one per split.

        ``extra={"annotations": NAME}`` chooses among files of several kinds, ``extra={"images": FOLDER}`` says where
        the pictures are. A picture of which nothing that was annotated could be taken in has not been looked at.
        """
        chosen, notes = _chosen(look, options)
        files = [read_coco(path) for path in chosen]
        folders = [folder_of(file, look, options.extra.get("images")) for file in files]
        root = look.path if look.is_folder else common_folder(look.path.parent, folders)
        taking = Taking(root, look, options)
        for file, folder in zip(files, folders, strict=True):
            taking.take(file, folder)
        notes += [*dict.fromkeys(note for file in files for note in file.notes), *taking.finish()]
        problems = [*(problem for file in files for problem in file.problems), *taking.problems]
        if not taking.records:
            looked = ", ".join(str(folder) for folder in dict.fromkeys(folders))
            names = ", ".join(path.name for path in chosen)
            raise SourceError(
                f"expected the pictures of {names} in {looked}, got none of {sum(len(f.images) for f in files)}; "
                "pass extra={'images': FOLDER} (--option images=FOLDER)"
            )
        extra_problems, facts = _facts(files)
        ordered = marked([taking.records[key] for key in sorted(taking.records)])
        read: dict[str, Any] = {"notes": tuple(notes), "problems": (*problems, *extra_problems)}
        return with_masks(Source(root, self.name, ordered, **read, **facts, also_read=tuple(chosen)), options)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``annotations/instances[_<split>].json`` and ``images/[<split>/]<name>``."""
        return write_coco(source, out, options, self.name, self.holds | {"crowd", "annotation attributes", "info"})


def _candidates(look: Look) -> dict[Path, str]:
    """The COCO files of a folder, or the file itself, and what each holds."""
    paths = [path for key, path in look.ending(".json") if key.count("/") <= 2]
    return {path: content for path in paths[:64] if (content := coco_content(path))}


def _kind(path: Path) -> str:
    """What a file's name says besides the split: ``instances``, ``person_keypoints``..."""
    return "_".join(word for word in words_of(path) if split_named(word) is None)


def _chosen(look: Look, options: ReadSource) -> tuple[list[Path], list[str]]:
    """The files to read: all splits of one kind."""
    contents = _candidates(look) if look.is_folder else {look.path: "annotations"}
    found = list(contents)
    wanted = options.extra.get("annotations")
    if wanted is not None:
        named = [path for key, path in look.files if key == wanted or path.name == wanted]
        if not named:
            names = ", ".join(path.name for path in found) or "none"
            raise SourceError(f"expected the annotation file {wanted!r} below {look.path}, got {names}; choose of them")
        return named, []
    if not found:
        raise SourceError(f"expected a COCO JSON file below {look.path}, got none; give the file itself")
    best = [path for path in found if contents[path] == "annotations"] or found
    kinds = Counter(_kind(path) for path in best)
    usual = [kind for kind in kinds if kind.startswith("instances")] or list(kinds)
    taken = [path for path in best if _kind(path) == usual[0]]
    if len(taken) > 1 and len({split_of(path) for path in taken}) < len(taken):
        taken = taken[:1]
    left = [path for path in found if path not in taken]
    named_left = ", ".join(f"{p.name}{'' if contents[p] == 'annotations' else f' ({contents[p]})'}" for p in left)
    note = f"read {taken[0].name}; not read: {named_left} (--option annotations=NAME chooses)"
    return taken, [note] if left else []


def _facts(files: list[CocoFile]) -> tuple[list[Problem], dict[str, Any]]:
    """What holds for the whole set; files of one set should agree, and the first is believed."""
    problems = []
    ids: dict[str, int | str] = {}
    extra: dict[str, dict[str, Scalar]] = {}
    keypoints: dict[str, dict[str, Any]] = {}
    for file in files:
        for category in file.categories:
            if ids.setdefault(category.name, category.id) != category.id:
                message = f"expected category {category.name!r} to have the number {ids[category.name]} everywhere, got"
                problems.append(Problem(file.path.name, f"{message} {category.id}; the first is kept"))
            if category.extra:
                extra.setdefault(category.name, {k: v for k, v in category.extra.items()})
            if category.keypoint_names:
                pairs = [list(link) for link in category.links]
                keypoints.setdefault(category.name, {"names": list(category.keypoint_names), "links": pairs})
    info: dict[str, Any] = {}
    for file in files:
        info = {**file.info, **info}
    info["category_ids"] = ids
    if extra:
        info["categories"] = extra
    if keypoints:
        info["keypoints"] = keypoints
    first = next((file for file in files if file.keypoints()[0]), None)
    names, links = ((), ()) if first is None else first.keypoints()
    categories = tuple(sorted(ids, key=lambda name: (isinstance(ids[name], str), ids[name])))
    return problems, {"categories": categories, "keypoint_names": names, "links": links, "info": info}


LAYOUTS: tuple[Layout, ...] = (Coco(),)
