"""Boxes and keypoints of pictures from a COCO JSON file.

Format: Lin et al. (2014), "Microsoft COCO: Common Objects in Context", and the data format page of the set.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import SourceError
from imagemill.core.targets import Boxes, Keypoints

__all__ = ["Coco", "CocoImage", "CocoObject", "read_coco"]


@dataclass(frozen=True, slots=True, eq=False)
class CocoObject:
    """One annotation.

    Parameters
    ----------
    category : str
        Name of its category.
    box : tuple of float or None
        Left edge, top edge, width and height in pixels.
    points : array, ``(k, 3)``
        x, y and visibility (0 not labelled, 1 hidden, 2 visible) of each keypoint; without rows if none.
    names : tuple of str
        Names of the keypoints.
    links : tuple of pairs of int
        Rows of ``points`` joined by the skeleton, counted from 0.
    crowd : bool
        Whether it stands for a crowd that was not taken apart.
    """

    category: str
    box: tuple[float, float, float, float] | None
    points: npt.NDArray[np.float64]
    names: tuple[str, ...] = ()
    links: tuple[tuple[int, int], ...] = ()
    crowd: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CocoImage:
    """What a COCO file says about one picture.

    Parameters
    ----------
    file_name : str
    size : tuple of int
        Height and width in pixels.
    objects : tuple of CocoObject
    """

    file_name: str
    size: tuple[int, int]
    objects: tuple[CocoObject, ...]

    def boxes(self, *, crowds: bool = False) -> Boxes | None:
        """Boxes in ``xywh`` with category names as labels, or None where there are none; crowds when asked for."""
        chosen = [o for o in self.objects if o.box is not None and (crowds or not o.crowd)]
        if not chosen:
            return None
        return Boxes(np.array([o.box for o in chosen]), "xywh", [o.category for o in chosen])

    def keypoints(self) -> Keypoints | None:
        """The keypoints of all objects, row after row, or None where there are none.

        Points that are not labelled stay in their row, not visible, so that rows keep their meaning.
        """
        found = [o for o in self.objects if len(o.points)]
        if not found:
            return None
        points = np.concatenate([o.points for o in found])
        names = [name for o in found for name in o.names]
        return Keypoints(points[:, :2], "xy", points[:, 2] > 0, names)

    def links(self) -> tuple[tuple[int, int], ...]:
        """Rows of :meth:`keypoints` to join by lines."""
        joined: list[tuple[int, int]] = []
        first = 0
        for o in self.objects:
            joined += [(first + a, first + b) for a, b in o.links] if len(o.points) else []
            first += len(o.points)
        return tuple(joined)


@dataclass(frozen=True, slots=True, eq=False)
class Coco:
    """A COCO file that was read and checked.

    Parameters
    ----------
    path : Path
    images : mapping of str to CocoImage
        By ``file_name``.
    """

    path: Path
    images: Mapping[str, CocoImage]

    def find(self, key: str) -> CocoImage | None:
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


def read_coco(path: Path | str) -> Coco:
    """Read and check a COCO JSON file with boxes, keypoints or both.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    Coco

    Raises
    ------
    SourceError
        When the file cannot be read, is no COCO JSON, or an entry does not fit; the message names the entry.

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
    ...     boxes = read_coco(file).find("a.jpg").boxes()
    >>> boxes.array.tolist(), boxes.labels
    ([[1.0, 0.0, 2.0, 2.0]], ['cat'])
    """
    path = Path(path)
    described = _json(path)
    categories = {c["id"]: c for c in _entries(path, described, "categories", {"id": _scalar, "name": _text})}
    images = _entries(path, described, "images", {"id": _scalar, "file_name": _text, "height": _count, "width": _count})
    objects: dict[Any, list[CocoObject]] = {image["id"]: [] for image in images}
    required = {"image_id": _scalar, "category_id": _scalar}
    for place, entry in enumerate(_entries(path, described, "annotations", required)):
        where = f"{path}: annotation {entry.get('id', f'number {place}')}"
        for name, known in (("image_id", objects), ("category_id", categories)):
            if entry[name] not in known:
                raise SourceError(f"{where}: expected {name} to be among the file's own, got {entry[name]!r}; add it")
        objects[entry["image_id"]].append(_object(where, entry, categories[entry["category_id"]]))
    found: dict[str, CocoImage] = {}
    for image in images:
        name = image["file_name"]
        if name in found:
            raise SourceError(f"{path}: expected each file_name once, got {name!r} twice; merge the two entries")
        found[name] = CocoImage(name, (image["height"], image["width"]), tuple(objects[image["id"]]))
    return Coco(path, found)


def _json(path: Path) -> Mapping[str, Any]:
    try:
        described = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: expected a COCO JSON file, got: {error}; check the path") from error
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{path}: expected JSON, got an error in line {error.lineno}: {error.msg}; check the file"
        ) from None
    if not isinstance(described, Mapping):
        got = type(described).__name__
        raise SourceError(f"{path}: expected an object with images and annotations, got a {got}; give a COCO file")
    return described


def _scalar(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _entries(
    path: Path, described: Mapping[str, Any], name: str, required: Mapping[str, Callable[[Any], bool]]
) -> list[Mapping[str, Any]]:
    """The entries under a name, each with its required fields."""
    listed = described.get(name)
    if not isinstance(listed, list):
        raise SourceError(f"{path}: expected a list under {name!r}, got {listed!r:.60}; give a COCO file")
    for place, entry in enumerate(listed):
        if not isinstance(entry, Mapping):
            raise SourceError(f"{path}: expected objects under {name!r}, got {entry!r:.60} at place {place}")
        for field, fits in required.items():
            if not fits(entry.get(field)):
                raise SourceError(
                    f"{path}: expected every entry under {name!r} to have a valid {field!r}, got "
                    f"{entry.get(field)!r:.60} at place {place}; mend that entry"
                )
    return listed


def _object(where: str, entry: Mapping[str, Any], category: Mapping[str, Any]) -> CocoObject:
    box = _numbers(where, "bbox", entry["bbox"]) if entry.get("bbox") else None
    if box is not None and (len(box) != 4 or min(box[2:]) < 0):
        raise SourceError(
            f"{where}: expected bbox as left, top, width, height with sizes of 0 or more, got {list(box)}; "
            "mend that entry"
        )
    names = tuple(map(str, category.get("keypoints", ())))
    flat = _numbers(where, "keypoints", entry.get("keypoints") or [])
    # People too small to label have only zeros: they hold no point at all.
    if len(flat) % 3 or (flat and names and len(flat) != 3 * len(names)):
        wanted = f"3 numbers for each of {len(names)} keypoints" if names else "3 numbers per keypoint"
        raise SourceError(f"{where}: expected {wanted} (x, y, visibility), got {len(flat)}; mend that entry")
    points = np.array(flat, dtype=np.float64).reshape(-1, 3)
    points = points if (points[:, 2] > 0).any() else points[:0]
    names = names or tuple(str(i) for i in range(len(points)))
    links = tuple((int(a) - 1, int(b) - 1) for a, b in category.get("skeleton", ()))
    if any(not 0 <= end < len(names) for link in links for end in link):
        raise SourceError(
            f"{where}: expected the skeleton of {category['name']!r} to count its {len(names)} keypoints from 1, "
            f"got {category['skeleton']}; mend that category"
        )
    return CocoObject(
        category["name"],
        None if box is None else (box[0], box[1], box[2], box[3]),
        points,
        names if len(points) else (),
        links if len(points) else (),
        bool(entry.get("iscrowd", 0)),
    )


def _numbers(where: str, field: str, values: Any) -> list[float]:
    if not isinstance(values, list) or not all(
        isinstance(v, int | float) and not isinstance(v, bool) and np.isfinite(v) for v in values
    ):
        raise SourceError(f"{where}: expected {field} as a list of finite numbers, got {values!r:.60}; mend that entry")
    return [float(v) for v in values]
