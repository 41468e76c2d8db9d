"""The small text files of YOLO datasets: boxes and polygons of one picture, and the names of classes.

Format: the README of Darknet (Redmon et al. 2016, "You Only Look Once") for ``class cx cy w h``, all but the class
relative to the picture's width and height; polygons (``class x1 y1 x2 y2 ...``), keypoints behind a box and
``data.yaml`` as later tools have them. Keypoints are taken as indices, as converters from COCO write them. Coordinates
refer to the picture as it is seen, after any rotation by EXIF, as the trainers of this format read it; they count from
its outer corner.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.coco.coco_annotation import visibility
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_polygons
from imagemill.data.records.instances import Instance, Keypoint, Scalar

__all__ = ["line_of", "load_yaml", "looks_like_yolo", "names_from", "points_shape", "points_within", "read_line"]

_LONGEST, _DEEPEST = 1 << 20, 50
_MARK = b"\xef\xbb\xbf"  # what Windows writes before text


def read_line(
    line: str, size: tuple[int, int], names: Mapping[int, str] | None, points: tuple[int, int] = (0, 0)
) -> Instance:
    """Read one line: a box, alone, with a confidence or with keypoints behind it, or a polygon.

    Parameters
    ----------
    line : str
    size : tuple of int
        Height and width of the picture in pixels.
    names : mapping or None
        Class names; None lets numbers be names.
    points : tuple of int
        How many keypoints follow a box, and how many numbers each has: 2, or 3 with its visibility.

    Raises
    ------
    InputError
        When it is neither.

    Examples
    --------
    >>> read_line("1 0.5 0.5 0.5 1", (10, 20), {1: "cat"}).box
    (5.0, 0.0, 10.0, 10.0)
    >>> read_line("0 0.5 0.5 0.5 1 0.25 0.5 2", (10, 20), None, points=(1, 3)).keypoints
    ((5.0, 5.0, 2),)
    """
    try:
        number, *values = (float(word) for word in line.split())
    except ValueError:
        raise InputError(f"expected numbers, got {line!r:.60}; mend that line") from None
    if not number.is_integer() or number < 0:
        raise InputError(f"expected a class as a whole number of 0 or more, got {line!r:.60}; mend that line")
    behind = points[0] * points[1]
    posed = bool(behind) and len(values) == 4 + behind
    if not all(-0.5 <= value <= 1.5 for value in values[: 4 if posed else 5 if len(values) == 5 else None]):
        raise InputError(f"expected places relative to width and height, 0 to 1, got {line!r:.60}; divide by the size")
    if names is not None and int(number) not in names:
        raise InputError(f"expected a class among {len(names)} names, got number {int(number)}; add its name")
    name = str(int(number)) if names is None else names[int(number)]
    if posed or len(values) in (4, 5):
        return _boxed(line, values, size, name, points if posed else (0, 0))
    if behind:
        raise InputError(
            f"expected a box and {points[0]} keypoints of {points[1]} numbers, got {len(values)} numbers; mend that "
            "line, or kpt_shape"
        )
    if len(values) < 6 or len(values) % 2:
        raise InputError(f"expected a box of 4 numbers or a polygon of pairs, got {len(values)}; mend that line")
    height, width = size
    part = tuple(value * (height if place % 2 else width) for place, value in enumerate(values))
    return Instance(name, bounds_of_polygons([part]), (part,))


def _boxed(line: str, values: list[float], size: tuple[int, int], name: str, points: tuple[int, int]) -> Instance:
    height, width = size
    cx, cy, w, h = values[:4]
    if min(w, h) < 0:
        raise InputError(f"expected a width and height of 0 or more, got {line!r:.60}; mend that line")
    attributes: dict[str, Scalar] = {"confidence": values[4]} if len(values) == 5 else {}
    box = ((cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height)
    count, each = points
    keypoints: list[Keypoint] = []
    for place in range(4, 4 + count * each, each or 1):
        x, y = values[place : place + 2]
        seen = values[place + 2] if each == 3 else 2.0 * ((x, y) != (0, 0))
        if not math.isfinite(x + y + seen) or max(abs(x), abs(y)) > 10:
            raise InputError(f"expected keypoints relative to width and height, got {line!r:.60}; mend that line")
        keypoints.append((x * width, y * height, visibility(seen)) if visibility(seen) else (0.0, 0.0, 0))
    return Instance(
        name, box, keypoints=tuple(keypoints) if any(j[2] for j in keypoints) else (), attributes=attributes
    )


def points_shape(told: Any) -> tuple[int, int] | None:
    """What ``kpt_shape`` says, as a list or as text; None where it is none.

    Examples
    --------
    >>> points_shape([17, 3]), points_shape("5,2"), points_shape([0, 3])
    ((17, 3), (5, 2), None)
    """
    if isinstance(told, str):
        told = [int(word) if word.strip().isdigit() else word for word in re.split(r"[,x ]+", told.strip("[]() "))]
    if not isinstance(told, list | tuple) or len(told) != 2 or any(type(one) is not int for one in told):
        return None
    count, each = told
    return (count, each) if 0 < count < 1000 and each in (2, 3) else None


def points_within(lines: Iterable[str]) -> tuple[int, int] | None:
    """The shape of keypoints that lines without a description have: x, y and 0, 1 or 2 again and again behind a box.

    Examples
    --------
    >>> points_within(["0 0.5 0.5 1 1 0.1 0.2 2 0 0 0"]), points_within(["0 0.5 0.5 1 1 0.1 0.2 0.3 0.4"])
    ((2, 3), None)
    """
    counts = set()
    seen_at_all = False
    for line in lines:
        words = line.split()[1:]
        if len(words) <= 5:
            continue
        try:
            seen = [float(word) for word in words[6::3]]
        except ValueError:
            return None
        if (len(words) - 4) % 3 or not set(seen) <= {0.0, 1.0, 2.0}:
            return None
        counts.add((len(words) - 4) // 3)
        seen_at_all |= 2.0 in seen or len(words) % 2 == 1
    return (counts.pop(), 3) if len(counts) == 1 and seen_at_all else None


def line_of(number: int, values: Sequence[float]) -> str:
    """Write one line; nine digits keep a hundred-thousandth of a pixel.

    Examples
    --------
    >>> line_of(3, (0.5, 0.25, 1 / 3, 1.0))
    '3 0.5 0.25 0.333333333 1'
    """
    return " ".join([str(number), *(f"{value:.9g}" for value in values)])


def looks_like_yolo(path: Path) -> bool | None:
    """Whether the first line of a file could be one of these; None where the file is empty."""
    try:
        with path.open("rb") as file:
            first = next(
                (text for line in file.read(1 << 16).removeprefix(_MARK).split(b"\n") if (text := line.strip())), b""
            )
        if not first:
            return None
        read_line(first.decode("ascii"), (1, 1), None)
    except InputError:
        words = first.split()
        return len(words) > 6 and all(_is_number(word) for word in words)
    except (OSError, UnicodeDecodeError):
        return False
    return True


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def names_from(path: Path, chapter: str = "") -> dict[int, str]:
    """Read class names from a ``.yaml`` (under ``names``), a ``.json`` (list, or number to name), or a text file.

    Parameters
    ----------
    path : Path
    chapter : str
        Where a JSON file holds several tables, the name of one.

    Raises
    ------
    SourceError
        When there are none in it.
    """
    try:
        text = path.read_text("utf-8-sig")
        if path.suffix.lower() in (".yaml", ".yml"):
            told: Any = load_yaml(text)
            told = told.get("names") if isinstance(told, Mapping) else None
        elif path.suffix.lower() == ".json":
            told = json.loads(text)
            if isinstance(told, Mapping) and isinstance(told.get(chapter), Mapping | list):
                told = told[chapter]
        else:
            told = [line.strip() for line in text.splitlines() if line.strip()]
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{path}: expected class names, got {error}; check the file") from error
    return _names(path, told)


@cache
def _plain() -> Any:
    import yaml

    class Plain(yaml.SafeLoader):
        """YAML without aliases: a few lines of them, one list within another, would become gigabytes when shown."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("an alias (*name); write its value out")
            return super().compose_node(parent, index)

    return Plain


def load_yaml(text: str) -> Any:
    """The values of a small YAML file; ValueError when it is none, or made to take for ever.

    Examples
    --------
    >>> load_yaml("names: [cat, dog]")
    {'names': ['cat', 'dog']}
    """
    if len(text) > _LONGEST:
        raise ValueError(f"{len(text):,} characters; {_LONGEST:,} are read at most")
    depth = deepest = 0
    for character in re.findall(r"[\[\]{}]", text):  # the scanner takes ever longer the deeper it is
        depth += 1 if character in "[{" else -1
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        raise ValueError(f"brackets nested {deepest:,} deep")
    import yaml

    try:
        return yaml.load(text, _plain())
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _names(path: Path, told: Any) -> dict[int, str]:
    pairs = enumerate(told) if isinstance(told, list) else told.items() if isinstance(told, Mapping) else ()
    try:
        names = {int(number): str(name) for number, name in pairs if not isinstance(name, Mapping | list)}
    except (TypeError, ValueError):
        names = {}
    if not names:
        raise SourceError(f"{path}: expected class names by number, got {told!r:.60}; list them, one per line")
    if len(set(names.values())) < len(names):
        raise SourceError(f"{path}: expected each class name once, got one twice; rename it")
    return names
