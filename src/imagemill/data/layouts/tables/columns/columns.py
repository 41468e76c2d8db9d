"""Which column of a table says what: by usual names and by what stands in it, or told."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import ReadSource
from imagemill.data.layouts.tables.cells.image_cells import Place
from imagemill.data.layouts.tables.columns.box_columns import BoxColumns, box_columns, squashed
from imagemill.data.layouts.tables.columns.column_content import Seen, is_empty, look_at_column, spread
from imagemill.data.layouts.tables.columns.column_names import (
    ATTRIBUTE,
    CLASS_WORDS,
    MAYBE,
    NO_LABEL,
    ROLES,
    flag_splits,
    normal_split,
    plain_name,
    rank_of,
    role_of,
)
from imagemill.data.layouts.tables.columns.multi_label import LIST, separator_of
from imagemill.data.layouts.tables.rows.find_files import Finder, Trail

__all__ = ["Columns", "Sample", "guess_columns", "said"]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each role stands in a row.

    Parameters
    ----------
    roles : dict of str to int
        Number of the column, counted from 0.
    attributes : tuple of (int, str)
        The columns that are left, and what they are called.
    names : tuple of int
        Columns that may name a picture that is embedded in another column, the likeliest first.
    notes : tuple of str
    told : frozenset of str
        Roles that the user named.
    box : BoxColumns or None
        Four columns that make a box.
    hot : tuple of int
        Columns of 0 and 1, one for each class.
    separator : str or None
        What stands between several labels in a cell, or `LIST`.
    trails : mapping
        What leads from the cells of a column to files, where they are not there as they are written.
    """

    roles: dict[str, int]
    attributes: tuple[tuple[int, str], ...]
    names: tuple[int, ...]
    notes: tuple[str, ...]
    told: frozenset[str] = frozenset()
    box: BoxColumns | None = None
    hot: tuple[int, ...] = ()
    separator: str | None = None
    trails: Mapping[int, Trail] = field(default_factory=dict)


@dataclass(slots=True)
class Sample:
    """Rows of a table, to look at their cells.

    Parameters
    ----------
    rows : sequence of sequences
        Cells of all rows, or of the first ones.
    place : Place
        Where paths start.
    finder : Finder
        Looks for files that are not there as they are written.
    """

    rows: Sequence[Sequence[Any]]
    place: Place
    finder: Finder
    _seen: dict[tuple[int, bool], Seen] = field(default_factory=dict)

    def column(self, number: int) -> list[Any]:
        """All cells of a column."""
        return [row[number] for row in self.rows]

    def seen(self, number: int, *, search: bool = False) -> Seen:
        """What the cells of a column look like; also with files looked for elsewhere."""
        if (number, search) not in self._seen:
            cells = [row[number] for row in spread(self.rows)]
            self._seen[number, search] = look_at_column(cells, self.place, self.finder if search else None)
        return self._seen[number, search]


def guess_columns(names: Sequence[str], options: ReadSource, table: str, sample: Sample | None = None) -> Columns:
    """Decide which column is what.

    Parameters
    ----------
    names : sequence of str
        The columns of a table.
    options : ReadSource
        `columns` maps roles to names, or to numbers as text (``"0"`` is the first).
    table : str
        What errors call the table.
    sample : Sample, optional
        Rows of it; without, names alone decide.

    Raises
    ------
    SourceError
        When a column that was named is not there, a role is unknown, or no column holds images.

    Examples
    --------
    >>> guess_columns(["file", "species", "price"], ReadSource(), "fruit.csv").roles
    {'image': 0, 'label': 1}
    """
    told = {role: _told(role, column, names, table) for role, column in options.columns.items()}
    guess = _Guess(names, options, dict(told), sample, frozenset(told))
    guess.decide()
    if "image" not in guess.roles:
        msg = f"expected a column of images in {table}, got {', '.join(map(repr, names[:12]))}"
        do = said("image", names[0] if names else "path")
        raise SourceError(f"{msg}; name it, for example {do}")
    return guess.columns()


