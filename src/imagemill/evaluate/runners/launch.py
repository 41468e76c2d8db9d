"""Starting further processes of a command, which then train together with this one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.evaluate.runners.ranks import world_size

__all__ = ["several_processes"]

_GRACE = 5.0
"""Seconds in which a process may end by itself after another one failed: mostly they fail for the same reason."""


@contextmanager
def several_processes(count: int, command: Sequence[str]) -> Iterator[None]:
    """Run what follows in several processes: this one, which is the first, and others that run a command of Python.

    Nothing is started where there are several processes already, as under ``torchrun``. What the others print is left
    out; what they say of an error is said where they fail. None of them is left at the end.

    Parameters
    ----------
    count : int
    command : sequence of str
        What the others run, behind the interpreter: the same as this process.

    Raises
    ------
    InputError
        For a count under 1, or another one than there are processes.
    """
    if count < 1:
        raise InputError(f"expected one process or more, got {count}")
    there = world_size()
    if there > 1 and count not in (1, there):
        raise InputError(f"expected {there} processes, as many as were started, got {count}; leave --processes out")
    if count == 1 or there > 1:
        yield
        return
    require("torch.distributed", extra="torch")
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": str(count)}
    before = {name: os.environ.get(name) for name in (*place, "RANK", "LOCAL_RANK")}
    others: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
    done = threading.Event()
    try:
        for rank in range(1, count):
            said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the process, below
            environment = {**os.environ, **place, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            one = subprocess.Popen(
                [sys.executable, *command], env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
            others.append((one, said))
        threading.Thread(target=_watch, args=(others, done), daemon=True).start()
        os.environ.update({**place, "RANK": "0", "LOCAL_RANK": "0"})
        yield
    finally:
        done.set()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        for one, said in others:
            _ended(one)
            said.close()


def _ended(one: subprocess.Popen[bytes]) -> None:
    """Wait for a process that has nothing left to do; end it where it does not."""
    try:
        one.wait(_GRACE)
    except subprocess.TimeoutExpired:
        one.terminate()
        try:
            one.wait(_GRACE)
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()


def _watch(others: Sequence[tuple[subprocess.Popen[bytes], IO[bytes]]], done: threading.Event) -> None:
    """End this process where another one failed: it would wait for the other's part without end."""
    while not done.wait(0.5):
        failed = [(one, said) for one, said in others if one.poll() not in (None, 0)]
        if not failed or done.wait(_GRACE):
            continue
        one, said = failed[0]
        said.seek(0)
        tail = said.read().decode("utf-8", "replace").strip()[-2000:]
        sys.stderr.write(f"error: a process that trains with this one ended with {one.returncode}, and said:\n{tail}\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGINT)
        if not done.wait(_GRACE):
            os._exit(1)  # it waits within a library, which no signal reaches
        return


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
