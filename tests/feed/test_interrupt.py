"""Ctrl-C at a terminal ends a program that reads from a loader, whatever consumer and workers are in the middle of."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import SRC, environment
from tests.feed.makes import jpegs

pytest.importorskip("termios", reason="a terminal of the kind that has Ctrl-C as a signal")

SILENCE = 120.0
"""Seconds without a word after which a program hangs; those that sleep do so for longer, and would be waited for."""

# It takes the terminal for itself: what Ctrl-C is sent to is whoever controls it.
HEAD = """
import fcntl, itertools, sys, termios, time
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
import imagemill as im
from imagemill.feed import Loader

def asleep():
    # Naps: a signal that falls between Python's last look for one and the call of sleep waits for that sleep to end.
    for _ in range(6000):
        time.sleep(0.1)

def slow(image):
    print("transforming", flush=True)
    asleep()
    return image

def pipeline(*more):
    return im.Pipeline([im.RandomResizedCrop((24, 24)), im.Flip("x", p=0.5), *more], seed=7)

folder, workers = sys.argv[1], int(sys.argv[2])
"""
SLOW_CONSUMER = """
for batch in Loader(folder, pipeline(), batch_size=4, workers=workers):
    print("consuming", flush=True)
    asleep()
"""
ASLEEP_IN_NEXT = """
running = iter(Loader(folder, pipeline(im.Apply(slow)), batch_size=4, workers=workers))
next(running)
"""
FASTER_THAN_ITS_LOADER = """
for epoch in itertools.count():
    for batch in Loader(folder, pipeline(), batch_size=4, workers=workers):
        if epoch == 1:
            print("consuming", flush=True)
"""


def read_until(terminal: int, word: str | None) -> str:
    """What a terminal shows up to a word, or (without one) until nobody has it open any more."""
    shown = b""
    while word is None or word.encode() not in shown:
        ready, _, _ = select.select([terminal], [], [], SILENCE)
        assert ready, f"expected {word or 'the end'!r}, got {shown.decode()!r} and silence"
        try:
            more = os.read(terminal, 4096)
        except OSError:  # Linux says so where others give nothing
            more = b""
        if not more:
            assert word is None, f"expected {word!r}, got {shown.decode()!r} and the end"
            break
        shown += more
    return shown.decode()


def interrupted(program: str, word: str, folder: Path, workers: int) -> tuple[str, int]:
    """Run a program at a terminal, press Ctrl-C after a word; what it showed then, and its exit code."""
    terminal, its_end = os.openpty()
    try:
        running = subprocess.Popen(
            [sys.executable, "-c", HEAD + program, str(folder), str(workers)],
            stdin=its_end, stdout=its_end, stderr=its_end,
            env=environment(SRC), cwd=folder, start_new_session=True,
        )  # fmt: skip
        os.close(its_end)
        try:
            read_until(terminal, word)
            os.write(terminal, b"\x03")
            return read_until(terminal, None), running.wait(SILENCE)
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
    shown, code = interrupted(program, word, jpegs(tmp_path, 20), workers)
    assert shown.rstrip().endswith("KeyboardInterrupt"), "expected nothing printed by threads that outlive it"
    assert code == -signal.SIGINT


def test_ctrl_c_while_photos_are_read(data_root: Path) -> None:
    shown, code = interrupted(FASTER_THAN_ITS_LOADER, "consuming", data_root / "pets", 2)
    assert shown.rstrip().endswith("KeyboardInterrupt")
    assert code == -signal.SIGINT
