"""What a COCO JSON file says, taken apart and checked; no image is looked for here.

Format: Lin et al. (2014), "Microsoft COCO: Common Objects in Context", and the data format page of the set.
Boxes and outlines count from the picture's outer corner (a box of width 1 at 0 covers the first pixel). The x and y of
keypoints are taken as indices, which have pixel centres at whole numbers: annotators clicked on pixels.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.data.instances import Instance, Joint, RunLength, Scalar
from imagemill.data.sources.base import Problem
from imagemill.data.sources.runs import counts_from_text

__all__ = ["Category", "CocoFile", "Entry", "load_json", "read_coco"]

_OF_IMAGE = frozenset(("file_name", "height", "width"))
_OF_THING = frozenset(("image_id", "category_id", "bbox", "segmentation", "keypoints", "num_keypoints", "iscrowd"))


@dataclass(frozen=True, slots=True)
class Category:
    """A category.

    Parameters
    ----------
    id : int or str
        Its number in the file.
    name : str
    joint_names : tuple of str
        Names of its keypoints.
    links : tuple of pairs of int
        Keypoints joined by the skeleton, counted from 0.
    extra : mapping
        Whatever else the file says of it (``supercategory``).
    """

    id: int | str
    name: str
    joint_names: tuple[str, ...] = ()
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
    objects : tuple of Instance
    attributes : mapping
        Further columns: ``id``, ``license``, addresses...
    """

    file_name: str
    size: tuple[int, int] | None
    objects: tuple[Instance, ...]
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
    """

    path: Path
    images: Mapping[str, Entry]
    categories: tuple[Category, ...]
    info: Mapping[str, Any]
    problems: tuple[Problem, ...]

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

    def joints(self) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        """Keypoint names and skeleton of the first category that has some."""
        for category in self.categories:
            if category.joint_names:
                return category.joint_names, category.links
        return (), ()


def read_coco(path: Path | str) -> CocoFile:
    """Read a COCO JSON file with boxes, outlines, masks, keypoints or several of these.

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
    >>> import tempfile
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
    return _Reader(Path(path)).read()


