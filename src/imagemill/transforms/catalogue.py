"""The list of transforms as a page: names, what each does, parameters with their defaults and units."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from imagemill.core.ranges import as_distribution
from imagemill.transforms import presets
from imagemill.transforms.base import REGISTRY, Transform

GROUPS = {
    "geometric": "Geometry",
    "cropping": "Crops by what is in the image",
    "colour": "Colour, range and type",
    "filter": "Filters, histograms and levels",
    "adapting": "Looks of reference images",
    "noise": "Noise",
    "occlusion": "Hidden parts",
    "quality": "Quality",
    "weather": "Weather",
    "corruptions": "Common corruptions",
    "mixing": "Samples put together",
    "medical": "Artefacts of scanners",
    "combine": "Choosing among transforms",
    "schedule": "Changing with the epochs",
    "per_class": "Choosing by the class",
}

INTRODUCTION = """\
# Transforms and presets

A number is fixed, a pair is drawn uniformly, `Choice`, `Normal` and `LogUniform` say anything else, and
`Ramp({0: 0, 20: (-30, 30)})` what changes with the epochs. Parameters marked *per axis* also take a mapping,
`{"y": 1, "x": (0.9, 1.1)}`. Every transform takes `p`, the probability that a sample is chosen, and those that do not
move pixels take `images`, the names of the images they are for where a sample has several. Where a default is missing,
the parameter must be given.

What each does to which target is said below it, in these words:

"""

MOVES, CHANGES, HIDES, HIDES_OBJECTS = "moves all", "changes images", "hides", "hides objects"
TAKES_APART, CHOICE = "takes apart", "as what it chooses"
TARGETS = {
    MOVES: (
        "moves, interpolated",
        "moves, interpolated",
        "move, nearest pixel",
        "move, cut at the frame",
        "move",
    ),
    CHANGES: ("changes", "stays", "stay", "stay", "stay"),
    TAKES_APART: ("changes", "moves", "move", "move within a tile, gone where torn", "move"),
    HIDES: (
        "is hidden",
        "with `mask_fill` hidden, showing its own `fill`",
        "with `mask_fill` hidden",
        "stay",
        "stay; with `hide_keypoints` not visible",
    ),
    HIDES_OBJECTS: (
        "is hidden",
        "is hidden, showing its own `fill`",
        "are hidden",
        "go with their object; others stay",
        "not visible, unless `hide_keypoints` is False",
    ),
}
"""What a transform does to images, maps of numbers, label maps and instance masks, other annotations, keypoints."""
_MOVING = ("imagemill.transforms.geometric", "imagemill.transforms.cropping")
_KINDS = ("image", "map", "label maps, instance masks", "boxes, rotated boxes, polygons, lines", "keypoints")


def page() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION + _targets_table()]
    for module, title in GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [_section(cls) for cls in _group(module)]
    parts.append("## Presets\n")
    parts += [f"* `{name}`: {_first_sentence(make)}" for name, make in presets.PRESETS.items()]
    return "\n".join(parts) + "\n"


def _group(module: str) -> Iterator[type[Transform]]:
    prefix = f"imagemill.transforms.{module}"
    for name in sorted(REGISTRY):
        if REGISTRY[name].__module__.startswith(prefix):
            yield REGISTRY[name]


def _targets_table() -> str:
    head = ["| targets | " + " | ".join(_KINDS) + " | label |", "|---" * (len(_KINDS) + 2) + "|"]
    return "\n".join([*head, *(f"| {word} | {' | '.join(row)} | stays |" for word, row in TARGETS.items())]) + "\n"


def targets_of(cls: type[Transform]) -> str:
    """What a transform does to the targets of a sample, as one of the words of :data:`TARGETS`.

    Examples
    --------
    >>> from imagemill.transforms import Brightness, Erasing, OneOf, Rotate
    >>> [targets_of(cls) for cls in (Rotate, Brightness, Erasing, OneOf)]
    ['moves all', 'changes images', 'hides', 'as what it chooses']
    """
    names = {f.name for f in dataclasses.fields(cls)}
    if "transforms" in names:
        return CHOICE
    if cls.__module__.startswith(_MOVING):
        return MOVES
    if "grid" in names:
        return TAKES_APART
    if "mask_fill" not in names:
        return CHANGES
    return HIDES_OBJECTS if "objects" in names else HIDES


def _section(cls: type[Transform]) -> str:
    lines = [f"### {cls.__name__}\n", f"{_first_sentence(cls)}\n", f"Targets: {targets_of(cls)}.\n"]
    rows = [_row(f) for f in dataclasses.fields(cls) if f.metadata.get("kind")]
    if rows:
        lines += ["| parameter | default | |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _row(field: dataclasses.Field[Any]) -> str:
    meta = field.metadata
    words = []
    if meta["kind"] == "param":
        words.append("random or fixed")
        words += [meta["unit"]] if meta["unit"] else []
        words += ["per axis"] if meta["per_axis"] else []
    return f"| `{field.name}` | {_default(field)} | {', '.join(words)} |"


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if value is dataclasses.MISSING:
        return ""
    if field.metadata["kind"] == "param" and value is not None:
        return str(as_distribution(value))
    return f"`{value!r}`"


def _first_sentence(documented: Any) -> str:
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


if __name__ == "__main__":
    import imagemill.transforms  # noqa: F401  (fills the registry)

    print(page(), end="")
