"""Reading the text files of a YOLO folder: their annotations, keypoints and what is to be said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError
from imagemill.core.keypoint_names import COCO_PAIRS, exchange
from imagemill.data.layouts.base import Problem
from imagemill.data.layouts.shapes.image_lookup import not_background
from imagemill.data.layouts.yolo.yolo_folder import Told
from imagemill.data.layouts.yolo.yolo_text import points_shape, points_within, read_line
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Record

__all__ = ["Reading", "flip_of", "keypoint_names"]

_PERSON = ("nose", *(str(name) for pair in COCO_PAIRS for name in pair))
"""COCO's 17 keypoints in their order, which most sets of people keep and few name."""


class Reading:
    """Reads one text file after the other, and keeps what is to be said of all of them.

    Parameters
    ----------
    names : mapping or None
        Class names by number; None lets numbers be names.
    told : Told
        What describes the set.
    extra : mapping
        What was asked for: ``kpt_shape``, ``missing``.

    Raises
    ------
    InputError
        When what was asked for is none of what there is.
    """

    def __init__(self, names: Mapping[int, str] | None, told: Told, extra: Mapping[str, Any]) -> None:
        self.names, self.told = names, told
        self.problems: list[Problem] = []
        self.said: list[str] = []
        self.counts: Counter[str] = Counter()
        self.missing = extra.get("missing", "unknown")
        if self.missing not in ("unknown", "background"):
            raise InputError(
                f"expected missing to be 'unknown' or 'background', got {self.missing!r}; choose one of them"
            )
        asked = extra.get("kpt_shape", told.values.get("kpt_shape"))
        self.points = points_shape(asked) or (0, 0)
        if asked is not None and self.points == (0, 0):
            self.problems.append(
                Problem("kpt_shape", f"expected kpt_shape as [count, 2] or [count, 3], got {asked!r:.60}; mend it")
            )

    def find_points(self, texts: Iterable[Path]) -> None:
        """Find out whether boxes have keypoints behind them, where nothing says it."""
        if self.points != (0, 0):
            return
        lines = [line for path in islice(texts, 20) for line in _lines(path)]
        found = points_within(lines)
        if found is not None:
            self.points = found
            self.said.append(
                f"{found[0]} keypoints behind each box, as every third number is a visibility; no kpt_shape says so "
                "(--option kpt_shape=N,3)"
            )

    def objects(self, path: Path | None, size: tuple[int, int]) -> tuple[Instance, ...] | None:
        """The annotations of one file; None where there is none, it cannot be read, or nothing in it fits."""
        if path is None:
            self.counts["bare"] += 1
            return () if self.missing == "background" else None
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(Problem(path.name, f"{path}: expected a text file of boxes, got {error}; check it"))
            return None
        annotations, lost = [], 0
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                annotation = _whole(read_line(line, size, self.names, self.points), size, line)
            except InputError as error:
                lost += 1
                self.problems.append(Problem(f"{path.name} line {number}", str(error)))
            else:
                self.counts["confidence"] += "confidence" in annotation.attributes
                annotations.append(annotation)
        if lost and not annotations:
            self.counts["lost"] += 1
            return None
        self.counts["empty"] += not annotations
        return tuple(annotations)

    def notes(self) -> list[str]:
        """What there is to know of all files together."""
        notes = list(self.said)
        bare, empty, sure = (self.counts[what] for what in ("bare", "empty", "confidence"))
        if bare and self.missing == "background":
            notes.append(f"{bare} picture{_s(bare)} without a text file taken for backgrounds: nothing is in them")
        elif bare:
            notes.append(
                f"{bare} picture{_s(bare)} without a text file count{'s' if bare == 1 else ''} as not annotated "
                "(--option missing=background takes them for empty)"
            )
        if empty:
            notes.append(f"{empty} empty text file{_s(empty)}: backgrounds with nothing in them")
        if sure:
            notes.append(f"{sure} box{'es' * (sure > 1)} with a sixth number, taken for the confidence of a prediction")
        return notes + not_background(self.counts["lost"])

    def facts(self, records: Sequence[Record]) -> dict[str, Any]:
        """Categories and keypoints of the whole set, as `Source` has them."""
        seen = {annotation.category for record in records for annotation in record.objects or ()}
        listed = self.names if self.names is not None else {int(name): name for name in seen}
        ordered = dict(sorted(listed.items()))
        info: dict[str, Any] = {} if not ordered else {"category_ids": {name: n for n, name in ordered.items()}}
        names: dict[int, list[str]] = {}
        if self.points[0]:
            names, notes = keypoint_names(self.told.values, self.points[0], list(ordered))
            self.said += notes
            if len({tuple(one) for one in names.values()}) > 1:
                info["keypoints"] = {ordered[number]: {"names": one, "links": []} for number, one in names.items()}
        first = next(iter(names.values()), [])
        return {"categories": tuple(ordered.values()), "keypoint_names": tuple(first), "info": info}


