"""Loaders beside each other, each in a process of its own that stands still while another one has its turn.

A round times a slice of an epoch of every contestant, in an order drawn anew for each round; ratios are formed inside
rounds. A contestant whose turn is over is stopped with all its workers (SIGSTOP), so that what it makes ahead costs
the others nothing, and it goes on where it was. Importing, opening and starting workers is not timed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import selectors
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.harness import spread

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0
"""Seconds after which a contestant that says nothing is given up."""


@dataclass(frozen=True)
class Contestant:
    """One way to get batches.

    Parameters
    ----------
    name : str
    maker : str
        ``"module:function"``: gives an endless iterator of arrays of images, in a process of its own.
    given : mapping
        Its keyword arguments, as JSON can hold them.
    ours : bool
        Whether others are held against it. The first of a table is the one that aims are about.
    aims : mapping of str to float
        Names of ours, and how many times as many images a second they are meant to give.
    checked : bool
        Whether its batches must be what the table says; bare decoding makes none.
    note : str
        What a reader must know to judge it.
    env : mapping
        Variables of its process.
    """

    name: str
    maker: str
    given: Mapping[str, Any]
    ours: bool = False
    aims: Mapping[str, float] = field(default_factory=dict)
    checked: bool = True
    note: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Contestants that do the same work.

    Parameters
    ----------
    name : str
        For ``--only``.
    title : str
    contestants : tuple of Contestant
    side : int, pixels
        Batches must be float32, ``(n, side, side, 3)`` or channels first.
    note : str
    """

    name: str
    title: str
    contestants: tuple[Contestant, ...]
    side: int
    note: str = ""


@dataclass
class Result:
    """Images per second of each contestant in each round, and why some are absent."""

    table: Table
    rates: dict[str, list[float]]
    absent: dict[str, str]

    def ratio(self, name: str, ours: str) -> tuple[float, float, float]:
        """How many times as many images ours gives: median over the rounds, and quartiles."""
        each = [mine / theirs for mine, theirs in zip(self.rates[ours], self.rates[name], strict=True)]
        return statistics.median(each), *spread(each)


class LostError(Exception):
    """A contestant that is absent, broke, or did other work."""


class Player:
    """A contestant's process."""

    def __init__(self, contestant: Contestant) -> None:
        spec = {"maker": contestant.maker, "given": dict(contestant.given)}
        command = [sys.executable, "-W", "ignore", "-m", "bench.feed.child", json.dumps(spec)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]]), **contestant.env}
        self._noise = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        pipe = subprocess.PIPE
        # A session of its own: workers belong to its group, and Ctrl-C reaches only us.
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=self._noise, env=env, cwd=ROOT, start_new_session=True
        )

    def ask(self, **what: Any) -> dict[str, Any]:
        """Wake it, ask, and put it to sleep when it has answered.

        Raises
        ------
        LostError
        """
        self._signal(signal.SIGCONT)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise LostError(self._last_words()) from None
        answer = self._answer()
        self._signal(signal.SIGSTOP)
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            if not ready.select(PATIENCE):
                raise LostError(f"nothing within {PATIENCE:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise LostError(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise LostError(answer["error"])
        return answer

    def _last_words(self) -> str:
        code = self._process.wait(10)
        self._noise.seek(0)
        lines = self._noise.read().decode("utf-8", "replace").strip().splitlines()
        return f"its process ended with {code}: {lines[-1] if lines else 'no word'}"

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def close(self) -> None:
        """End it and its workers."""
        self._signal(signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self._process.wait(10)
        self._noise.close()


def _fits(made: Mapping[str, Any], side: int) -> bool:
    orders = ([side, side, 3], [3, side, side])
    return made["shape"][1:] in orders and made["dtype"] == "float32" and made["finite"] and made["contiguous"]


def _start(contestant: Contestant, side: int, seconds: float) -> tuple[Player, int]:
    """A contestant that has shown a batch and is warm, and how many images it gives in a slice."""
    player = Player(contestant)
    try:
        made = player.ask(ask="batch")
        if contestant.checked and not _fits(made, side):
            raise LostError(f"expected batches of {side}x{side}x3 float32, got {made}; not the same work")
        player.ask(ask="slice", seconds=seconds)
        slice_ = player.ask(ask="slice", seconds=seconds)
    except BaseException:
        player.close()
        raise
    return player, int(slice_["images"])


def measure(table: Table, *, rounds: int, seconds: float, log: Callable[[str], None] = print) -> Result:
    """Time the contestants of a table in turns.

    Parameters
    ----------
    table : Table
    rounds : int
    seconds : float
        Length of a slice.
    log : callable
    """
    absent: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        playing: dict[str, tuple[Player, int]] = {}
        for c in table.contestants:
            began = time.perf_counter()
            try:
                player, images = _start(c, table.side, seconds)
            except LostError as error:
                # One that is absent or breaks must not cost the others their turn; the page says so.
                absent[c.name] = str(error)
                log(f"  {c.name}: left out: {error}")
                continue
            stack.callback(player.close)
            playing[c.name] = player, images
            log(f"  {c.name}: {images / seconds:,.0f} images/s, ready after {time.perf_counter() - began:.0f} s")
        rates = _rounds(playing, rounds, absent)
    return Result(table, rates, absent)


def _rounds(playing: dict[str, tuple[Player, int]], rounds: int, absent: dict[str, str]) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in playing}
    for number in range(rounds):
        order = list(rates)
        random.Random(number).shuffle(order)
        for name in order:
            player, images = playing[name]
            try:
                made = player.ask(ask="slice", images=images)
            except LostError as error:
                absent[name] = f"in round {number + 1}: {error}"
                del rates[name]
                continue
            rates[name].append(made["images"] / made["seconds"])
    return rates
