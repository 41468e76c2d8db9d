"""Links and anchors of Markdown pages, as GitHub and the site resolve them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})")
_CODE = re.compile(r"(?P<marks>`+)(?!`).*?(?<!`)(?P=marks)(?!`)", re.DOTALL)
_LINK = re.compile(r"(?P<head>!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\()(?P<target>[^()\s]+)(?P<tail>(?:\s+\"[^\"]*\")?\))")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(?P<text>.+?)\s*#*\s*$")
_ID = re.compile(r"""\bid=["']([^"']+)["']""")


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page: where it is written and what it names."""

    line: int
    target: str

    @property
    def outside(self) -> bool:
        """Whether it leads to another site."""
        return re.match(r"[a-z][a-z0-9+.-]*:", self.target) is not None

    @property
    def page(self) -> str:
        """The file it names, nothing where it stays on its page."""
        return self.target.partition("#")[0]

    @property
    def anchor(self) -> str:
        """The place on that page, nothing where it names none."""
        return self.target.partition("#")[2]


def prose(text: str) -> list[str]:
    """The lines of a page; those of fenced blocks are empty, so that numbers stay."""
    lines, marks = [], ""
    for line in text.splitlines():
        fence = _FENCE.match(line)
        inside = bool(marks)
        if fence and not marks:
            marks = fence["marks"]
        elif fence and marks and line.strip().startswith(marks) and not line.strip().strip(marks[0]):
            marks = ""
        lines.append("" if inside or fence else line)
    return lines


def links(text: str) -> Iterator[Link]:
    """Every link and picture of a page, outside of code.

    Examples
    --------
    >>> [link.target for link in links("See [a](b.md#c), `[no](link)` and ![d](e.png).")]
    ['b.md#c', 'e.png']
    """
    whole = _without_code("\n".join(prose(text)))
    for found in _LINK.finditer(whole):
        yield Link(whole.count("\n", 0, found.start("target")) + 1, found["target"])


def rewritten(text: str, change: Callable[[str], str]) -> str:
    """The page with every link's target changed, code left as it is."""
    visible = _without_code("\n".join(prose(text)))
    text = "\n".join(text.splitlines())
    # Blanked lines are shorter: links are found line by line in both.
    starts, made, at = _offsets(text), [], 0
    shown = _offsets(visible)
    for found in _LINK.finditer(visible):
        line = visible.count("\n", 0, found.start("target"))
        begin = starts[line] + found.start("target") - shown[line]
        made += [text[at:begin], change(found["target"])]
        at = begin + len(found["target"])
    return "".join([*made, text[at:]]) + "\n"


def _offsets(text: str) -> list[int]:
    at, found = 0, []
    for line in text.split("\n"):
        found.append(at)
        at += len(line) + 1
    return found


def _without_code(text: str) -> str:
    """Inline code as blanks of the same length."""
    return _CODE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def anchors(text: str) -> set[str]:
    r"""What a link may name on a page: its headings as GitHub writes them, and ids of its HTML.

    Examples
    --------
    >>> sorted(anchors("# One `two`\n\n## One two\n"))
    ['one-two', 'one-two-1']
    """
    seen: Counter[str] = Counter()
    found = set(_ID.findall(text))
    for line in prose(text):
        if heading := _HEADING.match(line):
            name = slug(heading["text"])
            found.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    return found


def slug(heading: str) -> str:
    """A heading as the name of its anchor."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def broken(pages: Mapping[str, str], files: set[str]) -> list[str]:
    """Links within a set of pages that lead nowhere, as ``page:line: target``.

    Parameters
    ----------
    pages : mapping of str to str
        Texts by path, with forward slashes.
    files : set of str
        Everything else a link may name.

    Examples
    --------
    >>> broken({"a.md": "[b](b.md#there) [c](c.md)", "b.md": "# Here"}, set())
    ['a.md:1: b.md#there', 'a.md:1: c.md']
    """
    found = []
    for name, text in pages.items():
        for link in links(text):
            if link.outside:
                continue
            target = resolved(name, link.page)
            good = target in pages or target in files
            if good and link.anchor and target in pages:
                good = link.anchor in anchors(pages[target])
            if not good:
                found.append(f"{name}:{link.line}: {link.target}")
    return found


def resolved(page: str, target: str) -> str:
    """The path that a page's link names, itself where it names no page."""
    parts = page.split("/")[:-1] if target else page.split("/")
    for part in target.split("/") if target else ():
        if part == "..":
            if not parts:
                return target  # out of the tree: no page has this name
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
