"""The site's pages: which files of the project they are, and what is made around them.

A page of the project keeps its links to other files of the project; here they become links within the site. Names and
commands in running text become links to their reference, once a page.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.builder import commands, links, names
from docs.builder.gallery import Gallery

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "LICENSE": "project/LICENSE.txt",
    "bench/results.md": "benchmarks/side-by-side.md",
    "bench/feed/results.md": "benchmarks/loaders.md",
}
"""Files outside of docs/ that are part of the site."""

NAVIGATION = {
    "Learn": ("tutorials/index", "how-to/index", "concepts/index"),
    "Look up": (
        *("reference/python/index", "gallery/index", "reference/commands/index", "reference/transforms"),
        *("reference/layouts", "reference/formats", "reference/translation", "reference/glossary"),
    ),
    "Measured": (
        *("benchmarks/side-by-side", "benchmarks/transforms", "benchmarks/loaders", "benchmarks/decoding"),
        *("benchmarks/training-step", "benchmarks/prepare"),
        *(
            "benchmarks/index",
            "benchmarks/translated",
            "benchmarks/one-resample",
            "benchmarks/audit",
            "benchmarks/corruptions",
            "benchmarks/turned-volumes",
            "benchmarks/photo-kernel",
            "experiments/index",
        ),
    ),
    "Project": ("project/contributing", "design/architecture", "design/dependencies", "project/changelog"),
}
"""The sidebar: the pages at the top, by caption. What is below an index is on its list, in its order."""

LISTS = ("tutorials/index", "how-to/index", "concepts/index", "reference/commands/index", "gallery/index")
"""Indexes whose links are the pages below them."""

OTHERS = ("benchmarks/", "experiments/", "reference/translation", "how-to/bring-", "how-to/from-", "project/changelog")
"""Pages on which a bare `Rotate` may be another library's: links are made of `im.Rotate` alone."""

_TICKED = re.compile(r"(?<![\[`])`(?P<code>[^`\n]+)`(?![`\]])")
_NAME = re.compile(r"(?:im\.)?(?P<name>[A-Za-z_]\w*)(?:\(.*\))?")


def of_site(path: str) -> str:
    """Where a file of the project is in the site.

    Examples
    --------
    >>> of_site("docs/how-to/mix-samples.md"), of_site("docs/how-to/README.md"), of_site("CHANGELOG.md")
    ('how-to/mix-samples.md', 'how-to/index.md', 'project/changelog.md')
    """
    moved = ELSEWHERE.get(path) or path.removeprefix("docs/")
    folder, _, name = moved.rpartition("/")
    return f"{folder}/index.md" if name == "README.md" else moved


def written() -> dict[str, str]:
    """The pages that people write, by their place in the project."""
    docs = ROOT / "docs"
    found = [p for p in sorted(docs.rglob("*.md")) if p.parent not in (docs, docs / "builder")]
    other = [ROOT / name for name in ELSEWHERE if name.endswith(".md") and name != "README.md"]
    return {p.relative_to(ROOT).as_posix(): p.read_text("utf-8") for p in (*found, *other)}


def attachments() -> dict[str, bytes]:
    """Pictures and notebooks, by their place in the site."""
    kinds = {".png", ".svg", ".ipynb"}
    found = {p for p in (ROOT / "docs").rglob("*") if p.suffix in kinds}
    made = {of_site(p.relative_to(ROOT).as_posix()): p.read_bytes() for p in sorted(found)}
    return made | {"project/LICENSE.txt": (ROOT / "LICENSE").read_bytes()}


def pages(gallery: Gallery) -> dict[str, str]:
    """Every page of the site by its path, as Sphinx reads it."""
    made = {of_site(name): links.rewritten(text, _mover(name)) for name, text in written().items()}
    cards = {name: gallery.card(name, "../../_static/gallery/") for name in gallery.cards}
    made |= {f"reference/python/{name}": text for name, text in names.pages(cards).items()}
    made |= {f"reference/commands/{name}": text for name, text in commands.pages().items()}
    made |= {f"gallery/{name}": text for name, text in gallery.pages().items()}
    made = {path: _linked(path, text) if path.endswith(".md") else text for path, text in made.items()}
    made["index.md"] = (Path(__file__).parent / "home.md").read_text("utf-8")
    for index in LISTS:
        made[f"{index}.md"] += _toctree("", below(index, made[f"{index}.md"]))
    made["index.md"] += "".join(_toctree(f":caption: {caption}\n", top) for caption, top in NAVIGATION.items())
    return made


def below(index: str, text: str) -> list[str]:
    """The pages that an index lists, in its order, as Sphinx names them."""
    found: dict[str, None] = {}
    folder = posixpath.dirname(index)
    for link in links.links(text):
        target = links.resolved(f"{index}.md", link.page) if link.page and not link.outside else ""
        # What stands in the sidebar by itself, or belongs to another list, stays there.
        if target.endswith(".md") and posixpath.dirname(target) == folder and target != f"{index}.md":
            found[target.removeprefix(folder + "/").removesuffix(".md")] = None
    return list(found)


def _toctree(options: str, listed: list[str] | tuple[str, ...]) -> str:
    return f"\n```{{toctree}}\n:hidden:\n{options}\n" + "\n".join(listed) + "\n```\n"


def _mover(page: str) -> Callable[[str], str]:
    """A function from the links of a page of the project to those of the same page in the site."""

    def moved(target: str) -> str:
        link = links.Link(0, target)
        if link.outside or not link.page:
            return target
        there = of_site(links.resolved(page, link.page))
        near = posixpath.relpath(there, posixpath.dirname(of_site(page)) or ".")
        return f"{near}#{link.anchor}" if link.anchor else near

    return moved


def _linked(path: str, text: str) -> str:
    """The page with the first mention of each public name and command as a link to its page."""
    known = {name: f"reference/python/{name}.rst" for name in names.names()}
    known |= {f"imagemill {name}": f"reference/commands/{commands.file_name(name)}.md" for name in _verbs()}
    done: set[str] = {path}
    lines = []
    for shown, line in zip(links.prose(text), text.splitlines(), strict=True):
        if shown and not shown.lstrip().startswith(("#", "<")) and "](" not in shown:
            line = _TICKED.sub(lambda m: _link(m, path, known, done), line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def _verbs() -> list[str]:
    return list(commands.commands())


def _link(found: re.Match[str], path: str, known: Mapping[str, str], done: set[str]) -> str:
    code = found["code"]
    named = _NAME.fullmatch(code)
    # Lower case without "im." may be any word: `open`, `replay`.
    plain = not code.startswith("im.") and (path.startswith(OTHERS) or not code[0].isupper())
    name = code if code.startswith("imagemill ") else named["name"] if named and not plain else ""
    target = known.get(name)
    if target is None or target in done:
        return found[0]
    done.add(target)
    return f"[`{code}`]({posixpath.relpath(target, posixpath.dirname(path) or '.')})"
