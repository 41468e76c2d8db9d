"""What a page is made of besides plots: paragraphs, tables, code, pictures, and what is folded away."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.pages.markup import Element, tag

__all__ = [
    "Block",
    "Cell",
    "Code",
    "Fact",
    "Facts",
    "Figure",
    "Folded",
    "Link",
    "Part",
    "Pictures",
    "Table",
    "Word",
    "inner",
]

_QUALITY = 82
_NUMBER = re.compile(r"^[-+−–]?[\d.,]*\d?( ?%)?( ± [\d.]+)?( \[.*\])?$")
_MARKS = {
    "helps": ("▲", "good"), "harms": ("▼", "bad"), "no difference seen": ("○", ""), "diverged": ("✕", "bad"),
    "error": ("✕", "bad"), "warning": ("◆", "warn"), "note": ("●", ""), "yes": ("✓", "good"),
}  # fmt: skip
"""Signs beside words that are coloured, so that colour says nothing alone."""


class Block(Protocol):
    """A part of a page that can be drawn."""

    def element(self) -> Element:
        """Make its markup."""


@dataclass(frozen=True, slots=True)
class Word:
    """A verdict, coloured and with a sign of its own; other words stay as they are.

    Examples
    --------
    >>> from imagemill.pages.markup import markup_of
    >>> markup_of(Word("helps").element())
    '<span class="good"><span class="mark" aria-hidden="true">▲</span> helps</span>'
    """

    text: str
    said: str = ""
    key: str | None = None
    """What a table is sorted by in its place."""

    def beside(self, words: str) -> Element:
        """Make the sign, and words in its colour."""
        mark, kind = _MARKS.get(self.text, ("–", ""))
        return tag("span", tag("span", mark, class_="mark", aria_hidden="true"), f" {words}", class_=kind or None)

    def element(self) -> Element:
        """Make the sign and the word; ``said`` follows uncoloured."""
        word = self.beside(self.text)
        return tag("span", word, " ", tag("span", self.said, class_="whole")) if self.said else word


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to another place of the page."""

    text: str
    to: str

    def element(self) -> Element:
        """Make the link."""
        return tag("a", self.text, href=f"#{self.to}")


