"""DOTA: a text file per picture, with the four corners of each object, its class and how difficult it is.

Format: Xia, Bai, Ding, Zhu, Belongie, Luo, Datcu, Pelillo and Zhang (2018), "DOTA: a large-scale dataset for object
detection in aerial images", CVPR. Corners are in pixels, clockwise, the first of them the object's front left where it
has a front; lines such as ``imagesource:GoogleEarth`` and ``gsd:0.15`` in front say facts of the picture.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.plain_folders import nothing_there, with_masks
from imagemill.data.layouts.shapes.image_lookup import marked, not_background
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_polygons
from imagemill.data.layouts.tools.tool_source import read_only
from imagemill.data.layouts.yolo.yolo_folder import Found, Told, splits_of
from imagemill.data.records.instances import Instance, Scalar
from imagemill.data.records.record import Record

__all__ = ["Dota", "line_of_dota"]

_FOLDERS = ("labelTxt", "labelTxt-v1.5", "labelTxt-v1.0", "labelTxt-v2.0", "annfiles", "labels")
_FACTS = ("imagesource", "gsd", "acquisition dates")


def line_of_dota(line: str) -> Instance:
    """Read one line: eight numbers, a class, and perhaps how difficult the object is.

    Examples
    --------
    >>> found = line_of_dota("10 10 30 10 30 20 10 20 small-vehicle 1")
    >>> found.category, found.box, found.attributes
    ('small-vehicle', (10.0, 10.0, 20.0, 10.0), {'difficult': 1})

    Raises
    ------
    InputError
        When it is none.
    """
    words = line.split()
    try:
        corners = tuple(float(word) for word in words[:8])
        difficult = int(words[9]) if len(words) == 10 else None
    except ValueError:
        corners, difficult = (), None
    # A number in the place of the class is YOLO's line, which begins with its class.
    if words[8:] and words[8].replace(".", "").isdecimal():
        corners = ()
    if len(corners) != 8 or len(words) not in (9, 10) or not all(map(math.isfinite, corners)):
        raise InputError(
            f"expected x and y of four corners, a class and perhaps 0 or 1 for difficult, got {line.strip()!r:.80}"
        )
    attributes: dict[str, Scalar] = {} if difficult is None else {"difficult": difficult}
    return Instance(words[8], bounds_of_polygons((corners,)), (corners,), attributes=attributes)


class Dota(Layout):
    """Pictures, and a text file for each with turned boxes."""

    name = "dota"
    title = "DOTA's turned boxes (images/, labelTxt/*.txt; read only)"
    holds = frozenset(("image", "uint16", "float", "channels", "boxes", "polygons", "split", "attributes"))
    place = 95
    recognised = (
        "Text files named like the pictures, with lines of eight numbers in pixels, a class and `difficult`, in "
        "`labelTxt`, `annfiles` or another folder (`--option labels=NAME`). Turned boxes are polygons of four corners: "
        '`RotatedBoxes(corners, "corners")`.'
    )

    def guess(self, look: Look) -> Guess | None:
        """Say whether text files named like the pictures hold such lines."""
        if not look.is_folder or not look.ending(".txt"):
            return None
        found = Found.of(look)
        folder = _folder(found)
        if folder is None:
            return None
        texts = [path for path in found.matched(folder).values() if path is not None]
        said = {_looks_like(path) for path in texts[:8]}
        if False in said or said == {None}:
            return None
        return Guess(0.95, f"{len(texts)} text files in {folder or 'the same folder'} hold corners and classes")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read corners as polygons, with the box around them.

        ``extra={"labels": NAME}`` chooses the folder of text files. An empty file says that nothing is in the picture;
        one without a file was not looked at.
        """
        found = Found.of(look)
        if not found.images:
            raise nothing_there(look)
        folder = str(options.extra["labels"]) if "labels" in options.extra else _folder(found)
        if folder is None:
            raise SourceError(
                f"expected text files named like the pictures below {look.path}, got none; say their folder: "
                "extra={'labels': NAME} (--option labels=NAME)"
            )
        texts, problems, lost = found.matched(folder), [], 0
        splits, split_notes, _ = splits_of(look, found.images, Told())
        records: list[Record] = []
        for key, path in found.images:
            text = texts[key]
            objects, facts, wrong = (None, {}, []) if text is None else _read(text)
            problems += wrong
            lost += bool(wrong) and not objects
            records.append(
                Record(
                    key,
                    path,
                    objects=None if wrong and not objects else objects,
                    split=splits.get(key),
                    attributes=facts,
                )
            )
        for key in found.unused(folder):
            problems.append(
                Problem(key, f"expected a picture for {key}, got none of that name; add or remove one", missing=True)
            )
        counts = Counter(one.category for record in records for one in record.objects or ())
        bare = sum(record.objects is None for record in records)
        notes = [*split_notes, *not_background(lost)]
        if bare:
            notes.append(f"{bare} of {len(records)} pictures have no annotation that can be read")
        source = Source(
            *(look.path, self.name, marked(records)),
            notes=tuple(notes),
            problems=tuple(problems),
            categories=tuple(sorted(counts)),
            also_read=tuple(text for text in texts.values() if text is not None),
        )
        return with_masks(source, options)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Refuse: it is only read."""
        read_only(self.name)


def _folder(found: Found) -> str | None:
    """The folder of text files: one of the usual names, else that with most of them."""
    counts = found.folders()
    usual = next((name for name in _FOLDERS if name in counts), None)
    return usual if usual is not None or not counts else counts.most_common(1)[0][0]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are none of a picture's facts, with their numbers."""
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), start=1):
        if line.strip() and line.partition(":")[0].strip().casefold() not in _FACTS:
            yield number, line


def _looks_like(path: Path) -> bool | None:
    """Whether the first lines are such; None where there are none."""
    try:
        first = [line for _, line in islice(_lines(path), 3)]
        for line in first:
            line_of_dota(line)
    except (OSError, UnicodeDecodeError, InputError):
        return False
    return True if first else None


def _read(path: Path) -> tuple[tuple[Instance, ...], dict[str, Scalar], list[Problem]]:
    """Objects, facts of the picture, and what could not be taken in."""
    objects, problems = [], []
    try:
        lines = list(_lines(path))
        facts = dict(_facts(path))
    except (OSError, UnicodeDecodeError) as error:
        return (), {}, [Problem(path.name, f"{path}: expected a text file of corners, got {error}; check it")]
    for number, line in lines:
        try:
            objects.append(line_of_dota(line))
        except InputError as error:
            problems.append(Problem(f"{path.name} line {number}", str(error)))
    return tuple(objects), facts, problems


def _facts(path: Path) -> Iterator[tuple[str, Scalar]]:
    for line in islice(path.read_text("utf-8-sig").splitlines(), 3):
        name, colon, value = line.partition(":")
        if colon and name.strip().casefold() in _FACTS and value.strip() not in ("", "null", "None"):
            try:
                yield name.strip(), float(value)
            except ValueError:
                yield name.strip(), value.strip()


LAYOUTS: tuple[Layout, ...] = (Dota(),)
