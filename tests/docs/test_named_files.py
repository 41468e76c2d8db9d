"""Files that the pages for builders name are there: a page that sends its reader to a moved file helps nobody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs" / "design").glob("*.md"))]


def missing(text: str) -> list[str]:
    """Names of Python files in a text that no file of the project ends in."""
    ours = [
        f"/{p.relative_to(ROOT).as_posix()}"
        for room in ("src", "tests", "bench", "docs")
        for p in (ROOT / room).rglob("*.py")
    ]
    named = re.findall(r"`((?:[\w.]+/)*\w+\.py)`", text)
    return [name for name in named if not any(path.endswith(f"/{name}") for path in ours)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    assert missing(page.read_text("utf-8")) == []


def test_a_file_that_is_gone_is_found() -> None:
    assert missing("see `pipeline/pipeline.py` and `data/never.py`") == ["data/never.py"]