def said(role: str, column: str) -> str:
    """How a role is named, in Python and on the command line.

    Examples
    --------
    >>> said("label", "kind")
    "columns={'label': 'kind'} (--option column.label=kind)"
    >>> said("image", "File Name")
    "columns={'image': 'File Name'} (--option 'column.image=File Name')"
    """
    return f"columns={{{role!r}: {column!r}}} (--option {shlex.quote(f'column.{role}={column}')})"


class _Guess:
    """Roles that are found one after the other; each column has one."""

    def __init__(
        self,
        names: Sequence[str],
        options: ReadSource,
        roles: dict[str, int],
        sample: Sample | None,
        told: frozenset[str],
    ) -> None:
        self.names, self.options, self.roles, self.told = names, options, roles, told
        self.sample = sample if sample is not None and sample.rows else None
        # What imagemill wrote names its columns; nothing is guessed from its cells.
        self.own = "key" in names or self.sample is None
        self.box: BoxColumns | None = None
        self.hot: tuple[int, ...] = ()
        self.separator: str | None = options.labels_separator
        self.trails: dict[int, Trail] = {}
        self.why: dict[str, str] = {}
        self.notes: list[str] = []

    def free(self) -> list[int]:
        """Columns without a role."""
        taken = {*self.roles.values(), *self.hot, *(self.box.numbers if self.box else ())}
        return [n for n in range(len(self.names)) if n not in taken]

    def decide(self) -> None:
        """Find all roles, the surest first."""
        if "boxes" not in self.roles and not self.own:
            self._find_box()
        self._find_image()
        if "image" not in self.roles:
            return
        self._find_runs()
        for role in ROLES:
            if role not in self.roles and role not in ("image", "runs"):
                self._by_name(role)
        if not self.own:
            self._find_split()
            self._find_boxes()
            if not {"label", "labels"} & self.roles.keys():
                self._find_label()
            self._find_several()

    def _by_name(self, role: str) -> None:
        usual = ROLES[role]
        found = [n for n in self.free() if role_of(self.names[n]) == role and self._fits(role, n)]
        if found:
            self.roles[role] = min(found, key=lambda n: rank_of(self.names[n], usual))

    def _fits(self, role: str, number: int) -> bool:
        """Whether the cells of a column do not speak against a role that its name suggests."""
        if self.sample is None or self.own:
            return True
        seen = self.sample.seen(number)
        if not seen.cells:
            return True
        if role == "mask":
            return seen.pictures > 0 or self._seen(number).pictures > 0
        if role in ("label", "labels"):
            return seen.share("file", "picture", "pixels", "address", "missing") < 0.5
        return True

    def _seen(self, number: int) -> Seen:
        """A column with its files looked for elsewhere."""
        assert self.sample is not None
        seen = self.sample.seen(number, search=True)
        if seen.trail is not None and (seen.trail.anywhere or seen.share("file")):
            self.trails[number] = seen.trail
        return seen

    def _find_box(self) -> None:
        assert self.sample is not None
        box = box_columns(self.names) or self._unnamed_box()
        if box is None or set(box.numbers) & set(self.roles.values()):
            return
        numbers = [self.sample.seen(n) for n in box.numbers]
        if any(seen.cells for seen in numbers) and all(
            not seen.cells or seen.share("number", "integer", "binary") > 0.5 for seen in numbers
        ):
            self.box = box

    def _unnamed_box(self) -> BoxColumns | None:
        """Four columns of numbers side by side in a table without names, the only ones."""
        assert self.sample is not None
        if not all(name.isdecimal() for name in self.names):
            return None
        found = [n for n in self.free() if self.sample.seen(n).share("number", "integer", "binary") == 1.0]
        if len(found) != 4 or found[3] - found[0] != 3:
            return None
        rows = [[row[n] for n in found] for row in self.sample.rows if not any(is_empty(row[n]) for n in found)]
        corners = all(float(a) < float(c) and float(b) < float(d) for a, b, c, d in rows)
        form = "xyxy" if corners else "xywh"
        self.notes.append(
            f"columns without names hold four numbers, taken as a box ({_SAID[form]}); extra={{'boxes': 'xywh'}} "
            "(--option boxes=xywh) says another form"
        )
        return BoxColumns(form, tuple(found))

    def _find_image(self) -> None:
        if "image" in self.roles:
            if self.sample is not None:
                self._seen_if_missing(self.roles["image"])
            return
        names = self.names
        if self.sample is None or "key" in names:
            self._by_name("image")
            return
        scores = {n: self._image_score(n, search=False) for n in self.free()}
        if max(scores.values(), default=0.0) < 0.9:
            # Searching lists the whole folder: only where no column names files as they are.
            scores = {n: max(score, self._image_score(n, search=True)) for n, score in scores.items()}
        best = max(scores, key=lambda n: (round(scores[n], 3), -n), default=-1)
        if best < 0 or scores[best] <= 0.3:
            return
        self.roles["image"] = best
        self._seen_if_missing(best)
        if role_of(names[best]) != "image":
            self.why["image"] = "by what stands in it"
        by_name = [n for n in self.free() if role_of(names[n]) == "image" and scores[n] < 0.5 < scores[best]]
        also = [n for n in self.free() if scores[n] > 0.8 and role_of(names[n]) not in ("image", "mask")]
        for n in by_name:
            if not self.sample.seen(n).pictures:
                self.notes.append(f"{names[n]!r} holds no images; if it does, {said('image', names[n])}")
        for n in also:
            self.notes.append(f"{names[n]!r} names pictures too; {said('image', names[n])} takes those instead")

    def _image_score(self, number: int, *, search: bool) -> float:
        assert self.sample is not None
        name = self.names[number]
        seen = self.sample.seen(number, search=search)
        role = role_of(name)
        if role == "image" and not self.options.urls and seen.share("address", "page") > 0.5:
            return seen.pictures  # files that are there come before addresses that may not be fetched
        if role == "image":
            return seen.pictures + 0.35 - 0.002 * rank_of(name, ROLES["image"])[1]
        if not seen.pictures:
            return 0.0
        bonus = 0.2 if squashed(name) in MAYBE["image"] else 0.0
        # A page is an address of anything; a column that is called like something else is that first.
        # So is a number, which may be anything, also where files are called by numbers.
        if not bonus and (seen.share("page") > 0.5 or seen.share("numbered")):
            return 0.0
        return seen.pictures + bonus - (0.6 if role is not None else 0.0)

    def _seen_if_missing(self, number: int) -> None:
        """Look for the files of a column elsewhere, where some are not there as they are written."""
        assert self.sample is not None
        seen = self.sample.seen(number)
        if seen.share("file", "picture", "pixels", "address", "page") < 1.0 and seen.cells:
            self._seen(number)

    def _find_runs(self) -> None:
        if "runs" in self.roles:
            return
        self._by_name("runs")
        if "runs" in self.roles or self.own or self.sample is None:
            return
        for n in self.free():
            if squashed(self.names[n]) in MAYBE["runs"] and self.sample.seen(n).share("runs") > 0.8:
                self.roles["runs"], self.why["runs"] = n, "by what stands in it"
                return

    def _find_boxes(self) -> None:
        assert self.sample is not None
        if self.box is not None or "boxes" in self.roles:
            return
        found = [n for n in self.free() if self._boxes_share(n) > 0.8]
        if len(found) == 1:
            self.roles["boxes"], self.why["boxes"] = found[0], "by what stands in it"

    def _boxes_share(self, number: int) -> float:
        assert self.sample is not None
        seen = self.sample.seen(number)
        some = seen.share("box", "annotations") > 0
        return seen.share("box", "annotations", *(("list",) if some else ()))

    def _find_split(self) -> None:
        """A column in which every cell names a part; or one such as ``is_train``."""
        assert self.sample is not None
        if "split" in self.roles:
            return
        for n in self.free():
            name, seen = self.names[n], self.sample.seen(n)
            if not seen.cells:
                continue
            if flag_splits(name) is not None and seen.share("binary") == 1.0:
                self.roles["split"] = n
                return
            texts = {str(cell) for cell in self.sample.column(n) if cell is not None and str(cell).strip()}
            if seen.share("text") > 0.5 and all(normal_split(text) is not None for text in texts):
                self.roles["split"] = n
                if squashed(name) not in MAYBE["split"]:
                    self.why["split"] = "by what stands in it"
                return

    def _find_label(self) -> None:
        """A column that looks like classes, or columns of 0 and 1; where several may be, none, and that is said."""
        assert self.sample is not None
        free = self.free()
        hot = self._hot([n for n in free if self._is_hot(n)])
        like = [n for n in free if n not in hot and self._like_class(n)]
        named = [n for n in free if n not in hot and self._called_class(n)]
        texts = [n for n in like if self.sample.seen(n).share("text") > 0.5]
        several = [n for n in free if squashed(self.names[n]) in MAYBE["labels"]]
        pixels = self.sample.seen(self.roles["image"]).share("pixels", "picture") > 0.5
        if (
            not named
            and pixels
            and len(free) == 1
            and self.sample.seen(free[0]).share("text", "integer", "binary") == 1.0
        ):
            like = free
        chosen = next((group for group in (named, texts, like) if len(group) == 1), None)
        if several and not named:
            self.roles["labels"] = several[0]
        elif len(hot) > 1 and not named and (len(hot) > 2 or not texts):
            self.hot = tuple(hot)
            self.why["labels"] = "one column for each class"
        elif chosen is not None:
            self.roles["label"] = chosen[0]
            self.why["label"] = (
                "" if chosen is named else f"few different values: {self.sample.seen(chosen[0]).distinct}"
            )
        elif named:
            self.roles["label"] = min(named, key=lambda n: (self.sample.seen(n).share("text") < 0.5, n))  # type: ignore[union-attr]
        elif like:
            shown = ", ".join(repr(self.names[n]) for n in like[:6])
            self.notes.append(
                f"no column is called like a class, and {shown} may be: {said('label', self.names[like[0]])}"
            )

    def _like_class(self, number: int) -> bool:
        """Whether the cells of a column look like classes, and its name does not speak against it."""
        assert self.sample is not None
        name, seen = self.names[number], self.sample.seen(number)
        # Annotations with classes of their own need none beside them.
        if not seen.like_label or role_of(name) is not None or self._annotations_named():
            return False
        words = {squashed(name), *plain_name(name).replace(".", "_").split("_")}
        # What is called like a number of a row is one unless it comes again.
        return not words & NO_LABEL and (seen.repeats or not squashed(name).endswith("id"))

    def _annotations_named(self) -> bool:
        assert self.sample is not None
        boxes = self.roles.get("boxes")
        return "categories" in self.roles or (boxes is not None and self.sample.seen(boxes).share("annotations") > 0.0)

    def _is_hot(self, number: int) -> bool:
        """Whether a column holds 0 or 1 in every row."""
        assert self.sample is not None
        seen = self.sample.seen(number)
        filled = seen.cells == seen.rows and seen.share("binary") == 1.0
        return filled and squashed(self.names[number]) not in NO_LABEL

    def _hot(self, numbers: list[int]) -> list[int]:
        """Columns of 0 and 1 that are classes: one of them in every row, or most of them with both values."""
        assert self.sample is not None
        if len(numbers) < 2:
            return []
        rows = [[str(row[n]).lower() in ("1", "1.0", "true") for n in numbers] for row in spread(self.sample.rows)]
        both = sum(any(column) and not all(column) for column in zip(*rows, strict=True))
        return numbers if all(sum(row) == 1 for row in rows) or 2 * both > len(numbers) else []

    def _called_class(self, number: int) -> bool:
        """Whether a column is called like a class, and its cells may be some."""
        assert self.sample is not None
        if self._annotations_named():
            return False
        if squashed(self.names[number]) == "y" and "x" in map(squashed, self.names):
            return False
        words = set(plain_name(self.names[number]).replace(".", "_").split("_"))
        called = squashed(self.names[number]) in MAYBE["label"] or words & CLASS_WORDS
        return bool(called) and self.sample.seen(number).share("text", "integer", "binary") >= 0.95

    def _find_several(self) -> None:
        """Whether cells hold one label each, or several."""
        assert self.sample is not None
        for role in ("labels", "label"):
            if role not in self.roles or role in self.told:
                continue
            number = self.roles[role]
            found = separator_of(
                self.sample.column(number), plural=role == "labels", told=self.options.labels_separator
            )
            if found is None and role == "labels" and "label" not in self.roles:
                self.roles["label"] = self.roles.pop("labels")
            elif found is not None and role == "label" and "labels" not in self.roles:
                self.roles["labels"] = self.roles.pop("label")
            if found not in (None, LIST) and self.separator is None:
                self.separator = found
                if found in (" ", ","):
                    self.notes.append(
                        f"{self.names[number]!r} holds several labels with {found!r} between, for they come alone or "
                        f"in other company too; labels_separator='|' (--option labels_separator=|) takes them whole"
                    )
            return

    def columns(self) -> Columns:
        """What was found, and what to say of it."""
        names = self.names
        roles = {role: self.roles[role] for role in ROLES if role in self.roles}
        taken = [
            f"{role} from {names[n]!r}" + (f" ({self.why[role]})" if self.why.get(role) else "")
            for role, n in roles.items()
            if role not in self.told
        ]
        if self.box is not None:
            taken.append(f"boxes from {', '.join(repr(names[n]) for n in self.box.numbers)} ({_SAID[self.box.form]})")
        if self.hot:
            shown = ", ".join(repr(names[n]) for n in self.hot[:8]) + (", ..." if len(self.hot) > 8 else "")
            taken.append(f"labels from {shown} (one column for each class)")
        notes = []
        if taken and (self.options.columns or roles != {"image": 0} or self.box or self.hot or self.why):
            notes.append(f"took {', '.join(taken)}")
        if set(self.why) & {"image", "label", "labels", "runs", "boxes", "split"}:
            role = next(iter(self.why))
            left = [names[n] for n in self.free()]
            rest = f"; left as they are: {', '.join(map(repr, left[:8]))}" if left else ""
            notes.append(f"where that is wrong, {said(role, 'NAME')} says which{rest}")
        rest_numbers = [n for n in self.free()]
        also = sorted(
            (n for n in rest_numbers if role_of(names[n]) == "image" and plain_name(names[n]) not in ("url", "uri")),
            key=lambda n: rank_of(names[n], ROLES["image"]),
        )
        attributes = tuple((n, names[n].removeprefix(ATTRIBUTE)) for n in rest_numbers)
        return Columns(
            roles, attributes, tuple(also), (*notes, *self.notes), self.told, self.box, self.hot, self.separator,
            self.trails,
        )  # fmt: skip


_SAID = {
    "xyxy": "left, top, right, bottom",
    "xywh": "left, top, width, height",
    "centre": "centre, width, height",
}


def _told(role: str, column: str, names: Sequence[str], table: str) -> int:
    """The number of a column that the user named."""
    if role not in ROLES:
        raise SourceError(f"expected roles of {', '.join(ROLES)}, got {role!r}; choose one of them")
    if column in names:
        return list(names).index(column)
    if str(column).isdecimal() and int(column) < len(names):
        return int(column)
    msg = f"expected a column {column!r} in {table} for {role}, got {', '.join(map(repr, names[:12]))}"
    raise SourceError(f"{msg}; choose one of them, or a number from 0")
