"""Cards: a few things side by side, each a word, a sentence and small pictures, leading to where more is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from imagemill.pages.blocks import Block, Figure, Word
from imagemill.pages.markup import Element, tag

__all__ = ["Beside", "Card", "Cards", "Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one sentence that a page is opened for, with the sign and colour of a word."""

    said: str
    word: Word

    def element(self) -> Element:
        """Make the sign and the sentence; the word itself is not read, the sentence says it."""
        return tag("p", self.word.beside(self.said), class_="verdict")


@dataclass(frozen=True, slots=True)
class Card:
    """One of them.

    Parameters
    ----------
    word : Word
        What kind it is, such as an error.
    title, text : str
        The text is cut after a few lines; the place it leads to says all of it.
    to : str
        The anchor of that place.
    pictures : sequence of Figure
    """

    word: Word
    title: str
    text: str
    to: str
    pictures: Sequence[Figure] = field(default=())

    def element(self) -> Element:
        """Make an item of a list."""
        pictures = tag("div", (one.image() for one in self.pictures), class_="thumbs") if self.pictures else None
        head = tag("h3", tag("a", self.title, href=f"#{self.to}"))
        return tag("li", tag("div", self.word.element(), head, tag("p", self.text)), pictures)


@dataclass(frozen=True, slots=True)
class Cards:
    """Cards below a heading.

    Examples
    --------
    >>> from imagemill.pages.markup import markup_of
    >>> made = Cards("To mend", [Card(Word("error"), "Leak", "2 images", "leak")])
    >>> '<h3><a href="#leak">Leak</a></h3><p>2 images</p>' in markup_of(made.element())
    True
    """

    title: str
    cards: Sequence[Card]

    def element(self) -> Element:
        """Make the heading and the list."""
        listed = tag("ul", (card.element() for card in self.cards), class_="cards")
        return tag("div", tag("h2", self.title), listed, class_="first")


@dataclass(frozen=True, slots=True)
class Beside:
    """Blocks beside each other, as many in a row as the screen is wide."""

    blocks: Sequence[Block]

    def element(self) -> Element:
        """Make a grid."""
        return tag("div", (block.element() for block in self.blocks), class_="panels")
