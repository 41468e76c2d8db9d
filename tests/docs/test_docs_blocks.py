"""Every code block of the documentation runs.

Blocks fenced as "python" are executed, those of one file in one namespace; "python no-run" are not.
Blocks fenced as "console run" call the command for each line `$ imagemill ...`; all others are only shown.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, SRC, environment, files
from tests.docs.markdown import BlockError, blocks, run_file, runnable
from tests.docs.page_reader import PageReader, wants_its_own


def documents() -> list[str]:
    names = [p.relative_to(ROOT).as_posix() for p in files() if p.suffix == ".md"]
    return [n for n in names if n in {"README.md", "CONTRIBUTING.md"} or n.startswith("docs/")]


@pytest.fixture(scope="module")
def reader() -> Iterator[PageReader]:
    with PageReader() as shared:
        yield shared


@pytest.mark.parametrize("name", [n for n in documents() if runnable(ROOT / n)])
def test_blocks_run(name: str, tmp_path: Path, reader: PageReader) -> None:
    if not wants_its_own(name):
        assert reader.said(name, tmp_path) == ""
        return
    command = [sys.executable, "-W", "error", "-m", "tests.docs.markdown", name]
    variables = environment(ROOT, SRC)
    run = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr


def test_a_reader_goes_on_after_a_page_that_fails(tmp_path: Path) -> None:
    lines = ["import os", "os.environ['LEFT'] = 'behind'", "assert 1 == 2, 'no'"]
    page = document(tmp_path, "# Page", "", "```python", *lines, "```")
    after = document(tmp_path / "after", "```python", "import os", "assert 'LEFT' not in os.environ", "lines", "```")
    with PageReader() as own:
        assert own.said(str(page), tmp_path) == f"{page}:6: AssertionError: no"
        assert own.said(str(after), tmp_path) == f"{after}:4: NameError: name 'lines' is not defined"


def test_the_readme_shows_code_that_runs() -> None:
    assert {b.kind for b in runnable(ROOT / "README.md")} >= {"python"}


def document(folder: Path, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "page.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_failing_line_is_named(tmp_path: Path) -> None:
    page = document(tmp_path, "# Page", "", "```python", "x = 1", "assert x == 2, 'no'", "```")
    with pytest.raises(BlockError, match=r"^page\.md:5: AssertionError: no$"):
        run_file(page, "page.md", tmp_path)


def test_the_line_that_called_is_named_when_the_fault_lies_deeper(tmp_path: Path) -> None:
    page = document(tmp_path, "```python", "def f():", "    return int('x')", "```", "", "```python", "f()", "```")
    with pytest.raises(BlockError, match=r"^page\.md:3: ValueError"):
        run_file(page, "page.md", tmp_path)


def test_a_syntax_error_is_named(tmp_path: Path) -> None:
    page = document(tmp_path, "text", "```python", "x = = 1", "```")
    with pytest.raises(BlockError, match=r"^page\.md:3: SyntaxError"):
        run_file(page, "page.md", tmp_path)


def test_a_warning_is_a_failure(tmp_path: Path) -> None:
    page = document(tmp_path, "```python", "import warnings", "warnings.warn('old', DeprecationWarning)", "```")
    with pytest.raises(BlockError, match=r"^page\.md:3: DeprecationWarning: old"):
        run_file(page, "page.md", tmp_path)


def test_blocks_of_a_file_share_names_and_a_folder_of_their_own(tmp_path: Path) -> None:
    before = Path.cwd()
    write = "open('made.txt', 'w', encoding='utf-8').close()"
    page = document(tmp_path, "```python", "x = 1", write, "```", "", "```python", "assert x == 1", "```")
    assert run_file(page, "page.md", tmp_path) == 2
    assert (tmp_path / "made.txt").exists()
    assert Path.cwd() == before


def test_a_block_may_define_dataclasses_and_inherits_no_switch_of_ours(tmp_path: Path) -> None:
    lines = ["from dataclasses import dataclass", "@dataclass(slots=True)", "class A:", "    x: int = 1"]
    check = "assert A.__annotations__ == {'x': int}"
    page = document(tmp_path, "```python", *lines, check, "```")
    assert run_file(page, "page.md", tmp_path) == 1


@pytest.mark.parametrize("info", ["python no-run", "text", "console", "yaml", "pycon", ""])
def test_other_blocks_are_not_run(tmp_path: Path, info: str) -> None:
    page = document(tmp_path, f"```{info}", "raise SystemExit", "```")
    assert run_file(page, "page.md", tmp_path) == 0


def test_a_fence_inside_a_longer_fence_is_text(tmp_path: Path) -> None:
    page = document(tmp_path, "````markdown", "```python", "1 / 0", "```", "````", "", "```python", "y = 1", "```")
    assert [b.code for b in runnable(page)] == ["y = 1\n"]


def test_an_indented_block_loses_its_indentation() -> None:
    text = "1. Step\n\n   ```python\n   if True:\n       x = 1\n   ```\n"
    assert [b.code for b in blocks(text, "page.md")] == ["if True:\n    x = 1\n"]


def test_an_unclosed_fence_is_a_failure() -> None:
    with pytest.raises(BlockError, match=r"^page\.md:2: expected a closing"):
        list(blocks("text\n```python\nx = 1\n", "page.md"))


def test_a_console_block_runs_and_joins_continued_lines(tmp_path: Path) -> None:
    page = document(tmp_path, "```console run", "$ imagemill \\", "    --help", "Usage: ...", "```")
    assert run_file(page, "page.md", tmp_path) == 1


def test_a_failing_command_is_named(tmp_path: Path) -> None:
    page = document(tmp_path, "text", "```console run", "$ imagemill --help", "$ imagemill no-such-verb", "```")
    with pytest.raises(BlockError, match=r"^page\.md:4: '\$ imagemill no-such-verb' ended with [1-9]"):
        run_file(page, "page.md", tmp_path)


def test_a_console_block_runs_no_other_program(tmp_path: Path) -> None:
    page = document(tmp_path, "```console run", "$ imagemill --help", "$ rm -r x", "```")
    with pytest.raises(BlockError, match=r"^page\.md:3: expected a line"):
        run_file(page, "page.md", tmp_path)
    with pytest.raises(BlockError, match=r"^page\.md:2: expected a line"):
        run_file(document(tmp_path, "```console run", "$ ls", "```"), "page.md", tmp_path)