def _s(count: int) -> str:
    return "s" * (count != 1)


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return [line for line in islice(file, 20) if line.strip()]
    except (OSError, UnicodeDecodeError):
        return []


def _whole(annotation: Instance, size: tuple[int, int], line: str) -> Instance:
    """The annotation, where some of it is within the picture."""
    x, y, w, h = annotation.box or (0.0, 0.0, 1.0, 1.0)
    if not annotation.polygons and min(w, h) == 0:
        raise InputError(f"expected a box with a width and a height, got {line!r:.60}; mend that line")
    if x >= size[1] or y >= size[0] or x + w <= 0 or y + h <= 0:
        raise InputError(f"expected a box within the picture, got {line!r:.60}; mend that line")
    return annotation


def keypoint_names(
    told: Mapping[str, Any], count: int, classes: Sequence[int]
) -> tuple[dict[int, list[str]], list[str]]:
    """Names of the keypoints of each class, by which a mirror exchanges what ``flip_idx`` says.

    Parameters
    ----------
    told : mapping
        A data.yaml: ``kpt_names`` as a list, or as a list for each class; ``flip_idx``.
    count : int
        How many keypoints there are.
    classes : sequence of int
        Numbers of the classes.

    Returns
    -------
    dict and list of str
        What there is to know of the names.

    Examples
    --------
    >>> keypoint_names({"flip_idx": [0, 2, 1], "kpt_names": ["nose", "eye a", "eye b"]}, 3, [0])[0]
    {0: ['nose', 'left eye a', 'right eye a']}
    """
    flip = told.get("flip_idx")
    notes = []
    if flip is not None and not _is_flip(flip, count):
        notes.append(f"flip_idx is no exchange of {count} keypoints and was passed over: {flip!r:.60}")
        flip = None
    own = told.get("kpt_names")
    plain: list[str] = [str(number) for number in range(count)]
    if own is None and flip is not None and count == 17 and flip == flip_of(_PERSON):
        plain = list(_PERSON)
    found = {number: _own(own, number, count) or plain for number in classes}
    if flip is None:
        notes += [] if own is not None else ["no flip_idx: keypoints keep their numbers in a mirror"]
        return found, notes
    sided = {number: names if flip_of(names) == list(flip) else _sided(names, flip) for number, names in found.items()}
    if sided != found:
        notes.append("keypoints are named left and right after flip_idx, so that they change places in a mirror")
    return sided, notes


def _own(own: Any, number: int, count: int) -> list[str] | None:
    names = own.get(number, own.get(str(number))) if isinstance(own, Mapping) else own
    if not isinstance(names, list) or len(names) != count or len(set(map(str, names))) != count:
        return None
    return list(map(str, names))


def _is_flip(flip: Any, count: int) -> bool:
    if not isinstance(flip, list) or len(flip) != count or any(type(one) is not int for one in flip):
        return False
    return sorted(flip) == list(range(count)) and all(flip[other] == one for one, other in enumerate(flip))


def _sided(names: Sequence[str], flip: Sequence[int]) -> list[str]:
    pairs = [min(one, other) for one, other in enumerate(flip)]
    sides = ["" if one == other else "left " if one < other else "right " for one, other in enumerate(flip)]
    return [f"{side}{names[pair]}" for side, pair in zip(sides, pairs, strict=True)]


def flip_of(names: Sequence[str]) -> list[int]:
    """Which keypoint takes each one's place in a mirror, by their names.

    Examples
    --------
    >>> flip_of(["nose", "left_eye", "right_eye"])
    [0, 2, 1]
    """
    found = exchange(list(names), len(names), "auto", None)
    return list(range(len(names))) if found is None else [int(place) for place in found[0]]