def load_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises
    ------
    SourceError
        When it cannot be read or parsed.
    """
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: expected a COCO JSON file, got: {error}; check the path") from error
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{path}: expected JSON, got an error in line {error.lineno}: {error.msg}; check the file"
        ) from None
    except (RecursionError, ValueError) as error:  # nested a thousand deep, or a number of five thousand digits
        raise SourceError(f"{path}: expected a COCO JSON file, got one that cannot be parsed: {error}") from None


class _Reader:
    """Reads one file, collecting problems on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def read(self) -> CocoFile:
        described = load_json(self.path)
        if not isinstance(described, Mapping):
            got = type(described).__name__
            raise SourceError(
                f"{self.path}: expected an object with images and annotations, got a {got}; give a COCO file"
            )
        categories = self._categories(described)
        images = self._images(described)
        things: dict[Any, list[Instance]] = defaultdict(list)
        # A file of pictures alone (the test part of a set) has no annotations at all.
        for place, entry in enumerate(self._list(described, "annotations") if "annotations" in described else ()):
            where = f"annotation {entry.get('id', f'number {place}')}" if isinstance(entry, Mapping) else f"{place}"
            try:
                self._fit(entry, where, images, categories)
                thing = _thing(entry, categories[entry["category_id"]], images[entry["image_id"]].size)
            except InputError as error:
                self._problem(where, str(error))
            else:
                things[entry["image_id"]].append(thing)
        found = {
            image.file_name: Entry(image.file_name, image.size, tuple(things[key]), image.attributes)
            for key, image in images.items()
        }
        info = {name: described[name] for name in ("info", "licenses") if described.get(name)}
        ordered = sorted(categories.values(), key=lambda c: (isinstance(c.id, str), c.id))
        return CocoFile(self.path, found, tuple(ordered), info, tuple(self.problems))

    def _problem(self, where: str, message: str) -> None:
        self.problems.append(Problem(f"{self.path.name}: {where}", message))

    def _list(self, described: Mapping[str, Any], name: str) -> list[Any]:
        listed = described.get(name)
        if not isinstance(listed, list):
            raise SourceError(
                f"{self.path}: expected a list under {name!r}, got {listed!r:.60}; give a COCO file of boxes, outlines "
                "or keypoints"
            )
        return listed

    def _categories(self, described: Mapping[str, Any]) -> dict[Any, Category]:
        found: dict[Any, Category] = {}
        names: set[str] = set()
        for place, entry in enumerate(self._list(described, "categories")):
            try:
                category = _category(entry)
                if category.id in found:
                    raise InputError(f"expected each category's id once, got {category.id!r} twice; number them anew")
                if category.name in names:
                    raise InputError(f"expected each category once, got {category.name!r} twice; merge or rename them")
            except InputError as error:
                self._problem(f"category at place {place}", str(error))
            else:
                found[category.id] = category
                names.add(category.name)
        return found

    def _images(self, described: Mapping[str, Any]) -> dict[Any, Entry]:
        found: dict[Any, Entry] = {}
        names: set[str] = set()
        for place, entry in enumerate(self._list(described, "images")):
            try:
                image, key = _image(entry)
                if image.file_name in names:
                    raise InputError(f"expected each file_name once, got {image.file_name!r} twice; merge the entries")
                if key in found:
                    raise InputError(f"expected each image's id once, got {key!r} twice; number them anew")
            except InputError as error:
                self._problem(f"image at place {place}", str(error))
            else:
                found[key] = image
                names.add(image.file_name)
        return found

    def _fit(self, entry: Any, where: str, images: Mapping[Any, Entry], categories: Mapping[Any, Category]) -> None:
        if not isinstance(entry, Mapping):
            raise InputError(f"expected an object, got {entry!r:.60}; mend that entry")
        if "segments_info" in entry:
            raise InputError("expected a box, outline or keypoints, got panoptic segments; give the file of instances")
        for name, known in (("image_id", images), ("category_id", categories)):
            value = entry.get(name)
            if not _is_id(value) or value not in known:
                raise InputError(f"expected {name} to be among the file's own, got {value!r:.60}; add it")


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _scalars(entry: Mapping[str, Any], known: frozenset[str]) -> dict[str, Scalar]:
    return {str(k): v for k, v in entry.items() if k not in known and isinstance(v, str | int | float | bool)}


def _category(entry: Any) -> Category:
    if not isinstance(entry, Mapping) or not _is_id(entry.get("id")) or not isinstance(entry.get("name"), str):
        raise InputError(f"expected a category with a valid 'id' and 'name', got {entry!r:.60}; mend that entry")
    if not entry["name"]:
        raise InputError("expected a category with a valid 'name', got an empty one; mend that entry")
    names, skeleton = entry.get("keypoints") or [], entry.get("skeleton") or []
    if not isinstance(names, list):
        raise InputError(f"expected keypoints as a list of names, got {names!r:.60}; mend that category")
    try:
        links = tuple((int(a) - 1, int(b) - 1) for a, b in skeleton)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"expected the skeleton as pairs of numbers, got {skeleton!r:.60}; mend it") from None
    if any(not 0 <= end < len(names) for link in links for end in link):
        raise InputError(
            f"expected the skeleton of {entry['name']!r} to count its {len(names)} keypoints from 1, "
            f"got {skeleton!r:.60}; mend that category"
        )
    extra = _scalars(entry, frozenset(("id", "name")))
    return Category(entry["id"], entry["name"], tuple(map(str, names)), links, extra)


