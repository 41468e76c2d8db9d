"""Where kernels are compiled for long, a line says so: once, and only then. No test here measures time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from imagemill.engine import compile_notice
from imagemill.engine.compile_notice import Notice
from tests.clocks import Hand


class Waiting:
    """Stands in for a timer: it is the test that lets it ring."""

    made: list[Waiting]

    def __init__(self, seconds: float, function: Callable[[], object]) -> None:
        self.seconds, self.function, self.state = seconds, function, "made"
        Waiting.made.append(self)

    def start(self) -> None:
        self.state = "waits"

    def cancel(self) -> None:
        self.state = "cancelled"


@pytest.fixture
def said() -> list[str]:
    Waiting.made = []
    return []


@pytest.fixture
def hand() -> Hand:
    return Hand()


def notice(said: list[str], hand: Hand) -> Notice:
    return Notice(lambda: said.append("line"), 2.0, hand, Waiting)


def test_short_compiling_is_not_worth_a_line(said: list[str], hand: Hand) -> None:
    one = notice(said, hand)
    one.start()
    hand.time += 1.5
    one.end()
    assert [w.state for w in Waiting.made] == ["cancelled"]
    assert said == []


def test_kernels_add_up_and_the_line_comes_once(said: list[str], hand: Hand) -> None:
    one = notice(said, hand)
    one.start()
    hand.time += 1.5
    one.end()
    one.start()
    one.start()  # a kernel within another
    assert [w.seconds for w in Waiting.made] == [2.0, 0.5]
    Waiting.made[-1].function()
    one.end()
    one.end()
    one.start()
    assert len(Waiting.made) == 2
    one.tell()
    assert said == ["line"]


def test_nothing_is_said_where_a_bar_says_it(said: list[str], hand: Hand) -> None:
    one = notice(said, hand)
    one.said = True
    one.start()
    assert Waiting.made == []


def test_the_line_is_one_and_can_be_switched_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compile_notice._write()
    assert capsys.readouterr().err == ""  # conftest.py switches it off
    monkeypatch.delenv("IMAGEMILL_QUIET")
    compile_notice._write()
    (line,) = capsys.readouterr().err.splitlines()
    assert "compiling kernels" in line
    assert "IMAGEMILL_QUIET=1" in line
