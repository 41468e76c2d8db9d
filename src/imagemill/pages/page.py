"""One page that holds everything: a single file that needs no network, for screens, paper and screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from imagemill.pages.blocks import Block, inner
from imagemill.pages.markup import Element, markup_of, tag
from imagemill.pages.page_style import style
from imagemill.pages.table_script import SCRIPT, SCRIPT_HASH

__all__ = ["Section", "fragment", "page"]

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a browser may load for the page: nothing that is not in it."""

_WITH_SCRIPT = f"{_POLICY}; script-src '{SCRIPT_HASH}'"
"""The same with the script of searched tables, where there is one; a script of any other text does not run."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page.

    Parameters
    ----------
    title : str
    blocks : sequence of str, or of what has ``element()``
        Text is a paragraph.
    """

    title: str
    blocks: Sequence[Block | str] = field(default=())


def page(title: str, lead: Sequence[Block | str], sections: Sequence[Section], footer: str = "") -> str:
    """Make a self-contained HTML page; all text is escaped.

    Parameters
    ----------
    title : str
    lead : sequence of str or blocks
        Below the title, before the list of sections.
    sections : sequence of Section
    footer : str

    Returns
    -------
    str

    Examples
    --------
    >>> ">a &lt;b&gt;</h2>" in page("t", [], [Section("a <b>")])
    True
    """
    content = tag(
        "div",
        tag("header", tag("h1", title), inner(lead), _contents(sections)),
        tag("main", (_section(n, s) for n, s in enumerate(sections, 1)), id="content", tabindex=-1),
        tag("footer", footer) if footer else None,
        class_="page",
    )
    searched = content.find(".//table[@class='searched']") is not None
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_WITH_SCRIPT if searched else _POLICY),
        tag("title", title),
        tag("style", style()),
    )
    skip = tag("a", "Skip to the content", class_="skip", href="#content")
    body = tag("body", skip, content, tag("script", SCRIPT) if searched else None, class_="im")
    return "<!DOCTYPE html>\n" + markup_of(tag("html", head, body, lang="en")) + "\n"


def fragment(blocks: Sequence[Block | str]) -> str:
    """Markup for within another page, such as a notebook's, with the style it needs.

    Examples
    --------
    >>> fragment(["1 < 2"]).endswith("<p>1 &lt; 2</p></div>")
    True
    """
    return markup_of(tag("div", tag("style", style(whole=False)), inner(blocks), class_="im"))


def _contents(sections: Sequence[Section]) -> Element | None:
    if len(sections) < 2:
        return None
    listed = (tag("li", tag("a", s.title, href=f"#part-{n}")) for n, s in enumerate(sections, 1))
    return tag("nav", tag("ul", listed), aria_label="Contents")


def _section(number: int, section: Section) -> Element:
    title = tag("h2", section.title, id=f"title-{number}")
    return tag("section", title, inner(section.blocks), id=f"part-{number}", aria_labelledby=f"title-{number}")
