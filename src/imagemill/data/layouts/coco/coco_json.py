"""What a COCO JSON file says, taken apart and checked; no image is looked for here.

Format: Lin et al. (2014), "Microsoft COCO: Common Objects in Context", and the data format page of the set.
Boxes and polygons count from the picture's outer corner (a box of width 1 at 0 covers the first pixel). The x and y of
keypoints are taken as indices, which have pixel centres at whole numbers: annotators clicked on pixels.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.base import Problem
from imagemill.data.layouts.coco.coco_annotation import read_annotation, scalars, whole
from imagemill.data.layouts.shapes.image_lookup import not_background, plain_name
from imagemill.data.layouts.tools.json_file import load_json
from imagemill.data.records.instances import Instance, Scalar
from imagemill.data.remote.remote_path import as_path

__all__ = ["Category", "CocoFile", "Entry", "read_coco"]

_NAMES = ("file_name", "path", "filename", "file", "image_path", "coco_url", "url")
"""Where tools keep the name of a picture; the first that is there is taken."""

_OF_IMAGE = frozenset(("file_name", "height", "width"))
_PLACED = ("bbox", "segmentation", "keypoints")


@dataclass(frozen=True, slots=True)
class Category:
    """A category.

    Parameters
    ----------
    id : int or str
        Its number in the file.
    name : str
    keypoint_names : tuple of str
        Names of its keypoints.
    links : tuple of pairs of int
        Keypoints joined by the skeleton, counted from 0.
    extra : mapping
        Whatever else the file says of it (``supercategory``).
    """

    id: int | str
    name: str
    keypoint_names: tuple[str, ...] = ()
    links: tuple[tuple[int, int], ...] = ()
    extra: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the file says of one picture.

    Parameters
    ----------
    file_name : str
    size : tuple of int or None
        Height and width in pixels.
    objects : tuple of Instance or None
        Empty where somebody looked and found nothing; None where nobody looked, or nothing of what was found could
        be taken in.
    attributes : mapping
        Further columns: ``id``, ``license``, addresses...
    """

    file_name: str
    size: tuple[int, int] | None
    objects: tuple[Instance, ...] | None
    attributes: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CocoFile:
    """A COCO file that was read.

    Parameters
    ----------
    path : Path
    images : mapping of str to Entry
        By ``file_name``, in the file's order.
    categories : tuple of Category
        By their numbers.
    info : mapping
        ``info`` and ``licenses`` as they are.
    problems : tuple of Problem
        What could not be taken in.
    notes : tuple of str
        What else there is to know, in sentences.
    """

    path: Path
    images: Mapping[str, Entry]
    categories: tuple[Category, ...]
    info: Mapping[str, Any]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()

    def find(self, key: str) -> Entry | None:
        """The entry of a picture: of the same path, else the only one with the same last part of the name."""
        if key in self.images:
            return self.images[key]
        name = PurePosixPath(key).name
        same = [image for file, image in self.images.items() if PurePosixPath(file).name == name]
        if len(same) > 1:
            raise SourceError(
                f"{self.path}: expected one entry for {key!r}, got {', '.join(i.file_name for i in same)}; "
                "give the picture by the path that the file names"
            )
        return same[0] if same else None

    def keypoints(self) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        """Keypoint names and skeleton of the first category that has some."""
        for category in self.categories:
            if category.keypoint_names:
                return category.keypoint_names, category.links
        return (), ()


def read_coco(path: Path | str) -> CocoFile:
    """Read a COCO JSON file with boxes, polygons, masks, keypoints or several of these.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    CocoFile
        Entries that do not fit are left out and named under ``problems``.

    Raises
    ------
    SourceError
        When the file cannot be read or is no COCO JSON.

    Examples
    --------
    >>> import json, tempfile
    >>> described = {
    ...     "images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 6}],
    ...     "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 0, 2, 2]}],
    ...     "categories": [{"id": 3, "name": "cat"}],
    ... }
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "boxes.json"
    ...     _ = file.write_text(json.dumps(described))
    ...     read_coco(file).find("a.jpg").objects[0].box
    (1.0, 0.0, 2.0, 2.0)
    """
    return _Reader(as_path(path)).read()


