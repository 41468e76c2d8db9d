"""Notebooks of the tutorials, made of the same text: ``python -m docs.builder.notebooks`` writes them."""

from __future__ import annotations

import json
import posixpath
import re
import sys
from typing import Any

from docs.builder import links
from docs.builder.tree import ROOT

FOLDER = ROOT / "docs" / "tutorials"
_OURS = re.compile(r" ?\n?\(\[as a notebook\]\([^)]*\)\)")
_BLOCK = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def notebooks() -> dict[str, str]:
    """The text of each notebook by its path in the project."""
    found = sorted(p for p in FOLDER.glob("*.md") if p.name != "README.md")
    return {f"docs/tutorials/notebooks/{p.stem}.ipynb": notebook(p.read_text("utf-8")) for p in found}


def notebook(text: str) -> str:
    r"""A page as a notebook: Python that runs becomes cells, everything else text.

    Links lead to the pages of the project, one folder up.

    Examples
    --------
    >>> made = json.loads(notebook("# A page\n\n```python\nprint(1)\n```\n"))
    >>> [(cell["cell_type"], "".join(cell["source"])) for cell in made["cells"]]
    [('markdown', '# A page'), ('code', 'print(1)')]
    """
    text = links.rewritten(_OURS.sub("", text), _from_below)
    cells, at = [], 0
    for block in _BLOCK.finditer(text):
        if block["info"].split() != ["python"]:
            continue
        cells += [_cell("markdown", text[at : block.start()]), _cell("code", block["code"])]
        at = block.end()
    cells.append(_cell("markdown", text[at:]))
    kept = [cell | {"id": f"cell-{number}"} for number, cell in enumerate(c for c in cells if c["source"])]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": kept,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": text.strip("\n").splitlines(keepends=True)}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _from_below(target: str) -> str:
    link = links.Link(0, target)
    return target if link.outside or not link.page else posixpath.join("..", target)


def main() -> int:
    """Write them all."""
    for name, text in notebooks().items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
