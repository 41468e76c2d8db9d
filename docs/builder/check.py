"""Whether every link of the built site leads somewhere: files are there, and so are the places on them."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what leads nowhere, as ``page: target``."""

    pages: int
    links: int
    broken: list[str]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.ids |= {value for key in ("id", "name") if (value := said.get(key))}
        for key in ("href", "src", "srcset", "data"):
            if value := said.get(key):
                self.targets.add(value)


def checked(site: Path) -> Checked:
    """Follow every link within a site, pictures, styles and scripts among them."""
    pages: dict[Path, _Page] = {}
    for path in sorted(site.rglob("*.html")):
        pages[path] = _Page()
        pages[path].feed(path.read_text("utf-8"))
    total, broken = 0, []
    for path, page in pages.items():
        for target in sorted(page.targets):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            total += 1
            if not _leads(path, unquote(parts.path), unquote(parts.fragment), pages):
                broken.append(f"{path.relative_to(site).as_posix()}: {target}")
    return Checked(len(pages), total, broken)


def _leads(page: Path, path: str, fragment: str, pages: dict[Path, _Page]) -> bool:
    there = (page.parent / path).resolve() if path else page
    if not there.is_file():
        return False
    return not fragment or there not in pages or fragment in pages[there].ids