def _image(entry: Any) -> tuple[Entry, int | str]:
    if not isinstance(entry, Mapping):
        raise InputError(f"expected an object, got {entry!r:.60}; mend that entry")
    name, key = entry.get("file_name"), entry.get("id")
    if not isinstance(name, str) or not name:
        raise InputError(f"expected a valid 'file_name', got {name!r:.60}; mend that entry")
    if not isinstance(key, int | str) or isinstance(key, bool):
        raise InputError(f"expected a valid 'id', got {key!r:.60}; mend that entry")
    size = None
    if entry.get("height") is not None or entry.get("width") is not None:
        for side in ("height", "width"):
            value = entry.get(side)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"expected a valid {side!r}, got {value!r:.60}; mend that entry")
        size = (entry["height"], entry["width"])
    return Entry(name, size, (), _scalars(entry, _OF_IMAGE)), key


def _thing(entry: Mapping[str, Any], category: Category, size: tuple[int, int] | None) -> Instance:
    """One annotation."""
    box = _numbers("bbox", entry["bbox"]) if entry.get("bbox") else None
    if box is not None and (len(box) != 4 or min(box[2:]) < 0):
        raise InputError(
            f"expected bbox as left, top, width, height with sizes of 0 or more, got {box}; mend that entry"
        )
    polygons, runs = _segmentation(entry.get("segmentation"), size)
    return Instance(
        category.name,
        None if box is None else (box[0], box[1], box[2], box[3]),
        polygons,
        runs,
        _joints(entry.get("keypoints") or [], category),
        bool(entry.get("iscrowd", 0)),
        _scalars(entry, _OF_THING),
    )


def _segmentation(value: Any, size: tuple[int, int] | None) -> tuple[tuple[tuple[float, ...], ...], RunLength | None]:
    if not value:
        return (), None
    if isinstance(value, list):
        parts = tuple(tuple(_numbers("segmentation", part)) for part in value)
        if any(len(part) < 6 or len(part) % 2 for part in parts):
            raise InputError("expected outlines of 3 or more points (x, y each), got fewer; mend that entry")
        return parts, None
    if not isinstance(value, Mapping):
        raise InputError(f"expected segmentation as outlines or runs, got {value!r:.60}; mend that entry")
    shape, counts = value.get("size"), value.get("counts")
    if not (isinstance(shape, list) and len(shape) == 2 and all(type(n) is int and 0 < n < 1 << 20 for n in shape)):
        raise InputError(f"expected runs with a size of height and width, got {shape!r:.60}; mend that entry")
    if size is not None and tuple(shape) != size:
        raise InputError(f"expected runs of a picture of {size[0]} x {size[1]}, got {shape}; mend that entry")
    if isinstance(counts, str):
        counts = counts_from_text(counts)
    if not isinstance(counts, list | tuple) or not all(type(n) is int for n in counts):
        raise InputError(f"expected runs as whole numbers or text, got {counts!r:.60}; mend that entry")
    return (), RunLength(shape[0], shape[1], tuple(counts))


def _joints(values: Any, category: Category) -> tuple[Joint, ...]:
    flat = _numbers("keypoints", values)
    count = len(category.joint_names)
    if len(flat) % 3 or (flat and count and len(flat) != 3 * count):
        wanted = f"3 numbers for each of {count} keypoints" if count else "3 numbers per keypoint"
        raise InputError(f"expected {wanted} (x, y, visibility), got {len(flat)}; mend that entry")
    joints = tuple((flat[i], flat[i + 1], int(flat[i + 2])) for i in range(0, len(flat), 3))
    # People too small to label have only zeros: they hold no point at all.
    return joints if any(joint[2] > 0 for joint in joints) else ()


def _numbers(name: str, values: Any) -> list[float]:
    if not isinstance(values, list) or not all(
        isinstance(v, int | float) and not isinstance(v, bool) and _finite(v) for v in values
    ):
        raise InputError(f"expected {name} as a list of finite numbers, got {values!r:.60}; mend that entry")
    return [float(v) for v in values]


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
