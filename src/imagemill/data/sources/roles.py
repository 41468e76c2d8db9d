"""Which of several named arrays are images, which are labels, masks, keys, groups and class names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from imagemill.data.sources.containers import split_name

__all__ = ["Part", "Shape", "find_parts"]

_ROLES = {
    "images": ("x", "image", "images", "img", "imgs", "data", "pixels", "features"),
    "labels": ("y", "label", "labels", "target", "targets", "lbl", "lbls"),
    "masks": ("mask", "masks", "seg", "segs", "segmentation", "segmentations"),
    "keys": ("key", "keys", "name", "names", "file", "files", "filenames", "paths", "id", "ids"),
    "groups": ("group", "groups", "patient", "patients", "subject", "subjects"),
    "classes": ("classes", "classnames", "labelnames", "targetnames"),
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words}
_MANY = ("images", "imgs", "x", "data", "pixels", "features", "arr")


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of an array, and the kind of its dtype as NumPy has it (``"b"``, ``"u"``, ``"i"``, ``"f"``, ``"U"``...).

    Encoded pictures count as ``"E"``, whatever holds their bytes.
    """

    lengths: tuple[int, ...]
    kind: str

    @property
    def is_pixels(self) -> bool:
        """Whether it may be images: numbers of rank 2 and more, or encoded pictures."""
        return self.kind == "E" or (self.kind in "buif" and len(self.lengths) >= 2)


@dataclass(frozen=True, slots=True)
class Part:
    """Arrays that belong together.

    Parameters
    ----------
    images : str
        Name of the array of images.
    single : bool
        Whether it is one image and not a stack of them along its first axis.
    labels, masks, keys, groups : str or None
        Names of the arrays with one entry an image.
    split : str or None
    """

    images: str
    single: bool = False
    labels: str | None = None
    masks: str | None = None
    keys: str | None = None
    groups: str | None = None
    split: str | None = None


def find_parts(arrays: Mapping[str, Shape]) -> tuple[list[Part], str | None, list[str]]:
    """Sort named arrays into parts, by their names and shapes.

    Names are usual ones: ``images``, ``x_train``, ``test_labels``, ``data``, ``target``, ``masks``, ``arr_0``...

    Returns
    -------
    tuple
        The parts, the name of the array of class names, and the names that say nothing.

    Examples
    --------
    >>> arrays = {"x_train": Shape((9, 8, 8), "u"), "y_train": Shape((9,), "u"), "more": Shape((2, 2), "f")}
    >>> parts, _, rest = find_parts(arrays)
    >>> parts[0].images, parts[0].labels, parts[0].split, rest
    ('x_train', 'y_train', 'train', ['more'])
    """
    table: dict[str | None, dict[str, str]] = {}
    rest: list[str] = []
    classes: str | None = None
    for name in arrays:
        split, role = _parse(name)
        if role == "classes" and classes is None:
            classes = name
        elif role is None or role in table.setdefault(split, {}):
            rest.append(name)
        else:
            table[split][role] = name
    parts = []
    for split, roles in table.items():
        found = _part(arrays, roles, split)
        if found is None:
            rest += roles.values()
        else:
            parts.append(found)
            used = (found.images, found.labels, found.masks, found.keys, found.groups)
            rest += [name for name in roles.values() if name not in used]
    if not parts:
        parts, rest = _unnamed(arrays, rest)
    order = {"train": 0, "val": 1, "test": 2, None: 3}
    return sorted(parts, key=lambda part: order[part.split]), classes, rest


def _parse(name: str) -> tuple[str | None, str | None]:
    """Split and role that a name says."""
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    if "".join(words) in _ROLE_OF:
        return None, _ROLE_OF["".join(words)]
    splits = [split for word in words if (split := split_name(word))]
    rest = "".join(word for word in words if split_name(word) is None)
    if len(splits) > 1 or rest not in _ROLE_OF:
        return None, None
    return (splits[0] if splits else None), _ROLE_OF[rest]


def _part(arrays: Mapping[str, Shape], roles: Mapping[str, str], split: str | None) -> Part | None:
    images = roles.get("images")
    if images is None or not arrays[images].is_pixels:
        return None
    shape = arrays[images]
    count = shape.lengths[0] if shape.lengths else 0

    def beside(role: str, ranks: range) -> str | None:
        name = roles.get(role)
        fits = name is not None and len(arrays[name].lengths) in ranks and arrays[name].lengths[0] == count
        return name if fits else None

    labels, masks = beside("labels", range(1, 3)), beside("masks", range(3, 6))
    keys, groups = beside("keys", range(1, 2)), beside("groups", range(1, 2))
    if shape.kind == "E":
        single = not shape.lengths
    elif len(shape.lengths) == 2:
        # A matrix beside a column of as many labels is rows of numbers, which are no images.
        single = not (labels and len(arrays[labels].lengths) == 1)
    else:
        many = any(word in _MANY for word in re.split(r"[^a-z]+", images.lower()))
        column = labels is not None and len(arrays[labels].lengths) == 1
        single = not (
            column or keys or groups or (many and (len(shape.lengths) > 3 or shape.lengths[2] not in (1, 3, 4)))
        )
    # Scans are often kept as "image" and "label", where the label is a map of the same size.
    if masks is None and (name := roles.get("labels")) is not None:
        same = arrays[name].lengths in (shape.lengths, shape.lengths[:-1])
        if same and len(arrays[name].lengths) >= (2 if single else 3):
            labels, masks = None, name
    if single:
        name = roles.get("masks")
        if masks is None and name is not None and arrays[name].lengths in (shape.lengths, shape.lengths[:-1]):
            masks = name
        return Part(images, True, None, masks, None, None, split)
    return Part(images, False, labels, masks, keys, groups, split)


def _unnamed(arrays: Mapping[str, Shape], rest: list[str]) -> tuple[list[Part], list[str]]:
    """Pair ``arr_0`` with ``arr_1`` and so on: images, then as many labels."""
    parts: list[Part] = []
    names = sorted((n for n in rest if re.fullmatch(r"arr_\d+", n)), key=lambda n: int(n[4:]))
    at = 0
    while at < len(names):
        shape = arrays[names[at]]
        if shape.kind not in "buif" or len(shape.lengths) < 3:
            at += 1
            continue
        after = arrays.get(names[at + 1]) if at + 1 < len(names) else None
        pair = after is not None and len(after.lengths) in (1, 2) and after.lengths[0] == shape.lengths[0]
        parts.append(Part(names[at], labels=names[at + 1] if pair else None))
        at += 2 if pair else 1
    used = {name for part in parts for name in (part.images, part.labels)}
    return parts, [name for name in rest if name not in used]
