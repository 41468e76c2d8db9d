"""Named arrays become records: what layouts share that keep many images in one array."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.codecs.base import MAX_PIXELS
from imagemill.data.layouts.arrays.array_names import Shape
from imagemill.data.layouts.arrays.array_roles import PAGES, Part, Parts
from imagemill.data.layouts.arrays.containers import MAX_RECORDS, item_axes, number_order
from imagemill.data.layouts.arrays.label_columns import Labels, read_labels
from imagemill.data.layouts.base import Problem, ReadSource
from imagemill.data.layouts.tables.class_names import class_list
from imagemill.data.records.instances import Scalar
from imagemill.data.records.record import Blob, Pixels, Record, Stored

__all__ = ["Gathered", "Held", "asked_pages", "texts_of"]

Array = np.ndarray[Any, Any]
_CLASSES = "classes.txt"
_NARROWEST = 8


@dataclass(frozen=True, slots=True)
class Held:
    """An array in a file, known by its header.

    Parameters
    ----------
    called : str
        What errors call it, such as ``"digits.npz: images"``.
    shape : Shape
    values : callable
        Gives all of it; text as text. CodecError when it cannot.
    fetch : callable
        Gives what fetches one row, or all of it for None: arrays, or bytes where ``shape.kind`` is ``"E"``.
    own : mapping
        What the file says of it: ``axes``, ``world``, ``classes``...
    turned : bool
        Whether its axes stand in the reverse order, as MATLAB keeps them.
    """

    called: str
    shape: Shape
    values: Callable[[], Array]
    fetch: Callable[[int | None], Callable[[], Any]]
    own: Mapping[str, Any] = field(default_factory=dict)
    turned: bool = False

    def texts(self) -> list[str]:
        """All of it as text."""
        return texts_of(self.values())


def texts_of(values: Any) -> list[str]:
    """The entries of an array as text.

    Examples
    --------
    >>> texts_of(np.array([b"cat", b"dog"])), texts_of(np.array([0, 1]))
    (['cat', 'dog'], ['0', '1'])
    """
    found = np.asarray(values).ravel().tolist()
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in found]


def asked_pages(options: ReadSource) -> str | None:
    """What the user says that the first axis counts.

    Raises
    ------
    SourceError
        When it is neither images nor a volume.
    """
    pages = options.extra.get("pages")
    if pages is not None and pages not in PAGES:
        raise SourceError(f"expected pages as {' or '.join(PAGES)}, got {pages!r}; choose one of them")
    return pages


@dataclass(slots=True)
class Gathered:
    """Records that arrays become, and what there is to say of them.

    Parameters
    ----------
    options : ReadSource
    root : Path
        The folder in which a ``classes.txt`` may lie.
    """

    options: ReadSource
    root: Path
    records: list[Record] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    also_read: list[Path] = field(default_factory=list)
    classes: tuple[str, ...] = ()
    counted: list[str] = field(default_factory=list)
    _from_file: str = ""

    def __post_init__(self) -> None:
        if "classes" in self.options.extra:
            self.classes = class_list(self.options.extra["classes"])
        elif (file := self.root / _CLASSES).is_file():
            self.classes = class_list(file)
            self.also_read.append(file)
            self._from_file = f"class names from {_CLASSES}"
            self.notes.append(self._from_file)

    def name_classes(self, names: Iterable[Any]) -> None:
        """Take class names, unless better ones are known."""
        if not self.classes:
            self.classes = tuple(str(name) for name in names)

    def all_classes(self) -> tuple[str, ...]:
        """Class names in the order of their numbers; empty where only the alphabet orders them."""
        found = {record.label for record in self.records} - {None}
        if self._from_file and not found <= set(self.classes):
            self.notes[:] = [note for note in self.notes if note != self._from_file]
            self.say(f"{_CLASSES} does not fit the labels and was passed over")
            self.classes = ()
        return self.classes or number_order(found)

    def say(self, note: str) -> None:
        """Add a note, once."""
        if note and note not in self.notes:
            self.notes.append(note)

    def shapes(self, arrays: Mapping[str, Held]) -> dict[str, Shape]:
        """Shapes by name; axes that the file or the user names say whether the first one counts images."""
        found = {}
        for name, held in arrays.items():
            said = held.own.get("axes")
            axes = said if isinstance(said, str) else self.options.extra.get("axes")
            over = len(held.shape.lengths) - len(axes) if isinstance(axes, str) and held.shape.kind in "buif" else None
            single = {0: True, 1: False}.get(-1 if over is None else over)
            found[name] = held.shape if single is None else replace(held.shape, single=single)
        return found

    def hear(self, found: Parts, arrays: Mapping[str, Held], where: str = "") -> None:
        """Take note of what was decided about arrays, and of class names among them."""
        if found.classes is not None:
            self.name_classes(arrays[found.classes].texts())
        for note in found.notes:
            self.say(f"{where}: {note}" if where else note)
        for name in found.counted:
            held = arrays[name]
            self.counted.append(f"{held.called} ({' x '.join(map(str, held.shape.lengths))})")

    def all_notes(self) -> tuple[str, ...]:
        """What there is to say."""
        if not self.counted:
            return tuple(self.notes)
        more = f" and of {len(self.counted) - 1} more" if len(self.counted) > 1 else ""
        told = f"the first axis of {self.counted[0]}{more} is taken to count images"
        return (*self.notes, f"{told}; pages='volume' (--option pages=volume) reads one volume instead")

    def take(self, part: Part, arrays: Mapping[str, Held], **where: Any) -> None:
        """Take in a part; what is wrong with it becomes a problem. `where` is that of `stack` and `single`."""
        try:
            if part.wrong:
                raise SourceError(f"{arrays[part.images].called}: {part.wrong}")
            if part.single:
                self.records.append(self.single(part, arrays, **where))
            else:
                self.records += self.stack(part, arrays, **where)
        except (CodecError, SourceError) as error:
            self.problems.append(Problem(arrays[part.images].called, str(error)))

    def axes(self, held: Held, shape: tuple[int, ...], *, mask_of: str | None = None) -> str:
        """The axes of one image of an array, or of one label map of an image with the axes `mask_of`."""
        said = held.own.get("axes")
        given = said if isinstance(said, str) else None
        if mask_of is not None and given is None:
            place = mask_of.replace("c", "")
            if len(shape) == len(place):
                return place
            if len(shape) == len(place) + 1:
                return f"c{place}" if shape[0] in (1, 3, 4) and shape[-1] not in (1, 3, 4) else f"{place}c"
        if mask_of is None and given is None:
            given = self.options.extra.get("axes")
        if given is None and held.turned:
            given = {2: "xy", 3: "cxy", 4: "czxy"}.get(len(shape))
            if len(shape) == 3 and shape[0] not in (1, 3, 4):
                given = "zxy"
            self.say(f"{held.called} is from MATLAB: its axes are read from the last to the first ({given})")
        axes, note = item_axes(shape, given)
        self.say(note)
        size = math.prod(n for n, letter in zip(shape, axes, strict=True) if letter != "c")
        if not 0 < size <= MAX_PIXELS:
            raise SourceError(f"expected an image of 1 to {MAX_PIXELS:,} pixels, got shape {shape}; check the file")
        return axes

    def pixels(self, held: Held, row: int | None, axes: str | None, affine: Array | None = None) -> Pixels:
        """Where the pixels of one row are, or of the whole array."""
        name = held.called if row is None else f"{held.called}, row {row}"
        if held.shape.kind == "E":
            return Blob(name, "", held.fetch(row))
        return Stored(name, held.fetch(row), axes, affine)

    def single(
        self,
        part: Part,
        arrays: Mapping[str, Held],
        *,
        key: str,
        label: str | None = None,
        split: str | None = None,
        group: str | None = None,
        attributes: Mapping[str, Scalar] | None = None,
        **_: Any,
    ) -> Record:
        """One image, perhaps with a label map or a label beside it."""
        held = arrays[part.images]
        axes = None if held.shape.kind == "E" else self.axes(held, held.shape.lengths)
        mask = None
        if part.masks is not None:
            beside = arrays[part.masks]
            map_axes = None if beside.shape.kind == "E" else self.axes(beside, beside.shape.lengths, mask_of=axes)
            mask = self.pixels(beside, None, map_axes)
        several = None
        if part.labels is not None:
            values = np.asarray(arrays[part.labels].values())
            read = self.labels(arrays[part.labels], values.reshape(1, -1))
            label, several = read.one[0] or label, read.several[0]
        return Record(
            key, self.pixels(held, None, axes), mask, label, several, split=part.split or split, group=group,
            attributes=attributes or {},
        )  # fmt: skip

    def labels(self, held: Held, values: Any = None) -> Labels:
        """The labels that a column says."""
        names = held.own.get("classes")
        if isinstance(names, list | tuple) and names:
            self.name_classes(names)
        column = held.called.rpartition(": ")[2].rpartition("/")[2]
        read = read_labels(held.values() if values is None else values, self.classes, column=column)
        if not self.classes and read.classes:
            self.classes = read.classes
        for note in read.notes:
            self.say(f"{held.called}: {note}")
        return read

    def stack(
        self,
        part: Part,
        arrays: Mapping[str, Held],
        *,
        begin: str,
        label: str | None = None,
        split: str | None = None,
        group: str | None = None,
        attributes: Mapping[str, Scalar] | None = None,
        labels: Sequence[Any] | None = None,
        **_: Any,
    ) -> list[Record]:
        """Many images of one array."""
        held = arrays[part.images]
        count, shape = held.shape.lengths[0], held.shape.lengths[1:]
        if count > MAX_RECORDS:
            raise SourceError(f"expected at most {MAX_RECORDS:,} images, got {count:,}; check the file")
        if len(shape) == 1 and held.shape.kind != "E":
            held, shape = self._squared(held, shape[0])
        axes = None if held.shape.kind == "E" else self.axes(held, shape)
        read = Labels([part.label or label] * count, [None] * count)
        if part.labels is not None:
            read = self.labels(arrays[part.labels])
        elif labels is not None:
            read = read_labels(list(labels), self.classes)
        columns = {**read.columns, **{name: self._column(arrays[name]) for name in part.columns}}
        keys, groups = self._keys(part, arrays, count, begin), [group] * count
        if part.groups is not None:
            groups = [text or None for text in arrays[part.groups].texts()]
        maps = None if part.masks is None else arrays[part.masks]
        map_axes = None
        if maps is not None and maps.shape.kind != "E":
            map_axes = self.axes(maps, maps.shape.lengths[1:], mask_of=axes)
        return [
            Record(
                keys[row],
                self.pixels(held, row, axes),
                None if maps is None else self.pixels(maps, row, map_axes),
                read.one[row],
                read.several[row],
                split=part.split or split,
                group=groups[row],
                attributes={**(attributes or {}), **{name: column[row] for name, column in columns.items()}},
            )
            for row in range(count)
        ]

    def _column(self, held: Held) -> list[Any]:
        """The entries of a further column as plain values."""
        self.say(f"{held.called} is kept as a column")
        values = held.values()
        return texts_of(values) if held.shape.kind in "US" else np.asarray(values).ravel().tolist()

    def _squared(self, held: Held, length: int) -> tuple[Held, tuple[int, ...]]:
        """Rows of numbers as square pictures."""
        side = math.isqrt(length)
        if side * side != length or side < _NARROWEST:
            do = "reshape them to (n, height, width) or (n, height, width, channels)"
            raise SourceError(f"{held.called}: expected images, got rows of {length} numbers; {do}")
        self.say(f"{held.called}: rows of {length:,} numbers are read as pictures of {side} x {side}")

        def fetch(row: int | None) -> Callable[[], Array]:
            return _Reshaped(held.fetch(row), (side, side))

        shape = Shape((held.shape.lengths[0], side, side), held.shape.kind)
        return Held(held.called, shape, held.values, fetch, held.own), (side, side)

    def _keys(self, part: Part, arrays: Mapping[str, Held], count: int, begin: str) -> list[str]:
        """The names the file gives where it names every image once; else numbers."""
        if part.keys is not None:
            given = arrays[part.keys].texts()
            if len(set(given)) == count and all(given):
                return given
            self.say(f"{arrays[part.keys].called} does not name every image once: images are called by their number")
        digits = len(str(max(count - 1, 1)))
        rows = [f"row-{row:0{digits}d}" for row in range(count)]
        return [f"{begin}/{row}" for row in rows] if begin else rows


@dataclass(frozen=True, slots=True)
class _Reshaped:
    """Gives an array in another shape; a class, so that it travels to other processes."""

    fetch: Callable[[], Array]
    shape: tuple[int, ...]

    def __call__(self) -> Array:
        return self.fetch().reshape(self.shape)
