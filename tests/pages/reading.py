"""Reading a page as a browser and a screen reader do."""

from __future__ import annotations

import base64
import hashlib
import itertools
from html.parser import HTMLParser

VOID = ("meta", "img", "br", "hr", "input", "link")


class Reader(HTMLParser):
    """Tags in order with their attributes and the text inside; an end that fits no beginning is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[int] = []
        self.parts: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.parts.append([])
        if tag not in VOID:
            self.open.append(len(self.tags) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.tags[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for place in self.open:
            self.parts[place].append(data)

    def all(self, *names: str) -> list[tuple[dict[str, str], str]]:
        """Attributes and text of every tag of some names."""
        return [(a, "".join(text)) for (tag, a), text in zip(self.tags, self.parts, strict=True) if tag in names]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == [], "tags that are left open"
    return reader


def flaws(text: str) -> list[str]:
    """What a person without a mouse, without eyes or without a network would meet on a page."""
    reader = read(text)
    found = []
    levels = [int(tag[1]) for tag, _ in reader.tags if tag in ("h1", "h2", "h3", "h4")]
    if levels[:1] != [1] or levels.count(1) != 1 or any(b > a + 1 for a, b in itertools.pairwise(levels)):
        found.append(f"headings {levels}")
    names = [tag for tag, _ in reader.tags]
    found += [f"no {name}" for name in ("main", "header", "title", "style") if name not in names]
    if [a["lang"] for a, _ in reader.all("html")] != ["en"]:
        found.append("no language")
    ids = [a["id"] for _, a in reader.tags if "id" in a]
    found += [f"two of {name}" for name in set(ids) if ids.count(name) > 1]
    wanted = [a["href"] for a, _ in reader.all("a")] + [
        f"#{a[k]}" for _, a in reader.tags for k in ("aria-labelledby",) if k in a
    ]
    found += [f"{href} leads nowhere" for href in wanted if href.removeprefix("#") not in ids]
    found += [f"a picture without words: {a}" for a, _ in reader.all("img") if not a.get("alt")]
    found += ["a head of a table without scope" for a, _ in reader.all("th") if a.get("scope") not in ("col", "row")]
    for a, said in reader.all("svg"):
        if a.get("aria-hidden") != "true" and (a.get("role") != "img" or not a.get("aria-label") or not said):
            found.append(f"a drawing without words: {a}")
    found += [
        f"a frame that scrolls without the keyboard: {a}"
        for a, _ in reader.all("div")
        if a.get("class") == "scroll" and a.get("tabindex") != "0"
    ]
    outside = [a[k] for _, a in reader.tags for k in ("src", "href", "xlink:href") if k in a]
    found += [f"from outside: {where}" for where in outside if not where.startswith(("data:", "#"))]
    found += [f"in the style: {word}" for word in ("url(", "@import") for _, css in reader.all("style") if word in css]
    found += [tag for tag in names if tag in ("link", "iframe", "object", "embed", "form")]
    policy = "".join(a["content"] for a, _ in reader.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    for a, said in reader.all("script"):
        digest = base64.b64encode(hashlib.sha256(said.encode()).digest()).decode()
        if a or f"script-src 'sha256-{digest}'" not in policy:
            found.append("a script that a browser would not run, or of another place")
    return found
