"""Parts of drawings: lines, letters, marks, and the frame that gives them a title and a description."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imagemill.pages.blocks import Block
from imagemill.pages.markup import Element, tag

__all__ = ["drawing", "drawn_wide_and_narrow", "figure", "line", "marker", "path", "text"]


def drawing(width: float, height: float, title: str, description: str, parts: Iterable[Element]) -> Element:
    """A whole drawing, which a screen reader says the title and the description of."""
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description),
        parts,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=f"{title}. {description}" if description else title,
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Element:
    """A straight line."""
    return tag("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=kind)


def path(points: Sequence[tuple[float, float]], kind: str) -> Element:
    """A line through points."""
    return tag("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), class_=kind)


def text(x: float, y: float, words: str, kind: str = "", anchor: str | None = None) -> Element:
    """Letters on a base line; ``anchor`` is ``"middle"`` or ``"end"``."""
    return tag("text", words, x=float(x), y=float(y), class_=kind or None, text_anchor=anchor)


def marker(x: float, y: float, word: str = "") -> Element:
    """A mark whose shape says the verdict: up, down, round and hollow, or a dot."""
    if word in ("helps", "harms"):
        tip = -6 if word == "helps" else 6
        points = f"M{x - 5.5:.1f} {y - tip * 0.7:.1f}h11L{x:.1f} {y + tip:.1f}z"
        return tag("path", d=points, class_="dot")
    return tag("circle", cx=float(x), cy=float(y), r=4.5, class_="hollow" if word == "no difference seen" else "dot")


def figure(caption: str, parts: Iterable[Element], below: Sequence[Block] = ()) -> Element:
    """A figure with its caption above, and what belongs to it below."""
    return tag("figure", tag("figcaption", caption), parts, (block.element() for block in below))


def drawn_wide_and_narrow(
    title: str, wide: Element, narrow: Element, table: Block, legend: Sequence[tuple[str, Element]] = ()
) -> Element:
    """A figure drawn twice, of which a screen shows one: letters stay as large as on the rest of the page."""
    both = [tag("div", wide, class_="wide"), tag("div", narrow, class_="narrow")]
    return figure(title, [*both, *([legend_of(legend)] if legend else ())], [table])


def legend_of(entries: Sequence[tuple[str, Element]]) -> Element:
    """Samples of lines and what they stand for."""
    listed = []
    for name, sample in entries:
        swatch = tag("svg", sample, viewBox="0 0 26 12", width=26, height=12, aria_hidden="true")
        listed.append(tag("li", swatch, name))
    return tag("ul", listed, class_="legend")
