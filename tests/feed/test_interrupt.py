"""Ctrl-C at a terminal ends a program that reads from a loader, whatever consumer and workers are in the middle of."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.architecture.repository import SRC, environment
from tests.feed.makes import jpegs

pytest.importorskip("termios", reason="a terminal of the kind that has Ctrl-C as a signal")

LIMIT = 5.0
"""Seconds; it takes a fraction of one on a machine that has nothing else to do."""

# It takes the terminal for itself: what Ctrl-C is sent to is whoever controls it.
HEAD = """
import fcntl, sys, termios, time
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
import imagemill as im
from imagemill.feed import Loader

def slow(image):
    print("transforming", flush=True)
    time.sleep(60)
    return image

def pipeline(*more):
    return im.Pipeline([im.RandomResizedCrop((24, 24)), im.Flip("x", p=0.5), *more], seed=7)

folder, workers = sys.argv[1], int(sys.argv[2])
"""
SLOW_CONSUMER = """
for batch in Loader(folder, pipeline(), batch_size=4, workers=workers):
    print("consuming", flush=True)
    time.sleep(60)
"""
ASLEEP_IN_NEXT = """
running = iter(Loader(folder, pipeline(im.Apply(slow)), batch_size=4, workers=workers))
next(running)
"""
FASTER_THAN_ITS_LOADER = """
print("consuming", flush=True)
while True:
    for batch in Loader(folder, pipeline(), batch_size=4, workers=workers):
        pass
"""


def read_until(terminal: int, word: str | None, seconds: float) -> str:
    """What a terminal shows up to a word, or (without one) until nobody has it open any more."""
    shown, until = b"", time.monotonic() + seconds
    while word is None or word.encode() not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0.0, until - time.monotonic()))
        assert ready, f"expected {word or 'the end'!r} within {seconds} s, got {shown.decode()!r}"
        try:
            more = os.read(terminal, 4096)
        except OSError:  # Linux says so where others give nothing
            more = b""
        if not more:
            assert word is None, f"expected {word!r}, got {shown.decode()!r} and the end"
            break
        shown += more
    return shown.decode()


def interrupted(program: str, word: str, folder: Path, workers: int) -> tuple[str, int, float]:
    """Run a program at a terminal, press Ctrl-C after a word; what it showed then, its exit code, the seconds."""
    terminal, its_end = os.openpty()
    try:
        running = subprocess.Popen(
            [sys.executable, "-c", HEAD + program, str(folder), str(workers)],
            stdin=its_end, stdout=its_end, stderr=its_end,
            env=environment(SRC), cwd=folder, start_new_session=True,
        )  # fmt: skip
        os.close(its_end)
        try:
            read_until(terminal, word, 60)
            time.sleep(0.3)
            began = time.perf_counter()
            os.write(terminal, b"\x03")
            shown = read_until(terminal, None, LIMIT)
            code = running.wait(LIMIT)
            return shown, code, time.perf_counter() - began
        finally:
            running.kill()
            running.wait()
    finally:
        os.close(terminal)


@pytest.mark.parametrize(
    ("program", "word", "workers"),
    [
        pytest.param(SLOW_CONSUMER, "consuming", 2, id="slow consumer"),
        pytest.param(FASTER_THAN_ITS_LOADER, "consuming", 2, id="fast consumer"),
        pytest.param(ASLEEP_IN_NEXT, "transforming", 2, id="asleep in next"),
        pytest.param(ASLEEP_IN_NEXT, "transforming", 0, id="asleep in next, no workers"),
    ],
)
def test_ctrl_c_at_a_terminal_ends_the_program(program: str, word: str, workers: int, tmp_path: Path) -> None:
    shown, code, took = interrupted(program, word, jpegs(tmp_path, 20), workers)
    assert shown.rstrip().endswith("KeyboardInterrupt"), "expected nothing printed by threads that outlive it"
    assert code == -signal.SIGINT
    assert took < LIMIT


def test_ctrl_c_while_photos_are_read(data_root: Path) -> None:
    shown, code, took = interrupted(FASTER_THAN_ITS_LOADER, "consuming", data_root / "pets", 2)
    assert shown.rstrip().endswith("KeyboardInterrupt")
    assert code == -signal.SIGINT
    assert took < LIMIT
