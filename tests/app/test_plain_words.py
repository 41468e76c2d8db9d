"""Words that are read without typer's own reader come out as it reads them."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from typer.main import get_group

from imagemill.app.cli import app, lazy_verbs
from imagemill.app.cli.plain_words import read_plainly

GROUP = get_group(app)
CONTEXT = GROUP.make_context("imagemill", [], resilient_parsing=True)
WORDS = (
    "",
    "a",
    "-",
    "0",
    "1",
    "+3",
    "-2",
    "007",
    "1_0",
    " 5",
    "2.5",
    "1e-3",
    ".5",
    "nan",
    "9" * 20,
    "no/such",
    "/",
    "x y",
)


def read(param: Any, value: Any) -> Any:
    """What a parameter makes of words, or what is wrong with them; numbers of another type are other numbers."""
    try:
        found = param.process_value(CONTEXT, value)
    except Exception as error:
        return type(error).__name__, str(error)
    return type(found), repr(found)


@pytest.mark.parametrize("name", ["scan", "prepare", "augment", "export", "screen", "worth"])
def test_words_are_read_as_typer_reads_them(name: str) -> None:
    for param, own in zip(lazy_verbs._loaded(name).params, lazy_verbs._loaded(name).params, strict=True):
        if not hasattr(param, "type_descriptor"):
            pytest.skip("this release of typer reads words itself")
        words = [*WORDS, *(getattr(one, "value", one) for one in param.type_descriptor.choices or ())]
        several = param.multiple or param.nargs == -1
        given = [None, param.get_default(CONTEXT), *([(word, "1") if several else word for word in words])]
        for value in given:
            param._runtime_param = None  # which is typer's own after a word that was none of ours
            read_plainly([param])
            assert read(param, value) == read(own, value), (param.name, value)


def test_what_is_no_plain_word_goes_to_typer() -> None:
    class Colour(enum.Enum):
        RED = 1

    for param in lazy_verbs._loaded("scan").params:
        (found,) = read_plainly([param])
        assert found is param
        if hasattr(param, "type_descriptor") and param.type_descriptor.annotation is not bool:
            assert "imagemill" in type(param.get_runtime_param()).__module__
            read(param, Colour.RED)
            assert "typer" in type(param.get_runtime_param()).__module__