class _Reader:
    """Reads one file, collecting problems on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.unknown: Counter[str] = Counter()
        self.lost: set[str] = set()
        self.twice: set[str] = set()

    def read(self) -> CocoFile:
        described = self._described(load_json(self.path, "COCO JSON"))
        # A file of pictures alone (the test part of a set) has no annotations at all.
        entries = self._list(described, "annotations") if "annotations" in described else []
        info = {name: described[name] for name in ("info", "licenses") if described.get(name)}
        images, names = self._images(described)
        kind = _kind(entries)
        if kind:
            return self._of_another_kind(kind, entries, images, names, info)
        categories, known = self._categories(described, {_id(e.get("category_id")) for e in entries if _is_entry(e)})
        annotations: dict[str, list[Instance]] = defaultdict(list)
        classes: dict[str, dict[str, None]] = defaultdict(dict)
        # Where nothing has a place in its picture, as in camera traps, the categories are classes of pictures.
        placed = any(entry.get(name) for entry in entries if _is_entry(entry) for name in _PLACED)
        for place, entry in enumerate(entries):
            where = f"annotation {entry.get('id', f'number {place}')}" if isinstance(entry, Mapping) else f"{place}"
            try:
                name = self._fit(entry, names, known)
                category = known[_id(entry["category_id"])]
                if not placed:
                    classes[name][category.name] = None
                    continue
                annotation, faults = read_annotation(
                    entry, category.name, len(category.keypoint_names), images[name].size
                )
            except InputError as error:
                self._problem(where, str(error))
                continue
            for fault in faults:
                self._problem(where, fault)
            if annotation is None:
                self.lost.add(name)
            elif (
                name not in self.twice or annotation not in annotations[name]
            ):  # of a picture listed twice, once is enough
                annotations[name].append(annotation)
        found = {name: self._entry(image, annotations, classes) for name, image in images.items()}
        self._say(found, placed=placed)
        return CocoFile(self.path, found, categories, info, tuple(self.problems), tuple(self.notes))

    def _described(self, told: Any) -> Mapping[str, Any]:
        """The object with the lists: the file's own, or the only one in it that has them."""
        inner = told if isinstance(told, list) else list(told.values()) if isinstance(told, Mapping) else []
        if not (isinstance(told, Mapping) and "images" in told):
            inside = [one for one in inner[:100] if isinstance(one, Mapping) and {"images", "annotations"} <= set(one)]
            if len(inside) == 1:
                return inside[0]
        if not isinstance(told, Mapping):
            got = type(told).__name__
            raise SourceError(
                f"{self.path}: expected an object with images and annotations, got a {got}; give a COCO file"
            )
        return told

    def _of_another_kind(
        self, kind: str, entries: list[Any], images: dict[str, Entry], names: Mapping[Any, str], info: Mapping[str, Any]
    ) -> CocoFile:
        """A file of captions or of panoptic segments: its pictures, in which nobody looked for annotations."""
        said: dict[str, list[str]] = defaultdict(list)
        for entry in entries:
            if _is_entry(entry) and isinstance(entry.get("caption"), str):
                said[names.get(_id(entry.get("image_id")), "")].append(entry["caption"].strip())
        if kind == "captions":
            self.notes.append(f"{self.path.name} holds captions and no annotations: they are the column 'caption'")
        else:
            self.notes.append(
                f"{self.path.name} holds panoptic segments, which are not read: no picture has boxes or masks of it; "
                "give the file of instances"
            )
        found = {
            name: replace(e, objects=None, attributes={**e.attributes, **_captions(said[name])})
            for name, e in images.items()
        }
        return CocoFile(self.path, found, (), info, tuple(self.problems), tuple(self.notes))

    def _entry(self, image: Entry, annotations: Mapping[str, Any], classes: Mapping[str, Any]) -> Entry:
        name = image.file_name
        if name in classes:
            found = list(classes[name])
            # As written here: a label, or several of them in one word.
            label = {"label": found[0]} if len(found) == 1 else {"labels": "|".join(found)}
            return replace(image, objects=None, attributes={**label, **image.attributes})
        return replace(image, objects=tuple(annotations[name]) or (None if name in self.lost else ()))

    def _say(self, found: Mapping[str, Entry], *, placed: bool) -> None:
        if not placed and any({"label", "labels"} & set(entry.attributes) for entry in found.values()):
            self.notes.append(f"{self.path.name}: annotations without a place, so categories are classes of pictures")
        self.notes += not_background(sum(e.objects is None and name in self.lost for name, e in found.items()))
        if self.twice:
            shown = ", ".join(sorted(self.twice)[:3])
            self.notes.append(
                f"{len(self.twice)} pictures are listed twice ({shown}): what is annotated for either entry is in one"
            )
        if self.unknown:
            shown = ", ".join(f"{name}: {count}" for name, count in self.unknown.most_common(10))
            self.notes.append(f"{self.unknown.total()} annotations of categories that are not listed ({shown})")

    def _problem(self, where: str, message: str) -> None:
        self.problems.append(Problem(f"{self.path.name}: {where}", message))

    def _list(self, described: Mapping[str, Any], name: str) -> list[Any]:
        listed = described.get(name)
        if not isinstance(listed, list):
            raise SourceError(
                f"{self.path}: expected a list under {name!r}, got {listed!r:.60}; give a COCO file of boxes, polygons "
                "or keypoints"
            )
        return listed

    def _categories(
        self, described: Mapping[str, Any], used: set[str | None]
    ) -> tuple[tuple[Category, ...], dict[str | None, Category]]:
        """The categories by their numbers, and by what annotations call them."""
        found: dict[str | None, Category] = {}
        for place, entry in enumerate(self._list(described, "categories")):
            try:
                category, fault = _category(entry)
                if fault:
                    self._problem(f"category at place {place}", fault)
                if _id(category.id) in found:
                    raise InputError(f"expected each category's id once, got {category.id!r} twice; number them anew")
            except InputError as error:
                self._problem(f"category at place {place}", str(error))
            else:
                found[_id(category.id)] = category
        for root in [one for one in found.values() if _id(one.id) not in used and _is_root(one, found.values())]:
            del found[_id(root.id)]
            self.notes.append(f"category {root.name!r} (number {root.id}) stands for the whole set, and is no class")
        first: dict[str, Category] = {}
        for number, category in found.items():
            if category.name in first:
                ids = f"{first[category.name].id} and {category.id}"
                self.notes.append(
                    f"category {category.name!r} is listed twice ({ids}): its annotations are of one class"
                )
            found[number] = first.setdefault(category.name, category)
        ordered = sorted(first.values(), key=lambda c: (isinstance(c.id, str), c.id))
        return tuple(ordered), found

    def _images(self, described: Mapping[str, Any]) -> tuple[dict[str, Entry], dict[str | None, str]]:
        """The pictures by their names, and the names by what annotations call them."""
        found: dict[str, Entry] = {}
        names: dict[str | None, str] = {}
        for place, entry in enumerate(self._list(described, "images")):
            try:
                image, key, fault = _image(entry)
            except InputError as error:
                self._problem(f"image at place {place}", str(error))
                continue
            name = image.file_name
            if fault:
                self._problem(f"image {name}", fault)
            if names.get(key, name) != name:
                # Nobody can tell which of the two an annotation is of.
                self._problem(f"image {name}", f"expected each image's id once, got {key} twice; number them anew")
                self.lost |= {name, names[key]}
                names[key] = ""
            elif name in found:
                self.twice.add(name)
            names.setdefault(key, name)
            found.setdefault(name, image)
        return found, names

    def _fit(self, entry: Any, images: Mapping[str | None, str], categories: Mapping[str | None, Any]) -> str:
        """The picture that an annotation is of."""
        if not isinstance(entry, Mapping):
            raise InputError(f"expected an object, got {entry!r:.60}; mend that entry")
        name = images.get(_id(entry.get("image_id")), None)
        if name is None:
            raise InputError(f"expected image_id to be among the file's own, got {entry.get('image_id')!r:.60}; add it")
        if not name:
            raise InputError(
                f"expected image_id to be of one picture, got {entry.get('image_id')!r:.60}, which two have; "
                "number the pictures anew"
            )
        if _id(entry.get("category_id")) not in categories:
            value = entry.get("category_id")
            self.unknown[f"{value!r:.30}"] += 1
            self.lost.add(name)
            raise InputError(f"expected category_id to be among the file's own, got {value!r:.60}; add it")
        return name


