"""The site for language models: a list of its pages, and all of its text in one file (llmstxt.org)."""

from __future__ import annotations

import re
from pathlib import Path

import imagemill
from docs.builder import names, tree

SUMMARY = """\
# imagemill

> {version}. Photos and scans to batches a network learns from: augmentation of images, label maps, boxes and points
> with one interpolation, the same pixels under any number of workers, audits, measured effects of augmentations.

Install with `pip install imagemill`, import as `import imagemill as im`. A number is fixed, a pair is drawn:
`im.Rotate(10)`, `im.Rotate((-10, 10))`. The command is `imagemill`. All text of the guides:
[llms-full.txt](llms-full.txt).
"""


def files(source: Path) -> dict[str, str]:
    """``llms.txt`` and ``llms-full.txt``, of the pages that Sphinx was given."""
    texts = {p.relative_to(source).as_posix(): p.read_text("utf-8") for p in sorted(source.rglob("*.md"))}
    parts = [SUMMARY.format(version=imagemill.__version__)]
    guides: list[str] = []
    for caption, top in tree.NAVIGATION.items():
        listed = [name for index in top for name in _with_below(index, texts)]
        parts.append(f"## {caption}\n\n" + "\n".join(_line(name, texts[f"{name}.md"]) for name in listed) + "\n")
        guides += listed if caption == "Learn" else []
    rows = [f"- [{n}](reference/python/{n}.html): {names.summary(getattr(imagemill, n))}" for n in names.names()]
    parts.append("## Public names\n\n" + "\n".join(rows) + "\n")
    full = "\n\n".join(_plain(texts[f"{name}.md"]) for name in guides)
    return {"llms.txt": "\n".join(parts), "llms-full.txt": full}


def _with_below(index: str, texts: dict[str, str]) -> list[str]:
    if index not in tree.LISTS:
        return [index]
    folder = index.rpartition("/")[0]
    return [index, *(f"{folder}/{name}" for name in tree.below(index, texts[f"{index}.md"]))]


def _line(name: str, text: str) -> str:
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    return f"- [{title[1] if title else name}]({name}.html)"


def _plain(text: str) -> str:
    """A page without what only Sphinx reads."""
    return re.sub(r"\n```\{toctree\}\n.*?\n```\n", "", text, flags=re.DOTALL).strip()