Cell = str | Word | Link
"""What stands in a cell of a table."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows and columns with a caption; the first columns head their rows.

    Parameters
    ----------
    caption : str
    columns : sequence of str
    rows : sequence of sequences of str or Word
    heads : int
        How many columns, from the left, say what a row is about.
    searched : sequence of str, optional
        Readers search and sort the table, a hundred rows at a time, and may ask for one value of these columns; without
        scripts, in print and in a notebook it is an ordinary table.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    heads: int = 1
    searched: Sequence[str] | None = None

    def element(self) -> Element:
        """Make the table, in a frame that scrolls by itself and takes the keyboard."""
        numbers = {
            place
            for place in range(self.heads, len(self.columns))
            if all(isinstance(row[place], str) and _NUMBER.match(str(row[place])) for row in self.rows)
        }
        head = tag("tr", (self._head(name, place in numbers) for place, name in enumerate(self.columns)))
        body = tag("tbody", (tag("tr", (self._cell(c, p, p in numbers) for p, c in enumerate(r))) for r in self.rows))
        kind = None if self.searched is None else "searched"
        whole = tag("table", _caption(self.caption), tag("thead", head), body, class_=kind)
        return tag("div", whole, class_="scroll", tabindex=0, role="group", aria_label=self.caption or "table")

    def _head(self, name: str, number: bool) -> Element:  # noqa: FBT001 - of a column
        choose = "" if self.searched and name in self.searched else None
        return tag("th", name, scope="col", class_="n" if number else None, data_choose=choose)

    def _cell(self, cell: Cell, place: int, number: bool) -> Element:  # noqa: FBT001 - of a column
        inside = cell if isinstance(cell, str) else cell.element()
        key = cell.key if isinstance(cell, Word) else None
        if place < self.heads:
            return tag("th", inside, scope="row", data_key=key)
        return tag("td", inside, class_="n" if number else None, data_key=key)


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value; ``good`` marks a check that passed or failed."""

    name: str
    value: str
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values side by side."""

    facts: Sequence[Fact | tuple[str, str]]
    caption: str = ""

    def element(self) -> Element:
        """Make a table without heads of columns."""
        rows = []
        for one in self.facts:
            fact = one if isinstance(one, Fact) else Fact(*one)
            kind = None if fact.good is None else "good" if fact.good else "bad"
            rows.append(tag("tr", tag("th", fact.name, scope="row"), tag("td", fact.value, class_=kind)))
        whole = tag("table", _caption(self.caption), tag("tbody", rows))
        return tag("div", whole, class_="scroll", tabindex=0, role="group", aria_label=self.caption or "facts")


@dataclass(frozen=True, slots=True)
class Code:
    """Text in a fixed pitch, shown as it is."""

    text: str
    caption: str = ""

    def element(self) -> Element:
        """Make it, with its caption above."""
        caption = tag("div", self.caption, class_="quiet") if self.caption else None
        return tag("div", caption, tag("pre", self.text, tabindex=0), class_="code")


@dataclass(frozen=True, eq=False)
class Figure:
    """A picture with its caption, which is also what a screen reader says.

    Parameters
    ----------
    rgb : array ``[y, x]`` or ``[y, x, 3]``, uint8
    caption : str
    photo : bool
        Stored as a JPEG, a fifth as large, and smoothed where a screen enlarges it; otherwise every pixel is kept.
    """

    rgb: npt.NDArray[np.uint8]
    caption: str
    photo: bool = False

    @cached_property
    def uri(self) -> str:
        """The picture itself as a ``data:`` address."""
        stored = self.rgb if self.rgb.ndim == 2 else np.ascontiguousarray(self.rgb[..., ::-1])
        if self.photo:
            _, data = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        else:
            _, data = cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        kind = "jpeg" if self.photo else "png"
        return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode('ascii')}"

    def image(self) -> Element:
        """Make the picture alone."""
        height, width = self.rgb.shape[:2]
        kind = "photo" if self.photo else None
        return tag("img", src=self.uri, width=width, height=height, alt=self.caption, class_=kind)

    def element(self) -> Element:
        """Make the picture and its caption."""
        return tag("figure", self.image(), tag("figcaption", self.caption, aria_hidden="true"))


@dataclass(frozen=True, slots=True)
class Pictures:
    """Small pictures in rows, each with a few words; of large ones a phone shows two in a row and a desk four."""

    pictures: Sequence[Figure]
    caption: str
    large: bool = False

    def element(self) -> Element:
        """Make a list, so that a reader hears how many there are."""
        listed = (tag("li", one.image(), tag("span", one.caption, aria_hidden="true")) for one in self.pictures)
        return tag(
            "figure",
            tag("figcaption", self.caption),
            tag("ul", listed, class_="pictures large" if self.large else "pictures"),
        )


@dataclass(frozen=True, slots=True)
class Folded:
    """Blocks behind a line that opens them."""

    title: str
    blocks: Sequence[Block | str]
    on_paper: bool = True
    """Whether its title is printed where it is closed."""

    def element(self) -> Element:
        """Make it, closed."""
        inside = tag("summary", self.title), inner(self.blocks)
        return tag("details", *inside, class_=None if self.on_paper else "screen")


@dataclass(frozen=True, slots=True)
class Part:
    """Blocks below a heading of the third order."""

    title: str | Word
    blocks: Sequence[Block | str] = field(default=())
    anchor: str | None = None
    """What links lead to."""

    def element(self) -> Element:
        """Make the heading and what stands below it."""
        title = self.title if isinstance(self.title, str) else self.title.element()
        return tag("div", tag("h3", title), inner(self.blocks), id=self.anchor)


def _caption(words: str) -> Element | None:
    # The frame around a table is narrower than the table on a phone: the words keep to the frame.
    return tag("caption", tag("span", words)) if words else None


def inner(blocks: Sequence[Any]) -> list[Element]:
    """Markup of blocks; text is a paragraph."""
    return [tag("p", one) if isinstance(one, str) else one.element() for one in blocks]
