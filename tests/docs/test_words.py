"""The field's words, in docstrings, messages and pages: a reader who knows other libraries has nothing to translate."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, files

WORDS = {
    r"joints?": "keypoints",
    r"world matri(x|ces)": "affine",
    r"lengths of runs": "RLE",
    r"annotated things?|things (with|without|outside)": "annotations",
    r"masks of things": "instance masks",
    r"outlines": "polygons",
    r"inks": "CMYK",
    r"way up": "orientation",
    r"on loan": "ready-made",
    r"half a file": "atomic",
    r"door to": "what it gives access to",
    r"tie that never comes": "say when it decides",
    r"has the last word": "say what replaces what",
}
"""What was said here once, and the word of the field for it."""

FORBIDDEN = re.compile(rf"\b({'|'.join(WORDS)})\b", re.IGNORECASE)

STORED = {"joints", "outlines", "masks of things"}
"""Columns of stores and keys of lists that are on disk."""


def texts(path: Path) -> list[str]:
    """What a file says to people: docstrings and all other text of a module, or a page of the documentation."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return text.splitlines()
    return [n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def said(path: Path) -> list[str]:
    """The words of the list that a file says."""
    return [found[0] for text in texts(path) if text not in STORED for found in FORBIDDEN.finditer(text)]


def held_to_it() -> list[Path]:
    package = ROOT / "src" / "imagemill"
    pages = [p for p in files() if p.suffix == ".md" and (p.parent == ROOT or ROOT / "docs" in p.parents)]
    modules = [p for p in files() if p.suffix == ".py" and package in p.parents]
    assert min(len(modules), 10 * len(pages)) > 100, "expected the package and its pages, found next to none"
    return [*modules, *(p for p in pages if p.name != "CHANGELOG.md")]


def test_nobody_says_what_the_field_has_a_word_for() -> None:
    found = {p.relative_to(ROOT).as_posix(): words for p in held_to_it() if (words := said(p))}
    assert found == {}, f"do: say it in the field's words, {WORDS}"


@pytest.mark.parametrize(
    "text", ['"""Names of joints."""', '"""Cuts outlines."""', 'raise ValueError("expected a world matrix")']
)
def test_a_word_of_the_list_is_found(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.py"
    file.write_text(text, encoding="utf-8")
    assert len(said(file)) == 1


def test_the_glossary_has_the_fields_words() -> None:
    page = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")
    for word in ("keypoints", "affine", "RLE", "polygon", "bounding box", "orientation", "split", "label map"):
        assert word in page, word
