"""The page of common mistakes: each says what the page says, and what the page does instead works."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import imagemill as im
from imagemill.app.cli import app
from tests.architecture.repository import ROOT
from tests.docs.markdown import Block, blocks

PAGE = (ROOT / "docs" / "how-to" / "common-mistakes.md").read_text(encoding="utf-8")
SETUP, *MISTAKES = [list(blocks(part, "common-mistakes.md")) for part in re.split(r"\n### ", PAGE)]
TITLES = re.findall(r"\n### (.*)", PAGE)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("mistakes"))
        found: dict[str, Any] = {}
        exec(SETUP[0].code, found)
        yield found


def said_by(block: Block, names: dict[str, Any]) -> str:
    """What a block says when it is run; empty where nothing is wrong."""
    match block.words[0]:
        case "console":
            line = next(line for line in block.code.splitlines() if line.startswith("$ imagemill "))
            words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", line)[2:]]
            with pytest.MonkeyPatch.context() as patch:
                for package in block.words[2:]:  # ```console without nibabel
                    patch.setitem(sys.modules, package, None)
                done = CliRunner().invoke(app, words, env={"COLUMNS": "400"})
            return "" if done.exit_code == 0 else f"{done.output}{done.exception}"
        case "yaml":
            Path("pipeline.yaml").write_text(block.code, encoding="utf-8")
            code = "im.Pipeline.load('pipeline.yaml')"
        case _:
            code = block.code
    try:
        exec(code, names)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def one_line(text: str) -> str:
    return re.sub(r"[\s│]+", " ", text).strip()


@pytest.mark.parametrize("made", MISTAKES, ids=TITLES)
def test_a_mistake_is_told_and_its_advice_works(made: list[Block], names: dict[str, Any]) -> None:
    wrong, message, right = made
    expected = ".*".join(map(re.escape, one_line(message.code).split("…")))
    said = one_line(said_by(wrong, names))
    assert re.search(expected, said), said
    assert said_by(right, names) == ""


def test_there_are_at_least_twenty_five() -> None:
    assert len(MISTAKES) >= 25
    assert all(len(made) == 3 for made in MISTAKES)
    assert im.__name__ == "imagemill"
