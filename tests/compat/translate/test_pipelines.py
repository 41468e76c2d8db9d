"""Pipelines as people write them, from 2017 to 2025: what loads, and that nothing is lost without a word.

Each section of `pipelines/*.txt` has a title, what it is called with, and perhaps the names that have no counterpart
here; the rest is the program, notebook or file. Written for these tests, in the manner of public code.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import imagemill as im
from imagemill.compat.translate.rules.tables import table

FRONT = {
    "albumentations": im.from_albumentations,
    "torchvision": im.from_torchvision,
    "monai": im.from_monai,
    "torchio": im.from_torchio,
}


class Written(NamedTuple):
    """One section."""

    library: str
    title: str
    how: dict[str, Any]
    left: frozenset[str]
    text: str


def sections() -> Iterator[Written]:
    for path in sorted(Path(__file__).with_name("pipelines").glob("*.txt")):
        for part in re.split(r"^#### ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            title, how, rest = part.split("\n", 2)
            left = frozenset(
                name for line in re.findall(r"^left out: (.*)$", rest, re.MULTILINE) for name in line.split()
            )
            text = re.sub(r"^left out: .*\n", "", rest, flags=re.MULTILINE)
            yield Written(path.stem.partition("_")[0], title, json.loads(how), left, text)


WRITTEN = list(sections())


def loaded(one: Written, folder: Path) -> im.Pipeline:
    how = dict(one.how)
    path = folder / f"train.{how.pop('as', 'py')}"
    path.write_text(one.text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FRONT[one.library](path, seed=1, **how)


def left_out(pipe: im.Pipeline) -> set[str]:
    """Names without a counterpart; MONAI's without the letter of dictionaries."""
    found = (re.match(r"left out: (\w+)", note) for note in pipe.notes)
    return {match.group(1) for match in found if match}


@pytest.mark.parametrize("one", WRITTEN, ids=[f"{one.library}, {one.title}" for one in WRITTEN])
def test_it_loads_and_says_what_is_left_out(one: Written, tmp_path: Path) -> None:
    pipe = loaded(one, tmp_path)
    assert pipe.transforms
    assert left_out(pipe) == one.left
    assert im.Pipeline.from_yaml(pipe.to_yaml()) == pipe


def test_there_are_sixty_and_nearly_all_of_their_names_are_known() -> None:
    assert len(WRITTEN) >= 59
    whole = sum(not one.left for one in WRITTEN)
    assert whole >= 30


@pytest.mark.parametrize("library", FRONT)
def test_no_name_is_both_known_and_without_a_counterpart(library: str) -> None:
    rules = table(library)
    assert not set(rules.by_name) & set(rules.absent)
