"""What layouts that keep many images in one file have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.codecs.base import Picture, ReadOptions
from imagemill.data.layouts.base import Problem, Source, WriteTarget
from imagemill.data.layouts.export_files import exporting
from imagemill.data.layouts.guess.folder_words import part_of
from imagemill.data.records.loading import load_picture
from imagemill.data.records.record import Record

__all__ = [
    "MAX_RECORDS",
    "MAY_CARRY",
    "class_numbers",
    "item_axes",
    "not_written",
    "nothing_written",
    "number_order",
    "safe_name",
    "split_name",
    "stack_records",
    "what_is_lost",
    "writing_file",
]

MAY_CARRY = frozenset(("label", "split", "mask", "objects", "group"))
"""What files may hold of each kind of evidence, where they are too long to be read for a guess."""

MAX_RECORDS = 50_000_000
"""More images than this in one array are taken for a damaged or hostile header."""

# Short words that are parts in the names of arrays, and could be anything in the names of folders.
_SHORT = {"tr": "train", "va": "val", "t10k": "test", "ts": "test", "te": "test"}


def split_name(word: str) -> str | None:
    """The split that a word means, or None.

    Examples
    --------
    >>> split_name("Training"), split_name("t10k"), split_name("cat")
    ('train', 'test', None)
    """
    return _SHORT.get(word.lower()) or part_of(word)


@contextmanager
def writing_file(out: Path, name: str, suffixes: Iterable[str], layout: str, options: WriteTarget) -> Iterator[Path]:
    """The file of a layout that has but one: `out` itself where it is named like one, else `name` in that folder.

    Parameters
    ----------
    out : Path
        The file or folder to write.
    name : str
        Of the file in a folder.
    suffixes : iterable of str
        By which `out` is taken for a file.
    layout : str
        Name of the layout, for the list of files that a folder keeps.
    options : WriteTarget

    Raises
    ------
    SourceError
        When something is there that may not be replaced.
    """
    if out.suffix.lower() not in suffixes:
        with exporting(out, layout, options) as job:
            job.announce(out / name)
            yield out / name
        return
    if out.is_dir():
        raise SourceError(f"expected the name of a file to write, got the folder {str(out)!r}; add a file name")
    if out.exists() and not options.overwrite:
        raise SourceError(f"expected a new file to write, got {str(out)!r}, which is in use; allow to overwrite it")
    yield out


def item_axes(shape: tuple[int, ...], given: str | None = None) -> tuple[str, str]:
    """Name the axes of one image of an array, and say why.

    Parameters
    ----------
    shape : tuple of int
        Of one image.
    given : str or None
        What the user or the file says.

    Returns
    -------
    tuple of str
        The axes, and a note (empty where there is nothing to say).

    Raises
    ------
    SourceError
        When there are other than 2 to 4 axes, or the names do not fit.

    Examples
    --------
    >>> item_axes((28, 28)), item_axes((3, 32, 32))
    (('yx', ''), ('cyx', "the first axis of 3 is read as channels; pass axes='zyx' to read slices"))
    """
    if given is not None:
        known = len(set(given)) == len(given) and set(given) <= set("zyxc") and {"y", "x"} <= set(given)
        if not known or len(given) != len(shape):
            msg = f"expected one letter of z, y, x and c for each axis of {shape}, got axes {given!r}"
            raise SourceError(f"{msg}; name the axes of one image")
        return given, ""
    if len(shape) == 2:
        return "yx", ""
    if len(shape) == 3 and shape[2] in (1, 3, 4):
        return "yxc", ""
    if len(shape) == 3 and shape[0] in (1, 3, 4):
        return "cyx", f"the first axis of {shape[0]} is read as channels; pass axes='zyx' to read slices"
    if len(shape) == 3:
        why = f"because {shape[2]} is not 1, 3 or 4 channels"
        return "zyx", f"{shape[0]} slices an image, {why}; pass axes='yxc' where it is channels all the same"
    if len(shape) == 4 and shape[0] in (1, 2, 3, 4) and shape[3] not in (1, 2, 3, 4):
        note = f"{shape[1]} slices an image, the first axis of {shape[0]} is read as channels"
        return "czyx", f"{note}; pass axes='zyxc' where it is not"
    if len(shape) == 4:
        return "zyxc", f"{shape[0]} slices with {shape[3]} channels an image"
    raise SourceError(f"expected images of 2, 3 or 4 axes, got shape {shape}; give axes after the first for one image")


def class_numbers(source: Source) -> dict[str, int]:
    """Number the class names of a source, from 0: in its own order where it has one, else by number or alphabet.

    Examples
    --------
    >>> class_numbers(Source(Path("d"), "x", (Record("a", Path("a"), label="10"), Record("b", Path("b"), label="9"))))
    {'9': 0, '10': 1}
    """
    found = {record.label for record in source.records if record.label is not None}
    found |= {name for record in source.records for name in record.labels or ()}
    rest = found - set(source.classes)
    whole = all(name.isdecimal() for name in rest)
    names = [*source.classes, *sorted(rest, key=(lambda name: (int(name), name)) if whole else str)]
    return {name: number for number, name in enumerate(names)}


def number_order(labels: Iterable[str | None]) -> tuple[str, ...]:
    """Give classes that are numbers in the order of numbers (2 before 10), and none for other names."""
    found = {label for label in labels if label is not None}
    whole = all(name.removeprefix("-").isdecimal() for name in found)
    return tuple(sorted(found, key=int)) if found and whole else ()


def safe_name(key: str, taken: set[str]) -> str:
    """Make a file or member name of a key: letters, digits, ``-``, ``_`` and ``.`` only, and not taken yet.

    Examples
    --------
    >>> taken = set()
    >>> safe_name("cat/1 a.png", taken), safe_name("cat/1+a.png", taken)
    ('cat_1_a.png', 'cat_1_a.png-2')
    """
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in key).strip(".") or "image"
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        name = f"{plain}-{number}"
    taken.add(name.lower())
    return name


_Count = Callable[[Record], int]
_WORDS: tuple[tuple[str, str, _Count], ...] = (
    ("label", "class names", lambda r: r.label is not None),
    ("hierarchy", "levels of classes", lambda r: "/" in (r.label or "")),
    ("labels", "lists of several labels", lambda r: r.labels is not None),
    ("mask", "masks", lambda r: r.mask is not None),
    ("boxes", "boxes", lambda r: sum(o.box is not None for o in r.objects or ())),
    ("polygons", "polygons", lambda r: sum(bool(o.polygons) for o in r.objects or ())),
    ("rle", "instance masks", lambda r: sum(o.rle is not None for o in r.objects or ())),
    ("keypoints", "sets of keypoints", lambda r: sum(bool(o.keypoints) for o in r.objects or ())),
    ("split", "splits", lambda r: r.split is not None),
    ("group", "groups", lambda r: r.group is not None),
    ("attributes", "rows of further columns", lambda r: bool(r.attributes)),
)


def what_is_lost(source: Source, holds: Iterable[str], layout: str, facts: Iterable[str] = ()) -> list[str]:
    """Say what of a source a layout cannot hold, counted; `facts` are those of ``info`` that it keeps.

    Examples
    --------
    >>> source = Source(Path("d"), "x", (Record("a", Path("a"), label="cat", group="p1"),))
    >>> what_is_lost(source, {"image", "label"}, "IDX")
    ['1 groups: IDX holds none']
    """
    held, lost = set(holds), []
    for word, named, count in _WORDS:
        total = sum(int(count(record)) for record in source.records)
        if total and word not in held:
            lost.append(f"{total} {named}: {layout} holds none")
    # Numbers of categories are no facts: names carry them.
    left = [name for name in source.info if name not in ("category_ids", *facts)]
    if left:
        shown = ", ".join(left[:5]) + (", ..." if len(left) > 5 else "")
        lost.append(f"{len(left)} facts of the whole set ({shown}): {layout} holds none")
    return lost


def not_written(record: Record, error: Exception) -> Problem:
    """What an export says of a record that it leaves out."""
    return Problem(record.key, str(error))


def nothing_written(problems: Sequence[Problem], what: str = "image") -> SourceError:
    """What an export raises that wrote nothing, with the first reason."""
    why = f": {problems[0]}" if problems else ""
    return SourceError(f"expected at least one {what} to write, got none{why}; check the source")


def stack_records(
    records: Iterable[Record], problems: list[Problem], dtypes: Iterable[np.dtype[Any]], layout: str
) -> tuple[np.ndarray[Any, Any] | None, list[Record], Picture | None]:
    """Decode images into one array; what has another size or type than the first is left out and named.

    Parameters
    ----------
    records : iterable of Record
    problems : list of Problem
        What was left out is added here.
    dtypes : iterable of numpy.dtype
        What the layout holds; booleans become uint8 where it does not hold them.
    layout : str
        Its name, for messages.

    Returns
    -------
    tuple
        The array ``(n, ...)`` or None, the records in it, and the first picture.
    """
    held = frozenset(dtypes)
    kept: list[Record] = []
    arrays: list[np.ndarray[Any, Any]] = []
    first: Picture | None = None
    for record in records:
        try:
            picture = load_picture(record.image, ReadOptions())
        except CodecError as error:
            problems.append(not_written(record, error))
            continue
        array = picture.array
        if array.dtype.kind == "b" and array.dtype not in held:
            array = array.astype(np.uint8)
        if array.dtype not in held:
            named = ", ".join(sorted(str(dtype) for dtype in held))
            problems.append(Problem(record.key, f"expected one of {named} for {layout}, got {array.dtype}; convert it"))
            continue
        if first is not None and (array.shape, array.dtype, picture.axes) != (
            arrays[0].shape,
            arrays[0].dtype,
            first.axes,
        ):
            msg = f"expected {arrays[0].dtype} of shape {arrays[0].shape} like the first image"
            msg += f", got {array.dtype} of shape {array.shape}; {layout} holds one size: resize first"
            problems.append(Problem(record.key, msg))
            continue
        first = first or picture
        arrays.append(array)
        kept.append(record)
    return (np.stack(arrays) if arrays else None), kept, first