def _kind(entries: list[Any]) -> str:
    """What the annotations are where they mark no objects: captions, panoptic segments."""
    some = [entry for entry in entries[:100] if _is_entry(entry)]
    if any("segments_info" in entry for entry in some):
        return "panoptic"
    captions = any("caption" in entry for entry in some)
    return "captions" if captions and not any(name in entry for entry in some for name in _PLACED) else ""


def _captions(texts: list[str]) -> dict[str, Scalar]:
    return {"caption": "\n".join(texts)} if texts else {}


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, Mapping)


def _id(value: Any) -> str | None:
    """An id as text, for one file writes 1, "1" and 1.0 for the same; None for what is no id."""
    if isinstance(value, str):
        return value
    number = whole(value)
    return None if number is None else str(number)


def _is_root(one: Category, others: Any) -> bool:
    """Whether a category that nothing is of is the root that Roboflow puts above all classes."""
    if str(one.extra.get("supercategory", "")).casefold() != "none":
        return False
    return any(
        other is not one and (other.name == one.name or other.extra.get("supercategory") == one.name)
        for other in others
    )


def _category(entry: Any) -> tuple[Category, str]:
    """A category, and what is wrong with its keypoints; it is one without them all the same."""
    if not isinstance(entry, Mapping) or _id(entry.get("id")) is None or not isinstance(entry.get("name"), str):
        raise InputError(f"expected a category with a valid 'id' and 'name', got {entry!r:.60}; mend that entry")
    if not entry["name"]:
        raise InputError("expected a category with a valid 'name', got an empty one; mend that entry")
    names, links, fault = entry.get("keypoints") or [], entry.get("skeleton") or [], ""
    if not isinstance(names, list):
        fault = f"expected keypoints as a list of names, got {names!r:.60}; mend that category"
        names = []
    try:
        links = [(int(a), int(b)) for a, b in links]
    except (TypeError, ValueError, OverflowError):
        fault = f"expected the skeleton as pairs of numbers, got {links!r:.60}; mend it"
        links = []
    first = 0 if any(0 in link for link in links) else 1  # some tools count from 0
    if any(not first <= end < len(names) + first for link in links for end in link):
        fault = fault or (
            f"expected the skeleton of {entry['name']!r} to count its {len(names)} keypoints from 1, "
            f"got {links!r:.60}; mend that category"
        )
        links = []
    extra = scalars(entry, frozenset(("id", "name")))
    number = entry["id"] if isinstance(entry["id"], str) else int(entry["id"])
    counted = tuple((a - first, b - first) for a, b in links)
    return Category(number, entry["name"], tuple(map(str, names)), counted, extra), fault


def _image(entry: Any) -> tuple[Entry, str, str]:
    """A picture, its id, and what is wrong with its size."""
    if not isinstance(entry, Mapping):
        raise InputError(f"expected an object, got {entry!r:.60}; mend that entry")
    name = next((entry[at] for at in _NAMES if isinstance(entry.get(at), str) and entry[at].strip()), None)
    if name is None:
        raise InputError(f"expected a valid 'file_name', got {entry.get('file_name')!r:.60}; mend that entry")
    key = _id(entry.get("id"))
    if key is None:
        raise InputError(f"expected a valid 'id', got {entry.get('id')!r:.60}; mend that entry")
    sides, fault = [], ""
    for side in ("height", "width"):
        value = entry.get(side)
        if value is not None:
            number = whole(value)
            if number is None or number < 1:
                fault = f"expected a valid {side!r}, got {value!r:.60}; the picture's own is taken"
            else:
                sides.append(number)
    size = (sides[0], sides[1]) if len(sides) == 2 else None
    attributes = scalars(entry, _OF_IMAGE)
    return Entry(plain_name(name), size, (), attributes), key, fault
