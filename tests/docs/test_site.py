"""The documentation site: every name and command has its page, every link leads somewhere, notebooks are their pages.

What needs no Sphinx is asked of the pages that it would be given; the built site is checked where Sphinx is installed.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import imagemill
from docs.builder import commands, gallery, links, llms, names, notebooks, tree
from docs.builder.check import checked
from tests.architecture.repository import ROOT, SRC, environment, files


@pytest.fixture(scope="module")
def drawn() -> gallery.Gallery:
    """A gallery of two transforms, one of which refuses a scan."""
    return gallery.gallery(["Rotate", "Perspective"])


@pytest.fixture(scope="module")
def pages(drawn: gallery.Gallery) -> dict[str, str]:
    return tree.pages(drawn)


# ------------------------------------------------------------------------------------------------ what has a page


def test_every_public_name_has_a_page_of_its_own(pages: dict[str, str]) -> None:
    public = [name for name in imagemill.__all__ if name != "__version__"]
    assert [name for name in public if f"reference/python/{name}.rst" not in pages] == []
    listed = pages["reference/python/index.md"]
    assert [name for name in public if f"[`{name}`]({name}.rst)" not in listed] == []


def test_pages_of_names_differ_by_more_than_their_case() -> None:
    lowered = [name.lower() for name in names.pages({})]
    assert len(lowered) == len(set(lowered)), "some file systems would take them for one"


def test_every_command_and_every_option_has_its_line(pages: dict[str, str]) -> None:
    found = commands.commands()
    assert {"augment", "scan", "compare", "datasets get"} <= set(found)
    for name, command in found.items():
        page = pages[f"reference/commands/{commands.file_name(name)}.md"]
        options = [o for p in command.params if p.name != "help" and not getattr(p, "hidden", False) for o in p.opts]
        assert [o for o in options if o.startswith("-") and f"`{o}`" not in page] == [], name


def test_every_written_page_stands_in_the_navigation(pages: dict[str, str]) -> None:
    listed = {f"{name}.md" for top in tree.NAVIGATION.values() for name in top}
    for index in tree.LISTS:
        folder = index.rpartition("/")[0]
        listed |= {f"{folder}/{name}.md" for name in tree.below(index, pages[f"{index}.md"])}
    assert sorted({tree.of_site(name) for name in tree.written()} - listed) == []


def test_the_signature_of_a_transform_is_as_one_would_write_it() -> None:
    assert names.parameters(imagemill.Rotate)[:2] == ["degrees=(-15.0, 15.0)", "plane='yx'"]
    assert names.parameters(imagemill.Rotate)[-2:] == ["p=1.0", "images=None"]
    # What stands behind the star is given by its name.
    assert names.parameters(imagemill.Flip)[:3] == ["axis='x'", "*", "mode='random'"]


# --------------------------------------------------------------------------------------------------------- links


def test_every_link_between_pages_of_the_project_leads_to_its_place() -> None:
    ours = [p for p in files() if ROOT / "docs" / "builder" not in p.parents]
    texts = {p.relative_to(ROOT).as_posix(): p.read_text("utf-8") for p in ours if p.suffix == ".md"}
    assert sum(1 for text in texts.values() for _ in links.links(text)) > 100
    assert links.broken(texts, {p.relative_to(ROOT).as_posix() for p in ours}) == []


def test_every_link_between_pages_of_the_site_leads_to_its_place(pages: dict[str, str]) -> None:
    # The gallery here has two transforms; links to the others are those of its list, which is made of the same names.
    others = {*tree.attachments(), *(p for p in pages if not p.endswith(".md"))}
    texts = {name: text for name, text in pages.items() if name.endswith(".md")}
    assert links.broken(texts, others) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](other.md)", []),
        ("[a](gone.md)", ["page.md:1: gone.md"]),
        ("\n[a](other.md#two-words)", []),
        ("\n[a](other.md#two)", ["page.md:2: other.md#two"]),
        ("[a](#here)", ["page.md:1: #here"]),
        ("![a](p.png) `[a](gone.md)` [b](https://a.b/c.md)", []),
        ("```\n[a](gone.md)\n```\n[b](../gone.md)", ["page.md:4: ../gone.md"]),
    ],
)
def test_a_link_that_leads_nowhere_is_found(text: str, found: list[str]) -> None:
    pages = {"page.md": text, "other.md": "# Other\n\n## Two `words`\n"}
    assert links.broken(pages, {"p.png"}) == found


def test_names_in_running_text_become_links_once_and_not_in_code(pages: dict[str, str]) -> None:
    made = tree._linked("concepts/a.md", "`MixUp`, `MixUp(1)`\n\n```python\n`Rotate`\n```\n`Rotate`, `open`\n")
    mix, rotate = (f"[`{name}`](../reference/python/{name}.rst)" for name in ("MixUp", "Rotate"))
    assert made.splitlines()[0] == f"{mix}, `MixUp(1)`"
    assert made.splitlines()[-3:] == ["`Rotate`", "```", f"{rotate}, `open`"]
    text = pages["concepts/known-limitations.md"]
    assert "[`MixUp`](../reference/python/MixUp.rst)" in text
    assert text.count("../reference/python/MixUp.rst") == 1
    assert "reference/python" not in "".join(re.findall(r"```.*?```", pages["tutorials/own-dataset.md"], re.DOTALL))


# ------------------------------------------------------------------------------------- gallery, notebooks, models


def test_a_transform_is_drawn_the_same_each_time(drawn: gallery.Gallery) -> None:
    again = gallery.gallery(["Rotate", "Perspective"])
    assert set(drawn.files) == {
        "before-photo.webp",
        "before-scan.webp",
        *(f"{n}.webp" for n in ("Rotate-photo", "Rotate-scan", "Perspective-photo")),
    }
    assert again.files == drawn.files
    assert drawn.files["Rotate-photo.webp"] != drawn.files["before-photo.webp"]


def test_what_refuses_an_image_says_what_it_is_for(drawn: gallery.Gallery) -> None:
    photo, scan = drawn.cards["Perspective"]
    assert photo.picture is not None
    assert (scan.picture, scan.said) == (None, "for pictures")


def test_every_line_of_the_gallery_makes_the_transform_it_stands_for() -> None:
    import numpy as np

    another = gallery.photos()[1]["image"]
    for name in gallery.transforms():
        made = eval(gallery.code_of(name, scan=False), {"im": imagemill, "np": np, "another": another})
        assert type(made).__name__ == name


def test_notebooks_are_those_of_their_pages() -> None:
    made = notebooks.notebooks()
    assert len(made) >= 6
    assert {name for name, text in made.items() if (ROOT / name).read_text("utf-8") != text} == set(), "run: make docs"


def test_the_list_for_language_models_names_every_page_and_name(tmp_path: Path, pages: dict[str, str]) -> None:
    for name, text in pages.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    made = llms.files(tmp_path)
    assert "[Draws: the same pixels under any workers](concepts/draws.html)" in made["llms.txt"]
    assert "[Rotate](reference/python/Rotate.html): Turn about the centre" in made["llms.txt"]
    assert "{toctree}" not in made["llms-full.txt"]


# ------------------------------------------------------------------------------------------------ the built site


def test_the_check_of_the_built_site_finds_files_and_places_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p id="x"><a href="b.html#y"><a href="#x"><img src="no.png">', "utf-8")
    (tmp_path / "b.html").write_text('<a href="a.html#z"><a href="https://else.where/">', "utf-8")
    found = checked(tmp_path)
    assert (found.pages, found.links) == (2, 4)
    assert found.broken == ["a.html: b.html#y", "a.html: no.png", "b.html: a.html#z"]


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("sphinx", "furo", "myst_parser")),
    reason="the whole site is built where its tools are: pip install '.[site]'",
)
def test_the_whole_site_is_built_without_a_warning_and_without_a_broken_link(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "docs.builder", "-o", str(tmp_path / "site")]
    run = subprocess.run(command, cwd=ROOT, env=environment(SRC, ROOT), capture_output=True, text=True, timeout=900)
    assert run.returncode == 0, run.stderr[-4000:]
    assert " 0 broken" in run.stdout
