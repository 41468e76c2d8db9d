"""What the layouts of labelling tools share: from what their files say of pictures to a source of records.

Each tool has a reader of its own, which turns its files into `Said`, one for each picture. Pictures are found by what
is left of their path. Keypoints are taken as indices, as the COCO files that these tools write have them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.base import Look, Problem, ReadSource, Source
from imagemill.data.layouts.folder_names import is_mask_role, place_of
from imagemill.data.layouts.plain_folders import inside, with_masks
from imagemill.data.layouts.shapes.image_lookup import Pictures, marked, not_background
from imagemill.data.layouts.shapes.outside_image import within
from imagemill.data.layouts.walk import walk_files
from imagemill.data.records.instances import Instance, Scalar
from imagemill.data.records.record import Blob, Pixels, Record
from imagemill.data.remote.remote_path import as_path

__all__ = ["TOOLS_HOLD", "Gathering", "Said", "read_only"]

TOOLS_HOLD = frozenset(
    (
        *("image", "uint16", "float", "channels", "label", "labels", "boxes", "polygons", "rle", "keypoints"),
        *("split", "group", "attributes"),
    )
)
"""What the layouts of labelling tools hold, of `CAN_HOLD`."""

_MOST = 200_000


def read_only(name: str) -> NoReturn:
    """Refuse to write a layout that is only read."""
    raise SourceError(
        f"expected a layout that can be written, got {name}, which is read only; choose coco, which that tool imports"
    )


@dataclass(slots=True)
class Said:
    """What a file says of one picture.

    Parameters
    ----------
    where : str
        The file, and the entry in it.
    name : str
        What it calls the picture.
    size : tuple of int or None
        Height and width as stated.
    objects : list of Instance or None
        None where nobody looked.
    lost : int
        How many annotations of it could not be taken in.
    classes : tuple of str
        Classes of the picture.
    split, group : str or None
    attributes : dict
        Further columns.
    embedded : Blob or None
        The picture, where it is in the file itself.
    """

    where: str
    name: str
    size: tuple[int, int] | None = None
    objects: list[Instance] | None = field(default_factory=list)
    lost: int = 0
    classes: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None
    attributes: dict[str, Scalar] = field(default_factory=dict)
    embedded: Blob | None = None


@dataclass(slots=True)
class Gathering:
    """Gathers what files say into records; problems and counts are added by the tool's reader.

    Parameters
    ----------
    layout : str
    look : Look
    options : ReadSource
    """

    layout: str
    look: Look
    options: ReadSource
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    """Shapes that were passed over, by what they are and why."""
    also_read: list[Path] = field(default_factory=list)
    root: Path = Path()
    _pictures: Pictures | None = None
    _said: dict[str, Said] = field(default_factory=dict)
    _images: dict[str, Pixels] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the root: the folder, or for a file the one it is in, or above it where that is for annotations."""
        path = self.look.path
        self.root = path
        if not self.look.is_folder:
            self.root = path.parent.parent if is_mask_role(path.parent.name) else path.parent
        asked = self.options.extra.get("images")
        if asked is not None:
            folder = as_path(asked) if as_path(asked).is_dir() else self.root / str(asked)
            if not folder.is_dir():
                raise SourceError(f"expected images as a folder, got {str(asked)!r}, which is none; check the path")
            self.root = folder

    @property
    def pictures(self) -> Pictures:
        """The pictures that are there."""
        if self._pictures is None:
            own = self.look.is_folder and self.root == self.look.path
            self._pictures = Pictures(self.look.files if own else islice(walk_files(self.root), _MOST))
        return self._pictures

    def key_of(self, file: Path) -> str:
        """Key of the folder in which an annotation file lies; empty where that is not below the root."""
        try:
            return file.parent.relative_to(self.root).as_posix().removeprefix(".")
        except ValueError:
            return ""

    def problem(self, where: str, message: str, *, missing: bool = False) -> None:
        """Name something that could not be taken in."""
        self.problems.append(Problem(where, message, missing))

    def path_of(self, said: Said, folder: str = "") -> tuple[str, Path] | None:
        """Key and path of the picture; None, and a problem, where there is none."""
        try:
            key = self.pictures.find(said.name, folder)
        except InputError as error:
            if said.embedded is None:
                self.problem(said.where, str(error), missing="expected one picture" not in str(error))
            return None
        path = inside(self.root, key, outside=self.options.outside)
        if path is None:
            message = f"expected a path below {self.root}, got {said.name!r:.200}; pass outside=True to allow it"
            self.problem(said.where, message)
        return None if path is None else (key, path)

    def add(self, said: Said, folder: str = "") -> None:
        """Take in what is said of a picture; of one that was said before, together with that."""
        found = self.path_of(said, folder)
        if found is None:
            if said.embedded is None:
                return
            found = f"{folder}/{said.embedded.name.rpartition('/')[2]}".lstrip("/"), Path()
        key, path = found
        if key not in self._said:
            self._said[key] = said
            self._images[key] = path if path != Path() or said.embedded is None else said.embedded
            return
        first = self._said[key]
        self.left["pictures that are named twice, with what is said of both in one"] += 1
        if said.objects is not None:
            first.objects = [*(first.objects or []), *(one for one in said.objects if one not in (first.objects or []))]
        first.lost += said.lost
        first.classes = tuple(dict.fromkeys((*first.classes, *said.classes)))

    def rest(self, why: str) -> None:
        """Take in the pictures that no file speaks of: nobody looked."""
        others = [key for key in self.pictures.paths if key not in self._said]
        for key in others:
            path = inside(self.root, key, outside=self.options.outside)
            if path is not None:
                self._said[key] = Said(key, key, objects=None)
                self._images[key] = path
        if others:
            self.notes.append(f"{len(others)} picture{'s' * (len(others) > 1)} {why}: nobody annotated them")

    def source(
        self,
        categories: Sequence[str] = (),
        keypoints: Mapping[str, Sequence[str]] | None = None,
        links: Sequence[tuple[int, int]] = (),
    ) -> Source:
        """The source of all that was gathered.

        Parameters
        ----------
        categories : sequence of str
            In the order of the tool, where it says one.
        keypoints : mapping
            Names of the keypoints of categories.
        links : sequence of pairs of int
            The skeleton, where there is one.

        Raises
        ------
        SourceError
            When no picture was found.
        """
        if not self._said:
            why = str(self.problems[0]) if self.problems else "the files name none"
            raise SourceError(
                f"expected the pictures that {self.look.path} speaks of, got none: {why} "
                "(extra={'images': FOLDER} or --option images=FOLDER says where they are)"
            )
        several = any(len(said.classes) > 1 for said in self._said.values())
        records, bare = [], 0
        for key in sorted(self._said):
            record, lost = self._record(key, several=several)
            records.append(record)
            bare += lost
        named = {annotation.category for record in records for annotation in record.objects or ()}
        ordered = (*dict.fromkeys(categories), *sorted(named - set(categories)))
        return with_masks(
            Source(
                *(self.root, self.layout, marked(records)),
                notes=(*self.notes, *_counted(self.left), *not_background(bare)),
                problems=tuple(self.problems),
                categories=tuple(ordered),
                also_read=tuple(self.also_read),
                **_with_keypoints(keypoints or {}, links),
            ),
            self.options,
        )

    def _record(self, key: str, *, several: bool) -> tuple[Record, bool]:
        said, image = self._said[key], self._images[key]
        objects: tuple[Instance, ...] | None = None
        bare = False
        if said.objects is not None:
            objects, outside = within(said.objects, said.size, image)
            for annotation in outside:
                self.problem(said.where, f"expected a box within {key!r}, got {annotation.box}; mend it")
            bare = not objects and bool(said.lost or outside)
            objects = None if bare else objects
        return Record(
            key,
            image,
            label=said.classes[0] if said.classes and not several else None,
            labels=said.classes if several else None,
            objects=objects,
            split=said.split or place_of(key).split,
            group=said.group,
            size=said.size,
            attributes=said.attributes,
        ), bare


def _with_keypoints(keypoints: Mapping[str, Sequence[str]], links: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Names of keypoints as `Source` has them: common ones, and those of each category where they differ."""
    if not keypoints:
        return {}
    first = tuple(next(iter(keypoints.values())))
    facts: dict[str, Any] = {"keypoint_names": first, "links": tuple(links)}
    if any(tuple(names) != first for names in keypoints.values()):
        pairs = [list(link) for link in links]
        facts["info"] = {
            "keypoints": {
                name: {"names": list(names), "links": pairs if tuple(names) == first else []}
                for name, names in keypoints.items()
            }
        }
    return facts


def _counted(left: Mapping[str, int]) -> Iterable[str]:
    return [f"{count} {what}" for what, count in left.items() if count]
